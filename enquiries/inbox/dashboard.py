"""The numbers on the desk's first page. Each is also a filter of the inbox, so that it leads to the enquiries behind it.

Four weeks are four times seven days up to and including today, so that they can be compared. Earlier enquiries are never read,
however many there are.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import accumulate
from statistics import median

from django.db.models import Case, Count, F, IntegerField, Min, Q, Value, When
from django.utils import timezone

from enquiries.inbox import queues
from enquiries.models import Enquiry, EnquiryKind, MessageState, Outcome, OutgoingMessage, Status
from enquiries.opening_hours import Hours

WEEKS = 4
WEEK = timedelta(days=7)
# If there are more answers, only the newest count, whose median is near enough.
MAX_ANSWERS = 5_000

ASKED = ~Q(status__in=[Status.SPAM, Status.HELD])
TO_ANSWER = ASKED & ~Q(kind=EnquiryKind.REPORT)
ANSWERED = TO_ANSWER & Q(first_contact_at__isnull=False)
# Nobody called or wrote, as far as we know, but rightly: it waits for the patient, or it ended another way.
NOT_OURS = Q(first_contact_at=None) & (
    Q(status=Status.WAITING)
    | Q(outcome__in=[Outcome.WITHDRAWN, Outcome.DUPLICATE, Outcome.ELSEWHERE, Outcome.ANSWERED, Outcome.SEEN])
)
PROMISED = TO_ANSWER & Q(reply_by__isnull=False) & ~NOT_OURS
ON_TIME = PROMISED & Q(first_contact_at__lte=F("reply_by"))


def _late(now: datetime) -> Q:
    return PROMISED & (Q(first_contact_at__gt=F("reply_by")) | Q(first_contact_at=None, reply_by__lt=now))


@dataclass(frozen=True)
class Part:
    """A part of the four weeks' enquiries, for a number and for the list behind it."""

    label: str
    what: Callable[[datetime], Q]


PARTS = {
    **{kind.value: Part(kind.label, lambda now, kind=kind: ASKED & Q(kind=kind)) for kind in EnquiryKind},
    "all": Part("all except spam and held back", lambda now: ASKED),
    "answered": Part("answered", lambda now: ANSWERED),
    "on_time": Part("answered on time", lambda now: ON_TIME),
    "late": Part("answered late or still overdue", _late),
    "calls_1": Part("called once", lambda now: TO_ANSWER & Q(contact_attempts=1)),
    "calls_2": Part("called twice", lambda now: TO_ANSWER & Q(contact_attempts=2)),
    "calls_3": Part("called three times or more", lambda now: TO_ANSWER & Q(contact_attempts__gte=3)),
    "in_vain": Part(
        "called three times or more and not reached",
        lambda now: TO_ANSWER & Q(contact_attempts__gte=3, first_contact_at=None),
    ),
}


def week_starts(now: datetime) -> list[date]:
    """The first day of each of the four weeks, oldest first."""
    first = timezone.localdate(now) + timedelta(days=1) - WEEKS * WEEK
    return [first + number * WEEK for number in range(WEEKS)]


def midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()))


def received(first_day: date, weeks: int = 1) -> Q:
    return Q(created_at__gte=midnight(first_day), created_at__lt=midnight(first_day + weeks * WEEK))


def rows(queryset, part: str, week: date | None, *, now: datetime):
    """The enquiries behind one number, for one week or for all four."""
    when = received(week) if week else received(week_starts(now)[0], WEEKS)
    return queryset.filter(when & PARTS[part].what(now))


def counted(*, now: datetime) -> list[dict[str, int]]:
    """How many each part has in each of the four weeks, oldest first. One query, of those weeks' enquiries."""
    starts = week_starts(now)
    number = Case(
        *(When(created_at__gte=midnight(start), then=Value(week)) for week, start in reversed(list(enumerate(starts)))),
        output_field=IntegerField(),
    )
    found = (
        Enquiry.objects.filter(received(starts[0], WEEKS))
        .annotate(week=number)
        .order_by()
        .values("week")
        .annotate(**{f"n_{name}": Count("pk", filter=part.what(now)) for name, part in PARTS.items()})
    )
    by_week = {row["week"]: row for row in found}
    return [{name: by_week.get(week, {}).get(f"n_{name}", 0) for name in PARTS} for week in range(WEEKS)]


