"""Limits that hold across processes and restarts, and keep no address of anybody.

    verdict = limits.hit("question", limits.client(request), most=10, per=timedelta(hours=1))
    if not verdict:
        return too_often(verdict.wait)  # seconds, for the page and for Retry-After

Allowed is what makes no more than `most` in any stretch of `per`, wherever the stretch begins: time is cut into slices of a sixth
of `per`, and a slice counts until the whole of it is `per` old. So a person waits for `per` and a sixth at the longest. What is
refused is not counted: nobody can keep somebody else waiting by trying again and again, and waiting always helps.

What is counted stands in the database, under a keyed hash of the subject that changes every day (HMAC-SHA-256 under the clinic's
own key, as in core/crypto/blind_index.py). Rows go within an hour of when they stop counting: enquiries/privacy/retention.py.

Counting is a transaction. Call `hit` outside any transaction of yours that may be rolled back, or the count goes with it. Trouble
with the database is raised, so that a limit that cannot be asked refuses.
"""

import ipaddress
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from backcare.core.crypto.encryption import keyed_hash
from backcare.core.models import Limit

SLICES = 6  # of `per`
TABLE = Limit._meta.db_table
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # the window of what is not counted by the hour


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    wait: int = 0  # seconds until it may be tried again; 0 when it was allowed

    def __bool__(self) -> bool:
        return self.allowed


def hit(name: str, subject: str, *, most: int, per: timedelta, now: datetime | None = None) -> Verdict:
    """Counts one try of `subject` at `name`, unless `most` were counted in the last `per` already.

    `name` says what is limited, in up to 40 characters; each name counts for itself. `subject` is whom it is limited for: a client
    address, an account, an email address in its plain form. `per` is from six seconds to some days.
    """
    now = now or timezone.now()
    slice_ = per / SLICES
    start = _start_of_slice(now, slice_)
    with transaction.atomic():
        one_at_a_time(name, subject)
        wait = _wait(name, subject, most=most, per=per, now=now)
        if wait:
            return Verdict(False, wait)
        row = {"name": name, "key": _key(name, subject, start), "window_start": start}
        if not Limit.objects.filter(**row).update(count=F("count") + 1):
            Limit.objects.create(**row, count=1, until=start + slice_ + per)
    return Verdict(True)


def look(name: str, subject: str, *, most: int, per: timedelta, now: datetime | None = None) -> Verdict:
    """What `hit` would say, without counting."""
    wait = _wait(name, subject, most=most, per=per, now=now or timezone.now())
    return Verdict(not wait, wait)


def hit_each(tries: list[tuple[str, str, int, timedelta]]) -> Verdict:
    """Counts one try at each (name, subject, most, per), or at none of them where one says no: a refused try uses up nothing."""
    for ask in (look, hit):
        for name, subject, most, per in tries:
            verdict = ask(name, subject, most=most, per=per)
            if not verdict:
                return verdict
    return Verdict(True)


def give_back(name: str, subject: str, *, per: timedelta, now: datetime | None = None) -> None:
    """Takes one try that was counted out of the count, as when it was no guess: the password was right. `per` is the limit's."""
    now = now or timezone.now()
    with transaction.atomic():
        one_at_a_time(name, subject)
        rows = Limit.objects.filter(name=name, key__in=_keys(name, subject, per, now), count__gt=0)
        newest = rows.order_by("-window_start").values_list("pk", flat=True).first()
        if newest:
            Limit.objects.filter(pk=newest).update(count=F("count") - 1)


def counted(name: str, subject: str, *, per: timedelta, now: datetime | None = None) -> int:
    """How many tries of `subject` at `name` count at the moment. For enquiries/abuse.py: how large a wave is, for staff."""
    now = now or timezone.now()
    rows = Limit.objects.filter(name=name, key__in=_keys(name, subject, per, now), until__gt=now)
    return sum(rows.values_list("count", flat=True))


def tallies(subjects: list[tuple[str, str]], *, per: timedelta, now: datetime | None = None) -> list[int]:
    """How many tries of each (name, subject) count at the moment, in one query: for what weighs several counts together."""
    now = now or timezone.now()
    place = {key: number for number, each in enumerate(subjects) for key in _keys(*each, per, now)}
    names = {name for name, _ in subjects}
    found = Limit.objects.filter(name__in=names, key__in=place, until__gt=now).values_list("key", "count")
    counts = [0] * len(subjects)
    for key, count in found:
        counts[place[key]] += count
    return counts


