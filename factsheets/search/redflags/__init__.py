"""Finds texts that sound like a red flag, so that its advice comes first: in searches, forms and requests typed by staff.

What it looks for is content: the word patterns of the SafetyAdvice records (`lines` has the language they are written in) and the
word lists that they share. A flag or a pattern that staff add is looked for at once, in every process.

The card says "if you have back pain and…", so it is better to show it once too often than once too rarely. But a card
that comes for a numb toe is a card that nobody reads: tests/data/phrases holds phrasings of both sorts, and
docs/red-flag-words.md the figures.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise, product

from factsheets.models import ContentVersion, SafetyAdvice, WordList
from factsheets.models.safety import Tier
from factsheets.search.redflags.lines import (
    GAP_WORDS,
    MIN_START,
    Gap,
    Group,
    Line,
    LineError,
    ListOf,
    Phrase,
    Word,
    in_order,
    read_line,
    read_list,
)
from factsheets.search.redflags.scopes import CLEARED_BY_A_DOCTOR, OTHER, PAST, Scope, scopes
from factsheets.search.redflags.wording import SMALL, Text, Wording

MAX_LENGTH = 2_000  # characters that are looked at
# No red flag is about suicide. The crisis words are in the record about getting help with mood. Ledger, “Outcomes”, D13.
CRISIS = "RF-R3"
NONE: Group = ()
EVERYDAY = "everyday"  # the list of phrases that only look like signs

NEAR = 16  # words within which the groups of one part must be
SMALL_BETWEEN = 4  # small words that may come between two words of a phrase
MAX_SPANS = 60  # in one group; nobody writes a sign more often
MAX_COMBINATIONS = 400
GOES_ON = frozenset(["it", "its", "they", "this", "that", "these", "those", "both", "there", "same", "also", "and"])

# A sentence that names one of these has a place of its own: “My buttock aches. It tingles in my toe.”
ELSEWHERE = frozenset(
    ["toe", "toes", "finger", "fingers", "hand", "hands", "arm", "arms", "neck", "face", "lip", "lips"]
)

# The first and last word found, and the words themselves as bits, because gaps between them do not count.
Span = tuple[int, int, int]


class Starts:
    """The phrases of one group by first word, so that a text is compared only with those it can contain."""

    def __init__(self, group: Group):
        self.by_word: dict[str, list[Phrase]] = {}
        self.by_list: list[Phrase] = []
        for phrase in group:
            if isinstance(phrase[0], Word):
                self.by_word.setdefault(phrase[0].key, []).append(phrase)
            else:
                self.by_list.append(phrase)

    def possible(self, words: Set[str]) -> Iterator[Phrase]:
        for word in words & self.by_word.keys():
            yield from self.by_word[word]
        yield from self.by_list


class Matcher:
    """One text, in which to look for many lines. The reader keeps `starts` from text to text."""

    def __init__(
        self,
        text: Text,
        scopes: list[Scope],
        lists: Mapping[str, Group],
        starts: dict[int, Starts],
        small_words: frozenset[str],
    ):
        self.text, self.scopes, self.lists, self.starts, self.small = text, scopes, lists, starts, small_words
        self.at: dict[str, list[int]] = {}
        for place, word in enumerate(text.words):
            self.at.setdefault(word, []).append(place)
        for word, places in list(self.at.items()):
            for length in range(MIN_START, len(word) + 1):
                self.at.setdefault(f"{word[:length]}*", []).extend(places)
        self.named: dict[str, list[Span]] = {}
        self.groups: dict[int, list[Span]] = {}
        self.words = self.at.keys()

    def shows(self, line: Line, heeds: frozenset[str]) -> bool:
        """Whether the text has the line. `heeds` are the kinds of scope that silence it."""
        if line.past_counts:
            heeds -= {PAST}
        return all(self._part_shows(part, line, heeds) for part in line.parts)

    def _part_shows(self, part: tuple[Group, ...], line: Line, heeds: frozenset[str]) -> bool:
        places = []
        for group in part:
            spans = self.spans_of(group)
            if not spans:
                return False
            places.append(spans[:MAX_SPANS])
        unless = {self.text.sentence[start] for start, *_ in self.spans_of(line.unless)} if line.unless else set()
        for number, spans in enumerate(product(*places)):
            if number > MAX_COMBINATIONS:
                return False
            spared = any(self.text.sentence[start] in unless for start, *_ in spans)
            if not spared and self._together(spans) and not self._silenced(spans, heeds):
                return True
        return False

    def _together(self, spans: tuple[Span, ...]) -> bool:
        if len(spans) == 1:
            return True
        ordered = sorted(spans)
        if any(later[0] <= earlier[1] for earlier, later in pairwise(ordered)):
            return False
        first, last = ordered[0][0], ordered[-1][1]
        if last - first > NEAR + 2 * len(spans):
            return False
        sentences = self.text.sentence[first], self.text.sentence[last]
        return sentences[0] == sentences[1] or (sentences[1] == sentences[0] + 1 and self._goes_on(last))

    def _goes_on(self, place: int) -> bool:
        """Whether the sentence at this word continues the one before: “My bottom is strange. It feels numb.”"""
        while place and self.text.sentence[place - 1] == self.text.sentence[place]:
            place -= 1
        words = self.text.words[place : place + NEAR]
        own = (
            word
            for word, number in zip(words, self.text.sentence[place:], strict=False)
            if number == self.text.sentence[place]
        )
        return words[0] in GOES_ON and "only" not in words[1:2] and ELSEWHERE.isdisjoint(own)

    def _silenced(self, spans: tuple[Span, ...], heeds: frozenset[str]) -> bool:
        words = 0
        for _, _, bits in spans:
            words |= bits
        # A denial that is itself part of the sign, as in “no feeling”, silences nothing.
        return any(scope.kind in heeds and words & scope.bits and not words & scope.by_bits for scope in self.scopes)

    # --- places ---

    def spans_of(self, group: Group) -> list[Span]:
        if id(group) not in self.groups:
            starts = self.starts.get(id(group))
            if starts is None:
                starts = self.starts[id(group)] = Starts(group)
            found = {span for phrase in starts.possible(self.words) for span in self._phrase(phrase)}
            self.groups[id(group)] = sorted(found)
        return self.groups[id(group)]

    def _item(self, item: Word | ListOf) -> list[Span]:
        if isinstance(item, Word):
            return [(place, place, 1 << place) for place in self.at.get(item.key, ())]
        if item.name not in self.named:
            self.named[item.name] = self.spans_of(self.lists[item.name])
        return self.named[item.name]

    def _phrase(self, phrase: Phrase) -> list[Span]:
        current = self._item(phrase[0])
        gap = False
        for item in phrase[1:]:
            if not current:
                return []
            if isinstance(item, Gap):
                gap = True
                continue
            following = self._item(item)
            if not following:
                return []
            starts: dict[int, list[Span]] = {}
            for span in following:
                starts.setdefault(span[0], []).append(span)
            current = [
                (start, span[1], bits | span[2])
                for start, before, bits in current[:MAX_SPANS]
                for place in self._reach(before, gap)
                for span in starts.get(place, ())
            ]
            gap = False
        return current

    def _reach(self, before: int, gap: bool) -> range | list[int]:
        """Where the next word of a phrase may be."""
        places, small, other = [], 0, 0
        for place in range(before + 1, len(self.text)):
            if self.text.sentence[place] != self.text.sentence[before]:
                break
            places.append(place)
            if self.text.words[place] in self.small:
                small += 1
            else:
                other += 1
            if small > SMALL_BETWEEN or other > (GAP_WORDS if gap else 0):
                break
        return places


ALL_KINDS = frozenset({"denied", PAST, CLEARED_BY_A_DOCTOR, OTHER})
ONLY_DENIED = frozenset({"denied"})


@dataclass(frozen=True)
class Reading:
    """What a text sounds like: the codes of the advice for it, in the order of the records, and whether it is a crisis."""

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
    """Reads texts by one state of the content. `faults` are the lines that could not be understood, as (where, why)."""

    def __init__(self, flags: Iterable[Flag], word_lists: Mapping[str, Iterable[str]]):
        self.faults: list[tuple[str, str]] = []
        self.lists = self._lists(word_lists)
        self.flags: list[tuple[Flag, list[Line]]] = []
        for flag in flags:
            if flag.tier in {Tier.EMERGENCY, Tier.URGENT} or flag.code == CRISIS:
                self.flags.append((flag, self._lines(flag)))
        # For each line, words of which a text must have one. Most lines can be skipped by that alone.
        self.needs = {id(line): self._needs(line) for _, lines in self.flags for line in lines}
        # By the identity of a group, because hashing its many words each time would take longer than looking for them.
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

    def _needs(self, line: Line) -> frozenset[str]:
        """The first words of the phrases in one group. Every group must be found, so it takes the one with the fewest."""
        begin = [frozenset(self._beginnings(group)) for part in line.parts for group in part]
        return min(begin, key=len)

    def _beginnings(self, group: Group) -> Iterator[str]:
        for phrase in group:
            if isinstance(phrase[0], ListOf):
                yield from self._beginnings(self.lists[phrase[0].name])
            elif isinstance(phrase[0], Word):
                yield phrase[0].key

    def _words(self) -> list[Word]:
        groups = [*self.lists.values(), *(group for _, lines in self.flags for line in lines for group in line.groups)]
        return [item for group in groups for phrase in group for item in phrase if isinstance(item, Word)]

    def read(self, typed: str) -> Reading:
        """What the words sound like. Never raises. Looks at the first MAX_LENGTH characters."""
        text = self.wording.read(typed[:MAX_LENGTH])
        if not text.words:
            return Reading()
        found = scopes(text)
        matcher = Matcher(text, found, self.lists, self.starts, SMALL)
        if self.keys.isdisjoint(matcher.words):  # as most names are: no phrase of any line can be there
            return Reading()
        found += [Scope(start, end) for start, end, _ in matcher.spans_of(self.lists.get(EVERYDAY, NONE))]
        codes: dict[str, list[str]] = {tier: [] for tier in Tier.values}
        there = frozenset(matcher.words)
        for flag, lines in self.flags:
            heeds = ONLY_DENIED if flag.code == CRISIS else ALL_KINDS
            if any(not there.isdisjoint(self.needs[id(line)]) and matcher.shows(line, heeds) for line in lines):
                codes[flag.tier].append(flag.code)
        return Reading(tuple(codes[Tier.EMERGENCY]), tuple(codes[Tier.URGENT]), bool(codes[Tier.ROUTINE]))

    def why(self, typed: str) -> list[tuple[str, str]]:
        """Which lines were found, with their codes, for people who tune the patterns."""
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
    """What the typed words sound like. Never raises for any text. Looks at the first MAX_LENGTH characters."""
    return reader().read(typed)


def reader() -> Reader:
    """A reader with the patterns in the database, made once per process for each state of the content."""
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
