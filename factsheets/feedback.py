"""“Was this useful?” below a sheet: counts by week, and nothing about who answered. The buttons need no script and set no cookie.

One sender's same answer about a sheet counts once in REPEAT, so that a double click, a reload or a second tab changes nothing,
and DAILY_MOST answers count in a day. People who share an internet connection share both: a count that is a little too low does
no harm. What is limited is kept as backcare/core/limits.py says, under a keyed hash and for a day.
"""

import logging
from collections import Counter
from datetime import date, timedelta

from django.db import Error, transaction
from django.db.models import F
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core import limits
from factsheets import safety
from factsheets.models import Answer, FactSheet, Reason, SheetFeedback
from factsheets.page_cache import cached_page, shared

logger = logging.getLogger(__name__)

REPEAT = timedelta(minutes=10)
DAY = timedelta(days=1)
DAILY_MOST = 40
SHOWN_WEEKS = 8


def count(sheet: FactSheet, answer: Answer, reason: Reason | None, client: str) -> bool:
    """Counts one answer, or the reason for it. False if this sender's is already counted, or has had enough for today."""
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


# The buttons, and the page of thanks.


@require_http_methods(["GET", "HEAD", "POST"])
def useful(request, slug: str):
    """Counts the answer and redirects to another page, so that a reload sends nothing twice.

    Anyone who is still worried gets help, whether or not the answer could be counted.
    """
    place = f"{reverse('factsheets:sheet', args=[slug])}#useful"
    answer, reason = request.POST.get("answer"), request.POST.get("reason", "")
    if answer not in Answer.values or reason not in {"", *Reason.values} or (reason and answer == Answer.YES):
        return HttpResponseRedirect(place)
    try:
        sheet = get_object_or_404(FactSheet.objects.published(), slug=slug)
        count(sheet, Answer(answer), Reason(reason) if reason else None, limits.client(request))
    except Error as error:
        logger.warning("An answer to “Was this useful?” was not counted: %s", type(error).__name__)
    return HttpResponseRedirect(reverse("factsheets:useful_said", args=[slug, reason or answer]), status=303)


@cached_page
@require_safe
def said(request, slug: str, said: str):
    if said not in {*Answer.values, *Reason.values}:
        raise Http404
    sheet = get_object_or_404(FactSheet.objects.published(), slug=slug)
    context = {
        "sheet": sheet,
        "said": said,
        "reasons": Reason if said in {Answer.PARTLY, Answer.NO} else [],
        "safety_tiers": safety.tiers(),
        "crisis": safety.CRISIS,
    }
    return shared(render(request, "factsheets/useful.html", context))
