"""Copies either database as it is at one moment, while others go on writing.

Rows are counted in the snapshot that is copied, not in the copy, so an incomplete copy is noticed.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from django.db import connections

from backcare.ops.backups import Trouble

FILE_NAMES = {"sqlite": "database.sqlite3", "postgresql": "database.dump"}
# What an address of PostgreSQL may say. Django's own parameters, such as its cursor, are not for other programs.
CONNECTS_WITH = {"dbname", "user", "host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey", "service", "passfile"}
CONNECTS_WITH |= {"target_session_attrs", "connect_timeout"}


class Sqlite:
    vendor = "sqlite"

    def __init__(self, path: Path):
        # "rw": a missing database is not created.
        self.connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=rw", uri=True, isolation_level=None, timeout=10
        )

    def execute(self, sql: str) -> list[tuple]:
        return self.connection.execute(sql).fetchall()

    def begin(self) -> None:
        self.execute("BEGIN")
        self.execute("SELECT count(*) FROM sqlite_master")  # the first read fixes the moment, and writers do not wait

    def tables(self) -> list[str]:
        found = self.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite|_%' ESCAPE '|'"
        )
        return sorted(name for (name,) in found)

    def columns(self, table: str) -> set[str]:
        return {row[1] for row in self.execute(f'PRAGMA table_info("{table}")')}

    def literal(self, value: bytes) -> str:
        return f"x'{value.hex()}'"

    def copy_to(self, path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as copy:
            self.connection.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log

    def close(self) -> None:
        self.connection.close()


class Postgresql:
    vendor = "postgresql"

    def __init__(self, parameters: dict):
        import psycopg

        self.parameters = parameters
        self.connection = psycopg.connect(**parameters, autocommit=True)
        self.snapshot = ""

    def execute(self, sql: str) -> list[tuple]:
        cursor = self.connection.execute(sql)
        return cursor.fetchall() if cursor.description else []

    def begin(self) -> None:
        self.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        [(self.snapshot,)] = self.execute("SELECT pg_export_snapshot()")

    def tables(self) -> list[str]:
        found = self.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        return sorted(name for (name,) in found)

    def columns(self, table: str) -> set[str]:
        found = self.execute(
            "SELECT column_name FROM information_schema.columns"  # noqa: S608 - the table's own name
            f" WHERE table_schema = 'public' AND table_name = '{table}'"
        )
        return {name for (name,) in found}

    def literal(self, value: bytes) -> str:
        return f"'\\x{value.hex()}'::bytea"

    def copy_to(self, path: Path) -> None:
        from psycopg.conninfo import make_conninfo

        # The password goes through the environment, where `ps` does not show it.
        environment = os.environ | (
            {"PGPASSWORD": self.parameters["password"]} if "password" in self.parameters else {}
        )
        address = make_conninfo(**{key: value for key, value in self.parameters.items() if key != "password"})
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={self.snapshot}", f"--file={path}"]
        command = [program("pg_dump"), *options, f"--dbname={address}"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)  # noqa: S603 - our own arguments
        if done.returncode:
            said = (done.stderr.strip().splitlines() or ["it gave no reason"])[0]
            raise Trouble(f"pg_dump did not work: {said[:200]}")

    def close(self) -> None:
        self.connection.close()


Opened = Sqlite | Postgresql


def parameters() -> dict:
    """How to connect to the site's own PostgreSQL."""
    given = connections["default"].get_connection_params()
    return {name: str(value) for name, value in given.items() if name in CONNECTS_WITH | {"password"} and value}


def sqlite_path() -> Path:
    return Path(connections["default"].settings_dict["NAME"])


@contextmanager
def opened() -> Iterator[Opened]:
    """The site's own database, through a separate connection."""
    if connections["default"].vendor == "sqlite":
        if not sqlite_path().exists():
            raise Trouble(f"There is no database at {sqlite_path()}.")
        database = Sqlite(sqlite_path())
    else:
        database = Postgresql(parameters())
    with closing(database):
        yield database


@contextmanager
def one_moment() -> Iterator[Opened]:
    """A snapshot of the site's own database, unaffected by what others write."""
    with opened() as database:
        database.begin()
        yield database


def row_counts(database: Opened) -> dict[str, int]:
    """The rows of every table."""
    return {
        table: database.execute(f'SELECT count(*) FROM "{table}"')[0][0]  # noqa: S608 - the database's own names
        for table in database.tables()
    }


def migrations(database: Opened) -> list[str]:
    if "django_migrations" not in database.tables():
        return []
    return sorted(f"{app}.{name}" for app, name in database.execute("SELECT app, name FROM django_migrations"))


def program(name: str) -> str:
    """The path of one of PostgreSQL's own programs: the newest, because an old one refuses a newer server."""
    newest = sorted(
        Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4].split(".")[0])
    )
    found = str(newest[-1]) if newest else shutil.which(name)
    if not found:
        raise Trouble(
            f"{name} is not on this machine. Install PostgreSQL's client programs (postgresql-client), and try again."
        )
    return found
