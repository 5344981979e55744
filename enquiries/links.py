"""The links in our emails to patients, made when an email is rendered, so that the outbox never holds one.

SECRET_KEY signs, SECRET_KEY_FALLBACKS are read. Each kind of link has a salt of its own, so that none can be used as another. GET
changes nothing and shows nothing personal, because mail scanners fetch every link.

Private links open something, each one row: a patient's own request (enquiries/patient_portal/) and the summary of a self-assessment
(enquiries/report/). Alone they open nothing: whoever has one must also know the email address. Each mail brings one of its own. Ten
wrong addresses close that one and no other: somebody with an old email cannot keep out its owner, who uses the link in
the newest mail, or asks the clinic for a new one. What the two share is tried with the first, in
tests/enquiries/patient_portal/test_patient_portal_link.py.

The others ask for one press and for no address: “Stop these emails”, “Delete my data now” and “Do not remind me”. Their pages are
in enquiries/patient_portal/views.py.
"""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from crispy_forms.layout import Field, Submit
from django import forms
from django.conf import settings
from django.core import signing
from django.db import models, transaction
from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from backcare.core.forms import Carried, EmailField, posted
from enquiries import abuse
from enquiries.models import Assessment, Enquiry, EnquiryKind, OutgoingMessage, PrivateLink


class NotOurs(Http404):
    """A link that we never made, or only part of one. The page asks people to check that they copied all of it."""


PASS_SECONDS = 30 * 60
# A patient tries a spelling or two. Someone who keeps trying does not know the address.
MAX_WRONG_TRIES = 10
# After the first few, each further try must wait.
QUICK_TRIES, PAUSE = 5, timedelta(minutes=1)
ON_PAGE = "page"  # the name of a link shown on a page, without an email


class SecretLink:
    """The token in a link's address."""

    def __init__(self, salt: str):
        self.signer = signing.Signer(salt=salt, sep=".")

    def token(self, row: models.Model, name: str = "") -> str:
        return self.signer.sign(f"{row.pk.hex}-{name}" if name else row.pk.hex)

    def key_of(self, given: str) -> uuid.UUID | None:
        """The row that a link names, whether or not it still exists. None if we never made this link."""
        try:
            return uuid.UUID(self.signer.unsign(given).partition("-")[0])
        except (signing.BadSignature, ValueError):
            return None

    def name_of(self, given: str) -> str:
        """Which of the row's links it is. Empty for links older than these names."""
        try:
            return self.signer.unsign(given).partition("-")[2]
        except signing.BadSignature:
            return ""


def of_mail(message: OutgoingMessage) -> str:
    """The name of the link in an email. If the email is tried again, the name stays the same."""
    return message.pk.hex[:8]


class Pass:
    """What a page passes to the next one in a hidden field. It is valid for PASS_SECONDS, for its own purpose only."""

    def __init__(self, salt: str):
        self.signer = signing.TimestampSigner(salt=salt, sep=".")

    def new(self, *made_for: object) -> str:
        return self.signer.sign("-".join(map(str, made_for)))

    def is_good(self, given: str, *made_for: object) -> bool:
        return self.made_for(given) == [str(each) for each in made_for]

    def made_for(self, given: str) -> list[str] | None:
        """What it was made for. None if it is too old or not ours."""
        try:
            return self.signer.unsign(given, max_age=PASS_SECONDS).split("-")
        except signing.BadSignature:
            return None


