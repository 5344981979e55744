"""What a search finds, and in which order.

tantivy finds the passages and the questions that have any of the words, best first by BM25. Of these, the best are scored here:

- A question by how much of what was typed it has, and how much of it was typed (`QUESTION_SHARE`), the rare words counting most.
- A passage by how much of what was typed is in it, in its heading or title more than in its text (`STRENGTH`), and at most
  `TEXT` of what a question can reach: what patients ask weighs most.
- The place that an intent names (`intents`) gets INTENT, more than any text and less than a question typed almost as it stands;
  that of a topic gets TOPIC, enough to come before what fits badly.

A word's weight is its rarity, ln(1 + passages ÷ passages that have it) − 1. A word in every question weighs hardly anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from math import log

from tantivy import Occur, Query

from factsheets.approvals import check_is_open
from factsheets.search import intents
from factsheets.search.index import FIELDS, Index, Row, current
from factsheets.search.indexing import PAGE, SHEET, TERM, Entry
from factsheets.search.intents import Intent
from factsheets.search.synonyms import Phrase, Synonyms
from factsheets.search.text import FUNCTION, Word, indexable, words

MAX_CHARACTERS = 1_000  # of the typed words, that are looked at
MAX_CONCEPTS = 20
MAX_PASSAGES, MAX_QUESTIONS = 80, 80  # scored
MAX_ENTRIES = 100  # that a reader can page through
STRENGTH = {"title": 1.0, "heading": 0.9, "strong": 0.75, "text": 0.6}
TWICE = 0.1  # a bonus for being in two of these, so that the place that says it comes before others on its sheet
BOOST = {"title": 2.0, "heading": 3.0, "strong": 2.0, "text": 1.0}
SYNONYM_SHARE = 0.85
QUESTION_SHARE = 0.6  # the share of a question's score for what was typed; the rest is for the question
TEXT = 0.65
PART_OF_TERM, WHOLE_TERM = 0.4, 0.8  # a glossary term is for people who typed its name and little else
INTENT, TOPIC = 0.8, 0.42
NAME = 0.9  # for a glossary term or page whose name was typed, and nothing else
NAMED = 0.15  # for a question on the sheet that the search names
TELLING = 1.0  # from this weight on, a word of a title names the sheet
OTHERS = 0.1  # for other things that point to the same place
KINDS = {SHEET: 1.0, PAGE: 0.95, TERM: 0.75}
ASKING = {
    "how": 0.6,
    "when": 0.6,
    "what": 0.3,
    "should": 0.5,
    "why": 0.6,
    "who": 0.6,
    "where": 0.5,
    "can": 0.3,
    "long": 0.6,
}
SMALL, EVERYDAY = 0.15, 0.3  # the weight of other small words
COMMON = 0.7  # subtracted from every rarity, so that a word in every second passage weighs nothing
MIN_WEIGHT = 0.3  # for a word that is nearly everywhere, such as “back”
GOOD = 0.34  # below this, nothing good was found
MIN_SCORE = 0.3  # the fraction of the best score below which results are not shown


@dataclass(frozen=True)
class Concept:
    """Something the reader asked for in one or more words: the phrases for it, beginning with the typed one."""

    typed: tuple[str, ...]  # the words as folded
    phrases: tuple[Phrase, ...]

    @cached_property
    def meaning(self) -> frozenset[Phrase]:
        """The same for every word of a group of synonyms."""
        return frozenset(self.phrases)


@dataclass
class Place:
    """A passage found, and how well it answers."""

    entry: Entry
    number: int
    score: float = 0.0
    answers: bool = False  # through a question or an intent, so its first sentences are the answer
    others: float = 0.0

    @property
    def passage(self):
        return self.entry.passages[self.number]

    @property
    def total(self) -> float:
        return (self.score + OTHERS * self.others) * KINDS[self.entry.kind]

    def add(self, score: float, *, answers: bool) -> None:
        if score > self.score:
            self.score, self.others = score, self.others + self.score
            self.answers = answers
        else:
            self.others += score


@dataclass
class Found:
    """The entries in order, each with its places, best first; and what the search was for."""

    entries: list[list[Place]] = field(default_factory=list)
    concepts: list[Concept] = field(default_factory=list)
    telling: list[Concept] = field(default_factory=list)  # those that are not nearly everywhere
    missing: list[Concept] = field(default_factory=list)  # concepts that occur nowhere
    intent: Intent | None = None
    related: list[tuple[str, Place]] = field(default_factory=list)  # other questions, with where they are answered
    best: float = 0.0  # without entries that only a topic brings

    @property
    def is_good(self) -> bool:
        return self.best >= GOOD


def find(typed: str) -> Found:
    """Published content with the typed words, best first. Without any words, nothing."""
    index, found = current(), Found()
    asked = _Asked(typed[:MAX_CHARACTERS], index)
    if not asked.weights:
        return found
    found.concepts = asked.concepts
    found.telling = [each for each in asked.concepts if asked.weights[each.meaning] >= TELLING] or asked.concepts
    found.missing = [concept for concept in asked.concepts if not asked.spread(concept)]
    places: dict[tuple[str, int], Place] = {}

    def place(entry: Entry, number: int) -> Place:
        return places.setdefault((entry.key, number), Place(entry, number))

    similar: dict[tuple[str, int], tuple[float, str]] = {}
    for row in asked.search(["question"], MAX_QUESTIONS):
        score = asked.similarity(row.question) + NAMED * asked.names(row.entry)
        if score > similar.get((row.entry.key, row.number), (0.0, ""))[0]:
            similar[row.entry.key, row.number] = score, row.question
            entry = row.entry
            place(entry, row.number)
    for key, (score, _) in similar.items():
        places[key].add(score, answers=True)
    for row in asked.search(FIELDS, MAX_PASSAGES):
        if score := asked.coverage(row):
            share = PART_OF_TERM if row.entry.kind == TERM and score < WHOLE_TERM else TEXT
            place(row.entry, row.number).add(score * share, answers=False)
    if named := index.named.get(tuple(word.stem for word in words(typed[:MAX_CHARACTERS]))):
        place(*named).add(NAME, answers=False)
    found.intent, topic = intents.read(typed[:MAX_CHARACTERS])
    if found.intent and (target := _target(index, found.intent.first)):
        place(*target).add(INTENT, answers=True)
    if not check_is_open():
        places = {key: each for key, each in places.items() if each.entry.address != "/check/"}
        similar = {key: each for key, each in similar.items() if key in places}
    found.best = max((each.total for each in places.values()), default=0.0)
    if topic and (target := _target(index, topic.first)):
        place(*target).add(TOPIC, answers=True)
    found.entries = _grouped(places.values())
    found.related = _related(similar, places, found)
    return found


class _Asked:
    """The typed words, weighed against one index."""

    def __init__(self, typed: str, index: Index):
        self.index = index
        self.concepts, self.small = parse(typed, index.synonyms)
        self.concepts = self.concepts[:MAX_CONCEPTS]
        self.weights = self._weights(self.concepts, self.small)
        self.total = sum(self.weights.values())
        self.named: dict[str, bool] = {}

    def _weights(self, concepts: list[Concept], small: set[str]) -> dict:
        weights = {concept.meaning: self.rarity(concept) for concept in concepts}
        return weights | {word: ASKING.get(word, SMALL if word in FUNCTION else EVERYDAY) for word in small}

    def spread(self, concept: Concept) -> int:
        """How many passages and questions have it."""
        known, meaning = self.index.spreads, concept.meaning
        if meaning not in known:
            count, seen = self.index.searcher.doc_freq, (*FIELDS, "question")
            each = (min(max(count(name, stem) for name in seen) for stem in phrase) for phrase in concept.phrases)
            known[meaning] = min(sum(each), len(self.index.rows))
        return known[meaning]

    def rarity(self, concept: Concept) -> float:
        spread = self.spread(concept)
        return max(MIN_WEIGHT, log(1 + len(self.index.rows) / max(spread, 1)) - COMMON)

    def search(self, fields: Iterable[str], limit: int) -> list[Row]:
        """The rows that have any of the words in one of the fields."""
        schema, fields = self.index.engine.schema, list(fields)

        def word(stem: str) -> Query:
            each = [Query.boost_query(Query.term_query(schema, name, stem), BOOST.get(name, 1.0)) for name in fields]
            return Query.disjunction_max_query(each, 0.1) if len(each) > 1 else each[0]

        clauses = []
        for concept in self.concepts:
            for phrase in concept.phrases:
                query = Query.boolean_query([(Occur.Must, word(stem)) for stem in phrase])
                clauses.append((Occur.Should, query))
        if fields == ["question"]:
            clauses += [(Occur.Should, Query.boost_query(word(small), 0.1)) for small in self.small]
        if not clauses:
            return []
        hits = self.index.searcher.search(Query.boolean_query(clauses), limit, count=False).hits
        return [self.index.rows[self.index.searcher.doc(address)["row"][0]] for _, address in hits]

    def similarity(self, question: str) -> float:
        """From 0 to 1: how many of the typed words the question has, and the other way round."""
        theirs, total = self._weighed(question)
        shared = sum(self.weights[what] for what in self.weights.keys() & theirs.keys())
        whole = QUESTION_SHARE * self.total + (1 - QUESTION_SHARE) * total
        return min(1.0, shared / whole) if whole else 0.0

    def names(self, entry: Entry) -> bool:
        """Whether the title has a rare word of the search."""
        if entry.key not in self.named:
            stems = {word.stem for word in words(entry.title)}
            rare = [concept for concept in self.concepts if self.weights[concept.meaning] > TELLING]
            self.named[entry.key] = any(stems.issuperset(phrase) for each in rare for phrase in each.phrases)
        return self.named[entry.key]

    def _weighed(self, question: str) -> tuple[dict, float]:
        known = self.index.weighed
        if question not in known:
            weights = self._weights(*parse(question, self.index.synonyms))
            known[question] = weights, sum(weights.values())
        return known[question]

    def coverage(self, row: Row) -> float:
        """From 0 to 1: how many of the typed words are in the passage, and how prominently."""
        there = self._strengths(row)
        found = there_is = 0.0
        for concept in self.concepts:
            best = 0.0
            for number, phrase in enumerate(concept.phrases):
                share = 1.0 if number == 0 else SYNONYM_SHARE
                best = max(best, share * min(there.get(stem, 0.0) for stem in phrase))
            found += self.weights[concept.meaning] * best
            there_is += self.weights[concept.meaning] * bool(best)
        total = self.total
        # Having every word counts more than having one of them many times.
        return found / total * (1 + there_is / total) / 2

    def _strengths(self, row: Row) -> dict[str, float]:
        known, passage = self.index.strengths, row.passage
        if id(passage) not in known:
            names = row.entry.names
            texts = {"text": passage.text, "strong": passage.strong, "title": names[0], "heading": passage.own_heading}
            made: dict[str, float] = {}
            for name, text in texts.items():
                for stem in {word.stem for word in words(indexable(text))}:
                    before = made.get(stem, 0.0)
                    made[stem] = max(before, STRENGTH[name]) + (TWICE if before else 0.0)
            for name in names[1:] if row.entry.kind != SHEET else ():
                # The words of a name share its weight, because “medicine” does not mainly mean “Traditional Chinese medicine”.
                here = {word.stem for word in words(indexable(name))}
                for stem in here:
                    made[stem] = max(made.get(stem, 0.0), 1.0 if len(here) == 1 else 0.7 + 0.3 / len(here))
            known[id(passage)] = made
        return known[id(passage)]


def parse(text: str, synonyms: Synonyms) -> tuple[list[Concept], set[str]]:
    """The words as concepts, with the longest phrase that has synonyms as one, and the remaining small words."""
    left, small = words(text), set()
    if len(left) == 1 and not left[0].says_something:
        # “WHO” is a name, although it is also a small word.
        return [Concept((left[0].folded,), ((left[0].stem,),))], set()
    made: dict[frozenset[Phrase], Concept] = {}
    while left:
        run = _longest_phrase(left, synonyms)
        if run or left[0].says_something:
            run = run or left[:1]
            stems = tuple(word.stem for word in run if word.says_something) if len(run) > 1 else (run[0].stem,)
            stems = stems or tuple(word.stem for word in run)
            phrases = synonyms.groups.get(tuple(word.stem for word in run)) or synonyms.groups.get(stems) or [stems]
            concept = Concept(tuple(word.folded for word in run if word.says_something), tuple(phrases))
            made.setdefault(concept.meaning, concept)
            left = left[left.index(run[-1]) + 1 :]
        else:
            small.add(left[0].stem)
            left = left[1:]
    return list(made.values()), small


def _longest_phrase(left: list[Word], known: Synonyms) -> list[Word]:
    """The phrase with synonyms with which the words begin, with or without small words. Empty if there is none."""
    saying = [word for word in left if word.says_something] if left and left[0].says_something else []
    for these in (left, saying):
        for length in range(min(known.longest, len(these)), 0, -1):
            if tuple(word.stem for word in these[:length]) in known.groups:
                return these[:length]
    return []


def _target(index: Index, places: Iterable[str]) -> tuple[Entry, int] | None:
    return next(filter(None, (index.locate(place) for place in places)), None)


def _grouped(places: Iterable[Place]) -> list[list[Place]]:
    """By entry, best first, without those far below the best."""
    grouped: dict[str, list[Place]] = {}
    for place in places:
        grouped.setdefault(place.entry.key, []).append(place)
    for group in grouped.values():
        group.sort(key=lambda place: (-place.total, place.number))
    order = sorted(grouped.values(), key=lambda group: (-group[0].total, group[0].entry.title.casefold()))
    least = MIN_SCORE * order[0][0].total if order else 0
    return [group for group in order if group[0].total >= least][:MAX_ENTRIES]


def _related(similar: dict, places: dict, found: Found, most: int = 4) -> list[tuple[str, Place]]:
    """The next best questions, one for each place, without the one that is answered first."""
    answered = (found.entries[0][0].entry.key, found.entries[0][0].number) if found.entries else None
    best = sorted((-score, question, key) for key, (score, question) in similar.items() if key != answered)
    return [(question, places[key]) for _, question, key in best[:most]]
