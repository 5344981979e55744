"""The only place where an enquiry’s status changes, with its entry in the timeline."""

from datetime import date
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from enquiries import clock
from enquiries.models import Enquiry, EnquiryEvent, EventKind, Outcome, Status
from enquiries.models.event import entry, record

FOLLOW_UP_DAYS = 2  # working days after which one in progress is looked at again, unless somebody chose a day


def moved_to(enquiry: Enquiry, to: str, outcome: str = "", **fields: Any) -> EnquiryEvent:
    """The line of a move from where the enquiry is. Of one that is closed it says how it ended; it is not kept yet."""
    ended = str(Outcome(outcome).label) if to == Status.CLOSED and outcome else ""
    return entry(enquiry, EventKind.MOVED, from_status=enquiry.status, to_status=to, summary=ended, **fields)


def transition(
    enquiry: Enquiry,
    to: str,
    *,
    outcome: str = "",
    return_on: date | None = None,
    by: User | None = None,
    actor: str = "",
) -> None:
    """Writes the move on the timeline and sets what goes with it; the caller holds the row locked, and saves it.

    The reply clock is paused while an enquiry waits for the patient, which it does until `return_on`. One in progress is looked at
    again on that day, or after FOLLOW_UP_DAYS. Only a closed enquiry has an outcome or is a duplicate, and it has no failed mail to
    look after. `by` and `actor`: see `entry`. What each status needs is checked by the caller (`triage.why_not`) and by the
    database.
    """
    moved_to(enquiry, to, outcome, by=by, actor=actor).save(force_insert=True)
    now = timezone.now()
    if enquiry.waiting_since:
        enquiry.reply_by = clock.resume(enquiry.reply_by, enquiry.waiting_since, now)
    enquiry.waiting_since = now if to == Status.WAITING else None
    if to == Status.IN_PROGRESS:
        return_on = return_on or clock.load().hours.open_day_after(timezone.localdate(now), FOLLOW_UP_DAYS)
    enquiry.return_on = return_on if to in {Status.WAITING, Status.IN_PROGRESS} else None
    enquiry.outcome = outcome if to == Status.CLOSED else ""
    if to != Status.CLOSED and enquiry.same_as:
        record(
            enquiry,
            EventKind.LINKED,
            summary=f"No longer a duplicate of {enquiry.same_as.reference}",
            by=by,
            actor=actor,
        )
        record(
            enquiry.same_as,
            EventKind.LINKED,
            summary=f"{enquiry.reference} is no longer a duplicate of this",
            by=by,
            actor=actor,
        )
        enquiry.same_as = None
    enquiry.closed_at = now if to in {Status.CLOSED, Status.SPAM} else None
    if to == Status.CLOSED:
        enquiry.mail_failed = False
    enquiry.status = to
