"""Imports content from another installation's export: shows the difference first, then applies it on request.

Every field in which the file differs is shown. It is compared three ways, as `content.load` does, with what the site's own release
last installed: what only they changed is taken over, and what somebody wrote here stays, unless the person decides otherwise for
that sheet or record (`Choice`). All that is taken counts as an edit of that person, with an edition, and not as the release: the
next upgrade must not take it back.

New sheets come as drafts, and so do other words of a published one: the page stays as it is until they are signed off. Red flags go
into a draft that a second person approves, and what sheets share into a draft of each record (`shared_drafts`).
"""

import hashlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from django.apps import apps
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import FieldDoesNotExist
from django.core.serializers import python as python_serializer
from django.db import transaction
from django.db.models import IntegerChoices
from django.utils.text import capfirst

from backcare.core.sqlite.copy import tried
from factsheets import (
    actions,
    content,
    draft_workflow,
    pictures,
    publishing_rules,
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
OPEN_DRAFT = "it has an open draft. Publish or discard that, and import again."
OTHER_VERSION = "The file may be of another version of backcare."
# What it takes to write all of it on the desk.
WRITTEN = [
    *("factsheet", "section", "statement", "source", "figure", "glossaryterm", "relatedsheet", "topic", "synonym"),
    "searchquestions",
]
RIGHTS = [
    *(f"factsheets.{verb}_{model}" for model in WRITTEN for verb in ("add", "change")),
    "factsheets.change_safetydraft",
]


class Level(IntegerChoices):
    """How much of what the file says about one sheet or record replaces what is here."""

    OURS = 0, "Keep ours"
    THEIR_CHANGES = 1, "Take what only the file changed, and keep what was written here"
    ALL_THEIRS = 2, "Take the file’s"


@dataclass
class Choice:
    """A sheet or a shared record in which the file differs, and what may be done with it."""

    key: str
    title: str
    # What only they changed. Of a sheet, set once its parts are read.
    theirs: list[Change] = field(default_factory=list)
    # What somebody wrote here and the file says otherwise.
    ours: list[Change] = field(default_factory=list)
    is_theirs: bool = False
    # Of `theirs`, what has no drafts here and changes as soon as it is imported.
    at_once: list[Change] = field(default_factory=list)
    # An open draft here says something else, so nothing can be taken. `theirs` is then how the file differs from the draft.
    blocked: bool = False

    @property
    def usual(self) -> Level:
        """Nothing written here is replaced unasked."""
        return Level.THEIR_CHANGES if self.is_theirs else Level.OURS

    @property
    def levels(self) -> list[tuple[int, str]]:
        if self.is_theirs and self.ours:
            return list(Level.choices)
        takes = Level.THEIR_CHANGES if self.is_theirs else Level.ALL_THEIRS
        return [(Level.OURS.value, Level.OURS.label), (takes.value, Level.ALL_THEIRS.label)]


@dataclass
class Imported:
    """What an import changes, or would."""

    # Where the file differs from what is here, in its order.
    choices: dict[str, Choice] = field(default_factory=dict)
    # All of that as plain words, whatever is chosen: to see whether it is still what somebody has read.
    differences: list[str] = field(default_factory=list)

    # What is new, in words. A new fact sheet is a draft.
    added: list[str] = field(default_factory=list)
    # The title of each fact sheet, and what its draft says that the sheet here does not.
    sheets: list[tuple[str, list[Change]]] = field(default_factory=list)
    # What sheets share, each into a draft of its own.
    shared: list[Change] = field(default_factory=list)
    red_flags: list[Change] = field(default_factory=list)
    # What has no drafts here, such as the words of the search: it changes at once, as when somebody saves its page.
    at_once: list[Change] = field(default_factory=list)
    # Written here, other in the file, and ours stays.
    kept: list[Change] = field(default_factory=list)
    # What an open draft here says already, word for word.
    waiting: list[str] = field(default_factory=list)
    # Why something was left out.
    left: list[str] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.added or self.sheets or self.shared or self.red_flags or self.at_once)


