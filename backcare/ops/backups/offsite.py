"""Backups away from this machine: encrypted to a key whose private half is elsewhere, and passed to a command that copies them.

`age` encrypts (https://age-encryption.org). This machine knows the public key alone, so it can write backups and read none of them.
"""

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from backcare.ops.backups import Trouble, keep_note, note

NOTE = "last-offsite"
ENDING = ".age"
MAGIC = b"age-encryption.org/"
STDIN = Path("-")  # an identity that age reads from standard input
HOOK_PATIENCE = 3 * 60 * 60  # seconds


@dataclass(frozen=True)
class Sent:
    at: datetime | None  # when a backup was last sent elsewhere
    failed: datetime | None  # when the newest one was not


def encrypt(plain: Path, target: Path, recipients: Sequence[str]) -> None:
    """Encrypts `plain` to `target` for the owners of the keys, and returns once it is on disk."""
    _age([*_to(recipients), f"--output={target}", str(plain)])
    target.chmod(0o600)
    with target.open("rb") as file:
        os.fsync(file.fileno())


def try_recipients(recipients: Sequence[str]) -> None:
    """Raises Trouble if a backup to these keys would fail."""
    _age([*_to(recipients), os.devnull])


def is_encrypted(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False  # opening it reports why


def decrypt(path: Path, target: Path, identity: Path | None) -> Path:
    if identity is None:
        raise Trouble(f"{path.name} is encrypted. Add --identity and the file with the private key.")
    if identity != STDIN and not os.access(identity, os.R_OK):
        raise Trouble(f"{identity} cannot be read from this account. Hand it over: --identity - < {identity}")
    _age(["--decrypt", f"--identity={identity}", f"--output={target}", str(path)])
    return target


def _to(recipients: Sequence[str]) -> list[str]:
    return [f"--recipient={each}" for each in recipients]


def _age(arguments: list[str]) -> None:
    found = shutil.which("age")
    if not found:
        raise Trouble("The program age is not on this machine. Install it (Debian: age), and try again.")
    done = subprocess.run([found, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # noqa: S603
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["it gave no reason"])[0]
        raise Trouble(f"age did not work: {said.removeprefix('age: error: ')[:200]}")


def send(path: Path) -> None:
    """Hands the backup to BACKUP_HOOK, whose last argument is its path. What the command says goes where our own words go.

    Whether it worked is kept for the status page. Raises Trouble when it did not.
    """
    if not settings.BACKUP_HOOK:
        return
    try:
        command = [*shlex.split(settings.BACKUP_HOOK), str(path)]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=HOOK_PATIENCE)  # noqa: S603 - the operator's own
        why = f"it ended with {done.returncode}" if done.returncode else ""
    except subprocess.TimeoutExpired:
        why = f"it took more than {HOOK_PATIENCE // 3600} hours"
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", "") or str(error)
    _remember(failed=bool(why))
    if why:
        raise Trouble(f"{path} is a whole backup. But BACKUP_HOOK did not take it off this machine: {why}.")


def last() -> Sent:
    noted = note(NOTE)
    try:
        return Sent(*(datetime.fromisoformat(noted[name]) if noted[name] else None for name in ("at", "failed")))
    except (ValueError, KeyError, TypeError):
        return Sent(None, None)


def _remember(*, failed: bool) -> None:
    now = datetime.now(UTC).isoformat(timespec="seconds")
    before = last().at
    keep_note(NOTE, **{"at": before and before.isoformat(), "failed": now} if failed else {"at": now, "failed": None})
