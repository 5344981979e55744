"""Writes all content as the YAML files that `fixtures/` holds, so that it can go back there or to another installation.

What belongs to one clinic stays there: drafts, who reviewed a sheet and when, its history, kept wordings with their reasons,
notices, former addresses, the people, the clinic's settings and the words of emails.
"""

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from pathlib import Path

import yaml
from django.db import transaction
from django.utils import timezone
from django.utils.text import capfirst

from factsheets.fixtures import PICTURES, values_of
from factsheets.models import (
    Claim,
    FactSheet,
    Figure,
    GlossaryTerm,
    PictureFile,
    SafetyAdvice,
    SearchQuestions,
    Source,
    Statement,
    Step,
    Synonym,
    Tier,
    Topic,
    WordList,
)
from factsheets.models.section import GAP

FILES = {
    "topics.yaml": Topic,
    "sources.yaml": Source,
    "figures.yaml": Figure,
    "glossary.yaml": GlossaryTerm,
    "word_lists.yaml": WordList,
    "safety_advice.yaml": SafetyAdvice,
    "claims.yaml": Claim,
    "statements.yaml": Statement,
    "search.yaml": Synonym,
    "search_questions.yaml": SearchQuestions,
}
# The others of a sheet are made, or say who reviewed it.
OF_A_SHEET = [
    "slug",
    "topic",
    "position",
    "title",
    "summary",
    "audience",
    "kind",
    "in_short",
    "lead_figure",
    "key_points",
    "treatment_offered",
    "state",
    "evidence_checked_on",
    "written_on",
]
# What somebody who opens the file should know first.
HEADS = {
    "safety_advice.yaml": [
        "The red flags: every emergency card, search, form and self-assessment reads them.",
        "docs/red-flag-words.md explains the patterns.",
    ],
    "search.yaml": [
        "Words that mean the same to a reader: whoever searches for one of a group also finds the others. Editors can",
        "change them on the desk. Only words for the same thing, or for what the same page explains. Not opinions, and",
        "not treatments that merely go together.",
    ],
    "search_questions.yaml": [
        "What patients ask, in their words, and the place that answers it. Search goes by these before anything else.",
        "A place is a sheet and, after the #, the code of a question or the address of a section, or it is a page of the",
        "site. The first question of each place is shown to readers as a link. Editors add their own on the desk.",
    ],
    "statements.yaml": [
        "Every graded statement of the site, once: treatment × condition × comparison has one grade and one direction.",
        "The sheets say which of them they show, and in what order.",
    ],
}
FOLDER = "content"  # in the ZIP
FLOWING = 100  # characters of a list that still goes on one line
FINDINGS, RELATED = "What the studies found, for this sheet", "Related sheets"
ONE_LINE = 1_000_000  # characters: a value is never wrapped, so that one changed word is one changed line


class ExportRefused(Exception):
    """The files cannot be written there. The text says why."""


def files(progress: Callable[[int, int], None] = lambda done, of: None) -> dict[str, bytes]:
    """Every file by its path in the folder: the YAML, and the uploaded pictures as they are kept.

    `progress` is told how many YAML files of how many are made.
    """
    made: dict[str, bytes] = {}
    with transaction.atomic():
        sheets = FactSheet.objects.order_by("slug")
        many = len(FILES) + sheets.count()
        for name, model in FILES.items():
            progress(len(made), many)
            made[name] = _text([*HEADS.get(name, []), *map(_entry, _in_order(model))])
        for sheet in sheets:
            progress(len(made), many)
            made[f"sheets/{sheet.slug}.yaml"] = _text(_sheet(sheet))
        for file in PictureFile.objects.filter(picture__figures__isnull=False).select_related("picture").distinct():
            made[f"{PICTURES}/{file.picture.digest}-{file.width}.{file.format}"] = bytes(file.data)
    return made


