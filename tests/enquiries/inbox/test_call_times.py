"""When to call a patient, against dates worked out by hand: their best times, and the clinic's hours, closures and bank holidays.

Christmas 2026 is a Friday, and Monday 28 December stands in for Boxing Day. Easter Monday 2027 is 29 March.
"""

from datetime import date, time

import pytest

from enquiries.inbox import calls
from enquiries.models import Closure, Enquiry, OpeningHours, slot_bit
from enquiries.opening_hours import Closed, Hours, Opening
from tests.conftest import consultation
from tests.support.clock import NINE_TO_FIVE, london, week
from tests.support.desk import at_the_desk
from tests.support.html import parse, text
from tests.support.inbox import step

ANY = 0
MORNINGS = sum(slot_bit(day, 0) for day in range(5))
MONDAY_MORNING, WEDNESDAY_AFTERNOON = slot_bit(0, 0), slot_bit(2, 1)
FRIDAY_MORNING, FRIDAY_EVENING = slot_bit(4, 0), slot_bit(4, 2)

TRAINING = Hours(week(), (Closed(date(2027, 2, 3), date(2027, 2, 3), "training"),))
HALF_DAY = Hours(week(), (Closed(date(2027, 2, 3), date(2027, 2, 3), "training", from_time=time(13)),))
AFTERNOON_OFF = Hours(week(), (Closed(date(2027, 2, 3), date(2027, 2, 3), "training", from_time=time(12)),))
SATURDAYS = Hours((*week(), Opening(5, time(9), time(12))))
LATE = Hours(week(time(8), time(20)))
LUNCH = Hours((*week(time(9), time(12, 30)), *week(time(13, 30), time(17))))
FOUR_WEEKS_OFF = Hours(week(), (Closed(date(2027, 2, 1), date(2027, 2, 28), "building work"),))


@pytest.mark.parametrize(
    ("hours", "slots", "at", "good"),
    [
        (NINE_TO_FIVE, ANY, london(2027, 2, 3, 10), True),
        (NINE_TO_FIVE, ANY, london(2027, 2, 3, 8, 59), False),
        (NINE_TO_FIVE, ANY, london(2027, 2, 3, 17), False),
        (NINE_TO_FIVE, ANY, london(2026, 12, 25, 10), False),
        (NINE_TO_FIVE, ANY, london(2026, 12, 28, 10), False),
        (NINE_TO_FIVE, ANY, london(2027, 3, 29, 10), False),
        (Hours(week(), nation="scotland"), ANY, london(2027, 3, 29, 10), True),
        (NINE_TO_FIVE, ANY, london(2027, 2, 6, 10), False),
        (SATURDAYS, ANY, london(2027, 2, 6, 10), True),
        (SATURDAYS, MORNINGS, london(2027, 2, 6, 10), False),
        (NINE_TO_FIVE, MORNINGS, london(2027, 2, 3, 11, 59), True),
        (NINE_TO_FIVE, MORNINGS, london(2027, 2, 3, 12), False),
        (TRAINING, ANY, london(2027, 2, 3, 10), False),
        (HALF_DAY, WEDNESDAY_AFTERNOON, london(2027, 2, 3, 12, 30), True),
        (HALF_DAY, WEDNESDAY_AFTERNOON, london(2027, 2, 3, 13), False),
        (LUNCH, WEDNESDAY_AFTERNOON, london(2027, 2, 3, 13), False),
        (LATE, FRIDAY_EVENING, london(2027, 2, 5, 18, 59), True),
        (LATE, FRIDAY_EVENING, london(2027, 2, 5, 19), False),
        # The clinic is never open at that time, so any other will do.
        (NINE_TO_FIVE, FRIDAY_EVENING, london(2027, 2, 5, 17, 30), False),
        (NINE_TO_FIVE, FRIDAY_EVENING, london(2027, 2, 2, 10), True),
        (NINE_TO_FIVE, FRIDAY_EVENING | FRIDAY_MORNING, london(2027, 2, 2, 10), False),
        # Both Mondays of the fortnight are holidays: 28 December, and 4 January 2027 in this clinic.
        (
            Hours(week(), (Closed(date(2027, 1, 4), date(2027, 1, 4), "training"),)),
            MONDAY_MORNING,
            london(2026, 12, 22, 10),
            True,
        ),
        (NINE_TO_FIVE, MONDAY_MORNING, london(2026, 12, 22, 10), False),
        (Hours(()), ANY, london(2027, 2, 3, 10), False),
    ],
)
def test_whether_this_is_a_good_time_to_call(hours, slots, at, good):
    assert calls.suits(slots, at, hours) is good


