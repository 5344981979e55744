"""Shared by the tests of backups: a folder of their own, an empty place to restore into, and everything a database holds."""

import io
import secrets
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection
from psycopg.conninfo import make_conninfo

from backcare.ops.backups import database
from tests.support.keys import compare_again

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


def member(file: Path, name: str) -> bytes:
    with tarfile.open(file) as tar:
        return tar.extractfile(name).read()


def put_back(file: Path, **options) -> str:
    """Restores a backup as docs/operations.md says, with our own command or PostgreSQL's, and then checks it."""
    if SQLITE:
        return said("restore", str(file), **options)
    with tempfile.TemporaryDirectory() as folder:
        if identity := options.get("identity"):
            plain = Path(folder, "plain.tar.gz")
            subprocess.run(["age", "--decrypt", "--identity", identity, "--output", plain, file], check=True)  # noqa: S607
            file = plain
        dump = Path(folder, "database.dump")
        dump.write_bytes(member(file, dump.name))
        options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
        address = make_conninfo(**database.parameters())
        subprocess.run([database.program("pg_restore"), *options, f"--dbname={address}", dump], check=True)
        return said("restore", str(file), check=True)


@pytest.fixture
def empty_place(tmp_path):
    """A machine with nothing installed yet. Inside the block, the site's database is there."""
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
        compare_again()
        try:
            yield
        finally:
            connection.close()
            connection.settings_dict["NAME"] = kept
            compare_again()

    yield inside
    if not SQLITE:
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{name}"')
