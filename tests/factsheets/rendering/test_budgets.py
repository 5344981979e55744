"""What a reader of a sheet meets on a phone of 360 by 780: the answer at once, the signs soon, and an end in sight."""

import re

import pytest

from factsheets.models import FactSheet
from tests.support.reading import SLUGS
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
PHONE = {"width": 360, "height": 780}
# In screens of the phone. A sheet is measured with everything folded.
MAX_SCREENS, MAX_ANSWER, MAX_CARD, MAX_DRAWING = 15, 0.7, 2.2, 3
MIN_OWN_PART = 0.65  # of the words that stand open on the page
MAX_NICE = 3
MEASURE = """() => {
    const box = name => { const found = document.querySelector(name); return found && found.getBoundingClientRect() };
    const words = name => [...document.querySelectorAll(name)].map(each => each.innerText).join(' ').split(/\\s+/).length;
    const drawing = [...document.querySelectorAll('main img')].find(each => each.getBoundingClientRect().height > 80);
    return {
        screens: document.documentElement.scrollHeight / innerHeight,
        answer: (box('#in-short').bottom - box('main').top) / innerHeight,
        card: (box('.care.short').bottom + scrollY) / innerHeight,
        drawing: drawing ? (drawing.getBoundingClientRect().top + scrollY) / innerHeight : 0,
        tall: (box('.lead-figure img') || { height: 0 }).height,
        own: words('.answer, .lead-figure, .points, .leaflet > .chapter:not(.screen)') / words('body'),
        wide: [...document.querySelectorAll('main *')].filter(each => each.checkVisibility() &&
            each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 80)),
        open: document.querySelectorAll('main details[open]').length,
        text: document.querySelector('main').textContent,
    };
}"""


def test_every_sheet_keeps_to_its_screens(browser, site):
    missed = []
    with visitor(browser, site, viewport=PHONE, java_script_enabled=False) as reader:
        for slug in SLUGS:
            reader.open(f"/fact-sheets/{slug}/")
            found = reader.page.evaluate(MEASURE)
            found["nice"] = len(re.findall("NICE does not recommend acupuncture", found.pop("text")))
            most = {
                "screens": MAX_SCREENS,
                "answer": MAX_ANSWER,
                "card": MAX_CARD,
                "drawing": MAX_DRAWING,
                "tall": 220,
                "nice": MAX_NICE,
                "open": 0,
            }
            missed += [
                f"{slug}: {name} {found[name]:.2f} > {limit}" for name, limit in most.items() if found[name] > limit
            ]
            missed += [f"{slug}: wider than the screen: {each}" for each in found["wide"]]
            if found["own"] < MIN_OWN_PART:
                missed.append(f"{slug}: only {found['own']:.0%} of the words are the sheet's own")
    assert not missed, "\n".join(missed)
    assert FactSheet.objects.exclude(in_short="").count() == len(SLUGS)
