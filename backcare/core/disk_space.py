"""How full the disk is."""

import os
from pathlib import Path

from django.conf import settings
from django.db import connection


def left() -> tuple[int, bool]:
    """The free space on the fullest disk that we use, in bytes, for accounts other than root's; and whether it is too little."""
    places = {settings.DATA_DIR}
    # SQLite's own name for a database without a file; Django's types know only the common connection.
    if connection.vendor == "sqlite" and not connection.is_in_memory_db():  # type: ignore[attr-defined]
        places.add(Path(connection.settings_dict["NAME"]).parent)
    return min(_left(place) for place in places)


def is_low() -> bool:
    return left()[1]


def _left(place: Path) -> tuple[int, bool]:
    found = os.statvfs(place)
    free, whole = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    low = free < settings.MIN_DISK_MB * 1_000_000 or free * 100 < whole * settings.MIN_DISK_PERCENT
    return free, low
