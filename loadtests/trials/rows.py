"""The rows. Each takes the folder and the dose, fails when something is lost, and gives its figures as a sentence."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from django.core.management import call_command
from django.db import connection

from backcare.ops.backups import archive
from enquiries.models import OutgoingMessage
from loadtests.trials.ground import Ground, write_lock
from loadtests.trials.kills import LONG, everything_arrived, random_kills
from tests.support.faults import Patients, Reckoning, all_mail_is_sent
from tests.support.smtp import SmtpSink, wait_for


def mail_server_away(folder: Path, kills: int) -> str:
    """F6."""
    with Ground(folder) as ground:
        web = ground.web()
        ground.worker()
        with Patients(web.address, people=2, pause=0.3) as patients:
            patients.wait_for_more()
            ground.smtp.stop()
            patients.wait_for_more(20)
        wait_for(lambda: OutgoingMessage.objects.exclude(error="").exists(), what="a refused connection")
        with SmtpSink(port=ground.smtp.port) as back:
            started = time.monotonic()
            wait_for(all_mail_is_sent, seconds=LONG, what="all mail")
            seconds = time.monotonic() - started
            Reckoning(patients).expect_nothing_lost()
            doubles = everything_arrived([*ground.smtp.ids, *back.ids])
    assert set(patients.answers.values()) == {303}
    return f"{len(patients.accepted)} forms while away, 0 refused; all mail out {seconds:.0f} s after its return, {doubles} doubles"


def full_disk(folder: Path, kills: int) -> str:
    """F10, on a file system of a few megabytes that is filled to the last byte."""
    if connection.vendor != "sqlite":
        return "left out: the disk is the database server's"
    small = folder / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "none", str(small)], capture_output=True)  # noqa: S607 - on any PATH
    if mounted.returncode:
        return "left out: this account may not mount a small file system (the suite limits the size of files instead)"
    kept = connection.settings_dict["NAME"]
    connection.close()
    try:
        shutil.copy(kept, small / "backcare.sqlite3")
        connection.settings_dict["NAME"] = str(small / "backcare.sqlite3")
        with Ground(folder, DATABASE_URL=f"sqlite:///{small}/backcare.sqlite3") as ground:
            web = ground.web()
            with Patients(web.address, people=2) as patients:
                patients.wait_for_more()
                with (small / "filling").open("wb", buffering=0) as filling:
                    try:
                        while True:
                            filling.write(b"x" * 1024)
                    except OSError:
                        pass
                wait_for(lambda: len(patients.told(503)) >= 20, seconds=60, what="refusals")
                read = web.get("/fact-sheets/about-back-pain/")
                (small / "filling").unlink()
                patients.wait_for_more(10)
            found = Reckoning(patients)
            found.expect_nothing_lost()
            assert set(patients.answers.values()) == {303, 503}
            assert read == 200
        return (
            f"{found.accepted} accepted, {len(found.missing)} missing; {len(patients.told(503))} told “not saved”; "
            f"sheets answered {read}; took forms again by itself"
        )
    finally:
        connection.close()
        connection.settings_dict["NAME"] = kept
        subprocess.run(["umount", "-l", str(small)], check=True)  # noqa: S607 - on any PATH


def long_lock(folder: Path, kills: int) -> str:
    """F12."""
    if connection.vendor != "sqlite":
        return "left out: SQLite's lock"
    with Ground(folder) as ground:
        web = ground.web()
        with Patients(web.address, people=3, pause=0.1) as patients:
            patients.wait_for_more()
            with write_lock(connection.settings_dict["NAME"]):
                started = time.monotonic()
                time.sleep(12)
                read = web.get("/fact-sheets/about-back-pain/")
            patients.wait_for_more()
            seconds = time.monotonic() - started
        Reckoning(patients).expect_nothing_lost()
    assert read == 200
    assert set(patients.answers.values()) == {303, 503}
    return (
        f"write lock held 12 s: the slowest answer took {patients.slowest:.1f} s, {len(patients.told(503))} told “not saved”, "
        f"0 missing, sheets {read}, normal {seconds - 12:.1f} s after"
    )


def renewals(folder: Path, kills: int) -> str:
    """F16."""
    with Ground(folder) as ground:
        web = ground.web()
        with Patients(web.address, people=3, pause=0.1) as patients:
            for _ in range(10):
                patients.wait_for_more()
                before = set(web.children())
                web.process.send_signal(signal.SIGHUP)
                wait_for(lambda before=before: not before & set(web.children()), what="new processes")
        for _ in range(10):
            seen = len(ground.smtp.ids)
            worker = ground.worker()
            wait_for(lambda seen=seen: len(ground.smtp.ids) > seen or all_mail_is_sent(), seconds=60, what="a mail")
            assert worker.stop() == 0
        ground.worker()
        wait_for(all_mail_is_sent, seconds=LONG, what="all mail")
        Reckoning(patients).expect_nothing_lost()
        doubles = everything_arrived(ground.smtp.ids)
    failed = len(patients.answers) - len(patients.accepted)
    assert (failed, doubles) == (0, 0)
    return f"10 HUP under load: {failed} of {len(patients.answers)} requests failed; 10 SIGTERM of the worker: {doubles} doubles"


def backups(folder: Path, kills: int) -> str:
    """F21. That every row is the same is compared in the suite, and on PostgreSQL that it can be restored as well."""
    rows = []
    with Ground(folder) as ground:
        web = ground.web()
        with Patients(web.address, people=3) as patients, open(os.devnull, "w") as nowhere:  # noqa: PTH123
            for _ in range(5):
                patients.wait_for_more(10)
                call_command("backup", keep=5, stdout=nowhere)
        for file in sorted((folder / "backups").iterdir()):
            if connection.vendor != "sqlite":
                manifest, _ = archive.unpack(file, Path(tempfile.mkdtemp(dir=folder)))
                rows.append(str(sum(manifest.tables.values())))
                continue
            command = [sys.executable, "manage.py", "restore", "--check", str(file)]
            done = subprocess.run(command, env=ground.environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            rows.append(done.stdout.split(" rows, ")[0].split()[-1])
        Reckoning(patients).expect_nothing_lost()
    assert set(patients.answers.values()) == {303}
    return f"5 backups under load, 0 forms refused; each read again: {', '.join(rows)} rows"


def postgresql_restarts(folder: Path, kills: int) -> str:
    """F13."""
    if connection.vendor == "sqlite":
        return "left out: needs PostgreSQL's own programs"
    restart = os.environ["RESTART_POSTGRESQL"]
    gaps = []
    with Ground(folder) as ground:
        web, worker = ground.web(), ground.worker()
        with Patients(web.address, people=4, pause=0.02) as patients:
            for _ in range(3):
                patients.wait_for_more()
                connection.close()
                subprocess.run(restart, shell=True, check=True, stdout=subprocess.DEVNULL)  # noqa: S602 - our own command
                started = time.monotonic()
                patients.wait_for_more(1)
                gaps.append(time.monotonic() - started)
            patients.wait_for_more()
        connection.close()
        wait_for(all_mail_is_sent, seconds=LONG, what="all mail")
        assert worker.process.poll() is None, "The worker died."
        Reckoning(patients).expect_nothing_lost()
        doubles = everything_arrived(ground.smtp.ids)
    told = Counter(patients.answers.values())
    assert set(told) <= {303, 503}
    return (
        f"3 immediate restarts: {told[303]} accepted, 0 missing, {told[503]} told “not saved”; served again at most "
        f"{max(gaps):.1f} s after; worker alive, {doubles} doubles"
    )


ROWS = {
    "F1–F5": random_kills,
    "F6": mail_server_away,
    "F10": full_disk,
    "F12": long_lock,
    "F13": postgresql_restarts,
    "F16": renewals,
    "F21": backups,
}
