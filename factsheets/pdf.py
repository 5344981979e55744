"""A sheet as a tagged PDF (PDF/UA-1, ISO 14289-1), made by Typst.

Everything a person wrote goes in as JSON data, never as Typst markup, so nothing that is typed can be read as code.
Typst refuses to make a PDF/UA-1 file that lacks a title, a language, or a picture's text alternative.
"""

import copy
import io
import json
import re
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import segno
import typst

from factsheets.glyphs import FONTS, printable, printable_text

TEMPLATES = Path(__file__).resolve().parent / "typst"
MODULES = {name: TEMPLATES / name for name in ("style.typ", "fact-sheet.typ")}  # what any of our papers may import
TRADITIONAL_LABEL = "Traditional explanation. Not a medical diagnosis."
DEFAULT_HEADINGS = {"try": "Try", "avoid": "Avoid"}
LINK_SCHEMES = {"http", "https", "mailto", "tel"}
# Characters of JSON. The longest of our sheets has 110,000. A text of many millions takes Typst several gigabytes, and
# when the memory is gone it ends the whole worker process; no exception can be caught.
MAX_CACHED_BYTES = 1_000_000
# Characters. A card or table cell with less than this stays on one page; with more it may continue on the next.
KEEP_TOGETHER = 700


class PdfError(Exception):
    """The PDF cannot be made. The text names the part that stands in the way."""


class Part:
    """A sheet as Typst takes it: its words, and its drawings by file name. The same for every reader.

    `file` is unique among sheets and begins the name of each file and label of this one.
    """

    def __init__(self, document: dict, *, address: str):
        """`address` is the live page's absolute address, printed in words and as a QR code. Raises PdfError."""
        if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc:
            raise PdfError(f"The address of the live page must be absolute: {address!r}")
        self.file = re.sub(r"[^\w-]", "", document["slug"], flags=re.ASCII) or "sheet"
        self.files: dict[str, bytes] = {}
        words = _prepared(copy.deepcopy(document), self.file, self.files)
        words |= {"file": self.file, "page": {"url": address, "qr": _qr(address, self.file, self.files)}}
        self._words = _with_targets(words, address)
        self._printable: dict[bool, bytes] = {}

    def words(self, *, plain: bool = False) -> bytes:
        """All words as JSON, made printable once."""
        if plain not in self._printable:
            self._printable[plain] = json.dumps(printable(self._words, plain=plain)).encode()
        return self._printable[plain]


def sheet_pdf(document: dict, *, clinic: dict, safety: list[dict], address: str, large_print: bool = False) -> bytes:
    """The PDF of a sheet: A4, 12 pt, or 18 pt in large print. The same input makes the same bytes. Raises PdfError.

    `document` and `safety` are the data of `factsheets.rendering.sheet.full`. `address` is the live page's absolute
    address. Without emergency advice there is no PDF.
    """
    part = Part(document, address=address)
    data = {
        **around(clinic=clinic, safety=safety, large_print=large_print),
        "sheet": {"file": part.file},
    }
    main = {"main.typ": TEMPLATES / "sheet.typ"}
    return compiled(main, data, parts=[part], name=document["slug"], timestamp=_timestamp(document))


def around(*, clinic: dict, safety: list[dict], large_print: bool) -> dict:
    """What the template of a fact sheet takes beside the sheet. Raises PdfError without emergency advice."""
    if not safety or safety[0].get("tier") != "emergency" or not any(_has_words(item) for item in safety[0]["items"]):
        raise PdfError("There is no emergency advice, and no sheet is printed without it.")
    return {
        "clinic": clinic,
        "safety": [{**tier, "items": [item for item in tier["items"] if _has_words(item)]} for tier in safety],
        "large_print": large_print,
        "keep": round(KEEP_TOGETHER * (0.4 if large_print else 1)),
    }


def compiled(
    files: dict[str, Path | bytes], data: dict, *, parts: Sequence[Part] = (), name: str, timestamp: datetime
) -> bytes:
    """The PDF/UA-1 file that `main.typ` makes of the data, every text of it made printable. Raises PdfError.

    Each of the `parts` is there as the JSON file of its name. `name` says in a message what could not be printed.
    `timestamp` is when the file says it was made.
    """
    for part in parts:
        files = files | part.files
    for plain in (False, True):
        # In files, and not as `sys.inputs`: Typst works everything out anew when those differ.
        words = {"data.json": json.dumps(printable(data, plain=plain)).encode()}
        words |= {f"{part.file}.json": part.words(plain=plain) for part in parts}
        if (length := sum(map(len, words.values()))) > MAX_CACHED_BYTES:
            raise PdfError(f"{name}: there is too much to print ({length} characters).")
        try:
            return typst.compile(
                MODULES | files | words,
                root=TEMPLATES,
                font_paths=_fonts(),
                pdf_standards=["ua-1"],
                timestamp=timestamp,
            )
        except RuntimeError as error:  # TypstError is one; an unreadable file raises a bare RuntimeError
            failure = error
    drawing = re.search(r"figure-\d+-([\w-]+)\.\w+:", getattr(failure, "diagnostic", ""))
    part = f"the drawing of figure {drawing[1]}: " if drawing else ""
    raise PdfError(f"{name}: {part}{failure}") from failure


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    """Our fonts and no others, so that every machine prints the same. Read once for each process. Raises PdfError."""
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])
    # Without any font Typst makes blank pages, and no error. A deployment that lost the files must not hand those out.
    if missing := {"Atkinson Hyperlegible", "Noto Sans", "Noto Sans Symbols2"} - set(fonts.families()):
        raise PdfError(f"Fonts are missing in {FONTS}: {', '.join(sorted(missing))}.")
    return fonts


