"""Finds the patterns in a text. The work is bounded: each part of a pattern is looked for once, in a text of bounded length."""

from collections.abc import Iterator, Mapping, Set
from itertools import pairwise, product

from factsheets.search.redflags.lines import GAP as GAP_WORDS
from factsheets.search.redflags.lines import MIN_START, Gap, Group, Line, ListOf, Phrase, Word
from factsheets.search.redflags.scopes import CLEARED_BY_A_DOCTOR, OTHER, PAST, Scope
from factsheets.search.redflags.wording import Text

NEAR = 16  # words between which the groups of one part stand
SMALL_BETWEEN = 4  # small words that may stand between two words of a phrase
MAX_SPANS = 60  # of one group; nobody writes a sign more often
MAX_COMBINATIONS = 400
GOES_ON = frozenset(["it", "its", "they", "this", "that", "these", "those", "both", "there", "same", "also", "and"])

# A sentence that names one of these has a place of its own: “My buttock aches. It tingles in my toe.”
ELSEWHERE = frozenset(
    ["toe", "toes", "finger", "fingers", "hand", "hands", "arm", "arms", "neck", "face", "lip", "lips"]
)

# First and last word of what was found, and the words themselves as bits: a gap between them belongs to nobody.
Span = tuple[int, int, int]


class Starts:
    """The phrases of one group by their first word, so that a text is compared only with those that it can hold."""

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
    """One text, in which many lines are looked for. `starts` are kept by the reader from text to text."""

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
        """Whether the line is found. `heeds` are the kinds of scope that silence it."""
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
        """Whether the sentence at this word goes on with the one before: “My bottom is strange. It feels numb.”"""
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
        """Where the next word of a phrase may stand."""
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
