"""Somebody telephones or walks in: what they say is written down, read for warning signs, and kept once."""

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from enquiries.models import Enquiry, EventKind, IntakeChannel, OutgoingMessage, Purpose, Status
from factsheets.models import FactSheet
from tests.conftest import consultation
from tests.support.desk import person, sign_in, with_password, with_second_factor
from tests.support.html import parse, text
from tests.support.inbox import LIST, listed
from tests.support.outbox import deliver
from tests.support.visitor import visitor

NEW = reverse("admin:enquiries_enquiry_new")
SAME = reverse("admin:enquiries_enquiry_same_person")
SAID = {
    "channel": "phone",
    "kind": "consultation",
    "name": "Grace Hopper-Okafor",
    "phone": "020 7946 0777",
    "email": "",
    "description": "My back has ached since I moved house.",
    "contact_by": ["phone"],
    "may_leave_voicemail": "no",
    "may_say_who_calls": "yes",
    "agreed": "on",
}


def send(client, **changes):
    return client.post(NEW, SAID | changes, follow=True)


def said(response) -> str:
    return text(parse(response))


def test_a_call_is_kept_with_the_wording_that_was_read_out_and_nobody_is_mailed_without_an_address(reception):
    assert "only staff who deal with your request see it" in said(reception.get(NEW))
    response = send(reception)
    enquiry = Enquiry.objects.get()
    assert response.redirect_chain[-1][0] == enquiry.get_admin_url()
    assert f"Saved as {enquiry.reference}. They gave no email address, so read them the reference." in said(response)
    assert "Reply by email" not in said(response)
    received = enquiry.events.get(kind=EventKind.RECEIVED)
    assert (received.actor, received.by.first_name) == ("Rita", "Rita")
    assert received.summary.endswith("Written down by telephone. They agreed to wording 2026-11-spoken")
    assert (enquiry.status, enquiry.may_leave_voicemail, enquiry.phone) == (Status.NEW, False, "+442079460777")
    assert enquiry.reply_by > timezone.now()
    assert not OutgoingMessage.objects.exists()
    assert listed(reception, q="okaf") == [enquiry.pk]
    assert "Consultation, by telephone" in said(reception.get(LIST))
    send(reception)
    assert Enquiry.objects.count() == 1, "A second click is the same request."


def test_an_address_gets_the_usual_acknowledgement(reception, mail_through, smtp):
    send(reception, email="grace@example.com", channel="walk_in", kind="question", contact_by=[], phone="")
    enquiry = Enquiry.objects.get()
    assert (enquiry.channel, enquiry.kind, enquiry.by_phone) == (IntakeChannel.WALK_IN, "question", False)
    deliver()
    assert [to for to, _ in smtp.received] == [["grace@example.com"]]
    send(
        reception,
        kind="report",
        seen=enquiry.reference,
        email="grace@example.com",
        description="",
        sheet=FactSheet.objects.published().first().pk,
    )
    deliver()
    assert [to for to, _ in smtp.received] == [["grace@example.com"]] * 2
    assert Enquiry.objects.get(kind="report").description == ""


def test_words_that_sound_like_a_warning_sign_are_kept_at_once_and_lead_to_the_script(reception):
    consultation(name="Grace Hopper-Okafor", phone="+442079460777")  # a list of the same person does not hold it up
    response = send(reception, description="I cannot feel when I pass water and my legs are weak.")
    enquiry = Enquiry.objects.get(channel="phone")
    assert enquiry.is_flagged
    page = said(response)
    assert "Go through this with them now, while they are with you." in page
    assert "Possible emergency: call now" in page
    assert listed(reception, queue="safety") == [enquiry.pk]
    [alert] = enquiry.messages.all()
    assert (alert.purpose, alert.urgent) == (Purpose.CLINIC_ALERT, True)


