"""A fact sheet printed from the browser, on A4: everything that was folded is open, and nothing is there that paper cannot do."""

import io
import re
import unicodedata
from contextlib import contextmanager

import pytest
from pypdf import PdfReader

from factsheets.models import FactSheet, SafetyAdvice
from factsheets.rendering.pages import pages as pages_of
from factsheets.rendering.pages import whole
from tests.support.reading import everything, packed
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
SHEET = everything("about-back-pain")
A4 = (595, 842)  # points


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
    """Without figures: the raised numbers of sources stand a little above the line, and a PDF may read them later."""
    return re.sub(r"[\d\s]", "", text)


@pytest.mark.parametrize("which", ["everything", "the last page"])
def test_a_sheet_is_printed_whole_with_everything_open_and_without_what_needs_a_screen(browser, site, which):
    sheet = FactSheet.objects.get(slug="about-back-pain")
    wanted = whole(sheet) if which == "everything" else pages_of(sheet)[-1]
    with reader_of(browser, site) as reader:
        reader.open(wanted.path)
        # The cards of signs have a button, which no paper has: each sign is looked for below.
        folded = reader.page.locator("details:not([open]):not(:has(.care))").evaluate_all(
            "all => all.map(each => each.textContent)"
        )
        paper = printed(reader)
    pages = words(paper)
    said = "".join(pages)
    assert len(folded) >= 3
    for text in folded:
        assert letters(text) in letters(said), "A folded text is not on paper."
    assert len(wanted.sections) > 10
    for section in wanted.sections:
        assert packed(section["heading"]) in said
        if section["kind"] == "figure":
            assert packed(section["figure"]["long_description"]) in said
    assert len(wanted.references) > 15
    for reference in wanted.references:
        assert packed(reference["url"]) in said, reference["key"]
        assert packed(f"{reference['number']}. {reference['text']}")[:40] in said, "Its number is that of the citation."
    for advice in SafetyAdvice.objects.all():
        assert packed(advice.text) in said, advice.code
    for screen_only in (
        "Skip to the page",
        "Search this site",
        "Check your symptoms",
        "On this page",
        "Back to the text",
        "Keep or share this",
        "Email me this",
        "Back: page",
        "Your name",
        "Request a consultation",
        "Complaints",
        "All words in the glossary",
    ):
        assert packed(screen_only) not in said, screen_only
    assert packed("Call 999 or go to A&E now if you have back pain and:") in pages[0]
    if wanted.is_first:
        assert said.index("Call999") < said.index("Keypoints"), "The emergency card comes first."
    for page in paper.pages:
        assert (round(page.mediabox.width), round(page.mediabox.height)) == A4
    last = paper.pages[-1].extract_text()
    assert f"Page {len(pages)} of {len(pages)}" in last


def test_no_page_ends_with_a_heading_and_no_block_is_cut_in_two(browser, site):
    with reader_of(browser, site) as reader:
        reader.open(SHEET)
        reader.page.emulate_media(media="print")
        headings = [packed(each) for each in reader.page.locator("main :is(h2, h3, caption)").all_inner_texts() if each]
        whole = [
            letters(each) for each in reader.page.locator("main :is(.care, .points, figcaption)").all_inner_texts()
        ]
        pages = words(printed(reader))
    assert len(headings) > 20
    assert len(whole) > 6
    for number, page in enumerate(pages, start=1):
        stranded = [heading for heading in headings if page.endswith(heading)]
        assert not stranded, f"Page {number} ends with a heading."
    for block in whole:
        assert any(block in letters(page) for page in pages), f"Cut in two: {block[:60]}"


def test_who_reads_in_dark_colours_prints_in_light_ones_with_light_figures(browser, site):
    with reader_of(browser, site, color_scheme="dark") as reader:
        reader.open(SHEET)
        for figure in reader.page.locator("figure").all():
            figure.scroll_into_view_if_needed()  # now every dark drawing is at hand
        shown = reader.page.locator("figure img:visible").evaluate_all("all => all.map(each => each.currentSrc)")
        assert shown
        assert all(".dark." in each for each in shown)
        dark = printed(reader)
        reader.page.emulate_media(media="print")
        look = """element => { const style = getComputedStyle(element);
            return [style.color, style.backgroundColor, style.borderTopWidth, style.borderTopStyle]; }"""
        ink, paper, *_ = reader.page.locator("body").evaluate(look)
        assert brightness(ink) < 60
        assert paper == "rgba(0, 0, 0, 0)", "A background is not printed: the ink must not rely on it."
        for part in (".care.emergency", ".care.urgent", ".points", "figure"):
            _, _, width, style = reader.page.locator(part).first.evaluate(look)
            assert (float(width.removesuffix("px")) >= 1, style) == (True, "solid"), part
        on_paper = reader.page.locator("figure img:visible").evaluate_all("all => all.map(each => each.src)")
        assert len(on_paper) == len(shown)
        assert not [each for each in on_paper if ".dark." in each]
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


@pytest.mark.parametrize("path", ["/get-help-now/", "/report/sent/", "/search/?q=sciatica", "/privacy/"])
def test_other_pages_are_printed_without_navigation_and_with_the_way_to_reach_us(browser, site, path):
    with reader_of(browser, site) as reader:
        reader.open(path)
        title = reader.page.locator("h1").inner_text()
        said = "".join(words(printed(reader)))
    assert packed(title) in said
    assert "textrelay" in said
    for screen_only in ("Skip to the page", "Search this site", "Back to the fact sheets"):
        assert packed(screen_only) not in said
