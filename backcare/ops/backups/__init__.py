"""Backs up everything the site knows while it runs, and restores it.

`making.make()` writes one file, `restoring.restore()` restores it (SQLite), `restoring.check()` tests it. The keys of
FIELD_ENCRYPTION_KEYS are never part of it: a backup without them is unreadable, and a thief of one file has nothing.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

MAKING, RESTORING = ".making-", ".restoring-"  # folders of work in progress
ABANDONED_AFTER = timedelta(days=1)  # such a folder, left by a killed program


class Trouble(Exception):
    """Why a backup could not be made or restored, in a sentence for the operator, without names or secrets."""


@contextmanager
def under_way(folder: Path, kind: str) -> Iterator[Path]:
    """A new folder in `folder`, deleted afterwards with its contents. Also deletes what killed programs left there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for left in (*folder.glob(f"{MAKING}*"), *folder.glob(f"{RESTORING}*")):
        if time.time() - left.stat().st_mtime > ABANDONED_AFTER.total_seconds():
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=kind) as made:
        yield Path(made)


def note(name: str) -> dict[str, Any]:
    """The newest note under this name in DATA_DIR. Empty if there is none that can be read."""
    try:
        found = json.loads(note_file(name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def keep_note(name: str, **noted: str | bool | None) -> None:
    """Replaces the previous note, which stays whole until then."""
    fresh = note_file(name).with_suffix(".json.new")
    fresh.write_text(json.dumps(noted), encoding="utf-8")
    fresh.rename(note_file(name))


def note_file(name: str) -> Path:
    return Path(settings.DATA_DIR, f"{name}.json")
