"""A sheet as a tagged PDF (PDF/UA-1, ISO 14289-1), made by Typst.

Everything a person wrote goes in as JSON data, never as Typst markup, so nothing that is typed can be read as code.
Typst refuses to make a PDF/UA-1 file that lacks a title, a language, or a picture's text alternative.
"""

import io
import json
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import segno
import typst
from fontTools.ttLib import TTFont

HERE = Path(__file__).resolve().parent
FONTS = HERE / "fonts"
TEMPLATE = HERE / "typst" / "sheet.typ"
# Shown for a character that none of our fonts has: private use, not yet assigned, or a rare script.
REPLACEMENT = "□"
# No language stacks more marks on one letter. Thousands of them cost the typesetter gigabytes.
MARKS_AT_MOST = 8
# Invisible marks inside words and emoji. They need no glyph.
JOINERS = {"\u200c", "\u200d", "\ufe0e", "\ufe0f"}


class PdfError(Exception):
    """The PDF cannot be made. The text names the part that stands in the way."""


def sheet_pdf(document: dict, *, clinic: dict, safety: list[dict], address: str, large_print: bool = False) -> bytes:
    """The PDF of a sheet: A4, 12 pt, or 18 pt in large print. Raises PdfError.

    `document` and `safety` are the data of `factsheets.rendering.sheet.full`. `address` is the live page, printed in words and
    as a QR code. Without emergency advice there is no PDF.
    """
    if not safety or safety[0]["tier"] != "emergency" or not safety[0]["items"]:
        raise PdfError("There is no emergency advice, and no sheet is printed without it.")
    data = {
        "document": {**document, "sections": [_with_drawing(section) for section in document["sections"]]},
        "clinic": clinic,
        "safety": safety,
        "address": address,
        "qr": _qr(address),
        "large_print": large_print,
    }
    try:
        return typst.compile(
            TEMPLATE,
            root=HERE / "typst",
            font_paths=[FONTS],
            ignore_system_fonts=True,
            sys_inputs={"data": json.dumps(printable(data))},
            pdf_standards=["ua-1"],
            # The same sheet gives the same bytes, so that a cache can tell that nothing changed.
            timestamp=datetime.fromisoformat(document["updated_on"]).replace(tzinfo=UTC),
        )
    except typst.TypstError as error:
        raise PdfError(f"{document['slug']}: {error.message}") from error


def printable(value):
    """The same data with every character that our fonts cannot show replaced, and what cannot be seen left out."""
    if isinstance(value, str):
        return _printable_text(value)
    if isinstance(value, dict):
        return {key: printable(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [printable(each) for each in value]
    return value


def _printable_text(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    shown = coverage()
    out = []
    marks = 0
    for character in unicodedata.normalize("NFC", text):
        marks = marks + 1 if unicodedata.combining(character) else 0
        if marks > MARKS_AT_MOST:
            continue
        if character in "\n\t" or character in JOINERS or ord(character) in shown:
            if unicodedata.category(character) != "Cf" or character in JOINERS:
                out.append(character)
        elif unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Mn", "Me"}:
            out.append(REPLACEMENT)
    return "".join(out)


@lru_cache(maxsize=1)
def coverage() -> frozenset[int]:
    """The code points that at least one of our fonts can show. Read once for each process."""
    shown: set[int] = set()
    for path in sorted(FONTS.glob("*.ttf")):
        with TTFont(path, lazy=True) as font:
            shown.update(font.getBestCmap())
    return frozenset(shown)


def _with_drawing(section: dict) -> dict:
    figure = section.get("figure")
    if not figure:
        return section
    path = Path(figure.get("path") or "")
    if not path.is_file():
        raise PdfError(f"The drawing of figure {figure['slug']} is missing.")
    return {**section, "figure": {**figure, "path": "", "svg": path.read_text(encoding="utf-8")}}


def _qr(address: str) -> str:
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", border=0, dark="#22302F", xmldecl=False, svgclass=None, lineclass=None
    )
    return out.getvalue().decode()
