"""Limits: exact in any stretch of time, across processes and restarts, and without anybody's address."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError, connection, transaction
from django.test import RequestFactory
from django.utils import timezone

from backcare.core import limits
from backcare.core.models import Limit
from tests.conftest import database_environment
from tests.support.processes import start_process

MINUTES = timedelta(minutes=5)
EVENING = datetime(2026, 11, 21, 23, 56, 40, tzinfo=UTC)


def hit(subject="192.0.2.7", *, most=10, per=MINUTES, now=EVENING, name="a thing"):
    return limits.hit(name, subject, most=most, per=per, now=now)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (5, "in a minute"),
        (61, "in 2 minutes"),
        (54 * 60, "in 54 minutes"),
        (3_700, "in about an hour"),
        (86_000, "in about 24 hours"),
    ],
)
def test_a_wait_is_said_as_people_say_it(wait, words):
    assert limits.in_words(wait) == words


@pytest.mark.django_db
@pytest.mark.parametrize("pause", [4, 7, 31])
def test_no_stretch_of_time_holds_more_than_the_limit_wherever_it_begins(pause):
    allowed = []
    for number in range(900 // pause):  # a quarter of an hour, over midnight
        now = EVENING + timedelta(seconds=pause * number)
        if hit(now=now, most=5):
            allowed.append(now)
    assert len(allowed) >= 8, "Waiting did not help."
    for first, sixth in zip(allowed, allowed[5:], strict=False):
        assert sixth - first > MINUTES


@pytest.mark.django_db
def test_the_wait_that_is_named_is_enough_and_not_much_too_long():
    for number in range(10):
        assert hit(now=EVENING + timedelta(seconds=11 * number))
    refused = hit(now=EVENING + timedelta(seconds=120))
    assert not refused
    assert not limits.look("a thing", "192.0.2.7", most=10, per=MINUTES, now=EVENING + timedelta(seconds=120))
    assert 180 <= refused.wait <= 300 + 50 - 120 + 1
    then = EVENING + timedelta(seconds=120 + refused.wait)
    assert not hit(now=then - timedelta(seconds=2))
    assert hit(now=then)


@pytest.mark.django_db
def test_knocking_on_while_refused_does_not_make_the_wait_longer():
    for _ in range(3):
        hit(most=3)
    first = hit(most=3).wait
    for second in range(1, 60):
        assert not hit(most=3, now=EVENING + timedelta(seconds=second))
    assert hit(most=3, now=EVENING + timedelta(seconds=first))


@pytest.mark.django_db
def test_each_name_and_each_subject_counts_for_itself():
    for subject in ("192.0.2.7", "192.0.2.8"):
        for name in ("a thing", "another"):
            assert hit(subject, most=1, name=name)
            assert not hit(subject, most=1, name=name)


@pytest.mark.django_db
def test_what_is_given_back_may_be_tried_again_once_also_over_midnight():
    for minutes in (0, 3):
        hit(most=2, now=EVENING + timedelta(minutes=minutes))
    later = EVENING + timedelta(minutes=4)
    assert not hit(most=2, now=later)
    limits.give_back("a thing", "192.0.2.7", per=MINUTES, now=later)
    limits.give_back("a thing", "192.0.2.8", per=MINUTES, now=later)
    assert hit(most=2, now=later)
    assert not hit(most=2, now=later)
    for _ in range(5):  # never below none
        limits.give_back("a thing", "192.0.2.7", per=MINUTES, now=later)
    assert [bool(hit(most=2, now=later)) for _ in range(3)] == [True, True, False]


@pytest.mark.django_db
def test_a_limit_of_none_lets_nobody_through():
    assert hit(most=0).wait == 300


@pytest.mark.django_db
def test_the_table_holds_no_address_and_nothing_that_links_two_days():
    limits.hit("a thing", "ada@example.com", most=3, per=MINUTES, now=EVENING)
    limits.hit("a thing", "ada@example.com", most=3, per=MINUTES, now=EVENING + timedelta(days=1))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM backcare_limit")
        stored = repr(cursor.fetchall())
    assert "ada@" not in stored
    assert "example" not in stored
    keys = set(Limit.objects.values_list("key", flat=True))
    assert len(keys) == 2
    assert all(len(key) == 64 for key in keys)


@pytest.mark.django_db
def test_what_counts_no_longer_is_purged_and_the_rest_stays():
    limits.hit("a thing", "old", most=3, per=MINUTES, now=timezone.now() - timedelta(minutes=6))
    limits.hit("a thing", "new", most=3, per=MINUTES)
    call_command("purge", dry_run=True, verbosity=0)
    assert Limit.objects.count() == 2
    call_command("purge", verbosity=0)
    assert Limit.objects.count() == 1
    assert limits.look("a thing", "new", most=2, per=MINUTES)
    assert not limits.look("a thing", "new", most=1, per=MINUTES)


HITTER = """
import django, sys, threading
django.setup()
from datetime import timedelta
from django.db import connections
from backcare.core import limits
allowed = []
def some():
    allowed.extend(bool(limits.hit("shared", "192.0.2.7", most=10, per=timedelta(hours=1))) for _ in range(10))
    connections.close_all()
