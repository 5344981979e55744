"""The reply-by clock as a value: what is true of every clinic and every moment."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from enquiries.clock import ReplyClock
from enquiries.opening_hours import LONDON, SUBDIVISIONS, Closed, Hours, Opening
from tests.support.clock import HALF_HOUR, NIGHT, real

few = settings(max_examples=60, deadline=None)


@st.composite
def spells(draw) -> list[Opening]:
    """One or two spells of a weekday, anywhere in it."""
    marks = sorted(draw(st.sets(st.integers(0, 24 * 12 - 1), min_size=2, max_size=4)))
    times = [time(mark // 12, mark % 12 * 5) for mark in marks]
    day = draw(st.integers(0, 6))
    return [Opening(day, *pair) for pair in zip(times[::2], times[1::2], strict=False)]


# Where clocks, years and bank holidays change, and anywhere else.
EDGES = [
    datetime(2026, 3, 29, tzinfo=UTC),
    datetime(2026, 10, 25, tzinfo=UTC),
    datetime(2026, 12, 31, tzinfo=UTC),
    datetime(2027, 12, 24, tzinfo=UTC),
    datetime(2028, 2, 28, tzinfo=UTC),
]
near_edges = st.builds(
    lambda edge, seconds: edge + timedelta(seconds=seconds),
    st.sampled_from(EDGES),
    st.integers(-4 * 86_400, 4 * 86_400),
)
moments = near_edges | st.datetimes(datetime(2024, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC))


@st.composite
def closures(draw, around: datetime) -> list[Closed]:
    """Up to three, from some hours to six weeks long, near the moment."""
    made = []
    for _ in range(draw(st.integers(0, 3))):
        first = around.date() + timedelta(days=draw(st.integers(-10, 30)))
        last = first + timedelta(days=draw(st.integers(0, 42)))
        times = {
            "from_time": draw(st.none() | st.just(time(13))),
            "until_time": draw(st.none() | st.just(time(15))),
        }
        made.append(Closed(first, last, "away", **times))
    return made


@st.composite
def clinics(draw) -> tuple[Hours, datetime]:
    """A clinic with an hour a week at least, and a moment in which somebody writes to it."""
    at = draw(moments)
    openings = [opening for day in draw(st.lists(spells(), min_size=1, max_size=6)) for opening in day]
    hours = Hours(tuple(openings), tuple(draw(closures(at))), draw(st.sampled_from(list(SUBDIVISIONS))))
    assume(hours.day_minutes * len(hours.by_weekday) >= 60)
    return hours, at


@pytest.mark.long
@few
@given(clinics(), st.integers(1, 10))
@example((NIGHT, datetime(2026, 3, 28, 23, 30, tzinfo=UTC)), 2)
@example((NIGHT, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)), 2)
@example((Hours((Opening(6, time(0), time(2)),)), datetime(2026, 10, 24, 23, 59, 59, tzinfo=UTC)), 1)
@example((Hours((Opening(6, time(0), time(1)),)), datetime(2026, 3, 29, tzinfo=UTC)), 1)
def test_a_promise_is_never_before_it_is_made_and_always_inside_opening_hours_or_at_their_end(clinic, within):
    hours, at = clinic
    promised = ReplyClock(hours, timedelta(hours=within)).reply_by(at)
    exact = hours.add_working(at, within * 60)
    # In UTC: in the hour that comes twice, London's clock shows the later time as the earlier one.
    assert promised.astimezone(UTC) >= exact.astimezone(UTC) > at.astimezone(UTC)
    assert real(exact, promised) < HALF_HOUR
    assert hours.is_open((promised.astimezone(UTC) - timedelta(microseconds=1)).astimezone(LONDON))
    assert promised.minute % 30 == 0 or not hours.is_open(promised)
    assert promised.tzinfo is LONDON


@pytest.mark.long
@few
@given(clinics(), st.integers(0, 600))
@example((NIGHT, datetime(2026, 3, 28, 23, 30, tzinfo=UTC)), 240)
@example((NIGHT, datetime(2026, 10, 24, 23, 30, tzinfo=UTC)), 240)
def test_adding_and_then_measuring_gives_the_minutes_back(clinic, minutes):
    hours, at = clinic
    assert hours.working_minutes(at, hours.add_working(at, minutes)) == minutes


@pytest.mark.long
@few
@given(clinics(), st.timedeltas(timedelta(0), timedelta(days=20)), st.integers(1, 10))
@example((NIGHT, datetime(2026, 10, 25, 0, 10, tzinfo=UTC)), timedelta(hours=1), 1)
@example((NIGHT, datetime(2026, 3, 29, 0, 50, tzinfo=UTC)), timedelta(minutes=20), 1)
def test_who_writes_later_is_never_promised_an_earlier_time(clinic, later, within):
    hours, at = clinic
    replies = ReplyClock(hours, timedelta(hours=within))
    assert replies.reply_by(at) <= replies.reply_by(at + later)


@pytest.mark.long
@few
@given(clinics(), st.timedeltas(timedelta(0), timedelta(days=9)), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_working_time_adds_up_and_is_never_more_than_the_time_that_passes(clinic, first, second):
    hours, at = clinic
    middle, end = at + first, at + first + second
    whole = hours.working_time(at, end)
    assert whole == hours.working_time(at, middle) + hours.working_time(middle, end)
    assert timedelta(0) <= whole <= end - at
    assert hours.working_time(end, at) == timedelta(0)


@pytest.mark.long
@few
@given(clinics())
@example((NIGHT, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)))
def test_the_next_opening_is_open_and_nothing_before_it_is(clinic):
    hours, at = clinic
    opening = hours.next_opening(at)
    assert opening >= at
    assert hours.is_open(opening)
    assert (real(at, opening) == timedelta(0)) == hours.is_open(at)
    assert hours.working_time(at, opening) == timedelta(0)
    assert not hours.is_open(hours.closing(opening))


@pytest.mark.long
@few
@given(clinics(), st.timedeltas(timedelta(0), timedelta(days=3)), st.timedeltas(timedelta(0), timedelta(days=30)))
def test_waiting_for_the_patient_costs_nobody_working_time(clinic, before, waited):
    hours, at = clinic
    replies = ReplyClock(hours, timedelta(hours=6))
    promised, since = replies.reply_by(at), at + before
    resumed = replies.resume(promised, since, since + waited)
    assert resumed >= promised
    if promised > since:
        left = hours.working_time(since, promised)
        assert left <= hours.working_time(since + waited, resumed) < left + HALF_HOUR
    else:
        assert real(promised, resumed) == timedelta(0), "What was overdue before the waiting stays overdue."
