"""Accepting a form is one transaction, and the same form twice is one enquiry."""

import re
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from enquiries import abuse
from enquiries.actions import intake, outbox
from enquiries.models import Enquiry, EnquiryEvent, EventKind, OutgoingMessage, Purpose, Status
from enquiries.models import enquiry as enquiry_model
from tests.conftest import ROOT, consultation, database_environment
from tests.support.forms import MAIL, form, send
from tests.support.html import parse, text

KINDS = pytest.mark.parametrize("kind", MAIL)


def nothing_was_kept() -> bool:
    return not (Enquiry.objects.exists() or EnquiryEvent.objects.exists() or OutgoingMessage.objects.exists())


@KINDS
def test_an_accepted_form_is_an_enquiry_with_a_timeline_and_its_mail(db, kind):
    send(kind)
    kept = Enquiry.objects.get()
    assert (kept.kind, kept.status, kept.name, kept.email) == (kind, Status.NEW, "Ada Example", "ada@example.com")
    if kind == "consultation":
        assert kept.description == "An ache low in my back\nfor two months."
        assert (kept.by_phone, kept.by_video, kept.by_email) == (True, True, False)
        assert (kept.phone, kept.best_time) == ("+442079460018", "mornings")
    event = kept.events.get()
    assert (event.kind, event.actor) == (EventKind.RECEIVED, "patient")
    assert sorted(message.purpose for message in kept.messages.all()) == sorted(MAIL[kind])


@KINDS
def test_the_confirmation_says_what_happens_next_and_its_address_holds_nothing_personal(db, kind):
    address = send(kind)["Location"]
    assert re.fullmatch(rf"/{kind}/sent/[\w.-]+/", address) if kind != "report" else address == "/report/sent/"
    seen = []
    for somebody in (Client(), Client(HTTP_ACCEPT_LANGUAGE="de"), Client()):
        response = somebody.get(address)
        assert response.status_code == 200
        seen.append(response.content)
        document = parse(response)
        assert "What happens next" in [text(heading) for heading in document.iter("h2")]
        assert "Ada" not in text(document)
        assert "ada@" not in text(document)
    assert len(set(seen)) == 1, "The confirmation differs from person to person."


@KINDS
def test_the_same_form_twice_is_one_enquiry(db, kind):
    first, second = send(kind), send(kind)
    # Signed with the second at which it was made, which may have passed.
    assert first["Location"].rsplit(".", 2)[0] == second["Location"].rsplit(".", 2)[0]
    assert Enquiry.objects.count() == 1
    assert EnquiryEvent.objects.count() == 1
    assert OutgoingMessage.objects.count() == len(MAIL[kind])


def test_the_same_words_typed_a_little_differently_are_the_same_form(db):
    send("consultation")
    send("consultation", name=" Ada  Example ", phone="+44 20 7946 0018", contact_by=["video", "phone"])
    assert Enquiry.objects.count() == 1


@KINDS
def test_another_content_is_another_enquiry(db, kind):
    send(kind)
    changes = [{"name": "Ada Exampl"}, {"email": "ada@example.org"}]
    changes += {
        "report": [{"sheet": "posture-and-lifting"}],
        "consultation": [
            {"phone": "020 7946 0019"},
            {"best_time": ""},
            {"contact_by": ["phone"]},
            {"description": "It is worse."},
            {"sheet": "posture-and-lifting"},
        ],
        "question": [{"description": "May I run?"}],
    }[kind]
    for change in changes:
        send(kind, **change)
    assert Enquiry.objects.count() == 1 + len(changes)


def test_words_do_not_flow_from_one_field_into_the_next(db):
    send("consultation", best_time="mornings", description="description=x")
    send("consultation", best_time="morningsdescription=", description="x")
    assert Enquiry.objects.count() == 2


# --- the clock ---

EDGE = datetime(2026, 5, 20, 10, 30, tzinfo=UTC)  # where one half-hour window ends and the next begins
assert EDGE.timestamp() % intake.SAME_FORM_WITHIN.total_seconds() == 0


@pytest.fixture
def send_at(db, monkeypatch):
    """Sends a question at a moment. The row's own time is the database default, which a patch does not reach."""

    def at(moment: datetime) -> None:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        before = set(Enquiry.objects.values_list("pk", flat=True))
        send("question")
        Enquiry.objects.exclude(pk__in=before).update(created_at=moment)

    return at


@pytest.mark.parametrize(
    ("first", "second", "enquiries"),
    [
        (timedelta(seconds=-1), timedelta(seconds=1), 1),
        (timedelta(0), timedelta(0), 1),
        (timedelta(microseconds=-1), timedelta(0), 1),
        (timedelta(minutes=-29), timedelta(seconds=59), 1),
        (timedelta(minutes=-30), timedelta(0), 1),
        (timedelta(0), timedelta(minutes=29, seconds=59), 1),
        (timedelta(minutes=-30), timedelta(microseconds=1), 2),
        (timedelta(seconds=-1), timedelta(minutes=30), 2),
        (timedelta(0), timedelta(minutes=31), 2),
        (timedelta(0), timedelta(hours=24), 2),
    ],
)
def test_the_same_form_counts_once_within_thirty_minutes_across_any_edge(send_at, first, second, enquiries):
    send_at(EDGE + first)
    send_at(EDGE + second)
    assert Enquiry.objects.count() == enquiries


