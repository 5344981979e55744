"""Erases what a patient told us: at their request, by the clinic, or when its retention period ends.

It also puts an address whose owner asked for no more email on the list of stopped addresses, because its reports are erased too.
"""

import logging
import math
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection, models, transaction
from django.db.models import F
from django.utils import timezone

from backcare.core.encryption import CannotDecrypt
from enquiries import abuse
from enquiries.actions.outbox import lock_enquiry
from enquiries.actions.status import transition
from enquiries.models import (
    Assessment,
    Enquiry,
    EnquiryKind,
    EventKind,
    LastPurge,
    MessageState,
    Outcome,
    Status,
    StoppedAddress,
)
from enquiries.models.event import record
from enquiries.privacy import retention

logger = logging.getLogger(__name__)

PAUSE_FOR_READERS = 0.2  # seconds for them to finish
AT_ONCE = 100  # rows looked up at a time; each is erased in a short transaction of its own


@dataclass(frozen=True)
class Purged:
    """The number erased or deleted under each rule of `enquiries.privacy.retention`."""

    counts: dict[str, int]
    finished: bool = True

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def erase(*, enquiry: Enquiry, by: User | None = None, actor: str = "", summary: str = "") -> Enquiry:
    """Erases who an enquiry is from and everything they wrote, its unsent email, and the answers given with it.

    The row, its reference, kind, dates and the timeline stay, without the notes' words. Repeating it changes nothing.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        if enquiry.erased_at:
            return enquiry
        Assessment.objects.filter(enquiry=enquiry).delete()
        enquiry.search_tokens.all().delete()
        enquiry.drafts.all().delete()
        # An email that a worker holds now is out of reach. If it is not sent, it lapses when its turn comes again.
        enquiry.messages.filter(state=MessageState.WAITING).update(state=MessageState.LAPSED, error="")
        for event in enquiry.events.all():
            event.erase_note()  # whoever wrote it, and whether or not it can still be decrypted
        record(enquiry, EventKind.ERASED, by=by, actor=actor, summary=summary)
        enquiry.name = enquiry.email = enquiry.phone = enquiry.best_time = enquiry.description = ""
        enquiry.needs = enquiry.email_key = enquiry.phone_key = enquiry.safety_signs = ""
        enquiry.for_name = enquiry.for_relation = enquiry.for_agreed = ""
        enquiry.safety_acted_at, enquiry.call_slots = None, 0
        enquiry.may_leave_voicemail = enquiry.may_say_who_calls = enquiry.next_call_at = None
        enquiry.appointment = None
        # The key was made from what they sent, so it would let somebody test guesses of the address.
        enquiry.submission_key = secrets.token_hex(32)
        enquiry.erased_at = timezone.now()
        enquiry.mail_failed = False
        enquiry.version += 1
        if enquiry.status not in {Status.CLOSED, Status.SPAM}:
            transition(enquiry, Status.CLOSED, outcome=Outcome.ERASED, by=by, actor=actor)
        enquiry.save()
        enquiry.appointments.all().delete()  # only once the row no longer points to the booked one
    logger.info("Erased the details of %s", enquiry.reference)
    return enquiry


def purge(
    *,
    now: datetime,
    dry_run: bool = False,
    seconds: float = math.inf,
    progress: Callable[[int, str], None] = lambda rows, what: None,
) -> Purged:
    """Erases or deletes what has expired at `now`, by the rules of `enquiries.privacy.retention`. Returns how many of each.

    A dry run only counts. Each enquiry is a transaction of its own, and rows that only go are deleted a hundred at a time, so that
    nobody waits for a long one, and a purge that is cut off goes on where it stopped. What was done is kept as LastPurge.

    After about so many `seconds` it stops; `finished` says whether something was left for the next time. `progress` is told how
    many more are gone, and by which rule.
    """
    if dry_run:
        return Purged({rule.name: rule.due(now).count() for rule in retention.RULES})
    until = time.monotonic() + seconds
    counts = {rule.name: _end(rule, now, until, progress) for rule in retention.RULES}
    purged = Purged(counts, finished=time.monotonic() < until)
    LastPurge.objects.update_or_create(pk=1, defaults={"at": now, "counts": purged.counts})
    clear_files(tries=1)
    return purged


def _end(rule: retention.Rule, now: datetime, until: float, progress: Callable[[int, str], None]) -> int:
    ended, due = 0, rule.due(now).order_by("pk")
    while time.monotonic() < until and (rows := list(due.values_list("pk", flat=True)[:AT_ONCE])):
        # Checks each again, because staff may have reopened it, or had an email sent again, since it was looked up.
        if not rule.erase:
            _, gone = due.filter(pk__in=rows).delete()
            ended += gone.get(due.model._meta.label, 0)
            progress(len(rows), rule.label)
            continue
        for enquiry in Enquiry.objects.filter(pk__in=rows):
            with transaction.atomic():
                if due.filter(pk=lock_enquiry(enquiry).pk).exists():
                    erase(enquiry=enquiry, actor="retention", summary=rule.why())
                    ended += 1
            progress(1, rule.label)
    return ended


def clear_files(tries: int = 3) -> bool:
    """Removes what was erased from the files: SQLite's write-ahead log, PostgreSQL's dead rows. False if that must wait."""
    if connection.in_atomic_block:
        return False
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "VACUUM enquiries_enquiry, enquiries_enquiryevent, enquiries_assessment, enquiries_searchtoken, "
                "enquiries_staffdraft"
            )
            return True
        for attempt in range(tries):
            # secure_delete has overwritten the rows. This writes the pages to the file and empties the log.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not cursor.fetchone()[0]:
                return True
            if attempt + 1 < tries:
                time.sleep(PAUSE_FOR_READERS)
    return False


# What the clinic does at a person's request with everything it holds about them, recorded without saying who they are.


class Reason(models.TextChoices):
    """Why everything about a person is erased. A fixed list, because free text could put a name into the log."""

    ASKED = "asked", "the person asked us to"
    WITHDREW = "withdrew", "the person withdrew their consent"
    OBJECTED = "objected", "the person objected and we have no reason to keep it"
    UNLAWFUL = "unlawful", "we should not have had it"


def note_export(*, enquiries: list[Enquiry], by: User | None = None, actor: str = "") -> None:
    """Records on each enquiry that everything held was exported."""
    with transaction.atomic():
        for enquiry in enquiries:
            record(
                enquiry, EventKind.EXPORTED, by=by, actor=actor, summary="Everything held about the person, as a file"
            )
        _log(enquiries, by, CHANGE, "Exported everything held about one person")


def erase_person(*, enquiries: list[Enquiry], reason: str, by: User | None = None, actor: str = "") -> bool:
    """Erases all of these enquiries and their emails, or none, and then clears the traces from the database's files.

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
    """In the staff desk's log, for the owner. What a command does is on the timelines."""
    if by is None:
        return
    LogEntry.objects.create(
        user=by,
        content_type=ContentType.objects.get_for_model(Enquiry),
        object_repr=f"{len(enquiries)} enquiries"[:200],
        action_flag=flag,
        change_message=f"{words}: {', '.join(each.reference for each in enquiries)}",
    )


