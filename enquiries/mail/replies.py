"""What a reply says before it is sent: the clinic's templates filled in for one enquiry, and the email as it will arrive."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.core.mail import get_connection
from django.utils import timezone

from backcare.core import clinic
from backcare.core.encryption import CannotDecrypt
from enquiries.clock import clock_time, day_words, in_words
from enquiries.links import of_mail, request_address
from enquiries.mail import emails, wordings
from enquiries.mail.wordings import PLACEHOLDER
from enquiries.models import Enquiry, EnquiryEvent, EventKind, OutgoingMessage, Purpose, ReplyTemplate
from factsheets import claims_guard
from factsheets.models import FactSheet
from factsheets.rendering import sheet as sheets

HIDDEN = "…"
# What a mail program may turn into a link. Anyone can enter another person's address, with any name.
LIKE_A_LINK = re.compile(r"[/@\\]|\w\.(?:[a-z]{2,}|[A-Z]{2,})\b")


@dataclass(frozen=True)
class Filled:
    """A text for one patient. `missing` says which placeholders could not be filled in, and why; they keep their braces."""

    text: str
    missing: list[str]


class _Missing(Exception):
    """Why a placeholder cannot be filled in. The text is for staff."""


def fill(text: str, enquiry: Enquiry) -> Filled:
    """The placeholder's value for this enquiry. Other braces stay as they are, because people do type braces."""
    missing: dict[str, None] = {}

    def put_in(found: re.Match[str]) -> str:
        name, given = found[1].lower(), found[2] or ""
        if name not in FIELDS:
            return found[0]
        try:
            return FIELDS[name](enquiry, given)
        except _Missing as why:
            missing[f"{found[0]} {why}"] = None
            return found[0]

    return Filled(PLACEHOLDER.sub(put_in, text), list(missing))


def _name(enquiry: Enquiry, given: str) -> str:
    try:
        name = enquiry.name.strip()
    except CannotDecrypt:
        name = ""
    if not name:
        raise _Missing("cannot be filled in, because we have no name.")
    if LIKE_A_LINK.search(name):
        raise _Missing("is not filled in, because the name looks like a link. Type a greeting in its place.")
    return name


def _appointment(enquiry: Enquiry, given: str) -> str:
    booked = enquiry.appointment
    if booked is None or booked.starts_at <= timezone.now():
        raise _Missing("cannot be filled in, because no appointment is booked.")
    at = timezone.localtime(booked.starts_at)
    words = f"{clock_time(at.time())} on {day_words(at.date(), timezone.localdate())}, {_how(booked.channel)}"
    return f"{words}, with {booked.with_whom.line}" if booked.with_whom else words


def _how(channel: str) -> str:
    return {"phone": "by phone", "video": "by video", "clinic": "at the clinic"}[channel]


def _promise(enquiry: Enquiry, given: str) -> str:
    now = timezone.now()
    if enquiry.reply_by is None or enquiry.waiting_since:
        raise _Missing("cannot be filled in, because no reply time is promised now.")
    if enquiry.reply_by <= now:
        raise _Missing("cannot be filled in, because the promised time is over.")
    return in_words(enquiry.reply_by, now, dated=True)


def _sheet(enquiry: Enquiry, given: str) -> str:
    sheet = find_sheet(given)
    if sheet is None:
        raise _Missing("is not the title or the address of a published fact sheet.")
    return f"“{sheet.title}” ({sheets.address(sheet)})"


def find_sheet(given: str) -> FactSheet | None:
    """By the last part of its address, or by its title."""
    published = FactSheet.objects.published()
    by_slug: FactSheet | None = published.filter(slug=given.strip("/ ").lower()).first()
    by_title: FactSheet | None = published.filter(title__iexact=given).first()
    return by_slug or by_title


FIELDS: dict[str, Callable[[Enquiry, str], str]] = {
    "name": _name,
    "reference": lambda enquiry, given: enquiry.reference,
    "appointment": _appointment,
    "promise": _promise,
    "sheet": _sheet,
    "clinic": lambda enquiry, given: clinic.details()["name"],
    "phone": lambda enquiry, given: clinic.details()["phone"],
}
IN_WORDS = {
    "{name}": "the patient’s name",
    "{reference}": "the enquiry’s reference",
    "{appointment}": "10:30am on Monday 30 November, by phone, with the clinician’s name and registration",
    "{promise}": "by 5pm on Tuesday 1 December: when they were told to expect a reply",
    "{sheet: about-back-pain}": "a fact sheet’s title and link. Use the last part of its address, or its title",
    "{clinic}": "the clinic’s name",
    "{phone}": "the clinic’s phone number",
}


def mistakes(text: str) -> list[str]:
    """Reports the placeholders that could never be filled in to the template's author."""
    found = []
    for each in PLACEHOLDER.finditer(text):
        name, given = each[1].lower(), each[2] or ""
        if name not in FIELDS:
            found.append(f"{each[0]} is not one of the words in braces that are filled in")
        elif name == "sheet" and find_sheet(given) is None:
            found.append(f"{each[0]} is not the title or the address of a published fact sheet")
    return list(dict.fromkeys(found))


def claims(subject: str, text: str) -> list[claims_guard.Finding]:
    """What the claims guard finds in a template, which it reads like a page because many emails will contain it."""
    return wordings.claims({"subject": subject, "message": text})


def offered(enquiry: Enquiry) -> list[dict[str, Any]]:
    """The templates for replies, filled in."""
    found = []
    for each in ReplyTemplate.objects.offered():
        subject, text = fill(each.subject, enquiry), fill(each.text, enquiry)
        found.append(
            {
                "pk": each.pk,
                "name": each.name,
                "subject": subject.text,
                "text": text.text,
                "after_missed_calls": each.after_missed_calls,
            }
        )
    return found


STYLE = re.compile(r"<style>.*?</style>\s*", re.DOTALL)


@dataclass(frozen=True)
class Preview:
    subject: str
    to: str
    reply_to: str
    text: str
    html: str

    @classmethod
    def of(cls, mail: emails.Mail) -> "Preview":
        html = "" + str(mail.alternatives[0][0])
        if logo := clinic.details()["logo"]:
            html = html.replace(f"cid:{mail.logo_id}", logo["address"])  # a page cannot read the parts of an email
        return cls(
            subject=str(mail.subject),
            to=mail.to[0],
            reply_to=", ".join(mail.reply_to),
            # Rendered parts are marked safe, which `str` keeps. A page that shows them has to escape them.
            text="" + str(mail.body),
            html=html,
        )

    @property
    def framed(self) -> str:
        """The HTML for a frame on the desk, whose content policy refuses what the mail says of the dark scheme."""
        return STYLE.sub("", self.html)

    def hiding(self, address: str, shown: str) -> "Preview":
        if not address:
            return self
        return replace(self, text=self.text.replace(address, shown), html=self.html.replace(address, shown))


def preview(enquiry: Enquiry, *, subject: str, text: str) -> Preview:
    """The email as the patient gets it, without the secret of its private link, which only the patient may have.

    Raises emails.CannotRender or emails.NoLongerNeeded where there is no address to write to.
    """
    event = EnquiryEvent(enquiry=enquiry, kind=EventKind.REPLIED, note=text, subject=subject)
    message = OutgoingMessage(enquiry=enquiry, purpose=Purpose.REPLY, event=event)
    mail = emails.render(message, get_connection("django.core.mail.backends.dummy.EmailBackend"))
    address = request_address(enquiry, of_mail(message))
    shown = f"{address.rstrip('/').rpartition('/')[0]}/{HIDDEN}/"
    return Preview.of(mail).hiding(address, shown)
