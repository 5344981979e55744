"""Copies of what every test process starts with: the migrated, filled SQLite database and the collected static files.

Migrations and content take 17 seconds, static files with their compressed forms take five, and a copy takes a moment.

Every process of this run and the next starts from the copy, as long as nothing that it is made from has changed.
"""

import fcntl
import hashlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from datetime import date
from importlib.metadata import distributions, version
from pathlib import Path

from django.contrib.staticfiles.storage import staticfiles_storage

ROOT = Path(__file__).resolve().parents[2]
SHAPED_BY = ("backcare", "factsheets", "enquiries/migrations", "enquiries/models", "fixtures", "static/figures")
KEPT_COPIES = 20  # of each, some 7 MB


def copies() -> Path:
    """A folder for them that only we can use."""
    folder = Path(tempfile.gettempdir(), f"backcare-tests-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else.")
    return folder


def put_static_files(root: Path, collect: Callable[[], object]) -> None:
    """Puts the static files at `root`, from an earlier process's copy or else by calling `collect`."""
    kept = copies() / f"{shape_of_static_files()}.static"
    with kept.with_suffix(".static-lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            collect()
            part = kept.with_suffix(".static-part")
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(root, part)
            part.rename(kept)
            for old in sorted(kept.parent.glob("*.static"), key=lambda each: each.stat().st_mtime)[:-KEPT_COPIES]:
                shutil.rmtree(old)
                old.with_suffix(".static-lock").unlink(missing_ok=True)
            return
        os.utime(kept)
        shutil.copytree(kept, root, dirs_exist_ok=True)
        # An earlier test may have looked up an address and not found it.
        staticfiles_storage.hashed_files, staticfiles_storage.manifest_hash = staticfiles_storage.load_manifest()


class FilledDatabase:
    """One copy. Locked from `__init__` until `copy_to` or `save`, so that one process builds it while the others wait."""

    def __init__(self):
        self.path = copies() / f"{shape()}.sqlite3"
        self._lock = self.path.with_suffix(".lock").open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)

    def copy_to(self, path: Path) -> bool:
        """Whether there is a copy, which is then at `path`."""
        if not self.path.exists():
            return False
        shutil.copyfile(self.path, path)
        self.path.touch()
        self.unlock()
        return True

    def save(self, source: sqlite3.Connection) -> None:
        if not self._lock.closed:
            part = self.path.with_suffix(".part")
            part.unlink(missing_ok=True)
            copy = sqlite3.connect(part)
            source.backup(copy)
            copy.close()
            part.replace(self.path)
            for old in sorted(self.path.parent.glob("*.sqlite3"), key=lambda each: each.stat().st_mtime)[:-KEPT_COPIES]:
                old.unlink()
                old.with_suffix(".lock").unlink(missing_ok=True)
            self.unlock()

    def start(self, data: Path) -> None:
        """A copy for a separate site, with its static files if an earlier test has made them, so that `prepare` has less to do."""
        if not self.copy_to(data / "backcare.sqlite3"):
            self.unlock()
        if (kept := copies() / f"{shape_of_static_files()}.static").exists():
            shutil.copytree(kept, data / "static")

    def unlock(self) -> None:
        self._lock.close()


def shape() -> str:
    """A digest of everything that the database is made from, and of the day, because content says when it was installed."""
    found = hashlib.sha256(f"{version('django')} {date.today()}".encode())
    for folder in SHAPED_BY:
        for file in sorted((ROOT / folder).rglob("*")):
            if file.suffix in {".py", ".yaml", ".svg", ".txt"}:
                found.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return found.hexdigest()[:32]


def shape_of_static_files() -> str:
    """A digest of everything that they are made from: our files, those of packages, and the settings."""
    installed = sorted(f"{each.name} {each.version}" for each in distributions())
    found = hashlib.sha256("\n".join(installed).encode())
    for file in sorted([*(ROOT / "backcare/config").glob("*.py"), *(ROOT / "static").rglob("*")]):
        if file.is_file():
            found.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return found.hexdigest()[:32]
