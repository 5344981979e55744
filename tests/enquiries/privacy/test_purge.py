"""What is no longer kept is gone from every table, the log, the outbox and the files of the database."""

import io
from datetime import timedelta

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from backcare.core.encryption import CannotDecrypt, EncryptedTextField
from enquiries.actions import triage
from enquiries.models import Assessment, Enquiry, EnquiryEvent, OutgoingMessage
from tests.conftest import consultation, report
from tests.support.clinic_settings import set_clinic
from tests.support.forms import form
from tests.support.inbox import whole_status
from tests.support.outbox import deliver
from tests.support.summary import patient

MARKS = {"name": "Zebedee Markham", "email": "zebedee.markham@example.com"}


def days_ago(days: float):
    return timezone.now() - timedelta(days=days)


def delivered(days: float, **changes) -> Enquiry:
    """A report that arrived so many days ago."""
    enquiry = report(**{"sheet": a_sheet()} | MARKS | changes)
    enquiry.messages.update(state="sent", sent_at=days_ago(days), next_attempt_at=days_ago(days))
    Enquiry.objects.filter(pk=enquiry.pk).update(created_at=days_ago(days), **whole_status("closed", days_ago(days)))
    return enquiry


def a_sheet():
    from factsheets.models import FactSheet

    return FactSheet.objects.get(slug="about-back-pain")


def purge(**options) -> str:
    out = io.StringIO()
    call_command("purge", stdout=out, **options)
    return out.getvalue()


def everything_kept() -> str:
    """Every column of every row of every table of ours, the encrypted ones opened."""
    found = []
    for model in apps.get_models():
        for row in model.objects.all():
            for field in model._meta.concrete_fields:
                if isinstance(field, EncryptedTextField):
                    try:
                        found.append(str(getattr(row, field.attname)))
                    except CannotDecrypt:
                        pytest.fail(f"{model.__name__}.{field.name} cannot be opened, so this test cannot see into it.")
                else:
                    found.append(str(field.value_from_object(row)))
    return "\n".join(found)


def test_day_29_is_kept_and_day_31_is_gone(db):
    young, old = delivered(29), delivered(31, name="Other Person", email="other@example.com")
    assert "requests erased: 1" in purge()
    young.refresh_from_db()
    old.refresh_from_db()
    assert (young.email, young.erased_at) == (MARKS["email"], None)
    assert (old.email, old.name) == ("", "")
    assert old.erased_at


def test_a_dry_run_counts_and_changes_nothing(db):
    delivered(31)
    before = everything_kept()
    assert "would be erased: 1" in purge(dry_run=True)
    assert everything_kept() == before


def test_purging_twice_is_purging_once(db):
    enquiry = delivered(31)
    purge()
    events = EnquiryEvent.objects.count()
    assert "erased: 0" in purge()
    assert EnquiryEvent.objects.count() == events
    assert enquiry.events.filter(kind="erased").count() == 1


@pytest.mark.long
def test_no_table_log_or_outbox_row_holds_them_afterwards(db, mail_through, staff, caplog):
    """Each place where it was is shown to have had it, so that the search is known to find it."""
    client = patient(limits="stops")
    client.post("/report/", form("report", **MARKS, include_answers="yes"))
    enquiry = Enquiry.objects.get()
    deliver()
    triage.triage(enquiry=enquiry, by=staff, note=f"{MARKS['name']} telephoned about it")
    key = Enquiry.objects.get().submission_key
    before = everything_kept()
    for mark in (*MARKS.values(), "telephoned about it", "It stops daily activity", key):
        assert mark in before

    caplog.clear()
    OutgoingMessage.objects.update(sent_at=days_ago(31))
    Enquiry.objects.update(created_at=days_ago(31))
    purge()
    after = everything_kept()
    for mark in (*MARKS.values(), "telephoned about it", "It stops daily activity", key):
        assert mark not in after
        assert mark not in caplog.text
    assert not Assessment.objects.exists()
    # What the clinic may count and account for is still there.
    enquiry.refresh_from_db()
    assert enquiry.reference in after
    assert [event.kind for event in enquiry.events.all()][-1] == "erased"
    assert not enquiry.messages.exists(), "Thirty days after a mail its row has nothing left to do."


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's files are the server's")
def test_the_files_of_the_database_hold_no_ciphertext_of_them(transactional_db):
    """secure_delete overwrites, so even somebody with the key and the file finds nothing."""
    from pathlib import Path

    enquiry = delivered(31)
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, email FROM enquiries_enquiry")
        sealed = [bytes(value) for value in cursor.fetchone()]

    def in_the_files() -> int:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return sum(value in Path(connection.settings_dict["NAME"]).read_bytes() for value in sealed)

    assert in_the_files() == 2
    purge()
    enquiry.refresh_from_db()
    assert enquiry.erased_at
    assert in_the_files() == 0


