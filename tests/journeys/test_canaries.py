"""Marked words in every field of every journey, through the real web server and mail worker: then everything written is searched.

Where a word may be: tests/support/canaries.py. Files on disk (the database, its log, backups) are searched by test_raw_files.py.
"""

import base64
import gzip
import io
import os
import re
import signal
import sys
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote, quote_plus

import brotli
import pytest
from django.contrib.sessions.models import Session
from django.db import connection
from pypdf import PdfReader

from enquiries.models import Enquiry, OutgoingMessage
from tests.support.canaries import MARKS, SPELLINGS, expect_none
from tests.support.canary_journeys import (
    asks_a_question,
    asks_for_a_consultation,
    asks_for_a_report,
    meets_a_fault,
    opens_the_summary,
    reads,
    sees_to_the_request,
    works_through_the_inbox,
)
from tests.support.http_walker import Walker
from tests.support.outbox import make_due, text_of
from tests.support.processes import start_process
from tests.support.smtp import free_port, wait_for

pytestmark = pytest.mark.once


@contextmanager
def running(command, environment, log):
    with log.open("wb") as file:
        process = start_process(command, env=environment, stdout=file, stderr=file, start_new_session=True)
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(120)


@pytest.fixture
def reports():
    """A service that takes reports of errors: what it was sent, unpacked."""
    taken = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            sent = {"gzip": gzip.decompress, "br": brotli.decompress}.get(self.headers["Content-Encoding"], bytes)(sent)
            taken.append(f"{self.path}\n{self.headers}\n{sent.decode()}")
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1], taken
        server.shutdown()
        thread.join()


@pytest.fixture
def servers(child_environment, tmp_path, reports):
    """gunicorn with its access log, and the mail worker. Gives the site's address; their logs are in tmp_path."""
    port = free_port()
    environment = child_environment | {
        "PORT": str(port),
        "ACCESS_LOG": "1",
        "TRUSTED_PROXIES": "1",
        "PYTHONUNBUFFERED": "1",
        "SENTRY_DSN": f"http://a-key@127.0.0.1:{reports[0]}/7",
    }
    environment |= {"MAX_FORMS_PER_SENDER_PER_HOUR": "50"}
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", "python:backcare.ops.gunicorn", "backcare.config.wsgi"]
    worker = [sys.executable, "manage.py", "deliver_mail"]
    site = f"http://127.0.0.1:{port}"

    def answers():
        try:
            return urllib.request.urlopen(f"{site}/robots.txt", timeout=2).status == 200
        except OSError:
            return False

    with running(gunicorn, environment, tmp_path / "web.log"), running(worker, environment, tmp_path / "mail.log"):
        wait_for(answers, what="the web server's first answer")
        yield site


@pytest.fixture
def walker(servers):
    answers, number = [], iter(range(1, 250))

    def new() -> Walker:
        made = Walker(
            servers,
            answers,
            **{
                "User-Agent": MARKS["browser"],
                "Referer": f"{servers}/question/?{MARKS['referrer']}",
                "X-Forwarded-For": f"{MARKS['address']}.{next(number)}",
            },
        )
        made.cookies["other"] = MARKS["cookie"]
        return made

    new.answers = answers
    return new


# --- the journeys ---


def link_in(mails, pattern: str) -> str:
    found = [match[1] for mail in mails for match in re.finditer(rf"https?://[^\s/]+({pattern}[^\s]+)", text_of(mail))]
    assert found, f"No mail holds a link to {pattern}"
    return found[-1]


def wait_for_the_mail():
    """The waits between two tries are over."""
    make_due()
    try:
        wait_for(lambda: not OutgoingMessage.objects.unsent().exists(), what="all the mail")
    except AssertionError as error:
        rows = OutgoingMessage.objects.values_list(
            "purpose", "state", "error", "attempts", "next_attempt_at", "lease_until"
        )
        error.add_note(str(list(rows.filter(sent_at=None))))
        raise


def test_a_marked_word_is_found_nowhere_but_where_it_may_stand(walker, smtp, staff, sheet, tmp_path, reports):
    # The server quotes the address and the name, as many do.
    smtp.answers["data"] = f"451 4.7.1 <{MARKS['email']}> {MARKS['name']} greylisted"
    patient = walker()
    reads(patient)
    asks_for_a_report(patient)
    asks_for_a_consultation(walker())
    asks_a_question(walker())
    meets_a_fault(walker())
    wait_for(lambda: OutgoingMessage.objects.filter(attempts__gt=0).exists(), what="the first failed mail")
    smtp.answers.clear()
    smtp.refuse_recipients.add(MARKS["email"])
    wait_for_the_mail()
    summary_pdf = opens_the_summary(walker(), link_in(smtp.messages, "/report/summary/"))
    works_through_the_inbox(walker(), staff)
    about = [mail for mail in smtp.messages if mail["To"] == MARKS["consultation email"]]
    sees_to_the_request(walker(), link_in(about, "/request/"))
    wait_for_the_mail()
    database_holds_nothing(of=3)
    about = [mail for mail in smtp.messages if mail["To"] == MARKS["corrected email"]]
    assert walker().post(link_in(about, "/report/stop/"), {}).status == 200
    wait_for_the_mail()

    logs_hold_nothing(tmp_path)
    reports_hold_nothing(reports[1])
    answers_hold_nothing(walker.answers)
    database_holds_nothing(of=2)  # who stops our mail has their report erased
    mails_hold_nothing(smtp.received)
    pdf_holds_nothing(summary_pdf)


