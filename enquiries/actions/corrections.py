"""Corrects a wrong address or number, for staff or for a patient who has just asked for a report but gets no email."""

import logging
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from backcare.core import blind_index
from backcare.core.encryption import CannotDecrypt
from enquiries import abuse
from enquiries.actions.outbox import TO_STAFF, Erased, enqueue, lock_enquiry
from enquiries.actions.triage import MoveRefused, expect_shown
from enquiries.links import MAX_WRONG_TRIES, of_mail
from enquiries.models import (
    Assessment,
    Enquiry,
    EnquiryEvent,
    EnquiryKind,
    EventKind,
    MessageState,
    OutgoingMessage,
    PrivateLink,
    Purpose,
    SearchToken,
    Status,
)
from enquiries.models.event import record

logger = logging.getLogger(__name__)

# The address may be a stranger's, typed by mistake or out of malice.
MAX_CORRECTIONS = 3  # changes and repeats for one request, counted together
WAIT_BEFORE_AGAIN = timedelta(seconds=60)

ASKED = [EventKind.CORRECTED, EventKind.MESSAGE_AGAIN]


class TooSoon(Exception):
    """The email was asked for a moment ago. The text is for the patient."""


class TooOften(Exception):
    """The request has used up what it may send. The text is for the patient."""


def correct_address(*, enquiry: Enquiry, email: str, hold: timedelta = timedelta(0), sender: str = "") -> Enquiry:
    """Sends a report to another address in place of the first.

    A mail that no worker has touched goes there in its own turn; otherwise a new one is made. It leaves after `hold`. A private
    summary gets another link: whoever has the first mail could guess the right address from the wrong one. Raises TooOften,
    and Erased when nothing is left to correct. The address that is there already changes nothing.

    `sender` as in `accept`: a change counts like another request, and raises abuse.TooMany.
    """
    with transaction.atomic():
        enquiry = _not_erased(lock_enquiry(enquiry))
        if email == enquiry.email:
            return enquiry
        _allow_one_more(enquiry)
        not_mailed = _counted(enquiry, sender, email)
        record(enquiry, EventKind.CORRECTED, actor="patient", summary=_corrected(not_mailed))
        enquiry.email, enquiry.email_key = email, blind_index.email_key(email)
        if enquiry.status != Status.SPAM:  # an email that was set aside goes to the right address if staff release it
            _to_the_new_address(enquiry, timezone.now() + hold, nowhere=bool(not_mailed))
        _make_another_link(enquiry)
        _save(enquiry)
    logger.info("Corrected the address of %s", enquiry.reference)
    return enquiry


def send_report_again(*, enquiry: Enquiry, asked_at: datetime | None = None, sender: str = "") -> bool:
    """Sends a report again, as a new email only if the last one was sent. A failed one gets all its tries again.

    False if it is not sent, because it is set aside or its mailbox has had enough.

    `asked_at` is when this person asked, where that is later than what the enquiry knows. Raises TooSoon, TooOften and Erased.
    `sender` as in `accept`: it counts like another request, and raises abuse.TooMany.
    """
    with transaction.atomic():
        enquiry = _not_erased(lock_enquiry(enquiry))
        _allow_one_more(enquiry)
        now = timezone.now()
        if (wait := again_from(enquiry, asked_at) - now) > timedelta(0):
            raise TooSoon(f"You can send it again in {_in_words(wait)}.")
        goes = False
        if enquiry.status == Status.SPAM:
            record(
                enquiry, EventKind.MESSAGE_AGAIN, actor="patient", summary="Requested by the patient. Still held back"
            )
        elif not_mailed := _counted(enquiry, sender, enquiry.email):
            record(
                enquiry,
                EventKind.MESSAGE_AGAIN,
                actor="patient",
                summary=f"Requested by the patient. Not sent: {not_mailed}",
            )
        else:
            record(enquiry, EventKind.MESSAGE_AGAIN, actor="patient", summary=Purpose.REPORT.label)
            _once_more(enquiry, timezone.now())
            goes = True
        _save(enquiry)
    logger.info("%s: %s for %s", "To be sent again" if goes else "Not sent again", Purpose.REPORT, enquiry.reference)
    return goes


class Why(models.TextChoices):
    """Why staff changed a patient's contact details. A fixed list, because free text could put an address into the timeline."""

    TOLD = "told", "they told us the right one"
    TYPO = "typo", "it had a typing mistake"
    NEW = "new", "they have a new one"
    NOT_THEIRS = "not_theirs", "it belongs to someone else"


