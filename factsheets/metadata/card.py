"""The picture beside a link to any of our pages on other sites: one for all, with the clinic's logo or name and its colour."""

import json
from pathlib import Path

from factsheets.compiler import compiler
from factsheets.glyphs import FONTS, printable
from factsheets.pdf import MODULES, TEMPLATES, with_logo
from factsheets.rendering.printed import letterhead


def png() -> bytes:
    """1200 by 630 pixels, which is what the sites that show it ask for. Raises CompileError."""
    files: dict[str, Path | bytes] = {}
    known = with_logo(letterhead(), files)
    words = {"clinic": {name: known[name] for name in ("name", "colours", "logo")}}
    files |= MODULES | {"main.typ": TEMPLATES / "card.typ", "data.json": json.dumps(printable(words)).encode()}
    return compiler.compile(files, root=TEMPLATES, fonts=FONTS, format="png", ppi=72)
