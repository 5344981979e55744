"""The private summary of a report: asked for, kept with its consent, and sent as a link that says nothing."""

import io
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from enquiries.assessment import handover
from enquiries.mail.worker import Worker
from enquiries.models import Assessment, Enquiry
from tests.conftest import report as plain_report
from tests.support.assessment import finish
from tests.support.html import parse, text
from tests.support.outbox import deliver, html_of, text_of
from tests.support.summary import ask, patient, summary_link

HEALTH_WORDS = ("answer", "symptom", "self-care", "see a gp about", "urgent", "you told us", "look after your back")
QUESTION = "Include my answers?"


# --- the question ---


def test_who_has_no_finished_assessment_is_not_asked(db):
    client = Client()
    assert QUESTION not in client.get("/report/").content.decode()
    client.post("/check/1/", {"emergency": "none"})
    assert QUESTION not in client.get("/report/").content.decode()
    assert ask(Client()).status_code == 303
    assert not Assessment.objects.exists()


def test_the_default_is_no_and_the_consent_is_said_in_full(db):
    page = parse(patient().get("/report/"))
    radios = {each.get("value"): each for each in page.findall(".//input[@name='report-include_answers']")}
    assert set(radios) == {"no", "yes"}
    assert radios["no"].get("checked") is not None
    assert radios["yes"].get("checked") is None
    assert handover.consent_wording() in text(page)


@pytest.mark.parametrize("given", [{"urgent": ["RF-U4"]}, {"age": "under_18"}])
def test_nobody_is_asked_where_the_table_offers_no_form(db, given):
    client = patient(**given)
    assert QUESTION not in client.get("/report/").content.decode()
    assert ask(client, include_answers="yes").status_code == 200
    assert not Enquiry.objects.exists()


def test_no_keeps_no_answers(db):
    assert ask(patient(), include_answers="no").status_code == 303
    assert Enquiry.objects.count() == 1
    assert not Assessment.objects.exists()


def test_yes_keeps_the_result_and_the_answers_and_the_consent(db):
    client = Client()
    finish(client, limits="stops")
    told = text(parse(client.get("/check/result/")).find(".//main"))
    assert ask(client, include_answers="yes").status_code == 303
    kept = Assessment.objects.get()
    assert kept.consent_version == handover.REPORT_CONSENT
    assert kept.result["heading"] in told
    assert any("stops daily activity" in each for part in kept.answers for each in part["parts"][0]["answers"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT told FROM enquiries_assessment")
        assert b"daily" not in bytes(cursor.fetchone()[0])


def test_the_form_of_a_sheet_brings_one_more_question_and_keeps_what_was_typed(db):
    client = patient()
    response = ask(client)
    page = parse(response)
    assert response.status_code == 200
    assert "One more question" in text(page)
    assert page.find(".//input[@name='report-name']").get("value") == "Ada Example"
    assert page.find(".//option[@selected]").get("value") == "about-back-pain"
    assert not Enquiry.objects.exists()


def test_answers_that_are_gone_by_then_are_said_to_be_gone_and_nothing_typed_is_lost(db):
    response = ask(Client(), include_answers="yes")
    page = parse(response)
    assert response.status_code == 200
    assert "were cleared after 30 minutes" in text(page)
    assert page.find(".//input[@name='report-email']").get("value") == "ada@example.com"
    assert not Enquiry.objects.exists()
    assert ask(Client()).status_code == 303


def test_an_error_keeps_the_choice(db):
    response = ask(patient(), include_answers="yes", email="ada@")
    assert response.status_code == 422
    assert parse(response).find(".//input[@name='report-include_answers'][@checked]").get("value") == "yes"


def test_another_choice_is_another_request_and_the_same_is_the_same(db):
    client = patient()
    for choice in ("yes", "yes", "no", "no"):
        assert ask(client, include_answers=choice).status_code == 303
    assert Enquiry.objects.count() == 2
    assert Assessment.objects.count() == 1


# --- the mail ---


def test_the_mail_holds_the_link_and_no_word_of_the_answers(db, mail_through):
    ask(patient(limits="stops"), include_answers="yes")
    deliver()
    [mail] = mail_through.messages
    link = summary_link(mail)
    said = f"{mail['Subject']} {text_of(mail)} {''.join(html_of(mail).itertext())}".lower()
    assert not [word for word in HEALTH_WORDS if word in said.replace(link, "")]
    [leaflet] = mail.iter_attachments()
    assert leaflet.get_filename() == "about-back-pain.pdf"
    assert len(leaflet.get_content()) <= 150_000
    assert len(PdfReader(io.BytesIO(leaflet.get_content())).pages) == 2
    for more in ("", "pdf/large/", "pdf/full/"):
        assert f"/fact-sheets/about-back-pain/{more}\r\n" in text_of(mail)
    assert "Ada" not in said


def test_a_report_without_answers_has_no_link(db, mail_through, sheet):
    plain_report(sheet)
    deliver()
    assert "/report/summary/" not in text_of(mail_through.messages[-1])


def test_the_seven_days_start_when_the_mail_has_gone(db, mail_through):
    ask(patient(), include_answers="yes")
    Assessment.objects.update(expires_at=timezone.now() + timedelta(hours=2))
    deliver()
    left = Assessment.objects.get().expires_at - timezone.now()
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)


def test_a_mail_that_was_in_hand_when_its_address_was_put_right_holds_no_link(db, mail_through, settings):
    """No mail goes to the new address, so nothing replaces the one in hand: it must not bring the link to the wrong one."""
    settings.MAX_MAILS_PER_ADDRESS_PER_DAY = 1
    ask(Client(), email="bea@example.com")
    deliver()
    browser = patient()
    ask(browser, include_answers="yes")
    worker = Worker("has it in hand")
    message = worker.claim()
    assert browser.post("/report/sent/change/", {"email": "bea@example.com"}).status_code == 303
    worker.send(message)
    worker.disconnect()
    mail = mail_through.messages[-1]
    assert (mail["To"], mail_through.recipients[-1]) == ("ada@example.com", ["ada@example.com"])
    assert "/report/summary/" not in mail.as_string() + text_of(mail)
    page = parse(browser.get("/report/sent/"))
    [link] = [each.get("href") for each in page.iter("a") if text(each) == "Your private summary"]
    assert "/report/summary/" in link, "The page of the very sender has it."