# The list of addresses whose owners asked us to stop.

STOPPED_MONTHS = 12
READ_AT_ONCE = 500  # rows read at a time; reports are kept for a month


def stop_mails(*, key: str) -> None:
    """Stops emails that a stranger could cause to this mailbox. `key` is `abuse.stop_key`. Doing it again makes it last longer.

    Every request for a report that names the mailbox is erased at once: nothing is left to do with it. One whose warning sign
    nobody has acted on is not, and neither is a consultation or a question: somebody asked for help there.
    """
    now = timezone.now()
    until = retention.months_from(now, STOPPED_MONTHS)
    with transaction.atomic():
        StoppedAddress.objects.update_or_create(
            key=key, defaults={"until": until}, create_defaults={"until": until, "created_at": now}
        )
    for report in Enquiry.objects.filter(kind=EnquiryKind.REPORT, erased_at=None).iterator(chunk_size=READ_AT_ONCE):
        if not report.is_flagged and _is_of(report, key):
            erase(enquiry=report, actor="patient", summary="With “Stop these emails”")
    logger.info("An address asked for no more mail")


def _is_of(report: Enquiry, key: str) -> bool:
    try:
        return key in abuse.stop_keys(report.email)
    except CannotDecrypt:
        return False  # its key is lost, so it stays until its retention period ends


def allow_mails(*, enquiry: Enquiry, by: User) -> bool:
    """Takes the enquiry's address off the list at its owner's request. False if it was not on it."""
    with transaction.atomic():
        enquiry = Enquiry.objects.select_for_update(no_key=True).get(pk=enquiry.pk)
        if not StoppedAddress.objects.filter(key__in=abuse.stop_keys(enquiry.email)).delete()[0]:
            return False
        record(enquiry, EventKind.NOTE, by=by, summary="Emails to this address allowed again at its owner’s request")
        Enquiry.objects.filter(pk=enquiry.pk).update(version=F("version") + 1)
    return True
