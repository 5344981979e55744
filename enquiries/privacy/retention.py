"""How long each kind of data is kept, and what has expired at a given moment. One list for the purge, staff and the public page.

UK GDPR, Article 5(1)(e): no longer than is needed. The periods are the clinic's; those that are settings can be changed by it.
"""

from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from backcare.core import clinic
from backcare.core.models import Limit
from enquiries.models import (
    Absence,
    Assessment,
    Enquiry,
    EnquiryKind,
    Export,
    FloodMark,
    MessageState,
    OutgoingMessage,
    StaffDraft,
    Status,
    StoppedAddress,
)
from factsheets.models import ContentUpload, SearchMiss, SheetReads, UnsavedEdit
from factsheets.reads import KEPT_MONTHS
from factsheets.search.failed_searches import KEPT_FOR

# For reports, consultations and questions, an owner sets the period on the desk (ClinicSettings in backcare/core/models.py).
SPAM_DAYS = 30
OUTBOX_DAYS = 30
ABSENCE_DAYS = 30
DRAFT_DAYS = 14
RECORD_YEARS = 6  # the limitation period for most claims: Limitation Act 1980, sections 2 and 5


def months_from(moment: datetime, months: int) -> datetime:
    """The same day so many months later, or earlier for a negative number; the last of a month that is too short."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


@dataclass(frozen=True)
class Rule:
    """One kind of data, and its rows that have expired. If `erase` is set, the row stays but loses its details."""

    name: str
    label: str  # for the command: "… erased: 3"
    due: Callable[[datetime], QuerySet[Any]]
    erase: bool = False
    why: Callable[[], str] = lambda: ""  # for the timeline of what was erased


def due_reports(now: datetime) -> QuerySet[Enquiry]:
    """Report requests whose details are no longer needed: `report_retention_days` after the last mail was sent.

    Where no mail was ever sent the days count from the request. Nothing is erased while a mail is on its way, or while a warning
    sign waits for somebody to act on it.
    """
    flagged = Q(live=True, safety_signs__isnull=False, safety_acted_at=None)
    before = now - timedelta(days=clinic.current()["report_retention_days"])
    mail = OutgoingMessage.objects.filter(enquiry=OuterRef("pk"))
    return Enquiry.objects.filter(~flagged, kind=EnquiryKind.REPORT, erased_at=None, created_at__lte=before).exclude(
        Exists(mail.filter(Q(sent_at__gt=before) | Q(state__in=[MessageState.WAITING, MessageState.SENDING])))
    )


def due_enquiries(now: datetime) -> QuerySet[Enquiry]:
    """Consultations and questions, `enquiry_retention_months` of the clinic after they were closed."""
    before = months_from(now, -clinic.current()["enquiry_retention_months"])
    return Enquiry.objects.filter(status=Status.CLOSED, erased_at=None, closed_at__lte=before).exclude(
        kind=EnquiryKind.REPORT
    )


def due_spam(now: datetime) -> QuerySet[Enquiry]:
    before = now - timedelta(days=SPAM_DAYS)
    return Enquiry.objects.filter(status=Status.SPAM, erased_at=None, closed_at__lte=before)


def due_messages(now: datetime) -> QuerySet[Any]:
    """Rows of the outbox with which nothing is left to do. Not those that another rule counts from, or that somebody may act on:

    of a report until it is erased, of what is set aside until it is erased, of a failed mail that staff have not dealt with, and
    of a sheet's review until that is done, for they say who was reminded.
    """
    # Worded as a negative to keep SQLite from using the index of states, with which it reads the whole outbox for each hundred.
    under_way = [MessageState.WAITING, MessageState.SENDING]
    before = now - timedelta(days=OUTBOX_DAYS)
    rows = OutgoingMessage.objects.exclude(state__in=under_way).annotate(done_at=Coalesce("sent_at", "next_attempt_at"))
    needed = Q(enquiry__erased_at=None) & (
        Q(enquiry__kind=EnquiryKind.REPORT) | Q(enquiry__status=Status.SPAM) | Q(enquiry__mail_failed=True)
    )
    still_due = Q(reminder__review_due_on=F("reminder__sheet__review_due_on"))
    needed_rows = OutgoingMessage.objects.filter(
        (Q(enquiry__isnull=False) & needed) | (Q(reminder__isnull=False) & still_due)
    )
    # Checked row by row, because a list of all that are needed would be made again for each hundred deleted.
    return rows.filter(~Exists(needed_rows.filter(pk=OuterRef("pk"))), done_at__lte=before)


def due_records(now: datetime) -> QuerySet[Enquiry]:
    """What is left of an enquiry once its details are erased: the reference, dates and a timeline without words."""
    return Enquiry.objects.filter(erased_at__lte=years_before(now))


def years_before(now: datetime) -> datetime:
    """Records from before this date, kept for RECORD_YEARS, have expired."""
    return months_from(now, -12 * RECORD_YEARS)


RULES = [
    Rule("summaries", "Private summaries", lambda now: Assessment.objects.over(now)),
    Rule(
        "reports",
        "Details of report requests",
        due_reports,
        erase=True,
        why=lambda: f"{clinic.current()['report_retention_days']} days have passed",
    ),
    Rule(
        "enquiries",
        "Details of consultations and questions",
        due_enquiries,
        erase=True,
        why=lambda: f"{clinic.current()['enquiry_retention_months']} months have passed since it was closed",
    ),
    Rule(
        "spam",
        "Details of enquiries set aside as spam",
        due_spam,
        erase=True,
        why=lambda: f"{SPAM_DAYS} days have passed",
    ),
    Rule("messages", "Emails that are finished with", due_messages),
    Rule("records", "Enquiries without details", due_records),
    Rule("exports", "Entries in the log of exports", lambda now: Export.objects.filter(at__lte=years_before(now))),
    Rule(
        "admin_log",
        "Entries in the staff desk's log",
        lambda now: LogEntry.objects.filter(action_time__lte=years_before(now)),
    ),
    Rule("sessions", "Ended staff sessions", lambda now: Session.objects.filter(expire_date__lte=now)),
    Rule(
        "search_misses",
        "Searches without results",
        lambda now: SearchMiss.objects.filter(last_on__lt=timezone.localdate(now) - KEPT_FOR),
    ),
    Rule(
        "reads",
        "Daily counts of reads",
        lambda now: SheetReads.objects.filter(day__lt=timezone.localdate(months_from(now, -KEPT_MONTHS))),
    ),
    Rule(
        "absences",
        "Past absences of staff",
        lambda now: Absence.objects.filter(last_day__lt=timezone.localdate(now) - timedelta(days=ABSENCE_DAYS)),
    ),
    Rule(
        "drafts",
        "Texts that staff typed but did not send",
        lambda now: StaffDraft.objects.filter(updated_at__lte=now - timedelta(days=DRAFT_DAYS)),
    ),
    Rule(
        "unsaved_edits",
        "Unsaved changes to fact sheets",
        lambda now: UnsavedEdit.objects.filter(seen_at__lte=now - timedelta(days=DRAFT_DAYS)),
    ),
    Rule(
        "uploads",
        "Content files that nobody imported",
        lambda now: ContentUpload.objects.filter(at__lte=now - timedelta(days=DRAFT_DAYS)),
    ),
    Rule("limits", "Counts of limits", lambda now: Limit.objects.filter(until__lte=now)),
    Rule("flood_marks", "Marks of similar forms", lambda now: FloodMark.objects.filter(until__lte=now)),
    Rule("stopped", "Addresses that asked for no email", lambda now: StoppedAddress.objects.filter(until__lte=now)),
]


def ends_on(enquiry: Enquiry) -> date | None:
    """The day on which the purge will erase an enquiry's details, as things are. None while it is open."""
    if enquiry.erased_at:
        return None
    if enquiry.status == Status.SPAM and enquiry.closed_at:
        return timezone.localdate(enquiry.closed_at + timedelta(days=SPAM_DAYS))
    if enquiry.kind == EnquiryKind.REPORT:
        if enquiry.messages.unsent().exists():
            return None
        sent = (
            enquiry.messages.filter(sent_at__isnull=False)
            .order_by("-sent_at")
            .values_list("sent_at", flat=True)
            .first()
        )
        return timezone.localdate(
            max(sent or enquiry.created_at, enquiry.created_at)
            + timedelta(days=clinic.current()["report_retention_days"])
        )
    if enquiry.status == Status.CLOSED and enquiry.closed_at:
        return timezone.localdate(months_from(enquiry.closed_at, clinic.current()["enquiry_retention_months"]))
    return None
