"""An enquiry's appointment: booked, moved, cancelled, and how it went. The patient and their calendar are told of each change."""

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from enquiries import clock
from enquiries.actions.booked import CANCELLED, cancel, end, in_words, tell, time_in_words
from enquiries.actions.contact import lock_open_enquiry, reached, take
from enquiries.actions.status import transition
from enquiries.actions.timeline import record
from enquiries.actions.transitions import NEEDS_OUTCOME, MoveRefused
from enquiries.inbox import diary
from enquiries.mail import calendar
from enquiries.models import (
    Appointment,
    AppointmentState,
    ClinicHours,
    Enquiry,
    EventKind,
    Outcome,
    Purpose,
    Status,
)
from enquiries.models.appointment import MINUTES, OUTCOMES


class Doubtful(MoveRefused):
    """Something speaks against that time. The text is for staff; `mark` sent back with the same time books it all the same."""

    def __init__(self, said: list[str], mark: str):
        super().__init__(f"{' '.join(said)} Nothing is booked yet. Choose another time, or press “Book anyway”.")
        self.mark = mark


def book(
    *,
    enquiry: Enquiry,
    by: User,
    at: datetime,
    channel: str,
    minutes: int = MINUTES,
    with_whom: User | None = None,
    place: str = "",
    remind: bool = False,
    doubts: Iterable[str] = (),
    sure: str | None = None,
    version: int | None = None,
) -> Enquiry:
    """Makes the appointment and emails the patient its time. Where there is one it is moved: the email says from when.

    `sure` is the mark of the concerns that whoever books has read, empty when they have seen none; `doubts` are concerns that only
    the form knows. None: nobody is asked. Raises Doubtful while a concern is unread, and MoveRefused for a past time.
    """
    with transaction.atomic():
        enquiry = lock_open_enquiry(enquiry, version)
        if enquiry.is_closed:
            raise MoveRefused("Reopen it before you book an appointment.")
        now = timezone.now()
        if at <= now:
            raise MoveRefused("Choose a time in the future.")
        before = enquiry.appointment
        given = {"starts_at": at, "minutes": minutes, "channel": channel, "with_whom": with_whom}
        also = {"place": place, "remind": remind}
        if before and before.starts_at <= now:
            raise MoveRefused(NEEDS_OUTCOME)
        if before and all(getattr(before, name) == value for name, value in {**given, **also}.items()):
            raise MoveRefused("That is the appointment as it is already booked.")
        if sure is not None:
            # One booking at a time looks for clashes, so that two people do not book the same moment at once.
            list(ClinicHours.objects.select_for_update().filter(pk=1).values_list("pk"))
            hours = clock.load().hours
            said = [
                *doubts,
                *diary.concerns(at, minutes, with_whom=with_whom, hours=hours, now=now, but=before),
            ]
            if said and sure != (mark := diary.mark_of(at, said)):
                raise Doubtful(said, mark)
        if before:
            end(before, AppointmentState.MOVED, now)
        made = Appointment(enquiry=enquiry, replaces=before, booked_at=now, **given, **also)
        made.uid = before.uid if before else calendar.new_uid(made)
        made.sequence = before.sequence + 1 if before else 0
        made.save()
        enquiry.appointment = made
        words = in_words(made)
        summary = f"Moved from {time_in_words(before)} to {words}" if before and before.starts_at != at else words
        record(enquiry, EventKind.BOOKED, by=by, summary=summary[:200])
        if enquiry.status != Status.BOOKED:
            transition(enquiry, Status.BOOKED, by=by)
        enquiry.next_call_at = None
        tell(enquiry, made, Purpose.BOOKING)
        reached(enquiry, now)
        take(enquiry, by)
        return enquiry.save_new_version()


def end_appointment(
    *, enquiry: Enquiry, by: User, state: str, keep_open: bool = False, version: int | None = None
) -> Enquiry:
    """Records that the booked appointment took place, or did not, or was cancelled.

    One that is still to come can only be cancelled, and then the patient and their calendar are told. After a visit the enquiry is
    closed, unless `keep_open` or a warning sign is open; otherwise it is work again. Raises MoveRefused.
    """
    if state not in OUTCOMES:
        raise MoveRefused("Choose how it went.")
    with transaction.atomic():
        enquiry = lock_open_enquiry(enquiry, version)
        ended, now = enquiry.appointment, timezone.now()
        if ended is None:
            raise MoveRefused("It has no booked appointment.")
        if ended.starts_at > now and state not in CANCELLED:
            raise MoveRefused("It has not begun yet. You can move it or cancel it.")
        cancel(enquiry, ended, state, now) if state in CANCELLED else end(ended, state, now)
        enquiry.appointment = None
        said = f"Appointment {time_in_words(ended)}: {AppointmentState(state).label}"
        record(enquiry, EventKind.APPOINTMENT, by=by, summary=said)
        if state == AppointmentState.CAME and not keep_open and not enquiry.is_flagged:
            transition(enquiry, Status.CLOSED, outcome=Outcome.SEEN, by=by)
        elif enquiry.status == Status.BOOKED:
            transition(enquiry, Status.IN_PROGRESS, by=by)
        return enquiry.save_new_version()
