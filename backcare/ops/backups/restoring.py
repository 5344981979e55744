"""Putting a backup back, or only trying whether that would work."""

import fcntl
import os
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connections

from backcare.ops import schema, soundness
from backcare.ops.backups import Trouble, archive, sealed
from backcare.ops.backups.database import (
    SET_ASIDE,
    Opened,
    Postgresql,
    Sqlite,
    opened,
    parameters,
    row_counts,
    run,
    sqlite_path,
)

ASIDE = "before-restore"
ENDING = 2  # seconds
RUNNING = (
    "The site still uses its database. Stop the web server and the mail worker, then try again. Nothing was changed."
)


@dataclass(frozen=True)
class Tried:
    """A backup that holds what its manifest says, as it was found in its new place."""

    manifest: archive.Manifest
    opening: sealed.Opening
    rows: int
    waiting: int  # mails that had not gone when it was made
    behind: int  # migrations of this software that it does not have yet
    aside: str = ""  # where what was there before is kept


def check(path: Path) -> Tried:
    """Restores into a scratch place and looks at everything there. The site's own database is not touched."""
    with _unpacked(path, settings.DATA_DIR) as (manifest, file), _scratch(manifest, file) as database:
        return _compare(manifest, database)


def restore(path: Path, *, replace: bool) -> Tried:
    """Puts the backup in the place of the site's database. What was there is kept aside, and its new name returned.

    Everything that can be wrong with the backup is found out before anything is moved. Raises Trouble.
    """
    connections.close_all()
    folder = sqlite_path().parent if connections["default"].vendor == "sqlite" else settings.DATA_DIR
    with _unpacked(path, folder) as (manifest, file):
        put = _put_sqlite if manifest.vendor == "sqlite" else _put_postgresql
        return put(manifest, file, replace)


@contextmanager
def _unpacked(path: Path, folder: Path) -> Iterator[tuple[archive.Manifest, Path]]:
    manifest = archive.read_manifest(path)
    here = connections["default"].vendor
    if manifest.vendor != here:
        raise Trouble(f"This backup is from {manifest.vendor}, and DATABASE_URL names {here}. Name the same kind.")
    if unknown := set(manifest.migrations) - _known_migrations():
        raise Trouble(
            f"This backup is from a newer version of this software ({sorted(unknown)[0]} is not known here). Upgrade first."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".restoring-") as scratch:
            yield archive.unpack(path, Path(scratch))
    except OSError as error:
        raise Trouble(f"The backup could not be unpacked in {folder}: {error.strerror}.") from error


def _known_migrations() -> set[str]:
    return {f"{app}.{name}" for app, name in schema.known_migrations()}


def _compare(manifest: archive.Manifest, database: Opened, aside: str = "") -> Tried:
    found = row_counts(database)
    for table, rows in manifest.tables.items():
        if found.get(table) != rows:
            raise Trouble(
                f"The backup promises {rows} rows in {table}, and {found.get(table, 'no such table')} came out of it."
            )
    waiting = 0
    if "enquiries_outgoingmessage" in found:
        [(waiting,)] = database.execute(
            "SELECT count(*) FROM enquiries_outgoingmessage WHERE state IN ('waiting', 'sending')"
        )
    behind = len(_known_migrations() - set(manifest.migrations))
    return Tried(manifest, sealed.try_sample(database), sum(found.values()), waiting, behind, aside)


@contextmanager
def _scratch(manifest: archive.Manifest, file: Path) -> Iterator[Opened]:
    if manifest.vendor == "sqlite":
        with closing(_sound(file)) as database:
            yield database
        return
    name = f"backcare_check_{secrets.token_hex(4)}"
    with opened() as database:
        try:
            database.execute(f'CREATE DATABASE "{name}"')
        except database.connection.Error:
            raise Trouble(
                "The scratch database could not be made: the account in DATABASE_URL needs CREATEDB."
            ) from None
        try:
            to = parameters() | {"dbname": name}
            _fill(to, file)
            with closing(Postgresql(to)) as scratch:
                yield scratch
        finally:
            database.execute(f'DROP DATABASE IF EXISTS "{name}"')


def _sound(file: Path) -> Sqlite:
    """The copy, opened, and every page of it read."""
    database = Sqlite(file)
    try:
        answer = database.execute("PRAGMA integrity_check")
    except sqlite3.DatabaseError:
        answer = []
    if answer != [("ok",)]:
        database.close()
        raise Trouble("The database in this backup is damaged. Use another backup.")
    return database


