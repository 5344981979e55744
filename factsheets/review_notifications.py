"""Who hears about a review, and in which words: editors when one is due, reviewers and authors about each step.

Reminders come 60, 30 and 0 days before the review is due: the clinic's own rule. Nothing here writes or sends; enquiries/actions
does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.urls import reverse

from factsheets import draft_workflow
from factsheets.models import (
    SIGNED,
    WRITING,
    DraftState,
    DraftStep,
    Edition,
    FactSheet,
    ReviewReminder,
    SafetyDraftEvent,
    SharedDraftEvent,
    State,
    Step,
)

STEPS = (60, 30, 0)  # days before the review is due


def step_reached(due_on: date | None, today: date) -> int | None:
    """The most urgent step that a review due on this day has reached; None while it is further away than all of them.

    Only the most urgent counts: a reminder that was missed is not sent after a later one.
    """
    if due_on is None:
        return None
    left = (due_on - today).days
    return min((step for step in STEPS if left <= step), default=None)


def coming_up(today: date) -> QuerySet[FactSheet]:
    """The published sheets that have reached a step."""
    return FactSheet.objects.published().filter(review_due_on__lte=today + timedelta(days=max(STEPS))).defer("document")


def still_holds(reminder: ReviewReminder, today: date) -> bool:
    """The sheet is public, its date has not moved, and no more urgent step has been reached since."""
    sheet = reminder.sheet
    return (
        sheet.is_published
        and sheet.review_due_on == reminder.review_due_on
        and step_reached(sheet.review_due_on, today) == reminder.days_before
    )


def editors() -> QuerySet:
    """Who gets reminders: active staff accounts with an email address that may change fact sheets."""
    return _reachable("factsheets.change_factsheet")


def reviewers() -> QuerySet:
    """Active staff accounts with an email address that may sign off fact sheets."""
    return _reachable("factsheets.sign_off_factsheet")


def approvers() -> QuerySet:
    """Active staff accounts with an email address that may approve the red flags."""
    return _reachable("factsheets.add_approval")


def _reachable(permission: str) -> QuerySet:
    # The backend is named, because Django's own holds the permissions, however people sign in.
    may = get_user_model().objects.with_perm(permission, backend="django.contrib.auth.backends.ModelBackend")
    return may.filter(is_staff=True).exclude(email="").order_by("pk")


# --- who is told about a step in a review ---

# What people are told about: a step of a sheet, or of a draft of a shared record or of the red flags.
About = Edition | SharedDraftEvent | SafetyDraftEvent
# Called with it and the people who are to hear of it, in the transaction of the step. `enquiries`, which has the outbox, puts its
# function here when it starts.
tellers: list[Callable[[About, list], None]] = []
ANSWERS = {Step.SENT_BACK, Step.SIGNED_OFF, Step.UNPLANNED}


def sent_back(sheet: FactSheet) -> Edition | None:
    """The step, with its words, by which a reviewer gave a draft back; until it is sent again or retired."""
    if sheet.state != State.DRAFT:
        return None
    last = sheet.editions.exclude(step__in=WRITING).defer("content").first()
    return last if last and last.step == Step.SENT_BACK else None


def authors(sheet: FactSheet, before: int | None = None) -> list[int]:
    """The accounts that wrote in the sheet or sent it for review, between the last public signature and this edition, or now."""
    earlier = sheet.editions.all() if before is None else sheet.editions.filter(number__lte=before)
    ended = Q(step__in=SIGNED, public=True) | Q(step=Step.DISCARDED)
    last = earlier.filter(ended).exclude(number=before).values_list("number", flat=True).first()
    steps = [*WRITING, Step.DRAFTED, Step.SUBMITTED]
    since = earlier.filter(step__in=steps, number__gt=last or 0, by__isnull=False)
    return list(since.values_list("by", flat=True).distinct().order_by("by"))


def listeners(edition: Edition) -> list:
    """Tells reviewers what was sent to them, and authors what happened to it. Nobody is told about their own step."""
    wrote = authors(edition.sheet, edition.number)
    if edition.step == Step.SUBMITTED:
        # Who wrote in it may not sign it.
        return list(reviewers().exclude(pk__in=[*wrote, edition.by_id]))
    if signed := ended_signature(edition):
        wrote = list({*wrote, signed.reviewed_by_id})
    return _colleagues(wrote, edition.by_id) if edition.step in ANSWERS else []


def ended_signature(edition: Edition) -> Edition | None:
    """The signature for a planned day that this step ended: by cancelling the day, or by taking the words back."""
    if edition.step not in {Step.SENT_BACK, Step.UNPLANNED}:
        return None
    earlier = edition.sheet.editions.filter(number__lt=edition.number).defer("content")
    was = earlier.first()
    return earlier.filter(step=Step.SIGNED_OFF).first() if was and was.state == State.SCHEDULED else None


def _colleagues(accounts: list[int], but: int | None) -> list:
    may_read = get_user_model().objects.filter(pk__in=accounts, is_active=True, is_staff=True)
    return list(may_read.exclude(email="").exclude(pk=but))


def tell(edition: Edition) -> None:
    _tell(edition, listeners(edition))


def tell_of_draft(event: SharedDraftEvent | SafetyDraftEvent) -> None:
    """Tells of a step of a draft, as of a sheet's. Those who may approve the red flags hear about theirs."""
    wrote = [each.by_id for each in draft_workflow.authors(event.draft) if each.by_id]
    if event.step == DraftStep.SENT:
        may_publish = approvers() if isinstance(event, SafetyDraftEvent) else reviewers()
        _tell(event, list(may_publish.exclude(pk__in=[*wrote, event.by_id])))
    elif event.step in {DraftStep.SENT_BACK, DraftStep.PUBLISHED}:
        _tell(event, _colleagues(wrote, event.by_id))