# --- the search ---


def logs_hold_nothing(folder):
    web, mail = ((folder / name).read_text() for name in ("web.log", "mail.log"))
    for line in ("POST /consultation/ 303", "GET /report/summary/…/ 200", "GET /request/…/add/check/ 200"):
        assert line in re.sub(r" +", " ", web), f"The access log does not say {line}:\n{web[-3000:]}"
    assert "Internal Server Error: /consultation/" in web
    assert "SafetyAdviceMissing" in web
    assert "Accepted" in web
    assert mail.count("Not sent") >= 2, mail
    for where, written in (("the web server's log", web), ("the mail worker's log", mail)):
        expect_none(written, where)


def reports_hold_nothing(taken):
    """The faults came to the service as the log tells them, with the places in the code and the reference of the request."""
    wait_for(lambda: "SafetyAdviceMissing" in "".join(taken), what="the report of a fault")
    whole = "\n".join(taken)
    assert "/api/7/envelope/" in whole
    assert "Internal Server Error: /consultation/" in whole
    assert '"function":"' in whole and re.search(r'"tags":\{"request":"[0-9a-f]{8}"\}', whole), whole[:3000]
    for name in ('"request":\\{', '"user"', '"vars"', '"breadcrumbs"', '"modules"', '"server_name":"[^"]', '"extra"'):
        assert not re.search(name, whole), f"A report tells {name}"
    expect_none(whole, "a report of an error")


def answers_hold_nothing(answers):
    assert len(answers) > 70
    for answer in answers:
        expect_none(answer.path, "an address")
        expect_none(answer.headers.get("Location", ""), "a redirect")
        expect_none(str(answer.headers.items()), f"the headers of {answer.path}")
        if answer.status >= 400 and answer.path.startswith("/request/") and answer.method == "GET":
            expect_none(answer.said, "an error page")
        if answer.status >= 500:
            expect_none(answer.said, "an error page")
            assert "Traceback" not in answer.said
        if answer.is_page and answer.body:
            for title in answer.document.iter("title"):
                if not answer.path.startswith(("/search/", "/admin/")):
                    expect_none(title.text or "", f"the title of {answer.path}")
            for link in answer.document.iter("a"):
                if not answer.path.startswith("/admin/"):
                    expect_none(link.get("href", ""), f"a link on {answer.path}")
        # Only a page that no cache keeps and whose address goes nowhere shows what somebody typed.
        if MARKS["name"].encode() in answer.body:
            assert "no-store" in answer.headers["Cache-Control"], answer.path
            assert answer.headers["Referrer-Policy"] in {"no-referrer", "same-origin"}


def database_holds_nothing(*, of: int):
    assert Enquiry.objects.filter(erased_at=None).count() == of
    rows = 0
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - our own tables
            found = [str([bytes(cell) if isinstance(cell, memoryview) else cell for cell in row]) for row in cursor]
            rows += len(found)
            expect_none("\n".join(found), "the database")
    assert rows > 500
    for session in Session.objects.all():
        expect_none(str(session.get_decoded()), "a session")


def mails_hold_nothing(received):
    assert len(received) >= 7
    for recipients, mail in received:
        assert [mail["To"]] == recipients and mail["Cc"] is None and mail["Bcc"] is None
        to_clinic = recipients == ["inbox@example.com"]
        expect_none(mail["To"], "the mail to the clinic: To" if to_clinic else "the mail to the patient: To")
        others = [(name, value) for name, value in mail.items() if name != "To"]
        expect_none(str(others), "a mail's headers")
        for part in mail.walk():
            if part.is_multipart():
                continue
            content = (part.get_payload(decode=True) or b"").decode("utf-8", "replace")
            is_reply = MARKS["reply"] in content and recipients == [MARKS["question email"]]
            where = "a mail to the clinic" if to_clinic else "a mail to a patient"
            expect_none(content, "the mail to the patient: a reply" if is_reply else where)
            expect_none(str(part.items()).replace(str(mail["To"]), ""), "a part's headers")
    clinic = [text_of(mail) for to, mail in received if to == ["inbox@example.com"]]
    assert clinic and all("/admin/enquiries/enquiry/" in each for each in clinic)


def pdf_holds_nothing(answer):
    expect_none(answer.body.decode("latin-1"), "the bytes of the personal PDF")
    pdf = PdfReader(io.BytesIO(answer.body))
    expect_none(" ".join(page.extract_text() for page in pdf.pages[:2]), "the text of the personal PDF")
    expect_none(str(pdf.metadata), "the personal PDF's properties")
    xmp = pdf.trailer["/Root"].get("/Metadata")
    expect_none(xmp.get_object().get_data().decode() if xmp else "", "the personal PDF's XMP")


def test_the_search_finds_a_word_however_it_is_written(subtests):
    for mark in sorted(MARKS):
        with subtests.test(mark=mark):
            word = SPELLINGS.get(mark, [MARKS[mark]])[-1]
            box = base64.b64encode(f'{{"email": "{word}, and more"}}'.encode()).decode()
            for written in (word, word.upper(), quote(f"a={word}&b"), quote_plus(word), f"…{word}…", box):
                with pytest.raises(AssertionError, match=f"The {mark} is in a place"):
                    expect_none(written, "a place")
