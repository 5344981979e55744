"""Opening hours and closures on the staff desk: what may be set, and who may set it."""

from datetime import datetime, time

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from enquiries import clock
from enquiries.models import Closure, OpeningHours
from enquiries.opening_hours import LONDON
from tests.support.clinic_hours import ADD_CLOSURE, HOURS, hours, on_a_form, words
from tests.support.desk import errors_of, person, save, values_of

pytestmark = pytest.mark.django_db


# --- opening hours ---


def with_lines(client, *lines: tuple[int, str, str], **changes):
    """Sends the page with these opening times in place of those it has."""
    values = {name: value for name, value in values_of(client.get(HOURS)).items() if not name.startswith("openings-")}
    for number, opening in enumerate(OpeningHours.objects.all()):
        values |= {
            f"openings-{number}-id": opening.pk,
            f"openings-{number}-clinic": 1,
            f"openings-{number}-weekday": opening.weekday,
            f"openings-{number}-opens": opening.opens.isoformat(),
            f"openings-{number}-closes": opening.closes.isoformat(),
            f"openings-{number}-DELETE": "on",
        }
    kept = OpeningHours.objects.count()
    for number, (weekday, opens, closes) in enumerate(lines, start=kept):
        prefix = f"openings-{number}"
        values |= {f"{prefix}-weekday": weekday, f"{prefix}-opens": opens, f"{prefix}-closes": closes}
    values |= {"openings-TOTAL_FORMS": kept + len(lines), "openings-INITIAL_FORMS": kept}
    values |= {"openings-MIN_NUM_FORMS": 0, "openings-MAX_NUM_FORMS": 28}
    return client.post(HOURS, values | changes, follow=True)


def test_reception_sets_a_split_day_and_is_told_what_a_patient_reads_now(reception):
    saved = with_lines(reception, (1, "09:00", "13:00"), (1, "14:00", "17:30"), (5, "09:00", "12:00"))
    assert not errors_of(saved)
    assert "Patients who write now are told: “we will reply by" in words(saved)
    loaded = clock.load()
    assert clock.hours_in_words(loaded.hours) == "Tuesday, 9am to 1pm and 2pm to 5:30pm; Saturday, 9am to midday"
    assert loaded.reply_by(datetime(2026, 6, 9, 8, tzinfo=LONDON)) == datetime(2026, 6, 13, 9, 30, tzinfo=LONDON)


def test_staff_see_the_words_that_the_website_shows(reception):
    shown = words(with_lines(reception, (0, "10:00", "15:00"), within_hours="5"))
    assert "Monday, 10am to 3pm, except bank holidays. We aim to reply within one working day." in shown
    assert "No opening hours. We will reply as soon as we can." in words(with_lines(reception))


def test_a_closing_time_before_the_opening_time_is_refused(reception):
    refused = with_lines(reception, (0, "17:00", "09:00"))
    assert "The closing time must be after the opening time." in errors_of(refused)
    half = errors_of(with_lines(reception, ("", "", "12:00")))
    assert "Choose the day." in half and "Enter when you open." in half
    assert OpeningHours.objects.count() == 5


def test_opening_times_that_overlap_are_refused_with_both_named(reception):
    refused = with_lines(reception, (2, "12:30", "17:00"), (2, "09:00", "13:00"), (3, "09:00", "13:00"))
    assert "Wednesday: 9am to 1pm and 12:30pm to 5pm overlap. Change one of them." in errors_of(refused)
    assert OpeningHours.objects.count() == 5
    assert not errors_of(with_lines(reception, (2, "13:00", "17:00"), (2, "09:00", "13:00")))


@pytest.mark.parametrize("number", ["0", "81", ""])
def test_a_reply_time_that_means_nothing_is_refused(reception, number):
    assert errors_of(save(reception, HOURS, within_hours=number))
    assert hours().within_hours == 8


def test_the_nation_decides_which_bank_holidays_count(reception):
    boyne = datetime(2027, 7, 9, 18, tzinfo=LONDON)
    assert "by 5pm on Monday 12 July" in on_a_form(boyne)
    save(reception, HOURS, nation="northern_ireland")
    assert "by 5pm on Tuesday 13 July" in on_a_form(boyne)
    assert "Monday 12 July 2027 is a bank holiday." not in on_a_form(boyne)
    assert "Monday 12 July is a bank holiday." in on_a_form(boyne)
    # The history of the clinic's settings names who did it, and a save of something else adds nothing to it.
    save(reception, HOURS, within_hours="9")
    reception.force_login(User.objects.create_superuser("ola", "ola@example.com", first_name="Ola"))
    newest = reception.get("/admin/clinic/").context["history"][0]
    assert newest["who"] == "Rita"
    assert newest["lines"] == ["Nation: “England” became “Northern Ireland”"]