def add(subjects: list[tuple[str, str]], *, per: timedelta, now: datetime | None = None) -> None:
    """Counts one try of each (name, subject), in one statement and without a limit. `per` is that of `tallies`."""
    now = now or timezone.now()
    slice_ = per / SLICES
    start = _start_of_slice(now, slice_)
    _insert(
        [(name, _key(name, subject, start), start, start + slice_ + per) for name, subject in subjects],
        on_conflict=f"UPDATE SET count = {TABLE}.count + 1",
    )


def once(name: str, subject: str, *, until: datetime) -> bool:
    """Whether `subject` is used at `name` for the first time. Its use is remembered until then."""
    key = keyed_hash(name, subject, purpose="limit")
    return bool(_insert([(name, key, EPOCH, until)], on_conflict="NOTHING"))


def _insert(rows: list[tuple[str, str, datetime, datetime]], *, on_conflict: str) -> int:
    """How many rows were written."""
    at = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} (name, key, window_start, until, count) VALUES "  # noqa: S608 - our own table
            + ", ".join(["(%s, %s, %s, %s, 1)"] * len(rows))
            + f" ON CONFLICT (name, key, window_start) DO {on_conflict}",
            [value for name, key, begins, ends in rows for value in (name, key, at(begins), at(ends))],
        )
        return int(cursor.rowcount)


def in_words(wait: int) -> str:
    """When it may be tried again, for a sentence: “in a minute”. `wait` is in seconds."""
    minutes = math.ceil(wait / 60)
    return "in a minute" if minutes <= 1 else f"in {minutes} minutes"


def client(request: HttpRequest) -> str:
    """The address a request came from, for `hit`; never to be stored or logged. An IPv6 network of 64 bits is one client.

    Behind proxies, TRUSTED_PROXIES says how many of ours stand in front. Each adds the address that it was called from at the right
    of X-Forwarded-For, so the entry that many from the right is the first that no stranger can write. Without enough entries,
    or with one that is no address, it is the caller's own (OWASP ASVS 5.0, 4.1.3 and 15.3.4).
    """
    caller = _address(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.TRUSTED_PROXIES
    entries = request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")
    if proxies and len(entries) >= proxies:
        return _address(entries[-proxies]) or caller or "unknown"
    return caller or "unknown"


def _address(text: str) -> str:
    """Empty for what is no address. Some proxies write the port with it."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if address.version == 6:
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def _wait(name: str, subject: str, *, most: int, per: timedelta, now: datetime) -> int:
    """Seconds until `subject` may try again; 0 for now."""
    rows = Limit.objects.filter(name=name, key__in=_keys(name, subject, per, now), until__gt=now)
    counted = list(rows.order_by("until").values_list("until", "count"))
    too_many = sum(count for _, count in counted) - most + 1
    if too_many <= 0:
        return 0
    for until, count in counted:
        too_many -= count
        if too_many <= 0:
            return max(1, math.ceil((until - now).total_seconds()))
    return math.ceil(per.total_seconds())  # a limit of none at all


def _start_of_slice(now: datetime, slice_: timedelta) -> datetime:
    seconds = slice_.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=UTC)


def _key(name: str, subject: str, at: datetime) -> str:
    return keyed_hash(name, at.strftime("%Y-%m-%d"), subject, purpose="limit")


def _keys(name: str, subject: str, per: timedelta, now: datetime) -> list[str]:
    """Of each day on which a slice that still counts may have begun."""
    last = now.astimezone(UTC)
    first = last - per - per / SLICES
    days = (last.date() - first.date()).days
    return [_key(name, subject, last - timedelta(days=back)) for back in range(days + 1)]


def one_at_a_time(name: str, subject: str) -> None:
    """Until the transaction ends nobody else counts this.

    SQLite's transactions are IMMEDIATE, which is one writer at a time. PostgreSQL is asked for a lock of this subject's own."""
    if connection.vendor == "postgresql":
        number = int(keyed_hash(name, subject, purpose="limit lock")[:15], 16)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
