from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from factsheets.content import ContentError, load


class Command(BaseCommand):
    help = "Installs or upgrades the fact sheets from fixtures/. Never overwrites what staff edited."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="Say what would change, and change nothing.")
        parser.add_argument("--folder", type=Path, default=settings.BASE_DIR / "fixtures")

    def handle(self, *, dry_run, folder, verbosity, **options):
        try:
            report = load(folder, dry_run=dry_run)
        except ContentError as error:
            raise CommandError(str(error)) from error
        if verbosity > 1 or dry_run:
            for word, records in [
                ("add", report.added),
                ("change", report.changed),
                ("remove", report.removed),
            ]:
                for record in records:
                    self.stdout.write(f"  {word} {record}")
        for kept in report.kept:
            self.stdout.write(f"  kept your edit: {kept.record}, {kept.field}")
            self.stdout.write(f"    yours:   {_short(kept.now)}")
            self.stdout.write(f"    offered: {_short(kept.offered)}")
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"Content: {len(report.added)} {would}added, {len(report.changed)} {would}changed, "
            f"{len(report.removed)} {would}removed, {report.unchanged} as they were, {len(report.kept)} of yours kept."
        )


def _short(value) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 200 else f"{text[:199]}…"