def may_import(user) -> bool:
    """Owners, and people who may write everything in the import."""
    return user.is_active and user.is_staff and user.has_perms(RIGHTS)


def import_content(
    folder: Path,
    *,
    by=None,
    apply: bool = False,
    replace_ours: bool = False,
    chosen: Mapping[str, int] | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
    seen: str | None = None,
) -> Imported:
    """Compares the folder with the database and, with `apply`, takes it over. Raises ContentError, and then nothing has changed.

    `chosen` is the `Level` for the key of a `Choice`. Without one it is `Choice.usual`, or with `replace_ours` all theirs.
    `by` is whose edit it is. To look without changing anything needs nobody. `progress` is told how many entries of how many are
    read. With `seen`, the `digest_of` a comparison, it is taken over only while it would change just that; else ChangedSince.
    """
    # Before anything is locked: while this writes, nobody else can where the database is SQLite.
    listed = list(entries(folder, content.MODELS))
    faults_before = {(sheet.pk, each.text) for sheet, each in _faults()}
    apply = apply and by is not None
    with transaction.atomic() if apply else tried():
        if by is None:
            # Until the end of this block.
            by = get_user_model().objects.create(username=f"import-{secrets.token_hex(8)}", is_superuser=True)
        run = _Import(by, replace_ours, chosen or {})
        content.take_in_pictures(folder)
        run.keep_places(listed)
        for number, (model, fields, where) in enumerate(listed, start=1):
            progress(number, len(listed))
            try:
                run.install(model, fields)
            except FieldDoesNotExist as error:
                raise ContentError(f"{where}: {error} {OTHER_VERSION}") from error
            except content.FAULTS as error:
                raise ContentError(f"{where}: {content.sentence(error)}") from error
        run.remove_dropped_parts()
        run.into_drafts()
        run.draft_red_flags()
        run.expect_no_new(faults_before)
        pictures.discard_unused()
        run.forget_empty_choices()
        if apply and seen is not None and seen != digest_of(run.imported):
            raise ChangedSince("Somebody changed something here in the meantime. Read the difference again.")
    return run.imported


class ChangedSince(ContentError):
    """The import would now change something other than what somebody has read."""


def digest_of(found: Imported) -> str:
    """Identifies a comparison, to check later that it is the one somebody has read."""
    return hashlib.sha256(json.dumps([found.differences, found.added]).encode()).hexdigest()[:32]