def write(folder: Path, *, replace: bool = False, progress: Callable[[int, int], None] = lambda done, of: None) -> int:
    """Writes the files into the folder and returns how many; `progress` as for `files`.

    Raises ExportRefused when there is other content in it.
    """
    old = [*folder.glob("*.yaml"), *folder.glob("sheets/*.yaml"), *folder.glob(f"{PICTURES}/*")]
    if old and not replace:
        raise ExportRefused(f"There is content in {folder} already. Name another folder, or replace it with --replace.")
    made = files(progress)
    for name, data in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for path in old:
        if path.relative_to(folder).as_posix() not in made:
            path.unlink()
    return len(made)


def as_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files().items():
            archive.writestr(f"{FOLDER}/{name}", data)
    return out.getvalue()


def _sheet(sheet: FactSheet) -> Iterator[dict]:
    fields = _plain(sheet, OF_A_SHEET)
    edited = sheet.editions.filter(step__in=[Step.EDITED, Step.ROLLED_BACK]).exists()
    if edited or not sheet.written_on:
        # Readers see this day as the day of the last change, wherever the sheet goes.
        fields["written_on"] = timezone.localdate(sheet.updated_at)
    yield {"model": sheet._meta.label_lower, "fields": fields}
    part = None
    # By tens, as publishing a draft numbers them: the same content is the same file wherever it was written.
    for number, section in enumerate(sheet.sections.all(), start=1):
        heading = section.get_question_display() if section.question else capfirst(section.get_layer_display())
        if heading != part:
            yield heading
            part = heading
        yield _entry(section, number * GAP)
        yield from _numbered(section.statement_uses.all())
    findings = sorted(sheet.source_uses.select_related("source"), key=lambda use: use.source.key)
    for heading, listed in ((FINDINGS, list(map(_entry, findings))), (RELATED, list(_numbered(sheet.related.all())))):
        if listed:
            yield heading
            yield from listed


def _numbered(records) -> Iterator[dict]:
    for number, record in enumerate(records, start=1):
        yield _entry(record, number * GAP)


def _in_order(model) -> list:
    """The same from every database: by urgency and place, where they have one, then by the words of the natural key."""

    def place(record) -> tuple:
        tier = Tier.values.index(record.tier) if isinstance(record, SafetyAdvice) else 0
        return tier, getattr(record, "position", 0), record.natural_key()

    return sorted(model.objects.all(), key=place)


def _entry(record, position: int | None = None) -> dict:
    fields = [field.name for field in record._meta.concrete_fields if not field.primary_key]
    names = [*fields, *(field.name for field in record._meta.many_to_many)]
    values = _plain(record, names)
    return {"model": record._meta.label_lower, "fields": values | ({"position": position} if position else {})}


def _plain(record, names: list[str]) -> dict:
    values = values_of(record, names)
    # A date as a date, and not as words in quotes.
    return {name: getattr(record, name) if isinstance(getattr(record, name), date) else values[name] for name in names}


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):
    """As the fixtures are written: long texts as blocks, short lists on one line."""


def _write_text(dumper, value: str):
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


def _write_list(dumper, value: list):
    flows = all(isinstance(each, str | list) for each in value) and len(str(value)) < FLOWING
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flows)


_Dumper.add_representer(str, _write_text)
_Dumper.add_representer(list, _write_list)


def _text(entries: Iterable[dict | str]) -> bytes:
    """The entries one below the other. Text is a comment between them."""
    texts: list[str] = []
    in_comment = False
    for entry in entries:
        if isinstance(entry, str):
            texts.append(f"{chr(10) if texts and not in_comment else ''}# {entry}\n")
        else:
            # The outer list is one entry a block, however few there are.
            texts.append(
                yaml.dump(
                    [entry],
                    Dumper=_Dumper,
                    allow_unicode=True,
                    sort_keys=False,
                    width=ONE_LINE,
                    default_flow_style=False,
                )
            )
        in_comment = isinstance(entry, str)
    return "".join(texts).encode()
