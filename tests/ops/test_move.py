"""From SQLite to PostgreSQL in one command, with nothing lost and nothing changed."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from uuid import uuid4

import pytest
from django.db import connection

from tests.conftest import ROOT, database_environment
from tests.support.processes import OnTerminal
from tests.support.smtp import free_port

pytestmark = [
    pytest.mark.process,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor == "sqlite", reason="There is no PostgreSQL to move to."),
]

# Read through the application, by its keys; and one more of each shows that the new numbers follow the old ones.
READ = """
from django.contrib.auth.models import User
from enquiries.models import Enquiry, EnquiryEvent
from backcare.core.models import ClinicSettings
print(sorted((str(e.pk), e.reference, e.name, e.email, e.description) for e in Enquiry.objects.all()))
print(sorted((e.pk, e.note) for e in EnquiryEvent.objects.all()))
print(ClinicSettings.objects.get().name, sorted(User.objects.values_list("username", "password")))
"""
WRITE = "User.objects.create_user('one more'); print('written')"


@pytest.fixture
def new_database():
    parts, name = connection.settings_dict, f"moved_{uuid4().hex}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield f"postgres://{parts['USER']}:{parts['PASSWORD']}@{parts['HOST']}:{parts['PORT']}/{name}"
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_everything_moves_once_and_is_read_and_written_as_before(new_database, tmp_path):
    def manage(*arguments: str, database: str = f"sqlite:///{tmp_path}/old.sqlite3", **more: str):
        environment = {
            **os.environ,
            **database_environment(),
            "DATA_DIR": str(tmp_path),
            "DATABASE_URL": database,
            "PORT": str(free_port()),
        }
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env={**environment, **more}, capture_output=True, text=True)

    assert manage("prepare").returncode == 0  # with the demo's enquiries and accounts
    before = manage("shell", "-c", READ).stdout
    assert "@example.com" in before

    assert "Set NEW_DATABASE_URL" in manage("move_to_postgresql", NEW_DATABASE_URL="sqlite:///x").stderr
    # Ctrl-C half-way, on a terminal: nothing is left behind, and it can be run again.
    environment = {**os.environ, **database_environment(), "DATA_DIR": str(tmp_path), "NEW_DATABASE_URL": new_database}
    environment["DATABASE_URL"] = f"sqlite:///{tmp_path}/old.sqlite3"
    watched = OnTerminal([sys.executable, "manage.py", "move_to_postgresql"], env=environment)
    watched.wait_for(r"\d of [\d,]+.*: copying enquiries_")
    watched.process.send_signal(signal.SIGINT)
    assert "Stopped. The new database has no rows" in watched.end()
    assert watched.process.returncode == 130
    count = "from enquiries.models import Enquiry; print('rows', Enquiry.objects.count())"
    assert "rows 0" in manage("shell", "-c", count, database=new_database).stdout
    watched = OnTerminal([sys.executable, "manage.py", "move_to_postgresql"], env=environment)
    said = watched.end()
    assert watched.process.returncode == 0, said
    # To the last row, and then what was done and what is next.
    compared, total = re.findall(r"([\d,]+) of ([\d,]+)[^:]*: comparing ", said)[-1]
    assert compared == total
    [rows_copied] = re.findall(r"Copied: all ([\d,]+) rows of \d+ tables\.", said)
    assert int(total.replace(",", "")) == 2 * int(rows_copied.replace(",", ""))
    assert f"Nothing was changed in {tmp_path}/old.sqlite3, and the site still uses it." in said
    assert "1. Set DATABASE_URL to what NEW_DATABASE_URL says" in said
    with sqlite3.connect(tmp_path / "old.sqlite3") as old:
        [(rows,)] = old.execute("SELECT count(*) FROM enquiries_enquiry")
    old.close()
    assert rows > 10
    assert manage("shell", "-c", READ, database=new_database).stdout == before
    assert "written" in manage("shell", "-c", READ + WRITE, database=new_database).stdout

    again = manage("move_to_postgresql", NEW_DATABASE_URL=new_database)
    assert again.returncode == 1
    assert "holds accounts or enquiries already" in again.stderr
    assert "does not name an SQLite" in manage("move_to_postgresql", database=new_database).stderr
