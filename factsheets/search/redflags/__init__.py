"""Which texts sound like a red flag, so that its advice comes first: the one reader of searches, forms and staff-typed requests.

What it looks for is content: the word patterns of the SafetyAdvice records (`lines` has the language they are written in) and the
word lists that they share. A flag or a pattern that staff add is looked for at once, in every process.

The card says "if you have back pain and…", so it is better to show it once too often than once too rarely. But a card
that comes for a numb toe is a card that nobody reads: tests/data/phrases holds phrasings of both sorts, and
docs/red-flag-words.md the figures.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from factsheets.models import ContentVersion, SafetyAdvice, WordList
from factsheets.models.safety import Tier
from factsheets.search.redflags.lines import Group, Line, LineError, ListOf, Word, in_order, read_line, read_list
from factsheets.search.redflags.matching import ALL_KINDS, ONLY_DENIED, Matcher, Starts
from factsheets.search.redflags.scopes import Scope, scopes
from factsheets.search.redflags.wording import SMALL, Wording

MAX_LENGTH = 2_000  # characters that are looked at
# No red flag is about one's own death. The crisis words stand in the record that asks for help with mood. Ledger, “Outcomes”, D13.
CRISIS = "RF-R3"
NONE: Group = ()
EVERYDAY = "everyday"  # the list of phrases that only look like a sign


@dataclass(frozen=True)
class Reading:
    """What a text sounds like: the codes of the advice it points at, in the order of the records, and whether of a crisis."""

    emergency: tuple[str, ...] = ()
    urgent: tuple[str, ...] = ()
    crisis: bool = False

    def __bool__(self):
        return bool(self.emergency or self.urgent or self.crisis)


@dataclass(frozen=True)
class Flag:
    code: str
    tier: str
    patterns: tuple[str, ...]


class Reader:
    """Reads texts with one state of the content. `faults` are lines that could not be understood, as (where, why)."""

    def __init__(self, flags: Iterable[Flag], word_lists: Mapping[str, Iterable[str]]):
        self.faults: list[tuple[str, str]] = []
        self.lists = self._lists(word_lists)
        self.flags: list[tuple[Flag, list[Line]]] = []
        for flag in flags:
            if flag.tier in {Tier.EMERGENCY, Tier.URGENT} or flag.code == CRISIS:
                self.flags.append((flag, self._lines(flag)))
        # By the identity of a group: hashing its many words each time would take longer than looking for them.
        self.starts: dict[int, Starts] = {}
        words = self._words()
        self.wording = Wording({word.text for word in words})
        self.keys = frozenset(word.key for word in words)

    def _lists(self, word_lists: Mapping[str, Iterable[str]]) -> dict[str, Group]:
        found: dict[str, Group] = {}
        for name, lines in word_lists.items():
            try:
                found[name] = read_list(lines, word_lists)
            except LineError as error:
                self.faults.append((name, str(error)))
                found[name] = ()
        try:
            in_order(found)
        except LineError as error:
            self.faults.append(("word lists", str(error)))
            found = {
                name: tuple(phrase for phrase in group if not any(isinstance(item, ListOf) for item in phrase))
                for name, group in found.items()
            }
        return found

    def _lines(self, flag: Flag) -> list[Line]:
        lines = []
        for pattern in flag.patterns:
            try:
                lines.append(read_line(pattern, self.lists, SMALL))
            except LineError as error:
                # One bad line must not silence the others.
                self.faults.append((flag.code, str(error)))
        return lines

    def _words(self) -> list[Word]:
        groups = [*self.lists.values(), *(group for _, lines in self.flags for line in lines for group in line.groups)]
        return [item for group in groups for phrase in group for item in phrase if isinstance(item, Word)]

    def read(self, typed: str) -> Reading:
        """What the words sound like. Never raises; looks at the first MAX_LENGTH characters."""
        text = self.wording.read(typed[:MAX_LENGTH])
        if not text.words:
            return Reading()
        found = scopes(text)
        matcher = Matcher(text, found, self.lists, self.starts, SMALL)
        if self.keys.isdisjoint(matcher.words):  # as most names are: no phrase of any line can be there
            return Reading()
        found += [Scope(start, end) for start, end, _ in matcher.spans_of(self.lists.get(EVERYDAY, NONE))]
        codes: dict[str, list[str]] = {tier: [] for tier in Tier.values}
        for flag, lines in self.flags:
            heeds = ONLY_DENIED if flag.code == CRISIS else ALL_KINDS
            if any(matcher.shows(line, heeds) for line in lines):
                codes[flag.tier].append(flag.code)
        return Reading(tuple(codes[Tier.EMERGENCY]), tuple(codes[Tier.URGENT]), bool(codes[Tier.ROUTINE]))

    def why(self, typed: str) -> list[tuple[str, str]]:
        """Which lines were found, with the codes: for whoever tunes the patterns."""
        text = self.wording.read(typed[:MAX_LENGTH])
        matcher = Matcher(text, scopes(text), self.lists, self.starts, SMALL)
        matcher.scopes += [Scope(start, end) for start, end, _ in matcher.spans_of(self.lists.get(EVERYDAY, NONE))]
        return [
            (flag.code, pattern)
            for flag, lines in self.flags
            for line, pattern in zip(lines, flag.patterns, strict=False)
            if matcher.shows(line, ONLY_DENIED if flag.code == CRISIS else ALL_KINDS)
        ]


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
