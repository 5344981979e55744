"""A sheet as a tagged PDF (PDF/UA-1, ISO 14289-1), made by Typst.

Everything a person wrote goes in as JSON data, never as Typst markup, so nothing that is typed can be read as code.
Typst refuses to make a PDF/UA-1 file that lacks a title, a language, or a picture's text alternative.
"""

import copy
import hashlib
import io
import json
import re
from base64 import b64encode
from bisect import bisect_left
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cache
from itertools import chain
from pathlib import Path
from urllib.parse import quote, urljoin, urlsplit

import segno

from factsheets.compiler import CompileError, compiler
from factsheets.glyphs import FONTS, printable, printable_text

TEMPLATES = Path(__file__).resolve().parent / "typst"
MODULES = {name: TEMPLATES / name for name in ("style.typ", "content.typ")}  # what any of our documents may import
TRADITIONAL_LABEL = "Traditional explanation. Not a medical diagnosis."
DEFAULT_HEADINGS = {"try": "Try", "avoid": "What not to do"}
LINK_SCHEMES = {"http", "https", "mailto", "tel"}
# Characters of JSON. The longest of our sheets has 110,000. A text of many millions takes Typst several gigabytes.
MAX_JSON = 1_000_000
# Characters. A card or table cell with fewer than this stays on one page; a longer one may continue on the next.
KEEP_TOGETHER = 700
# In points: a leaflet's letters, and the minimum for a drawing's labels. They shrink only if not even the safety advice alone fits
# on two sides (docs/decisions/0032).
SIZES = [(12, 9), (11.5, 9), (11, 8)]
LARGE_SIZES = [(18, 14)]  # what sight-loss charities ask for, and the smallest letters there
SIDES, LARGE_SIDES = 2, 4
KEY_POINTS, DRAWING = "key points", "drawing"  # other kinds of parts that may be left out, besides those of sections
LEAD = "-"  # for the drawing at the head, in place of a section's slug


class PdfError(Exception):
    """The PDF cannot be made. The message names the part that prevents it."""


def sheet_pdf(document: dict, *, clinic: dict, safety: list[dict], address: str, large_print: bool = False) -> bytes:
    """The whole sheet: A4, 12 pt, or 18 pt in large print. The same input makes the same bytes. Raises PdfError.

    `document` and `safety` are the data of `factsheets.rendering.sheet.full`. `address` is the live page's absolute
    address. Without emergency advice there is no PDF.
    """
    _expect_emergency(safety)
    files: dict[str, bytes] = {}
    data = {
        "sheet": _words(document, files, address=address),
        "clinic": clinic,
        "safety": [{**tier, "items": [item for item in tier["items"] if _has_words(item)]} for tier in safety],
        "large_print": large_print,
        "keep": round(KEEP_TOGETHER * (0.4 if large_print else 1)),
    }
    main = {"main.typ": TEMPLATES / "sheet.typ"}
    return compiled(main | files, data, name=document["slug"], timestamp=_timestamp(document))


def leaflet_pdf(
    document: dict, *, clinic: dict, safety: list[dict], address: str, help_address: str, large_print: bool = False
) -> bytes:
    """The sheet's leaflet: two sides of A4 in 12 pt, or four in 18 pt. Raises PdfError.

    To fit, some of it may have to stay out: what `document["optional"]` lists, the first of it first. The leaflet says what.
    Where all of that is out, the letters shrink a little (SIZES). Where that is not enough either, it takes as many sides as it
    needs: nothing is cut off.
    """
    _expect_emergency(safety)
    files: dict[str, bytes] = {}
    emergency = safety[0]
    signs = [item["short_text"] for item in emergency["items"] if item["on_compact_card"]]
    data = {
        "sheet": _words(document, files, address=address),
        "clinic": clinic,
        "emergency": {"heading": emergency["heading"], "signs": signs, "after": emergency["after"]},
        "help": {"url": help_address, "target": _absolute(help_address, address)},
        "large_print": large_print,
        "keep": 0 if large_print else KEEP_TOGETHER // 2,
    }
    main = {"main.typ": TEMPLATES / "leaflet.typ"} | files
    optional = document["optional"]
    sizes, most = (LARGE_SIZES, LARGE_SIDES) if large_print else (SIZES, SIDES)

    @cache
    def made(version: Version) -> bytes:
        gone, (points, labels) = version
        sheet = _without(data["sheet"], [optional[number] for number in sorted(gone)])
        changes = {"sheet": sheet, "points": points, "labels": labels}
        return compiled(main, data | changes, name=document["slug"], timestamp=_timestamp(document))

    key = _name_of(data, files, optional)
    if (version := _fitting.get(key)) is None:
        version = _fullest(len(optional), sizes, most, lambda version: sides_of(made(version)))
        if len(_fitting) >= MAX_FITTING:
            _fitting.clear()
        _fitting[key] = version
    return made(version)


