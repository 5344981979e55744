"""What a browser holds for half an hour after it asked for a report: which request it was, and the address as it was typed.

With it, and only with it, the confirmation plays the address back, and takes a change or "Send it again". It is set by a form
that was accepted, never by reading a page, and reading does not make it last longer. Only pages under /report/ see it.
"""

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from backcare.core.cookies import EncryptedCookie
from enquiries.models import Enquiry, EnquiryKind

# Half an hour since the report was asked for.
COOKIE = EncryptedCookie("sent", prefix="__Secure-", path="/report/", lifetime=30 * 60)


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


def read(request: HttpRequest) -> Receipt | None:
    """What the browser holds. None: nothing, too old, or not made by us."""
    return opened(COOKIE.of(request), now=time.time())


def enquiry_of(held: Receipt | None) -> Enquiry | None:
    """The request that a receipt names, whatever its address is now. None when there is none, or its details were erased."""
    if held is None:
        return None
    reports = Enquiry.objects.filter(kind=EnquiryKind.REPORT, erased_at=None)
    return reports.select_related("sheet", "assessment").filter(pk=held.enquiry).first()


def give(response: HttpResponse, request: HttpRequest, enquiry: Enquiry, email: str) -> HttpResponse:
    """For a request that was accepted, or whose address was changed. One for the same request goes on with its time.

    Anybody else who sends the same form gets a new one: they see what they would see of a request that nobody made before.
    """
    now, earlier = int(time.time()), read(request)
    at = earlier.at if earlier and earlier.enquiry == enquiry.pk else now
    return COOKIE.give(response, sealed(Receipt(enquiry.pk, email, at)), at=at)


def sealed(held: Receipt) -> str:
    return COOKIE.sealed({"enquiry": held.enquiry.hex, "email": held.email}, at=held.at)


def opened(value: str, *, now: float) -> Receipt | None:
    kept = COOKIE.opened(value, now=now)
    return Receipt(uuid.UUID(kept["enquiry"]), kept["email"], kept["at"]) if kept else None
