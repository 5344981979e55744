"""What staff do with an enquiry."""

from datetime import date, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from enquiries import abuse
from enquiries.actions.intake import answer
from enquiries.actions.status import move
from enquiries.actions.timeline import record
from enquiries.desk import people
from enquiries.models import Enquiry, EventKind, Outcome, Status

FLAGGED = "This may be an emergency. Record what you did about the warning sign first."
# A patient who has not answered by then is forgotten rather than waited for.
LONGEST_WAIT = timedelta(days=366)


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
    by: AbstractBaseUser,
    to: str | None = None,
    owner: AbstractBaseUser | None = None,
    change_owner: bool = False,
    note: str = "",
    outcome: str = "",
    return_on: date | None = None,
    version: int | None = None,
) -> Enquiry:
    """Moves an enquiry, assigns it, adds a note: any of these, together or not at all.

    `version` is the one the staff member's page showed. `outcome` says how a closed enquiry ended; `return_on` is the day on
    which one that waits for the patient is looked at again. Raises StaleEnquiry when the row has moved on since, and MoveRefused
    when `why_not` names a reason, or when the new owner could not open the enquiry.
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
                record(current, EventKind.NOTE, by=by, summary=f"Waiting until {return_on:%-d %B %Y} instead")
                current.return_on = return_on
            else:
                move(current, to, by=by, outcome=outcome, return_on=return_on)
        if change_owner and owner != current.owner:
            if owner and not people.may_open(owner):
                raise MoveRefused(f"{people.full_name(owner)} cannot open enquiries. Choose someone who can.")
            name = people.full_name(owner) if owner else "nobody"
            record(current, EventKind.ASSIGNED, by=by, summary=f"Assigned to: {name}")
            current.owner = owner
        if note.strip():
            record(current, EventKind.NOTE, by=by, note=note.strip())
        current.version += 1
        current.save()
    return current


def why_not(enquiry: Enquiry, to: str, *, outcome: str = "", return_on: date | None = None) -> str:
    """Why the enquiry cannot go to that status with what is given, for staff. Empty when it can.

    Each status keeps its promise: booked has an appointment to come, waiting follows a call or a message and ends on a day,
    closed says how it ended. Nothing skips a step, however it is asked for; the database refuses it too.
    """
    if to == enquiry.status and to != Status.WAITING:  # a wait may be made longer
        return f"It is “{enquiry.get_status_display()}” already."
    if to != enquiry.status and not enquiry.may_move_to(to):
        return f"An enquiry that is “{enquiry.get_status_display()}” cannot become “{Status(to).label}”."
    if enquiry.erased_at:
        return "Its details were erased, so there is nobody to answer."
    if enquiry.is_flagged and to in {Status.CLOSED, Status.SPAM}:
        return FLAGGED
    if to == Status.BOOKED and not enquiry.is_booked_ahead:
        return "It has no appointment to come. Book one first."
    if to == Status.WAITING:
        return _why_not_wait(enquiry, return_on)
    if to == Status.CLOSED and outcome not in Outcome.values:
        return "Choose how it ended."
    return ""


def _why_not_wait(enquiry: Enquiry, return_on: date | None) -> str:
    if not enquiry.was_contacted:
        return "Call or write to them first: they have not heard from us yet."
    today = timezone.localdate()
    if return_on is None or not today < return_on <= today + LONGEST_WAIT:
        return "Choose the day to look at it again: from tomorrow, within a year."
    return ""


def _release(enquiry: Enquiry) -> None:
    """A quarantined enquiry that staff release is answered like any other, its promise counted from now."""
    silent = enquiry.status == Status.HELD and enquiry.quarantine_reason in {abuse.HAD_TODAY, abuse.STOPPED}
    enquiry.quarantine_reason, enquiry.likelihood = "", 0
    answer(enquiry, silent=silent)


def what_changed(enquiry: Enquiry) -> str:
    latest = enquiry.events.exclude(kind__in=[EventKind.VIEWED, EventKind.READ]).last()
    moved = f" to “{latest.get_to_status_display()}”" if latest.to_status else ""
    who = people.full_name(enquiry.owner) if enquiry.owner else "nobody"
    return (
        f"{latest.actor} changed this enquiry while you were writing ({latest.get_kind_display()}{moved}). "
        f"It is now “{enquiry.get_status_display()}”, assigned to {who}. "
        "Nothing of yours was saved. Read it again, then make your change."
    )
