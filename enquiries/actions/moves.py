"""What staff do with an enquiry."""

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from enquiries.actions.intake import answer
from enquiries.actions.status import move
from enquiries.actions.timeline import record
from enquiries.models import Enquiry, EventKind, Status

FLAGGED = "Their words sound like a warning sign. Record what you did about it first."


class MoveRefused(Exception):  # noqa: N818 - reads as what happened
    """The enquiry cannot go to that status. The text is for staff."""


class StaleEnquiry(Exception):  # noqa: N818
    """Somebody changed the enquiry after this page was opened. The text is for staff."""


def expect_shown(enquiry: Enquiry, version: int | None) -> None:
    """Raises StaleEnquiry when the enquiry is no longer what a page showed at that version. None: there was no page."""
    if version is not None and version != enquiry.version:
        raise StaleEnquiry(what_changed(enquiry))


def triage(
    *,
    enquiry: Enquiry,
    by: AbstractBaseUser,
    to: str | None = None,
    owner: AbstractBaseUser | None = None,
    change_owner: bool = False,
    note: str = "",
    outcome: str = "",
    version: int | None = None,
) -> Enquiry:
    """Moves an enquiry, hands it to an owner, adds a note: any of these, together or not at all.

    `version` is the one the staff member's page showed; `outcome` says why an enquiry is closed. Raises StaleEnquiry when the
    row has moved on since, and MoveRefused when the status table does not allow the move, or a safety flag stands in its way.
    """
    with transaction.atomic():
        current = Enquiry.objects.select_for_update(no_key=True).get(pk=enquiry.pk)
        expect_shown(current, version)
        if to and to != current.status:
            if refusal := why_not(current, to):
                raise MoveRefused(refusal)
            if current.status == Status.SPAM:
                _release(current)
            move(current, to, by=by, outcome=outcome)
        if change_owner and owner != current.owner:
            record(
                current,
                EventKind.ASSIGNED,
                by=by,
                summary=f"Owner: {owner.get_username() if owner else 'nobody'}",
            )
            current.owner = owner
        if note.strip():
            record(current, EventKind.NOTE, by=by, note=note.strip())
        current.version += 1
        current.save()
    return current


def why_not(enquiry: Enquiry, to: str) -> str:
    """Why the enquiry cannot go to that status, for staff. Empty when it can, or is there already."""
    if to != enquiry.status and not enquiry.may_move_to(to):
        return f"An enquiry that is “{enquiry.get_status_display()}” cannot become “{Status(to).label}”."
    if enquiry.is_flagged and to in {Status.CLOSED, Status.SPAM}:
        return FLAGGED
    return ""


def _release(enquiry: Enquiry) -> None:
    """A quarantined enquiry that staff release is answered like any other."""
    enquiry.quarantine_reason = ""
    answer(enquiry)


def what_changed(enquiry: Enquiry) -> str:
    latest = enquiry.events.last()
    return (
        f"{latest.actor} changed this enquiry while you had it open: {latest.get_kind_display()}"
        f"{f' to “{latest.get_to_status_display()}”' if latest.to_status else ''}. "
        f"It is now “{enquiry.get_status_display()}”, owner {enquiry.owner or 'nobody'}. "
        "Nothing of yours was saved. Read it again, then make your change."
    )
