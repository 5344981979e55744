"""Exports enquiries as a file. Records who exported them, and why, before the first row is sent.

No export has patients' own words or answers of a self-assessment.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from backcare.core.encryption import CannotDecrypt
from enquiries.models import Enquiry, EnquiryEvent, EventKind, Export
from factsheets import team

MIN_REASON_LENGTH = 10  # letters


class NotAllowed(Exception):
    """This person may not export contact details. The text is for staff."""


def export(*, queryset: QuerySet[Enquiry], what: str, by: User, reason: str, personal: bool = False) -> Iterator[str]:
    """The file, a piece at a time, of the enquiries now in the queryset. `what` says in words which they are.

    With contact details each enquiry's timeline says so before its row leaves. Raises NotAllowed for contact details without
    the permission, and ValueError without a reason.
    """
    if personal and not by.has_perm("enquiries.export_personal"):
        raise NotAllowed("You can only export enquiries without contact details.")
    reason = " ".join(reason.split())
    if len(reason) < MIN_REASON_LENGTH:
        raise ValueError("Give a reason for the export.")
    # Fixed at one moment, so that a row that changes queue meanwhile is neither lost nor added.
    keys = list(queryset.values_list("pk", flat=True))
    kept = Export.objects.create(
        by=by,
        actor=team.account_name(by),
        what=what,
        how_many=len(keys),
        columns=", ".join(columns(personal=personal)),
        with_contact_details=personal,
        reason=reason,
    )
    return lines(_told(keys, kept) if personal else chunked(keys), personal=personal)


def _told(keys: list[UUID], kept: Export) -> Iterator[list[UUID]]:
    for chunk in chunked(keys):
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


# The file's columns, and cells that no spreadsheet program takes for a formula.

ROWS_AT_ONCE = 500  # rows in memory
BOM = "\ufeff"  # without it Excel misreads UTF-8


def _opened(enquiry: Enquiry, name: str) -> str:
    try:
        return str(getattr(enquiry, name))
    except CannotDecrypt:
        return "cannot be opened"


def _moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


COLUMNS: dict[str, Callable[[Enquiry], object]] = {
    "reference": lambda enquiry: enquiry.reference,
    "kind": lambda enquiry: enquiry.get_kind_display(),
    "status": lambda enquiry: enquiry.get_status_display(),
    "received": lambda enquiry: _moment(enquiry.created_at),
    "reply due": lambda enquiry: _moment(enquiry.reply_by),
    "first contact": lambda enquiry: _moment(enquiry.first_contact_at),
    "attempts": lambda enquiry: enquiry.contact_attempts,
    "outcome": lambda enquiry: enquiry.get_outcome_display(),
}
PERSONAL: dict[str, Callable[[Enquiry], object]] = {
    "name": lambda enquiry: _opened(enquiry, "name"),
    "email": lambda enquiry: _opened(enquiry, "email"),
    "phone": lambda enquiry: _opened(enquiry, "phone"),
}
# The other columns are not read from the database.
READ = ["reference", "kind", "status", "created_at", "reply_by", "first_contact_at", "contact_attempts", "outcome"]
READ_PERSONAL = ["name", "email", "phone"]

# What Excel, LibreOffice or Google Sheets may take for a formula: OWASP, "CSV Injection". Their fullwidth forms too, and also
# after spaces, which some of them cut off.
FORMULA = re.compile(r"^[\s\x00]*[=+\-@＝＋－＠]|^[ \xa0]*[\t\r\n\x00]")


def safe(cell: object) -> str:
    """The cell's text, with an apostrophe before anything that a spreadsheet could run, such as a phone number from +44."""
    text = str(cell)
    return f"'{text}" if FORMULA.match(text) else text


def columns(*, personal: bool) -> list[str]:
    return [*COLUMNS, *(PERSONAL if personal else ())]


def chunked(keys: list[UUID]) -> Iterator[list[UUID]]:
    """The keys, in batches of as many rows as may be in memory."""
    for start in range(0, len(keys), ROWS_AT_ONCE):
        yield keys[start : start + ROWS_AT_ONCE]


class Echo:
    """A file for csv.writer that returns each line it writes."""

    def write(self, line: str) -> str:
        return line


def lines(chunks: Iterable[list[UUID]], *, personal: bool) -> Iterator[str]:
    """The file, a piece at a time: every cell quoted, lines ended as RFC 4180 says."""
    writer = csv.writer(Echo(), quoting=csv.QUOTE_ALL)
    yield BOM + writer.writerow(columns(personal=personal))
    cells = [*COLUMNS.values(), *(PERSONAL.values() if personal else ())]
    wanted = [*READ, *(READ_PERSONAL if personal else ())]
    for keys in chunks:
        found = Enquiry.objects.only(*wanted).in_bulk(keys)
        there = (found[key] for key in keys if key in found)
        yield "".join(writer.writerow([safe(cell(enquiry)) for cell in cells]) for enquiry in there)
