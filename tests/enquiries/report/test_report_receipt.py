"""The confirmation of a report plays back what was asked for, to the browser that asked, and tells nobody anything else."""

import time

import pytest
from django.test import Client
from django.utils import timezone

from backcare.core.encryption import new_key
from enquiries import abuse
from enquiries.actions import corrections, erasure, outbox, triage
from enquiries.models import Assessment, Enquiry, EventKind, OutgoingMessage, Status
from enquiries.report import sent
from tests.config.test_bad_input import ELSEWHERE
from tests.conftest import consultation
from tests.support.assessment import finish
from tests.support.forms import form
from tests.support.html import parse, text, title
from tests.support.outbox import deliver
from tests.support.report_sent import (
    ADA,
    AGAIN,
    BEA,
    CHANGE,
    EVE,
    PHONE,
    PLAYED_BACK,
    SENT,
    asked,
    change,
    expect_done,
    expect_nothing_changed,
    general,
    holding,
    read,
    time_passes,
    without_seconds,
)

pytestmark = pytest.mark.usefixtures("db")


# --- the receipt ---


def test_the_receipt_is_for_30_minutes_and_no_script_other_site_or_other_page_can_have_it(client, settings):
    [(name, given)] = asked(client).cookies.items()
    assert (name, given["max-age"], given["path"], given["domain"]) == ("sent", 30 * 60, "/report/", "")
    assert given["httponly"]
    assert given["samesite"] == "Strict"
    assert ADA not in str(given)
    settings.LOCAL = False
    [(name, given)] = Client().post("/report/", form("report"), secure=True).cookies.items()
    assert (name, given["secure"]) == ("__Secure-sent", True)


def test_only_a_report_that_was_accepted_gives_one_and_reading_never_does(client):
    assert "sent" not in client.post("/report/", form("report", email="ada@")).cookies
    for kind in ("consultation", "question"):
        assert not Client().post(f"/{kind}/", form(kind)).cookies
    for address in ("/", "/report/", SENT, CHANGE, AGAIN, "/fact-sheets/"):
        assert not client.get(address).cookies
    asked(client)
    for address in (SENT, CHANGE, AGAIN, "/report/"):
        assert not client.get(address).cookies, f"Reading {address} made the receipt last longer."
    time_passes(client, 600)
    left = change(client, BEA).cookies["sent"]["max-age"]
    assert 1190 <= left <= 1200, "Nor does a change."


def test_the_page_plays_back_what_was_asked_for_and_only_to_this_browser(client):
    before = general()
    answer = asked(client).get(SENT)
    said = text(parse(answer))
    for words in (f"{PLAYED_BACK} to {ADA}.", "Not right? Change the address", "About back pain", "Not included"):
        assert words in said
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert ADA not in title(parse(answer))
    assert general() == before
    assert ADA not in before.decode()


def test_a_private_summary_is_named_where_there_is_one(client):
    finish(client)
    assert "A link to it is in the email. It works for 7 days." in read(asked(client, with_answers=True))
    Assessment.objects.update(expires_at=timezone.now())
    assert "Not included" in read(client)


@pytest.mark.long
def test_any_other_receipt_shows_the_general_page(client, settings):
    value = asked(client).cookies["sent"].value
    held, now = sent.opened_receipt(value, now=time.time()), int(time.time())
    other = sent.opened_receipt(asked(email=BEA).cookies["sent"].value, now=time.time())
    finish(client)
    wrong = {
        "of another cookie of ours": client.cookies["check"].value,
        "half of one and half of another": value[:60] + sent.sealed_receipt(other)[60:],
        "30 minutes old": sent.sealed_receipt(sent.Receipt(held.enquiry, ADA, now - 1800)),
        "from tomorrow": sent.sealed_receipt(sent.Receipt(held.enquiry, ADA, now + 86_400)),
        "for another address": sent.sealed_receipt(sent.Receipt(held.enquiry, EVE, now)),
        "for somebody else's request": sent.sealed_receipt(sent.Receipt(other.enquiry, ADA, now)),
        "for no report": sent.sealed_receipt(sent.Receipt(consultation().pk, ADA, now)),
        "for nothing": sent.sealed_receipt(sent.Receipt(Assessment().pk, ADA, now)),
        "made up": "A" * 200,
        "empty": "",
        "too long": "A" * 9000,
        "not even letters": "é%00",
    }
    for place in range(0, len(value) - 1, 9):
        wrong[f"changed at {place}"] = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
    plain, before = general(), Enquiry.objects.get(pk=held.enquiry).version
    for what, cookie in wrong.items():
        assert holding(cookie).get(SENT).content == plain, what
        expect_nothing_changed(change(holding(cookie), EVE))
        expect_nothing_changed(holding(cookie).post(AGAIN))
    assert holding(value).get(SENT).content != plain
    settings.FIELD_ENCRYPTION_KEYS = [
        next(key for key in iter(new_key, None) if key not in settings.FIELD_ENCRYPTION_KEYS)
    ]
    assert holding(value).get(SENT).content == plain
    assert Enquiry.objects.get(pk=held.enquiry).version == before


