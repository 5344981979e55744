"""Backups of everything the site knows, taken while it runs, and put back.

`making.make()` writes one file, `restoring.restore()` puts it back (SQLite), `restoring.check()` tries it. The keys of
FIELD_ENCRYPTION_KEYS are never part of it: a backup without them is unreadable, and a thief of one file has nothing.
"""


class Trouble(Exception):
    """Why a backup could not be made or put back, in a sentence for the operator. It names no person and no secret."""
