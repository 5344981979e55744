from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from backcare.ops.backups import Trouble, making


class Command(BaseCommand):
    help = (
        "Copies everything the site knows into one dated file, while it runs. The keys are not in it: keep them apart."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("folder", nargs="?", type=Path, help="Where to. Default: BACKUP_DIR.")
        parser.add_argument(
            "--keep", type=int, help="How many files stay in the folder; 0 keeps all. Default: BACKUP_KEEP."
        )

    def handle(self, *, folder, keep, **options):
        keep = settings.BACKUP_KEEP if keep is None else keep
        if keep < 0:
            raise CommandError("--keep is a number of files, 0 or more.")
        try:
            made = making.make(folder or settings.BACKUP_DIR, keep=keep)
        except Trouble as trouble:
            raise CommandError(str(trouble)) from None
        manifest = made.manifest
        self.stdout.write(f"{made.path}")
        self.stdout.write(
            f"{sum(manifest.tables.values())} rows in {len(manifest.tables)} tables, {made.path.stat().st_size / 1e6:.1f} MB."
        )
        if manifest.key_ids:
            numbers = " and ".join(f"key {number}" for number in manifest.key_ids)
            self.stdout.write(
                f"To read it, {numbers} of FIELD_ENCRYPTION_KEYS is needed. Keep that apart from this file."
            )
        if settings.BACKUP_RECIPIENTS:
            self.stdout.write("It is encrypted: only a private key that belongs to BACKUP_RECIPIENTS opens it.")
        if made.pruned:
            self.stdout.write(f"{len(made.pruned)} older backups were deleted (the newest {keep} stay).")
