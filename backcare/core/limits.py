"""Rate limits that hold across processes and restarts, and keep no address.

    verdict = limits.hit("question", limits.client(request), most=10, per=timedelta(hours=1))
    if not verdict:
        return too_often(verdict.wait)  # seconds, for the page and for Retry-After

At most `most` tries are allowed in any period of `per`, wherever it begins: time is cut into slices of a sixth of `per`, and a
slice counts until all of it is `per` old. So nobody waits longer than `per` and a sixth. Refused tries are not counted: nobody can
keep somebody else waiting by trying again and again, and waiting always helps.

Counts are in the database, under a keyed hash of the subject that changes every day (HMAC-SHA-256 under the clinic's
own key, as in core/blind_index.py). Rows are deleted within an hour of when they stop counting: enquiries/privacy/retention.py.

Counting is a transaction. Call `hit` outside any transaction that may be rolled back, or the count is lost with it. Database errors
are raised, so a limit that cannot be checked refuses.
"""

import ipaddress
import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from backcare.core.encryption import keyed_hash
from backcare.core.models import Limit

SLICES = 6  # of `per`
TABLE = Limit._meta.db_table
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # the window of uses that are not counted by the hour


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    wait: int = 0  # seconds until it may be tried again; 0 if it was allowed

    def __bool__(self) -> bool:
        return self.allowed


def hit(name: str, subject: str, *, most: int, per: timedelta, now: datetime | None = None) -> Verdict:
    """Counts one try of `subject` at `name`, unless `most` were already counted in the last `per`.

    `name` says what is limited, in up to 40 characters; each name has its own count. `subject` is who or what is limited: a client
    address, an account, an email address in its plain form. `per` is from six seconds to some days.
    """
    return hit_apart([(name, subject, most, per)], now=now)[0]


def look(name: str, subject: str, *, most: int, per: timedelta, now: datetime | None = None) -> Verdict:
    """What `hit` would return, without counting."""
    wait = _longest_wait([(name, subject, most, per)], now or timezone.now())
    return Verdict(not wait, wait)


def hit_each(tries: list[tuple[str, str, int, timedelta]], *, now: datetime | None = None) -> Verdict:
    """Counts one try at each (name, subject, most, per), or at none if one refuses, so that a refused try uses up nothing.

    One look and one write, however many there are."""
    now = now or timezone.now()
    with transaction.atomic(savepoint=False):
        one_at_a_time([(name, subject) for name, subject, _, _ in tries])
        if wait := _longest_wait(tries, now):
            return Verdict(False, wait)
        add([(name, subject, per) for name, subject, _, per in tries], now=now)
    return Verdict(True)


def hit_apart(tries: list[tuple[str, str, int, timedelta]], *, now: datetime | None = None) -> list[Verdict]:
    """The same as `hit` for each (name, subject, most, per) in turn, with one read and one write."""
    now = now or timezone.now()
    counted: list[tuple[str, str, timedelta]] = []
    verdicts = []
    if not tries:
        return []
    with transaction.atomic(savepoint=False):
        subjects = list(dict.fromkeys((name, subject, per) for name, subject, _, per in tries))
        one_at_a_time([(name, subject) for name, subject, _ in subjects])
        found = dict(zip(subjects, _counted_rows(subjects, now), strict=True))
        for name, subject, most, per in tries:
            rows = found[name, subject, per]
            wait = _wait(rows, most, per, now)
            verdicts.append(Verdict(not wait, wait))
            if not wait:
                counted.append((name, subject, per))
                rows.append((_slice(now, per)[1], 1))
        add(counted, now=now)
    return verdicts


def give_back(name: str, subject: str, *, per: timedelta, now: datetime | None = None) -> None:
    """Takes back one counted try, for instance if the password was right. `per` is the limit's."""
    now = now or timezone.now()
    with transaction.atomic():
        one_at_a_time([(name, subject)])
        rows = Limit.objects.filter(name=name, key__in=_keys(name, subject, per, now), count__gt=0)
        newest = rows.order_by("-window_start").values_list("pk", flat=True).first()
        if newest:
            Limit.objects.filter(pk=newest).update(count=F("count") - 1)


def counted(name: str, subject: str, *, per: timedelta, now: datetime | None = None) -> int:
    """How many tries of `subject` at `name` count now. enquiries/abuse.py uses it to tell staff how large a wave is."""
    return tallies([(name, subject, per)], now=now)[0]


def tallies(subjects: list[tuple[str, str, timedelta]], *, now: datetime | None = None) -> list[int]:
    """How many tries of each (name, subject, per) count now, in one query, for decisions that weigh several counts.

    Plain SQL, because every form asks twice, and Django takes ten times as long to build the query as the database to run it."""
    now = now or timezone.now()
    names = {name for name, _, _ in subjects}
    place = {key: number for number, each in enumerate(subjects) for key in _keys(*each, now)}
    found = [0] * len(subjects)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT key, count FROM {TABLE} WHERE until > %s"  # noqa: S608 - our own table
            f" AND name IN ({', '.join(['%s'] * len(names))}) AND key IN ({', '.join(['%s'] * len(place))})",
            [connection.ops.adapt_datetimefield_value(now), *names, *place],
        )
        for key, count in cursor.fetchall():
            found[place[key]] += count
    return found


