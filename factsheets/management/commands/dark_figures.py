from pathlib import Path

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

# The drawings' nine colours and what each becomes on a dark page.
DARK = {
    "#22302F": "#EDE8DD",
    "#1F5A54": "#8FD0C2",
    "#CFE3DA": "#2B4A45",
    "#EAD9BE": "#4A4030",
    "#B4532A": "#F0A37E",
    "#F3D3C2": "#5A3527",
    "#D9A441": "#E5BE6C",
    "#FFFFFF": "#1B2B29",
    "#9B1C1C": "#FF9C92",
}
FOLDER = settings.BASE_DIR / "static" / "figures"


def darkened(svg: str) -> str:
    """The drawing with each colour replaced by its dark partner, in one pass, so that none is replaced twice."""
    parts = svg.split("#")
    out = parts[0]
    for part in parts[1:]:
        colour = f"#{part[:6]}".upper()
        out += DARK[colour] + part[6:] if colour in DARK else f"#{part}"
    return out


class Command(BaseCommand):
    help = "Makes the dark variant of every drawing in static/figures/."
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="Only say whether one is missing or out of date.")

    def handle(self, *, check, **options):
        stale = []
        for light in sorted(Path(FOLDER).glob("*.svg")):
            if light.name.endswith(".dark.svg"):
                continue
            dark = light.with_name(light.name.replace(".svg", ".dark.svg"))
            wanted = darkened(light.read_text(encoding="utf-8"))
            if not dark.exists() or dark.read_text(encoding="utf-8") != wanted:
                stale.append(light.name)
                if not check:
                    dark.write_text(wanted, encoding="utf-8")
        if check and stale:
            raise CommandError(f"Run `manage.py dark_figures`: {', '.join(stale)} changed.")
        self.stdout.write(f"{len(stale)} dark drawings {'are stale' if check else 'made'}.")