def first_contacts(hours: Hours, *, now: datetime) -> list[list[int]]:
    """The working minutes from each enquiry to its first contact, for each of the four weeks in which they came."""
    starts = week_starts(now)
    answers = Enquiry.objects.filter(received(starts[0], WEEKS) & ANSWERED).order_by("-created_at")
    elapsed = WorkingMinutes(hours, starts[0], timezone.localdate(now))
    weeks: list[list[int]] = [[] for _ in starts]
    for came, reached in answers.values_list("created_at", "first_contact_at")[:MAX_ANSWERS]:
        week = bisect_right(starts, timezone.localdate(came)) - 1
        weeks[week].append(elapsed.between(came, reached))
    return weeks


def middle(minutes: Iterable[int]) -> int | None:
    """The median. None if there are no values."""
    minutes = list(minutes)
    return round(median(minutes)) if minutes else None


class WorkingMinutes:
    """`Hours.working_minutes` for many pairs of moments between two days, looking up the clinic's spells only once."""

    def __init__(self, hours: Hours, first: date, last: date):
        days = (first + timedelta(days=number) for number in range((last - first).days + 1))
        self.sessions = sorted(
            (session for day in days for session in hours.sessions(day)), key=lambda each: each.starts
        )
        lengths = (session.ends - session.starts for session in self.sessions)
        self.before = list(accumulate(lengths, initial=timedelta(0)))

    def between(self, start: datetime, end: datetime) -> int:
        return max(self._until(end) - self._until(start), timedelta(0)) // timedelta(minutes=1)

    def _until(self, at: datetime) -> timedelta:
        begun = bisect_right(self.sessions, at, key=lambda each: each.starts)
        if not begun:
            return timedelta(0)
        session = self.sessions[begun - 1]
        return self.before[begun - 1] + min(at, session.ends) - session.starts


def longest_wait() -> Enquiry | None:
    """The open enquiry that has waited longest for a first answer."""
    unanswered = Enquiry.objects.filter(queues.TO_DO & Q(first_contact_at=None) & ~Q(kind=EnquiryKind.REPORT))
    return unanswered.only("reference", "created_at", "reply_by").order_by("created_at").first()


def mail_on_its_way(*, now: datetime) -> dict:
    """Since when the oldest mail waits that should be out (`waiting_since`), and how many to staff have failed (`failed`)."""
    # An email meant for later, such as the digest at opening time, is not late.
    late = Q(state__in=[MessageState.WAITING, MessageState.SENDING]) & (Q(attempts__gt=0) | Q(next_attempt_at__lte=now))
    about_no_patient = Q(state=MessageState.FAILED, enquiry=None)
    looked = OutgoingMessage.objects.filter(late | about_no_patient)
    return looked.aggregate(waiting_since=Min("created_at", filter=late), failed=Count("pk", filter=about_no_patient))


# Columns of a chart, in the units of its drawing (templates/admin/enquiries/_columns.svg).

WIDTH, HEIGHT = 340, 150
TOP, BOTTOM = 20, 24  # room for the numbers above the columns and the labels below
GAP = 18  # the gap between two groups


@dataclass(frozen=True)
class Column:
    series: int  # its style, from 1
    x: float
    y: float
    width: float
    height: float
    text: str

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)

    @property
    def above(self) -> float:
        return round(self.y - 4, 1)


def columns(
    labels: Sequence[str],
    values: Sequence[Sequence[float | None]],
    texts,
    *,
    line: float | None = None,
    highest: float = 1,
) -> dict:
    """Groups of columns side by side, each with a label and a list of values, None where there is nothing to draw.

    `texts` are the words above the columns, in the same shape. `line` is a value to draw across, such as an aim; the
    scale reaches `highest` at least.
    """
    highest = max([value for group in values for value in group if value is not None] + [line or 0, highest])
    room = HEIGHT - TOP - BOTTOM
    step = WIDTH / len(labels)
    drawn, below = [], []
    for number, (label, group) in enumerate(zip(labels, values, strict=True)):
        wide = min((step - GAP) / len(group), 44)
        left = number * step + (step - wide * len(group)) / 2
        below.append({"x": round(number * step + step / 2, 1), "text": label})
        for place, value in enumerate(group):
            tall = round(room * (value or 0) / highest, 1)
            top = round(HEIGHT - BOTTOM - tall, 1)
            drawn.append(
                Column(
                    place + 1, round(left + place * wide + 1, 1), top, round(wide - 2, 1), tall, texts[number][place]
                )
            )
    across = None if line is None else round(HEIGHT - BOTTOM - room * line / highest, 1)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "floor": HEIGHT - BOTTOM,
        "foot": HEIGHT - 6,
        "columns": drawn,
        "labels": below,
        "line": across,
    }
