"""An enquiry's appointment: booked, moved, cancelled, and how it went. The patient and their calendar learn of each change."""

import logging
from collections.abc import Iterable
from datetime import datetime, time

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from enquiries import calendar, clock
from enquiries.actions.contact import lock_open_enquiry, reached, take
from enquiries.actions.outbox import enqueue, has_address, lock_enquiry
from enquiries.actions.status import transition
from enquiries.actions.triage import NEEDS_OUTCOME, MoveRefused
from enquiries.clock import dated_words
from enquiries.inbox import diary
from enquiries.models import (
    Appointment,
    AppointmentState,
    Channel,
    ClinicHours,
    Enquiry,
    EventKind,
    MessageState,
    Outcome,
    Purpose,
    Status,
)
from enquiries.models.appointment import MINUTES, OUTCOMES
from enquiries.models.event import record
from enquiries.opening_hours import DAY, Hours, instant
from factsheets.models import TeamMember

logger = logging.getLogger(__name__)

# What belongs to an appointment: its end, the emails about it, and its time in words.

CANCELLED = {AppointmentState.CANCELLED_BY_PATIENT, AppointmentState.CANCELLED_BY_CLINIC}


def cancel(enquiry: Enquiry, ended: Appointment, state: str, now: datetime) -> None:
    """Ends the booked appointment of an enquiry that the caller has locked. Tells the patient if it was still to come."""
    end(ended, state, now)
    enquiry.appointment = None
    enquiry.messages.filter(
        appointment=ended, purpose__in=[Purpose.BOOKING, Purpose.BOOKING_REMINDER], state=MessageState.WAITING
    ).update(state=MessageState.LAPSED, error="")
    if ended.starts_at > now:
        tell(enquiry, ended, Purpose.CANCELLATION)


def tell(enquiry: Enquiry, appointment: Appointment, purpose: str) -> None:
    """Puts the email about it into the outbox, if there is an address to send it to."""
    if has_address(enquiry):
        enqueue(enquiry=enquiry, purpose=purpose, appointment=appointment)


def end(appointment: Appointment, state: str, now: datetime) -> None:
    appointment.state, appointment.ended_at = state, now
    appointment.save(update_fields=["state", "ended_at"])


def time_in_words(appointment: Appointment) -> str:
    """10:30am on Monday 30 November 2026: with the year, because it is for the timeline."""
    return dated_words(appointment.starts_at)


def in_words(appointment: Appointment) -> str:
    """The same as `time_in_words`, with how and with whom. Leaves out the place, because it may be the link of a call."""
    whom = f", with {appointment.with_whom}" if appointment.with_whom else ""
    return f"{time_in_words(appointment)}, {Channel(appointment.channel).label}{whom}"


def last_told(appointment: Appointment) -> Appointment | None:
    """The appointment that the patient expects until they hear of this one. None if no email about an earlier one was sent.

    An email that was sent long ago is no longer in the outbox; one that never went is, while it matters.
    """
    before = appointment.replaces
    while before is not None and not was_told(before):
        before = before.replaces
    return before


def was_told(appointment: Appointment) -> bool:
    mails = appointment.messages.filter(purpose=Purpose.BOOKING)
    return mails.filter(state=MessageState.SENT).exists() or not mails.exists()


class Doubtful(MoveRefused):
    """There is a reason to avoid that time. The text is for staff. Sending `mark` back with the same time books it anyway."""

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
    with_whom: TeamMember | None = None,
    place: str = "",
    remind: bool = False,
    doubts: Iterable[str] = (),
    sure: str | None = None,
    version: int | None = None,
) -> Enquiry:
    """Makes the appointment and emails the patient its time. Where there is one it is moved: the email says from when.

    `sure` is the mark of the concerns that the person booking has read, or empty; `doubts` are concerns that only
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
            # One booking at a time looks for clashes, so that two people cannot book the same time at once.
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
    closed, unless `keep_open` is set or a warning sign is open; otherwise staff have to deal with it again. Raises MoveRefused.
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


# Patients are reminded on the working day before an appointment, unless they do not want that.

OPENS, CLOSES = time(9), time(17)  # used if the clinic has no opening hours


def remind_of_appointments(*, now: datetime) -> int:
    """Queues the reminders that are due, while the clinic is open, so that patients who phone get an answer.

    An appointment that was booked today needs none: its confirmation is the reminder. How many were written; each is once,
    however often and by however many workers this is called.
    """
    hours = clock.load().hours
    until = _reminded_until(now, hours)
    if until is None:
        return 0
    today = instant(datetime.combine(timezone.localdate(now), time.min))
    due = Appointment.objects.to_come(now).filter(
        remind=True, reminded_at=None, starts_at__lt=until, booked_at__lt=today
    )
    written = 0
    for pk, enquiry in list(due.values_list("pk", "enquiry")):
        with transaction.atomic():
            held = lock_enquiry(Enquiry(pk=enquiry))
            # Read again, because it may have been moved, or another worker may have dealt with it.
            appointment = due.filter(pk=pk).first()
            if appointment is None:
                continue
            appointment.reminded_at = now
            appointment.save(update_fields=["reminded_at"])
            tell(held, appointment, Purpose.BOOKING_REMINDER)
            written += 1
    if written:
        logger.info("Reminders of appointments: %s", written)
    return written


def _reminded_until(now: datetime, hours: Hours) -> datetime | None:
    """The end of the next working day, before which appointments get a reminder now. None while none are sent."""
    day = timezone.localdate(now)
    if not hours.openings:
        opens, closes = (instant(datetime.combine(day, at)) for at in (OPENS, CLOSES))
    else:
        sessions = hours.sessions(day)
        if not sessions:
            return None
        opens, closes = sessions[0].starts, sessions[-1].ends
    following = hours.open_day_after(day) + DAY
    return instant(datetime.combine(following, time.min)) if opens <= now < closes else None


def refuse_reminder(*, enquiry: Enquiry) -> None:
    """Stops the reminder of their present appointment at the patient's request. Calling it twice changes nothing more."""
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        booked = enquiry.appointment
        if booked is None or booked.state != AppointmentState.BOOKED or not booked.remind:
            return
        booked.remind = False
        booked.save(update_fields=["remind"])
        record(enquiry, EventKind.APPOINTMENT, actor="patient", summary="Wants no reminder")
        enquiry.version += 1
        enquiry.save(update_fields=["version"])
    logger.info("Wants no reminder: %s", enquiry.reference)