def test_without_a_receipt_the_two_other_addresses_lead_back_and_take_nothing():
    for address in (CHANGE, AGAIN):
        expect_done(Client().get(address))
        expect_nothing_changed(Client().post(address, {"email": EVE}))
    asked()
    assert EventKind.CORRECTED not in Enquiry.objects.get().events.values_list("kind", flat=True)


def test_erased_details_are_played_back_to_nobody(client):
    asked(client)
    erasure.erase(enquiry=Enquiry.objects.get(), actor="retention")
    assert client.get(SENT).content == general()
    expect_nothing_changed(change(client, BEA))
    expect_nothing_changed(client.post(AGAIN))
    for verb in (
        lambda kept: corrections.correct_address(enquiry=kept, email=BEA),
        lambda kept: corrections.send_report_again(enquiry=kept),
    ):
        with pytest.raises(outbox.Erased):
            verb(Enquiry.objects.get())
    assert Enquiry.objects.get().email == ""


def test_a_receipt_acts_on_its_own_request_in_whatever_browser_it_is(client, mail_through):
    asked(client)
    other = asked(email=BEA)
    other.cookies["sent"] = client.cookies["sent"].value
    expect_done(change(other, EVE))
    assert {kept.email for kept in Enquiry.objects.all()} == {BEA, EVE}
    assert client.get(SENT).content == general(), "What was changed elsewhere is not this browser's any more."
    expect_nothing_changed(client.post(AGAIN))
    expect_nothing_changed(change(client, ADA))


@pytest.mark.parametrize("headers", ELSEWHERE[:2])
def test_another_website_can_change_and_send_nothing(headers):
    value = asked().cookies["sent"].value
    visitor = Client(enforce_csrf_checks=True)
    visitor.cookies["sent"] = value
    for address in (CHANGE, AGAIN):
        assert visitor.post(address, {"email": EVE}, **headers).status_code == 403
    assert Enquiry.objects.get().email == ADA


# --- nobody learns whether we know an address ---


def test_the_page_is_the_same_for_an_address_we_know_and_one_we_do_not(mail_through):
    first = asked()
    deliver()
    time_passes(first, 600)
    stranger, elsewhere = asked(), asked(email=BEA)
    assert Enquiry.objects.count() == 2, "The same form was one request."
    pages = [each.get(SENT).content.replace(BEA.encode(), ADA.encode()) for each in (stranger, elsewhere)]
    assert without_seconds(pages[0]) == without_seconds(pages[1])
    refused = [each.post(AGAIN) for each in (stranger, elsewhere)]
    assert [answer.status_code for answer in refused] == [429, 429], "Only a known one could be sent again already."
    assert OutgoingMessage.objects.count() == 2


@pytest.mark.parametrize("verb", ["change", "again"])
def test_who_sends_the_old_form_after_a_change_gets_no_hand_on_that_request(client, verb, settings):
    settings.MAX_MAILS_PER_ADDRESS_PER_DAY = 9
    asked(client)
    time_passes(client)
    expect_done(change(client, BEA) if verb == "change" else client.post(AGAIN))
    stranger = asked()
    assert Enquiry.objects.count() == 2
    page = stranger.get(SENT).content
    assert BEA not in page.decode()
    assert without_seconds(page) == without_seconds(asked(Client(), name="Somebody Else").get(SENT).content)
    change(stranger, EVE)
    assert f"to {BEA if verb == 'change' else ADA}." in read(client)


@pytest.mark.long
def test_a_request_that_was_set_aside_says_that_no_email_comes_and_never_why(mail_through, staff):
    """The same for a filled-in trap, which browsers do too, and for an address whose owner told us to stop."""
    robot = asked(website="x")
    kept = Enquiry.objects.get()
    erasure.stop_mails(key=abuse.stop_key(EVE))
    unwanted = asked(email=EVE)
    assert set(Enquiry.objects.values_list("status", flat=True)) == {Status.SPAM}

    def expect_same(answers):
        assert answers[0].status_code == answers[1].status_code
        pages = [without_seconds(each.content.replace(EVE.encode(), ADA.encode())) for each in answers]
        assert pages[0] == pages[1]

    both = (robot, unwanted)
    expect_same([each.get(SENT) for each in both])
    for words in (f"We will not send an email to {ADA}", "Download “About back pain” as a PDF"):
        assert words in read(robot)
    assert PLAYED_BACK not in read(robot)
    expect_same([each.post(AGAIN) for each in both])
    expect_same([change(each, BEA) for each in both])
    expect_same([each.get(SENT) for each in both])
    for _ in range(3):
        for each in both:
            time_passes(each)
        expect_same([each.post(AGAIN) for each in both])
        expect_same([each.get(SENT) for each in both])
    assert PHONE in read(robot)
    assert not kept.messages.exists()
    # Somebody whose browser filled in the trap: staff release it, and it goes to the address as it was put right.
    deliver()
    before = len(mail_through.received)
    triage.triage(enquiry=kept, by=staff, to=Status.NEW)
    deliver()
    assert mail_through.recipients[before:] == [[BEA]]
