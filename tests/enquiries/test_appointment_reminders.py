"""The reminder before an appointment: when it is queued, what it says, and how a patient declines it."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from enquiries import clock
from enquiries.actions import appointments
from enquiries.models import Appointment, EventKind, MessageState, OpeningHours, OutgoingMessage, Purpose
from tests.conftest import consultation
from tests.support.clock import london
from tests.support.html import parse, text
from tests.support.inbox import book_past, booked
from tests.support.outbox import deliver, question, text_of


def reminders(enquiry=None):
    found = OutgoingMessage.objects.filter(purpose=Purpose.BOOKING_REMINDER)
    return found.filter(enquiry=enquiry) if enquiry else found


@pytest.mark.parametrize(
    ("at", "reminded"),
    [
        (london(2027, 2, 4, 10), []),  # two working days before
        (london(2027, 2, 5, 8), []),  # before the clinic opens
        (london(2027, 2, 5, 10), ["saturday", "monday"]),  # on Friday for all until Monday
        (london(2027, 2, 6, 10), []),  # nobody answers the telephone
        (london(2027, 2, 8, 9), ["monday", "tuesday"]),  # the worker was away on Friday
        (london(2027, 2, 8, 10), ["tuesday"]),
    ],
)
def test_a_reminder_is_written_once_on_the_working_day_before(db, at, reminded):
    asked = {
        name: consultation(email=f"{name}@example.com") for name in ("saturday", "monday", "tuesday", "new", "none")
    }
    whens = {"saturday": (6, 10), "monday": (8, 9, 30), "tuesday": (9, 10), "new": (8, 11), "none": (8, 12)}
    for name, enquiry in asked.items():
        booked_at = at if name == "new" else london(2027, 1, 20, 10)
        book_past(enquiry, london(2027, 2, *whens[name]), booked_at=booked_at, remind=name != "none")
    for _ in range(2):
        appointments.remind_of_appointments(now=at)
    written = {each.enquiry_id for each in reminders()}
    assert written == {asked[name].pk for name in reminded}
    assert reminders().count() == len(reminded)


def test_the_reminder_is_neutral_and_one_press_refuses_it(db, staff, mail_through, client):
    kept, refused = consultation(), question(email="other@example.com")
    for enquiry in (kept, refused):
        appointments.book(
            enquiry=enquiry, by=staff, at=timezone.now() + timedelta(days=14), channel="phone", remind=True
        )
    deliver()
    [booking] = [
        each for each in mail_through.messages if each["To"] == "other@example.com" and "no-reminder" in text_of(each)
    ]
    [link] = re.findall(r"https?://[^/\s]+(/request/\S+/no-reminder/)", text_of(booking))
    assert "Do not send me a reminder" in text(parse(client.get(link)))
    assert Appointment.objects.filter(remind=True).count() == 2, "Opening the link changes nothing."
    for _ in range(2):
        assert "You will get no reminder" in text(parse(client.post(link, {"done": "yes"}, follow=True)))
    assert not booked(refused).remind and booked(kept).remind
    assert refused.events.filter(kind=EventKind.APPOINTMENT, actor="patient").count() == 1
    assert client.post("/request/abc.def/no-reminder/").status_code == 404
    held = booked(kept)
    Appointment.objects.update(
        booked_at=timezone.now() - timedelta(days=9), starts_at=timezone.now() + timedelta(hours=20)
    )
    now = clock.load().hours.next_opening(timezone.now())
    OpeningHours.objects.all().delete()  # then it is the day before, from nine to five
    noon = timezone.localtime(now).replace(hour=12)
    Appointment.objects.update(starts_at=noon + timedelta(days=1))
    before = len(mail_through.messages)
    assert appointments.remind_of_appointments(now=noon) == 1
    deliver()
    [mail] = mail_through.messages[before:]
    assert mail["Subject"].startswith("Reminder: your appointment with")
    said = text_of(mail).partition("Please do not reply")[0].lower()
    for word in ("pain", "back", "health", "symptom", held.enquiry.reference.lower()):
        assert word not in said.replace("no-reminder", "").replace("larkfield back clinic", ""), word
    # Declined after it was queued and before it was sent: it is not sent.
    Appointment.objects.update(reminded_at=None)
    appointments.remind_of_appointments(now=noon)
    appointments.refuse_reminder(enquiry=kept)
    deliver()
    assert len(mail_through.messages) == before + 1
    assert reminders(kept).last().state == MessageState.LAPSED
