"""Counts searches that found nothing, so that editors learn what is missing and nobody learns who searched for what.

What people type into a search box can be a name, a telephone number or an illness. So:

- The words are not kept. Kept is a keyed hash of them, which without SECRET_KEY cannot be turned back or tried out, and a number.
- Only when the same words have come KEPT_FROM (five) times, on at least three different days, are they kept from then on: what
  many ask is not about one person, and one person who searches again and again on a bad day stays a number.
- Never counted at all: what holds a figure, an @ or more than six words or 60 characters (telephone numbers, dates of birth,
  addresses, sentences about oneself), and what sounds like a red flag or a crisis.
- No time is kept, only the day; nothing about who asked; and no row for longer than 30 days after the last time.
- At most MAX_ROWS rows: beyond that the rarest and oldest go.

It happens after the answer was sent, and at most once a second in each process, so that neither a flood of nonsense nor a
database that is locked, full or read-only can slow down or break a search. A number that is a little too low does no harm.
"""

import hashlib
import hmac
import logging
import threading
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F
from django.utils import timezone

from factsheets.models import SearchMiss
from factsheets.search.text import words

logger = logging.getLogger(__name__)

MIN_DAYS = 3  # different days before the words are kept
KEPT_FOR = timedelta(days=30)  # after the last time
MAX_ROWS = 1_000
MAX_LENGTH = 60  # characters
MAX_WORDS = 6
PAUSE = 1.0  # seconds between two counts

_counting = threading.Lock()
_last = {"at": float("-inf")}  # seconds on the monotonic clock


def normal(typed: str) -> str:
    """The typed words as they are counted, in lower case with single spaces. Empty if they must not be counted."""
    found = words(typed)
    text = " ".join(word.folded for word in found)
    too_much = len(text) > MAX_LENGTH or len(found) > MAX_WORDS
    return "" if too_much or "@" in typed or any(letter.isnumeric() for letter in typed) else text


def count(typed: str, *, told: bool = False, is_counted: bool = False) -> None:
    """Counts one search that found nothing good, or one reader who `told` us that.

    `is_counted` says that the search itself was counted before. Never raises for the database's sake, and never waits for another
    thread.
    """
    text = normal(typed)
    if not text or not _counting.acquire(blocking=False):
        return
    try:
        if time.monotonic() - _last["at"] >= PAUSE:
            _last["at"] = time.monotonic()
            _write(text, timezone.localdate(), told, is_counted)
    except (DatabaseError, InterfaceError) as error:
        logger.warning("A search without results was not counted: %s", type(error).__name__)
    finally:
        _counting.release()


def _write(text: str, today, told: bool = False, is_counted: bool = False) -> None:
    with transaction.atomic():
        digest = _digest(text)
        forget(today)
        known = SearchMiss.objects.filter(digest=digest).first()
        if known is None:
            _make_room()
            miss = SearchMiss(digest=digest, last_on=today, wanted=int(told))
            SearchMiss.objects.bulk_create([miss], ignore_conflicts=True)
            return
        days = known.days + (known.last_on != today)
        more = 0 if is_counted else 1
        often = known.times + more >= SearchMiss.KEPT_FROM and days >= MIN_DAYS
        SearchMiss.objects.filter(pk=known.pk).update(
            times=F("times") + more,
            wanted=F("wanted") + int(told),
            days=days,
            last_on=today,
            text=text if often else "",
        )


def forget(today) -> int:
    """Deletes what nobody has searched for in 30 days. Called with every count. Returns how many rows it deleted."""
    return SearchMiss.objects.filter(last_on__lt=today - KEPT_FOR).delete()[0]


def _make_room() -> None:
    too_many = SearchMiss.objects.count() - (MAX_ROWS - 1)
    if too_many > 0:
        rarest = SearchMiss.objects.order_by("times", "last_on", "pk").values_list("pk", flat=True)[:too_many]
        SearchMiss.objects.filter(pk__in=list(rarest)).delete()


def _digest(text: str) -> str:
    """Not salted_hmac: that is SHA-1 by default, and the key here must serve nothing else."""
    key = hashlib.sha256(b"backcare search misses" + settings.SECRET_KEY.encode()).digest()
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
