"""One outcome for all the forms that share a row of the safety queue, because a flood brought them (`enquiries/flood.py`)."""

from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

from enquiries.actions.moves import MoveRefused, StaleEnquiry
from enquiries.actions.status import move
from enquiries.actions.timeline import record
from enquiries.models import Enquiry, EventKind, Outcome, Status
from enquiries.models.enquiry import FLAGGED


class FoldOutcome(models.TextChoices):
    NOT_PATIENTS = "not_patients", "Told nobody: one sender, not patients"
    REPEATS = "repeats", "One person sent the same again, and was advised"
    NO_SIGN = "no_sign", "Read them all: no warning sign now"


# Where each outcome takes them. Those without a warning sign stay open, because their senders still wait for an answer.
MOVES_TO = {
    FoldOutcome.NOT_PATIENTS: {"to": Status.SPAM},
    FoldOutcome.REPEATS: {"to": Status.CLOSED, "outcome": Outcome.DUPLICATE},
}


def unsettled(flood: UUID) -> models.QuerySet:
    """What one step would settle, the oldest first. One that somebody has taken is theirs, and is settled by itself."""
    return Enquiry.objects.filter(FLAGGED, flood=flood, folded=True, owner=None).order_by("created_at", "pk")


def settle_fold(
    *, flood: UUID, by: AbstractBaseUser, outcome: str, reason: str, last: UUID | None, number: int
) -> list[Enquiry]:
    """Settles the warning signs of a fold, each on its own timeline, and moves the enquiries where the outcome says.

    `number` and `last` are how many the page showed and the newest of them: what has come since then was read by nobody, and stays.
    Raises StaleEnquiry when those are not the same any more, and MoveRefused without a reason; then nothing is recorded.
    """
    outcome, reason = FoldOutcome(outcome), reason.strip()
    if not reason:
        raise MoveRefused("Write how you know.")
    with transaction.atomic():
        # Locked in the order in which others lock several.
        rows = list(unsettled(flood).order_by("pk").select_for_update(no_key=True))
        rows.sort(key=lambda each: (each.created_at, each.pk))
        newest = next((place for place, each in enumerate(rows, start=1) if each.pk == last), 0)
        if not newest or newest != number:
            raise StaleEnquiry("This list changed while you were reading. Nothing was recorded. Look at it again.")
        rows, now = rows[:newest], timezone.now()
        for enquiry in rows:
            record(
                enquiry, EventKind.SAFETY, by=by, summary=f"{outcome.label}. {number} settled in one step", note=reason
            )
            enquiry.safety_acted_at, enquiry.next_call_at = now, None
            target = MOVES_TO.get(outcome)
            if target and enquiry.may_move_to(target["to"]):  # one that was withdrawn is closed already
                move(enquiry, by=by, **target)
            enquiry.version += 1
            enquiry.save()
    return rows
