"""The trap for robots: set aside with a reason, never refused, and a person who fell into it is still answered."""

import pytest
from django.test import Client

from enquiries.actions import triage
from enquiries.mail.worker import Worker
from enquiries.models import Enquiry, EventKind, OutgoingMessage, Status
from enquiries.request_forms.form_state import FORMS
from tests.conftest import report
from tests.support.forms import MAIL, send
from tests.support.html import parse, text

KINDS = pytest.mark.parametrize("kind", FORMS)


def test_a_report_for_a_robot_is_set_aside_with_a_reason(db):
    send("report", website="https://example.com/buy")
    kept = Enquiry.objects.get()
    assert (kept.status, kept.quarantine_reason) == (Status.SPAM, "A hidden field was filled in")
    assert not kept.messages.exists()
    assert kept.events.get().kind == EventKind.RECEIVED


@pytest.mark.parametrize("kind", ["consultation", "question"])
def test_who_looked_through_the_answers_is_answered_although_the_browser_filled_in_the_trap(db, kind):
    address = send(kind, website="https://example.com/buy")["Location"]
    assert "We will reply by" in Client().get(address).content.decode()
    kept = Enquiry.objects.get()
    assert (kept.status, kept.quarantine_reason) == (Status.NEW, "")
    assert kept.reply_by is not None
    assert sorted(kept.messages.values_list("purpose", flat=True)) == sorted(MAIL[kind])
    assert "as some browsers do" in kept.events.get().summary
    send(kind, website="https://example.com/buy")
    assert Enquiry.objects.count() == 1


@pytest.mark.parametrize("kind", ["consultation", "question"])
def test_who_is_set_aside_is_promised_neither_a_reply_nor_a_mail_and_staff_can_make_the_promise(
    db, settings, staff, kind
):
    settings.MAX_FORMS_PER_SENDER_PER_HOUR = 0
    address = send(kind)["Location"]
    kept = Enquiry.objects.get()
    assert (kept.status, kept.reply_by) == (Status.SPAM, None)
    page = Client().get(address)
    said = text(next(parse(page).iter("main")))
    assert "we cannot say when we will be able to reply" in said
    assert "We will not email you" in said
    assert "020 7946 0958" in said
    assert not any(words in said for words in ("We will reply", "We will email you to confirm", "private link"))
    assert "no-store" in page["Cache-Control"]
    triage.triage(enquiry=kept, by=staff, to=Status.NEW)
    kept.refresh_from_db()
    assert kept.reply_by is not None
    assert "We will reply" in text(next(parse(Client().get(address)).iter("main")))


@pytest.mark.parametrize("trap", ["\x00x", "x" * 10_000, "🤖" * 99])
def test_no_bait_makes_a_message_that_nobody_can_see(db, trap):
    send("question", website=trap)
    assert Enquiry.objects.get().status == Status.NEW


def test_a_person_whose_browser_filled_in_the_trap_may_send_the_form_again(db):
    send("report", website="https://example.com")
    send("report")
    assert sorted(Enquiry.objects.values_list("status", flat=True)) == [Status.NEW, Status.SPAM]
    assert OutgoingMessage.objects.count() == 1


@KINDS
def test_staff_can_release_a_quarantined_enquiry_and_then_it_is_answered(db, settings, staff, mail_through, kind):
    settings.MAX_FORMS_PER_SENDER_PER_HOUR = 10 if kind == "report" else 0
    send(kind, website="x")
    kept = Enquiry.objects.get()
    assert kept.status == Status.SPAM
    triage.triage(enquiry=kept, by=staff, to=Status.NEW, note="A person, by the look of it.")
    kept = Enquiry.objects.get()
    assert (kept.status, kept.quarantine_reason) == (Status.NEW, "")
    assert sorted(kept.messages.values_list("purpose", flat=True)) == sorted(MAIL[kind])
    worker = Worker()
    while worker.run_once():
        pass
    worker.disconnect()
    recipients = {"report": ["ada@example.com"]}.get(kind, ["ada@example.com", "inbox@example.com"])
    assert sorted(to for to, _ in mail_through.received) == [[address] for address in recipients]


def test_a_release_does_not_send_again_what_was_sent(db, staff, sheet):
    kept = report(sheet)
    triage.triage(enquiry=kept, by=staff, to=Status.SPAM)
    triage.triage(enquiry=kept, by=staff, to=Status.NEW)
    assert kept.messages.count() == 1
