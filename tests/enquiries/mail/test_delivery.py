"""Delivery against real mail servers that refuse, stall, vanish and come back."""

import re
import sqlite3
import threading
from contextlib import closing

import pytest
from django.db import connection

from enquiries.mail import worker
from enquiries.models import EnquiryEvent, MessageState, OutgoingMessage, Purpose
from tests.conftest import consultation, report
from tests.support.outbox import deliver, expect_delivered_once, expect_waiting, make_due, question, states
from tests.support.smtp import ScriptedServer, SmtpSink, wait_for

# What may be kept of an error: a class, and a code. A server's own words quote addresses.
CLASS_AND_CODE = re.compile(r"[A-Za-z]+( \d{3})?")


@pytest.fixture(autouse=True)
def nothing_of_the_servers_words(request, caplog):
    """After every test here: no error, timeline entry or log line of ours holds an address or what the server said."""
    yield
    if "db" in request.fixturenames or "transactional_db" in request.fixturenames:
        for error in OutgoingMessage.objects.exclude(error="").values_list("error", flat=True):
            assert CLASS_AND_CODE.fullmatch(error)
        logged = [record.getMessage() for record in caplog.get_records("call") if record.name.startswith("enquiries")]
        assert logged
        for line in [*EnquiryEvent.objects.values_list("summary", flat=True), *logged]:
            assert "@" not in line
            assert "harsh words" not in line


# --- servers that are not there, or not now ---


def test_a_refused_connection_loses_nothing(db, mail_through):
    mail_through.stop()
    question()
    deliver()
    expect_waiting("ConnectionRefusedError")
    with SmtpSink(port=mail_through.port) as back:
        expect_delivered_once(back, mails=2)


@pytest.mark.parametrize(
    ("stage", "answer", "error"),
    [
        ("mail", "421 4.3.2 harsh words for ada@example.com", "SMTPSenderRefused 421"),
        ("mail", "452 4.3.1 harsh words", "SMTPSenderRefused 452"),
        ("rcpt", "450 4.2.1 harsh words", "SMTPRecipientsRefused 450"),
        ("rcpt", "451 4.7.1 greylisted: harsh words for <ada@example.com>", "SMTPRecipientsRefused 451"),
        ("rcpt", "421 4.3.2 harsh words", "SMTPRecipientsRefused 421"),
        ("data", "451 4.3.0 harsh words", "SMTPDataError 451"),
        ("data", "421 4.3.0 harsh words", "SMTPDataError 421"),
        # A server's complaint about our sender is for us to fix, and not this email's fault.
        ("mail", "553 5.7.1 harsh words", "SMTPSenderRefused 553"),
        ("mail", "530 5.7.0 sign in first", "SMTPSenderRefused 530"),
    ],
)
def test_a_refusal_that_may_pass_makes_the_mail_wait(db, mail_through, stage, answer, error):
    question()
    mail_through.answers[stage] = answer
    deliver()
    expect_waiting(error)
    mail_through.answers.clear()
    expect_delivered_once(mail_through, mails=2)


def test_a_server_that_turns_us_away_at_the_door_makes_the_mail_wait(db, mail_through, settings):
    question()
    with ScriptedServer("554 5.3.2 harsh words", then="close") as closed:
        settings.EMAIL_PORT = closed.port
        deliver()
    expect_waiting("SMTPConnectError 554")


def test_a_server_that_hangs_makes_the_mail_wait(db, mail_through, settings):
    settings.EMAIL_TIMEOUT = 0.3
    question()
    with ScriptedServer(then="hang") as silent:
        settings.EMAIL_PORT = silent.port
        deliver()
    expect_waiting("SMTPServerDisconnected")


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
def test_a_server_that_stops_answering_in_the_middle_makes_the_mail_wait(db, mail_through, settings, stage):
    settings.EMAIL_TIMEOUT = 0.3
    mail_through.stall[stage] = 5
    question()
    deliver()
    expect_waiting("SMTPServerDisconnected")
    assert mail_through.messages == []
    mail_through.stall.clear()
    expect_delivered_once(mail_through, mails=2)


def test_a_server_that_takes_a_mail_and_answers_too_late_gets_it_again_with_the_same_id(db, mail_through, settings):
    """SMTP gives no way to know. The receiver can fold the two by their Message-ID."""
    settings.EMAIL_TIMEOUT = 0.3
    mail_through.delay = 2
    question().messages.filter(purpose=Purpose.CLINIC_ALERT).delete()
    deliver()
    expect_waiting("SMTPServerDisconnected")
    mail_through.delay = 0
    make_due()
    deliver()
    assert states() == {(MessageState.SENT, "")}
    assert len(mail_through.ids) == 2
    assert len(set(mail_through.ids)) == 1