# What is left out, as positions among the optional parts; and one of SIZES.
Version = tuple[frozenset[int], tuple[float, float]]
# What fits, by the leaflet's whole content, so that the same words need no second search, another day or after an edit elsewhere.
_fitting: dict[str, Version] = {}
MAX_FITTING = 200  # leaflets


def _name_of(data: dict, files: dict[str, bytes], optional: list[dict]) -> str:
    named = hashlib.sha256(json.dumps([data, optional], default=repr).encode())
    for name in sorted(files):
        named.update(name.encode() + files[name])
    return named.hexdigest()


def _fullest(many: int, sizes: list[tuple[float, float]], most: int, sides: Callable[[Version], int]) -> Version:
    """With as much as so many sides hold, in the first of the sizes in which the shortest has no more.

    What goes first comes back last, where the sides have room for it.
    """
    if sides((frozenset(), sizes[0])) <= most:
        return frozenset(), sizes[0]
    # What is kept together moves when other parts go, so now and then the shortest takes a side more than one with more in it.
    short = [frozenset(range(count)) for count in range(many, max(many - 3, -1), -1)]
    size, fits = next(
        ((size, gone) for size in sizes for gone in short if sides((gone, size)) <= most), (sizes[0], short[0])
    )
    # If they all take more sides, there is no reason to leave out more than those sides need.
    most = max(most, sides((fits, size)))
    count = bisect_left(range(len(fits)), True, key=lambda count: sides((frozenset(range(count)), size)) <= most)
    gone = frozenset(range(count))
    for number in reversed(range(count)):
        if sides((gone - {number}, size)) <= most:
            gone -= {number}
    return gone, size


def _without(sheet: dict, gone: list[dict]) -> dict:
    """The sheet without some drawings and parts, and their names for those who look for them. Of an exercise the words stay."""
    undrawn = {slug for each in gone if each["kind"] == DRAWING for slug in each["sections"]}
    slugs = {slug for each in gone if each["kind"] != DRAWING for slug in each["sections"]}
    kept = []
    for section in sheet["sections"]:
        is_drawn = section["slug"] not in undrawn
        figure = section.get("figure")
        # An exercise goes on in words, and so does a drawing of what protects.
        if section["slug"] not in slugs and (is_drawn or not figure or figure["is_exercise"] or figure["protects"]):
            kept.append({**section, "drawn": is_drawn})
    names = [f"{len(undrawn)} drawing{'s' * (len(undrawn) > 1)}"] if undrawn else []
    names += [each["name"] for each in gone if each["kind"] != DRAWING]
    return {
        **sheet,
        "sections": kept,
        "lead_figure": None if LEAD in undrawn else sheet["lead_figure"],
        "key_points": [] if any(each["kind"] == KEY_POINTS for each in gone) else sheet["key_points"],
        "left_out": list(dict.fromkeys(names)),
    }


def sides_of(content: bytes) -> int:
    """The number of pages in one of our PDFs. Typst writes its page tree as one node."""
    return int(re.search(rb"/Type\s*/Pages\s*/Count (\d+)", content)[1])


def _expect_emergency(safety: list[dict]) -> None:
    if not safety or safety[0].get("tier") != "emergency" or not any(_has_words(item) for item in safety[0]["items"]):
        raise PdfError("There is no emergency advice, and no sheet is printed without it.")


