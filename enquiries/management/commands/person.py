import sys

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backcare.core import encryption
from enquiries.actions import erasure
from enquiries.privacy import subject_access


class Command(BaseCommand):
    help = (
        "Exports, or erases, everything held about one person. The email address or phone number is read from standard "
        "input, because lists of processes show command lines."
    )

    def add_arguments(self, parser):
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--export", action="store_true", help="Write everything held to standard output, as JSON.")
        what.add_argument("--erase", action="store_true", help="Erase everything held, in one step.")
        parser.add_argument(
            "--reason", choices=erasure.Reason.values, default=erasure.Reason.ASKED, help="Why it is erased."
        )
        parser.add_argument("--yes", action="store_true", help="Erase without asking again.")

    def handle(self, *, export, erase, reason, yes, **options):
        try:
            encryption.verify_keys()
        except encryption.WrongKey as error:
            raise CommandError(str(error)) from None
        if sys.stdin.isatty():
            self.stderr.write("Email address or phone number: ", ending="")
            self.stderr.flush()
        typed = sys.stdin.readline().strip()
        if not typed:
            raise CommandError("Give the email address or the phone number on standard input.")
        enquiries = subject_access.find(typed)
        if not enquiries:
            raise CommandError("Nothing is held under this address or number.")
        if export:
            erasure.note_export(enquiries=enquiries, actor="command line")
            self.stdout.write(subject_access.as_json(subject_access.held(enquiries, now=timezone.now())))
            return
        self.erase(enquiries, reason, yes)

    def erase(self, enquiries, reason: str, yes: bool):
        self.stdout.write(f"{len(enquiries)} enquiries: {', '.join(each.reference for each in enquiries)}")
        if not yes:
            self.stdout.write("Erase all of it? Type yes: ", ending="")
            self.stdout.flush()
            if sys.stdin.readline().strip() != "yes":
                raise CommandError("Nothing was erased.")
        cleared = erasure.erase_person(enquiries=enquiries, reason=reason, actor="command line")
        self.stdout.write("Erased." if cleared else "Erased. The database's files are cleared with the next purge.")
