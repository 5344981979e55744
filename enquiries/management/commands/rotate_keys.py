from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max

from backcare.core import encryption
from backcare.core.encryption import key_ring, writing_key
from backcare.core.progress import Progress, stoppable
from enquiries.models import KeyCheck, StoppedAddress
from enquiries.privacy import rotation


class Command(BaseCommand):
    help = (
        "Encrypts everything again with the first key of FIELD_ENCRYPTION_KEYS, padded, while the site runs. "
        "May be stopped at any moment and started again."
    )

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Only count what there is to encrypt again.")
        parser.add_argument("--at-once", type=int, default=rotation.AT_ONCE, help="Rows in one transaction.")
        parser.add_argument(
            "--lost",
            type=int,
            metavar="ID",
            help="Declares this key lost for good, so that the site starts without it. Changes no text: "
            "if the key is found, put it back into FIELD_ENCRYPTION_KEYS.",
        )

    def handle(self, *, dry_run, at_once, lost, **options):
        if lost is not None:
            self.give_up(lost)
            return
        try:
            encryption.verify_keys()
        except encryption.WrongKey as error:
            raise CommandError(str(error)) from None
        left = rotation.left()
        progress = Progress(self.stdout, sum(left.values()))
        for table, rows in left.items():
            self.stdout.write(f"{table}: {rows} to encrypt again")
        if dry_run:
            self.stdout.write("Nothing was changed.")
            return
        with stoppable(
            progress, "What has been encrypted again stays so. Keep both keys, and run rotate_keys again to finish."
        ):
            result = rotation.rotate(at_once=max(1, at_once), progress=progress.more)
        self.finish(result)

    def finish(self, result: rotation.Rotated):
        for place in sorted(result.stuck):
            self.stderr.write(f"Cannot be opened, so it was left as it is: {place}")
        if sum(rotation.left().values()):
            raise CommandError(
                "Some values are still under an earlier key or without padding. Keep that key, and run rotate_keys again."
                if not result.stuck
                else f"{len(result.stuck)} rows hold a value that no key opens. Keep every key until you know why."
            )
        current = writing_key()
        others = [number for number in key_ring() if number != current]
        for number in others:
            encryption.forget_key(number)
        self.stdout.write(f"{result.rows} rows were encrypted again. Everything is under key {current}.")
        if others:
            names = " and ".join(f"key {number}" for number in others)
            self.stdout.write(
                f"You may now take {names} out of FIELD_ENCRYPTION_KEYS and restart. Backups made before today still need "
                "it: keep it, apart from them, for as long as you keep those."
            )
            self.say_who_asked_for_no_mail(current)

    def say_who_asked_for_no_mail(self, current: int):
        """Their marks cannot be made again: we have no address to make them from."""
        since = KeyCheck.objects.get(pk=current).first_used_at
        earlier = StoppedAddress.objects.filter(created_at__lt=since)
        if until := earlier.aggregate(last=Max("until"))["last"]:
            self.stdout.write(
                f"But {earlier.count()} addresses that asked for no more mail are known by the earlier key alone. Without it "
                f"they may get mail again. They are on the list until {until:%-d %B %Y} at the latest."
            )

    def give_up(self, number: int):
        if number in key_ring():
            raise CommandError(f"Key {number} is in FIELD_ENCRYPTION_KEYS, so it is not lost. Nothing was changed.")
        if not encryption.give_up_key(number):
            raise CommandError(f"This database does not ask for key {number}. Nothing was changed.")
        self.stdout.write(
            f"The site starts without key {number} now. What only that key opens is shown as “This text cannot be opened”. "
            "It is not deleted, in case the key is found."
        )
