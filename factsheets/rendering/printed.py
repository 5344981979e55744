"""A sheet on paper, as a leaflet or whole: the shared data in the form that the Typst templates need."""

import base64
import re
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse

from backcare.core import clinic
from factsheets import page_cache, pictures
from factsheets.models import Aspect, FactSheet, Layer, SectionKind
from factsheets.pdf import DRAWING, KEY_POINTS, LEAD, leaflet_pdf, sheet_pdf
from factsheets.rendering.markdown import plain
from factsheets.rendering.sheet import full

LEAD_DRAWING, EXERCISES, TO_FILL = "lead", "exercises", "to fill"
# What a leaflet leaves out first if it does not fit. It never leaves out safety advice (`protects`), verdicts, NICE's position or
# the start of an answer. Drawings make people pick a leaflet up, but at 18 pt there is no room for many.
OPTIONAL = [
    DRAWING,
    SectionKind.NUMBERS,
    SectionKind.FIGURE,
    SectionKind.DETAILS,
    SectionKind.TABLE,
    SectionKind.TEXT,
    EXERCISES,
    LEAD_DRAWING,
    SectionKind.STEPS,
    SectionKind.TRY,
    TO_FILL,
]
OPTIONAL_IN_LARGE = [
    LEAD_DRAWING,
    DRAWING,
    EXERCISES,
    SectionKind.NUMBERS,
    SectionKind.FIGURE,
    SectionKind.DETAILS,
    SectionKind.TABLE,
    TO_FILL,
    SectionKind.TEXT,
    SectionKind.STEPS,
    SectionKind.TRY,
    KEY_POINTS,
]
NEEDED = {Aspect.SAFETY, Aspect.SEE_DOCTOR}
NEEDED_KINDS = {SectionKind.CALLOUT, SectionKind.AVOID, SectionKind.EVIDENCE}
# Words that mark safety advice, whatever its editor says it is about: whom to ring, when to stop, what can go wrong.
NUMBER_TO_RING = re.compile(r"\b(?:999|111|116 123|0\d{2,4} ?\d{3})\b")
WHEN_TO_STOP = re.compile(r"\bstop(?= if\b| when\b| and\b|[.,:;!?]|\s*\Z)", re.IGNORECASE)
HARMS = re.compile(r"\brisks?\b|\bharms?\b|\bside effects?\b|\bsafe(?:ty|ly)?\b|\bgo wrong\b", re.IGNORECASE)
WRITTEN_IN = {"my-week"}  # drawings to write on, which on paper are as wide as their column
EXERCISE = "exercise-"  # the start of the slugs of drawings whose words say what to do


def leaflet(sheet: FactSheet, *, large_print: bool = False) -> bytes:
    """The tagged PDF (PDF/UA-1) of a sheet's leaflet, kept while content, day and clinic are the same (factsheets/page_cache.py).

    Nothing of `sheet` but its key is read. Raises PdfError, SafetyAdviceMissing and FactSheet.DoesNotExist.
    """
    make = partial(compiled_leaflet, sheet, large_print=large_print)
    return page_cache.made(f"leaflet of {sheet.pk}{', large' * large_print}", make)


def leaflet_for_mail(sheet: FactSheet) -> bytes:
    """The leaflet in base64, in lines that end with CRLF (RFC 2045, 6.8). Cached like `leaflet`, and raises the same."""
    make = partial(_in_lines, sheet)
    return page_cache.made(f"leaflet of {sheet.pk}, for mails", make)


def _in_lines(sheet: FactSheet) -> bytes:
    return base64.encodebytes(leaflet(sheet)).replace(b"\n", b"\r\n")


def whole(sheet: FactSheet, *, large_print: bool = False) -> bytes:
    """The same for the whole sheet, including what is folded on the page. Raises the same as `leaflet`."""
    make = partial(compiled, sheet, large_print=large_print)
    return page_cache.made(f"pdf of {sheet.pk}{', large' * large_print}", make)


def compiled_leaflet(sheet: FactSheet, *, large_print: bool = False) -> bytes:
    """Makes it without the cache. Each process works out once what fits, and again if the sheet's words change (`pdf.leaflet_pdf`).

    That takes 7 to 20 printings for our own sheets, with and without some of the parts, or about a second of one processor.
    """
    data = full(_as_it_is(sheet.pk))
    return leaflet_pdf(
        _leaflet(data, large_print=large_print),
        clinic=letterhead(),
        safety=data["safety"],
        address=data["address"],
        help_address=f"{settings.BASE_URL}{reverse('factsheets:get_help_now')}",
        large_print=large_print,
    )


