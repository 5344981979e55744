"""What owners can see for any range of days: what came in, how soon it was answered, how it ended, and what readers searched for.

Counts only. Nothing here names a patient, and details that were deleted are not counted where a table would need them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median, quantiles

from django.db.models import Case, Count, IntegerField, Q, Sum, Value, When
from django.utils import timezone

from enquiries.inbox import dashboard
from enquiries.inbox.dashboard import ASKED, midnight
from enquiries.models import Enquiry, EnquiryKind, Status
from enquiries.models.enquiry import UNREADABLE
from enquiries.opening_hours import Hours
from enquiries.request_forms.own_words import CRISIS
from factsheets import feedback
from factsheets.models import Answer, Reason, SafetyAdvice, SearchMiss, SheetFeedback, SheetReads

MAX_DAYS = 3 * 366
WEEKLY, MONTHLY = 63, 427  # the longest ranges, in days, shown by week and by month; longer ones are shown by year
KINDS = [EnquiryKind.CONSULTATION, EnquiryKind.QUESTION, EnquiryKind.REPORT]


@dataclass(frozen=True)
class Span:
    """A range of days, including both."""

    first: date
    last: date

    @property
    def received(self) -> Q:
        return Q(created_at__gte=midnight(self.first), created_at__lt=midnight(self.last + timedelta(days=1)))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def parts(self) -> "list[Part]":
        """The weeks, months or years in it, of which the first and last may be cut short."""
        return list(self._parts())

    def _parts(self) -> "Iterator[Part]":
        starts = self.first
        while starts <= self.last:
            if self.days <= WEEKLY:
                following, label = starts + timedelta(days=7), f"{starts:%-d %b}"
            elif self.days <= MONTHLY:
                following, label = month_after(starts), f"{starts:%b %Y}"
            else:
                following, label = date(starts.year + 1, 1, 1), f"{starts:%Y}"
            yield Part(starts, min(following - timedelta(days=1), self.last), label)
            starts = following

    @property
    def part_name(self) -> str:
        return "Week from" if self.days <= WEEKLY else "Month" if self.days <= MONTHLY else "Year"


@dataclass(frozen=True)
class Part:
    first: date
    last: date
    label: str

    @property
    def short_label(self) -> str:
        """The label below a column. A month has no year there."""
        return self.label.partition(" 20")[0]


@dataclass(frozen=True)
class Table:
    """One table. `rows` hold the cells in the order of `head`; `note` says what the numbers are not."""

    name: str
    title: str
    head: list[str]
    rows: list[list]
    note: str = ""


def month_after(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_of(day: date) -> Span:
    return Span(day.replace(day=1), month_after(day) - timedelta(days=1))


def tables(span: Span, hours: Hours) -> list[Table]:
    now = timezone.now()
    return [
        _received(span),
        _by_sheet(span),
        _by_sign(span),
        _first_contact(span, hours),
        _attempts(span, now),
        _outcomes(span),
        _searches(),
        _usefulness(span),
        _reads(span),
    ]


def _by_part(span: Span, queryset, counts: dict[str, Q]) -> list[dict[str, int]]:
    """How many of each sort in each part of the span, in one query."""
    number = Case(
        *(
            When(created_at__gte=midnight(part.first), then=Value(place))
            for place, part in reversed(list(enumerate(span.parts)))
        ),
        output_field=IntegerField(),
    )
    found = (
        queryset.filter(span.received)
        .annotate(part=number)
        .order_by()
        .values("part")
        .annotate(**{f"n_{name}": Count("pk", filter=what) for name, what in counts.items()})
    )
    rows = {row["part"]: row for row in found}
    return [{name: rows.get(place, {}).get(f"n_{name}", 0) for name in counts} for place in range(len(span.parts))]


def _received(span: Span) -> Table:
    sorts = {kind.value: ASKED & Q(kind=kind) for kind in KINDS}
    sorts |= {"all": ASKED, "aside": Q(status__in=[Status.SPAM, Status.HELD])}
    rows = _by_part(span, Enquiry.objects, sorts)
    return Table(
        "received",
        "Requests received",
        [span.part_name, "Consultations", "Questions", "Fact sheets", "All", "Spam or held back"],
        [[part.label, *row.values()] for part, row in zip(span.parts, rows, strict=True)],
        "“All” leaves out spam and what is held back.",
    )


def _by_sheet(span: Span) -> Table:
    found = (
        Enquiry.objects.filter(span.received & ASKED, sheet__isnull=False)
        .order_by()
        .values("sheet__title")
        .annotate(**{f"n_{kind}": Count("pk", filter=Q(kind=kind)) for kind in KINDS}, all=Count("pk"))
        .order_by("-all", "sheet__title")
    )
    return Table(
        "sheets",
        "Requests by fact sheet",
        ["Fact sheet", "Consultations", "Questions", "Fact sheets by email", "All"],
        [[row["sheet__title"], *(row[f"n_{kind}"] for kind in KINDS), row["all"]] for row in found],
        "Requests that were sent from a fact sheet, or asked for one.",
    )


def _by_sign(span: Span) -> Table:
    known = dict(SafetyAdvice.objects.values_list("code", "text")) | {CRISIS: "May not cope, or may not be safe"}
    flagged = Enquiry.objects.filter(span.received, safety_signs__isnull=False).only("safety_signs")
    counts: Counter[str] = Counter()
    for enquiry in flagged.iterator(chunk_size=500):
        counts.update(set(enquiry.signs))
    unread = counts.pop(UNREADABLE, 0)
    rows = [
        [known.get(code, f"{code} (no longer in use)"), number]
        for code, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    return Table(
        "signs",
        "Warning signs",
        ["What their words sounded like", "Requests"],
        [*rows, *([["Cannot be opened", unread]] if unread else [])],
        "One request may have several. Signs are deleted with the patient’s details, so older ones are missing here.",
    )


def _first_contact(span: Span, hours: Hours) -> Table:
    now = timezone.now()
    late = dashboard.PARTS["late"].what(now)
    counts = _by_part(span, Enquiry.objects, {"on_time": dashboard.ON_TIME, "late": late})
    minutes: list[list[int]] = [[] for _ in span.parts]
    elapsed = dashboard.WorkingMinutes(hours, span.first, timezone.localdate(now))
    answers = Enquiry.objects.filter(span.received & dashboard.ANSWERED).order_by("-created_at")
    for came, reached in answers.values_list("created_at", "first_contact_at")[: dashboard.MAX_ANSWERS]:
        day = timezone.localdate(came)
        place = next(number for number, part in enumerate(span.parts) if day <= part.last)
        minutes[place].append(elapsed.between(came, reached))
    rows = []
    for part, row, took in zip(span.parts, counts, minutes, strict=True):
        all_due = row["on_time"] + row["late"]
        rows.append(
            [
                part.label,
                len(took),
                in_hours(median(took)) if took else "–",
                in_hours(nine_in_ten(took)) if took else "–",
                row["on_time"],
                row["late"],
                f"{row['on_time'] * 100 // all_due}%" if all_due else "–",
            ]
        )
    return Table(
        "first-contact",
        "Time to first contact",
        [span.part_name, "Answered", "Half within", "Nine in ten within", "On time", "Late", "Share on time"],
        rows,
        "In working hours, by the opening hours as they are now. Fact sheets by email need no answer and are left out.",
    )


def nine_in_ten(minutes: list[int]) -> float:
    return quantiles(minutes, n=10, method="inclusive")[-1] if len(minutes) > 1 else minutes[0]


def in_hours(minutes: float) -> str:
    return f"{round(minutes)} min" if minutes < 60 else f"{minutes / 60:.1f}".removesuffix(".0") + " h"


def _attempts(span: Span, now) -> Table:
    sorts = {name: dashboard.PARTS[name].what(now) for name in ("calls_1", "calls_2", "calls_3", "in_vain")}
    rows = _by_part(span, Enquiry.objects, sorts)
    return Table(
        "attempts",
        "Phone calls",
        [span.part_name, "Called once", "Twice", "Three times or more", "Three or more, not reached"],
        [[part.label, *row.values()] for part, row in zip(span.parts, rows, strict=True)],
        "People, not calls.",
    )


def _outcomes(span: Span) -> Table:
    found = Enquiry.objects.filter(span.received).order_by().values("status", "outcome").annotate(number=Count("pk"))
    counts: Counter[str] = Counter()
    for row in found:
        ended = Enquiry(status=row["status"], outcome=row["outcome"])
        words = ended.get_outcome_display() or ended.get_status_display()
        counts[words[:1].upper() + words[1:]] += row["number"]
    return Table(
        "outcomes",
        "How requests ended",
        ["Outcome", "Requests"],
        [[words, number] for words, number in counts.most_common()],
        "What is still open is shown by its status.",
    )


def _searches() -> Table:
    shown = SearchMiss.objects.exclude(text="")
    rare = SearchMiss.objects.filter(text="").aggregate(times=Sum("times"))["times"] or 0
    rows = [[each.text, each.times, each.days, each.wanted] for each in shown]
    return Table(
        "searches",
        "Searches with no results",
        ["Searched for", "Times", "Days", "Told us"],
        rows,
        "Of the last 30 days, whatever range is chosen, because older ones are deleted. "
        f"Words that fewer than {SearchMiss.KEPT_FROM} searches had are not shown: {rare} searches.",
    )


def _usefulness(span: Span) -> Table:
    weeks = SheetFeedback.objects.filter(week__gte=feedback.monday(span.first), week__lte=span.last)
    counts: dict[str, Counter[str]] = {}
    for title, answer, reason, number in weeks.values_list("sheet__title", "answer", "reason", "count"):
        counts.setdefault(title, Counter())[reason or answer] += number
    columns = [*Answer, *Reason]
    return Table(
        "usefulness",
        "“Was this useful?”",
        ["Fact sheet", *(each.label for each in columns)],
        [[title, *(counts[title][each] for each in columns)] for title in sorted(counts)],
        "Counted by whole weeks, from Monday.",
    )


def _reads(span: Span) -> Table:
    parts = span.parts
    rows: dict[str, list[int]] = {}
    found = SheetReads.objects.filter(day__gte=span.first, day__lte=span.last)
    for title, day, number in found.values_list("sheet__title", "day", "count"):
        place = next(each for each, part in enumerate(parts) if day <= part.last)
        rows.setdefault(title, [0] * len(parts))[place] += number
    ranked = sorted(rows.items(), key=lambda item: (-sum(item[1]), item[0]))
    return Table(
        "reads",
        "Fact sheets read",
        ["Fact sheet", *(part.label for part in parts), "All"],
        [[title, *numbers, sum(numbers)] for title, numbers in ranked],
        "How often each page was opened, by people and by programs alike. We count nothing about who opened it.",
    )
