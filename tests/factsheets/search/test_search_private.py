"""What people search for is nobody's business: no log, no cache, no cookie, no referrer, and misses that tell on nobody."""

import logging
import urllib.request
from datetime import date, timedelta
from io import StringIO

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from factsheets.models import SearchMiss
from factsheets.search import failed_searches
from tests.support.html import text
from tests.support.search import hits, search
from tests.support.smtp import wait_for

pytestmark = pytest.mark.usefixtures("db", "no_pause")
CANARY = "canaryzq"


@pytest.fixture
def no_pause(monkeypatch):
    monkeypatch.setattr(failed_searches, "PAUSE", 0)


@pytest.fixture
def day(monkeypatch):
    """Which day it is for what counts misses."""

    def is_now(value: date):
        monkeypatch.setattr(timezone, "localdate", lambda *args: value)

    is_now(date(2026, 5, 26))
    return is_now


@pytest.fixture
def log():
    stream = StringIO()
    handlers = {handler for name in ("", "django", "django.server") for handler in logging.getLogger(name).handlers}
    kept = [(handler, handler.setStream(stream)) for handler in handlers if hasattr(handler, "setStream")]
    yield stream
    for handler, before in kept:
        handler.setStream(before)


def ask_for(typed: str, *, times: int = 1) -> None:
    for _ in range(times):
        Client().get("/search/", {"q": typed})


# --- the answer ---


@pytest.mark.parametrize("typed", ["sciatica", "xyzzyq", "can't pee"])
def test_a_search_is_kept_by_no_cache_told_to_no_page_and_listed_by_no_robot(client, typed):
    response = client.get("/search/", {"q": typed})
    assert response["Cache-Control"] == "no-store"
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"
    assert "ETag" not in response
    assert not response.cookies
    assert b'<meta name="robots" content="noindex">' in response.content
    assert "default-src 'none'" in response["Content-Security-Policy"]


def test_the_empty_search_page_is_the_same_for_everybody_and_may_be_kept(client):
    response = client.get("/search/")
    assert "public" in response["Cache-Control"]
    assert client.get("/search/", headers={"If-None-Match": response["ETag"]}).status_code == 304


def test_no_search_leaves_a_word_in_the_log(client, log, monkeypatch):
    client.get("/search/", {"q": f"{CANARY} can't pee"})
    client.get("/search/", {"q": CANARY, "page": CANARY})
    client.post("/search/", {"q": CANARY})
    monkeypatch.setattr("factsheets.search.views.answer", lambda typed, page: 1 / 0)
    client.raise_request_exception = False
    response = client.get("/search/", {"q": CANARY})
    assert response.status_code == 500
    assert CANARY.encode() not in response.content
    assert "Internal Server Error: /search/" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_trouble_with_the_database_leaves_no_word_of_the_search(client, log, monkeypatch):
    def locked(typed, page):
        raise OperationalError(f"database is locked: {typed}")

    monkeypatch.setattr("factsheets.search.views.answer", locked)
    response = client.get("/search/", {"q": CANARY})
    assert response.status_code == 503
    assert "Database trouble at /search/" in log.getvalue()
    assert CANARY not in log.getvalue() + response.content.decode()


# --- misses ---


def test_a_search_without_results_is_a_number_without_words(day):
    ask_for("zebrafish platypus", times=4)
    [miss] = SearchMiss.objects.all()
    assert (miss.times, miss.days, miss.text) == (4, 1, "")
    assert "zebrafish" not in repr(SearchMiss.objects.values())


def test_the_same_words_are_one_search_however_they_are_written(day):
    for typed in ("Zebrafish  Platypus", "zebrafish platypus!", "  ZEBRAFISH platypus?"):
        ask_for(typed)
    assert [miss.times for miss in SearchMiss.objects.all()] == [3]


def test_words_are_kept_from_the_fifth_time_on_when_they_came_on_three_days(day):
    for number in range(3):
        day(date(2026, 5, 26 + number))
        ask_for("zebrafish", times=2 if number else 1)
        assert SearchMiss.objects.get().text == ("zebrafish" if number == 2 else "")
    assert (SearchMiss.objects.get().times, SearchMiss.objects.get().days) == (5, 3)


@pytest.mark.long
def test_somebody_who_searches_again_and_again_on_one_day_stays_a_number(day):
    ask_for("zebrafish", times=30)
    assert SearchMiss.objects.get().text == ""


@pytest.mark.parametrize(
    "typed",
    [
        "zzjohn zzsmith 07700 900123",
        "zebrafish 26/5/1970",
        "zzada@zzexample.com",
        "zebrafish ٣",
        "zebra fish are what i keep seeing everywhere zzq",
        "zebrafish" * 8,
        "zebrafish suicide",
        "zebrafish can't pee",
        "zebrafish numb foot",
        "🤕",
        "%00",
        "",
    ],
)
@pytest.mark.once
def test_what_may_tell_on_somebody_is_not_counted_at_all(typed):
    ask_for(typed)
    assert not SearchMiss.objects.exists()


