"""Changes that are tried and undone, without a lock that anybody who sends a form would wait for."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

ALIAS = "default"
# Past this the copy would need too much memory, and the trial locks out writers instead.
MAX_BYTES = 200_000_000


@contextmanager
def tried() -> Iterator[None]:
    """A transaction that is undone at its end, for pages that show what a change would do.

    SQLite lets nobody else write meanwhile. So there it is one of a copy in memory, for this thread alone: read what you need
    before it ends. Inside another transaction, and in PostgreSQL, where only the rows themselves are locked, it is an ordinary one.
    """
    real = connections[ALIAS]
    copy = _copy_of(real)
    if copy is None:
        with _undone():
            yield
        return
    connections[ALIAS] = copy
    try:
        with _undone():
            yield
    finally:
        connections[ALIAS] = real
        BaseDatabaseWrapper.close(copy)  # Django's own leaves one in memory open


@contextmanager
def _undone() -> Iterator[None]:
    with transaction.atomic(ALIAS):
        try:
            yield
        finally:
            transaction.set_rollback(True, ALIAS)


def _copy_of(real: BaseDatabaseWrapper) -> BaseDatabaseWrapper | None:
    if real.vendor != "sqlite" or real.in_atomic_block or real.is_in_memory_db():  # type: ignore[attr-defined]
        return None
    name = Path(real.settings_dict["NAME"])
    if not name.is_file() or name.stat().st_size > MAX_BYTES:
        return None
    copy = type(real)({**real.settings_dict, "NAME": ":memory:"}, ALIAS)
    copy.connect()
    try:
        real.ensure_connection()
        real.connection.backup(copy.connection)  # one moment of it, however others go on writing
    except BaseException:
        BaseDatabaseWrapper.close(copy)
        raise
    return copy
