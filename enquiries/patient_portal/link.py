"""The link to somebody's own request, and what its pages hand to each other.

The link is made when the mail is made, so the outbox never holds it. A pass says that somebody gave the right address. A seal says
that they saw the page that asks "are you sure": it is good for one verb on one version of one request.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from enquiries.models import Enquiry, EnquiryKind, Status
from enquiries.private_links import ON_PAGE, LinkPage, Pass, SecretLink

LINK = SecretLink("enquiries.patient_portal.link")
PASS = Pass("enquiries.patient_portal.pass")
PAGE = LinkPage(LINK, why="We ask so that nobody else can see your request.", button="Confirm and open my request")
AFTER_CLOSING = timedelta(days=14)


def address(enquiry: Enquiry, name: str = ON_PAGE) -> str:
    """With the site's own address, for a mail (`secret_link.of_mail`). Empty for a report, which has no request to see to."""
    if enquiry.kind == EnquiryKind.REPORT:
        return ""
    return f"{settings.BASE_URL}{reverse('enquiries:manage', args=[LINK.token(enquiry, name)])}"


def find(token: str) -> Enquiry | None:
    """The request that a link opens. None for every link that opens nothing, whatever the reason."""
    key = LINK.key_of(token)
    if key is None:
        return None
    lately = Q(live=True) | Q(closed_at__gt=timezone.now() - AFTER_CLOSING)
    return (
        Enquiry.objects.filter(lately, pk=key, erased_at=None)
        .exclude(kind=EnquiryKind.REPORT)
        .exclude(status__in=[Status.SPAM, Status.HELD])
        .first()
    )


def new_pass(enquiry: Enquiry) -> str:
    return PASS.new(*_who(enquiry))


def pass_is_good(given: str, enquiry: Enquiry) -> bool:
    return PASS.is_good(given, *_who(enquiry))


def _who(enquiry: Enquiry) -> tuple[str, str]:
    # With the address: once staff have put it right, what the wrong one opened is shut.
    return enquiry.pk.hex, enquiry.email_key[:16]


def sign(verb: str, enquiry: Enquiry) -> str:
    return _seals(verb).new(enquiry.pk.hex, enquiry.version)


def sealed_version(verb: str, given: str, token: str) -> int | None:
    """The version that somebody was sure about. None for a seal of another verb or another request, and for an old one."""
    match _seals(verb).made_for(given):
        case [pk, version] if (key := LINK.key_of(token)) and pk == key.hex:
            return int(version)
    return None


def _seals(verb: str) -> Pass:
    return Pass(f"enquiries.patient_portal.{verb}")
