"""New content for places that staff had changed: both texts, until somebody chooses."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.core.exceptions import ValidationError
from django.core.serializers import python as python_serializer
from django.db import transaction

from factsheets import (
    actions,
    draft_workflow,
    publishing_rules,
    revisions,
    safety_drafts,
    shared_drafts,
    shared_revisions,
)
from factsheets.fixtures import named, take_over, values_of
from factsheets.models import FactSheet, InstalledRecord, SafetyAdvice, Statement
from factsheets.rendering.markdown import BodyError

NOTE = "Words from the site’s newer content"
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
        _, *said = shared_revisions.change_in_words(type(self.record), self.field, self.ours, self.offered)
        return revisions.words_apart(*said, marked=revisions.is_marked(type(self.record), self.field))


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


def waits_in(offer: Offer) -> tuple[str, object] | None:
    """The draft that has the offered words already, as its kind and itself. The offer is settled when that is published."""
    if isinstance(offer.record, shared_revisions.SHARED):
        draft = shared_drafts.of(offer.record)
        return ("shared", draft) if draft and draft.content.get(offer.field) == offer.offered else None
    if offer.installed.label == SafetyAdvice._meta.label_lower:
        draft = safety_drafts.current()
        flag = safety_drafts.find(draft.content, offer.installed.natural_key) if draft else None
        return ("red flags", draft) if flag and flag.get(offer.field) == offer.offered else None
    sheet = _public_sheet(offer.installed, offer.field)
    row = _in_draft(offer.installed, sheet.open_draft) if sheet and sheet.open_draft else None
    same = row is not None and values_of(row, [offer.field])[offer.field] == offer.offered
    return ("sheet", sheet.open_draft) if same else None


def settle(*, installed: InstalledRecord, field: str, take: bool, by) -> object:
    """Accepts the newer words, or keeps ours for good. Raises MoveRefused, and then nothing has changed.

    What readers see takes them by its draft, which is returned; the offer stays until that is published. Else None.
    """
    if field not in installed.offered:
        raise actions.MoveRefused("That has already been settled.")
    with transaction.atomic():
        if take and (draft := _take_into_draft(installed, field, by)):
            return draft
        offered = installed.offered.pop(field)
        installed.fields[field] = offered
        installed.save()
        if take:
            _take(installed, field, offered, by)
    return None


def _take_into_draft(installed: InstalledRecord, field: str, by):
    """None for what no reader sees, such as a sheet that is a draft itself, or is of no sheet, such as a synonym."""
    offered = installed.offered[field]
    try:
        if installed.label == SafetyAdvice._meta.label_lower:
            return safety_drafts.take_field(code=installed.natural_key, field=field, value=offered, by=by)
        record = _named(installed)
        if isinstance(record, shared_revisions.SHARED):
            return shared_drafts.take_field(record=record, field=field, value=offered, by=by, what=NOTE)
    except draft_workflow.DraftRefused as refusal:
        raise actions.MoveRefused(str(refusal)) from refusal
    sheet = _public_sheet(installed, field)
    if sheet is None:
        return None
    draft = actions.begin_draft(sheet=sheet, by=by)
    if why_not := publishing_rules.why_not_edit(draft):
        raise actions.MoveRefused(why_not)
    row = _in_draft(installed, draft)
    if row is None:
        raise actions.MoveRefused("The draft of this sheet no longer has this part. Discard the draft, or keep yours.")
    theirs, ours = (values_of(each, [field])[field] for each in (row, record))
    if theirs not in (ours, offered):
        raise actions.MoveRefused("The open draft has words of its own there. Publish or discard it first.")
    _write(row, record, installed, field, offered)
    try:
        actions.refresh(sheet=row if isinstance(row, FactSheet) else draft)
    except BodyError as error:
        raise actions.MoveRefused(str(error)) from error
    actions.keep_edition(sheet=draft, by=by, note=NOTE)
    return draft


def _public_sheet(installed: InstalledRecord, field: str) -> FactSheet | None:
    """The published sheet whose words the field is a part of."""
    if installed.label not in PARTS_OF_SHEETS or (
        installed.label == "factsheets.factsheet" and field not in revisions.SHEET
    ):
        return None
    return FactSheet.objects.published().filter(slug=installed.natural_key.split()[0]).first()


def _in_draft(installed: InstalledRecord, draft: FactSheet):
    """The row of the draft that is the copy of the record. None when the draft has none."""
    _, *rest = installed.natural_key.split()
    if installed.label == "factsheets.factsheet":
        return draft
    return named(apps.get_model(installed.label), " ".join([draft.slug, *rest]))


def _named(installed: InstalledRecord):
    record = named(apps.get_model(installed.label), installed.natural_key)
    if record is None:
        raise actions.MoveRefused("It no longer exists.")
    return record


def _write(row, record, installed: InstalledRecord, field: str, offered) -> None:
    """Gives the row, which may be the draft's copy of the record, the offered value. Raises MoveRefused."""
    fields = {field: offered} | values_of(record, type(record).natural_key_fields)
    try:
        [newer] = python_serializer.Deserializer([{"model": installed.label, "fields": fields}])
        if not take_over(row, newer, [field]):
            raise actions.MoveRefused("The new wording does not fit with other changes made here. Edit it by hand.")
    except ValidationError as error:
        raise actions.MoveRefused(f"The new wording does not fit here: {' '.join(error.messages)}") from error
    except (LookupError, ValueError) as error:
        raise actions.MoveRefused(f"The new wording does not fit here: {error}") from error


def _take(installed: InstalledRecord, field: str, offered, by) -> None:
    """Of what no reader sees as it is."""
    record = _named(installed)
    _write(record, record, installed, field, offered)
    sheets = _sheets(installed, record)
    if not sheets:
        actions.refresh_all()
    for sheet in sheets:
        try:
            actions.refresh(sheet=sheet)
        except BodyError as error:
            raise actions.MoveRefused(str(error)) from error
        actions.keep_edition(sheet=sheet, by=by, note=NOTE)
