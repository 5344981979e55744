"""A backup is one moment of everything, taken while forms arrive; put back, it is that moment again, and sends no mail twice."""

import gzip
import json
import os
import re
import secrets
import stat
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connection

from backcare.core.encryption import new_key
from backcare.ops.backups import ABANDONED_AFTER, MAKING, RESTORING, archive, database, making
from backcare.ops.checks import backups_elsewhere
from enquiries.models import Enquiry, OutgoingMessage
from tests.support.backups import SQLITE, backup, everything, member, now_in_database, put_back, said
from tests.support.outbox import deliver, question
from tests.support.processes import program
from tests.support.smtp import wait_for

pytestmark = pytest.mark.usefixtures("transactional_db", "own_folder")


@pytest.fixture
def forms_arrive():
    """Three people at a time keep sending forms, until what this gives is called."""
    enough, errors = threading.Event(), []

    def send():
        try:
            while not enough.is_set():
                question(email=f"{secrets.token_hex(6)}@example.com", description="Mine is " + secrets.token_hex(8))
        except BaseException as error:  # noqa: BLE001 - handed to the test below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(3)]
    for thread in threads:
        thread.start()

    def stop():
        enough.set()
        for thread in threads:
            thread.join(30)
        assert not errors

    yield stop
    stop()


def test_a_backup_taken_while_forms_are_written_has_every_row_of_one_moment(forms_arrive, empty_place, monkeypatch):
    kind = database.Sqlite if SQLITE else database.Postgresql
    copy, source, later = kind.copy_to, {}, []

    def copy_later(self, path):
        """Reads all rows in the moment of the backup, and lets others write before the copying begins."""
        source.update(everything(self))
        wait_for(lambda: Enquiry.objects.count() >= len(source["enquiries_enquiry"]) + 5, what="five more forms")
        copy(self, path)
        later.append(Enquiry.objects.count())

    wait_for(lambda: Enquiry.objects.count() >= 10, what="ten forms")
    monkeypatch.setattr(kind, "copy_to", copy_later)
    file = backup()
    forms_arrive()
    assert len(source["enquiries_enquiry"]) >= 10
    assert later[0] >= len(source["enquiries_enquiry"]) + 5, "Nobody wrote meanwhile, so this proves nothing."
    with empty_place():
        put_back(file)
        found = now_in_database()
        words = set(Enquiry.objects.values_list("kind", flat=True))
        readable = all(enquiry.description.startswith("Mine is ") for enquiry in Enquiry.objects.all())
    assert found == source
    assert words == {"question"}
    assert readable


def test_in_a_restored_place_the_mail_worker_sends_what_waited_and_nothing_that_was_sent(mail_through, empty_place):
    sent = question(email="sent@example.com")
    assert deliver() == 2
    waiting = question(email="waiting@example.com")
    file = backup()
    with empty_place():
        told = put_back(file)
        assert deliver() == 2
        assert deliver() == 0
        states = set(OutgoingMessage.objects.values_list("state", flat=True))
        question(email="new@example.com")
        assert deliver() == 2, "The restored place does not take forms."
    assert states == {"sent"}
    if SQLITE:
        assert "2 mails had not gone" in told
    ids = [f"<{pk}@example.com>" for each in (sent, waiting) for pk in each.messages.values_list("pk", flat=True)]
    assert sorted(mail_through.ids[:4]) == sorted(ids)
    assert len(set(mail_through.ids)) == len(mail_through.ids) == 6


def test_the_check_restores_elsewhere_and_changes_nothing_here():
    question()
    file = backup()
    before = now_in_database()
    told = said("restore", str(file), check=True)
    assert "This backup would work." in told
    assert f"{sum(map(len, before.values()))} rows, all there" in told
    assert now_in_database() == before


def test_the_check_says_which_key_is_missing(settings):
    question()
    file = backup()
    [number] = json.loads(member(file, archive.MANIFEST))["key_ids"]
    settings.FIELD_ENCRYPTION_KEYS = [new_key()]
    with pytest.raises(CommandError, match=rf"would not work.*do not open.*needs key {number} ") as refused:
        said("restore", str(file), check=True)
    assert settings.FIELD_ENCRYPTION_KEYS[0] not in str(refused.value)


def test_a_backup_is_its_owners_alone_and_holds_no_key_and_no_readable_word(settings):
    question(email="kestrel@example.com", description="marmalade")
    file = backup()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == [file.name], "Something half-made was left."
    whole = gzip.decompress(file.read_bytes())
    secrets_ = [settings.SECRET_KEY, *(key.partition(":")[2] for key in settings.FIELD_ENCRYPTION_KEYS)]
    assert not [word for word in (*secrets_, "kestrel", "marmalade") if word.encode() in whole]


