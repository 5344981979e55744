"""When a patient will hear from the clinic: one value for the form, the mail and the inbox."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from enquiries.clock.formatting import (
    at_words,
    clock_time,
    closures_in_words,
    day_words,
    in_words,
    listed,
    opening_in_words,
    span_in_words,
    within_in_words,
)
from enquiries.clock.hours import DAY, HORIZON, HOUR, Closed, Hours, Opening, instant, local
from enquiries.models import ClinicHours, Closure

NO_PROMISE = "We do not know yet when we will reply."


@dataclass(frozen=True)
class ReplyClock:
    """The clinic's hours, and its promise. Loaded once for a page, it answers for every row of it."""

    hours: Hours
    within: timedelta = 8 * HOUR  # of opening time
    paused: bool = False
    notice: str = ""

    def reply_by(self, at: datetime) -> datetime | None:
        """By when somebody who writes at that moment hears from the clinic. None when nothing is promised: see why_none.

        Rounded up, never down, to the half hour or the closing time: a patient should not be told "by 10:14am", and nobody
        is promised a moment at which the clinic is shut.
        """
        return None if self.paused else self.hours.add_working_rounded(at, self.within)

    def why_none(self, at: datetime) -> str:
        """For staff: why nothing is promised at that moment. Empty when something is."""
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
        """The promise after waiting for the patient: what was left of it when the waiting began counts from now on.

        None when nothing was promised. What was overdue then, or can never be reached now, stays as it was.
        """
        if reply_by is None or reply_by <= waiting_since:
            return reply_by
        left = self.hours.working_time(waiting_since, reply_by)
        return self.hours.add_working_rounded(max(now, waiting_since), left) or reply_by

    def promise(self, now: datetime) -> dict[str, Any]:
        """What templates/enquiries/_when.html shows before somebody writes.

        `reply`: "by 5pm on Tuesday 26 May", or empty with `notice` in its place. `open_until` while open, else `opens`: "9am
        tomorrow". `because`: a sentence for each closure and bank holiday that made it later. `reply_by`: the moment itself.
        """
        reply_by, closing, opens = self.reply_by(now), self.hours.closing(now), self.hours.next_opening(now)
        return {
            "reply_by": reply_by,
            "reply": in_words(reply_by, now) if reply_by else "",
            "because": [] if self.paused else list(self._because(now, reply_by)),
            "paused": self.paused,
            "notice": self.notice if self.paused else "",
            "open_until": clock_time(closing.time()) if closing else "",
            "opens": at_words(opens, now) if opens and not closing else "",
        }

    def _because(self, now: datetime, until: datetime | None) -> Iterator[str]:
        """What took opening time away between the two moments, and without a second one what closes the clinic now."""
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
    """How soon the clinic replies, for pages that are kept: it names no moment. In a pause, the notice stands in its place."""
    if replies.paused or not replies.hours.openings:
        notice = " ".join(replies.notice.split()) if replies.paused else ""
        if notice and notice[-1] not in ".!?":
            notice += "."
        return f"{notice} {NO_PROMISE}".strip()
    return f"We aim to reply within {within_in_words(replies.within, replies.hours)}."


def _midnight(day: date) -> datetime:
    return instant(datetime.combine(day, time.min))


def load() -> ReplyClock:
    """The clinic's hours as they stand. Two queries."""
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
    """The promise after waiting for the patient: see ReplyClock.resume."""
    return load().resume(reply_by, waiting_since, now)


def promise(now: datetime | None = None) -> dict[str, Any]:
    """For the context of a form's page, under the name `when`: see ReplyClock.promise."""
    return load().promise(now or timezone.now())


def for_readers() -> dict[str, Any]:
    """What every page, mail and PDF says of the hours and the promise (`backcare.core.clinic`). Names no time of today."""
    replies = load()
    return {
        "hours": opening_in_words(replies.hours),
        "promise": promise_in_words(replies),
        "closures": closures_in_words(replies.hours, timezone.localdate()),
    }