def _words(document: dict, files: dict[str, bytes], *, address: str) -> dict:
    """A sheet as Typst takes it; its drawings and its QR code go into `files`.

    `address` is the live page's absolute address, printed in words and as a QR code. Raises PdfError.
    """
    if urlsplit(address).scheme not in ("http", "https") or not urlsplit(address).netloc:
        raise PdfError(f"The address of the live page must be absolute: {address!r}")
    words = _prepared(copy.deepcopy(document), files)
    return _with_targets(words | {"page": {"url": address, "qr": _qr(address, files)}}, address)


def compiled(files: dict[str, Path | bytes], data: dict, *, name: str, timestamp: datetime) -> bytes:
    """The PDF/UA-1 file that `main.typ` makes of the data, every text of it made printable. Raises PdfError.

    `name` says in a message what could not be printed. `timestamp` is when the file says it was made.
    """
    files = dict(files)
    data = data | {"clinic": with_logo(data["clinic"], files)}
    for plain in (False, True):
        # In a file, not as `sys.inputs`, because Typst recompiles everything when those differ.
        words = json.dumps(printable(data, plain=plain)).encode()
        if len(words) > MAX_JSON:
            raise PdfError(f"{name}: there is too much to print ({len(words)} characters).")
        try:
            return with_row_headers(
                compiler.compile(
                    MODULES | files | {"data.json": words},
                    root=TEMPLATES,
                    fonts=FONTS,
                    pdf_standards=["ua-1"],
                    timestamp=timestamp,
                )
            )
        except CompileError as error:
            failure = error
    drawing = re.search(r"figure-\w+-([\w-]+)\.\w+:", failure.diagnostic)
    part = f"the drawing of figure {drawing[1]}: " if drawing else ""
    raise PdfError(f"{name}: {part}{failure}") from failure


def _prepared(document: dict, files: dict[str, bytes]) -> dict:
    """The document with what the template needs added, and its drawings in `files`."""
    level = 2  # the level of the last heading, because PDF/UA-1 (7.4.2) does not allow a step from 2 to 4
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
            section["figure"] = _figure(section["figure"], f"figure-{number}", files)
    if document.get("lead_figure"):
        document["lead_figure"] = _figure(document["lead_figure"], "figure-lead", files)
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
        data = _without_letters(path.read_text()).encode() if figure.get("in_words") else path.read_bytes()
    alt = (figure.get("alt") or figure.get("title") or "").strip()
    if not alt:
        raise PdfError(f"Figure {figure['slug']} has no text alternative.")
    name = f"{name}-{re.sub(r'[^a-zA-Z0-9-]', '', figure['slug'])}.svg"
    files[name] = data
    return {**figure, "alt": alt, "path": "", "file": name}


def _without_letters(svg: str) -> str:
    """The drawing of an exercise as two pictures, without the words and numbers below and on them: the leaflet says them beside it.

    Its pictures are the first rectangles, and its words and their grounds come after them.
    """
    frame = re.search(r'<rect x="\S+" y="(\d+)" width="\d+" height="(\d+)" rx="14"', svg)
    if not frame:
        return svg
    bare = re.sub(
        r'<text .*?</text>|<rect [^>]* rx="19"[^>]*/>|<circle [^>]*r="1[0-9.]+"[^>]*fill="#1F5A54"[^>]*/>', "", svg
    )
    height = 2 * int(frame[1]) + int(frame[2])
    return re.sub(
        r'viewBox="0 0 (\d+) \d+" width="\d+" height="\d+"',
        rf'viewBox="0 0 \1 {height}" width="\1" height="{height}"',
        bare,
    )


def with_logo(clinic: dict, files: dict[str, Path | bytes]) -> dict:
    """The clinic, with its logo as a file of its own. Without a logo if the picture is missing, as the leaflet matters more."""
    logo = clinic.get("logo")
    if not logo or not logo.get("data"):
        return clinic | {"logo": None}
    files["logo.svg"] = _in_svg(logo["data"], logo["width"], logo["height"])
    shown = {name: logo[name] for name in ("width", "height", "is_wide")}
    return clinic | {"logo": shown | {"file": "logo.svg"}}


