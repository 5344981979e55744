"""The query: what is found for the typed words, in which order. The same on SQLite and PostgreSQL, because Python does the ranking.

The words that say something become concepts: a word, or a phrase with its synonyms. An entry's rank is, in this order:

1. Entries that have every concept come before those that have some.
2. The sum over the concepts of rarity × weight, times the square of the share of the concepts (by rarity) that the entry has.
   Rarity is ln(1 + entries ÷ entries with the concept). Weights are in index.py: titles over headings over key points over text.
   A synonym counts for SYNONYM_SHARE of what the typed word itself counts for.
3. Sheets before pages before glossary, then by title.

A word that stands in more than DEEPEST entries is read only in those where it weighs most, and looked up in those that another word
has found; how rare it is, is counted up to COUNTED. Up to DEEPEST entries the ranking is exact. Beyond, it is exact enough, and a
search costs no more however many sheets there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import log

from django.db import connection
from django.db.models import Q

from factsheets.approvals import check_is_open
from factsheets.models import SearchEntry, SearchPosting, State
from factsheets.search import synonyms
from factsheets.search.synonyms import Phrase
from factsheets.search.text import Word, stem, words

LOOKED_AT = 1_000  # characters of what was typed
MAX_CONCEPTS = 8
DEEPEST = 100  # entries read for one word
LOOKED_UP = 50  # entries, the best so far, in which the words that were not read whole are looked up
COUNTED = 1_000  # entries
MAX_RANKED = 100  # entries that a reader can page through
SYNONYM_SHARE = 0.7
TABLE = SearchPosting._meta.db_table
KINDS = [SearchEntry.Kind.SHEET, SearchEntry.Kind.PAGE, SearchEntry.Kind.TERM]


@dataclass(frozen=True)
class Concept:
    """What the reader asked for in one or more words: the phrases that stand for it, the typed one first."""

    typed: tuple[str, ...]  # the words as folded
    phrases: tuple[Phrase, ...]

    @property
    def stems(self) -> Phrase:
        """The stems of the typed words, one by one."""
        return tuple(stem(word) for word in self.typed)


@dataclass
class Found:
    """Numbers of entries in their order, and what the search was for."""

    entries: list[int] = field(default_factory=list)
    concepts: list[Concept] = field(default_factory=list)
    rarity: dict[Concept, float] = field(default_factory=dict)
    missing: list[Concept] = field(default_factory=list)  # concepts that stand nowhere
    there_are_more: bool = False


def find(typed: str) -> Found:
    """What is published and has the typed words, best first. Nothing typed, or nothing that is a word, finds nothing."""
    found, wanted = Found(), concepts(typed)
    if not wanted:
        return found
    index = _Index(wanted)
    matched = _matches(wanted, index)
    found.concepts = list(matched)
    total = SearchEntry.objects.count()
    spread = index.spread(matched)
    found.rarity = {concept: log(1 + total / spread[concept]) for concept in matched}
    if len(matched) > 1:
        # What one word has found may have the others too, further down than they were read.
        candidates = _best(_scores(matched, found.rarity), DEEPEST)
        index.look_up(matched, candidates[:LOOKED_UP])
        matched = {concept: index.matches(concept, candidates) for concept in matched}
    found.entries = _published(_scores(matched, found.rarity))
    found.there_are_more = len(found.entries) > MAX_RANKED or not index.is_whole
    del found.entries[MAX_RANKED:]
    found.missing = [concept for concept in matched if not matched[concept]]
    return found


def concepts(typed: str) -> list[Concept]:
    """The typed words as concepts: the longest phrase that has synonyms counts as one."""
    known = synonyms.current()
    left = words(typed[:LOOKED_AT])
    if not any(word.says_something for word in left):
        # “WHO” is a name that is all small words.
        return [Concept((word.folded,), ((word.stem,),)) for word in left[:MAX_CONCEPTS]]
    made: dict[tuple[Phrase, ...], Concept] = {}
    while left and len(made) < MAX_CONCEPTS:
        run = _longest_phrase(left, known)
        if run or left[0].says_something:
            run = run or left[:1]
            stems = tuple(word.stem for word in run if word.says_something) if len(run) > 1 else (run[0].stem,)
            phrases = tuple(known.groups.get(tuple(word.stem for word in run)) or known.groups.get(stems) or [stems])
            folded = tuple(word.folded for word in run if word.says_something)
            made.setdefault(phrases, Concept(folded, phrases))
        left = left[left.index(run[-1]) + 1 :] if run else left[1:]
    return list(made.values())


def _longest_phrase(left: list[Word], known: synonyms.Synonyms) -> list[Word]:
    """The phrase with synonyms that the words begin with, small words counted or not. Empty when there is none."""
    for words_of in (left, [word for word in left if word.says_something] if left[0].says_something else []):
        for length in range(min(known.longest, len(words_of)), 0, -1):
            if tuple(word.stem for word in words_of[:length]) in known.groups:
                return words_of[:length]
    return []


def _matches(wanted: list[Concept], index: "_Index") -> dict[Concept, dict[int, float]]:
    """The entries of each concept. A phrase that stands nowhere under any of its names is looked for word by word."""
    matched = {}
    for concept in wanted:
        entries = index.matches(concept)
        apart = [Concept((word,), ((stem(word),),)) for word in concept.typed] if len(concept.typed) > 1 else []
        if entries or not apart:
            matched[concept] = entries
        else:
            matched |= {word: index.matches(word) for word in apart}
    return matched


class _Index:
    """Reads postings for one query: the heaviest of every word at once, and later only what is missing."""

    def __init__(self, wanted: list[Concept]):
        self.best: dict[str, dict[int, int]] = {}  # stem → entry → weight
        self.places: dict[str, dict[int, str]] = {}  # the same for where it stands, of words that are part of a phrase
        phrases = [phrase for concept in wanted for phrase in concept.phrases]
        joined = {stem for phrase in phrases for stem in phrase if len(phrase) > 1}
        self._read({stem for phrase in phrases for stem in phrase} | {stem for c in wanted for stem in c.stems}, joined)
        self.all = {
            stem for stem, entries in self.best.items() if len(entries) <= DEEPEST
        }  # those that were read whole

    def _read(self, stems: set[str], joined: set[str]) -> None:
        # One statement of our own: as querysets, the fifty short reads of a long search take most of its time.
        parts, given = [], []
        for word in sorted(stems):
            self.best[word], self.places[word] = {}, {}
            columns = "stem, entry_id, weight, " + ("places" if word in joined else "''")
            best = f"SELECT {columns} FROM {TABLE} WHERE stem = %s ORDER BY weight DESC, entry_id LIMIT %s"  # noqa: S608 - our own names
            parts.append(f"SELECT * FROM ({best}) AS best")  # noqa: S608 - both are made of our own names
            given += [word, DEEPEST + 1]
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(parts), given)
            for word, entry, weight, places in cursor:
                self.best[word][entry] = weight
                self.places[word][entry] = places

    @property
    def is_whole(self) -> bool:
        return len(self.all) == len(self.best)

    def matches(self, concept: Concept, entries: list[int] | None = None) -> dict[int, float]:
        """Entries with their weight for the concept: the given ones, or those where its rarest words weigh most."""
        found: dict[int, float] = {}
        for phrase in concept.phrases:
            typed = phrase == concept.phrases[0]
            some = list(min((self.best[stem] for stem in phrase), key=len)) if entries is None else entries
            if entries is None and typed and len(phrase) > 1:
                self._fetch(phrase, some)
            for entry in some:
                # A phrase is as strong as its weakest word: “bed rest” is not about beds.
                weight = min(self.best[stem].get(entry, 0) for stem in phrase) * (1 if typed else SYNONYM_SHARE)
                if weight > found.get(entry, 0) and (len(phrase) == 1 or self._together(phrase, entry)):
                    found[entry] = weight
        return found

    def look_up(self, wanted: Iterable[Concept], entries: list[int]) -> None:
        """Reads what the given entries have of words that were not read whole."""
        self._fetch({stem for concept in wanted for phrase in concept.phrases for stem in phrase}, entries)

    def _fetch(self, stems: Iterable[str], entries: list[int]) -> None:
        cut = [stem for stem in stems if stem not in self.all]
        if cut and entries:
            rows = SearchPosting.objects.filter(entry_id__in=entries, stem__in=cut)
            for stem, entry, weight, places in rows.values_list("stem", "entry_id", "weight", "places"):
                self.best[stem][entry], self.places[stem][entry] = weight, places

    def _together(self, phrase: Phrase, entry: int) -> bool:
        """Whether one place of the entry has all words of the phrase."""
        there = ({place.partition(".")[0] for place in self.places[stem][entry].split(",")} for stem in phrase)
        return bool(set.intersection(*there))

    def spread(self, matched: dict[Concept, dict]) -> dict[Concept, int]:
        """In how many entries each concept stands, up to COUNTED. A phrase counts as often as its rarest word."""
        cut = {
            concept: [phrase for phrase in concept.phrases if not self.all.intersection(phrase)] for concept in matched
        }
        stems = sorted({stem for phrases in cut.values() for phrase in phrases for stem in phrase})
        counts = dict(zip(stems, self._count(stems), strict=True))
        return {
            concept: max([1, len(matched[concept]), *(min(counts[stem] for stem in phrase) for phrase in cut[concept])])
            for concept in matched
        }

    def _count(self, stems: list[str]) -> list[int]:
        if not stems:
            return []
        count = f"(SELECT COUNT(*) FROM (SELECT 1 FROM {TABLE} WHERE stem = %s LIMIT {COUNTED}) AS counted)"  # noqa: S608 - our own
        with connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join([count] * len(stems)), stems)
            return list(cursor.fetchone())


def _scores(matched: dict[Concept, dict[int, float]], rarity: dict[Concept, float]) -> dict[int, tuple[bool, float]]:
    """For each entry: whether it has every concept, and its score."""
    all_rarity = sum(rarity.values())
    weight: dict[int, float] = {}
    covered: dict[int, float] = {}
    count: dict[int, int] = {}
    for concept, entries in matched.items():
        for entry, strength in entries.items():
            weight[entry] = weight.get(entry, 0) + rarity[concept] * strength
            covered[entry] = covered.get(entry, 0) + rarity[concept]
            count[entry] = count.get(entry, 0) + 1
    return {
        entry: (count[entry] == len(matched), round(weight[entry] * (covered[entry] / all_rarity) ** 2, 6))
        for entry in weight
    }


def _best(scores: dict[int, tuple[bool, float]], limit: int) -> list[int]:
    return sorted(scores, key=lambda entry: (scores[entry], -entry), reverse=True)[:limit]


def _published(scores: dict[int, tuple[bool, float]]) -> list[int]:
    """The entries that anybody may read, in their final order."""
    open_to_all = Q(sheet__isnull=True) | Q(sheet__state=State.PUBLISHED)
    if not check_is_open():
        open_to_all &= ~Q(address="/check/")
    entries = SearchEntry.objects.filter(open_to_all, pk__in=scores).values_list("pk", "kind", "title", "key")

    def rank(entry):
        pk, kind, title, key = entry
        complete, score = scores[pk]
        return not complete, -score, KINDS.index(kind), title.casefold(), key

    return [entry[0] for entry in sorted(entries, key=rank)]
