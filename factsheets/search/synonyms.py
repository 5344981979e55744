"""The editors' synonyms for the query: the other phrases that a phrase stands for, as stems."""

from collections import defaultdict
from dataclasses import dataclass, field

from factsheets.models import Synonym
from factsheets.search import text

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Synonyms:
    # For each phrase that may be typed: the phrases to look for, beginning with itself.
    groups: dict[Phrase, list[Phrase]] = field(default_factory=dict)
    # The words of all phrases, as written.
    words: frozenset[str] = frozenset()
    longest: int = 1  # words in the longest phrase


def read() -> Synonyms:
    """The synonyms in the database."""
    return parse(list(Synonym.objects.values_list("words", flat=True)))


def parse(lines: list[str]) -> Synonyms:
    found: dict[Phrase, dict[Phrase, None]] = defaultdict(dict)
    written: set[str] = set()
    for line in lines:
        written |= {word.folded for word in text.words(line) if word.says_something}
        phrases = [_phrase(words) for words in line.split(",")]
        others = dict.fromkeys(saying for _, saying in phrases if saying)
        for typed, saying in phrases:
            # Typed with or without its small words.
            for key in {typed, saying} - {()}:
                found[key] |= {saying: None} if saying else {}
                found[key] |= others
    groups = {typed: list(others) for typed, others in found.items() if others}
    return Synonyms(groups, frozenset(written), max(map(len, groups), default=1))


def _phrase(written: str) -> tuple[Phrase, Phrase]:
    """A phrase as it is typed, and without its small words as it is looked for.

    The latter is empty when one word of several would be left: “pain all over” must not stand for every pain.
    """
    words = text.words(written)
    saying = [word for word in words if word.says_something]
    left_alone = len(saying) == 1 and any(word.folded in text.STOP for word in words)
    typed = tuple(word.stem for word in words) if saying else ()
    return typed, () if left_alone else tuple(word.stem for word in saying)
