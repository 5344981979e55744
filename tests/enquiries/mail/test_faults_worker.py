"""The mail worker's clock, its backlog and its password: what test_worker_process.py and test_delivery.py do not ask."""

import sys
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.urls import reverse

from enquiries.mail.worker import Worker
from enquiries.models import MessageState, OutgoingMessage, Purpose
from tests.support.faults import all_mail_is_sent
from tests.support.outbox import age, deliver, make_due, question, states
from tests.support.processes import start_process
from tests.support.smtp import wait_for

HOUR = timedelta(hours=1)


def clock_steps(by: timedelta) -> None:
    """The machine's clock jumps: as the rows see it, every moment that was stored is that much further away."""
    OutgoingMessage.objects.update(
        created_at=F("created_at") - by,
        next_attempt_at=F("next_attempt_at") - by,
        sent_at=F("sent_at") - by,
        lease_until=F("lease_until") - by,
    )


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["an hour on", "an hour back"])
def test_a_clock_that_steps_sends_nothing_twice_and_keeps_nothing_for_longer_than_the_step(db, mail_through, by):
    """F17. What was due before a step back waits until the clock is there again; what comes after it goes at once."""
    question(email="sent@example.com")
    assert deliver() == 2
    question(email="waiting@example.com")
    clock_steps(by)
    question(email="new@example.com")
    assert deliver() == (4 if by > timedelta(0) else 2)
    if by < timedelta(0):
        waits = OutgoingMessage.objects.filter(state=MessageState.WAITING)
        assert waits.count() == 2
        clock_steps(HOUR)  # the hour goes by
        assert deliver() == 2
    assert deliver() == 0
    assert len(mail_through.ids) == len(set(mail_through.ids)) == 6


@pytest.mark.parametrize("by", [HOUR, -HOUR], ids=["an hour on", "an hour back"])
def test_a_clock_that_steps_while_a_mail_is_on_the_way_does_not_double_it(db, mail_through, by):
    question().messages.filter(purpose=Purpose.CLINIC_ALERT).delete()
    worker = Worker("steady")
    message = worker.claim()
    worker.send(message)
    clock_steps(by)
    worker.settle_success(message)
    worker.disconnect()
    assert deliver("other") == 0
    assert states() == {(MessageState.SENT, "")}
    assert len(mail_through.ids) == 1


def test_a_changed_password_stops_nobody_raises_the_alarm_and_the_mail_goes_when_it_is_mended(
    db, client, staff_client, mail_through, settings
):
    """F8."""
    mail_through.password = "the new one"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "clinic", "the old one"
    enquiry = question()
    age(enquiry, timedelta(minutes=20))
    deliver()
    assert states() == {(MessageState.WAITING, "SMTPAuthenticationError 535")}
    answer = client.get(reverse("healthz"))
    assert (answer.status_code, answer.json()["mail_queue"]) == (503, "late")
    assert "Emails are not being sent" in staff_client.get(reverse("admin:index")).content.decode()
    settings.EMAIL_HOST_PASSWORD = "the new one"
    make_due()
    assert deliver() == 2
    assert states() == {(MessageState.SENT, "")}
    assert client.get(reverse("healthz")).json()["mail_queue"] == "ok"


def test_a_backlog_drains_in_order_and_a_mail_that_comes_meanwhile_is_not_starved(child_environment, smtp):
    """F20, scaled down: one real worker, a hundred mails that waited, and one that comes when it is half-way."""
    for number in range(50):
        question(email=f"ada{number}@example.com")
    new = []

    def somebody_comes():
        if len(smtp.ids) == 50:
            smtp.during_data = None
            new.append(question(email="new@example.com"))
            connection.close()

    smtp.during_data = somebody_comes
    process = start_process([sys.executable, "manage.py", "deliver_mail"], env=child_environment)
    try:
        wait_for(lambda: new and all_mail_is_sent(), what="all mail")
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert len(smtp.ids) == len(set(smtp.ids)) == 102
    assert ["new@example.com"] in smtp.recipients[100:], "It went before those that had waited longer."
