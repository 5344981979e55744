"""The address of a report, corrected on its confirmation: where the email then goes, and what the earlier link opens."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from enquiries.mail.emails import NoLongerNeeded
from enquiries.mail.worker import PermanentFailure, Worker
from enquiries.models import Assessment, Enquiry, EventKind, MessageState, OutgoingMessage, Status
from tests.support.assessment import finish
from tests.support.html import described, form_at, parse, sent, text, title
from tests.support.outbox import deliver, events, make_due, text_of
from tests.support.patient_portal import without_cookies
from tests.support.report_sent import (
    ADA,
    AGAIN,
    BEA,
    CHANGE,
    EVE,
    PLAYED_BACK,
    SENT,
    asked,
    change,
    expect_done,
    read,
    time_passes,
)

pytestmark = pytest.mark.usefixtures("db")


# --- change the address ---


def link_in(mail) -> str:
    return re.search(r"http://\S+(/report/summary/\S+/)", text_of(mail))[1]


def test_a_mail_that_has_not_left_goes_to_the_new_address_only(client, mail_through):
    asked(client)
    expect_done(change(client, BEA))
    assert f"{PLAYED_BACK} to {BEA}." in read(client)
    deliver()
    assert mail_through.recipients == [[BEA]]
    assert OutgoingMessage.objects.count() == 1


def test_a_mail_that_has_left_is_followed_by_one_to_the_new_address(client, mail_through):
    asked(client)
    deliver()
    expect_done(change(client, BEA))
    deliver()
    assert mail_through.recipients == [[ADA], [BEA]]
    assert Enquiry.objects.get().status == Status.CLOSED


@pytest.mark.parametrize(
    ("answer", "state"), [("451 later", MessageState.WAITING), ("550 nobody", MessageState.FAILED)]
)
def test_a_mail_that_cannot_be_delivered_is_replaced_by_one_to_the_new_address(client, mail_through, answer, state):
    mail_through.answers["rcpt"] = answer
    asked(client)
    deliver()
    kept = Enquiry.objects.get()
    assert kept.messages.get().state == state
    mail_through.answers.clear()
    expect_done(change(client, BEA))
    make_due()
    deliver()
    assert mail_through.recipients == [[BEA]]
    kept.refresh_from_db()
    assert (kept.mail_failed, kept.status) == (False, Status.CLOSED)
    assert sorted(kept.messages.values_list("state", flat=True)) == [MessageState.LAPSED, MessageState.SENT]


def test_a_mail_in_the_hands_of_a_worker_is_followed_by_one_to_the_new_address(client, mail_through):
    asked(client)
    worker = Worker("slow")
    message = worker.claim()
    worker.send(message)
    expect_done(change(client, BEA))
    worker.settle_success(message)
    worker.disconnect()
    deliver()
    assert mail_through.recipients == [[ADA], [BEA]]


def test_a_mail_that_a_worker_has_only_claimed_does_not_go_to_the_first_address_any_more(client, mail_through):
    asked(client)
    worker = Worker("slow")
    message = worker.claim()
    expect_done(change(client, BEA))
    with pytest.raises(NoLongerNeeded):
        worker.send(message)
    worker.settle_lapsed(message)
    deliver()
    assert mail_through.recipients == [[BEA]]


def test_a_change_while_the_mail_is_being_written_leaves_the_link_out_of_the_mail_to_the_first_address(
    client, mail_through
):
    finish(client)
    asked(client, with_answers=True)
    changed = []

    def change_at_that_moment(execute, sql, parameters, many, context):
        if not changed and "enquiries_assessment" in sql:
            changed.append(True)
            expect_done(change(client, BEA))
        return execute(sql, parameters, many, context)

    worker = Worker("slow")
    message = worker.claim()
    with connection.execute_wrapper(change_at_that_moment):
        worker.send(message)
    worker.settle_success(message)
    worker.disconnect()
    deliver()
    assert changed
    assert mail_through.recipients == [[ADA], [BEA]]
    first, second = mail_through.messages
    assert "/report/summary/" not in str(first)
    assert without_cookies(link_in(second), {"email": BEA}).status_code == 200


@pytest.mark.parametrize("trouble", [ConnectionResetError(), PermanentFailure("SMTPRecipientsRefused 550")])
def test_a_mail_in_hand_that_does_not_go_is_not_tried_at_the_new_address_beside_the_other(
    client, mail_through, trouble
):
    asked(client)
    worker = Worker("slow")
    message = worker.claim()
    expect_done(change(client, BEA))
    worker.settle_failure(message, trouble)
    make_due()
    deliver()
    assert mail_through.recipients == [[BEA]]
    enquiry = Enquiry.objects.get()
    assert (enquiry.status, enquiry.mail_failed) == (Status.CLOSED, False), "Staff have nothing to do."


def test_the_link_that_a_stranger_got_opens_nothing_after_the_change_even_with_the_right_address(client, mail_through):
    finish(client)
    asked(client, with_answers=True, email=EVE)
    deliver()
    told = Assessment.objects.get().told
    expect_done(change(client, ADA))
    deliver()
    strangers, theirs = (link_in(mail) for mail in mail_through.messages)
    for email in (EVE, ADA):
        assert without_cookies(strangers, {"email": email}).status_code == 410
    assert without_cookies(theirs, {"email": EVE}).status_code == 422
    opened = without_cookies(theirs, {"email": ADA})
    assert opened.status_code == 200
    assert "look after your back at home" in text(parse(opened))
    kept = Assessment.objects.get()
    assert (kept.told, kept.enquiry.private_links.get().wrong_tries) == (told, 1)
    assert "A link to it is in the email." in read(client)


def test_a_wrong_address_is_an_instruction_with_the_text_kept_and_nothing_is_sent(client):
    asked(client)
    for typed, message in {
        "": "Enter your email address",
        "ada@": "Enter an email address in the correct format, like name@example.com",
        "ada@example.com\r\nBcc: eve@example.com": "Enter one email address only",
        f"{'a' * 250}@example.com": "Enter an email address of 254 characters or fewer: remove 8",
    }.items():
        answer = change(client, typed)
        assert answer.status_code == 303
        document = parse(client.get(answer["Location"]))
        assert title(document).startswith("Error: ")
        [field] = [each for each in form_at(document, CHANGE).iter("input") if each.get("name") == "email"]
        assert field.get("value", "") == typed.replace("\r\n", "\n")
        assert message in described(document, field)
    assert change(client, "x" * 5000).status_code == 422, "What no cookie can hold is answered with the page itself."
    assert sent(form_at(parse(client.get(CHANGE)), CHANGE))["email"] == [ADA]
    assert Enquiry.objects.get().version == 1


def test_the_same_address_again_changes_nothing(client):
    asked(client)
    expect_done(change(client, ADA))
    kept = Enquiry.objects.get()
    assert (kept.version, events(kept, EventKind.CORRECTED)) == (1, 0)


def test_the_timeline_says_who_and_what_and_no_log_or_timeline_says_where(client, mail_through, caplog):
    caplog.set_level("INFO")
    asked(client)
    deliver()
    change(client, BEA)
    time_passes(client)
    client.post(AGAIN)
    deliver()
    kept = Enquiry.objects.get()
    ours = kept.events.filter(kind__in=[EventKind.CORRECTED, EventKind.MESSAGE_AGAIN])
    assert [(event.kind, event.actor) for event in ours] == [("corrected", "patient"), ("message_again", "patient")]
    assert kept.version == 4, "Received; closed when it was sent; corrected; sent again."
    # The tests' mail server logs what it hears; that is not ours.
    logged = [record.getMessage() for record in caplog.records if record.name.startswith(("enquiries", "django"))]
    assert [line for line in logged if kept.reference in line]
    for words in ("\n".join(logged), str(list(kept.events.values()))):
        assert "ada@" not in words
        assert "bea@" not in words


# --- did you mean ---


def test_a_mail_to_an_address_that_looks_wrong_waits_two_minutes_for_the_person_to_put_it_right(client, mail_through):
    asked(client, email="ada@gmial.com")
    assert "Did you mean ada@gmail.com?" in read(client)
    message = OutgoingMessage.objects.get()
    assert timedelta(seconds=110) < message.next_attempt_at - timezone.now() <= timedelta(minutes=2)
    assert deliver() == 0
    document = parse(client.get(SENT))
    button = form_at(document, CHANGE)
    assert [text(each) for each in button.iter("button")] == ["Yes, send it to ada@gmail.com instead"]
    expect_done(client.post(CHANGE, sent(button)))
    assert "Did you mean" not in read(client)
    assert deliver() == 1
    assert mail_through.recipients == [["ada@gmail.com"]]


def test_who_does_not_answer_the_question_gets_the_mail_where_they_said(client, mail_through):
    asked(client, email="ada@gmial.com")
    make_due()
    deliver()
    assert mail_through.recipients == [["ada@gmial.com"]]


def test_a_changed_address_is_asked_about_as_well(client):
    asked(client)
    change(client, "ada@hotmial.co.uk")
    assert "Did you mean ada@hotmail.co.uk?" in read(client)
    assert deliver() == 0
