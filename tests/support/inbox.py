"""Shared by the tests of the inbox: its list, a step of an enquiry as the desk sends it, and a flagged enquiry."""

from datetime import date, datetime, timedelta
from uuid import uuid4

from django.urls import reverse
from django.utils import timezone

from enquiries import clock
from enquiries.actions import contact, triage
from enquiries.models import Appointment, Enquiry
from tests.conftest import consultation, give_signs

LIST = reverse("admin:enquiries_enquiry_changelist")


def listed(client, **query) -> list:
    return [enquiry.pk for enquiry in client.get(LIST, query).context["cl"].result_list]


def step(client, enquiry, name: str, *, version=None, **typed):
    enquiry.refresh_from_db()
    buttons = {"send", "change", "insert", "previewed"}
    data = {f"{name}-{field}": value for field, value in typed.items() if field not in buttons}
    data |= {field: value for field, value in typed.items() if field in buttons}
    data[f"{name}-version"] = version or enquiry.version
    return client.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, name]), data, follow=True)


def whole_status(status: str, at: datetime | None = None) -> dict:
    """The columns of an enquiry that has had this status since `at`, for a test that writes them past the desk.

    One that is booked has an appointment as well: see `book_past`.
    """
    at = at or timezone.now()
    columns = {"status": status, "closed_at": None, "outcome": "", "waiting_since": None, "return_on": None}
    if status in {"closed", "spam"}:
        columns["closed_at"] = at
    if status == "closed":
        columns["outcome"] = "answered"
    if status == "waiting":
        back = timezone.localdate(at) + timedelta(days=7)
        columns |= {"waiting_since": at, "return_on": back, "contact_attempts": 1}
    return columns


def book_past(enquiry, at: datetime, **columns) -> Appointment:
    """Gives it an appointment at any time, even one that is over, without the desk."""
    given = {"uid": uuid4().hex, "booked_at": at - timedelta(days=1), "channel": "phone"}
    made = Appointment.objects.create(enquiry=enquiry, starts_at=at, **given | columns)
    Enquiry.objects.filter(pk=enquiry.pk).update(status="booked", appointment=made, first_contact_at=timezone.now())
    return made


def let_appointment_begin(enquiry, ago: timedelta = timedelta(hours=1)) -> None:
    """As if it had been booked long ago, and had begun that long ago."""
    at = timezone.now() - ago
    Appointment.objects.filter(enquiry=enquiry, state="booked").update(starts_at=at, booked_at=at - timedelta(days=3))


def open_day(days: int = 9) -> date:
    """A day, at least that many ahead, on which the clinic is open from nine to five."""
    day = timezone.localdate() + timedelta(days=days)
    while not clock.load().hours.sessions(day):
        day += timedelta(days=1)
    return day


def let_wait(enquiry, *, by, days: int = 7) -> Enquiry:
    """They did not answer a call, and now the clinic waits for them."""
    contact.log_call(enquiry=enquiry, by=by, result="no_answer")
    back = timezone.localdate() + timedelta(days=days)
    return triage.triage(enquiry=enquiry, by=by, to="waiting", return_on=back)


def flagged(**changes) -> Enquiry:
    enquiry = consultation(**changes)
    give_signs(Enquiry.objects.filter(pk=enquiry.pk))
    enquiry.refresh_from_db()
    return enquiry


def booked(enquiry) -> Appointment | None:
    return Enquiry.objects.get(pk=enquiry.pk).appointment
