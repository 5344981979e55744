"""A Monday at the desk: thirty enquiries, two receptionists and a clinician at once, and the presses counted from the inbox."""

import re
from contextlib import ExitStack, contextmanager

import pytest
from django.utils import timezone
from icalendar import Calendar
from playwright.sync_api import expect

from enquiries.actions import intake
from enquiries.models import Enquiry, EnquiryKind, Outcome, Status
from factsheets.models import FactSheet
from tests.conftest import consultation, report
from tests.support.desk import person, sign_in, with_password, with_second_factor
from tests.support.forms import send
from tests.support.inbox import LIST, flagged, open_day
from tests.support.outbox import deliver, make_due, text_of
from tests.support.visitor import Visitor, visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]

HALF = "Dear Olu, thank you for telling us about"
MADE = 29  # and one more by telephone


def arrive() -> None:
    """Twenty-nine of every kind: what patients sent themselves, and more of the same."""
    sheet = FactSheet.objects.get(slug="about-back-pain")
    flagged(name="Wendy Warned", email="wendy@example.com")
    send("consultation", name="Carol Carer", email="carol@example.com", for_whom="other", their_name="Bert Elsewhere",
         they_are="parent", they_agree="yes")  # fmt: skip
    send("question", name="Quentin Asks", email="quentin@example.com")
    send("report", name="Rhoda Reads", email="rhoda@example.com")
    for number in range(5):
        details = {"name": f"Asks {number}", "email": f"asks{number}@example.com", "phone": "", "best_time": ""}
        details["description"] = f"May I swim on day {number}?"
        intake.accept(intake.Submission(kind=EnquiryKind.QUESTION, details=details))
        report(sheet, name=f"Reads {number}", email=f"reads{number}@example.com")
    for number, name in enumerate(
        ["Olu Adeyemi", "Kwame Mensah-Boateng", "Typo Wrongly", "Book Ahead", "Ring Ring", "Template Tess"]
        + [f"Patient {number}" for number in range(9)]
    ):
        consultation(name=name, email=f"patient{number}@example.com", phone=f"+4420794600{number:02}")
    assert Enquiry.objects.count() == MADE


def round_of_mail() -> None:
    make_due()
    deliver()


class Presses:
    """The presses of one member of staff, from the inbox's first screen. Typing and Enter do not count."""

    def __init__(self, someone: Visitor):
        self.someone, self.page, self.number = someone, someone.page, 0

    def on(self, where) -> None:
        self.number += 1
        where.click()

    def button(self, name: str) -> None:
        self.on(self.page.get_by_role("button", name=name, exact=True))

    def patient(self, name: str) -> None:
        self.on(self.page.locator("#result_list").get_by_role("link", name=name, exact=True))

    def says(self, words: str) -> None:
        expect(self.page.get_by_text(words).first).to_be_visible()


@contextmanager
def presses(someone: Visitor, most: int):
    someone.open(LIST)
    counted = Presses(someone)
    yield counted
    assert counted.number <= most, f"It took {counted.number} presses, and {most} are promised."


def calendar_of(smtp, address: str) -> tuple[str, int, str]:
    """Method, number and beginning in the newest calendar part that this address got."""
    parts = [
        part
        for to, mail in smtp.received
        if to == [address]
        for part in mail.walk()
        if part.get_content_type() == "text/calendar"
    ]
    calendar = Calendar.from_ical(parts[-1].get_content())
    [event] = calendar.walk("VEVENT")
    assert parts[-1].get_param("method") == str(calendar["method"])
    return str(calendar["method"]), int(event["sequence"]), f"{timezone.localtime(event.decoded('dtstart')):%H:%M}"


def close_all(desk: Visitor, outcome: str) -> None:
    """Everything on the list's page, with one outcome."""
    page = desk.page
    desk.open(LIST)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option("close")
    page.locator("button[name=index]").click()
    page.get_by_label("How did it end?").select_option(outcome)
    page.get_by_role("button", name=re.compile(r"Close \d+ enquiries")).click()
    expect(page.locator(".messagelist")).to_contain_text("changed.")


