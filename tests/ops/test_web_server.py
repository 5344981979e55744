"""The production web server, over sockets: what no browser sends, and what a proxy in between may make of what a browser sent."""

import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage

from backcare.ops.logs import MAX_LINES_PER_MINUTE
from enquiries.models import Enquiry
from tests.conftest import database_environment
from tests.support.faults import Web
from tests.support.forms import form
from tests.support.sockets import chunked, connect, exchange, head, read, status

pytestmark = pytest.mark.once

FORM = "Content-Type: application/x-www-form-urlencoded"
CHUNKED = "Transfer-Encoding: chunked"


def test_a_form_without_a_length_is_read_within_the_limits_and_refused_with_a_page_beyond(site):
    body = urlencode(form("question", description="It came in pieces.")).encode()
    answer = exchange(site, head("POST", "/question/", FORM, CHUNKED), chunked(body))
    assert status(answer) == 303
    assert Enquiry.objects.get().description == "It came in pieces."

    def refused(*sent: bytes) -> tuple[int, bytes]:
        answer = exchange(site, *sent)
        assert b"Content-Security-Policy" in answer
        assert b"999" in answer, "No emergency advice."
        assert b"020 7946 0958" in answer
        assert b"nothing was saved" in answer.lower()
        return status(answer), answer

    assert refused(head("POST", "/question/", FORM, CHUNKED), chunked(b"x" * 300_000, size=60_000))[0] == 413
    assert refused(head("POST", "/question/", FORM, CHUNKED), b"zz\r\nnot a chunk\r\n0\r\n\r\n")[0] == 400
    code, page = refused(head("POST", "/question/", FORM, "Transfer-Encoding: gzip, chunked"), chunked(body))
    assert code == 411
    assert b"Try another browser" in page
    assert Enquiry.objects.count() == 1


def test_a_static_file_answers_every_other_method_with_a_page(site):
    address = staticfiles_storage.url("css/site.css")
    for method in ("OPTIONS", "POST", "PUT", "DELETE", "PATCH", "PROPFIND"):
        answer = exchange(site, head(method, address, "Content-Length: 0"))
        assert status(answer) == 405, method
        assert b"\r\nAllow: GET, HEAD\r\n" in answer
        assert b"You cannot do that" in answer
    assert status(exchange(site, head("GET", address))) == 200


@pytest.mark.skipif(sys.platform != "linux", reason="starts a server of its own")
def test_what_strangers_send_stands_in_no_log_in_their_words_and_a_flood_of_it_is_counted(transactional_db, tmp_path):
    """Two thousand requests for a host that is not ours were 1.5 MB of log in a second."""
    written = tmp_path / "log"
    web = Web(database_environment(), written).start()
    try:
        with ThreadPoolExecutor(4) as pool:
            sent = list(pool.map(lambda n: exchange(web.address, head("GET", "/", host=f"zqhost{n}")), range(600)))
        assert {status(answer) for answer in sent} == {400}
        for path in ("/zqpath/", "/fact-sheets/zqsheet/"):
            assert status(exchange(web.address, head("GET", path))) == 404
        crossed = head("POST", "/question/", FORM, "Content-Length: 0", "Origin: https://zqorigin.example")
        assert status(exchange(web.address, crossed)) == 403
        assert web.stop() == 0
    finally:
        web.clear()
    said = written.read_text()
    assert "zq" not in said, [line for line in said.splitlines() if "zq" in line][:3]
    assert said.count(" ERROR django.security.DisallowedHost: Refused: DisallowedHost") <= 2 * MAX_LINES_PER_MINUTE
    left_out = [int(number) for number in re.findall(r"counted: (\d+) more like this: .*DisallowedHost", said)]
    assert sum(left_out) + said.count(" ERROR django.security.DisallowedHost") == 600
    assert "Not Found: no address of ours" in said
    assert "Not Found: /fact-sheets/<slug:slug>/" in said
    assert "Forbidden: /question/" in said
    assert len(said) < 20_000


def test_requests_that_are_never_finished_stop_nobody_and_end_with_a_page(site):
    """Eight of them stopped the site: each had a thread."""
    half_heads = [b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n", b"G", b""]
    half_bodies = [
        head("POST", "/question/", FORM, "Content-Length: 5000") + b"question-name=Ada",
        head("POST", "/question/", FORM, CHUNKED) + b"ffff\r\nquestion-name=Ada",
        head("POST", "/admin/login/", FORM, "Content-Length: 2000000") + b"username=ada",
    ]
    began = time.monotonic()
    half_sent = []
    for _ in range(40):
        for sent in [*half_heads, *half_bodies]:
            half_sent.append(connect(site))
            half_sent[-1].sendall(sent)
    # Nor does one who has the answer and does not hang up.
    for _ in range(20):
        half_sent.append(connect(site))
        half_sent[-1].sendall(head("GET", "/robots.txt"))
    try:
        body = urlencode(form("question")).encode()
        for _ in range(5):
            assert status(exchange(site, head("GET", "/"), timeout=2)) == 200
        answer = exchange(site, head("POST", "/question/", FORM, f"Content-Length: {len(body)}"), body, timeout=5)
        assert status(answer) == 303
        assert time.monotonic() - began < 8, "Served only after the half-sent requests were given up."
        answer = read(half_sent[0])
        assert status(answer) == 408
        assert b"Nothing was saved" in answer and b"999" in answer and b"Content-Security-Policy" in answer
        assert read(half_sent[2]) == b""  # a browser that opened a connection in advance
    finally:
        for connection in half_sent:
            connection.close()


def test_a_connection_carries_request_after_request_however_they_are_cut(site):
    get = head("GET", "/robots.txt").replace(b"Connection: close\r\n", b"")
    with connect(site) as connection:
        connection.sendall(get + get + get[:20])
        time.sleep(0.2)
        connection.sendall(get[20:])
        connection.sendall(head("GET", "/robots.txt"))
        assert read(connection).count(b"HTTP/1.1 200 OK") == 4
    body = urlencode(form("question")).encode()
    with connect(site) as connection:
        connection.sendall(head("POST", "/question/", FORM, f"Content-Length: {len(body)}", "Expect: 100-continue"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        for letter in body[:20]:
            connection.sendall(bytes([letter]))
        connection.sendall(body[20:])
        assert status(read(connection)) == 303
    assert Enquiry.objects.count() == 1


def test_a_body_that_is_far_too_large_gets_our_page_however_it_is_sent(site):
    """A proxy that is still sending when we hang up shows its visitor a bare "502"."""
    size = 3_000_000
    for _ in range(3):
        answer = exchange(site, head("POST", "/question/", FORM, f"Content-Length: {size}"), b"x" * size)
        assert status(answer) == 413
        assert b"too large for our forms" in answer
        assert b"</html>" in answer
    answer = exchange(site, head("POST", "/question/", FORM, CHUNKED), chunked(b"x" * size, size=100_000))
    assert status(answer) == 413
    answer = exchange(site, head("GET", "/search/?q=" + "pain+" * 2000))
    assert status(answer) == 414
    assert b"use fewer words" in answer
