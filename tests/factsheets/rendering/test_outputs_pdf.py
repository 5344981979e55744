"""Every published sheet as a whole PDF: complete, safety first, and readable by a screen reader."""

import io
import re
import time
from collections import Counter
from datetime import date
from functools import cache

import pytest
from pypdf import PdfReader

from backcare.core import clinic
from factsheets.models import FactSheet, SafetyAdvice, Section
from factsheets.rendering.document import verdict_of
from factsheets.safety import HEADINGS
from tests.support.pictures import figures_of
from tests.support.reading import SLUGS, packed
from tests.support.smtp import wait_for
from tests.support.statements import of_sheet

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once, pytest.mark.long]
every_sheet = pytest.mark.parametrize("slug", SLUGS)
LABEL = "Traditional explanation. Not a medical diagnosis."
# Headings have the serifs of the site's headings, and the text has none.
OURS = re.compile(
    r"/[A-Z]{6}\+(AtkinsonHyperlegible[A-Za-z-]*|NotoSans[A-Za-z-]*|NotoEmoji[A-Za-z-]*|DroidSans[A-Za-z-]*|TeXGyrePagella-Bold)(-Identity-H)?\Z"
)


def read(client, slug: str) -> PdfReader:
    response = client.get(f"/fact-sheets/{slug}/pdf/full/")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="{slug}-full.pdf"'
    return PdfReader(io.BytesIO(response.content), strict=True)


@cache
def published(slug: str) -> tuple[PdfReader, list[str], Counter[float]]:
    """The PDF of a sheet as the fixtures have it; made and read once for the tests of this file, as reading takes long.

    With it come the words of each page, and how many letters there are of each size in points.
    """
    from django.test import Client

    letters: Counter[float] = Counter()

    def seen(text, cm, tm, font, size):
        if text.strip() and font:
            letters[round(abs(size * tm[3] * cm[3]), 1)] += len(text.strip())

    reader = read(Client(), slug)
    return reader, [page.extract_text(visitor_text=seen) for page in reader.pages], letters


def said(slug: str) -> str:
    """All words without spaces: a line may end anywhere, and a page in the middle of a sentence."""
    sheet, pages = FactSheet.objects.get(slug=slug), published(slug)[1]
    return packed(
        "".join(FOOTER.sub("", page).removeprefix(sheet.title if at else "") for at, page in enumerate(pages))
    )


FOOTER = re.compile(r"[^\n]*·[^\n]*\s*Page \d+ of \d+\s*\Z")


@every_sheet
def test_it_holds_every_heading_in_order_every_statement_and_nice(slug):
    sheet, words = FactSheet.objects.get(slug=slug), said(slug)
    at = 0
    for heading in [sheet.title, sheet.audience, *sheet.sections.values_list("heading", flat=True)]:
        assert packed(heading) in words[at:], heading
        at = words.index(packed(heading), at)
    for statement in of_sheet(sheet.slug):
        start = words.index(packed(f"{statement.claim} {verdict_of(statement)}"))
        end = words.index("Source", start)
        assert packed(statement.nice_position) in words[start:end], statement.key
        assert packed(statement.get_grade_display() or "") in words[start:end], statement.key


@every_sheet
def test_it_says_the_emergency_on_the_first_page_and_every_tier_whole(slug):
    sheet, words = FactSheet.objects.get(slug=slug), said(slug)
    starts = [words.index(packed(heading)) for heading in HEADINGS.values()]
    assert starts == sorted(starts)
    card = packed(published(slug)[1][0]).partition(packed(HEADINGS["emergency"]))[2]
    for advice in SafetyAdvice.objects.filter(tier="emergency"):
        assert packed(advice.text.rstrip(".")) in card, f"The first page has the whole card: {advice.code}"
    first = sheet.sections.exclude(heading="").first()
    assert starts[0] < words.index("Keypoints") < words.rindex(packed(first.heading))
    for advice in SafetyAdvice.objects.all():
        start = words.index(packed(HEADINGS[advice.tier]))
        assert packed(advice.text.rstrip(".")) in words[start:], advice.code
        assert packed(advice.action.rstrip(".")) in words[start:], advice.code


@every_sheet
def test_it_labels_every_traditional_section(slug):
    traditional = Section.objects.filter(sheet__slug=slug, view="traditional").count()
    assert said(slug).count(packed(LABEL)) == traditional