def compiled(sheet: FactSheet, *, large_print: bool = False) -> bytes:
    """Makes it without the cache, in about half a second of one processor."""
    data = full(_as_it_is(sheet.pk))
    return sheet_pdf(
        _document(data, Layer),
        clinic=letterhead(),
        safety=data["safety"],
        address=data["address"],
        large_print=large_print,
    )


def letterhead() -> dict:
    """The clinic's details, with the pixels of its logo."""
    details = clinic.details()
    if logo := details["logo"]:
        details["logo"] = logo | {"data": pictures.jpeg(logo["digest"])}
    return details


def _as_it_is(pk: int) -> FactSheet:
    """Reads it after the token, because the caller may have read it before an edit."""
    return FactSheet.everything.select_related("topic", "reviewed_by__team_member").get(pk=pk)


def _document(data: dict, layers) -> dict:
    chapters = [chapter for layer in layers for chapter in _chapters(data, layer)]
    lead = data["lead_figure"]
    return {
        **data,
        "in_short": (data["in_short"] or {}).get("content", []),
        "lead_figure": _figure(lead) if lead else None,
        "key_points": [point["content"] for point in data["key_points"]],
        "sections": [_section(section) for chapter in chapters for section in chapter],
    }


def _chapters(data: dict, layer: str) -> Iterator[list[dict]]:
    """The sections of each chapter, with its question as the heading of a section without words before them."""
    sections = {section["slug"]: section for section in data["sections"]}
    for chapter in data["layers"][layer]:
        inside = [sections[slug] for slug in chapter["sections"]]
        if question := inside[0]["question"]:
            empty = {"blocks": [], "html": "", "view": "neither", "label": ""}
            first = {"slug": question, "kind": "text", "heading": chapter["heading"], "level": 2, **empty}
            yield [first, *({**section, "level": 3} for section in inside)]
        else:
            yield inside


def _leaflet(data: dict, *, large_print: bool) -> dict:
    document = _document(data, [Layer.LEAFLET])
    own = data["address"].removeprefix(settings.BASE_URL)
    for section in document["sections"]:
        if (figure := section.get("figure")) and figure["is_exercise"] and section["caption"]:
            figure |= {"in_words": True, "letters": 0.0}
        for part in ("blocks", "caption"):
            section[part] = _without_pointers(section.get(part, []), own)
            if not large_print:  # at 18 points they would take up too much room
                section[part] = _with_addresses(section[part], own)
    optional = _optional(document, data, OPTIONAL_IN_LARGE if large_print else OPTIONAL)
    return document | {"optional": optional, "left_out": []}


def protects(section: dict) -> bool:
    """Whether a section of a sheet's document says whom to ring, when to stop, what to avoid or what can go wrong.

    No paper leaves it out. This depends on what the section is and says, not on the sheet.
    """
    said = plain(section["blocks"])
    return bool(
        section["aspect"] in NEEDED
        or section["kind"] in NEEDED_KINDS
        or NUMBER_TO_RING.search(said)
        or WHEN_TO_STOP.search(said)
        or WHEN_TO_STOP.search(section["heading"])
        or HARMS.search(section["heading"])
    )


def _optional(document: dict, data: dict, order: list[str]) -> list[dict]:
    """What may be left out, in this order; within a kind, the last on the paper first. Kinds that are not listed stay."""
    lead = [(LEAD_DRAWING, {"kind": DRAWING, "sections": [LEAD]})] if document["lead_figure"] else []
    drawings = [
        (_turn_of(section["figure"]), {"kind": DRAWING, "sections": [section["slug"]]})
        for section in document["sections"]
        if section.get("figure")
    ]
    again = (KEY_POINTS, {"name": "the key points", "kind": KEY_POINTS, "sections": []})
    found = [again, *lead, *reversed(drawings), *_parts(data)]
    return [part for turn in order for kind, part in found if kind == turn]


def _turn_of(figure: dict) -> str:
    if figure["written_in"]:
        return TO_FILL
    return EXERCISES if figure["is_exercise"] else DRAWING


