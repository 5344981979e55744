"""A draft of what several sheets share: a source, a statement, a glossary term, a figure or a notice. Readers keep the live one.

What a clinician's signature rests on (`why_second`) is published by a clinician who wrote none of it, the rest by an editor.
One table holds the drafts of all kinds, each as the snapshot that its history keeps (`shared_revisions`).
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import Error, IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils import timezone

from backcare.core.sqlite.copy import tried
from factsheets import (
    actions,
    draft_workflow,
    markup_checks,
    pictures,
    publishing_rules,
    review_notifications,
    shared_revisions,
    sheet_drafts,
    team,
)
from factsheets.draft_workflow import DraftRefused
from factsheets.models import (
    ContentVersion,
    DraftState,
    DraftStep,
    FactSheet,
    Figure,
    GlossaryTerm,
    Section,
    SharedDraft,
    SharedStep,
    SiteNotice,
    Source,
    State,
    Statement,
)
from factsheets.publishing_rules import Obstacle
from factsheets.rendering.glossary_marks import taken
from factsheets.revisions import CannotPutBack, Change
from factsheets.shared_revisions import MODELS, fields_of, snapshot

logger = logging.getLogger(__name__)

# The texts in which an editor may correct a slip alone, as in a sheet (`sheet_drafts.why_more_than_a_slip`).
CORRECTABLE = {"claim", "detail", "meaning", "alt", "long_description"}
# In short texts, where a slip of a few words could be the whole text, only a misspelt word (`is_misspelling`).
SHORT = {"claim", "meaning", "alt"}
A_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
BETWEEN = re.compile(r"[\s,.;:!…'’\"“”–—-]*")
# Changes of a figure for which its sheets are only read again, because a refused save would lose an upload.
LIVE_AT_ONCE = {"drawing", "picture"}


def of(record) -> SharedDraft | None:
    """The open draft of the record."""
    rows = SharedDraft.objects.filter(label=record._meta.label_lower, record=record.pk, is_open=True)
    return rows.first()


def record_of(draft: SharedDraft, *, lock: bool = False):
    """The live record. None if it was deleted or does not exist yet. `lock`: no colleague can save before we do."""
    rows = MODELS[draft.label].objects
    rows = rows.select_for_update(no_key=True) if lock else rows
    return rows.filter(pk=draft.record).first() if draft.record else None


@dataclass(frozen=True)
class Beside:
    """A draft and what is live, each read once."""

    draft: SharedDraft
    record: Any
    live: dict  # empty where nothing is

    @cached_property
    def difference(self) -> list[Change]:
        """The differences from what is live to what the draft says."""
        return shared_revisions.changes(MODELS[self.draft.label], self.live, self.draft.content)

    @cached_property
    def underneath(self) -> list[Change]:
        """What colleagues or newer site content have changed in the live record since the draft was begun."""
        if not self.live:
            return []
        return shared_revisions.changes(MODELS[self.draft.label], self.draft.base, self.live)

    @property
    def in_both(self) -> list[str]:
        """The fields that both the draft and somebody else changed. The draft's words stay when it is updated."""
        model, base = MODELS[self.draft.label], self.draft.base
        mine, theirs = (
            shared_revisions.changed_fields(model, base, each) for each in (self.draft.content, self.live or base)
        )
        return [shared_revisions.called(model, name) for name in mine if name in theirs]

    @property
    def is_behind(self) -> bool:
        return bool(self.draft.record) and self.live != self.draft.base

    @cached_property
    def because(self) -> list[str]:
        """`why_second` of it. A new term is in the glossary at once; nothing else that is new is shown yet."""
        if self.record is None and self.draft.label != GlossaryTerm._meta.label_lower:
            return []
        return why_second(self.record or GlossaryTerm(), self.live, self.draft.content)

    def why_not_publish(self, user) -> str:
        """Why this person cannot publish it now. Empty when they can."""
        if not self.because:
            if not may_write(self.draft, user):
                return "Only an editor can publish this."
            # Every page shows it. An owner may work alone, and answers for the site.
            alone = self.draft.label == SiteNotice._meta.label_lower and not user.is_superuser
            if alone and draft_workflow.wrote(self.draft, user):
                return "You wrote part of this notice, so an owner or another editor must publish it."
            return ""
        if not user.has_perm("factsheets.sign_off_factsheet"):
            what = f"changes: {', '.join(self.because)}" if self.draft.content else "deletes the term"
            return f"A clinician must publish this, because it {what}."
        if draft_workflow.wrote(self.draft, user):
            return "You wrote part of this draft, so another clinician must publish it."
        if self.draft.state != DraftState.IN_REVIEW:
            return "The authors have not sent it for review yet."
        return team.why_no_reviewer(user)


