"""Every email we send, each with a function and a text (`wordings.yaml`) that an owner may change.

A mail that anyone can cause to be sent to anyone holds no text that the sender chose, the name included, and no word about
anybody's health beyond the public sheet's title. Where an enquiry has a warning sign its acknowledgement begins with the standard
advice of that tier, which says "if any of this is true now" and never that somebody wrote so: others may read the mailbox. A
reply holds what a member of staff wrote. The clinic's alert holds a reference and a link. An editor's reminder is about a public
sheet and about no patient.
"""

import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from email.headerregistry import Address
from email.message import Message
from email.mime.base import MIMEBase
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from backcare.core import clinic
from enquiries import abuse, calendar, links, staff_members
from enquiries.actions.appointments import last_told, was_told
from enquiries.actions.outbox import SUMMARY_DAYS, is_digest_wanted, what_waits
from enquiries.clock import day_words, in_words, without_a_time
from enquiries.mail import wordings
from enquiries.mail.wordings import WORDINGS, Block, Link, Value, linked
from enquiries.models import Appointment, AppointmentState, Assessment, Channel, Enquiry, OutgoingMessage, Purpose
from enquiries.request_forms.own_words import advice
from enquiries.templatetags.moments import moment
from factsheets import pictures, publishing_rules, review_notifications, safety
from factsheets.models import ContentVersion, FactSheet
from factsheets.rendering import printed
from factsheets.rendering import sheet as sheets
from factsheets.review_notifications import ReviewStep

T = TypeVar("T")

# A line that nobody can have typed, which marks where the leaflet goes.
LEAFLET = secrets.token_hex(32).encode()

# Emails sent once staff deal with a request. People answer emails even if asked not to, so somebody reads the answers.
FROM_STAFF = {Purpose.REPLY, Purpose.BOOKING, Purpose.CANCELLATION, Purpose.BOOKING_REMINDER, Purpose.NEW_LINK}


class CannotRender(Exception):
    """This message can never be rendered, so a retry will not help. The text holds no personal data."""


class NoLongerNeeded(Exception):
    """The message is out of date, so it is dropped. This is not a failure."""


class Mail(EmailMultiAlternatives):
    """Its HTML shows the clinic's logo from the email itself (RFC 2387), so nobody learns when it is opened."""

    logo: pictures.MailLogo | None = None
    logo_id = ""
    leaflet = b""  # as the email attaches it: `printed.leaflet_for_mail`

    def message(self, **options: Any) -> Any:
        made: Any = super().message(**options)
        for part in made.walk():
            if part.is_multipart():
                # Random, because the library would search all parts for a line that does not occur.
                part.set_boundary(f"=_{secrets.token_hex(20)}")
        if self.logo is not None:
            [whole] = [each for each in made.walk() if each.get_content_type() == "multipart/alternative"]
            for number, part in enumerate(parts := whole.get_payload()):
                if part.get_content_type() == "text/html":
                    parts[number] = self._with_logo(part, self.logo.data)
        if self.leaflet:
            made.as_bytes = partial(self._with_leaflet, made.as_bytes)
        return made

    def _with_leaflet(self, as_bytes: Callable[..., bytes], unixfrom: bool = False, linesep: str = "\n") -> bytes:
        """Puts in the encoded leaflet, because Python's library would encode its thousands of lines again for each email."""
        end = linesep.encode()
        return as_bytes(unixfrom, linesep).replace(LEAFLET + end, self.leaflet.replace(b"\r\n", end), 1)

    def _with_logo(self, html: Message, data: bytes) -> Message:
        related = MIMEMultipart("related", type="text/html")
        image = MIMEImage(data, "jpeg")
        image.add_header("Content-ID", f"<{self.logo_id}>")
        image.add_header("Content-Disposition", "inline", filename="logo.jpg")
        related.attach(html)
        related.attach(image)
        return related


def _leaflet(name: str) -> MIMEBase:
    part = MIMEBase("application", "pdf")
    part["Content-Transfer-Encoding"] = "base64"
    part.add_header("Content-Disposition", "attachment", filename=name)
    part.set_payload(LEAFLET.decode() + "\n")
    return part