def test_a_connection_dropped_before_the_answer_loses_nothing(db, mail_through):
    mail_through.drop_connections = 1
    question()
    deliver()
    assert states() == {(MessageState.WAITING, "SMTPServerDisconnected"), (MessageState.SENT, "")}
    expect_delivered_once(mail_through, mails=2)


def test_a_server_gone_in_the_middle_of_a_message_loses_nothing(db, sheet, mail_through, settings):
    report(sheet)
    dialogue = ["220 hello", "250 hello", "250 sender", "250 recipient", "354 go on"]
    with ScriptedServer(*dialogue, then="close") as vanishing:
        settings.EMAIL_PORT = vanishing.port
        deliver()
        assert b"DATA" in b"".join(vanishing.heard).upper()
    [(state, error)] = states()
    assert state == MessageState.WAITING
    # The system may report the reset while we write or while we read.
    assert error in {"SMTPServerDisconnected", "ConnectionResetError", "BrokenPipeError"}
    settings.EMAIL_PORT = mail_through.port
    expect_delivered_once(mail_through, mails=1)


# --- refusals that stay ---


def test_a_recipient_the_server_does_not_know_fails_at_once_and_the_other_mail_goes(db, sheet, mail_through):
    mail_through.refuse_recipients.add("gone@example.com")
    lost = consultation(email="gone@example.com")
    others = [report(sheet), question()]
    deliver()
    message = lost.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
    assert (message.state, message.error) == (MessageState.FAILED, "SMTPRecipientsRefused 550")
    assert message.attempts == 1
    lost.refresh_from_db()
    assert lost.mail_failed
    assert len(mail_through.messages) == 4
    for enquiry in others:
        assert set(enquiry.messages.values_list("state", flat=True)) == {MessageState.SENT}


def test_a_message_the_server_will_not_take_fails_at_once(db, mail_through):
    enquiry = question()
    mail_through.answers["data"] = "554 5.7.1 harsh words about spam"
    deliver()
    assert states() == {(MessageState.FAILED, "SMTPDataError 554")}
    enquiry.refresh_from_db()
    assert enquiry.mail_failed


# --- the worker and the database ---


def test_one_connection_carries_as_many_mails_as_it_may_and_no_more(db, mail_through, monkeypatch):
    assert worker.MAILS_PER_CONNECTION == 100
    monkeypatch.setattr(worker, "MAILS_PER_CONNECTION", 6)
    for number in range(4):
        question(email=f"ada{number}@example.com")
    deliver()
    assert len(mail_through.messages) == 8
    assert len(set(mail_through.clients)) == 2
    assert len(set(mail_through.clients[:6])) == 1


def test_a_slow_mail_server_holds_up_no_form(transactional_db, mail_through):
    """SMTP happens outside any transaction, so a patient can send a form while an email is being sent."""
    accepted = []

    def send_a_form():
        mail_through.during_data = None
        try:
            accepted.append(consultation(email="second@example.com"))
        finally:
            connection.close()

    mail_through.during_data = send_a_form
    question()
    deliver()
    assert len(accepted) == 1
    assert len(mail_through.messages) == 4


def test_a_database_away_when_a_mail_was_taken_does_not_send_it_twice(
    transactional_db, mail_through, monkeypatch, caplog
):
    if connection.vendor == "sqlite":
        # As long as a form waits for its turn; shortened, so that the worker meets the lock at once.
        monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", 0.1)
        connection.close()
    question().messages.filter(purpose=Purpose.CLINIC_ALERT).delete()
    wire = connection.connection

    def noticed():
        return "waits to record" in caplog.text

    def lock_until_noticed():
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked.set()
            wait_for(noticed, what="the worker's note that it waits")

    def take_the_database_away():
        if connection.vendor == "sqlite":
            threading.Thread(target=lock_until_noticed).start()
            locked.wait(5)
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [wire.info.backend_pid])
        connection.close()

    locked = threading.Event()
    mail_through.during_data = take_the_database_away
    deliver()
    assert noticed()
    assert states() == {(MessageState.SENT, "")}
    assert len(mail_through.messages) == 1