def test_one_tap_tells_us_and_counts_once_more_for_a_search_that_was_not_counted(day, settings):
    ask_for("zebrafish")
    for words, counted in (("zebrafish", "yes"), ("Sciatica!", "")):
        answer = Client().post("/search/tell/", {"words": words, "counted": counted})
        assert (answer.status_code, answer["Location"]) == (302, "/search/thank-you/")
        assert not answer.cookies
    misses = sorted(SearchMiss.objects.values_list("times", "wanted", "text"))
    assert misses == [(1, 1, ""), (1, 1, "")]
    thanks = Client().get("/search/thank-you/")
    assert "Thank you for telling us" in thanks.content.decode()
    assert Client().get("/search/tell/").status_code == 405


def test_a_tap_may_tell_on_nobody_either(day):
    seven = "one two three four five six seven"
    for words in (
        "zzada@zzexample.com",
        "zebrafish 26/5/1970",
        "zebrafish can't pee",
        "",
        "z" * 70,
        seven,
    ):
        assert Client().post("/search/tell/", {"words": words}).status_code == 302
        assert b"Tell us what you looked for" not in Client().get("/search/", {"q": words}).content
    assert not SearchMiss.objects.exists()


def test_what_is_found_is_not_counted(client):
    assert hits(search(client, "sciatica"))
    assert hits(search(client, "osteoperosis")), "Neither is a mistake that was put right."
    assert not SearchMiss.objects.exists()


def test_the_hash_says_nothing_without_the_secret(day, settings):
    ask_for("zebrafish")
    settings.SECRET_KEY = "another secret key, long enough to be one"
    ask_for("zebrafish")
    assert SearchMiss.objects.count() == 2


def test_a_search_that_nobody_repeats_is_forgotten_after_a_month(day):
    ask_for("zebrafish")
    day(date(2026, 5, 26) + failed_searches.KEPT_FOR)
    ask_for("platypus")
    assert SearchMiss.objects.count() == 2
    day(date(2026, 5, 26) + failed_searches.KEPT_FOR + timedelta(days=1))
    ask_for("platypus")
    assert SearchMiss.objects.count() == 1


def test_a_flood_of_nonsense_stays_small_and_pushes_out_the_rarest(day, monkeypatch):
    monkeypatch.setattr(failed_searches, "MAX_ROWS", 5)
    ask_for("zebrafish", times=3)
    for number in "abcdefgh":
        ask_for(f"zzq{number}qzz")
    assert SearchMiss.objects.count() == 5
    assert SearchMiss.objects.filter(times=3).count() == 1


def test_a_flood_is_counted_once_a_second_at_most(day, monkeypatch):
    monkeypatch.setattr(failed_searches, "PAUSE", 3_600)
    monkeypatch.setattr(failed_searches, "_last", {"at": float("-inf")})
    ask_for("zebrafish", times=5)
    assert SearchMiss.objects.get().times == 1


def test_a_database_that_takes_no_writes_still_gives_results_and_help(client, log, monkeypatch):
    def locked(text, today, told, is_counted):
        raise OperationalError(f"database is locked: {text}")

    monkeypatch.setattr(failed_searches, "_write", locked)
    response = client.get("/search/", {"q": CANARY})
    assert response.status_code == 200
    assert f"No results for “{CANARY}”" in response.content.decode()
    assert "A search without results was not counted: OperationalError" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_while_another_thread_counts_nobody_waits(client, day):
    with failed_searches._counting:
        ask_for("zebrafish")
    assert not SearchMiss.objects.exists()
    ask_for("zebrafish")
    assert SearchMiss.objects.exists()


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL has no lock on the whole database.")
def test_a_locked_database_does_not_slow_down_a_search(site, transactional_db):
    """The answer is complete before the miss is counted: the reader does not wait for the lock."""
    from time import perf_counter

    from django.db import transaction

    urllib.request.urlopen(f"{site}/search/?q=sciatica", timeout=20).read()
    with transaction.atomic():
        SearchMiss.objects.create(digest="x")  # holds the write lock
        start = perf_counter()
        with urllib.request.urlopen(f"{site}/search/?q=zebrafish", timeout=20) as answer:
            assert b"No results for" in answer.read()
        assert perf_counter() - start < 4, "The write gate gives up after 5 seconds; the reader must not see that."
    wait_for(lambda: SearchMiss.objects.count() == 2, what="the miss that had to wait")


def test_reception_sees_no_searches(client):
    from tests.support.desk import person

    client.force_login(person("Rae", "reception"))
    assert client.get(reverse("admin:factsheets_searchmiss_changelist")).status_code == 403
    assert "Searches without results" not in text(page_of(client))


def page_of(client):
    from tests.support.html import tree

    return tree(client.get(reverse("admin:index")))