# --- SQLite -----------------------------------------------------------------------------------------------------


def _put_sqlite(manifest: archive.Manifest, file: Path, replace: bool) -> Tried:
    place = sqlite_path()
    with closing(_sound(file)) as database:
        tried = _compare(manifest, database)
    with _gate(place):
        aside = _set_file_aside(place) if _holds_something(place, replace) else None
        for rest in (place, *_beside(place)):
            rest.unlink(missing_ok=True)  # of an empty database
        file.rename(place)
        soundness.forget()
        archive.fsync_folder(place.parent)
    return Tried(**{**vars(tried), "aside": str(aside or "")})


@contextmanager
def _gate(place: Path):
    """Nobody begins to write meanwhile (backcare/sqlite)."""
    gate = os.open(f"{place}-gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Trouble(RUNNING) from None
    finally:
        os.close(gate)


def _beside(place: Path) -> list[Path]:
    return [place.with_name(place.name + ending) for ending in ("-wal", "-shm", "-journal")]


def _holds_something(place: Path, replace: bool) -> bool:
    """Raises Trouble when there is something and it may not be replaced, or somebody has it open."""
    if not place.exists():
        return False
    try:
        with closing(Sqlite(place)) as database:
            database.execute("PRAGMA busy_timeout = 500")
            if not database.tables():
                return False
            if not replace:
                raise Trouble(
                    f"There is a database at {place}. Nothing was changed. To put the backup in its place, add --replace: "
                    "the present one is kept beside it."
                )
            # Leaving WAL works only for who has the database to himself, and folds the log into the file.
            database.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise Trouble(RUNNING) from None
        if not replace:
            raise Trouble(
                f"{place} cannot be read or is damaged. Nothing was changed. Add --replace: it is kept under another name."
            ) from None
    return True


def _set_file_aside(place: Path) -> Path:
    stamp = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}"
    for path in _beside(place):
        if path.exists():  # only of a damaged database: it may hold what the file does not
            path.rename(path.with_name(f"{place.name}.{ASIDE}-{stamp}{path.name.removeprefix(place.name)}"))
    aside = place.with_name(f"{place.name}.{ASIDE}-{stamp}")
    place.rename(aside)
    return aside


# --- PostgreSQL -------------------------------------------------------------------------------------------------


def _fill(to: dict, file: Path) -> None:
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    run("pg_restore", to, *options, str(file))


def _put_postgresql(manifest: archive.Manifest, file: Path, replace: bool) -> Tried:
    with opened() as database:
        aside = ""
        if database.tables():
            if not replace:
                raise Trouble(
                    "The database in DATABASE_URL is not empty. Nothing was changed. To put the backup in its place, add "
                    "--replace: what is there now is kept in a schema of its own."
                )
            if _others_use(database):
                raise Trouble(RUNNING)
            aside = f"{SET_ASIDE}{datetime.now(UTC):%Y%m%d_%H%M%S_%f}"
            _new_schema(database, aside)
        try:
            _fill(parameters(), file)
            return _compare(manifest, database, aside and f"the schema {aside}")
        except BaseException:  # whatever it is, and also when somebody stops it: the site gets back what it had
            database.execute("DROP SCHEMA public CASCADE")
            if aside:
                database.execute(f'ALTER SCHEMA "{aside}" RENAME TO public')
            else:
                _make_schema(database)
            raise


def _others_use(database: Postgresql) -> bool:
    """Whether a program beside this one has the database open. A session that has just ended is listed for a moment longer."""
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"  # not the server's own autovacuum
    )
    until = time.monotonic() + ENDING
    while in_use := database.execute(others) != [(0,)]:
        if time.monotonic() > until:
            break
        time.sleep(0.05)
    return in_use


def _new_schema(database: Postgresql, aside: str) -> None:
    database.execute("BEGIN")
    database.execute(f'ALTER SCHEMA public RENAME TO "{aside}"')
    _make_schema(database)
    database.execute("COMMIT")


def _make_schema(database: Postgresql) -> None:
    """As PostgreSQL itself makes it, so that the next dump takes it for its own."""
    owner = database.execute("SELECT 1 FROM pg_roles WHERE rolname = 'pg_database_owner'")
    database.execute(f"CREATE SCHEMA public{' AUTHORIZATION pg_database_owner' if owner else ''}")
    database.execute("GRANT USAGE ON SCHEMA public TO PUBLIC")
