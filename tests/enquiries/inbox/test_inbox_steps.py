"""The steps of an enquiry on the desk: call, reply, book and close, what they do to the clock, and two people at once."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from enquiries.actions import triage
from enquiries.models import Enquiry, EventKind, OutgoingMessage, Status, slot_bit
from tests.conftest import consultation, report
from tests.support.clock import london
from tests.support.desk import at_the_desk, person
from tests.support.html import parse, text
from tests.support.inbox import LIST, flagged, let_wait, listed, open_day, step
from tests.support.outbox import deliver, text_of

# --- the next step ---


def test_a_report_is_only_ever_closed_because_its_details_are_only_for_sending_it(reception, sheet):
    enquiry = report(sheet)
    page = text(parse(reception.get(enquiry.get_admin_url())))
    assert "How did it end?" in page
    assert "Your message" not in page
    assert step(reception, enquiry, "reply", text="Hello", send="yes").status_code == 404


def test_no_answer_puts_the_next_try_into_their_best_time(reception, monkeypatch):
    enquiry = consultation()
    Enquiry.objects.filter(pk=enquiry.pk).update(call_slots=slot_bit(2, 1))
    at_the_desk(monkeypatch, reception, london(2027, 2, 1, 10))  # a Monday
    said = text(parse(step(reception, enquiry, "call", result="no_answer", note="Rang twice")))
    assert "Try again at midday on Wednesday 3 February (one of their best times)." in said
    enquiry.refresh_from_db()
    assert enquiry.next_call_at == london(2027, 2, 3, 12)
    assert (enquiry.contact_attempts, enquiry.status, enquiry.owner.first_name) == (1, "in_progress", "Rita")
    assert enquiry.first_contact_at is None
    assert enquiry.events.get(kind=EventKind.CALLED).note == "Rang twice"
    assert enquiry.pk not in listed(reception, queue="call")


def test_speaking_to_them_keeps_the_promise(reception):
    enquiry = consultation()
    Enquiry.objects.filter(pk=enquiry.pk).update(reply_by=timezone.now() - timedelta(hours=1))
    assert listed(reception, queue="overdue") == [enquiry.pk]
    step(reception, enquiry, "call", result="spoke")
    assert listed(reception, queue="overdue") == []


def test_a_reply_is_seen_before_it_goes_and_reaches_the_patient(reception, mail_through):
    enquiry = consultation()
    deliver()
    preview = step(reception, enquiry, "reply", text="Please phone us.\n\nRita")
    assert "Nothing has been sent yet" in text(parse(preview))
    assert not enquiry.messages.filter(purpose="reply").exists()
    back = step(reception, enquiry, "reply", text="Please phone us.", change="yes")
    assert "Please phone us." in back.content.decode()
    assert not enquiry.messages.filter(purpose="reply").exists()
    step(reception, enquiry, "reply", text="Please phone us.\n\nRita", send="yes")
    deliver()
    mail = mail_through.messages[-1]
    assert mail["To"] == "ada@example.com"
    assert "Please phone us.\n\nRita" in text_of(mail).replace("\r\n", "\n")
    assert "999" in text_of(mail)
    assert "pain" not in mail["Subject"].lower()
    enquiry.refresh_from_db()
    assert enquiry.first_contact_at
    assert b"Please phone us" not in bytes(str(list(OutgoingMessage.objects.values())), "utf-8")


def test_closing_says_how_it_ended(reception):
    enquiry = consultation()
    assert step(reception, enquiry, "close", outcome="").status_code == 422
    step(reception, enquiry, "close", outcome="answered")
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.outcome) == ("closed", "answered")
    assert "Rita closed this: answered" in text(parse(reception.get(enquiry.get_admin_url())))


# --- safety ---


@pytest.mark.long
def test_a_flagged_enquiry_stays_on_top_until_somebody_writes_what_they_did(reception):
    consultation(email="1@example.com")
    enquiry = flagged(email="2@example.com")
    assert listed(reception)[0] == enquiry.pk
    page = text(parse(reception.get(enquiry.get_admin_url())))
    assert "Possible emergency: call now" in page
    assert "How did it end?" not in page, "It cannot be closed yet, so it is not offered."
    refused = step(reception, enquiry, "close", outcome="answered")
    assert "Record what you did about the warning sign first" in text(parse(refused))
    for action in ("close", "mark_as_spam"):
        chosen = {"action": action, "_selected_action": [str(enquiry.pk)], "sure": "yes", "outcome": "answered"}
        assert f"Not changed: {enquiry.reference}" in text(parse(reception.post(LIST, chosen, follow=True)))
    step(reception, enquiry, "safety", note="Rang her. She is on her way to A&E.")
    step(reception, enquiry, "close", outcome="elsewhere")
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.outcome) == ("closed", "elsewhere")
    assert enquiry.events.get(kind=EventKind.SAFETY).note == "Rang her. She is on her way to A&E."


# --- the clock ---


def test_the_reply_clock_is_paused_while_we_wait_for_the_patient(db, staff, monkeypatch):
    """Open from Monday to Friday, 9am to 5pm, with a promise of eight hours: as the clinic's hours are installed."""

    def at(day, hour):
        moment = london(2027, 2, day, hour)
        monkeypatch.setattr(timezone, "now", lambda: moment)

    at(1, 10)  # a Monday
    enquiry = consultation()
    assert enquiry.reply_by == london(2027, 2, 2, 10)
    at(1, 13)  # five of the eight hours are left
    let_wait(enquiry, by=staff)
    at(15, 11)
    triage.triage(enquiry=enquiry, by=staff, to=Status.IN_PROGRESS)
    enquiry.refresh_from_db()
    assert enquiry.waiting_since is None
    assert enquiry.reply_by == london(2027, 2, 15, 16)


