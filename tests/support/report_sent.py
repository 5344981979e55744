"""Shared by the tests of a report's confirmation: a browser that has just asked for one, and what it does on the page."""

import re
import time
from datetime import timedelta

from django.test import Client

from enquiries.models import Enquiry, OutgoingMessage
from enquiries.report import sent
from tests.support.forms import form
from tests.support.html import parse, text

SENT, CHANGE, AGAIN = "/report/sent/", "/report/sent/change/", "/report/sent/again/"
ADA, BEA, EVE = "ada@example.com", "bea@example.com", "eve@example.com"
PLAYED_BACK = "We are sending it"
PHONE = "020 7946 0958"


def asked(client: Client | None = None, *, with_answers: bool = False, **changes) -> Client:
    """A browser that has just asked for a report."""
    client = client or Client()
    data = form("report", **changes) | ({"report-include_answers": "yes"} if with_answers else {})
    answer = client.post("/report/", data)
    assert answer.status_code == 303, answer.content.decode()[:500]
    assert answer["Location"].startswith(SENT)
    return client


def holding(value: str) -> Client:
    client = Client()
    client.cookies["sent"] = value
    return client


def read(client: Client) -> str:
    answer = client.get(SENT)
    assert answer.status_code == 200
    return text(parse(answer))


def change(client: Client, email: str):
    return client.post(CHANGE, {"email": email})


def expect_done(answer) -> None:
    assert answer.status_code == 303
    assert answer["Location"].startswith(SENT)


def expect_nothing_changed(answer) -> None:
    assert answer.status_code == 410
    assert "nothing was changed or sent" in text(parse(answer))
    assert not answer.cookies


def general() -> bytes:
    return Client().get(SENT).content


def without_seconds(page: bytes) -> str:
    return re.sub(r"\b\d+ seconds?", "some seconds", page.decode())


def time_passes(client: Client, seconds: int = 61) -> None:
    """Ages what the site remembers about the browser's request, and the receipt in the browser, by this much."""
    held = sent.opened_receipt(client.cookies["sent"].value, now=time.time())
    earlier = timedelta(seconds=seconds)
    for row in [Enquiry.objects.get(pk=held.enquiry), *OutgoingMessage.objects.filter(enquiry=held.enquiry)]:
        type(row).objects.filter(pk=row.pk).update(created_at=row.created_at - earlier)
    for event in Enquiry.objects.get(pk=held.enquiry).events.all():
        type(event).objects.filter(pk=event.pk).update(created_at=event.created_at - earlier)
    client.cookies["sent"] = sent.sealed_receipt(sent.Receipt(held.enquiry, held.email, held.at - seconds))
