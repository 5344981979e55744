"""How email is queued, including the digest and the review reminders, and how its delivery is recorded on the enquiry."""

import logging
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, Max, OuterRef
from django.utils import timezone

from backcare.core.encryption import CannotDecrypt
from enquiries import clock
from enquiries.actions.status import transition
from enquiries.inbox import queues
from enquiries.models import (
    Appointment,
    Assessment,
    Enquiry,
    EnquiryEvent,
    EnquiryKind,
    EventKind,
    MessageState,
    Outcome,
    OutgoingMessage,
    Purpose,
    Status,
)
from enquiries.models.event import record
from factsheets import review_notifications
from factsheets.models import Edition, FactSheet, ReviewReminder, SafetyDraftEvent, SharedDraftEvent

logger = logging.getLogger(__name__)

# How long a summary's link works after the email that brings it.
SUMMARY_DAYS = 7
TO_STAFF = {Purpose.CLINIC_ALERT, Purpose.CLINICIAN_ALERT, Purpose.CHANGE_ALERT}

# The email to the person who asked, for each kind.
TO_THEM = {
    EnquiryKind.REPORT: Purpose.REPORT,
    EnquiryKind.CONSULTATION: Purpose.ACKNOWLEDGEMENT,
    EnquiryKind.QUESTION: Purpose.ACKNOWLEDGEMENT,
}


class Erased(Exception):
    """The enquiry's details were erased, so there is no address to write to. The text is for staff."""


def enqueue(
    *,
    enquiry: Enquiry,
    purpose: str,
    not_before: datetime | None = None,
    event: EnquiryEvent | None = None,
    staff: User | None = None,
    appointment: Appointment | None = None,
) -> OutgoingMessage:
    """The only way to queue an enquiry's email. Must be inside the transaction of the event that it reports."""
    _must_be_in_transaction()
    last = enquiry.messages.filter(purpose=purpose).aggregate(last=Max("sequence"))["last"] or 0
    return OutgoingMessage.objects.create(
        enquiry=enquiry,
        purpose=purpose,
        sequence=last + 1,
        next_attempt_at=not_before or timezone.now(),
        urgent=enquiry.is_flagged and purpose in TO_STAFF,
        event=event,
        staff=staff,
        appointment=appointment,
    )


def enqueue_first(enquiry: Enquiry, purposes: Mapping[Purpose, datetime | None]) -> None:
    """Like `enqueue`, in one statement, for purposes without an email yet, each with the time before which it must not be sent."""
    _must_be_in_transaction()
    now = timezone.now()
    OutgoingMessage.objects.bulk_create(
        OutgoingMessage(
            enquiry=enquiry,
            purpose=purpose,
            next_attempt_at=not_before or now,
            urgent=enquiry.is_flagged and purpose in TO_STAFF,
        )
        for purpose, not_before in purposes.items()
    )


def _must_be_in_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("Queue an email inside the transaction of the event it reports.")


def has_address(enquiry: Enquiry) -> bool:
    """Whether the patient gave an address. One that cannot be decrypted counts: the email will fail, and somebody will see it."""
    try:
        return bool(enquiry.email)
    except CannotDecrypt:
        return True


def is_mailed(enquiry: Enquiry, *, since: datetime | None = None) -> bool:
    """Whether the mail that answers a form goes, or went, to the address that the enquiry has now; or has gone since a time.

    One that came back counts as well: whoever looks may not be the owner of that address, and learns nothing about it. One that
    was on its way when the address was corrected went to the other.
    """
    mails = enquiry.messages.filter(purpose=TO_THEM[EnquiryKind(enquiry.kind)]).exclude(state=MessageState.LAPSED)
    if since:
        return mails.filter(next_attempt_at__gte=since).exists()
    corrected = EnquiryEvent.objects.filter(enquiry=OuterRef("enquiry"), kind=EventKind.CORRECTED)
    return mails.filter(~Exists(corrected.filter(created_at__gt=OuterRef("next_attempt_at")))).exists()


def lock_enquiry(enquiry: Enquiry) -> Enquiry:
    """The enquiry as it is, locked. Its email is locked first, as everywhere else.

    A mail that a worker holds is left alone: the worker records what became of it, and will want the enquiry then. `no_key` here
    as everywhere: a row that only points to the enquiry, as a line of the timeline does, needs not wait.
    """
    at_rest = OutgoingMessage.objects.filter(enquiry=enquiry).exclude(state=MessageState.SENDING)
    list(at_rest.select_for_update().order_by("pk").values_list("pk"))
    return Enquiry.objects.select_for_update(no_key=True).get(pk=enquiry.pk)


