"""What patients see of their request once they have given their address.

No word about their health: a person who got hold of the mail and knows the address, in the same home or at the same work, learns
that somebody asked and when to call, and nothing of why. So what they wrote is only said to be there, and a name, a whole address
and a whole number are not shown at all.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.html import format_html

from enquiries import clock
from enquiries.actions import by_patient
from enquiries.clock import day_words
from enquiries.models import Enquiry, EnquiryKind, Outcome, Status
from enquiries.request_forms.answer_summary import Row
from enquiries.request_forms.consultation import CONTACT_BY

STATUS = {
    Status.NEW: "Received",
    Status.IN_PROGRESS: "In progress",
    Status.WAITING: "Waiting to hear from you",
    Status.BOOKED: "Booked",
    Status.CLOSED: "Closed",
}
ENDED = {
    Outcome.WITHDRAWN: "You withdrew it. We will not contact you about it again, unless we are worried about your health.",
    Outcome.DUPLICATE: "You asked us twice, so we are dealing with your other request.",
}
DOTS = "•••"
YES_NO = {True: "Yes", False: "No", None: "We did not ask you"}


def masked_email(address: str) -> str:
    """a•••@example.com"""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}{DOTS}@{domain}"


def masked_phone(number: str) -> str:
    """•••• 0018, without an extension. Empty for no number."""
    return f"{DOTS}• {number.partition(' ext.')[0][-4:]}" if number else ""


def times(enquiry: Enquiry) -> list[str]:
    said = enquiry.call_times or ["Any time"]
    return [*said, "What you wrote about times (not shown here)"] if enquiry.best_time else said


def appointment(enquiry: Enquiry, now: datetime) -> str:
    """As in "Your appointment is by phone, at 9am tomorrow". Empty if there is none to come."""
    booked = enquiry.appointment
    if booked is None or booked.starts_at < now:
        return ""
    whom = format_html(", with {}", booked.with_whom.linked_line) if booked.with_whom else ""
    return format_html("is {}{}, at {}", booked.get_channel_display(), whom, clock.at_words(booked.starts_at, now))


def next_words(enquiry: Enquiry, now: datetime) -> list[str]:
    """What happens next, in sentences."""
    if enquiry.status == Status.CLOSED:
        return [ENDED.get(enquiry.outcome, "We have closed it.")]
    if to_come := appointment(enquiry, now):
        return [format_html("Your appointment {}.", to_come), "To move it, phone us."]
    if enquiry.status == Status.BOOKED:
        return ["Your appointment time has passed.", "To ask about it, phone us."]
    if enquiry.status == Status.WAITING:
        return ["We have been in touch, and are waiting to hear from you."]
    if enquiry.first_contact_at:
        return ["We have been in touch with you about it."]
    if not enquiry.reply_by:
        return [clock.without_a_time()]
    by = clock.in_words(enquiry.reply_by, now)
    if enquiry.reply_by < now:
        return [f"We said that we would reply {by}. We are sorry that you have not heard from us. Please phone us."]
    return [f"We will reply {by}."]


def rows(enquiry: Enquiry) -> list[Row]:
    now = timezone.now()
    what = "A consultation" if enquiry.kind == EnquiryKind.CONSULTATION else "A question"
    said = [
        Row("What you asked for", [what]),
        Row("When you asked", [day_words(timezone.localdate(enquiry.created_at), timezone.localdate())]),
        Row("Reference", [enquiry.reference]),
        Row("Status", [STATUS[enquiry.status]]),
        Row("What happens next", next_words(enquiry, now)),
        Row("Your email address", [masked_email(enquiry.email)]),
    ]
    if enquiry.phone:
        said.append(Row("Your phone number", [masked_phone(enquiry.phone)]))
    if enquiry.kind == EnquiryKind.CONSULTATION:
        ways = {"phone": enquiry.by_phone, "video": enquiry.by_video, "email": enquiry.by_email}
        said += [
            Row("How we contact you", [CONTACT_BY[way] for way, wanted in ways.items() if wanted]),
        ]
        if enquiry.by_phone or enquiry.by_video:
            said.append(Row("Times to call", times(enquiry)))
        if enquiry.by_phone:
            said.append(Row("May we leave a voicemail?", [YES_NO[enquiry.may_leave_voicemail]]))
    written = ["We have it, but do not show it here, so that nobody else can read it."]
    if many := by_patient.added(enquiry).count():
        written.append(f"You added something {'once' if many == 1 else f'{many} times'}.")
    return [*said, Row("What you wrote", written)]