@every_sheet
def test_it_prints_every_source_with_its_address_and_every_figure_in_words(slug):
    sheet, words = FactSheet.objects.get(slug=slug), said(slug)
    for reference in sheet.document["references"]:
        assert packed(reference["text"]) in words
        assert packed(reference["url"]) in words, reference["key"]
    for figure in figures_of(slug):
        assert packed(figure.long_description) in words


@every_sheet
def test_every_page_has_the_clinic_the_review_and_its_number_at_its_foot(settings, slug):
    pages = published(slug)[1]
    for number, page in enumerate(pages, start=1):
        foot = FOOTER.search(page)
        assert foot, f"No footer on page {number}"
        assert clinic.details()["name"] in foot[0]
        assert "Awaiting clinical review" in foot[0]
        assert foot[0].strip().endswith(f"Page {number} of {len(pages)}")


@every_sheet
def test_it_is_tagged_with_a_language_and_a_title_for_screen_readers(settings, slug):
    reader = published(slug)[0]
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] is True or root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert reader.metadata.title == FactSheet.objects.get(slug=slug).title
    assert reader.metadata.author == clinic.details()["name"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    kinds = set(tags(root["/StructTreeRoot"]))
    assert {"/H1", "/H2", "/P", "/L", "/LI", "/Link"} <= kinds
    assert ("/Table" in kinds) == Section.objects.filter(sheet__slug=slug, kind="table").exists() or "/Table" in kinds
    described = set(alternatives(root["/StructTreeRoot"]))
    assert {figure.alt for figure in figures_of(slug)} <= described


def nodes(node):
    """The elements of the structure tree below a node."""
    below = node.get("/K", [])
    for child in below if isinstance(below, list) else [below]:
        child = child.get_object() if hasattr(child, "get_object") else child
        if hasattr(child, "get") and "/S" in child:
            yield child
            yield from nodes(child)


def tags(root) -> list[str]:
    return [node["/S"] for node in nodes(root)]


def alternatives(root) -> list[str]:
    return [node["/Alt"] for node in nodes(root) if "/Alt" in node]


@every_sheet
def test_its_letters_are_sans_serif_embedded_and_twelve_points_tall(slug):
    reader, _, sizes = published(slug)
    for page in reader.pages:
        for name, font in page["/Resources"]["/Font"].items():
            font = font.get_object()
            assert OURS.match(font["/BaseFont"]), name
            described = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            assert {"/FontFile", "/FontFile2", "/FontFile3"} & set(described["/FontDescriptor"])
            assert "/ToUnicode" in font
    assert max(sizes, key=sizes.get) == 12.0, sizes
    small = sum(count for size, count in sizes.items() if size < 9)
    assert small < 0.05 * sum(sizes.values()), sizes


def test_a_signed_review_and_its_date_stand_at_the_foot_of_every_page(client, staff, sheet):
    sheet.reviewed_on, sheet.reviewed_by, sheet.review_due_on = date(2026, 5, 26), staff, date(2020, 5, 26)
    sheet.save()
    pages = [page.extract_text() for page in read(client, sheet.slug).pages]
    for page in pages:
        assert re.search(r"Reviewed (2026-05-26|26 May 2026)", FOOTER.search(page)[0])
    assert packed("The review of this page was due on 26 May 2020 and has not happened yet.") in packed(pages[0])


def test_the_same_sheet_gives_the_same_bytes_so_that_a_cache_can_keep_it(client, sheet):
    first = client.get(f"/fact-sheets/{sheet.slug}/pdf/full/")
    then = int(time.time())
    wait_for(lambda: int(time.time()) > then + 1, what="the next second")  # the time of making must not be in it
    second = client.get(f"/fact-sheets/{sheet.slug}/pdf/full/", headers={"If-None-Match": first["ETag"]})
    assert second.status_code == 304


def test_it_names_the_live_page_and_nothing_about_who_made_it(settings, sheet):
    reader = published(sheet.slug)[0]
    assert packed(f"{settings.BASE_URL}/fact-sheets/{sheet.slug}/") in said(sheet.slug)
    held = " ".join(map(str, reader.metadata.values())) + reader.trailer["/Root"]["/Metadata"].get_data().decode()
    for word in ("sam@", "root", "/work", "/tmp"):
        assert word not in held
