"""What a reader sees of an entry that was found: its best places, quoted, with the found words marked."""

from collections import defaultdict
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import Q
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from factsheets.models import SearchEntry, SearchPassage, SearchPosting
from factsheets.search.query import Found
from factsheets.search.synonyms import Phrase
from factsheets.search.text import Word, words

MAX_PLACES = 2  # of one entry
QUOTED = 220  # characters of one place


@dataclass
class Place:
    address: str
    heading: str  # empty: the page's top, to which the title already leads
    quote: SafeString
    traditional: bool


@dataclass
class Hit:
    title: str
    address: str
    kind: str
    places: list[Place]


def hits(found: Found, start: int, end: int) -> list[Hit]:
    """What was found from place `start` to before `end`, with the best places. Three queries, however many entries."""
    wanted = found.entries[start:end]
    there = SearchEntry.objects.select_related("sheet").defer("sheet__document", "sheet__key_points").in_bulk(wanted)
    entries = [there[number] for number in wanted if number in there]  # one may have gone a moment ago
    stems = {stem for concept in found.concepts for phrase in concept.phrases for stem in phrase}
    stood: dict[int, dict[str, dict[int, int]]] = defaultdict(dict)
    rows = SearchPosting.objects.filter(entry__in=entries, stem__in=stems).values_list("entry_id", "stem", "places")
    for entry, stem, places in rows:
        stood[entry][stem] = _read(places)
    chosen = {entry.pk: _best_passages(found, stood[entry.pk]) for entry in entries}
    quoted = reduce(or_, (Q(entry=entry, number__in=numbers) for entry, numbers in chosen.items()), Q(pk__in=[]))
    passages = {(each.entry_id, each.number): each for each in SearchPassage.objects.filter(quoted)}
    marked = {phrase for concept in found.concepts for phrase in concept.phrases}
    marked |= {(stem,) for concept in found.concepts for stem in concept.phrases[0]}
    return [
        _hit(
            entry, [passages[entry.pk, number] for number in chosen[entry.pk] if (entry.pk, number) in passages], marked
        )
        for entry in entries
    ]


def _read(places: str) -> dict[int, int]:
    pairs = (pair.split(".") for pair in places.split(",") if not pair.startswith("t"))
    return {int(number): int(weight) for number, weight in pairs}


def _best_passages(found: Found, stood: dict[str, dict[int, int]]) -> list[int]:
    """Numbers of the passages to quote, best first. The first passage, what it is about, when only the title matched."""
    scores: dict[int, list[float]] = defaultdict(lambda: [0, 0.0])
    for concept in found.concepts:
        here: dict[int, int] = {}
        for phrase in concept.phrases:
            each = [stood.get(stem, {}) for stem in phrase]
            for number in set.intersection(*(set(places) for places in each)):
                here[number] = max(here.get(number, 0), min(places[number] for places in each))
        for number, weight in here.items():
            scores[number][0] += 1
            scores[number][1] += found.rarity[concept] * weight
    ranked = sorted(scores, key=lambda number: (-scores[number][0], -scores[number][1], number))
    most = scores[ranked[0]][0] if ranked else 0
    return [number for number in ranked if scores[number][0] == most][:MAX_PLACES] or [0]


def _hit(entry: SearchEntry, passages: list[SearchPassage], marked: set[Phrase]) -> Hit:
    address = entry.get_absolute_url()
    places, seen = [], set()
    for passage in passages:
        if passage.heading not in seen:
            seen.add(passage.heading)
            there = f"{address}#{passage.anchor}" if passage.anchor else address
            places.append(Place(there, passage.heading, quote(passage.text, marked), passage.traditional))
    return Hit(entry.title, address, entry.get_kind_display(), places)


def quote(text: str, marked: set[Phrase]) -> SafeString:
    """The part of the text with the most different found words, escaped, with those words in <mark>."""
    seen = words(text)
    found = _found(seen, marked)
    start, end = _window(text, seen, found)
    parts, place = ["… " if start else ""], start
    for first, last in _runs(
        text, [word for word in seen if word.start in found and start <= word.start and word.end <= end]
    ):
        parts += [escape(text[place:first]), "<mark>", escape(text[first:last]), "</mark>"]
        place = last
    parts += [escape(text[place:end]), " …" if end < len(text) else ""]
    return mark_safe("".join(parts))  # noqa: S308 - each piece of the text was escaped above


def _runs(text: str, found: list[Word]) -> list[tuple[int, int]]:
    """From where to where each mark goes: found words with nothing but a space between them share one."""
    runs: list[tuple[int, int]] = []
    for word in found:
        if runs and text[runs[-1][1] : word.start].isspace():
            runs[-1] = (runs[-1][0], word.end)
        else:
            runs.append((word.start, word.end))
    return runs


def _found(seen: list[Word], marked: set[Phrase]) -> dict[int, str]:
    """Where a found word starts, and its stem. A phrase is found when its words follow one another, small words aside."""
    saying = [word for word in seen if word.says_something] or seen
    longest = max(map(len, marked), default=0)
    found: dict[int, str] = {}
    for place in range(len(saying)):
        for length in range(1, longest + 1):
            run = saying[place : place + length]
            if tuple(word.stem for word in run) in marked:
                found |= {word.start: word.stem for word in run}
    return found


def _window(text: str, seen: list[Word], found: dict[int, str]) -> tuple[int, int]:
    """From where to where to quote: whole words, about QUOTED characters."""
    if len(text) <= QUOTED:
        return 0, len(text)
    best, most = 0, (0, 0)
    for start in found:
        inside = [stem for place, stem in found.items() if start <= place < start + QUOTED - 40]
        worth = (len(set(inside)), len(inside))
        if worth > most:
            best, most = start, worth
    # Begin where a sentence begins, when that is near.
    before = text.rfind(". ", max(0, best - 80), best)
    best = before + 2 if before >= 0 else best
    best = 0 if best < 40 else best
    end = max((word.end for word in seen if word.end <= best + QUOTED), default=len(text))
    if text[end : end + 1] and text[end] in ".!?":
        end += 1
    return best, max(end, best)