print("ready", flush=True)
sys.stdin.readline()
threads = [threading.Thread(target=some) for _ in range(3)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(sum(allowed), len(allowed))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_two_processes_at_once_share_one_limit_and_a_third_begins_where_they_ended():
    started = [
        start_process(
            [sys.executable, "-c", HITTER],
            env=database_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in started:
        assert process.stdout.readline() == "ready\n"
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    counts = [[int(word) for word in process.communicate(timeout=120)[0].split()] for process in started]
    assert [tried for _, tried in counts] == [30, 30]
    assert sum(allowed for allowed, _ in counts) == 10
    assert not limits.hit("shared", "192.0.2.7", most=10, per=timedelta(hours=1))


@pytest.mark.django_db
def test_a_limit_that_cannot_be_asked_refuses(monkeypatch):
    def locked(*args, **kwargs):
        raise OperationalError("database is locked")

    monkeypatch.setattr(transaction.Atomic, "__enter__", locked)
    with pytest.raises(OperationalError):
        hit()


FORGED = "198.51.100.66"


def test_the_client_is_the_address_that_no_stranger_can_write(settings, subtests):
    for proxies, caller, forwarded, client in [
        (0, "192.0.2.7", None, "192.0.2.7"),
        (0, "192.0.2.7", FORGED, "192.0.2.7"),
        (1, "10.0.0.1", "192.0.2.7", "192.0.2.7"),
        (1, "10.0.0.1", f"{FORGED}, 192.0.2.7", "192.0.2.7"),
        (1, "10.0.0.1", f"{FORGED},{FORGED} , 192.0.2.7:51000", "192.0.2.7"),
        (2, "10.0.0.1", f"{FORGED}, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        # Not through both of our proxies: then nothing in the header can be believed.
        (2, "192.0.2.7", FORGED, "192.0.2.7"),
        (1, "10.0.0.1", "unknown", "10.0.0.1"),
        (1, "10.0.0.1", None, "10.0.0.1"),
        (1, "", "192.0.2.7", "192.0.2.7"),
        (0, "", FORGED, "unknown"),
        # One household, or one attacker, has a whole network of 64 bits.
        (0, "2001:db8:1:2:aaaa::1", None, "2001:db8:1:2::/64"),
        (0, "2001:db8:1:2:bbbb::9", None, "2001:db8:1:2::/64"),
        (0, "2001:db8:1:3::1", None, "2001:db8:1:3::/64"),
        (0, "::ffff:192.0.2.7", None, "192.0.2.7"),
        (0, "fe80::1%eth0", None, "fe80::/64"),
        (1, "10.0.0.1", "[2001:db8:1:2::5]:443", "2001:db8:1:2::/64"),
    ]:
        with subtests.test(proxies=proxies, caller=caller, forwarded=forwarded, client=client):
            settings.TRUSTED_PROXIES = proxies
            headers = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
            assert limits.client(RequestFactory().get("/", REMOTE_ADDR=caller, **headers)) == client
