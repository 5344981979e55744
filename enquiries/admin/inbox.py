"""How the inbox is divided into queues, and how staff find an enquiry in it."""

import re
import time
import uuid
from dataclasses import dataclass, replace
from datetime import date, timedelta
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin.views.main import ORDER_VAR, ChangeList
from django.utils import timezone

from backcare.core.forms import as_number
from enquiries import clock
from enquiries.inbox import dashboard, find, queues
from enquiries.models import Enquiry

SAME_LOOK = 120  # seconds


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
    """Which fold's list is shown. None if it is another list, or the value cannot be a fold."""
    try:
        return uuid.UUID(request.GET.get("flood", ""))
    except ValueError:
        return None


def chosen_part(request) -> tuple[str, date | None] | None:
    """What a number on the dashboard leads to. None for any other value."""
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
    """The queue that this request is about. Anything else means all that is open."""
    given = request.GET.get("queue", "")
    if given in queues.BY_NAME or given == "all":
        return given
    return "all" if request.GET.get("q", "").strip() or {"part", "flood"} & set(request.GET) else queues.DEFAULT


def tabs(request) -> list[dict]:
    """The queues with their counts."""
    counted = queues.counts(now=timezone.now(), user=request.user, hours=reply_clock(request).hours)
    here = shown(request)
    return [
        {
            "name": queue.name,
            "label": queue.label,
            "count": counted[queue.name],
            "here": queue.name == here,
            "pressing": queue.name in {"safety", "overdue"},
        }
        for queue in queues.QUEUES
    ]


def found(request) -> find.Found | None:
    """What the search box means, worked out once per request. None if nothing was typed."""
    if not hasattr(request, "found_by_search"):
        typed = request.GET.get("q", "")
        request.found_by_search = find.find(typed) if typed.strip() else None
    return request.found_by_search


NEAR = 20  # rows that an enquiry may have moved up or down while somebody worked on it
MAX_AT, MAX_SORTED = 1_000_000, 40


@dataclass(frozen=True)
class Trail:
    """The list that somebody is working through: a queue or search results, how it is sorted, and their place in it."""

    queue: str
    at: int
    typed: str = ""
    sorted_by: str = ""  # as Django's list has it: 6.-1 is by the sixth column, then by the first, descending

    @property
    def fields(self) -> dict[str, str]:
        """What a form on the enquiry's page, and an address of it, carry."""
        given = {"queue": self.queue, "at": str(self.at), "q": self.typed, "o": self.sorted_by}
        return {name: value for name, value in given.items() if value}

    @property
    def of_list(self) -> str:
        return urlencode({name: value for name, value in self.fields.items() if name != "at"})

    @property
    def label(self) -> str:
        return f"search for “{self.typed}”" if self.typed else queues.BY_NAME[self.queue].label

    def address_of(self, enquiry: Enquiry, at: int | None = None) -> str:
        here = self if at is None else replace(self, at=at)
        return f"{enquiry.get_admin_url()}?{urlencode(here.fields)}"

    def rows(self, request):
        """The enquiries of the list, in its order."""
        found = queues.in_working_order()
        if self.typed:
            found = found.filter(pk__in=find.find(self.typed).pks)
        hours = reply_clock(request).hours
        found = queues.rows(found, self.queue, now=timezone.now(), user=request.user, hours=hours)
        columns = [f"{back}{column}" for back, column in _columns(self.sorted_by)]
        return found.order_by(*columns, *queues.WORKING_ORDER) if columns else found


# The list's columns as Django numbers them, behind the one with the boxes to tick.
SORTED = {1: "reference", 2: "status", 6: "reply_by", 7: "created_at", 8: "owner"}


def _columns(sorted_by: str) -> list[tuple[str, str]]:
    found = [re.fullmatch(r"(-?)(\d{1,2})", each) for each in sorted_by.split(".")]
    return [(each[1], SORTED[int(each[2])]) for each in found if each and int(each[2]) in SORTED]


def given_trail(request) -> Trail | None:
    """None for somebody who did not come from a list."""
    given = request.POST if request.method == "POST" else request.GET
    name, at, typed = given.get("queue", ""), given.get("at", "0"), given.get("q", "").strip()
    if name not in queues.BY_NAME and not (name == "all" and typed):
        return None
    return Trail(name, min(as_number(at) or 0, MAX_AT), typed[: find.MAX_TYPED], given.get("o", "")[:MAX_SORTED])


def back_to(request, enquiry: Enquiry) -> str:
    """The enquiry's page, in the list and place that the posted page had."""
    trail = given_trail(request)
    return trail.address_of(enquiry) if trail else enquiry.get_admin_url()


def place(request, enquiry: Enquiry) -> dict | None:
    """Where the enquiry is in the list that somebody works through, and what comes before and after it.

    It keeps its place when a step has taken it out of the list: then the next one is what has moved up.
    """
    trail = given_trail(request)
    if trail is None:
        return None
    first = max(trail.at - NEAR, 0)
    rows = trail.rows(request)
    near = list(rows.values_list("pk", flat=True)[first : trail.at + NEAR + 2])
    at = trail.at
    if enquiry.pk in near:
        here = near.index(enquiry.pk)
        after, at = here + 1, first + here
    else:
        here = after = at - first
    return {
        "trail": replace(trail, at=at),
        "number": at + 1,
        "count": rows.order_by().count(),
        "inside": enquiry.pk in near,
        "next": (near[after], first + after) if after < len(near) else None,
        "previous": (near[here - 1], first + here - 1) if 0 < here <= len(near) else None,
    }


def looked_before(request) -> float:
    """When this person looked at the inbox before, in seconds since 1970. Looks within two minutes are one."""
    now, (before, last) = time.time(), request.session.get("looks", (0, 0))
    if now - last > SAME_LOOK:
        before, last = last or now, now
        request.session["looks"] = [before, last]
    return before


class WorkList(ChangeList):
    """The inbox's list. Its rows lead to their place in the queue, and know whether they are new to this person."""

    def get_results(self, request):
        super().get_results(request)
        since = looked_before(request)
        first = (self.page_num - 1) * self.list_per_page
        self.trail = Trail(shown(request), 0, self.query[: find.MAX_TYPED], self.params.get(ORDER_VAR, "")[:MAX_SORTED])
        self.places = {row.pk: first + number for number, row in enumerate(self.result_list)}
        for row in self.result_list:
            row.is_fresh = row.created_at.timestamp() > since

    def url_for_result(self, result):
        if self.trail.queue not in queues.BY_NAME and not self.trail.typed:
            return super().url_for_result(result)
        return self.trail.address_of(result, self.places[result.pk])
