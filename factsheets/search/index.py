"""This process's search index: tantivy, in memory, for one state of the content.

Every search asks the database for the content's token (`ContentVersion`). When that has changed, only what differs is indexed
again: of each sheet the database gives a digest, and a document is read only when its digest is another. So an edit is found by the
very next search, in every process, without a table of its own. In the web server a thread looks for a new token each second
(`keep_fresh`), so that readers seldom wait for it.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import tantivy
from django.db import close_old_connections
from django.db.models import F, TextField
from django.db.models.functions import MD5, Cast

from factsheets.models import ContentVersion, FactSheet, FormerAddress, GlossaryTerm, SearchQuestions
from factsheets.search import pages, synonyms
from factsheets.search.indexing import SHEET, TERM, Entry, Passage, of_sheet
from factsheets.search.synonyms import Synonyms
from factsheets.search.text import ANALYZER, indexable, words

FIELDS = ("title", "heading", "strong", "text")
HEAP = 15_000_000  # bytes that tantivy's writer may use, the minimum it accepts
LOOKED_FOR_EACH = 1.0  # seconds between two looks at the token

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Row:
    """One hit: a passage, or one of the questions that it answers."""

    entry: Entry
    number: int  # of the passage
    question: str = ""

    @property
    def passage(self) -> Passage:
        return self.entry.passages[self.number]


@dataclass
class Index:
    """What can be found, for one content version. Never changed once it is in use."""

    token: str = ""
    engine: tantivy.Index | None = None
    searcher: tantivy.Searcher | None = None
    digests: dict[str, str] = field(default_factory=dict)
    entries: dict[str, Entry] = field(default_factory=dict)
    rows: dict[int, Row] = field(default_factory=dict)
    numbers: dict[str, range] = field(default_factory=dict)  # the rows of each entry
    next_row: int = 0
    vocabulary: frozenset[str] = frozenset()  # every word of ours, as written
    dead: tuple[str, ...] = ()  # places that questions name but no page has
    former: dict[str, str] = field(default_factory=dict)  # former addresses of sheets
    synonyms: Synonyms = field(default_factory=Synonyms)
    named: dict[tuple[str, ...], tuple[Entry, int]] = field(default_factory=dict)  # terms and pages by their stems
    # What the query has worked out about each question or passage.
    weighed: dict[str, tuple] = field(default_factory=dict)
    spreads: dict[frozenset, int] = field(default_factory=dict)
    strengths: dict[int, dict[str, float]] = field(default_factory=dict)

    def locate(self, place: str) -> tuple[Entry, int] | None:
        """The passage at “sheet#place” or “/page/#place”, or a former address of it. None if there is no such place."""
        page, _, anchor = place.partition("#")
        entry = self.entries.get(f"page:{page}") or self.entries.get(f"sheet:{self.former.get(page, page)}")
        return (entry, entry.addresses[anchor]) if entry and anchor in entry.addresses else None


_kept = Index()
_updating = threading.Lock()


def current() -> Index:
    """The index of the present content."""
    global _kept
    token = ContentVersion.now()
    kept = _kept
    if kept.engine is None or kept.token != token:
        with _updating:
            kept = _kept
            if kept.engine is None or kept.token != token:
                _kept = kept = _updated(kept, token)
    return kept


def keep_fresh() -> None:
    """Starts the thread that updates the index before a reader needs it. For the web server's workers."""
    threading.Thread(target=_watch, name="search index", daemon=True).start()


def _watch() -> None:
    while True:
        try:
            close_old_connections()
            current()
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread goes on
            # A search that comes meanwhile makes the index itself, and reports what is wrong.
            logger.warning("The search index could not be brought up to date: %s", type(error).__name__)
        time.sleep(LOOKED_FOR_EACH)


def _updated(old: Index, token: str) -> Index:
    engine = old.engine or _new_engine()
    former = dict(FormerAddress.objects.values_list("slug", "sheet__slug"))
    asked = _asked(former)
    digests, make = _wanted(asked)
    changed = [key for key, digest in digests.items() if old.digests.get(key) != digest]
    gone = [key for key in old.digests if key not in digests]
    new = Index(token, engine, next_row=old.next_row, digests=digests, former=former)
    new.entries = {key: old.entries[key] for key in digests if key in old.entries}
    new.entries |= {entry.key: entry for entry in make(changed)}
    new.numbers = {key: numbers for key, numbers in old.numbers.items() if key not in {*changed, *gone}}
    new.rows = {number: old.rows[number] for numbers in new.numbers.values() for number in numbers}
    writer = engine.writer(heap_size=HEAP, num_threads=1)
    for key in (*changed, *gone):
        writer.delete_documents_by_term("entry", key)
    for key in changed:
        _add(writer, new, new.entries[key])
    writer.commit()
    writer.wait_merging_threads()
    engine.reload()
    new.searcher = engine.searcher()
    new.named = {
        tuple(word.stem for word in words(name)): (entry, 0)
        for entry in new.entries.values()
        if entry.kind != SHEET
        for name in entry.names
    }
    new.synonyms = synonyms.read()
    new.vocabulary = _vocabulary(new)
    places = (f"{page}#{anchor}" if anchor else page for page, anchors in asked.items() for anchor in anchors)
    new.dead = tuple(sorted(place for place in places if not new.locate(place)))
    return new


