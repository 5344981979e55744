"""Everything held about one person erased in one step, on the desk and by the command."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.db import connection

from enquiries.actions import erasure
from enquiries.models import Assessment, Enquiry, EnquiryEvent, OutgoingMessage, SearchToken, StoppedAddress
from enquiries.privacy import subject_access
from tests.conftest import ROOT, consultation, database_environment
from tests.core.test_encryption import database_bytes, raw, sent_rows
from tests.enquiries.privacy.test_purge import everything_kept
from tests.support.desk import errors_of
from tests.support.keys import compare_again
from tests.support.person import ADA, PAGE, WORDS

# --- erased ---


def erase(client, typed: str = ADA, **changes):
    """As a browser does it: the list, the page that asks, the answer."""
    asked = client.post(PAGE, {"typed": typed, "erase": "yes"})
    seen = re.search(r'name="seen" value="([^"]*)"', asked.content.decode()).group(1)
    values = {"typed": typed, "erase": "yes", "seen": seen, "reason": "asked", "sure": "on"} | changes
    return client.post(PAGE, values, follow=True)


@pytest.mark.both
@pytest.mark.long
def test_one_step_takes_all_of_it_out_of_every_table(staff_client, ada):
    marks = [*WORDS.values(), "Canary", "canarynote", "canaryreply", "It stops daily activity", "other@example.com"]
    keys_ = [value for one in ada for value in (one.email_key, one.phone_key, one.submission_key) if value]
    before = everything_kept()
    assert all(mark in before for mark in [*WORDS.values(), *keys_])
    page = erase(staff_client)
    assert "Erased: 3 enquiries" in page.content.decode()
    after = everything_kept()
    for mark in [*marks, *keys_]:
        assert mark not in after, mark
    assert not Assessment.objects.exists()
    assert not SearchToken.objects.filter(enquiry__in=ada).exists()
    assert not OutgoingMessage.objects.filter(enquiry__in=ada).exists()
    assert subject_access.find(ADA) == []
    assert StoppedAddress.objects.count() == 2, "Who asked for no more mail gets none, erased or not."
    # Somebody else's is untouched.
    assert Enquiry.objects.get(erased_at=None).name == "Grace Example"


def test_what_was_done_is_recorded_without_the_person(staff_client, staff, ada):
    erase(staff_client, reason="withdrew")
    for one in ada:
        erased = one.events.get(kind="erased")
        assert erased.by == staff
        assert erased.summary == "Everything held about the person: the person withdrew their consent"
    said = f"{LogEntry.objects.get().object_repr} {LogEntry.objects.get().change_message}"
    assert "withdrew their consent" in said
    assert all(one.reference in said for one in ada)
    assert "@" not in said
    assert "Canary" not in said


def test_it_asks_once_more_and_takes_no_half_answer(staff_client, ada):
    asked = staff_client.post(PAGE, {"typed": ADA, "erase": "yes"})
    assert "Nothing" not in errors_of(asked)
    for wrong in ({"reason": ""}, {"sure": ""}, {"reason": "because Ada asked"}):
        page = erase(staff_client, **wrong)
        assert page.status_code == 422
        assert "Nothing was erased" in page.content.decode()
    assert not Enquiry.objects.exclude(erased_at=None).exists()


def test_what_came_since_the_page_was_opened_is_shown_before_it_goes(staff_client, ada):
    asked = staff_client.post(PAGE, {"typed": ADA, "erase": "yes"})
    seen = re.search(r'name="seen" value="([^"]*)"', asked.content.decode()).group(1)
    newest = consultation(email=ADA, description="I also wanted to say this.")
    page = erase(staff_client, seen=seen)
    assert "Something changed after you opened this list" in page.content.decode()
    assert newest.reference in page.content.decode()
    assert not Enquiry.objects.exclude(erased_at=None).exists()
    assert "Erased: 4 enquiries" in erase(staff_client).content.decode()


def test_all_of_it_goes_or_none(ada, staff, monkeypatch):
    """The second enquiry cannot be erased: the first is not either."""
    from enquiries.actions import erasure

    real, count = erasure.erase, []

    def stumble(**given):
        count.append(given)
        if len(count) == 2:
            raise RuntimeError("in the middle")
        return real(**given)

    monkeypatch.setattr(erasure, "erase", stumble)
    with pytest.raises(RuntimeError):
        erasure.erase_person(enquiries=ada, reason="asked", by=staff)
    assert not Enquiry.objects.exclude(erased_at=None).exists()
    assert len(subject_access.find(ADA)) == 3


def test_no_byte_is_left_in_the_files_of_the_database(transactional_db, staff):
    """Neither in plain text nor sealed, in the database file or the write-ahead log: read as bytes, past the database."""
    compare_again()
    one = consultation(**WORDS)
    sealed = [value for value in raw(Enquiry, one.pk).values() if len(value) > 40]
    stored = database_bytes()
    assert one.email_key.encode() in stored
    if connection.vendor == "sqlite":
        assert all(value in stored for value in sealed)
    assert erasure.erase_person(enquiries=[one], reason="asked", by=staff)
    if connection.vendor == "sqlite":
        wal = Path(f"{connection.settings_dict['NAME']}-wal")
        assert not wal.exists() or wal.stat().st_size == 0
        stored = Path(connection.settings_dict["NAME"]).read_bytes()
        assert not any(value in stored for value in sealed)
    else:
        # PostgreSQL writes a page when it checkpoints, and leaves the space of a vacuumed row to the next one.
        stored = sent_rows()
    assert one.email_key.encode() not in stored
    assert one.reference.encode() in stored


# --- the command ---


def command(*options, typed: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "manage.py", "person", *options],
        cwd=ROOT,
        env=database_environment(),
        input=typed,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_command_gives_out_and_erases_with_the_address_on_standard_input(transactional_db):
    compare_again()
    consultation(**WORDS)
    given = command("--export", typed=f"{ADA}\n")
    assert json.loads(given.stdout)["held"][0]["rows"][0]["description"] == WORDS["description"]
    assert "Erased." in command("--erase", "--yes", "--reason", "objected", typed=f"{ADA}\n").stdout
    assert Enquiry.objects.get().description == ""
    assert [event.actor for event in EnquiryEvent.objects.filter(kind__in=["exported", "erased"])] == [
        "command line"
    ] * 2


def test_the_command_takes_no_address_from_the_command_line(db, monkeypatch):
    consultation()
    with pytest.raises(CommandError, match="unrecognized arguments"):
        call_command("person", "--export", ADA)
    monkeypatch.setattr("sys.stdin", io.StringIO("nobody@example.com\n"))
    with pytest.raises(CommandError, match="Nothing is held under this address or number"):
        call_command("person", "--export")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{ADA}\nperhaps\n"))
    with pytest.raises(CommandError, match="Nothing was erased"):
        call_command("person", "--erase", stdout=io.StringIO())
    assert Enquiry.objects.get().erased_at is None
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(CommandError, match="on standard input"):
        call_command("person", "--export")
