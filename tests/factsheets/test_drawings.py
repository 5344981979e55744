"""Our drawings: one for every figure, in our nine colours, and nothing in them that could run or call home."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.factsheets.test_fixtures import NEVER, SHEETS, entries, shared

FOLDER = Path(__file__).resolve().parents[2] / "static"
DRAWINGS = sorted((FOLDER / "figures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan"}
ATTRIBUTES = {
    "viewBox",
    "width",
    "height",
    "role",
    "fill",
    "stroke",
    "stroke-width",
    "stroke-linecap",
    "stroke-linejoin",
} | {
    "stroke-dasharray",
    "fill-opacity",
    "font-family",
    "font-size",
    "font-weight",
    "text-anchor",
    "transform",
    "d",
    "x",
    "y",
    "x1",
    "y1",
    "x2",
    "y2",
    "cx",
    "cy",
    "r",
    "rx",
    "ry",
    "points",
    "dx",
    "dy",
}
COLOURS = {"#22302F", "#1F5A54", "#CFE3DA", "#EAD9BE", "#B4532A", "#F3D3C2", "#D9A441", "#FFFFFF", "#9B1C1C", "none"}
# On a phone of 360 pixels: how wide a figure is, how high the one at the top of a sheet, and the smallest letters
# that are read there without effort.
SHOWN, TALL, LETTERS = 282, 220, 13
every_drawing = pytest.mark.parametrize("path", DRAWINGS, ids=[path.name for path in DRAWINGS])


def test_every_figure_has_its_drawing_and_every_drawing_its_figure():
    named = {figure["drawing"] for figure in shared("figure")}
    there = {f"figures/{path.name}" for path in DRAWINGS}
    assert named == there
    assert len(there) >= 20


def test_a_drawing_holds_only_shapes_and_words_in_our_colours(subtests):
    for path in DRAWINGS:
        with subtests.test(path=path):
            said = path.read_text(encoding="utf-8")
            root = ElementTree.fromstring(said)  # noqa: S314 - our own file
            for node in root.iter():
                assert node.tag.startswith(SVG)
                assert node.tag.removeprefix(SVG) in ELEMENTS
                assert set(node.attrib) <= ATTRIBUTES, set(node.attrib) - ATTRIBUTES
                for name in ("fill", "stroke"):
                    assert node.get(name, "none").upper().replace("NONE", "none") in COLOURS
                assert node.get("font-family", "sans-serif").endswith("sans-serif")
            for word in ("style", "script", "href", "url(", "@import", "<!ENTITY", "<!DOCTYPE", "data:", "on="):
                assert word not in said.lower().replace("http://www.w3.org/2000/svg", "")
            for text in root.iter(f"{SVG}text"):
                assert not re.search(rf"\b({NEVER})\b", "".join(text.itertext()), re.IGNORECASE)


def test_a_drawing_has_the_size_its_figure_says_and_letters_that_can_be_read(subtests):
    for path in DRAWINGS:
        with subtests.test(path=path):
            root = ElementTree.parse(path).getroot()  # noqa: S314 - our own file
            [figure] = [each for each in shared("figure") if each["drawing"] == f"figures/{path.name}"]
            assert root.get("viewBox") == f"0 0 {figure['width']} {figure['height']}"
            assert (root.get("width"), root.get("height")) == (str(figure["width"]), str(figure["height"]))
            sizes = [float(node.get("font-size")) for node in root.iter() if node.get("font-size")]
            scale = SHOWN / figure["width"]
            if [figure["slug"]] in [entries(slug, "factsheet")[0].get("lead_figure") for slug in SHEETS]:
                scale = min(scale, TALL / figure["height"])
            assert all(size * scale >= LETTERS for size in sizes), sizes


def test_every_label_in_a_drawing_is_in_its_words_too():
    """Somebody who cannot see the drawing learns every number that it shows."""
    for figure in shared("figure"):
        root = ElementTree.parse(FOLDER / figure["drawing"]).getroot()  # noqa: S314 - our own file
        labels = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
        if "axis from 0 to" in figure["long_description"]:
            labels = [label for label in labels if not label.isdigit()]  # the marks along the axis
        drawn = " ".join(labels)
        told = f"{figure['title']} {figure['alt']} {figure['long_description']}".replace("zero", "0")
        missing = set(re.findall(r"\d+(?:\.\d+)?", drawn)) - set(re.findall(r"\d+(?:\.\d+)?", told))
        assert not missing, f"{figure['slug']}: {missing}"


def test_the_text_alternative_is_one_sentence_and_the_long_one_two_to_five():
    for figure in shared("figure"):
        assert figure["alt"].endswith(".")
        assert len(re.findall(r"[.!?](?:\s|\Z)", figure["alt"])) == 1, figure["slug"]
        assert 2 <= len(re.findall(r"[.!?](?:\s|\Z)", figure["long_description"])) <= 6, figure["slug"]


def test_the_pictures_of_the_site_itself_are_as_harmless():
    for path in sorted([*(FOLDER / "img").glob("*.svg"), *(FOLDER / "people").glob("*.svg")]):
        said = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "").lower()
        for word in ("<style", "<script", "href", "url(", "http", "on="):
            assert word not in said, path.name
