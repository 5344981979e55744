"""The trap for robots: set aside with a reason, never refused, and a person who fell into it is still answered."""

import pytest
from django.test import Client

from enquiries import actions
from enquiries.forms import FORMS
from enquiries.mail.outbox import Worker
from enquiries.models import Enquiry, EventKind, OutgoingMessage, Status
from tests.conftest import report
from tests.honest import MAIL, send

KINDS = pytest.mark.parametrize("kind", FORMS)


@KINDS
def test_a_robot_is_quarantined_with_a_reason_and_sees_the_same_confirmation(db, kind):
    response = send(kind, website="https://example.com/buy")
    kept = Enquiry.objects.get()
    assert kept.status == Status.SPAM
    assert kept.quarantine_reason == "Filled in a field that people cannot see"
    assert not kept.messages.exists()
    assert kept.events.get().kind == EventKind.RECEIVED
    robot, person = Client().get(response["Location"]), Client().get(f"/{kind}/sent/")
    assert robot.content == person.content


@pytest.mark.parametrize("trap", ["\x00x", "x" * 10_000, "🤖" * 99])
def test_no_bait_makes_a_message_that_nobody_can_see(db, trap):
    send("question", website=trap)
    assert Enquiry.objects.get().status == Status.SPAM


def test_a_person_whose_browser_filled_in_the_trap_may_send_the_form_again(db):
    send("question", website="https://example.com")
    send("question")
    assert sorted(Enquiry.objects.values_list("status", flat=True)) == [Status.NEW, Status.SPAM]
    assert OutgoingMessage.objects.count() == 2


@KINDS
def test_staff_can_release_a_quarantined_enquiry_and_then_it_is_answered(db, staff, mail_through, kind):
    send(kind, website="x")
    kept = Enquiry.objects.get()
    actions.triage(enquiry=kept, by=staff, to=Status.NEW, note="A person, by the look of it.")
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
    actions.triage(enquiry=kept, by=staff, to=Status.SPAM)
    actions.triage(enquiry=kept, by=staff, to=Status.NEW)
    assert kept.messages.count() == 1
