"""When the clinic will reply to a patient, and how to say it: one value for the form, the email and the inbox.

For one enquiry: `reply_by(now)`, `resume(...)`, `reply_notice(now)`; each asks the database twice. For a list: `load()` once,
and the methods of what it gives. Words: `in_words` for patients, `due_in_words` for staff.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from backcare.core import clinic
from enquiries.models import ClinicHours, Closure
from enquiries.opening_hours import DAY, HORIZON, HOUR, Closed, Hours, Opening, instant, local, utc

DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
CLOSED_SOON = timedelta(days=14)
TWELVES = {time(0): "midnight", time(12): "midday"}
NO_PROMISE = "We do not know yet when we will reply."
AS_SOON_AS_WE_CAN = "We will reply as soon as we can."  # for a clinic that has set no hours, and so promises no time


@dataclass(frozen=True)
class ReplyClock:
    """The clinic's hours and its promise, loaded once for a page and all its rows."""

    hours: Hours
    within: timedelta = 8 * HOUR  # of opening time
    paused: bool = False
    notice: str = ""

    def reply_by(self, at: datetime) -> datetime | None:
        """By when somebody who writes at that moment gets a reply. None if nothing is promised (see why_none).

        Rounded up, never down, to the half hour or the closing time, because "by 10:14am" sounds odd, and nobody
        is promised a moment when the clinic is closed.
        """
        return None if self.paused else self.hours.add_working_rounded(at, self.within)

    @property
    def without_a_time(self) -> str:
        """Shown instead of a promise."""
        return NO_PROMISE if self.hours.openings else AS_SOON_AS_WE_CAN

    def why_none(self, at: datetime) -> str:
        """For staff: why nothing is promised at that moment. Empty if something is."""
        if self.paused:
            return "Replies are paused."
        if not self.hours.openings:
            return "No opening hours are set."
        if self.reply_by(at) is None:
            return (
                f"The clinic is open for less than {self.within // HOUR} hours in the next {HORIZON.days // 365} years. "
                "Look at the opening hours and the closures."
            )
        return ""

    def resume(self, reply_by: datetime | None, waiting_since: datetime, now: datetime) -> datetime | None:
        """The promise after waiting for the patient: the time that was left when the wait began counts from now.

        None if nothing was promised. A promise that was overdue then, or can no longer be kept, stays as it was.
        """
        if reply_by is None or reply_by <= waiting_since:
            return reply_by
        left = self.hours.working_time(waiting_since, reply_by)
        return self.hours.add_working_rounded(max(now, waiting_since), left) or reply_by

    def reply_notice(self, now: datetime) -> dict[str, Any]:
        """What templates/enquiries/_when.html shows before somebody writes.

        `reply`: "by 5pm on Tuesday 26 May", or empty with `notice` and `without_a_time` in its place.
        `open_until` while open, else `opens`: "9am tomorrow". `because`: a sentence for each closure and bank holiday that made
        it later. `reply_by`: the moment itself.
        """
        reply_by, closing, opens = self.reply_by(now), self.hours.closing(now), self.hours.next_opening(now)
        return {
            "reply_by": reply_by,
            "reply": in_words(reply_by, now) if reply_by else "",
            "because": [] if self.paused else list(self._because(now, reply_by)),
            "paused": self.paused,
            "notice": self.notice if self.paused else "",
            "without_a_time": self.without_a_time,
            "open_until": clock_time(closing.time()) if closing else "",
            "opens": at_words(opens, now) if opens and not closing else "",
        }

    def _because(self, now: datetime, until: datetime | None) -> Iterator[str]:
        """What shortens the opening time between two moments or, without a second one, what closes the clinic now."""
        today = local(now).date()
        for closure in sorted(self.hours.closures, key=lambda each: each.starts):
            if self._takes_time(closure, now, until):
                yield f"We are closed {span_in_words(closure, today)}: {closure.reason.rstrip('.')}."
        if until and (days := self._bank_holidays(now, until)):
            named = listed(day_words(day, today) for day in days)
            yield f"{named} {'is a bank holiday' if len(days) == 1 else 'are bank holidays'}."

    def _takes_time(self, closure: Closed, now: datetime, until: datetime | None) -> bool:
        starts, ends = instant(closure.starts), instant(closure.ends)
        if until is None:
            return starts <= now <= ends
        without = replace(self.hours, closures=())
        return without.working_time(max(starts, now), min(ends, until)) > timedelta(0)

    def _bank_holidays(self, now: datetime, until: datetime) -> list[date]:
        without = replace(self.hours, nation="")
        first, last = local(now).date(), local(until).date()
        return [
            day
            for day in (first + number * DAY for number in range((last - first).days + 1))
            if self.hours.is_bank_holiday(day)
            and without.working_time(max(_midnight(day), now), _midnight(day + DAY)) > timedelta(0)
        ]


