"""The real `manage.py deliver_mail`: killed, stopped, frozen, doubled, and cut off from its server and its database."""

import os
import signal
import sqlite3
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest
from django.db import connection, transaction

from enquiries.mail.worker import Worker
from enquiries.mail.worker_presence import Present
from enquiries.models import Enquiry, EventKind, MessageState, OutgoingMessage, Purpose, Status, WorkerHeartbeat
from tests.conftest import consultation, report
from tests.support.outbox import events, let_leases_run_out, make_due, question
from tests.support.processes import start_process
from tests.support.smtp import SmtpSink, wait_for


@pytest.fixture
def start(child_environment, tmp_path):
    """Starts mail workers, and sees to it that none outlives the test."""
    started = []

    def start_one(*options, **environment):
        log = (tmp_path / f"worker-{len(started)}.log").open("wb")
        process = start_process(
            [sys.executable, "manage.py", "deliver_mail", *options],
            env=child_environment | environment,
            stdout=log,
            stderr=log,
        )
        started.append((process, log))
        return process

    yield start_one
    for process, log in started:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait(120)
        log.close()
        # For the reader of a failed test.
        sys.stderr.write(Path(log.name).read_text())


@pytest.fixture
def said(tmp_path):
    """What the workers wrote to their log."""
    return lambda: "".join(path.read_text() for path in sorted(tmp_path.glob("worker-*.log")))


def one_mail() -> OutgoingMessage:
    """An enquiry with one mail: the patient's."""
    question().messages.filter(purpose=Purpose.CLINIC_ALERT).delete()
    return OutgoingMessage.objects.get()


def in_state(state: str):
    return lambda: OutgoingMessage.objects.filter(state=state).exists()


def all_sent() -> bool:
    return not OutgoingMessage.objects.exclude(state=MessageState.SENT).exists()


def finish(process) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(30)


def test_a_worker_killed_before_the_server_accepts_loses_nothing_and_doubles_nothing(start, smtp, tmp_path):
    """Its mail goes at once from the same machine, and from elsewhere after the lease."""
    message = one_mail()
    smtp.stall["mail"] = 60
    killed = start()
    wait_for(in_state(MessageState.SENDING), what="the worker's claim")
    killed.kill()
    killed.wait(120)
    smtp.stall.clear()
    assert start("--once", DATA_DIR=str(tmp_path / "elsewhere")).wait(120) == 0
    assert in_state(MessageState.SENDING)() and smtp.messages == []
    assert start("--once").wait(120) == 0
    assert smtp.ids == [f"<{message.pk}@example.com>"]
    message.refresh_from_db()
    assert (message.state, message.attempts) == (MessageState.SENT, 2)


def test_a_worker_that_lives_is_not_taken_for_dead_and_a_dead_one_is_found_once(tmp_path):
    one, other, third = (Present(tmp_path, name) for name in ("one", "other", "third"))
    assert [*one.gone()] == [*other.gone()] == []
    os.close(other.file)  # as its death does
    third.leave()
    assert [(name, last) for name, last, _ in one.gone()] == [("other", None)]
    assert not [*one.gone()]
    one.leave()
    assert not [*tmp_path.iterdir()]


def test_mail_goes_where_the_locks_of_other_workers_cannot_be_looked_at(db, sheet, settings, tmp_path, mail_through):
    settings.DATA_DIR = tmp_path
    worker = Worker()
    worker.start()
    locks = worker.present.folder
    for strange in (lambda: (locks / "a-folder").mkdir(), lambda: locks.rename(tmp_path / "put-aside")):
        strange()
        report(sheet, email=f"{len(mail_through.ids)}@example.com")
        make_due()
        worker.next_look = 0
        assert worker.run_once()
    assert len(mail_through.ids) == 2
    worker.disconnect()
    worker.present.leave()


def test_a_worker_killed_after_the_server_accepted_sends_once_more_with_the_same_id(start, smtp):
    message = one_mail()
    smtp.delay = 60
    killed = start()
    wait_for(lambda: smtp.messages, what="the server's acceptance")
    killed.kill()
    killed.wait(120)
    smtp.delay = 0
    let_leases_run_out()
    assert start("--once").wait(120) == 0
    assert smtp.ids == [f"<{message.pk}@example.com>"] * 2
    message.refresh_from_db()
    assert message.state == MessageState.SENT
    assert events(message.enquiry, EventKind.MESSAGE_SENT) == 1


def test_a_worker_killed_while_it_waits_to_record_sends_nothing_twice(start, smtp, child_environment):
    message = one_mail()
    locked = threading.Event()
    smtp.during_data = lambda: locked.wait(60)
    killed = start()
    wait_for(smtp.data_seen.is_set, what="the mail on the wire")
    with transaction.atomic():  # somebody else writes
        OutgoingMessage.objects.select_for_update().get()
        locked.set()
        [file] = (Path(child_environment["DATA_DIR"]) / "mail-workers").iterdir()
        wait_for(lambda: file.read_bytes() == message.pk.bytes, what="the worker's note")
        killed.kill()
        killed.wait(120)
    assert start("--once").wait(120) == 0
    assert smtp.ids == [f"<{message.pk}@example.com>"]
    message.refresh_from_db()
    assert (message.state, message.attempts) == (MessageState.SENT, 1)
    assert events(message.enquiry, EventKind.MESSAGE_SENT) == 1


