"""Our forms cannot be used to fill the clinic's inbox, nobody who needs us is turned away, and no IP address is stored for it."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

import pytest
from django.test import Client
from django.utils import timezone

from backcare.core import limits
from enquiries import abuse
from enquiries.actions import triage
from enquiries.models import Enquiry, OutgoingMessage, Purpose, Status
from tests.conftest import ROOT, database_environment
from tests.support.forms import form
from tests.support.html import form_at, parse, sent, text, tree
from tests.support.outbox import deliver
from tests.support.senders import REFUSED, VICTIM, ask, from_place, latest, whole_database

# --- those who need help ---


@pytest.mark.long
def test_a_question_beyond_the_limit_is_kept_and_set_aside_and_one_click_answers_it(db, mail_through, staff):
    client = from_place(1)
    for number in range(12):
        answer = ask("question", client, email=f"a{number}@example.com", description=f"May I swim {number} times?")
        assert answer.status_code == 303
        assert ("We will reply" in client.get(answer["Location"]).content.decode()) == (number < 10)
    aside = Enquiry.objects.filter(status=Status.SPAM)
    assert [each.quarantine_reason for each in aside] == 2 * ["Many forms from one sender within an hour"]
    assert deliver() == 20
    kept = aside.first()
    triage.triage(enquiry=kept, by=staff, to=Status.NEW)
    assert deliver() == 2
    assert [kept.email] in mail_through.recipients


@pytest.mark.parametrize("why", ["limit", "trap"])
def test_words_that_sound_like_a_warning_sign_keep_their_place_and_always_alert_the_clinic(
    db, settings, mail_through, why
):
    settings.MAX_FORMS_PER_SENDER_PER_HOUR = 1
    client = from_place(1)
    ask("question", client)
    trap = {"website": "https://x.example"} if why == "trap" else {}
    numb = {"description": "My saddle area is numb and I cannot feel when I pass urine", "email": "eve@example.com"}
    card = client.post("/question/", form("question", **numb, **trap))
    codes = sent(form_at(parse(card), "/question/"))["question-seen_signs"]
    assert ask("question", client, **numb, **trap, seen_signs=codes).status_code == 303
    kept = Enquiry.objects.filter(safety_signs__isnull=False).get()
    assert (kept.status, kept.quarantine_reason) == (Status.NEW, "")
    assert [each.purpose for each in kept.messages.all()] == [Purpose.CLINIC_ALERT]
    assert "No email sent: " in kept.events.get().summary
    deliver()
    [urgent] = [mail for mail in mail_through.messages if kept.reference in mail.get_body(("plain",)).get_content()]
    assert urgent["Subject"] == "Urgent: please look now"


def test_a_fourth_question_of_a_day_reaches_the_clinic_and_sends_no_fourth_acknowledgement(db, mail_through):
    for number in range(5):
        ask("question", from_place(number), email=VICTIM, description=f"Question {number}")
    deliver()
    assert Enquiry.objects.filter(status=Status.NEW).count() == 5
    assert mail_through.recipients.count([VICTIM]) == 3
    assert mail_through.recipients.count(["inbox@example.com"]) == 5


# --- everybody at once, and the alarm ---


def test_beyond_the_total_reports_wait_the_rest_is_held_back_and_the_clinic_hears_of_it_once(
    db, settings, mail_through, staff
):
    settings.MAX_FORMS_PER_HOUR = 5
    assert abuse.alarm() is None
    for number in range(5):
        assert ask(client=from_place(number), email=f"a{number}@example.com").status_code == 303
    refused = ask(client=from_place(6), email="b@example.com")
    assert refused.status_code == REFUSED
    assert "We are very busy just now" in text(parse(refused))
    assert ask("question", from_place(7)).status_code == 303
    assert (latest().status, latest().quarantine_reason) == (Status.HELD, "Too many forms in total within an hour")
    ask(client=from_place(8), email="c@example.com")
    assert abuse.alarm().startswith("In the last 24 hours, 3 forms arrived over the limit of 5 an hour.")
    deliver()
    [alarm] = [mail for mail in mail_through.messages if mail["To"] == "inbox@example.com"]
    assert alarm["Subject"] == "Too many forms on the website"
    assert "3 over the limit so far" in alarm.get_body(("plain",)).get_content()
    assert "/admin/enquiries/enquiry/?queue=held" in alarm.get_body(("plain",)).get_content()
    desk = Client()
    desk.force_login(staff)
    assert abuse.alarm() in text(tree(desk.get("/admin/enquiries/enquiry/")))
    for address in ("", OutgoingMessage.objects.get(purpose=Purpose.ABUSE_ALARM).pk):
        assert desk.get(f"/admin/enquiries/outgoingmessage/{address}", follow=True).status_code == 200


def test_one_noisy_place_does_not_use_up_what_is_everybodys(db, settings):
    settings.MAX_FORMS_PER_HOUR = 15
    noisy = from_place(1)
    for number in range(16):
        ask("question", noisy, email=f"a{number}@example.com", description=f"Number {number}")
        ask("question", noisy, description=f"Trap {number}", website="x")
    assert ask(client=from_place(2)).status_code == 303


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
        "import django; django.setup(); from django.test import Client; from tests.support.senders import ask;"
        "print(ask(client=Client(REMOTE_ADDR='127.0.0.1', SERVER_NAME='localhost'), email='later@example.com').status_code,"
        "ask(client=Client(REMOTE_ADDR='198.51.100.7', SERVER_NAME='localhost'), email='elsewhere@example.com').status_code)"
    )
    run = subprocess.run(
        [sys.executable, "-c", later], cwd=ROOT, env=database_environment(), capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == [str(REFUSED), "303"]


@pytest.mark.both
@pytest.mark.long
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
