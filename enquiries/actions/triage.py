"""How staff move enquiries: triage, duplicates, those held back in a flood, and one outcome for forms that share a row."""

import logging
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from enquiries import abuse, clock, staff_members
from enquiries.actions.intake import answer
from enquiries.actions.outbox import lock_enquiry
from enquiries.actions.status import moved_to, transition
from enquiries.models import Enquiry, EnquiryEvent, EventKind, Outcome, OutgoingMessage, Purpose, Status
from enquiries.models.enquiry import FLAGGED
from enquiries.models.event import entry, record
from factsheets import team

logger = logging.getLogger(__name__)

STILL_FLAGGED = "This may be an emergency. Record what you did about the warning sign first."
HAS_APPOINTMENT = "It has a future appointment. Cancel that first, so that the patient is told."
NEEDS_OUTCOME = "Record how the appointment went first."
# After that long without an answer, the patient has been forgotten.
MAX_WAIT = timedelta(days=366)
SAME_STEP = timedelta(seconds=2)
# What somebody did, worded to follow their name: for the timeline, and for colleagues with an outdated page.
DID: dict[str, str] = {
    EventKind.ADDED: "added details",
    EventKind.APPOINTMENT: "changed the appointment",
    EventKind.ASSIGNED: "changed who this is assigned to",
    EventKind.BOOKED: "booked an appointment",
    EventKind.CALLED: "logged a call",
    EventKind.CORRECTED: "corrected their details",
    EventKind.ERASED: "erased the details",
    EventKind.EXPORTED: "exported it",
    EventKind.LINKED: "marked a duplicate",
    EventKind.MESSAGE_AGAIN: "sent an email again",
    EventKind.MESSAGE_FAILED: "could not send an email",
    EventKind.MESSAGE_SENT: "sent an email",
    EventKind.NOTE: "added a note",
    EventKind.READ: "read what they wrote",
    EventKind.RELEASED: "released it",
    EventKind.REPLIED: "replied",
    EventKind.SAFETY: "recorded what was done about the warning sign",
    EventKind.TIMES: "changed the times to call",
    EventKind.TOLD: "told a clinician",
    EventKind.VIEWED: "viewed this",
    EventKind.WITHDRAWN: "withdrew the enquiry",
}


class MoveRefused(Exception):
    """The enquiry cannot go to that status. The text is for staff."""


class StaleEnquiry(Exception):
    """Somebody changed the enquiry after this page was opened. The text is for staff."""


def expect_shown(enquiry: Enquiry, version: int | None) -> None:
    """Raises StaleEnquiry if the enquiry has changed since a page showed this version. None if there was no page."""
    if version is not None and version != enquiry.version:
        raise StaleEnquiry(what_changed(enquiry))


def triage(
    *,
    enquiry: Enquiry,
    by: User,
    to: str | None = None,
    owner: User | None = None,
    change_owner: bool = False,
    note: str = "",
    outcome: str = "",
    return_on: date | None = None,
    version: int | None = None,
) -> Enquiry:
    """Moves an enquiry, assigns it, adds a note: any of these, in one transaction.

    `version` is the one the staff member's page showed. `outcome` says how a closed enquiry ended; `return_on` is the day on
    which one that waits for the patient, or is in progress, is looked at again. Raises StaleEnquiry when the row has moved on
    since, and MoveRefused when `why_not` names a reason, or when the new owner could not open the enquiry.
    """
    with transaction.atomic():
        current = Enquiry.objects.select_for_update(no_key=True).get(pk=enquiry.pk)
        expect_shown(current, version)
        if to and (to != current.status or (return_on and return_on != current.return_on)):
            if refusal := why_not(current, to, outcome=outcome, return_on=return_on):
                raise MoveRefused(refusal)
            if current.status in {Status.SPAM, Status.HELD} and to == Status.NEW:
                _release(current)
            if to == current.status:
                what = "Now waiting until" if to == Status.WAITING else "Follow up on"
                record(current, EventKind.NOTE, by=by, summary=f"{what} {return_on:%-d %B %Y}")
                current.return_on = return_on
            else:
                transition(current, to, by=by, outcome=outcome, return_on=return_on)
        if change_owner and owner != current.owner:
            assign(current, owner, by=by)
        if note.strip():
            record(current, EventKind.NOTE, by=by, note=note.strip())
        current.save_new_version()
    return current


def assign(enquiry: Enquiry, owner: User | None, *, by: User) -> None:
    """Assigns a locked enquiry, which the caller saves, to somebody or to nobody. Raises MoveRefused."""
    if owner and not staff_members.may_open(owner):
        raise MoveRefused(f"{team.account_name(owner)} cannot open enquiries. Choose someone who can.")
    enquiry.owner = owner
    summary = f"Assigned to {team.account_name(owner)}" if owner else "Unassigned"
    record(enquiry, EventKind.ASSIGNED, by=by, summary=summary)


