"""The working day before an appointment its patient is reminded of it, unless they do not want that."""

import logging
from datetime import datetime, time

from django.db import transaction
from django.utils import timezone

from enquiries import clock
from enquiries.actions.booked import tell
from enquiries.actions.mail import lock_enquiry
from enquiries.actions.timeline import record
from enquiries.clock.hours import DAY, Hours, instant
from enquiries.models import Appointment, AppointmentState, Enquiry, EventKind, Purpose

logger = logging.getLogger(__name__)

OPENS, CLOSES = time(9), time(17)  # for a clinic without opening hours


def remind_of_appointments(*, now: datetime) -> int:
    """Puts the reminders that are due into the outbox, while the clinic is open: whoever phones because of one reaches somebody.

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
            # As it is now: it may have been moved, or another worker was here.
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
    """The end of the next working day: appointments before it are reminded of now. None while no reminder leaves."""
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
    """The patient wants no reminder of the appointment that they have. Twice is once."""
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