def beside_live(draft: SharedDraft, *, lock: bool = False) -> Beside:
    """`lock` as in `record_of`: after the draft's own lock, in that order everywhere."""
    record = record_of(draft, lock=lock)
    return Beside(draft, record, snapshot(record) if record else {})


# --- who may publish it ---


def why_second(record, before: dict, after: dict) -> list[str]:
    """The fields, in words, that make a second person publish the change: those on which signatures rest.

    Empty when patients see none of it, and for a slip in its words.
    """
    names = [each for each in shared_revisions.fields_that_ask(record, before, after) if each not in LIVE_AT_ONCE]
    # The glossary has every term, even those that no sheet explains.
    if not names or not (
        isinstance(record, GlossaryTerm) or any(sheet.is_published for sheet in shared_revisions.resting_on(record))
    ):
        return []
    return [] if after and _is_a_slip(record, names, before, after) else shared_revisions.in_desk_words(record, names)


def _is_a_slip(record, names: list[str], before: dict, after: dict) -> bool:
    """Whether the fields on which signatures rest differ by a slip of the pen alone."""
    if isinstance(record, Source) or not CORRECTABLE.issuperset(names):
        return False
    said = [Change("", name, before.get(name) or "", after[name] or "") for name in names]
    return not sheet_drafts.why_more_than_a_slip(said, CORRECTABLE) and all(
        is_misspelling(each.before, each.after, of=record) for each in said if each.field in SHORT
    )


def is_misspelling(before: str, after: str, *, of) -> bool:
    """Whether only signs between words differ, and one word at most, which was no word of ours and is one now.

    One letter makes “adduction” of “abduction” and “typical” of “atypical”. So the old word may be nowhere else in our texts, the
    new one must be, and they begin alike. `of` is the record whose own text does not count.
    """
    old, new = A_WORD.findall(before), A_WORD.findall(after)
    if len(old) != len(new) or any(
        not BETWEEN.fullmatch(gone + come)
        for gone, come in zip(A_WORD.split(before), A_WORD.split(after), strict=True)
        if gone != come
    ):
        return False
    other = [(a.casefold(), b.casefold()) for a, b in zip(old, new, strict=True) if a.casefold() != b.casefold()]
    if not other:
        return True
    [(gone, come), *more] = other
    if more or gone[0] != come[0] or min(len(gone), len(come)) < 4 or not shared_revisions.one_letter_apart(gone, come):
        return False
    ours = _our_words(of)
    return come in ours and gone not in ours


def _our_words(but) -> set[str]:
    """Every word that patients read, in small letters, apart from the record's own."""
    texts: list[str] = []
    for model, names in (
        (Section, ("heading", "body")),
        (Statement, ("claim", "detail")),
        (GlossaryTerm, ("term", "meaning")),
        (Figure, ("alt", "long_description")),
    ):
        rows = model.objects.exclude(pk=but.pk if isinstance(but, model) else None)
        if model is Section:
            rows = rows.filter(sheet__state=State.PUBLISHED)  # or a draft would vouch for any word
        for words in rows.values_list(*names):
            texts += words
    return {word.casefold() for text in texts for word in A_WORD.findall(text)}


def may_write(draft: SharedDraft, user) -> bool:
    verb = "change" if draft.record else "add"
    return user.has_perm(f"factsheets.{verb}_{MODELS[draft.label]._meta.model_name}")


# --- writing ---


def begin(
    *,
    model,
    pk: int | None,
    content: dict,
    name: str,
    by,
    note: str = "",
    reason: str = "",
    step=DraftStep.EDITED,
    what: str = "",
) -> SharedDraft | None:
    """Begins a draft of the record, or of a new one where `pk` is None. None if that is live already. Raises DraftRefused."""
    label = model._meta.label_lower
    record = model.objects.filter(pk=pk).first() if pk else None
    base = snapshot(record) if record else {}
    found = shared_revisions.changes(model, base, content)
    if not found:
        return None
    draft = SharedDraft(
        label=label, record=pk, name=name[:300], content=content, base=base, note=note.strip(), reason=reason
    )
    try:
        with transaction.atomic():
            if pk and SharedDraft.objects.select_for_update().filter(label=label, record=pk, is_open=True).exists():
                raise DraftRefused(OTHER_DRAFT)
            draft_workflow.record(draft, DraftState.WRITING, step, by, what=what or _named(found), changes=found)
    except IntegrityError as error:
        raise DraftRefused(OTHER_DRAFT) from error
    return draft