def _new_engine() -> tantivy.Index:
    schema = tantivy.SchemaBuilder()
    schema.add_integer_field("row", stored=True)
    schema.add_text_field("entry", tokenizer_name="raw")
    for name in (*FIELDS, "question"):
        schema.add_text_field(name, tokenizer_name="words")
    engine = tantivy.Index(schema.build())
    engine.register_tokenizer("words", ANALYZER)
    return engine


def _add(writer: tantivy.IndexWriter, new: Index, entry: Entry) -> None:
    rows = [Row(entry, number) for number in range(len(entry.passages))]
    rows += [Row(entry, number, asked) for number, questions in entry.questions.items() for asked in questions]
    names = indexable(". ".join(entry.names))
    for number, row in enumerate(rows, start=new.next_row):
        if row.question:
            texts = {"question": indexable(row.question)}
        else:
            passage = row.passage
            texts = {
                "title": names,
                "heading": indexable(passage.own_heading),
                "strong": indexable(passage.strong),
                "text": indexable(passage.text),
            }
        writer.add_document(tantivy.Document(row=number, entry=entry.key, **texts))
        new.rows[number] = row
    new.numbers[entry.key] = range(new.next_row, new.next_row + len(rows))
    new.next_row += len(rows)


def _wanted(asked: dict) -> tuple[dict[str, str], Callable[[list[str]], list[Entry]]]:
    """The digest of everything that can be found, and the function that makes the entries of some of it."""
    digests, shared = {}, {}
    for entry in [*_terms(), *pages.entries()]:
        shared[entry.key] = entry
        entry.questions = _answered(entry, asked.get(entry.address, {}))
        digests[entry.key] = _digest(entry)
    sheets = FactSheet.objects.published().annotate(digest=MD5(Cast(F("document"), TextField())))
    for slug, title, digest in sheets.values_list("slug", "title", "digest").order_by("pk"):
        digests[f"sheet:{slug}"] = _digest((title, digest, asked.get(slug)))

    def make(keys: list[str]) -> list[Entry]:
        made = [shared[key] for key in keys if key in shared]
        slugs = [key.partition(":")[2] for key in keys if key not in shared]
        for start in range(0, len(slugs), 100):
            found = FactSheet.objects.filter(slug__in=slugs[start : start + 100])
            for slug, title, document in found.values_list("slug", "title", "document"):
                entry = of_sheet(slug, title, document)
                entry.questions = _answered(entry, asked.get(slug, {}))
                made.append(entry)
        return made

    return digests, make


def _asked(former: dict[str, str]) -> dict[str, dict[str, list[str]]]:
    """What people ask, by the sheet's slug or the page's address, and by the place on it."""
    asked: dict[str, dict[str, list[str]]] = {}
    for place, questions in SearchQuestions.objects.values_list("place", "questions"):
        page, _, anchor = place.partition("#")
        asked.setdefault(former.get(page, page), {})[anchor] = questions
    return asked


def _answered(entry: Entry, asked: dict[str, list[str]]) -> dict[int, list[str]]:
    """The questions, by the passage that answers them. If a place no longer exists, its questions lead to the top of the page."""
    found: dict[int, list[str]] = {}
    for anchor, questions in asked.items():
        found.setdefault(entry.addresses.get(anchor, 0), []).extend(questions)
    return found


def _terms() -> list[Entry]:
    found = []
    for slug, term, also, meaning in GlossaryTerm.objects.values_list("slug", "term", "also", "meaning"):
        text = f"{meaning} Also: {', '.join(also)}." if also else meaning
        found.append(Entry(f"term:{slug}", TERM, term, f"/glossary/#{slug}", [term, *also], [Passage(text=text)]))
    return found


def _vocabulary(new: Index) -> frozenset[str]:
    """The words of all entries and synonyms, as written."""
    return new.synonyms.words.union(*(entry.own_words for entry in new.entries.values()))


def _digest(what) -> str:
    return hashlib.sha256(repr(what).encode()).hexdigest()
