"""The attacks of a flood, in one walk, over sockets against the production web server behind one proxy, with real mail."""

import re
import sys
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.utils import timezone

from enquiries.models import Enquiry, PrivateLink, Status
from enquiries.request_forms import own_words
from tests.conftest import database_environment
from tests.enquiries.test_flood import INBOX, NUMB, noise, rows_of
from tests.support.faults import Web
from tests.support.forms import form
from tests.support.html import text, tree
from tests.support.outbox import deliver, text_of
from tests.support.sockets import connect, exchange, head, read, status

pytestmark = pytest.mark.once

FORM = "Content-Type: application/x-www-form-urlencoded"
LIMITS = {
    "TRUSTED_PROXIES": "1",
    "MAX_FORMS_PER_SENDER_PER_HOUR": "3",
    "MAX_FORMS_PER_SENDER_BEFORE_REFUSAL": "8",  # and five times as many with a warning sign
    "MAX_FORMS_PER_HOUR": "30",  # ten of them for senders who are new
}


@pytest.fixture
def started(transactional_db, tmp_path):
    """Starts the web server behind its proxy, with other limits where they are given. Returns its address."""
    webs: list[Web] = []

    def start(**changes: str) -> str:
        webs.append(Web(database_environment() | LIMITS | changes, tmp_path / f"log{len(webs)}"))
        return webs[-1].start().address

    yield start
    for web in webs:
        web.clear()


@pytest.fixture
def behind_a_proxy(started):
    return started()


def question(place: str, words: str, number: object, *, last: bool = True, **typed) -> bytes:
    """One request as the proxy passes it on: what it heard from the sender, whatever that is, and then the sender's address."""
    if own_words.codes_in(words):  # they have read the card
        typed["seen_signs"] = own_words.Box("description", "", words).mark
    body = urlencode(form("question", email=f"sender{number}@example.com", description=words, **typed)).encode()
    forwarded = f"X-Forwarded-For: 192.0.2.{hash(number) % 250}, {place}"
    start = head("POST", "/question/", FORM, f"Content-Length: {len(body)}", forwarded)
    return (start if last else start.replace(b"Connection: close\r\n", b"")) + body


def burst(address: str, requests: list[bytes]) -> list[int]:
    """All of them at once down one connection. The statuses of the answers."""
    with connect(address) as connection:
        connection.sendall(b"".join(requests))
        return [int(code) for code in re.findall(rb"^HTTP/1\.1 (\d+)", read(connection), re.MULTILINE)]


def page_after(address: str, request: bytes) -> bytes:
    """Sends a form that is taken. The page that its sender is led to."""
    answer = exchange(address, request)
    assert status(answer) == 303
    return exchange(address, head("GET", re.search(rb"\r\nLocation: (\S+)", answer)[1].decode()))


def links_in(smtp) -> list[str]:
    return [found for mail in smtp.messages for found in re.findall(r"(/request/\S+)", text_of(mail))]


def open_with(address: str, link: str, email: str) -> int:
    body = urlencode({"email": email}).encode()
    return status(exchange(address, head("POST", f"{link}?kept", FORM, f"Content-Length: {len(body)}"), body))


