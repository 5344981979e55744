"""A fact sheet printed from the browser, on A4: the answer and the leaflet, and nothing that paper cannot do."""

import io
import re
import unicodedata
from contextlib import contextmanager

import pytest
from pypdf import PdfReader

from factsheets.models import FactSheet, Layer, SafetyAdvice
from tests.support.reading import SLUGS, packed
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
SHEET = "/fact-sheets/about-back-pain/"
A4 = (595, 842)  # points
MAX_SIDES = 4


@contextmanager
def reader_of(browser, site, **options):
    """Somebody who prints. Scripts are off: the page must do it alone."""
    with visitor(browser, site, java_script_enabled=False, **options) as reader:
        reader.page.set_default_timeout(60_000)
        yield reader


def printed(reader) -> PdfReader:
    return PdfReader(io.BytesIO(reader.page.pdf(prefer_css_page_size=True, tagged=True)))


def words(paper: PdfReader) -> list[str]:
    """The letters of each page, without its number. A font may draw two letters as one."""
    said = [unicodedata.normalize("NFKC", page.extract_text()) for page in paper.pages]
    return [packed(re.sub(r"Page \d+ of \d+", "", page)) for page in said]


def letters(text: str) -> str:
    """Without figures, because the raised numbers of sources are a little above the line, and a PDF may read them later."""
    return re.sub(r"[\d\s]", "", text)


def test_a_sheet_is_printed_as_the_leaflet_without_what_is_folded_and_what_needs_a_screen(browser, site):
    sheet = FactSheet.objects.get(slug="about-back-pain")
    with reader_of(browser, site) as reader:
        reader.open(SHEET)
        paper = printed(reader)
    pages = words(paper)
    said = "".join(pages)
    leaflet = [section for section in sheet.document["sections"] if section["layer"] == Layer.LEAFLET]
    assert len(leaflet) > 5
    for section in leaflet:
        assert packed(section["heading"]) in said
    for chapter in sheet.document["chapters"]:
        assert (packed(chapter["heading"]) in said) == (chapter["layer"] == Layer.LEAFLET), chapter["heading"]
    for reference in sheet.document["references"]:
        assert packed(reference["text"]) not in said, "The sources are a link away, and in the PDF."
    assert packed(f"{sheet.get_absolute_url()}") in said, "Paper says where the sources are."
    for sign in SafetyAdvice.objects.filter(on_compact_card=True, tier="emergency"):
        assert packed(sign.short_text) in said, sign.code
    for screen_only in (
        "Skip to the page",
        "Search this site",
        "Check your symptoms",
        "On this page",
        "Back to the text",
        "Plain text",
        "Email me this",
        "Your name",
        "Book a consultation",
        "Complaints",
        "All words in the glossary",
        "This picture in words",
    ):
        assert packed(screen_only) not in said, screen_only
    assert packed("Call 999 or go to A&E now if you have back pain and:") in pages[0]
    for page in paper.pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == A4
    last = paper.pages[-1].extract_text()
    assert f"Page {len(pages)} of {len(pages)}" in last


def test_every_sheet_takes_four_sides_at_most_and_has_room_to_write(browser, site):
    to_fill = 0
    with reader_of(browser, site) as reader:
        reader.page.emulate_media(media="print")
        for slug in SLUGS:
            reader.open(f"/fact-sheets/{slug}/")
            assert len(printed(reader).pages) <= MAX_SIDES, slug
            for cell in reader.page.locator("td:empty").all():
                size = cell.evaluate("each => [each.offsetWidth / each.parentNode.offsetWidth, each.offsetHeight]")
                assert (size[0] >= 0.45, size[1] >= 30) == (True, True), (slug, size)
                to_fill += 1
    assert to_fill


def test_no_page_ends_with_a_heading_and_no_block_is_cut_in_two(browser, site):
    with reader_of(browser, site) as reader:
        reader.open(SHEET)
        reader.page.emulate_media(media="print")
        headings = [packed(each) for each in reader.page.locator("main :is(h2, h3, caption)").all_inner_texts() if each]
        whole = [
            letters(each)
            for each in reader.page.locator(
                "main :is(.care, .points, figure:not(.lead-figure) figcaption):not(details:not([open]) *)"
            ).all_inner_texts()
        ]
        pages = words(printed(reader))
    assert len(headings) > 20
    assert len(whole) > 3
    for number, page in enumerate(pages, start=1):
        stranded = [heading for heading in headings if page.endswith(heading)]
        assert not stranded, f"Page {number} ends with a heading."
    for block in whole:
        assert any(block in letters(page) for page in pages), f"Cut in two: {block[:60]}"


def test_who_reads_in_dark_colours_prints_in_light_ones(browser, site):
    with reader_of(browser, site, color_scheme="dark") as reader:
        reader.open(SHEET)
        dark = printed(reader)
        reader.page.emulate_media(media="print")
        look = """element => { const style = getComputedStyle(element);
            return [style.color, style.backgroundColor, style.borderTopWidth, style.borderTopStyle]; }"""
        ink, paper, *_ = reader.page.locator("body").evaluate(look)
        assert brightness(ink) < 60
        assert paper == "rgba(0, 0, 0, 0)", "A background is not printed: the ink must not rely on it."
        for part in (".care.emergency", ".points", "figure:not(.lead-figure)"):
            _, _, width, style = reader.page.locator(part).first.evaluate(look)
            assert (float(width.removesuffix("px")) >= 1, style) == (True, "solid"), part
    with reader_of(browser, site) as reader:
        reader.open(SHEET)
        light = printed(reader)
    assert words(dark) == words(light)
    # The drawings are on the paper as lines and letters: the same in both, and not left out.
    assert drawn(dark) == drawn(light)


def drawn(paper: PdfReader) -> list[bytes]:
    return [page.get_contents().get_data() for page in paper.pages]


def brightness(colour: str) -> float:
    red, green, blue = map(float, re.findall(r"[\d.]+", colour)[:3])
    return 0.3 * red + 0.6 * green + 0.1 * blue


def test_other_pages_are_printed_without_navigation_and_with_the_way_to_reach_us(browser, site):
    with reader_of(browser, site) as reader:
        for path in ("/get-help-now/", "/report/sent/", "/search/?q=sciatica", "/privacy/"):
            reader.open(path)
            title = reader.page.locator("h1").inner_text()
            said = "".join(words(printed(reader)))
            assert packed(title) in said, path
            assert "textrelay" in said, path
            for screen_only in ("Skip to the page", "Search this site", "Back to the fact sheets"):
                assert packed(screen_only) not in said, (path, screen_only)
