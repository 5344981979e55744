"""What the desk costs, and how that grows from 1,000 to 100,000 enquiries. Making them takes minutes and about 1 GB of disk."""

import time
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from loadtests.bench.measure import Figure

if TYPE_CHECKING:
    from enquiries.models import Enquiry

SIZES = [1_000, 100_000]
LIVE = 300  # enquiries that are not closed, at any size: a clinic closes what it has answered
ROUNDS = 5
AGAIN = 15  # rounds more for a page that looks dearer than before: what the machine did meanwhile is not the page's
# Copies of one closed consultation, made by the database: what they hold is sealed to another row, and is not opened.
COPIES = """
INSERT INTO enquiries_enquiry ({columns})
WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
SELECT {values} FROM numbers, enquiries_enquiry model WHERE model.id = {model}
"""
# As many hashes as a name, an address and a number have. One of them all copies share, as the most frequent surname is shared.
TOKENS = 48
WORDS = """
INSERT INTO enquiries_searchtoken (enquiry_id, key)
WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {tokens})
SELECT id, CASE n WHEN 1 THEN {shared} ELSE {key} END FROM enquiries_enquiry, numbers
WHERE reference LIKE 'C%' AND submission_key LIKE 'copy %' AND NOT EXISTS (
  SELECT 1 FROM enquiries_searchtoken token WHERE token.enquiry_id = enquiries_enquiry.id)
"""


# One that is over for each copy, on the day after it came.
APPOINTMENTS = """
INSERT INTO enquiries_appointment ({columns})
SELECT {values} FROM enquiries_enquiry copy, enquiries_appointment model
WHERE model.id = {model} AND copy.submission_key LIKE 'copy %' AND NOT EXISTS (
  SELECT 1 FROM enquiries_appointment there WHERE there.enquiry_id = copy.id)
"""
# The copies came one every ten minutes, the newest longer ago than the month, and the four weeks, that the desk looks at.
AGO = "(57600 + n * 10)"  # minutes


def triaging() -> Iterator[Figure]:
    """Every queue, the search and an enquiry's page, as a member of staff gets them."""
    from django.contrib.auth.models import User

    from enquiries.inbox.queues import QUEUES
    from factsheets.models import FactSheet
    from tests.conftest import consultation

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser("bench", "bench@example.com", "x"))
    live = [consultation(email=f"live{number}@example.com", name=f"Live Patient{number}") for number in range(LIVE)]
    listed = reverse("admin:enquiries_enquiry_changelist")
    pages = {
        **{f"queue “{queue.label}”": f"{listed}?queue={queue.name}" for queue in QUEUES},
        "search for a name": f"{listed}?q=Patient7",
        "search for part of a name that all have": f"{listed}?q=Mod",
        "search for a name with two letters wrong": f"{listed}?q=Patiemt77",
        "search for an address": f"{listed}?q=live8@example.com",
        "search for the end of a number": f"{listed}?q=0018",
        "search for a day": f"{listed}?q=today",
        "an enquiry": live[0].get_admin_url(),
        "an enquiry found by a search": f"{live[0].get_admin_url()}?queue=all&q=Patient",
        "a new request": reverse("admin:enquiries_enquiry_new"),
        "a correction": reverse("admin:enquiries_enquiry_correct", args=[live[0].pk]),
        **{
            f"appointments: {name}": f"{reverse('admin:enquiries_enquiry_appointments')}?show={name}"
            for name in ("today", "week", "outcome")
        },
        "the first page": reverse("admin:index"),
        "the list of sheets": reverse("admin:factsheets_factsheet_changelist"),
        "a sheet’s desk": reverse("admin:factsheets_factsheet_change", args=[FactSheet.objects.order_by("pk")[0].pk]),
        "statistics of this month": reverse("admin:statistics"),
    }
    base, asked = {}, {}
    for size in SIZES:
        grow(size)
        questions = {name: queries(client, path) for name, path in pages.items()}
        times = {name: best(client, path) for name, path in pages.items()}
        base, asked = base or times, asked or questions
        for name, path in pages.items():
            if times[name] > base[name] * 1.2:
                times[name] = min(times[name], best(client, path, rounds=AGAIN))
        ratios = {name: times[name] / base[name] for name in pages}
        worst = max(ratios, key=ratios.get)
        more = [f"{name} {asked[name]} → {questions[name]}" for name in pages if questions[name] > asked[name]]
        for name in pages:
            print(f"  {name:<50} {times[name]:>7.1f} ms {ratios[name]:>6.2f} {questions[name]:>4} queries")  # noqa: T201
        print(f"  more queries than at {SIZES[0]:,}: {', '.join(more) or 'none'}")  # noqa: T201
        if size > SIZES[0]:
            yield Figure(f"triaging: all pages at {size:,} ÷ {SIZES[0]:,}", [*ratios.values()], f"(worst: {worst})")
            yield Figure(
                f"triaging: the worst of them, {size:,} ÷ {SIZES[0]:,}",
                [ratios[worst]],
                f"({worst})",
                1.5,
                at_most=True,
            )
        slowest = max(times, key=times.get)
        yield Figure(
            f"triaging: ms of the slowest page at {size:,}", [times[slowest]], f"({slowest})", 300, at_most=True
        )


