"""A database that is locked, full, read-only, broken or away: "not saved, please telephone", quickly, and nothing half kept."""

import fcntl
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.test import Client

from backcare.core import clinic
from enquiries.models import Enquiry, EnquiryEvent, OutgoingMessage
from factsheets import page_cache
from tests.support.clinic_settings import set_clinic
from tests.support.forms import form
from tests.support.html import parse, text, title

pytestmark = pytest.mark.usefixtures("transactional_db")

SQLITE = connection.vendor == "sqlite"
HANGS = 20  # seconds: more than a machine that is merely slow would need
PATIENCE = 0.3  # seconds, in place of the five that the settings give a writer


def send():
    started = time.monotonic()
    # Four kilobytes of words: more than fits into what is left of a page of the file, so a full disk is noticed.
    data = form("question", description="🦴" * 1_000)
    response = Client(raise_request_exception=False).post("/question/", data)
    return response, time.monotonic() - started


def expect_not_saved(response) -> None:
    assert response.status_code == 503
    assert response["Retry-After"]
    document = parse(response)
    assert "could not save" in title(document)
    assert "Your details were not saved." in text(document)
    assert "020 7946 0958" in text(next(document.iter("main")))


def expect_back_to_normal() -> None:
    response, _ = send()
    assert response.status_code == 303
    assert Enquiry.objects.count() == EnquiryEvent.objects.count() == 1
    assert OutgoingMessage.objects.count() == 2


# --- each kind of trouble, made for real ---


@contextmanager
def gate_held():
    with Path(f"{connection.settings_dict['NAME']}-gate").open("wb") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        yield


@contextmanager
def write_lock_held():
    """Somebody writes past the gate: a backup, or a person with a SQLite shell."""
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


@contextmanager
def pragma(trouble: str, cure: str):
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {trouble}")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA {cure}")


def read_only():
    return pragma("query_only = ON", "query_only = OFF")


@contextmanager
def full():
    """The file may not grow, and has no free pages left from what was deleted."""

    def ask(pragma: str) -> int:
        cursor.execute(f"PRAGMA {pragma}")
        return cursor.fetchone()[0]

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE filling (blank)")
        while ask("freelist_count"):
            cursor.execute("INSERT INTO filling VALUES (zeroblob(4000))")
        pages = ask("page_count")
    try:
        with pragma(f"max_page_count = {pages}", "max_page_count = 1073741823"):
            yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE filling")


@contextmanager
def elsewhere(**changes):
    """The next connection is opened to something else."""
    kept = {name: connection.settings_dict[name] for name in changes}
    connection.close()
    connection.settings_dict.update(changes)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(kept)


def another_connection():
    import psycopg

    parts = connection.settings_dict
    return psycopg.connect(
        host=parts["HOST"], port=parts["PORT"], user=parts["USER"], password=parts["PASSWORD"], dbname=parts["NAME"]
    )


@contextmanager
def table_locked():
    with another_connection() as other, connection.cursor() as cursor:
        other.execute("LOCK TABLE enquiries_enquiry IN ACCESS EXCLUSIVE MODE")
        cursor.execute(f"SET lock_timeout = '{int(PATIENCE * 1000)}ms'")
        yield
        cursor.execute("RESET lock_timeout")
        other.rollback()


@contextmanager
def standby():
    """The answer of a PostgreSQL server that was demoted, or whose disk is read-only."""
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET default_transaction_read_only")


@contextmanager
def terminated():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        process = cursor.fetchone()[0]
    with another_connection() as other:
        other.execute("SELECT pg_terminate_backend(%s)", [process])
    yield
    connection.close()  # as the end of a request does


def not_a_database(folder: Path):
    broken = folder / "broken.sqlite3"
    broken.write_bytes(b"This was a database once. " * 400)
    return elsewhere(NAME=broken)


