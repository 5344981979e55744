"""“Was this useful?”: counts by week, and nothing about who answered.

One sender's same answer about a sheet counts once in REPEAT, so that a double click, a reload or a second tab changes nothing,
and DAILY_MOST answers count in a day. People who share an internet connection share both: a count that is a little too low does
no harm. What is limited is kept as backcare/core/limits.py says, under a keyed hash and for a day.
"""

from collections import Counter
from datetime import date, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backcare.core import limits
from factsheets.models import Answer, FactSheet, Reason, SheetFeedback

REPEAT = timedelta(minutes=10)
DAY = timedelta(days=1)
DAILY_MOST = 40
SHOWN_WEEKS = 8


def count(sheet: FactSheet, answer: Answer, reason: Reason | None, client: str) -> bool:
    """Counts one answer, or the reason for it. False when this sender's is counted already, or has had enough for today."""
    said = reason.value if reason else ""
    once = limits.hit("useful: same", f"{client} {sheet.slug} {answer} {said}", most=1, per=REPEAT)
    if not once or not limits.hit("useful: day", client, most=DAILY_MOST, per=DAY):
        return False
    row = {"sheet": sheet, "week": monday(timezone.localdate()), "answer": answer, "reason": said}
    with transaction.atomic():
        SheetFeedback.objects.bulk_create([SheetFeedback(**row)], ignore_conflicts=True)
        SheetFeedback.objects.filter(**row).update(count=F("count") + 1)
    return True


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def by_week(sheet: FactSheet) -> list[dict]:
    """The last weeks in which somebody answered, newest first: how many said what, and why."""
    weeks: dict[date, Counter] = {}
    since = monday(timezone.localdate()) - timedelta(weeks=SHOWN_WEEKS - 1)
    for row in SheetFeedback.objects.filter(sheet=sheet, week__gte=since).order_by("-week"):
        weeks.setdefault(row.week, Counter())[row.reason or row.answer] += row.count
    return [
        {
            "week": week,
            "answers": [said[each] for each in Answer],
            "reasons": [{"label": each.label, "count": said[each]} for each in Reason if said[each]],
        }
        for week, said in weeks.items()
    ]
