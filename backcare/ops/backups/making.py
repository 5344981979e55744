"""Taking a backup."""

import re
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from backcare.ops import soundness
from backcare.ops.backups import MAKING, Trouble, archive, keep_note, note, offsite, sealed, under_way
from backcare.ops.backups.database import FILE_NAMES, migrations, one_moment, row_counts

NAME = re.compile(r"backcare-\d{4}-\d{2}-\d{2}-\d{6}-\d{6}\.tar\.gz(?:\.age)?")
NOTE = "last-backup"


@dataclass(frozen=True)
class Made:
    path: Path
    manifest: archive.Manifest
    pruned: list[Path]


def make(folder: Path, *, keep: int) -> Made:
    """Copies everything of one moment into one file in `folder`, reads it again, sends it off, and only then prunes older ones.

    `keep` is how many files stay in the folder, 0 for all. With BACKUP_RECIPIENTS everything in `folder` is
    encrypted at any moment. With BACKUP_HOOK the file is sent off this machine. Raises Trouble, and leaves nothing half-made.
    Where only the sending failed, the older ones are pruned all the same: they are not kept for longer than was promised.
    """
    try:
        sound = soundness.check()
    except sqlite3.Error as error:
        raise Trouble(f"The database could not be read, and nothing was copied: {error}.") from error
    if not sound:
        raise Trouble(
            "The database is damaged, so it was not copied, and every earlier backup was kept. Stop the site and restore the "
            "newest one (docs/operations.md, “Restore”)."
        )
    try:
        with under_way(folder, MAKING) as fresh, under_way(settings.DATA_DIR, MAKING) as plain:
            path, manifest = _write(fresh, plain if settings.BACKUP_RECIPIENTS else fresh)
    except OSError as error:
        raise Trouble(f"The backup could not be written to {folder}: {error.strerror}.") from error
    try:
        keep_note(NOTE, at=manifest.made_at, file=path.name)
        try:
            offsite.send(path)
        finally:
            pruned = _prune(folder, keep)
        return Made(path, manifest, pruned)
    except OSError as error:
        raise Trouble(
            f"{path} is a whole backup. But {error.filename} could not be written or removed: {error.strerror}."
        ) from error


def last() -> datetime | None:
    """When this machine last made a backup, by the note of `make` in DATA_DIR. None if it never did."""
    try:
        return datetime.fromisoformat(note(NOTE)["at"])
    except (ValueError, KeyError, TypeError):
        return None


def _write(fresh: Path, scratch: Path) -> tuple[Path, archive.Manifest]:
    """Copies in `scratch`, makes the file in `fresh`, and moves it to the folder above."""
    with one_moment() as database:
        now = datetime.now(UTC)
        copy = scratch / FILE_NAMES[database.vendor]
        tables, moved, numbers = row_counts(database), migrations(database), sealed.key_ids(database)
        database.copy_to(copy)
    manifest = archive.Manifest(
        format=archive.FORMAT,
        made_at=now.isoformat(timespec="seconds"),
        vendor=database.vendor,
        database=copy.name,
        bytes=copy.stat().st_size,
        sha256=archive.sha256(copy),
        tables=tables,
        migrations=moved,
        key_ids=numbers,
    )
    made = scratch / f"backcare-{now:%Y-%m-%d-%H%M%S-%f}.tar.gz"
    archive.write(made, manifest, copy)
    copy.unlink()
    archive.unpack(made, scratch)  # a file that cannot be read back is not a backup
    if settings.BACKUP_RECIPIENTS:
        plain, made = made, fresh / f"{made.name}{offsite.ENDING}"
        offsite.encrypt(plain, made, settings.BACKUP_RECIPIENTS)
    path = made.rename(fresh.parent / made.name)
    archive.fsync_folder(path.parent)
    return path, manifest


def _prune(folder: Path, keep: int) -> list[Path]:
    """Deletes the oldest, and only files named like ours. Their names sort by time."""
    ours = sorted(path for path in folder.iterdir() if NAME.fullmatch(path.name))
    gone = ours[: max(0, len(ours) - keep)] if keep else []
    for path in gone:
        path.unlink(missing_ok=True)
    return gone