def test_workers_killed_again_and_again_lose_nothing(start, smtp):
    """At most one mail a kill is sent twice, and only with the same id."""
    for number in range(10):
        question(email=f"ada{number}@example.com")
    smtp.delay = 0.05
    kills = 3
    for round_ in range(kills):
        killed = start()
        wait_for(lambda done=5 * round_ + 3: len(smtp.ids) >= done, what="some mails")
        killed.kill()
        killed.wait(120)
        let_leases_run_out()
    assert start("--once").wait(120) == 0
    assert all_sent()
    expected = {f"<{pk}@example.com>" for pk in OutgoingMessage.objects.values_list("pk", flat=True)}
    assert len(expected) == 20
    assert set(smtp.ids) == expected
    assert len(smtp.ids) <= len(expected) + kills


def test_two_workers_deliver_sixty_mails_once_each(start, smtp):
    workers = [start(), start()]
    wait_for(lambda: WorkerHeartbeat.objects.count() == 2, what="both workers' heartbeat")
    # Slow enough that both find work.
    smtp.delay = 0.03
    for number in range(30):
        consultation(email=f"ada{number}@example.com")
    wait_for(all_sent, what="all mail")
    assert len(smtp.ids) == len(set(smtp.ids)) == 60
    assert len(set(smtp.clients)) >= 2, "Only one of the workers worked."
    assert [finish(worker) for worker in workers] == [0, 0]
    assert len(smtp.ids) == 60


def test_a_worker_that_is_told_to_stop_finishes_the_mail_in_hand_and_takes_no_other(start, smtp):
    question()
    told = threading.Event()
    smtp.during_data = lambda: told.wait(30)
    worker = start()
    wait_for(smtp.data_seen.is_set, what="the first mail on the wire")
    worker.send_signal(signal.SIGTERM)
    told.set()
    assert worker.wait(30) == 0
    assert len(smtp.messages) == 1
    assert sorted(OutgoingMessage.objects.values_list("state", flat=True)) == [MessageState.SENT, MessageState.WAITING]
    assert start("--once").wait(120) == 0
    assert len(smtp.ids) == len(set(smtp.ids)) == 2


def test_a_worker_frozen_past_its_lease_cannot_settle_when_it_thaws(start, smtp, sheet):
    enquiry = report(sheet)
    is_frozen = threading.Event()

    def hold_the_first():
        smtp.during_data = None
        is_frozen.wait(30)

    smtp.during_data = hold_the_first
    frozen = start()
    wait_for(smtp.data_seen.is_set, what="the mail on the wire")
    frozen.send_signal(signal.SIGSTOP)
    is_frozen.set()
    wait_for(lambda: smtp.messages, what="the server's acceptance")
    let_leases_run_out()
    assert start("--once").wait(120) == 0
    settled = OutgoingMessage.objects.values().get()
    assert settled["state"] == MessageState.SENT
    frozen.send_signal(signal.SIGCONT)
    assert finish(frozen) == 0
    assert OutgoingMessage.objects.values().get() == settled
    enquiry.refresh_from_db()
    assert enquiry.status == Status.CLOSED
    assert events(enquiry, EventKind.MESSAGE_SENT) == events(enquiry, EventKind.MOVED) == 1
    assert len(smtp.ids) == 2
    assert len(set(smtp.ids)) == 1


def test_a_worker_outlives_its_mail_server_and_goes_on_when_it_returns(start, smtp, said):
    smtp.stop()
    question()
    worker = start()
    wait_for(lambda: OutgoingMessage.objects.filter(attempts=1, state=MessageState.WAITING).count() == 2, what="tries")
    assert set(OutgoingMessage.objects.values_list("error", flat=True)) == {"ConnectionRefusedError"}
    assert worker.poll() is None
    with SmtpSink(port=smtp.port) as back:
        make_due()
        wait_for(all_sent, what="all mail")
        assert len(back.ids) == len(set(back.ids)) == 2
        assert finish(worker) == 0
    assert "ada@example.com" not in said()
    assert Enquiry.objects.get().reference in said()


def test_a_worker_outlives_its_database_and_goes_on_when_it_returns(start, smtp, said):
    worker = start()
    wait_for(WorkerHeartbeat.objects.exists, what="the worker's heartbeat")
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            wait_for(lambda: "waits for the database" in said(), what="the worker's note that it waits")
    else:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] >= 1, "The worker had no connection to lose."
    assert worker.poll() is None
    question()
    wait_for(all_sent, what="all mail")
    assert len(smtp.ids) == 2
    assert worker.poll() is None
    assert finish(worker) == 0