def why_not(enquiry: Enquiry, to: str, *, outcome: str = "", return_on: date | None = None) -> str:
    """Why the enquiry cannot get that status with these values, in words for staff. Empty if it can.

    Each status keeps its promise: booked has an appointment to come, waiting follows a call or a message and ends on a day,
    closed says how it ended. Nothing skips a step, however it is asked for; the database refuses it too.
    """
    later = to == Status.WAITING or (to == Status.IN_PROGRESS and return_on)
    if to == enquiry.status and not later:  # a wait, or the time until a follow-up, may be extended
        return f"It is already “{enquiry.get_status_display()}”."
    if to != enquiry.status and not enquiry.may_move_to(to):
        return f"You cannot move an enquiry from “{enquiry.get_status_display()}” to “{Status(to).label}”."
    if enquiry.erased_at:
        return "Its details were erased, so there is no one to answer."
    if enquiry.is_flagged and to in {Status.CLOSED, Status.SPAM}:
        return STILL_FLAGGED
    if to in {Status.CLOSED, Status.SPAM} and enquiry.appointment:
        return HAS_APPOINTMENT if enquiry.is_booked_ahead else NEEDS_OUTCOME
    if to == Status.BOOKED and not enquiry.is_booked_ahead:
        return "It has no future appointment. Book one first."
    if to == Status.WAITING and not enquiry.was_contacted:
        return "Call or email them first, because they have not heard from us yet."
    if later and not _is_within_a_year(return_on):
        return "Choose a day to look at it again, from tomorrow and within a year."
    if to == Status.CLOSED and outcome not in Outcome.values:
        return "Choose how it ended."
    return ""


def _is_within_a_year(return_on: date | None) -> bool:
    today = timezone.localdate()
    return return_on is not None and today < return_on <= today + MAX_WAIT


def _release(enquiry: Enquiry) -> None:
    """A quarantined enquiry that staff release is answered like any other, with its reply time counted from now."""
    silent = enquiry.status == Status.HELD and enquiry.quarantine_reason in {abuse.HAD_TODAY, abuse.STOPPED}
    enquiry.quarantine_reason, enquiry.likelihood = "", 0
    answer(enquiry, silent=silent)


def what_changed(enquiry: Enquiry) -> str:
    """For a member of staff whose page is outdated: who did what, and how the enquiry is now."""
    happened = _latest_step(enquiry)
    owner = f"assigned to {team.account_name(enquiry.owner)}" if enquiry.owner else "unassigned"
    return (
        f"{happened} while you were writing. It is now “{enquiry.get_status_display()}”, {owner}. "
        "Your change was not saved. Read the enquiry again, then make your change."
    )


def _latest_step(enquiry: Enquiry) -> str:
    events = enquiry.events.exclude(kind__in=[EventKind.VIEWED, EventKind.READ])
    # The mail worker sends a person's reply seconds later, so report what the person did.
    latest = events.exclude(kind=EventKind.MESSAGE_SENT).last()
    if latest is None:
        return "This enquiry changed"
    # One step writes several entries, such as the reply and the assignment. Report the main one.
    same_step = events.filter(actor=latest.actor, created_at__gt=latest.created_at - SAME_STEP)
    latest = next((each for each in same_step if each.kind in DID and each.kind != EventKind.ASSIGNED), latest)
    if latest.actor == "mail worker":
        return "An email could not be sent" if latest.kind == EventKind.MESSAGE_FAILED else "An email was sent"
    if latest.to_status:
        return f"{_named(latest.actor)} moved this enquiry to “{latest.get_to_status_display()}”"
    return f"{_named(latest.actor)} {DID.get(latest.kind, 'changed this enquiry')}"


def _named(actor: str) -> str:
    return "The patient" if actor == "patient" else actor


# Two enquiries can be one request. Then staff work on one, and the other is closed and points to it.


def link(*, enquiry: Enquiry, main: Enquiry, by: User, version: int | None = None) -> Enquiry:
    """Closes the enquiry as a duplicate of `main`, or of the one that `main` duplicates. Returns the main one.

    What was linked to the enquiry goes along, so that there are no chains. The main one keeps the earlier of the two promises.
    Raises StaleEnquiry, and MoveRefused where it cannot be: an open safety flag, spam, erased details, the same enquiry.
    """
    with transaction.atomic():
        enquiry, main = _both(enquiry, main)
        expect_shown(enquiry, version)
        _may_be_linked(enquiry, main)
        for linked in enquiry.linked.select_for_update(no_key=True).order_by("pk"):
            _point(linked, main, by)
            linked.save_new_version()
        if enquiry.status == Status.CLOSED:
            enquiry.outcome = Outcome.DUPLICATE
        else:
            transition(enquiry, Status.CLOSED, outcome=Outcome.DUPLICATE, by=by)
        _point(enquiry, main, by)
        enquiry.save_new_version()
        _keep_the_promise(enquiry, main)
        main.save_new_version()
    return main


