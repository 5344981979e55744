"""What one search is answered with: red flags first, then results, or the nearest words, or help."""

import unicodedata
from dataclasses import dataclass

from factsheets.search import redflags
from factsheets.search.query import Found, find
from factsheets.search.redflags import Reading
from factsheets.search.snippets import Hit, hits
from factsheets.search.suggestions import suggest
from factsheets.search.text import plain, readable, words

ON_A_PAGE = 10
SHOWN = 60  # characters of the search in titles and sentences
MAX_MENDED = 4  # unknown words of one search for which a near one is looked up


@dataclass
class Answer:
    typed: str  # as it stands in the box
    shown: str  # the same, short enough for a sentence
    reading: Reading
    found: Found
    near: str = ""  # the search with its unknown words put right
    is_near: bool = False  # the results are those of `near`
    hits: list[Hit] = ()
    page: int = 1

    @property
    def count(self) -> int:
        return len(self.found.entries)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // ON_A_PAGE))

    @property
    def first(self) -> int:
        """The place of the page's first result among all."""
        return (self.page - 1) * ON_A_PAGE + 1

    @property
    def searched(self) -> str:
        return self.near_shown if self.is_near else self.shown

    @property
    def near_shown(self) -> str:
        return short(self.near)

    @property
    def count_in_words(self) -> str:
        if self.found.there_are_more and self.count:
            return f"At least {self.count} results"
        return {0: "No results", 1: "1 result"}.get(self.count, f"{self.count} results")

    @property
    def is_in_another_script(self) -> bool:
        """Mostly letters that are not Latin: the page says that it is in English."""
        letters = [letter for letter in self.typed if letter.isalpha()]
        latin = [letter for letter in letters if "LATIN" in unicodedata.name(letter, "")]
        return len(letters) > 2 * len(latin)

    @property
    def has_words(self) -> bool:
        return any(letter.isalnum() for letter in self.typed)

    @property
    def quotes_acupuncture(self) -> bool:
        """Then NICE's position must stand beside it, whatever part of a sentence is quoted."""
        shown = " ".join(f"{hit.title} {place.heading} {place.quote}" for hit in self.hits for place in hit.places)
        return any(word in plain(shown) for word in ("acupunct", "needl"))


def answer(typed: str, page: int = 1) -> Answer:
    """Everything the page of a search shows. Any text is answered; `page` counts from 1 and may be anything."""
    typed = readable(typed)
    given = Answer(typed, short(typed), redflags.read(typed), find(typed))
    # To “I want to die” the answer is not “did you mean diet”.
    near = "" if given.reading.crisis else _near(typed, given.found)
    if near and not given.found.entries:
        there = find(near)
        if there.entries:
            given.found, given.is_near = there, True
        else:
            near = ""
    given.near = near
    given.page = min(max(page, 1), given.pages)
    given.hits = hits(given.found, given.first - 1, given.page * ON_A_PAGE)
    return given


def _near(typed: str, found: Found) -> str:
    """What was typed, with near words of ours in place of those that stand nowhere. Empty when there are none."""
    unknown = {word for concept in found.missing for word in concept.typed}
    parts, place, mended = [], 0, 0
    for word in words(typed):
        if word.folded in unknown and mended < MAX_MENDED:
            mended += 1
            if other := suggest(word.folded):
                parts += [typed[place : word.start], other]
                place = word.end
    return "".join([*parts, typed[place:]]) if parts else ""


def short(typed: str) -> str:
    return typed if len(typed) <= SHOWN else f"{typed[: SHOWN - 1].rstrip()}…"
