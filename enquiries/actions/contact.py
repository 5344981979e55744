"""What staff do to answer a patient: calls, replies, appointments, and what they did about a safety flag."""

from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db import models, transaction
from django.utils import timezone

from enquiries import clock
from enquiries.actions.by_patient import open_to_patient
from enquiries.actions.mail import Erased, enqueue, in_hand
from enquiries.actions.moves import MoveRefused, expect_shown
from enquiries.actions.status import move
from enquiries.actions.timeline import record
from enquiries.clock.words import dated_words
from enquiries.desk import calls, people
from enquiries.models import Enquiry, EventKind, Kind, Purpose, Status


class CallResult(models.TextChoices):
    NO_ANSWER = "no_answer", "No answer"
    VOICEMAIL = "voicemail", "Left a voicemail"
    SPOKE = "spoke", "Spoke to them"


class Advice(models.TextChoices):
    """What a person with a warning sign was told on the telephone. Each settles the safety flag."""

    TOLD_999 = "999", "Told them to call 999 or go to A&E now"
    TOLD_111 = "111", "Told them to call 111 today (Northern Ireland: GP out-of-hours)"
    TOLD_GP = "gp", "Told them to see their GP"
    TOLD_MATERNITY = "maternity", "Told them to call their maternity unit now"
    TOLD_CRISIS = "crisis", "Gave them the crisis lines"
    NO_SIGN = "no_sign", "Asked: no warning sign now"


class Channel(models.TextChoices):
    PHONE = "phone", "by phone"
    VIDEO = "video", "by video call"
    CLINIC = "clinic", "at the clinic"


def log_call(
    *,
    enquiry: Enquiry,
    by: AbstractBaseUser,
    result: str,
    note: str = "",
    advice: str = "",
    version: int | None = None,
) -> Enquiry:
    """Records a call and how it went. Without an answer the next try is put into the patient's best time.

    With an open safety flag it is put a few minutes ahead instead, and `advice`, what they were told, settles the flag. Raises
    MoveRefused for an enquiry that is closed or set aside, unless its flag is still open, and StaleEnquiry as every verb here.
    """
    with transaction.atomic():
        enquiry = _to_work_on(enquiry, version)
        now = timezone.now()
        if result == CallResult.VOICEMAIL and enquiry.may_leave_voicemail is False:
            note = f"{note}\n(They had asked us not to leave a voicemail.)".strip()
        if advice and not (enquiry.is_flagged and result == CallResult.SPOKE):
            raise MoveRefused(
                "You can record what you told them only if you spoke to them and the warning sign is still open."
            )
        record(enquiry, EventKind.CALLED, by=by, summary=CallResult(result).label, note=note.strip())
        enquiry.contact_attempts += 1
        if result == CallResult.SPOKE:
            _reached(enquiry, now)
            enquiry.next_call_at = None
            if enquiry.status == Status.WAITING:
                move(enquiry, Status.IN_PROGRESS, by=by)  # we have heard from them
            if advice:
                _settle(enquiry, by, Advice(advice).label)
        elif enquiry.is_flagged:
            spell = enquiry.events.filter(kind=EventKind.CALLED, created_at__gt=now - calls.FLAGGED_SPELL)
            enquiry.next_call_at = calls.next_try_flagged(spell.count(), after=now, hours=clock.load().hours)
        else:
            enquiry.next_call_at = calls.next_try(enquiry.call_slots, after=now, hours=clock.load().hours)
        _take(enquiry, by)
        return _kept(enquiry)


def reply(*, enquiry: Enquiry, by: AbstractBaseUser, text: str, version: int | None = None) -> Enquiry:
    """Writes to the patient. The words are the timeline entry's; the mail is rendered from it when it is sent."""
    with transaction.atomic():
        enquiry = _to_work_on(enquiry, version)
        if not enquiry.email:
            raise Erased("There is no email address to write to.")
        event = record(enquiry, EventKind.REPLIED, by=by, note=text.strip())
        enqueue(enquiry=enquiry, purpose=Purpose.REPLY, event=event)
        _reached(enquiry, timezone.now())
        _take(enquiry, by)
        return _kept(enquiry)


