"""The link to a patient's own request: in which mails it is, whom it opens for, until when, and that no log holds it."""

import logging
import re
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from gunicorn.config import Config

from backcare.ops.gunicorn import access_log_format
from backcare.ops.gunicorn_log import PrivateLogger
from backcare.ops.logs import WithoutRequestValues
from enquiries import links
from enquiries.actions import appointments, by_patient, contact, corrections, erasure, triage
from enquiries.clock import in_words
from enquiries.models import Enquiry, PrivateLink, Status, slot_bit
from tests.conftest import consultation, report
from tests.support.html import parse, sent, text, title
from tests.support.inbox import let_wait
from tests.support.outbox import deliver, html_of, question, text_of
from tests.support.patient_portal import (
    SECRETS,
    SURE,
    VERBS,
    check,
    enter,
    form_at_button,
    path,
    press,
    said,
    snapshot,
    without_cookies,
)

pytestmark = pytest.mark.usefixtures("db")


# --- the mail ---


@pytest.mark.parametrize("ask", [consultation, question], ids=["consultation", "question"])
def test_every_mail_to_the_patient_holds_the_link_in_both_parts_and_none_of_their_words(ask, mail_through, staff):
    enquiry = ask()
    contact.reply(enquiry=enquiry, by=staff, text="Thank you.")
    appointments.book(enquiry=enquiry, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    deliver()
    mails = [mail for mail in mail_through.messages if mail["To"] == "ada@example.com"]
    assert len(mails) == 3
    for mail in mails:
        [found] = set(re.findall(r"https?://\S+(/request/\S+)", text_of(mail)))
        assert without_cookies(found, {"email": "ada@example.com"}).status_code == 200
        assert found in " ".join(each.get("href") for each in html_of(mail).iter("a"))
        assert not [word for word in SECRETS if word in text_of(mail)]
    assert enter(enquiry).status_code == 200


def test_the_mail_of_a_report_holds_no_such_link_and_its_key_opens_nothing(sheet, mail_through):
    enquiry = report(sheet)
    deliver()
    assert "/request/" not in text_of(mail_through.messages[0])
    assert links.request_address(enquiry) == ""
    assert enter(enquiry).status_code == 404


# --- opening ---


def test_scanners_that_fetch_and_probe_every_address_change_nothing_and_see_nothing(asked):
    before = snapshot()
    for method in ("get", "head", "options", "post"):
        for address in ("", *VERBS):
            response = getattr(Client(), method)(path(asked, address))
            assert response.status_code in {200, 302, 405, 307 if method == "post" else 200}, (method, address)
            assert not [word for word in SECRETS if word in response.content.decode()]
            assert not response.cookies or response.status_code == 307
    assert Client().get(path(asked, "erase"))["Location"] == path(asked)
    without_cookies(path(asked, "erase"), {"erase-step": "send", "sealed": "x.y.z", "pass": "x.y.z"})
    assert snapshot() == before


def test_the_page_masks_how_to_reach_them_and_says_no_word_about_their_health(asked):
    page = enter(asked, "ADA@Example.com")
    assert page.status_code == 200
    assert not [word for word in SECRETS if word in page.content.decode()]
    words = said(page)
    for shown in ("A consultation", asked.reference, "Status Received", "a•••@example.com", "•••• 0018", "Any time"):
        assert shown in words, shown
    assert f"We will reply {in_words(asked.reply_by, timezone.now())}" in words


def test_the_voicemail_answer_and_the_chosen_times_are_shown(asked):
    Enquiry.objects.update(may_leave_voicemail=False, call_slots=slot_bit(1, 0) | slot_bit(4, 2))
    words = said(enter(asked))
    assert "May we leave a voicemail? No" in words
    assert "Tuesday morning Friday early evening" in words
    Enquiry.objects.update(by_phone=False, by_video=False, by_email=True, call_slots=0, may_leave_voicemail=None)
    words = said(enter(asked))
    assert "How we contact you Email" in words
    for of_a_call in ("Times to call", "Change the times to call", "voicemail"):
        assert of_a_call not in words


def test_where_it_is_now_is_said_in_the_patients_words(asked, staff):
    at = timezone.now() + timedelta(days=400)
    for act, words in (
        (lambda: triage.triage(enquiry=asked, by=staff, to=Status.IN_PROGRESS), "In progress"),
        (lambda: let_wait(asked, by=staff), "Waiting to hear from you"),
        (
            lambda: appointments.book(enquiry=asked, by=staff, at=at, channel="video"),
            "Your appointment is by video call, at",
        ),
        (lambda: appointments.end_appointment(enquiry=asked, by=staff, state="by_clinic"), "In progress"),
        (lambda: triage.triage(enquiry=asked, by=staff, to=Status.CLOSED, outcome="seen"), "We have closed it"),
    ):
        act()
        assert words in said(enter(asked))


def test_a_broken_promise_is_said_to_be_one(asked):
    Enquiry.objects.update(reply_by=timezone.now() - timedelta(hours=1))
    assert "We are sorry that you have not heard from us" in said(enter(asked))


@pytest.mark.parametrize("typed", ["", "eve@example.com", "a@", "ada@example.com.evil.example", "x" * 300])
def test_another_address_opens_nothing_and_is_an_error_in_words(asked, typed):
    response = enter(asked, typed)
    assert response.status_code == 422
    assert title(parse(response)).startswith("Error: ")
    assert "a•••" not in response.content.decode()


def test_guessing_ends_after_ten_tries_and_the_right_address_does_not_help_then(asked):
    for number in range(10):
        assert enter(asked, f"guess{number}@example.com").status_code == 422
        PrivateLink.objects.update(last_wrong_at=timezone.now() - timedelta(minutes=1))
    assert enter(asked).status_code == 404
    assert Client().get(path(asked)).status_code == 404


def _closed_long_ago(enquiry):
    by_patient.withdraw(enquiry=enquiry, version=enquiry.version)
    Enquiry.objects.filter(pk=enquiry.pk).update(closed_at=timezone.now() - timedelta(days=14, minutes=1))


DEAD = {
    "closed 14 days ago": _closed_long_ago,
    "erased by its time": lambda enquiry: erasure.erase(enquiry=enquiry, actor="retention"),
    "guessed at": lambda enquiry: PrivateLink.objects.create(enquiry=enquiry, wrong_tries=10),
    "set aside": lambda enquiry: Enquiry.objects.filter(pk=enquiry.pk).update(
        status=Status.SPAM, closed_at=timezone.now()
    ),
    "gone": lambda enquiry: Enquiry.objects.filter(pk=enquiry.pk).delete(),
}


def answers(token: str) -> list[tuple[int, str]]:
    address = reverse("enquiries:manage", args=[token])
    given = {"email": "ada@example.com"}
    told = [Client().get(address), without_cookies(address, given), without_cookies(f"{address}erase/", given)]
    return [(each.status_code, each.content.decode().replace(token, "TOKEN")) for each in told]


def test_every_link_that_opens_nothing_says_the_same_in_the_same_words(asked):
    """Unknown, changed, over, erased, guessed at: nobody learns whether there was anything."""
    token = links.REQUEST.token(asked)
    changed = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
    expected = answers(changed)
    assert {status for status, _ in expected} == {404}
    another = signing.Signer(salt="enquiries.report.link", sep=".").sign(asked.pk.hex)
    for given in (another, "xyzzy", "a" * 2000):
        assert answers(given) == expected, given
    for why, kill in DEAD.items():
        gone = consultation(description=f"An ache, {why}")
        kill(gone)
        assert answers(links.REQUEST.token(gone)) == expected, why


def test_what_was_closed_lately_can_be_seen_and_only_erased(asked):
    by_patient.withdraw(enquiry=asked, version=asked.version)
    Enquiry.objects.update(closed_at=timezone.now() - timedelta(days=13, hours=23))
    page = enter(asked)
    assert "You withdrew it" in said(page)
    buttons = {text(each) for each in parse(page).iter("button")}
    assert buttons & {"Change the times to call", "Add something", "Withdraw my request"} == set()
    assert "Delete my details" in buttons


def test_a_corrected_address_is_the_only_one_that_opens(asked):
    early = enter(asked)
    corrections.correct_address(enquiry=asked, email="ada@example.org")
    assert enter(asked).status_code == 422
    assert "a•••@example.org" in said(enter(asked, "ada@example.org"))
    assert "Your email address" in said(press(early, "Delete my details"))
    assert "a•••" not in said(press(early, "Delete my details"))


def test_no_page_of_it_is_kept_found_or_passed_on(asked):
    pages = [Client().get(path(asked)), Client().get(path(asked, "add")), enter(asked), enter(asked, "x@example.com")]
    for response in [*pages, *(check(asked, verb) for verb in VERBS), Client().get("/request/erased/")]:
        assert "no-store" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]
        assert not response.cookies
    modern = Client(headers={"sec-fetch-site": "same-origin"})
    assert modern.get(path(asked))["Referrer-Policy"] == "no-referrer"


