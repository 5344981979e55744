"""What a browser holds for half an hour after it asked for a report: which request it was, and the address as it was typed.

With it, and only with it, the confirmation plays the address back, and takes a change or "Send it again". It is set by a form
that was accepted, never by reading a page, and reading does not make it last longer. Only pages under /report/ see it.

Sealed with AES-256-GCM under the keys of FIELD_ENCRYPTION_KEYS (enquiries/privacy/encryption.py), bound to the cookie's name.
"""

import base64
import binascii
import json
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from enquiries.models import Enquiry, Kind
from enquiries.privacy.encryption import CannotDecrypt, seal, unseal

LIFETIME = 30 * 60  # seconds since the report was asked for
LARGEST = 4096  # bytes: what every browser keeps (RFC 6265, 6.1)
PATH = "/report/"


@dataclass(frozen=True)
class Receipt:
    enquiry: uuid.UUID
    email: str
    at: int  # seconds since 1970, when the report was asked for

    @property
    def asked_at(self) -> datetime:
        return datetime.fromtimestamp(self.at, tz=UTC)

    def is_for(self, enquiry: Enquiry) -> bool:
        """Whether it still goes to this address. Once it was corrected, an older receipt says nothing about it any more."""
        return constant_time_compare(self.email, enquiry.email)


def name() -> str:
    """Browsers take "__Secure-" from https only, and without it a local run could keep nothing."""
    return "sent" if settings.LOCAL else "__Secure-sent"


def read(request: HttpRequest) -> Receipt | None:
    """What the browser holds. None: nothing, too old, or not made by us."""
    value = request.COOKIES.get(name(), "")
    return opened(value, now=time.time()) if 0 < len(value) < LARGEST else None


def enquiry_of(held: Receipt | None) -> Enquiry | None:
    """The request that a receipt names, whatever its address is now. None when there is none, or its details were erased."""
    if held is None:
        return None
    reports = Enquiry.objects.filter(kind=Kind.REPORT, erased_at=None)
    return reports.select_related("sheet", "assessment").filter(pk=held.enquiry).first()


def give(response: HttpResponse, request: HttpRequest, enquiry: Enquiry, email: str) -> HttpResponse:
    """For a request that was accepted, or whose address was changed. One for the same request goes on with its time.

    Anybody else who sends the same form gets a new one: they see what they would see of a request that nobody made before.
    """
    now, earlier = int(time.time()), read(request)
    at = earlier.at if earlier and earlier.enquiry == enquiry.pk else now
    response.set_cookie(
        name(),
        sealed(Receipt(enquiry.pk, email, at)),
        max_age=at + LIFETIME - now,
        path=PATH,
        secure=not settings.LOCAL,
        httponly=True,
        samesite="Strict",
    )
    return response


def sealed(held: Receipt) -> str:
    plain = json.dumps({"enquiry": held.enquiry.hex, "email": held.email, "at": held.at}, separators=(",", ":"))
    return base64.urlsafe_b64encode(seal(plain, context=_context())).decode().rstrip("=")


def opened(value: str, *, now: float) -> Receipt | None:
    try:
        box = base64.urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))
        kept = json.loads(unseal(box, context=_context()))
    except (CannotDecrypt, binascii.Error, UnicodeEncodeError):
        return None
    held = Receipt(uuid.UUID(kept["enquiry"]), kept["email"], kept["at"])
    # Max-Age is a request to the browser; a copy of the cookie would not obey it. A clock may be a minute fast.
    return held if -60 < now - held.at < LIFETIME else None


def _context() -> str:
    return f"cookie:{name()}"
