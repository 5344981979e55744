"""Nobody can fill a stranger's mailbox, or the clinic's inbox, through our forms; and nobody who needs us is turned away."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backcare import limits
from enquiries import abuse, actions
from enquiries.models import Enquiry, MessageState, OutgoingMessage, Purpose, Status
from tests.abuse import VICTIM, ask, from_place, latest, whole_database
from tests.conftest import ROOT, database_environment
from tests.desk import tree
from tests.honest import form
from tests.html import form_at, parse, sent, text
from tests.outbox import deliver, make_due
from tests.test_report_sent import without_seconds

REFUSED = 429
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


@pytest.mark.parametrize(
    ("one", "same"),
    [
        *((VICTIM, way.format("x")) for way in WAYS),
        ("ada@bücher.example", "Ada@XN--BCHER-KVA.example"),
        ("ada@bücher.example", "ada@BÜCHER.example"),
        ("ada@icloud.com", "ada+sheets@me.com"),
        ("ada_b@proton.me", "a.da-b@pm.me"),
        ("ada@example.com", "ada+1@example.com"),
    ],
)
def test_a_mailbox_is_the_same_however_it_is_written(one, same):
    assert abuse.mailbox(one) == abuse.mailbox(same)


@pytest.mark.parametrize("other", ["ada.b@example.com", "adab@other.example", "b.ada@gmail.com", "ada@b@example.com"])
def test_two_peoples_mailboxes_stay_two(other):
    assert abuse.mailbox("adab@example.com") != abuse.mailbox(other)


# --- one victim, many victims ---


def test_whoever_asks_and_however_the_address_is_written_a_mailbox_gets_three_reports_a_day(db, mail_through):
    for number in range(24):
        answer = ask(client=from_place(number), email=WAYS[number % len(WAYS)].format(number), name=f"Ada {number}")
        assert (answer.status_code, answer["Location"]) == (303, "/report/sent/")
    make_due()
    deliver()
    assert len(mail_through.received) == 3
    aside = Enquiry.objects.filter(status=Status.SPAM)
    assert set(aside.values_list("quarantine_reason", flat=True)) == {abuse.HAD_TODAY}
    assert aside.count() == 21, "Something that was asked for is gone."


def test_many_victims_of_one_place_get_ten_mails_and_the_sender_is_told_what_to_do(db, mail_through):
    client, answers = from_place(1), []
    for number in range(20):
        # Written by the sender: without proxies of ours in front it says nothing.
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
        assert "We are sending it" in text(parse(client.get("/report/sent/")))
    hit = [to for [to] in mail_through.recipients if abuse.mailbox(to) == abuse.mailbox(VICTIM)]
    assert len(hit) == 3
    assert any(
        "Not mailed: the address has had its mails for a day" in each.summary for each in latest().events.all()
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
    assert "asked for from your internet connection" in text(parse(refused))


# --- when a mail leaves ---


def test_a_worker_holds_back_what_is_too_much_for_one_mailbox_and_staff_see_it(db, mail_through, staff, client):
    for number in range(6):
        ask(client=from_place(number), email=VICTIM, name=f"Ada {number}")
    for each in Enquiry.objects.filter(status=Status.SPAM):
        actions.triage(enquiry=each, by=staff, to=Status.NEW)
    ask(client=from_place(9), email="somebody.else@example.com")
    deliver()
    assert sorted(to for [to] in mail_through.recipients) == ["somebody.else@example.com", *3 * [VICTIM]]
    held = OutgoingMessage.objects.filter(state=MessageState.WAITING)
    assert held.count() == 3
    client.force_login(staff)
    page = text(tree(client.get(held.first().enquiry.get_admin_url())))
    assert "waiting to be sent: its address has had as many as it gets in a day" in page
    make_due()
    deliver()
    assert held.count() == 3, "A held mail went out because its time had come."


# --- those who need help ---


def test_a_question_beyond_the_limit_is_kept_and_set_aside_and_one_click_answers_it(db, mail_through, staff):
    client = from_place(1)
    for number in range(12):
        answer = ask("question", client, email=f"a{number}@example.com", description=f"May I swim {number} times?")
        assert (answer.status_code, answer["Location"]) == (303, "/question/sent/")
    aside = Enquiry.objects.filter(status=Status.SPAM)
    assert [each.quarantine_reason for each in aside] == 2 * ["Many requests from one place within an hour"]
    assert deliver() == 20
    kept = aside.first()
    actions.triage(enquiry=kept, by=staff, to=Status.NEW)
    assert deliver() == 2
    assert [kept.email] in mail_through.recipients


@pytest.mark.parametrize("why", ["limit", "trap"])
def test_words_that_sound_like_a_warning_sign_keep_their_place_and_send_no_mail(db, settings, why):
    settings.MOST_FORMS_OF_ONE_SENDER_AN_HOUR = 1
    client = from_place(1)
    ask("question", client)
    trap = {"website": "https://x.example"} if why == "trap" else {}
    numb = {"description": "My saddle area is numb and I cannot feel when I pass urine", "email": "eve@example.com"}
    card = client.post("/question/", form("question", **numb, **trap))
    codes = sent(form_at(parse(card), "/question/"))["question-seen_signs"]
    assert ask("question", client, **numb, **trap, seen_signs=codes).status_code == 303
    kept = Enquiry.objects.exclude(safety_signs="").get()
    assert (kept.status, kept.quarantine_reason, kept.messages.count()) == (Status.NEW, "", 0)
    assert "No mail to them: " in kept.events.get().summary


def test_a_fourth_question_of_a_day_reaches_the_clinic_and_sends_no_fourth_acknowledgement(db, mail_through):
    for number in range(5):
        ask("question", from_place(number), email=VICTIM, description=f"Question {number}")
    deliver()
    assert Enquiry.objects.filter(status=Status.NEW).count() == 5
    assert mail_through.recipients.count([VICTIM]) == 3
    assert mail_through.recipients.count(["inbox@example.com"]) == 5


# --- everybody at once, and the alarm ---


def test_beyond_the_total_reports_wait_the_rest_is_set_aside_and_the_clinic_hears_of_it_once(
    db, settings, mail_through, staff
):
    settings.MOST_FORMS_AN_HOUR = 5
    assert abuse.alarm() is None
    for number in range(5):
        assert ask(client=from_place(number), email=f"a{number}@example.com").status_code == 303
    refused = ask(client=from_place(6), email="b@example.com")
    assert refused.status_code == REFUSED
    assert "Very many people are asking us just now" in text(parse(refused))
    assert ask("question", from_place(7)).status_code == 303
    assert (latest().status, latest().quarantine_reason) == (Status.SPAM, "Very many requests in all within an hour")
    ask(client=from_place(8), email="c@example.com")
    assert abuse.alarm().startswith("In the last day 3 forms came beyond the limit of 5 an hour.")
    deliver()
    [alarm] = [mail for mail in mail_through.messages if mail["To"] == "inbox@example.com"]
    assert alarm["Subject"] == "Very many forms on the website"
    assert "3 beyond the limit so far" in alarm.get_body(("plain",)).get_content()
    assert "/admin/enquiries/enquiry/?queue=spam" in alarm.get_body(("plain",)).get_content()
    desk = Client()
    desk.force_login(staff)
    assert abuse.alarm() in text(tree(desk.get("/admin/enquiries/enquiry/")))
    for address in ("", OutgoingMessage.objects.get(purpose=Purpose.ABUSE_ALARM).pk):
        assert desk.get(f"/admin/enquiries/outgoingmessage/{address}", follow=True).status_code == 200


def test_one_noisy_place_does_not_use_up_what_is_everybodys(db, settings):
    settings.MOST_FORMS_AN_HOUR = 15
    noisy = from_place(1)
    for number in range(16):
        ask("question", noisy, email=f"a{number}@example.com", description=f"Number {number}")
        ask("question", noisy, description=f"Trap {number}", website="x")
    assert ask(client=from_place(2)).status_code == 303


# --- nothing to learn about an address ---


def test_the_answer_is_the_same_for_every_address_and_costs_the_same(db):
    known, listed, over = "known@example.com", "listed@example.com", "over@example.com"
    ask(client=from_place(1), email=known)
    actions.stop_mails(key=abuse.stop_key(listed))
    for number in range(4):
        ask(client=from_place(2 + number), email=over, name=f"Ada {number}")
    seen, costs = [], []
    for number, email in enumerate(["fresh@example.com", known, listed, over]):
        client = from_place(20 + number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = ask(client=client, email=email, name="Eve Example")
        page = without_seconds(client.get("/report/sent/").content).replace(email, "ADDRESS")
        seen.append((answer.status_code, answer.content, tuple(sorted(answer.headers)), page))
        costs.append(len(queries))
    assert len(set(seen)) == 1
    assert max(costs) - min(costs) <= 6, costs
    kept = Enquiry.objects.filter(email_key=latest().email_key).latest("created_at")
    assert kept.quarantine_reason == abuse.HAD_TODAY


# --- across processes, and nobody's address ---


class NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def over_the_wire(site: str, number: int) -> int:
    data = urlencode(form("report", email=f"a{number}@example.com")).encode()
    try:
        return build_opener(NoRedirect).open(Request(f"{site}/report/", data), timeout=30).status
    except HTTPError as answer:
        return answer.code


def test_many_at_the_same_moment_get_no_more_than_the_limit_and_another_process_knows_of_it(site):
    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(lambda number: over_the_wire(site, number), range(24)))
    assert sorted(codes) == 10 * [303] + 14 * [REFUSED]
    assert Enquiry.objects.count() == 10
    later = (
        "import django; django.setup(); from django.test import Client; from tests.abuse import ask;"
        "print(ask(client=Client(REMOTE_ADDR='127.0.0.1', SERVER_NAME='localhost'), email='later@example.com').status_code,"
        "ask(client=Client(REMOTE_ADDR='198.51.100.7', SERVER_NAME='localhost'), email='elsewhere@example.com').status_code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", later], cwd=ROOT, env=database_environment(), capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(REFUSED), "303"]


def test_no_address_of_a_machine_is_kept_anywhere(db):
    here = [Client(REMOTE_ADDR=place) for place in ("203.0.113.77", "2001:db8:77::1")]
    for number in range(12):
        for client in here:
            ask("question", client, email=f"a{number}@example.com", description=f"Number {number}")
            ask("report", client, email=f"a{number}@example.com", name=f"Number {number}")
    held = whole_database()
    assert latest().reference in held
    for part in ("203.0.113", "2001:db8:77", "a1@example.com"):
        assert part not in held


def test_a_count_is_for_one_name_and_one_subject_and_ends(db):
    for _ in range(3):
        limits.hit("a thing", "ada", most=9, per=abuse.HOUR)
    limits.hit("a thing", "bea", most=9, per=abuse.HOUR)
    assert limits.counted("a thing", "ada", per=abuse.HOUR) == 3
    assert limits.counted("another", "ada", per=abuse.HOUR) == 0
    assert limits.counted("a thing", "ada", per=abuse.HOUR, now=timezone.now() + 2 * abuse.HOUR) == 0
