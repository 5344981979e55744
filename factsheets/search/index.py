"""Keeps the search index: which words stand in what, and how much each says about it.

The weight of a word in an entry is the sum of what applies, so that each place outweighs all those below it together:

    100  it stands in the title; in a name of a glossary term or of a page: 100 ÷ the words of the name, so that “medicine” is
         not first of all “Traditional Chinese medicine”
     30  it stands in a heading
     12  it stands in a key point, the summary, or the claim of an evidence statement
   1–10  how often it stands in the text, at most ten

All writing happens in the caller's transaction, with the text that readers see. An entry whose text did not change is left alone.
"""

import hashlib
import json
from collections import Counter, defaultdict
from dataclasses import dataclass

from django.db import connection, transaction

from factsheets.models import FactSheet, GlossaryTerm, SearchEntry, SearchPassage, SearchPosting, SearchWord
from factsheets.search import pages
from factsheets.search.indexing import Passage, of_document
from factsheets.search.text import compounds, stems, words

VERSION = 2  # raise it when passages, weights or stems are made in another way: everything is then indexed anew
TITLE, HEADING, STRONG, OFTEN = 100, 30, 12, 10


def update_sheet(sheet: FactSheet) -> bool:
    """Brings the index to the sheet's document. True when something changed."""
    entry = {"key": f"sheet:{sheet.pk}", "kind": SearchEntry.Kind.SHEET, "sheet": sheet, "title": sheet.title}
    known = SearchEntry.objects.filter(key=entry["key"]).values_list("digest", flat=True).first()
    return _put(entry, [sheet.title], of_document(sheet.document), known)


def update_shared() -> int:
    """Brings the index to the glossary and the pages of the frame. Returns how many entries changed."""
    kinds = [SearchEntry.Kind.TERM, SearchEntry.Kind.PAGE]
    with transaction.atomic():
        known = dict(SearchEntry.objects.filter(kind__in=kinds).values_list("key", "digest"))
        changed = 0
        for entry, names, passages in [*_terms(), *pages.entries()]:
            changed += _put(entry, names, passages, known.pop(entry["key"], None))
        gone, _ = SearchEntry.objects.filter(key__in=known).delete()
    return changed + bool(gone)


def update_all() -> int:
    """Brings the whole index up to date. Returns how many entries changed."""
    changed = update_shared()
    for sheet in FactSheet.objects.all():
        changed += update_sheet(sheet)
    return changed


def _terms() -> list[tuple]:
    found = []
    for term in GlossaryTerm.objects.all():
        entry = {
            "key": f"term:{term.slug}",
            "kind": SearchEntry.Kind.TERM,
            "title": term.term,
            "address": f"/glossary/#{term.slug}",
        }
        also = ", ".join(term.also)
        text = f"{term.meaning} Also: {also}." if also else term.meaning
        found.append((entry, [term.term, *term.also], [Passage(text=text, spellings=also)]))
    return found


def _put(entry: dict, names: list[str], passages: list[Passage], known: str | None) -> bool:
    digest = _digest(entry["title"], entry.get("address", ""), names, [vars(each) for each in passages])
    if digest == known:
        return False
    counts = [counted(each.own_heading, each.strong, each.text) for each in passages]
    with transaction.atomic():
        # The row stays, and is locked: of two who index the same thing at once, the second waits and then starts over it.
        kept, _ = SearchEntry.objects.update_or_create(key=entry["key"], defaults=entry | {"digest": digest})
        SearchPassage.objects.filter(entry=kept).delete()
        SearchPosting.objects.filter(entry=kept).delete()
        SearchPassage.objects.bulk_create(
            [
                SearchPassage(
                    entry=kept,
                    number=number,
                    anchor=each.anchor,
                    heading=each.heading,
                    text=each.text,
                    traditional=each.traditional,
                )
                for number, each in enumerate(passages)
            ]
        )
        _write(kept, postings(names, counts, shared=kept.sheet_id is None))
        _learn(kept.title, counts, spellings=[each.spellings for each in passages])
    return True


@dataclass(frozen=True)
class Counted:
    """The stems of a passage by where they stand, how often they stand in its text, and its words as they are written."""

    headed: frozenset[str]
    strong: frozenset[str]
    often: Counter
    written: frozenset[str]


def counted(heading: str, strong: str, text: str) -> Counted:
    """Counts a passage. Depends on nothing but the three texts."""
    return Counted(
        headed=frozenset([*stems(heading), *compounds(heading)]),
        strong=frozenset([*stems(strong), *compounds(strong)]),
        often=Counter([*stems(text), *compounds(text)]),
        written=written(f"{heading} {text}"),
    )


def written(text: str) -> frozenset[str]:
    """The words of a text that “did you mean” may offer."""
    return frozenset(
        word.folded
        for word in words(text)
        if word.says_something and len(word.folded) > 2 and not word.folded.isdigit()
    )


def postings(names: list[str], counts: list[Counted], *, shared: bool = False) -> dict[str, tuple[int, str]]:
    """Each stem with its weight, and with the passages where it stands and its weight in each (“t.100,3.31,7.2”).

    “t” is the title or another name. `shared`: the words of a name share its weight.
    """
    named = _named(names, shared)
    headed, strong, often = set(), set(), Counter()
    places: dict[str, list[str]] = defaultdict(list, {stem: [f"t.{weight}"] for stem, weight in named.items()})
    for number, here in enumerate(counts):
        for stem in here.often.keys() | here.headed | here.strong:
            weight = HEADING * (stem in here.headed) + STRONG * (stem in here.strong) + min(here.often[stem], OFTEN)
            places[stem].append(f"{number}.{weight}")
        headed |= here.headed
        strong |= here.strong
        often.update(here.often)
    return {
        stem: (
            named.get(stem, 0) + HEADING * (stem in headed) + STRONG * (stem in strong) + min(often[stem], OFTEN),
            ",".join(places[stem]),
        )
        for stem in sorted(places)
    }


def _named(names: list[str], shared: bool) -> dict[str, int]:
    named: dict[str, int] = {}
    for name in names:
        here = stems(name)
        weight = TITLE // len(here) if shared and here else TITLE
        for stem in [*here, *compounds(name)]:
            named[stem] = max(weight, named.get(stem, 0))
    return named


def _write(entry: SearchEntry, rows: dict[str, tuple[int, str]]) -> None:
    # Not bulk_create: a sheet has some 500 postings, and making a model instance of each takes most of the time.
    table = SearchPosting._meta.db_table
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (stem, entry_id, weight, places) VALUES (%s, %s, %s, %s)",  # noqa: S608 - our own name
            [(stem, entry.pk, weight, places) for stem, (weight, places) in rows.items()],
        )


def _learn(title: str, counts: list[Counted], *, spellings: list[str]) -> None:
    """Adds the words as they are written to those that “did you mean” may offer, other spellings of a term left out."""
    seen = written(title).union(*(each.written for each in counts)).difference(*map(written, spellings))
    table = SearchWord._meta.db_table
    with connection.cursor() as cursor:
        cursor.executemany(
            f"INSERT INTO {table} (word) VALUES (%s) ON CONFLICT DO NOTHING",  # noqa: S608 - our own name
            [(word,) for word in sorted(seen)],
        )


def _digest(*parts) -> str:
    return hashlib.sha256(json.dumps([VERSION, *parts]).encode()).hexdigest()[:32]
