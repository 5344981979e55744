"""The keyboard alone: every stop can be seen, none is a trap, and each journey reaches its end, with scripts off."""

import re

import pytest
from playwright.sync_api import expect

from enquiries.models import Enquiry
from tests.support.accessibility import LAST, LONGEST, SENDS, patient, results
from tests.support.visitor import reach

pytestmark = [pytest.mark.browser, pytest.mark.once]

# The element with the focus: which one it is, whether its ring stands out, and whether anything covers it.
STOP = """() => {
    const each = document.activeElement;
    if (!each || each === document.body || each === document.documentElement) return null;
    const numbers = colour => colour.match(/[\\d.]+/g).map(Number);
    const clear = colour => numbers(colour).length > 3 && numbers(colour)[3] === 0;
    let box = each.parentElement;
    while (box.parentElement && clear(getComputedStyle(box).backgroundColor)) box = box.parentElement;
    const light = colour => {
        const [r, g, b] = numbers(colour).slice(0, 3).map(c => c / 255)
            .map(c => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4);
        return .2126 * r + .7152 * g + .0722 * b + .05;
    };
    const style = getComputedStyle(each);
    const page = clear(getComputedStyle(box).backgroundColor) ? 'rgb(251, 247, 240)' : getComputedStyle(box).backgroundColor;
    const [ring, ground] = [light(style.outlineColor), light(page)];
    const rects = [...each.getClientRects()].filter(rect => rect.width && rect.height);
    // In part is enough (WCAG 2.4.11): of a high box of text a browser brings the line with the cursor into sight.
    const parts = [.2, .5, .8];
    const seen = rects.some(rect => parts.some(across => parts.some(down => {
        const there = document.elementFromPoint(rect.x + rect.width * across, rect.y + rect.height * down);
        return there && each.contains(there);
    })));
    if (!each.dataset.stop) each.dataset.stop = document.querySelectorAll('[data-stop]').length + 1;
    return {
        name: `${each.tagName} ${(each.innerText || each.name || each.id).slice(0, 40)}`, stop: +each.dataset.stop, seen,
        width: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
        contrast: Math.max(ring, ground) / Math.min(ring, ground),
        typed: each.matches('a[href], button, input, select, textarea, summary, [tabindex]'),
    };
}"""
# How many stops there are: of each group of radios the keyboard meets one.
STOPS = """() => {
    const groups = new Set();
    return [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
        .filter(each => each.checkVisibility() && each.tabIndex >= 0 && !each.disabled)
        .filter(each => each.type !== 'radio' || (!groups.has(each.name) && groups.add(each.name))).length;
}"""


def expect_to_be_seen(stop: dict | None) -> dict:
    assert stop, "The focus is nowhere."
    assert stop["typed"], stop
    assert stop["width"] >= 2, f"No ring around {stop}"
    assert stop["contrast"] >= 3, f"A ring too faint around {stop}"
    assert stop["seen"], f"Something lies over {stop}, or it is not on the screen."
    return stop


def expect_a_way_through(met) -> int:
    """From the top of the page to its end with Tab: every control in the order of the page, and out again."""
    stops = met.page.evaluate(STOPS)
    for number in range(1, stops + 1):
        met.page.keyboard.press("Tab")
        stop = expect_to_be_seen(met.page.evaluate(STOP))
        assert stop["stop"] == number, f"{stop['name']} comes again: a trap, or {number} of {stops} out of order."
    met.page.keyboard.press("Tab")
    after = met.page.evaluate(STOP)
    assert after is None or after["stop"] == 1, f"After the last stop: {after}"
    return stops


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_tab_leads_through_every_page_with_the_focus_in_sight(browser, site, scheme):
    """The stops of one scheme are those of the other: the dark one walks for its rings, past each kind of control."""
    paths = ["/", "/consultation/"]
    if scheme == "light":
        paths += ["/check/3/", "/check/result/", "/search/?q=can't pee", "/get-help-now/"]
        paths += ["/fact-sheets/manual-therapy-for-back-pain/"]
    with patient(browser, site, color_scheme=scheme, viewport={"width": 360, "height": 740}) as met:
        if scheme == "light":
            for outcome in results(met):
                if outcome == "self-care":
                    break
        for path in paths:
            met.open(path)
            assert expect_a_way_through(met) > 15, path
        met.open("/consultation/")
        met.page.locator("main form button").click()
        met.page.wait_for_selector(".problem:focus")
        assert len(expect_stops(met, 8)) == 8


def expect_stops(met, count: int) -> list[dict]:
    found = []
    for _ in range(count):
        met.page.keyboard.press("Tab")
        found.append(expect_to_be_seen(met.page.evaluate(STOP)))
    return found


def test_the_skip_link_appears_when_it_has_the_focus_and_skips(browser, site):
    with patient(browser, site, java_script_enabled=False) as met:
        for path in ("/", LONGEST, "/report/"):
            met.open(path)
            met.page.keyboard.press("Tab")
            stop = expect_to_be_seen(met.page.evaluate(STOP))
            assert stop["name"].endswith("Skip to the page")
            met.page.keyboard.press("Enter")
            met.page.keyboard.press("Tab")
            expect_to_be_seen(met.page.evaluate(STOP))
            assert met.page.locator("main :focus").count() == 1, "The next stop is not on the page proper."
        met.open(LONGEST)
        for _ in range(2):
            met.page.keyboard.press("Tab")
        stop = expect_to_be_seen(met.page.evaluate(STOP))
        assert stop["name"].endswith("Skip to: email me this, or book")
        met.page.keyboard.press("Enter")
        for form in ("Email me this sheet", "Book a consultation"):
            met.page.keyboard.press("Tab")
            assert expect_to_be_seen(met.page.evaluate(STOP))["name"] == f"SUMMARY {form}"


