"""How the inbox is cut into queues, and how staff find an enquiry in it."""

import re

import phonenumbers
from django.contrib import admin
from django.utils import timezone

from enquiries import blind, queues

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
        return queues.rows(queryset, shown(request), now=timezone.now(), user=request.user)


def shown(request) -> str:
    """The queue that this request is about. What cannot be a queue is the list of all that is open."""
    given = request.GET.get("queue", "")
    if given in queues.BY_NAME or given == "all":
        return given
    return "all" if request.GET.get("q", "").strip() else queues.DEFAULT


def tabs(request) -> list[dict]:
    """The queues with how much is in each."""
    counted = queues.counts(now=timezone.now(), user=request.user)
    here = shown(request)
    return [
        {"name": queue.name, "label": queue.label, "count": counted[queue.name], "here": queue.name == here}
        for queue in queues.QUEUES
    ]


def find(queryset, typed: str):
    """By reference, e-mail address, phone number in any form, or words of the name; each exact, because all but the
    reference are encrypted."""
    typed = " ".join(typed.split())
    if REFERENCE.match(typed) and any(letter.isdigit() or letter.isupper() for letter in typed):
        bare = typed.replace("-", "").upper()
        by_reference = queryset.filter(reference=f"{bare[:4]}-{bare[4:]}")
        if by_reference.exists():
            return by_reference
    if "@" in typed:
        return queryset.filter(email_key=blind.email_key(typed))
    if sum(letter.isdigit() for letter in typed) >= 6:
        return queryset.filter(phone_key=blind.phone_key(_e164(typed)) or "none")
    for key in blind.name_keys(typed):
        queryset = queryset.filter(name_words__key=key)
    return queryset


def _e164(typed: str) -> str:
    try:
        return phonenumbers.format_number(phonenumbers.parse(typed, "GB"), phonenumbers.PhoneNumberFormat.E164)
    except phonenumbers.NumberParseException:
        return ""
