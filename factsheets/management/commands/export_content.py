from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from backcare.core.progress import Progress, stoppable
from factsheets import content_export


class Command(BaseCommand):
    help = "Writes all content as YAML, in the form of fixtures/: for the fixtures, or for another installation."

    def add_arguments(self, parser):
        parser.add_argument("folder", type=Path)
        parser.add_argument("--replace", action="store_true", help="Replace the content that is in the folder.")

    def handle(self, *, folder, replace, **options):
        progress = Progress(self.stdout)
        not_whole = f"{folder} may be incomplete. Run export_content again, with --replace."
        try:
            with stoppable(progress, not_whole):
                many = content_export.write(folder, replace=replace, progress=progress.of)
        except content_export.ExportRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}.") from error
        self.stdout.write(f"{many} files written to {folder}.")
