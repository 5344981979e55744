"""Appointments as calendar files (RFC 5545), under a title that says nothing to anyone who looks over a shoulder.
Whom a patient sees is in the description.

To a patient's calendar they go as invitations and cancellations (RFC 5546): the entry is added, moved and taken out again by the
same UID, and a newer SEQUENCE.

Calendar programs of staff, which cannot sign in, read a feed behind an address that nobody can guess. It holds references and
times, so that an address that gets about says when the clinic is busy, and nothing about anybody. The address is signed as well:
a copy of the database alone opens none.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from icalendar import Alarm, Calendar, Event, vCalAddress, vText

from backcare.core import clinic
from backcare.core.private_pages import personal
from enquiries import staff_members
from enquiries.models import Appointment, AppointmentState, CalendarFeed, Channel

REQUEST, CANCEL, PUBLISH = "REQUEST", "CANCEL", "PUBLISH"
ALARM_BEFORE = timedelta(hours=1)
REFRESH_AFTER = timedelta(minutes=15)


def new_uid(appointment: Appointment) -> str:
    """The UID, which stays with the appointment when it moves, and even if the site's address changes."""
    return f"{appointment.pk.hex}@{settings.BASE_URL.partition('://')[2] or 'localhost'}"


def invitation(appointment: Appointment, *, to: str, stamp: datetime, organiser: str) -> bytes:
    """The file that makes the patient's calendar add the entry, or move the one it has."""
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
    """The file that makes it remove the entry."""
    # RFC 5546, 3.2.5: newer than what was sent before.
    event = _invited(appointment, to, stamp, organiser, sequence=appointment.sequence + 1)
    event.add("status", "CANCELLED")
    return _file(CANCEL, [event])


def feed_file(appointments: Iterable[Appointment], *, stamp: datetime) -> bytes:
    """The feed that a colleague's calendar program reads every now and then."""
    events = []
    for each in appointments:
        event = _event(each, stamp, each.sequence)
        event.add("summary", f"Appointment {each.enquiry.reference}")
        events.append(event)
    return _file(PUBLISH, events, feed=True)


def where(appointment: Appointment) -> str:
    """The title of an entry, where others may read it."""
    if appointment.place:
        return appointment.place
    if appointment.channel == Channel.CLINIC:
        known = clinic.details()
        return ", ".join(filter(None, (str(known[part]) for part in ("name", "address"))))
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
    if appointment.with_whom:
        event.add("description", f"With {appointment.with_whom.line}")
    event.add("organizer", _address(organiser, CN=vText(str(clinic.details()["name"]))))
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


SIGNER = signing.Signer(salt="enquiries.calendar_feed", sep=".")
BACK = timedelta(days=31)  # how long an appointment stays in the feed once it is over
SHOWN = [AppointmentState.BOOKED, AppointmentState.CAME, AppointmentState.MISSED]


def address(feed: CalendarFeed) -> str:
    return f"{settings.BASE_URL}{reverse('enquiries:calendar_feed', args=[SIGNER.sign(feed.secret)])}"


@personal
@require_safe
def calendar_feed(request: HttpRequest, token: str) -> HttpResponse:
    try:
        feed = CalendarFeed.objects.select_related("staff").filter(secret=SIGNER.unsign(token)).first()
    except signing.BadSignature:
        feed = None
    if feed is None or not staff_members.may_open(feed.staff):
        raise Http404("No calendar of ours")
    now = timezone.now()
    shown = Appointment.objects.filter(state__in=SHOWN, starts_at__gt=now - BACK)
    if feed.only_mine:
        shown = shown.filter(with_whom__account=feed.staff)
    shown = shown.select_related("enquiry").only("starts_at", "minutes", "uid", "sequence", "enquiry__reference")
    file = feed_file(shown.order_by("starts_at", "pk"), stamp=now)
    return HttpResponse(file, content_type="text/calendar; charset=utf-8")
