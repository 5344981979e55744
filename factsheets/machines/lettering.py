"""Setting a title in a box: any script that our fonts have, broken into lines, as large as it fits, and never outside."""

import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from fontTools.ttLib import TTFont
from PIL import ImageDraw, ImageFont, features

from factsheets.glyphs import FONTS, JOINERS, printable_text

BOLD, ITALIC, REGULAR = (
    f"AtkinsonHyperlegible_{style}.ttf" for style in ("700Bold", "400Regular_Italic", "400Regular")
)
OURS = {BOLD, ITALIC, REGULAR}
LINE = 1.18  # of the size
# Titles come from a field of 120 characters. Whatever else is drawn is cut to this, so that nothing takes long.
MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Fitted:
    """A text as it fits: its size in pixels, and its lines."""

    size: int
    lines: list[str]

    @property
    def height(self) -> int:
        return round(len(self.lines) * self.size * LINE)


def fit(text: str, *, font: str, width: int, height: int, sizes: range, most_lines: int) -> Fitted:
    """The text in the largest of the `sizes` (pixels, largest first) that fits. At the smallest, what is too much is cut off."""
    pieces = _pieces(cleaned(text))

    def too_large(size: int) -> bool:
        made = Fitted(size, _lines(pieces, font, size, width))
        return len(made.lines) > most_lines or made.height > height

    size = sizes[min(bisect_left(sizes, True, key=lambda size: not too_large(size)), len(sizes) - 1)]
    lines = _lines(pieces, font, size, width)
    if not too_large(size):
        return Fitted(size, _balanced(pieces, font, size, width, len(lines)))
    kept = lines[: max(1, min(most_lines, int(height / (size * LINE))))]
    last = kept[-1]
    while last and measured(f"{last}…", font, size) > width:
        last = last[:-1]
    return Fitted(size, [*kept[:-1], f"{last.rstrip()}…"])


def cleaned(text: str) -> str:
    """What our fonts can show of it, in one line and without the breaks that only a PDF needs."""
    return printable_text(text[:MOST_CHARACTERS]).replace("\u200b", "")


def draw(image: ImageDraw.ImageDraw, at: tuple[int, int], text: str, *, font: str, size: int, fill: str) -> None:
    """One line of text; `at` is the left end of its baseline in pixels."""
    x, y = at
    for name, run in _runs(text, font):
        face = _face(name, size)
        image.text((x, y), run, font=face, fill=fill, anchor="ls")
        x += face.getlength(run)


@lru_cache(maxsize=4096)
def measured(text: str, font: str, size: int) -> float:
    """The width of a line in pixels."""
    return sum(_face(name, size).getlength(run) for name, run in _runs(text, font))


def _lines(pieces: list[str], font: str, size: int, width: float) -> list[str]:
    lines, used = [""], 0.0
    for piece in _narrow_enough(pieces, font, size, width):
        whole = measured(piece, font, size)
        if lines[-1] and used + measured(piece.rstrip(), font, size) > width:
            lines.append("")
            used = 0.0
        lines[-1] += piece
        used += whole
    return [line.strip() for line in lines if line.strip()] or [""]


def _narrow_enough(pieces: list[str], font: str, size: int, width: float) -> Iterator[str]:
    """The pieces; one that is wider than a line by itself comes in several."""
    for piece in pieces:
        if measured(piece.rstrip(), font, size) <= width:
            yield piece
            continue
        part = ""
        for letter in _letters(piece):
            if part and measured(part + letter, font, size) > width:
                yield part
                part = ""
            part += letter
        yield part


def _balanced(pieces: list[str], font: str, size: int, width: int, count: int) -> list[str]:
    """The same number of lines, as even as they get: a last line of one short word looks forgotten."""
    narrow, wide = width // count, width
    while wide - narrow > size // 4:
        middle = (narrow + wide) // 2
        if len(_lines(pieces, font, size, middle)) <= count:
            wide = middle
        else:
            narrow = middle
    return _lines(pieces, font, size, wide)


def _pieces(text: str) -> list[str]:
    """Where a line may break: after spaces and hyphens, and between any two letters of East Asian scripts."""
    pieces = [""]
    for letter in _letters(text):
        wide = unicodedata.east_asian_width(letter[0]) in "WF"
        if pieces[-1] and (wide or pieces[-1][-1] in " -–—" or unicodedata.east_asian_width(pieces[-1][-1]) in "WF"):
            pieces.append("")
        pieces[-1] += letter
    return pieces


def _letters(text: str) -> list[str]:
    """Letters with the marks and joiners that belong to them."""
    letters: list[str] = []
    for character in text:
        joined = letters and (letters[-1][-1] in JOINERS or character in JOINERS)
        if letters and (joined or unicodedata.category(character)[0] == "M"):
            letters[-1] += character
        else:
            letters.append(character)
    return letters


def _runs(text: str, font: str) -> list[tuple[str, str]]:
    """The text in pieces of one font each, in the order in which they are drawn."""
    first = next((kind for each in text if (kind := unicodedata.bidirectional(each)) in {"L", "R", "AL"}), "L")
    runs: list[tuple[str, str]] = []
    for letter in _letters(text):
        # From right to left the words of a line are set together, with their spaces.
        keep = runs and letter == " " and first != "L" and _has(runs[-1][0], " ")
        name = runs[-1][0] if keep else _font_for(letter, font)
        if runs and runs[-1][0] == name:
            runs[-1] = (name, runs[-1][1] + letter)
        else:
            runs.append((name, letter))
    return runs if first == "L" else runs[::-1]


def _font_for(letter: str, first: str) -> str:
    for name in [first, *_other_fonts()]:
        if all(_has(name, each) for each in letter):
            return name
    return first


@lru_cache(maxsize=1)
def _other_fonts() -> list[str]:
    # Noto Sans first: it has the Latin, Greek and Cyrillic letters that Atkinson lacks.
    names = sorted(path.name for path in FONTS.glob("*.ttf") if path.name not in OURS)
    return sorted(names, key=lambda name: (name != "NotoSans-Regular.ttf", name.startswith("Droid")))


def _has(name: str, character: str) -> bool:
    return ord(character) in _characters(name)


@lru_cache(maxsize=32)
def _characters(name: str) -> frozenset[int]:
    with TTFont(FONTS / name, lazy=True) as font:
        return frozenset(font.getBestCmap())


@lru_cache(maxsize=64)
def _face(name: str, size: int) -> ImageFont.FreeTypeFont:
    # Our own font is set the simple way everywhere, so that a card has the same bytes on every machine. Other scripts are
    # joined and ordered by Raqm, where the machine has what it needs.
    simple = name in OURS or not features.check("raqm")
    engine = ImageFont.Layout.BASIC if simple else ImageFont.Layout.RAQM
    return ImageFont.truetype(str(FONTS / name), size, layout_engine=engine)
