"""The owner's page of statistics, for any month or range of days: each a table, two of them with a chart, all of them as CSV."""

import csv
from datetime import date, timedelta

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from backcare.core.private_pages import personal
from enquiries import clock
from enquiries.actions import exports
from enquiries.clock import day_words
from enquiries.inbox import dashboard, statistics
from enquiries.inbox.statistics import Span, Table

DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


class RangeForm(forms.Form):
    """Both days are included. Without either, it is this month."""

    first = forms.DateField(label="From", widget=DAY, error_messages={"required": "Enter the first day"})
    last = forms.DateField(label="To", widget=DAY, error_messages={"required": "Enter the last day"})

    def clean(self):
        given = super().clean()
        first, last = given.get("first"), given.get("last")
        if first and last and last < first:
            self.add_error("last", "This day must be on or after the first one")
        elif first and last and Span(first, last).days > statistics.MAX_DAYS:
            self.add_error("last", "Choose three years at the most")
        elif first and first > timezone.localdate():
            self.add_error("first", "Choose a day up to today")
        return given


@personal
def page(request):
    if not request.user.is_superuser:
        raise PermissionDenied
    today = timezone.localdate()
    span = statistics.month_of(today)
    form = RangeForm(request.GET if {"first", "last"} & set(request.GET) else None, initial=vars(span))
    if form.is_bound:
        if not form.is_valid():
            return _answer(request, {"form": form, "choices": _choices(today)}, status=422)
        span = Span(form.cleaned_data["first"], form.cleaned_data["last"])
    found = statistics.tables(span, clock.load().hours)
    if "csv" in request.GET:
        return _file(span, next((each for each in found if each.name == request.GET["csv"]), None))
    context = {
        "form": form,
        "choices": _choices(today),
        "span": span,
        "in_words": f"{day_words(span.first, today)} to {day_words(span.last, today)}",
        "tables": [{"table": each, "drawing": _drawing(span, each)} for each in found],
    }
    return _answer(request, context)


def _answer(request, context: dict, status: int = 200):
    context = {**admin.site.each_context(request), "title": "Statistics", **context}
    return TemplateResponse(request, "admin/enquiries/statistics.html", context, status=status)


def _choices(today: date) -> list[tuple[str, Span]]:
    this = statistics.month_of(today)
    last = statistics.month_of(this.first - timedelta(days=1))
    start = this.first.replace(year=this.first.year - 1)
    return [
        ("This month", this),
        ("Last month", last),
        (f"{last.first - timedelta(days=1):%B}", statistics.month_of(last.first - timedelta(days=1))),
        ("The last 12 months", Span(start, this.first - timedelta(days=1))),
        ("This year", Span(date(today.year, 1, 1), today)),
    ]


# The column of each table that its chart shows.
DRAWN = {"received": 4, "reads": None}


def _drawing(span: Span, table: Table) -> dict | None:
    if table.name not in DRAWN or not table.rows or len(span.parts) < 2:
        return None
    column = DRAWN[table.name]
    if column is None:
        values = [sum(row[place + 1] for row in table.rows) for place in range(len(span.parts))]
    else:
        values = [row[column] for row in table.rows]
    return dashboard.columns(
        [part.short_label for part in span.parts], [[each] for each in values], [[each] for each in values]
    )


def _file(span: Span, table: Table | None) -> HttpResponse:
    if table is None:
        raise Http404
    name = f"{table.name}-{span.first.isoformat()}-to-{span.last.isoformat()}.csv"
    response = HttpResponse(exports.BOM, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    writer = csv.writer(response, quoting=csv.QUOTE_ALL)
    for row in [table.head, *table.rows]:
        writer.writerow([exports.safe(cell) for cell in row])
    return response
