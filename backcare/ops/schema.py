"""Checks that this software knows the database's schema, because older code would read and write a newer one wrongly."""

import logging

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

logger = logging.getLogger(__name__)


class NewerDatabase(Exception):
    """The text is one sentence for the operator."""


def known_migrations() -> set[tuple[str, str]]:
    found = MigrationLoader(None).disk_migrations
    return set(found) | {replaced for migration in found.values() for replaced in migration.replaces}


def verify() -> None:
    """Raises NewerDatabase. Migrations of an app that is not installed any more are no sign of a newer version."""
    known = known_migrations()
    apps = {app for app, _ in known}
    unknown = {(app, name) for app, name in MigrationRecorder(connection).applied_migrations() if app in apps} - known
    if unknown:
        raise NewerDatabase(
            f"This database is from a newer version of this software ({'.'.join(sorted(unknown)[0])} is not known here); "
            "nothing was changed: start the newer version, or restore a backup from before the upgrade."
        )


def at_start() -> None:
    """Called when a server starts. If the database is away, the server starts anyway."""
    try:
        verify()
    except DatabaseError as error:
        logger.warning("The version of the database could not be checked: %s", type(error).__name__)
