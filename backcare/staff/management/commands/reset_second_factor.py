import logging

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backcare.staff import totp
from enquiries.clock import at_words

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = (
        "For someone who has lost both phone and recovery codes and whom no other owner can help: removes the second factor, signs "
        "them out everywhere, and lets them set up a new one for 24 hours. In that time their password alone is enough, and "
        "no second person has checked who is asking. Check it yourself."
    )

    def add_arguments(self, parser):
        parser.add_argument("username")

    def handle(self, *, username, **options):
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is no account “{username}”. Nothing was changed.")
        had_one = totp.reset(user=user, by=None)
        LogEntry.objects.log_actions(
            user.pk,
            [user],
            CHANGE,
            "Reset the second factor at the command line: no second person agreed. They can set up a new one for 24 hours.",
            single_object=True,
        )
        logger.warning("The second factor of account %s was reset at the command line", user.pk)
        until = at_words(totp.invited_until(user), timezone.now())
        self.stdout.write(
            f"{username} no longer has a second factor and is signed out everywhere."
            if had_one
            else f"{username} had no second factor, and is signed out everywhere."
        )
        self.stdout.write(
            f"Until {until}, anyone who knows the password of {username} can set up a new second factor and do everything that "
            f"{username} may do. If nobody has by then, run this again.\n"
            "This is recorded in the history of the account. If the account is your own, tell another owner: nobody else was asked."
        )
