"""What a patient changes in their own request: the times to call them, and one thing more."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from enquiries.actions import appointments, by_patient
from enquiries.mail import wordings
from enquiries.mail.wordings import WORDINGS
from enquiries.models import Enquiry, EventKind, Status, slot_bit
from tests.conftest import consultation, give_signs
from tests.support.html import by_id, form_at, parse, sent, text, title, value
from tests.support.inbox import let_wait
from tests.support.outbox import deliver, question, text_of
from tests.support.patient_portal import (
    SECRETS,
    SIGN,
    SURE,
    alerts,
    check,
    enter,
    form_at_button,
    path,
    press,
    said,
    without_cookies,
)

pytestmark = pytest.mark.usefixtures("db")


# --- times ---


def test_new_times_take_the_place_of_the_old_ones_and_the_timeline_keeps_both(asked):
    Enquiry.objects.update(call_slots=slot_bit(0, 0), next_call_at=timezone.now() + timedelta(days=1))
    page = press(enter(asked), "Change the times")
    ticked = {
        each.get("name"): each.get("value") for each in parse(page).iter("input") if each.get("checked") is not None
    }
    assert ticked == {"times-days": "0", "times-day_parts": "0"}
    assert "mornings" not in page.content.decode()
    page = press(
        page, "Continue", **{"times-days": ["1", "3"], "times-day_parts": ["1"], "times-best_time": "not before 2"}
    )
    assert "Nothing is changed yet" in said(page)
    assert "Tuesday afternoon Thursday afternoon not before 2" in said(page)
    late = press(press(enter(asked), "Change the times"), "Continue", **{"times-days": ["1"], "times-day_parts": ["2"]})
    assert "We are not open at any of these times in the next two weeks." in said(late)
    done = press(page, SURE["times"])
    assert "Your new times are saved" in said(done)
    assert "Tuesday afternoon Thursday afternoon" in said(done)
    asked.refresh_from_db()
    assert (asked.call_slots, asked.best_time, asked.version) == (slot_bit(1, 1) | slot_bit(3, 1), "not before 2", 2)
    assert timezone.localtime(asked.next_call_at).weekday() in {1, 3}
    event = asked.events.get(kind=EventKind.TIMES)
    assert (event.actor, event.by, event.summary) == ("patient", None, "")
    assert "Tuesday afternoon" in event.note
    assert "Monday morning (“mornings”)" in event.note


def test_change_on_the_check_page_gives_back_what_was_ticked(asked):
    page = check(asked, "times", **{"times-days": ["4"], "times-best_time": "early"})
    form = form_at(parse(press(page, "Change")), path(asked, "times"))
    assert sent(form)["times-days"] == ["4"]
    assert sent(form)["times-best_time"] == ["early"]


def test_times_nobody_offers_are_an_error_with_nothing_lost(asked):
    page = check(asked, "times", **{"times-days": ["9"], "times-best_time": "early"})
    assert page.status_code == 422
    assert title(parse(page)).startswith("Error: ")
    assert value(by_id(parse(page), "id_times-best_time")) == "early"


def test_a_question_and_an_appointment_have_no_times_to_change(staff):
    asked = question()
    buttons = {text(each) for each in parse(enter(asked)).iter("button")}
    assert "Add something" in buttons
    assert "Change the times to call" not in buttons
    data = sent(form_at_button(enter(asked), "Add something")) | {"times-days": ["0"]}
    assert without_cookies(path(asked, "times"), data).status_code == 409
    booked = consultation()
    appointments.book(enquiry=booked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    assert "Change the times to call" not in said(enter(booked))


# --- one thing more ---


@pytest.mark.parametrize("typed", ["", "  \n", "x" * 501])
def test_a_detail_is_some_words_and_at_most_500_characters(asked, typed):
    page = check(asked, "add", **{"add-text": typed})
    assert page.status_code == 422
    assert value(by_id(parse(page), "id_add-text")).strip() == typed.strip()
    assert "Check what you are adding" in said(check(asked, "add", **{"add-text": "x" * 500}))


def test_a_detail_stands_on_the_timeline_sealed_and_staff_read_it(asked, staff, staff_client):
    ours = WORDINGS["detail_added"].default | {"lead": "Thank you. {clinic} reads it today."}
    wordings.save(WORDINGS["detail_added"], ours, by=staff, seen=0)
    done = press(check(asked, "add"), "Send it")
    assert "We have what you added Thank you. Larkfield Back Clinic reads it today." in said(done)
    assert "worse" in said(done), "The advice stays whatever the clinic writes."
    assert "You added something once" in said(done)
    assert "away on Monday" not in done.content.decode()
    event = by_patient.added(asked).get()
    assert (event.note, event.actor, event.summary) == ("I am away on Monday.", "patient", "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM enquiries_enquiryevent WHERE kind = 'added'")
        assert b"Monday" not in bytes(cursor.fetchone()[0])
    assert "Added at" in staff_client.get(asked.get_admin_url()).content.decode()
    assert alerts(asked) == [], "Who reads a new request reads this with it."


@pytest.mark.parametrize("verb", ["times", "add"])
def test_hearing_from_them_ends_the_wait(asked, staff, verb):
    let_wait(asked, by=staff)
    asked.refresh_from_db()
    press(check(asked, verb), SURE[verb])
    asked.refresh_from_db()
    assert (asked.status, asked.waiting_since) == (Status.IN_PROGRESS, None)
    moved = asked.events.filter(kind=EventKind.MOVED).last()
    assert (moved.actor, moved.from_status, moved.to_status) == ("patient", Status.WAITING, Status.IN_PROGRESS)


def test_the_clinic_is_told_of_a_detail_that_nobody_would_look_for(asked, staff, mail_through):
    appointments.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    press(check(asked, "add"), "Send it")
    deliver()
    [mail] = [each for each in mail_through.messages if "Please look" in each["Subject"]]
    assert asked.reference in mail["Subject"]
    assert not [word for word in (*SECRETS, "Monday") if word in text_of(mail)]
    asked.refresh_from_db()
    assert asked.status == Status.BOOKED


def test_red_flag_words_bring_the_card_and_can_still_be_sent(asked, staff, mail_through):
    give_signs(Enquiry.objects.all(), "RF-U1", safety_acted_at=timezone.now())
    stop = check(asked, "add", **{"add-text": SIGN})
    assert said(stop).index("Call 999") < said(stop).index(SIGN)
    assert "Nothing is sent yet" in said(stop)
    assert not by_patient.added(asked).exists()
    changed = press(stop, "Change what I wrote")
    assert value(by_id(parse(changed), "id_add-text")) == SIGN
    page = press(stop, "Send it anyway")
    assert "Check what you are adding" in said(page)
    done = press(page, "Send it")
    assert said(done).index("do not wait for our reply") < said(done).index("Call 999")
    asked.refresh_from_db()
    assert asked.is_flagged
    assert asked.safety_signs == "RF-E2 RF-U1"
    assert alerts(asked) == ["waiting"]
    assert "warning sign" in by_patient.added(asked).get().summary
    deliver()
    assert not [mail for mail in mail_through.messages if "pee" in text_of(mail).partition("Call 999")[0]]


def test_nobody_sends_red_flag_words_past_the_card(asked):
    page = check(asked, "add")
    stop = press(page, "Send it", **{"add-text": SIGN})
    assert "Please read this before you send it" in said(stop)
    assert not by_patient.added(asked).exists()


def test_ten_details_are_enough(asked):
    for number in range(by_patient.MAX_ADDED):
        asked.refresh_from_db()
        by_patient.add_detail(enquiry=asked, text=f"Detail {number}", safety_signs="", version=asked.version)
    assert "Add something" not in {text(each) for each in parse(enter(asked)).iter("button")}
    data = sent(form_at_button(enter(asked), "Delete my details")) | {"add-text": "One more"}
    assert without_cookies(path(asked, "add"), data).status_code == 409