OTHER_DRAFT = "There is an open draft of this already. Make your change in that draft, or discard it first."


def _named(found: list[Change]) -> str:
    return f"Changed: {', '.join(each.field for each in found)}"


def rewrite(
    *, draft: SharedDraft, content: dict, name: str, by, note: str = "", reason: str = ""
) -> SharedDraft | None:
    """Gives the draft other words, or other reasons. None when all are the same.

    Raises DraftRefused when the draft has changed since `draft` was read.
    """
    found = shared_revisions.changes(MODELS[draft.label], draft.content, content)
    with transaction.atomic():
        kept = draft_workflow.as_seen(_locked(draft), draft.version)
        reasons = kept.note, kept.reason
        kept.note, kept.reason = note.strip() or kept.note, reason.strip() or kept.reason
        if not found and (kept.note, kept.reason) == reasons:
            return None
        kept.content, kept.name = content, name[:300]
        what = _named(found) if found else "Changed: the reason given"
        draft_workflow.record(kept, DraftState.WRITING, DraftStep.EDITED, by, what=what, changes=found)
    return kept


def take_field(*, record, field: str, value, by, what: str) -> SharedDraft:
    """Puts one field, as newer site content has it, into the open draft or a new one. Raises DraftRefused."""
    with transaction.atomic():
        rows = SharedDraft.objects.select_for_update()
        kept = rows.filter(label=record._meta.label_lower, record=record.pk, is_open=True).first()
        if kept is None:
            content = snapshot(record) | {field: value}
            given = {"model": type(record), "pk": record.pk, "name": str(record), "by": by, "what": what}
            return begin(content=content, **given) or _refuse("It says that already.")
        if kept.content.get(field) not in (snapshot(record)[field], value):
            raise DraftRefused("The open draft has words of its own there. Publish or discard it first.")
        found = shared_revisions.changes(type(record), kept.content, kept.content | {field: value})
        kept.content = kept.content | {field: value}
        draft_workflow.record(kept, DraftState.WRITING, DraftStep.EDITED, by, what=what, changes=found)
        return kept


def _refuse(why: str):
    raise DraftRefused(why)


def bring_up_to_date(*, draft: SharedDraft, version: int | None, by) -> None:
    """Adds what has changed in the live record meanwhile. If both changed a field, the draft's words stay."""
    with transaction.atomic():
        kept = draft_workflow.as_seen(_locked(draft), version)
        now, base, mine = beside_live(kept, lock=True).live, kept.base, kept.content
        kept.content = mine and {
            name: mine[name] if name in mine and (not now or mine[name] != base.get(name)) else now.get(name)
            for name in {**mine, **now}
        }
        kept.base = now
        what = "With the live changes made since it was started"
        found = shared_revisions.changes(MODELS[kept.label], mine, kept.content)
        draft_workflow.record(kept, DraftState.WRITING, DraftStep.UPDATED, by, what=what, changes=found)


def _locked(draft: SharedDraft) -> SharedDraft | None:
    return SharedDraft.objects.select_for_update().filter(pk=draft.pk, is_open=True).first()


# --- what it would change ---


@contextmanager
def applied(draft: SharedDraft) -> Iterator:
    """Within it the record is as the draft says, and it is given; afterwards nothing has happened. Raises CannotPutBack.

    Render what you show before it ends.
    """
    with tried():
        yield _made(MODELS[draft.label], draft.record, draft.content)


def _made(model, pk: int | None, content: dict):
    """The record as `content` says; without content it is deleted, and given as it was. Raises CannotPutBack."""
    if content:
        return shared_revisions.restored(model, pk, content)
    record = model.objects.filter(pk=pk).first()
    if record is None:
        raise CannotPutBack("It has been deleted already. Discard the draft.")
    try:
        with transaction.atomic():
            record.delete()
    except ProtectedError as error:
        raise CannotPutBack("Something shows it. Take it out there first.") from error
    record.pk = pk
    return record