class OpenForm(forms.Form):
    """The only question before anything is shown."""

    use_required_attribute = False

    email = EmailField(label="Your email address")

    def __init__(self, *args, action: str, why: str, button: str, carried: list[tuple[str, str]] = (), **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = f"The one that we sent this link to. {why}"
        send = Submit("open", button, css_id="open")
        self.helper = posted(self, action, Field("email"), Carried(list(carried)), send)

    def lets_in(self, enquiry: Enquiry, name: str) -> bool:
        """Whether they gave the address we wrote to. `name` is the link's. Any other address becomes the form's error."""
        if not self.is_valid():
            return False
        try:
            if is_theirs(enquiry, name, given=self.cleaned_data["email"]):
                return True
        except TooQuick:
            self.add_error(
                "email", "Wait a minute, then try again, because this link was tried with several wrong addresses"
            )
            return False
        self.add_error("email", "Enter the email address that we sent this link to")
        return False


class Shut(Exception):
    """The link was tried with too many wrong addresses and no longer works."""


@dataclass(frozen=True)
class LinkPage:
    """The page behind a private link, which asks for the address. Summaries and requests share it.

    GET shows nothing personal, because mail scanners fetch every link.
    """

    link: SecretLink
    why: str
    button: str

    def ask(
        self,
        request: HttpRequest,
        token: str,
        enquiry: Enquiry,
        *,
        action: str,
        carried: list[tuple[str, str]] = (),
        refused: tuple[str, str] = ("", ""),
    ) -> OpenForm | None:
        """Asks for the address, and says what is wrong with the answer. None once it is right. Raises Shut.

        `refused` is an answer that was already tried and counted, with what was wrong.
        """
        name = self.link.name_of(token)
        if is_shut(enquiry, name):
            raise Shut
        given, wrong = refused if request.method != "POST" else ("", "")
        data = {"email": given} if wrong else request.POST if "email" in request.POST else None
        form = OpenForm(data, action=action, why=self.why, button=self.button, carried=carried)
        if wrong:
            if form.is_valid():
                form.add_error("email", wrong)
            return form
        return None if form.lets_in(enquiry, name) else form


class TooQuick(Exception):
    """The link was tried with several wrong addresses, the last time less than PAUSE ago. This try was ignored."""


def is_shut(enquiry: Enquiry, name: str) -> bool:
    return enquiry.private_links.filter(name=name, wrong_tries__gte=MAX_WRONG_TRIES).exists()


def is_theirs(enquiry: Enquiry, name: str, *, given: str) -> bool:
    """Whether it is the address we wrote to. Raises TooQuick.

    Each wrong one is counted in a row, so that every process knows.
    """
    theirs = constant_time_compare(given.casefold(), enquiry.email.casefold())
    with transaction.atomic():
        if not theirs:
            # A missing row cannot be locked, so the first guesses, sent at once, would each find none.
            PrivateLink.objects.get_or_create(enquiry=enquiry, name=name)
        tried = PrivateLink.objects.select_for_update().filter(enquiry=enquiry, name=name).first()
        if tried and tried.wrong_tries >= MAX_WRONG_TRIES:
            return False
        if tried and tried.wrong_tries >= QUICK_TRIES and timezone.now() - tried.last_wrong_at < PAUSE:
            raise TooQuick
        if tried and not theirs:
            tried.wrong_tries += 1
            tried.last_wrong_at = timezone.now()
            tried.save(update_fields=["wrong_tries", "last_wrong_at"])
    return theirs


# --- to a patient's own request, and to a private summary ---

REQUEST = SecretLink("enquiries.patient_portal.link")
SUMMARY = SecretLink("enquiries.report.link")


def request_address(enquiry: Enquiry, name: str = ON_PAGE) -> str:
    """The whole address, for an email (`of_mail`). Empty for a report, which has no request to manage."""
    if enquiry.kind == EnquiryKind.REPORT:
        return ""
    return f"{settings.BASE_URL}{reverse('enquiries:manage', args=[REQUEST.token(enquiry, name)])}"


def summary_address(assessment: Assessment, name: str = ON_PAGE) -> str:
    """With the site's own address, for a mail (`of_mail`)."""
    return f"{settings.BASE_URL}{reverse('enquiries:summary', args=[SUMMARY.token(assessment, name)])}"


# --- “Not you? Stop these emails”, in each mail that a stranger can cause to be sent ---
#
# The link holds a keyed hash of the mailbox it was sent to. So it works long after the request is erased, and still means the
# mailbox that got the email if the request's address was corrected.

STOP_DAYS = 365  # as long as the address stays on the list, because somebody may find only an old email

STOP_SIGNER = signing.TimestampSigner(salt="enquiries.report.stop", sep=".")


def stop_address(email: str) -> str:
    token = STOP_SIGNER.sign(abuse.stop_key(email))
    return f"{settings.BASE_URL}{reverse('enquiries:stop_mails', args=[token])}"


def unsubscribe_headers(link: str) -> dict[str, str]:
    """Headers of RFC 2369 and RFC 8058. DKIM signatures on our email must cover both."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def mailbox_of(token: str) -> str:
    """The keyed hash of the mailbox that a link to stop was sent to. Raises SignatureExpired or BadSignature."""
    return STOP_SIGNER.unsign(token, max_age=STOP_DAYS * 24 * 60 * 60)


# --- “Delete my data now”, in the mail that brings a report ---
#
# The link names the request and the mailbox that the email went to, so that an email to a wrong address, corrected since, cannot
# delete anything of the right person's.

DELETION_SIGNER = signing.Signer(salt="enquiries.report.deletion", sep=".")


def deletion_address(enquiry: Enquiry, email: str) -> str:
    """With the site's own address, for the mail to `email`."""
    token = DELETION_SIGNER.sign(f"{enquiry.pk.hex}-{abuse.stop_key(email)}")
    return f"{settings.BASE_URL}{reverse('enquiries:report_delete', args=[token])}"


def report_to_delete(token: str) -> Enquiry | None:
    """None if nothing is left or it now has another address. Raises BadSignature for a link we never made."""
    row, _, key = DELETION_SIGNER.unsign(token).partition("-")
    try:
        found = Enquiry.objects.filter(pk=uuid.UUID(row), erased_at=None).first()
    except ValueError:
        raise signing.BadSignature from None
    return found if found and key in abuse.stop_keys(found.email) else None


# --- “Do not remind me”, in the mails about an appointment ---
#
# It asks for no email address, because a stranger could only stop one email with it.

REMINDER = SecretLink("enquiries.patient_portal.reminder")


def reminder_address(enquiry: Enquiry) -> str:
    return f"{settings.BASE_URL}{reverse('enquiries:no_reminder', args=[REMINDER.token(enquiry)])}"
