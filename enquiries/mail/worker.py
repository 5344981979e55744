"""The mail worker, which claims a row, renders, sends and records it. Several may run, and any may be killed at any moment.

The claim and the record are short transactions; SMTP happens outside both. While mail goes quickly a worker claims several at
once, as many as leave within a blink; each has its own lease, and each is recorded as soon as it is sent. An urgent one is claimed
alone. What a killed worker had in hand is free at once for the others of its machine, and elsewhere after its lease. If it was
killed between the mail server's answer and the record, another of its machine records that email (`worker_presence.py`). If it was
killed before it had read the answer, the email is sent again, once, with the same Message-ID: SMTP gives no way to know.
"""

import logging
import random
import secrets
import smtplib
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, InterfaceError, OperationalError, transaction
from django.db import connection as database
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from enquiries import abuse
from enquiries.actions.outbox import message_has_failed, message_was_sent
from enquiries.mail import emails, wordings
from enquiries.mail.worker_presence import Present
from enquiries.models import MessageState, OutgoingMessage, WordingEdition, WorkerHeartbeat
from enquiries.models.message import LEASE

logger = logging.getLogger(__name__)

FIRST_RETRY = timedelta(seconds=30)
MAX_RETRY = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(hours=72)
MAILS_PER_CONNECTION = 100
CLAIMED_AT_ONCE = 25
CLAIM_SECONDS = 0.25  # a batch should be sent within this time
HAND_SECONDS = 1.0  # after this time, unsent emails of a batch are released, to be claimed again as they are by then
LOOK_FOR_LOST = 1.0  # seconds between looks for emails whose worker is gone
DATABASE_PAUSE = 0.5  # seconds between tries to record what happened
# An email that has not begun to be sent this long after the claim is left to another worker. If the server is slow at every step,
# sending may still outlast the lease, and then the email arrives twice with the same Message-ID.
BEGIN_WITHIN = LEASE - timedelta(seconds=60)
# An email that crashes its worker five times running would go on doing so and hold up the others.
LOST_CLAIMS_ALLOWED = 5


class PermanentFailure(Exception):
    """This email will never be accepted, so trying again would not help."""


class NothingSent(Exception):
    """The mail library accepted the email but sent nothing."""


class WorkerLost(Exception):
    """Every worker that claimed this email died before it could record what happened."""


# Errors that another try would not change. Anything else may be fixed while the email waits.
HOPELESS = (PermanentFailure, WorkerLost, emails.CannotRender)


