"""Finds mail workers on this machine that are gone. Each locks a file, which the kernel releases when the worker dies.

A process number would not do, because another process may have it by then; nor would the heartbeat, which a frozen worker also
misses. This knows nothing of workers on other machines, with a DATA_DIR of their own: their claims wait until the lease ends.

Each also writes into its file which email the mail server accepted last, at once and without the database, where recording it may
have to wait for others. Whoever finds the worker gone records that one, and does not send it again.
"""

import fcntl
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID


class Present:
    """Marks the worker `name` as present until `leave()` or its death. Raises OSError if no file can be locked."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.path = folder, folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            self.file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self.file, fcntl.LOCK_EX)
            if self.path.exists():
                return
            os.close(self.file)  # another worker found it before it was locked, and thought us dead

    def accepted(self, message: UUID) -> None:
        """Notes that the mail server accepted it. The kernel has this even if the worker is killed at once. Raises OSError."""
        os.pwrite(self.file, message.bytes, 0)

    def leave(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self.file)

    def gone(self) -> Iterator[tuple[str, UUID | None, datetime]]:
        """The names of workers that died, with the last email that each sent, and when. Each counts as dealt with once the next
        is asked for.

        Raises OSError if the folder is gone.
        """
        for path in self.folder.iterdir():
            try:
                file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                # Another worker was quicker, or the file is another user's: those claims wait until their lease ends.
                continue
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # it is alive, even if frozen
                continue
            else:
                noted = os.pread(file, 16, 0)
                at = datetime.fromtimestamp(os.fstat(file).st_mtime, tz=UTC)
                yield path.name, UUID(bytes=noted) if len(noted) == 16 else None, at
                path.unlink(missing_ok=True)
            finally:
                os.close(file)
