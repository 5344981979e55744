"""What a newer edition of the content says in places that staff had changed: both texts, until somebody settles it."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.serializers import python as python_serializer
from django.db import transaction

from factsheets import actions, publication, safety_drafts, shared_revisions
from factsheets.models import FactSheet, InstalledRecord, SafetyAdvice, Statement
from factsheets.natural_keys import named, take_over, values_of
from factsheets.rendering.markdown import BodyError
from factsheets.revisions import word_difference

PARTS_OF_SHEETS = {
    "factsheets.factsheet",
    "factsheets.section",
    "factsheets.statementuse",
    "factsheets.sourceuse",
    "factsheets.relatedsheet",
}


@dataclass(frozen=True)
class Offer:
    """One field in which staff and the newer content differ."""

    installed: InstalledRecord
    record: object
    field: str
    ours: object
    offered: object

    @property
    def where(self) -> str:
        return f"{self.record._meta.verbose_name} “{self.record}”"

    @property
    def field_words(self) -> str:
        return self.record._meta.get_field(self.field).verbose_name

    @property
    def words(self) -> list[tuple[str, str]]:
        return list(word_difference(_text(self.ours), _text(self.offered)))


def open_offers(sheet: FactSheet | None = None) -> Iterator[Offer]:
    """Every difference that is not settled yet; with a sheet, only those in it."""
    kept = InstalledRecord.objects.exclude(offered={}).order_by("label", "natural_key")
    for installed in kept:
        record = named(apps.get_model(installed.label), installed.natural_key)
        if record is None or (sheet and sheet not in _sheets(installed, record)):
            continue
        ours = values_of(record, installed.offered)
        for name, offered in installed.offered.items():
            if ours[name] != offered:
                yield Offer(installed, record, name, ours[name], offered)


def _sheets(installed: InstalledRecord, record) -> list[FactSheet]:
    """The sheets whose words the record holds: its own, or all that show a shared statement."""
    if isinstance(record, Statement):
        return record.sheets
    if installed.label in PARTS_OF_SHEETS:
        return list(FactSheet.objects.filter(slug=installed.natural_key.split()[0]))
    return []


def settle(*, installed: InstalledRecord, field: str, take: bool, by) -> None:
    """Takes the newer words, or keeps ours for good. Raises MoveRefused, and then nothing has changed."""
    if field not in installed.offered:
        raise actions.MoveRefused("That has already been settled.")
    with transaction.atomic():
        if take and installed.label == SafetyAdvice._meta.label_lower:
            _take_into_draft(installed, field, by)
            return
        offered = installed.offered.pop(field)
        installed.fields[field] = offered
        installed.save()
        if take:
            _take(installed, field, offered, by)


def _take_into_draft(installed: InstalledRecord, field: str, by) -> None:
    """Red flags go live by a draft and a second person. The offer is settled when the draft is published."""
    try:
        safety_drafts.take_field(code=installed.natural_key, field=field, value=installed.offered[field], by=by)
    except safety_drafts.DraftRefused as refusal:
        raise actions.MoveRefused(str(refusal)) from refusal


def _take(installed: InstalledRecord, field: str, offered, by) -> None:
    model = apps.get_model(installed.label)
    record = named(model, installed.natural_key)
    if record is None:
        raise actions.MoveRefused("It no longer exists.")
    before = shared_revisions.snapshot(record) if isinstance(record, shared_revisions.SHARED) else None
    fields = {field: offered} | values_of(record, model.natural_key_fields)
    try:
        [newer] = python_serializer.Deserializer([{"model": installed.label, "fields": fields}])
        if not take_over(record, newer, [field]):
            raise actions.MoveRefused("The new wording does not fit with other changes made here. Edit it by hand.")
    except ValidationError as error:
        raise actions.MoveRefused(f"The new wording does not fit here: {' '.join(error.messages)}") from error
    except (LookupError, ValueError) as error:
        raise actions.MoveRefused(f"The new wording does not fit here: {error}") from error
    if before is not None:
        shared_revisions.keep(record=record, before=before, by=by, note="Words from the site’s newer content")
    sheets = _sheets(installed, record)
    if not sheets:
        actions.refresh_all()
    for sheet in sheets:
        try:
            actions.refresh(sheet=sheet)
        except BodyError as error:
            raise actions.MoveRefused(str(error)) from error
        if sheet.is_published and (found := publication.obstacles(sheet)):
            raise actions.MoveRefused(f"This wording cannot be published. {sheet.title}: {found[0].text}")
        actions.keep_edition(sheet=sheet, by=by, note="Words from the site’s newer content")


def _text(value) -> str:
    if isinstance(value, list):
        return "\n".join(" ".join(map(str, each)) if isinstance(each, list) else str(each) for each in value)
    return "" if value is None else str(value)
