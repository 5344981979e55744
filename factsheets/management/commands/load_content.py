from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from factsheets.content import ContentError, load

SHOWN = 200  # characters of each text


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
            now, offered = _differing(kept.now, kept.offered)
            self.stdout.write(f"    yours:   {now}")
            self.stdout.write(f"    offered: {offered}")
        for stuck in report.stuck:
            self.stdout.write(f"  readers keep the last good text of {stuck}")
        would = "would be " if dry_run else ""
        self.stdout.write(
            f"Content: {len(report.added)} {would}added, {len(report.changed)} {would}changed, "
            f"{len(report.removed)} {would}removed, {report.unchanged} as they were, {len(report.kept)} of yours kept."
        )


def _differing(now, offered) -> list[str]:
    """Both texts, from shortly before the place where they part: two long texts often begin alike."""
    texts = [" ".join(str(value).split()) for value in (now, offered)]
    parted = next((at for at, (mine, theirs) in enumerate(zip(*texts, strict=False)) if mine != theirs), 0)
    start = max(0, parted - 40)
    return [_short(text, start) for text in texts]


def _short(text: str, start: int) -> str:
    end = start + SHOWN
    return f"{'…' if start else ''}{text[start:end]}{'…' if len(text) > end else ''}"
