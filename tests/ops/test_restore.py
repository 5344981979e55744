"""A restore replaces nothing unasked, takes no damaged backup, and whatever stops it, the site keeps what it had."""

import io
import json
import os
import signal
import tarfile
import time
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.db import connection

from backcare.ops.backups import archive, database, sealed
from enquiries.models import Enquiry
from tests.support.backups import SQLITE, backup, everything, member, now_in_database, put_back, said
from tests.support.outbox import question

pytestmark = pytest.mark.usefixtures("transactional_db", "own_folder")
sqlite_only = pytest.mark.skipif(not SQLITE, reason="PostgreSQL is restored with its own programs.")


@pytest.mark.skipif(SQLITE, reason="SQLite is restored with our own command.")
def test_on_postgresql_a_restore_says_how_it_is_done_and_the_check_compares_what_came_out(empty_place):
    question()
    file = backup()
    with pytest.raises(CommandError, match="pg_restore"):
        said("restore", str(file), replace=True)
    assert Enquiry.objects.count() == 1
    with empty_place():
        assert "would work" in put_back(file)
        Enquiry.objects.all().delete()
        with pytest.raises(
            CommandError, match=r"promises 1 rows in enquiries_\w+, and 0 came out.*DATABASE_URL has to"
        ):
            said("restore", str(file), check=True)


@sqlite_only
def test_what_is_there_is_replaced_only_when_asked_and_with_nobody_at_it_and_is_kept_aside(empty_place, tmp_path):
    file = backup()
    with empty_place():
        said("restore", str(file))
        question(email="after@example.com")
        connection.close()
        before = now_in_database()
        with pytest.raises(CommandError, match="--replace"):
            said("restore", str(file))
        with database.opened() as somebody:
            somebody.execute("SELECT count(*) FROM enquiries_enquiry")
            with pytest.raises(CommandError, match="Stop the web server"):
                said("restore", str(file), replace=True)
        assert now_in_database() == before
        told = said("restore", str(file), replace=True)
        assert not Enquiry.objects.exists()
        [aside] = tmp_path.glob("empty/*before-restore*")
        assert str(aside) in told
        with closing(database.Sqlite(aside)) as kept:
            assert everything(kept) == before
        # The next backup is of the present, and complete.
        assert "would work" in said("restore", str(backup()), check=True)


@sqlite_only
def test_somebody_who_stops_a_restore_has_what_was_there(empty_place, monkeypatch):
    file = backup()

    def stopped(opened):
        raise KeyboardInterrupt

    with empty_place():
        said("restore", str(file))
        question(email="after@example.com")
        connection.close()
        before = now_in_database()
        monkeypatch.setattr(sealed, "try_sample", stopped)
        with pytest.raises(CommandError, match=r"Stopped\. The site's database is as it was"):
            said("restore", str(file), replace=True)
        assert now_in_database() == before


@sqlite_only
def test_once_a_restore_moves_files_ctrl_c_and_a_stop_do_not_leave_a_half_and_a_broken_disk_leaves_what_was_there(
    empty_place, monkeypatch
):
    file, move = backup(), Path.rename

    def full(path, target):
        if path.name.startswith("restored."):
            raise OSError(28, "No space left on device")
        return move(path, target)

    def stopped(path, target):
        """Between what was there and what is to come."""
        if path.name.startswith("restored."):
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)  # where Python would raise what it was sent
        return move(path, target)

    with empty_place():
        said("restore", str(file))
        question(email="after@example.com")
        connection.close()
        before = now_in_database()
        monkeypatch.setattr(Path, "rename", full)
        with pytest.raises(CommandError, match="No space left on device"):
            said("restore", str(file), replace=True)
        assert now_in_database() == before
        monkeypatch.setattr(Path, "rename", stopped)
        terminated = []
        kept = signal.signal(signal.SIGTERM, lambda *_: terminated.append("half-way"))
        try:
            assert "The backup is in place." in said("restore", str(file), replace=True)
            assert not Enquiry.objects.exists() and not terminated
            os.kill(os.getpid(), signal.SIGTERM)
            assert terminated, "From then on, a stop is a stop."
        finally:
            signal.signal(signal.SIGTERM, kept)


@sqlite_only
def test_what_cannot_be_read_is_moved_only_when_asked(empty_place):
    file = backup()
    with empty_place():
        place = database.sqlite_path()
        place.mkdir()
        with pytest.raises(CommandError, match="cannot be read"):
            said("restore", str(file))
        assert place.is_dir()


def rewritten(file: Path, **changes) -> None:
    """The archive with another manifest or another database in it, as somebody might make it."""
    manifest = json.loads(member(file, archive.MANIFEST))
    words = member(file, manifest["database"])
    said_ = changes.pop("words", None)
    with tarfile.open(file, "w:gz") as tar:
        for name, content in (
            (archive.MANIFEST, json.dumps({**manifest, **changes}).encode()),
            (manifest["database"], said_(words) if said_ else words),
        ):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))


def flipped(words: bytes) -> bytes:
    middle = len(words) // 2
    return words[:middle] + bytes([words[middle] ^ 1]) + words[middle + 1 :]


DAMAGES = {
    "cut short": (lambda file: file.write_bytes(file.read_bytes()[:-2000]), "cut short or damaged"),
    "empty": (lambda file: file.write_bytes(b""), "cut short or damaged"),
    "another file": (lambda file: file.write_bytes(b"PK" + os.urandom(2000)), "cut short or damaged"),
    "one bit": (lambda file: rewritten(file, words=flipped), "checksum is wrong"),
    "rows missing": (lambda file: rewritten(file, tables={"enquiries_enquiry": 7}), "promises 7 rows"),
    "newer software": (lambda file: rewritten(file, migrations=["enquiries.9999_later"]), "newer version"),
    "newer format": (lambda file: rewritten(file, format=2), "newer version"),
    "another database": (lambda file: rewritten(file, vendor="oracle"), "is from oracle"),
    "gone": (lambda file: file.unlink(), "cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_backup_is_refused_in_a_sentence_and_nothing_is_put_in_place(empty_place, damage):
    harm, sentence = DAMAGES[damage]
    file = backup()
    harm(file)
    with empty_place():
        for options in ({"check": True}, {}) if SQLITE else ({"check": True},):
            with pytest.raises(CommandError, match=sentence):
                said("restore", str(file), **options)
        if SQLITE:
            assert [path.name for path in Path(connection.settings_dict["NAME"]).parent.glob("*.sqlite3")] == []