def test_every_half_hour_of_clicking_is_one_enquiry(send_at):
    for minutes in range(0, 121, 5):
        send_at(EDGE + timedelta(minutes=minutes + 3))
    assert Enquiry.objects.count() == 4  # at 0, 35, 70 and 105 minutes


# --- at the same moment ---


def at_once(number: int, task) -> None:
    """Runs the task in threads that all start together, each with a database connection of its own."""
    barrier, errors = threading.Barrier(number), []

    def run():
        try:
            barrier.wait(10)
            task()
        except BaseException as error:  # noqa: BLE001 - handed to the test below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not errors, errors


@KINDS
def test_twenty_clicks_at_once_are_one_enquiry(transactional_db, kind):
    at_once(20, lambda: send(kind))
    assert Enquiry.objects.count() == 1
    assert EnquiryEvent.objects.count() == 1
    assert OutgoingMessage.objects.count() == len(MAIL[kind])


def test_twenty_clicks_at_once_across_the_edge_of_a_window_are_one_enquiry(transactional_db, monkeypatch):
    start = timezone.now()
    window = intake.SAME_FORM_WITHIN.total_seconds()
    edge = datetime.fromtimestamp(start.timestamp() // window * window, tz=UTC)
    real, first, others_have_looked = timezone.now, threading.Lock(), threading.Event()

    def clock():
        # The first to look sees the last moment before the edge, and is then slow. All others look after the edge.
        if first.acquire(blocking=False):
            others_have_looked.wait(0.3)
            return edge - timedelta(milliseconds=1)
        others_have_looked.set()
        return edge + (real() - start)

    monkeypatch.setattr(timezone, "now", clock)
    at_once(20, lambda: send("question"))
    assert Enquiry.objects.count() == 1


def test_twenty_people_at_once_are_twenty_enquiries(transactional_db, many_forms):
    names = iter([f"Person {letter}" for letter in "ABCDEFGHIJKLMNOPQRST"])
    at_once(20, lambda: send("question", name=next(names)))
    assert Enquiry.objects.count() == 20
    assert OutgoingMessage.objects.count() == 40


def test_of_twenty_at_once_from_one_sender_ten_are_for_staff_to_answer(transactional_db):
    """On PostgreSQL each is decided on before the others are counted, and again once it is its turn."""
    names = iter([f"Person {letter}" for letter in "ABCDEFGHIJKLMNOPQRST"])
    at_once(20, lambda: send("question", name=next(names)))
    states = Counter(Enquiry.objects.values_list("status", "quarantine_reason"))
    assert states == {(Status.NEW, ""): 10, (Status.SPAM, abuse.ONE_PLACE): 10}


# --- when it goes wrong ---


@pytest.mark.parametrize("broken", ["record", "enqueue_first"])
def test_a_failure_after_the_enquiry_was_inserted_leaves_nothing_and_the_next_try_is_kept(
    transactional_db, monkeypatch, broken
):
    def fail(*args, **kwargs):
        assert Enquiry.objects.exists(), "The failure came before the enquiry, so this test proves nothing."
        raise RuntimeError("injected")

    with monkeypatch.context() as patched:
        patched.setattr(intake, broken, fail)
        response = Client(raise_request_exception=False).post("/consultation/", form("consultation"))
    assert response.status_code == 500
    assert "assume that we did not get it" in text(parse(response))
    assert nothing_was_kept()
    send("consultation")
    assert Enquiry.objects.get().messages.count() == 2


KILLED = """
import os, django
django.setup()
from enquiries.actions import intake
from enquiries.models import Enquiry

def die(*args, **kwargs):
    assert Enquiry.objects.count() == 1
    os._exit(41)

if {before}:
    intake.enqueue_first = die
details = dict(name="Ada", email="ada@example.com", phone="", best_time="", description="May I swim?")
intake.accept(intake.Submission(kind="question", details=details))
os._exit(42)
"""


@pytest.mark.parametrize(("before_the_mail", "code", "kept"), [(True, 41, 0), (False, 42, 1)])
def test_a_process_that_dies_while_accepting_leaves_all_or_nothing(transactional_db, before_the_mail, code, kept):
    died = subprocess.run(
        [sys.executable, "-c", KILLED.format(before=before_the_mail)],
        cwd=ROOT,
        env=database_environment(),
        capture_output=True,
        text=True,
    )
    assert died.returncode == code, died.stderr
    assert Enquiry.objects.count() == kept
    assert EnquiryEvent.objects.count() == kept
    assert OutgoingMessage.objects.count() == 2 * kept


def test_an_enquiry_whose_reference_is_taken_gets_another(db, monkeypatch):
    taken = consultation().reference
    letters = iter([*taken.replace("-", ""), *"BCDFGHJK"])
    monkeypatch.setattr(enquiry_model.secrets, "choice", lambda alphabet: next(letters))
    send("question")
    assert Enquiry.objects.get(kind="question").reference == "BCDF-GHJK"


def test_mail_cannot_be_queued_apart_from_the_fact_it_reports(transactional_db):
    kept = consultation()
    with pytest.raises(RuntimeError, match="inside the transaction"):
        outbox.enqueue(enquiry=kept, purpose=Purpose.ACKNOWLEDGEMENT)
