from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from backcare.staff import first_steps


class Command(BaseCommand):
    help = "Prints the address and the code with which a new site's first owner makes an account. `serve` prints them by itself."

    def handle(self, **options):
        code = first_steps.new_owner_code()
        if not code:
            raise CommandError("This site has an owner. Owners invite others under “Staff accounts”.")
        self.stdout.write(f"{settings.BASE_URL}{reverse('admin:first_owner')}")
        self.stdout.write(f"The code is {code} (24 hours, once).")
