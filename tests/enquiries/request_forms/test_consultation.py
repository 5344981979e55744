"""From the consultation form to an enquiry: the form, the check of the answers, what is kept, and what patients read afterwards."""

import re
from datetime import datetime, timedelta

import pytest
from django.core import mail as mailbox
from django.test import Client

from enquiries import clock
from enquiries.mail import emails
from enquiries.models import ClinicHours, Enquiry, OutgoingMessage, Purpose, slot_bit
from tests.support.consultation_form import EVERYTHING, PATH, first_step, heading, nothing_kept, press
from tests.support.forms import form
from tests.support.html import controls, form_at, parse, sent, summary, text, title, visible

pytestmark = pytest.mark.usefixtures("db")


# --- the start ---


def test_the_page_says_first_what_happens_what_it_costs_and_how_else_to_reach_us(client):
    document = parse(client.get(PATH))
    main = next(document.iter("main"))
    said = text(main)
    start = said.index("Not for emergencies")
    form_begins = said.index("How should we contact you?")
    for words in ("We tell you what a consultation costs before you decide", "Text relay", "If you send this now"):
        assert start < said.index(words) < form_begins
    assert clock.promise()["reply"] in said


def test_the_way_to_reach_them_is_asked_before_anything_else(client):
    names = [control.get("name") for control in visible(form_at(parse(client.get(PATH)), PATH))]
    order = list(dict.fromkeys(name.removeprefix("consultation-") for name in names))
    assert order[:3] == ["contact_by", "phone", "may_leave_voicemail"]
    assert order[-1] == "description"


def test_no_answer_about_safe_contact_is_ticked_beforehand(client):
    page_form = form_at(parse(client.get(PATH)), PATH)
    assert [each for each in visible(page_form) if each.get("checked") is not None] == []


def test_each_time_of_the_table_has_a_name_of_its_own(client):
    document = parse(client.get(PATH))
    boxes = [each for each in controls(form_at(document, PATH)) if each.get("name") == "consultation-times"]
    names = [text(label) for box in boxes for label in document.iter("label") if label.get("for") == box.get("id")]
    assert len(names) == len(set(names)) == 15
    assert {"Monday morning", "Wednesday afternoon", "Friday early evening"} <= set(names)


# --- the whole way ---


def test_nothing_is_kept_before_the_answers_were_looked_through_and_then_everything_is(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    assert (check.status_code, heading(check)) == (200, "Check your answers")
    assert "no-store" in check["Cache-Control"]
    assert not check.cookies
    assert nothing_kept()
    said = text(next(parse(check).iter("main")))
    for words in (
        "Phone Video call",
        "020 7946 0018",
        "May we leave a voicemail? No",
        "May we say who is calling? Yes",
        "Monday: morning Friday: early evening mornings",
        "Ada Example",
        "ada@example.com",
        "Text relay; interpreter (Polish) My daughter helps me.",
        "6 to 12 weeks",
        "down my leg",
        "A GP A physiotherapist",
        "An ache low in my back for two months.",
    ):
        assert words in said, words
    answer = press(client, check, "send")
    assert (answer.status_code, answer["Location"].startswith("/consultation/sent/")) == (303, True)
    kept = Enquiry.objects.get()
    assert (kept.by_phone, kept.by_video, kept.by_email) == (True, True, False)
    assert (kept.phone, kept.may_leave_voicemail, kept.may_say_who_calls) == ("+442079460018", False, True)
    assert kept.call_slots == slot_bit(0, 0) | slot_bit(4, 2)
    assert kept.best_time == "mornings"
    assert kept.needs == "Text relay; interpreter (Polish)\nMy daughter helps me."
    assert kept.description == (
        "How long: 6 to 12 weeks\nWhere: into the leg\nHas seen: a GP, a physiotherapist\n\n"
        "An ache low in my back\nfor two months."
    )
    assert (kept.safety_signs, kept.is_flagged) == ("", False)
    assert kept.reply_by == clock.reply_by(kept.created_at)


def test_who_leaves_out_what_is_optional_is_asked_for_none_of_it(client):
    check = client.post(PATH, first_step(contact_by=["email"], phone="", best_time="", may_leave_voicemail=None))
    assert heading(check) == "Check your answers"
    assert press(client, check, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.call_slots, kept.needs, kept.best_time, kept.phone) == (0, "", "", "")
    assert (kept.may_leave_voicemail, kept.may_say_who_calls) == (None, True)
    assert kept.description == "An ache low in my back\nfor two months."


def test_change_brings_back_the_form_with_every_answer_and_opens_it_there(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    for begin_at in ("contact_by", "times", "name", "needs", "how_long"):
        response = press(client, check, f"change-{begin_at}")
        assert response.status_code == 200
        document = parse(response)
        page_form = form_at(document, PATH)
        assert summary(page_form) is None
        expected = first_step(**EVERYTHING)
        shown = {name: given for name, given in sent(page_form).items() if given != [""]}
        assert shown == {name: given if isinstance(given, list) else [given] for name, given in expected.items()}
        opened = [each for each in visible(page_form) if each.get("autofocus") is not None]
        assert [each.get("name") for each in opened] == [f"consultation-{begin_at}"]
    assert nothing_kept()
    again = client.post(PATH, first_step(**EVERYTHING, name="Bea Example"))
    assert "Bea Example" in text(parse(again))


@pytest.mark.parametrize(
    "step", ["", "check", "nonsense", "change", "change-nonsense", "change-__class__", "x" * 5_000]
)
def test_only_the_last_button_sends(client, step):
    assert client.post(PATH, form("consultation", step=step)).status_code == 200
    assert nothing_kept()


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody"},
        {"description": ""},
        {"contact_by": ["pigeon"]},
        {"times": ["9-9"]},
        {"may_leave_voicemail": "maybe"},
        {"phone": ""},
    ],
)
def test_hidden_answers_that_somebody_changed_are_checked_again_and_refused(client, changes):
    check = client.post(PATH, first_step())
    answer = press(client, check, "send", **changes)
    assert answer.status_code == 422
    assert title(parse(answer)).startswith("Error: ")
    assert nothing_kept()


