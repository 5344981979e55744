"""The words of a whole sheet as one value: to keep, compare and restore."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import takewhile

from django.db import transaction
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.text import Truncator

from factsheets.models import (
    Claim,
    Direction,
    FactSheet,
    Figure,
    Grade,
    Question,
    RelatedSheet,
    Section,
    SectionKind,
    Source,
    SourceUse,
    Statement,
    StatementUse,
    Topic,
    Tradition,
)
from factsheets.models.section import GAP, Aspect, Layer, section_name
from factsheets.models.sheet import SheetKind
from factsheets.rendering.document import verdict_of
from factsheets.rendering.markdown import CITATION, EMPHASIS, STRONG, BodyError, as_read

SHEET = {
    "title": "Title",
    "summary": "Summary",
    "audience": "Who it is for",
    "kind": "Kind of sheet",
    "in_short": "In short",
    "lead_figure": "First drawing",
    "key_points": "Key points",
    "treatment_offered": "Interest statement",
    "topic": "Topic",
    "evidence_checked_on": "Evidence checked",
}
SECTION = {
    "layer": "layer",
    "question": "question",
    "kind": "kind",
    "view": "view",
    "aspect": "what it is about",
    "heading": "heading",
    "body": "text",
    "figure": "drawing",
    "claim_refs": "claims it rests on",
    "former_slugs": "former addresses",
}
# What a sheet and a section say when an edition says nothing of it: those from before there were layers do not.
UNSAID = {
    "in_short": "",
    "lead_figure": None,
    "evidence_checked_on": "",
    "layer": Layer.LEAFLET.value,
    "question": "",
    "former_slugs": [],
    "burden": "",
}
STATEMENT = {
    "treatment": "treatment",
    "condition": "condition",
    "comparison": "comparison",
    "claim": "claim",
    "detail": "text",
    "grade": "how sure we are",
    "direction": "what was found",
    "nice_position": "NICE’s position",
    "burden": "what it costs the reader",
    "sources": "sources",
    "claim_refs": "claims it rests on",
}
# Of all these, what is written in Markdown.
MARKED = {
    "in_short": SHEET["in_short"],
    "key_points": SHEET["key_points"],
    "body": SECTION["body"],
    "detail": STATEMENT["detail"],
}
WHOLE = "statement of evidence"
# What is kept as a code, as the desk calls it.
LABELS = {
    "layer": dict(Layer.choices),
    "question": dict(Question.choices),
    "view": dict(Tradition.choices),
    "aspect": dict(Aspect.choices),
    "grade": {"": "guidance, not graded", **dict(Grade.choices)},
    "direction": dict(Direction.choices),
    "kind": {**dict(SectionKind.choices), **dict(SheetKind.choices)},
}
# And what is kept as the key of another record: its model, the key, and what people know it by.
NAMED = {
    "topic": (Topic, "slug", "title"),
    "lead_figure": (Figure, "slug", "title"),
    "figure": (Figure, "slug", "title"),
}
# Words that are kept with hyphens between them.
HYPHENATED = {"treatment", "condition", "comparison"}
# Changes to these are the editors' own book-keeping: no reader sees them.
UNSEEN = {SHEET["kind"]} | {
    (SECTION | STATEMENT)[name]
    for name in ("claim_refs", "aspect", "former_slugs", "treatment", "condition", "comparison")
}


MAX_IN_A_LINE = 120  # characters of a value


def became(what: str, before: str, after: str) -> str:
    """A change in one line, such as “Name: “Ann” became “Bea””. Of long texts, what is around the first difference."""
    before, after = " ".join(before.split()), " ".join(after.split())
    start = 0
    if max(len(before), len(after)) > MAX_IN_A_LINE:
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
        start = max(same - MAX_IN_A_LINE // 3, 0)
    return f"{what}: {_shortened(before, start)} became {_shortened(after, start)}"


def _shortened(text: str, start: int) -> str:
    part = text[start : start + MAX_IN_A_LINE]
    said = f"{'…' if start else ''}{part}{'…' if start + MAX_IN_A_LINE < len(text) else ''}"
    return f"“{said}”" if text else "nothing"


class CannotPutBack(Exception):
    """An edition names something that is no longer there. The text says what."""


def snapshot(sheet: FactSheet) -> dict:
    """Everything an author wrote in the sheet, in order, with other records by their natural keys."""
    sections = sheet.sections.select_related("figure").prefetch_related("statement_uses__statement__sources")
    return {
        "sheet": _said(
            {name: getattr(sheet, name) for name in SHEET}
            | {
                "topic": sheet.topic.slug,
                "lead_figure": sheet.lead_figure.slug if sheet.lead_figure else None,
                "evidence_checked_on": checked.isoformat() if (checked := sheet.evidence_checked_on) else "",
            }
        ),
        "sections": [_section(section) for section in sections],
        "related": [{"to": link.to.slug, "reason": link.reason} for link in sheet.related.select_related("to")],
        # Nothing for none: editions from before sheets said it are the same as now.
        **({"findings": findings} if (findings := _findings(sheet)) else {}),
    }


def _findings(sheet: FactSheet) -> dict[str, str]:
    return dict(sheet.source_uses.values_list("source__key", "finding"))


def _section(section: Section) -> dict:
    return {
        "slug": section.slug,
        **_said({name: getattr(section, name) for name in SECTION if name != "figure"}),
        "figure": section.figure.slug if section.figure else None,
        "evidence": [
            {
                "key": statement.key,
                **{name: getattr(statement, name) for name in STATEMENT if name != "sources"},
                "sources": sorted(source.key for source in statement.sources.all()),
            }
            for statement in section.evidence
        ],
    }


def _said(values: dict) -> dict:
    """The values without those that an edition need not say: editions from before there were layers are the same as now."""
    return {name: value for name, value in values.items() if name not in UNSAID or value != UNSAID[name]}


def put_back(sheet: FactSheet, content: dict) -> None:
    """Makes the sheet's rows match `content`. Raises CannotPutBack, and then nothing has changed.

    Statements of evidence come back to their places with the words they have today: other sheets show them too.
    What the studies found stays as it is when the edition is from before sheets said it.
    """
    with transaction.atomic():
        # An edition from before sheets had kinds leaves the kind as it is.
        fields = {"kind": sheet.kind, **UNSAID, **content["sheet"]}
        fields["evidence_checked_on"] = date.fromisoformat(said) if (said := fields["evidence_checked_on"]) else None
        fields["topic"] = _find(Topic, "slug", fields["topic"], "topic")
        fields["lead_figure"] = _figure(fields["lead_figure"])
        for name in SHEET:
            setattr(sheet, name, fields[name])
        sheet.save(update_fields=list(SHEET))
        sheet.sections.exclude(slug__in=[each["slug"] for each in content["sections"]]).delete()
        for number, each in enumerate(content["sections"], start=1):
            _put_back_section(sheet, each, position=number * GAP)
        sheet.related.all().delete()
        for number, link in enumerate(content["related"], start=1):
            to = _find(FactSheet, "slug", link["to"], "related sheet")
            RelatedSheet.objects.create(sheet=sheet, to=to, reason=link["reason"], position=number * GAP)
        if "findings" in content:
            sheet.source_uses.all().delete()
            for key, finding in content["findings"].items():
                source = _find(Source, "key", key, "source")
                SourceUse.objects.create(sheet=sheet, source=source, finding=finding)


def reworded(before: dict, after: dict) -> list[str]:
    """The claims of statements that both snapshots have, with different words."""
    was, now = (
        {each["key"]: each for section in content["sections"] for each in section.get("evidence", [])}
        for content in (before, after)
    )
    return [each["claim"] for key, each in now.items() if key in was and was[key]["detail"] != each["detail"]]


def _put_back_section(sheet: FactSheet, kept: dict, position: int) -> None:
    kept = {**UNSAID, **kept}
    fields = {name: kept[name] for name in SECTION}
    fields["figure"] = _figure(kept["figure"])
    section, _ = Section.objects.update_or_create(
        sheet=sheet, slug=kept["slug"], defaults={**fields, "position": position}
    )
    # Two of before the statements were shared may have become one.
    keys = list(dict.fromkeys(each["key"] for each in kept["evidence"]))
    section.statement_uses.exclude(statement__key__in=keys).delete()
    for number, key in enumerate(keys, start=1):
        statement = _find(Statement, "key", key, "statement of evidence")
        StatementUse.objects.update_or_create(section=section, statement=statement, defaults={"position": number * GAP})


def _figure(slug: str | None) -> Figure | None:
    return _find(Figure, "slug", slug, "drawing") if slug else None


def _find(model, name: str, value: str, word: str):
    found = model.objects.filter(**{name: value}).first()
    if found is None:
        raise CannotPutBack(f"The {word} {value} is no longer there. Add it again first.")
    return found


# --- what changed ---


def is_marked(model, name: str) -> bool:
    """Whether the field is written in Markdown."""
    return model in {FactSheet, Section, Statement} and name in MARKED


SHEET_ITSELF = "The sheet"
# Where a page has what belongs to the sheet itself.
PLACES = {SHEET[name]: name.replace("_", "-") for name in ("in_short", "key_points", "audience")}
RELATED, FINDINGS = "Related pages", "What the studies found"
PLACES |= {RELATED: "related", FINDINGS: "sources"}


@dataclass(frozen=True)
class Change:
    """One difference between two kept states. `before` and `after` are text; one of them is empty when a part came or went."""

    part: str
    field: str
    before: str
    after: str
    statement: str = ""
    at: str = ""  # the address on the page of what changed, where it has one
    marked: bool = False  # the texts are Markdown

    @property
    def words(self) -> list[tuple[str, str]]:
        """The texts as runs of ("same" | "gone" | "new", words), as a reader sees them."""
        return words_apart(self.before, self.after, marked=self.marked)

    @property
    def seen_by_readers(self) -> bool:
        return self.field not in UNSEEN


def changes(before: dict, after: dict) -> list[Change]:
    """Every difference between two snapshots, in reading order, in words and not in keys."""
    found = [
        Change(SHEET_ITSELF, words, *said, at=PLACES.get(words, ""), marked=name in MARKED)
        for name, words in SHEET.items()
        if (said := _said_of(name, before["sheet"].get(name), after["sheet"].get(name)))
    ]
    old = {section["slug"]: section for section in before["sections"]}
    new = {section["slug"]: section for section in after["sections"]}
    for slug, section in new.items():
        found += _section_changes(old.get(slug), section)
    for slug, section in old.items():
        if slug not in new:
            found += _section_changes(section, None)
    stayed = [slug for slug in old if slug in new], [slug for slug in new if slug in old]
    if stayed[0] != stayed[1]:
        names = [", ".join(_name(new[slug]) for slug in order) for order in stayed]
        found.append(Change(SHEET_ITSELF, "Order of the sections", *names))
    if before["related"] != after["related"]:
        links = [[(link["to"], link["reason"]) for link in each["related"]] for each in (before, after)]
        titles = _names(FactSheet, "slug", "title", {slug for each in links for slug, _ in each})
        said = _apart(links, lambda pair: f"{titles.get(pair[0], pair[0])}: {pair[1]}", ": ".join)
        found.append(Change(SHEET_ITSELF, RELATED, *said, at=PLACES[RELATED]))
    studies = [sorted(each.get("findings", {}).items()) for each in (before, after)]
    if studies[0] != studies[1]:
        titles = titles_of({key for each in studies for key, _ in each})
        said = _apart(studies, lambda pair: f"{titles.get(pair[0], pair[0])}: {pair[1]}", ": ".join)
        found.append(Change(SHEET_ITSELF, FINDINGS, *said, at=PLACES[FINDINGS]))
    return found


def _section_changes(before: dict | None, after: dict | None) -> list[Change]:
    if before == after:
        return []
    part, slug = _name(after or before), (after or before)["slug"]
    old, new = before or {}, after or {}
    found = [
        Change(part, words, *said, at=slug, marked=name in MARKED)
        for name, words in SECTION.items()
        if (said := _said_of(name, old.get(name), new.get(name)))
        # Of a section that came or went, that it tells no tradition says nothing.
        and not (name == "view" and not (before and after) and Tradition.NEITHER in {old.get(name), new.get(name)})
    ]
    statements = [{each["key"]: each for each in section.get("evidence", [])} for section in (old, new)]
    for key in dict.fromkeys([*statements[1], *statements[0]]):
        was, now = statements[0].get(key), statements[1].get(key)
        found += [
            Change(
                part, words, *said, statement=(now or was)["claim"], at=slug, marked=words in {MARKED["detail"], WHOLE}
            )
            for words, *said in _statement_changes(was, now)
        ]
    orders = [[key for key in each if key in other] for each, other in (statements, statements[::-1])]
    if orders[0] != orders[1]:
        said = ["\n".join(statements[1][key]["claim"] for key in order) for order in orders]
        found.append(Change(part, "order of the statements", *said, at=slug))
    return found


def _statement_changes(was: dict | None, now: dict | None) -> Iterator[tuple[str, str, str]]:
    """The field, and what it said and says, of a statement; or all of one that came or went, as readers see it."""
    if was is None or now is None:
        yield WHOLE, _whole(was), _whole(now)
        return
    verdicts = verdict_in_words(was), verdict_in_words(now)
    if verdicts[0] != verdicts[1]:
        yield "verdict", *verdicts
    for name, words in STATEMENT.items():
        # The verdict says what was found and how sure we are; what is behind it is told where it says the same.
        if name in {"grade", "direction"} and verdicts[0] != verdicts[1]:
            continue
        if said := _said_of(name, was.get(name), now.get(name)):
            yield words, *said


def verdict_in_words(statement: dict) -> str:
    given = {name: statement.get(name, "") for name in ("grade", "direction", "nice_position")}
    known = given["direction"] in Direction.values and given["grade"] in {"", *Grade.values}
    return verdict_of(Statement(**given)) if known else f"{given['direction']} {given['grade']}".strip()


def _whole(statement: dict | None) -> str:
    if statement is None:
        return ""
    sources = titles_of(set(statement.get("sources", [])))
    said = [
        verdict_in_words(statement),
        *(statement.get(name, "").strip() for name in ("detail", "nice_position", "burden")),
    ]
    return "\n\n".join([*filter(None, said), *(sources.get(key, key) for key in statement.get("sources", []))])


def _said_of(name: str, before, after) -> list[str]:
    """What a field said and says, in words. Empty where that is the same."""
    was, now = _text(before), _text(after)
    if was == now:
        return []
    if name == "sources":
        titles = titles_of({*(before or []), *(after or [])})
        return _apart([before or [], after or []], lambda key: titles.get(key, key), str)
    if name == "claim_refs":
        return claims_in_words(before, after)
    if name in HYPHENATED:
        return [was.replace("-", " "), now.replace("-", " ")]
    if name in NAMED:
        names = _names(*NAMED[name], {was, now} - {""})
        return _apart([[was] if was else [], [now] if now else []], lambda key: names.get(key, key), str)
    if name == "evidence_checked_on":
        return [f"{date.fromisoformat(said):%-d %B %Y}" if said else "" for said in (was, now)]
    known = LABELS.get(name, {})
    return [known.get(said, said) if value is not None else "" for said, value in ((was, before), (now, after))]


def claims_in_words(*both: list[str] | None) -> list[str]:
    """Rows of the claim ledger as what they say, a line each, with the row's number that names them."""
    rows = {ref for refs in both for ref in refs or []}
    said = dict(Claim.objects.filter(ref__in=rows).values_list("ref", "statement")) if rows else {}
    return ["\n".join(f"{Truncator(said.get(ref, 'row')).words(14)} ({ref})" for ref in refs or []) for refs in both]