@pytest.mark.parametrize("act", ["book", "spoke"])
def test_hearing_from_the_patient_ends_the_wait(reception, staff, act):
    enquiry = consultation()
    let_wait(enquiry, by=staff)
    if act == "book":
        step(reception, enquiry, "book", day=open_day().isoformat(), time="14:30", channel="video")
    else:
        step(reception, enquiry, "call", result="spoke")
    enquiry.refresh_from_db()
    assert enquiry.waiting_since is None
    assert enquiry.status == ("booked" if act == "book" else "in_progress")
    assert enquiry.pk not in listed(reception, queue="waiting")


def test_a_mail_that_fails_reopens_an_enquiry_that_was_closed_with_an_outcome(db, staff, mail_through):
    enquiry = consultation()
    triage.triage(enquiry=enquiry, by=staff, to=Status.CLOSED, outcome="answered")
    mail_through.refuse_recipients.add("ada@example.com")
    deliver()
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.outcome, enquiry.mail_failed) == ("in_progress", "", True)


# --- two at once ---


def test_a_step_from_an_old_page_is_refused_and_keeps_what_was_typed(reception, staff):
    enquiry = consultation()
    old = enquiry.version
    triage.triage(enquiry=enquiry, by=staff, note="I have it")
    response = step(reception, enquiry, "reply", version=old, text="A long answer.", send="yes")
    assert response.status_code == 422
    said = response.content.decode()
    assert "added a note while you were writing" in said
    assert "A long answer." in said
    assert not enquiry.messages.filter(purpose="reply").exists()


def test_an_editor_can_take_no_step(db):
    client = Client()
    client.force_login(person("Edith", "editor"))
    enquiry = consultation()
    assert step(client, enquiry, "call", result="spoke").status_code == 403
    assert step(client, enquiry, "close", outcome="answered").status_code == 403
    enquiry.refresh_from_db()
    assert enquiry.status == "new"


def test_a_closed_enquiry_offers_no_step_and_takes_none(reception, staff):
    enquiry = consultation()
    triage.triage(enquiry=enquiry, by=staff, to=Status.CLOSED, outcome="answered")
    assert "Next step" not in text(parse(reception.get(enquiry.get_admin_url())))
    assert step(reception, enquiry, "call", result="spoke").status_code == 422
