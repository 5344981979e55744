"""The timeline is written with every fact, in its transaction."""

from django.utils import timezone

from enquiries.models import Enquiry, EnquiryEvent


def record(enquiry: Enquiry, kind: str, **fields) -> EnquiryEvent:
    """As `entry`, and kept."""
    made = entry(enquiry, kind, **fields)
    made.save(force_insert=True)
    return made


def entry(enquiry: Enquiry, kind: str, *, by=None, actor: str = "", **fields) -> EnquiryEvent:
    """A line of the timeline that is not kept yet."""
    if by is None and not actor:
        raise TypeError("Name the actor: by=user, or actor for the patient or the mail worker.")
    fields.setdefault("created_at", timezone.now())
    actor = actor or by.get_full_name() or by.get_username()
    return EnquiryEvent(enquiry=enquiry, kind=kind, by=by, actor=actor, **fields)