def _apart(both: list, in_words: Callable, as_kept: Callable) -> list[str]:
    """Both lists in words, a line each; by their keys where the words would not tell them apart."""
    said = ["\n".join(map(in_words, each)) for each in both]
    return said if said[0] != said[1] else ["\n".join(map(as_kept, each)) for each in both]


def _names(model, key: str, name: str, wanted: set[str]) -> dict[str, str]:
    return dict(model.objects.filter(**{f"{key}__in": wanted}).values_list(key, name)) if wanted else {}


def titles_of(keys: set[str]) -> dict[str, str]:
    """Sources by their short titles, such as “Low back pain and sciatica in over 16s (2016)”."""
    rows = Source.objects.filter(key__in=keys).values_list("key", "title", "year") if keys else ()
    return {key: f"{Truncator(title).chars(90)}{f' ({year})' if year else ''}" for key, title, year in rows}


def summary(before: dict, after: dict) -> list[str]:
    """What changed for a reader, a line for each part: “Changed: How long it lasts”. Empty when a reader sees no difference."""
    old = {section["slug"]: _heading(section) for section in before["sections"]}
    new = {section["slug"]: _heading(section) for section in after["sections"]}
    added = [name for slug, name in new.items() if slug not in old]
    removed = [name for slug, name in old.items() if slug not in new]
    changed = [
        change.field if change.part == SHEET_ITSELF else new[change.at]
        for change in changes(before, after)
        if change.seen_by_readers and (change.part == SHEET_ITSELF or change.at in old.keys() & new.keys())
    ]
    return [
        *(f"Changed: {name}" for name in dict.fromkeys(changed)),
        *(f"Added: {name}" for name in dict.fromkeys(added)),
        *(f"Removed: {name}" for name in dict.fromkeys(removed)),
    ]


