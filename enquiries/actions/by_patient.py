"""What patients can do with their own request through the link in our email: change times, add something, withdraw or erase.

`version` is the one shown on their page. Each verb raises StaleEnquiry if the enquiry has changed since, and MoveRefused if it is
no longer possible. The same change sent twice counts once.
"""

import logging
from enum import StrEnum

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from enquiries import clock
from enquiries.actions.appointments import cancel, time_in_words
from enquiries.actions.erasure import erase
from enquiries.actions.intake import SAME_FORM_WITHIN
from enquiries.actions.outbox import enqueue, lock_enquiry
from enquiries.actions.status import transition
from enquiries.actions.triage import MoveRefused, expect_shown
from enquiries.inbox import calls
from enquiries.models import (
    AppointmentState,
    Enquiry,
    EnquiryEvent,
    EventKind,
    MessageState,
    Outcome,
    Purpose,
    Status,
)
from enquiries.models.event import record

logger = logging.getLogger(__name__)

PATIENT = "patient"
# Staff read each of these, and most are announced by email.
MAX_ADDED = 10
SOUNDS_URGENT = "Possible warning sign"


class Wish(StrEnum):
    """What a patient can do with their request."""

    TIMES = "times"
    ADD = "add"
    WITHDRAW = "withdraw"
    ERASE = "erase"


def open_to_patient(enquiry: Enquiry) -> set[Wish]:
    """What the patient can do with it now."""
    if not enquiry.opens_to_patient:
        return set()
    if enquiry.status == Status.CLOSED:
        return {Wish.ERASE}
    wishes = {Wish.WITHDRAW, Wish.ERASE}
    # To change an appointment, patients must talk to the clinic. Those who chose only email have no times to call.
    if (enquiry.by_phone or enquiry.by_video) and enquiry.status != Status.BOOKED:
        wishes.add(Wish.TIMES)
    if added(enquiry).count() < MAX_ADDED:
        wishes.add(Wish.ADD)
    return wishes


def added(enquiry: Enquiry) -> QuerySet[EnquiryEvent]:
    """The timeline entries with what the patient added, oldest first."""
    return enquiry.events.filter(kind=EventKind.ADDED, by=None, actor=PATIENT)


def change_times(*, enquiry: Enquiry, call_slots: int, best_time: str, version: int, safety_signs: str = "") -> Enquiry:
    """Replaces the times they gave before, which the timeline keeps, and moves the next call into the new ones.

    `safety_signs` as in `add_detail`: people write about their health where a form asks for times.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        if not enquiry.erased_at and (enquiry.call_slots, enquiry.best_time) == (call_slots, best_time):
            return enquiry
        _expect(enquiry, version, Wish.TIMES)
        before = _times(enquiry)
        enquiry.call_slots, enquiry.best_time = call_slots, best_time
        if enquiry.next_call_at and not enquiry.is_flagged:  # a flagged call does not wait for a best time
            enquiry.next_call_at = calls.next_try(call_slots, after=timezone.now(), hours=clock.load().hours)
        summary = SOUNDS_URGENT if safety_signs else ""
        record(
            enquiry, EventKind.TIMES, note=f"Now: {_times(enquiry)}\nBefore: {before}", summary=summary, actor=PATIENT
        )
        if safety_signs:
            _raise_flag(enquiry, safety_signs)
            enqueue(enquiry=enquiry, purpose=Purpose.CHANGE_ALERT)
        _heard_from(enquiry)
        return _saved(enquiry)


def add_detail(*, enquiry: Enquiry, text: str, safety_signs: str, version: int) -> Enquiry:
    """Puts the patient's words on the timeline. `safety_signs` are codes of the advice they sound like, as an enquiry keeps them.

    New signs raise the flag, even if an earlier one was dealt with.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        lately = added(enquiry).filter(created_at__gte=timezone.now() - SAME_FORM_WITHIN)
        if not enquiry.erased_at and any(each.note == text for each in lately):
            return enquiry
        _expect(enquiry, version, Wish.ADD)
        summary = f"Patient added details. {SOUNDS_URGENT}" if safety_signs else ""
        record(enquiry, EventKind.ADDED, note=text, summary=summary, actor=PATIENT)
        if safety_signs:
            _raise_flag(enquiry, safety_signs)
        # Staff who read a new request read this with it.
        if enquiry.is_flagged or enquiry.status != Status.NEW:
            enqueue(enquiry=enquiry, purpose=Purpose.CHANGE_ALERT)
        _heard_from(enquiry)
        return _saved(enquiry)


