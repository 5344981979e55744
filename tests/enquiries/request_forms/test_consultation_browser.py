"""A consultation asked for in a real browser: by keyboard alone, without scripts, on small phones, with real mail."""

import re

import pytest
from playwright.sync_api import expect

from enquiries import clock
from enquiries.mail.worker import Worker
from enquiries.models import Enquiry
from tests.support.accessibility import CLIPPED, CROWDED, patient
from tests.support.visitor import expect_problem, reach

pytestmark = [pytest.mark.browser, pytest.mark.once]


def expect_well_made(met, *, both_schemes: bool = False) -> None:
    met.expect_accessible_in_both_schemes() if both_schemes else met.expect_accessible()
    met.expect_no_sideways_scrolling()
    assert met.page.evaluate(CLIPPED) == []
    assert met.page.evaluate(CROWDED) == []


def expect_heading(page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(words)


def press(page, name: str) -> None:
    reach(page, page.get_by_role("button", name=name, exact=True))
    page.keyboard.press("Enter")


def write(page, label: str, words: str) -> None:
    reach(page, page.get_by_label(label))
    page.keyboard.press("ControlOrMeta+A")
    page.keyboard.type(words)


def choose(page, group: str, answer: str, key: str = "Space") -> None:
    box = page.get_by_role("group", name=re.compile(re.escape(group))).get_by_label(answer, exact=True)
    first = page.get_by_role("group", name=re.compile(re.escape(group))).locator("input").first
    if box.get_attribute("type") == "radio":
        reach(page, first)
        page.keyboard.press("Space")
        if first.get_attribute("value") != box.get_attribute("value"):
            page.keyboard.press("ArrowDown")
    else:
        reach(page, box)
        page.keyboard.press(key)
    expect(box).to_be_checked()


def who(page) -> None:
    choose(page, "Who is this for?", "Me")


def how_to_reach(page) -> None:
    write(page, "Your name", "Ada Example")
    write(page, "Email address", "ada@example")
    choose(page, "How should we contact you?", "Phone")


def phone(page) -> None:
    write(page, "Phone number", "+44 20 7946 0018")
    choose(page, "May we leave a voicemail?", "No")
    choose(page, "May we say who is calling?", "Yes")


def times(page) -> None:
    choose(page, "Which days suit you?", "Tuesday")
    choose(page, "Which times of day?", "Morning")


def back(page) -> None:
    choose(page, "How long have you had it?", "Less than 6 weeks")
    write(page, "Briefly describe your back pain", "Since Tuesday my bottom is numb.")


def unfold(page) -> None:
    reach(page, page.get_by_text("Choose what would help"))
    page.keyboard.press("Enter")


def test_by_keyboard_alone_from_the_form_past_the_card_to_the_confirmation(browser, site):
    """Without scripts: tests/journeys/test_access_keyboard.py. Here axe is one."""
    with patient(browser, site, color_scheme="dark", viewport={"width": 320, "height": 740}) as met:
        page = met.page
        met.open("/consultation/")
        expect_well_made(met)
        for step, heading in (
            (who, "How to reach you"),
            (how_to_reach, "When we phone you"),
            (phone, "A good time for you"),
            (times, "Your back pain"),
            (back, "Please read this before you send it"),
        ):
            step(page)
            press(page, "Continue")
            if step is how_to_reach:
                expect(page.locator(".problem")).to_be_visible()
                expect_problem(page, "Enter an email address in the correct format, like name@example.com")
                expect_well_made(met)
                write(page, "Email address", "ada@example.com")
                press(page, "Continue")
            expect_heading(page, heading)
            expect_well_made(met)
        expect(page.get_by_text("Since Tuesday my bottom is numb.")).to_be_visible()
        press(page, "Go on anyway")
        expect_heading(page, "What helps us talk with you")
        # Back and forward find pages, and what was typed.
        for _ in range(2):
            page.go_back()
        expect(page.get_by_label("Briefly describe your back pain")).to_have_value("Since Tuesday my bottom is numb.")
        for _ in range(2):
            page.go_forward()
        expect_heading(page, "What helps us talk with you")
        unfold(page)
        choose(page, "What would help us talk with you?", "Calls through text relay")
        expect_well_made(met)
        press(page, "Continue")
        expect_heading(page, "Check your answers")
        expect_well_made(met)
        press(page, "Change your times")
        expect_heading(page, "A good time for you")
        # The page opens at the answer that is to be changed.
        assert page.locator(":focus").get_attribute("name") == "consultation-days"
        expect(page.get_by_label("Tuesday")).to_be_checked()
        choose(page, "Which days suit you?", "Friday")
        press(page, "Continue")
        expect_heading(page, "Check your answers")
        assert not Enquiry.objects.exists()
        press(page, "Send my request")
        expect_heading(page, "Request sent")
        expect_well_made(met)
        # The address reveals nothing of who they are or what they wrote, only a signed mark of the advice that they are shown.
        assert re.search(r"/consultation/sent/[\w-]+\.?[\w.:-]*/$", page.url)
        expect(page.get_by_role("heading", name="Call 999 or go to A&E now")).to_be_visible()
        # The browser's back button finds a page, and says that it is sent.
        page.go_back()
        expect_heading(page, "You have sent this")
        page.go_forward()
        expect_heading(page, "Request sent")
        met.expect_clean(receipt=True)
    kept = Enquiry.objects.get()
    assert kept.call_times == ["Tuesday morning", "Friday morning"]
    assert (kept.safety_signs, kept.needs, kept.may_leave_voicemail) == ("RF-E1", "Text relay", False)


def ask_at_the_foot_of_a_sheet(met) -> None:
    page = met.page
    met.open("/fact-sheets/about-back-pain/")
    page.get_by_role("main").locator("summary", has_text="Book a consultation").click()
    page.locator("#consultation").get_by_label("Me", exact=True).check()
    page.locator("#consultation").get_by_role("button", name="Continue").click()
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("Email address").fill("ada@example.com")
    page.get_by_role("group", name=re.compile("How should we contact you")).get_by_label("Email", exact=True).check()
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Briefly describe your back pain").fill("An ache low in my back.")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Continue").click()
    expect_heading(page, "Check your answers")


