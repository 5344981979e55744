"""Times and days as the clinic says them, to patients and to staff."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta

from enquiries.clock.hours import Closed, Hours, local, utc

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CLOSED_SOON = timedelta(days=14)
TWELVES = {time(0): "midnight", time(12): "midday"}


def clock_time(at: time) -> str:
    """9am, 12:30pm, midday: as the NHS and GOV.UK write times."""
    if at.replace(second=0, microsecond=0) in TWELVES:
        return TWELVES[at.replace(second=0, microsecond=0)]
    return f"{at:%-I}{f':{at:%M}' if at.minute else ''}{'am' if at.hour < 12 else 'pm'}"


def day_words(day: date, today: date) -> str:
    """Tuesday 26 May, with its year when that is not this year."""
    return f"{day:%A %-d %B}{'' if day.year == today.year else f' {day.year}'}"


def at_words(at: datetime, now: datetime) -> str:
    """9am today, 9am tomorrow, or 9am on Tuesday 26 May."""
    at, today = local(at), local(now).date()
    near = {0: "today", 1: "tomorrow"}.get((at.date() - today).days)
    return f"{clock_time(at.time())} {near or f'on {day_words(at.date(), today)}'}"


def dated_words(at: datetime) -> str:
    """9am on Tuesday 26 May 2026: for what is kept, and read in another year."""
    at = local(at)
    return f"{clock_time(at.time())} on {at:%A %-d %B %Y}"


def in_words(reply_by: datetime, now: datetime, *, dated: bool = False) -> str:
    """What a patient is told: "by 5pm on Tuesday 26 May", or "by 1pm today".

    `dated` names the day even when it is today, for what may be read on another one, such as a mail.
    """
    reply_by, today = local(reply_by), local(now).date()
    day = "today" if reply_by.date() == today and not dated else f"on {day_words(reply_by.date(), today)}"
    return f"by {clock_time(reply_by.time())} {day}"


def due_in_words(reply_by: datetime | None, now: datetime, hours: Hours) -> str:
    """What staff see: "in 2 working hours", "in 20 minutes", "overdue by 1 working day". Never more time than there is.

    Empty when nothing was promised. Days are the clinic's own: the mean of the weekdays on which it opens.
    """
    if reply_by is None:
        return ""
    reply_by, now = utc(reply_by), utc(now)
    if now == reply_by:
        return "due now"
    if now > reply_by:
        late = hours.working_minutes(reply_by, now)
        return f"overdue by {_working(late, hours, open_now=hours.is_open(now))}" if late else "overdue"
    left = hours.working_minutes(now, reply_by)
    if left:
        return f"in {_working(left, hours, open_now=hours.is_open(now))}"
    if hours.working_time(now, reply_by):
        return "in less than a minute"
    # It was promised before the hours changed, or a closure came.
    return f"{in_words(reply_by, now)}, while the clinic is closed"


def _working(minutes: int, hours: Hours, *, open_now: bool) -> str:
    if minutes < 60:
        return f"{_count(minutes, 'minute' if open_now else 'working minute')}"
    if minutes < hours.day_minutes:
        return _count(minutes // 60, "working hour")
    return _count(minutes // max(hours.day_minutes, 1), "working day")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def span_in_words(closure: Closed, today: date) -> str:
    """ "on Tuesday 26 May", "from 1pm on Tuesday 26 May", "from Monday 25 May to Friday 29 May", "… until 1pm on Friday 29 May"."""
    first, last = day_words(closure.first_day, today), day_words(closure.last_day, today)
    starts, ends = (at and clock_time(at) for at in (closure.from_time, closure.until_time))
    if first == last:
        return f"{f'from {starts} ' if starts else ''}{f'until {ends} ' if ends else ''}on {first}"
    return f"from {f'{starts} on ' if starts else ''}{first} {f'until {ends} on' if ends else 'to'} {last}"


def hours_in_words(hours: Hours) -> str:
    """Monday to Friday, 9am to 5pm: days in a row that have the same hours are said together."""
    groups: list[tuple[list[int], list]] = []
    for day, spells in hours.by_weekday.items():
        if groups and groups[-1][0][-1] == day - 1 and groups[-1][1] == spells:
            groups[-1][0].append(day)
        else:
            groups.append(([day], spells))
    return "; ".join(f"{_days(days)}, {_spells(spells)}" for days, spells in groups)


def opening_in_words(hours: Hours) -> str:
    """As patients read it: "Monday to Friday, 9am to 5pm, except bank holidays". Empty when the clinic has no hours."""
    words = hours_in_words(hours)
    if not words or not hours.nation:
        return words
    return f"{words}; closed on bank holidays" if ";" in words else f"{words}, except bank holidays"


def within_in_words(within: timedelta, hours: Hours) -> str:
    """One working day, 2 working days, or 6 working hours.

    Days are said only where all of the clinic's are of one length and the promise is a whole number of them.
    """
    minutes, lengths = within // timedelta(minutes=1), {sum(_minutes(spells)) for spells in hours.by_weekday.values()}
    if len(lengths) == 1 and not minutes % (day := lengths.pop()):
        return "one working day" if minutes == day else f"{minutes // day} working days"
    return _count(minutes // 60, "working hour")


def _minutes(spells: Iterable[tuple[time, time]]) -> Iterator[int]:
    for opens, closes in spells:
        yield (closes.hour - opens.hour) * 60 + closes.minute - opens.minute


def closures_in_words(hours: Hours, today: date) -> list[str]:
    """A sentence for each closure that is on or begins within two weeks. They hold for the whole of today."""
    soon = [
        closure
        for closure in sorted(hours.closures, key=lambda each: each.starts)
        if closure.first_day <= today + CLOSED_SOON and closure.last_day >= today
    ]
    return [f"We are closed {span_in_words(closure, today)}: {closure.reason.rstrip('.')}." for closure in soon]


def _days(days: list[int]) -> str:
    if len(days) <= 2:
        return " and ".join(DAYS[day] for day in days)
    return f"{DAYS[days[0]]} to {DAYS[days[-1]]}"


def _spells(spells: Iterable) -> str:
    return listed(f"{clock_time(opens)} to {clock_time(closes)}" for opens, closes in spells)


def listed(parts: Iterable[str]) -> str:
    """One, two and three."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