class Worker:
    """One mail worker. `name` marks its claims."""

    def __init__(self, name: str = "") -> None:
        self.name = name or secrets.token_hex(8)
        self.connection: BaseEmailBackend | None = None
        self.sent_on_connection = 0
        self.next_look = 0.0  # on time.monotonic(): for an email whose worker is gone
        self.hand: list[OutgoingMessage] = []  # claimed and not yet sent, the next one last
        self.wordings: dict[str, WordingEdition | None] = {}  # the texts of the emails in hand that have been read
        self.claimed_at = 0.0  # on time.monotonic()
        self.pace = CLAIM_SECONDS  # seconds that the last email took
        self.deadline = 0.0  # on time.monotonic(): by when sending an email in hand must have begun
        self.present: Present | None = None

    def start(self) -> None:
        """Called before the first round. If no file can be locked and it dies, its emails wait until their lease is over."""
        try:
            self.present = Present(settings.DATA_DIR / "mail-workers", self.name)
        except OSError as error:
            logger.warning("Mail worker could not lock a file in DATA_DIR: %s", error.strerror)

    def run_once(self) -> bool:
        """Delivers one due message. True if there was one."""
        message = self.claim()
        if message is None:
            return False
        if message.lost_claims >= LOST_CLAIMS_ALLOWED:
            self.record(lambda: self.settle_failure(message, WorkerLost()))
            return True
        began = time.monotonic()
        try:
            self.send(message)
        except emails.NoLongerNeeded:
            self.record(lambda: self.settle_lapsed(message))
        except Exception as error:  # noqa: BLE001 - whatever it is, the row must say so and the next mail must go
            self.disconnect()
            failure = error  # Python forgets `error` at the end of this block
            self.record(lambda: self.settle_failure(message, failure))
            self.pace = CLAIM_SECONDS
            self.put_back()
        else:
            self.record(lambda: self.settle_success(message))
            self.pace = time.monotonic() - began
        return True

    def claim(self) -> OutgoingMessage | None:
        """The next email in hand. If there is none, claims what is due, or one whose worker is gone. None if nothing is due."""
        if self.hand and time.monotonic() - self.claimed_at > HAND_SECONDS:
            self.put_back()
        while not self.hand and self._claim():
            pass
        return self.hand.pop() if self.hand else None

    def _claim(self) -> bool:
        """Claims due emails in order, except those over their address's limit. False if nothing is due."""
        self.wordings.clear()
        self.claimed_at = time.monotonic()
        self.deadline = self.claimed_at + BEGIN_WITHIN.total_seconds()
        if self.claimed_at >= self.next_look:
            self._free_what_the_dead_hold()
        many = min(CLAIMED_AT_ONCE, max(1, int(CLAIM_SECONDS / max(self.pace, 0.001))))
        with transaction.atomic():
            due = OutgoingMessage.objects.due().order_by("-urgent", "next_attempt_at", "pk")
            if database.features.has_select_for_update_skip_locked:
                due = due.select_for_update(skip_locked=True, of=["self"])
            # One state at a time, for which there is an index. For both, SQLite would read the whole outbox, under the write lock.
            waiting = list(due.filter(state=MessageState.WAITING).values_list("pk", "urgent")[:many])
            # An email may be the reason why its worker is gone, so it is taken alone, and no other is held up with it. An urgent
            # one is taken before it, also alone.
            urgent = [pk for pk, urgent in waiting if urgent][:1]
            mine = urgent or self._lost(due) or [pk for pk, _ in waiting]
            if not mine:
                return False
            # Read once they are locked, by a separate statement. Whoever corrects an address also locks its email, but a joined row
            # would be as it was before PostgreSQL had the lock.
            rows = list(OutgoingMessage.objects.filter(pk__in=mine).with_enquiry().order_by(*due.query.order_by))
            rows = self._without_too_many(rows)
            lost = sum(row.state == MessageState.SENDING for row in rows)  # 0, or 1 of 1
            # A claim that only gives up the email is not a try.
            attempt = 0 if lost and rows[0].lost_claims + 1 >= LOST_CLAIMS_ALLOWED else 1
            # Also conditional, for databases without row locks and for a claim that has just run out.
            claimed = (
                OutgoingMessage.objects.due()
                .filter(pk__in=[row.pk for row in rows])
                .update(
                    state=MessageState.SENDING,
                    claimed_by=self.name,
                    lease_until=Now() + LEASE,
                    lost_claims=F("lost_claims") + lost,
                    attempts=F("attempts") + attempt,
                )
            )
            if claimed != len(rows):
                transaction.set_rollback(True)
                return False
        for row in reversed(rows):
            row.state, row.claimed_by = MessageState.SENDING, self.name
            row.lost_claims += lost
            row.attempts += attempt
            self.hand.append(row)
        return True

    def _without_too_many(self, rows: list[OutgoingMessage]) -> list[OutgoingMessage]:
        """Postpones emails over their address's limit."""
        waits = abuse.waits_before_mailing(rows)
        for row in rows:
            if wait := waits.get(row.pk):
                held = OutgoingMessage.objects.due().filter(pk=row.pk, attempts=0)
                held.update(next_attempt_at=Now() + timedelta(seconds=wait), error=abuse.HELD_BACK)
        return [row for row in rows if not waits.get(row.pk)]

    def stop(self) -> None:
        """Before the worker exits."""
        try:
            self.put_back()
            unrecorded = OutgoingMessage.objects.filter(state=MessageState.SENDING, claimed_by=self.name).exists()
        except DatabaseError as error:  # then their leases run out
            logger.warning("Claimed mails could not be released: %s", type(error).__name__)
        else:
            if self.present and not unrecorded:  # otherwise another finds this worker's file, and records what was sent
                self.present.leave()
        self.disconnect()

    def put_back(self) -> None:
        """Releases the claimed emails that have not been tried, for the next free worker. Raises DatabaseError."""
        held = [message.pk for message in self.hand]
        if held:
            mine = OutgoingMessage.objects.filter(pk__in=held, state=MessageState.SENDING, claimed_by=self.name)
            mine.update(state=MessageState.WAITING, claimed_by="", lease_until=None)
        self.hand.clear()

    def _lost(self, due: QuerySet[OutgoingMessage]) -> list[UUID]:
        """An email whose worker is gone. While there is much to send, it looks only now and then, because leases are longer."""
        if time.monotonic() < self.next_look:
            return []
        lost = list(due.filter(state=MessageState.SENDING).values_list("pk", flat=True)[:1])
        self.next_look = 0 if lost else time.monotonic() + LOOK_FOR_LOST
        return lost

    def _free_what_the_dead_hold(self) -> None:
        """Releases each email once only. One lost twice waits, so that a worker that keeps crashing does not use up its tries."""
        try:
            for name, last, at in self.present.gone() if self.present else ():
                if last:
                    self._record_for(name, last, at)
                theirs = OutgoingMessage.objects.filter(state=MessageState.SENDING, claimed_by=name, lost_claims=0)
                if freed := theirs.update(lease_until=Now() - timedelta(seconds=1)):
                    logger.warning("A mail worker is gone. %s of the mails it had claimed are sent at once.", freed)
        except OSError as error:  # email is still sent, except for what dead workers hold until their lease is over
            logger.warning("Mail worker could not check DATA_DIR for others: %s", error.strerror)

    def _record_for(self, name: str, last: UUID, at: datetime) -> None:
        """Records what a dead worker had sent, if it could not do so itself."""
        held = OutgoingMessage.objects.filter(pk=last, state=MessageState.SENDING, claimed_by=name)
        try:
            for message in held.with_enquiry():
                self.settle_success(message, at=at)
        except (OperationalError, InterfaceError):  # it is tried again
            raise
        except Exception as error:  # noqa: BLE001 - one mail must not stop all others
            logger.error("A mail that was sent could not be recorded: %s", type(error).__name__)

    def send(self, message: OutgoingMessage) -> None:
        if self.sent_on_connection >= MAILS_PER_CONNECTION:
            self.disconnect()
        if self.connection is None:
            self.connection = get_connection()
        with wordings.reading_once(self.wordings):
            mail = emails.render(message, self.connection)
        try:
            self.connection.open()
            if time.monotonic() > self.deadline:
                raise TimeoutError("Too late: another worker may have this mail by now.")
            if not self.connection.send_messages([mail]):
                raise NothingSent
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            if all(500 <= code < 600 for code in codes):
                raise PermanentFailure(f"SMTPRecipientsRefused {codes[0]}") from error
            raise
        except smtplib.SMTPDataError as error:
            if 500 <= error.smtp_code < 600:
                raise PermanentFailure(f"SMTPDataError {error.smtp_code}") from error
            raise
        self.sent_on_connection += 1
        try:
            if self.present:
                self.present.accepted(message.pk)
        except OSError as error:  # as on a full disk: it was sent all the same
            logger.warning("Mail worker could not write to its file: %s", error.strerror)

    def record(self, outcome: Callable[[], None]) -> None:
        """Records what happened, and keeps trying while the claim lasts.

        The email has been sent, so it must not be sent again just because the database was away for a moment.
        """
        deadline = time.monotonic() + LEASE.total_seconds()
        while True:
            try:
                return outcome()
            except (OperationalError, InterfaceError) as error:
                if time.monotonic() > deadline:
                    raise
                logger.warning("Mail worker waits to record a mail: %s", type(error).__name__)
                database.close()
                time.sleep(DATABASE_PAUSE)

    def settle_success(self, message: OutgoingMessage, *, at: datetime | None = None) -> None:
        """Records that it was sent, now or `at`."""
        with transaction.atomic():
            held = self._settle(message, state=MessageState.SENT, sent_at=at or timezone.now(), error="")
            if held and message.enquiry_id:
                message_was_sent(message=message)
        logger.info("Sent %s for %s", message.purpose, message.about)

    def settle_lapsed(self, message: OutgoingMessage) -> None:
        with transaction.atomic():
            self._settle(message, state=MessageState.LAPSED, error="")
        logger.info("No longer needed: %s for %s", message.purpose, message.about)

    def settle_failure(self, message: OutgoingMessage, error: Exception) -> None:
        message.error = describe(error)
        too_old = timezone.now() - message.created_at > GIVE_UP_AFTER
        with transaction.atomic():
            if isinstance(error, HOPELESS) or too_old:
                held = self._settle(message, state=MessageState.FAILED, error=message.error)
                if held and message.enquiry_id:
                    message_has_failed(message=message)
            else:
                self._settle(
                    message,
                    state=MessageState.WAITING,
                    error=message.error,
                    lost_claims=0,
                    next_attempt_at=Now() + back_off(message.attempts),
                )
        logger.warning("Not sent: %s for %s, %s", message.purpose, message.about, message.error)

    def _settle(self, message: OutgoingMessage, **outcome: Any) -> int:
        """Releases the email. 0 if it is no longer ours, because a worker that froze past its lease has lost it to another."""
        held = OutgoingMessage.objects.filter(pk=message.pk, state=MessageState.SENDING, claimed_by=message.claimed_by)
        return held.update(claimed_by="", lease_until=None, **outcome)

    def beat(self) -> None:
        now = timezone.now()
        with transaction.atomic():
            WorkerHeartbeat.objects.update_or_create(name=self.name, defaults={"seen_at": now})
            WorkerHeartbeat.objects.filter(seen_at__lt=now - timedelta(days=1)).delete()

    def disconnect(self) -> None:
        if self.connection is not None:
            try:
                self.connection.close()
            except Exception:  # noqa: BLE001 - a dead connection may not stop the worker
                logger.info("The mail connection was already gone.")
        self.connection, self.sent_on_connection = None, 0