@dataclass(frozen=True)
class Corrected:
    """What happened to the emails: how many will now go to the new address, and how many were just being sent."""

    queued: int = 0
    on_their_way: int = 0


def correct_contact(
    *, enquiry: Enquiry, by: User, email: str, phone: str, why: str, send_again: bool = True, version: int | None = None
) -> Corrected:
    """Staff correct the address, the number or both. The timeline entry keeps the earlier ones, encrypted.

    Mail that waits goes to the new address, and so does mail that failed. `send_again`: what had gone to the old address is sent
    once more. The links that went there are shut. Raises StaleEnquiry, Erased, and MoveRefused where nothing would change or
    nobody could be reached.
    """
    with transaction.atomic():
        enquiry = _not_erased(lock_enquiry(enquiry))
        expect_shown(enquiry, version)
        _still_reachable(enquiry, email, phone)
        changed = [
            (name, column, before, now)
            for name, column, before, now in (
                ("Email address", "email", _readable(enquiry, "email"), email),
                ("Phone number", "phone", _readable(enquiry, "phone"), phone),
            )
            if before != now
        ]
        if not changed:
            raise MoveRefused("Nothing is different. Change the email address or the phone number first.")
        names = " and ".join(name if each == 0 else name.lower() for each, (name, *_) in enumerate(changed))
        record(
            enquiry,
            EventKind.CORRECTED,
            by=by,
            summary=f"{names} corrected: {Why(why).label}",
            note="\n".join(f"{name} before: {before or 'none'}" for name, _, before, _ in changed),
        )
        enquiry.email, enquiry.phone = email, phone
        enquiry.email_key, enquiry.phone_key = blind_index.email_key(email), blind_index.phone_key(phone)
        done = Corrected()
        if email and any(column == "email" for _, column, *_ in changed):
            done = _mail_to_new_address(enquiry, send_again=send_again)
        _save(enquiry)
    logger.info("Corrected how to reach the patient of %s", enquiry.reference)
    return done


def reached_old_address(enquiry: Enquiry) -> QuerySet[OutgoingMessage]:
    """What was sent to the patient and is worth sending again once the address is corrected."""
    still_true = Q(purpose__in=[Purpose.ACKNOWLEDGEMENT, Purpose.REPLY]) | Q(
        purpose=Purpose.BOOKING, appointment=enquiry.appointment_id, appointment__isnull=False
    )
    if not enquiry.live or enquiry.status in {Status.SPAM, Status.HELD}:
        return enquiry.messages.none()
    return enquiry.messages.filter(still_true, state=MessageState.SENT)


def _still_reachable(enquiry: Enquiry, email: str, phone: str) -> None:
    if enquiry.kind == EnquiryKind.REPORT and not email:
        raise MoveRefused("A fact sheet needs an email address to go to.")
    if not email and not phone:
        raise MoveRefused("Keep an email address or a phone number, or nobody can reach them.")


def _readable(enquiry: Enquiry, column: str) -> str | None:
    """None if no key can decrypt it, so that anything typed is a change."""
    try:
        return str(getattr(enquiry, column))
    except CannotDecrypt:
        return None


def _mail_to_new_address(enquiry: Enquiry, *, send_again: bool) -> Corrected:
    """An email is rendered when it is sent, so one that is waiting goes to the new address by itself."""
    to_them = enquiry.messages.exclude(purpose__in=TO_STAFF)
    on_their_way = to_them.filter(state=MessageState.SENDING).count()
    if enquiry.kind == EnquiryKind.REPORT:
        _make_another_link(enquiry)
        if enquiry.status in {Status.SPAM, Status.HELD}:
            return Corrected(on_their_way=on_their_way)
        _to_the_new_address(enquiry, timezone.now(), nowhere=False)
        return Corrected(to_them.filter(state=MessageState.WAITING).count(), on_their_way)
    for gone in to_them.filter(state=MessageState.SENT):
        shut = {"wrong_tries": MAX_WRONG_TRIES, "last_wrong_at": timezone.now()}
        PrivateLink.objects.update_or_create(enquiry=enquiry, name=of_mail(gone), defaults=shut)
    again = list(reached_old_address(enquiry).order_by("created_at")) if send_again else []
    now = timezone.now()
    to_them.filter(state=MessageState.WAITING).exclude(error="").update(next_attempt_at=now, error="", attempts=0)
    to_them.failed().queue_again(now)
    for mail in again:
        enqueue(enquiry=enquiry, purpose=mail.purpose, event=mail.event, appointment=mail.appointment)
    return Corrected(to_them.filter(state=MessageState.WAITING).count(), on_their_way)