def _parts(data: dict) -> list[tuple[str, dict]]:
    """The parts that an answer can do without: each section, and the drawings under it, last part first."""
    found: list[tuple[str, dict]] = []
    sections = {section["slug"]: section for section in data["sections"]}
    for chapter in data["layers"][Layer.LEAFLET]:
        parts: list[list[dict]] = []
        for section in (sections[slug] for slug in chapter["sections"]):
            # A drawing belongs to the text before it, but not to numbers of people.
            if said := section["kind"] == SectionKind.FIGURE and [
                part for part in parts if part[0]["kind"] != SectionKind.NUMBERS
            ]:
                said[-1].append(section)
            else:
                parts.append([section])
        for part in parts[1:]:
            if not any(map(protects, part)):
                first = part[0]
                name = f"“{first['heading']}”" if first["heading"] else f"part of “{chapter['heading']}”"
                kind = TO_FILL if _is_to_fill(first) else first["kind"]
                found.append((kind, {"name": name, "kind": kind, "sections": [section["slug"] for section in part]}))
    return found[::-1]


def _is_to_fill(section: dict) -> bool:
    """Whether its second column is empty, for readers to write in."""
    tables = [block for block in section["blocks"] if block["type"] == "table"]
    return bool(tables) and all(len(row) == 2 and not plain([row[1]]) for table in tables for row in table["rows"])


def _without_pointers(value, own: str):
    """The same without the links that only say where on the page to look ("See each step"): paper opens nothing.

    That is a link to the sheet's own page which is the last sentence of its paragraph or cell. `own` is the page's path.
    """
    if isinstance(value, dict):
        return {key: _without_pointers(each, own) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    kept: list = []
    for number, node in enumerate(value):
        if isinstance(node, dict) and node.get("type") == "link" and node["href"].startswith((own, "#")):
            before = next((_said(each) for each in reversed(kept) if each.get("type") != "cite"), "")
            after = next((_said(each) for each in value[number + 1 :] if each.get("type") != "cite"), "")
            if (not before or before.endswith((".", "?", "!"))) and not after:
                continue
        kept.append(_without_pointers(node, own))
    return kept


def _said(node: dict) -> str:
    """The words of inline content, or a stand-in for other kinds."""
    return node["text"].strip() if node.get("type") == "text" else "…"


def _with_addresses(value, own: str):
    """The same with the name of another site after what paper cannot open. A page of ours is a link on the sheet's own page."""
    if isinstance(value, dict):
        return {key: _with_addresses(each, own) for key, each in value.items()}
    if not isinstance(value, list):
        return value
    made: list = []
    for node in value:
        if not (isinstance(node, dict) and node.get("type") == "link"):
            made.append(_with_addresses(node, own))
            continue
        href = node["href"]
        if href.startswith((own, "#")):  # a link to a place on this page becomes plain words in the leaflet
            made += node["content"]
            continue
        if href.startswith("/"):
            made.append(node)
            continue
        said = f"{node['content']}"
        place = _breakable(urlsplit(href).netloc.removeprefix("www."))
        in_brackets = bool(made) and str(made[-1].get("text", "")).endswith("(")
        made.append(node)
        if place and place.replace("\u200b", "") not in said:
            made.append({"type": "text", "text": f", {place}" if in_brackets else f" ({place})"})
    return made


def _breakable(address: str) -> str:
    """The same address, with places to break the line after slashes and hyphens."""
    return re.sub(r"(?<=.)([/-])(?=.)", "\\1\u200b", address)


def _section(section: dict) -> dict:
    made = {key: value for key, value in section.items() if key != "html"}
    if section.get("figure"):
        made["figure"] = _figure(section["figure"]) | {"protects": protects(section)}
        made["caption"] = [part for block in section["blocks"] for part in block["content"]]
    if section["kind"] == "evidence":
        made["evidence"] = [
            {**statement, "source_numbers": [source["number"] for source in statement["sources"]]}
            for statement in section["evidence"]
        ]
    return made


def _figure(figure: dict) -> dict:
    figure = {**figure, "is_exercise": figure["slug"].startswith(EXERCISE)}
    if picture := figure.get("picture"):
        return {**figure, "data": pictures.jpeg(picture["digest"])}
    path = finders.find(figure["drawing"]) or ""
    return {**figure, "path": path, "letters": _letters(path), "written_in": figure["slug"] in WRITTEN_IN}


@lru_cache
def _letters(path: str) -> float:
    """The size of a drawing's smallest letters, in its own units. 0 if it has none."""
    said = Path(path).read_text() if path.endswith(".svg") and Path(path).is_file() else ""
    return min((float(size) for size in re.findall(r'font-size="([0-9.]+)"', said)), default=0)
