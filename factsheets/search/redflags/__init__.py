"""Which texts sound like a red flag, so that its advice comes first: the one reader of searches, forms and staff-typed requests.

What it looks for is content: the word patterns of the SafetyAdvice records (`lines` has the language they are written in) and the
word lists that they share. A flag or a pattern that staff add is looked for at once, in every process.

The card says "if you have back pain and…", so it is better to show it once too often than once too rarely. But a card
that comes for a numb toe is a card that nobody reads: tests/data/phrases holds phrasings of both sorts, and
docs/red-flag-words.md the figures.
"""

import threading

from factsheets.models import ContentVersion, SafetyAdvice, WordList
from factsheets.search.redflags.reader import CRISIS, MAX_LENGTH, Flag, Reader, Reading

__all__ = ["CRISIS", "MAX_LENGTH", "Reading", "read", "reader"]

_kept: tuple[str, Reader] | None = None
_making = threading.Lock()


def read(typed: str) -> Reading:
    """What the typed words sound like. Never raises for any text; looks at the first MAX_LENGTH characters."""
    return reader().read(typed)


def reader() -> Reader:
    """The patterns as they stand in the database. Made once in each process for each state of the content."""
    global _kept
    token = ContentVersion.now()
    kept = _kept
    if kept is None or kept[0] != token:
        with _making:
            kept = _kept
            if kept is None or kept[0] != token:
                _kept = kept = token, _made()
    return kept[1]


def _made() -> Reader:
    return Reader(
        [Flag(flag.code, flag.tier, tuple(flag.patterns)) for flag in SafetyAdvice.objects.all()],
        dict(WordList.objects.values_list("name", "lines")),
    )
