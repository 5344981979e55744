"""A patient's own request in a real browser: from the link in the mail to changed times, and a look at every state."""

import re

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from enquiries import links
from enquiries.models import Enquiry, EventKind, slot_bit
from tests.conftest import consultation
from tests.support.outbox import text_of
from tests.support.smtp import wait_for
from tests.support.visitor import expect_problem, reach, visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]


def heading(page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def test_from_the_mail_to_changed_times_by_keyboard_and_without_scripts(browser, site, smtp, mail_worker):
    asked = consultation()
    wait_for(lambda: any(mail["To"] == "ada@example.com" for mail in smtp.messages), what="the mail")
    [mail] = [mail for mail in smtp.messages if mail["To"] == "ada@example.com"]
    address = re.search(r"(/request/\S+)", text_of(mail)).group(1)
    with visitor(browser, site, viewport={"width": 320, "height": 640}, java_script_enabled=False) as patient:
        page = patient.page
        patient.open(address)
        reach(page, "#id_email")
        page.keyboard.type("ada@example.com")
        page.keyboard.press("Enter")
        heading(page, "Your request")
        expect(page.get_by_text("a•••@example.com")).to_be_visible()
        reach(page, "button >> text=Change the times to call")
        page.keyboard.press("Enter")
        heading(page, "Change the times to call")
        reach(page, page.get_by_label("Wednesday"))
        page.keyboard.press("Space")
        reach(page, page.get_by_label("Afternoon"))
        page.keyboard.press("Space")
        reach(page, "#times-continue")
        page.keyboard.press("Enter")
        heading(page, "Check the times to call")
        reach(page, "button >> text=Save the new times")
        page.keyboard.press("Enter")
        heading(page, "Your new times are saved")
        expect(page.get_by_text("Wednesday afternoon")).to_be_visible()
        page.reload()
        heading(page, "Your new times are saved")
        # What was saved is not asked about again.
        patient.expect_to_go_back_and_forward("Your request", "Change the times to call", "Your new times are saved")
        patient.expect_clean(receipt=True)
    asked.refresh_from_db()
    assert asked.call_slots == slot_bit(2, 1)
    assert asked.events.filter(kind=EventKind.TIMES).count() == 1


def test_every_state_is_accessible_and_fits_a_small_screen(browser, site):
    asked = consultation()
    with visitor(browser, site, viewport={"width": 320, "height": 640}) as patient:
        page = patient.page

        def look_at(words: str):
            heading(page, words)
            patient.expect_accessible()
            patient.expect_no_sideways_scrolling()

        def press(words: str):
            page.get_by_role("button", name=words).click()

        patient.open(reverse("enquiries:manage", args=[links.REQUEST.token(asked)]))
        look_at("Open your request")
        page.get_by_label("Your email address").fill("eve@example.com")
        press("Confirm and open")
        expect_problem(page, "Enter the email address that we sent this link to")
        page.get_by_label("Your email address").fill("ada@example.com")
        press("Confirm and open")
        look_at("Your request")
        press("Change the times")
        look_at("Change the times to call")
        press("Continue")
        look_at("Check the times to call")
        press("Go back")
        press("Add something")
        look_at("Add something")
        press("Continue")
        expect_problem(page, "Write what you would like to add")
        patient.expect_accessible()
        page.get_by_label("What would you like to add?").fill("Since this morning I can't pee.")
        press("Continue")
        look_at("Please read this before you send it")
        press("Send it anyway")
        look_at("Check what you are adding")
        read_first = "Please read this before you send it"
        patient.expect_to_go_back_and_forward("Add something", "Add something", read_first)
        for _ in range(2):
            patient.back()
        expect(page.get_by_label("What would you like to add?")).to_have_value("Since this morning I can't pee.")
        for _ in range(2):
            page.go_forward()
        press("Send it")
        look_at("We have what you added")
        patient.expect_to_go_back_and_forward("Add something", "We have what you added", "We have what you added")
        press("Withdraw my request")
        look_at("Withdraw your request?")
        Enquiry.objects.update(version=99)
        press("Yes, withdraw it")
        look_at("Something changed in the meantime")
        patient.expect_to_go_back_and_forward("Your request", "Withdraw your request?")
        press("See what we have now")
        press("Delete my details")
        look_at("Delete your details?")
        press("Yes, delete my details")
        look_at("Your details are deleted")
        patient.open(reverse("enquiries:manage", args=[links.REQUEST.token(asked)]))
        look_at("This link does not work")
        patient.complaints = [each for each in patient.complaints if "404" not in each and "409" not in each]
        patient.expect_clean()
