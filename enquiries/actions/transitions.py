"""What staff do with an enquiry."""

from datetime import date, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from enquiries import abuse
from enquiries.actions.intake import answer
from enquiries.actions.status import transition
from enquiries.actions.timeline import record
from enquiries.inbox import people
from enquiries.models import Enquiry, EventKind, Outcome, Status

FLAGGED = "This may be an emergency. Record what you did about the warning sign first."
HAS_APPOINTMENT = "It has an appointment to come. Cancel that first, so that the patient is told."
NEEDS_OUTCOME = "Record how the appointment went first."
# A patient who has not answered by then is forgotten rather than waited for.
MAX_WAIT = timedelta(days=366)
SAME_STEP = timedelta(seconds=2)
# What somebody did, for colleagues whose page is older.
DID: dict[str, str] = {
    EventKind.ADDED: "added details",
    EventKind.APPOINTMENT: "changed the appointment",
    EventKind.ASSIGNED: "changed who this is assigned to",
    EventKind.BOOKED: "booked an appointment",
    EventKind.CALLED: "logged a call",
    EventKind.CORRECTED: "corrected the address or number",
    EventKind.LINKED: "marked a duplicate",
    EventKind.MESSAGE_AGAIN: "sent an email again",
    EventKind.NOTE: "added a note",
    EventKind.REPLIED: "replied",
    EventKind.SAFETY: "recorded what was done about the warning sign",
    EventKind.TIMES: "changed the times to call",
    EventKind.TOLD: "told a clinician",
    EventKind.WITHDRAWN: "withdrew the enquiry",
}


class MoveRefused(Exception):  # noqa: N818 - reads as what happened
    """The enquiry cannot go to that status. The text is for staff."""


class StaleEnquiry(Exception):  # noqa: N818
    """Somebody changed the enquiry after this page was opened. The text is for staff."""


def expect_shown(enquiry: Enquiry, version: int | None) -> None:
    """Raises StaleEnquiry when the enquiry is no longer what a page showed at that version. None: there was no page."""
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
    """Moves an enquiry, assigns it, adds a note: any of these, together or not at all.

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
            if owner and not people.may_open(owner):
                raise MoveRefused(f"{people.full_name(owner)} cannot open enquiries. Choose someone who can.")
            summary = f"Assigned to {people.full_name(owner)}" if owner else "Unassigned"
            record(current, EventKind.ASSIGNED, by=by, summary=summary)
            current.owner = owner
        if note.strip():
            record(current, EventKind.NOTE, by=by, note=note.strip())
        current.save_new_version()
    return current


def why_not(enquiry: Enquiry, to: str, *, outcome: str = "", return_on: date | None = None) -> str:
    """Why the enquiry cannot go to that status with what is given, for staff. Empty when it can.

    Each status keeps its promise: booked has an appointment to come, waiting follows a call or a message and ends on a day,
    closed says how it ended. Nothing skips a step, however it is asked for; the database refuses it too.
    """
    later = to == Status.WAITING or (to == Status.IN_PROGRESS and return_on)
    if to == enquiry.status and not later:  # a wait may be made longer, and so may the time until a follow-up
        return f"It is already “{enquiry.get_status_display()}”."
    if to != enquiry.status and not enquiry.may_move_to(to):
        return f"You cannot move an enquiry from “{enquiry.get_status_display()}” to “{Status(to).label}”."
    if enquiry.erased_at:
        return "Its details were erased, so there is no one to answer."
    if enquiry.is_flagged and to in {Status.CLOSED, Status.SPAM}:
        return FLAGGED
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
    """A quarantined enquiry that staff release is answered like any other, its promise counted from now."""
    silent = enquiry.status == Status.HELD and enquiry.quarantine_reason in {abuse.HAD_TODAY, abuse.STOPPED}
    enquiry.quarantine_reason, enquiry.likelihood = "", 0
    answer(enquiry, silent=silent)


def what_changed(enquiry: Enquiry) -> str:
    """For a member of staff whose page is older than the enquiry: who did what, and how it is now."""
    happened = _latest_step(enquiry)
    owner = f"assigned to {people.full_name(enquiry.owner)}" if enquiry.owner else "unassigned"
    return (
        f"{happened} while you were writing. It is now “{enquiry.get_status_display()}”, {owner}. "
        "Your change was not saved. Read the enquiry again, then make your change."
    )


def _latest_step(enquiry: Enquiry) -> str:
    events = enquiry.events.exclude(kind__in=[EventKind.VIEWED, EventKind.READ])
    latest = events.last()
    if latest is None:
        return "This enquiry changed"
    # One step writes several lines: the reply, say, and that it took the enquiry. What was done is told, not what came with it.
    same_step = events.filter(actor=latest.actor, created_at__gt=latest.created_at - SAME_STEP)
    latest = next((each for each in same_step if each.kind in DID and each.kind != EventKind.ASSIGNED), latest)
    if latest.actor == "mail worker":
        return "An email was sent" if latest.kind == EventKind.MESSAGE_SENT else "An email could not be sent"
    if latest.to_status:
        return f"{_named(latest.actor)} moved this enquiry to “{latest.get_to_status_display()}”"
    return f"{_named(latest.actor)} {DID.get(latest.kind, 'changed this enquiry')}"


def _named(actor: str) -> str:
    return "The patient" if actor == "patient" else actor
