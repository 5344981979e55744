"""Pages and states on the smallest screen, at 400 % zoom, with a reader's own spacing and without motion."""

from contextlib import contextmanager
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from backcare.core.models import ClinicSettings
from tests.support.accessibility import (
    BROKEN,
    CLIPPED,
    CROWDED,
    LONGEST,
    MOVING,
    PAGES,
    SHAPE,
    SPACING,
    patient,
    states,
)
from tests.support.fonts import use_face

pytestmark = [pytest.mark.browser, pytest.mark.once]
# A window of 1,280 by 1,024 px at 400 % zoom.
ZOOMED = {"width": 320, "height": 256}
WIDTH_OF_A_WORD = """() => {
    const range = document.createRange();
    range.selectNodeContents(document.querySelector('.skip').firstChild);
    return range.getBoundingClientRect().width;
}"""


def test_each_page_and_state_fits_at_400_per_cent_in_a_narrow_and_a_wide_face_and_with_wide_spacing(browser, site):
    seen = []
    with patient(browser, site, viewport=ZOOMED, bypass_csp=True) as met:
        page = met.page
        for state in states(met):
            seen.append(state)
            if state.endswith("with errors") and not state.startswith("/report"):  # that one: test_report_browser.py
                met.expect_accessible_in_both_schemes()
            widths = []
            for face in ("Narrow", "Wide"):
                use_face(page, face)
                met.expect_no_sideways_scrolling()
                assert not page.evaluate(CROWDED), f"Too small to hit on {state}, {face}"
                widths.append(page.evaluate(WIDTH_OF_A_WORD))
                if face == "Narrow":
                    with letters_of(page, 32):
                        met.expect_no_sideways_scrolling()
                        assert not page.evaluate(BROKEN), f"Headings are broken inside words on {state}"
            assert widths[0] * 1.1 < widths[1], "The faces are not drawn."
            assert not page.evaluate(MOVING), f"Something moves on {state}"
            expect_shape(page.evaluate(SHAPE), state)
            page.add_style_tag(content=SPACING)
            met.expect_no_sideways_scrolling()
            assert not page.evaluate(CLIPPED), f"Words are cut off or upon each other on {state}"
    assert {"self-care", "GP", "urgent", "/check/answers/"} <= set(seen)
    assert len(seen) == len(PAGES) + 9


@contextmanager
def letters_of(page, pixels: int):
    """The default size that a reader chose in the browser: what is laid out in em and rem follows, media queries too."""
    chosen = page.context.new_cdp_session(page)
    chosen.send("Page.setFontSizes", {"fontSizes": {"standard": pixels}})
    assert page.evaluate("parseFloat(getComputedStyle(document.documentElement).fontSize)") >= pixels
    yield
    chosen.send("Page.setFontSizes", {"fontSizes": {"standard": 16}})
    chosen.detach()


def expect_shape(shape: dict, state: str) -> None:
    assert (shape["main"], shape["ones"], shape["banner"], shape["footer"]) == (1, 1, 1, 1), state
    assert shape["levels"][0] == 1, state
    assert all(after <= before + 1 for before, after in pairwise(shape["levels"])), (state, shape["levels"])
    assert not shape["nameless"], f"A landmark without a name on {state}"
    assert not shape["outside"], f"Outside of every landmark on {state}"
    assert shape["language"] == "en-GB"


def test_wide_spacing_and_small_targets_on_a_wide_screen(browser, site):
    with patient(browser, site, viewport={"width": 1280, "height": 900}, bypass_csp=True) as met:
        for path in ("/", LONGEST, "/search/?q=sciatica", "/consultation/", "/check/2/", "/get-help-now/"):
            met.open(path)
            assert not met.page.evaluate(CROWDED), f"Too small to hit on {path}"
            if path in ("/", LONGEST):  # what lies otherwise on a wide screen; the narrow one: test_every_page.py
                met.expect_accessible()
            met.page.add_style_tag(content=SPACING)
            met.expect_no_sideways_scrolling()
            assert not met.page.evaluate(CLIPPED), f"Words are cut off or upon each other on {path}"
        met.open(LONGEST)
        met.page.evaluate("document.querySelector('.leaflet .chapter:nth-of-type(3)').scrollIntoView()")
        part = met.page.locator(".leaflet .chapter:nth-of-type(3) > h2").inner_text()
        expect(met.page.locator(".contents :target-current")).to_have_text(part)
        assert met.page.locator(".contents").bounding_box()["y"] == pytest.approx(18, abs=1), "It does not come along."
        # A link to a part shows what its words belong to.
        for path, above in (
            ("/treatments/#massage", "summary:has(+ div #massage)"),
            ("/fact-sheets/about-back-pain/#serious-causes-are-rare", ".chapter:has(#serious-causes-are-rare) > h2"),
        ):
            met.open("/glossary/")
            met.open(path)
            assert met.page.locator(above).bounding_box()["y"] >= 0, f"{path} is cut at the top."


@pytest.mark.parametrize("name", ["Northumberland Musculoskeletal and Back Pain Clinic", "Back" * 10])
def test_a_clinic_with_a_long_name_keeps_its_words_whole_where_a_phone_has_room(browser, site, name):
    clinic = ClinicSettings.stored()
    clinic.name = name
    clinic.save()
    with patient(browser, site, viewport={"width": 320, "height": 700}) as met:
        for width in (320, 360, 414):
            met.page.set_viewport_size({"width": width, "height": 700})
            met.open("/get-help-now/")
            met.expect_no_sideways_scrolling()
            assert met.page.locator(".brand").inner_text().split() == name.split()
            broken = met.page.evaluate(BROKEN.replace("h1, h2, h3", ".brand"))
            assert broken == ([] if " " in name else [name]), f"{broken} at {width} px"
            brand = met.page.locator(".brand").bounding_box()
            assert brand["height"] < 90, f"{brand['height']} px high at {width} px"
