"""What several pages share, as values: to keep, to compare and to put back. And which pages show it.

Sources, statements of evidence, glossary terms, figures and notices. A sheet has editions of its own (`revisions`), and the red
flags have a draft and a second person (`safety_drafts`).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.core.serializers.base import DeserializationError
from django.core.serializers.python import Deserializer
from django.db import IntegrityError, transaction
from django.db.models import DateField, DateTimeField, Q
from django.utils import timezone
from django.utils.text import capfirst

from factsheets import team
from factsheets.fixtures import named, values_of
from factsheets.models import (
    FactSheet,
    Figure,
    GlossaryTerm,
    InstalledRecord,
    Picture,
    SafetyAdvice,
    Section,
    SharedEdition,
    SharedStep,
    SiteNotice,
    Source,
    SourceUse,
    State,
    Statement,
)
from factsheets.rendering.glossary_marks import Glossary
from factsheets.rendering.markdown import BodyError, cited
from factsheets.revisions import (
    HYPHENATED,
    CannotPutBack,
    Change,
    claims_in_words,
    is_marked,
    titles_of,
    verdict_in_words,
)
from factsheets.safety_revisions import in_words

SHARED = (Source, Statement, GlossaryTerm, Figure, SiteNotice)
MODELS = {model._meta.label_lower: model for model in SHARED}
# Read from the file, and written by nobody.
MADE = {Figure: {"width", "height"}}


def fields_of(model) -> list[str]:
    made = MADE.get(model, set())
    fields = [field.name for field in model._meta.concrete_fields if not field.primary_key]
    return [name for name in [*fields, *(each.name for each in model._meta.many_to_many)] if name not in made]


def snapshot(record) -> dict:
    """Everything that staff may change in the record; a picture by its digest."""
    return values_of(record, fields_of(type(record)))


def editions(model, pk: int):
    return SharedEdition.objects.filter(label=model._meta.label_lower, record=pk).order_by("-number")


def keep(
    *, record, before: dict, by=None, step: SharedStep = SharedStep.EDITED, note: str = ""
) -> SharedEdition | None:
    """Keeps the record as it now is. `before` is its snapshot from before the change, empty for a new one.

    None when nothing has changed. Where there is no history yet, `before` becomes its first edition.
    """
    content = {} if step == SharedStep.DELETED else snapshot(record)
    if content == before:
        return None
    with transaction.atomic():
        last = editions(type(record), record.pk).select_for_update().first()
        number = last.number if last else 0
        if before and (last is None or last.content != before):
            # From before histories were kept, or changed by something that keeps none.
            number += 1
            _append(record, number, content=before, step=SharedStep.INSTALLED, at=_installed_at(record))
        words = {"step": step, "note": note.strip(), "by": by, "actor": team.account_name(by) if by else ""}
        return _append(record, number + 1, content=content, **words)


def _installed_at(record) -> datetime:
    """When the record came with the site's content. Now, where that is not known."""
    key = " ".join(map(str, record.natural_key())) if hasattr(record, "natural_key") else ""
    installed = InstalledRecord.objects.filter(label=record._meta.label_lower, natural_key=key)
    return installed.values_list("installed_at", flat=True).first() or timezone.now()


def _append(record, number: int, **fields) -> SharedEdition:
    label = record._meta.label_lower
    return SharedEdition.objects.create(label=label, record=record.pk, number=number, name=str(record)[:300], **fields)


def changes(model, before: dict, after: dict) -> list[Change]:
    """Every difference between two snapshots, in the order of the fields."""
    found = [
        Change("", *change_in_words(model, name, before.get(name), after.get(name)), marked=is_marked(model, name))
        for name in changed_fields(model, before, after)
    ]
    return _with_verdict(found, before, after) if model is Statement else found


