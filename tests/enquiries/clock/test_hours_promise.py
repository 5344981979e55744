"""When we reply, as patients read it before they write: in a new installation, after a closure, and during a pause."""

from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from backcare.core.models import SetUpStep
from enquiries import clock
from enquiries.models import ClinicHours, Closure, Enquiry, OpeningHours
from enquiries.opening_hours import LONDON
from tests.conftest import consultation, report
from tests.support.clinic_hours import ADD_CLOSURE, HOURS, hours, on_a_form, words
from tests.support.desk import errors_of, save, values_of
from tests.support.html import text, tree

pytestmark = pytest.mark.django_db


# --- what a new installation promises ---


def test_a_new_installation_is_open_from_nine_to_five():
    assert clock.hours_in_words(clock.load().hours) == "Monday to Friday, 9am to 5pm"
    at = datetime(2026, 5, 24, 12, tzinfo=LONDON)
    assert clock.reply_by(at) == datetime(2026, 5, 26, 17, tzinfo=LONDON)


def test_an_enquiry_is_kept_with_the_time_that_its_form_showed(sheet):
    shown = clock.reply_notice()["reply_by"]
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
        clock.reply_notice()
    assert len(asked) == 2


# --- what patients read ---


def test_patients_read_when_we_reply_and_what_makes_it_later():
    read = on_a_form(datetime(2026, 5, 24, 12, tzinfo=LONDON))
    assert read == (
        "If you send this now, we will reply by 5pm on Tuesday 26 May. Monday 25 May is a bank holiday. "
        "We are closed now. We open at 9am on Tuesday 26 May."
    )


def test_patients_read_until_when_we_are_open():
    assert on_a_form(datetime(2026, 5, 19, 10, tzinfo=LONDON)) == (
        "If you send this now, we will reply by 10am on Wednesday 20 May. We are open now, until 5pm."
    )


def test_a_closure_made_on_the_desk_is_read_by_patients_at_once(reception):
    saved = save(reception, ADD_CLOSURE, first_day="2026-06-10", last_day="2026-06-12", reason="moving <b>house</b>")
    assert saved.status_code == 200
    assert not errors_of(saved)
    assert "From Wednesday 10 June" in words(saved), "The list says it in the same words."
    read = on_a_form(datetime(2026, 6, 9, 16, tzinfo=LONDON))
    assert "by 4pm on Monday 15 June" in read
    assert "We are closed from Wednesday 10 June to Friday 12 June: moving <b>house</b>." in read


def test_without_opening_hours_patients_are_promised_nothing(reception):
    SetUpStep.done(SetUpStep.HOURS, by=None)  # a new site's form suggests hours, and this one took them away
    OpeningHours.objects.all().delete()
    assert on_a_form() == "We will reply as soon as we can. You can phone us: 020 7946 0958."
    assert "No opening hours are set." in words(save(reception, HOURS))
    assert consultation().reply_by is None


def test_without_its_row_the_clock_promises_nothing_and_nothing_breaks(reception):
    ClinicHours.objects.all().delete()
    assert clock.reply_notice()["reply"] == ""
    assert consultation().reply_by is None


@pytest.mark.parametrize("address", ["/consultation/", "/question/"])
def test_both_forms_show_it_before_somebody_writes(client, address):
    shown = clock.reply_notice()["reply"]
    page = client.get(address)
    assert f"If you send this now, we will reply {shown}" in words(page)
    ClinicHours.objects.update(paused_at=timezone.now(), paused_by="Robin", notice="A pipe burst.")
    paused = words(client.get(address))
    assert "A pipe burst." in paused
    assert "we will reply by" not in paused


# --- the pause ---


def test_reception_pauses_replies_with_a_notice_and_the_desk_names_who_did(reception):
    saved = save(reception, HOURS, paused="on", notice="A pipe burst.\nWe answer from Monday.")
    assert "Replies were paused at" in words(saved)
    assert "by Rita." in words(saved)
    assert "Patients are not being given a reply time. Replies are paused." in words(saved)
    assert on_a_form() == (
        "A pipe burst.We answer from Monday. We do not know yet when we will reply. You can phone us: 020 7946 0958."
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


def test_a_pause_without_a_notice_says_the_default_and_what_is_always_there_is_shown_beside_it(reception):
    saved = save(reception, HOURS, paused="on", notice="  ")
    assert not errors_of(saved) and hours().is_paused
    assert on_a_form().startswith("We cannot reply as quickly as usual")
    [fixed] = [each for each in tree(saved).iter("p") if each.get("class") == "fixed-words"]
    assert "You can phone us: 020 7946 0958." in text(fixed)
