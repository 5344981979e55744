"""The timeline is written with every fact, in its transaction."""

from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from enquiries.models import Enquiry, EnquiryEvent


def record(enquiry: Enquiry, kind: str, **fields: Any) -> EnquiryEvent:
    """As `entry`, and kept."""
    made = entry(enquiry, kind, **fields)
    made.save(force_insert=True)
    return made


def entry(enquiry: Enquiry, kind: str, *, by: User | None = None, actor: str = "", **fields: Any) -> EnquiryEvent:
    """A line of the timeline that is not kept yet."""
    fields.setdefault("created_at", timezone.now())
    if not actor:
        if by is None:
            raise TypeError("Name the actor: by=user, or actor for the patient or the mail worker.")
        actor = by.get_full_name() or by.get_username()
    return EnquiryEvent(enquiry=enquiry, kind=kind, by=by, actor=actor, **fields)