def promise_in_words(replies: ReplyClock) -> str:
    """How soon the clinic replies, for cached pages, so without a time. During a pause, the notice replaces it."""
    if replies.paused or not replies.hours.openings:
        notice = " ".join(replies.notice.split()) if replies.paused else ""
        if notice and notice[-1] not in ".!?":
            notice += "."
        return f"{notice} {replies.without_a_time}".strip()
    return f"We aim to reply within {within_in_words(replies.within, replies.hours)}."


def without_a_time() -> str:
    """What a patient is told instead of a reply time, outside a form. Needs no query if the clinic's details are known."""
    return NO_PROMISE if clinic.details()["hours"] else AS_SOON_AS_WE_CAN


def _midnight(day: date) -> datetime:
    return instant(datetime.combine(day, time.min))


def load() -> ReplyClock:
    """The clinic's present hours. Two queries."""
    rows = list(
        ClinicHours.objects.filter(pk=1).values_list(
            "openings__weekday",
            "openings__opens",
            "openings__closes",
            "nation",
            "within_hours",
            "paused_at",
            "notice",
        )
    )
    if not rows:
        return ReplyClock(Hours(()))
    nation, within_hours, paused_at, notice = rows[0][3:]
    openings = tuple(Opening(*row[:3]) for row in rows if row[0] is not None)
    closures = Closure.objects.order_by("pk").values_list("first_day", "last_day", "reason", "from_time", "until_time")
    hours = Hours(openings, tuple(Closed(*row) for row in closures), nation)
    return ReplyClock(hours, within_hours * HOUR, paused_at is not None, notice)


def reply_by(at: datetime) -> datetime | None:
    """By when somebody who writes at that moment hears from the clinic. None while nothing is promised."""
    return load().reply_by(at)


def resume(reply_by: datetime | None, waiting_since: datetime, now: datetime) -> datetime | None:
    """The promise after waiting for the patient (see ReplyClock.resume)."""
    return load().resume(reply_by, waiting_since, now)


def reply_notice(now: datetime | None = None) -> dict[str, Any]:
    """The variable `when` of a form's page (see ReplyClock.reply_notice)."""
    return load().reply_notice(now or timezone.now())


def for_readers() -> dict[str, Any]:
    """What every page, email and PDF says about the hours and the promise (`backcare.core.clinic`). Names no time today."""
    replies = load()
    return {
        "hours": opening_in_words(replies.hours),
        "promise": promise_in_words(replies),
        "closures": closures_in_words(replies.hours, timezone.localdate()),
    }


# --- how times and days are worded, for patients and staff ---


def clock_time(at: time) -> str:
    """9am, 12:30pm, midday: as the NHS and GOV.UK write times."""
    if at.replace(second=0, microsecond=0) in TWELVES:
        return TWELVES[at.replace(second=0, microsecond=0)]
    return f"{at:%-I}{f':{at:%M}' if at.minute else ''}{'am' if at.hour < 12 else 'pm'}"


def day_words(day: date, today: date) -> str:
    """Tuesday 26 May, with the year if it is not this one."""
    return f"{day:%A %-d %B}{'' if day.year == today.year else f' {day.year}'}"


def at_words(at: datetime, now: datetime) -> str:
    """9am today, 9am tomorrow, or 9am on Tuesday 26 May."""
    at, today = local(at), local(now).date()
    near = {0: "today", 1: "tomorrow"}.get((at.date() - today).days)
    return f"{clock_time(at.time())} {near or f'on {day_words(at.date(), today)}'}"


def dated_words(at: datetime) -> str:
    """9am on Tuesday 26 May 2026, for records that may be read in another year."""
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
    # The promise predates a change of hours or a new closure.
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
    groups: list[tuple[list[int], list[tuple[time, time]]]] = []
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
    """A sentence for each closure that has begun or begins within two weeks. They are true for the whole of today."""
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


def _spells(spells: Iterable[tuple[time, time]]) -> str:
    return listed(f"{clock_time(opens)} to {clock_time(closes)}" for opens, closes in spells)


def listed(parts: Iterable[str]) -> str:
    """One, two and three."""
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last
