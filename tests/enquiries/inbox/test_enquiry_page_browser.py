"""Two receptionists on one enquiry in real browsers: drafts, what the other one wrote, templates, the keyboard, and few presses."""

import pytest
from playwright.sync_api import expect

from enquiries.models import Enquiry
from tests.conftest import consultation
from tests.support.desk import person, sign_in, with_password, with_second_factor
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]

LIST = "/admin/enquiries/enquiry/"
HALF = "Dear Olu, your first visit takes"


def pulse(page) -> None:
    """What the page does by itself every half minute, and when somebody returns to it."""
    with page.expect_response(lambda answer: "/pulse/" in answer.url):
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_nothing_is_lost_while_two_people_work_and_a_patient_costs_few_presses(browser, site):
    for name in ("Rita", "Robin"):
        with_second_factor(with_password(person(name, "reception")))
    olu = consultation(name="Olu Example", email="olu@example.com")
    consultation(name="Ada Example")
    screen = {"viewport": {"width": 1280, "height": 900}}
    with visitor(browser, site, **screen) as rita, visitor(browser, site, **screen) as robin:
        page, other = rita.page, robin.page
        sign_in(rita, "rita")
        sign_in(robin, "robin")
        # By the keyboard from the list to the patient, and what matters is on the screen.
        rita.open(LIST)
        expect(page).to_have_title("(2) Inbox | Larkfield Back Clinic")
        page.keyboard.press("j")
        assert page.locator(":focus").inner_text() == olu.reference
        page.keyboard.press("Enter")
        for what in ("No answer", "Left a voicemail", "Spoke to them", "Preview", "Save"):
            expect(page.get_by_role("button", name=what, exact=True)).to_be_in_viewport()
        for what in ("020 7946 0018", "Book an appointment", "In their words", "Timeline", "Unassigned"):
            expect(page.get_by_text(what, exact=True).locator("visible=true").first).to_be_in_viewport()
        rita.expect_accessible()

        # A letter leads to the step. What is typed is kept without a press, and a template goes in where she writes.
        page.keyboard.press("r")
        reply = page.get_by_label("Your message")
        expect(reply).to_be_focused()
        with page.expect_response(lambda answer: "/draft/" in answer.url):
            reply.press_sequentially(HALF)
        expect(page.get_by_text("Draft saved at")).to_be_visible()
        with page.expect_response(lambda answer: "/draft/" in answer.url):
            page.get_by_role("button", name="We tried to reach you").click()
        written = reply.input_value()
        assert written.startswith(f"{HALF}\n\n") and "could not reach you" in written

        # Robin comes to the same patient, sees that Rita is writing, and leaves a note.
        robin.open(olu.get_admin_url())
        expect(other.get_by_text("Rita is writing here")).to_be_visible()
        expect(other.get_by_label("Your message")).to_have_value("")
        other.get_by_label("Add a note").fill("Her son rang. She is on holiday.")
        other.get_by_role("button", name="Save", exact=True).click()
        expect(other.get_by_text("Saved.")).to_be_visible()

        # Rita is told while she types, and loses neither a letter nor her place.
        reply.focus()
        pulse(page)
        expect(page.get_by_text("Her son rang. She is on holiday.")).to_be_visible()
        expect(page.get_by_text("Robin is viewing this")).to_be_visible()
        expect(reply).to_be_focused()
        expect(reply).to_have_value(written)
        page.reload()
        expect(page.get_by_label("Your message")).to_have_value(written)

        # One press logs the call, and the reply is still there.
        page.get_by_label("Note of the call (optional)").fill("Rang out.")
        page.get_by_role("button", name="No answer", exact=True).click()
        expect(page.get_by_text("Call logged.")).to_be_visible()
        expect(page.get_by_text("Rita logged a call: No answer")).to_be_visible()
        expect(page.get_by_label("Your message")).to_have_value(written)
        # One press brings the next patient, in the same queue.
        page.get_by_role("button", name="Next in this queue").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Ada Example")
        assert "queue=open" in page.url
        page.keyboard.press("k")
        expect(page.get_by_role("heading", level=1)).to_have_text("Olu Example")

        # The keys can be read, and switched off for those who speak to their computer.
        page.keyboard.press("?")
        page.get_by_label("Use single-letter shortcuts on this computer").uncheck()
        page.get_by_role("heading", level=1).click()
        page.keyboard.press("j")
        expect(page.get_by_role("heading", level=1)).to_have_text("Olu Example")
        rita.expect_clean(cookies=True)
        robin.expect_clean(cookies=True)
    assert Enquiry.objects.get(pk=olu.pk).contact_attempts == 1


def test_without_script_and_on_a_phone_nothing_is_lost_either(browser, site):
    with_password(person("Rita", "reception"))
    olu = consultation(name="Olu Example", email="olu@example.com")
    with visitor(browser, site, viewport={"width": 360, "height": 740}, java_script_enabled=False) as rita:
        page = rita.page
        sign_in(rita, "rita")
        rita.open(olu.get_admin_url())
        expect(page.get_by_role("link", name="020 7946 0018").first).to_be_in_viewport()
        page.get_by_label("Your message").fill(HALF)
        page.get_by_role("button", name="Show what they wrote").click()
        expect(page.get_by_text("An ache low in my back")).to_be_visible()
        expect(page.get_by_label("Your message")).to_have_value(HALF)
        page.get_by_role("button", name="Please phone us").click()
        page.get_by_text("Book an appointment", exact=True).click()
        page.get_by_label("Room or video link").fill("Room 2")
        page.get_by_label("Room or video link").press("Enter")
        expect(page.get_by_text("Draft saved.")).to_be_visible()
        expect(page.get_by_label("Room or video link")).to_have_value("Room 2")
        assert page.get_by_label("Your message").input_value().startswith(f"{HALF}\n\nHello,")
        page.get_by_role("button", name="Discard it").click()
        expect(page.get_by_label("Your message")).to_have_value("")
