"""Each kind of thing is kept as long as its rule says, on a fixed clock, and not a day longer."""

import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from backcare.core.models import Limit
from backcare.staff.models import StaffEvent
from enquiries.actions import erasure, intake, triage
from enquiries.models import (
    Enquiry,
    EnquiryEvent,
    Export,
    LastPurge,
    MessageState,
    OutgoingMessage,
    SearchToken,
    Status,
    StoppedAddress,
)
from enquiries.privacy import retention
from factsheets.models import FactSheet, ReviewReminder, SearchMiss
from tests.conftest import consultation, report
from tests.support.clinic_settings import set_clinic
from tests.support.inbox import book_past, whole_status

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def before(**time) -> datetime:
    return NOW - timedelta(**time)


def closed(at: datetime, status: str = "closed", **changes) -> Enquiry:
    """A consultation that was closed, or set aside, at that moment; its mail went out the day it came."""
    made = consultation(**changes)
    made.messages.update(state="sent", sent_at=at, next_attempt_at=at)
    if status == Status.BOOKED:
        book_past(made, at + timedelta(days=7))
    else:
        Enquiry.objects.filter(pk=made.pk).update(**whole_status(status, at))
    Enquiry.objects.filter(pk=made.pk).update(created_at=at - timedelta(days=9))
    return made


def purge(now: datetime = NOW) -> dict[str, int]:
    return erasure.purge(now=now).counts


def kept(enquiry: Enquiry) -> bool:
    return Enquiry.objects.get(pk=enquiry.pk).erased_at is None


def test_twelve_months_after_it_was_closed_a_consultation_loses_its_details(db):
    young = closed(datetime(2025, 11, 21, 12, 1, tzinfo=UTC))
    old = closed(datetime(2025, 11, 21, 11, 59, tzinfo=UTC), name="Grace Example", description="Something else.")
    assert purge()["enquiries"] == 1
    assert kept(young)
    gone = Enquiry.objects.get(pk=old.pk)
    assert (gone.name, gone.email, gone.phone, gone.description, gone.email_key) == ("", "", "", "", "")
    assert not SearchToken.objects.filter(enquiry=old).exists()
    assert gone.events.last().summary == "12 months have passed since it was closed"


def test_the_clinic_sets_the_months(db, settings):
    set_clinic(enquiry_retention_months=3)
    old, young = (
        closed(datetime(2026, 8, 20, tzinfo=UTC)),
        closed(datetime(2026, 8, 22, tzinfo=UTC), name="Grace Example"),
    )
    purge()
    assert (kept(old), kept(young)) == (False, True)


@pytest.mark.parametrize("status", ["new", "in_progress", "waiting", "booked"])
def test_what_is_open_is_kept_however_old_it_is(db, status):
    one = closed(before(days=4000), status=status)
    purge()
    assert kept(one)


def test_opening_it_again_starts_anew_and_closing_it_counts_from_then(db, staff):
    one = closed(before(days=800))
    triage.triage(enquiry=one, by=staff, to="in_progress")
    assert Enquiry.objects.get().closed_at is None
    assert retention.ends_on(Enquiry.objects.get()) is None
    purge()
    assert kept(one)
    triage.triage(enquiry=one, by=staff, to="closed", outcome="answered")
    at = Enquiry.objects.get().closed_at
    assert purge(retention.months_from(at, 12) - timedelta(minutes=1))["enquiries"] == 0
    assert purge(retention.months_from(at, 12) + timedelta(minutes=1))["enquiries"] == 1


def test_spam_goes_thirty_days_after_it_was_set_aside(db, staff):
    young, old = closed(before(days=29), status="spam"), closed(before(days=31), status="spam", name="Grace Example")
    assert purge()["spam"] == 1
    assert (kept(young), kept(old)) == (True, False)


def test_what_a_trap_caught_counts_from_the_day_it_came(db):
    intake.accept(
        intake.Submission(
            kind="question",
            details={"name": "A", "email": "a@example.com", "phone": "", "best_time": "", "description": "Buy this."},
            caught="trap",
        )
    )
    one = Enquiry.objects.get()
    assert purge(one.created_at + timedelta(days=29))["spam"] == 0
    assert purge(one.created_at + timedelta(days=31))["spam"] == 1


@pytest.mark.parametrize("state", ["sent", "lapsed", "failed"])
def test_rows_of_the_outbox_go_thirty_days_after_they_are_done(db, state):
    one = closed(before(days=40))
    first, second = one.messages.all()
    sent = state == "sent"
    OutgoingMessage.objects.filter(pk=first.pk).update(
        state=state, sent_at=before(days=29) if sent else None, next_attempt_at=before(days=29)
    )
    OutgoingMessage.objects.filter(pk=second.pk).update(
        state=state, sent_at=before(days=31) if sent else None, next_attempt_at=before(days=31)
    )
    assert purge()["messages"] == 1
    assert [message.pk for message in one.messages.all()] == [first.pk]
    assert kept(one)