def _with_verdict(found: list[Change], before: dict, after: dict) -> list[Change]:
    """What was found and how sure we are, as the one phrase that readers see, where that differs. NICE's position is in it too."""
    verdicts = [verdict_in_words(each) if each else "" for each in (before, after)]
    if verdicts[0] == verdicts[1]:
        return found
    parts = [called(Statement, name) for name in ("direction", "grade")]
    at = next((number for number, each in enumerate(found) if each.field in parts), len(found))
    rest = [each for each in found if each.field not in parts]
    return [*rest[:at], Change("", "Verdict", *verdicts), *rest[at:]]


def changed_fields(model, before: dict, after: dict) -> list[str]:
    """The names of the fields that differ, in their order. What an older edition does not say is as if it were empty."""
    return [name for name in fields_of(model) if (before.get(name) or "") != (after.get(name) or "")]


def called(model, name: str) -> str:
    """The field as the desk calls it."""
    words = str(model._meta.get_field(name).verbose_name)
    return words[:1].upper() + words[1:]


def change_in_words(model, name: str, before, after) -> tuple[str, str, str]:
    """The field as the desk calls it, and what it said and says, as an editor reads it."""
    said = _named_in_words(model, name, before, after) or [_words(model, name, each) for each in (before, after)]
    if said[0] == said[1] and before != after:
        said = [in_words(each) for each in (before, after)]  # the words would not tell them apart
    return called(model, name), said[0], said[1]


def _named_in_words(model, name: str, before, after) -> list[str]:
    """Other records by what people call them. Empty for a field that names none."""
    kind = model._meta.get_field(name)
    if name == "claim_refs":
        return claims_in_words(before, after)
    if not kind.is_relation:
        return []
    both = [(each or []) if kind.many_to_many else [each] if each else [] for each in (before, after)]
    keys = {" ".join(map(str, key)) for each in both for key in each}
    if kind.related_model is Source:
        called = titles_of(keys)
    else:
        records = ((key, named(kind.related_model, key)) for key in keys)
        called = {key: str(record) for key, record in records if record}
    return ["\n".join(called.get(key, key) for key in (" ".join(map(str, words)) for words in each)) for each in both]


def _words(model, name: str, value) -> str:
    """A value as an editor reads it."""
    kind = model._meta.get_field(name)
    if name in HYPHENATED:
        return (value or "").replace("-", " ")
    if value and isinstance(kind, DateTimeField):
        return moment_in_words(datetime.fromisoformat(value))
    if value and isinstance(kind, DateField):
        return f"{date.fromisoformat(value):%-d %B %Y}"
    chosen = dict(kind.flatchoices)
    return capfirst(str(chosen[value])) if isinstance(value, str) and value in chosen else in_words(value)


def moment_in_words(moment: datetime) -> str:
    return f"{timezone.localtime(moment):%-d %B %Y, %-I:%M%p}".replace("AM", "am").replace("PM", "pm")


# --- put back ---


def restored(model, pk: int | None, content: dict):
    """Makes the record what the snapshot says, also when there is none yet or none any more. Raises CannotPutBack.

    The caller keeps the edition and rebuilds the sheets, in the same transaction.
    """
    kept = {name: value for name, value in content.items() if name in fields_of(model)}
    if not kept:
        raise CannotPutBack("This edition is the deletion. Put back the one before it.")
    try:
        with transaction.atomic():
            return _restored(model, pk, kept)
    except ValidationError as error:
        raise CannotPutBack(f"It does not fit any more: {' '.join(error.messages)}") from error
    except IntegrityError as error:
        raise CannotPutBack("It does not fit any more beside what colleagues saved since.") from error
    except DeserializationError as error:
        raise CannotPutBack(f"It names something that is no longer there: {error}") from error


def _restored(model, pk: int | None, kept: dict):
    if (picture := kept.get("picture")) and not Picture.objects.filter(digest=picture[0]).exists():
        raise CannotPutBack("Its picture was taken down, and we keep no copy. Upload it again.")
    [made] = Deserializer([{"model": model._meta.label_lower, "pk": pk, "fields": kept}])
    record = made.object
    record.pk = pk  # which the words that name it may have found in another record
    if model is Figure:
        record.width, record.height = record.size_of_file()
    record._state.adding = pk is None or not model.objects.filter(pk=pk).exists()
    record.full_clean()
    record.save(force_insert=record._state.adding)
    for name, numbers in (made.m2m_data or {}).items():
        getattr(record, name).set(numbers)
    return record


