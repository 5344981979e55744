"""Each outcome walked in a real browser: on a small phone, by keyboard, without scripts, in both colour schemes."""

import io
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from tests.support.assessment import answer_unseen, page_data
from tests.support.reading import packed
from tests.support.visitor import expect_problem, reach, visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
PHONE = {"width": 360, "height": 740}
SMALL = {"width": 320, "height": 640}


def choose(page, number: int, **given) -> None:
    """Ticks one page's answers as a person does, by their labels' controls."""
    for name, values in page_data(number, **given).items():
        for value in [values] if isinstance(values, str) else values:
            page.check(f"[name={name}][value='{value}']")


def go_on(page, number: int, **given) -> None:
    choose(page, number, **given)
    page.get_by_role("button", name="Continue").click()


def walk(patient, *, each=None, **given) -> None:
    """From the start page to the result. `each` is called on every page on the way."""
    page = patient.page
    patient.open("/check/")
    page.get_by_role("link", name="Start now").click()
    for number in range(1, 13):
        page.wait_for_url(f"**/check/{number}/")
        if each:
            each()
        go_on(page, number, **given)
    page.wait_for_url("**/check/answers/")
    if each:
        each()
    page.get_by_role("button", name="See what we suggest").click()
    page.wait_for_url("**/check/result/")
    if each:
        each()


