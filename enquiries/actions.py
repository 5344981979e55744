"""What happens to an enquiry. Every verb is one transaction, names its actor, and writes the timeline with the fact."""

import logging
from datetime import date, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone

from enquiries.encryption import keyed_hash
from enquiries.models import (
    Enquiry,
    EnquiryEvent,
    EventKind,
    Kind,
    MessageState,
    OutgoingMessage,
    Purpose,
    Status,
)
from factsheets import reviews
from factsheets.models import FactSheet, ReviewReminder

logger = logging.getLogger(__name__)

# A second click, the back button or a reload within this time is the same request. A later one is meant.
SAME_FORM_WITHIN = timedelta(minutes=30)

PURPOSES = {
    Kind.REPORT: [Purpose.REPORT],
    Kind.CONSULTATION: [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
    Kind.QUESTION: [Purpose.ACKNOWLEDGEMENT, Purpose.CLINIC_ALERT],
}


class MoveRefused(Exception):  # noqa: N818 - reads as what happened
    """The enquiry cannot go to that status. The text is for staff."""


class NobodyToRemind(Exception):  # noqa: N818
    """Reviews come up, and no staff account that may change fact sheets has an e-mail address."""


class StaleEnquiry(Exception):  # noqa: N818
    """Somebody changed the enquiry after this page was opened. The text is for staff."""


def accept(
    *,
    kind: str,
    details: dict[str, str],
    contact_by: list[str] | None = None,
    sheet: FactSheet | None = None,
    quarantine_reason: str = "",
) -> Enquiry:
    """Keeps what a patient sent: the enquiry, its first timeline entry and its mail, or nothing at all.

    `details` holds the cleaned texts name, email, phone, best_time, description. The same form sent twice within
    SAME_FORM_WITHIN gives back the enquiry that is already there. A quarantined enquiry sends no mail.
    """
    form = (kind, details, sorted(contact_by or []), sheet, quarantine_reason)
    try:
        return _keep(*form)
    except IntegrityError:
        # Its reference, eight letters of chance, was taken: some five times in a million enquiries. Draw another.
        return _keep(*form)


def _keep(kind, details, contact_by, sheet, quarantine_reason) -> Enquiry:
    with transaction.atomic():
        keys = _submission_keys(kind, details, contact_by, sheet, quarantine_reason)
        earlier = Enquiry.objects.filter(submission_key__in=keys, created_at__gte=timezone.now() - SAME_FORM_WITHIN)
        if known := earlier.first():
            return known
        enquiry = Enquiry.objects.create(
            kind=kind,
            sheet=sheet,
            **details,
            **{f"by_{method}": True for method in contact_by},
            status=Status.SPAM if quarantine_reason else Status.NEW,
            quarantine_reason=quarantine_reason,
            submission_key=keys[0],
        )
        _record(
            enquiry,
            EventKind.RECEIVED,
            actor="patient",
            summary=f"Asked for: {enquiry.get_kind_display()}",
        )
        if not quarantine_reason:
            for purpose in PURPOSES[Kind(kind)]:
                enqueue(enquiry=enquiry, purpose=purpose)
    logger.info("Accepted %s %s", enquiry.kind, enquiry.reference)
    return enquiry


def enqueue(*, enquiry: Enquiry, purpose: str) -> OutgoingMessage:
    """The only door to the outbox for an enquiry's mail. Must be inside the transaction of the fact that the mail reports."""
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("enqueue() belongs inside the transaction of the fact it reports.")
    last = enquiry.messages.filter(purpose=purpose).aggregate(last=Max("sequence"))["last"] or 0
    return OutgoingMessage.objects.create(enquiry=enquiry, purpose=purpose, sequence=last + 1)


def remind_of_reviews(*, today: date) -> int:
    """Puts the reminders that are due today into the outbox, one mail to each editor. Returns how many sheets they are about.

    Once for each sheet, due date and step, however often and by however many workers it is called. Raises NobodyToRemind,
    and then nothing is written down as done: the reminder goes out when there is an editor.
    """
    coming_up = reviews.coming_up(today)
    due = [(sheet, reviews.step_reached(sheet.review_due_on, today)) for sheet in coming_up]
    if not due:
        return 0
    # A lapsed mail reached nobody: its reminder is due again if the date moves back or the sheet returns.
    told = set(
        OutgoingMessage.objects.filter(reminder__sheet__in=coming_up)
        .exclude(state=MessageState.LAPSED)
        .values_list("reminder__sheet", "reminder__review_due_on", "reminder__days_before")
    )
    due = [(sheet, step) for sheet, step in due if (sheet.pk, sheet.review_due_on, step) not in told]
    editors = list(reviews.editors()) if due else []
    if due and not editors:
        raise NobodyToRemind
    for sheet, step in due:
        _remind(sheet, step, editors)
    return len(due)


def _remind(sheet: FactSheet, step: int, editors: list[AbstractBaseUser]) -> None:
    now = timezone.now()
    with transaction.atomic():
        reminder, _ = ReviewReminder.objects.get_or_create(
            sheet=sheet, review_due_on=sheet.review_due_on, days_before=step
        )
        for editor in editors:
            OutgoingMessage.objects.get_or_create(
                reminder=reminder, staff=editor, defaults={"purpose": Purpose.REVIEW_REMINDER}
            )
        reminder.messages.filter(state=MessageState.LAPSED).update(
            state=MessageState.WAITING, attempts=0, created_at=now, next_attempt_at=now
        )
    logger.info("Review reminder for %s, %s days before", sheet.slug, step)


def triage(
    *,
    enquiry: Enquiry,
    by: AbstractBaseUser,
    to: str | None = None,
    owner: AbstractBaseUser | None = None,
    change_owner: bool = False,
    note: str = "",
    version: int | None = None,
) -> Enquiry:
    """Moves an enquiry, hands it to an owner, adds a note: any of these, together or not at all.

    `version` is the one the staff member's page showed. Raises StaleEnquiry when the row has moved on since, and
    MoveRefused when the status table does not allow the move.
    """
    with transaction.atomic():
        current = Enquiry.objects.select_for_update().get(pk=enquiry.pk)
        if version is not None and version != current.version:
            raise StaleEnquiry(what_changed(current))
        if to and to != current.status:
            if not current.may_move_to(to):
                raise MoveRefused(
                    f"An enquiry that is “{current.get_status_display()}” cannot become “{Status(to).label}”."
                )
            _record(current, EventKind.MOVED, by=by, from_status=current.status, to_status=to)
            if current.status == Status.SPAM:
                _release(current)
            current.status = to
            if to == Status.CLOSED:
                current.mail_failed = False
        if change_owner and owner != current.owner:
            _record(
                current,
                EventKind.ASSIGNED,
                by=by,
                summary=f"Owner: {owner.get_username() if owner else 'nobody'}",
            )
            current.owner = owner
        if note.strip():
            _record(current, EventKind.NOTE, by=by, note=note.strip())
        current.version += 1
        current.save(update_fields=["status", "owner", "mail_failed", "quarantine_reason", "version"])
    return current


def send_again(*, message: OutgoingMessage, by: AbstractBaseUser) -> OutgoingMessage:
    """Puts a mail back into the outbox: a failed one with its own Message-ID, a sent one as a new message.

    A reminder that was sent stays as it is: each editor gets it once.
    """
    with transaction.atomic():
        # PostgreSQL locks only what is certain to be there, and a reminder has no enquiry.
        mine = OutgoingMessage.objects.select_for_update(of=["self"]).select_related("enquiry", "reminder__sheet")
        message = mine.get(pk=message.pk)
        if message.state in {MessageState.WAITING, MessageState.SENDING}:
            # Already under way: only stop waiting for the next attempt.
            OutgoingMessage.objects.filter(pk=message.pk, state=MessageState.WAITING).update(
                next_attempt_at=timezone.now()
            )
            return message
        if message.state == MessageState.SENT and message.reminder:
            return message
        if message.state == MessageState.SENT:
            message = enqueue(enquiry=message.enquiry, purpose=message.purpose)
        else:
            message.state, message.attempts, message.lost_claims, message.error = MessageState.WAITING, 0, 0, ""
            message.created_at = message.next_attempt_at = timezone.now()
            message.save(update_fields=["state", "attempts", "lost_claims", "error", "created_at", "next_attempt_at"])
        if message.reminder:
            logger.info("To be sent again: %s for %s", message.purpose, message.about)
            return message
        _record(message.enquiry, EventKind.MESSAGE_AGAIN, by=by, summary=message.get_purpose_display())
        if not message.enquiry.messages.failed().exists():
            Enquiry.objects.filter(pk=message.enquiry_id).update(mail_failed=False, version=F("version") + 1)
    return message


def message_was_sent(*, message: OutgoingMessage) -> None:
    """Called in the transaction that settles a delivery. A report that was delivered needs nobody: it is closed."""
    enquiry = message.enquiry
    _record(enquiry, EventKind.MESSAGE_SENT, actor="mail worker", summary=message.get_purpose_display())
    if message.purpose == Purpose.REPORT and enquiry.status == Status.NEW:
        _record(enquiry, EventKind.MOVED, actor="mail worker", from_status=enquiry.status, to_status=Status.CLOSED)
        Enquiry.objects.filter(pk=enquiry.pk).update(status=Status.CLOSED, version=F("version") + 1)


def message_has_failed(*, message: OutgoingMessage) -> None:
    """Called in the transaction that gives a delivery up. Brings the enquiry back to the top of the inbox."""
    enquiry = message.enquiry
    _record(
        enquiry,
        EventKind.MESSAGE_FAILED,
        actor="mail worker",
        summary=f"{message.get_purpose_display()}: {message.error}",
    )
    changes = {"mail_failed": True, "version": F("version") + 1}
    if enquiry.status == Status.CLOSED:
        _record(
            enquiry,
            EventKind.MOVED,
            actor="mail worker",
            from_status=enquiry.status,
            to_status=Status.IN_PROGRESS,
        )
        changes["status"] = Status.IN_PROGRESS
    Enquiry.objects.filter(pk=enquiry.pk).update(**changes)


def _record(enquiry: Enquiry, kind: str, *, by=None, actor: str = "", **fields) -> EnquiryEvent:
    if by is None and not actor:
        raise TypeError("Name the actor: by=user, or actor for the patient or the mail worker.")
    actor = actor or by.get_full_name() or by.get_username()
    return EnquiryEvent.objects.create(enquiry=enquiry, kind=kind, by=by, actor=actor, **fields)


def _release(enquiry: Enquiry) -> None:
    """A quarantined enquiry that staff release is answered like any other."""
    enquiry.quarantine_reason = ""
    for purpose in PURPOSES[Kind(enquiry.kind)]:
        if not enquiry.messages.filter(purpose=purpose).exists():
            enqueue(enquiry=enquiry, purpose=purpose)


def _submission_keys(kind, details, contact_by, sheet, quarantine_reason) -> list[str]:
    """Keyed hashes of the form's content for this and the previous window, so that no window's edge splits a double click.

    Waits until nobody else is keeping the same form, and only then looks at the clock. A form that was set aside is not
    the same as one that was not: a person whose browser filled in the trap may send it again.
    """
    content = [
        kind,
        str(sheet.pk if sheet else ""),
        "quarantined" if quarantine_reason else "",
        *contact_by,
        *(f"{key}={details[key]}" for key in sorted(details)),
    ]
    database = transaction.get_connection()
    if database.vendor == "postgresql":  # SQLite has one writer at a time anyway
        with database.cursor() as cursor:
            turn = int(keyed_hash(*content, purpose="submission")[:15], 16)
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [turn])
    window = int(timezone.now().timestamp() // SAME_FORM_WITHIN.total_seconds())
    return [keyed_hash(*content, str(window - back), purpose="submission") for back in (0, 1)]


def what_changed(enquiry: Enquiry) -> str:
    latest = enquiry.events.last()
    return (
        f"{latest.actor} changed this enquiry while you had it open: {latest.get_kind_display()}"
        f"{f' to “{latest.get_to_status_display()}”' if latest.to_status else ''}. "
        f"It is now “{enquiry.get_status_display()}”, owner {enquiry.owner or 'nobody'}. "
        "Nothing of yours was saved. Read it again, then make your change."
    )
