from django.conf import settings
from django.core.management.base import BaseCommand

from backcare.core.encryption import new_key


class Command(BaseCommand):
    help = "Prints a fresh key for FIELD_ENCRYPTION_KEYS. Keep it apart from the database and its backups."
    requires_system_checks = []

    def handle(self, **options):
        self.stdout.write(new_key(beside=settings.FIELD_ENCRYPTION_KEYS))
