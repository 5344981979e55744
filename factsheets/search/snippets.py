"""What a reader sees of the results: the answer, then quotations from the best places of each entry, with marked words."""

import re
from dataclasses import dataclass
from functools import lru_cache

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from factsheets.search.indexing import SHEET, Entry, Passage
from factsheets.search.query import Concept, Found, Place
from factsheets.search.synonyms import Phrase
from factsheets.search.text import Word, words

MAX_PLACES = 2  # of one entry
QUOTED = 220  # characters of one place
ANSWERED = 320  # characters of the first result
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9“‘\"'(])")


@dataclass
class Quoted:
    address: str
    heading: str  # empty for the top of the page, to which the title already leads
    quote: SafeString
    traditional: bool
    verdict: str = ""


@dataclass
class Hit:
    title: str
    address: str
    kind: str
    places: list[Quoted]


def hits(found: Found, start: int, end: int) -> list[Hit]:
    """The results from position `start` to before `end`. The very first shows the answer itself."""
    marked = _marked(found.telling)
    shown = list(enumerate(found.entries))[start:end]
    return [_hit(group, marked, is_first=number == 0) for number, group in shown]


def address(entry: Entry, passage: Passage) -> str:
    return f"{entry.address}#{passage.anchor}" if passage.anchor else entry.address


def _marked(concepts: list[Concept]) -> set[Phrase]:
    marked = {phrase for concept in concepts for phrase in concept.phrases}
    return marked | {(stem,) for concept in concepts for stem in concept.phrases[0]}


def _hit(group: list[Place], marked: set[Phrase], *, is_first: bool) -> Hit:
    entry, places, seen = group[0].entry, [], set()
    best = group[0]
    for place in group[: 4 * MAX_PLACES]:
        passage = place.passage
        if passage.heading in seen or len(places) == MAX_PLACES:
            continue
        if place is not best and place.total < best.total / 2:
            continue
        seen.add(passage.heading)
        is_answer = is_first and place is best
        shown = (first_sentences if is_answer and place.answers else quote)(passage.text, marked)
        verdict = _verdict(entry, place, group) if is_answer else ""
        places.append(Quoted(address(entry, passage), passage.heading, shown, passage.traditional, verdict))
    return Hit(entry.title, entry.address, entry.kind, places)


def _verdict(entry: Entry, place: Place, group: list[Place]) -> str:
    """The verdict of the answer, or of the statement in the same part of the sheet that fits the search best."""
    if place.passage.verdict or entry.kind != SHEET:
        return place.passage.verdict
    question = place.passage.question
    near = [each for each in group if each.passage.verdict and question and each.passage.question == question]
    return near[0].passage.verdict if near else ""


def first_sentences(text: str, marked: set[Phrase]) -> SafeString:
    """Whole sentences from the start of the text, about ANSWERED characters, with the found words marked."""
    shown = ""
    for sentence in SENTENCE_END.split(text):
        if shown and len(shown) + len(sentence) > ANSWERED:
            break
        shown = f"{shown} {sentence}".strip()
    if len(shown) > 2 * ANSWERED:
        return quote(text, marked)
    return _mark(shown, 0, len(shown), _words(shown), marked)


def quote(text: str, marked: set[Phrase]) -> SafeString:
    """The part of the text with the most different found words, escaped, with those words in <mark>."""
    seen = _words(text)
    start, end = _window(text, seen, _found(seen, marked))
    shown = _mark(text, start, end, seen, marked)
    return mark_safe(f"{'… ' if start else ''}{shown}{' …' if end < len(text) else ''}")  # noqa: S308 - escaped below


@lru_cache(maxsize=4_000)
def _words(text: str) -> tuple[Word, ...]:
    """Cached, because the same passages are quoted again and again."""
    return tuple(words(text))


def _mark(text: str, start: int, end: int, seen: tuple[Word, ...], marked: set[Phrase]) -> SafeString:
    found = _found(seen, marked)
    parts, place = [], start
    inside = [word for word in seen if word.start in found and start <= word.start and word.end <= end]
    for first, last in _runs(text, inside):
        parts += [escape(text[place:first]), "<mark>", escape(text[first:last]), "</mark>"]
        place = last
    parts.append(escape(text[place:end]))
    return mark_safe("".join(parts))  # noqa: S308 - each piece of the text was escaped above


def _runs(text: str, found: list[Word]) -> list[tuple[int, int]]:
    """The start and end of each mark. Found words with only a space between them share one."""
    runs: list[tuple[int, int]] = []
    for word in found:
        if runs and text[runs[-1][1] : word.start].isspace():
            runs[-1] = (runs[-1][0], word.end)
        else:
            runs.append((word.start, word.end))
    return runs


def _found(seen: tuple[Word, ...], marked: set[Phrase]) -> dict[int, str]:
    """Where each found word starts, and its stem. A phrase is found if its words follow one another, ignoring small words."""
    saying = [word for word in seen if word.says_something] or list(seen)
    longest, begins = max(map(len, marked), default=0), {phrase[0] for phrase in marked}
    found: dict[int, str] = {}
    for place, first in enumerate(saying):
        if first.stem not in begins:
            continue
        for length in range(1, longest + 1):
            run = saying[place : place + length]
            if tuple(word.stem for word in run) in marked:
                found |= {word.start: word.stem for word in run}
    return found


def _window(text: str, seen: tuple[Word, ...], found: dict[int, str]) -> tuple[int, int]:
    """Where the quotation starts and ends: whole words, about QUOTED characters."""
    if len(text) <= QUOTED:
        return 0, len(text)
    best, most = 0, (0, 0)
    for start in found:
        inside = [stem for place, stem in found.items() if start <= place < start + QUOTED - 40]
        worth = (len(set(inside)), len(inside))
        if worth > most:
            best, most = start, worth
    # Begin at the start of a sentence, if that is near.
    before = text.rfind(". ", max(0, best - 80), best)
    best = before + 2 if before >= 0 else best
    best = 0 if best < 40 else best
    end = max((word.end for word in seen if word.end <= best + QUOTED), default=len(text))
    if text[end : end + 1] and text[end] in ".!?":
        end += 1
    return best, max(end, best)
