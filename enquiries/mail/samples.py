"""A text as its reader would get it, with invented details, for the page where its wording is edited."""

import re
from collections.abc import Mapping
from datetime import datetime, time, timedelta

from django.conf import settings
from django.core.mail import get_connection
from django.utils import timezone

from enquiries.clock import in_words
from enquiries.mail import emails, wordings
from enquiries.mail.replies import HIDDEN, Preview
from enquiries.mail.wordings import WORDINGS, Block, Link, Value, linked
from enquiries.models import Appointment, Channel, Enquiry, EnquiryKind, OutgoingMessage, Purpose
from enquiries.opening_hours import LONDON
from enquiries.templatetags.moments import moment
from factsheets.models import FactSheet
from factsheets.review_notifications import ReviewStep

PURPOSES = {
    "report": Purpose.REPORT,
    "consultation_acknowledgement": Purpose.ACKNOWLEDGEMENT,
    "question_acknowledgement": Purpose.ACKNOWLEDGEMENT,
    "booking": Purpose.BOOKING,
    "booking_changed": Purpose.BOOKING,
    "booking_reminder": Purpose.BOOKING_REMINDER,
    "cancelled_by_clinic": Purpose.CANCELLATION,
    "cancelled_by_patient": Purpose.CANCELLATION,
    "new_link": Purpose.NEW_LINK,
    "reply": Purpose.REPLY,
    "clinic_alert": Purpose.CLINIC_ALERT,
    "urgent_alert": Purpose.CLINIC_ALERT,
    "change_alert": Purpose.CHANGE_ALERT,
    "digest": Purpose.DIGEST,
    "abuse_alarm": Purpose.ABUSE_ALARM,
    "review_reminder": Purpose.REVIEW_REMINDER,
    "sheet_review": Purpose.SHEET_REVIEW,
    "invitation": Purpose.INVITATION,
    "password_reset": Purpose.PASSWORD_RESET,
    "test_message": Purpose.CLINIC_ALERT,  # is sent at once, and has no purpose of its own
}
TO = "patient@example.com"
STOPPABLE = {Purpose.REPORT, Purpose.ACKNOWLEDGEMENT}
WITH_A_BUTTON = {Purpose.ACKNOWLEDGEMENT, Purpose.NEW_LINK}  # to patients
WORDS = "Hello Sam,\n\nthank you for your question. This is what a member of staff wrote."


def email(key: str, parts: Mapping[str, str]) -> Preview:
    """The whole email. `parts` must have no mistakes (`wordings.mistakes`)."""
    private = f"{settings.BASE_URL}/{HIDDEN}/"
    purpose = PURPOSES[key]
    message = OutgoingMessage(purpose=purpose, enquiry=Enquiry(kind=EnquiryKind.CONSULTATION))
    context = {"stop": private} if purpose in STOPPABLE else {}
    if purpose == Purpose.REPORT:
        context["delete"] = private
    connection = get_connection("django.core.mail.backends.dummy.EmailBackend")
    values = _values_for_staff(key, private) if WORDINGS[key].to_staff else _values(private)
    if purpose in WITH_A_BUTTON:
        values["link"] = Link(private, is_button=True)
    mail = emails.letter(message, connection, key, values, to=TO, parts=parts, **context)
    return Preview.of(mail)


def fixed(key: str) -> str:
    """What the system adds to an email, as plain text before and after the clinic's own words."""
    parts = {name: "[your " + name + "]" for name in WORDINGS[key].default}
    return email(key, parts).text


def page(key: str, parts: Mapping[str, str]) -> wordings.Filled:
    confirmation = "We will email you to confirm that we have it."
    values = {"reply time": _reply_time(), "confirmation": confirmation, "which": "request"}
    return wordings.filled(key, values, parts)


FILLED_IN = {
    "name": "Sam Patient",
    "reference": "ABCD-EFGH",
    "appointment": "10:30am on Monday 30 November, by phone",
    "promise": "by 5pm on Tuesday 1 December",
    "sheet": "“About back pain”",
}


def reply(subject: str, text: str) -> Preview:
    """A reply template, in the email that it becomes."""

    def put_in(found: re.Match[str]) -> str:
        known = FILLED_IN | wordings.everywhere()
        return str(known.get(found[1].lower(), found[0]))

    said = wordings.PLACEHOLDER.sub(put_in, text)
    private = f"{settings.BASE_URL}/{HIDDEN}/"
    message = OutgoingMessage(purpose=Purpose.REPLY, enquiry=Enquiry(kind=EnquiryKind.CONSULTATION))
    values: dict[str, Value] = {"message": Block(said, linked(said)), "link": Link(private)}
    connection = get_connection("django.core.mail.backends.dummy.EmailBackend")
    subject = wordings.PLACEHOLDER.sub(put_in, subject)
    return Preview.of(emails.letter(message, connection, "reply", values, to=TO, subject=subject))


def _values(private: str) -> dict[str, Value]:
    sheet = FactSheet.objects.published().first() or FactSheet(title="About back pain", slug="about-back-pain")
    starts_at = _at(7, time(10, 30))
    booked = Appointment(starts_at=starts_at, minutes=30, channel=Channel.PHONE)
    before = Appointment(starts_at=starts_at - timedelta(days=1))
    return {
        **emails.values_of_report(sheet, private),
        **emails.values_of_appointment(booked, manage=private, no_reminder=private),
        "what changed": emails.what_changed(before, booked),
        "reply time": _reply_time(),
        "time": moment(starts_at),
        "link": Link(private),
        "message": Block(WORDS, linked(WORDS)),
    }


def _values_for_staff(key: str, private: str) -> dict[str, Value]:
    today = timezone.localdate()
    if key == "digest":
        return emails.values_of_digest(today, [("new", "New", 3), ("chase", "To chase", 1)])
    sheet = FactSheet.objects.published().first() or FactSheet(pk=0, title="About back pain", slug="about-back-pain")
    if key == "review_reminder":
        sheet.review_due_on = today + timedelta(days=30)
        return emails.values_of_reminder(sheet, today)
    if key == "sheet_review":
        step = ReviewStep(
            permission="",
            title=sheet.title,
            what="this fact sheet",
            actor="Sam Clinician",
            is_sent=True,
            is_back=False,
            note="",
            address=f"/{HIDDEN}/",
            sheet=sheet,
        )
        return emails.values_of_step(step)
    return {
        "reference": "ABCD-EFGH",
        "number": "12",
        "code": "123 456",
        "role": "reception",
        "until": moment(_at(1, time(10, 30))),
        "username": TO.replace("patient", "nora"),
        "link": Link(private, is_button=True),
    }


def _reply_time() -> str:
    return f"We will reply {in_words(_at(2, time(17)), timezone.now(), dated=True)}."


def _at(days: int, clock: time) -> datetime:
    return datetime.combine(timezone.localdate() + timedelta(days=days), clock, LONDON)
