"""One outcome for all the forms that share a row of the safety queue, because a flood brought them (`enquiries/flood.py`)."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from enquiries.actions.timeline import entry
from enquiries.actions.transitions import MoveRefused, StaleEnquiry
from enquiries.models import Enquiry, EnquiryEvent, EventKind, Outcome, Status
from enquiries.models.enquiry import FLAGGED


class FoldOutcome(models.TextChoices):
    NOT_PATIENTS = "not_patients", "One sender, not patients: no one to advise"
    REPEATS = "repeats", "Repeats from one person, who has been advised"
    NO_SIGN = "no_sign", "I read them all: no warning sign now"


# Where each outcome takes them. Those without a warning sign stay open, because their senders still wait for an answer.
MOVES_TO: dict[FoldOutcome, dict[str, str]] = {
    FoldOutcome.NOT_PATIENTS: {"to": Status.SPAM},
    FoldOutcome.REPEATS: {"to": Status.CLOSED, "outcome": Outcome.DUPLICATE},
}
TAKEN = Q(owner__isnull=False) | Q(contact_attempts__gt=0) | Q(first_contact_at__isnull=False)
AT_ONCE = 500  # in one statement


def unsettled(flood: UUID) -> models.QuerySet[Enquiry]:
    """What one step would settle, the oldest first. One that somebody has taken, or called, is settled by itself."""
    return Enquiry.objects.filter(FLAGGED & ~TAKEN, flood=flood, folded=True).order_by("created_at", "pk")


def taken(flood: UUID) -> models.QuerySet[Enquiry]:
    return Enquiry.objects.filter(FLAGGED & TAKEN, flood=flood, folded=True).order_by("created_at", "pk")


def settle_fold(*, flood: UUID, by: User, outcome: str, reason: str, last: UUID | None, number: int) -> list[Enquiry]:
    """Settles the warning signs of a fold, each on its own timeline, and moves the enquiries where the outcome says.

    `number` and `last` are how many the page showed and the newest of them: what has come since then was read by nobody, and stays.
    Raises StaleEnquiry when those are not the same any more, and MoveRefused without a reason; then nothing is recorded.
    """
    chosen, reason = FoldOutcome(outcome), reason.strip()
    if not reason:
        raise MoveRefused("Say how you know.")
    with transaction.atomic():
        # Locked in the order in which others lock several.
        rows = list(unsettled(flood).order_by("pk").select_for_update(no_key=True))
        rows.sort(key=lambda each: (each.created_at, each.pk))
        newest = next((place for place, each in enumerate(rows, start=1) if each.pk == last), 0)
        if not newest or newest != number:
            raise StaleEnquiry("This list changed while you were reading it, so nothing was recorded. Check it again.")
        rows = rows[:newest]
        _settle(rows, by, f"{chosen.label}. {number} settled in one step", reason, MOVES_TO.get(chosen, {}))
    return rows


def _settle(rows: list[Enquiry], by: User, summary: str, reason: str, target: dict[str, str]) -> None:
    """In few statements, so that no patient's form waits long: one by one, 1,500 of them kept SQLite's only writer for 7 s.

    None has been answered, so none waits for its patient or is booked; one that its patient withdrew is closed already.
    """
    now = timezone.now()
    then = now + timedelta(microseconds=1)  # a timeline is in the order of its times
    moved: list[Enquiry] = []
    others: list[Enquiry] = []
    for each in rows:
        (moved if target and each.may_move_to(target["to"]) else others).append(each)
    entries = [entry(each, EventKind.SAFETY, by=by, summary=summary, note=reason, created_at=now) for each in rows]
    entries += [
        entry(each, EventKind.MOVED, by=by, from_status=each.status, to_status=target["to"], created_at=then)
        for each in moved
    ]
    EnquiryEvent.objects.bulk_create(entries, batch_size=100)
    settled = {"safety_acted_at": now, "next_call_at": None, "version": F("version") + 1}
    if target:
        closed = {"status": target["to"], "outcome": target.get("outcome", ""), "closed_at": now}
        closed |= {"mail_failed": False} if target["to"] == Status.CLOSED else {}
        _write(moved, settled | closed)
    _write(others, settled)


def _write(rows: list[Enquiry], values: dict[str, Any]) -> None:
    keys = [each.pk for each in rows]
    for start in range(0, len(keys), AT_ONCE):
        Enquiry.objects.filter(pk__in=keys[start : start + AT_ONCE]).update(**values)