def send_again(*, message: OutgoingMessage, by: User) -> OutgoingMessage:
    """Queues an email again: a failed one with its own Message-ID, a sent one as a new message.

    Sent reminders and emails about a day are never sent twice. Two clicks are one email.
    """
    with transaction.atomic():
        mine = OutgoingMessage.objects.select_related("enquiry", "reminder__sheet")
        if message.enquiry:
            lock_enquiry(message.enquiry)
        else:
            # PostgreSQL locks only what must exist, and an email about a day has no reminder.
            mine = mine.select_for_update(of=["self"])
        message = mine.get(pk=message.pk)
        if message.enquiry and message.enquiry.erased_at:
            raise Erased("The details of this enquiry were erased, so there is no address to send it to.")
        if message.state == MessageState.SENT and message.enquiry:
            same = message.enquiry.messages.filter(
                purpose=message.purpose,
                event=message.event,
                staff=message.staff,
                appointment=message.appointment,
            )
            message = same.unsent().order_by("sequence").last() or message
        if message.state in {MessageState.WAITING, MessageState.SENDING}:
            # Already being sent, so only the wait for the next attempt ends.
            OutgoingMessage.objects.filter(pk=message.pk, state=MessageState.WAITING).update(
                next_attempt_at=timezone.now()
            )
            return message
        if message.state == MessageState.SENT:
            if not message.enquiry:
                return message
            message = enqueue(
                enquiry=message.enquiry,
                purpose=message.purpose,
                event=message.event,
                staff=message.staff,
                appointment=message.appointment,
            )
        else:
            mine.filter(pk=message.pk).queue_again(timezone.now())
            message.refresh_from_db()
        if not message.enquiry:
            logger.info("To be sent again: %s for %s", message.purpose, message.about)
            return message
        record(message.enquiry, EventKind.MESSAGE_AGAIN, by=by, summary=message.get_purpose_display())
        if not message.enquiry.messages.failed().exists():
            Enquiry.objects.filter(pk=message.enquiry.pk).update(mail_failed=False, version=F("version") + 1)
    return message


def _lock_enquiry_of(message: OutgoingMessage) -> Enquiry:
    if message.enquiry_id is None:
        raise TypeError("This email is not about an enquiry.")
    return Enquiry.objects.select_for_update(no_key=True).get(pk=message.enquiry_id)


def message_was_sent(*, message: OutgoingMessage) -> None:
    """Called in the transaction that records a delivery. A delivered report needs nobody's attention, so it is closed.

    One with an open safety flag stays open, because somebody has to act on that. Staff may have moved the enquiry while its mail
    was on the way, and their move stands: so it is read again, locked.
    """
    if message.purpose != Purpose.REPORT and message.enquiry:
        record(message.enquiry, EventKind.MESSAGE_SENT, actor="mail worker", summary=message.get_purpose_display())
        return
    enquiry = _lock_enquiry_of(message)
    record(enquiry, EventKind.MESSAGE_SENT, actor="mail worker", summary=message.get_purpose_display())
    Assessment.objects.filter(enquiry=enquiry).update(expires_at=timezone.now() + timedelta(days=SUMMARY_DAYS))
    if enquiry.status == Status.NEW and not enquiry.is_flagged:
        transition(enquiry, Status.CLOSED, outcome=Outcome.SENT, actor="mail worker")
        enquiry.save_new_version()


def message_has_failed(*, message: OutgoingMessage) -> None:
    """Called in the transaction that gives up a delivery. Moves the enquiry to the top of the inbox.

    Not for a mail that another has replaced: what becomes of that one counts. Nor where a patient withdrew and the cancellation
    does not reach them: they know of it, and nobody has to.
    """
    enquiry = _lock_enquiry_of(message)
    withdrawn = message.purpose == Purpose.CANCELLATION and enquiry.outcome == Outcome.WITHDRAWN
    if message.is_replaced or withdrawn:
        OutgoingMessage.objects.filter(pk=message.pk).update(state=MessageState.LAPSED)
        return
    summary = f"{message.get_purpose_display()}: {message.error}"
    record(enquiry, EventKind.MESSAGE_FAILED, actor="mail worker", summary=summary)
    if enquiry.status == Status.CLOSED:
        transition(enquiry, Status.IN_PROGRESS, actor="mail worker")
    enquiry.mail_failed = True
    enquiry.save_new_version()