def test_a_report_on_its_way_is_not_erased_and_one_that_failed_is(db):
    waiting, failed = delivered(31), delivered(31, name="Other Person")
    waiting.messages.update(state="waiting", sent_at=None)
    failed.messages.update(state="failed", sent_at=None)
    purge()
    waiting.refresh_from_db()
    failed.refresh_from_db()
    assert not waiting.erased_at
    assert failed.erased_at


def test_a_report_sent_again_later_counts_from_then(db):
    enquiry = delivered(31)
    OutgoingMessage.objects.create(enquiry=enquiry, purpose="report", sequence=2, state="sent", sent_at=days_ago(2))
    purge()
    enquiry.refresh_from_db()
    assert not enquiry.erased_at


def test_the_clinic_sets_the_days(db, settings):
    set_clinic(report_retention_days=3)
    delivered(4)
    assert "erased: 1" in purge()
    assert "We delete them 3 days later" in Client().get("/report/").content.decode()


def test_other_enquiries_are_not_touched(db):
    enquiry = consultation()
    Enquiry.objects.update(created_at=days_ago(400))
    enquiry.messages.update(state="sent", sent_at=days_ago(400))
    purge()
    enquiry.refresh_from_db()
    assert enquiry.name == "Ada Example"


def test_answers_go_when_their_link_has_ended_and_the_rest_stays_till_its_day(db, mail_through):
    patient().post("/report/", form("report", include_answers="yes"))
    Assessment.objects.update(expires_at=timezone.now())
    assert "summaries erased: 1" in purge()
    assert not Assessment.objects.exists()
    assert Enquiry.objects.get().email == "ada@example.com"


def test_the_mail_worker_does_it_without_a_timer_of_the_clinics(db, mail_through):
    enquiry = delivered(31)
    call_command("deliver_mail", once=True)
    enquiry.refresh_from_db()
    assert enquiry.erased_at


def test_an_erased_report_is_shown_as_such_and_cannot_be_sent_again(staff_client, db, settings):
    set_clinic(report_retention_days=3)
    enquiry = delivered(4)
    message = enquiry.messages.get()
    purge()
    page = staff_client.get(enquiry.get_admin_url())
    assert "details erased" in page.content.decode().lower()
    assert "send-again" not in page.content.decode()
    again = staff_client.post(f"/admin/enquiries/outgoingmessage/{message.pk}/send-again/", follow=True)
    assert "were erased" in again.content.decode()
    assert enquiry.messages.count() == 1


def test_the_inbox_shows_that_there_is_a_summary_and_never_what_it_says(staff_client, db, mail_through):
    patient(limits="stops").post("/report/", form("report", include_answers="yes"))
    deliver()
    page = staff_client.get(Enquiry.objects.get().get_admin_url()).content.decode()
    assert "Only the patient can open it" in page
    assert "I agree that the clinic keeps my answers" in page
    assert "mail sent" in page or "sent" in page
    for secret in ("daily activity", "See a GP", "/report/summary/"):
        assert secret not in page
