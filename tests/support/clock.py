"""Shared by the tests of the reply-by clock: clinics with their opening hours, and London time."""

from datetime import UTC, datetime, time, timedelta

from enquiries.opening_hours import LONDON, Hours, Opening

HALF_HOUR = timedelta(minutes=30)


def week(opens: time = time(9), closes: time = time(17), days=range(5)) -> tuple[Opening, ...]:
    return tuple(Opening(day, opens, closes) for day in days)


NINE_TO_FIVE = Hours(week())
SPLIT = Hours((*week(time(9), time(13)), *week(time(14), time(17, 40)), Opening(5, time(9), time(12, 20))))
NIGHT = Hours(week(time(0), time(6), range(7)))  # open while the clocks change


def london(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=LONDON, fold=fold)


def real(start: datetime, end: datetime) -> timedelta:
    """The time that really passes. Between two London times, Python counts as if the clocks never changed."""
    return end.astimezone(UTC) - start.astimezone(UTC)