def book(*, enquiry: Enquiry, by: AbstractBaseUser, at: datetime, channel: str, version: int | None = None) -> Enquiry:
    """Makes the appointment and sends the patient its time. A second one moves the first. Raises MoveRefused for a past time."""
    with transaction.atomic():
        enquiry = _to_work_on(enquiry, version)
        if enquiry.is_closed:
            raise MoveRefused("Reopen it before you book an appointment.")
        if at <= timezone.now():
            raise MoveRefused("Choose a time in the future.")
        record(
            enquiry,
            EventKind.BOOKED,
            by=by,
            summary=f"{dated_words(at)}, {Channel(channel).label}",
        )
        if enquiry.status != Status.BOOKED:
            move(enquiry, Status.BOOKED, by=by)
        enquiry.appointment_at, enquiry.appointment_by = at, channel
        enquiry.next_call_at = None
        enqueue(enquiry=enquiry, purpose=Purpose.BOOKING)
        _reached(enquiry, timezone.now())
        _take(enquiry, by)
        return _kept(enquiry)


def act_on_safety(*, enquiry: Enquiry, by: AbstractBaseUser, note: str, version: int | None = None) -> Enquiry:
    """Settles a safety flag without a call, for a reason. Until it is settled the enquiry stays on top and cannot be closed."""
    if not note.strip():
        raise MoveRefused("Write what you did and why no call was needed.")
    with transaction.atomic():
        enquiry = _to_work_on(enquiry, version)
        if not enquiry.is_flagged:
            raise MoveRefused("This enquiry has no open warning sign.")
        _settle(enquiry, by, "Settled without a call", note.strip())
        _take(enquiry, by)
        return _kept(enquiry)


def send_new_link(*, enquiry: Enquiry, by: AbstractBaseUser) -> bool:
    """Emails the patient a new private link to their request. False while one that was asked for has not gone yet.

    Raises MoveRefused where no link would open anything.
    """
    with transaction.atomic():
        enquiry = in_hand(enquiry)
        if enquiry.kind == Kind.REPORT or not open_to_patient(enquiry):
            raise MoveRefused("A link cannot be sent for this enquiry.")
        if enquiry.messages.filter(purpose=Purpose.NEW_LINK).unsent().exists():
            return False
        record(enquiry, EventKind.MESSAGE_AGAIN, by=by, summary=Purpose.NEW_LINK.label)
        enqueue(enquiry=enquiry, purpose=Purpose.NEW_LINK)
        _kept(enquiry)
    return True


def view(*, enquiry: Enquiry, by: AbstractBaseUser) -> None:
    """Who opened the record, once in a quarter of an hour each."""
    with transaction.atomic():
        lately = timezone.now() - timedelta(minutes=15)
        if not enquiry.events.filter(kind=EventKind.VIEWED, by=by, created_at__gte=lately).exists():
            record(enquiry, EventKind.VIEWED, by=by)


def _to_work_on(enquiry: Enquiry, version: int | None) -> Enquiry:
    enquiry = in_hand(enquiry)
    expect_shown(enquiry, version)
    if not enquiry.live:
        raise MoveRefused(f"This enquiry is “{enquiry.get_status_display()}”. Reopen it first.")
    return enquiry


def _settle(enquiry: Enquiry, by: AbstractBaseUser, what: str, note: str = "") -> None:
    """Who did what and when stays on the timeline, also when the flag is raised again and after the details are erased."""
    record(enquiry, EventKind.SAFETY, by=by, summary=what, note=note)
    enquiry.safety_acted_at = timezone.now()
    enquiry.next_call_at = None  # it was minutes ahead for the flag


def _reached(enquiry: Enquiry, now: datetime) -> None:
    enquiry.first_contact_at = enquiry.first_contact_at or now


def _take(enquiry: Enquiry, by: AbstractBaseUser) -> None:
    """Whoever acts on what nobody has taken, has taken it."""
    if enquiry.owner_id is None:
        record(enquiry, EventKind.ASSIGNED, by=by, summary=f"Assigned to {people.full_name(by)}")
        enquiry.owner = by
    if enquiry.status == Status.NEW:
        move(enquiry, Status.IN_PROGRESS, by=by)


def _kept(enquiry: Enquiry) -> Enquiry:
    enquiry.version += 1
    enquiry.save()
    return enquiry
