"""Every mail we send. One function and three templates each: subject, text, HTML.

A mail that anyone can cause to be sent to anyone holds no text that the sender chose, the name included, and no word about
anybody's health beyond the public sheet's title. The clinic's alert holds a reference and a link.
"""

from email.headerregistry import Address

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.db import DatabaseError, InterfaceError
from django.template.loader import render_to_string

from enquiries.encryption import CannotDecrypt
from enquiries.models import OutgoingMessage, Purpose
from factsheets import safety
from factsheets.rendering import printed
from factsheets.rendering import sheet as sheets


class CannotRender(Exception):  # noqa: N818 - reads as what happened
    """The mail cannot be made, now or later. The text holds no personal data."""


# Not this mail's fault: a database that restarts, a setting, a key this worker does not have yet, content not loaded. Somebody
# mends it, and then the mail can go, so none of these may kill it.
MENDABLE = (
    DatabaseError,
    InterfaceError,
    OSError,
    ImproperlyConfigured,
    CannotDecrypt,
    safety.SafetyAdviceMissing,
)


def render(message: OutgoingMessage, connection: BaseEmailBackend) -> EmailMultiAlternatives:
    """The mail of one outbox row, ready to send. Raises CannotRender, or one of MENDABLE."""
    try:
        return RENDERERS[message.purpose](message, connection)
    except (CannotRender, *MENDABLE):
        raise
    except Exception as error:
        # Whatever went wrong, it goes wrong again for this mail and must not stop the others.
        raise CannotRender(type(error).__name__) from error


def _report(message, connection):
    sheet = message.enquiry.sheet
    if not sheet.is_published:
        raise CannotRender("SheetNotPublished")
    mail = _mail(message, connection, "report", to=_patient(message), sheet=sheet, address=sheets.address(sheet))
    mail.attach(f"{sheet.slug}.pdf", printed.pdf(sheet), "application/pdf")
    return mail


def _acknowledgement(message, connection):
    return _mail(message, connection, f"{message.enquiry.kind}_acknowledgement", to=_patient(message))


def _clinic_alert(message, connection):
    if "@" not in settings.CLINIC_INBOX_EMAIL:
        # Django takes a mail to nobody for sent.
        raise ImproperlyConfigured("CLINIC_INBOX_EMAIL is not set to an e-mail address.")
    return _mail(
        message,
        connection,
        "clinic_alert",
        to=settings.CLINIC_INBOX_EMAIL,
        reference=message.enquiry.reference,
        link=f"{settings.BASE_URL}{message.enquiry.get_admin_url()}",
    )


RENDERERS = {
    Purpose.REPORT: _report,
    Purpose.ACKNOWLEDGEMENT: _acknowledgement,
    Purpose.CLINIC_ALERT: _clinic_alert,
}


def _mail(message, connection, name: str, *, to: str, **context) -> EmailMultiAlternatives:
    context |= {
        "clinic": settings.CLINIC,
        "base_url": settings.BASE_URL,
        "emergency": safety.tiers()[0],
    }
    folder = "enquiries/emails"
    subject = " ".join(render_to_string(f"{folder}/{name}_subject.txt", context).split())
    sender_domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">") or "localhost"
    mail = EmailMultiAlternatives(
        subject=subject,
        body=render_to_string(f"{folder}/{name}_body.txt", context),
        from_email=_sender(),
        to=[to],
        connection=connection,
        headers={
            # The same for every try, so that a receiver can fold a mail that was sent twice.
            "Message-ID": f"<{message.pk}@{sender_domain}>",
            # RFC 3834: no automatic answer may come back to this.
            "Auto-Submitted": "auto-generated",
        },
    )
    mail.attach_alternative(render_to_string(f"{folder}/{name}_body.html", context), "text/html")
    return mail


def _patient(message) -> str:
    """One address and nothing else. The forms see to that; what leaves the building does not rely on it."""
    validate_email(message.enquiry.email)
    return message.enquiry.email


def _sender() -> str:
    address = settings.DEFAULT_FROM_EMAIL
    if "@" not in address:
        raise ImproperlyConfigured("DEFAULT_FROM_EMAIL is not set to an e-mail address.")
    if "<" in address:
        return address
    return str(Address(display_name=" ".join(settings.CLINIC["name"].split()), addr_spec=address))
