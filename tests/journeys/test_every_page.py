"""Every public page once in a browser: budgets of a sheet, axe, 320 pixels with a reader's own spacing, and no other host."""

import re

import pytest

from factsheets.models import FactSheet
from factsheets.readability import most_open_words
from tests.config.test_site import PAGES
from tests.support import accessibility
from tests.support.accessibility import LONGEST, SPACING, patient
from tests.support.reading import SHEET_PAGES, SLUGS

pytestmark = [pytest.mark.browser, pytest.mark.once]
PHONE = {"width": 360, "height": 780}
NARROW = {"width": 320, "height": 640}  # 320 pixels are what is left of 1,280 at 400 % zoom (WCAG 2.2, 1.4.10)
# A step of the symptom check that needs an earlier one leads back to its start. States of forms have tests of their own.
OTHERS = [path for path in PAGES if not re.match(r"/check/.", path) and path not in SHEET_PAGES] + ["/nothing-here/"]
# Each kind of part in the dark too, where only colours differ. The longest sheet is unfolded for it.
BOTH_SCHEMES = {
    "/",
    "/fact-sheets/",
    LONGEST,
    "/treatments/",
    "/get-help-now/",
    "/consultation/sent/",
    "/glossary/",
    "/about/",
}

# What a reader of a sheet meets on the phone: the answer at once, the signs soon, and an end in sight.
# In screens of the phone. A sheet is measured with everything folded.
MAX_SCREENS, MAX_ANSWER, MAX_CARD, MAX_DRAWING, MAX_LEAFLET = 15, 0.7, 2.2, 3, 2
MAX_WHAT_TO_EXPECT = 3  # the table on the sheet about acupuncture: which people read before they book
MIN_OWN_PART = 0.65  # of the words that are unfolded on the page
MAX_NICE = 3  # sentences, in any words, in what is unfolded: readers skip what is said more often
# Words around the leaflet’s own that count in the browser: captions to open, what the bars mean.
FURNITURE = 56  # words
NICE_SAYS_NO = re.compile(r"NICE\b[^.\n]*\b(?:not|no(?! bars)|against|never)\b|\bnot advised by NICE", re.IGNORECASE)
MEASURE = """() => {
    const box = name => { const found = document.querySelector(name); return found && found.getBoundingClientRect() };
    const words = name => [...document.querySelectorAll(name)].map(each => each.innerText).join(' ').split(/\\s+/).length;
    const drawing = [...document.querySelectorAll('main img')].find(each => each.getBoundingClientRect().height > 80);
    return {
        screens: document.documentElement.scrollHeight / innerHeight,
        answer: (box('#in-short').bottom - box('main').top) / innerHeight,
        card: (box('.care.short').bottom + scrollY) / innerHeight,
        drawing: drawing ? (drawing.getBoundingClientRect().top + scrollY) / innerHeight : 0,
        offered: (box('main a[href$="/pdf/"]').bottom + scrollY) / innerHeight,
        expect: box('#what-to-expect table') ? (box('#what-to-expect table').top + scrollY) / innerHeight : 0,
        tall: Math.floor((box('.lead-figure img') || { height: 0 }).height), // its width is written in whole pixels
        own: words('.answer, .lead-figure, .points, .leaflet > .chapter:not(.screen)') / words('body'),
        wide: [...document.querySelectorAll('main *')].filter(each => each.checkVisibility() &&
            each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80)),
        open: document.querySelectorAll('main details[open]').length,
        text: document.querySelector('main').textContent,
        shown: [...document.querySelectorAll('.answer, .lead-figure, .points, .leaflet > .chapter:not(.folded, .screen)')]
            .filter(each => !each.querySelector('#our-interest')).map(each => each.innerText).join('\\n'),
        leaflet: [...document.querySelectorAll('.leaflet > .chapter:not(.folded, .screen)')]
            .filter(each => !each.querySelector('#our-interest')).map(each => each.innerText).join('\\n'),
        prices: (document.querySelector('#prices + ul') || { innerText: '' }).innerText,
    };
}"""
CUT_OFF = """() => [...document.querySelectorAll("body *")].filter(each => {
  const style = getComputedStyle(each);
  const hides = /hidden|clip/.test(style.overflowX + style.overflowY) && !each.matches(".away, .away *");
  return hides && (each.scrollWidth > each.clientWidth + 1 || each.scrollHeight > each.clientHeight + 1);
}).map(each => each.outerHTML.slice(0, 80))"""


def beyond_its_budget(met) -> list[str]:
    found = met.page.evaluate(MEASURE)
    found["nice"] = len(re.findall("NICE does not recommend acupuncture", found.pop("text")))
    found["nice in any words"] = len(NICE_SAYS_NO.findall(found.pop("shown")))
    leaflet, prices = (
        sum(any(map(str.isalnum, each)) for each in found.pop(part).split()) for part in ("leaflet", "prices")
    )
    found["words of the leaflet"] = leaflet - prices  # which are the clinic's
    most = {
        "screens": MAX_SCREENS,
        "answer": MAX_ANSWER,
        "card": MAX_CARD,
        "drawing": MAX_DRAWING,
        "offered": MAX_LEAFLET,
        "expect": MAX_WHAT_TO_EXPECT,
        "tall": 220,
        "nice": MAX_NICE,
        "nice in any words": MAX_NICE,
        "words of the leaflet": most_open_words(met.page.url.rstrip("/").rpartition("/")[2]) + FURNITURE,
        "open": 0,
    }
    over = [f"{name} {found[name]:.2f} > {limit}" for name, limit in most.items() if found[name] > limit]
    over += [f"wider than the screen: {each}" for each in found["wide"]]
    if found["own"] < MIN_OWN_PART:
        over.append(f"only {found['own']:.0%} of the words are the sheet's own")
    return over


@pytest.mark.parametrize("paths", [SHEET_PAGES, OTHERS], ids=["sheets", "other pages"])
def test_every_page_keeps_to_its_budget_is_accessible_fits_a_small_screen_and_asks_no_other_host(
    browser, site, paths, subtests
):
    assert FactSheet.objects.published().exclude(in_short="").count() == len(SLUGS)
    # The style of a reader is the browser's own, which no content policy stops.
    with patient(browser, site, viewport=PHONE, bypass_csp=True) as met:
        for path in paths:
            with subtests.test(path=path):
                look_at(met, path)
        met.complaints = [text for text in met.complaints if "404" not in text]
        met.expect_clean()
        assert len(met.requests) > len(paths)


def look_at(met, path: str) -> None:
    met.page.set_viewport_size(PHONE)
    met.open(path)
    if path in SHEET_PAGES:
        low = "all => all.filter(each => each.checkVisibility() && each.clientHeight < 24).length"
        assert not met.page.locator("td:empty").evaluate_all(low), "There is no room to write in a table."
        for scheme in ("dark", "light"):
            met.page.emulate_media(color_scheme=scheme)
            assert not beyond_its_budget(met), scheme
    # Lazy figures too: all the way down before counting what was fetched.
    met.page.keyboard.press("End")
    if path == LONGEST:
        met.page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    if path in BOTH_SCHEMES:
        met.expect_accessible_in_both_schemes()
    else:
        met.expect_accessible()
    met.expect_no_sideways_scrolling()
    met.page.set_viewport_size(NARROW)
    met.expect_no_sideways_scrolling()
    if path not in accessibility.PAGES:  # those are tried so by test_access_layout.py
        met.page.add_style_tag(content=SPACING)
        met.expect_no_sideways_scrolling()
        assert met.page.evaluate(CUT_OFF) == []