def withdraw(*, enquiry: Enquiry, version: int) -> Enquiry:
    """Closes it and cancels any appointment. Nobody has to agree.

    An open safety flag stays open, with the enquiry in the safety queue, until staff record what they did.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        if enquiry.outcome == Outcome.WITHDRAWN and not enquiry.erased_at:
            return enquiry
        _expect(enquiry, version, Wish.WITHDRAW)
        if _end(enquiry):
            enqueue(enquiry=enquiry, purpose=Purpose.CHANGE_ALERT)
        return _saved(enquiry)


def withdraw_and_erase(*, enquiry: Enquiry, version: int) -> Enquiry:
    """Erases who it is from and what they wrote (UK GDPR, article 17). An open enquiry is withdrawn first."""
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        if enquiry.erased_at:
            return enquiry
        _expect(enquiry, version, Wish.ERASE)
        # Erasing stops all waiting email, except what somebody at the clinic must know.
        untold = enquiry.messages.filter(purpose=Purpose.CHANGE_ALERT, state=MessageState.WAITING).exists()
        if not enquiry.is_closed:
            untold = _end(enquiry) or untold
            _saved(enquiry)
        enquiry = erase(enquiry=enquiry, summary="With the link in our email", actor=PATIENT)
        if untold:
            enqueue(enquiry=enquiry, purpose=Purpose.CHANGE_ALERT)
        return enquiry


def _expect(enquiry: Enquiry, version: int, wish: Wish) -> None:
    expect_shown(enquiry, version)
    if wish not in open_to_patient(enquiry):
        raise MoveRefused(f"This enquiry is “{enquiry.get_status_display()}”.")


def _end(enquiry: Enquiry) -> bool:
    """Withdraws an open enquiry. Returns whether somebody at the clinic must know now.

    The timeline's summary outlives an erasure, so it says that a flag was open but never why.
    """
    said = ["Withdrawn by the patient."]
    booked = enquiry.appointment
    if booked:
        said.append(f"The appointment at {time_in_words(booked)} was cancelled.")
        cancel(enquiry, booked, AppointmentState.CANCELLED_BY_PATIENT, timezone.now())
    if enquiry.is_flagged:
        said.append("The warning sign was still open, with no action recorded.")
    elif enquiry.signs:
        said.append("The warning sign had been dealt with.")
    record(enquiry, EventKind.WITHDRAWN, summary=" ".join(said), actor=PATIENT)
    transition(enquiry, Status.CLOSED, outcome=Outcome.WITHDRAWN, actor=PATIENT)
    enquiry.next_call_at = None
    return bool(booked or enquiry.is_flagged)


def _raise_flag(enquiry: Enquiry, safety_signs: str) -> None:
    """Raises the flag, even if an earlier one was dealt with."""
    enquiry.safety_signs = _together(safety_signs.split(), enquiry.signs)
    enquiry.safety_acted_at = enquiry.next_call_at = None  # call now


def _heard_from(enquiry: Enquiry) -> None:
    if enquiry.status == Status.WAITING:
        transition(enquiry, Status.IN_PROGRESS, actor=PATIENT)


def _times(enquiry: Enquiry) -> str:
    named = "; ".join(enquiry.call_times) or "any time"
    return f"{named} (“{enquiry.best_time}”)" if enquiry.best_time else named


def _together(new: list[str], known: list[str]) -> str:
    """The codes of both, gravest first, which is also the alphabetical order of RF-E, RF-R and RF-U."""
    return " ".join(sorted({*new, *known}))


def _saved(enquiry: Enquiry) -> Enquiry:
    enquiry.save_new_version()
    logger.info("Changed by the patient: %s", enquiry.reference)
    return enquiry
