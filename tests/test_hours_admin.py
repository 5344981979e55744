"""Opening hours, closures and the pause of replies on the staff desk, and what patients read of them before they write."""

from datetime import date, datetime, time, timedelta

import html5lib
import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from enquiries import clock
from enquiries.models import ClinicHours, Closure, Enquiry, OpeningHours
from tests.conftest import consultation, report
from tests.desk import errors_of, person, save, tree, values_of
from tests.html import text

pytestmark = pytest.mark.django_db

HOURS = "/admin/enquiries/clinichours/"
ADD_CLOSURE = "/admin/enquiries/closure/add/"


@pytest.fixture
def reception(client):
    user = person("Robin", "reception")
    client.force_login(user)
    return client


def hours() -> ClinicHours:
    return ClinicHours.objects.get(pk=1)


def words(response) -> str:
    return " ".join(text(tree(response)).split())


def on_a_form(now: datetime | None = None) -> str:
    """What a patient reads on a form's page."""
    page = render_to_string("enquiries/_when.html", {"when": clock.promise(now), "clinic": {"phone": "020 7946 0958"}})
    return " ".join(text(html5lib.parseFragment(page, namespaceHTMLElements=False)).split())


# --- what a new installation promises ---


def test_a_new_installation_keeps_the_hours_that_the_website_shows(settings):
    assert clock.hours_in_words(clock.load().hours) == settings.CLINIC["hours"] == "Monday to Friday, 9am to 5pm"
    at = datetime(2026, 5, 24, 12, tzinfo=clock.LONDON)
    assert clock.reply_by(at) == datetime(2026, 5, 26, 17, tzinfo=clock.LONDON)


def test_an_enquiry_is_kept_with_the_time_that_its_form_showed(sheet):
    shown = clock.promise()["reply_by"]
    kept = Enquiry.objects.get(pk=consultation().pk).reply_by
    assert timedelta(0) <= kept - shown <= timedelta(minutes=30), "The clock went on between the two."
    assert report(sheet).reply_by is None


def test_a_form_page_pays_two_queries_for_it_however_many_hours_and_closures():
    for number in range(5):
        day = date(2026, 6, 1) + timedelta(days=7 * number)
        Closure.objects.create(first_day=day, last_day=day, reason="training")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        clock.promise()
    assert len(asked) == 2


# --- what patients read ---


def test_patients_read_when_we_reply_and_what_makes_it_later():
    read = on_a_form(datetime(2026, 5, 24, 12, tzinfo=clock.LONDON))
    assert read == (
        "If you send this now, we will reply by 5pm on Tuesday 26 May. Monday 25 May is a bank holiday. "
        "We are closed now. We open at 9am on Tuesday 26 May."
    )


def test_patients_read_until_when_we_are_open():
    assert on_a_form(datetime(2026, 5, 19, 10, tzinfo=clock.LONDON)) == (
        "If you send this now, we will reply by 10am on Wednesday 20 May. We are open now, until 5pm."
    )


def test_a_closure_made_on_the_desk_is_read_by_patients_at_once(reception):
    saved = save(reception, ADD_CLOSURE, first_day="2026-06-10", last_day="2026-06-12", reason="moving <b>house</b>")
    assert saved.status_code == 200
    assert not errors_of(saved)
    assert "From Wednesday 10 June" in words(saved), "The list says it in the same words."
    read = on_a_form(datetime(2026, 6, 9, 16, tzinfo=clock.LONDON))
    assert "by 4pm on Monday 15 June" in read
    assert "We are closed from Wednesday 10 June to Friday 12 June: moving <b>house</b>." in read


def test_without_opening_hours_patients_are_promised_nothing(reception):
    OpeningHours.objects.all().delete()
    assert on_a_form() == "We cannot say at the moment when we will reply. You can phone us: 020 7946 0958."
    assert "No opening hours are set." in words(save(reception, HOURS))
    assert consultation().reply_by is None


def test_without_its_row_the_clock_promises_nothing_and_nothing_breaks(reception):
    ClinicHours.objects.all().delete()
    assert clock.promise()["reply"] == ""
    assert consultation().reply_by is None


@pytest.mark.parametrize("address", ["/consultation/", "/question/"])
def test_both_forms_show_it_before_somebody_writes(client, address):
    shown = clock.promise()["reply"]
    page = client.get(address)
    assert f"If you send this now, we will reply {shown}" in words(page)
    ClinicHours.objects.update(paused_at=timezone.now(), paused_by="Robin", notice="A pipe burst.")
    paused = words(client.get(address))
    assert "A pipe burst." in paused
    assert "we will reply by" not in paused


# --- the pause ---


