"""A sheet as a PDF: the shared data in the shape the Typst template takes."""

from datetime import date
from functools import lru_cache, partial

from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils import timezone

from backcare.core import clinic
from factsheets import page_cache, pictures
from factsheets.models import ContentVersion, FactSheet
from factsheets.pdf import Part, sheet_pdf
from factsheets.rendering.sheet import full

# Parts kept in each process: about 100 KB each, and the pictures that were uploaded for it. There are nine sheets.
MAX_PARTS = 32


def pdf(sheet: FactSheet, *, large_print: bool = False) -> bytes:
    """The tagged PDF (PDF/UA-1) of a sheet, kept while content, day and clinic are the same (factsheets/page_cache.py).

    Nothing of `sheet` but its key is read. Raises PdfError, SafetyAdviceMissing and FactSheet.DoesNotExist.
    """
    return page_cache.made(
        f"pdf of {sheet.pk}{', large' * large_print}", partial(compiled, sheet, large_print=large_print)
    )


def compiled(sheet: FactSheet, *, large_print: bool = False) -> bytes:
    """The same, made anew: about half a second of one processor. Raises as `pdf` does."""
    data = full(_as_it_is(sheet.pk))
    return sheet_pdf(
        _document(data),
        clinic=clinic.details(),
        safety=data["safety"],
        address=data["address"],
        large_print=large_print,
    )


def part(sheet: FactSheet) -> Part:
    """The sheet for a PDF that holds more than it. Nothing of `sheet` but its key is read while the content is the same.

    Raises PdfError and SafetyAdviceMissing.
    """
    token = ContentVersion.now()
    make = _part if token else _part.__wrapped__
    return make(sheet.pk, token, timezone.localdate(), settings.BASE_URL)


@lru_cache(maxsize=MAX_PARTS)
def _part(pk: int, token: str, day: date, base_url: str) -> Part:
    """A part is a pure function of the content, the day (a review may be overdue) and the address of the site."""
    data = full(_as_it_is(pk))
    return Part(_document(data), address=data["address"])


def _as_it_is(pk: int) -> FactSheet:
    """Read after the token: what the caller has in hand may have been read before an edit."""
    return FactSheet.objects.select_related("topic", "reviewed_by").get(pk=pk)


def _document(data: dict) -> dict:
    return {
        **data,
        "key_points": [point["content"] for point in data["key_points"]],
        "sections": [_section(section) for section in _with_questions(data)],
    }


def _with_questions(data: dict) -> list[dict]:
    """The sections, each question before those that answer it, as the heading of a section without words."""
    sections = {section["slug"]: section for section in data["sections"]}
    found = []
    for chapter in (each for chapters in data["layers"].values() for each in chapters):
        inside = [sections[slug] for slug in chapter["sections"]]
        if question := inside[0]["question"]:
            empty = {"blocks": [], "html": "", "view": "neither", "label": ""}
            found.append({"slug": question, "kind": "text", "heading": chapter["heading"], **empty})
            inside = [{**section, "level": 3} for section in inside]
        found += inside
    return found


def _section(section: dict) -> dict:
    made = {key: value for key, value in section.items() if key != "html"}
    if section["kind"] == "figure":
        made["figure"] = _figure(section["figure"])
        made["caption"] = [part for block in section["blocks"] for part in block["content"]]
    if section["kind"] == "evidence":
        made["evidence"] = [
            {**statement, "source_numbers": [source["number"] for source in statement["sources"]]}
            for statement in section["evidence"]
        ]
    return made


def _figure(figure: dict) -> dict:
    if picture := figure.get("picture"):
        return {**figure, "data": pictures.jpeg(picture["digest"])}
    return {**figure, "path": finders.find(figure["drawing"]) or ""}
