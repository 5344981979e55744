"""What hangs on an appointment: its end, the emails about it, and its time in words."""

from datetime import datetime

from enquiries.actions.mail import enqueue, has_address
from enquiries.clock.formatting import dated_words
from enquiries.inbox import people
from enquiries.models import Appointment, AppointmentState, Channel, Enquiry, MessageState, Purpose

CANCELLED = {AppointmentState.CANCELLED_BY_PATIENT, AppointmentState.CANCELLED_BY_CLINIC}


def cancel(enquiry: Enquiry, ended: Appointment, state: str, now: datetime) -> None:
    """Ends the booked appointment of an enquiry that the caller holds locked, and tells the patient when it was still to come."""
    end(ended, state, now)
    enquiry.appointment = None
    enquiry.messages.filter(
        appointment=ended, purpose__in=[Purpose.BOOKING, Purpose.BOOKING_REMINDER], state=MessageState.WAITING
    ).update(state=MessageState.LAPSED, error="")
    if ended.starts_at > now:
        tell(enquiry, ended, Purpose.CANCELLATION)


def tell(enquiry: Enquiry, appointment: Appointment, purpose: str) -> None:
    """Puts the email about it into the outbox, where there is an address to send it to."""
    if has_address(enquiry):
        enqueue(enquiry=enquiry, purpose=purpose, appointment=appointment)


def end(appointment: Appointment, state: str, now: datetime) -> None:
    appointment.state, appointment.ended_at = state, now
    appointment.save(update_fields=["state", "ended_at"])


def time_in_words(appointment: Appointment) -> str:
    """10:30am on Monday 30 November 2026: with the year, for it stands in the timeline."""
    return dated_words(appointment.starts_at)


def in_words(appointment: Appointment) -> str:
    """As `time_in_words`, with how and with whom. No place: it may be the link of a call."""
    whom = f", with {people.full_name(appointment.with_whom)}" if appointment.with_whom else ""
    return f"{time_in_words(appointment)}, {Channel(appointment.channel).label}{whom}"


def last_told(appointment: Appointment) -> Appointment | None:
    """The appointment that the patient believes in until they hear of this one. None where no email about an earlier one has gone.

    An email that was sent long ago is no longer in the outbox; one that never went is, while it matters.
    """
    before = appointment.replaces
    while before is not None and not was_told(before):
        before = before.replaces
    return before


def was_told(appointment: Appointment) -> bool:
    mails = appointment.messages.filter(purpose=Purpose.BOOKING)
    return mails.filter(state=MessageState.SENT).exists() or not mails.exists()