def test_rows_of_the_outbox_that_somebody_needs_stay(db, sheet):
    waiting, failed, aside = (
        closed(before(days=90)),
        closed(before(days=90), name="B"),
        closed(before(days=1), "spam", name="C"),
    )
    waiting.messages.update(state=MessageState.WAITING, sent_at=None)
    failed.messages.update(state=MessageState.FAILED, sent_at=None)
    Enquiry.objects.filter(pk=failed.pk).update(mail_failed=True, **whole_status("in_progress"))
    aside.messages.update(sent_at=before(days=31))
    young = report(sheet=sheet)
    young.messages.update(state="sent", sent_at=before(days=31))
    Enquiry.objects.filter(pk=young.pk).update(created_at=before(days=29))
    assert purge()["messages"] == 0
    assert OutgoingMessage.objects.count() == 7


def test_a_report_is_erased_by_its_own_days_however_soon_the_outbox_forgets(db, settings, sheet):
    """A clinic that keeps reports for longer than the outbox must not lose the day from which that time counts."""
    set_clinic(report_retention_days=60)
    one = report(sheet=sheet)
    one.messages.update(state="sent", sent_at=before(days=45))
    Enquiry.objects.update(created_at=before(days=61), **whole_status("closed", before(days=45)))
    purge()
    assert kept(one)


def test_a_reminder_is_kept_while_the_review_is_due_and_goes_when_it_is_done(db, staff):
    sheet = FactSheet.objects.exclude(review_due_on=None).first() or FactSheet.objects.first()
    FactSheet.objects.filter(pk=sheet.pk).update(review_due_on=NOW.date())
    reminder = ReviewReminder.objects.create(sheet=sheet, review_due_on=NOW.date(), days_before=0)
    OutgoingMessage.objects.create(
        reminder=reminder, staff=staff, purpose="review_reminder", state="sent", sent_at=before(days=90)
    )
    assert purge()["messages"] == 0
    FactSheet.objects.filter(pk=sheet.pk).update(review_due_on=NOW.date() + timedelta(days=300))
    assert purge()["messages"] == 1


def test_six_years_after_its_details_went_the_rest_of_an_enquiry_goes(db):
    young, old = closed(before(days=4000)), closed(before(days=4000), name="Grace Example")
    for one, erased in ((young, datetime(2020, 11, 22, tzinfo=UTC)), (old, datetime(2020, 11, 20, tzinfo=UTC))):
        erasure.erase(enquiry=one, actor="retention")
        Enquiry.objects.filter(pk=one.pk).update(erased_at=erased)
    assert purge()["records"] == 1
    assert list(Enquiry.objects.all()) == [young]
    assert not EnquiryEvent.objects.filter(enquiry_id=old.pk).exists()


def test_logs_sessions_searches_and_counts_end_too(db, staff):
    six_years = datetime(2020, 11, 21, tzinfo=UTC)
    for days in (-2, 2):
        off = timedelta(days=days)
        Session.objects.create(session_key=f"s{days}", session_data="", expire_date=NOW + off)
        SearchMiss.objects.create(digest=f"{days}", last_on=(before(days=30) + off).date())
        Limit.objects.create(name="n", key=f"{days}", window_start=NOW + off, until=NOW + off, count=1)
        Export.objects.create(
            at=six_years + off, actor="Sam", what="all", how_many=1, with_contact_details=True, reason="r"
        )
        StaffEvent.objects.create(kind="refused", what="wrong password", at=six_years + off)
        entry = LogEntry.objects.create(user=staff, action_flag=CHANGE, object_repr="x")
        LogEntry.objects.filter(pk=entry.pk).update(action_time=six_years + off)
    counts = purge()
    ended = ("sessions", "search_misses", "limits", "exports", "admin_log", "staff_events")
    assert {name: counts[name] for name in ended} == dict.fromkeys(ended, 1)
    assert [each.session_key for each in Session.objects.all()] == ["s2"]
    assert [each.key for each in Limit.objects.all()] == ["2"]


