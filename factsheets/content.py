"""Installs and upgrades the content from fixtures/ without overwriting staff edits.

Each field is compared three ways: what was installed last (the base), what the database holds now, and what the fixture says.
A field that staff changed stays; when the fixture changed it too, that is said, with both texts, every time until it is settled.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.serializers import base as serializers_base
from django.core.serializers import python as python_serializer
from django.db import IntegrityError, transaction
from django.utils import timezone

from factsheets import actions, pictures, safety_revisions, shared_revisions
from factsheets.fixtures import (
    PICTURES,
    ContentError,
    Stored,
    check_names,
    default_of,
    entries,
    key_of,
    must_find,
    named,
    take_over,
    values_of,
)
from factsheets.models import (
    Claim,
    FactSheet,
    Figure,
    GlossaryTerm,
    InstalledRecord,
    RelatedSheet,
    SafetyAdvice,
    SafetyStep,
    SearchQuestions,
    Section,
    SharedStep,
    Source,
    SourceUse,
    Statement,
    StatementUse,
    Step,
    Synonym,
    Topic,
    WordList,
)
from factsheets.rendering.markdown import BodyError, cited

# In the order in which they refer to one another.
MODELS = [
    Topic,
    Source,
    Figure,
    GlossaryTerm,
    WordList,
    SafetyAdvice,
    Claim,
    Statement,
    FactSheet,
    Section,
    StatementUse,
    SourceUse,
    RelatedSheet,
    Synonym,
    SearchQuestions,
]
# Parts of a sheet: taken away again when a newer edition of the sheet no longer has them. A part before what holds it.
PARTS = [StatementUse, SourceUse, RelatedSheet, Section]
# Where sources are cited.
MARKDOWN = {Section: "body", Statement: "detail"}
# What a fixture can be wrong in: its values, its references, its names and its types.
FAULTS = (
    ValidationError,
    serializers_base.DeserializationError,
    FieldDoesNotExist,
    LookupError,
    ValueError,
    TypeError,
)
WHOLE = "the whole record"
PICTURE_NAME = re.compile(r"(?P<digest>[0-9a-f]{32})-(?P<width>[0-9]{1,5})\.(?P<format>webp|jpg)")


@dataclass
class StaffEdit:
    record: str
    field: str
    now: object
    offered: object


@dataclass
class Report:
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    kept: list[StaffEdit] = field(default_factory=list)
    # Sheets that cannot be shown as staff left them: readers keep the last good text.
    stuck: list[str] = field(default_factory=list)
    unchanged: int = 0


def load(folder: Path, *, dry_run: bool = False) -> Report:
    """Brings the database to the fixtures in `folder`. Raises ContentError, and then nothing has changed."""
    with transaction.atomic():
        edition = Edition()
        take_in_pictures(folder)
        for model, fields, where in entries(folder, MODELS):
            try:
                edition.install(model, fields)
            except FAULTS as error:
                raise ContentError(f"{where}: {sentence(error)}") from error
        edition.remove_dropped_parts()
        edition.refresh()
        pictures.discard_unused()
        safety_revisions.keep(step=SafetyStep.INSTALLED)
        if dry_run:
            transaction.set_rollback(True)
    return edition.report


def take_in_pictures(folder: Path) -> None:
    """Keeps the uploaded pictures that came with the content, as they are. Raises ContentError for anything else."""
    found: dict[str, list[tuple[int, str, bytes]]] = {}
    for path in sorted((folder / PICTURES).glob("*")):
        name = PICTURE_NAME.fullmatch(path.name)
        if name is None:
            raise ContentError(f"{PICTURES}/{path.name} is no picture of an export.")
        found.setdefault(name["digest"], []).append((int(name["width"]), name["format"], path.read_bytes()))
    for digest, files in found.items():
        try:
            pictures.take_in(digest, files)
        except pictures.PictureRefused as refused:
            raise ContentError(f"{PICTURES}/{digest}: {refused}") from refused


class Edition:
    """One run over the fixtures."""

    def __init__(self):
        self.report = Report()
        self.seen: set[tuple[str, str]] = set()
        self.deleted: set[tuple[str, str]] = set()  # by staff; with each goes what the fixtures hang on it
        self.stored = Stored()
        self.installed = {(each.label, each.natural_key): each for each in InstalledRecord.objects.all()}

    def install(self, model, fields: dict) -> None:
        label, key = self._see(model, fields)
        record = f"{label} {key}"
        check_names(model, fields)
        installed = self.installed.get((label, key))
        if installed and self._is_as_installed(installed, model, key, fields):
            self.report.unchanged += 1
            return
        fields = self._without_deleted(model, fields)
        if fields is None:
            self._keep_deleted(label, key)
            return
        [offered] = python_serializer.Deserializer([{"model": label, "fields": fields}])
        new = values_of(offered.object, fields, offered.m2m_data)
        if offered.object.pk is None:
            if installed:
                self._keep_deleted(label, key)
                return
            offered.object.full_clean(validate_constraints=False)
            self._check_citations(offered.object)
            self._add(offered, new, label, key)
        else:
            self._check_citations(offered.object)
            self._merge(model.objects.get(pk=offered.object.pk), offered, new, installed, record)

    def _see(self, model, fields: dict) -> tuple[str, str]:
        label, key = model._meta.label_lower, key_of(model, fields)
        if (label, key) in self.seen:
            raise ValueError(f"{label} {key} is there twice.")
        self.seen.add((label, key))
        return label, key

    def _is_as_installed(self, installed: InstalledRecord, model, key: str, fields: dict) -> bool:
        """Whether the entry says what it did, and the record still does: as nearly all do at an upgrade."""
        same_fields = not installed.offered and installed.fields.keys() == fields.keys()
        return same_fields and all(self.stored.is_as(model, key, each) for each in (fields, installed.fields))

    def _add(self, offered, new: dict, label: str, key: str) -> None:
        try:
            with transaction.atomic():
                offered.save()
        except IntegrityError:
            # To ask beforehand about each rule of the database took a third of a first start. Now Django is asked which one it is.
            offered.object.full_clean()
            raise
        InstalledRecord.objects.create(label=label, natural_key=key, fields=new)
        self.report.added.append(f"{label} {key}")

    def _merge(self, stored, offered, new: dict, installed: InstalledRecord | None, record: str) -> None:
        current = values_of(stored, new)
        if installed is None:
            # Staff made a record of this name before the fixtures had one: it is theirs, all of it.
            self.report.unchanged += 1
            self.report.kept += [
                StaffEdit(record, name, current[name], new[name]) for name in new if current[name] != new[name]
            ]
            if current == new:
                InstalledRecord.objects.create(
                    label=stored._meta.label_lower, natural_key=record.partition(" ")[2], fields=new
                )
            return
        taken, base, offers = {}, {}, {}
        for name, value in new.items():
            was = installed.fields[name] if name in installed.fields else default_of(stored._meta.get_field(name))
            if current[name] == value:
                base[name] = value
            elif current[name] == was:
                taken[name] = was
            else:
                base[name] = was
                if value != was:
                    self.report.kept.append(StaffEdit(record, name, current[name], value))
                    offers[name] = value
        before = shared_revisions.snapshot(stored) if taken and isinstance(stored, shared_revisions.SHARED) else None
        if taken and not take_over(stored, offered, taken):
            # Sound by itself, the new text does not fit beside what staff wrote: their record stays whole.
            self.report.kept += [StaffEdit(record, name, current[name], new[name]) for name in taken]
            offers |= {name: new[name] for name in taken}
            base |= taken
            taken = {}
        if taken:
            self.report.changed.append(f"{record}: {', '.join(sorted(taken))}")
            if before is not None:
                shared_revisions.keep(record=stored, before=before, step=SharedStep.INSTALLED)
            base |= {name: new[name] for name in taken}
        else:
            self.report.unchanged += 1
        if (installed.fields, installed.offered) != (base, offers):
            installed.fields, installed.offered = base, offers
            installed.save()

    def _keep_deleted(self, label: str, key: str) -> None:
        self.deleted.add((label, key))
        self.report.kept.append(StaffEdit(f"{label} {key}", WHOLE, "deleted by staff", "present"))

    def _without_deleted(self, model, fields: dict) -> dict | None:
        """The fields without references to what staff deleted; None when the record belonged to what they deleted."""
        left = dict(fields)
        for name, value in fields.items():
            model_field = model._meta.get_field(name)
            if not model_field.is_relation or value is None:
                continue
            related = model_field.related_model
            references = value if model_field.many_to_many else [value]
            if not isinstance(references, list) or not all(isinstance(each, list) for each in references):
                raise ValueError(f"{name}: write each {related._meta.verbose_name} as a list, such as [its-slug].")
            there = []
            for reference in references:
                named = (related._meta.label_lower, " ".join(map(str, reference)))
                if named not in self.deleted:
                    if named not in self.seen:
                        must_find(related, reference, name)
                    there.append(reference)
            if model_field.many_to_many:
                left[name] = there
            elif not there and name in model.natural_key_fields:
                return None
            elif not there:
                del left[name]
        return left

    def _check_citations(self, record) -> None:
        name = MARKDOWN.get(type(record))
        try:
            keys = cited(getattr(record, name)) if name else set()
        except BodyError as error:
            raise ValueError(f"{name}: {error}") from error
        known = set(Source.objects.filter(key__in=keys).values_list("key", flat=True)) if keys else set()
        missing = sorted(key for key in keys - known if ("factsheets.source", key) not in self.deleted)
        if missing:
            raise ValueError(f"{name}: no source has the key {', '.join(missing)}.")

    def remove_dropped_parts(self) -> None:
        for model in PARTS:
            label = model._meta.label_lower
            for installed in InstalledRecord.objects.filter(label=label):
                key = installed.natural_key
                # Only a newer edition of the sheet itself can drop a part: the sheet is the first word of the part's key.
                if (label, key) in self.seen or ("factsheets.factsheet", key.split()[0]) not in self.seen:
                    continue
                part = named(model, key)
                if part is None:
                    installed.delete()
                elif is_as_installed(part, installed):
                    part.delete()
                    installed.delete()
                    self.report.removed.append(f"{label} {key}")
                else:
                    self.report.kept.append(StaffEdit(f"{label} {key}", WHOLE, "edited by staff", "gone"))

    def refresh(self) -> None:
        for sheet in FactSheet.objects.all():
            before = sheet.updated_at
            try:
                actions.refresh(sheet=sheet)
                actions.keep_edition(sheet=sheet, by=None, step=Step.INSTALLED)
                _date(sheet, before)
            except BodyError as error:
                # Every fixture was checked on its way in, so this comes from what staff wrote. It must not stop an upgrade.
                self.report.stuck.append(f"{sheet.slug}: {error}")


def _date(sheet: FactSheet, before: datetime) -> None:
    """Gives the sheet the day that its authors name for its words, not the day on which this copy was installed.

    `before` is when it had last changed; that stays where staff wrote in it later than its authors.
    """
    if not sheet.written_on:
        return
    changed = datetime.combine(sheet.written_on, time(12), timezone.get_current_timezone())
    if sheet.editions.filter(step__in=[Step.EDITED, Step.ROLLED_BACK]).exists():
        changed = max(changed, before)
    if sheet.updated_at != changed:
        sheet.updated_at = changed
        sheet.save(update_fields=["updated_at"])


def is_as_installed(part, installed: InstalledRecord) -> bool:
    # A section that still shows a statement which staff put there stays.
    holds_staff_work = isinstance(part, Section) and part.statement_uses.exists()
    return not holds_staff_work and values_of(part, installed.fields) == installed.fields


def sentence(error: Exception) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(
            f"{name}: {' '.join(messages)}"
            for name, messages in getattr(error, "message_dict", {"": error.messages}).items()
        )
    return str(error)
