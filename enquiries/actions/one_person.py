"""What the clinic does at a person's word with everything it holds about them. Recorded without saying who they are."""

import logging

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction

from enquiries.actions.erasure import clear_files, erase
from enquiries.actions.timeline import record
from enquiries.models import Enquiry, EventKind, MessageState

logger = logging.getLogger(__name__)


class Reason(models.TextChoices):
    """Why everything about a person is erased. A list, so that nobody writes a name into the log."""

    ASKED = "asked", "the person asked us to"
    WITHDREW = "withdrew", "the person withdrew their consent"
    OBJECTED = "objected", "the person objected and we have no reason to keep it"
    UNLAWFUL = "unlawful", "we should not have had it"


def note_export(*, enquiries: list[Enquiry], by: User | None = None, actor: str = "") -> None:
    """Records on each enquiry that everything held was given out."""
    with transaction.atomic():
        for enquiry in enquiries:
            record(
                enquiry, EventKind.EXPORTED, by=by, actor=actor, summary="Everything held about the person, as a file"
            )
        _log(enquiries, by, CHANGE, "Exported everything held about one person")


def erase_person(*, enquiries: list[Enquiry], reason: str, by: User | None = None, actor: str = "") -> bool:
    """Erases all of these enquiries or none, their mails too, and then clears the database's files of what stood there.

    Left are references, dates and a timeline without words. A mail that a worker holds just now stays for as long as it does.
    False when the files could not be cleared because others read all the time: the next purge does it.
    """
    why = Reason(reason).label
    with transaction.atomic():
        for enquiry in sorted(enquiries, key=lambda each: each.pk):
            erase(enquiry=enquiry, by=by, actor=actor, summary=f"Everything held about the person: {why}")
            enquiry.messages.exclude(state=MessageState.SENDING).delete()
        _log(enquiries, by, DELETION, f"Erased everything held about one person: {why}")
    logger.info("Erased everything held about one person: %s enquiries", len(enquiries))
    return clear_files()


def _log(enquiries: list[Enquiry], by: User | None, flag: int, words: str) -> None:
    """In the staff desk's log, for the owner; what a command does stands on the timelines."""
    if by is None:
        return
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Enquiry),
        object_repr=f"{len(enquiries)} enquiries"[:200],
        action_flag=flag,
        change_message=f"{words}: {', '.join(each.reference for each in enquiries)}",
    )
