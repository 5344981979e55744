"""Enquiries leave the system as a file: who took them, and why, is kept before the first one goes."""

from collections.abc import Iterator
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from enquiries.desk import export as sheet
from enquiries.models import EnquiryEvent, EventKind, Export

SHORTEST_REASON = 10  # letters


class NotAllowed(Exception):  # noqa: N818 - reads as what happened
    """This person may not take contact details out. The text is for staff."""


def export(*, queryset, what: str, by: AbstractBaseUser, reason: str, personal: bool = False) -> Iterator[str]:
    """The file, a piece at a time, of the enquiries that the queryset holds now. `what` says in words which they are.

    With contact details each enquiry's timeline says so before its row leaves. Raises NotAllowed for contact details without
    the permission, and ValueError without a reason.
    """
    if personal and not by.has_perm("enquiries.export_personal"):
        raise NotAllowed("You can only export enquiries without contact details.")
    reason = " ".join(reason.split())
    if len(reason) < SHORTEST_REASON:
        raise ValueError("Give a reason for the export.")
    # Fixed at one moment: a row that changes its queue meanwhile is neither lost nor added.
    keys = list(queryset.values_list("pk", flat=True))
    kept = Export.objects.create(
        by=by,
        actor=by.get_full_name() or by.get_username(),
        what=what,
        how_many=len(keys),
        columns=", ".join(sheet.columns(personal=personal)),
        with_contact_details=personal,
        reason=reason,
    )
    return sheet.lines(_told(keys, kept) if personal else sheet.chunked(keys), personal=personal)


def _told(keys: list[UUID], kept: Export) -> Iterator[list[UUID]]:
    for chunk in sheet.chunked(keys):
        with transaction.atomic():
            EnquiryEvent.objects.bulk_create(
                EnquiryEvent(
                    enquiry_id=key,
                    kind=EventKind.EXPORTED,
                    by=kept.by,
                    actor=kept.actor,
                    summary=f"With contact details, in an export of {kept.how_many}",
                    note=kept.reason,
                )
                for key in chunk
            )
        yield chunk
