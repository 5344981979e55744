"""One page of the enquiries' table is overwritten: by a disk, or by a copy made in the wrong way."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from enquiries.models import WorkerHeartbeat
from tests.conftest import ROOT, consultation, database_environment
from tests.support.faults import MailWorker, Web, post
from tests.support.smtp import wait_for

pytestmark = pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL checks its pages itself")


def overwrite_the_enquiries(place: Path) -> None:
    with closing(sqlite3.connect(place)) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        [(page,)] = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'enquiries_enquiry'").fetchall()
        [(size,)] = database.execute("PRAGMA page_size").fetchall()
    with place.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xa5" * size)


@pytest.fixture
def copy(transactional_db, tmp_path):
    """A database of its own, for what is damaged here stays so."""
    consultation()
    WorkerHeartbeat.objects.all().delete()
    place = tmp_path / "copy.sqlite3"
    connection.ensure_connection()
    with closing(sqlite3.connect(place)) as to:
        connection.connection.backup(to)
    static = Path(settings.STATIC_ROOT)
    (tmp_path / static.relative_to(settings.DATA_DIR)).symlink_to(static)
    environment = database_environment() | {
        "DATABASE_URL": f"sqlite:///{place}",
        "DATA_DIR": str(tmp_path),
        "BACKUP_DIR": str(tmp_path / "backups"),
    }
    return place, environment


def test_a_damaged_database_is_said_everywhere_and_no_good_backup_is_lost(copy, tmp_path):
    place, environment = copy

    def backup():
        return subprocess.run(
            [sys.executable, "manage.py", "backup", "--keep", "1"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
        )

    good = backup()
    assert good.returncode == 0, good.stderr
    kept = list((tmp_path / "backups").iterdir())
    overwrite_the_enquiries(place)
    web, worker = Web(environment, tmp_path / "web"), MailWorker(environment, tmp_path / "worker")
    try:
        worker.start()
        web.start()
        assert post(web.address, "ada") == 503
        assert web.get("/healthz") == 503
        wait_for((tmp_path / "last-check.json").exists, what="the check")
        assert '"sound": false' in (tmp_path / "last-check.json").read_text()
        assert web.get("/healthz") == 503
    finally:
        web.clear()
        worker.clear()
    assert "The database is damaged" in (tmp_path / "worker").read_text()
    bad = backup()
    assert bad.returncode != 0
    assert "The database is damaged, so it was not copied" in bad.stderr
    assert "Traceback" not in bad.stderr
    assert list((tmp_path / "backups").iterdir()) == kept
