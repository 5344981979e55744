"""Whether the database is sound, and whether forms are being refused: in files, because a damaged database cannot store it."""

import logging
import sqlite3
from datetime import datetime

from django.conf import settings
from django.db import connections
from django.utils import timezone

from backcare.ops.backups import keep_note, note, note_file
from backcare.ops.backups.database import opened

logger = logging.getLogger(__name__)

NOTE = "last-check"
NIGHT = 2  # o'clock: once a day, from this hour on


def check() -> bool:
    """Reads every page of SQLite, but not the meaning of rows. PostgreSQL has no such check and counts as sound."""
    if connections["default"].vendor != "sqlite":
        return True
    try:
        with opened() as database:
            return database.execute("PRAGMA quick_check(1)") == [("ok",)]
    except sqlite3.OperationalError:
        raise  # locked or away, so nothing is known
    except sqlite3.DatabaseError:
        return False


def check_nightly(now: datetime) -> None:
    """Checks at once the first time and then every night, and records the result."""
    if connections["default"].vendor != "sqlite":
        return
    last, here = noted(), timezone.localtime(now)
    if last and (here.hour < NIGHT or timezone.localtime(last[0]).date() >= here.date()):
        return
    sound = check()
    if not sound:
        logger.error("The database is damaged. Restore the newest backup (docs/operations.md, “Restore”).")
    keep_note(NOTE, at=now.isoformat(), sound=sound)


def noted() -> tuple[datetime, bool] | None:
    """When it was last checked, and whether it was sound. None if it never was."""
    try:
        found = note(NOTE)
        return datetime.fromisoformat(found["at"]), bool(found["sound"])
    except (ValueError, KeyError, TypeError):
        return None


def forget() -> None:
    """Another database is in its place."""
    note_file(NOTE).unlink(missing_ok=True)


def form_was_refused() -> None:
    """Touches a file, which works even on a full disk if the file exists."""
    try:
        _refused().touch()
    except OSError as error:
        logger.error("Could not record that a form was refused: %s", type(error).__name__)


def refused_at() -> datetime | None:
    try:
        return datetime.fromtimestamp(_refused().stat().st_mtime, tz=timezone.get_current_timezone())
    except OSError:
        return None


def _refused():
    return settings.DATA_DIR / "last-refused"