def add(subjects: Iterable[tuple[str, str, timedelta]], *, now: datetime | None = None) -> None:
    """Counts one try of each (name, subject, per) in one statement, without a limit."""
    now = now or timezone.now()
    rows = []
    for (name, subject, per), count in Counter(subjects).items():
        start, until = _slice(now, per)
        rows.append((name, _key(name, subject, start), start, until, count))
    if rows:
        _insert(rows, on_conflict=f"UPDATE SET count = {TABLE}.count + excluded.count")


def once(name: str, subject: str, *, until: datetime) -> bool:
    """Whether `subject` is used at `name` for the first time. Its use is remembered until then."""
    key = keyed_hash(name, subject, purpose="limit")
    return bool(_insert([(name, key, EPOCH, until, 1)], on_conflict="NOTHING"))


def _insert(rows: list[tuple[str, str, datetime, datetime, int]], *, on_conflict: str) -> int:
    """How many rows were written."""
    at = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} (name, key, window_start, until, count) VALUES "  # noqa: S608 - our own table
            + ", ".join(["(%s, %s, %s, %s, %s)"] * len(rows))
            + f" ON CONFLICT (name, key, window_start) DO {on_conflict}",
            [value for name, key, begins, ends, count in rows for value in (name, key, at(begins), at(ends), count)],
        )
        return int(cursor.rowcount)


def in_words(wait: int) -> str:
    """When it may be tried again, in words such as “in a minute”. `wait` is in seconds."""
    minutes = math.ceil(wait / 60)
    if minutes >= 55:
        hours = round(minutes / 60)
        return "in about an hour" if hours == 1 else f"in about {hours} hours"
    return "in a minute" if minutes <= 1 else f"in {minutes} minutes"


def client(request: HttpRequest) -> str:
    """The address a request came from, for `hit`; never to be stored or logged. An IPv6 network of 64 bits is one client.

    Behind proxies, TRUSTED_PROXIES says how many of ours are in front. Each adds the address that it was called from at the right
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
    """Empty for anything but an address. Some proxies add the port."""
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


def _longest_wait(tries: list[tuple[str, str, int, timedelta]], now: datetime) -> int:
    """Seconds until all of them may be tried again; 0 if they may be now."""
    found = _counted_rows([(name, subject, per) for name, subject, _, per in tries], now)
    return max(_wait(rows, most, per, now) for rows, (_, _, most, per) in zip(found, tries, strict=True))


def _wait(counted: list[tuple[datetime, int]], most: int, per: timedelta, now: datetime) -> int:
    too_many = sum(count for _, count in counted) - most + 1
    if too_many <= 0:
        return 0
    for until, count in counted:
        too_many -= count
        if too_many <= 0:
            return max(1, math.ceil((until - now).total_seconds()))
    return math.ceil(per.total_seconds())  # a limit of none at all


def _counted_rows(subjects: list[tuple[str, str, timedelta]], now: datetime) -> list[list[tuple[datetime, int]]]:
    """For each (name, subject, per), the counts that are still valid: until when and how many. The first to expire comes first."""
    place = {key: number for number, each in enumerate(subjects) for key in _keys(*each, now)}
    rows = Limit.objects.filter(name__in={name for name, _, _ in subjects}, key__in=place, until__gt=now)
    found: list[list[tuple[datetime, int]]] = [[] for _ in subjects]
    for key, until, count in rows.order_by("until").values_list("key", "until", "count"):
        found[place[key]].append((until, count))
    return found


def _slice(now: datetime, per: timedelta) -> tuple[datetime, datetime]:
    """When the present slice began, and until when it counts."""
    seconds = (per / SLICES).total_seconds()
    start = datetime.fromtimestamp(now.timestamp() // seconds * seconds, tz=UTC)
    return start, start + per / SLICES + per


def _key(name: str, subject: str, at: datetime) -> str:
    return keyed_hash(name, at.strftime("%Y-%m-%d"), subject, purpose="limit")


def _keys(name: str, subject: str, per: timedelta, now: datetime) -> list[str]:
    """The keys for each day on which a slice that still counts may have begun."""
    last = now.astimezone(UTC)
    first = last - per - per / SLICES
    days = (last.date() - first.date()).days
    return [_key(name, subject, last - timedelta(days=back)) for back in range(days + 1)]


def one_at_a_time(subjects: list[tuple[str, str]]) -> None:
    """Keeps others from counting any of these (name, subject) until the transaction ends.

    SQLite's transactions are IMMEDIATE, which is one writer at a time. PostgreSQL is asked for a lock of each subject's own, always
    in the same order, so that no two wait for each other."""
    if connection.vendor == "postgresql":
        numbers = sorted(int(keyed_hash(*each, purpose="limit lock")[:15], 16) for each in subjects)
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {', '.join(['pg_advisory_xact_lock(%s)'] * len(numbers))}", numbers)
