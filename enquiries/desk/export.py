"""Enquiries as a spreadsheet: which columns, and cells that no spreadsheet program takes for a formula.

What patients wrote in their own words, and the answers of a self-assessment, are in no export.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from uuid import UUID

from django.utils import timezone

from enquiries.models import Enquiry
from enquiries.privacy.encryption import CannotDecrypt

AT_ONCE = 500  # rows in memory
BOM = "\ufeff"  # without it Excel takes UTF-8 for another encoding


def _opened(enquiry: Enquiry, name: str) -> str:
    try:
        return getattr(enquiry, name)
    except CannotDecrypt:
        return "cannot be opened"


def _moment(at: datetime | None) -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}" if at else ""


COLUMNS = {
    "reference": lambda enquiry: enquiry.reference,
    "kind": lambda enquiry: enquiry.get_kind_display(),
    "status": lambda enquiry: enquiry.get_status_display(),
    "received": lambda enquiry: _moment(enquiry.created_at),
    "reply due": lambda enquiry: _moment(enquiry.reply_by),
    "first contact": lambda enquiry: _moment(enquiry.first_contact_at),
    "attempts": lambda enquiry: enquiry.contact_attempts,
    "outcome": lambda enquiry: enquiry.get_outcome_display(),
}
PERSONAL = {
    "name": lambda enquiry: _opened(enquiry, "name"),
    "email": lambda enquiry: _opened(enquiry, "email"),
    "phone": lambda enquiry: _opened(enquiry, "phone"),
}
# The rest of a row is not read from the database.
READ = ["reference", "kind", "status", "created_at", "reply_by", "first_contact_at", "contact_attempts", "outcome"]
READ_PERSONAL = ["name", "email", "phone"]

# What Excel, LibreOffice or Google Sheets may take for a formula: OWASP, "CSV Injection". Their fullwidth forms too, and also
# after spaces, which some of them cut off.
FORMULA = re.compile(r"^[\s\x00]*[=+\-@＝＋－＠]|^[ \xa0]*[\t\r\n\x00]")


def safe(cell) -> str:
    """The cell's text, with an apostrophe before what a spreadsheet could run. A phone number from +44 is such a text."""
    text = str(cell)
    return f"'{text}" if FORMULA.match(text) else text


def columns(*, personal: bool) -> list[str]:
    return [*COLUMNS, *(PERSONAL if personal else ())]


def chunked(keys: list[UUID]) -> Iterator[list[UUID]]:
    """As many keys at a time as rows may be in memory."""
    for start in range(0, len(keys), AT_ONCE):
        yield keys[start : start + AT_ONCE]


class _Line:
    def write(self, line):
        return line


def lines(chunks: Iterable[list[UUID]], *, personal: bool) -> Iterator[str]:
    """The file, a piece at a time: every cell quoted, lines ended as RFC 4180 says."""
    writer = csv.writer(_Line(), quoting=csv.QUOTE_ALL)
    yield BOM + writer.writerow(columns(personal=personal))
    cells = [*COLUMNS.values(), *(PERSONAL.values() if personal else ())]
    wanted = [*READ, *(READ_PERSONAL if personal else ())]
    for keys in chunks:
        found = Enquiry.objects.only(*wanted).in_bulk(keys)
        there = (found[key] for key in keys if key in found)
        yield "".join(writer.writerow([safe(cell(enquiry)) for cell in cells]) for enquiry in there)