class _Import(content.Edition):
    def __init__(self, by, replace_ours: bool, chosen: Mapping[str, int]):
        super().__init__()
        self.by, self.replace_ours, self.chosen = by, replace_ours, chosen
        self.imported = Imported()
        self.flags: list[dict] = []
        self.live_flags = safety_revisions.snapshot()
        self.places = {model: _places(model) for model in PLACED}
        # The sheets that it has written in, as they were. None for a new one.
        self.before: dict[str, dict | None] = {}
        self.touches_live = False

    def keep_places(self, listed: list[tuple]) -> None:
        """Gives the entries of parts the numbers of their places here, wherever the file has them in the same order.

        An export numbers by tens, also where a deletion here left a gap.
        """
        groups: dict[tuple, dict[str, dict]] = {}
        for model, fields, _ in listed:
            if model in PLACED and isinstance(fields.get("position"), int):
                with suppress(ValueError):  # which `install` tells, with its place in the file
                    of, key = str(fields.get(model.natural_key_fields[0])), key_of(model, fields)
                    groups.setdefault((model, of), {})[key] = fields
        places = {
            model: {" ".join(map(str, key)): position for key, position in found.items()}
            for model, found in self.places.items()
        }
        for (model, _), theirs in groups.items():
            here = places[model]
            order = [key for key in here if key in theirs]
            their_order = sorted(theirs, key=lambda key: theirs[key]["position"])
            is_new = any(key not in here and (model._meta.label_lower, key) not in self.installed for key in theirs)
            if not is_new and order == [key for key in their_order if key in here]:
                for key in order:
                    theirs[key]["position"] = here[key]

    def install(self, model, fields: dict) -> None:
        fields = {name: value for name, value in fields.items() if name not in OURS.get(model, set())}
        if model is SafetyAdvice:
            self._flag(fields)
        elif model is WordList:
            self._word_list(fields)
        elif self.stored.is_as(model, key_of(model, fields), fields):
            self._see(model, fields)  # as nearly all are
        else:
            if model in OF_SHEETS:
                self._remember(key_of(model, fields).split()[0])
            super().install(model, fields)

    def _remember(self, slug: str) -> None:
        if slug not in self.before:
            sheet = FactSheet.objects.filter(slug=slug).first()
            self.before[slug] = revisions.snapshot(sheet) if sheet else None

    def _choice(self, record) -> Choice:
        """What is decided about the record: with all that belongs to its sheet, or alone."""
        if isinstance(record, OF_SHEETS):
            sheet = _sheet_of(record)
            key, title = f"sheet-{sheet.slug}", f"Fact sheet “{sheet}”"
        elif isinstance(record, SafetyAdvice):
            key, title = "red-flags", "Red flags"
        else:
            key, title = f"{record._meta.model_name}-{record.pk}", _named(record)
        return self.imported.choices.setdefault(key, Choice(key, title))

    def _level(self, choice: Choice) -> int:
        return self.chosen.get(choice.key, Level.ALL_THEIRS if self.replace_ours else choice.usual)

    def _differs(self, choice: Choice, change: Change, *, only_there: bool) -> None:
        said = [choice.key, only_there, change.part, change.field, change.before, change.after]
        self.imported.differences.append("\n".join(map(str, said)))
        if only_there:
            choice.is_theirs = True
        else:
            choice.ours.append(change)

    def _block(self, choice: Choice, beside_draft: list[Change]) -> None:
        choice.blocked, choice.theirs = True, beside_draft

    def _keep_deleted(self, label: str, key: str) -> None:
        self.deleted.add((label, key))
        what = capfirst(apps.get_model(label)._meta.verbose_name)
        self.imported.left.append(f"{what} “{key}”: deleted here. Restore it first if you want it back.")

    def _may(self, verb: str, record) -> bool:
        """Whether they might do the same on the desk, of what has no drafts. Says so where not."""
        names = record._meta
        if self.by.has_perm(f"{names.app_label}.{verb}_{names.model_name}"):
            return True
        self.imported.left.append(f"{_named(record)}: only an owner may change this.")
        return False

    # --- what is new, and what differs ---

    def _add(self, offered, new: dict, label: str, key: str) -> None:
        record = offered.object
        if isinstance(record, OF_SHEETS):
            offered.save()
            if self.before[key.split()[0]] is not None:
                self._differs(self._choice(record), Change(_named(record), "added", "", key), only_there=True)
            return
        if isinstance(record, GlossaryTerm):
            # Pages explain a word as soon as there is one.
            if self._drafted(record, None, new):
                self.imported.added.append(_named(record))
            return
        if not self._may("add", record):
            self.deleted.add((label, key))
            return
        self.touches_live = True
        offered.save()
        self.imported.added.append(_named(record))
        if isinstance(record, shared_revisions.SHARED):
            shared_revisions.keep(record=record, before={}, by=self.by, note=NOTE)
        _log(record, self.by, ADDITION)

    def _drafted(self, record, pk: int | None, content: dict) -> bool:
        """Puts it into a draft of its own. False where there is an open one, which stays as it is."""
        content = {**shared_revisions.snapshot(record), **content}
        drafts = SharedDraft.objects.filter(label=record._meta.label_lower, is_open=True)
        open_one = drafts.filter(record=pk).first() if pk else drafts.filter(record=None, name=str(record)).first()
        if open_one and not shared_revisions.changes(type(record), open_one.content, content):
            self.imported.waiting.append(_named(record))
            return False
        try:
            if open_one:
                raise draft_workflow.DraftRefused
            given = {"content": content, "name": str(record), "by": self.by, "note": NOTE, "what": NOTE}
            shared_drafts.begin(model=type(record), pk=pk, **given)
        except draft_workflow.DraftRefused:
            self.imported.left.append(f"{_named(record)}: {OPEN_DRAFT}")
            if open_one and pk:
                self._block(self._choice(record), shared_revisions.changes(type(record), open_one.content, content))
            return False
        return True

    def _merge(self, stored, offered, new: dict, installed: InstalledRecord | None, record: str) -> None:
        current = values_of(stored, new)
        names = [name for name, value in new.items() if current[name] != value]
        if not names:
            return
        what, choice = _named(stored), self._choice(stored)
        wanted = [name for name in names if installed and current[name] == self._base(stored, installed, name)]
        both = [name for name in names if name not in wanted]
        found = {name: _change(stored, what, name, current, new) for name in names}
        for name in names:
            self._differs(choice, found[name], only_there=name in wanted)
        level = self._level(choice)
        if level == Level.ALL_THEIRS:
            wanted, both = names, []
        elif level == Level.OURS and not isinstance(stored, OF_SHEETS):
            wanted, both = [], names
        elif level == Level.OURS:
            # What a draft would say is put back as a whole. The rest stays now.
            wanted, both = [name for name in wanted if _is_in_drafts(stored, name)], both
        if wanted and isinstance(stored, shared_revisions.SHARED):
            if not self._drafted(stored, stored.pk, {name: new[name] for name in wanted}):
                wanted = []
            self.imported.shared += [found[name] for name in wanted]
            choice.theirs += [found[name] for name in wanted]
        elif wanted and not isinstance(stored, OF_SHEETS) and not self._may("change", stored):
            wanted = []
        elif wanted and not take_over(stored, offered, wanted):
            wanted, both = [], both + wanted
        self.imported.kept += [found[name] for name in both]
        if isinstance(stored, FactSheet):
            # Its place in the list is not among its words, and no draft has one.
            at_once = [name for name in wanted if not _is_in_drafts(stored, name)]
        else:
            at_once = [] if isinstance(stored, (*OF_SHEETS, *shared_revisions.SHARED)) else wanted
        if at_once:
            _log(stored, self.by, CHANGE)
        self.imported.at_once += [found[name] for name in at_once]
        choice.at_once += [found[name] for name in at_once]
        self.touches_live |= bool(at_once)

    def _base(self, stored, installed: InstalledRecord | None, name: str):
        if installed is None:
            return None
        default = default_of(stored._meta.get_field(name))
        return installed.fields.get(name, default)

    # --- what they no longer have ---

    def remove_dropped_parts(self) -> None:
        sheets = [key for label, key in self.seen if label == FactSheet._meta.label_lower]
        for model in content.PARTS:
            label, lookups = model._meta.label_lower, model.natural_key_lookups()
            here = model.objects.filter(**{f"{lookups[0]}__in": sheets}).values_list("pk", *lookups)
            gone = {pk: " ".join(map(str, words)) for pk, *words in here}
            for part in model.objects.filter(pk__in=[pk for pk, key in gone.items() if (label, key) not in self.seen]):
                key = gone[part.pk]
                installed = self.installed.get((label, key))
                choice, only_there = self._choice(part), bool(installed and content.is_as_installed(part, installed))
                change = Change(_named(part), "only here", _words_of(part), "")
                self._differs(choice, change, only_there=only_there)
                level = self._level(choice)
                if level == Level.ALL_THEIRS or (only_there and level == Level.THEIR_CHANGES):
                    self._remember(key.split()[0])
                    part.delete()
                else:
                    self.imported.left.append(f"{_named(part)}: only here, and kept.")

    # --- the sheets that follow ---

    def into_drafts(self) -> None:
        """Raises ContentError where a text cannot be shown."""
        for slug, was in self.before.items():
            sheet = FactSheet.objects.filter(slug=slug).first()
            if sheet is None:  # its parts, without the sheet itself
                continue
            try:
                self._into_a_draft(sheet, was)
                actions.refresh(sheet=sheet)
            except (BodyError, revisions.CannotPutBack) as error:
                raise ContentError(f"{sheet.title}: {error}") from error
            actions.keep_edition(sheet=sheet, by=self.by, note=NOTE)
        if self.touches_live:
            actions.refresh_changed()

    def _into_a_draft(self, sheet: FactSheet, was: dict | None) -> None:
        """Gives a published sheet its own words back, and a draft over it those of the import."""
        if was is None:
            self.imported.added.append(_named(sheet))
            return
        now = revisions.snapshot(sheet)
        found = revisions.changes(was, now)
        if not found:
            return
        choice = self._choice(sheet)
        choice.theirs = found
        level = self._level(choice)
        if not sheet.is_published and level != Level.OURS:
            self.imported.sheets.append((sheet.title, found))
            return
        self._put_back(sheet, was)
        if level == Level.OURS:
            return
        if draft := sheet.open_draft:
            if other := revisions.changes(revisions.snapshot(draft), now):
                self.imported.left.append(f"{_named(sheet)}: {OPEN_DRAFT}")
                self._block(choice, other)
            else:
                choice.theirs = []
                self.imported.waiting.append(_named(sheet))
            return
        # The page is as it was, and the draft begins from there.
        actions.refresh(sheet=sheet)
        actions.keep_edition(sheet=sheet, by=self.by, note=NOTE)
        draft = actions.begin_draft(sheet=sheet, by=self.by)
        revisions.put_back(draft, {**now, "findings": now.get("findings", {})})
        actions.refresh(sheet=draft)
        actions.keep_edition(sheet=draft, by=self.by, note=NOTE)
        self.imported.sheets.append((sheet.title, found))

    def _put_back(self, sheet: FactSheet, was: dict) -> None:
        revisions.put_back(sheet, {**was, "findings": was.get("findings", {})})
        for model, places in self.places.items():
            # Otherwise the next release would treat renumbered places as a staff edit.
            for key, position in _places(model).items():
                if places.get(key, position) != position:
                    model.objects.filter(**dict(zip(model.natural_key_lookups(), key, strict=True))).update(
                        position=places[key]
                    )

    def forget_empty_choices(self) -> None:
        """Those whose every difference waits in a draft already, or is left out with a reason."""
        choices = self.imported.choices
        self.imported.choices = {
            key: each for key, each in choices.items() if each.theirs or each.ours or each.at_once or each.blocked
        }

    def expect_no_new(self, before: set[tuple[int, str]]) -> None:
        """Raises ContentError when what changes at once leaves a public sheet saying what it may not."""
        if not self.touches_live:
            return
        new = [(sheet, each) for sheet, each in _faults() if (sheet.pk, each.text) not in before]
        if new:
            listed = " ".join(f"{sheet.title}: {each.text}" for sheet, each in new[:5])
            raise ContentError(f"A public fact sheet could not be shown so. {listed}")

    # --- what nobody changes alone ---

    def _flag(self, fields: dict) -> None:
        check_names(SafetyAdvice, fields)
        _, key = self._see(SafetyAdvice, fields)
        [offered] = python_serializer.Deserializer([{"model": SafetyAdvice._meta.label_lower, "fields": fields}])
        live = safety_drafts.find(self.live_flags, key)
        theirs = values_of(offered.object, fields, offered.m2m_data)
        self.flags.append({**safety_drafts.whole(live or {}), **theirs})

    def _merged_flags(self) -> list[dict]:
        """The live set with as much of theirs as was chosen."""
        label, theirs = SafetyAdvice._meta.label_lower, {flag["code"]: flag for flag in self.flags}
        bases = {code: each.fields for (of, code), each in self.installed.items() if of == label}
        ours = {flag["code"]: flag for flag in self.live_flags}
        choice = self._choice(SafetyAdvice())
        mine: dict[str, dict] = {}  # theirs, but where we wrote
        for code in dict.fromkeys([*ours, *theirs]):
            live, other, base = ours.get(code), theirs.get(code), bases.get(code)
            if live and other:
                kept = [
                    name for name in live if live[name] != other[name] and not (base and live[name] == base.get(name))
                ]
                mine[code] = {**other, **{name: live[name] for name in kept}}
            elif live and not (base and all(live[name] == value for name, value in base.items() if name in live)):
                mine[code] = live
            elif other and base is None:
                mine[code] = other
        for only_there, before, after in (
            (True, self.live_flags, list(mine.values())),
            (False, list(mine.values()), self.flags),
        ):
            for change in safety_revisions.changes(before, after):
                self._differs(choice, change, only_there=only_there)
        choice.theirs = safety_revisions.changes(self.live_flags, list(mine.values()))
        level = self._level(choice)
        if level == Level.ALL_THEIRS:
            return self.flags
        self.imported.kept += choice.ours
        return list(mine.values()) if level == Level.THEIR_CHANGES else self.live_flags

    def draft_red_flags(self) -> None:
        if not self.flags:
            return
        self.flags = self._merged_flags()
        found = safety_revisions.changes(self.live_flags, self.flags)
        if not found:
            return
        draft = safety_drafts.current()
        choice = self._choice(SafetyAdvice())
        if draft and not (other := safety_revisions.changes(draft.content, self.flags)):
            choice.theirs = []
            self.imported.waiting.append("Red flags")
            return
        try:
            safety_drafts.begin(content=self.flags, what=NOTE, by=self.by)
        except draft_workflow.DraftRefused as refusal:
            self.imported.left.append(f"Red flags: {refusal}")
            self._block(choice, other if draft else [])
        else:
            self.imported.red_flags = found

    def _word_list(self, fields: dict) -> None:
        name = key_of(WordList, fields)
        stored = WordList.objects.filter(name=name).first()
        if stored is None or values_of(stored, fields) != fields:
            self.imported.left.append(f"The word list {name} differs. It comes with a new version of backcare only.")


