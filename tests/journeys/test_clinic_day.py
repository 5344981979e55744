"""The clinic's whole day in a real browser, with a real web server, a real mail worker and a real SMTP server."""

from io import BytesIO, StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from playwright.sync_api import expect
from pypdf import PdfReader

from enquiries.models import Enquiry, Status
from tests.support.smtp import wait_for
from tests.support.visitor import expect_problem, visitor

pytestmark = pytest.mark.browser

PASSWORD = "a long demo password"


@pytest.fixture
def reception(site):
    call_command("demo", stdout=StringIO())
    Enquiry.objects.filter(status=Status.BOOKED).update(status=Status.NEW, appointment=None)
    Enquiry.objects.all().delete()
    user = User.objects.get(username="reception")
    user.set_password(PASSWORD)
    user.save()
    return user


def mail_to(smtp, address: str):
    def arrived():
        return next((mail for rcpt, mail in smtp.received if address in rcpt), None)

    return wait_for(arrived, what=f"mail to {address}")


def test_a_patient_reads_and_asks_and_staff_answer(browser, site, reception, smtp, mail_worker):
    with visitor(browser, site, viewport={"width": 360, "height": 740}) as patient:
        page = patient.page
        patient.open("/")
        page.get_by_role("link", name="Fact sheets").first.click()
        page.get_by_role("link", name="Acupuncture for back pain").first.click()
        assert page.get_by_role("heading", level=1).inner_text() == "Acupuncture for back pain"
        expect(page.get_by_text("Call 999").first).to_be_visible()

        page.locator("summary", has_text="Email me this sheet").click()
        report = page.locator("#report")
        report.get_by_label("Your name").fill("Ada Example")
        report.get_by_label("Email address").fill("ada@example.com")
        report.get_by_role("button", name="Send me the fact sheet").click()
        page.wait_for_url("**/report/sent/")

        patient.open("/fact-sheets/acupuncture-for-back-pain/")
        page.get_by_role("main").locator("summary", has_text="Book a consultation").click()
        booking = page.locator("#consultation")
        booking.get_by_label("Me", exact=True).check()
        booking.get_by_role("button", name="Continue").click()
        page.get_by_label("Your name").fill("Ada Example")
        page.get_by_label("Email address").fill("ada@example.com")
        page.get_by_role("button", name="Continue").click()
        # Something is missing: nothing that was typed is lost.
        assert page.url.endswith("/consultation/contact/")
        expect_problem(page, "Choose how we should contact you")
        assert page.get_by_label("Your name").input_value() == "Ada Example"
        page.get_by_label("Phone", exact=True).check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Phone number").fill("020 7946 0018")
        page.get_by_role("group", name="May we leave a voicemail?").get_by_label("No").check()
        page.get_by_role("group", name="May we say who is calling?").get_by_label("Yes").check()
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Tuesday").check()
        page.get_by_label("Anything else about times").fill("Weekday mornings")
        page.get_by_role("button", name="Continue").click()
        page.get_by_label("Briefly describe your back pain").fill("An ache low in my back for two months.")
        page.get_by_role("button", name="Continue").click()
        page.get_by_role("button", name="Continue").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
        page.get_by_role("button", name="Send my request").click()
        page.wait_for_url("**/consultation/sent/*/")
        assert "We will reply by" in page.inner_text("main")
        patient.expect_clean(receipt=True)

    def with_the_sheet():
        return [mail for to, mail in smtp.received if "ada@example.com" in to and list(mail.iter_attachments())]

    [mail] = wait_for(with_the_sheet, what="the mail with the sheet")
    [attachment] = mail.iter_attachments()
    pdf = PdfReader(BytesIO(attachment.get_content()))
    text = " ".join(" ".join(page.extract_text() for page in pdf.pages).split())
    assert "Acupuncture for back pain" in text
    assert "Call 999" in text
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert pdf.trailer["/Root"]["/Lang"].lower().startswith("en")
    assert "/StructTreeRoot" in pdf.trailer["/Root"]

    alert = mail_to(smtp, "inbox@example.com")
    booked = Enquiry.objects.get(kind="consultation")
    body = alert.get_body(("plain",)).get_content()
    assert booked.reference in body
    assert "Ada" not in alert.as_string()
    assert "ache" not in alert.as_string()

    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as desk:
        page = desk.page
        desk.open(booked.get_admin_url())
        page.get_by_label("Username").fill("reception")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("button", name="Show what they wrote").click()
        expect(page.get_by_text("An ache low in my back for two months.").first).to_be_visible()
        assert "020 7946 0018" in page.inner_text("main")
        page.get_by_label("Status").select_option("in_progress")
        page.get_by_label("Add a note").fill("Rang at ten, no answer.")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved.")).to_be_visible()
        desk.open("/admin/enquiries/enquiry/")
        listed = page.locator("#result_list").inner_text()
        assert "in progress" in listed
        assert "Ada Example" in listed
        page.locator("#result_list").get_by_role("link", name=booked.reference).click()
        timeline = page.locator("ol.timeline").inner_text()
        assert "new → in progress" in timeline
        assert "Rang at ten, no answer." in timeline
        desk.expect_clean(cookies=True)

    booked.refresh_from_db()
    assert booked.status == "in_progress"
    assert Enquiry.objects.get(kind="report").status == "closed", "A delivered report needs nobody."
