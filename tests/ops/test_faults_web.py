"""The web server is killed, renewed and starved while patients post. Who was told "thank you" is in the inbox, once."""

import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection

from backcare.core.encryption import new_key
from enquiries.models import Enquiry
from tests.conftest import ROOT, database_environment
from tests.support.faults import MailWorker, Patients, Reckoning, Web, post
from tests.support.outbox import question
from tests.support.smtp import wait_for

pytestmark = [
    pytest.mark.usefixtures("transactional_db"),
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]

SQLITE = connection.vendor == "sqlite"


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory):
    """A web server of these tests' own, to be killed."""
    with django_db_blocker.unblock():
        server = Web(database_environment(), tmp_path_factory.mktemp("server") / "site.log")
    yield server
    server.clear()


@pytest.fixture
def web(server):
    """Makes sure that it runs, whatever the test before did to it."""
    before = server.log.stat().st_size if server.log.exists() else 0
    if server.process is None or server.process.poll() is not None:
        server.start()
    yield server
    sys.stderr.write(server.log.read_text()[before:][-4000:])  # for the reader of a failed test


def test_six_random_kills_under_load_lose_no_accepted_form(web):
    """F1, F2. The trials do two hundred."""
    with Patients(web.address) as patients:
        for _ in range(5):
            patients.wait_for_more()
            time.sleep(secrets.randbelow(50) / 1000)
            web.kill_child()
        patients.wait_for_more()
        # What a killed process had in hand, which is one request of each person at most.
        assert len(patients.told(0)) <= 5 * len(patients.threads)
        web.kill()
        web.start()
        patients.wait_for_more()
    Reckoning(patients).expect_nothing_lost()
    assert set(patients.answers.values()) <= {303, 0}, "Somebody was told something else than thank you, or nothing."


def test_a_renewal_under_load_fails_nobody_and_a_stop_keeps_its_word(web):
    """F16: a deployment's HUP, and SIGTERM."""
    with Patients(web.address, people=3) as patients:
        for _ in range(2):
            patients.wait_for_more()
            before = set(web.children())
            web.process.send_signal(signal.SIGHUP)
            wait_for(lambda before=before: not before & set(web.children()), what="new processes")
        patients.wait_for_more()
        assert set(patients.answers.values()) == {303}
        assert web.stop() == 0
    Reckoning(patients).expect_nothing_lost()


# Runs inside the accepting process: ends it at the last moment before, or the first after, the database has it for good. Which of
# the two, it reads at that moment.
DIES = """
import os
from django.db import transaction
import backcare.config.wsgi
application = backcare.config.wsgi.application

real = transaction.Atomic.__exit__

def exit(self, *error):
    from django.db import connection
    outermost = len(connection.atomic_blocks) == 1
    from enquiries.models import OutgoingMessage
    ours = outermost and OutgoingMessage.objects.exists()
    if ours and open({when!r}).read() == "before":
        os._exit(9)
    real(self, *error)
    if ours:
        os._exit(9)

transaction.Atomic.__exit__ = exit
"""


def test_a_crash_right_before_the_commit_keeps_nothing_and_right_after_keeps_all(site, tmp_path):
    """F3, over HTTP. Either way the patient hears nothing, and sending the form again leaves one enquiry."""
    when = tmp_path / "when"
    (tmp_path / "dying.py").write_text(DIES.format(when=str(when)))
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    dying = Web({**database_environment(), "PYTHONPATH": path}, tmp_path / "log", application="dying")
    try:
        dying.start()
        with Patients(site, people=0) as patients:
            for earlier, (moment, kept) in enumerate([("before", 0), ("after", 1)]):
                when.write_text(moment)
                assert post(dying.address, moment) == 0
                assert Enquiry.objects.count() == earlier + kept, moment
                patients.answers[moment] = post(site, moment)
                assert Enquiry.objects.count() == earlier + 1
        Reckoning(patients).expect_nothing_lost()
    finally:
        dying.clear()
        sys.stderr.write(dying.log.read_text()[-4000:])


@pytest.mark.skipif(not SQLITE, reason="the disk is the database server's")
def test_a_full_disk_refuses_and_loses_nothing_and_room_is_all_it_takes(web):
    """F10. No file of the server may grow past a size, which the kernel answers as it does a full disk."""
    name = Path(connection.settings_dict["NAME"])
    with Patients(web.address, people=2) as patients:
        patients.wait_for_more()
        log = name.with_name(name.name + "-wal")
        with connection.cursor() as cursor:
            cursor.execute(
                "PRAGMA wal_checkpoint(TRUNCATE)"
            )  # or it would fill what earlier tests left there before it grew
        size = log.stat().st_size if log.exists() else 0
        for pid in web.children():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + 50_000, resource.RLIM_INFINITY))
        wait_for(lambda: len(patients.told(503)) >= 3, what="refusals")
        assert web.get("/fact-sheets/about-back-pain/") == 200
        for pid in web.children():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        patients.wait_for_more()
    assert set(patients.answers.values()) == {303, 503}
    Reckoning(patients).expect_nothing_lost()


@pytest.mark.skipif(not SQLITE, reason="a server's files are its own")
def test_a_database_file_that_is_gone_takes_no_form_and_is_used_again_when_it_is_back(web):
    """F11. Without care, processes would go on saving into the deleted file that they hold open."""
    name = Path(connection.settings_dict["NAME"])
    away = name.with_name("away.sqlite3")
    with Patients(web.address, people=2) as patients:
        patients.wait_for_more()
        connection.close()
        name.rename(away)
        try:
            # The forms on their way end first. Whoever comes now is refused.
            wait_for(lambda: len(patients.told(503)) >= 15, what="refusals")
            accepted = len(patients.accepted)
            wait_for(lambda: len(patients.told(503)) >= 30, what="more refusals")
            assert len(patients.accepted) == accepted
        finally:
            away.replace(name)  # the tests' own database
        patients.wait_for_more()
    assert set(patients.answers.values()) == {303, 503}
    Reckoning(patients).expect_nothing_lost()


@pytest.mark.skipif(SQLITE, reason="PostgreSQL's sessions")
def test_all_sessions_of_postgresql_are_ended_under_load_and_the_next_forms_are_kept(web):
    """F13. The trials restart the server as well."""
    with Patients(web.address) as patients:
        for _ in range(3):
            patients.wait_for_more()
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                assert cursor.fetchone()[0]
        patients.wait_for_more()
    assert set(patients.answers.values()) <= {303, 503}
    Reckoning(patients).expect_nothing_lost()


def test_processes_with_the_wrong_key_do_not_start(tmp_path):
    """F18, the processes' part."""
    question()
    wrong = {**database_environment(), "FIELD_ENCRYPTION_KEYS": new_key(), "EMAIL_URL": "smtp://127.0.0.1:1"}
    for kind in (Web(wrong, tmp_path / "web"), MailWorker(wrong, tmp_path / "mail")):
        done = subprocess.run(
            [sys.executable, *kind.command], cwd=ROOT, env=kind.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode != 0
        assert "FIELD_ENCRYPTION_KEYS" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
