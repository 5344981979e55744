"""How often each sheet is opened: one number per sheet and day, and nothing about who opened it.

No request writes anything. A process counts in memory, and the web server's workers add what they counted to the database once a
minute and when they end. What a killed process had not written yet is lost: a number that is a little too low does no harm.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial, wraps

from django.db import DatabaseError, InterfaceError, close_old_connections, transaction
from django.db.models import F
from django.http import HttpResponse

from factsheets.models import FactSheet, SheetReads

WRITTEN_EACH = 60.0  # seconds
KEPT_MONTHS = 36  # so that a month can be compared with the same month of the years before

logger = logging.getLogger(__name__)

_lock = threading.Lock()
_counted: Counter[tuple[str, date]] = Counter()


def counted(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Counts each GET of the public page that `page_cache.answer` serves, but not staff previews."""

    @wraps(view)
    def counting(request, slug: str, **options):
        response = view(request, slug=slug, **options)
        response.read = partial(_count, slug)
        return response

    return counting


def _count(slug: str, day: date) -> None:
    with _lock:
        _counted[slug, day] += 1


def write() -> None:
    """Adds this process's counts to the database. If that fails, they are kept for next time."""
    with _lock:
        counts = Counter(_counted)
        _counted.clear()
    if not counts:
        return
    try:
        with transaction.atomic():
            sheets = dict(FactSheet.objects.filter(slug__in={slug for slug, _ in counts}).values_list("slug", "pk"))
            rows = {(sheets[slug], day): count for (slug, day), count in sorted(counts.items()) if slug in sheets}
            SheetReads.objects.bulk_create(
                [SheetReads(sheet_id=sheet, day=day) for sheet, day in rows], ignore_conflicts=True
            )
            for (sheet, day), count in rows.items():
                SheetReads.objects.filter(sheet=sheet, day=day).update(count=F("count") + count)
    except (DatabaseError, InterfaceError) as error:
        with _lock:
            _counted.update(counts)
        logger.warning("Reads of sheets were not written: %s", type(error).__name__)


def keep_writing() -> None:
    """Starts the thread that writes once a minute. For the web server's workers."""
    threading.Thread(target=_write_each_minute, name="reads of sheets", daemon=True).start()


def _write_each_minute() -> None:
    while True:
        time.sleep(WRITTEN_EACH)
        close_old_connections()
        write()