# --- who uses it ---


@dataclass(frozen=True)
class Use:
    """A place that shows the record. Without a sheet it is something else on the desk."""

    what: str
    sheet: FactSheet | None = None
    section: Section | None = None
    record: object = None
    flags: tuple[str, ...] = ()  # the numbers of the red flags that it repeats


def uses(record) -> list[Use]:
    """Where a change of the record would show, in the order of the sheets; first those that are public."""
    match record:
        case Source():
            found = [*_citing(record), *_resting_on(record)]
        case Statement():
            found = _showing(Section.objects.filter(statement_uses__statement=record), "statement")
        case Figure():
            leading = [Use("first drawing", sheet) for sheet in record.leading.defer("document")]
            found = [*leading, *_showing(record.sections.all(), "figure")]
        case GlossaryTerm():
            found = [
                Use("explained", sheet)
                for sheet in FactSheet.objects.all()
                if any(word["slug"] == record.slug for word in sheet.document.get("words", []))
            ]
        case _:
            found = []
    return sorted(found, key=lambda use: not (use.sheet and use.sheet.is_published))


def mentions(*terms: GlossaryTerm) -> list[Use]:
    """The public sheets that say one of these words and do not show its meaning, because they explain it themselves or never."""
    glossary = Glossary(terms)
    return [
        Use("says the word, without this meaning", sheet)
        for sheet in FactSheet.objects.published()
        if not {word["slug"] for word in sheet.document.get("words", [])} & {term.slug for term in terms}
        and any(next(glossary.find(words), None) for words in _texts(sheet.document))
    ]


def _texts(node) -> Iterator[str]:
    """Every text of a document, as `Words` finds them."""
    if isinstance(node, dict):
        if node.get("type") == "text":
            yield node["text"]
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


def _showing(sections, what: str) -> list[Use]:
    sections = sections.select_related("sheet").defer("sheet__document")
    return [Use(what, section.sheet, section) for section in sections]


def _citing(source: Source) -> Iterable[Use]:
    """The sections that cite it, in their own words or in a statement's."""
    texts = Section.objects.filter(
        Q(body__contains=source.key)
        | Q(statement_uses__statement__detail__contains=source.key)
        | Q(statement_uses__statement__sources=source)
    )
    for section in texts.select_related("sheet").defer("sheet__document").distinct():
        if source.key in _cited(section.body):
            yield Use("cited in the text", section.sheet, section)
        for statement in section.evidence:
            if source.key in _cited(statement.detail) or source in statement.sources.all():
                yield Use(f"source of the statement “{statement}”", section.sheet, section)
    for use in SourceUse.objects.filter(source=source).select_related("sheet").defer("sheet__document"):
        yield Use("what it found is said there", use.sheet)


def _resting_on(source: Source) -> Iterable[Use]:
    for flag in SafetyAdvice.objects.filter(sources=source):
        yield Use("red flag", record=flag)
    for statement in source.statements.filter(uses=None):
        yield Use(f"statement that no sheet shows: “{statement}”", record=statement)


def repeating(codes: list[str]) -> list[Use]:
    """The public sheets that say one of these red flags in words or a drawing of their own: their ledger rows name it."""
    found = []
    for sheet in FactSheet.objects.published().select_related("lead_figure").defer("document"):
        if sheet.lead_figure and (flags := _of(codes, sheet.lead_figure.claim_refs)):
            found.append(Use(_in_words(flags), sheet, flags=flags))
        for section in sheet.sections.select_related("figure"):
            if flags := _of(codes, [*section.claim_refs, *(section.figure.claim_refs if section.figure else [])]):
                found.append(Use(_in_words(flags), sheet, section, flags=flags))
    return found


def _of(codes: list[str], refs: list[str]) -> tuple[str, ...]:
    return tuple(code for code in codes if code in refs)