def further_requests(enquiry: Enquiry) -> QuerySet[EnquiryEvent]:
    """The patient's changes of address and uses of "Send it again", without those by staff."""
    return enquiry.events.filter(kind__in=ASKED, by=None, actor="patient")


def corrections_left(enquiry: Enquiry) -> int:
    """How many more times the patient may change the address or have the report sent again."""
    return MAX_CORRECTIONS - further_requests(enquiry).count()


def again_from(enquiry: Enquiry, asked_at: datetime | None = None) -> datetime:
    """When the report can next be sent again: a little after anybody, including staff, last asked for it."""
    last = enquiry.events.filter(kind__in=ASKED).aggregate(at=Max("created_at"))["at"] or enquiry.created_at
    return max(last, asked_at or last) + WAIT_BEFORE_AGAIN


def _not_erased(enquiry: Enquiry) -> Enquiry:
    if enquiry.erased_at:
        raise Erased("The details of this enquiry were erased, so there is no address to send it to.")
    return enquiry


def _allow_one_more(enquiry: Enquiry) -> None:
    if corrections_left(enquiry) <= 0:
        raise TooOften("We cannot send it again from this page.")


def _counted(enquiry: Enquiry, sender: str, email: str) -> str:
    """Why no email goes there, in words for staff. Empty if it does."""
    if not sender:
        return ""
    seen = abuse.standing(sender, enquiry.kind, email)
    decision = abuse.decide(enquiry.kind, seen=seen, email=email, texts=[], caught=enquiry.quarantine_reason)
    abuse.count(decision)
    return decision.silent.lower()


def _corrected(not_mailed: str) -> str:
    return f"{EventKind.CORRECTED.label}. Not sent: {not_mailed}" if not_mailed else ""


def _to_the_new_address(enquiry: Enquiry, at: datetime, *, nowhere: bool) -> None:
    mails = enquiry.messages.filter(purpose=Purpose.REPORT)
    if nowhere:  # the first address gets nothing more, and the new one does not get emails meant for it
        mails.filter(state__in=[MessageState.WAITING, MessageState.FAILED]).update(state=MessageState.LAPSED)
        return
    # An email is rendered from the enquiry when it is sent. The condition guards against a worker that claims it just now.
    untried = {"state": MessageState.WAITING, "attempts": 0}
    goes_there = mails.filter(**untried).update(next_attempt_at=at)
    # These would also go to the new address, besides that email.
    stuck = mails.filter(state__in=[MessageState.WAITING, MessageState.FAILED]).exclude(**untried)
    stuck.update(state=MessageState.LAPSED)
    if not goes_there:
        enqueue(enquiry=enquiry, purpose=Purpose.REPORT, not_before=at)


def _once_more(enquiry: Enquiry, now: datetime) -> None:
    mails = enquiry.messages.filter(purpose=Purpose.REPORT)
    if mails.filter(state=MessageState.WAITING).update(next_attempt_at=now):
        return  # already on its way: it only stops waiting
    last = mails.order_by("-sequence").first()
    if last and last.state == MessageState.FAILED:
        mails.filter(pk=last.pk).queue_again(now)
    elif not mails.filter(state=MessageState.SENDING).exists():
        enqueue(enquiry=enquiry, purpose=Purpose.REPORT)


def _make_another_link(enquiry: Enquiry) -> None:
    """Makes a new row, because the link is made from the summary's key, to which the encrypted values are bound."""
    earlier = Assessment.objects.select_for_update().filter(enquiry=enquiry).first()
    if earlier is None:
        return
    given = {
        "told": earlier.told,
        "questions_version": earlier.questions_version,
        "consent_version": earlier.consent_version,
        "expires_at": earlier.expires_at,
        "created_at": earlier.created_at,
    }
    earlier.delete()
    Assessment.objects.create(enquiry=enquiry, **given)


def _save(enquiry: Enquiry) -> None:
    enquiry.mail_failed = enquiry.messages.failed().exists()
    # Anyone who sends the same form again gets a request of their own and no control over this one.
    enquiry.submission_key = secrets.token_hex(32)
    enquiry.version += 1
    columns = ["email", "email_key", "phone", "phone_key", "mail_failed", "submission_key", "version"]
    enquiry.save(update_fields=columns)
    SearchToken.write(enquiry)


def _in_words(wait: timedelta) -> str:
    seconds = max(1, ceil(wait.total_seconds()))
    return f"{seconds} second{'' if seconds == 1 else 's'}"
