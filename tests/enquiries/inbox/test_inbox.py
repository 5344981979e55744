"""The inbox as staff use it: its queues, its search, and what Django's own pages would show of an enquiry."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enquiries.actions import erasure, intake, triage
from enquiries.assessment import handover
from enquiries.assessment.flags import flags
from enquiries.assessment.result import played_back, shown
from enquiries.models import Closure, Enquiry, EventKind, OpeningHours, Status, slot_bit
from tests.conftest import consultation
from tests.support.assessment import answers
from tests.support.clock import london
from tests.support.desk import at_the_desk, person
from tests.support.html import parse, text
from tests.support.inbox import LIST, flagged, let_wait, listed


def counted(client) -> dict[str, int]:
    return {tab["name"]: tab["count"] for tab in client.get(LIST).context["tabs"]}


# --- queues ---


@pytest.mark.both
@pytest.mark.long
def test_each_queue_counts_what_it_lists(reception):
    now = timezone.now()
    plain, overdue, mine, waiting, spam, failed, closed = (consultation(email=f"{n}@example.com") for n in range(7))
    warned = flagged(email="w@example.com")
    rita = User.objects.get(first_name="Rita")
    Enquiry.objects.filter(pk=overdue.pk).update(reply_by=now - timedelta(hours=1))
    Enquiry.objects.filter(pk=mine.pk).update(owner=rita)
    let_wait(waiting, by=person("Sam", "reception"))
    triage.triage(enquiry=spam, by=rita, to=Status.SPAM)
    Enquiry.objects.filter(pk=failed.pk).update(mail_failed=True)
    triage.triage(enquiry=closed, by=rita, to=Status.CLOSED, outcome="answered")
    numbers = counted(reception)
    for name, count in numbers.items():
        assert len(listed(reception, queue=name)) == count, name
    assert listed(reception, queue="safety") == [warned.pk]
    assert listed(reception, queue="overdue") == [overdue.pk]
    assert listed(reception, queue="mine") == [mine.pk]
    assert listed(reception, queue="waiting") == [waiting.pk]
    assert listed(reception, queue="spam") == [spam.pk]
    assert listed(reception, queue="mail") == [failed.pk]
    assert plain.pk in listed(reception, queue="nobody")
    assert closed.pk not in listed(reception)


def test_an_empty_queue_says_something_true(reception):
    assert "Nothing overdue." in text(parse(reception.get(LIST, {"queue": "overdue"})))


@pytest.mark.parametrize("given", ["", "x", "'; --", "all' or 1=1", "\x00"])
def test_a_queue_that_is_none_is_what_is_open(reception, given):
    enquiry = consultation()
    assert reception.get(LIST, {"queue": given}).status_code in {200, 302, 400}
    assert listed(reception) == [enquiry.pk]


@pytest.mark.long
def test_call_now_goes_by_the_patients_best_time_within_the_opening_hours(reception, monkeypatch):
    mornings, afternoons, evenings, any_time = (consultation(email=f"{n}@example.com") for n in range(4))
    Enquiry.objects.filter(pk=mornings.pk).update(call_slots=slot_bit(0, 0) | slot_bit(3, 2) | slot_bit(4, 0))
    Enquiry.objects.filter(pk=afternoons.pk).update(call_slots=slot_bit(0, 1))
    # The clinic closes at five: for want of any time that suits, they are called whenever it is open.
    Enquiry.objects.filter(pk=evenings.pk).update(call_slots=slot_bit(0, 2))
    Closure.objects.create(first_day=date(2026, 11, 25), last_day=date(2026, 11, 25), reason="training")

    def at(*parts) -> set:
        at_the_desk(monkeypatch, reception, london(*parts))
        rows = set(listed(reception, queue="call"))
        assert counted(reception)["call"] == len(rows)
        return rows

    assert at(2026, 11, 23, 10) == {mornings.pk, any_time.pk, evenings.pk}
    assert at(2026, 11, 23, 13) == {afternoons.pk, any_time.pk, evenings.pk}
    assert at(2026, 11, 24, 10) == {any_time.pk, evenings.pk}
    assert at(2026, 11, 23, 17, 30) == set(), "after closing"
    assert at(2026, 11, 22, 10) == set(), "a Sunday"
    assert at(2026, 11, 25, 10) == set(), "a closure"
    assert at(2026, 12, 25, 10) == set(), "Christmas Day, a Friday"
    OpeningHours.objects.all().delete()
    assert at(2026, 11, 23, 10) == set()


# --- answers they gave with it ---


def test_answers_given_with_a_request_are_shown_to_a_clinician_with_the_consent_and_go_after_a_week(client, db):
    carl = person("Carl", "clinician")
    client.force_login(carl)
    known, told = flags(), answers(limits="stops")
    details = {"name": "Ada", "email": "ada@example.com", "phone": "", "best_time": "", "description": "An ache."}
    given = intake.Consented(
        result=shown(told, known), answers=played_back(told, known), consent_version=handover.CONSULTATION_CONSENT
    )
    enquiry = intake.accept(
        intake.Submission(kind="consultation", details=details, contact_by=("email",), consented=given)
    )
    page = text(parse(client.get(enquiry.get_admin_url())))
    assert "It stops daily activity, work or sleep" in page
    assert "See a GP about your back" in page
    assert handover.consent_wording(handover.CONSULTATION_CONSENT) in page
    erasure.purge(now=timezone.now() + timedelta(days=7, minutes=1))
    client.force_login(carl)  # a week ends sessions too
    page = text(parse(client.get(enquiry.get_admin_url())))
    assert "It stops daily activity" not in page
    assert "None, or already deleted" in page


# --- who else ---


def test_who_else_has_it_open_is_shown_and_every_look_is_on_the_timeline(reception, staff_client):
    enquiry = consultation()
    staff_client.get(enquiry.get_admin_url())
    page = text(parse(reception.get(enquiry.get_admin_url())))
    assert "Sam is viewing this" in page
    reception.get(enquiry.get_admin_url())
    assert enquiry.events.filter(kind=EventKind.VIEWED).count() == 2, "Once in a while for each, not at every reload."


def test_the_same_person_is_shown_by_address_or_number(reception):
    enquiry = consultation()
    same = consultation(name="A. Example", email="ADA@example.com", phone="+442079460000")
    other = consultation(name="Bob", email="bob@example.com", phone="+442079460001")
    page = reception.get(enquiry.get_admin_url()).content.decode()
    assert same.reference in page
    assert other.reference not in page
