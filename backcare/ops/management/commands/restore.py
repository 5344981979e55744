from pathlib import Path

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError

from backcare.core.progress import Progress, stoppable
from backcare.ops.backups import Trouble, restoring


class Command(BaseCommand):
    help = (
        "Restores a backup of SQLite to where there is no database, or with --replace puts the present one aside. "
        "With --check it only tests whether a backup works. PostgreSQL is restored with pg_restore (docs/operations.md), and then "
        "tested with --check."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--check",
            action="store_true",
            help="Only check whether this backup works. On PostgreSQL DATABASE_URL names the database restored from it.",
        )
        parser.add_argument(
            "--identity",
            type=Path,
            help="The private key of an encrypted backup: a file, or - for standard input (BACKUP_RECIPIENTS).",
        )
        parser.add_argument(
            "--replace", action="store_true", help="The present database is kept aside, and not in use."
        )

    def handle(self, *, file, check, replace, identity, **options):
        progress = Progress(self.stdout)
        telling = {"identity": identity, "progress": progress.bytes}
        try:
            with stoppable(progress, "The site's database is as it was. Run restore again."):
                tried = (
                    restoring.check(file, **telling) if check else restoring.restore(file, replace=replace, **telling)
                )
        except Trouble as trouble:
            raise CommandError(f"This backup would not work. {trouble}" if check else str(trouble)) from None
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from None
        self.told(tried)
        if check:
            self.verdict(tried)
            return
        self.stdout.write("The backup is in place.")
        if tried.aside:
            self.stdout.write(f"The previous database is kept: {tried.aside}")
        self.next_steps(tried)
        self.warn_of_keys(tried)

    def told(self, tried: restoring.Tried):
        self.stdout.write(
            f"Made {tried.manifest.made_at}. {len(tried.manifest.tables)} tables, {tried.rows} rows, all there."
        )
        opening = tried.opening
        self.stdout.write(
            f"{opening.opened} sealed values in {opening.columns} columns were opened with the present keys."
        )

    def verdict(self, tried: restoring.Tried):
        if tried.opening.shut:
            raise CommandError(f"This backup would not work. {self.lacking(tried)}")
        self.stdout.write("This backup would work.")

    def warn_of_keys(self, tried: restoring.Tried):
        if tried.opening.shut:
            self.stderr.write(self.lacking(tried))

    def lacking(self, tried: restoring.Tried) -> str:
        numbers = " and ".join(f"key {number}" for number in tried.manifest.key_ids)
        return (
            f"{len(tried.opening.shut)} sealed values do not open with FIELD_ENCRYPTION_KEYS of this machine, the first in "
            f"{tried.opening.shut[0]}. The backup needs {numbers} as it was when the backup was made."
        )

    def next_steps(self, tried: restoring.Tried):
        if tried.behind:
            self.stdout.write(
                f"It is from before {tried.behind} changes to the database: run manage.py prepare before you start."
            )
        if tried.waiting:
            self.stdout.write(
                f"{tried.waiting} mails had not gone when it was made, and go out when the mail worker starts. Those that "
                "went after the backup go a second time, with the same Message-ID. Mail that it knows as sent is not sent again."
            )
        self.stdout.write("Data that people asked you to erase after the backup was made is back: erase it again.")
