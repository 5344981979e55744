"""Spelling help: the nearest of our words for an unknown one, if nothing good was found without it.

It never changes what somebody asks. A word of our own vocabulary, and an English word that is spelt well (`ordinary.txt`), stays
as it is; what is offered begins with the same letter and is one letter away, or up to three in a long word.
"""

from functools import cache
from pathlib import Path

from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler

from factsheets.search.index import Index
from factsheets.search.text import STOP

MIN_LENGTH = 5  # letters, because a shorter word is near to everything
MAX_LENGTH = 30
ORDINARY = Path(__file__).with_name("ordinary.txt")


def suggest(word: str, index: Index) -> str | None:
    """One of our words that is near to the folded `word`, or two if a space was left out. None if nothing is near enough."""
    if not MIN_LENGTH <= len(word) <= MAX_LENGTH or word.isdigit() or word in index.vocabulary or word in ordinary():
        return None
    return _split(word, index) or _nearest(word, index)


def mistakes_allowed(word: str) -> int:
    """How many letters may be wrong, missing, extra or swapped."""
    return 1 if len(word) <= 6 else 2 if len(word) <= 11 else 3


@cache
def ordinary() -> frozenset[str]:
    """English words that are near to ours but mean something else. `python -m tests.support.ordinary_words` makes the list."""
    return frozenset(ORDINARY.read_text(encoding="utf-8").split())


def near(word: str, vocabulary) -> list[str]:
    """The words of which `word` may be a misspelling, nearest first."""
    found = process.extract(word, vocabulary, scorer=OSA.distance, score_cutoff=mistakes_allowed(word), limit=None)
    cost = {each: distance for each, distance, _ in found if each[0] == word[0] and len(each) >= MIN_LENGTH}
    return sorted(cost, key=lambda each: (cost[each], -JaroWinkler.similarity(word, each), each))


def _nearest(word: str, index: Index) -> str | None:
    return next(iter(near(word, index.vocabulary - STOP)), None)


def _split(word: str, index: Index) -> str | None:
    """“backpain” is “back pain”."""
    for place in range(3, len(word) - 2):
        if word[:place] in index.vocabulary and word[place:] in index.vocabulary:
            return f"{word[:place]} {word[place:]}"
    return None
