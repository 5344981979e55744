"""Takes content from an export of another installation: first the difference, then, when somebody says so, the change.

Each field is compared three ways, as `content.load` does, with what the site's own release last installed. What only they changed
is taken over; what only we changed stays; where both did, ours stays unless the person says otherwise. All that is taken counts as
an edit of that person, with an edition, and not as the release: the next upgrade must not take it back.

New sheets come as drafts, and so do other words of a published one: the page stays as it is until they are signed off. Red flags go
into a draft that a second person approves, and what sheets share into a draft of each record (`shared_drafts`).
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.serializers import python as python_serializer
from django.db import transaction

from factsheets import (
    actions,
    content,
    draft_workflow,
    pictures,
    publication,
    revisions,
    safety_drafts,
    safety_revisions,
    shared_drafts,
    shared_revisions,
)
from factsheets.fixtures import ContentError, check_names, default_of, entries, key_of, take_over, values_of
from factsheets.models import (
    FactSheet,
    GlossaryTerm,
    InstalledRecord,
    RelatedSheet,
    SafetyAdvice,
    Section,
    SharedDraft,
    SourceUse,
    WordList,
)
from factsheets.models.evidence import StatementUse
from factsheets.rendering.markdown import BodyError
from factsheets.revisions import Change

# Which state a sheet is in, and when its words came with a release, is each installation's own.
OURS = {FactSheet: {"state", "written_on"}}
OF_SHEETS = (FactSheet, Section, StatementUse, SourceUse, RelatedSheet)
PLACED = (Section, StatementUse, RelatedSheet)
NOTE = "Imported content"


@dataclass
class Imported:
    """What an import changes, or would."""

    added: list[str] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    # Both changed it, and ours stays.
    kept: list[Change] = field(default_factory=list)
    # Why something was left out.
    left: list[str] = field(default_factory=list)
    red_flags: list[Change] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.changed or self.removed or self.red_flags)


def bring_in(
    folder: Path,
    *,
    by=None,
    apply: bool = False,
    replace_ours: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Imported:
    """Compares the folder with the database and, with `apply`, takes it over. Raises ContentError, and then nothing has changed.

    `by` is whose edit it is. To look without changing anything needs nobody. `progress` is told how many entries of how many are
    read.
    """
    with transaction.atomic():
        if by is None:
            apply = False
            by = get_user_model().objects.create(
                username=f"import-{secrets.token_hex(8)}"
            )  # until the end of this block
        run = _Import(by, replace_ours)
        content.take_in_pictures(folder)
        listed = list(entries(folder, content.MODELS))
        for number, (model, fields, where) in enumerate(listed, start=1):
            progress(number, len(listed))
            try:
                run.install(model, fields)
            except content.FAULTS as error:
                raise ContentError(f"{where}: {content.sentence(error)}") from error
        run.remove_dropped_parts()
        run.refresh()
        run.draft_red_flags()
        pictures.discard_unused()
        if not apply:
            transaction.set_rollback(True)
    return run.imported


class _Import(content.Edition):
    def __init__(self, by, replace_ours: bool):
        super().__init__()
        self.by, self.replace_ours = by, replace_ours
        self.imported = Imported()
        self.flags: list[dict] = []
        self.before = {sheet.pk: revisions.snapshot(sheet) for sheet in FactSheet.objects.published()}
        self.places = {model: _places(model) for model in PLACED}
        self.faults_before = {(sheet.pk, each.text) for sheet, each in _faults()}

    def install(self, model, fields: dict) -> None:
        fields = {name: value for name, value in fields.items() if name not in OURS.get(model, set())}
        if model is SafetyAdvice:
            self._flag(fields)
        elif model is WordList:
            self._word_list(fields)
        else:
            super().install(model, fields)

    def _keep_deleted(self, label: str, key: str) -> None:
        self.deleted.add((label, key))
        self.imported.left.append(f"{label} {key}: deleted here. Restore it first if you want it back.")

    # --- what is new, and what differs ---

    def _add(self, offered, new: dict, label: str, key: str) -> None:
        if isinstance(offered.object, GlossaryTerm):
            # Pages explain a word as soon as there is one.
            if self._drafted(offered.object, None, new, label, key):
                self.imported.added.append(f"{label} {key}")
            return
        offered.save()
        self.imported.added.append(f"{label} {key}")
        if not isinstance(offered.object, OF_SHEETS):
            if isinstance(offered.object, shared_revisions.SHARED):
                shared_revisions.keep(record=offered.object, before={}, by=self.by, note=NOTE)
            _log(offered.object, self.by, ADDITION)

    def _drafted(self, record, pk: int | None, content: dict, label: str, key: str) -> bool:
        """Puts it into a draft of its own. False where there is an open one, which stays as it is."""
        try:
            if pk is None and SharedDraft.objects.filter(label=label, name=str(record), is_open=True).exists():
                raise draft_workflow.DraftRefused
            content = {**shared_revisions.snapshot(record), **content}
            given = {"content": content, "name": str(record), "by": self.by, "note": NOTE, "what": NOTE}
            shared_drafts.begin(model=type(record), pk=pk, **given)
        except draft_workflow.DraftRefused:
            self.imported.left.append(
                f"{label} {key}: it has an open draft. Publish or discard that, and import again."
            )
            return False
        return True

    def _merge(self, stored, offered, new: dict, installed: InstalledRecord | None, record: str) -> None:
        current = values_of(stored, new)
        wanted, both = [], []
        for name, value in new.items():
            was = self._base(stored, installed, name)
            if current[name] == value or (installed and value == was):
                continue  # the same, or only we changed it
            (wanted if installed and current[name] == was else both).append(name)
        if self.replace_ours:
            wanted, both = wanted + both, []
        if isinstance(stored, shared_revisions.SHARED):
            label = stored._meta.label_lower
            drafted = {name: new[name] for name in wanted}
            if wanted and not self._drafted(stored, stored.pk, drafted, label, record.partition(" ")[2]):
                wanted = []
        elif wanted and not take_over(stored, offered, wanted):
            wanted, both = [], both + wanted
        self.imported.changed += [_change(stored, record, name, current, new) for name in wanted]
        self.imported.kept += [_change(stored, record, name, current, new) for name in both]
        if wanted and not isinstance(stored, (*OF_SHEETS, *shared_revisions.SHARED)):
            _log(stored, self.by, CHANGE)

    def _base(self, stored, installed: InstalledRecord | None, name: str):
        if installed is None:
            return None
        default = default_of(stored._meta.get_field(name))
        return installed.fields.get(name, default)

    # --- what they no longer have ---

    def remove_dropped_parts(self) -> None:
        sheets = [key for label, key in self.seen if label == FactSheet._meta.label_lower]
        for model in content.PARTS:
            label = model._meta.label_lower
            to_sheet = model.natural_key_lookups()[0]
            for part in model.objects.filter(**{f"{to_sheet}__in": sheets}):
                key = " ".join(map(str, part.natural_key()))
                if (label, key) in self.seen:
                    continue
                installed = self.installed.get((label, key))
                if self.replace_ours or (installed and content.is_as_installed(part, installed)):
                    part.delete()
                    self.imported.removed.append(f"{label} {key}")
                else:
                    self.imported.left.append(f"{label} {key}: only here, and kept.")

    # --- the sheets that follow ---

    def refresh(self) -> None:
        for sheet in FactSheet.objects.all():
            try:
                if sheet.is_published:
                    self._into_a_draft(sheet)
                actions.refresh(sheet=sheet)
            except (BodyError, revisions.CannotPutBack) as error:
                raise ContentError(f"{sheet.title}: {error}") from error
            actions.keep_edition(sheet=sheet, by=self.by, note=NOTE)
        new = [(sheet, each) for sheet, each in _faults() if (sheet.pk, each.text) not in self.faults_before]
        if new:
            listed = " ".join(f"{sheet.title}: {each.text}" for sheet, each in new[:5])
            raise ContentError(f"A public fact sheet could not be shown so. {listed}")

    def _into_a_draft(self, sheet: FactSheet) -> None:
        """Gives the published sheet its own words back, and a draft over it those of the import."""
        was, now = self.before[sheet.pk], revisions.snapshot(sheet)
        if not revisions.changes(was, now):
            return
        revisions.put_back(sheet, {**was, "findings": was.get("findings", {})})
        for model, places in self.places.items():
            # Or the next release would take the places that it numbers anew for a staff edit.
            for key, position in _places(model).items():
                if places.get(key, position) != position:
                    model.objects.filter(**dict(zip(model.natural_key_lookups(), key, strict=True))).update(
                        position=places[key]
                    )
        if sheet.open_draft:
            self.imported.left.append(
                f"{sheet.title}: it has an open draft. Publish or discard that, and import again."
            )
            return
        # The page is as it was, and the draft begins from there.
        actions.refresh(sheet=sheet)
        actions.keep_edition(sheet=sheet, by=self.by, note=NOTE)
        draft = actions.begin_draft(sheet=sheet, by=self.by)
        revisions.put_back(draft, {**now, "findings": now.get("findings", {})})
        actions.refresh(sheet=draft)
        actions.keep_edition(sheet=draft, by=self.by, note=NOTE)

    # --- what nobody changes alone ---

    def _flag(self, fields: dict) -> None:
        check_names(SafetyAdvice, fields)
        key = key_of(SafetyAdvice, fields)
        self.seen.add((SafetyAdvice._meta.label_lower, key))
        [offered] = python_serializer.Deserializer([{"model": SafetyAdvice._meta.label_lower, "fields": fields}])
        live = safety_drafts.find(safety_revisions.snapshot(), key)
        theirs = values_of(offered.object, fields, offered.m2m_data)
        self.flags.append({**safety_drafts.whole(live or {}), **theirs})

    def draft_red_flags(self) -> None:
        if not self.flags:
            return
        self.imported.red_flags = safety_revisions.changes(safety_revisions.snapshot(), self.flags)
        if not self.imported.red_flags:
            return
        try:
            safety_drafts.begin(content=self.flags, what=NOTE, by=self.by)
        except draft_workflow.DraftRefused as refusal:
            self.imported.red_flags = []
            self.imported.left.append(f"Red flags: {refusal}")

    def _word_list(self, fields: dict) -> None:
        name = key_of(WordList, fields)
        stored = WordList.objects.filter(name=name).first()
        if stored is None or values_of(stored, fields) != fields:
            self.imported.left.append(f"The word list {name} differs. It comes with a new version of backcare only.")


def _faults() -> Iterator[tuple[FactSheet, publication.Obstacle]]:
    """What public sheets may not say. Some may from before: an import must not add to it."""
    for sheet in FactSheet.objects.published():
        for each in publication.obstacles(sheet):
            yield sheet, each


def _places(model) -> dict[tuple, int]:
    lookups = model.natural_key_lookups()
    return {tuple(key): position for *key, position in model.objects.values_list(*lookups, "position")}


def _change(record, label: str, name: str, current: dict, new: dict) -> Change:
    words = str(record._meta.get_field(name).verbose_name)
    return Change(label, words, *(safety_revisions.in_words(each[name]) for each in (current, new)))


def _log(record, by, flag: int) -> None:
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(record),
        object_id=record.pk,
        object_repr=str(record)[:200],
        action_flag=flag,
        change_message=NOTE,
    )
