"""Appointments as calendar files (RFC 5545), under a title that says nothing to anyone who looks over a shoulder.

To a patient's calendar they go as invitations and cancellations (RFC 5546): the entry is added, moved and taken out again by the
same UID, and a newer SEQUENCE. The feed for staff holds references and times, and no word about anybody.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from enquiries.models import Appointment, Channel

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"
ALARM_BEFORE = timedelta(hours=1)
REFRESH_AFTER = timedelta(minutes=15)


def new_uid(appointment: Appointment) -> str:
    """It stays with the appointment wherever it moves, also when the site's address changes."""
    return f"{appointment.pk.hex}@{settings.BASE_URL.partition('://')[2] or 'localhost'}"


def invitation(appointment: Appointment, *, to: str, stamp: datetime, organiser: str) -> bytes:
    """The file with which the patient's calendar adds the entry, or moves the one that it has."""
    event = _invited(appointment, to, stamp, organiser, sequence=appointment.sequence)
    event.add("status", "CONFIRMED")
    event.add("location", where(appointment))
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", "Appointment")
    alarm.add("trigger", -ALARM_BEFORE)
    event.add_component(alarm)
    return _file(REQUEST, [event])


def cancellation(appointment: Appointment, *, to: str, stamp: datetime, organiser: str) -> bytes:
    """The file with which it takes the entry out."""
    # RFC 5546, 3.2.5: newer than what was sent before.
    event = _invited(appointment, to, stamp, organiser, sequence=appointment.sequence + 1)
    event.add("status", "CANCELLED")
    return _file(CANCEL, [event])


def feed(appointments: Iterable[Appointment], *, stamp: datetime) -> bytes:
    """What a calendar program of staff reads every now and then."""
    events = []
    for each in appointments:
        event = _event(each, stamp, each.sequence)
        event.add("summary", f"Appointment {each.enquiry.reference}")
        events.append(event)
    return _file(PUBLISH, events, feed=True)


def where(appointment: Appointment) -> str:
    """For a line in the calendar, where others may read it."""
    if appointment.place:
        return appointment.place
    if appointment.channel == Channel.CLINIC:
        return ", ".join(filter(None, (str(settings.CLINIC[part]) for part in ("name", "address"))))
    return "By phone" if appointment.channel == Channel.PHONE else "By video call"


def _event(appointment: Appointment, stamp: datetime, sequence: int) -> Event:
    event = Event()
    event.add("uid", appointment.uid)
    event.add("sequence", sequence)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("dtstart", appointment.starts_at.astimezone(UTC))
    event.add("dtend", appointment.ends_at.astimezone(UTC))
    event.add("class", "PRIVATE")
    return event


def _invited(appointment: Appointment, to: str, stamp: datetime, organiser: str, *, sequence: int) -> Event:
    """RFC 5546, 3.2.2 and 3.2.5: an invitation names who sends it and whom it is for. Nobody is asked for an answer."""
    event = _event(appointment, stamp, sequence)
    event.add("summary", "Appointment")
    event.add("organizer", _address(organiser, CN=vText(str(settings.CLINIC["name"]))))
    event.add("attendee", _address(to, PARTSTAT="ACCEPTED", RSVP="FALSE", ROLE="REQ-PARTICIPANT"))
    return event


def _address(address: str, **parameters: str) -> vCalAddress:
    made = vCalAddress(f"mailto:{parseaddr(address)[1]}")
    made.params.update(parameters)
    return made


def _file(method: str, events: Iterable[Event], *, feed: bool = False) -> bytes:
    calendar = Calendar()
    calendar.add("prodid", "-//backcare//appointments//EN")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    if feed:
        calendar.add("x-wr-calname", "Appointments")
        calendar.add("refresh-interval", REFRESH_AFTER, parameters={"VALUE": "DURATION"})  # RFC 7986, 5.7
    for event in events:
        calendar.add_component(event)
    return bytes(calendar.to_ical())
