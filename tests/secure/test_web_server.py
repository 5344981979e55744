"""The production web server, over sockets: what no browser sends, and what a proxy in between may make of what a browser sent."""

import re
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage

from backcare.logs import MOST_LINES_A_MINUTE
from enquiries.models import Enquiry
from tests.conftest import database_environment
from tests.faults import Web
from tests.honest import form
from tests.sockets import chunked, exchange, head, status

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
        assert b"not saved" in answer or b"Nothing was saved" in answer or b"could not be read" in answer
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
        assert b"That cannot be done" in answer
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
    assert said.count(" ERROR django.security.DisallowedHost: Refused: DisallowedHost") <= 2 * MOST_LINES_A_MINUTE
    left_out = [int(number) for number in re.findall(r"counted: (\d+) more like this: .*DisallowedHost", said)]
    assert sum(left_out) + said.count(" ERROR django.security.DisallowedHost") == 600
    assert "Not Found: no address of ours" in said
    assert "Not Found: /fact-sheets/<slug:slug>/" in said
    assert "Forbidden: /question/" in said
    assert len(said) < 20_000
