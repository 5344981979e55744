from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from backcare.staff import factor


class Command(BaseCommand):
    help = (
        "For somebody who lost both phone and recovery codes: takes the second factor away and signs them out everywhere. "
        "Their next sign-in leads to setting up a new one. Be sure that it is them who asks."
    )

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, *, username, **options):
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account “{username}”. Nothing was changed.")
        had_one = factor.reset(user=user)
        LogEntry.objects.log_actions(
            user.pk, [user], CHANGE, "Reset the second factor at the command line.", single_object=True
        )
        self.stdout.write(
            f"{username} has no second factor any more and is signed out everywhere."
            if had_one
            else f"{username} had no second factor, and is signed out everywhere."
        )