def test_every_field_of_an_opening_time_has_a_name_of_its_own(reception):
    page = reception.get(HOURS).content.decode()
    for name in ("Day", "Opens", "Closes", "Remove"):
        assert page.count(f'aria-label="{name}, Monday, 9am to 5pm"') == 1
    assert 'aria-label="Opens, new line"' in page


# --- closures ---


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"last_day": "2026-06-09"}, "The last day must be the same as the first day or later."),
        (
            {"last_day": "2026-06-10", "from_time": "15:00", "until_time": "11:00"},
            "“closed until” must be later",
        ),
        ({"last_day": "2026-06-10", "reason": " "}, "This field is required."),
        ({"last_day": "tomorrow"}, "Enter a valid date."),
    ],
)
def test_a_closure_that_cannot_be_is_refused(reception, changes, message):
    refused = save(reception, ADD_CLOSURE, **({"first_day": "2026-06-10", "reason": "training"} | changes))
    assert message in errors_of(refused)
    assert not Closure.objects.exists()


def test_two_closures_of_the_same_time_are_refused_and_two_on_one_day_are_not(reception):
    day = {"first_day": "2026-06-10", "last_day": "2026-06-10"}
    save(reception, ADD_CLOSURE, **day, from_time="15:00", reason="training")
    refused = save(reception, ADD_CLOSURE, first_day="2026-06-01", last_day="2026-06-10", reason="painting")
    assert "This overlaps another closure: 10 June 2026: training." in errors_of(refused)
    assert not errors_of(save(reception, ADD_CLOSURE, **day, until_time="11:00", reason="painting"))
    assert Closure.objects.count() == 2


def test_a_closure_can_be_changed_and_taken_away_again(reception):
    save(reception, ADD_CLOSURE, first_day="2026-06-10", last_day="2026-06-10", from_time="13:00", reason="training")
    [closure] = Closure.objects.all()
    assert closure.from_time == time(13)
    address = reverse("admin:enquiries_closure_change", args=[closure.pk])
    assert 'value="2026-06-10"' in reception.get(address).content.decode(), "A browser's date field needs this form."
    save(reception, address, until_time="15:00")
    assert "until 3pm on Wednesday 10 June" in on_a_form(datetime(2026, 6, 10, 12, tzinfo=LONDON))
    gone = reception.post(reverse("admin:enquiries_closure_delete", args=[closure.pk]), {"post": "yes"}, follow=True)
    assert "Patients who write now are told" in words(gone)
    assert not Closure.objects.exists()


# --- who may ---


def test_an_editor_and_a_clinician_do_not_set_hours(client):
    for role in ("editor", "clinician"):
        client.force_login(person(role.title(), role))
        for address in (HOURS, ADD_CLOSURE, "/admin/enquiries/closure/"):
            assert client.get(address).status_code == 403
            assert client.post(address, {"notice": "x", "paused": "on"}).status_code == 403


def test_nobody_adds_a_second_row_of_hours_or_takes_the_only_one_away(staff_client):
    assert staff_client.get(f"{HOURS}add/").status_code == 403
    assert staff_client.post(f"{HOURS}1/delete/", {"post": "yes"}).status_code == 403
    assert hours().within_hours == 8


def test_who_may_only_look_sees_the_hours_and_cannot_change_them(client):
    user = person("Casey", "editor")
    user.user_permissions.add(*Permission.objects.filter(codename__in=["view_clinichours", "view_openinghours"]))
    client.force_login(user)
    seen = client.get(HOURS)
    assert "Replies are not paused." in words(seen)
    assert client.post(HOURS, {"notice": "x", "paused": "on"}).status_code == 403


def test_the_desk_keeps_who_changed_the_hours(reception):
    save(reception, HOURS, within_hours="16")
    entry = reception.get(reverse("admin:enquiries_clinichours_history", args=[1]))
    assert "Rita" in words(entry)
    assert " today " in words(entry)
