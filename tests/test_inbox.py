"""The inbox as staff use it: queues, search, the next step, the clock, and two people at once."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from icalendar import Calendar

from enquiries import actions, calls, clock
from enquiries.assessment.flags import flags
from enquiries.assessment.result import played_back, shown
from enquiries.models import Enquiry, EventKind, OutgoingMessage, Status, slot_bit
from enquiries.report import consent
from tests.assessment import answers
from tests.conftest import consultation, report
from tests.desk import person
from tests.html import parse, text
from tests.outbox import deliver, text_of

LIST = reverse("admin:enquiries_enquiry_changelist")


@pytest.fixture
def reception(db):
    client = Client()
    client.force_login(person("Rita", "reception"))
    return client


def listed(client, **query) -> list:
    return [enquiry.pk for enquiry in client.get(LIST, query).context["cl"].result_list]


def counted(client) -> dict[str, int]:
    return {tab["name"]: tab["count"] for tab in client.get(LIST).context["tabs"]}


def step(client, enquiry, name: str, *, version=None, **typed):
    enquiry.refresh_from_db()
    data = {f"{name}-{field}": value for field, value in typed.items() if field not in {"send", "change"}}
    data |= {field: value for field, value in typed.items() if field in {"send", "change"}}
    data[f"{name}-version"] = version or enquiry.version
    return client.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, name]), data, follow=True)


def flagged(**changes) -> Enquiry:
    enquiry = consultation(**changes)
    Enquiry.objects.filter(pk=enquiry.pk).update(safety_signs="RF-E1")
    enquiry.refresh_from_db()
    return enquiry


# --- queues ---


def test_each_queue_counts_what_it_lists(reception):
    now = timezone.now()
    plain, overdue, mine, waiting, spam, failed, closed = (consultation(email=f"{n}@example.com") for n in range(7))
    warned = flagged(email="w@example.com")
    rita = User.objects.get(first_name="Rita")
    Enquiry.objects.filter(pk=overdue.pk).update(reply_by=now - timedelta(hours=1))
    Enquiry.objects.filter(pk=mine.pk).update(owner=rita)
    actions.triage(enquiry=waiting, by=rita, to=Status.WAITING)
    actions.triage(enquiry=spam, by=rita, to=Status.SPAM)
    Enquiry.objects.filter(pk=failed.pk).update(mail_failed=True)
    actions.triage(enquiry=closed, by=rita, to=Status.CLOSED)
    numbers = counted(reception)
    for name, count in numbers.items():
        assert len(listed(reception, queue=name)) == count, name
    assert listed(reception, queue="safety") == [warned.pk]
    assert listed(reception, queue="overdue") == [overdue.pk]
    assert listed(reception, queue="mine") == [mine.pk]
    assert listed(reception, queue="waiting") == [waiting.pk]
    assert listed(reception, queue="spam") == [spam.pk]
    assert listed(reception, queue="mail") == [failed.pk]
    assert plain.pk in listed(reception, queue="nobody")
    assert closed.pk not in listed(reception)


def test_an_empty_queue_says_something_true(reception):
    assert "Nobody waits longer than we promised." in text(parse(reception.get(LIST, {"queue": "overdue"})))


@pytest.mark.parametrize("given", ["", "x", "'; --", "all' or 1=1", "\x00"])
def test_a_queue_that_is_none_is_what_is_open(reception, given):
    enquiry = consultation()
    assert reception.get(LIST, {"queue": given}).status_code in {200, 302, 400}
    assert listed(reception) == [enquiry.pk]


def test_call_now_goes_by_the_patients_best_time(reception, monkeypatch):
    monday = timezone.make_aware(timezone.datetime(2026, 11, 23, 10, 0))
    suits, not_now, any_time = (consultation(email=f"{n}@example.com") for n in range(3))
    Enquiry.objects.filter(pk=suits.pk).update(call_slots=slot_bit(0, 0) | slot_bit(3, 2))
    Enquiry.objects.filter(pk=not_now.pk).update(call_slots=slot_bit(0, 1))

    def at(moment) -> set:
        monkeypatch.setattr(timezone, "now", lambda: moment)
        reception.force_login(User.objects.get(first_name="Rita"))  # a session lasts a working day
        return set(listed(reception, queue="call"))

    assert at(monday) == {suits.pk, any_time.pk}
    assert at(monday + timedelta(hours=3)) == {not_now.pk, any_time.pk}
    assert at(monday - timedelta(days=1)) == set()


# --- search ---


@pytest.mark.parametrize(
    "typed",
    [
        "zoe",
        "ZOË",
        "O'Hara",
        "ohara smith",
        "Zoë O'Hara-Smith",
        "zoe.ohara@Example.com",
        "020 7946 0018",
        "+44 20 7946 0018",
    ],
)
def test_a_patient_is_found_by_what_staff_would_type(reception, typed):
    found = consultation(name="Zoë O'Hara-Smith", email="zoe.ohara@example.com")
    consultation(name="Bob Example", email="bob@example.com", phone="+442079460019")
    actions.triage(enquiry=found, by=person("Sam", "reception"), to=Status.CLOSED)
    assert listed(reception, q=typed) == [found.pk]


def test_a_reference_is_found_with_and_without_its_dash(reception):
    enquiry = consultation()
    for typed in (enquiry.reference, enquiry.reference.replace("-", "").lower()):
        assert listed(reception, q=typed) == [enquiry.pk]


@pytest.mark.parametrize("typed", ["@", "%", "' or 1=1 --", "x" * 5000, "12", "😀", "()"])
def test_nothing_odd_breaks_the_search(reception, typed):
    consultation()
    assert reception.get(LIST, {"q": typed}).status_code == 200


def test_enquiries_from_before_there_were_keys_are_found_after_an_upgrade(reception):
    enquiry = consultation()
    Enquiry.objects.update(email_key="", phone_key="")
    enquiry.name_words.all().delete()
    assert listed(reception, q="ada") == []
    assert actions.index_missing() == 1
    assert actions.index_missing() == 0
    for typed in ("ada", "ada@example.com", "020 7946 0018"):
        assert listed(reception, q=typed) == [enquiry.pk]


# --- the next step ---


def test_a_report_is_only_ever_closed_because_its_details_are_only_for_sending_it(reception, sheet):
    enquiry = report(sheet)
    page = text(parse(reception.get(enquiry.get_admin_url())))
    assert "How did it end?" in page
    assert "Your message" not in page
    assert step(reception, enquiry, "reply", text="Hello", send="yes").status_code == 404


def test_no_answer_puts_the_next_try_into_their_best_time(reception):
    enquiry = consultation()
    Enquiry.objects.filter(pk=enquiry.pk).update(call_slots=slot_bit(2, 1))
    said = text(parse(step(reception, enquiry, "call", result="no_answer", note="Rang twice")))
    assert "Next try: Wednesday" in said
    enquiry.refresh_from_db()
    local = timezone.localtime(enquiry.next_call_at)
    assert (local.weekday(), local.hour) == (2, 12) or calls.suits(enquiry.call_slots, enquiry.next_call_at)
    assert (enquiry.contact_attempts, enquiry.status, enquiry.owner.first_name) == (1, "in_progress", "Rita")
    assert enquiry.first_contact_at is None
    assert enquiry.events.get(kind=EventKind.CALLED).note == "Rang twice"
    assert enquiry.pk not in listed(reception, queue="call")


def test_speaking_to_them_keeps_the_promise(reception):
    enquiry = consultation()
    Enquiry.objects.filter(pk=enquiry.pk).update(reply_by=timezone.now() - timedelta(hours=1))
    assert listed(reception, queue="overdue") == [enquiry.pk]
    step(reception, enquiry, "call", result="spoke")
    assert listed(reception, queue="overdue") == []


def test_a_reply_is_seen_before_it_goes_and_reaches_the_patient(reception, mail_through):
    enquiry = consultation()
    deliver()
    preview = step(reception, enquiry, "reply", text="Please phone us.\n\nRita")
    assert "Nothing is sent yet" in text(parse(preview))
    assert not enquiry.messages.filter(purpose="reply").exists()
    back = step(reception, enquiry, "reply", text="Please phone us.", change="yes")
    assert "Please phone us." in back.content.decode()
    assert not enquiry.messages.filter(purpose="reply").exists()
    step(reception, enquiry, "reply", text="Please phone us.\n\nRita", send="yes")
    deliver()
    mail = mail_through.messages[-1]
    assert mail["To"] == "ada@example.com"
    assert "Please phone us.\n\nRita" in text_of(mail).replace("\r\n", "\n")
    assert "999" in text_of(mail)
    assert "pain" not in mail["Subject"].lower()
    enquiry.refresh_from_db()
    assert enquiry.first_contact_at
    assert b"Please phone us" not in bytes(str(list(OutgoingMessage.objects.values())), "utf-8")


def test_booking_sends_the_time_and_a_calendar_file_that_says_nothing(reception, mail_through):
    enquiry = consultation()
    deliver()
    day = timezone.localdate() + timedelta(days=9)
    step(reception, enquiry, "book", day=day.isoformat(), time="14:30", channel="video")
    deliver()
    mail = mail_through.messages[-1]
    assert "2:30pm" in text_of(mail)
    [attached] = mail.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    [event] = Calendar.from_ical(attached.get_payload(decode=True)).walk("VEVENT")
    assert str(event["summary"]) == "Appointment"
    local = timezone.localtime(event.decoded("dtstart"))
    assert (local.date(), local.hour, local.minute) == (day, 14, 30)
    assert "back" not in str(event["summary"]).lower()
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.appointment_by) == ("booked", "video")


def test_a_past_appointment_is_refused_with_what_was_typed(reception):
    enquiry = consultation()
    response = step(reception, enquiry, "book", day="2020-01-01", time="09:00", channel="phone")
    assert response.status_code == 422
    assert "still to come" in text(parse(response))
    assert 'value="09:00' in response.content.decode()


def test_closing_says_how_it_ended(reception):
    enquiry = consultation()
    assert step(reception, enquiry, "close", outcome="").status_code == 422
    step(reception, enquiry, "close", outcome="answered")
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.outcome) == ("closed", "answered")


# --- safety ---


def test_a_flagged_enquiry_stays_on_top_until_somebody_writes_what_they_did(reception):
    consultation(email="1@example.com")
    enquiry = flagged(email="2@example.com")
    assert listed(reception)[0] == enquiry.pk
    page = text(parse(reception.get(enquiry.get_admin_url())))
    assert "Their words sound like a warning sign" in page
    assert "How did it end?" not in page, "It cannot be closed yet, so it is not offered."
    refused = step(reception, enquiry, "close", outcome="answered")
    assert "Record what you did about it first" in text(parse(refused))
    for action in ("close", "mark_as_spam"):
        chosen = {"action": action, "_selected_action": [str(enquiry.pk)], "sure": "yes"}
        assert "left as they were" in text(parse(reception.post(LIST, chosen, follow=True)))
    step(reception, enquiry, "safety", note="Rang her. She is on her way to A&E.")
    step(reception, enquiry, "close", outcome="elsewhere")
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.outcome) == ("closed", "elsewhere")
    assert enquiry.events.get(kind=EventKind.SAFETY).note == "Rang her. She is on her way to A&E."


# --- the clock ---


def test_the_clock_stands_still_while_we_wait_for_the_patient(db, staff, monkeypatch):
    enquiry = consultation()
    promised = enquiry.reply_by
    assert promised == clock.reply_by(enquiry.created_at)
    actions.triage(enquiry=enquiry, by=staff, to=Status.WAITING)
    later = timezone.now() + timedelta(days=14)
    monkeypatch.setattr(timezone, "now", lambda: later)
    actions.triage(enquiry=enquiry, by=staff, to=Status.IN_PROGRESS)
    enquiry.refresh_from_db()
    assert enquiry.waiting_since is None
    assert enquiry.reply_by > later
    assert enquiry.reply_by > promised + timedelta(days=12)


@pytest.mark.parametrize("act", ["book", "spoke"])
def test_hearing_from_the_patient_ends_the_wait(reception, staff, act):
    enquiry = consultation()
    actions.triage(enquiry=enquiry, by=staff, to=Status.WAITING)
    if act == "book":
        day = (timezone.localdate() + timedelta(days=9)).isoformat()
        step(reception, enquiry, "book", day=day, time="14:30", channel="video")
    else:
        step(reception, enquiry, "call", result="spoke")
    enquiry.refresh_from_db()
    assert enquiry.waiting_since is None
    assert enquiry.status == ("booked" if act == "book" else "in_progress")
    assert enquiry.pk not in listed(reception, queue="waiting")


def test_a_mail_that_fails_reopens_an_enquiry_that_was_closed_with_an_outcome(db, staff, mail_through):
    enquiry = consultation()
    actions.triage(enquiry=enquiry, by=staff, to=Status.CLOSED, outcome="answered")
    mail_through.refuse_recipients.add("ada@example.com")
    deliver()
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.outcome, enquiry.mail_failed) == ("in_progress", "", True)


# --- answers they gave with it ---


def test_answers_given_with_a_request_are_shown_to_a_clinician_with_the_consent_and_go_after_a_week(client, db):
    carl = person("Carl", "clinician")
    client.force_login(carl)
    known, told = flags(), answers(limits="stops")
    details = {"name": "Ada", "email": "ada@example.com", "phone": "", "best_time": "", "description": "An ache."}
    given = actions.Consented(
        result=shown(told, known), answers=played_back(told, known), consent_version=consent.CONSULTATION
    )
    enquiry = actions.accept(kind="consultation", details=details, contact_by=["email"], consented=given)
    page = text(parse(client.get(enquiry.get_admin_url())))
    assert "It stops daily activity, work or sleep" in page
    assert "See a GP about your back" in page
    assert consent.wording(consent.CONSULTATION) in page
    actions.purge(now=timezone.now() + timedelta(days=7, minutes=1))
    client.force_login(carl)  # a week ends sessions too
    page = text(parse(client.get(enquiry.get_admin_url())))
    assert "It stops daily activity" not in page
    assert "None given, or it is deleted" in page


# --- two at once ---


def test_a_step_from_an_old_page_is_refused_and_keeps_what_was_typed(reception, staff):
    enquiry = consultation()
    old = enquiry.version
    actions.triage(enquiry=enquiry, by=staff, note="I have it")
    response = step(reception, enquiry, "reply", version=old, text="A long answer.", send="yes")
    assert response.status_code == 422
    said = response.content.decode()
    assert "changed this enquiry while you had it open" in said
    assert "A long answer." in said
    assert not enquiry.messages.filter(purpose="reply").exists()


def test_who_else_has_it_open_is_shown_and_every_look_is_on_the_timeline(reception, staff_client):
    enquiry = consultation()
    staff_client.get(enquiry.get_admin_url())
    page = text(parse(reception.get(enquiry.get_admin_url())))
    assert "Sam has it open" in page
    reception.get(enquiry.get_admin_url())
    assert enquiry.events.filter(kind=EventKind.VIEWED).count() == 2, "Once in a while for each, not at every reload."


def test_the_same_person_is_shown_by_address_or_number(reception):
    enquiry = consultation()
    same = consultation(name="A. Example", email="ADA@example.com", phone="+442079460000")
    other = consultation(name="Bob", email="bob@example.com", phone="+442079460001")
    page = reception.get(enquiry.get_admin_url()).content.decode()
    assert same.reference in page
    assert other.reference not in page


def test_an_editor_can_take_no_step(db):
    client = Client()
    client.force_login(person("Edith", "editor"))
    enquiry = consultation()
    assert step(client, enquiry, "call", result="spoke").status_code == 403
    assert step(client, enquiry, "close", outcome="answered").status_code == 403
    enquiry.refresh_from_db()
    assert enquiry.status == "new"


def test_a_closed_enquiry_offers_no_step_and_takes_none(reception, staff):
    enquiry = consultation()
    actions.triage(enquiry=enquiry, by=staff, to=Status.CLOSED)
    assert "Next step" not in text(parse(reception.get(enquiry.get_admin_url())))
    assert step(reception, enquiry, "call", result="spoke").status_code == 422
