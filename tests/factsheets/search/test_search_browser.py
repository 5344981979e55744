"""Search as somebody meets it: by keyboard, on a phone, in the dark, without scripts."""

import pytest
from playwright.sync_api import expect

from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
WIDE = {"viewport": {"width": 1280, "height": 720}}
PHONE = {"viewport": {"width": 360, "height": 740}}
# With figures, so that none of them is counted as a miss after the test is over.
NOTHING = "/search/?q=xyzzyq 1"
LONG = f"/search/?q={'long' * 100} 1"


# Each kind of answer in one look at least.
LOOKS = [
    (WIDE, "light", ["/search/?q=acupuncture", "/search/?q=can't pee"]),
    (PHONE, "light", ["/search/", "/search/?q=siatika", "/search/?q=i want to die", LONG]),
    (WIDE, "dark", [NOTHING, "/search/?q=pain&page=2"]),
    (PHONE, "dark", ["/search/?q=can't pee", "/search/?q=mattress osteoperosis"]),
]


def test_every_page_of_search_is_accessible_and_asks_nobody_else(browser, site):
    with visitor(browser, site) as reader:
        for size, scheme, pages in LOOKS:
            reader.page.set_viewport_size(size["viewport"])
            reader.page.emulate_media(color_scheme=scheme)
            for path in pages:
                reader.open(path)
                reader.expect_accessible()
                reader.expect_no_sideways_scrolling()
        reader.expect_clean()


def test_somebody_with_a_keyboard_searches_and_lands_in_the_section(browser, site):
    with visitor(browser, site, java_script_enabled=False) as reader:
        reader.open("/glossary/")
        for _ in range(3):  # skip link, the clinic's name, the box
            reader.page.keyboard.press("Tab")
        reader.page.keyboard.type("matresses")
        reader.page.keyboard.press("Enter")
        reader.page.wait_for_url("**/search/?q=matresses")
        assert reader.page.locator("main input[name=q]").input_value() == "matresses"
        assert reader.page.locator("mark").first.inner_text().lower().startswith("mattress")
        reader.page.get_by_role("link", name="In bed").first.click()
        reader.page.wait_for_url("**/fact-sheets/posture-and-lifting/#try-in-bed")
        expect(reader.page.locator("#try-in-bed")).to_be_visible()
        reader.expect_clean()


def test_a_page_opened_from_the_results_does_not_learn_what_was_typed(browser, site):
    with visitor(browser, site) as reader:
        sent = []
        reader.page.on("request", lambda request: sent.append(request.all_headers().get("referer", "")))
        reader.open("/search/?q=sciatica")
        del sent[:]
        reader.page.locator(".hits a").first.click()
        reader.page.wait_for_load_state("load")
        assert sent
        assert not [referrer for referrer in sent if "q=" in referrer]
        assert reader.page.evaluate("document.referrer") == ""


def test_the_emergency_card_is_on_the_first_screen_of_a_phone(browser, site):
    with visitor(browser, site, **PHONE) as reader:
        reader.open("/search/?q=can't pee")
        top = reader.page.get_by_role("heading", name="Call 999 or go to A&E now").first.bounding_box()
        assert top["y"] < PHONE["viewport"]["height"]
