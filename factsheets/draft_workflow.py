"""The steps that a draft of red flags or of a shared record goes through.

Each is recorded with its actor. Call them in a transaction, with the draft locked.
"""

from collections.abc import Iterable
from dataclasses import asdict

from factsheets import team
from factsheets.models import DRAFT_WRITING, DraftState, DraftStep
from factsheets.models.draft import OPEN, ContentDraft, DraftEvent
from factsheets.revisions import Change


class DraftRefused(Exception):
    """The step cannot be taken. The text says why, and what to do."""


def record(
    draft: ContentDraft,
    state: DraftState,
    step: DraftStep,
    by,
    *,
    what: str = "",
    note: str = "",
    changes: Iterable[Change] = (),
) -> DraftEvent:
    """`changes` are what the step did to the draft, so a colleague's words that it replaced can still be read there."""
    draft.state = state
    draft.is_open = state in OPEN
    draft.version += 1
    draft.save()
    kept = [asdict(each) for each in changes]
    actor = team.account_name(by)
    return draft.events.create(step=step, what=what[:300], note=note[:500], changes=kept, by=by, actor=actor)


def as_seen(draft: ContentDraft | None, version: int | None) -> ContentDraft:
    """The open draft, if it is still as the person saw it. Raises DraftRefused."""
    if draft is None or not draft.is_open:
        raise DraftRefused("The draft is no longer open. Check the history.")
    if version != draft.version:
        raise DraftRefused("A colleague changed the draft while you were reading it. Read it again first.")
    return draft


def send(draft: ContentDraft, note: str, by) -> DraftEvent:
    """Sends it to the clinicians. The caller has checked that the draft is ready."""
    draft.note = note.strip()[:500]
    return record(draft, DraftState.IN_REVIEW, DraftStep.SENT, by, note=draft.note)


def send_back(draft: ContentDraft, note: str, by) -> DraftEvent:
    """Gives the draft back to its authors, with what to change. Raises DraftRefused."""
    if len(note.split()) < 3:
        raise DraftRefused("Say in one sentence what should change. The authors will read it.")
    if draft.state != DraftState.IN_REVIEW:
        raise DraftRefused("The draft is still being written. It has not been sent for approval.")
    return record(draft, DraftState.WRITING, DraftStep.SENT_BACK, by, note=note.strip())


def discard(draft: ContentDraft, by) -> DraftEvent:
    """Closes the draft. What patients read stays as it is, and the draft is kept."""
    return record(draft, DraftState.DISCARDED, DraftStep.DISCARDED, by)


def authors(draft: ContentDraft) -> list[DraftEvent]:
    """Everybody who wrote in it, once each, in the order in which they started."""
    seen = {}
    for event in draft.events.filter(step__in=DRAFT_WRITING).order_by("at", "pk"):
        seen.setdefault(event.by_id or event.actor, event)
    return list(seen.values())


def wrote(draft: ContentDraft, user) -> bool:
    return draft.events.filter(step__in=DRAFT_WRITING, by=user).exists()


def sent_back(draft: ContentDraft) -> DraftEvent | None:
    """The step, with its words, by which a clinician gave it back; until it is sent again."""
    if draft.state != DraftState.WRITING:
        return None
    last = draft.events.filter(step__in=[DraftStep.SENT, DraftStep.SENT_BACK]).first()
    return last if last and last.step == DraftStep.SENT_BACK else None


def steps(draft: ContentDraft) -> list[DraftEvent]:
    """The newest 200 steps, each with the changes that it made as `differences`."""
    events = list(draft.events.all()[:200])
    for event in events:
        event.differences = [Change(**each) for each in event.changes]
    return events
