"""One warning sign from the public form to the settled flag, with real browsers, server, worker and mail.

A patient ticks nothing and writes one line in the needs box. The clinic gets the urgent mail, reception calls, and for ever after
whoever opens the enquiry reads that it was flagged, what was done, by whom, and how it ended.
"""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from enquiries.models import Enquiry, EventKind
from tests.support.accessibility import patient
from tests.support.desk import person, sign_in, with_password, with_second_factor
from tests.support.outbox import text_of
from tests.support.smtp import wait_for
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]

NUMB = "My bottom is numb and I cannot pee"
AT_THE_WEEKEND = "It came on at the weekend."
DO_NOT_WAIT = "please do not wait for our reply"
CALL_999 = "Call 999 or go to A&E now"


def asks_by_phone(met) -> None:
    """From the empty form past the card to the confirmation."""
    page = met.page
    met.open("/consultation/")
    page.get_by_label("Me", exact=True).check()
    go_on = page.get_by_role("button", name="Continue")
    go_on.click()
    page.get_by_label("Your name").fill("Ada Example")
    page.get_by_label("Email address").fill("ada@example.com")
    page.get_by_label("Phone", exact=True).check()
    go_on.click()
    page.get_by_label("Phone number").fill("020 7946 0018")
    page.get_by_role("group", name="May we leave a voicemail?").get_by_label("No").check()
    page.get_by_role("group", name="May we say who is calling?").get_by_label("Yes").check()
    go_on.click()
    go_on.click()
    page.get_by_label("Briefly describe your back pain").fill(AT_THE_WEEKEND)
    go_on.click()
    page.get_by_text("Choose what would help").click()
    page.get_by_label("Anything else that would help us talk with you").fill(NUMB)
    go_on.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Please read this before you send it")
    expect(page.locator("main")).to_contain_text(NUMB)
    expect(page.locator("main")).to_contain_text(CALL_999)
    page.get_by_role("button", name="Send it anyway").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your answers")
    page.get_by_role("button", name="Send my request").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Request sent")


def expect_advice_before_the_promise(page) -> None:
    said = " ".join(page.locator("main").inner_text().split())
    assert DO_NOT_WAIT in said
    assert said.index(DO_NOT_WAIT) < said.index(CALL_999) < said.index("We will reply")


def mail_to(smtp, address: str):
    found = wait_for(lambda: [mail for mail in smtp.messages if mail["To"] == address], what=f"a mail to {address}")
    assert len(found) == 1, [mail["Subject"] for mail in found]
    return found[0]


def link_in(mail) -> str:
    """The path of the one address in the clinic's mail: the site that the test runs has another host than the settings name."""
    [link] = re.findall(r"https?://\S+/admin/enquiries/\S+", text_of(mail))
    return urlsplit(link).path


def test_a_flagged_request_from_the_form_to_the_settled_flag(browser, site, smtp, mail_worker):
    for name in ("Rita", "Sam"):
        with_second_factor(with_password(person(name, "reception" if name == "Rita" else "clinician")))
    with patient(browser, site, viewport={"width": 360, "height": 740}) as met:
        asks_by_phone(met)
        expect_advice_before_the_promise(met.page)
        met.page.reload()
        expect_advice_before_the_promise(met.page)
        met.expect_accessible()
        met.expect_clean(receipt=True)

    enquiry = Enquiry.objects.get()
    urgent, acknowledged = mail_to(smtp, "inbox@example.com"), mail_to(smtp, "ada@example.com")
    assert urgent["Subject"] == "Urgent: please look now"
    assert enquiry.reference in text_of(urgent)
    assert not [theirs for theirs in ("Ada", "numb", "7946", "RF-") if theirs in urgent.as_string()]
    words = " ".join(text_of(acknowledged).split())
    assert words.index(CALL_999) < words.index("We will reply")

    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as desk:
        page = desk.page
        sign_in(desk, "rita")
        desk.open(link_in(urgent))
        lane = page.get_by_role("region", name="Possible emergency: call now")
        expect(lane).to_be_visible()
        expect(lane.get_by_role("link", name="020 7946 0018")).to_have_attribute("href", "tel:+442079460018")
        expect(lane).to_contain_text("Do not leave a voicemail.")
        expect(lane).to_contain_text("Do not drive yourself")
        expect(lane).to_contain_text("welfare check")
        # Whoever calls needs to read the needs box beforehand; what they wrote about their back is opened knowingly.
        expect(page.get_by_role("region", name="Communication needs")).to_contain_text(NUMB)
        expect(page.locator("body")).not_to_contain_text(AT_THE_WEEKEND)
        desk.expect_accessible()
        lane.get_by_role("button", name="Show what they wrote").click()
        expect(lane).to_contain_text(AT_THE_WEEKEND)
        lane.get_by_label("Who").select_option(label="Sam")
        lane.get_by_role("button", name="Email them now").click()
        expect(page.get_by_text("We are emailing Sam now.")).to_be_visible()
        to_sam = mail_to(smtp, "sam@example.com")
        assert to_sam["Subject"] == "Urgent: please look now"
        assert link_in(to_sam) == link_in(urgent)

        page.get_by_label("Spoke to them", exact=True).check()
        page.get_by_label("Note (optional)").fill("Her son is with her.")
        page.get_by_role("button", name="Save the call").click()
        expect(page.get_by_text("Choose what you told them")).to_be_visible()
        expect(page.get_by_label("Note (optional)")).to_have_value("Her son is with her.")
        expect(page.get_by_label("Spoke to them", exact=True)).to_be_checked()
        page.get_by_label("Told them to call 999").check()
        page.get_by_role("button", name="Save the call").click()
        expect(page.get_by_text("Recorded. Moved out of the safety queue.")).to_be_visible()
        page.get_by_text("Close", exact=True).click()
        page.get_by_label("How did it end?").select_option(label="went elsewhere (999, 111 or a GP)")
        page.get_by_role("button", name="Close enquiry").click()
        expect(page.get_by_text("Closed.", exact=True)).to_be_visible()
        desk.expect_clean(cookies=True)

    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.outcome, enquiry.contact_attempts) == ("closed", "elsewhere", 1)
    assert [event.actor for event in enquiry.events.filter(kind=EventKind.SAFETY)] == ["Rita"]
    assert enquiry.events.get(kind=EventKind.CALLED).note == "Her son is with her."

    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as desk:
        page = desk.page
        sign_in(desk, "sam")
        desk.open("/admin/enquiries/enquiry/?queue=safety")
        expect(page.get_by_text("No open warning signs.")).to_be_visible()
        desk.open("/admin/enquiries/enquiry/?queue=all")
        in_the_list = page.get_by_role("row").filter(has_text="Ada Example")
        for words in ("Was flagged.", "Told them to call 999 or go to A&E now: Rita", "Outcome: went elsewhere"):
            expect(in_the_list).to_contain_text(words)
        page.get_by_role("link", name="Ada Example").click()
        history = page.get_by_role("region", name="Was flagged as a possible emergency")
        for words in (
            "Told them to call 999 or go to A&E now: Rita",
            "Told Sam by email: Rita",
            "Outcome: went elsewhere",
        ):
            expect(history).to_contain_text(words)
        desk.expect_accessible()