@pytest.mark.skipif(sys.platform != "linux", reason="starts a server of its own")
def test_a_flood_buries_nobody_silences_nobody_is_stopped_and_shuts_no_link_for_good(
    behind_a_proxy, mail_through, staff_client
):
    # One sender, one connection, forty warning signs.
    flood = [question("203.0.113.9", f"{noise(n)} {n}. {NUMB}", n, last=n == 40) for n in range(41)]
    assert burst(behind_a_proxy, flood) == 40 * [303] + [429]
    emergency = question("198.51.100.1", "Since today both feet feel like cotton wool and I wet myself", "emergency")
    assert status(exchange(behind_a_proxy, emergency)) == 303
    deliver()
    urgent = [mail for mail in mail_through.messages if mail["Subject"] == "Urgent: please look now"]
    assert len(urgent) == 5, "Three before the fold, one for all of it, one for the honest one."
    listed = rows_of(staff_client, f"{INBOX}?queue=safety")
    kept = next(each for each in Enquiry.objects.all() if each.email == "senderemergency@example.com")
    assert len(listed) == 5
    assert kept.reference in listed[0] and "36 more like this" in listed[-1]

    # Ten addresses, thirty questions, and after them somebody who never wrote before.
    flood = [question(f"203.0.113.{100 + n % 10}", f"Flood {n}", f"flood{n}", last=n == 29) for n in range(30)]
    assert burst(behind_a_proxy, flood) == 30 * [303]
    page = page_after(behind_a_proxy, question("198.51.100.2", "May I swim?", "honest", name="Honest Person"))
    assert b"We will reply" in page and b"We will email you to confirm" in page
    honest = Enquiry.objects.latest("created_at")
    assert (honest.status, Enquiry.objects.filter(status=Status.HELD).count()) == (Status.NEW, 14)
    listed = rows_of(staff_client, f"{INBOX}?queue=open")
    [at], [fold] = (
        [n for n, row in enumerate(listed) if words in row] for words in ("Honest Person", "more like this")
    )
    assert at < fold, "A fold stands above a first contact."

    # Three forms with somebody's address, and then its owner.
    for n in range(3):
        assert status(exchange(behind_a_proxy, question(f"192.0.2.{n}", f"Number {n}", "owner"))) == 303
    page = page_after(behind_a_proxy, question("192.0.2.9", "It is really me", "owner"))
    assert b"will not email you to confirm it" in page and b"We will reply" in page
    [link] = set(re.findall(rb'href="[^"]*(/request/[^"]+)"', page))
    assert open_with(behind_a_proxy, link.decode(), "senderowner@example.com") == 200

    # One of the ten goes on.
    more = [question("203.0.113.100", f"More {n}", f"more{n}", last=n == 4) for n in range(5)]
    assert burst(behind_a_proxy, more) == 5 * [303]
    before = Enquiry.objects.count()
    refused = exchange(behind_a_proxy, question("203.0.113.100", "A long <story>", "last"))
    assert status(refused) == 429 and re.search(rb"\r\nRetry-After: \d+\r\n", refused)
    for words in (b"Nothing was saved", b"020 7946 0958", b"999", b"A long &lt;story&gt;", b"senderlast@example.com"):
        assert words in refused, words
    assert Enquiry.objects.count() == before

    # A stranger has the honest one's link, and not their address.
    deliver()
    [first] = [found for found in links_in(mail_through) if open_with(behind_a_proxy, found, honest.email) == 200]
    for _ in range(10):
        assert open_with(behind_a_proxy, first, "eve@example.com") == 422
        PrivateLink.objects.update(last_wrong_at=timezone.now() - timedelta(minutes=1))  # the pause between tries
    assert open_with(behind_a_proxy, first, honest.email) == 404
    assert "A private link to this enquiry is closed" in text(tree(staff_client.get(honest.get_admin_url())))
    known = set(links_in(mail_through))
    for _ in range(2):
        assert staff_client.post(f"{INBOX}{honest.pk}/new-link/").status_code == 302
    assert deliver() == 1, "Two presses, two mails."
    [second] = set(links_in(mail_through)) - known
    assert open_with(behind_a_proxy, first, "eve@example.com") == 404
    assert open_with(behind_a_proxy, second, honest.email) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="starts a server of its own")
def test_what_is_set_aside_has_a_budget_and_is_released_as_one_and_a_nearly_full_disk_keeps_room_for_who_comes_first(
    started, mail_through, staff_client
):
    # Nine questions of three addresses, where three an hour are answered and four may be set aside.
    address = started(MAX_FORMS_PER_HOUR="3", MAX_SET_ASIDE="4")
    flood = [question(f"203.0.113.{n % 3}", f"Flood {n}", f"flood{n}", last=n == 8) for n in range(9)]
    answers = burst(address, flood)
    held = Enquiry.objects.filter(status=Status.HELD)
    assert answers == 7 * [303] + 2 * [429] and held.count() == 4
    assert status(exchange(address, question("198.51.100.7", "May I swim?", "first"))) == 303
    assert status(exchange(address, question("203.0.113.0", NUMB, "numb"))) == 303, "A warning sign needs no budget."
    said = text(tree(staff_client.post(f"{INBOX}release-held/", follow=True)))
    assert "5 enquiries were released" in said, "Four of the flood, and who came first."
    assert not held.exists()
    before = Enquiry.objects.count()

    # The disk is nearly full.
    address = started(MIN_DISK_MB="1000000")
    assert status(exchange(address, question("198.51.100.8", "May I run?", "run"))) == 303
    refused = exchange(address, question("198.51.100.8", "May I <row>?", "row"))
    assert status(refused) == 429
    for words in (b"Nothing was saved", b"020 7946 0958", b"May I &lt;row&gt;?"):
        assert words in refused, words
    assert status(exchange(address, question("198.51.100.8", NUMB, "still"))) == 303
    assert Enquiry.objects.count() == before + 2
