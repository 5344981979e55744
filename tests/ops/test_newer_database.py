"""Older software on the database of a newer version: a deployment that was rolled back, or a machine that was forgotten."""

import subprocess
import sys

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tests.conftest import consultation, database_environment
from tests.support.faults import Web
from tests.support.processes import start_process
from tests.support.smtp import free_port


@pytest.fixture
def newer(transactional_db):
    recorder = MigrationRecorder(connection)
    recorder.record_applied("enquiries", "9999_of_tomorrow")
    recorder.record_applied("an_app_of_yesterday", "0001_initial")
    yield
    recorder.record_unapplied("enquiries", "9999_of_tomorrow")
    recorder.record_unapplied("an_app_of_yesterday", "0001_initial")


def test_nothing_starts_prepares_or_sends_on_a_database_of_tomorrow(newer, settings):
    settings.PORT = free_port()  # a site may run on this machine
    kept = consultation()
    commands = [Web.command, ["manage.py", "serve"], ["manage.py", "deliver_mail"]]
    started = [
        start_process(
            [sys.executable, *command],
            env={**database_environment(), "PORT": str(settings.PORT)},
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    try:
        for command, process in zip(commands, started, strict=True):
            _, said = process.communicate(timeout=120)
            assert process.returncode, command
            assert "newer version of this software (enquiries.9999_of_tomorrow is not known here)" in said, command
            assert "Traceback" not in said
    finally:
        for process in started:
            process.kill()
    with pytest.raises(CommandError, match="newer version"):
        call_command("prepare")
    assert {message.attempts for message in kept.messages.all()} == {0}
    assert "an_app_of_yesterday" not in said
