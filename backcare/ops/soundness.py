"""Whether the database is whole, and whether forms are being refused. Kept in files: a sick database remembers nothing."""

import json
import logging
import sqlite3
from datetime import datetime

from django.conf import settings
from django.db import connections
from django.utils import timezone

from backcare.ops.backups.database import opened

logger = logging.getLogger(__name__)

NIGHT = 2  # o'clock: from then on, once a day


def check() -> bool:
    """Reads every page of SQLite, without the rows' sense. PostgreSQL has no such question, and is taken for whole."""
    if connections["default"].vendor != "sqlite":
        return True
    try:
        with opened() as database:
            return database.execute("PRAGMA quick_check(1)") == [("ok",)]
    except sqlite3.OperationalError:
        raise  # locked or away: nothing is known
    except sqlite3.DatabaseError:
        return False


def check_nightly(now: datetime) -> None:
    """Notes what it finds. The first time at once, then every night."""
    if connections["default"].vendor != "sqlite":
        return
    last, here = noted(), timezone.localtime(now)
    if last and (here.hour < NIGHT or timezone.localtime(last[0]).date() >= here.date()):
        return
    sound = check()
    if not sound:
        logger.error("The database is damaged. Restore the newest backup (docs/operations.md, “Restore”).")
    _note().write_text(json.dumps({"at": now.isoformat(), "sound": sound}), encoding="utf-8")


def noted() -> tuple[datetime, bool] | None:
    """When it was last checked, and whether it was whole. None when it never was."""
    try:
        found = json.loads(_note().read_text(encoding="utf-8"))
        return datetime.fromisoformat(found["at"]), bool(found["sound"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def forget() -> None:
    """Another database is in its place."""
    _note().unlink(missing_ok=True)


def form_was_refused() -> None:
    """A file that is there takes a new time even on a full disk."""
    try:
        _refused().touch()
    except OSError as error:
        logger.error("That a form was refused could not be noted: %s", type(error).__name__)


def refused_at() -> datetime | None:
    try:
        return datetime.fromtimestamp(_refused().stat().st_mtime, tz=timezone.get_current_timezone())
    except OSError:
        return None


def _note():
    return settings.DATA_DIR / "last-check.json"


def _refused():
    return settings.DATA_DIR / "last-refused"
