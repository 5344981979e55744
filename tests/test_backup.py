"""A backup is one moment of everything, taken while forms arrive; put back, it is that moment again, and sends no mail twice."""

import gzip
import io
import json
import os
import secrets
import stat
import tarfile
import threading
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from backcare.backups import archive, database, making
from enquiries.models import Enquiry, OutgoingMessage
from enquiries.privacy import keys
from enquiries.privacy.encryption import new_key
from tests.outbox import deliver, question
from tests.smtp import wait_for

pytestmark = pytest.mark.usefixtures("transactional_db", "own_folder")

SQLITE = connection.vendor == "sqlite"


@pytest.fixture
def own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    settings.BACKUP_DIR = tmp_path / "backups"


def everything(opened) -> dict[str, list[str]]:
    """Every row of every table."""
    select = "SELECT * FROM"
    return {table: sorted(map(repr, opened.execute(f'{select} "{table}"'))) for table in opened.tables()}


def now_in_database() -> dict[str, list[str]]:
    with database.one_moment() as opened:
        return everything(opened)


def said(*arguments, **options) -> str:
    out = io.StringIO()
    call_command(*arguments, **options, stdout=out, stderr=out)
    return out.getvalue()


def backup() -> Path:
    return Path(said("backup").splitlines()[0])


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


@pytest.fixture
def empty_place(tmp_path):
    """A machine where nothing was installed yet: inside the block the site's database is there."""
    name = str(tmp_path / "empty" / "backcare.sqlite3") if SQLITE else f"backcare_empty_{secrets.token_hex(4)}"
    if SQLITE:
        Path(name).parent.mkdir()
    else:
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')

    @contextmanager
    def inside():
        kept = connection.settings_dict["NAME"]
        connection.close()
        connection.settings_dict["NAME"] = name
        keys.unseen()
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = kept
            keys.unseen()

    yield inside
    if not SQLITE:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')


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
        said("restore", str(file))
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
        told = said("restore", str(file))
        assert deliver() == 2
        assert deliver() == 0
        states = set(OutgoingMessage.objects.values_list("state", flat=True))
        question(email="new@example.com")
        assert deliver() == 2, "The restored place does not take forms."
    assert states == {"sent"}
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
        if SQLITE:
            [aside] = tmp_path.glob("empty/*before-restore*")
            assert str(aside) in told
            with closing(database.Sqlite(aside)) as kept:
                assert everything(kept) == before
        else:
            with connection.cursor() as cursor:
                cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'before_restore_%'")
                [(schema,)] = cursor.fetchall()
                cursor.execute(f'SELECT count(*) FROM "{schema}".enquiries_enquiry')  # noqa: S608 - as the restore named it
                assert cursor.fetchone() == (1,)
            assert schema in told
        # The next backup is of the present, and complete.
        assert "would work" in said("restore", str(backup()), check=True)


def member(file: Path, name: str) -> bytes:
    with tarfile.open(file) as tar:
        return tar.extractfile(name).read()


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
        for options in ({"check": True}, {}):
            if not SQLITE and options and damage == "rows missing":
                continue
            with pytest.raises(CommandError, match=sentence):
                said("restore", str(file), **options)
        if SQLITE:
            assert [path.name for path in Path(connection.settings_dict["NAME"]).parent.glob("*.sqlite3")] == []
        else:
            assert connection.introspection.table_names() == []


def test_old_backups_are_pruned_and_nothing_else(settings):
    folder = settings.BACKUP_DIR
    folder.mkdir()
    mine = [folder / name for name in ("notes.txt", "backcare-old.tar.gz")]
    for path in mine:
        path.touch()
    made = [Path(said("backup", keep=2).splitlines()[0]) for _ in range(3)]
    assert sorted(folder.iterdir()) == sorted([*mine, *made[1:]])


def test_the_time_of_the_last_backup_is_kept():
    assert making.last() is None
    backup()
    assert datetime.now(UTC) - making.last() < timedelta(minutes=1)


def test_a_place_that_cannot_be_written_is_told_in_a_sentence_and_leaves_the_last_time_as_it_was(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="could not be written"):
        said("backup", str(tmp_path / "file" / "backups"))
    assert making.last() is None