@dataclass
class Outcome:
    """What publishing would change, or why it cannot be done."""

    sheets: list[FactSheet] = field(default_factory=list)
    problems: list[Obstacle] = field(default_factory=list)


def outcome(draft: SharedDraft) -> Outcome:
    """Which public sheets the draft would change, and what would then stop them. As slow as a save."""
    try:
        with applied(draft) as record:
            changed = [sheet for sheet in _rebuilt(record) if sheet.is_published]
            return Outcome(changed, [*_problems_of(record), *_unsound(_showing(record, changed))])
    except CannotPutBack as why_not:
        return Outcome(problems=[Obstacle(str(why_not))])


def _rebuilt(record) -> list[FactSheet]:
    """The sheets that change with it. A notice is in no sheet."""
    return [] if isinstance(record, SiteNotice) else actions.refresh_changed()


def _showing(record, changed: list[FactSheet]) -> list[FactSheet]:
    using = [use.sheet for use in shared_revisions.uses(record) if use.sheet]
    return list({sheet.pk: sheet for sheet in [*using, *changed]}.values())


def _unsound(sheets: list[FactSheet]) -> list[Obstacle]:
    return [
        Obstacle(each.text, f"{sheet.title}, {each.place}" if each.place else sheet.title, each.finding)
        for sheet in sheets
        if sheet.is_published
        for each in publishing_rules.obstacles(sheet)
    ]


def _problems_of(record) -> list[Obstacle]:
    """What can be wrong with the record alone, beyond what its fields allow."""
    if not type(record).objects.filter(pk=record.pk).exists():
        return []  # deleted
    if isinstance(record, GlossaryTerm):
        return [Obstacle(each) for each in taken([record.term, *record.also], but=record.pk)]
    if isinstance(record, Statement):
        return [Obstacle(each, "Text") for each in markup_checks.broken(record.detail)]
    if not isinstance(record, SiteNotice):
        return []
    if record.ends_at <= timezone.now():
        return [Obstacle("The time in which it would be shown is over.")]
    if other := record.shown_meanwhile():
        return [Obstacle(f"Another notice is shown at that time: “{other}”")]
    return []


# --- from draft to live ---


@dataclass
class Made:
    """What a change of a shared record did."""

    record: object
    sheets: list[FactSheet]
    to_review: list[FactSheet]


def make_live(
    *, model, pk: int | None, content: dict, by, author, step: SharedStep, note: str, said: str, reason: str = ""
) -> Made:
    """Makes the record what `content` says, with every sheet that shows it. Raises CannotPutBack, and then nothing has changed.

    `author` is whose words they are: they may not sign the sheets it changes. `note` is kept in the record's history, and
    `said` in that of each sheet. With a `reason`, wording may stay that the claims guard finds.
    """
    with transaction.atomic():
        stored = model.objects.select_for_update(no_key=True).filter(pk=pk).first() if pk else None
        before = snapshot(stored) if stored else {}
        explained = [] if content or stored is None else shared_revisions.resting_on(stored)
        record = _made(model, pk, content)
        ContentVersion.changed()
        changed = _rebuilt(record)
        showing = _showing(record, changed)
        if found := [*_problems_of(record), *_let_stand(showing, reason, author)]:
            raise CannotPutBack(" ".join(map(str, found)))
        for sheet in showing:
            actions.keep_edition(sheet=sheet, by=author, note=said)
        if content:
            shared_revisions.keep(record=record, before=before, by=by, step=step, note=note[:300])
            to_review = ask_for_review(record, before, by=author, note=said)
        else:
            shared_revisions.keep(record=record, before=before, by=by, step=SharedStep.DELETED, note=note[:300])
            to_review = _ask_about_deleted(record, explained, by=author, note=said)
        return Made(record, [sheet for sheet in changed if sheet.is_published], to_review)


def _let_stand(sheets: list[FactSheet], reason: str, author) -> list[Obstacle]:
    """What still blocks it once the reason, if there is one, allows wording that the claims guard found."""
    if reason.strip():
        for sheet in sheets:
            for each in publishing_rules.obstacles(sheet) if sheet.is_published else ():
                if each.finding:
                    try:
                        actions.let_stand(sheet=sheet, finding=each.finding, reason=reason, by=author)
                    except actions.MoveRefused as refusal:
                        return [Obstacle(str(refusal))]
    return _unsound(sheets)