def test_what_the_browser_holds_is_sealed_is_for_its_own_link_and_ends_after_half_an_hour_or_with_the_deletion(asked):
    other = consultation(email="bob@example.com", description="Another ache.")
    browser = Client()
    first = browser.post(path(asked), {"email": "ada@example.com"})
    assert (first.status_code, first["Location"]) == (307, f"{path(asked)}?kept"), "A cookie is given with a form only."
    opened = browser.post(first["Location"], {"email": "ada@example.com"}, follow=True)
    assert "a•••@example.com" in said(opened)
    added = browser.post(path(asked, "add"), {"add-text": "I am away on Monday."}, follow=True)
    assert added.redirect_chain == [(f"{path(asked, 'add')}check/", 303)]
    assert "I am away on Monday." in said(added)
    held = browser.cookies["visit"]
    assert (held["path"], held["httponly"], held["samesite"], held["max-age"]) == (path(asked), True, "Strict", "")
    assert not [word for word in (*SECRETS, "away", asked.pk.hex) if word in held.value]
    assert "Your email address" in said(browser.get(path(other)))
    assert browser.get(path(other, "add"))["Location"] == path(other)
    with pytest.MonkeyPatch.context() as patch:
        now = time.time()
        patch.setattr(time, "time", lambda: now + links.PASS_SECONDS + 1)
        assert "Your email address" in said(browser.get(path(asked)))
    assert "a•••@example.com" in said(browser.get(path(asked)))
    sure = browser.post(path(asked, "erase"), follow=True)
    browser.post(path(asked, "erase"), sent(form_at_button(sure, SURE["erase"])) | {"erase-step": "send"})
    assert Enquiry.objects.get(pk=asked.pk).erased_at
    assert browser.cookies["visit"].value == ""


