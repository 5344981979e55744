"""A sheet as a PDF: the shared data in the shape the Typst template takes."""

from django.conf import settings
from django.contrib.staticfiles import finders

from factsheets import pictures
from factsheets.models import FactSheet
from factsheets.pdf import sheet_pdf
from factsheets.rendering.sheet import full


def pdf(sheet: FactSheet, *, large_print: bool = False) -> bytes:
    """The tagged PDF (PDF/UA-1) of a sheet. Raises PdfError and SafetyAdviceMissing."""
    data = full(sheet)
    document = {
        **data,
        "key_points": [point["content"] for point in data["key_points"]],
        "sections": [_section(section) for section in data["sections"]],
    }
    return sheet_pdf(
        document,
        clinic=settings.CLINIC,
        safety=data["safety"],
        address=data["address"],
        large_print=large_print,
    )


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
