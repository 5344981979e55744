"""Every colour that a clinic may choose keeps words readable on every ground of the style sheet, in both schemes."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from backcare.core.palette import DEFAULT, PALETTE, sheet_of

CSS = Path(settings.BASE_DIR, "static", "css")


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(first: str, second: str) -> float:
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


def variables() -> tuple[dict[str, str], dict[str, str]]:
    """Of the light and the dark scheme."""
    light, dark, *_ = re.findall(r":root \{(.*?)\}", Path(CSS, "site.css").read_text(), re.DOTALL)
    first, second = (dict(re.findall(r"--(\w+(?:-\w+)*): (#\w{6})", part)) for part in (light, dark))
    return first, second


def test_contrast_is_measured_as_wcag_does():
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#FFFFFF", "#767676") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("name", PALETTE)
def test_words_stand_out_from_every_ground_in_both_schemes(name):
    colours, schemes = PALETTE[name], variables()
    of_scheme = [
        {"pine": colours.strong, "sage": colours.tint, "mist": colours.mist},
        {"pine": colours.dark_strong, "sage": colours.dark_tint, "mist": colours.dark_mist},
    ]
    for known, changed in zip(schemes, of_scheme, strict=True):
        now = known | changed
        grounds = [now[each] for each in ("paper", "card", "sage", "mist", "sand", "dune", "blush", "petal")]
        for ground in grounds:
            assert contrast(now["pine"], ground) >= 4.5, (name, ground)
        for ground in (now["sage"], now["mist"]):
            for words in (now["ink"], now["quiet"], now["red"]):
                assert contrast(words, ground) >= 4.5, (name, words, ground)
    light = schemes[0]
    for words, ground in (("#FFFFFF", colours.strong), (light["on-deep"], colours.strong)):
        assert contrast(words, ground) >= 4.5
    assert contrast("#14201F", colours.dark_strong) >= 4.5


@pytest.mark.parametrize("name", PALETTE)
def test_words_stand_out_on_the_desk_in_both_schemes(name):
    css = Path(CSS, "desk.css").read_text()
    own = re.findall(r'(?::root|html\[data-theme="light"\]) \{(.*?)\}', css, re.DOTALL)[:2]
    for part, changed in zip(own, PALETTE[name].desk, strict=True):
        known = dict(re.findall(r"--([\w-]+): (#\w{3,6})\b", part))
        assert set(changed) == set(PALETTE[name].desk[0]) <= set(known), "The desk knows it, in both schemes."
        now = {"header-color": "#FFFFFF", "breadcrumbs-link-fg": "#FFFFFF"} | known
        now = {
            each: value if len(value) == 7 else "#" + "".join(2 * x for x in value[1:]) for each, value in now.items()
        }
        now |= changed
        for words, grounds in {
            "link-fg": ("body-bg", "darkened-bg", "selected-bg", "selected-row"),
            "link-hover-color": ("body-bg", "darkened-bg", "selected-bg"),
            "body-fg": ("selected-bg",),
            "body-quiet-color": ("selected-bg",),
            "header-color": ("header-bg", "primary", "secondary", "button-bg", "button-hover-bg"),
            "breadcrumbs-fg": ("breadcrumbs-bg",),
            "breadcrumbs-link-fg": ("breadcrumbs-bg",),
            "accent": ("header-bg", "primary"),
        }.items():
            for ground in grounds:
                assert contrast(now[words], now[ground]) >= 4.5, (name, words, ground)


def test_each_colour_but_the_sites_own_has_its_style_sheet():
    for kind in ("colour", "desk"):
        kept = {each.name for each in CSS.glob(f"{kind}-*.css")}
        assert kept == {Path(sheet_of(name, kind=kind)).name for name in PALETTE if name != DEFAULT}
    for name, colours in PALETTE.items():
        if name != DEFAULT:
            assert Path(CSS, f"colour-{name}.css").read_text() == colours.stylesheet
            assert Path(CSS, f"desk-{name}.css").read_text() == colours.desk_stylesheet
    light, dark = variables()
    own = PALETTE[DEFAULT]
    assert (light["pine"], light["sage"], light["mist"]) == (own.strong, own.tint, own.mist)
    assert (dark["pine"], dark["sage"], dark["mist"]) == (own.dark_strong, own.dark_tint, own.dark_mist)