def test_who_may_have_asked_before_is_shown_once_before_it_is_kept(reception):
    before = consultation(name="Grace Hoper Okafor", phone="+442079460777", email="g@example.com")
    namesake = consultation(name="Grace Hopper Okafor", phone="+442079461111", email="h@example.com")
    piece = reception.post(SAME, {"name": "grace hopper okafor", "phone": "", "email": ""})
    assert namesake.reference in piece.content.decode()
    assert "<html" not in piece.content.decode()
    first = send(reception)
    assert first.status_code == 422
    assert "Not saved yet: this person may have asked before." in said(first)
    for each in (before, namesake):
        assert each.get_admin_url() in first.content.decode()
    seen = [each.get("value") for each in parse(first).iter("input") if each.get("name") == "seen"]
    assert send(reception, seen=seen[0]).status_code == 200
    assert Enquiry.objects.filter(channel="phone").count() == 1
    assert reception.get(SAME).status_code == 405


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agreed": ""}, "Read it to them and tick this when they agree"),
        ({"name": ""}, "Enter their name"),
        ({"description": " "}, "Write what they said"),
        ({"phone": ""}, "Enter their phone number, because they want to be called"),
        ({"phone": "12"}, "too short"),
        ({"contact_by": ["email"]}, "Enter their email address, because they want to hear from us by email"),
        ({"contact_by": []}, "Choose how we should contact them"),
        ({"may_leave_voicemail": ""}, "Ask them, and choose yes or no"),
        ({"kind": "question", "phone": ""}, "Enter a phone number or an email address, so that we can answer"),
        ({"kind": "report"}, "Enter the email address that the fact sheet goes to"),
        ({"kind": "report", "email": "g@example.com"}, "Choose which fact sheet they want"),
        ({"kind": "report", "email": "g@example.com"}, "so that somebody reads this, or clear it"),
        ({"their_name": "Ida"}, "Choose who they are to the caller"),
        ({"needs": ["interpreter"]}, "Enter the language that they need an interpreter for"),
        ({"description": "x" * 1001}, "Shorten it to 1,000 characters or fewer"),
        ({"kind": "order", "channel": "fax"}, "Select a valid choice"),
    ],
)
@pytest.mark.once
def test_what_is_missing_is_asked_for_and_nothing_typed_is_lost(reception, changes, message):
    response = send(reception, **changes)
    assert response.status_code == 422
    assert message in said(response)
    assert not Enquiry.objects.exists()
    for words in {"Hopper-Okafor", "moved house"} - {"Hopper-Okafor" if "name" in changes else ""}:
        assert words in response.content.decode() or "description" in changes


def test_for_somebody_else_and_with_needs_it_keeps_both(reception):
    send(
        reception,
        their_name="Ida Okafor",
        they_are="parent",
        they_agree="not_yet",
        needs=["interpreter"],
        language="Igbo",
    )
    enquiry = Enquiry.objects.get()
    assert (enquiry.for_name, enquiry.for_agreed) == ("Ida Okafor", "not_yet")
    assert enquiry.needs == "Interpreter (Igbo)"
    assert listed(reception, q="ida") == [enquiry.pk]


def test_only_those_who_may_change_enquiries_write_one_down(client, db):
    client.force_login(person("Edith", "editor"))
    for address in (NEW, SAME):
        assert client.post(address, SAID).status_code == 403
    assert client.get(NEW).status_code == 403
    assert not Enquiry.objects.exists()


@pytest.mark.browser
@pytest.mark.once
def test_by_keyboard_and_mouse_on_a_desk_and_on_a_phone(browser, site, subtests):
    """A caller is found, written down, and their address mended, each in a few presses; no page is wider than a phone."""
    with_second_factor(with_password(person("Rita", "reception")))
    before = consultation(name="Grace Hopper Okafor", phone="+442079460777", email="g@example.com")
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as desk:
        page = desk.page
        sign_in(desk, "rita")
        desk.open("/admin/enquiries/enquiry/")
        page.locator("#searchbar").fill("okaf")
        page.locator("#searchbar").press("Enter")
        expect(page.get_by_role("link", name="Grace Hopper Okafor")).to_be_visible()

        page.get_by_role("link", name="New request").click()
        page.get_by_label("Their name").fill("grace okafor")
        expect(page.get_by_role("heading", name="Possibly the same person")).to_be_visible()
        expect(page.get_by_role("link", name=before.reference)).to_be_visible()
        expect(page.get_by_label("Which fact sheet?")).to_be_hidden()
        desk.expect_accessible()
        page.get_by_label("A fact sheet by email").check()
        expect(page.get_by_label("Which fact sheet?")).to_be_visible()
        page.get_by_label("An answer to a question").check()
        page.get_by_label("Phone number").fill("020 7946 0777")
        page.get_by_label("What they said, in their words").fill("Can I swim with this?")
        page.get_by_label("I read this to them, and they agreed").check()
        expect(page.get_by_role("link", name=before.reference)).to_be_visible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("They gave no email address, so read them the reference.")).to_be_visible()

        page.get_by_role("button", name="Correct the address or number").click()
        page.get_by_label("Email address").fill("grace@example.com")
        desk.expect_accessible()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Email address corrected: they told us the right one")).to_be_visible()
        page.set_viewport_size({"width": 360, "height": 800})
        made = Enquiry.objects.get(channel="phone")
        for address in (NEW, reverse("admin:enquiries_enquiry_correct", args=[made.pk]), f"{LIST}?q=okaf"):
            with subtests.test(address=address):
                desk.open(address)
                desk.expect_no_sideways_scrolling()
    assert made.email == "grace@example.com"
