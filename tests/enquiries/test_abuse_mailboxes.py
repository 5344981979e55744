"""Our forms cannot be used to fill a stranger's mailbox, or to learn whose address we know."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from enquiries import abuse
from enquiries.actions import erasure, triage
from enquiries.models import Enquiry, MessageState, OutgoingMessage, Status
from tests.support.forms import form
from tests.support.html import form_at, parse, sent, text, tree
from tests.support.outbox import deliver, make_due
from tests.support.report_sent import without_seconds
from tests.support.senders import REFUSED, VICTIM, ask, from_place, latest

# One mailbox, in the ways in which somebody may write it. What reaches it is what counts.
WAYS = [
    "victor.victim@gmail.com",
    "VICTOR.VICTIM@GMAIL.COM",
    "victorvictim@gmail.com",
    "v.i.c.t.o.r.victim@gmail.com",
    "victor.victim+{}@gmail.com",
    "victorvictim+pain.{}@googlemail.com",
    "ｖｉｃｔｏｒ.victim@gmail.com",
    "victor.victim@ｇｍａｉｌ.com",
]


def test_a_mailbox_is_the_same_however_it_is_written(subtests):
    for one, same in [
        *((VICTIM, way.format("x")) for way in WAYS),
        ("ada@bücher.example", "Ada@XN--BCHER-KVA.example"),
        ("ada@bücher.example", "ada@BÜCHER.example"),
        ("ada@icloud.com", "ada+sheets@me.com"),
        ("ada_b@proton.me", "a.da-b@pm.me"),
        ("ada@example.com", "ada+1@example.com"),
    ]:
        with subtests.test(one=one, same=same):
            assert abuse.mailbox(one) == abuse.mailbox(same)


@pytest.mark.parametrize("other", ["ada.b@example.com", "adab@other.example", "b.ada@gmail.com", "ada@b@example.com"])
def test_two_peoples_mailboxes_stay_two(other):
    assert abuse.mailbox("adab@example.com") != abuse.mailbox(other)


# --- one victim, many victims ---


@pytest.mark.long
def test_whoever_asks_and_however_the_address_is_written_a_mailbox_gets_three_reports_a_day(db, mail_through):
    for number in range(24):
        answer = ask(client=from_place(number), email=WAYS[number % len(WAYS)].format(number), name=f"Ada {number}")
        assert answer.status_code == 303
        assert (answer["Location"] == "/report/sent/") is (number < 3), (
            "Who gets a mail is told of one, and nobody else."
        )
    make_due()
    deliver()
    assert len(mail_through.received) == 3
    aside = Enquiry.objects.filter(status=Status.SPAM)
    assert set(aside.values_list("quarantine_reason", flat=True)) == {abuse.HAD_TODAY}
    assert aside.count() == 21, "Something that was asked for is gone."


@pytest.mark.long
def test_many_victims_of_one_place_get_ten_mails_and_the_sender_is_told_what_to_do(db, mail_through):
    client, answers = from_place(1), []
    for number in range(20):
        # Written by the sender: without our own proxies in front it proves nothing.
        forged = {"HTTP_X_FORWARDED_FOR": f"203.0.113.{number}", "HTTP_FORWARDED": f"for=203.0.113.{number}"}
        typed = form("report", email=f"victim{number}@example.com", name="Buy pills at https://pills.example")
        answers.append(client.post("/report/", typed, **forged))
    assert [each.status_code for each in answers] == 10 * [303] + 10 * [REFUSED]
    deliver()
    assert len(mail_through.received) == 10
    for mail in mail_through.messages:
        assert "pills" not in mail.as_string()
    refused = answers[-1]
    said = text(next(parse(refused).iter("main")))
    assert "We cannot email it just now" in said
    assert "020 7946 0958" in said
    assert "Call 999 or go to A&E now if" in said
    assert 0 < int(refused["Retry-After"]) <= 4200
    assert "You can try again in" in said
    assert "/fact-sheets/about-back-pain/pdf/" in refused.content.decode()
    kept = sent(form_at(parse(refused), "/report/"))
    assert kept["report-email"] == ["victim19@example.com"]
    assert kept["report-sheet"] == ["about-back-pain"]


def test_a_network_of_ipv6_is_one_sender(db):
    codes = [
        ask(client=Client(REMOTE_ADDR=f"2001:db8:1:2:{number:x}::9"), email=f"a{number}@example.com").status_code
        for number in range(12)
    ]
    assert codes == 10 * [303] + 2 * [REFUSED]
    assert ask(client=Client(REMOTE_ADDR="2001:db8:1:3::9")).status_code == 303


@pytest.mark.long
@pytest.mark.parametrize("verb", ["change", "again"])
def test_what_is_put_right_afterwards_counts_like_another_request(db, mail_through, verb, monkeypatch):
    monkeypatch.setattr("enquiries.actions.corrections.WAIT_BEFORE_AGAIN", -abuse.HOUR)
    for number in range(6):
        client = from_place(number)
        ask(client=client, name=f"Ada {number}", email=VICTIM if verb == "again" else f"mine{number}@example.com")
        deliver()
        for _ in range(2):
            page = {
                "change": ("/report/sent/change/", {"email": WAYS[number].format(1)}),
                "again": ("/report/sent/again/", {}),
            }
            assert client.post(*page[verb]).status_code == 303
            make_due()
            deliver()
    assert "We are sending it" not in (said := text(parse(client.get("/report/sent/"))))
    assert "We will not send an email to" in said
    hit = [to for [to] in mail_through.recipients if abuse.mailbox(to) == abuse.mailbox(VICTIM)]
    assert len(hit) == 3
    assert any(
        "Not sent: this address has reached its daily limit of emails" in each.summary for each in latest().events.all()
    ) or (verb == "again" and latest().quarantine_reason == abuse.HAD_TODAY)


def test_one_place_cannot_reach_more_people_by_changing_addresses(db, mail_through):
    client = from_place(1)
    codes = set()
    for number in range(8):
        ask(client=client, email=f"a{number}@example.com")
        codes |= {client.post("/report/sent/change/", {"email": f"b{number}@example.com"}).status_code}
    make_due()
    deliver()
    assert len(mail_through.received) <= 10
    assert REFUSED in codes
    refused = client.post("/report/sent/change/", {"email": "more@example.com"})
    assert "a lot of requests for fact sheets from your internet connection" in text(parse(refused))


# --- when a mail leaves ---


def test_a_worker_holds_back_what_is_too_much_for_one_mailbox_and_staff_see_it(db, mail_through, staff, client):
    for number in range(6):
        ask(client=from_place(number), email=VICTIM, name=f"Ada {number}")
    for each in Enquiry.objects.filter(status=Status.SPAM):
        triage.triage(enquiry=each, by=staff, to=Status.NEW)
    ask(client=from_place(9), email="somebody.else@example.com")
    deliver()
    assert sorted(to for [to] in mail_through.recipients) == ["somebody.else@example.com", *3 * [VICTIM]]
    held = OutgoingMessage.objects.filter(state=MessageState.WAITING)
    assert held.count() == 3
    client.force_login(staff)
    page = text(tree(client.get(held.first().enquiry.get_admin_url())))
    assert "waiting to be sent: this address has reached its daily limit of emails" in page
    make_due()
    deliver()
    assert held.count() == 3, "A held mail went out because its time had come."


# --- nothing to learn about an address ---


def test_the_answer_says_whether_a_mail_comes_and_no_more_and_costs_the_same(db):
    known, listed, over = "known@example.com", "listed@example.com", "over@example.com"
    ask(client=from_place(1), email=known)
    erasure.stop_mails(key=abuse.stop_key(listed))
    for number in range(4):
        ask(client=from_place(2 + number), email=over, name=f"Ada {number}")
    seen, costs, marked = [], [], []
    for number, email in enumerate(["fresh@example.com", known, listed, over]):
        client = from_place(20 + number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = ask(client=client, email=email, name="Eve Example")
        page = without_seconds(client.get("/report/sent/").content).replace(email, "ADDRESS")
        seen.append((answer.status_code, answer.content, tuple(sorted(answer.headers)), page))
        marked.append(answer["Location"] != "/report/sent/")
        costs.append(len(queries))
    assert seen[0] == seen[1], "The page tells whether we know an address."
    assert seen[2] == seen[3], "The page tells why no email comes."
    assert marked == [False, False, True, True], "Somebody is told of an email that does not come."
    assert max(costs) - min(costs) <= 6, costs
    kept = Enquiry.objects.filter(email_key=latest().email_key).latest("created_at")
    assert kept.quarantine_reason == abuse.HAD_TODAY
