"""To a consultation from elsewhere on the site: the short form at the foot of a sheet, and a finished self-assessment."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from enquiries.actions.outbox import SUMMARY_DAYS
from enquiries.assessment import handover
from enquiries.models import Assessment, Enquiry
from tests.support.assessment import finish
from tests.support.consultation_form import FLAG, PATH, first_step, follow, heading, nothing_kept, press, walk
from tests.support.html import form_at, parse, sent, summary, text, visible
from tests.support.outbox import deliver

pytestmark = pytest.mark.usefixtures("db")


# --- from the foot of a sheet ---


def test_the_first_step_at_the_foot_of_a_sheet_leads_on_and_keeps_the_sheet(client, sheet):
    foot = form_at(parse(client.get(sheet.get_absolute_url())), PATH)
    assert {each.get("name") for each in visible(foot)} == {"consultation-for_whom"}
    page = follow(client, client.post(PATH, sent(foot) | {"consultation-for_whom": "me"}))
    reach = {"name": "Ada Example", "email": "ada@example.com", "contact_by": ["email"]}
    check = walk(client, reach, {"description": "An ache."}, {}, begin=page)
    assert press(client, check, "send").status_code == 303
    assert Enquiry.objects.get().sheet == sheet


def test_nothing_chosen_at_the_foot_of_a_sheet_is_asked_for_on_the_forms_own_page(client, sheet):
    foot = form_at(parse(client.get(sheet.get_absolute_url())), PATH)
    page = follow(client, client.post(PATH, sent(foot)))
    assert [text(link) for link in summary(form_at(parse(page), PATH)).iter("a")] == ["Choose who this is for"]
    assert sent(form_at(parse(page), PATH))["consultation-sheet"] == [sheet.slug]


# --- the self-assessment ---


@pytest.fixture
def finished(client):
    """A browser that holds a finished self-assessment whose result may offer our help."""
    finish(client)
    return client


def test_nobody_without_a_finished_assessment_is_asked_about_one(client):
    assert b"include_answers" not in client.get(PATH).content


def test_finished_answers_go_along_only_with_consent_and_the_wording_says_that_staff_see_them(finished):
    steps = ({"for_whom": "me"}, {"name": "Ada", "email": "ada@example.com", "contact_by": ["email"]})
    page_form = form_at(parse(walk(finished, *steps, {"description": "An ache."})), PATH)
    assert {each.get("name") for each in visible(page_form)} == {"consultation-include_answers"}
    assert sent(page_form)["consultation-include_answers"] == ["no"]
    said = handover.CONSENT_WORDINGS["2026-11-consultation"]
    assert "staff who deal with my request see them" in said
    assert said in text(page_form)

    check = follow(finished, finished.post(PATH, first_step(include_answers="no")))
    assert press(finished, check, "send").status_code == 303
    assert not Assessment.objects.exists()

    check = follow(finished, finished.post(PATH, first_step(include_answers="yes")))
    assert said in text(parse(check))
    assert press(finished, check, "send").status_code == 303
    kept = Assessment.objects.get()
    assert kept.consent_version == "2026-11-consultation"
    assert kept.enquiry.kind == "consultation"
    assert kept.expires_at - timezone.now() <= timedelta(days=SUMMARY_DAYS)


@pytest.mark.long
def test_urgent_answers_may_go_along_bring_the_card_and_flag_the_request_for_staff(client, staff, mail_through):
    finish(client, urgent=["RF-U4"])
    stop = client.post(PATH, first_step(include_answers="yes"))
    said = text(next(parse(stop).iter("main")))
    assert heading(stop) == "Please read this before you send it"
    assert "An answer you gave in “Check your symptoms” can be a sign" in said
    assert "call 111 today" in said
    assert nothing_kept()
    both = follow(client, client.post(PATH, first_step(include_answers="yes", needs_note=FLAG)))
    assert "What you wrote under “Anything else that would help us talk with you”, and an answer you gave" in text(
        parse(both)
    )
    del client.cookies["draft"]
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
    assert "were cleared after 30 minutes" in text(parse(told))
    assert nothing_kept()
    assert press(stranger, told, "send").status_code == 303
    assert not Assessment.objects.exists()
