"""The reply-by clock in words, for patients and for staff."""

from datetime import UTC, date, datetime, time

import pytest

from enquiries.clock import due_in_words, hours_in_words, in_words
from enquiries.opening_hours import Closed, Hours, Opening
from tests.support.clock import NINE_TO_FIVE, SPLIT, london, week


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


def test_staff_read_of_what_was_promised_by_5pm_on_tuesday(subtests):
    for now, words in [
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
    ]:
        with subtests.test(now=now, words=words):
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
