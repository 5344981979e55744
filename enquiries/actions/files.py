"""What was erased leaves the database's files too."""

import time

from django.db import connection

PAUSE = 0.2  # seconds, for readers to come to an end


def clear_files(tries: int = 3) -> bool:
    """Takes what was erased out of the files: SQLite's write-ahead log, PostgreSQL's dead rows. False when that must wait."""
    if connection.in_atomic_block:
        return False
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM enquiries_enquiry, enquiries_enquiryevent, enquiries_assessment, enquiries_nameword")
            return True
        for attempt in range(tries):
            # secure_delete has overwritten the rows; this writes the pages to the file and cuts the log to nothing.
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not cursor.fetchone()[0]:
                return True
            if attempt + 1 < tries:
                time.sleep(PAUSE)
    return False
