"""Colours that a reader's system forces upon the page, for example Windows' contrast themes."""

import pytest

from tests.support.accessibility import LONGEST, patient

pytestmark = [pytest.mark.browser, pytest.mark.once]

STYLE = """element => { const style = getComputedStyle(element); return {
    border: style.borderTopStyle === 'none' ? 0 : parseFloat(style.borderTopWidth), line: style.borderTopColor,
    side: style.borderInlineStartStyle === 'none' ? 0 : parseFloat(style.borderInlineStartWidth),
    bottom: style.borderBottomColor, paper: style.backgroundColor,
    outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth), ring: style.outlineColor }; }"""
CANVAS = """() => { const probe = document.createElement('p'); probe.style.color = 'Canvas'; document.body.append(probe);
    const found = getComputedStyle(probe).color; probe.remove(); return found; }"""
BORDERED = {
    "/": [".hero", ".care.emergency", ".cards li", ".button", ".find input", ".find button"],
    LONGEST: [".care.emergency", ".points"],
    "/fact-sheets/about-back-pain/": ["figure:not(.lead-figure)"],
    "/question/": ["main input[type=text]", "textarea", "main form button"],
    "/check/1/": [".step .option", "main form button"],
}


def test_cards_buttons_fields_gauges_and_focus_stay_visible(browser, site):
    with patient(browser, site, forced_colors="active", bypass_csp=True) as met:
        page = met.page
        for path, parts in BORDERED.items():
            met.open(path)
            canvases = set()
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, forced_colors="active")
                where = f"on {path}, {scheme}"
                canvases.add(canvas := page.evaluate(CANVAS))
                for part in parts:
                    look = page.locator(part).first.evaluate(STYLE)
                    assert look["border"] >= 1, f"{part} has no border {where}"
                    assert look["line"] != canvas, f"The border of {part} has the colour of the page {where}"
                for _ in range(4):
                    page.keyboard.press("Tab")
                    look = page.locator(":focus").evaluate(STYLE)
                    assert look["outline"] >= 2, f"No focus to be seen {where}"
                    assert look["ring"] != canvas
            assert len(canvases) == 2, "The schemes are not drawn."
        met.open("/consultation/")
        page.locator("main form button").click()
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, forced_colors="active")
            assert page.locator(".problem").evaluate(STYLE)["border"] >= 1
            assert page.locator(".wrong").first.evaluate(STYLE)["side"] >= 1


def test_a_gauge_and_the_counted_dots_say_the_same_without_our_colours(browser, site):
    with patient(browser, site, forced_colors="active", bypass_csp=True) as met:
        page = met.page
        met.open(LONGEST)
        for grade, filled in (("g1", 4), ("g2", 3), ("g3", 2), ("g4", 1)):
            gauge = page.locator(f".claim.{grade} .gauge").first
            if gauge.count():
                widths = gauge.locator("i").evaluate_all(
                    "all => all.map(each => parseFloat(getComputedStyle(each).borderTopWidth))"
                )
                assert sum(width > 1.5 for width in widths) == filled, (grade, widths)
        assert page.locator(".claim .gauge").count()
        full, empty = (page.locator(f".dots {tag}").first.evaluate(STYLE) for tag in ("b", "i"))
        assert full["border"] > 2 * empty["border"] >= 1


def test_the_page_one_is_on_is_marked_in_the_menu_and_no_other(browser, site):
    with patient(browser, site, forced_colors="active", bypass_csp=True, viewport={"width": 360, "height": 640}) as met:
        met.open("/get-help-now/")
        canvas = met.page.evaluate(CANVAS)
        items = met.page.locator(".top li a")
        marked = [items.nth(i).get_attribute("aria-current") for i in range(items.count())]
        lined = [items.nth(i).evaluate(STYLE)["bottom"] != canvas for i in range(items.count())]
        assert lined == [each is not None for each in marked]
        assert lined.count(True) == 1


def test_words_that_are_hard_to_read_in_one_scheme_or_on_what_lies_under_them_are_found(browser, site):
    with patient(browser, site, bypass_csp=True) as met:
        met.open("/report/sent/")
        met.expect_accessible_in_both_schemes()
        for scheme in ("dark", "light"):
            met.open("/report/sent/")
            met.page.add_style_tag(
                content=f"@media (prefers-color-scheme: {scheme}) {{ main p {{ color: #888; background: #999 }} }}"
            )
            with pytest.raises(AssertionError, match="color-contrast"):
                met.expect_accessible_in_both_schemes()
            met.page.emulate_media(color_scheme="light")
        met.open("/report/sent/")
        under = "position: absolute; inset: 0; z-index: -1; background: #333"  # what looks the same is on it
        met.page.evaluate(
            "style => { document.body.append(Object.assign(document.createElement('div'), { style })); }", under
        )
        with pytest.raises(AssertionError, match="color-contrast"):
            met.expect_accessible()
