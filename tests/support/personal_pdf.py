"""Shared by the tests of the personal report: people with each outcome, their reports, and a way to read the pages."""

import io

import pytest
from pypdf import PdfReader

from enquiries.assessment.flags import flags
from enquiries.assessment.printed import personal_pdf
from enquiries.assessment.result import played_back, shown
from factsheets.models import FactSheet
from factsheets.rendering.sheet import address
from tests.support.assessment import answers
from tests.support.reading import packed

NAME = "Óscar Zażółć 王小明"
USUAL = {
    "age": "45_54",
    "duration": "1_to_3",
    "triggers": ["sitting", "lifting"],
    "tried": ["painkillers", "heat_cold"],
    "limits": "some",
    "tell": ["none"],
}
GP = {"checked": "worse", "reach": "past_knee", "duration": "3_to_6", "triggers": ["sitting"], "tried": ["painkillers"]}
ORDINARY = {
    "self-care": USUAL,
    "see a GP": GP,
    "urgent": {"urgent": ["RF-U4"]},
    "under 18": {"age": "under_18"},
}
every_outcome = pytest.mark.parametrize("outcome", ORDINARY)


def made(given: dict, *, name: str = NAME, sheets=(), large_print: bool = False) -> bytes:
    known = flags()
    by_slug = {sheet.slug: sheet for sheet in FactSheet.objects.published()}
    named = [{"title": by_slug[slug].title, "address": address(by_slug[slug])} for slug in sheets]
    return personal_pdf(
        shown(answers(**given), known),
        name=name,
        answers=played_back(answers(**given), known),
        sheets=named,
        large_print=large_print,
    )


def read(content: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(content), strict=True)


def words(page) -> str:
    return packed(page.extract_text())


def sizes(page) -> dict[float, int]:
    """The number of letters on the page in each size, in points."""
    found = {}

    def seen(text, cm, tm, font, size):
        if text.strip() and font:
            points = round(abs(size * tm[3] * cm[3]), 1)
            found[points] = found.get(points, 0) + len(text.strip())

    page.extract_text(visitor_text=seen)
    return found
