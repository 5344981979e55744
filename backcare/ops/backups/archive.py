"""The file format of a backup: a tar with a manifest and the database, in one file so that neither can get lost."""

import gzip
import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from backcare.ops.backups import Trouble

FORMAT = 1
MANIFEST = "manifest.json"
AT_ONCE = 1024 * 1024  # bytes
MAX_MANIFEST_BYTES = 4 * 1024 * 1024  # bytes


@dataclass(frozen=True)
class Manifest:
    """What is in a backup. `key_ids` says which keys it needs, without containing any."""

    format: int
    made_at: str  # ISO 8601, UTC
    vendor: str
    database: str  # the name of the database's file in the archive
    bytes: int
    sha256: str
    tables: dict[str, int]  # rows of each
    migrations: list[str]
    key_ids: list[int]


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(path: Path, manifest: Manifest, database: Path) -> None:
    """Writes the archive, which only its owner can read, and returns once it is on disk."""
    note = database.with_name(MANIFEST)
    note.write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True), encoding="utf-8")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - with its mode
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as archive:
            archive.add(note, MANIFEST)
            archive.add(database, manifest.database)
        file.flush()
        os.fsync(file.fileno())


def fsync_folder(folder: Path) -> None:
    """Writes the folder itself, without which a new name in it would not survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_manifest(path: Path) -> Manifest:
    with _reading(path) as archive:
        return _manifest(archive, path)


def unpack(
    path: Path, folder: Path, progress: Callable[[int, int], None] = lambda done, of: None
) -> tuple[Manifest, Path]:
    """The manifest, and the database's file in `folder`, whose bytes are those that the manifest promises.

    `progress` is told how many of how many bytes are out.
    """
    with _reading(path) as archive:
        manifest = _manifest(archive, path)
        member = archive.next()
        if member is None or member.name != manifest.database or not member.isfile():
            raise Trouble(f"{path.name} has no database in it. Use another backup.")
        # The name in the archive cannot be trusted as a path.
        database = folder / f"restored.{manifest.vendor}"
        digest, source = hashlib.sha256(), archive.extractfile(member)
        with open(os.open(database, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:  # noqa: PTH123
            while part := source.read(AT_ONCE):
                digest.update(part)
                target.write(part)
                progress(target.tell(), manifest.bytes)
            target.flush()
            os.fsync(target.fileno())
    if digest.hexdigest() != manifest.sha256:
        raise Trouble(
            f"{path.name} was changed or damaged since it was made: its checksum is wrong. Use another backup."
        )
    return manifest, database


@contextmanager
def _reading(path: Path):
    try:
        with tarfile.open(path, "r:gz") as archive:
            yield archive
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise Trouble(f"{path} cannot be read: {error.strerror}.") from None
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error):
        raise Trouble(f"{path.name} is cut short or damaged, or is no backup of ours. Use another backup.") from None


def _manifest(archive: tarfile.TarFile, path: Path) -> Manifest:
    member = archive.next()
    if member is None or member.name != MANIFEST or not member.isfile() or member.size > MAX_MANIFEST_BYTES:
        raise Trouble(f"{path.name} has no manifest, so it is no backup of ours.")
    try:
        said = json.loads(archive.extractfile(member).read())
        if said["format"] > FORMAT:
            raise Trouble(f"{path.name} was made by a newer version of this software. Upgrade first.")
        return Manifest(**said)
    except (ValueError, KeyError, TypeError):
        raise Trouble(f"{path.name} has a manifest that cannot be read. Use another backup.") from None
