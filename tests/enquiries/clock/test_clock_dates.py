"""The reply-by clock against dates that people worked out by hand, and when it promises nothing."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from enquiries.clock import ReplyClock
from enquiries.opening_hours import Closed, Hours, Opening, bank_holidays
from tests.support.clock import NIGHT, NINE_TO_FIVE, SPLIT, london, week

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
    told = replies.reply_notice(london(2026, 12, 24, 10, 0))
    assert told["reply_by"] == london(2027, 1, 11, 14, 0)
    assert told["reply"] == "by 2pm on Monday 11 January 2027"
    assert told["open_until"] == "1pm"
    # The bank holidays inside the closure took nothing away, so they are not named.
    assert told["because"] == [
        "We are closed from 1pm on Thursday 24 December to Sunday 10 January 2027: Christmas break."
    ]
    assert replies.reply_notice(london(2027, 1, 8, 10, 0))["opens"] == "9am on Monday 11 January"


def test_part_of_a_day_closed_leaves_the_rest_open():
    morning = Closed(date(2026, 6, 10), date(2026, 6, 10), "training", until_time=time(11))
    noon = Closed(date(2026, 6, 10), date(2026, 6, 10), "a fire drill", from_time=time(12), until_time=time(13))
    hours = Hours(week(), (morning, noon))
    assert hours.working_minutes(london(2026, 6, 10, 0, 0), london(2026, 6, 11, 0, 0)) == 5 * 60
    assert hours.next_opening(london(2026, 6, 10, 9, 0)) == london(2026, 6, 10, 11, 0)
    assert hours.closing(london(2026, 6, 10, 11, 0)) == london(2026, 6, 10, 12, 0)
    assert ReplyClock(hours).reply_notice(london(2026, 6, 9, 16, 0))["because"] == [
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
    told = ReplyClock(Hours(week(), (weekend, past, later))).reply_notice(london(2026, 6, 12, 12, 0))
    assert told["reply"] == "by midday on Monday 15 June"
    assert told["because"] == []


def test_bank_holidays_that_move_the_promise_are_named():
    assert ReplyClock(NINE_TO_FIVE).reply_notice(london(2027, 3, 25, 18, 0))["because"] == [
        "Friday 26 March and Monday 29 March are bank holidays."
    ]
    assert ReplyClock(NINE_TO_FIVE).reply_notice(london(2026, 5, 25, 12, 0))["because"] == [
        "Monday 25 May is a bank holiday."
    ]
    assert ReplyClock(NINE_TO_FIVE).reply_notice(london(2026, 5, 25, 17, 0))["because"] == []


# --- no promise ---


def test_hours_that_are_never_open_promise_nothing_and_say_so():
    replies = ReplyClock(Hours(()))
    now = london(2026, 5, 19, 10, 0)
    assert replies.reply_by(now) is None
    assert replies.hours.next_opening(now) is None
    assert replies.hours.working_minutes(now, now + timedelta(days=5_000)) == 0
    assert "No opening hours" in replies.why_none(now)
    assert replies.reply_notice(now)["reply"] == ""


def test_a_closure_of_years_promises_nothing_and_says_so():
    years = Closed(date(2026, 1, 1), date.max, "moved away")
    replies = ReplyClock(Hours(week(), (years,)))
    now = london(2026, 5, 19, 10, 0)
    assert replies.reply_by(now) is None
    assert "closures" in replies.why_none(now)
    assert replies.reply_notice(now)["because"] == [
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
    told = replies.reply_notice(now)
    assert (told["reply_by"], told["reply"], told["notice"]) == (None, "", "We are moving house.")
    assert replies.why_none(now) == "Replies are paused."
    assert ReplyClock(NINE_TO_FIVE, notice="We are moving house.").reply_notice(now)["notice"] == ""


def test_a_moment_without_its_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        NINE_TO_FIVE.add_working(datetime(2026, 5, 19, 10), 60)
    with pytest.raises(ValueError, match="forward"):
        NINE_TO_FIVE.add_working(london(2026, 5, 19, 10), -1)
