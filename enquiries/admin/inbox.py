"""How the inbox is cut into queues, and how staff find an enquiry in it."""

import uuid
from datetime import date, timedelta

from django.contrib import admin
from django.utils import timezone

from enquiries import clock
from enquiries.inbox import dashboard, find, queues


class QueueFilter(admin.SimpleListFilter):
    """Which queue is shown: the tabs above the list. A search looks everywhere."""

    title = "queue"
    parameter_name = "queue"
    template = "admin/enquiries/no_filter.html"

    def lookups(self, request, model_admin):
        return [*((queue.name, queue.label) for queue in queues.QUEUES), ("all", "Everything")]

    def choices(self, changelist):
        return []

    def queryset(self, request, queryset):
        hours = reply_clock(request).hours
        return queues.rows(queryset, shown(request), now=timezone.now(), user=request.user, hours=hours)


class PartFilter(admin.SimpleListFilter):
    """The enquiries behind one number of the dashboard: part=late, or part=late.2026-11-15 for the week from that day."""

    title = "part"
    parameter_name = "part"
    template = "admin/enquiries/no_filter.html"

    def lookups(self, request, model_admin):
        return [(name, part.label) for name, part in dashboard.PARTS.items()]

    def choices(self, changelist):
        return []

    def queryset(self, request, queryset):
        if part := chosen_part(request):
            return dashboard.rows(queryset, *part, now=timezone.now())
        return queryset


class FloodFilter(admin.SimpleListFilter):
    """All that share one row of the safety queue: flood=… with the enquiry that the flood is known by."""

    title = "flood"
    parameter_name = "flood"
    template = "admin/enquiries/no_filter.html"

    def lookups(self, request, model_admin):
        return [("flood", "one row")]

    def choices(self, changelist):
        return []

    def queryset(self, request, queryset):
        if not request.GET.get("flood"):
            return queryset
        flood = chosen_flood(request)
        return queryset.filter(flood=flood, folded=True) if flood else queryset.none()


def chosen_flood(request) -> uuid.UUID | None:
    """Which fold's list is shown. None where none is, and for what cannot be one."""
    try:
        return uuid.UUID(request.GET.get("flood", ""))
    except ValueError:
        return None


def chosen_part(request) -> tuple[str, date | None] | None:
    """What a number of the dashboard leads to. None for anything that no number leads to."""
    name, _, week = request.GET.get("part", "").partition(".")
    if name not in dashboard.PARTS:
        return None
    try:
        return name, date.fromisoformat(week) if week else None
    except ValueError:
        return None


def part_in_words(request) -> str:
    part = chosen_part(request)
    if part is None:
        return ""
    name, week = part
    first = week or dashboard.week_starts(timezone.now())[0]
    last = first + (dashboard.WEEK if week else dashboard.WEEKS * dashboard.WEEK) - timedelta(days=1)
    return f"{dashboard.PARTS[name].label}, received from {first:%-d %B} to {last:%-d %B %Y}"


def reply_clock(request) -> clock.ReplyClock:
    """The clinic's hours and promise, loaded once for a request."""
    if not hasattr(request, "reply_clock"):
        request.reply_clock = clock.load()
    return request.reply_clock


def shown(request) -> str:
    """The queue that this request is about. What cannot be a queue is the list of all that is open."""
    given = request.GET.get("queue", "")
    if given in queues.BY_NAME or given == "all":
        return given
    return "all" if request.GET.get("q", "").strip() or {"part", "flood"} & set(request.GET) else queues.DEFAULT


def tabs(request) -> list[dict]:
    """The queues with how much is in each."""
    counted = queues.counts(now=timezone.now(), user=request.user, hours=reply_clock(request).hours)
    here = shown(request)
    return [
        {"name": queue.name, "label": queue.label, "count": counted[queue.name], "here": queue.name == here}
        for queue in queues.QUEUES
    ]


def found(request) -> find.Found | None:
    """What the search box means, looked for once for a request. None where nothing was typed."""
    if not hasattr(request, "found_by_search"):
        typed = request.GET.get("q", "")
        request.found_by_search = find.find(typed) if typed.strip() else None
    return request.found_by_search
