"""Installs and upgrades the content from fixtures/, and never overwrites what staff edited.

Each field is compared three ways: what was installed last (the base), what the database holds now, and what the fixture says.
A field that staff changed stays; when the fixture changed it too, that is said, with both texts, every time until it is settled.
"""

from dataclasses import dataclass, field
from pathlib import Path

import yaml
from django.core.exceptions import ValidationError
from django.core.serializers import base as serializers_base
from django.core.serializers import python as python_serializer
from django.db import transaction

from factsheets import actions
from factsheets.models import (
    EvidenceStatement,
    FactSheet,
    Figure,
    GlossaryTerm,
    InstalledRecord,
    RelatedSheet,
    SafetyAdvice,
    Section,
    Source,
    Topic,
)

# In the order in which they refer to one another.
MODELS = [
    Topic,
    Source,
    Figure,
    GlossaryTerm,
    SafetyAdvice,
    FactSheet,
    Section,
    EvidenceStatement,
    RelatedSheet,
]
# Parts of a sheet: taken away again when a newer edition of the sheet no longer has them.
PARTS = {Section, EvidenceStatement, RelatedSheet}


class ContentError(Exception):
    """A fixture cannot be installed. The text names the file and the entry."""


@dataclass
class Kept:
    record: str
    field: str
    now: object
    offered: object


@dataclass
class Report:
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    unchanged: int = 0


def load(folder: Path, *, dry_run: bool = False) -> Report:
    """Brings the database to the fixtures in `folder`. Raises ContentError, and then nothing has changed."""
    report = Report()
    with transaction.atomic():
        seen = set()
        for model, entry, where in _entries(folder):
            label = model._meta.label_lower
            try:
                key = _install(model, entry, label, report)
            except (ValidationError, serializers_base.DeserializationError, LookupError, ValueError) as error:
                raise ContentError(f"{where}: {_sentence(error)}") from error
            if (label, key) in seen:
                raise ContentError(f"{where}: {label} {key} is there twice.")
            seen.add((label, key))
        _remove_dropped_parts(seen, report)
        _refresh()
        if dry_run:
            transaction.set_rollback(True)
    return report


def _entries(folder: Path):
    """Every entry of every file, sorted so that what is referred to comes first."""
    order = {model._meta.label_lower: (rank, model) for rank, model in enumerate(MODELS)}
    found = []
    files = sorted(folder.glob("*.yaml")) + sorted(folder.glob("sheets/*.yaml"))
    if not files:
        raise ContentError(f"There are no fixtures in {folder}.")
    for path in files:
        try:
            entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        except yaml.YAMLError as error:
            raise ContentError(f"{path.name} is not valid YAML: {error}") from error
        for number, entry in enumerate(entries, start=1):
            where = f"{path.name}, entry {number}"
            if not isinstance(entry, dict) or entry.get("model") not in order:
                raise ContentError(f"{where}: model is missing or unknown.")
            rank, model = order[entry["model"]]
            found.append((rank, len(found), model, entry, where))
    return [(model, entry, where) for rank, _, model, entry, where in sorted(found, key=lambda item: item[:2])]


def _install(model, entry, label: str, report: Report) -> str:
    [offered] = python_serializer.Deserializer([{"model": label, "fields": entry["fields"]}])
    new = _values(offered.object, entry["fields"], offered.m2m_data)
    key = " ".join(map(str, offered.object.natural_key()))
    installed = InstalledRecord.objects.filter(label=label, natural_key=key).first()
    if offered.object.pk is None:
        if installed:
            report.kept.append(Kept(f"{label} {key}", "the whole record", "deleted by staff", "present"))
            return key
        offered.object.full_clean()
        offered.save()
        InstalledRecord.objects.create(label=label, natural_key=key, fields=new)
        report.added.append(f"{label} {key}")
        return key

    stored = model.objects.get(pk=offered.object.pk)
    current = _values(stored, entry["fields"])
    before = installed.fields if installed else {}
    take, base = {}, {}
    for name, value in new.items():
        was = before.get(name, current[name] if not installed else None)
        if current[name] == value:
            base[name] = value
        elif current[name] == was:
            take[name] = base[name] = value
        else:
            base[name] = was
            if value != was:
                report.kept.append(Kept(f"{label} {key}", name, current[name], value))
    if take:
        for name in take:
            model_field = model._meta.get_field(name)
            if not model_field.many_to_many:
                setattr(stored, model_field.attname, getattr(offered.object, model_field.attname))
        stored.full_clean()
        stored.save()
        for name in take:
            if model._meta.get_field(name).many_to_many:
                getattr(stored, name).set((offered.m2m_data or {}).get(name, []))
        report.changed.append(f"{label} {key}: {', '.join(sorted(take))}")
    else:
        report.unchanged += 1
    if not installed or installed.fields != base:
        InstalledRecord.objects.update_or_create(label=label, natural_key=key, defaults={"fields": base})
    return key


def _values(instance, names, m2m_data=None) -> dict:
    """The named fields as plain values that can be kept and compared: a record becomes its natural key."""
    values = {}
    for name in names:
        model_field = instance._meta.get_field(name)
        if model_field.many_to_many:
            if m2m_data is not None:
                related = model_field.related_model.objects.filter(pk__in=m2m_data.get(name, []))
            else:
                related = getattr(instance, name).all()
            values[name] = sorted(list(map(str, each.natural_key())) for each in related)
        elif model_field.is_relation:
            related = getattr(instance, name)
            values[name] = None if related is None else list(map(str, related.natural_key()))
        else:
            value = getattr(instance, name)
            values[name] = value.isoformat() if hasattr(value, "isoformat") else value
    return values


def _remove_dropped_parts(seen: set, report: Report) -> None:
    for model in PARTS:
        label = model._meta.label_lower
        keys = {" ".join(map(str, part.natural_key())): part for part in model.objects.all()}
        for installed in InstalledRecord.objects.filter(label=label):
            if (label, installed.natural_key) in seen:
                continue
            part = keys.get(installed.natural_key)
            if part is None:
                installed.delete()
            elif _values(part, installed.fields) == installed.fields:
                part.delete()
                installed.delete()
                report.removed.append(f"{label} {installed.natural_key}")
            else:
                report.kept.append(
                    Kept(f"{label} {installed.natural_key}", "the whole record", "edited by staff", "gone")
                )


def _refresh() -> None:
    for sheet in FactSheet.objects.all():
        try:
            actions.refresh(sheet=sheet)
        except ValueError as error:
            raise ContentError(f"{sheet.slug}: {error}") from error


def _sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{name}: {' '.join(messages)}"
            for name, messages in getattr(error, "message_dict", {"": error.messages}).items()
        )
    return str(error)
