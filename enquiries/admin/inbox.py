"""How the inbox is cut into queues, and how staff find an enquiry in it."""

import re
import uuid
from datetime import date, timedelta

from django.contrib import admin
from django.utils import timezone

from backcare.core import phones
from backcare.core.crypto import blind_index
from enquiries import clock
from enquiries.inbox import dashboard, queues

REFERENCE = re.compile(r"^[0-9a-z]{4}-?[0-9a-z]{4}$", re.IGNORECASE)


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


def find(queryset, typed: str):
    """By reference, e-mail address, phone number in any form, or words of the name; each exact, because all but the
    reference are encrypted."""
    typed = " ".join(typed.split())
    if REFERENCE.match(typed):  # which a name of eight letters may be too
        bare = typed.replace("-", "").upper()
        by_reference = queryset.filter(reference=f"{bare[:4]}-{bare[4:]}")
        if by_reference.exists():
            return by_reference
    if "@" in typed:
        return queryset.filter(email_key__in=blind_index.email_keys(typed))
    if sum(letter.isdigit() for letter in typed) >= 6:
        return queryset.filter(phone_key__in=blind_index.phone_keys(phones.e164(typed)))
    for keys in blind_index.name_lookups(typed):
        queryset = queryset.filter(name_words__key__in=keys)
    return queryset