def _prepared(document: dict, name: str, files: dict[str, bytes]) -> dict:
    """The document with what the template needs written into it, and its drawings put into `files`."""
    level = 2  # of the heading before: PDF/UA-1 (7.4.2) allows no step from 2 to 4
    for number, section in enumerate(document["sections"]):
        section |= {name: section.get(name) or [] for name in ("blocks", "caption", "numbers", "evidence")}
        section["heading"] = printable_text(section.get("heading") or "").strip() or DEFAULT_HEADINGS.get(
            section["kind"], ""
        )
        section["label"] = TRADITIONAL_LABEL if section["view"] == "traditional" else ""
        section["level"] = section.get("level") or (2 if section["kind"] in ("text", "evidence") else 3)
        level = _number_headings(section["blocks"], section["level"] if section["heading"] else level)
        for statement in section["evidence"]:
            level = _number_headings(statement["blocks"], 3)
        section["size"] = _size(section["blocks"])
        if section.get("figure"):
            section["figure"] = _figure(section["figure"], f"{name}.figure-{number}", files)
    for name in ("reviewed_on", "review_due_on", "updated_on"):
        document[name] = _day(document.get(name) or "")
    document["evidence_checked_on"] = _day(document.get("evidence_checked_on") or "").partition(" ")[
        2
    ]  # month and year
    # PDF/UA-1 (7.1) needs a title. An unsaved draft may lack one.
    document["title"] = document["title"] if _has_words({"text": document["title"]}) else "Fact sheet"
    return document


def _number_headings(blocks: list[dict], level: int) -> int:
    """Closes gaps between the levels of headings, drops empty ones, and returns the last level."""
    blocks[:] = [block for block in blocks if block["type"] != "heading" or _size(block["content"])]
    for block in blocks:
        if block["type"] == "heading":
            level = block["level"] = min(block["level"], level + 1)
    return level


def _figure(figure: dict, name: str, files: dict[str, bytes]) -> dict:
    if figure.get("picture"):
        if not (jpeg := figure.pop("data", None)):
            raise PdfError(f"The picture of figure {figure['slug']} is missing.")
        data = _in_svg(jpeg, figure["width"], figure["height"])
    else:
        path = Path(figure.get("path") or "")
        if not path.is_file():
            raise PdfError(f"The drawing of figure {figure['slug']} is missing.")
        if path.suffix.lower() != ".svg":
            raise PdfError(f"The drawing of figure {figure['slug']} is a {path.suffix} file. Use SVG.")
        data = path.read_bytes()
    alt = (figure.get("alt") or figure.get("title") or "").strip()
    if not alt:
        raise PdfError(f"Figure {figure['slug']} has no text alternative.")
    name = f"{name}-{re.sub(r'[^a-zA-Z0-9-]', '', figure['slug'])}.svg"
    files[name] = data
    return {**figure, "alt": alt, "path": "", "file": name}


def _in_svg(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG in an SVG file: our library hands Typst nothing but text. The JPEG itself stands in the PDF byte for byte."""
    image = f'<image width="{width:d}" height="{height:d}" href="data:image/jpeg;base64,{b64encode(jpeg).decode()}"/>'
    box = f'viewBox="0 0 {width:d} {height:d}" width="{width:d}" height="{height:d}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{image}</svg>'.encode()


def _with_targets(value, address: str):
    """The same data, where every link holds its absolute address. A scheme we do not print becomes no link at all."""
    if isinstance(value, dict):
        made = {key: _with_targets(each, address) for key, each in value.items()}
        for key in ("href", "url"):
            if key in made:
                made["target"] = _absolute(str(made[key]), address)
        return made
    return [_with_targets(each, address) for each in value] if isinstance(value, list | tuple) else value


def _absolute(href: str, address: str) -> str:
    try:
        url = urljoin(address, href.strip())
        # Percent-encoding keeps `printable` from changing the address. 2,000 characters is what browsers can be sent.
        encoded = quote(url.encode("utf-8", "replace"), safe="%/:?#[]@!$&'()*+,;=~-._")
        return encoded if href.strip() and urlsplit(url).scheme in LINK_SCHEMES and len(encoded) < 2000 else ""
    except ValueError:
        return ""


def _qr(address: str, name: str, files: dict[str, bytes]) -> str:
    """The name of the QR code's file, or nothing for an address too long for one (about 2,300 bytes)."""
    out = io.BytesIO()
    try:
        segno.make(address, error="m", micro=False).save(out, kind="svg", border=0, dark="#22302F", xmldecl=False)
    except ValueError:
        return ""
    files[f"{name}.qr.svg"] = out.getvalue()
    return f"{name}.qr.svg"


def _size(value) -> int:
    """How many characters of text are in the data, without the spaces at the ends."""
    if isinstance(value, dict):
        return len(printable_text(value.get("text", "")).strip()) + sum(
            _size(each) for each in value.values() if not isinstance(each, str)
        )
    return sum(_size(each) for each in value) if isinstance(value, list) else 0


def _has_words(item: dict) -> bool:
    return bool(printable_text(item.get("text") or "").strip())


def _day(iso: str) -> str:
    """ "2026-05-01" as "1 May 2026", the way GOV.UK writes dates. Anything else as it is."""
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B %Y}"


def _timestamp(document: dict) -> datetime:
    """When the file says it was made: the day of the last change, so that an unchanged sheet is an unchanged file."""
    try:
        return datetime.combine(date.fromisoformat(document["updated_on"]), datetime.min.time(), UTC)
    except (KeyError, ValueError):
        return datetime(2000, 1, 1, tzinfo=UTC)
