"""The language of word patterns, which clinicians and reception write on the staff pages, one pattern per line.

    numb | tingl* + {saddle}            both, in one sentence, in either order
    cannot .. pee                       in this order, with up to three words between
    {cancer} & {weak legs}              anywhere in the text
    {cancer} (past counts)              also when it was long ago
    leak* + {pee} unless tap | roof     not if one of these is in the same sentence

`|` is “or” and `*` is any ending. `{…}` is a shared word list. Small words, such as “my” and “really”, may always come between.
There is nothing in it that could take long: no word is looked at more often than the pattern has parts.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from factsheets.search.redflags.wording import SPELT, joined
from factsheets.search.text import plain

MAX_LINE_LENGTH = 2_000  # characters
MAX_PARTS = 8  # joined by + and &
MIN_START = 3  # letters before a *
GAP_WORDS = 3  # the maximum number of words that “..” may stand for
PAST_COUNTS = "(past counts)"


class LineError(ValueError):
    """A line that cannot be used. The text says what is wrong with it and what to do."""


@dataclass(frozen=True)
class Word:
    text: str
    any_ending: bool = False

    @cached_property
    def key(self) -> str:
        return f"{self.text}*" if self.any_ending else self.text


@dataclass(frozen=True)
class ListOf:
    name: str


@dataclass(frozen=True)
class Gap:
    """“..”"""


Phrase = tuple[Word | ListOf | Gap, ...]
Group = tuple[Phrase, ...]


@dataclass(frozen=True)
class Line:
    """`parts` may be anywhere in a text. The groups of one part must be in one sentence."""

    parts: tuple[tuple[Group, ...], ...]
    unless: Group = ()
    past_counts: bool = False

    @property
    def groups(self) -> Iterable[Group]:
        for part in self.parts:
            yield from part
        if self.unless:
            yield self.unless


def read_line(line: str, names: Iterable[str], small_words: Iterable[str] = ()) -> Line:
    """Parses the line. `names` are those of the existing word lists. Raises LineError."""
    return _read_line(line, frozenset(names), frozenset(small_words))


# Cached, because a page of the desk reads some hundred lines several times, and each process all of them after a change.
@lru_cache(maxsize=4_096)
def _read_line(line: str, names: frozenset[str], small_words: frozenset[str]) -> Line:
    said = _folded(line)
    if not said:
        raise LineError("The line is empty. Write words in it, or take it away.")
    if len(said) > MAX_LINE_LENGTH:
        raise LineError(
            f"“{said[:30]}…” has {len(said)} characters. Use {MAX_LINE_LENGTH} or fewer: make two lines of it."
        )
    past_counts = said.endswith(PAST_COUNTS)
    said = said.removesuffix(PAST_COUNTS).strip()
    needed, *unless = re.split(r"(?:^| )unless(?: |$)", said)
    if len(unless) > 1:
        raise LineError(f"“{line}” has “unless” twice. Join what comes after it with “|”.")
    if unless and re.search(r"[+&]", unless[0]):
        raise LineError(f"After “unless”, “{line}” may have words and “|” but no “+” or “&”.")
    parts = tuple(
        tuple(_group(words, line, names, small_words) for words in part.split("+")) for part in needed.split("&")
    )
    if sum(map(len, parts)) > MAX_PARTS:
        raise LineError(f"“{line}” joins more than {MAX_PARTS} parts. Make two lines of it.")
    return Line(parts, _group(unless[0], line, names) if unless else (), past_counts)


def read_list(lines: Iterable[str], names: Iterable[str]) -> Group:
    """The phrases of a word list. Raises LineError."""
    phrases = []
    for line in lines:
        said = _folded(line)
        if re.search(r"[+&]|\bunless\b", said):
            raise LineError(f"A word list has words and “|” only: take “+”, “&” and “unless” out of “{line}”.")
        phrases += _group(said, line, names)
    return tuple(phrases)


def _group(words: str, line: str, names: Iterable[str], small_words: frozenset = frozenset()) -> Group:
    phrases = []
    for said in words.split("|"):
        if not said.strip():
            raise LineError(f"In “{line}”, there is nothing on one side of “|”, “+”, “&” or “unless”. Add the words.")
        phrase = _phrase(said, line, names)
        if all(isinstance(item, Word) and item.text in small_words for item in phrase):
            raise LineError(f"“{said.strip()}” in “{line}” is in nearly every text. Add a word that says more.")
        phrases.append(phrase)
    return tuple(phrases)


def _phrase(said: str, line: str, names: Iterable[str]) -> Phrase:
    items = []
    for piece in re.findall(r"\{[^{}]*\}|\S+", said):
        if piece == "..":
            items.append(Gap())
        elif named := re.fullmatch(r"\{([^{}]*)\}", piece):
            name = named[1].strip()
            if name not in names:
                raise LineError(f"There is no word list “{name}”, which “{line}” asks for.")
            items.append(ListOf(name))
        elif word := re.fullmatch(r"([^\W_]+)(\*?)", piece):
            if word[2] and len(word[1]) < MIN_START:
                raise LineError(f"“{piece}” would fit too many words. Write {MIN_START} letters before “*”.")
            items.append(Word(word[1], bool(word[2])))
        else:
            raise LineError(
                f"“{piece}” in “{line}” cannot be read. Use letters, figures, | + & * .. and {{list}} only."
            )
    if isinstance(items[0], Gap) or isinstance(items[-1], Gap):
        raise LineError(f"In “{said.strip()}”, “..” must be between two words.")
    return tuple(items)


def _folded(line: str) -> str:
    """The line in the form in which texts are read, so that “cannot” and “can’t” are the same in both."""
    parts = re.split(r"(\{[^{}]*\})", " ".join(plain(line).split()))
    # The names of word lists stay as they are.
    parts[::2] = [joined(part) for part in parts[::2]]
    return " ".join(SPELT.get(piece, piece) for piece in re.findall(r"\{[^{}]*\}|[^\s{}]+|[{}]", "".join(parts)))


def in_order(lists: Mapping[str, Group]) -> list[str]:
    """The names of the lists, each after those it includes. Raises LineError if they include each other in a circle."""
    order, open_ = [], []

    def visit(name: str) -> None:
        if name in order:
            return
        if name in open_:
            raise LineError(f"The word list “{name}” is made of itself: {' → '.join([*open_, name])}.")
        open_.append(name)
        for phrase in lists[name]:
            for item in phrase:
                if isinstance(item, ListOf):
                    visit(item.name)
        open_.pop()
        order.append(name)

    for name in lists:
        visit(name)
    return order