def _in_svg(jpeg: bytes, width: int, height: int) -> bytes:
    """The JPEG in an SVG file: our library gives Typst only text. The PDF contains the JPEG itself, byte for byte."""
    image = f'<image width="{width:d}" height="{height:d}" href="data:image/jpeg;base64,{b64encode(jpeg).decode()}"/>'
    box = f'viewBox="0 0 {width:d} {height:d}" width="{width:d}" height="{height:d}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{image}</svg>'.encode()


def _with_targets(value, address: str):
    """The same data with absolute addresses in its links. A scheme that we do not print is no longer a link."""
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


def _qr(address: str, files: dict[str, bytes]) -> str:
    """The name of the QR code's file, or nothing for an address too long for one (about 2,300 bytes)."""
    out = io.BytesIO()
    try:
        segno.make(address, error="m", micro=False).save(out, kind="svg", border=0, dark="#22302F", xmldecl=False)
    except ValueError:
        return ""
    files["qr.svg"] = out.getvalue()
    return "qr.svg"


def _size(value) -> int:
    """The number of characters of text in the data, without spaces at the ends."""
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
    """The file's own date: the day of the last change, so that an unchanged sheet is an unchanged file."""
    try:
        return datetime.combine(date.fromisoformat(document["updated_on"]), datetime.min.time(), UTC)
    except (KeyError, ValueError):
        return datetime(2000, 1, 1, tzinfo=UTC)


# Row headers in our PDFs' tables, so that a screen reader says "Surgery" before the cells of surgery's row.
#
# Typst tags the cells of a header row. Those of the first column it tags only behind a switch (`pdf.header-cell`, "a11y-extras")
# that its Python library does not reach. So the finished file is changed: the first cell of each row in a table's body becomes
# the header of that row (ISO 32000-1, table 349, Scope). Typst writes these objects uncompressed, each on a line, and a plain
# list of offsets.

BODY = re.compile(rb"\n(\d+) 0 obj\n<</Type/StructElem/S/TBody/")
ROW = re.compile(rb"\n<</Type/StructElem/S/TR/P (\d+) 0 R/K\[(\d+) 0 R[ \]]")
CELL = re.compile(rb"\d+ 0 obj\n<</Type/StructElem/S/TD/[^\n]*?/A\[<</O/Table/")
OFFSETS = re.compile(rb"xref\n0 \d+\n((?:\d{10} \d{5} [nf][^\n]*\n)+)(trailer\n[^\n]*\nstartxref\n)(\d+)\n%%EOF\s*\Z")
SCOPE = b"Scope/Row/"


def with_row_headers(pdf: bytes) -> bytes:
    """The same file with the first cell of each row as its header. Raises ValueError unless the file is as Typst makes it."""
    bodies = set(BODY.findall(pdf))
    first = [int(cell) for body, cell in ROW.findall(pdf) if body in bodies]
    if not first:
        return pdf
    if not (end := OFFSETS.search(pdf)):
        raise ValueError("The PDF has no plain list of offsets.")
    entries = end[1].splitlines(keepends=True)
    cells = [CELL.match(pdf, int(entries[cell][:10])) for cell in first]
    if not all(cells):
        raise ValueError("A row of a table in the PDF starts with something other than a cell.")
    places = sorted(cell.end() for cell in cells)
    pieces = [pdf[start:stop] for start, stop in zip([0, *places], [*places, end.start()], strict=True)]
    # The last /S/TD/ of each piece but the last is that of its cell.
    named = [b"/S/TH/".join(piece.rsplit(b"/S/TD/", 1)) + SCOPE for piece in pieces[:-1]]

    def moved(offset: int) -> int:
        return offset + len(SCOPE) * bisect_left(places, offset)

    listed = [b"%010d" % moved(int(each[:10])) + each[10:] if each[17:18] == b"n" else each for each in entries]
    head = pdf[end.start() : end.start(1)]
    return b"".join(chain(named, pieces[-1:], [head], listed, [end[2], b"%d\n%%%%EOF\n" % moved(int(end[3]))]))