@pytest.mark.parametrize(
    ("hours", "slots", "after", "again"),
    [
        # Two hours later, while they and the clinic are there.
        (NINE_TO_FIVE, ANY, london(2027, 2, 3, 10, 15), london(2027, 2, 3, 12, 15)),
        (NINE_TO_FIVE, MORNINGS, london(2027, 2, 3, 9, 30), london(2027, 2, 3, 11, 30)),
        (NINE_TO_FIVE, MORNINGS, london(2027, 2, 3, 10), london(2027, 2, 4, 9)),
        (NINE_TO_FIVE, MORNINGS, london(2027, 2, 3, 8), london(2027, 2, 3, 10)),
        (NINE_TO_FIVE, ANY, london(2027, 2, 3, 6), london(2027, 2, 3, 9)),
        (LUNCH, ANY, london(2027, 2, 3, 11), london(2027, 2, 3, 13, 30)),
        # After closing, over a weekend, and over one on which the clinic opens.
        (NINE_TO_FIVE, ANY, london(2027, 2, 3, 15), london(2027, 2, 4, 9)),
        (NINE_TO_FIVE, ANY, london(2027, 2, 5, 16), london(2027, 2, 8, 9)),
        (SATURDAYS, ANY, london(2027, 2, 5, 16), london(2027, 2, 6, 9)),
        (SATURDAYS, MORNINGS, london(2027, 2, 5, 16), london(2027, 2, 8, 9)),
        # Christmas and Easter. Both Fridays of the holidays are bank holidays, so any day will do.
        (NINE_TO_FIVE, ANY, london(2026, 12, 24, 16), london(2026, 12, 29, 9)),
        (NINE_TO_FIVE, FRIDAY_MORNING, london(2026, 12, 18, 11), london(2026, 12, 18, 13)),
        (NINE_TO_FIVE, FRIDAY_MORNING, london(2026, 12, 24, 16), london(2026, 12, 29, 9)),
        (NINE_TO_FIVE, FRIDAY_MORNING, london(2026, 12, 26, 11), london(2027, 1, 8, 9)),
        (NINE_TO_FIVE, MONDAY_MORNING, london(2027, 3, 23, 10), london(2027, 4, 5, 9)),
        (Hours(week(), nation="scotland"), MONDAY_MORNING, london(2027, 3, 23, 10), london(2027, 3, 29, 9)),
        # A closure, and half a day of one.
        (TRAINING, ANY, london(2027, 2, 2, 16), london(2027, 2, 4, 9)),
        (HALF_DAY, WEDNESDAY_AFTERNOON, london(2027, 2, 2, 16), london(2027, 2, 3, 12)),
        (HALF_DAY, WEDNESDAY_AFTERNOON, london(2027, 2, 3, 11), london(2027, 2, 10, 12)),
        (AFTERNOON_OFF, WEDNESDAY_AFTERNOON, london(2027, 2, 2, 16), london(2027, 2, 10, 12)),
        (FOUR_WEEKS_OFF, MORNINGS, london(2027, 1, 29, 16), london(2027, 3, 1, 9)),
        # The clinic is never open then: the nearest opening time.
        (NINE_TO_FIVE, FRIDAY_EVENING, london(2027, 2, 3, 16), london(2027, 2, 4, 9)),
        (NINE_TO_FIVE, FRIDAY_EVENING, london(2027, 2, 3, 10), london(2027, 2, 3, 12)),
        (LATE, FRIDAY_EVENING, london(2027, 2, 3, 16), london(2027, 2, 5, 17)),
        # The clocks go forward on Sunday 28 March 2027 and back on Sunday 25 October 2026: nine o'clock is nine o'clock.
        (Hours(week(), nation=""), MORNINGS, london(2027, 3, 26, 16), london(2027, 3, 29, 9)),
        (NINE_TO_FIVE, MORNINGS, london(2026, 10, 23, 16), london(2026, 10, 26, 9)),
        (Hours(week(time(0), time(8), range(7))), ANY, london(2027, 3, 28, 0, 30), london(2027, 3, 28, 3, 30)),
        (
            Hours(week(time(0), time(8), range(7))),
            ANY,
            london(2026, 10, 25, 0, 30),
            london(2026, 10, 25, 1, 30, fold=1),
        ),
        # There is nothing to promise.
        (Hours(()), MORNINGS, london(2027, 2, 3, 10), None),
        (Hours(week(), (Closed(date(2027, 2, 1), date(2030, 1, 1), "for ever"),)), ANY, london(2027, 2, 3, 10), None),
    ],
)
def test_when_to_try_again(hours, slots, after, again):
    found = calls.next_try(slots, after=after, hours=hours)
    assert found == again
    if again:
        assert found.utcoffset() == again.utcoffset()


