"""Mail that takes its worker down, mail that cannot be made for now, and a worker that was held up."""

from datetime import timedelta

import pytest
from django.urls import reverse

from enquiries.inbox import queues
from enquiries.mail import worker
from enquiries.mail.worker import GIVE_UP_AFTER, LOST_CLAIMS_ALLOWED, Worker
from enquiries.models import Enquiry, MessageState, OutgoingMessage, Purpose
from tests.conftest import consultation, report
from tests.support.html import parse, text
from tests.support.outbox import (
    age,
    deliver,
    expect_delivered_once,
    expect_waiting,
    let_leases_run_out,
    make_due,
    question,
)


def one_mail(**changes) -> OutgoingMessage:
    enquiry = question(**changes)
    enquiry.messages.filter(purpose=Purpose.CLINIC_ALERT).delete()
    return enquiry.messages.get()


def lose_workers(number: int) -> None:
    """That many workers take the mail in hand, and each is gone before it can say what happened."""
    for each in range(number):
        assert Worker(f"lost {each}").claim() is not None
        let_leases_run_out()


# --- mail that takes its worker down ---


def test_a_mail_whose_worker_was_lost_five_times_is_given_up_in_sight_of_staff(db, staff_client, mail_through):
    message = one_mail()
    lose_workers(LOST_CLAIMS_ALLOWED)
    other = consultation(email="second@example.com")
    deliver()
    message.refresh_from_db()
    assert (message.state, message.error, message.attempts) == (MessageState.FAILED, "WorkerLost", 5)
    assert (message.claimed_by, message.lease_until) == ("", None)
    assert set(other.messages.values_list("state", flat=True)) == {MessageState.SENT}
    assert ["ada@example.com"] not in mail_through.recipients
    enquiry = queues.in_working_order().first()
    assert (enquiry, enquiry.mail_failed) == (message.enquiry, True)
    assert "failed: WorkerLost" in text(parse(staff_client.get(enquiry.get_admin_url())))


def test_a_mail_whose_worker_was_lost_four_times_is_still_sent(db, mail_through):
    message = one_mail()
    lose_workers(LOST_CLAIMS_ALLOWED - 1)
    assert deliver() == 1
    message.refresh_from_db()
    assert (message.state, message.attempts) == (MessageState.SENT, 5)
    assert mail_through.ids == [f"<{message.pk}@example.com>"]


def test_workers_lost_with_an_answer_in_between_are_counted_anew(db, mail_through):
    message = one_mail()
    lose_workers(LOST_CLAIMS_ALLOWED - 1)
    mail_through.answers["rcpt"] = "451 later"
    deliver()
    make_due()
    lose_workers(LOST_CLAIMS_ALLOWED - 1)
    mail_through.answers.clear()
    deliver()
    message.refresh_from_db()
    assert (message.state, message.attempts) == (MessageState.SENT, 10)


def test_a_mail_given_up_for_its_lost_workers_has_five_tries_anew_when_staff_send_it_again(
    db, staff_client, mail_through
):
    message = one_mail()
    lose_workers(LOST_CLAIMS_ALLOWED)
    deliver()
    staff_client.post(reverse("admin:enquiries_outgoingmessage_send_again", args=[message.pk]))
    lose_workers(LOST_CLAIMS_ALLOWED - 1)
    deliver()
    message.refresh_from_db()
    assert message.state == MessageState.SENT


def test_a_worker_lost_while_it_gives_a_mail_up_leaves_that_to_the_next(db, mail_through):
    message = one_mail()
    lose_workers(LOST_CLAIMS_ALLOWED + 1)
    deliver()
    message.refresh_from_db()
    assert (message.state, message.error, message.attempts) == (MessageState.FAILED, "WorkerLost", 5)
    assert mail_through.messages == []


# --- mail that cannot be made for now ---


@pytest.fixture
def broken_template(settings, tmp_path):
    """A deployment that lost a template: the emails to patients include one that is not there."""
    broken = tmp_path / "enquiries" / "emails" / "_card_short.html"
    broken.parent.mkdir(parents=True)
    broken.write_text('{% include "enquiries/emails/not_there.html" %}')
    [engine] = whole = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]

    def mend():
        settings.TEMPLATES = whole

    return mend


def test_a_template_that_is_missing_makes_its_mail_wait_and_the_others_go(db, mail_through, broken_template):
    booked, asked = consultation(), question()
    deliver()
    for enquiry in (booked, asked):
        message = enquiry.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
        assert (message.state, message.error) == (MessageState.WAITING, "TemplateDoesNotExist")
        assert enquiry.messages.get(purpose=Purpose.CLINIC_ALERT).state == MessageState.SENT
    assert deliver() == 0, "It was tried again before its time."
    broken_template()
    expect_delivered_once(mail_through, mails=4)
    assert not Enquiry.objects.filter(mail_failed=True).exists()


def test_a_template_that_stays_missing_fails_its_mail_after_72_hours(db, mail_through, broken_template):
    enquiry = consultation()
    age(enquiry, GIVE_UP_AFTER + timedelta(minutes=1))
    deliver()
    message = enquiry.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
    assert (message.state, message.error) == (MessageState.FAILED, "TemplateDoesNotExist")
    enquiry.refresh_from_db()
    assert enquiry.mail_failed


def test_a_deployment_that_can_make_no_mail_at_all_kills_none(db, sheet, mail_through, settings, client):
    whole = settings.TEMPLATES
    settings.TEMPLATES = [{**whole[0], "DIRS": [], "APP_DIRS": False}]
    report(sheet)
    consultation()
    deliver()
    expect_waiting("TemplateDoesNotExist")
    settings.TEMPLATES = whole
    OutgoingMessage.objects.update(created_at=OutgoingMessage.objects.first().created_at - timedelta(minutes=20))
    assert client.get(reverse("healthz")).json()["mail_queue"] == "late", "Nobody would notice."
    expect_delivered_once(mail_through, mails=3)


# --- a worker that was held up ---


def test_a_worker_that_wakes_when_its_time_is_over_sends_nothing(db, mail_through, monkeypatch):
    """As when the machine was asleep between the claim and the sending: the mail may be another's by now."""
    message, other = one_mail(), Worker("other")
    asleep = Worker("asleep")
    with monkeypatch.context() as patch:
        patch.setattr(worker, "BEGIN_WITHIN", timedelta(0))
        claimed = asleep.claim()
    let_leases_run_out()
    with pytest.raises(OSError, match="Too late"):
        asleep.send(claimed)
    asleep.disconnect()
    assert mail_through.messages == []
    assert other.run_once()
    other.disconnect()
    assert mail_through.ids == [f"<{message.pk}@example.com>"]