def heading(page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def paper(page) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download as a PDF").click()
    assert waiting.value.suggested_filename == "my-back-check.pdf"
    reader = PdfReader(io.BytesIO(waiting.value.path().read_bytes()), strict=True)
    return packed("".join(each.extract_text() for each in reader.pages))


def test_every_page_and_state_is_accessible(browser, site):
    """And an error is announced, linked and has the focus."""
    errors = {
        "/check/1/": "Tick each sign that you have, or choose “None of these”",
        "/check/4/": "Choose if a GP, physio or other clinician has checked it",
        "/check/7/": "Choose yes if both shoulders or both hips are stiff, or no",
    }
    with visitor(browser, site, viewport=SMALL) as patient:
        page = patient.page

        def look_at():
            """The pages of the walk differ in their words. Each kind of control is on one of these, and the dark colours."""
            if message := errors.pop(urlsplit(page.url).path, ""):
                page.get_by_role("button", name="Continue").click()
                expect_problem(page, message)
                here = heading(page)
                patient.expect_to_go_back_and_forward(here, here)
            if page.url.endswith(("/stop/", "/2/", "/7/", "/result/")):
                patient.expect_accessible_in_both_schemes()
            elif not page.url.endswith(("/5/", "/6/", "/8/", "/9/", "/11/")):
                patient.expect_accessible()
            patient.expect_no_sideways_scrolling()

        for address in ("/check/", "/check/stop/", "/check/not-sure/", "/check/cleared/", "/check/start-again/"):
            patient.open(address)
            look_at()
        rich = {"age": "60_plus", "first": "yes", "duration": "over_12", "mood": "a_lot", "urgent": ["RF-U4"]}
        walk(patient, each=look_at, **rich, tried=["herbs", "painkillers"], tell=["pregnant"])
        assert not errors
        patient.open("/check/2/")
        page.uncheck("[value=RF-U4]")
        go_on(page, 2)
        page.get_by_role("button", name="See what we suggest").click()
        assert heading(page) == "See a GP about your back"
        look_at()
        patient.open("/check/")
        expect(page.get_by_role("link", name="Carry on")).to_be_visible()
        look_at()
        patient.expect_clean(cookies=True)


def test_emergency_stops_at_once_and_a_slip_can_be_taken_back(browser, site):
    with visitor(browser, site, viewport=PHONE) as patient:
        page = patient.page
        patient.open("/check/")
        page.get_by_role("link", name="Start now").click()
        page.get_by_label("numbness, tingling or changed feeling").check()
        page.get_by_role("button", name="Continue").click()
        assert heading(page) == "Call 999 or go to A&E now"
        call = page.locator("main").get_by_role("link", name="Call 999").first
        assert call.get_attribute("href") == "tel:999"
        assert call.bounding_box()["y"] < PHONE["height"], "The number to call is on the first screen."
        assert "Nobody at the clinic has seen your answers" in page.locator("main").inner_text()
        page.reload()
        assert heading(page) == "Call 999 or go to A&E now"
        patient.back()
        assert page.url.endswith("/check/1/")
        assert page.locator("input:checked").get_attribute("value") == "RF-E1"
        page.uncheck("[value=RF-E1]")
        go_on(page, 1)
        page.wait_for_url("**/check/2/")
        page.get_by_role("button", name="Clear my answers").click()
        page.wait_for_url("**/check/cleared/")
        patient.expect_clean()


def test_a_second_tab_cannot_take_a_sign_away_without_asking(browser, site):
    """An emergency's. The other signs: test_assessment_ways_out.py."""
    with visitor(browser, site, viewport=PHONE) as patient:
        first = patient.page
        patient.open("/check/1/")
        second = patient.context.new_page()
        second.goto("/check/1/")
        first.check("[value=RF-E1]")
        first.get_by_role("button", name="Continue").click()
        first.wait_for_url("**/check/stop/")
        go_on(second, 1)  # "None of these"
        assert second.url.endswith("/check/1/")
        asked = second.locator(".problem")
        assert asked.evaluate("element => element === document.activeElement")
        assert "You gave two different answers" in asked.inner_text()
        assert "None of these" in asked.inner_text()
        assert second.locator("[value=RF-E1]").is_checked()
        assert not second.locator("[value=none]").is_checked()
        patient.page = second
        patient.expect_accessible()
        patient.expect_no_sideways_scrolling()
        # Pressing the button again keeps the sign; the back button may still change it.
        second.get_by_role("button", name="Continue").click()
        second.wait_for_url("**/check/stop/")
        patient.back()
        second.wait_for_url("**/check/1/")
        second.uncheck("[value=RF-E1]")
        go_on(second, 1)
        second.wait_for_url("**/check/2/")
        assert all("?" not in address for address in patient.requests if "/check/" in address)


def test_urgent_from_the_start_to_the_pdf(browser, site):
    with visitor(browser, site, viewport=PHONE) as patient:
        page, notes = patient.page, []

        def read_note():
            notes.append(" ".join(page.locator("main .note").all_inner_texts()))

        walk(patient, each=read_note, urgent=["RF-U4", "RF-U5"], mood="a_lot")
        assert [("should be checked today" in note) for note in notes] == [False, False] + [True] * 11 + [False]
        assert [("Samaritans" in note) for note in notes[:13]] == [False] * 10 + [True] * 3
        assert heading(page) == "Ask for an urgent GP appointment or call 111 today"
        main = page.locator("main").inner_text()
        assert "Please be seen first." in main
        assert "Samaritans" in main
        assert not page.locator("main").get_by_role("link", name="Book a consultation").count()
        assert packed("You must be seen the same day; go to A&E if you cannot be.") in paper(page)
        patient.back()
        page.wait_for_url("**/check/answers/")
        patient.expect_clean(cookies=True)


def test_see_a_gp_to_the_pdf_and_a_change_on_the_way(browser, site):
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as patient:
        page = patient.page
        answer_unseen(patient, age="60_plus", first="yes", tried=["bed_rest"])
        assert heading(page) == "See a GP about your back"
        assert "(Rule D4)" in page.locator("main").inner_text()
        assert packed("Staying active is better.") in paper(page)
        patient.open("/check/answers/")
        page.get_by_role("link", name="Change your answer to question 3").click()
        assert page.locator("[value='60_plus']").is_checked()
        page.check("[name=first][value=no]")
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url("**/check/answers/")
        page.get_by_role("button", name="See what we suggest").click()
        assert heading(page) == "You can look after your back at home for now"
        page.set_viewport_size(SMALL)
        patient.expect_accessible()
        page.get_by_role("button", name="Clear my answers").click()
        page.wait_for_url("**/check/cleared/")
        patient.expect_clean()


def test_self_care_by_keyboard_alone_and_without_scripts(browser, site):
    with visitor(browser, site, viewport=PHONE, java_script_enabled=False) as patient:
        page = patient.page
        patient.open("/check/")
        reach(page, "main a.button[href='/check/1/']")
        page.keyboard.press("Enter")
        for number in range(1, 13):
            page.wait_for_url(f"**/check/{number}/")
            for name, values in page_data(number).items():
                if isinstance(values, str):
                    # One stop for a group of radios, and the arrows inside it: the first answer is above the wanted one.
                    reach(page, f"[name={name}]")
                    page.keyboard.press("Space")
                    for _ in range(8):
                        if page.locator(f"[name={name}][value='{values}']").is_checked():
                            break
                        page.keyboard.press("ArrowDown")
                    assert page.locator(f"[name={name}][value='{values}']").is_checked()
                for value in [] if isinstance(values, str) else values:
                    reach(page, f"[name={name}][value='{value}']")
                    page.keyboard.press("Space")
            reach(page, "#go-on")
            page.keyboard.press("Enter")
        page.wait_for_url("**/check/answers/")
        reach(page, "main button >> text=See what we suggest")
        page.keyboard.press("Enter")
        page.wait_for_url("**/check/result/")
        assert heading(page) == "You can look after your back at home for now"
        patient.expect_clean(cookies=True)


def test_back_goes_through_the_questions_with_the_answers_still_there(browser, site):
    with visitor(browser, site) as patient:
        page = patient.page
        patient.open("/check/1/")
        for number in range(1, 6):
            go_on(page, number, urgent=["RF-U9"], age="45_54", reach="thigh")
        for number in (5, 4, 3, 2):
            patient.back() if number > 3 else page.get_by_role("link", name="‹ Back").click()
            page.wait_for_url(f"**/check/{number}/")
            for values in page_data(number, urgent=["RF-U9"], age="45_54", reach="thigh").values():
                for value in [values] if isinstance(values, str) else values:
                    assert page.locator(f"[value='{value}']:checked").count()