def test_sent_twice_clicked_twice_or_sent_again_after_going_back_is_one_enquiry(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    for _ in range(3):
        assert press(client, check, "send").status_code == 303
    again = client.post(PATH, first_step(**EVERYTHING))
    assert press(Client(), again, "send").status_code == 303
    assert Enquiry.objects.count() == 1
    assert OutgoingMessage.objects.count() == 2


def test_a_filled_trap_is_known_from_step_to_step_and_only_written_down(client):
    check = client.post(PATH, first_step(website="https://example.com"))
    assert press(client, check, "send")["Location"].startswith("/consultation/sent/")
    kept = Enquiry.objects.get()
    assert (kept.status, kept.quarantine_reason) == ("new", "")
    assert "A hidden field was filled in" in kept.events.get().summary


# --- afterwards ---


def test_the_confirmation_keeps_to_the_promise_given_however_late_it_is_opened_and_holds_nothing_of_theirs(client):
    address = press(client, client.post(PATH, first_step(**EVERYTHING)), "send")["Location"]
    at = datetime(2025, 5, 27, 9, tzinfo=clock.LONDON)
    Enquiry.objects.update(created_at=at, reply_by=at.replace(hour=17))
    response = client.get(address)
    said = text(next(parse(response).iter("main")))
    assert "We will reply by 5pm on Tuesday 27 May." in said
    assert "no-store" in response["Cache-Control"]
    for theirs in ("Ada", "7946 0018", "Polish"):
        assert theirs not in said
    Enquiry.objects.update(reply_by=None)
    ClinicHours.objects.update(paused_at=at, paused_by="Robin", notice="A pipe burst.")
    said = text(next(parse(client.get(address)).iter("main")))
    for words in ("We do not know yet when we will reply. You can phone us", "A pipe burst."):
        assert said.count(words) == 1, words


def test_without_its_mark_the_confirmation_names_no_day(client):
    for address in ("/consultation/sent/", "/question/sent/"):
        said = text(next(parse(client.get(address)).iter("main")))
        assert "We aim to reply within" in said
        assert "We will reply" not in said


@pytest.mark.parametrize(("times", "says"), [(["0-2", "3-2"], True), (["0-2", "1-0", "3-1"], False), ([], False)])
def test_before_sending_it_says_that_we_are_not_open_at_any_of_the_times_chosen(client, times, says):
    said = text(next(parse(client.post(PATH, first_step(times=times))).iter("main")))
    assert ("We are not open at any of these times in the next two weeks." in said) is says
    assert ("Our opening hours: Monday to Friday, 9am to 5pm" in said) is says


def test_the_acknowledgement_says_the_enquirys_own_time_and_nothing_about_health(client):
    press(client, client.post(PATH, first_step(**EVERYTHING)), "send")
    kept = Enquiry.objects.get()
    Enquiry.objects.filter(pk=kept.pk).update(reply_by=kept.reply_by + timedelta(days=7))
    kept.refresh_from_db()
    message = kept.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
    made = emails.render(message, mailbox.get_connection("django.core.mail.backends.locmem.EmailBackend"))
    html = re.sub(r"<[^>]+>", " ", made.alternatives[0][0])
    reply = clock.in_words(kept.reply_by, kept.created_at, dated=True)
    for body in (made.body, " ".join(html.split())):
        assert f"We will reply {reply}." in body
        assert "999" in body
        for theirs in ("ache", "into the leg", "Polish", "Ada", "voicemail", "physio", "6 to 12"):
            assert theirs not in body, theirs


def test_a_mail_that_promises_nothing_says_so(client):
    press(client, client.post(PATH, first_step()), "send")
    Enquiry.objects.update(reply_by=None)
    message = OutgoingMessage.objects.get(purpose=Purpose.ACKNOWLEDGEMENT)
    made = emails.render(message, mailbox.get_connection("django.core.mail.backends.locmem.EmailBackend"))
    assert "We do not know yet when we will reply." in made.body
    assert "None" not in made.body
