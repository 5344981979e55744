"""The report, from the result of the self-assessment to "Delete my data now", in a real browser and over real mail."""

import io
import re

import pytest
from playwright.sync_api import expect
from pypdf import PdfReader

from enquiries.models import Assessment, Enquiry, PrivateLink
from tests.enquiries.assessment.test_assessment_browser import PHONE, SMALL, heading
from tests.journeys.test_access_keyboard import Keys
from tests.journeys.test_access_keyboard import patient as without_motion
from tests.support.assessment import answer_unseen
from tests.support.outbox import text_of
from tests.support.reading import packed
from tests.support.smtp import wait_for
from tests.support.visitor import expect_problem, reach, visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
GP = "See a GP about your back"


def link_in(smtp) -> str:
    def links():
        return [
            found.group(1) for mail in smtp.messages if (found := re.search(r"(/report/summary/\S+)", text_of(mail)))
        ]

    wait_for(links, what="the report's mail")
    return links()[-1]


def fill(page, *, answers: str = "") -> None:
    page.get_by_label("Which fact sheet would you like?").select_option(label="About back pain")
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("Email address").fill("ada@example.com")
    if answers:
        page.get_by_label(answers).check()


def send(page) -> None:
    page.get_by_role("button", name="Send me the fact sheet").click()
    page.wait_for_url("**/report/sent/**")


def test_a_report_with_the_answers_from_the_result_to_the_deletion(browser, site, smtp, mail_worker):
    """The other outcomes: tests/enquiries/assessment/test_personal_pdf.py. The looks: the test of every state below."""
    with visitor(browser, site, viewport=PHONE) as patient:
        page = patient.page
        answer_unseen(patient, age="60_plus", first="yes")
        assert heading(page) == GP
        page.get_by_role("link", name="Email me a fact sheet").click()
        fill(page, answers="Yes, also send me a link")
        send(page)
        expect(page.get_by_text("ada@example.com").first).to_be_visible()
        patient.expect_clean(cookies=True)

    # The mail is read somewhere else, by a browser that holds nothing.
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as reader:
        page = reader.page
        reader.open(link_in(smtp))
        assert GP not in page.content()
        page.get_by_label("Your email address").fill("eve@example.com")
        page.get_by_role("button", name="Confirm and open my report").click()
        expect_problem(page, "Enter the email address that we sent this link to")
        reader.expect_accessible()
        page.get_by_label("Your email address").fill("Ada@Example.com")
        page.get_by_role("button", name="Confirm and open my report").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(GP)
        expect(page.get_by_text("Prepared for Ada Example")).to_be_visible()
        for button in ("Download as a PDF", "Download in large print"):
            with page.expect_download() as waiting:
                page.get_by_role("button", name=button).click()
            paper = PdfReader(io.BytesIO(waiting.value.path().read_bytes()), strict=True)
            assert packed(GP) in packed("".join(each.extract_text() for each in paper.pages[:3]))
        page.get_by_role("button", name="Delete my data now").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Delete your details?")
        reader.expect_to_go_back_and_forward(GP, GP)
        page.get_by_role("button", name="Yes, delete my data").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your report is deleted")
        reader.expect_accessible()
        assert reader.open(link_in(smtp)).status == 410
        reader.expect_accessible()
        reader.complaints = [each for each in reader.complaints if "410" not in each]
        reader.expect_clean()
    assert not Assessment.objects.exists()
    assert Enquiry.objects.get().email == ""


def test_after_an_emergency_there_is_nothing_to_include(browser, site):
    with visitor(browser, site, viewport=PHONE) as patient:
        page = patient.page
        patient.open("/check/1/")
        page.get_by_label("numbness, tingling or changed feeling").check()
        page.get_by_role("button", name="Continue").click()
        page.wait_for_url("**/check/stop/")
        assert not page.locator("main").get_by_role("link", name="Email me a fact sheet").count()
        patient.open("/report/")
        assert not page.get_by_text("Include my answers?").count()
        patient.expect_clean(cookies=True)