def test_reception_pauses_replies_with_a_notice_and_the_desk_names_who_did(reception):
    saved = save(reception, HOURS, paused="on", notice="A pipe burst.\nWe answer from Monday.")
    assert "Replies are paused, since" in words(saved)
    assert "by Robin." in words(saved)
    assert "Patients are promised no time now. Replies are paused." in words(saved)
    assert on_a_form() == (
        "A pipe burst.We answer from Monday. We cannot say at the moment when we will reply. You can phone us: 020 7946 0958."
    )
    assert consultation().reply_by is None


def test_who_paused_stays_named_when_somebody_else_changes_the_notice(reception, staff):
    save(reception, HOURS, paused="on", notice="A pipe burst.")
    before = hours()
    reception.force_login(staff)
    save(reception, HOURS, notice="Two pipes burst.")
    after = hours()
    assert (after.notice, after.paused_by, after.paused_at) == ("Two pipes burst.", before.paused_by, before.paused_at)


def test_after_the_pause_times_are_promised_again_and_the_notice_is_kept_for_the_next(reception):
    promised = consultation(email="before@example.com")
    save(reception, HOURS, paused="on", notice="A pipe burst.")
    values = values_of(reception.get(HOURS))
    values.pop("paused")
    assert reception.post(HOURS, values, follow=True).status_code == 200
    assert (hours().paused_at, hours().paused_by, hours().notice) == (None, "", "A pipe burst.")
    assert on_a_form().startswith("If you send this now, we will reply by")
    assert "pipe" not in on_a_form()
    promised.refresh_from_db()
    assert promised.reply_by is not None, "What was promised before stays."


def test_a_pause_without_a_notice_is_refused(reception):
    refused = save(reception, HOURS, paused="on", notice="  ")
    assert "Write what patients will read while replies are paused." in errors_of(refused)
    assert not hours().is_paused


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
    assert "A patient who writes now reads: “we will reply by" in words(saved)
    loaded = clock.load()
    assert clock.hours_in_words(loaded.hours) == "Tuesday, 9am to 1pm and 2pm to 5:30pm; Saturday, 9am to midday"
    assert loaded.reply_by(datetime(2026, 6, 9, 8, tzinfo=clock.LONDON)) == datetime(
        2026, 6, 13, 9, 30, tzinfo=clock.LONDON
    )


def test_staff_are_told_when_the_website_shows_other_hours(reception):
    assert "ask whoever runs" not in words(reception.get(HOURS))
    saved = with_lines(reception, (0, "10:00", "15:00"))
    assert "The opening hours below say “Monday, 10am to 3pm”." in words(saved)
    assert "ask whoever runs the website to change CLINIC_HOURS" in words(saved)


def test_a_closing_time_before_the_opening_time_is_refused(reception):
    refused = with_lines(reception, (0, "17:00", "09:00"))
    assert "The closing time must be after the opening time." in errors_of(refused)
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
    boyne = datetime(2027, 7, 9, 18, tzinfo=clock.LONDON)
    assert "by 5pm on Monday 12 July" in on_a_form(boyne)
    save(reception, HOURS, nation="northern_ireland")
    assert "by 5pm on Tuesday 13 July" in on_a_form(boyne)
    assert "Monday 12 July 2027 is a bank holiday." not in on_a_form(boyne)
    assert "Monday 12 July is a bank holiday." in on_a_form(boyne)


def test_every_field_of_an_opening_time_has_a_name_of_its_own(reception):
    page = reception.get(HOURS).content.decode()
    for name in ("Day", "Opens", "Closes", "Delete"):
        assert page.count(f'aria-label="{name}, Monday, 09:00 to 17:00"') == 1
    assert 'aria-label="Opens, new line"' in page


# --- closures ---


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"last_day": "2026-06-09"}, "The last day must be the first day or a later one."),
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
    assert "It overlaps another closure: 10 June 2026: training." in errors_of(refused)
    assert not errors_of(save(reception, ADD_CLOSURE, **day, until_time="11:00", reason="painting"))
    assert Closure.objects.count() == 2


def test_a_closure_can_be_changed_and_taken_away_again(reception):
    save(reception, ADD_CLOSURE, first_day="2026-06-10", last_day="2026-06-10", from_time="13:00", reason="training")
    [closure] = Closure.objects.all()
    assert closure.from_time == time(13)
    address = reverse("admin:enquiries_closure_change", args=[closure.pk])
    assert 'value="2026-06-10"' in reception.get(address).content.decode(), "A browser's date field needs this form."
    save(reception, address, until_time="15:00")
    assert "until 3pm on Wednesday 10 June" in on_a_form(datetime(2026, 6, 10, 12, tzinfo=clock.LONDON))
    gone = reception.post(reverse("admin:enquiries_closure_delete", args=[closure.pk]), {"post": "yes"}, follow=True)
    assert "A patient who writes now reads" in words(gone)
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
    assert "Robin" in words(entry)
    assert timezone.localdate().strftime("%Y") in words(entry)
