"""The link to a private summary, and the pass that a person holds after opening it.

The link is made when the mail is made: the outbox never holds it. It names the row and is signed, so it cannot be guessed, and
alone it opens nothing: whoever has it must also know the e-mail address. SECRET_KEY signs, SECRET_KEY_FALLBACKS are read.
"""

import uuid

from django.conf import settings
from django.core import signing
from django.urls import reverse

from enquiries.models import Assessment

LINK = signing.Signer(salt="enquiries.report.link", sep=".")
PASS = signing.TimestampSigner(salt="enquiries.report.pass", sep=".")
PASS_SECONDS = 30 * 60


def token(assessment: Assessment) -> str:
    return LINK.sign(assessment.pk.hex)


def address(assessment: Assessment) -> str:
    return f"{settings.BASE_URL}{reverse('enquiries:summary', args=[token(assessment)])}"


def key_of(given: str) -> uuid.UUID | None:
    """The row that a link names, whether it is still there or not. None: we never made this link."""
    try:
        return uuid.UUID(LINK.unsign(given))
    except (signing.BadSignature, ValueError):
        return None


def new_pass(assessment: Assessment) -> str:
    return PASS.sign(assessment.pk.hex)


def pass_is_good(given: str, assessment: Assessment) -> bool:
    try:
        return PASS.unsign(given, max_age=PASS_SECONDS) == assessment.pk.hex
    except signing.BadSignature:
        return False