def _in_words(flags: tuple[str, ...]) -> str:
    """The red flags by their short texts, as they are live."""
    said = dict(SafetyAdvice.objects.filter(code__in=flags).values_list("code", "short_text"))
    return "; ".join(f"says “{said[code]}”" if code in said else f"says {code}, which was retired" for code in flags)


def _cited(text: str) -> set[str]:
    try:
        return cited(text)
    except BodyError:
        return set()


# --- what a reviewer should read again ---

# A source's date is how old the evidence is; its identifiers, title and authors are which study it is. A missing one that is added
# changes neither.
VERDICT = ("claim", "direction", "grade", "detail", "nice_position", "burden", "sources")
IDENTIFIERS = ("doi", "pmid", "pmcid", "isbn", "identifier")
WORDS, HAS_NUMBER = re.compile(r"\w+"), re.compile(r"\d")
MAX_MISSPELT = 2  # words
# Of a glossary term, as the desk calls it.
EXPLAINED = {"also": "also called", "deletion": "deletion"}
# What patients see of a figure, or read in its place.
PICTURED = ("drawing", "picture", "alt", "long_description")


def asks_for_review(record, before: dict, after: dict) -> list[str]:
    """The fields that changed and on which a clinician's signature rests, in words."""
    return in_desk_words(record, fields_that_ask(record, before, after))


def in_desk_words(record, names: list[str]) -> list[str]:
    return [EXPLAINED.get(name) or str(type(record)._meta.get_field(name).verbose_name) for name in names]


def fields_that_ask(record, before: dict, after: dict) -> list[str]:
    """`asks_for_review`, by the names of the fields."""
    if isinstance(record, Statement | Figure):
        names = VERDICT if isinstance(record, Statement) else PICTURED
        # An older edition has no newer field.
        return [name for name in names if (before.get(name) or "") != (after[name] or "")]
    if isinstance(record, GlossaryTerm):
        if not after:
            return ["deletion"]
        # Its names say of which words the meaning is said. A new term is its meaning.
        found = [name for name in ("term", "also", "meaning") if before and before.get(name) != after[name]]
        # Sheets explain it from now on, in words that nobody has signed there.
        is_new_there = after["explain_in_text"] and not before.get("explain_in_text")
        return found or (["meaning"] if is_new_there or not before else [])
    if not isinstance(record, Source) or not before:
        return []
    # The day on which somebody read it counts only where the source gives no year.
    dates = ["year"] if before["year"] and after["year"] else ["year", "accessed"]
    names = [name for name in dates if before[name] != after[name]]
    names += [name for name in ("title", "authors") if could_be_another(before[name], after[name])]
    return names + [name for name in IDENTIFIERS if before[name] and before[name] != after[name]]


def could_be_another(before: str, after: str) -> bool:
    """Whether a title, or names of authors, may be those of another work: more differs than two misspelt words of four letters
    or more, capitals, signs and “et al.”. A missing one that is added changes nothing.
    """
    old, new = (
        [word for word in WORDS.findall(each.casefold()) if word not in {"et", "al"}] for each in (before, after)
    )
    if not old or old == new:
        return False
    other = [pair for pair in zip(old, new, strict=False) if pair[0] != pair[1]]
    return (
        len(old) != len(new)
        or len(other) > MAX_MISSPELT
        or not all(
            min(map(len, pair)) >= 4 and not any(map(HAS_NUMBER.search, pair)) and one_letter_apart(*pair)
            for pair in other
        )
    )


def one_letter_apart(one: str, other: str) -> bool:
    """One letter more, fewer, or other, or two that traded places."""
    start = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    a, b = one[start:], other[start:]
    return a[1:] == b or a == b[1:] or a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])


def resting_on(record) -> list[FactSheet]:
    """The sheets that a clinician has signed, or is about to, and that show the record."""
    sheets = {use.sheet.pk: use.sheet for use in uses(record) if use.sheet}
    return [sheet for sheet in sheets.values() if sheet.state in {State.PUBLISHED, State.IN_REVIEW}]