def test_a_words_meaning_over_the_page_never_hides_the_focus(browser, site):
    for size in ({"width": 1280, "height": 900}, {"width": 320, "height": 480}):
        with patient(browser, site, java_script_enabled=False, viewport=size) as met:
            met.open("/fact-sheets/acupuncture-for-back-pain/")
            word = met.page.locator(".term:not(details *)").first
            for _ in range(90):
                met.page.keyboard.press("Tab")
                if word.and_(met.page.locator(":focus")).count():
                    break
            met.page.keyboard.press("Enter")
            expect(met.page.locator(".words > :target")).to_be_visible()
            met.page.keyboard.press("Tab")
            assert met.page.locator(".words > :target :focus").count() == 1, "The next stop is the way back."
            met.page.keyboard.press("Enter")
            expect_stops(met, 6)


class Keys:
    """Somebody who has only Tab, Space, Enter and letters, and looks where the focus is at every press."""

    def __init__(self, met):
        self.met, self.page = met, met.page

    def reach(self, selector: str) -> None:
        reach(self.page, selector, at_each=lambda: expect_to_be_seen(self.page.evaluate(STOP)))

    def press(self, selector: str, arrives: str) -> None:
        self.reach(selector)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(re.compile(arrives))

    def type(self, form: str, **values: str) -> None:
        for name, words in values.items():
            self.reach(f"main [name={form}-{name}]")
            self.page.keyboard.press("ControlOrMeta+A")
            self.page.keyboard.type(words)


@pytest.fixture
def keys(browser, site):
    with patient(browser, site, java_script_enabled=False, viewport={"width": 360, "height": 740}) as met:
        yield Keys(met)
        met.expect_clean(receipt=True)


def test_from_the_first_page_to_a_sheet_in_the_post(keys):
    keys.met.open("/")
    keys.reach(".menu summary")
    keys.page.keyboard.press("Enter")
    keys.press(".top a[href='/fact-sheets/']", "/fact-sheets/$")
    keys.press("main a[href='/fact-sheets/manual-therapy-for-back-pain/']", "manual-therapy-for-back-pain/$")
    keys.reach("main summary:text('Email me this sheet')")
    keys.page.keyboard.press("Enter")
    keys.type("report", name="Ada Example", email="ada@example.com")
    keys.press(f"#report button >> text={SENDS['report']}", "/report/sent/$")
    assert keys.page.locator("h1").inner_text() == "Check your email"
    assert Enquiry.objects.get().sheet.slug == "manual-therapy-for-back-pain"


def test_a_consultation_with_a_mistake_that_the_keyboard_puts_right(keys):
    keys.met.open("/consultation/")
    keys.reach("main [name=consultation-for_whom]")
    keys.page.keyboard.press("Space")
    keys.press(f"main button >> text={SENDS['consultation']}", "/consultation/contact/$")
    keys.type("consultation", name="Ada Example")
    keys.reach("main [name=consultation-contact_by][value=email]")
    keys.page.keyboard.press("Space")
    keys.type("consultation", email="ada@example")
    keys.reach(f"main button >> text={SENDS['consultation']}")
    keys.page.keyboard.press("Enter")
    keys.page.wait_for_selector(".problem:focus")
    keys.reach(".problem a")
    keys.page.keyboard.press("Enter")
    # A link to a field leads to the field: the next letters go into it.
    assert keys.page.locator("[name=consultation-email]:focus").count() == 1
    keys.type("consultation", email="ada@example.com")
    keys.press(f"main button >> text={SENDS['consultation']}", "/consultation/back/$")
    keys.type("consultation", description="Since Tuesday my bottom is numb.")
    keys.press(f"main button >> text={SENDS['consultation']}", "/consultation/please-read/$")
    keys.press("main button >> text=Go on anyway", "/consultation/help/$")
    keys.press(f"main button >> text={SENDS['consultation']}", "/consultation/check/$")
    expect(keys.page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    keys.press(f"main button >> text={LAST['consultation']}", "/consultation/sent/")
    assert (Enquiry.objects.get().by_email, Enquiry.objects.get().safety_signs) == (True, "RF-E1")


def test_a_question_with_a_mistake_that_the_keyboard_puts_right(keys):
    keys.met.open("/question/")
    keys.type("question", name="Ada Example", email="ada@example.com")
    keys.reach("main form button")
    keys.page.keyboard.press("Enter")
    keys.page.wait_for_selector(".problem:focus")
    keys.reach(".problem a")
    keys.page.keyboard.press("Enter")
    keys.page.keyboard.type("Is swimming all right?")
    keys.press("main form button >> text=Continue", "/question/check/$")
    expect(keys.page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    keys.met.expect_to_go_back_and_forward("Ask a question", "Ask a question")
    keys.page.emulate_media(media="print")
    for on_paper in (keys.page.get_by_text("Is swimming all right?"), keys.page.locator(".strip")):
        expect(on_paper).to_be_visible()
    expect(keys.page.locator("button:visible")).to_have_count(0)
    keys.page.emulate_media(media="screen")
    keys.press(f"main button >> text={LAST['question']}", "/question/sent/")
    assert Enquiry.objects.get().kind == "question"
