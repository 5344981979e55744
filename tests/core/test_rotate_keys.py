"""A new key is brought in while the site runs, and the change can be stopped half-way."""

import base64
import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.management import CommandError
from django.utils import timezone

from backcare.core import blind_index, encryption
from backcare.core.encryption import encrypt, key_of, key_ring, new_key
from enquiries import abuse
from enquiries.actions import corrections, erasure, triage
from enquiries.inbox import find
from enquiries.models import Enquiry, EnquiryEvent, KeyCheck, SearchToken, StoppedAddress
from enquiries.privacy import rotation
from tests.conftest import consultation, database_environment
from tests.core.test_encryption import overwrite, raw
from tests.support.keys import compare_again, rotate, three_enquiries
from tests.support.processes import OnTerminal, start_process


@pytest.fixture
def new(settings) -> int:
    """The clinic has put a new key first. Gives its id."""
    number = next(number for number in range(1, 256) if number not in key_ring())
    fresh = f"{number}:{base64.b64encode(os.urandom(32)).decode()}"
    # Up to here, everything is read and written with the earlier key.
    settings.FIELD_ENCRYPTION_KEYS = [fresh, *settings.FIELD_ENCRYPTION_KEYS]
    return number


@pytest.fixture
def some(db):
    """Written before the new key came."""
    return three_enquiries()


def keys_used() -> set[int]:
    """Of every sealed value of every table, past the models' own reading."""
    used = set()
    for model, fields in encryption.sealed_columns().items():
        for row in model._base_manager.values_list(*[field.name for field in fields]):
            used |= {key_of(value) for value in row if value not in {None, ""}}
    return used


def found_by(typed: str) -> list[str]:
    return [enquiry.email for enquiry in Enquiry.objects.filter(pk__in=find.find(typed).pks)]


def test_everything_moves_to_the_new_key_and_the_old_one_may_go(some, new, staff, settings):
    triage.triage(enquiry=some[0], by=staff, note="an earlier note")
    KeyCheck.objects.get()
    said = rotate()
    assert keys_used() == {new}
    assert f"Everything is under key {new}" in said
    assert "You may now take key" in said
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    assert {one.email for one in Enquiry.objects.all()} == {"ada0@example.com", "ada1@example.com", "ada2@example.com"}
    assert "an earlier note" in [event.note for event in EnquiryEvent.objects.all()]
    assert found_by("ada1@example.com") == ["ada1@example.com"]
    assert len(found_by("020 7946 0018")) == 3
    assert found_by("example2") == ["ada2@example.com"]
    encryption.verify_keys()


def test_a_dry_run_counts_and_changes_nothing(some, new):
    before = [raw(Enquiry, one.pk) for one in some]
    said = rotate(dry_run=True)
    assert "enquiries_enquiry: 3 to encrypt again" in said
    assert "Nothing was changed" in said
    assert [raw(Enquiry, one.pk) for one in some] == before


def test_it_says_whose_wish_for_no_mail_only_the_old_key_knows(some, new):
    stopped = abuse.stop_keys("ada@example.com")[-1]
    erasure.stop_mails(key=stopped)
    StoppedAddress.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert "But 1 addresses that asked for no more mail are known by the earlier key alone" in rotate()
    assert StoppedAddress.objects.get().key == stopped


def test_twice_is_once(some, new):
    rotate()
    before = [raw(Enquiry, one.pk) for one in some]
    assert "0 rows were encrypted again" in rotate()
    assert [raw(Enquiry, one.pk) for one in some] == before


def test_a_rotation_pads_what_was_written_before_values_were_padded_with_the_same_key_too(some):
    short, long = (Enquiry._meta.get_field(name) for name in ("name", "description"))
    for each in (short, long):
        overwrite(some[0].pk, each.column, encrypt("Ada Früher", context=each.context_for(some[0]), padded=False))
    assert "enquiries_enquiry: 1 to encrypt again" in rotate(dry_run=True)
    assert "1 rows were encrypted again" in rotate()
    assert {len(value) for value in raw(Enquiry, some[0].pk).values() if value} == {64 + 30}
    kept = Enquiry.objects.get(pk=some[0].pk)
    assert (kept.name, kept.description) == ("Ada Früher", "Ada Früher")
    assert "0 rows were encrypted again" in rotate()


def test_each_look_up_works_before_during_and_after(some, new, staff_client):
    rotation._reseal(Enquiry.objects.get(pk=some[0].pk), encryption.sealed_columns()[Enquiry], rotation.Rotated())
    stored = dict(Enquiry.objects.values_list("pk", "email_key"))
    assert stored[some[0].pk] == blind_index.email_key("ada0@example.com")
    assert stored[some[1].pk] != blind_index.email_key("ada1@example.com"), "The second was not to be rotated yet."
    for number, one in enumerate(some):
        assert found_by(f"ADA{number}@example.com") == [one.email]
        assert found_by(f"example{number}") == [one.email]
        page = staff_client.get(one.get_admin_url()).content.decode()
        others = [other.reference for other in some if other != one]
        assert all(reference in page for reference in others), "The same number under another key was not found."
    assert len(found_by("020 7946 0018")) == 3


