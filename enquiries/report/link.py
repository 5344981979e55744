"""The link to a private summary, and the pass that a person holds after opening it.

The link is made when the mail is made: the outbox never holds it.
"""

import uuid

from django.conf import settings
from django.urls import reverse

from enquiries.models import Assessment
from enquiries.private_links import ON_PAGE, LinkPage, Pass, SecretLink

LINK = SecretLink("enquiries.report.link")
PASS = Pass("enquiries.report.pass")
PAGE = LinkPage(LINK, why="We ask so that nobody else can open your summary.", button="Confirm and open my report")


def address(assessment: Assessment, name: str = ON_PAGE) -> str:
    """With the site's own address, for a mail (`secret_link.of_mail`)."""
    return f"{settings.BASE_URL}{reverse('enquiries:summary', args=[LINK.token(assessment, name)])}"


def key_of(given: str) -> uuid.UUID | None:
    """The row that a link names, whether it is still there or not. None: we never made this link."""
    return LINK.key_of(given)


def new_pass(assessment: Assessment) -> str:
    return PASS.new(assessment.pk.hex)


def pass_is_good(given: str, assessment: Assessment) -> bool:
    return PASS.is_good(given, assessment.pk.hex)
