"""How staff answer a patient: calls, replies, telling a clinician about a safety flag, and reading what the patient wrote."""

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from enquiries import clock, staff_members
from enquiries.actions.outbox import Erased, enqueue, lock_enquiry
from enquiries.actions.status import transition
from enquiries.actions.triage import MoveRefused, expect_shown
from enquiries.inbox import calls
from enquiries.models import Agreement, Enquiry, EnquiryKind, EventKind, MessageState, OutgoingMessage, Purpose, Status
from enquiries.models.event import record
from factsheets import team


class CallResult(models.TextChoices):
    NO_ANSWER = "no_answer", "No answer"
    VOICEMAIL = "voicemail", "Left a voicemail"
    SPOKE = "spoke", "Spoke to them"


class Advice(models.TextChoices):
    """What staff told a person with a warning sign on the telephone. Each settles the safety flag."""

    TOLD_999 = "999", "Told them to call 999 or go to A&E now"
    TOLD_111 = "111", "Told them to call 111 today (Northern Ireland: GP out-of-hours)"
    TOLD_GP = "gp", "Told them to see their GP"
    TOLD_MATERNITY = "maternity", "Told them to call their maternity unit now"
    TOLD_CRISIS = "crisis", "Gave them the crisis lines"
    NO_SIGN = "no_sign", "Asked: no warning sign now"


def log_call(
    *,
    enquiry: Enquiry,
    by: User,
    result: str,
    note: str = "",
    advice: str = "",
    version: int | None = None,
) -> Enquiry:
    """Records a call and how it went. If nobody answered, the next try is planned for the patient's best time.

    With an open safety flag it is put a few minutes ahead instead, and `advice`, what they were told, settles the flag. Raises
    MoveRefused for an enquiry that is closed or set aside, unless its flag is still open, and StaleEnquiry as every verb here.
    """
    with transaction.atomic():
        enquiry = lock_open_enquiry(enquiry, version)
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
            reached(enquiry, now)
            enquiry.next_call_at = None
            if enquiry.status == Status.WAITING:
                transition(enquiry, Status.IN_PROGRESS, by=by)  # they have contacted us
            if advice:
                _settle(enquiry, by, Advice(advice).label)
        elif enquiry.is_flagged:
            spell = enquiry.events.filter(kind=EventKind.CALLED, created_at__gt=now - calls.FLAGGED_SPELL)
            enquiry.next_call_at = calls.next_try_flagged(spell.count(), after=now, hours=clock.load().hours)
        else:
            enquiry.next_call_at = calls.next_try(enquiry.call_slots, after=now, hours=clock.load().hours)
        take(enquiry, by)
        return enquiry.save_new_version()


def reply(*, enquiry: Enquiry, by: User, text: str, subject: str = "", version: int | None = None) -> Enquiry:
    """Writes to the patient. The timeline entry holds the words, from which the email is rendered when it is sent.

    Without a subject it is "A message from" and the clinic's name.
    """
    with transaction.atomic():
        enquiry = lock_open_enquiry(enquiry, version)
        if not enquiry.email:
            raise Erased("There is no email address to write to.")
        event = record(enquiry, EventKind.REPLIED, by=by, note=text.strip(), subject=" ".join(subject.split()))
        enqueue(enquiry=enquiry, purpose=Purpose.REPLY, event=event)
        reached(enquiry, timezone.now())
        take(enquiry, by)
        return enquiry.save_new_version()


def act_on_safety(*, enquiry: Enquiry, by: User, note: str, version: int | None = None) -> Enquiry:
    """Settles a safety flag without a call, for a reason. Until then the enquiry stays at the top and cannot be closed."""
    if not note.strip():
        raise MoveRefused("Write what you did and why no call was needed.")
    with transaction.atomic():
        enquiry = lock_open_enquiry(enquiry, version)
        if not enquiry.is_flagged:
            raise MoveRefused("This enquiry has no open warning sign.")
        _settle(enquiry, by, "Settled without a call", note.strip())
        take(enquiry, by)
        return enquiry.save_new_version()