def test_a_form_from_another_site_opens_and_changes_nothing(asked):
    browser = Client(enforce_csrf_checks=True)
    pages = {verb: check(asked, verb) for verb in VERBS}
    before = snapshot()
    for verb, page in pages.items():
        data = sent(form_at_button(page, SURE[verb])) | {f"{verb}-step": "send"}
        response = browser.post(path(asked, verb), data, headers={"sec-fetch-site": "cross-site"})
        assert response.status_code == 403
    assert (
        browser.post(path(asked), {"email": "ada@example.com"}, headers={"sec-fetch-site": "cross-site"}).status_code
        == 403
    )
    assert snapshot() == before


# --- logs ---


def test_no_log_of_ours_and_none_of_the_web_server_holds_the_link(asked, caplog, client):
    token = links.REQUEST.token(asked)
    erasure.erase(enquiry=asked, actor="retention")
    with caplog.at_level(logging.DEBUG):
        Client().get(path(asked))
        without_cookies(path(asked, "erase"), {"email": "ada@example.com"})
    told = [record for record in caplog.records if "Not Found" in record.getMessage()]
    assert len(told) == 2
    for record in caplog.records:
        WithoutRequestValues().filter(record)
        assert token not in record.getMessage()
    environ = {
        "REQUEST_METHOD": "POST",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": path(asked, "erase"),
        "RAW_URI": path(asked, "erase"),
    }
    answer = SimpleNamespace(status="200 OK", sent=1, headers=[], response_length=1)
    asking = SimpleNamespace(headers=[])
    logger = PrivateLogger(Config())
    line = access_log_format % logger.atoms_wrapper_class(logger.atoms(answer, asking, environ, timedelta(seconds=1)))
    assert "/request/…/erase/" in line
    assert token not in line