# The clinic's digest says in numbers what is waiting in the inbox. There is one for each day on which the clinic opens.

# The queues that it counts, without those that differ between readers (mine) or change by the hour (to call).
DIGEST_TELLS = ["safety", "overdue", "today", "mail", "nobody", "cover", "outcome", "chase", "waiting", "held", "spam"]


def write_digest(*, now: datetime) -> bool:
    """Queues today's digest, to be sent when the clinic opens. True if it was not there yet.

    Once a day, however often and by however many workers it is called: the database holds one for each day.
    """
    day = timezone.localdate(now)
    if not is_digest_wanted(day, now):
        return False
    opening = clock.load().hours.sessions(day)[0].starts
    _, made = OutgoingMessage.objects.get_or_create(
        purpose=Purpose.DIGEST, day=day, defaults={"created_at": opening, "next_attempt_at": opening}
    )
    if made:
        logger.info("Digest for %s", day)
    return made


def is_digest_wanted(day: date, now: datetime) -> bool:
    """Whether the clinic opens on that day and has not closed yet, because nobody needs yesterday's numbers."""
    sessions = clock.load().hours.sessions(day)
    return bool(sessions) and timezone.localdate(now) == day and now < sessions[-1].ends


def what_waits(now: datetime) -> list[tuple[queues.Queue, int]]:
    """The queues that are not empty, with their counts but no names."""
    counted = queues.counts(now=now, user=None, hours=clock.load().hours)
    return [(queues.BY_NAME[name], counted[name]) for name in DIGEST_TELLS if counted[name]]


# Reminders to editors about reviews that will be due.


class NobodyToRemind(Exception):
    """Reviews are due, but no staff account that may change fact sheets has an email address."""


def remind_of_reviews(*, today: date) -> int:
    """Puts the reminders that are due today into the outbox, one mail to each editor. Returns how many sheets they are about.

    Once for each sheet, due date and step, however often and by however many workers it is called. Raises NobodyToRemind,
    and then nothing is written down as done: the reminder goes out when there is an editor.
    """
    coming_up = review_notifications.coming_up(today)
    due = [
        (sheet, sheet.review_due_on, step)
        for sheet in coming_up
        if sheet.review_due_on and (step := review_notifications.step_reached(sheet.review_due_on, today)) is not None
    ]
    if not due:
        return 0
    # A lapsed email reached nobody, so its reminder is due again if the date moves back or the sheet returns.
    told = set(
        OutgoingMessage.objects.filter(reminder__sheet__in=coming_up)
        .exclude(state=MessageState.LAPSED)
        .values_list("reminder__sheet", "reminder__review_due_on", "reminder__days_before")
    )
    due = [(sheet, due_on, step) for sheet, due_on, step in due if (sheet.pk, due_on, step) not in told]
    editors = list(review_notifications.editors()) if due else []
    if due and not editors:
        raise NobodyToRemind
    for sheet, due_on, step in due:
        _remind(sheet, due_on, step, editors)
    return len(due)


def tell_of_review(about: review_notifications.About, people: list[User]) -> None:
    """Queues an email about a step in a review for each of them, in the transaction of the step."""
    kind = {Edition: "edition", SharedDraftEvent: "draft_event", SafetyDraftEvent: "safety_event"}[type(about)]
    for person in people:
        OutgoingMessage.objects.get_or_create(**{kind: about}, staff=person, defaults={"purpose": Purpose.SHEET_REVIEW})


def _remind(sheet: FactSheet, due_on: date, step: int, editors: list[User]) -> None:
    now = timezone.now()
    with transaction.atomic():
        reminder, _ = ReviewReminder.objects.get_or_create(sheet=sheet, review_due_on=due_on, days_before=step)
        for editor in editors:
            OutgoingMessage.objects.get_or_create(
                reminder=reminder, staff=editor, defaults={"purpose": Purpose.REVIEW_REMINDER}
            )
        reminder.messages.filter(state=MessageState.LAPSED).queue_again(now)
    logger.info("Review reminder for %s, %s days before", sheet.slug, step)
