"""The clinic's appointments as lists, and reasons against a time that somebody is about to book."""

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from django.db.models import QuerySet

from enquiries.clock import at_words, clock_time, day_words, span_in_words
from enquiries.models import Absence, Appointment, AppointmentState
from enquiries.models.appointment import MAX_MINUTES
from enquiries.opening_hours import DAY, Hours, instant, local
from factsheets.models import TeamMember

FAR = 366 * DAY  # ahead; anything later is more likely a mistyped year


def of_days(first: date, last: date) -> QuerySet[Appointment]:
    """Those that begin on these days, including both, without any that were moved."""
    starts, ends = (instant(datetime.combine(day, time.min)) for day in (first, last + DAY))
    found = Appointment.objects.filter(starts_at__gte=starts, starts_at__lt=ends)
    return found.exclude(state=AppointmentState.MOVED)


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + 6 * DAY


def beside(starts_at: datetime, minutes: int, *, but: Appointment | None = None) -> list[Appointment]:
    """The booked appointments that overlap with that spell, except one that is being moved."""
    ends_at = starts_at + timedelta(minutes=minutes)
    near = Appointment.objects.filter(
        state=AppointmentState.BOOKED,
        starts_at__gt=starts_at - timedelta(minutes=MAX_MINUTES),
        starts_at__lt=ends_at,
    ).exclude(pk=but and but.pk)
    return [each for each in near.select_related("enquiry", "with_whom") if each.ends_at > starts_at]


def concerns(
    starts_at: datetime,
    minutes: int,
    *,
    with_whom: TeamMember | None,
    hours: Hours,
    now: datetime,
    but: Appointment | None = None,
) -> list[str]:
    """What staff should know before they book that time, in sentences. None of it forbids the booking."""
    found = []
    if starts_at - now > FAR:
        when = at_words(starts_at, now)
        found.append(f"{when[:1].upper()}{when[1:]} is more than a year ahead.")
    found += _closed(starts_at, minutes, hours, now)
    for other in beside(starts_at, minutes, but=but):
        when = f"from {clock_time(local(other.starts_at).time())} to {clock_time(local(other.ends_at).time())}"
        if with_whom and other.with_whom == with_whom:
            found.append(f"{with_whom} has another appointment {when} ({other.enquiry.reference}).")
        elif not (with_whom and other.with_whom):
            found.append(f"There is another appointment {when} ({other.enquiry.reference}).")
    account = with_whom.account_id if with_whom else None
    if account and (away := Absence.objects.on(local(starts_at).date()).filter(staff=account).first()):
        found.append(f"{with_whom} is away until {day_words(away.last_day, local(now).date())}.")
    return found


def _closed(starts_at: datetime, minutes: int, hours: Hours, now: datetime) -> Iterator[str]:
    """Why the clinic is not open for all of that spell. Empty if no opening hours are set."""
    if not hours.openings:
        return
    day, today = local(starts_at).date(), local(now).date()
    ends_at = starts_at + timedelta(minutes=minutes)
    closing = hours.closing(starts_at)
    if closing and ends_at <= closing:
        return
    if hours.is_bank_holiday(day):
        yield f"{day_words(day, today)} is a bank holiday."
        return
    for closure in hours.closures:
        if instant(closure.starts) < ends_at and starts_at < instant(closure.ends):
            yield f"We are closed {span_in_words(closure, today)}: {closure.reason.rstrip('.')}."
            return
    if closing:
        yield f"It would end after we close at {clock_time(closing.time())}."
    else:
        yield f"The clinic is closed at {clock_time(local(starts_at).time())} on {day_words(day, today)}."


def mark_of(starts_at: datetime, said: list[str]) -> str:
    """A mark for these concerns about that time, so that a second press confirms only what the first one showed."""
    return hashlib.sha256("\n".join([starts_at.isoformat(), *said]).encode()).hexdigest()[:16]
