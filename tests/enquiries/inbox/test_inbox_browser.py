"""A receptionist's morning in a real browser, with real mail, on a desk and on a phone."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from enquiries.models import Enquiry, slot_bit
from tests.conftest import consultation, give_signs
from tests.support.desk import person, sign_in, with_password, with_second_factor
from tests.support.inbox import book_past, open_day
from tests.support.outbox import text_of
from tests.support.smtp import wait_for
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]


# Buttons whose words are wider than they are.
SPILT = """() => [...document.querySelectorAll("button")].filter(each =>
    each.checkVisibility() && !each.matches(".visually-hidden") && each.scrollWidth > each.clientWidth)
    .map(each => each.innerText)"""


def patients() -> tuple[Enquiry, Enquiry]:
    warned = consultation(name="Wendy Example", email="wendy@example.com")
    give_signs(Enquiry.objects.filter(pk=warned.pk))
    other = consultation(name="Olu Example", email="olu@example.com", phone="+442079460019")
    Enquiry.objects.filter(pk=other.pk).update(
        call_slots=slot_bit(2, 1), may_leave_voicemail=False, may_say_who_calls=True
    )
    return warned, other


def test_a_morning_from_the_first_call_to_the_booking(browser, site, smtp, mail_worker):
    with_second_factor(with_password(person("Rita", "reception")))
    _, other = patients()
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as desk:
        page = desk.page
        sign_in(desk, "rita")
        desk.open("/admin/enquiries/enquiry/")
        desk.expect_accessible()
        desk.open("/admin/enquiries/enquiry/?q=olu")
        page.get_by_role("link", name="Olu Example").click()
        expect(page.get_by_text("Do not leave a voicemail.").locator("visible=true")).to_be_visible()
        page.get_by_role("button", name="No answer").click()
        wednesday = re.compile(r"Call logged\. Try again at midday (on Wednesday|tomorrow|today)")
        expect(page.get_by_text(wednesday)).to_be_visible()

        page.get_by_role("button", name="We tried to reach you").click()
        page.get_by_role("button", name="Preview").click()
        expect(page.get_by_text("Nothing has been sent yet.")).to_be_visible()
        desk.expect_accessible()
        page.get_by_role("button", name="Send it").click()
        expect(page.get_by_text("Reply sent.")).to_be_visible()
        wait_for(
            lambda: any("could not reach you" in text_of(mail) for mail in smtp.messages),
            seconds=20,
            what="the reply in the patient's mailbox",
        )

        page.get_by_text("Book an appointment", exact=True).click()
        page.get_by_label("Day", exact=True).fill(open_day().isoformat())
        page.get_by_label("Time", exact=True).fill("10:30")
        page.get_by_role("button", name="Book and email the patient").click()
        expect(page.get_by_text("Booked. Confirmation emailed.")).to_be_visible()
        wait_for(lambda: any("10:30am" in text_of(mail) for mail in smtp.messages), what="the appointment's mail")
        # After the handover it is assigned to somebody else.
        sam = person("Sam", "clinician")
        page.reload()
        page.get_by_label("Assigned to").select_option(value=str(sam.pk))
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Assigned to Sam").first).to_be_visible()
    other.refresh_from_db()
    assert (other.status, other.owner.username) == ("booked", "sam")


def test_the_inbox_on_a_phone_in_the_dark(browser, site):
    with_password(person("Rita", "reception"))
    warned, other = patients()
    with visitor(browser, site, viewport={"width": 360, "height": 740}, color_scheme="dark") as desk:
        sign_in(desk, "rita")
        book_past(other, timezone.now() - timedelta(hours=1))
        diary = "/admin/enquiries/enquiry/appointments/"
        pages = [warned.get_admin_url(), other.get_admin_url(), f"{diary}?show=outcome", f"{diary}calendar/"]
        for path in ("/admin/enquiries/enquiry/", "/admin/enquiries/enquiry/?queue=overdue", *pages):
            desk.open(path)
            desk.expect_accessible()
            desk.expect_no_sideways_scrolling()
        # A little less than 320: many a phone's face is wider than that of the tests.
        desk.page.set_viewport_size({"width": 300, "height": 740})
        desk.open(other.get_admin_url())
        assert desk.page.evaluate(SPILT) == []
        desk.page.set_viewport_size({"width": 768, "height": 900})
        desk.open("/admin/enquiries/enquiry/")
        desk.expect_accessible()
        wide = desk.page.locator(".results").evaluate("box => box.scrollWidth - box.clientWidth")
        assert wide <= 0, f"On a tablet {wide} px of the list are out of sight."
