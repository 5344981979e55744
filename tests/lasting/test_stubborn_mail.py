"""Mail that takes its worker down, mail that cannot be made for now, and servers that take all the time there is."""

import socket
import threading
import time
from datetime import timedelta

import pytest
from django.urls import reverse

from enquiries.mail import outbox
from enquiries.mail.outbox import GIVE_UP_AFTER, LOST_CLAIMS_ALLOWED, SMTP_UNTIL, Worker
from enquiries.mail.smtp import FAREWELL
from enquiries.models import Enquiry, MessageState, OutgoingMessage, Purpose
from enquiries.models.message import LEASE
from tests.conftest import consultation, report
from tests.html import parse, text
from tests.outbox import (
    age,
    deliver,
    expect_delivered_once,
    expect_waiting,
    let_leases_run_out,
    make_due,
    question,
    states,
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
    enquiry = Enquiry.objects.in_working_order().first()
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
    """A deployment that lost a template: an acknowledgement includes one that is not there."""
    broken = tmp_path / "enquiries" / "emails" / "consultation_acknowledgement_body.html"
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
    message = booked.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
    assert (message.state, message.error) == (MessageState.WAITING, "TemplateDoesNotExist")
    assert booked.messages.get(purpose=Purpose.CLINIC_ALERT).state == MessageState.SENT
    assert set(asked.messages.values_list("state", flat=True)) == {MessageState.SENT}
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


# --- servers that take all the time there is ---


class Dripping:
    """A server that says one letter of its greeting now and then, for ever, and so never exceeds a time-out."""

    def __init__(self, pause: float):
        self.pause = pause
        self.stopped = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(0.05)
        self.host, self.port = self.listener.getsockname()
        self.thread = threading.Thread(target=self.serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *error):
        self.stopped.set()
        self.thread.join()
        self.listener.close()

    def serve(self):
        while not self.stopped.is_set():
            try:
                client, _ = self.listener.accept()
            except TimeoutError:
                continue
            with client:
                try:
                    client.sendall(b"220 ")
                    while not self.stopped.wait(self.pause):
                        client.sendall(b"h")
                except OSError:
                    continue  # the other side has had enough


@pytest.fixture
def short(monkeypatch):
    """1.5 seconds from the claim to the last word, in place of more than a minute."""
    monkeypatch.setattr(outbox, "SMTP_UNTIL", timedelta(seconds=1.5))


def seconds_to_deliver() -> float:
    started = time.monotonic()
    assert deliver() == 1
    return time.monotonic() - started


def test_the_lease_is_longer_than_any_conversation_and_leaves_time_to_record():
    assert timedelta(seconds=60) <= SMTP_UNTIL
    assert SMTP_UNTIL + timedelta(seconds=FAREWELL) <= LEASE - timedelta(seconds=10)


def test_a_server_slow_at_every_step_does_not_outlive_the_lease(db, mail_through, short):
    """No step alone exceeds its time-out; together they take longer than a worker may hold a mail."""
    mail_through.stall.update(mail=1, rcpt=1, data=1)
    one_mail()
    assert 1.4 < seconds_to_deliver() < 2.9
    expect_waiting("SMTPServerDisconnected")
    assert mail_through.messages == []
    mail_through.stall.clear()
    expect_delivered_once(mail_through, mails=1)


def test_a_server_that_answers_letter_by_letter_does_not_outlive_the_lease(db, mail_through, short, settings):
    one_mail()
    with Dripping(0.05) as server:
        settings.EMAIL_PORT = server.port
        assert 1.4 < seconds_to_deliver() < 2.9
    expect_waiting("SMTPServerDisconnected")


def test_a_worker_that_wakes_when_its_time_is_over_sends_nothing(db, mail_through, short):
    """As when the machine was asleep between the claim and the sending: the mail may be another's by now."""
    message, other = one_mail(), Worker("other")
    asleep = Worker("asleep")
    claimed = asleep.claim()
    time.sleep(1.6)
    let_leases_run_out()
    with pytest.raises(OSError, match="too long"):
        asleep.send(claimed)
    asleep.disconnect()
    assert mail_through.messages == []
    assert other.run_once()
    other.disconnect()
    assert mail_through.ids == [f"<{message.pk}@example.com>"]


def test_each_mail_on_one_connection_has_its_own_time(db, mail_through, short):
    mail_through.stall["data"] = 0.6
    for number in range(3):
        one_mail(email=f"ada{number}@example.com")
    deliver()
    assert states() == {(MessageState.SENT, "")}
    assert len(set(mail_through.clients)) == 1
