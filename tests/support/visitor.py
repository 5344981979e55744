"""Shared by the browser tests: a visitor who notices everything that a page must never do."""

import re
import shutil
from collections.abc import Callable
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Error, Locator, expect

# WCAG 2.0 to 2.2, levels A and AA, and axe's own best practice. Only violations are reported in full, because the long lists of
# what passes take axe longer than the search itself. Nothing is preloaded, because only the rule on autoplaying sound needs that,
# and we have no sound or film.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}
# The rules whose result the other colour scheme can change.
COLOURS = RULES | {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
AXE = Axe()
# These two rules take three quarters of axe's time, mostly on things that looked the same just before: the next line or row, or the
# same header on the next page. An element is skipped once another has passed that looks the same, with everything around it. Only
# passes are remembered; what is wrong or cannot be decided is checked each time. So is an
# element that something out of the page's flow lies over or under.
PASSED: dict[str, set[str]] = {"color-contrast": set(), "link-in-text-block": set()}
PASS_OVER = """passed => {
    const looks = new Map(), relevant = ["color", "backgroundColor", "backgroundImage", "opacity", "filter", "mixBlendMode",
        "fontSize", "fontWeight", "fontStyle", "fontFamily", "textShadow", "textDecorationLine", "textDecorationColor",
        "borderBottomWidth", "borderBottomColor", "outlineStyle", "position", "display", "visibility", "webkitTextStrokeWidth"];
    const hasWords = element => element.matches("input, select, textarea, button") ||
        [...element.childNodes].some(each => each.nodeType === Node.TEXT_NODE && each.nodeValue.trim());
    const look = element => {
        if (!looks.has(element)) {
            const style = getComputedStyle(element), root = element.getRootNode();
            const around = element.parentElement || root.host;
            const own = [element.localName, element.className, ...relevant.map(each => style[each])].join();
            const text = (around ? look(around) : "") + own;
            let one = 0xdeadbeef, two = 0x41c6ce57;  // 64 bits are enough to tell some thousand looks from each other
            for (let at = 0; at < text.length; at++) {
                one = Math.imul(one ^ text.charCodeAt(at), 2654435761);
                two = Math.imul(two ^ text.charCodeAt(at), 1597334677);
            }
            looks.set(element, (one >>> 0).toString(36) + (two >>> 0).toString(36));
        }
        return looks.get(element);
    };
    let afloat = null;
    const place = each => each.getBoundingClientRect();
    const mayLieOnAnother = element => {
        afloat ??= [...document.querySelectorAll("body *")].filter(each => {
            const style = getComputedStyle(each), moved = ["absolute", "fixed", "sticky"].includes(style.position);
            return moved || style.transform !== "none" || style.float !== "none" || parseFloat(style.top) ||
                [style.marginTop, style.marginBottom, style.marginLeft, style.marginRight].some(each => parseFloat(each) < 0);
        }).map(each => [each, place(each)]);
        const own = place(element);
        return afloat.some(([other, at]) => !element.contains(other) && !other.contains(element) &&
            at.left < own.right && own.left < at.right && at.top < own.bottom && own.top < at.bottom);
    };
    const passesOver = (known, element) => known.has(look(element)) && !mayLieOnAnother(element);
    const found = {};
    for (const [id, before] of Object.entries(passed)) {
        const known = new Set(before), rule = axe._audit.rules.find(each => each.id === id), matches = rule.matches;
        found[id] = [];
        rule.matches = function (node) {
            return hasWords(node) && !passesOver(known, node) && matches.apply(this, arguments);
        };
        for (const name of rule.any) {
            const check = axe._audit.checks[name.id || name], evaluate = check.evaluate;
            check.evaluate = function (node) {
                const result = evaluate.apply(this, arguments);
                if (result === true && !known.has(look(node))) {
                    known.add(look(node));
                    found[id].push(look(node));
                }
                return result;
            };
        }
    }
    window.axePasses = { found, forget: () => { looks.clear(); afloat = null; } };
}"""
PATIENCE = 30_000  # milliseconds: a busy machine is no failure
expect.set_options(timeout=PATIENCE)


def chromium() -> str | None:
    """The browser on this machine, if there is one."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def chromium_without_a_frame() -> str | None:
    """The browser without its window, which takes half of the processor's time; or else the whole browser."""
    return shutil.which("chromium-headless-shell") or chromium()


def reach(page, wanted: str | Locator, at_each: Callable[[], None] = lambda: None) -> None:
    """Presses Tab until it has the focus, and calls `at_each` after every press."""
    where = page.locator(wanted).first if isinstance(wanted, str) else wanted
    for _ in range(120):
        if where.and_(page.locator(":focus")).count():
            return
        page.keyboard.press("Tab")
        at_each()
    pytest.fail(f"{wanted} cannot be reached by keyboard.")


class Visitor:
    """A separate browser window, which remembers requests to other hosts, console errors and cookies."""

    def __init__(self, browser, site: str, **options):
        self.site = site
        self.context = browser.new_context(base_url=site, locale="en-GB", **options)
        self.context.set_default_timeout(PATIENCE)
        self.page = self.context.new_page()
        self.foreign: list[str] = []
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("request", self._requested)
        self.page.on("console", lambda message: message.type == "error" and self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _requested(self, request):
        self.requests.append(request.url)
        if urlsplit(request.url).netloc != urlsplit(self.site).netloc:
            self.foreign.append(request.url)

    def open(self, path: str):
        return self.page.goto(path, wait_until="load")

    def back(self):
        """Presses the browser's own button. Chromium refuses for a moment while a new page is not attached yet."""
        self.page.wait_for_load_state()
        try:
            self.page.go_back()
        except Error as error:
            if "Not attached to an active page" not in str(error):
                raise
            self.page.wait_for_timeout(300)  # milliseconds
            self.page.go_back()

    def expect_to_go_back_and_forward(self, *headings: str):
        """Goes back to the first page that led here, and forward again. Each must be a page, not a browser's error."""
        here = self.page.get_by_role("heading", level=1).inner_text()
        for heading in reversed(headings):
            self.back()
            expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)
        for heading in (*headings[1:], here):
            self.page.wait_for_load_state()
            self.page.go_forward()
            expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def last_seen(self) -> str:
        """Reports what was on the screen when a test failed, because a browser's timeout says only what was missing."""
        try:
            words = " ".join(self.page.inner_text("body", timeout=1000).split())[:1500]
        except Error as error:
            words = f"(no page: {error.message[:200]})"
        return f"The browser was at {self.page.url}: {words}\nIt complained: {self.complaints}"

    def expect_clean(self, *, cookies: bool = False, receipt: bool = False):
        """Checks that nothing asked another host or broke the content policy, and that only sending a form set cookies."""
        assert not self.foreign, f"The page asked another host: {self.foreign}"
        ours = [text for text in self.complaints if "status of 422" not in text]
        assert not ours, f"The browser complained: {ours}"
        if not cookies:
            names = {cookie["name"] for cookie in self.context.cookies()} - (
                {"sent", "draft", "visit"} if receipt else set()
            )
            assert not names, f"A public page set a cookie: {names}"

    def expect_accessible(self, rules: dict = RULES):
        heard = len(self.complaints)
        try:
            found = self._violations(rules)
        except Error as error:
            if "context was destroyed" not in str(error):
                raise
            # The page asks to be loaded again by its own address (enquiries/request_forms/journey.py).
            found = self._violations(rules)
        del self.complaints[heard:]  # axe sets styles to measure things, which our content policy refuses
        assert not found, "\n".join(
            f"{rule['id']}: {rule['help']} at {[node['target'] for node in rule['nodes']]}" for rule in found
        )

    def _violations(self, rules: dict) -> list[dict]:
        self.page.wait_for_load_state()
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE.axe_script)
            self.page.evaluate(PASS_OVER, {rule: list(looks) for rule, looks in PASSED.items()})
        found, passed = self.page.evaluate(
            "rules => { axePasses.forget(); return axe.run(rules).then(found => [found.violations, axePasses.found]) }",
            rules,
        )
        for rule, looks in passed.items():
            PASSED[rule].update(looks)
        return found

    def expect_accessible_in_both_schemes(self):
        """Checks the page as it is, in light and then dark colours, and leaves it light."""
        self.expect_accessible()
        self.page.emulate_media(color_scheme="dark")
        # Links fade between colours.
        self.page.evaluate("Promise.all(document.getAnimations().map(each => each.finished)).then(() => true)")
        self.expect_accessible(COLOURS)
        self.page.emulate_media(color_scheme="light")

    def expect_no_sideways_scrolling(self):
        wide = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"The page is {wide} px wider than the screen."


@contextmanager
def visitor(browser, site: str, **options):
    made = Visitor(browser, site, **options)
    try:
        yield made
    except Exception as error:
        error.add_note(made.last_seen())
        raise
    finally:
        made.context.close()


def expect_problem(page, message: str):
    """Checks an error as a patient meets it: announced, linked, tied to its field, with the focus where it should be."""
    expect(page).to_have_title(re.compile("^Error: "))  # once the redirect has led there
    summary = page.locator(".problem")
    assert summary.evaluate("element => element === document.activeElement"), "The error summary has no focus."
    link = summary.get_by_role("link", name=message)
    link.click()
    field = page.locator(":focus")
    described = [
        page.locator(f"#{part}").inner_text() for part in (field.get_attribute("aria-describedby") or "").split()
    ]
    if not described:
        group = field.locator("xpath=ancestor::fieldset[1]")
        described = [
            page.locator(f"#{part}").inner_text() for part in (group.get_attribute("aria-describedby") or "").split()
        ]
    assert any(message in text for text in described), f"“{message}” is not tied to its field: {described}"
