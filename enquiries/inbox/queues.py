"""The inbox's queues, the order within them, and their counts. Each queue has one definition, for its list and for its count."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db.models import Case, Count, F, Q, SmallIntegerField, Value, When
from django.db.models.functions import Now
from django.db.models.lookups import Exact, GreaterThan
from django.utils import timezone

from enquiries import staff_members
from enquiries.inbox import calls
from enquiries.models import Enquiry, EnquiryKind, Status
from enquiries.models.enquiry import FLAGGED
from enquiries.opening_hours import Hours

# By the column in the index of open enquiries, so that closed ones are never read, however many there are.
OPEN = Q(live=True)
TO_DO = OPEN & Q(status__in=[Status.NEW, Status.IN_PROGRESS])
# The first contact keeps the promise, and after that nothing is overdue.
PROMISED = TO_DO & Q(first_contact_at=None, reply_by__isnull=False)
# By the annotation `lane`, and within it by promise.
WORKING_ORDER = ("lane", F("reply_by").asc(nulls_last=True), "-likelihood", "created_at", "pk")


@dataclass(frozen=True)
class Queue:
    name: str
    label: str
    what: Callable[[datetime, object, Hours], Q]  # now, the person looking, and the clinic's hours
    empty: str  # shown when it is empty


def _call_now(now: datetime, user, hours: Hours) -> Q:
    due = Q(next_call_at=None) | Q(next_call_at__lte=now)
    # With a warning sign, at any hour and whatever their best times.
    at_once = FLAGGED & ~Q(phone_key="") & due
    wanted = TO_DO & Q(kind=EnquiryKind.CONSULTATION, by_phone=True) & due
    if not hours.is_open(now):
        return at_once
    # The same rule as calls.suits.
    slots = F("call_slots")
    any_time = Exact(slots.bitand(calls.open_slots(now, hours)), 0)
    # Both are open, which SQLite notices only if the condition covers the two together.
    return OPEN & (at_once | wanted & (Q(any_time) | Q(GreaterThan(slots.bitand(calls.slot_at(now)), 0))))


def _due_today(now: datetime, user, hours: Hours) -> Q:
    tomorrow = timezone.make_aware(datetime.combine(timezone.localdate(now) + timedelta(days=1), time()))
    return PROMISED & Q(reply_by__gte=now, reply_by__lt=tomorrow)


def _chase(now: datetime, user, hours: Hours) -> Q:
    """Waiting or in progress, with a follow-up day that has come or is not set. Before the first reply, the promise is that day."""
    back = Q(return_on__lte=timezone.localdate(now))
    promised = Q(first_contact_at=None, reply_by__isnull=False)
    in_progress = Q(status=Status.IN_PROGRESS) & (back | Q(return_on=None)) & ~promised
    return OPEN & (Q(status=Status.WAITING) & back | in_progress)


QUEUES = [
    Queue("open", "All open", lambda now, user, hours: OPEN, "No open enquiries."),
    Queue("safety", "Warning signs", lambda now, user, hours: FLAGGED, "No open warning signs."),
    Queue("overdue", "Overdue", lambda now, user, hours: PROMISED & Q(reply_by__lt=now), "Nothing overdue."),
    Queue("today", "Due today", _due_today, "No replies due today."),
    Queue("call", "Call now", _call_now, "No calls to make right now."),
    Queue("mine", "Mine", lambda now, user, hours: OPEN & Q(owner=user), "Nothing is assigned to you."),
    Queue("nobody", "Unassigned", lambda now, user, hours: TO_DO & Q(owner=None), "Nothing unassigned."),
    Queue(
        "waiting",
        "Waiting",
        lambda now, user, hours: OPEN & Q(status=Status.WAITING),
        "Not waiting for any patients.",
    ),
    Queue("chase", "To chase", _chase, "Nothing to chase."),
    Queue(
        "outcome",
        "Needs an outcome",
        lambda now, user, hours: OPEN & Q(appointment__starts_at__lte=now),
        "Every appointment has its outcome.",
    ),
    Queue(
        "cover",
        "Colleague away",
        lambda now, user, hours: OPEN & Q(owner__in=staff_members.away(timezone.localdate(now))),
        "No open enquiries of anyone who is away.",
    ),
    Queue("mail", "Failed emails", lambda now, user, hours: OPEN & Q(mail_failed=True), "No failed emails."),
    Queue("held", "Held back", lambda now, user, hours: Q(status=Status.HELD), "Nothing held back."),
    Queue("spam", "Spam", lambda now, user, hours: Q(status=Status.SPAM), "No spam."),
]
BY_NAME = {queue.name: queue for queue in QUEUES}
DEFAULT = "open"
# Queues of enquiries that are not open, with their status.
ASIDE = {"held": Status.HELD, "spam": Status.SPAM}


def in_working_order():
    """Warning signs first, then failed mail, then those who have not heard from us by the promise given, then the others.

    Those whose follow-up day has come, or whose appointment is over, need work again and come before those that only wait.
    Among the warning signs, those from a flood come last, and its folded row comes after the first contacts.
    """
    to_do = [Status.NEW, Status.IN_PROGRESS]
    due_again = OPEN & (Q(return_on__lte=timezone.localdate()) | Q(appointment__starts_at__lte=Now()))
    others = [Status.WAITING, Status.BOOKED, Status.HELD, Status.CLOSED, Status.SPAM]
    lane = Case(
        When(FLAGGED & Q(flood=None), then=Value(-3)),
        When(FLAGGED & Q(folded=False), then=Value(-2)),
        When(mail_failed=True, then=Value(-1)),
        When(Q(status__in=to_do, first_contact_at=None) & ~(FLAGGED & Q(folded=True)), then=Value(0)),
        When(FLAGGED, then=Value(1)),
        When(Q(status__in=to_do) | due_again, then=Value(2)),
        *(When(status=status, then=Value(number)) for number, status in enumerate(others, start=3)),
        output_field=SmallIntegerField(),
    )
    return Enquiry.objects.annotate(lane=lane).order_by(*WORKING_ORDER)


def rows(queryset, name: str, *, now: datetime, user, hours: Hours):
    """The enquiries of a queue, with one row for each fold of a flood. An unknown name gives all, including closed ones."""
    queue = BY_NAME.get(name)
    return queryset.filter(queue.what(now, user, hours)).without_folded() if queue else queryset


def counts(*, now: datetime, user, hours: Hours) -> dict[str, int]:
    """How many each queue holds, in one query of open enquiries. Closed ones are never counted."""
    live = Enquiry.objects.filter(OPEN).without_folded()
    looked = {
        queue.name: Count("pk", filter=queue.what(now, user, hours)) for queue in QUEUES if queue.name not in ASIDE
    }
    aside = Enquiry.objects.filter(status__in=ASIDE.values()).order_by().values_list("status").annotate(Count("pk"))
    return {**live.aggregate(**looked), **dict.fromkeys(ASIDE, 0), **dict(aside)}
