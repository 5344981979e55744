"""What the inbox costs, and how that grows from 1,000 to 1,000,000 enquiries. Making them takes minutes and about 1 GB of disk."""

import time

from django.db import connection
from django.test import Client
from django.urls import reverse

SIZES = [1_000, 1_000_000]
LIVE = 300  # enquiries that are not closed, at any size: a clinic closes what it has answered
ROUNDS = 7
# Copies of one closed consultation, made by the database: what they hold is sealed to another row, and is not opened.
COPIES = """
INSERT INTO enquiries_enquiry ({columns})
WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})
SELECT {values} FROM numbers, enquiries_enquiry model WHERE model.id = {model}
"""
WORDS = """
INSERT INTO enquiries_nameword (enquiry_id, key)
SELECT id, {key} FROM enquiries_enquiry WHERE id NOT IN (SELECT enquiry_id FROM enquiries_nameword)
"""


def triaging() -> None:
    """Every queue, the search and an enquiry's page, as a member of staff gets them."""
    from django.contrib.auth.models import User

    from enquiries.inbox.queues import QUEUES
    from tests.conftest import consultation

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.create_superuser("bench", "bench@example.com", "x"))
    live = [consultation(email=f"live{number}@example.com", name=f"Live Patient{number}") for number in range(LIVE)]
    listed = reverse("admin:enquiries_enquiry_changelist")
    pages = {
        **{f"queue “{queue.label}”": f"{listed}?queue={queue.name}" for queue in QUEUES},
        "search for a name": f"{listed}?q=Patient7",
        "search for an address": f"{listed}?q=live8@example.com",
        "an enquiry": live[0].get_admin_url(),
    }
    base = {}
    for size in SIZES:
        grow(size)
        times = {name: best(client, path) for name, path in pages.items()}
        base = base or times
        ratios = {name: times[name] / base[name] for name in pages}
        worst = max(ratios, key=ratios.get)
        slow = [f"{name} {ratio:.1f}" for name, ratio in ratios.items() if ratio > 1.5]
        verdict = f"NOT within 1.5 times: {', '.join(slow)}" if slow else "all within 1.5 times"
        print(  # noqa: T201
            f"{f'triage: {size:,} enquiries ÷ {SIZES[0]:,}':<58} {ratios[worst]:>7.3f}   "
            f"(at worst, {worst}: {times[worst]:.0f} ms; {verdict})"
        )


def grow(size: int) -> None:
    from enquiries.models import Enquiry
    from tests.conftest import consultation

    model = Enquiry.objects.filter(status="closed").first()
    if model is None:
        model = consultation(email="closed@example.com", name="Model Closed")
        Enquiry.objects.filter(pk=model.pk).update(status="closed", outcome="answered", closed_at=model.created_at)
    there = Enquiry.objects.count()
    quoted = "'%s'" % (model.pk.hex if connection.vendor == "sqlite" else model.pk)
    unique = {
        "id": "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()",
        "reference": "'C' || n",
        "submission_key": "'copy ' || n",
        "email_key": "'copy ' || n",
        "phone_key": "'copy ' || n",
    }
    columns = [field.column for field in Enquiry._meta.concrete_fields if not field.generated]
    values = ", ".join(unique.get(column, f"model.{column}") for column in columns)
    statement = COPIES.format(columns=", ".join(columns), values=values, first=there, last=size - 1, model=quoted)
    key = "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "md5(random()::text)"
    with connection.cursor() as cursor:
        cursor.execute(statement)
        cursor.execute(WORDS.format(key=key))
        cursor.execute("ANALYZE")


def best(client: Client, path: str) -> float:
    """Milliseconds of the quickest of several."""

    def once() -> float:
        start = time.perf_counter()
        assert client.get(path).status_code == 200, path
        return (time.perf_counter() - start) * 1000

    once()
    return min(once() for _ in range(ROUNDS))