def _tell(about: About, people: list) -> None:
    if people:
        for teller in tellers:
            teller(about, people)


# --- what they are told ---


@dataclass(frozen=True)
class ReviewStep:
    """A step of a sheet or a draft, as an email to a colleague names it."""

    permission: str  # nobody without it is told about the step
    title: str
    what: str  # in a sentence: “this fact sheet”
    actor: str
    is_sent: bool  # for review
    is_back: bool  # sent back, or taken back before its planned day
    note: str  # what the actor wrote with it
    address: str  # the path of its page on the desk
    sheet: FactSheet | None = None  # where it is a step of a sheet
    is_cancelled: bool = False  # the planned day, and nothing else
    signed_by: str = ""  # whose signature for a planned day the step ended


def step_of(about: About) -> ReviewStep | None:
    """None for a request for review if there is no longer anything to review."""
    return _step_of_sheet(about) if isinstance(about, Edition) else _step_of_draft(about)


def _step_of_sheet(edition: Edition) -> ReviewStep | None:
    sheet = edition.sheet
    is_sent = edition.step == Step.SUBMITTED
    if is_sent and sheet.state != State.IN_REVIEW:
        return None
    return ReviewStep(
        permission="factsheets.view_factsheet",
        title=sheet.title,
        what="this fact sheet",
        actor=edition.actor,
        is_sent=is_sent,
        is_back=edition.step == Step.SENT_BACK,
        note=edition.note,
        address=reverse("admin:factsheets_factsheet_desk", args=[sheet.pk]),
        sheet=sheet,
        is_cancelled=edition.step == Step.UNPLANNED,
        signed_by=signed.actor if (signed := ended_signature(edition)) else "",
    )


def _step_of_draft(event: SharedDraftEvent | SafetyDraftEvent) -> ReviewStep | None:
    """Of what sheets share, such as a statement, or of the red flags."""
    is_sent = event.step == DraftStep.SENT
    if is_sent and event.draft.state != DraftState.IN_REVIEW:
        return None
    if isinstance(event, SafetyDraftEvent):
        permission, title, what = "factsheets.view_safetyadvice", "Red flags", "the draft red flags"
        address = reverse(f"admin:factsheets_safetyadvice_{'sign' if is_sent else 'changelist'}")
    else:
        draft = event.draft
        model = apps.get_model(draft.label)._meta
        permission, title = f"factsheets.view_{model.model_name}", draft.name
        what, address = f"a draft of this {model.verbose_name}", draft.desk_address()
    return ReviewStep(
        permission=permission,
        title=title,
        what=what,
        actor=event.actor,
        is_sent=is_sent,
        is_back=event.step == DraftStep.SENT_BACK,
        note=event.note,
        address=address,
    )