def back_off(attempts: int) -> timedelta:
    """30 s, doubling up to 1 h, varied by a quarter so that a backlog does not return all at once."""
    wait: timedelta = min(FIRST_RETRY * 2.0 ** min(attempts - 1, 10), MAX_RETRY)
    return wait * random.uniform(0.75, 1.25)  # noqa: S311 - spreads load, no secret


def describe(error: Exception) -> str:
    """The error's class and SMTP code, but not the server's words, because they quote addresses."""
    if isinstance(error, PermanentFailure | emails.CannotRender):
        return str(error)[:80]
    code = getattr(error, "smtp_code", None)
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code = next(iter(error.recipients.values()))[0]
    return f"{type(error).__name__}{f' {code}' if code else ''}"[:80]


OURS = "Tell the person who looks after this website."
# The text of `OutgoingMessage.error`, for staff: by class and SMTP code (RFC 5321, 4.2.3), by code alone, by class alone.
REASONS = {
    "552": "Their mailbox is full.",
    "452": "Their mailbox is full.",
    "556": "The part of the address after the @ does not accept email.",
    "SMTPRecipientsRefused 554": "The mail system behind this address refused the email.",
    "SMTPRecipientsRefused": "There is no such mailbox, or it accepts no email from us.",
    "SMTPDataError": "The mail system behind this address refused the email, perhaps as spam.",
    "SMTPAuthenticationError": f"Our own mail server refused our password. {OURS}",
    "SMTPSenderRefused": f"Our own mail server does not let us send. {OURS}",
    "ValidationError": "This is not an email address.",
    "SheetNotPublished": "The fact sheet is no longer published.",
    "NothingToWriteAbout": "What the email was about no longer exists.",
    "WorkerLost": f"Our mail program crashed each time it tried to send this email. {OURS}",
}
NOT_REACHED = f"No mail server took it within {GIVE_UP_AFTER.days} days. {OURS}"


def reason_in_words(error: str, *, otherwise: str = NOT_REACHED) -> str:
    """Why an email failed, in a sentence for staff who must do something about it. `otherwise`: if no server replied."""
    name, _, code = error.partition(" ")
    for key in (error, code, name):
        if key in REASONS and not (code.startswith("4") and key == name):
            return REASONS[key]
    return otherwise
