"""Makes any typed text printable with our PDF fonts.

Typst refuses to make a PDF/UA-1 file (ISO 14289-1, 7.21.8) when a single character has no glyph, so text is made
printable before it gets there: nothing a patient, an author or a paste buffer holds may stop a sheet from printing.
"""

import re
import unicodedata
from functools import lru_cache
from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parent / "fonts"
# White square, shown for a character that none of our fonts has. It is in Noto Sans Symbols2.
REPLACEMENT = "□"
# Zero-width joiner and non-joiner, without which Persian, Indic scripts and emoji are misspelt.
JOINERS = {"\u200c", "\u200d"}
# No orthography needs more marks on one letter. More ("Zalgo") would print over the lines above and below.
MARKS_PER_LETTER = 4
# A run without a space that is longer than this many characters gets places to break, or it would leave the page.
# The longest English word on our sheets has 19. Web addresses are counted between their punctuation marks.
MAX_RUN = 40
BREAK_EVERY = 10
# Keys whose values the template uses and nobody reads. Breaks would change them; they are ASCII already.
NOT_WORDS = {"target", "file", "qr"}
RUN = re.compile(rf"\S{{{MAX_RUN},}}")
ADDRESS_PART = re.compile(rf"\w{{{MAX_RUN},}}")
# Only the text fonts and the replacement, for when Typst refuses a mixture that the rules below allowed.
PLAIN_FONTS = ("Atkinson", "NotoSans-", "NotoSansSymbols2")


@lru_cache(maxsize=2)
def coverage(plain: bool = False) -> dict[int, int]:
    """Code point to a bit set of the font families that show it. Read once for each process, in about 0.3 seconds."""
    found: dict[int, int] = {}
    bits: dict[str, int] = {}
    for path in sorted(FONTS.glob("*.ttf")):
        if plain and not path.name.startswith(PLAIN_FONTS):
            continue
        # The four styles of a family share a bit. If a style lacks a character, the next family is used.
        bit = bits.setdefault(re.split(r"[-_]", path.name)[0], 1 << len(bits))
        with TTFont(path, lazy=True) as font:
            for point in font.getBestCmap():
                found[point] = found.get(point, 0) | bit
    return found


def printable(value, *, plain: bool = False):
    """The same data (text, lists, dicts) with every text made printable. `plain` keeps Latin, Greek and Cyrillic only."""
    if isinstance(value, str):
        return printable_text(value, plain=plain)
    if isinstance(value, dict):
        return {key: each if key in NOT_WORDS else printable(each, plain=plain) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [printable(each, plain=plain) for each in value]
    return value


def printable_text(text: str, *, plain: bool = False) -> str:
    """`text` on one line, without control characters and direction overrides. What no font has becomes a square."""
    if not (text.isascii() and text.isprintable()):
        text = _covered(unicodedata.normalize("NFC", text), coverage(plain), plain)
    return RUN.sub(_breakable, text)


def _covered(text: str, fonts: dict[int, int], plain: bool) -> str:
    out: list[str] = []
    shared = 0  # the fonts that can show the whole letter so far, marks included
    marks = 0
    for character in text:
        kind = unicodedata.category(character)
        if character in "\n\r\t" or kind in ("Zl", "Zp", "Zs"):
            # Spaces of a special width are kept where a font has them.
            known = kind == "Zs" and ord(character) in fonts
            out.append(character if known else " ")
            shared = 0
        elif kind in ("Mn", "Mc", "Me") or character in JOINERS:
            # A letter and its marks must be in the same font. A mark from another, or without a letter, cannot be shown.
            together = shared & fonts.get(ord(character), 0)
            if together and marks < MARKS_PER_LETTER and not (plain and character in JOINERS):
                out.append(character)
                shared, marks = together, marks + 1
        elif kind in ("Cc", "Cf"):
            # Includes the direction overrides (U+202A to U+202E, U+2066 to U+2069), with which text can lie about itself.
            continue
        else:
            shared, marks = fonts.get(ord(character), 0), 0
            # A font's own private-use glyphs mean nothing to a reader or to a screen reader.
            out.append(character if shared and kind not in ("Co", "Cs", "Cn") else REPLACEMENT)
    return "".join(out)


def _breakable(run: re.Match) -> str:
    text = run.group()
    if "://" in text:
        # Typst itself breaks addresses at their punctuation. A zero-width space would be copied with the address.
        return ADDRESS_PART.sub(lambda part: _cut(part.group()), text)
    # From U+2E80 on are East Asian scripts, which break between any two characters.
    return _cut(text) if text[0] < "\u2e80" else text


def _cut(text: str) -> str:
    out = []
    for index, character in enumerate(text):
        whole = unicodedata.category(character)[0] != "M" and character not in JOINERS
        if index and index % BREAK_EVERY == 0 and whole and text[index - 1] not in JOINERS:
            out.append("\u200b")
        out.append(character)
    return "".join(out)