def unlink(*, enquiry: Enquiry, by: User, version: int | None = None) -> Enquiry:
    """Reopens the enquiry, because they are two requests after all. Both timelines say so (status.transition)."""
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        expect_shown(enquiry, version)
        if enquiry.same_as_id is None:
            raise MoveRefused("It is not marked as a duplicate.")
        transition(enquiry, Status.IN_PROGRESS, by=by)
        enquiry.save_new_version()
    return enquiry


def main_of(enquiry: Enquiry) -> Enquiry:
    """The one that staff work on: itself, or the one it duplicates."""
    return enquiry.same_as or enquiry


def _both(enquiry: Enquiry, main: Enquiry) -> tuple[Enquiry, Enquiry]:
    """Both, locked with everything linked to the first, in the same order in which others lock several."""
    main = main_of(Enquiry.objects.select_related("same_as").get(pk=main.pk))
    if enquiry.pk == main.pk:
        raise MoveRefused("That is this enquiry, or one already linked to it.")
    held = {
        each.pk: lock_enquiry(each) for each in sorted({enquiry, main, *enquiry.linked.all()}, key=lambda each: each.pk)
    }
    return held[enquiry.pk], held[main.pk]


def _may_be_linked(enquiry: Enquiry, main: Enquiry) -> None:
    if main.same_as_id:
        raise MoveRefused("Someone has just marked that one as a duplicate of another. Look at it again.")
    if enquiry.same_as_id == main.pk:
        raise MoveRefused("It is already marked as a duplicate of that one.")
    if enquiry.is_flagged:
        raise MoveRefused(STILL_FLAGGED)
    if enquiry.appointment:
        raise MoveRefused(f"{enquiry.reference} has the appointment. Close the other one as its duplicate instead.")
    for each in (enquiry, main):
        if each.status in {Status.SPAM, Status.HELD}:
            raise MoveRefused(f"{each.reference} is “{each.get_status_display()}”. Release it first.")
        if each.erased_at:
            raise MoveRefused(f"The details of {each.reference} were erased.")


def _point(enquiry: Enquiry, main: Enquiry, by: User) -> None:
    enquiry.same_as = main
    record(enquiry, EventKind.LINKED, by=by, summary=f"Duplicate of {main.reference}")
    record(main, EventKind.LINKED, by=by, summary=f"{enquiry.reference} is a duplicate of this")


def _keep_the_promise(enquiry: Enquiry, main: Enquiry) -> None:
    """Keeps the earlier reply time, because the person was told it."""
    promised = enquiry.reply_by if enquiry.first_contact_at is None else None
    waits = (
        main.first_contact_at is None and main.waiting_since is None and main.status in {Status.NEW, Status.IN_PROGRESS}
    )
    if promised and waits and (main.reply_by is None or promised < main.reply_by):
        main.reply_by = promised


# Once a flood is over, everything it held back is released in one step.

RELEASED_AT_ONCE = 200  # in one transaction, so that no patient's form waits long


def release_held(*, by: User) -> int:
    """Makes everything that is held back new, the likeliest first. Returns how many. Safe to press twice.

    Each is promised a reply, counted from now, and gets its acknowledgement unless its mailbox has had enough or asked for none.
    The clinic gets no alert for each: whoever releases them sees them in the inbox.
    """
    released = 0
    while some := _release_some(by):
        released += some
    logger.info("Released %s enquiries that were held back", released)
    return released


def _release_some(by: User) -> int:
    with transaction.atomic():
        waiting = Enquiry.objects.filter(status=Status.HELD, erased_at=None).order_by("-likelihood", "created_at", "pk")
        rows = list(waiting.select_for_update(no_key=True)[:RELEASED_AT_ONCE])
        now = timezone.now()
        reply_by = clock.reply_by(now) if rows else None
        mailed = [each for each in rows if each.quarantine_reason not in {abuse.HAD_TODAY, abuse.STOPPED}]
        for each in rows:
            each.status, each.quarantine_reason, each.likelihood, each.reply_by = Status.NEW, "", 0, reply_by
            each.version += 1
        changed = ["status", "quarantine_reason", "likelihood", "reply_by", "version"]
        Enquiry.objects.bulk_update(rows, changed, batch_size=50)
        EnquiryEvent.objects.bulk_create(
            EnquiryEvent(
                enquiry=each,
                kind=EventKind.MOVED,
                by=by,
                actor=team.account_name(by),
                from_status=Status.HELD,
                to_status=Status.NEW,
            )
            for each in rows
        )
        OutgoingMessage.objects.bulk_create(
            OutgoingMessage(enquiry=each, purpose=Purpose.ACKNOWLEDGEMENT) for each in mailed
        )
    return len(rows)