def _sheet_of(part) -> FactSheet:
    match part:
        case FactSheet():
            return part
        case StatementUse():
            return part.section.sheet
        case _:
            return part.sheet


def _is_in_drafts(stored, name: str) -> bool:
    """Whether a draft of the sheet holds the field. The place of a sheet in the list is in none."""
    return not isinstance(stored, FactSheet) or name in revisions.SHEET


def _words_of(part) -> str:
    match part:
        case Section():
            return part.body or str(part)
        case StatementUse():
            return str(part.statement)
        case SourceUse():
            return part.finding
        case _:
            return part.reason


def _faults() -> Iterator[tuple[FactSheet, publishing_rules.Obstacle]]:
    """What public sheets may not say. Some may from before: an import must not add to it."""
    for sheet in FactSheet.objects.published():
        for each in publishing_rules.obstacles(sheet):
            yield sheet, each


def _places(model) -> dict[tuple, int]:
    lookups = model.natural_key_lookups()
    return {tuple(key): position for *key, position in model.objects.values_list(*lookups, "position")}


def _named(record) -> str:
    """In the words of the desk. A part with its sheet."""
    if isinstance(record, Section):
        return f"{record.sheet}: {record}"
    if isinstance(record, (StatementUse, SourceUse, RelatedSheet)):
        return str(record)
    return f"{capfirst(record._meta.verbose_name)} “{record}”"


def _change(record, label: str, name: str, current: dict, new: dict) -> Change:
    words = shared_revisions.change_in_words(type(record), name, current[name], new[name])
    return Change(label, *words, marked=revisions.is_marked(type(record), name))


def _log(record, by, flag: int) -> None:
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(record),
        object_id=record.pk,
        object_repr=str(record)[:200],
        action_flag=flag,
        change_message=NOTE,
    )