def test_by_keyboard_alone_and_without_scripts_from_the_foot_of_a_sheet(browser, site, smtp, mail_worker):
    with visitor(browser, site, viewport=PHONE, java_script_enabled=False) as patient:
        page = patient.page
        answer_unseen(patient)
        patient.open("/fact-sheets/posture-and-lifting/")
        # A reader's own way to the foot is tests/journeys/test_access_keyboard.py.
        page.locator("summary", has_text="Email me this sheet").focus()
        page.keyboard.press("Enter")
        reach(page, "#id_report-name")
        page.keyboard.type("Ada Example")
        reach(page, "#id_report-email")
        page.keyboard.type("ada@example.com")
        reach(page, "#report-send")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("One more question")
        reach(page, "[name=report-include_answers]")
        page.keyboard.press("ArrowDown")
        assert page.locator("[name=report-include_answers][value=yes]").is_checked()
        reach(page, "#report-send")
        page.keyboard.press("Enter")
        page.wait_for_url("**/report/sent/")
        patient.open(link_in(smtp))
        reach(page, "#id_email")
        page.keyboard.type("ada@example.com")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_have_text("You can look after your back at home for now")
        reach(page, "main button >> text=Delete my data now")
        page.keyboard.press("Enter")
        reach(page, "main button >> text=Yes, delete my data")
        page.keyboard.press("Enter")
        page.wait_for_url("**/report/summary/deleted/")


def test_every_state_fits_small_screens_and_both_schemes(browser, site, smtp, mail_worker):
    with visitor(browser, site, viewport=SMALL) as patient:
        page = patient.page

        def look_at(*, both_schemes: bool = False):
            """What is drawn on these pages only, in the dark too: the crisis card, an error, and the person's own report."""
            if both_schemes:
                patient.expect_accessible_in_both_schemes()
            else:
                patient.expect_accessible()
            patient.expect_no_sideways_scrolling()

        answer_unseen(
            patient, age="60_plus", first="yes", tried=["herbs", "painkillers"], tell=["pregnant"], mood="a_lot"
        )
        patient.open("/report/")
        look_at()
        page.get_by_role("button", name="Send me the fact sheet").click()
        expect_problem(page, "Enter your name")
        look_at(both_schemes=True)
        fill(page, answers="Yes, also send me a link")
        page.get_by_role("button", name="Send me the fact sheet").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You do not have to manage alone")
        look_at(both_schemes=True)
        send(page)
        look_at()
        patient.open(link_in(smtp))
        look_at()
        page.get_by_label("Your email address").fill("ada@example.com")
        page.get_by_role("button", name="Confirm and open my report").click()
        expect(page.get_by_text("Prepared for")).to_be_visible()
        look_at(both_schemes=True)
        page.get_by_role("button", name="Delete my data now").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Delete your details?")
        look_at()
        name = link_in(smtp).partition("-")[2].partition(".")[0]
        PrivateLink.objects.create(enquiry=Enquiry.objects.get(), name=name, wrong_tries=10)
        patient.open(link_in(smtp))
        expect(page.get_by_role("heading", level=1)).to_have_text("This link is blocked")
        look_at()


def test_on_a_small_phone_every_state_can_be_reached_by_keyboard_and_read(browser, site):
    with without_motion(browser, site, viewport={"width": 360, "height": 740}) as met:
        keys, page = Keys(met), met.page

        def press(what: str):
            keys.reach(f"main {what}")
            page.keyboard.press("Enter")

        def look(said: str, *, again: bool = False):
            """`again`: it differs in words only from a page that axe has seen."""
            expect(page.locator("main")).to_contain_text(said)
            met.expect_no_sideways_scrolling()
            if not again:
                met.expect_accessible()

        def retype(words: str):
            page.locator("main [name=email]").focus()
            page.keyboard.press("ControlOrMeta+A")
            page.keyboard.type(words)
            press("#change")

        met.open("/report/?sheet=about-back-pain")
        page.locator("main [name=report-name]").focus()
        keys.type("report", name="Ada Example", email="ada@gmial.com")
        press("button >> text=Send me the fact sheet")
        look("We are sending it to ada@gmial.com.")
        press("button >> text=Yes, send it to ada@gmail.com instead")
        look("We are sending it to ada@gmail.com.", again=True)
        press("a >> text=Change the address")
        look("Where should it go instead?")
        retype("ada@")
        page.wait_for_selector(".problem:focus")
        expect_problem(page, "Enter an email address in the correct format, like name@example.com")
        look("There is a problem")
        retype("a.long.name.for.a.small.phone@department.of.long.names.example.com")
        look("We are sending it to a.long.name.for.a.small.phone@department.of.long.names.example.com.")
        press("button >> text=Send it again")
        page.wait_for_selector(".problem:focus")
        look("Please wait a moment")
        press("a >> text=Change the address")
        look("Where should it go instead?", again=True)
        retype("ada@example.com")
        look("We cannot send it again from this page.", again=True)
        met.complaints = [words for words in met.complaints if "status of 429" not in words]
        met.expect_clean(cookies=True)
        assert [(each["name"], each["path"]) for each in met.context.cookies()] == [("sent", "/report/")]
    assert Enquiry.objects.get().email == "ada@example.com"
