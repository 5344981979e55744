"""One form for a day and a time, for patients and for staff."""

from datetime import datetime

from django import template
from django.utils import timezone

from enquiries.clock import at_words, clock_time, day_words

register = template.Library()


@register.filter
def moment(at: datetime) -> str:
    """10:30am on Monday 30 November, with the year when it is not this one. Never "today", because a mail is read later."""
    at = timezone.localtime(at)
    return f"{clock_time(at.time())} on {day_words(at.date(), timezone.localdate())}"


@register.filter
def lately(at: datetime | None) -> str:
    """10:30am today, 9am tomorrow, or as `moment`: for pages that staff read at once. Empty for no moment."""
    return at_words(at, timezone.now()) if at else ""