def _name(section: dict) -> str:
    """As the desk calls the section itself (`Section.__str__`)."""
    drawn = (
        Figure.objects.filter(slug=section["figure"]).values_list("title", flat=True).first()
        if section["figure"]
        else ""
    )
    said = {name: section.get(name, "") for name in ("heading", "question", "body", "slug")}
    return section_name(**said, drawn=drawn or "")


def _heading(section: dict) -> str:
    """What readers see above it: its own heading, or the question that it answers; else how it begins."""
    question = section.get("question", "")
    return section["heading"] or (Question(question).label if question in Question.values else _name(section))


def _text(value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


WORD = re.compile(r"\s+|[^\s]+")
# Comparing grows with the product of the lengths. Past this many words the two texts are shown whole, one after the other.
COMPARABLE = 6000


def as_readers_see(before: str, after: str) -> tuple[str, str]:
    """Two states of a Markdown text without its signs, each source called “[source: Hartvigsen J et al. 2018]”.

    As they are where they could not be shown, or would then look the same.
    """
    keys = {key for text in (before, after) for found in CITATION.finditer(text) for key in _keys(found)}
    names = {
        source.key: f"{Truncator(source.authors or source.publisher or source.title).chars(60)} {source.year or ''}".strip()
        for source in Source.objects.filter(key__in=keys)
    }

    def named(cited: list[str]) -> str:
        return f"[source: {'; '.join(names.get(key, key) for key in cited)}]"

    try:
        old, new = (as_read(text, named) for text in (before, after))
    except BodyError:
        return before, after
    return (old, new) if old != new else (before, after)


def _keys(found: re.Match) -> list[str]:
    return [each.strip().removeprefix("@") for each in found[1].split(";")]


def words_apart(before: str, after: str, *, marked: bool) -> list[tuple[str, str]]:
    """`word_difference`, of Markdown as a reader sees it: strong words are strong, and have no stars."""
    if not marked:
        return list(word_difference(before, after))
    return [(kind, _in_html(words)) for kind, words in word_difference(*as_readers_see(before, after))]


TAGS = {EMPHASIS: "em", STRONG: "strong"}
STYLED = re.compile(rf"([{EMPHASIS}{STRONG}]+)([^\s{EMPHASIS}{STRONG}]+)")


def _in_html(words: str) -> str:
    return mark_safe(STYLED.sub(_styled, escape(words)))  # noqa: S308 - escaped here


def _styled(found: re.Match) -> str:
    tags = list(dict.fromkeys(TAGS[sign] for sign in found[1]))
    return "".join(f"<{tag}>" for tag in tags) + found[2] + "".join(f"</{tag}>" for tag in reversed(tags))


def word_difference(before: str, after: str) -> Iterator[tuple[str, str]]:
    """Runs of words that are the same, gone or new, in the order in which both texts can be read."""
    old, new = WORD.findall(before), WORD.findall(after)
    if len(old) + len(new) > COMPARABLE:
        yield from ((kind, text) for kind, text in (("gone", before), ("new", after)) if text)
        return
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            yield "same", "".join(old[a:b])
            continue
        if b > a:
            yield "gone", "".join(old[a:b])
        if d > c:
            yield "new", "".join(new[c:d])
