"""The response to one search: red flags first, then the answer and more results, or the nearest words, or help."""

import unicodedata
from dataclasses import dataclass
from itertools import zip_longest

from factsheets.search import redflags
from factsheets.search.index import current
from factsheets.search.indexing import SHEET
from factsheets.search.query import Found, find
from factsheets.search.redflags import Reading
from factsheets.search.snippets import Hit, address, hits
from factsheets.search.suggestions import suggest
from factsheets.search.text import plain, readable, words

ON_A_PAGE = 10
SHOWN = 60  # characters of the search in titles and sentences
ASKS = """
    am are can could did do does has have how is may shall should was were what when where which who why will would
"""
DOUBTFUL = 0.6  # below this, an unknown word may be a mistake
BETTER = 0.1  # by how much the results must improve for it to be one
MAX_MENDED = 4  # unknown words of one search for which it looks for near ones


@dataclass
class Related:
    """A question that others ask, and where it is answered."""

    question: str
    address: str


@dataclass
class Answer:
    typed: str  # as in the box
    shown: str  # the same, short enough for a sentence
    reading: Reading
    found: Found
    near: str = ""  # the search with its unknown words corrected
    is_near: bool = False  # the results are those of `near`
    hits: list[Hit] = ()
    related: list[Related] = ()
    page: int = 1

    @property
    def count(self) -> int:
        return len(self.found.entries)

    @property
    def pages(self) -> int:
        return max(1, -(-self.count // ON_A_PAGE))

    @property
    def first(self) -> int:
        """The position of the page's first result among all."""
        return (self.page - 1) * ON_A_PAGE + 1

    @property
    def searched(self) -> str:
        return self.near_shown if self.is_near else self.shown

    @property
    def near_shown(self) -> str:
        return short(self.near)

    @property
    def count_in_words(self) -> str:
        return {0: "No results", 1: "1 result"}.get(self.count, f"{self.count} results")

    @property
    def is_in_another_script(self) -> bool:
        """Mostly non-Latin letters, so the page says that it is in English."""
        letters = [letter for letter in self.typed if letter.isalpha()]
        latin = [letter for letter in letters if "LATIN" in unicodedata.name(letter, "")]
        return len(letters) > 2 * len(latin)

    @property
    def has_words(self) -> bool:
        return any(letter.isalnum() for letter in self.typed)

    @property
    def signs(self) -> bool:
        """Whether the short emergency card is above the answer, because somebody is worried but no red flag was found."""
        return bool(self.found.intent and self.found.intent.signs and not self.reading)

    @property
    def is_weak(self) -> bool:
        """Whether there are results but none that fits well."""
        return bool(self.hits) and not self.found.is_good

    @property
    def names_acupuncture(self) -> bool:
        """Whether to show NICE's position, because the search names acupuncture or the first result quotes it."""
        shown = " ".join(f"{hit.title} {place.heading} {place.quote}" for hit in self.hits[:1] for place in hit.places)
        return any(word in plain(f"{self.searched} {shown}") for word in ("acupunct", "needl"))


def answer(typed: str, page: int = 1) -> Answer:
    """Everything a search page shows. Accepts any text; `page` counts from 1 and may be anything."""
    typed = readable(typed)
    given = Answer(typed, short(typed), redflags.read(typed), find(typed))
    # “I want to die” must not get “did you mean diet”.
    if given.found.best < DOUBTFUL and not given.reading.crisis and (near := _near(typed, given.found)):
        there = find(near)
        if there.best > given.found.best + BETTER:
            given.near, given.found, given.is_near = near, there, True
    given.page = min(max(page, 1), given.pages)
    given.hits = hits(given.found, given.first - 1, given.page * ON_A_PAGE)
    given.related = [
        Related(as_question(place.entry.questions[place.number][0]), address(place.entry, place.passage))
        for _, place in given.found.related
    ]
    return given


def examples(most: int = 10) -> list[Related]:
    """Frequent questions for an empty box: one for each place on the first sheets."""
    found = []
    for entry in current().entries.values():
        if entry.kind == SHEET:
            asked = ((number, as_question(entry.questions[number][0])) for number in sorted(entry.questions))
            asked = [(number, question) for number, question in asked if question.endswith("?")]
            found.append([Related(question, address(entry, entry.passages[number])) for number, question in asked])
    # One question for each sheet, then a second one for each, and so on.
    return [each for row in zip_longest(*found) for each in row if each][:most]


def as_question(words_typed: str) -> str:
    """As printed: with a capital letter, and a question mark if it is a question."""
    first, *rest = words_typed.lower().split()
    asks = first in ASKS.split() and rest[:1] != ["to"]
    return f"{words_typed[:1].upper()}{words_typed[1:]}{'?' if asks and not words_typed.endswith('?') else ''}"


def _near(typed: str, found: Found) -> str:
    """What was typed, with near words of ours in place of unknown ones. Empty if there are none."""
    index, unknown = current(), {word for concept in found.missing for word in concept.typed}
    parts, place, mended = [], 0, 0
    for word in words(typed):
        if word.folded in unknown and mended < MAX_MENDED:
            mended += 1
            if other := suggest(word.folded, index):
                parts += [typed[place : word.start], other]
                place = word.end
    return "".join([*parts, typed[place:]]) if parts else ""


def short(typed: str) -> str:
    return typed if len(typed) <= SHOWN else f"{typed[: SHOWN - 1].rstrip()}…"