def test_a_backup_for_a_key_elsewhere_leaves_this_machine_and_only_that_key_opens_it(
    client, settings, tmp_path, empty_place
):
    """With age itself. What is under way, and what is left, is encrypted; and where it did not arrive, staff and monitor see it."""
    program("age")
    keys = [tmp_path / "owner.key", tmp_path / "another.key"]
    for key in keys:
        subprocess.run([program("age-keygen"), "-o", key], check=True, capture_output=True)
    settings.BACKUP_RECIPIENTS = [re.search(r"age1\w+", keys[0].read_text())[0]]
    away = tmp_path / "a place that is away"
    settings.BACKUP_HOOK = f"cp --target-directory '{away}'"
    settings.METRICS_TOKEN = "a-token"
    assert not backups_elsewhere(None)

    def shown() -> tuple[str, str]:
        return client.get("/healthz").json()["offsite"], client.get(
            "/metrics", headers={"Authorization": "Bearer a-token"}
        ).content.decode()

    question(description="marmalade")
    with pytest.raises(CommandError, match=r"is a whole backup. But BACKUP_HOOK did not .*: it ended with 1"):
        said("backup")
    word, figures = shown()
    assert (word, 'health{part="offsite"} 1.0' in figures, "offsite_age" in figures) == ("failed", True, False)
    before = now_in_database()
    away.mkdir()
    file = backup()
    word, figures = shown()
    assert (word, 'health{part="offsite"} 0.0' in figures, "offsite_age" in figures) == ("ok", True, True)

    assert file.suffix == ".age"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = [path for path in settings.BACKUP_DIR.rglob("*") if path.is_file()]
    assert len(kept) == 2
    assert all(path.read_bytes().startswith(b"age-encryption.org/v1\n") for path in kept)
    assert not list(settings.DATA_DIR.glob(".making*")), "A readable copy was left."
    copy = away / file.name
    with pytest.raises(CommandError, match=r"is encrypted\. Add --identity"):
        said("restore", str(copy), check=True)
    with pytest.raises(CommandError, match="no identity matched"):
        said("restore", str(copy), check=True, identity=keys[1])
    with empty_place():
        assert "all there" in put_back(copy, identity=keys[0])
        assert now_in_database() == before
    assert not list(settings.DATA_DIR.glob(".restoring*"))

    settings.BACKUP_RECIPIENTS, settings.BACKUP_HOOK = ["age1nonsense"], "no-such-program --there"
    assert [each.id for each in backups_elsewhere(None)] == ["backcare.E027", "backcare.E028"]
    with pytest.raises(CommandError, match="age did not work: "):
        said("backup")
    assert len(list(settings.BACKUP_DIR.iterdir())) == 2, "Something half-made was left."


def test_old_backups_are_pruned_once_the_new_one_is_away_and_nothing_else(settings, tmp_path):
    folder = settings.BACKUP_DIR
    folder.mkdir()
    seen = tmp_path / "seen"
    settings.BACKUP_HOOK = f"sh -c 'ls {folder} | grep -c .tar.gz > {seen}; exit $(cat {tmp_path}/ends)'"
    (tmp_path / "ends").write_text("0")
    mine = [folder / name for name in ("notes.txt", "backcare-old.tar.gz")]
    for path in mine:
        path.touch()
    made = [Path(said("backup", keep=2).splitlines()[0]) for _ in range(3)]
    assert sorted(folder.iterdir()) == sorted([*mine, *made[1:]])
    assert seen.read_text() == "4\n", "The oldest went before the newest was away."
    # Where it does not get away, the older ones are not kept for longer than was promised.
    (tmp_path / "ends").write_text("1")
    with pytest.raises(CommandError, match="BACKUP_HOOK did not"):
        said("backup", keep=2)
    assert len(list(folder.glob("*-*-*-*-*.tar.gz"))) == 2


def test_what_killed_programs_left_is_swept_by_the_next(settings):
    """A readable copy of the database may be in it."""
    old, fresh = [], []
    for folder in (settings.BACKUP_DIR, settings.DATA_DIR):
        for kind in (MAKING, RESTORING):
            for list_, age in ((old, ABANDONED_AFTER + timedelta(hours=1)), (fresh, timedelta(hours=1))):
                left = folder / f"{kind}{secrets.token_hex(4)}"
                left.mkdir(parents=True)
                (left / "database.sqlite3").touch()
                os.utime(left, ((datetime.now(UTC) - age).timestamp(),) * 2)
                list_.append(left)
    backup()
    assert not [each for each in old if each.exists()]
    assert all(each.exists() for each in fresh)


def test_the_time_of_the_last_backup_is_kept():
    assert making.last() is None
    backup()
    assert datetime.now(UTC) - making.last() < timedelta(minutes=1)


def test_a_backup_whose_time_cannot_be_kept_is_whole_and_says_so(settings):
    (settings.DATA_DIR / "last-backup.json.new").mkdir()
    with pytest.raises(CommandError, match=r"whole backup.*last-backup"):
        said("backup")
    [file] = settings.BACKUP_DIR.iterdir()
    assert "would work" in said("restore", str(file), check=True)


def test_a_place_that_cannot_be_written_is_told_in_a_sentence_and_leaves_the_last_time_as_it_was(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="could not be written"):
        said("backup", str(tmp_path / "file" / "backups"))
    assert making.last() is None