def test_a_dry_run_gives_the_counts_of_the_real_one_and_changes_nothing(db, monkeypatch):
    closed(before(days=800))
    closed(before(days=60), status="spam", name="Grace Example")
    out = io.StringIO()
    monkeypatch.setattr("enquiries.management.commands.purge.timezone.now", lambda: NOW)
    call_command("purge", dry_run=True, stdout=out)
    assert not LastPurge.objects.exists()
    assert Enquiry.objects.filter(erased_at=None).count() == 2
    said = out.getvalue()
    assert "Details of consultations and questions would be erased: 1" in said
    assert "set aside as spam would be erased: 1" in said
    for word in ("Ada", "Grace", "example.com"):
        assert word not in said
    counts = purge()
    assert f"Details of consultations and questions would be erased: {counts['enquiries']}" in said


def test_what_was_done_is_kept_as_the_last_purge_and_twice_is_once(db):
    closed(before(days=800))
    first = purge()
    assert LastPurge.objects.get().counts == first
    assert first["enquiries"] == 1
    again = purge(NOW + timedelta(hours=1))
    assert sum(again.values()) == 0
    assert (LastPurge.objects.get().at, LastPurge.objects.get().counts) == (NOW + timedelta(hours=1), again)


def test_rows_that_only_go_are_deleted_in_batches(db, monkeypatch):
    monkeypatch.setattr(erasure, "AT_ONCE", 10)
    rows = [Limit(name="n", key=str(n), window_start=before(days=2), until=before(days=1), count=1) for n in range(35)]
    Limit.objects.bulk_create(rows)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert purge()["limits"] == 35
    deletes = [each["sql"] for each in asked if each["sql"].startswith("DELETE") and "backcare_limit" in each["sql"]]
    assert len(deletes) == 4


def test_what_staff_open_again_while_the_purge_runs_is_kept(db, staff, monkeypatch):
    one, lock = closed(before(days=366)), erasure.lock_enquiry

    def just_before(enquiry):
        triage.triage(enquiry=enquiry, by=staff, to="in_progress")
        return lock(enquiry)

    monkeypatch.setattr(erasure, "lock_enquiry", just_before)
    assert purge()["enquiries"] == 0
    assert kept(one)


def test_a_row_that_is_needed_again_just_before_it_is_deleted_stays(db):
    StoppedAddress.objects.create(key="x", until=NOW, created_at=before(days=365))

    def pressed_once_more(execute, sql, params, many, context):
        if sql.startswith("DELETE") and "stoppedaddress" in sql:
            StoppedAddress.objects.update(until=NOW + timedelta(days=365))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(pressed_once_more):
        assert purge()["stopped"] == 0
    assert StoppedAddress.objects.filter(key="x").exists()


@pytest.mark.parametrize(
    ("closed_at", "status", "ends"),
    [
        (datetime(2026, 3, 31, 9, tzinfo=UTC), "closed", "2027-03-31"),
        (datetime(2026, 3, 31, 9, tzinfo=UTC), "spam", "2026-04-30"),
        (None, "in_progress", None),
    ],
)
def test_staff_see_when_an_enquiry_s_details_go(staff_client, db, closed_at, status, ends):
    one = closed(before(days=5), status=status)
    Enquiry.objects.update(closed_at=closed_at)
    day = retention.ends_on(Enquiry.objects.get())
    assert (day.isoformat() if day else None) == ends
    page = staff_client.get(one.get_admin_url()).content.decode()
    assert "Details deleted" in page
    assert (f"{day:%-d %B %Y}" if day else "12 months after closing") in page


def test_the_day_staff_see_is_the_day_of_the_purge(db, sheet):
    made = [closed(before(days=100)), closed(before(days=1), "spam", name="B"), report(sheet=sheet)]
    made[2].messages.update(state="sent", sent_at=before(days=3))
    Enquiry.objects.filter(pk=made[2].pk).update(created_at=before(days=4), **whole_status("closed", NOW))
    for one in made:
        day = retention.ends_on(Enquiry.objects.get(pk=one.pk))
        on = datetime(day.year, day.month, day.day, tzinfo=UTC)
        assert not any(
            rule.due(on - timedelta(hours=1)).filter(pk=one.pk).exists() for rule in retention.RULES if rule.erase
        )
        assert any(
            rule.due(on + timedelta(days=1)).filter(pk=one.pk).exists() for rule in retention.RULES if rule.erase
        )


def test_a_month_that_is_too_short_ends_on_its_last_day():
    assert retention.months_from(datetime(2024, 2, 29, tzinfo=UTC), 12).date().isoformat() == "2025-02-28"
    assert retention.months_from(datetime(2026, 1, 31, tzinfo=UTC), 1).date().isoformat() == "2026-02-28"
    assert retention.months_from(datetime(2026, 1, 15, tzinfo=UTC), -1).date().isoformat() == "2025-12-15"