def test_from_a_sheet_to_the_acknowledgement_and_twice_is_once(browser, site, mail_through):
    with patient(browser, site, viewport={"width": 360, "height": 740}) as met:
        page = met.page
        ask_at_the_foot_of_a_sheet(met)
        page.get_by_role("button", name="Send my request").click()
        expect_heading(page, "Request sent")
        ask_at_the_foot_of_a_sheet(met)
        page.get_by_role("button", name="Send my request").dblclick()
        expect_heading(page, "Request sent")
        met.expect_clean(receipt=True)
    kept = Enquiry.objects.get()
    worker = Worker()
    while worker.run_once():
        pass
    worker.disconnect()
    [acknowledged] = [mail for to, mail in mail_through.received if to == ["ada@example.com"]]
    words = acknowledged.get_body(("plain",)).get_content()
    assert clock.in_words(kept.reply_by, kept.created_at, dated=True) in " ".join(words.split())
    assert "ache" not in words


def test_a_question_past_the_urgent_card(browser, site):
    with patient(browser, site, viewport={"width": 320, "height": 640}) as met:
        page = met.page
        met.open("/question/")
        expect_well_made(met, both_schemes=True)
        page.get_by_label("Your name").fill("Ada Example")
        page.get_by_label("Email address").fill("ada@example.com")
        page.get_by_role("textbox", name="Your question").fill("I had cancer in 2019. Is massage safe for me?")
        page.get_by_role("button", name="Continue").click()
        expect_heading(page, "Please read this before you send it")
        expect_well_made(met, both_schemes=True)
        page.get_by_role("button", name="Change what I wrote").click()
        expect(page.get_by_role("textbox", name="Your question")).to_be_focused()
        page.get_by_role("textbox", name="Your question").fill("Is massage safe for me?")
        page.get_by_role("button", name="Continue").click()
        expect_heading(page, "Check your answers")
        expect_well_made(met, both_schemes=True)
        page.get_by_role("button", name="Send my question").click()
        expect_heading(page, "Question sent")
        page.go_back()
        expect_heading(page, "You have sent this")
        met.expect_clean(receipt=True)
    assert Enquiry.objects.get().safety_signs == ""
