"""Writes all content as the YAML files that `fixtures/` holds, so that it can go back there or to another installation.

What belongs to one clinic stays there: drafts, who reviewed a sheet and when, its history, kept wordings with their reasons,
notices, former addresses, the people, the clinic's settings and the words of emails.
"""

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import yaml
from django.db import transaction
from django.utils import timezone

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
    Topic,
    WordList,
)

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
    "kind",
    "title",
    "summary",
    "audience",
    "in_short",
    "lead_figure",
    "key_points",
    "treatment_offered",
    "state",
    "evidence_checked_on",
    "written_on",
]
FLOWING = 100  # characters of a list that still goes on one line


class ExportRefused(Exception):
    """The files cannot be written there. The text says why."""


def files() -> dict[str, bytes]:
    """Every file by its path in the folder: the YAML, and the uploaded pictures as they are kept."""
    with transaction.atomic():
        made = {name: _text(map(_entry, model.objects.all())) for name, model in FILES.items()}
        for sheet in FactSheet.objects.order_by("slug"):
            made[f"sheets/{sheet.slug}.yaml"] = _text(_sheet(sheet))
        for file in PictureFile.objects.filter(picture__figures__isnull=False).select_related("picture").distinct():
            made[f"{PICTURES}/{file.picture.digest}-{file.width}.{file.format}"] = bytes(file.data)
    return made


def write(folder: Path, *, replace: bool = False) -> int:
    """Writes the files into the folder and returns how many. Raises ExportRefused when there is other content in it."""
    old = [*folder.glob("*.yaml"), *folder.glob("sheets/*.yaml"), *folder.glob(f"{PICTURES}/*")]
    if old and not replace:
        raise ExportRefused(f"There is content in {folder} already. Name another folder, or replace it with --replace.")
    made = files()
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
            archive.writestr(f"content/{name}", data)
    return out.getvalue()


def _sheet(sheet: FactSheet) -> Iterator[dict]:
    fields = _plain(sheet, OF_A_SHEET)
    edited = sheet.editions.filter(step__in=[Step.EDITED, Step.ROLLED_BACK]).exists()
    if edited or not sheet.written_on:
        # Readers see this day as the day of the last change, wherever the sheet goes.
        fields["written_on"] = timezone.localdate(sheet.updated_at)
    yield {"model": sheet._meta.label_lower, "fields": fields}
    for section in sheet.sections.all():
        yield _entry(section)
        yield from map(_entry, section.statement_uses.all())
    yield from map(_entry, sheet.source_uses.all())
    yield from map(_entry, sheet.related.all())


def _entry(record) -> dict:
    fields = [field.name for field in record._meta.concrete_fields if not field.primary_key]
    names = [*fields, *(field.name for field in record._meta.many_to_many)]
    return {"model": record._meta.label_lower, "fields": _plain(record, names)}


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


def _text(entries) -> bytes:
    entries = list(entries)
    # The outer list is one entry a block, however few there are.
    texts = [
        yaml.dump([entry], Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=120, default_flow_style=False)
        for entry in entries
    ]
    return "".join(texts).encode()
