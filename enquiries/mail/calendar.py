"""An appointment as a calendar file (RFC 5545), under a title that says nothing to who looks over a shoulder."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from icalendar import Calendar, Event

from enquiries.models import Enquiry

LENGTH = timedelta(minutes=30)


def entry(enquiry: Enquiry, *, stamp: datetime) -> bytes:
    """One event. Its UID stays with the enquiry, so that a second mail moves the entry and does not add another."""
    starts = enquiry.appointment_at
    if starts is None:
        raise ValueError("This enquiry has no appointment.")
    event = Event()
    event.add("uid", f"{enquiry.reference}@{settings.BASE_URL.partition('://')[2] or 'localhost'}")
    event.add("sequence", enquiry.version)
    event.add("summary", "Appointment")
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", starts.astimezone(UTC))
    event.add("dtend", (starts + LENGTH).astimezone(UTC))
    event.add("class", "PRIVATE")
    calendar = Calendar()
    calendar.add("prodid", "-//backcare//appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