# One outcome for all the forms of a flood that share a row in the safety queue (`enquiries/flood.py`).


class FoldOutcome(models.TextChoices):
    NOT_PATIENTS = "not_patients", "One sender, not patients: no one to advise"
    REPEATS = "repeats", "Repeats from one person, who has been advised"
    NO_SIGN = "no_sign", "I read them all: no warning sign now"


# Where each outcome moves them. Those without a warning sign stay open, because their senders still await an answer.
MOVES_TO: dict[FoldOutcome, dict[str, str]] = {
    FoldOutcome.NOT_PATIENTS: {"to": Status.SPAM},
    FoldOutcome.REPEATS: {"to": Status.CLOSED, "outcome": Outcome.DUPLICATE},
}
TAKEN = Q(owner__isnull=False) | Q(contact_attempts__gt=0) | Q(first_contact_at__isnull=False)
SETTLED_AT_ONCE = 500  # in one statement


def unsettled(flood: UUID) -> models.QuerySet[Enquiry]:
    """What one step would settle, oldest first. One that somebody has taken, or called, must be settled by itself."""
    return Enquiry.objects.filter(FLAGGED & ~TAKEN, flood=flood, folded=True).order_by("created_at", "pk")


def taken(flood: UUID) -> models.QuerySet[Enquiry]:
    return Enquiry.objects.filter(FLAGGED & TAKEN, flood=flood, folded=True).order_by("created_at", "pk")


def settle_fold(*, flood: UUID, by: User, outcome: str, reason: str, last: UUID | None, number: int) -> list[Enquiry]:
    """Settles the warning signs of folded enquiries, each on its own timeline, and moves them where the outcome says.

    `number` and `last` are how many the page showed and the newest of them: what has come since then was read by nobody, and stays.
    Raises StaleEnquiry when those are not the same any more, and MoveRefused without a reason; then nothing is recorded.
    """
    chosen, reason = FoldOutcome(outcome), reason.strip()
    if not reason:
        raise MoveRefused("Say how you know.")
    with transaction.atomic():
        # Locked in the same order in which others lock several.
        rows = list(unsettled(flood).order_by("pk").select_for_update(no_key=True))
        rows.sort(key=lambda each: (each.created_at, each.pk))
        newest = next((place for place, each in enumerate(rows, start=1) if each.pk == last), 0)
        if not newest or newest != number:
            raise StaleEnquiry("This list changed while you were reading it, so nothing was recorded. Check it again.")
        rows = rows[:newest]
        _settle_all(rows, by, f"{chosen.label}. {number} settled in one step", reason, MOVES_TO.get(chosen, {}))
    return rows


def _settle_all(rows: list[Enquiry], by: User, summary: str, reason: str, target: dict[str, str]) -> None:
    """In few statements, so that no patient's form waits long: one by one, 1,500 of them kept SQLite's only writer for 7 s.

    None has been answered, so none waits for its patient or is booked; one that its patient withdrew is closed already.
    """
    now = timezone.now()
    then = now + timedelta(microseconds=1)  # a timeline is in the order of its times
    moved: list[Enquiry] = []
    others: list[Enquiry] = []
    for each in rows:
        (moved if target and each.may_move_to(target["to"]) else others).append(each)
    entries = [entry(each, EventKind.SAFETY, by=by, summary=summary, note=reason, created_at=now) for each in rows]
    entries += [moved_to(each, target["to"], target.get("outcome", ""), by=by, created_at=then) for each in moved]
    EnquiryEvent.objects.bulk_create(entries, batch_size=100)
    settled = {"safety_acted_at": now, "next_call_at": None, "version": F("version") + 1}
    if target:
        closed = {"status": target["to"], "outcome": target.get("outcome", ""), "closed_at": now}
        closed |= {"mail_failed": False} if target["to"] == Status.CLOSED else {}
        _write_all(moved, settled | closed)
    _write_all(others, settled)


def _write_all(rows: list[Enquiry], values: dict[str, Any]) -> None:
    keys = [each.pk for each in rows]
    for start in range(0, len(keys), SETTLED_AT_ONCE):
        Enquiry.objects.filter(pk__in=keys[start : start + SETTLED_AT_ONCE]).update(**values)
