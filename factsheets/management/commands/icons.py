from io import BytesIO

from django.core.management.base import BaseCommand, CommandError
from PIL import Image

from factsheets.machines.icons import FOLDER, ICONS


def looks(data: bytes) -> list[bytes]:
    """The pixels of every picture in the file. Two versions of a library may pack the same picture differently."""
    with Image.open(BytesIO(data)) as image:
        if image.format != "ICO":
            return [image.convert("RGBA").tobytes()]
        found = []
        for size in sorted(image.info["sizes"]):
            image.size = size  # an ICO holds several, and this chooses one
            found.append(image.convert("RGBA").tobytes())
        return found


class Command(BaseCommand):
    help = "Makes the icons in static/img/ that are drawn from mark.svg."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="Only say whether one is missing or out of date.")

    def handle(self, *, check, **options):
        stale = []
        for name, draw in ICONS.items():
            path, wanted = FOLDER / name, draw()
            if not path.exists() or looks(path.read_bytes()) != looks(wanted):
                stale.append(name)
                if not check:
                    path.write_bytes(wanted)
        if check and stale:
            raise CommandError(f"Run `manage.py icons`: {', '.join(stale)} must be drawn again.")
        self.stdout.write(f"{len(stale)} icons {'are stale' if check else 'made'}.")
