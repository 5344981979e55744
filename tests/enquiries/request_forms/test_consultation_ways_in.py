"""To a consultation from elsewhere on the site: the short form at the foot of a sheet, and a finished self-assessment."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from enquiries.actions.mail import SUMMARY_DAYS
from enquiries.models import Assessment, Enquiry
from enquiries.report import consent
from tests.support.assessment import finish
from tests.support.consultation_form import FLAG, PATH, first_step, heading, nothing_kept, press, short
from tests.support.html import form_at, parse, sent, summary, text, title, visible
from tests.support.outbox import deliver

pytestmark = pytest.mark.usefixtures("db")


# --- from the foot of a sheet ---


def test_the_short_form_leads_to_the_same_check_with_only_what_it_could_not_ask(client, sheet):
    check = client.post(PATH, short())
    assert (check.status_code, heading(check)) == (200, "Check your answers")
    document = parse(check)
    page_form = form_at(document, PATH)
    assert summary(page_form) is None
    assert not title(document).startswith("Error")
    asked = {control.get("name") for control in visible(page_form)}
    assert asked == {"consultation-may_leave_voicemail", "consultation-may_say_who_calls"}
    # Enter in a form presses its first button.
    first = next(each for each in page_form.iter("button"))
    assert first.get("value") == "send"

    refused = press(client, check, "send")
    assert refused.status_code == 422
    links = [text(link) for link in summary(form_at(parse(refused), PATH)).iter("a")]
    assert links == ["Choose whether we may leave a voicemail", "Choose whether we may say who is calling"]
    assert heading(refused) == "Check your answers"

    one_left = press(client, refused, "send", may_leave_voicemail="no")
    assert one_left.status_code == 422
    asked = {control.get("name") for control in visible(form_at(parse(one_left), PATH))}
    assert asked == {"consultation-may_say_who_calls"}
    assert press(client, one_left, "send", may_say_who_calls="no").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.may_leave_voicemail, kept.may_say_who_calls) == (False, False)
    assert kept.sheet == sheet


def test_the_short_form_without_a_phone_call_asks_nothing_more(client):
    check = client.post(PATH, short(contact_by=["email"], phone=""))
    assert not visible(form_at(parse(check), PATH))
    assert press(client, check, "send").status_code == 303


def test_change_from_the_short_form_leads_to_the_whole_one_and_keeps_the_sheet(client):
    check = client.post(PATH, short())
    page_form = form_at(parse(press(client, check, "change-name")), PATH)
    assert sent(page_form)["consultation-sheet"] == ["about-back-pain"]
    assert sent(page_form)["consultation-phone"] == ["020 7946 0018"]
    assert "consultation-times" in {control.get("name") for control in visible(page_form)}


# --- the self-assessment ---


@pytest.fixture
def finished(client):
    """A browser that holds a finished self-assessment whose result may offer our help."""
    finish(client)
    return client


def test_nobody_without_a_finished_assessment_is_asked_about_one(client):
    assert b"include_answers" not in client.get(PATH).content


def test_finished_answers_go_along_only_with_consent_and_the_wording_says_that_staff_see_them(finished):
    page_form = form_at(parse(finished.get(PATH)), PATH)
    assert sent(page_form)["consultation-include_answers"] == ["no"]
    said = consent.WORDINGS["2026-11-consultation"]
    assert "staff who deal with my request see them" in said
    assert said in text(page_form)

    check = finished.post(PATH, first_step(include_answers="no"))
    assert press(finished, check, "send").status_code == 303
    assert not Assessment.objects.exists()

    check = finished.post(PATH, first_step(include_answers="yes"))
    assert said in text(parse(check))
    assert press(finished, check, "send").status_code == 303
    kept = Assessment.objects.get()
    assert kept.consent_version == "2026-11-consultation"
    assert kept.enquiry.kind == "consultation"
    assert kept.expires_at - timezone.now() <= timedelta(days=SUMMARY_DAYS)


def test_urgent_answers_may_go_along_bring_the_card_and_flag_the_request_for_staff(client, staff, mail_through):
    finish(client, urgent=["RF-U4"])
    assert sent(form_at(parse(client.get(PATH)), PATH))["consultation-include_answers"] == ["no"]
    stop = client.post(PATH, first_step(include_answers="yes"))
    said = text(next(parse(stop).iter("main")))
    assert heading(stop) == "Please read this before you send it"
    assert "An answer you gave in “Check your symptoms” can be a sign" in said
    assert "call 111 today" in said
    assert nothing_kept()
    both = client.post(PATH, first_step(include_answers="yes", needs_note=FLAG))
    assert "What you wrote under “Anything else that would help us talk with you”, and an answer you gave" in text(
        parse(both)
    )
    check = press(client, stop, "check")
    assert "Yes. " in text(parse(check))
    page = client.get(press(client, check, "send")["Location"])
    assert "call 111 today" in text(next(parse(page).iter("main"))).partition("What happens next")[0]
    kept = Enquiry.objects.get()
    assert (kept.safety_signs, kept.is_flagged, kept.assessment.result["outcome"]) == ("RF-U4", True, "urgent")
    deliver()
    assert "Urgent: please look now" in {mail["Subject"] for mail in mail_through.messages}
    client.force_login(staff)
    assert "Urgent: GP or 111 today" in text(parse(client.get(kept.get_admin_url())))


def test_answers_that_ended_meanwhile_are_named_and_the_request_can_be_sent_without_them(finished):
    check = finished.post(PATH, first_step(include_answers="yes"))
    stranger = Client()
    told = press(stranger, check, "send")
    assert told.status_code == 200
    assert "were cleared after 30 minutes" in text(parse(told))
    assert nothing_kept()
    assert press(stranger, told, "send").status_code == 303
    assert not Assessment.objects.exists()


def test_the_short_form_never_sends_answers_along(finished):
    check = finished.post(PATH, short())
    answer = press(finished, check, "send", may_leave_voicemail="no", may_say_who_calls="no")
    assert answer.status_code == 303
    assert not Assessment.objects.exists()
