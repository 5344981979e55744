"""SQLite with a gate for writers.

SQLite's own waiters sleep and poll, so under contention some starve: measured p99 613 ms for a form with eight
connections. Taking turns on a lock of the operating system before `BEGIN IMMEDIATE` brought that to 22 ms. The gate also keeps
two connections from writing and checkpointing at the same instant, the precondition of SQLite's WAL-reset bug (before 3.51.3).

Nobody polls for the lock: the threads of a process take turns, and one of them waits in the kernel's queue with the other
processes (docs/decisions/0049-the-write-gate-is-a-queue.md).
"""

import fcntl
import os
import threading
import time
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base


class Gate:
    """The gate of one database file for the threads of this process."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.turn = threading.Lock()
        self.queued: Queued | None = None

    def enter(self, seconds: float) -> int:
        """The open file that holds the lock. Raises OperationalError when it is not ours in time."""
        deadline = time.monotonic() + seconds
        if not self.turn.acquire(timeout=seconds):
            raise OperationalError(NO_TURN)
        try:
            return self._locked(deadline)
        except BaseException:
            self.turn.release()
            raise

    def leave(self, file: int) -> None:
        os.close(file)  # closing gives the lock back
        self.turn.release()

    def _locked(self, deadline: float) -> int:
        if self.queued is None or not self.queued.is_wanted_again():
            try:
                file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise OperationalError("the write gate cannot be opened") from error
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.queued = Queued(file)
            else:
                return file
        queued = self.queued
        if queued is None or not queued.wait(deadline - time.monotonic()):
            raise OperationalError(NO_TURN)
        self.queued = None
        return queued.file


class Queued(threading.Thread):
    """A place in the kernel's queue for the lock, which knows no time limit: whoever gives up leaves it to the next."""

    def __init__(self, file: int) -> None:
        super().__init__(name="write gate", daemon=True)
        self.file, self.wanted, self.over = file, True, False
        self.guard, self.held = threading.Lock(), threading.Event()
        self.start()

    def run(self) -> None:
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX)
        except OSError:
            locked = False
        else:
            locked = True
        with self.guard:
            if locked and self.wanted:
                self.held.set()
            else:
                self.over = True
                os.close(self.file)

    def wait(self, seconds: float) -> bool:
        """Whether the lock is ours. From then on it is for the caller to close the file."""
        self.held.wait(seconds)
        with self.guard:
            self.wanted = self.held.is_set()
            return self.wanted

    def is_wanted_again(self) -> bool:
        with self.guard:
            self.wanted = not self.over
            return self.wanted


NO_TURN = "database is locked: no turn at the write gate"
_gates: dict[str, Gate] = {}
# A thread of the parent may be inside; it is not in the child.
os.register_at_fork(after_in_child=_gates.clear)


# Four of the methods are Django's own, which its types leave out.
class DatabaseWrapper(base.DatabaseWrapper):
    gate: int | None = None  # the open file, while it is ours
    entered: Gate | None = None
    file: tuple[int, int] | None = None  # device and inode of the open file

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        name = Path(self.settings_dict["NAME"])
        log = name.with_name(f"{name.name}-wal")
        if self._file() is None and log.exists() and log.stat().st_size:
            # SQLite would make an empty database, and throw the log away with the latest forms in it.
            raise OperationalError("the database file is missing, and its log is there")
        connection = super().get_new_connection(conn_params)
        self.file = self._file()
        return connection

    def _start_transaction_under_autocommit(self) -> None:
        self._enter_gate()
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._leave_gate()
            raise

    def _commit(self) -> None:
        super()._commit()  # type: ignore[misc]
        self._leave_gate()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._leave_gate()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._leave_gate()

    def _enter_gate(self) -> None:
        name = str(self.settings_dict["NAME"])
        if self.gate is not None or self.is_in_memory_db() or name.startswith("file:"):
            return
        if self.file != self._file():
            # Deleted, or put back from a backup: what is written into the file that we hold open would be lost with it.
            self.close()
            raise OperationalError("the database file was moved or replaced")
        gate = _gates.setdefault(name, Gate(f"{name}-gate"))
        self.gate, self.entered = gate.enter(self.settings_dict["OPTIONS"].get("timeout", 5)), gate

    def _leave_gate(self) -> None:
        if self.gate is not None and self.entered is not None:
            self.entered.leave(self.gate)
            self.gate = self.entered = None

    def _file(self) -> tuple[int, int] | None:
        """Which file the database's name refers to now. None if it is gone, or never was a file."""
        try:
            found = Path(self.settings_dict["NAME"]).stat()
        except (OSError, TypeError):
            return None
        return found.st_dev, found.st_ino