def render(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """The email for one outbox row, ready to send. Raises CannotRender or NoLongerNeeded, which are final.

    Whatever else goes wrong (a template, a setting, a key, a database, content not loaded) somebody can fix, and it stops
    every mail alike: so it comes out as it is, and the mail waits.
    """
    if message.is_replaced:
        raise NoLongerNeeded  # it would only repeat the other
    with ContentVersion.held():
        return RENDERERS[message.purpose](message, connection)


def _there(part: T | None) -> T:
    """A value that this kind of email always has (`message_is_about_one_thing`). Raises CannotRender."""
    if part is None:
        raise CannotRender("NothingToWriteAbout")
    return part


def _report(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    enquiry = _there(message.enquiry)
    sheet = _there(enquiry.sheet)
    if not sheet.is_published:
        raise CannotRender("SheetNotPublished")
    summary = Assessment.objects.filter(enquiry=enquiry, expires_at__gt=timezone.now()).first()
    if summary and summary.enquiry.email != enquiry.email:
        summary = None  # the address was corrected meanwhile, and only the right one may get the link
    values = values_of_report(sheet, links.summary_address(summary, links.of_mail(message)) if summary else "")
    mail = letter(
        message,
        connection,
        "report",
        values,
        to=(to := _willing(message)),
        stop=links.stop_address(to),
        delete=links.deletion_address(enquiry, to),
        signs=enquiry.signs,
    )
    mail.attach(_leaflet(f"{sheet.slug}.pdf"))
    mail.leaflet = printed.leaflet_for_mail(sheet)
    return mail


def values_of_report(sheet: FactSheet, summary: str) -> dict[str, Value]:
    address = sheets.address(sheet)
    return {
        "sheet": sheet.title,
        "page": Link(address),
        "large print": Link(f"{address}pdf/large/"),
        "whole sheet": Link(f"{address}pdf/full/"),
        "summary": _block("summary", summary=summary, summary_days=SUMMARY_DAYS) if summary else Block(),
    }


def _acknowledgement(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    enquiry = _there(message.enquiry)
    # With the day, because an email may be read on another day.
    reply = in_words(enquiry.reply_by, enquiry.created_at, dated=True) if enquiry.reply_by else ""
    return letter(
        message,
        connection,
        f"{enquiry.kind}_acknowledgement",
        {
            "reply time": f"We will reply {reply}." if reply else without_a_time(),
            "link": Link(links.request_address(enquiry, links.of_mail(message)), is_button=True),
        },
        to=(to := _willing(message)),
        stop=links.stop_address(to),
        signs=enquiry.signs,
    )


def _reply(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """A colleague's own words. It is not marked as automatic, and answers are read."""
    event = _there(message.event)
    link_to_it = Link(links.request_address(_there(message.enquiry), links.of_mail(message)))
    values: dict[str, Value] = {"message": Block(event.note, linked(event.note)), "link": link_to_it}
    mail = letter(message, connection, "reply", values, to=_patient(message), subject=event.subject)
    del mail.extra_headers["Auto-Submitted"]
    return mail


def subject_of_reply(written: str) -> str:
    """Neutral if nobody wrote one, because it may be read on a locked screen."""
    return written or wordings.short("reply", "subject")


def _booking(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    booked = message.appointment
    if booked is None or not booked.is_to_come:
        raise NoLongerNeeded
    before = last_told(booked)
    if before is None:
        mail = _about_appointment(message, connection, "booking", booked)
    else:
        changed = what_changed(before, booked)
        mail = _about_appointment(message, connection, "booking_changed", booked, {"what changed": changed})
    file = calendar.invitation(booked, to=mail.to[0], stamp=message.created_at, organiser=mail.from_email)
    return _with_calendar(mail, calendar.REQUEST, file)


def what_changed(before: Appointment, booked: Appointment) -> str:
    if before.starts_at == booked.starts_at:
        return "We have changed your appointment. The time is the same."
    return f"We have moved your appointment. This replaces the one at {moment(before.starts_at)}."


def _cancellation(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """Only if an email has named the appointment. Before that there is nothing to cancel."""
    cancelled = message.appointment
    if cancelled is None or cancelled.starts_at <= timezone.now():
        raise NoLongerNeeded
    told = cancelled if was_told(cancelled) else last_told(cancelled)
    if told is None:
        raise NoLongerNeeded
    by_us = cancelled.state == AppointmentState.CANCELLED_BY_CLINIC
    key = "cancelled_by_clinic" if by_us else "cancelled_by_patient"
    mail = letter(message, connection, key, {"time": moment(told.starts_at)}, to=_patient(message))
    file = calendar.cancellation(cancelled, to=mail.to[0], stamp=message.created_at, organiser=mail.from_email)
    return _with_calendar(mail, calendar.CANCEL, file)


def _booking_reminder(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    booked = message.appointment
    if booked is None or not (booked.is_to_come and booked.remind):
        raise NoLongerNeeded
    return _about_appointment(message, connection, "booking_reminder", booked)


def _about_appointment(
    message: OutgoingMessage,
    connection: BaseEmailBackend,
    key: str,
    booked: Appointment,
    more: Mapping[str, Value] | None = None,
) -> Mail:
    enquiry = _there(message.enquiry)
    values = values_of_appointment(
        booked,
        manage=links.request_address(enquiry, links.of_mail(message)),
        no_reminder=links.reminder_address(enquiry) if booked.remind else "",
    )
    return letter(message, connection, key, {**values, **(more or {})}, to=_patient(message))


def values_of_appointment(booked: Appointment, *, manage: str, no_reminder: str) -> dict[str, Value]:
    table = _block(
        "appointment",
        appointment=booked,
        how=Channel(booked.channel).label,
        whom=booked.with_whom,
        place=booked.place or (clinic.details()["address"] if booked.channel == Channel.CLINIC else ""),
    )
    return {
        "appointment": table,
        "link": Link(manage),
        "no reminder": Link(no_reminder),
        "reminder": _block("reminder", no_reminder=no_reminder) if no_reminder else Block(),
    }


def _block(name: str, **context: object) -> Block:
    context |= {"clinic": clinic.details()}
    text, html = (render_to_string(f"enquiries/emails/_{name}.{form}", context).strip() for form in ("txt", "html"))
    return Block(text, html)


def _with_calendar(mail: Mail, method: str, file: bytes) -> Mail:
    """Attaches the calendar twice: as a part with its method (RFC 6047, 2.4), for mail programs, and as a file to open by hand."""
    mail.attach_alternative(file.decode(), f"text/calendar; method={method}")
    mail.attach("appointment.ics", file, "application/ics")
    return mail


def _new_link(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """Sent by staff when a private link has been closed. It says only that there is a link."""
    link_to_it = Link(links.request_address(_there(message.enquiry), links.of_mail(message)), is_button=True)
    return letter(message, connection, "new_link", {"link": link_to_it}, to=_patient(message))


def _clinic_alert(message: OutgoingMessage, connection: BaseEmailBackend, name: str = "clinic_alert") -> Mail:
    """While a safety flag is open, the email says "Urgent: please look now", whatever caused it."""
    enquiry = _there(message.enquiry)
    if enquiry.is_flagged:
        name = "urgent_alert"
    return letter(message, connection, name, values_of_alert(enquiry), to=_clinic())


def values_of_alert(enquiry: Enquiry) -> dict[str, Value]:
    return {"reference": enquiry.reference, "link": _button(enquiry.get_admin_url())}


def _button(path: str) -> Link:
    """To a page of the staff desk."""
    return Link(f"{settings.BASE_URL}{path}", is_button=True)


def _clinician_alert(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """To one clinician. If they may no longer open the enquiry, somebody else must be told."""
    enquiry = _there(message.enquiry)
    if not (enquiry.live and enquiry.is_flagged):
        raise NoLongerNeeded
    if not staff_members.clinicians().filter(pk=message.staff_id).exists():
        raise CannotRender("NoLongerAClinician")
    to = one_address(_there(message.staff).email)
    return letter(message, connection, "urgent_alert", values_of_alert(enquiry), to=to)


def _change_alert(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """A patient changed their request in a way that somebody must know about. It says no more than the first alert."""
    return _clinic_alert(message, connection, "change_alert")


def _abuse_alarm(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    link = _button(f"{reverse('admin:enquiries_enquiry_changelist')}?queue=held")
    values: dict[str, Value] = {"number": str(abuse.beyond_total()), "link": link}
    return letter(message, connection, "abuse_alarm", values, to=_clinic())


def _review_reminder(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    today = timezone.localdate()
    reminder = _there(message.reminder)
    if not review_notifications.still_holds(reminder, today):
        raise NoLongerNeeded
    if not review_notifications.editors().filter(pk=message.staff_id).exists():
        raise NoLongerNeeded
    to = one_address(_there(message.staff).email)
    return letter(message, connection, "review_reminder", values_of_reminder(reminder.sheet, today), to=to)


def values_of_reminder(sheet: FactSheet, today: date) -> dict[str, Value]:
    due_on, reviewer = _there(sheet.review_due_on), sheets.reviewer(sheet)
    left = (due_on - today).days
    broken = len(publishing_rules.broken_for_readers(sheet))
    context = {"sheet": sheet, "days_left": left, "days_over": -left, "broken": broken}
    reviewed = f"{reviewer} reviewed it last, on {sheet.reviewed_on:%-d %B %Y}." if reviewer else ""
    return {
        "sheet": sheet.title,
        "due": f"{'overdue since' if left < 0 else 'due on'} {due_on:%-d %B %Y}",
        "when": _sentence("review_when", context),
        "last review": reviewed,
        "public page": _sentence("review_public", context),
        "page": Link(sheets.address(sheet)),
        "link": _button(reverse("admin:factsheets_factsheet_change", args=[sheet.pk])),
    }


def _sentence(name: str, context: dict[str, Any]) -> str:
    """Plain text, which whatever it is put into will escape."""
    return " ".join(render_to_string(f"enquiries/emails/_{name}.txt", context).split())


def _sheet_review(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """A step of a draft (`ReviewStep`). A reviewer gets it only while there is something to review."""
    about = message.draft_event or message.safety_event or _there(message.edition)
    step, person = review_notifications.step_of(about), _there(message.staff)
    if step is None or not (person.is_active and person.is_staff and person.has_perm(step.permission)):
        raise NoLongerNeeded
    return letter(message, connection, "sheet_review", values_of_step(step), to=one_address(person.email))


def values_of_step(step: ReviewStep) -> dict[str, Value]:
    return {
        "step": _step_in_words(step),
        "title": step.title,
        "what happened": _sentence("sheet_review", vars(step)),
        "note": f"{step.actor} wrote: “{step.note}”" if step.note else "",
        "link": _button(step.address),
    }


def _step_in_words(step: ReviewStep) -> str:
    if step.is_sent:
        return "Please review"
    if step.is_cancelled:
        return "Planned day cancelled"
    if step.is_back:
        return "Taken back" if step.signed_by else "Sent back to you"
    return "Signed off" if step.sheet else "Published"


def _digest(message: OutgoingMessage, connection: BaseEmailBackend) -> Mail:
    """What is waiting in the inbox: numbers and a link, but no names."""
    now, day = timezone.now(), _there(message.day)
    waits = what_waits(now) if is_digest_wanted(day, now) else []
    if not waits:
        raise NoLongerNeeded
    named = [(queue.name, queue.label, number) for queue, number in waits]
    return letter(message, connection, "digest", values_of_digest(day, named), to=_clinic())


def values_of_digest(day: date, waits: list[tuple[str, str, int]]) -> dict[str, Value]:
    """`waits`: the name, the label and the number of each queue."""
    inbox = reverse("admin:enquiries_enquiry_changelist")
    rows = [(label, number, f"{settings.BASE_URL}{inbox}?queue={name}") for name, label, number in waits]
    return {"day": day_words(day, day), "queues": _block("queues", waits=rows), "link": _button(inbox)}


RENDERERS: dict[str, Callable[[OutgoingMessage, BaseEmailBackend], Mail]] = {
    Purpose.REPORT: _report,
    Purpose.ACKNOWLEDGEMENT: _acknowledgement,
    Purpose.REPLY: _reply,
    Purpose.BOOKING: _booking,
    Purpose.CANCELLATION: _cancellation,
    Purpose.BOOKING_REMINDER: _booking_reminder,
    Purpose.NEW_LINK: _new_link,
    Purpose.CLINIC_ALERT: _clinic_alert,
    Purpose.CLINICIAN_ALERT: _clinician_alert,
    Purpose.CHANGE_ALERT: _change_alert,
    Purpose.REVIEW_REMINDER: _review_reminder,
    Purpose.SHEET_REVIEW: _sheet_review,
    Purpose.DIGEST: _digest,
    Purpose.ABUSE_ALARM: _abuse_alarm,
}


def letter(
    message: OutgoingMessage,
    connection: BaseEmailBackend,
    key: str,
    values: Mapping[str, Value],
    *,
    to: str,
    subject: str = "",
    parts: Mapping[str, str] | None = None,
    **context: Any,
) -> Mail:
    """An email whose words an owner may change. The templates add what nobody can leave out.

    `subject` replaces the text's own. `parts` is what somebody is about to save, for a preview.
    """
    wording, words = WORDINGS[key], wordings.filled(key, values, parts)
    subject = subject or wording.subject or words.parts["subject"]
    context |= {"words": words, "to_staff": wording.to_staff, "always": wording.always}
    context["retention_days"] = clinic.current()["report_retention_days"]
    heading = words.parts.get("heading", "")
    return _compose(message, connection, to=to, subject=subject, heading=heading, **context)


def _compose(
    message: OutgoingMessage,
    connection: BaseEmailBackend,
    *,
    to: str,
    subject: str,
    signs: Sequence[str] = (),
    **context: Any,
) -> Mail:
    """`signs`: the codes of the warning signs whose advice it begins with."""
    context |= {
        "clinic": clinic.details(),
        "base_url": settings.BASE_URL,
        "emergency": (tiers := safety.tiers())[0],
        "short_card": safety.compact(tiers) if _has_short_card(message) else [],
        "advice": advice(signs, tiers),
    }
    context["subject"] = subject = " ".join(subject.split())
    sender_domain = sender_address().rpartition("@")[2].rstrip(">") or "localhost"
    logo = context["clinic"]["logo"]
    context["logo"] = logo and pictures.mail_logo(logo["digest"])
    context["logo_id"] = f"{logo['digest']}@{sender_domain}" if logo else ""
    answers_to = context["clinic"]["reply_to_email"] if message.purpose in FROM_STAFF else ""
    mail = Mail(
        subject=subject,
        body=render_to_string("enquiries/emails/letter_body.txt", context),
        from_email=sender(),
        to=[to],
        reply_to=[answers_to] if answers_to else None,
        connection=connection,
        headers={
            # The same for every try, so that a receiver can recognise an email that was sent twice.
            "Message-ID": f"<{message.pk}@{sender_domain}>",
            # RFC 3834: asks for no automatic answers.
            "Auto-Submitted": "auto-generated",
            **(links.unsubscribe_headers(context["stop"]) if "stop" in context else {}),
        },
    )
    mail.attach_alternative(render_to_string("enquiries/emails/letter_body.html", context), "text/html")
    mail.logo, mail.logo_id = context["logo"], context["logo_id"]
    return mail


def _has_short_card(message: OutgoingMessage) -> bool:
    """Unless there is a warning sign: in the patient's own words, for a first email, and one still open, for a later one."""
    if message.purpose in {Purpose.REPORT, Purpose.ACKNOWLEDGEMENT}:
        return not _there(message.enquiry).signs
    return message.purpose in FROM_STAFF and not _there(message.enquiry).is_flagged


def _patient(message: OutgoingMessage) -> str:
    enquiry = _there(message.enquiry)
    if enquiry.erased_at:
        raise NoLongerNeeded
    return one_address(enquiry.email)


def _willing(message: OutgoingMessage) -> str:
    """The address for an email that a stranger can cause, unless its owner has since asked for no more."""
    address = _patient(message)
    if abuse.is_stopped(address):
        raise NoLongerNeeded
    return address


def _clinic() -> str:
    inbox = str(clinic.current()["inbox_email"])
    if "@" not in inbox:
        # Django counts an email to nobody as sent.
        raise ImproperlyConfigured("The inbox for alerts is not set under “Clinic settings” on the staff desk.")
    return inbox


def one_address(address: str) -> str:
    """One address and nothing else. The forms ensure that already, but we do not rely on it."""
    try:
        validate_email(address)
    except ValidationError as error:
        raise CannotRender("ValidationError") from error
    return address


def sender_address() -> str:
    """The address that our mail comes from."""
    return str(clinic.details()["sender_email"])


def can_send() -> bool:
    """Whether there is an address to send from. Until there is, every email waits."""
    return "@" in sender_address()


def sender() -> str:
    """The `From` of our mail. Raises ImproperlyConfigured while nothing can be sent."""
    if not can_send():
        raise ImproperlyConfigured("The clinic has no email address under “Clinic settings” on the staff desk.")
    return str(Address(display_name=" ".join(clinic.details()["sender_name"].split()), addr_spec=sender_address()))