LOCKS = {"the gate": gate_held, "the write lock": write_lock_held} if SQLITE else {"a table lock": table_locked}
TROUBLES = (
    {
        **{name: lambda folder, lock=lock: lock() for name, lock in LOCKS.items()},
        "read-only": lambda folder: read_only(),
        "full": lambda folder: full(),
        "missing folder": lambda folder: elsewhere(NAME=folder / "gone" / "backcare.sqlite3"),
        "not a database": not_a_database,
    }
    if SQLITE
    else {
        **{name: lambda folder, lock=lock: lock() for name, lock in LOCKS.items()},
        "read-only": lambda folder: standby(),
        "a killed connection": lambda folder: terminated(),
        "nobody listening": lambda folder: elsewhere(PORT="1"),
    }
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """The connection waits for PATIENCE, at the gate and at SQLite's own lock. As at the start, the clinic's number was read."""
    clinic.details()
    if not SQLITE:
        yield
        return
    monkeypatch.setitem(connection.settings_dict["OPTIONS"], "timeout", PATIENCE)
    connection.close()
    yield
    connection.close()


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_form_is_not_saved_and_the_person_is_told_so_and_later_it_is(tmp_path, trouble):
    with TROUBLES[trouble](tmp_path):
        response, seconds = send()
        expect_not_saved(response)
        assert seconds < HANGS, f"The person waited {seconds:.1f} s."
    assert not Enquiry.objects.exists()
    expect_back_to_normal()


@pytest.mark.parametrize("lock", LOCKS)
def test_fact_sheets_are_served_while_a_writer_holds_the_database(lock):
    with LOCKS[lock]():
        for address in ("/", "/fact-sheets/about-back-pain/", "/question/", "/question/sent/"):
            assert Client().get(address).status_code == 200


@pytest.mark.parametrize("trouble", ["missing folder", "not a database"] if SQLITE else ["nobody listening"])
def test_a_page_that_cannot_be_read_says_so_and_does_not_speak_of_saving(tmp_path, monkeypatch, trouble):
    monkeypatch.setattr(
        page_cache, "cache", page_cache.LRUCache(page_cache.MAX_BYTES)
    )  # nobody has read it from this process yet
    set_clinic(phone="")
    assert not clinic.details()["phone"]
    with TROUBLES[trouble](tmp_path):
        response = Client(raise_request_exception=False).get("/fact-sheets/about-back-pain/")
    assert "Send us a question" not in text(parse(response)), "Nothing could be saved there either."
    assert response.status_code == 503
    assert "not available just now" in title(parse(response))
    assert "saved" not in text(parse(response))


@pytest.mark.parametrize("trouble", ["missing folder", "not a database"] if SQLITE else ["nobody listening"])
@pytest.mark.parametrize("path", ["/fact-sheets/about-back-pain/", "/get-help-now/"])
def test_a_page_that_was_read_before_is_still_there(tmp_path, trouble, path):
    before = Client().get(path)
    with TROUBLES[trouble](tmp_path):
        answer = Client().get(path)
    assert (answer.status_code, answer.content) == (200, before.content)


class Breaks:
    """A middleware that meets the trouble outside any view, as one that saves a session does."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        raise OperationalError("database is locked")


def test_trouble_outside_the_view_is_told_in_the_same_way(settings):
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.Breaks"]
    response, _ = send()
    expect_not_saved(response)


def queued() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name == "write gate"]


@pytest.mark.skipif(not SQLITE, reason="the gate is SQLite's")
def test_the_gate_is_given_back_after_a_failure():
    from django.db import transaction

    for _ in range(3):
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            assert connection.gate is not None
            1 / 0  # noqa: B018
        assert connection.gate is None
    with transaction.atomic():
        assert connection.gate is not None
    assert connection.gate is None
    with write_lock_held(), pytest.raises(OperationalError), transaction.atomic():
        pass
    assert connection.gate is None
    with gate_held():
        for _ in range(2):
            with pytest.raises(OperationalError, match="no turn at the write gate"), transaction.atomic():
                pass
        assert len(queued()) == 1, "Whoever gives up leaves the place in the queue to the next."
    for each in queued():
        each.join(5)
    assert not queued(), "A lock that nobody wants any more is given back."
    expect_back_to_normal()
