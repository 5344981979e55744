"""How what a patient told us goes away again: at their word, at the clinic's, or when its time is over."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from enquiries.actions.mail import in_hand
from enquiries.actions.status import move
from enquiries.actions.timeline import record
from enquiries.models import Assessment, Enquiry, EventKind, Kind, MessageState, OutgoingMessage, Status

logger = logging.getLogger(__name__)

AT_ONCE = 100  # rows looked up at a time; each is erased in a short transaction of its own

# Timeline entries in which staff may have written about the person.
WITH_WORDS = [EventKind.NOTE, EventKind.CALLED, EventKind.REPLIED, EventKind.SAFETY, EventKind.ADDED]


@dataclass(frozen=True)
class Purged:
    reports: int
    summaries: int


def erase(*, enquiry: Enquiry, by: AbstractBaseUser | None = None, actor: str = "", summary: str = "") -> Enquiry:
    """Erases who an enquiry is from and everything they wrote, its mail that has not gone, and the answers given with it.

    The row, its reference, kind, dates and the timeline stay, without the notes' words. Twice is the same as once.
    """
    with transaction.atomic():
        enquiry = in_hand(enquiry)
        if enquiry.erased_at:
            return enquiry
        Assessment.objects.filter(enquiry=enquiry).delete()
        enquiry.name_words.all().delete()
        # A mail that a worker holds just now is out of reach; if it does not go, it lapses when its turn comes again.
        enquiry.messages.filter(state=MessageState.WAITING).update(state=MessageState.LAPSED, error="")
        for event in enquiry.events.filter(kind__in=WITH_WORDS):
            event.erase_note()
        record(enquiry, EventKind.ERASED, by=by, actor=actor, summary=summary)
        enquiry.name = enquiry.email = enquiry.phone = enquiry.best_time = enquiry.description = ""
        enquiry.needs = enquiry.email_key = enquiry.phone_key = enquiry.safety_signs = ""
        enquiry.safety_acted_at, enquiry.call_slots = None, 0
        # The key was made from what they sent: nobody shall be able to try addresses against it.
        enquiry.submission_key = secrets.token_hex(32)
        enquiry.erased_at = timezone.now()
        enquiry.mail_failed = False
        enquiry.version += 1
        if enquiry.status not in {Status.CLOSED, Status.SPAM}:
            move(enquiry, Status.CLOSED, by=by, actor=actor)
        enquiry.save()
    logger.info("Erased the details of %s", enquiry.reference)
    return enquiry


def due_reports(now: datetime):
    """Report requests whose details are no longer needed: REPORT_RETENTION_DAYS after the last mail was sent.

    Where no mail was ever sent the days count from the request. While a mail is on its way nothing is erased.
    """
    before = now - timedelta(days=settings.REPORT_RETENTION_DAYS)
    mail = OutgoingMessage.objects.filter(enquiry=OuterRef("pk"))
    return Enquiry.objects.filter(kind=Kind.REPORT, erased_at=None, created_at__lte=before).exclude(
        Exists(mail.filter(Q(sent_at__gt=before) | Q(state__in=[MessageState.WAITING, MessageState.SENDING])))
    )


def purge(*, now: datetime, dry_run: bool = False) -> Purged:
    """Erases what is over at `now`: the details of reports, and answers whose link has ended. Returns how many.

    A dry run only counts. Each enquiry is a transaction of its own, so that nobody waits for a long one, and a purge that is
    cut off goes on where it stopped.
    """
    summaries, reports = Assessment.objects.over(now), due_reports(now)
    counted = Purged(reports=reports.count(), summaries=summaries.count())
    if dry_run:
        return counted
    while keys := list(summaries.values_list("pk", flat=True)[:AT_ONCE]):
        Assessment.objects.filter(pk__in=keys).delete()
    erased = 0
    while rows := list(reports.order_by("created_at", "pk")[:AT_ONCE]):
        for enquiry in rows:
            erase(enquiry=enquiry, actor="retention", summary=f"{settings.REPORT_RETENTION_DAYS} days are over")
            erased += 1
    return Purged(reports=erased, summaries=counted.summaries)
