"""Restores a backup of SQLite, and checks that a backup works.

PostgreSQL's own programs restore PostgreSQL (docs/operations.md, "Restore"). `check` then compares what they restored.
"""

import dataclasses
import fcntl
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connections

from backcare.ops import schema, soundness
from backcare.ops.backups import RESTORING, Trouble, archive, offsite, sealed, under_way
from backcare.ops.backups.database import Opened, Sqlite, opened, row_counts, sqlite_path

ASIDE = "before-restore"
RUNNING = (
    "The site still uses its database. Stop the web server and the mail worker, then try again. Nothing was changed."
)
RESTORED_INTO = " DATABASE_URL has to name the database into which it was restored, before the site writes to it."
Telling = Callable[[int, int], None]  # how many bytes of how many have been unpacked


def nobody(done: int, of: int) -> None:
    """Nobody watches."""


@dataclasses.dataclass(frozen=True)
class Tried:
    """A backup whose content matches its manifest, unpacked in its new place."""

    manifest: archive.Manifest
    opening: sealed.Opening
    rows: int
    waiting: int  # emails that had not been sent when it was made
    behind: int  # migrations of this software that it does not have yet
    aside: Path | None = None  # where the previous database is kept


def check(path: Path, identity: Path | None = None, progress: Telling = nobody) -> Tried:
    """Checks everything in the backup. The site's own database is not touched.

    On PostgreSQL, where this software restores nothing, the rows are those of the database in DATABASE_URL, into which
    somebody has restored the backup.
    """
    with (
        _unpacked(path, settings.DATA_DIR, identity, progress) as (manifest, file),
        closing(_sound(file)) if manifest.vendor == "sqlite" else opened() as database,
    ):
        return _compare(manifest, database)


def restore(path: Path, *, replace: bool, identity: Path | None = None, progress: Telling = nobody) -> Tried:
    """Replaces the site's database with the backup. The previous database is kept, and its new name returned.

    Everything that can be wrong with the backup is found before anything is moved. Raises Trouble.
    """
    connections.close_all()
    if connections["default"].vendor != "sqlite":
        raise Trouble(
            "On PostgreSQL a backup is restored with pg_restore (docs/operations.md, “Restore”). Nothing was changed."
        )
    with _to_its_end() as from_now_on, _unpacked(path, sqlite_path().parent, identity, progress) as (manifest, file):
        with closing(_sound(file)) as database:
            tried = _compare(manifest, database)
        from_now_on()
        return dataclasses.replace(tried, aside=_put(file, replace))


@contextmanager
def _to_its_end() -> Iterator[Callable[[], None]]:
    """Once what this gives is called, neither Ctrl-C nor a stop from the system ends the block: what is then said is true.

    By handlers, which are the process's. A mask would be this thread's, and another one would take the signal.
    """
    kept: dict[int, Any] = {}

    def from_now_on() -> None:
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            kept[each] = signal.signal(each, signal.SIG_IGN)

    try:
        yield from_now_on
    finally:
        for each, handler in kept.items():
            signal.signal(each, handler or signal.SIG_DFL)


@contextmanager
def _unpacked(
    path: Path, folder: Path, identity: Path | None, progress: Telling
) -> Iterator[tuple[archive.Manifest, Path]]:
    """`identity` is the file with the private key of a backup that is encrypted."""
    try:
        with under_way(folder, RESTORING) as scratch:
            if offsite.is_encrypted(path):
                path = offsite.decrypt(path, scratch / path.name.removesuffix(offsite.ENDING), identity)
            _fits(archive.read_manifest(path))
            yield archive.unpack(path, scratch, progress)
    except OSError as error:
        raise Trouble(f"The backup could not be unpacked in {folder}: {error.strerror}.") from error


def _fits(manifest: archive.Manifest) -> None:
    """Raises Trouble where this software, or this kind of database, cannot take the backup."""
    here = connections["default"].vendor
    if manifest.vendor != here:
        raise Trouble(f"This backup is from {manifest.vendor}, and DATABASE_URL names {here}. Name the same kind.")
    if unknown := set(manifest.migrations) - _known_migrations():
        raise Trouble(
            f"This backup is from a newer version of this software ({sorted(unknown)[0]} is not known here). Upgrade first."
        )


def _known_migrations() -> set[str]:
    return {f"{app}.{name}" for app, name in schema.known_migrations()}


def _compare(manifest: archive.Manifest, database: Opened) -> Tried:
    found = row_counts(database)
    for table, rows in manifest.tables.items():
        if found.get(table) != rows:
            raise Trouble(
                f"The backup promises {rows} rows in {table}, and {found.get(table, 'no such table')} came out of it."
                f"{RESTORED_INTO if manifest.vendor == 'postgresql' else ''}"
            )
    waiting = 0
    if "enquiries_outgoingmessage" in found:
        [(waiting,)] = database.execute(
            "SELECT count(*) FROM enquiries_outgoingmessage WHERE state IN ('waiting', 'sending')"
        )
    behind = len(_known_migrations() - set(manifest.migrations))
    return Tried(manifest, sealed.try_sample(database), sum(found.values()), waiting, behind)


def _sound(file: Path) -> Sqlite:
    """Opens the copy and reads every page of it."""
    database = Sqlite(file)
    try:
        answer = database.execute("PRAGMA integrity_check")
    except sqlite3.DatabaseError:
        answer = []
    if answer != [("ok",)]:
        database.close()
        raise Trouble("The database in this backup is damaged. Use another backup.")
    return database


def _put(file: Path, replace: bool) -> Path | None:
    """Returns the previous database's new path. At every moment, even in a power cut, there is one whole database."""
    place = sqlite_path()
    with _gate(place):
        aside = _kept_aside(place) if _holds_something(place, replace) else None
        for rest in _beside(place):
            rest.unlink(missing_ok=True)  # of an empty database
        file.rename(place)
        soundness.forget()
        archive.fsync_folder(place.parent)
    return aside


@contextmanager
def _gate(place: Path):
    """Keeps anybody from starting to write meanwhile (backcare/core/sqlite)."""
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
    """Raises Trouble if there is a database that must not be replaced or that somebody has open."""
    if not place.exists():
        return False
    try:
        with closing(Sqlite(place)) as database:
            database.execute("PRAGMA busy_timeout = 500")
            if not database.tables():
                return False
            if not replace:
                raise Trouble(
                    f"There is a database at {place}. Nothing was changed. To replace it with the backup, add --replace: "
                    "the present one is kept beside it."
                )
            # Leaving WAL needs exclusive use of the database, and folds the log into the file.
            database.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        if "locked" in str(error):
            raise Trouble(RUNNING) from None
        if not replace:
            raise Trouble(
                f"{place} cannot be read or is damaged. Nothing was changed. Add --replace: it is kept under another name."
            ) from None
    return True


def _kept_aside(place: Path) -> Path:
    """Gives it a second name. The first stays until the new database takes it."""
    stamp = f"{datetime.now(UTC):%Y-%m-%d-%H%M%S-%f}"
    for path in _beside(place):
        if path.exists():  # only for a damaged database, because it may hold what the file does not
            path.rename(path.with_name(f"{place.name}.{ASIDE}-{stamp}{path.name.removeprefix(place.name)}"))
    aside = place.with_name(f"{place.name}.{ASIDE}-{stamp}")
    try:
        aside.hardlink_to(place)
    except OSError:  # no file, or on a disk that has one name for each
        place.rename(aside)
    return aside
