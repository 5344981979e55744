""" "Send it again" on the confirmation of a report: when, how often, and by many clicks at the same moment."""

import re

import pytest

from enquiries.actions import corrections
from enquiries.mail.worker import Worker
from enquiries.models import Enquiry, EventKind, MessageState, OutgoingMessage, Status
from tests.enquiries.test_accept import at_once
from tests.support.html import parse, text, title
from tests.support.outbox import deliver, events
from tests.support.report_sent import (
    ADA,
    AGAIN,
    BEA,
    CHANGE,
    EVE,
    PHONE,
    PLAYED_BACK,
    SENT,
    asked,
    change,
    expect_done,
    holding,
    read,
    time_passes,
)

pytestmark = pytest.mark.usefixtures("db")


# --- send it again ---


@pytest.mark.long
def test_it_can_be_sent_again_after_a_minute_three_times_and_then_the_page_gives_the_phone_number(
    client, many_forms, mail_through
):
    asked(client)
    deliver()
    for number in (1, 2, 3):
        time_passes(client, 15)  # too late for a second click
        answer = client.post(AGAIN)
        said = text(parse(answer))
        assert answer.status_code == 429
        assert 35 <= int(answer["Retry-After"]) <= 45
        assert re.search(r"You can send it again in [34]\d seconds\. Then press “Send it again” once more\.", said)
        assert title(parse(answer)).startswith("Error: ")
        time_passes(client)
        assert "Wait" not in read(client)
        expect_done(client.post(AGAIN))
        assert len(mail_through.received) == number
        deliver()
        assert mail_through.recipients == [[ADA]] * (number + 1)
    said = read(client)
    assert f"{PLAYED_BACK} again to {ADA}." in said
    assert f"We can help you on the phone: {PHONE}" in said
    assert not [each for each in parse(client.get(SENT)).iter("form") if each.get("action") in {AGAIN, CHANGE}]
    expect_done(client.get(CHANGE))
    time_passes(client, 600)
    for _ in range(5):
        answer = client.post(AGAIN)
        assert answer.status_code == 429
        assert PHONE in text(parse(answer))
        assert change(client, EVE).status_code == 303
    deliver()
    assert len(mail_through.received) == 4
    assert len(set(mail_through.ids)) == 4
    assert Enquiry.objects.get().status == Status.CLOSED, "Nothing is opened again for staff."


def test_changes_and_repeats_count_together_whichever_browser_they_come_from(client, mail_through):
    asked(client)
    deliver()
    addresses = [f"{name}@example.com" for name in ("bea", "eve", "finn", "gil")]
    for email in addresses:
        copy = holding(client.cookies["sent"].value)
        change(copy, email)
        if "sent" in copy.cookies:
            client.cookies["sent"] = copy.cookies["sent"].value
        deliver()
    time_passes(client)
    assert client.post(AGAIN).status_code == 429
    assert [to for [to] in mail_through.recipients] == [ADA, *addresses[:3]]
    assert Enquiry.objects.get().email == addresses[2]


def test_a_second_click_sends_nothing_more_and_is_no_error(client, mail_through):
    asked(client)
    deliver()
    time_passes(client)
    expect_done(client.post(AGAIN))
    expect_done(client.post(AGAIN))
    for _ in (1, 2):
        expect_done(change(holding(client.cookies["sent"].value), BEA))
    assert change(client, BEA).cookies["sent"].value
    kept = Enquiry.objects.get()
    assert (events(kept, EventKind.MESSAGE_AGAIN), events(kept, EventKind.CORRECTED)) == (1, 1)
    deliver()
    assert mail_through.recipients == [[ADA], [BEA]]


def test_what_is_still_on_its_way_is_not_made_twice(client, mail_through):
    asked(client)
    time_passes(client)
    expect_done(client.post(AGAIN))
    assert deliver() == 1
    other = asked(email=BEA)
    worker = Worker("has it in hand")
    message = worker.claim()
    time_passes(other)
    expect_done(other.post(AGAIN))
    assert message.enquiry.messages.count() == 1


def test_a_failed_mail_gets_its_tries_anew_with_its_own_id_and_leaves_the_top_of_the_inbox(client, mail_through):
    mail_through.refuse_recipients.add(ADA)
    asked(client)
    deliver()
    kept = Enquiry.objects.get()
    assert kept.mail_failed
    mail_through.refuse_recipients.clear()
    time_passes(client)
    expect_done(client.post(AGAIN))
    kept.refresh_from_db()
    assert not kept.mail_failed
    deliver()
    assert mail_through.ids == [f"<{kept.messages.get().pk}@example.com>"]


# --- at the same moment ---


def test_many_clicks_at_once_on_send_it_again_are_one_mail(transactional_db, mail_through):
    client = asked()
    deliver()
    time_passes(client)
    value, answers = client.cookies["sent"].value, []
    at_once(8, lambda: answers.append(holding(value).post(AGAIN).status_code))
    assert answers == [303] * 8
    assert OutgoingMessage.objects.count() == 2


def test_many_clicks_at_once_on_a_change_are_one_change(transactional_db, mail_through):
    value, answers = asked().cookies["sent"].value, []
    deliver()
    at_once(8, lambda: answers.append(change(holding(value), BEA).status_code))
    assert answers == [303] * 8
    assert events(Enquiry.objects.get(), EventKind.CORRECTED) == 1
    assert OutgoingMessage.objects.count() == 2


def test_many_changes_at_once_are_never_more_than_three(transactional_db, mail_through):
    asked()
    deliver()
    kept, refused = Enquiry.objects.get(), []
    addresses = iter([f"{letter}@example.com" for letter in "bcdefghijk"])

    def one():
        try:
            corrections.correct_address(enquiry=kept, email=next(addresses))
        except corrections.TooOften:
            refused.append(1)

    at_once(8, one)
    assert (events(kept, EventKind.CORRECTED), len(refused)) == (3, 5)
    deliver()
    assert len(mail_through.received) <= 4


def test_a_change_while_workers_are_busy_loses_no_mail_and_locks_nobody_out(transactional_db, many_forms, mail_through):
    clients = [asked(email=f"old{number}@example.com") for number in range(6)]
    jobs = iter(
        [
            *(lambda each=each, n=n: change(each, f"new{n}@example.com") for n, each in enumerate(clients)),
            deliver,
            deliver,
        ]
    )
    at_once(8, lambda: next(jobs)())
    deliver()
    reached = {to for [to] in mail_through.recipients}
    assert {f"new{number}@example.com" for number in range(6)} <= reached
    assert set(OutgoingMessage.objects.values_list("state", flat=True)) == {MessageState.SENT}