# --- what staff read ---


def said_by(client, enquiry) -> str:
    return " ".join(text(parse(client.get(enquiry.get_admin_url()))).split())


def logged(client, enquiry) -> str:
    enquiry.refresh_from_db()
    return " ".join(text(parse(step(client, enquiry, "call", result="no_answer"))).split())


def test_nobody_is_sent_to_call_on_christmas_day(reception, monkeypatch):
    enquiry = consultation()
    at_the_desk(monkeypatch, reception, london(2026, 12, 24, 16))
    assert "This is a good time to call." in said_by(reception, enquiry)
    assert "Try again at 9am on Tuesday 29 December." in logged(reception, enquiry)
    at_the_desk(monkeypatch, reception, london(2026, 12, 25, 10))
    page = said_by(reception, enquiry)
    assert "The clinic is closed now. It opens at 9am on Tuesday 29 December." in page
    assert "good time" not in page
    # What was planned moves when the clinic closes at that time after all.
    Closure.objects.create(first_day=date(2026, 12, 29), last_day=date(2026, 12, 30), reason="a burst pipe")
    assert "Called 1 time so far. Try again at 9am on Thursday 31 December." in said_by(reception, enquiry)


def test_times_at_which_the_clinic_never_opens_are_said_to_be_such(reception, monkeypatch):
    enquiry = consultation()
    Enquiry.objects.update(call_slots=FRIDAY_EVENING)
    at_the_desk(monkeypatch, reception, london(2027, 2, 3, 16))
    never = "We are not open at any of their best times in the next two weeks."
    assert f"{never} You can call them now." in said_by(reception, enquiry)
    assert f"Try again at 9am tomorrow, when we next open. {never}" in logged(reception, enquiry)
    Enquiry.objects.update(call_slots=MORNINGS)
    assert "This is not one of their best times." in said_by(reception, enquiry)


@pytest.mark.parametrize(
    ("closed_for_ever", "reason"),
    [(False, "No opening hours are set"), (True, "The clinic has no opening times in the next 2 years.")],
)
def test_without_any_opening_hours_no_call_is_planned_and_the_page_says_why(
    reception, monkeypatch, closed_for_ever, reason
):
    enquiry = consultation()
    if closed_for_ever:
        Closure.objects.create(first_day=date(2027, 1, 1), last_day=date(2030, 1, 1), reason="building work")
    else:
        OpeningHours.objects.all().delete()
    at_the_desk(monkeypatch, reception, london(2027, 2, 3, 10))
    assert reason in said_by(reception, enquiry)
    said = logged(reception, enquiry)
    assert "No call is planned." in said
    assert reason in said
    enquiry.refresh_from_db()
    assert (enquiry.next_call_at, enquiry.contact_attempts) == (None, 1)