def test_a_monday_ends_with_an_empty_inbox_and_nothing_typed_is_lost(browser, site, mail_through, many_forms):
    for name, role in (("Rita", "reception"), ("Robin", "reception"), ("Clive", "clinician")):
        with_second_factor(with_password(person(name, role)))
    mail_through.refuse_recipients = {"patient2@example.com"}
    arrive()
    round_of_mail()
    assert Enquiry.objects.filter(mail_failed=True).count() == 1
    screen = {"viewport": {"width": 1280, "height": 900}}
    with ExitStack() as desks:
        rita, robin, clive = (desks.enter_context(visitor(browser, site, **screen)) for _ in range(3))
        for someone, name in ((rita, "rita"), (robin, "robin"), (clive, "clive")):
            sign_in(someone, name)

        # Rita begins a long answer, and is called away.
        with presses(rita, 2) as press:
            press.patient("Olu Adeyemi")
            rita.page.get_by_label("Note of the call (optional)").fill("She asked about parking.")
            with rita.page.expect_response(lambda answer: "/draft/" in answer.url):
                rita.page.get_by_label("Your message").fill(HALF)

        # Clive settles the warning sign, which is the first in the list.
        with presses(clive, 4) as press:
            press.patient("Wendy Warned")
            press.says("call now")
            press.on(clive.page.get_by_label("Spoke to them", exact=True))
            press.on(clive.page.get_by_label("Told them to call 999 or go to A&E now"))
            press.button("Save the call")
            press.says("Recorded. Moved out of the safety queue.")

        # Robin takes a call, and writes down what is said.
        page = robin.page
        robin.open(LIST)
        page.get_by_role("link", name="New request").click()
        page.get_by_label("Their name").fill("Grace Telephone")
        page.get_by_label("Phone number").fill("020 7946 0777")
        page.get_by_label("What they said, in their words").fill("My back has ached since I moved house.")
        page.get_by_role("group", name="May we leave a voicemail?").get_by_label("No").check()
        page.get_by_role("group", name="May we say who is calling?").get_by_label("Yes").check()
        page.get_by_label("I read this to them, and they agreed").check()
        page.once("dialog", lambda asks: asks.dismiss())  # a slip
        page.get_by_role("link", name="Back to the inbox").click(no_wait_after=True)
        expect(page.get_by_label("Their name")).to_have_value("Grace Telephone")
        page.get_by_role("button", name="Save", exact=True).click()
        expect(page.get_by_text("Saved as")).to_be_visible()

        with presses(robin, 3) as press:  # a template
            press.patient("Template Tess")
            press.button("Please phone us")
            press.button("Send now")
            press.says("Reply sent.")
            robin.back()  # what was sent is not offered again
            expect(page.get_by_label("Your message")).to_have_value("")
        with presses(robin, 2) as press:  # a call
            press.patient("Ring Ring")
            press.button("No answer")
            press.says("Call logged.")
        with presses(robin, 1) as press:  # the next patient
            robin.open(f"{LIST}?queue=open")
            page.locator("#result_list tbody th a").first.press("Enter")
            first = page.get_by_role("heading", level=1).inner_text()
            press.button("Next in this queue")
            expect(page.get_by_role("heading", level=1)).not_to_have_text(first)
            press.says("2 of ")
        with presses(robin, 1) as press:  # a caller, by a part of the name
            press.on(page.locator("#searchbar"))
            page.locator("#searchbar").fill("boat")
            page.keyboard.press("Enter")
            expect(page.locator("#result_list tbody tr")).to_have_count(1)
            press.says("Kwame Mensah-Boateng")
        with presses(robin, 3) as press:  # an address
            press.patient("Typo Wrongly")
            press.says("An email did not arrive")
            press.button("Correct the address")
            page.get_by_label("Email address", exact=True).fill("typo@example.com")
            press.button("Save")
            press.says("1 email is on the way to the new address.")
            press.says("in All open")  # and she is where she was
        day = open_day()
        with presses(robin, 3) as press:  # an appointment
            press.patient("Book Ahead")
            press.on(page.get_by_text("Book an appointment", exact=True))
            page.get_by_label("Day", exact=True).fill(day.isoformat())
            page.get_by_label("Time", exact=True).fill("10:30")
            press.button("Book and email the patient")
            press.says("Booked. Confirmation emailed.")
        round_of_mail()
        to = mail_through.received
        assert [rcpt for rcpt, _ in to].count(["typo@example.com"]) == 1
        assert any(rcpt == ["patient5@example.com"] and "phone us" in text_of(mail) for rcpt, mail in to)
        assert calendar_of(mail_through, "patient3@example.com") == ("REQUEST", 0, "10:30")

        page.get_by_text("Move or change the appointment", exact=True).click()
        expect(page.get_by_label("Day", exact=True)).to_have_value(day.isoformat())
        page.get_by_label("Time", exact=True).fill("14:00")
        page.get_by_role("button", name="Save and email the patient").click()
        expect(page.get_by_text("Appointment changed.")).to_be_visible()
        round_of_mail()
        assert calendar_of(mail_through, "patient3@example.com") == ("REQUEST", 1, "14:00")
        page.get_by_text("Cancel the appointment", exact=True).click()
        page.get_by_label("The patient", exact=True).check()
        page.get_by_role("button", name="Cancel it and email the patient").click()
        expect(page.get_by_text("Cancelled. The patient is emailed.")).to_be_visible()
        round_of_mail()
        method, number, _ = calendar_of(mail_through, "patient3@example.com")
        assert method == "CANCEL" and number > 1

        # Robin answers the one that Rita was writing to. She comes back, is told, and both her texts are there.
        with presses(robin, 3) as press:
            press.patient("Olu Adeyemi")
            press.button("Please phone us")
            press.button("Send now")
            press.says("Reply sent.")
        page = rita.page
        page.get_by_role("button", name="No answer", exact=True).click()
        expect(page.locator(".errornote")).to_contain_text("Robin replied while you were writing.")
        rita.expect_accessible_in_both_schemes()
        expect(page.get_by_label("Your message")).to_have_value(HALF)
        expect(page.get_by_label("Note of the call (optional)")).to_have_value("She asked about parking.")
        page.get_by_role("button", name="No answer", exact=True).click()
        expect(page.get_by_text("Call logged.")).to_be_visible()
        expect(page.locator("ol.timeline")).to_contain_text("She asked about parking.")
        expect(page.get_by_label("Your message")).to_have_value(HALF)

        # The end of the day. What Rita did not send is still hers to read.
        olu = page.url
        close_all(robin, Outcome.ANSWERED)
        robin.open(LIST)
        expect(robin.page.get_by_role("link", name="All open 0")).to_be_visible()
        expect(robin.page.get_by_text("No open enquiries.")).to_be_visible()
        rita.open(olu)
        expect(page.get_by_text(HALF)).to_be_visible()
        for someone in (rita, robin, clive):
            someone.expect_clean(cookies=True)
    assert Enquiry.objects.count() == MADE + 1
    ended = set(Enquiry.objects.values_list("status", "outcome"))
    assert ended == {(Status.CLOSED, Outcome.ANSWERED), (Status.CLOSED, Outcome.SENT)}