def test_a_form_sent_twice_around_the_new_key_is_one_enquiry(db, settings):
    one = consultation()
    settings.FIELD_ENCRYPTION_KEYS = [
        next(key for key in iter(new_key, None) if int(key.partition(":")[0]) not in key_ring()),
        *settings.FIELD_ENCRYPTION_KEYS,
    ]
    assert consultation().pk == one.pk


def test_what_cannot_be_opened_is_named_and_left_and_the_old_key_must_stay(some, new, capsys):
    broken = bytearray(raw(Enquiry, some[0].pk)["name"])
    broken[-1] ^= 1
    overwrite(some[0].pk, "name", bytes(broken))
    with pytest.raises(CommandError, match="1 rows hold a value that no key opens"):
        rotate()
    assert str(some[0].pk) in capsys.readouterr().err
    assert raw(Enquiry, some[0].pk)["name"] == bytes(broken)
    assert Enquiry.objects.get(pk=some[0].pk).email == "ada0@example.com"
    assert KeyCheck.objects.count() == 2, "The earlier key is still asked for at every start."


def test_what_somebody_writes_in_between_is_not_overwritten(some, new):
    """The row as it was read is the condition of its update."""
    read = Enquiry.objects.get(pk=some[0].pk)
    changed = Enquiry.objects.get(pk=some[0].pk)
    changed.best_time = "after the rotation had read it"
    changed.save()
    result = rotation.Rotated()
    assert rotation._reseal(read, encryption.sealed_columns()[Enquiry], result) == 0
    assert Enquiry.objects.get(pk=some[0].pk).best_time == "after the rotation had read it"
    rotate()
    assert Enquiry.objects.get(pk=some[0].pk).best_time == "after the rotation had read it"


def test_killed_half_way_it_goes_on_where_it_stopped_and_nobody_waits_for_it(transactional_db, settings, staff):
    """Ctrl-C and kill -9 in the middle, on a terminal that shows how far it is, while staff and patients go on writing."""
    compare_again()
    made = [consultation(name=f"Ada Example{n}", email=f"ada{n}@example.com") for n in range(16)]
    old = next(iter(key_ring()))
    number = next(number for number in range(1, 256) if number not in key_ring())
    settings.FIELD_ENCRYPTION_KEYS = [
        f"{number}:{base64.b64encode(os.urandom(32)).decode()}",
        *settings.FIELD_ENCRYPTION_KEYS,
    ]
    command = [sys.executable, "manage.py", "rotate_keys", "--at-once"]
    for until, number_of_signal in ((3, signal.SIGINT), (6, signal.SIGKILL)):
        watched = OnTerminal([*command, "1"], env=database_environment())
        watched.wait_for(rf"\r\x1b\[K{until} of \d+")
        watched.process.send_signal(number_of_signal)
        shown = watched.end()
        if number_of_signal == signal.SIGINT:
            assert watched.process.returncode == 130
            assert "Stopped. What has been encrypted again stays so." in shown
        assert "Traceback" not in shown
        assert {old, number} <= keys_used(), "It was over before it could be killed."
        assert [found_by(f"ada{n}@example.com") for n in range(16)] == [[one.email] for one in made]
    process = start_process(
        [*command, "2"], env=database_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    written = 0
    while process.poll() is None and written < 16:
        triage.triage(enquiry=made[written], by=staff, note=f"note {written}")
        corrections.correct_address(enquiry=made[written], email=f"new{written}@example.com")
        written += 1
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "You may now take key" in out
    assert "\x1b" not in out, "Nobody watches a pipe."
    assert written, "It was over before anybody wrote."
    assert keys_used() == {number}
    settings.FIELD_ENCRYPTION_KEYS = settings.FIELD_ENCRYPTION_KEYS[:1]
    for n in range(16):
        address = f"new{n}@example.com" if n < written else f"ada{n}@example.com"
        assert found_by(address) == [address]
        assert address in found_by(f"example{n}")  # a beginning: example1 is also that of example10
    notes = {event.note for event in EnquiryEvent.objects.filter(kind="note")}
    assert notes == {f"note {n}" for n in range(written)}
    assert SearchToken.objects.values("enquiry").distinct().count() == 16


def test_the_old_key_is_asked_for_until_nothing_needs_it(some, new, settings):
    everything = settings.FIELD_ENCRYPTION_KEYS
    encryption.verify_keys()
    settings.FIELD_ENCRYPTION_KEYS = everything[:1]
    with pytest.raises(encryption.WrongKey, match="lacks key"):
        encryption.verify_keys()
    settings.FIELD_ENCRYPTION_KEYS = everything
    rotate()
    settings.FIELD_ENCRYPTION_KEYS = everything[:1]
    encryption.verify_keys()
