"""The reply-by clock as a value: what is true of every clinic and moment, and dates that people worked out by hand."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from enquiries.clock import LONDON, Closed, Hours, Opening, ReplyClock, due_in_words, hours_in_words, in_words
from enquiries.clock.bank_holidays import SUBDIVISIONS, bank_holidays

few = settings(max_examples=60, deadline=None)
HALF_HOUR = timedelta(minutes=30)


def week(opens: time = time(9), closes: time = time(17), days=range(5)) -> tuple[Opening, ...]:
    return tuple(Opening(day, opens, closes) for day in days)


NINE_TO_FIVE = Hours(week())
SPLIT = Hours((*week(time(9), time(13)), *week(time(14), time(17, 40)), Opening(5, time(9), time(12, 20))))
NIGHT = Hours(week(time(0), time(6), range(7)))  # open while the clocks change


def london(*parts: int, fold: int = 0) -> datetime:
    return datetime(*parts, tzinfo=LONDON, fold=fold)


def real(start: datetime, end: datetime) -> timedelta:
    """The time that passes. Between two London times Python would reckon as if the clocks never changed."""
    return end.astimezone(UTC) - start.astimezone(UTC)


# --- any clinic, any moment ---


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


@few
@given(clinics(), st.integers(1, 10))
@example((NIGHT, datetime(2026, 3, 28, 23, 30, tzinfo=UTC)), 2)
@example((NIGHT, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)), 2)
def test_a_promise_is_never_before_it_is_made_and_always_inside_opening_hours_or_at_their_end(clinic, within):
    hours, at = clinic
    promised = ReplyClock(hours, timedelta(hours=within)).reply_by(at)
    exact = hours.add_working(at, within * 60)
    assert promised >= exact > at
    assert real(exact, promised) < HALF_HOUR
    assert hours.is_open(promised - timedelta(microseconds=1))
    assert promised.minute % 30 == 0 or not hours.is_open(promised)
    assert promised.tzinfo is LONDON


@few
@given(clinics(), st.integers(0, 600))
@example((NIGHT, datetime(2026, 3, 28, 23, 30, tzinfo=UTC)), 240)
@example((NIGHT, datetime(2026, 10, 24, 23, 30, tzinfo=UTC)), 240)
def test_adding_and_then_measuring_gives_the_minutes_back(clinic, minutes):
    hours, at = clinic
    assert hours.working_minutes(at, hours.add_working(at, minutes)) == minutes


@few
@given(clinics(), st.timedeltas(timedelta(0), timedelta(days=20)), st.integers(1, 10))
@example((NIGHT, datetime(2026, 10, 25, 0, 10, tzinfo=UTC)), timedelta(hours=1), 1)
@example((NIGHT, datetime(2026, 3, 29, 0, 50, tzinfo=UTC)), timedelta(minutes=20), 1)
def test_who_writes_later_is_never_promised_an_earlier_time(clinic, later, within):
    hours, at = clinic
    replies = ReplyClock(hours, timedelta(hours=within))
    assert replies.reply_by(at) <= replies.reply_by(at + later)


@few
@given(clinics(), st.timedeltas(timedelta(0), timedelta(days=9)), st.timedeltas(timedelta(0), timedelta(days=9)))
def test_working_time_adds_up_and_is_never_more_than_the_time_that_passes(clinic, first, second):
    hours, at = clinic
    middle, end = at + first, at + first + second
    whole = hours.working_time(at, end)
    assert whole == hours.working_time(at, middle) + hours.working_time(middle, end)
    assert timedelta(0) <= whole <= end - at
    assert hours.working_time(end, at) == timedelta(0)


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


# --- dates worked out by hand ---

EIGHT_HOURS = [
    # Inside opening hours: the same time on the next working day, rounded up to the half hour.
    ("england", london(2026, 5, 19, 10, 0), london(2026, 5, 20, 10, 0)),
    ("england", london(2026, 5, 19, 10, 1), london(2026, 5, 20, 10, 30)),
    ("england", london(2026, 5, 19, 16, 45), london(2026, 5, 20, 17, 0)),
    # Outside: by 5pm on the next working day. Monday 25 May 2026 is the spring bank holiday.
    ("england", london(2026, 5, 22, 17, 0), london(2026, 5, 26, 17, 0)),
    ("england", london(2026, 5, 24, 12, 0), london(2026, 5, 26, 17, 0)),
    # Easter 2027: Good Friday 26 March, Monday 29 March, and the clocks go forward on the Sunday between them.
    ("england", london(2027, 3, 25, 18, 0), london(2027, 3, 30, 17, 0)),
    ("wales", london(2027, 3, 25, 15, 0), london(2027, 3, 30, 15, 0)),
    ("scotland", london(2027, 3, 25, 15, 0), london(2027, 3, 29, 15, 0)),  # no Easter Monday there
    # Christmas 2027 is a Saturday: Monday and Tuesday stand in for it and for Boxing Day.
    ("england", london(2027, 12, 24, 18, 0), london(2027, 12, 29, 17, 0)),
    ("northern_ireland", london(2027, 12, 24, 18, 0), london(2027, 12, 29, 17, 0)),
    # New Year 2028: 1 January is a Saturday. Monday 3 January stands in for it, and in Scotland Tuesday for 2 January.
    ("england", london(2027, 12, 31, 18, 0), london(2028, 1, 4, 17, 0)),
    ("scotland", london(2027, 12, 31, 18, 0), london(2028, 1, 5, 17, 0)),
    # 2 January 2026 is a Friday, and a holiday in Scotland only.
    ("england", london(2025, 12, 31, 18, 0), london(2026, 1, 2, 17, 0)),
    ("scotland", london(2025, 12, 31, 18, 0), london(2026, 1, 5, 17, 0)),
    # The Boyne: Monday 12 July 2027.
    ("northern_ireland", london(2027, 7, 9, 18, 0), london(2027, 7, 13, 17, 0)),
    ("england", london(2027, 7, 9, 18, 0), london(2027, 7, 12, 17, 0)),
    # Summer: the first Monday of August in Scotland, the last one elsewhere.
    ("scotland", london(2027, 7, 30, 18, 0), london(2027, 8, 3, 17, 0)),
    ("england", london(2027, 8, 27, 18, 0), london(2027, 8, 31, 17, 0)),
    # The clocks go back on Sunday 25 October 2026: ten o'clock stays ten o'clock.
    ("england", london(2026, 10, 23, 10, 0), london(2026, 10, 26, 10, 0)),
]


@pytest.mark.parametrize(("nation", "sent", "promised"), EIGHT_HOURS)
def test_eight_working_hours_from(nation, sent, promised):
    assert ReplyClock(Hours(week(), nation=nation)).reply_by(sent) == promised


def test_the_nations_have_their_own_days():
    assert date(2026, 3, 17) in bank_holidays("northern_ireland", 2026)
    assert date(2026, 11, 30) in bank_holidays("scotland", 2026)
    assert date(2026, 3, 17) not in bank_holidays("england", 2026)
    assert bank_holidays("england", 2027) == bank_holidays("wales", 2027)
    with pytest.raises(KeyError):
        bank_holidays("france", 2026)


def test_a_night_in_which_the_clocks_change_is_as_long_as_it_is():
    # Six hours on the wall: five in spring, seven in autumn.
    assert NIGHT.working_minutes(london(2026, 3, 29, 0, 0), london(2026, 3, 29, 6, 0)) == 5 * 60
    assert NIGHT.working_minutes(london(2026, 10, 25, 0, 0), london(2026, 10, 25, 6, 0)) == 7 * 60
    assert NIGHT.add_working(london(2026, 3, 29, 0, 30), 60) == london(2026, 3, 29, 2, 30)
    again = NIGHT.add_working(london(2026, 10, 25, 1, 30), 60)
    assert again.astimezone(UTC) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Half past one comes twice."


def test_hours_that_the_clocks_skip_are_never_open():
    skipped = Hours((Opening(6, time(1, 0), time(1, 45)), Opening(6, time(2, 0), time(3, 0))))
    assert skipped.working_minutes(london(2026, 3, 29, 0, 0), london(2026, 3, 29, 12, 0)) == 60
    assert skipped.next_opening(london(2026, 3, 29, 0, 0)) == london(2026, 3, 29, 2, 0)


def test_a_split_day_is_closed_in_its_break_and_a_promise_stays_out_of_it():
    tuesday = london(2026, 6, 9, 13, 30)
    assert not SPLIT.is_open(tuesday)
    assert SPLIT.next_opening(tuesday) == london(2026, 6, 9, 14, 0)
    assert ReplyClock(SPLIT, timedelta(hours=4)).reply_by(london(2026, 6, 9, 9, 0)) == london(2026, 6, 9, 13, 0)
    assert ReplyClock(SPLIT, timedelta(hours=5)).reply_by(london(2026, 6, 9, 9, 10)) == london(2026, 6, 9, 15, 30)
    # Not after closing at 5:40pm, nor at 12:20pm on a Saturday.
    assert ReplyClock(SPLIT, timedelta(hours=1)).reply_by(london(2026, 6, 9, 16, 35)) == london(2026, 6, 9, 17, 40)
    assert ReplyClock(SPLIT, timedelta(hours=1)).reply_by(london(2026, 6, 13, 11, 15)) == london(2026, 6, 13, 12, 20)


def test_a_closure_of_weeks_and_of_part_of_a_day_moves_the_promise_and_says_why():
    christmas = Closed(date(2026, 12, 24), date(2027, 1, 10), "Christmas break.", from_time=time(13))
    replies = ReplyClock(Hours(week(), (christmas,)))
    told = replies.promise(london(2026, 12, 24, 10, 0))
    assert told["reply_by"] == london(2027, 1, 11, 14, 0)
    assert told["reply"] == "by 2pm on Monday 11 January 2027"
    assert told["open_until"] == "1pm"
    # The bank holidays inside the closure took nothing away, so they are not named.
    assert told["because"] == [
        "We are closed from 1pm on Thursday 24 December to Sunday 10 January 2027: Christmas break."
    ]
    assert replies.promise(london(2027, 1, 8, 10, 0))["opens"] == "9am on Monday 11 January"


def test_part_of_a_day_closed_leaves_the_rest_open():
    morning = Closed(date(2026, 6, 10), date(2026, 6, 10), "training", until_time=time(11))
    noon = Closed(date(2026, 6, 10), date(2026, 6, 10), "a fire drill", from_time=time(12), until_time=time(13))
    hours = Hours(week(), (morning, noon))
    assert hours.working_minutes(london(2026, 6, 10, 0, 0), london(2026, 6, 11, 0, 0)) == 5 * 60
    assert hours.next_opening(london(2026, 6, 10, 9, 0)) == london(2026, 6, 10, 11, 0)
    assert hours.closing(london(2026, 6, 10, 11, 0)) == london(2026, 6, 10, 12, 0)
    assert ReplyClock(hours).promise(london(2026, 6, 9, 16, 0))["because"] == [
        "We are closed until 11am on Wednesday 10 June: training.",
        "We are closed from midday until 1pm on Wednesday 10 June: a fire drill.",
    ]


def test_at_closing_time_the_clinic_is_closed():
    five = london(2026, 6, 9, 17, 0)
    assert not NINE_TO_FIVE.is_open(five)
    assert NINE_TO_FIVE.next_opening(five) == NINE_TO_FIVE.add_working(five, 0) == london(2026, 6, 10, 9, 0)


def test_a_closure_that_moves_nothing_is_not_mentioned():
    weekend = Closed(date(2026, 6, 13), date(2026, 6, 14), "painting")
    past = Closed(date(2026, 6, 1), date(2026, 6, 5), "moving")
    later = Closed(date(2026, 6, 15), date(2026, 6, 15), "training", from_time=time(12))
    told = ReplyClock(Hours(week(), (weekend, past, later))).promise(london(2026, 6, 12, 12, 0))
    assert told["reply"] == "by midday on Monday 15 June"
    assert told["because"] == []


def test_bank_holidays_that_move_the_promise_are_named():
    assert ReplyClock(NINE_TO_FIVE).promise(london(2027, 3, 25, 18, 0))["because"] == [
        "Friday 26 March and Monday 29 March are bank holidays."
    ]
    assert ReplyClock(NINE_TO_FIVE).promise(london(2026, 5, 25, 12, 0))["because"] == [
        "Monday 25 May is a bank holiday."
    ]
    assert ReplyClock(NINE_TO_FIVE).promise(london(2026, 5, 25, 17, 0))["because"] == []


# --- no promise ---


def test_hours_that_are_never_open_promise_nothing_and_say_so():
    replies = ReplyClock(Hours(()))
    now = london(2026, 5, 19, 10, 0)
    assert replies.reply_by(now) is None
    assert replies.hours.next_opening(now) is None
    assert replies.hours.working_minutes(now, now + timedelta(days=5_000)) == 0
    assert "No opening hours" in replies.why_none(now)
    assert replies.promise(now)["reply"] == ""


def test_a_closure_of_years_promises_nothing_and_says_so():
    years = Closed(date(2026, 1, 1), date.max, "moved away")
    replies = ReplyClock(Hours(week(), (years,)))
    now = london(2026, 5, 19, 10, 0)
    assert replies.reply_by(now) is None
    assert "closures" in replies.why_none(now)
    assert replies.promise(now)["because"] == [
        "We are closed from Thursday 1 January to Friday 31 December 9999: moved away."
    ]
    promised = london(2026, 5, 20, 10, 0)
    assert replies.resume(promised, london(2026, 5, 19, 9, 0), now) == promised, "A promise is never lost."


def test_a_clinic_that_is_open_on_bank_holidays_only_promises_nothing():
    shut = Closed(date(2025, 1, 1), date(2030, 1, 1), "away")
    assert Hours(week(days=[0]), (shut,)).add_working(london(2026, 5, 19, 10, 0), 1) is None


def test_while_paused_nothing_is_promised_and_the_notice_stands_in_its_place():
    replies = ReplyClock(NINE_TO_FIVE, paused=True, notice="We are moving house.")
    now = london(2026, 5, 19, 10, 0)
    told = replies.promise(now)
    assert (told["reply_by"], told["reply"], told["notice"]) == (None, "", "We are moving house.")
    assert replies.why_none(now) == "Replies are paused."
    assert ReplyClock(NINE_TO_FIVE, notice="We are moving house.").promise(now)["notice"] == ""


def test_a_moment_without_its_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        NINE_TO_FIVE.add_working(datetime(2026, 5, 19, 10), 60)
    with pytest.raises(ValueError, match="forward"):
        NINE_TO_FIVE.add_working(london(2026, 5, 19, 10), -1)


# --- in words ---


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (london(2026, 5, 26, 17, 0), "by 5pm on Tuesday 26 May"),
        (london(2026, 5, 22, 13, 0), "by 1pm today"),
        (london(2026, 5, 22, 12, 0), "by midday today"),
        (london(2026, 5, 26, 9, 30), "by 9:30am on Tuesday 26 May"),
        (london(2027, 1, 4, 17, 0), "by 5pm on Monday 4 January 2027"),
        (datetime(2026, 5, 26, 16, 0, tzinfo=UTC), "by 5pm on Tuesday 26 May"),
    ],
)
def test_patients_read(moment, words):
    assert in_words(moment, london(2026, 5, 22, 10, 0)) == words


def test_a_mail_names_the_day_because_it_may_be_read_on_another():
    assert in_words(london(2026, 5, 22, 13, 0), london(2026, 5, 22, 10, 0), dated=True) == "by 1pm on Friday 22 May"


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (london(2026, 5, 22, 18, 0), "in 1 working day"),
        (london(2026, 5, 26, 9, 1), "in 7 working hours"),
        (london(2026, 5, 26, 14, 10), "in 2 working hours"),
        (london(2026, 5, 26, 16, 0), "in 1 working hour"),
        (london(2026, 5, 26, 16, 40), "in 20 minutes"),
        (london(2026, 5, 26, 16, 59, 30), "in less than a minute"),
        (london(2026, 5, 26, 17, 0), "due now"),
        (london(2026, 5, 26, 23, 0), "overdue"),
        (london(2026, 5, 27, 9, 20), "overdue by 20 minutes"),
        (london(2026, 5, 27, 12, 0), "overdue by 3 working hours"),
        (london(2026, 5, 28, 9, 0), "overdue by 1 working day"),
        (london(2026, 6, 2, 17, 0), "overdue by 5 working days"),
    ],
)
def test_staff_read_of_what_was_promised_by_5pm_on_tuesday(now, words):
    assert due_in_words(london(2026, 5, 26, 17, 0), now, NINE_TO_FIVE) == words


def test_staff_read_that_the_clinic_has_closed_since_it_promised():
    closed = Hours(week(), (Closed(date(2026, 5, 26), date(2026, 5, 26), "burst pipe"),))
    words = due_in_words(london(2026, 5, 26, 17, 0), london(2026, 5, 26, 10, 0), closed)
    assert words == "by 5pm today, while the clinic is closed"
    assert due_in_words(None, london(2026, 5, 26, 10, 0), closed) == ""


def test_the_hours_are_said_as_a_person_would():
    assert hours_in_words(NINE_TO_FIVE) == "Monday to Friday, 9am to 5pm"
    assert hours_in_words(SPLIT) == "Monday to Friday, 9am to 1pm and 2pm to 5:40pm; Saturday, 9am to 12:20pm"
    assert hours_in_words(Hours(week(days=[0, 1, 3]))) == "Monday and Tuesday, 9am to 5pm; Thursday, 9am to 5pm"
    touching = Hours((Opening(0, time(9), time(12)), Opening(0, time(12), time(17)), Opening(0, time(10), time(11))))
    assert hours_in_words(touching) == "Monday, 9am to 5pm"
    assert hours_in_words(Hours(())) == ""
