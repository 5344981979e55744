"""Shared by the accessibility tests: the pages and states that people meet, and questions that a browser answers about them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import expect

from tests.enquiries.assessment.test_assessment_browser import choose
from tests.support.assessment import answer_unseen
from tests.support.visitor import Visitor, visitor

# The longest sheet, with every part that a sheet can have.
LONGEST = "/fact-sheets/tests-and-treatments/"
# With a figure, so that it does not count as a failed search once the test is over.
PAGES = [
    "/",
    "/fact-sheets/",
    LONGEST,
    "/fact-sheets/about-back-pain/#word-disc",
    "/search/?q=sciatica",
    "/search/?q=xyzzyq 1",
    "/search/?q=can't pee",
    "/glossary/",
    "/treatments/",
    "/get-help-now/",
    "/consultation/",
    "/report/sent/",
    "/check/",
    "/check/1/",
    "/check/stop/",
    "/privacy/",
    "/accessibility/",
    "/nothing-here/",
]
LONG = "x" * 119
# WCAG 1.4.12, as a reader's own style sheet sets it.
SPACING = """
* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; }
p { margin-block-end: 2em !important; }
"""
AN_ERROR = re.compile("^Error: ")
SENDS = {"report": "Send me the fact sheet", "consultation": "Continue", "question": "Continue"}
LAST = {"consultation": "Send my request", "question": "Send my question"}


@contextmanager
def patient(browser, site, **options) -> Iterator[Visitor]:
    """A visitor who waits long, as the tests share the machine, and wants no motion, as smooth scrolling lags behind the keys."""
    with visitor(browser, site, **{"reduced_motion": "reduce"} | options) as made:
        made.context.set_default_timeout(60_000)
        yield made


def states(met: Visitor) -> Iterator[str]:
    """Takes the visitor through each different page and state, and yields its name."""
    page = met.page
    for path in PAGES:
        met.open(path)
        yield path
    menu = page.locator(".menu summary")
    if menu.is_visible():  # on a phone
        menu.click()
        yield "the menu, open"
    for kind in ("report", "consultation", "question"):
        met.open(f"/{kind}/")
        if kind == "consultation":
            page.get_by_label("Me", exact=True).check()
            page.get_by_role("button", name="Continue").click()
        page.get_by_label("Email address").fill(LONG)
        page.locator("main form button").first.click()
        expect(page).to_have_title(AN_ERROR)
        page.wait_for_load_state()
        yield f"/{kind}/ with errors"
    met.open("/check/1/")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title(AN_ERROR)
    page.wait_for_load_state()
    yield "/check/1/ with an error"
    yield from results(met)


def results(met: Visitor) -> Iterator[str]:
    """The result of the check, its answers, and back to a question for each of the two graver outcomes."""
    page = met.page
    answer_unseen(met)
    yield "self-care"
    met.open("/check/answers/")
    yield "/check/answers/"
    for number, given, outcome in ((3, {"age": "60_plus", "first": "yes"}, "GP"), (2, {"urgent": ["RF-U4"]}, "urgent")):
        met.open(f"/check/{number}/")
        if "urgent" in given:
            page.uncheck("[name=urgent][value=none]")
        choose(page, number, **given)
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="See what we suggest").click()
        page.wait_for_url("**/check/result/")
        yield outcome


# Every visible control that a person can press, tick or type into.
CONTROLS = """[...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')]
    .filter(each => each.checkVisibility() && !each.closest('.away, .skip'))"""

# Targets under 24 by 24 px, outside sentences, that have a neighbour within the circle of WCAG 2.5.8.
CROWDED = f"""() => {{
    const controls = {CONTROLS};
    const inSentence = each => {{
        if (each.tagName !== 'A' || getComputedStyle(each).display !== 'inline') return false;
        const around = each.closest('p, li, dd, td, th, h3, span:not([class])') || each.parentElement;
        return around.textContent.replace(each.textContent, '').replace(/[\\s·,›‹]/g, '') !== '';
    }};
    // A card can be pressed anywhere, and a tick box by its label too, but the box alone must be large enough.
    const boxes = controls.map(each => (each.matches('.cards a') ? each.closest('li') : each).getBoundingClientRect());
    const small = box => box.width < 24 || box.height < 24;
    const middle = box => [box.x + box.width / 2, box.y + box.height / 2];
    return controls.filter((each, i) => {{
        if (!small(boxes[i]) || inSentence(each)) return false;
        const [x, y] = middle(boxes[i]);
        return boxes.some((other, j) => {{
            if (i === j) return false;
            const [ox, oy] = middle(other);
            const away = Math.hypot(Math.max(other.left - x, 0, x - other.right), Math.max(other.top - y, 0, y - other.bottom));
            return away < 12 || (small(other) && Math.hypot(ox - x, oy - y) < 24);
        }});
    }}).map(each => `${{each.tagName}} ${{each.className}} “${{(each.innerText || each.name).slice(0, 40)}}”`);
}}"""

# Words in headings that are broken over two lines.
BROKEN = """() => [...document.querySelectorAll('h1, h2, h3')].filter(each => each.checkVisibility()).flatMap(heading => {
    const walker = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT), broken = [], range = document.createRange();
    while (walker.nextNode())
        for (const word of walker.currentNode.data.matchAll(/[\\p{L}’]+/gu)) {
            range.setStart(walker.currentNode, word.index);
            range.setEnd(walker.currentNode, word.index + word[0].length);
            if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) broken.push(word[0]);
        }
    return broken;
})"""

# Parts whose words are cut off, and words that overlap those of a neighbour.
CLIPPED = """() => {
    const said = [...document.querySelectorAll('body *')].filter(each =>
        each.checkVisibility() && !each.closest('.away, .skip, .find label') &&
        [...each.childNodes].some(node => node.nodeType === 3 && node.data.trim()));
    const cut = said.filter(each => {
        for (let box = each; box; box = box.parentElement) {
            const style = getComputedStyle(box);
            if (['hidden', 'clip'].includes(style.overflowY) || style.textOverflow === 'ellipsis')
                if (box.scrollHeight > box.clientHeight + 1 || box.scrollWidth > box.clientWidth + 1) return true;
        }
        return false;
    });
    const blocks = [...document.querySelectorAll('main :is(p, li, label, legend, button, .button, dt, dd), h1, h2, h3')]
        .filter(each => each.checkVisibility() && each.innerText.trim() && !each.closest('.away, .find, :target') &&
            !each.querySelector('p, li, h1, h2, h3, label, dt, dd, button, .button'));
    const boxes = blocks.map(each => each.getBoundingClientRect());
    const upon = (one, other) =>
        Math.min(one.right, other.right) - Math.max(one.left, other.left) > 3 &&
        Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top) > 3;
    const over = blocks.filter((each, i) => boxes.some((box, j) => j > i && !each.contains(blocks[j]) && upon(boxes[i], box)));
    return [...cut, ...over].map(each => `${each.tagName} ${each.className} “${each.innerText.slice(0, 40)}”`);
}"""

# What moves, or would move, on the page.
MOVING = """() => [
    ...document.getAnimations().map(each => each.constructor.name),
    ...(getComputedStyle(document.documentElement).scrollBehavior === 'smooth' ? ['smooth scrolling'] : []),
    ...[...document.querySelectorAll('*')].filter(each => {
        const style = getComputedStyle(each);
        return style.animationName !== 'none' || !/^0s(, 0s)*$/.test(style.transitionDuration);
    }).map(each => each.tagName),
]"""

# The page's landmarks and headings, as assistive technology finds them. An error summary comes before everything else, even
# before a question that is the heading of its page.
SHAPE = """() => ({
    main: document.querySelectorAll('main').length,
    ones: document.querySelectorAll('h1').length,
    levels: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].filter(each =>
        each.checkVisibility() && !each.closest('.problem')).map(each => +each.tagName[1]),
    banner: document.querySelectorAll('body > header').length,
    footer: document.querySelectorAll('body > footer').length,
    nameless: [...document.querySelectorAll('nav, aside, section[aria-labelledby], [role=region]')].filter(each =>
        !each.getAttribute('aria-label') &&
        !document.getElementById(each.getAttribute('aria-labelledby'))?.textContent.trim()).length,
    outside: [...document.querySelectorAll('body > *')].filter(each =>
        !each.matches('a.skip, header, nav, main, aside, footer, script')).map(each => each.outerHTML.slice(0, 80)),
    language: document.documentElement.lang,
})"""
