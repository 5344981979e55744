"""Shared by the tests of abuse: senders from all over the world, and what the database holds about them."""

from django.apps import apps
from django.db import connection
from django.test import Client

from enquiries.models import Enquiry
from tests.support.consultation_form import follow
from tests.support.forms import ADDRESSES, form
from tests.support.html import form_at, parse, sent

VICTIM = "victor.victim@gmail.com"
REFUSED = 429


def from_place(number: int) -> Client:
    """A separate browser at a separate address. TEST-NET-2 and IPv6's documentation network belong to nobody."""
    return Client(REMOTE_ADDR=f"198.51.100.{number % 250 + 1}" if number < 250 else f"2001:db8:{number:x}::1")


def ask(kind: str = "report", client: Client | None = None, **changes):
    return (client or Client()).post(ADDRESSES[kind], form(kind, **changes))


def ask_in_full(client: Client, kind: str = "question", **changes):
    """Sends what a browser would: the form, the check page and its button, in one go."""
    first = follow(client, client.post(ADDRESSES[kind], form(kind, **changes, step=None)))
    assert first.status_code == 200, first.content.decode()[:300]
    check = sent(form_at(parse(first), ADDRESSES[kind]))
    return client.post(ADDRESSES[kind], check | {f"{kind}-step": "send"})


def latest() -> Enquiry:
    return Enquiry.objects.latest("created_at")


def whole_database() -> str:
    """Every value of every table as text, with encrypted ones as stored."""
    words = []
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608 - our own tables
            for row in cursor.fetchall():
                words += [
                    bytes(each).decode("latin-1") if isinstance(each, memoryview | bytes) else str(each) for each in row
                ]
    return "\n".join(words)