def send_new_link(*, enquiry: Enquiry, by: User) -> bool:
    """Emails the patient a new private link to their request. False if an earlier one is still waiting to be sent.

    Raises MoveRefused if no link would work.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        if enquiry.kind == EnquiryKind.REPORT or not enquiry.opens_to_patient:
            raise MoveRefused("A link cannot be sent for this enquiry.")
        if enquiry.messages.filter(purpose=Purpose.NEW_LINK).unsent().exists():
            return False
        record(enquiry, EventKind.MESSAGE_AGAIN, by=by, summary=Purpose.NEW_LINK.label)
        enqueue(enquiry=enquiry, purpose=Purpose.NEW_LINK)
        enquiry.save_new_version()
    return True


def view(*, enquiry: Enquiry, by: User) -> None:
    """Records who opened the enquiry, at most once in 15 minutes for each person."""
    with transaction.atomic():
        lately = timezone.now() - timedelta(minutes=15)
        if not enquiry.events.filter(kind=EventKind.VIEWED, by=by, created_at__gte=lately).exists():
            record(enquiry, EventKind.VIEWED, by=by)


def lock_open_enquiry(enquiry: Enquiry, version: int | None) -> Enquiry:
    enquiry = lock_enquiry(enquiry)
    expect_shown(enquiry, version)
    if not enquiry.live:
        raise MoveRefused(f"This enquiry is “{enquiry.get_status_display()}”. Reopen it first.")
    return enquiry


def _settle(enquiry: Enquiry, by: User, what: str, note: str = "") -> None:
    """The timeline keeps who did what and when, even if the flag is raised again or the details are erased."""
    record(enquiry, EventKind.SAFETY, by=by, summary=what, note=note)
    enquiry.safety_acted_at = timezone.now()
    enquiry.next_call_at = None  # it was planned only minutes ahead because of the flag


def reached(enquiry: Enquiry, now: datetime) -> None:
    enquiry.first_contact_at = enquiry.first_contact_at or now


def take(enquiry: Enquiry, by: User) -> None:
    """Assigns an unassigned enquiry to the person acting on it."""
    if enquiry.owner_id is None:
        record(enquiry, EventKind.ASSIGNED, by=by, summary=f"Assigned to {team.account_name(by)}")
        enquiry.owner = by
    if enquiry.status == Status.NEW:
        transition(enquiry, Status.IN_PROGRESS, by=by)


def they_agree_now(*, enquiry: Enquiry, by: User, version: int | None = None) -> Enquiry:
    """Records that the person whom the request is for now knows about it and agrees.

    Raises MoveRefused if no agreement is missing, and StaleEnquiry.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        expect_shown(enquiry, version)
        if enquiry.for_agreed != Agreement.NOT_YET:
            raise MoveRefused("No agreement was needed here.")
        enquiry.for_agreed = Agreement.YES
        record(enquiry, EventKind.NOTE, by=by, summary="The person it is for now knows and agrees")
        enquiry.save_new_version()
    return enquiry


# An email to one clinician alone tells them about an enquiry with a warning sign.


def tell_clinician(*, enquiry: Enquiry, whom: User, by: User) -> bool:
    """Emails one clinician that an enquiry needs them now. False if they have already been told about this flag.

    Nobody gets it twice for one flag, however often it is pressed, unless the first mail failed. It changes nothing that another
    page shows, so it needs no version. Raises MoveRefused where no flag is open, or for somebody who is no clinician.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        if not (enquiry.live and enquiry.is_flagged):
            raise MoveRefused("This enquiry has no open warning sign.")
        if not staff_members.clinicians().filter(pk=whom.pk).exists():
            raise MoveRefused(
                f"{team.account_name(whom)} is not a clinician with an email address and access to this enquiry."
            )
        if told_of_this_flag(enquiry).filter(staff=whom).exists():
            return False
        enqueue(enquiry=enquiry, purpose=Purpose.CLINICIAN_ALERT, staff=whom)
        record(enquiry, EventKind.TOLD, by=by, summary=f"Told {team.account_name(whom)} by email")
    return True


def told_of_this_flag(enquiry: Enquiry) -> QuerySet[OutgoingMessage]:
    """The emails to clinicians since the flag was last settled, if ever. Failed ones do not count."""
    settled = enquiry.events.filter(kind=EventKind.SAFETY).order_by("-created_at").first()
    mails = enquiry.messages.filter(purpose=Purpose.CLINICIAN_ALERT)
    mails = mails.exclude(state__in=[MessageState.FAILED, MessageState.LAPSED]).select_related("staff")
    return mails.filter(created_at__gt=settled.created_at) if settled else mails


# A patient's words are health data. Staff who rarely need them open them deliberately, and the timeline records it.

STAYS_OPEN = timedelta(hours=1)


def show_words(*, enquiry: Enquiry, by: User) -> None:
    """Opens the patient's words to this person for an hour. Recorded once in that hour."""
    with transaction.atomic():
        enquiry = Enquiry.objects.select_for_update(no_key=True).get(pk=enquiry.pk)
        if not words_are_open(enquiry, by):
            record(enquiry, EventKind.READ, by=by)


def words_are_open(enquiry: Enquiry, to: User) -> bool:
    """Whether this person may see the words now, by their role or because they opened them less than an hour ago."""
    if to.has_perm("enquiries.read_words_enquiry"):
        return True
    lately = timezone.now() - STAYS_OPEN
    return enquiry.events.filter(kind=EventKind.READ, by=to, created_at__gt=lately).exists()