def ask_for_review(record, before: dict, *, by, note: str = "") -> list[FactSheet]:
    """Puts the sheets whose signature rests on what changed in the record on the reviewers' list. Returns them."""
    because = shared_revisions.asks_for_review(record, before, snapshot(record))
    sheets = shared_revisions.resting_on(record) if because else []
    if not isinstance(record, Statement):  # a statement's words are the sheet's own, and its edition says so
        said = f"Changed: {_called(record)}, {' and '.join(because)}"
        for sheet in sheets:
            actions.ask_for_review(sheet=sheet, by=by, changes=[said], note=note)
    return sheets


def _called(record) -> str:
    """The entry in a sheet's public list of changes."""
    match record:
        case Source():
            return f"source “{record.title}”"
        case GlossaryTerm():
            return f"explained word “{record.term}”"
        case _:
            return f"drawing “{record}”"


def _ask_about_deleted(record, explained: list[FactSheet], *, by, note: str) -> list[FactSheet]:
    """Has the sheets that explained a term read again. Nothing else in use can be deleted."""
    for sheet in explained:
        actions.ask_for_review(sheet=sheet, by=by, changes=[f"Removed: {_called(record)}"], note=note)
    return explained


def send(*, draft: SharedDraft, version: int | None, note: str, by, reason: str = "") -> None:
    """Sends the draft to the clinicians. Raises DraftRefused."""
    with transaction.atomic():
        kept = draft_workflow.as_seen(_locked(draft), version)
        kept.reason = reason.strip()
        _must_be_ready(beside_live(kept))
        if found := [each for each in outcome(kept).problems if not (each.finding and kept.reason)]:
            raise DraftRefused(str(found[0]))
        review_notifications.tell_of_draft(draft_workflow.send(kept, note, by))


def _must_be_ready(beside: Beside) -> None:
    if not beside.difference:
        raise DraftRefused("The draft is the same as what is live now.")
    if beside.is_behind:
        raise DraftRefused("It has changed since the draft was started. Update the draft first.")


def send_back(*, draft: SharedDraft, version: int | None, note: str, by) -> None:
    """Gives the draft back to its authors, with what to change. Raises DraftRefused."""
    with transaction.atomic():
        review_notifications.tell_of_draft(
            draft_workflow.send_back(draft_workflow.as_seen(_locked(draft), version), note, by)
        )


def discard(*, draft: SharedDraft, version: int | None, by) -> None:
    """Closes the draft, and keeps it. What is live stays as it is. Raises DraftRefused."""
    with transaction.atomic():
        draft_workflow.discard(draft_workflow.as_seen(_locked(draft), version), by)
    _clear_up(draft)


def _clear_up(draft: SharedDraft) -> None:
    """The picture that a figure had or would have had. A failure undoes no step, because the next save of a figure tries again."""
    if draft.label != Figure._meta.label_lower:
        return
    try:
        pictures.discard_unused()
    except Error as error:
        logger.warning("Unused pictures were left for later: %s", error)


def publish(*, draft: SharedDraft, version: int | None, by) -> Made:
    """Makes the draft live. Raises DraftRefused, and then nothing has changed."""
    with transaction.atomic():
        kept = draft_workflow.as_seen(_locked(draft), version)
        beside = beside_live(kept, lock=True)
        if why_not := beside.why_not_publish(by):
            raise DraftRefused(why_not)
        _must_be_ready(beside)
        authors = draft_workflow.authors(kept)
        author = next((each.by for each in reversed(authors) if each.by), by)
        names = ", ".join(each.actor for each in authors)
        note = f"Written by {names}. {kept.note}" if names != team.account_name(by) else kept.note
        try:
            made = make_live(
                model=MODELS[kept.label],
                pk=kept.record,
                content=kept.content,
                by=by,
                author=author,
                step=SharedStep.PUBLISHED,
                note=note,
                said=kept.note[:300],
                reason=kept.reason,
            )
        except CannotPutBack as why_not:
            raise DraftRefused(f"Not published. {why_not}") from why_not
        kept.record = made.record.pk
        review_notifications.tell_of_draft(draft_workflow.record(kept, DraftState.PUBLISHED, DraftStep.PUBLISHED, by))
    _clear_up(draft)
    return made


def whole(model, content: dict, now: dict) -> dict:
    """The content of an edition with every field that exists today, because older editions lack newer fields."""
    return {**now, **{name: value for name, value in content.items() if name in fields_of(model)}}