def grow(size: int) -> None:
    """To this many copies. What was there before does not count: the forms sent by an earlier part may be more than a size."""
    from backcare.core import blind_index
    from enquiries.models import Enquiry
    from tests.conftest import consultation

    model = Enquiry.objects.filter(status="closed").first()
    if model is None:
        model = consultation(email="closed@example.com", name="Model Closed")
        Enquiry.objects.filter(pk=model.pk).update(status="closed", outcome="answered", closed_at=model.created_at)
    there = Enquiry.objects.filter(submission_key__startswith="copy ").count()
    quoted = "'%s'" % (model.pk.hex if connection.vendor == "sqlite" else model.pk)
    unique = {
        "id": "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()",
        "reference": "'C' || n",
        "submission_key": "'copy ' || n",
        "email_key": "'copy ' || n",
        "phone_key": "'copy ' || n",
    }
    if connection.vendor == "sqlite":
        unique["created_at"] = f"datetime(model.created_at, '-' || {AGO} || ' minutes')"
    else:
        unique["created_at"] = f"model.created_at - {AGO} * interval '1 minute'"
    columns = [field.column for field in Enquiry._meta.concrete_fields if not field.generated]
    values = ", ".join(unique.get(column, f"model.{column}") for column in columns)
    statement = COPIES.format(columns=", ".join(columns), values=values, first=there, last=size - 1, model=quoted)
    key = "random()" if connection.vendor == "sqlite" else "(random() * 9e18)::bigint"
    [shared] = blind_index.begins_or_sounds("mod")[:1]
    with connection.cursor() as cursor:
        if (
            connection.vendor == "sqlite"
        ):  # a page cache of 1 GB for the making alone: millions of hashes go into two indexes
            usual = cursor.execute("PRAGMA cache_size").fetchone()[0]
            cursor.execute("PRAGMA cache_size = -1000000")
        cursor.execute(statement)
        cursor.execute(WORDS.format(tokens=TOKENS, shared=shared, key=key))
        cursor.execute(appointments(model))
        cursor.execute("ANALYZE")
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA cache_size = {usual}")


def appointments(of: "Enquiry") -> str:
    """The statement that gives every copy its own, like the one of the enquiry that they are copied from."""
    from enquiries.models import Appointment

    sqlite = connection.vendor == "sqlite"
    started = of.created_at + timedelta(days=1)
    fields = {
        "starts_at": started,
        "booked_at": of.created_at,
        "ended_at": started,
        "state": "came",
        "channel": "phone",
    }
    model = of.appointments.first() or Appointment.objects.create(enquiry=of, uid="model", **fields)
    later = "datetime(copy.created_at, '+1 day')" if sqlite else "copy.created_at + interval '1 day'"
    own = {
        "id": "lower(hex(randomblob(16)))" if sqlite else "gen_random_uuid()",
        "enquiry_id": "copy.id",
        "uid": "copy.submission_key",
        "booked_at": "copy.created_at",
        "starts_at": later,
        "ended_at": later,
    }
    columns = [field.column for field in Appointment._meta.concrete_fields if not field.generated]
    values = ", ".join(own.get(column, f"model.{column}") for column in columns)
    key = "'%s'" % (model.pk.hex if sqlite else model.pk)
    return APPOINTMENTS.format(columns=", ".join(columns), values=values, model=key)


def queries(client: Client, path: str) -> int:
    """Of two looks the one with fewer: now and then the session is written as well."""
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as seen:
            client.get(path)
        asked.append(len(seen))
    return min(asked)


def best(client: Client, path: str, *, rounds: int = ROUNDS) -> float:
    """Milliseconds of the quickest of several of a page that was asked for before.

    SQLite works in this process, so a busy machine need not count."""
    clock = time.process_time if connection.vendor == "sqlite" else time.perf_counter

    def once() -> float:
        start = clock()
        assert client.get(path).status_code == 200, path
        return (clock() - start) * 1000

    return min(once() for _ in range(rounds))
