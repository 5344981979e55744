"""A clinic's opening hours as a value: when it is open, and how working time adds up. Uses no database."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import islice
from zoneinfo import ZoneInfo

from holidays import country_holidays

LONDON = ZoneInfo("Europe/London")

# How far ahead the clock looks for opening hours. Anything later would be no promise.
HORIZON = timedelta(days=731)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
# People say "half past ten", not "10:14". A form left open for a while is then still right, or half an hour out.
SAID = timedelta(minutes=30)
# The four nations, as the library of holidays calls them.
SUBDIVISIONS = {"england": "ENG", "wales": "WLS", "scotland": "SCT", "northern_ireland": "NIR"}


@lru_cache(maxsize=64)
def bank_holidays(nation: str, year: int) -> frozenset[date]:
    """The days of that year on which banks are closed: https://www.gov.uk/bank-holidays.

    A holiday that falls on a weekend is in it, and so is the substitute working day. Days that are proclaimed year
    by year are known up to the installed version of the library. Raises KeyError for another nation.
    """
    return frozenset(country_holidays("GB", subdiv=SUBDIVISIONS[nation], years=year))


@dataclass(frozen=True)
class Opening:
    """One spell of opening on a weekday, 0 for Monday, in local time. A day may have several."""

    weekday: int
    opens: time
    closes: time


@dataclass(frozen=True)
class Closed:
    """A closure, including both days. Without times, it is for whole days."""

    first_day: date
    last_day: date
    reason: str
    from_time: time | None = None  # on the first day
    until_time: time | None = None  # on the last day

    @property
    def starts(self) -> datetime:
        return datetime.combine(self.first_day, self.from_time or time.min)

    @property
    def ends(self) -> datetime:
        return datetime.combine(self.last_day, self.until_time or time.max)


@dataclass(frozen=True)
class Session:
    """An unbroken spell of opening, from its first moment to just before its last. In UTC."""

    starts: datetime
    ends: datetime

    def holds(self, at: datetime) -> bool:
        return self.starts <= at < self.ends


@dataclass(frozen=True)
class Hours:
    """Takes and returns aware datetimes; those it returns are in UK local time.

    Opening hours go by the clock on the clinic's wall. The time between two moments is the time that really passes, even across a
    change of the clocks.
    """

    openings: tuple[Opening, ...]
    closures: tuple[Closed, ...] = ()
    nation: str = "england"  # empty if bank holidays are ordinary days

    # --- questions ---

    def is_open(self, at: datetime) -> bool:
        return self._session(at) is not None

    def closing(self, at: datetime) -> datetime | None:
        """When the spell that is open at that moment ends. None while closed."""
        session = self._session(at)
        return local(session.ends) if session else None

    def next_opening(self, at: datetime) -> datetime | None:
        """`at` itself while open, else the next opening. None if there is none within HORIZON."""
        at = utc(at)
        session = next(self._sessions_from(at), None)
        return local(max(session.starts, at)) if session else None

    def add_working(self, at: datetime, minutes: int) -> datetime | None:
        """When that much opening time has passed since `at`. None if there is less before HORIZON.

        It may be the very end of a spell, and with no minutes at all it is the next moment of being open.
        """
        reached = self._reach(at, minutes * MINUTE)
        return local(reached[0]) if reached else None

    def add_working_rounded(self, at: datetime, working: timedelta) -> datetime | None:
        """The same as add_working, rounded up to the next half hour, or to closing time if that is sooner."""
        reached = self._reach(at, working)
        if reached is None:
            return None
        moment, session = reached
        return local(min(_half_hour(moment), session.ends))

    def working_time(self, start: datetime, end: datetime) -> timedelta:
        """Opening time between two moments. Zero unless the end is after the start."""
        start, end, total = utc(start), utc(end), timedelta(0)
        for session in self._sessions_from(start, until=end):
            total += max(min(session.ends, end) - max(session.starts, start), timedelta(0))
        return total

    def working_minutes(self, start: datetime, end: datetime) -> int:
        """As working_time, in whole minutes."""
        return self.working_time(start, end) // MINUTE

    def is_bank_holiday(self, day: date) -> bool:
        return bool(self.nation) and day in bank_holidays(self.nation, day.year)

    def next_bank_holidays(self, day: date) -> list[date]:
        """The next three, including that day, on which the clinic would otherwise open."""
        days = (day + number * DAY for number in range(HORIZON.days))
        return list(islice((each for each in days if self.would_open(each) and self.is_bank_holiday(each)), 3))

    def would_open(self, day: date) -> bool:
        """Whether the clinic normally opens on that weekday."""
        return day.weekday() in self._weekly

    def open_day_after(self, day: date, number: int = 1) -> date:
        """The day that is this many opening days after `day`. Without opening hours, every day counts."""
        days = (day + ahead * DAY for ahead in range(1, HORIZON.days))
        return next(islice((each for each in days if self.sessions(each)), number - 1, None), day + number * DAY)

    @cached_property
    def day_minutes(self) -> int:
        """The length of a working day in minutes: the mean of the weekdays on which the clinic opens. 0 if it never does."""
        total = sum((end - start for spells in self._weekly.values() for start, end in spells), timedelta(0))
        return total // MINUTE // len(self._weekly) if self._weekly else 0

    @property
    def by_weekday(self) -> dict[int, list[tuple[time, time]]]:
        """The weekly pattern, with adjoining spells joined."""
        return {
            day: [((datetime.min + start).time(), (datetime.min + end).time()) for start, end in spells]
            for day, spells in sorted(self._weekly.items())
        }

    # --- how they are worked out ---

    @cached_property
    def _weekly(self) -> dict[int, list[tuple[timedelta, timedelta]]]:
        """For each weekday with hours, its spells since midnight, in order, and those that touch made one."""
        weekly: dict[int, list[tuple[timedelta, timedelta]]] = {}
        for opening in sorted(self.openings, key=lambda each: (each.weekday, each.opens)):
            start, end = _since_midnight(opening.opens), _since_midnight(opening.closes)
            spells = weekly.setdefault(opening.weekday, [])
            if spells and start <= spells[-1][1]:
                start, before = spells.pop()
                end = max(before, end)
            spells.append((start, end))
        return weekly

    def sessions(self, day: date) -> list[Session]:
        """The spells of one local day."""
        if not self.would_open(day) or self.is_bank_holiday(day):
            return []
        midnight = datetime.combine(day, time.min)
        spells = [(midnight + start, midnight + end) for start, end in self._weekly[day.weekday()]]
        for closure in self.closures:
            if closure.first_day <= day <= closure.last_day:
                spells = [rest for spell in spells for rest in _without(spell, closure.starts, closure.ends)]
        sessions = [Session(instant(start), instant(end)) for start, end in spells]
        return [session for session in sessions if session.starts < session.ends]

    def _session(self, at: datetime) -> Session | None:
        return next((each for each in self.sessions(local(at).date()) if each.holds(at)), None)

    def _sessions_from(self, at: datetime, *, until: datetime | None = None) -> Iterator[Session]:
        """Every spell that ends after `at`, in order, up to the day of `until` or HORIZON."""
        day = local(at).date()
        last = local(until).date() if until else day + HORIZON
        while self._weekly and day <= last:
            yield from (session for session in self.sessions(day) if session.ends > at)
            day += DAY

    def _reach(self, at: datetime, working: timedelta) -> tuple[datetime, Session] | None:
        if working < timedelta(0):
            raise ValueError("Working time only goes forward.")
        at = utc(at)
        for session in self._sessions_from(at):
            start = max(session.starts, at)
            if working <= session.ends - start:
                return start + working, session
            working -= session.ends - start
        return None


def local(at: datetime) -> datetime:
    """The moment in UK local time. Raises ValueError for a datetime without a time zone."""
    if at.tzinfo is None:
        raise ValueError("A moment needs its time zone.")
    return at.astimezone(LONDON)


def utc(at: datetime) -> datetime:
    """The moment in UTC, because between two local times Python counts as if the clocks never changed."""
    return local(at).astimezone(UTC)


def instant(wall: datetime) -> datetime:
    """The moment, in UTC, at which the clinic's clock first shows that time, or in spring, when it skips it, a later one."""
    found = wall.replace(tzinfo=LONDON).astimezone(UTC)
    if found.astimezone(LONDON).replace(tzinfo=None) != wall:
        after = (
            wall.replace(minute=0, second=0, microsecond=0) + HOUR
        )  # UK clocks go forward from one whole hour to the next
        return after.replace(tzinfo=LONDON).astimezone(UTC)
    return found


def shown_at(wall: datetime) -> list[datetime]:
    """Every moment, in UTC, at which the clinic's clock shows that time: none when it skips it in spring, two in autumn."""
    both = {wall.replace(tzinfo=LONDON, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return sorted(each for each in both if each.astimezone(LONDON).replace(tzinfo=None) == wall)


def _half_hour(moment: datetime) -> datetime:
    """The moment itself, rounded up to the next half hour. UK local time is whole hours from UTC."""
    return moment + (datetime.min.replace(tzinfo=UTC) - moment) % SAID


def _since_midnight(at: time) -> timedelta:
    return datetime.combine(date.min, at) - datetime.min


def _without(spell: tuple[datetime, datetime], starts: datetime, ends: datetime) -> list[tuple[datetime, datetime]]:
    """What a closure leaves of a spell."""
    rest = [(spell[0], min(spell[1], starts)), (max(spell[0], ends), spell[1])]
    return [(start, end) for start, end in rest if start < end]
