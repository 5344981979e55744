"""What a patient writes is in the enquiry and nowhere else: no log, no address, no cookie, no mail."""

import io
import logging
import os
import signal
import sys
import urllib.error
import urllib.request
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.contrib.sessions.models import Session
from django.db import IntegrityError, OperationalError
from django.test import Client

from backcare.core import encryption
from enquiries import views
from enquiries.actions import intake
from enquiries.mail.worker import Worker
from enquiries.models import Enquiry, OutgoingMessage
from enquiries.request_forms.form_state import FORMS
from tests.conftest import database_environment
from tests.support.addresses import public_addresses
from tests.support.forms import ADDRESSES, form
from tests.support.html import CONTROLS, parse, title
from tests.support.processes import start_process
from tests.support.smtp import free_port, wait_for
from tests.support.sockets import exchange, head, status

pytestmark = pytest.mark.usefixtures("db")

MARK = "zqcanary"
CANARIES = {
    "name": f"{MARK}name Finch",
    "email": f"{MARK}mail@example.com",
    "phone": "020 7946 0977",
    "best_time": f"{MARK}time at dusk",
    "description": f"{MARK}words: numb since Tuesday",
}
WORDS = [MARK, "Finch", "79460977", "7946 0977", "dusk", "numb since", "198.51.100.77", "zqbrowser", "zqreferrer"]
ABOUT_THE_SENDER = {
    "REMOTE_ADDR": "198.51.100.77",
    "HTTP_X_FORWARDED_FOR": "198.51.100.77",
    "HTTP_USER_AGENT": "zqbrowser/1.0",
    "HTTP_REFERER": "http://testserver/question/?zqreferrer",
}


def marked(kind: str, **changes) -> dict:
    known = form(kind)
    return form(kind, **{name: part for name, part in CANARIES.items() if f"{kind}-{name}" in known} | changes)


def expect_no_canary(words: str, where: str) -> None:
    for word in WORDS:
        lines = [line for line in words.splitlines() if word in line]
        assert not lines, f"“{word}” in {where}: {lines[0][:300]}"


@pytest.fixture
def log():
    """What the real handlers really write."""
    handlers = {handler for name in ("", "django", "django.server") for handler in logging.getLogger(name).handlers}
    ours = [handler for handler in handlers if handler.get_name() == "console"]
    assert len(ours) == 1, "The handler of the settings was not found."
    written = io.StringIO()
    before = ours[0].setStream(written)
    yield written
    ours[0].setStream(before)


def visitor() -> Client:
    return Client(raise_request_exception=False, **ABOUT_THE_SENDER)


# --- the log ---


@pytest.mark.parametrize("kind", FORMS)
def test_no_form_leaves_a_word_in_the_log(log, kind):
    statuses = [
        visitor().post(ADDRESSES[kind], data).status_code
        for data in (
            marked(kind),
            marked(kind),
            marked(kind, website=MARK),
            marked(kind, email=f"{MARK} not an address"),
            marked(kind, name=MARK * 100, sheet=MARK),
        )
    ]
    statuses.append(visitor().get(ADDRESSES[kind], marked(kind)).status_code)
    statuses.append(visitor().put(ADDRESSES[kind], urlencode(marked(kind))).status_code)
    statuses.append(visitor().post(ADDRESSES[kind], marked(kind), headers={"content-length": "50000000"}).status_code)
    cross = Client(enforce_csrf_checks=True, **ABOUT_THE_SENDER)
    statuses.append(cross.post(ADDRESSES[kind], marked(kind), headers={"sec-fetch-site": "cross-site"}).status_code)
    broken = {"content_type": f"multipart/form-data; boundary={MARK}é"}
    statuses.append(visitor().generic("POST", ADDRESSES[kind], urlencode(marked(kind)), **broken).status_code)
    assert statuses == [303, 303, 303, 422, 422, 200, 405, 413, 403, 400]
    assert "Accepted" in log.getvalue()
    expect_no_canary(log.getvalue(), "the log")


def chained(data):
    try:
        raise KeyError(data)
    except KeyError as error:
        raise ValueError(f"could not read {data}") from error


def quoting_the_row(data):
    raise IntegrityError(f"DETAIL: Failing row contains ({data}).")


def locked(data):
    raise OperationalError(f"locked while inserting {data}")


def in_a_group(data):
    raise ExceptionGroup(data, [ValueError(data)])


def noted(data):
    error = RuntimeError(data)
    error.add_note(data)
    raise error


@pytest.mark.parametrize("fault", [chained, quoting_the_row, locked, in_a_group, noted])
@pytest.mark.parametrize("place", ["accept", "details"])
def test_no_crash_leaves_a_word_in_the_log_or_on_the_page(log, monkeypatch, fault, place):
    def broken(*args, **kwargs):
        fault(str(CANARIES))

    if place == "accept":
        monkeypatch.setattr(intake, "record", broken)
    else:
        monkeypatch.setattr(views.ConsultationForm, "details", broken)
    response = visitor().post("/consultation/", marked("consultation"))
    assert response.status_code in {500, 503}
    expect_no_canary(log.getvalue(), "the log")
    expect_no_canary(response.content.decode(), "the error page")
    if response.status_code == 500:
        # The log still says what broke, and where.
        assert "Internal Server Error: /consultation/" in log.getvalue()
        assert f"{__file__}:" in log.getvalue()
        assert f"in {fault.__name__}" in log.getvalue()
    else:
        assert "OperationalError" in log.getvalue()


def test_a_log_line_of_ours_with_a_traceback_says_what_and_where_without_the_values(log):
    for name in ("enquiries.actions", "django.request", "py.warnings", "some.library"):
        try:
            chained(MARK)
        except ValueError:
            logging.getLogger(name).exception("It broke.")
    expect_no_canary(log.getvalue(), "the log")
    assert log.getvalue().count("ValueError from KeyError") == 4


def test_a_traceback_that_another_handler_has_written_out_loses_its_values_too(log):
    try:
        chained(MARK)
    except ValueError:
        information = sys.exc_info()
    record = logging.LogRecord("x", logging.ERROR, __file__, 1, "It broke.", None, information)
    logging.Formatter().format(record)  # leaves the whole traceback in record.exc_text
    assert MARK in record.exc_text
    logging.getLogger().handle(record)
    expect_no_canary(log.getvalue(), "the log")


def test_the_mail_worker_leaves_no_word_in_its_log_or_its_table(log, mail_through):
    for kind in FORMS:
        assert visitor().post(ADDRESSES[kind], marked(kind)).status_code == 303
    mail_through.refuse_recipients = {CANARIES["email"]}
    mail_through.answers["data"] = f"451 4.7.1 greylisted {CANARIES['email']}"
    worker = Worker()
    while worker.run_once():
        pass
    worker.disconnect()
    assert log.getvalue().count("Not sent") >= 3
    ours = [
        line for line in log.getvalue().splitlines() if "mail.log" not in line
    ]  # that is the tests' own SMTP server
    expect_no_canary("\n".join(ours), "the log")
    expect_no_canary(str(list(OutgoingMessage.objects.values())), "the outbox")


@pytest.mark.once
def test_the_production_servers_logs_hold_no_word_and_no_address_of_a_person(transactional_db, tmp_path):
    port, written = free_port(), tmp_path / "log"
    environment = {**database_environment(), "PORT": str(port), "ACCESS_LOG": "1", "PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "gunicorn", "--config", "python:backcare.ops.gunicorn", "backcare.config.wsgi"]
    with written.open("wb") as file:
        server = start_process(command, env=environment, stdout=file, stderr=file, start_new_session=True)

    def ask(path, data=None, **headers):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}{path}", data and urlencode(data, doseq=True).encode()
        )
        for name, part in {"X-Forwarded-For": "198.51.100.77", "User-Agent": "zqbrowser", **headers}.items():
            request.add_header(name, part)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except OSError:
            return None

    try:
        wait_for(lambda: ask("/robots.txt") == 200, what="the web server's first answer")
        assert ask("/consultation/", marked("consultation"), Referer=f"http://127.0.0.1/?{MARK}") == 200
        assert ask("/consultation/", marked("consultation", email=MARK)) == 422
        assert ask(f"/question/?{urlencode(marked('question'))}", Cookie=f"a={MARK}") == 200
        assert ask("/question/", marked("question"), **{"Content-Type": f"text/plain; x*={MARK}''y"}) == 400
        assert ask("/question/", marked("question"), **{"Content-Length": f"x{MARK}"}) in {400, None}
        address = f"http://127.0.0.1:{port}"
        for malformed in (
            f"GET /search/?q={MARK} and more HTTP/1.1\r\n\r\n",
            f"{MARK} / HTTP/1.1\r\n\r\n",
            f"GET /search/?q={MARK}{'x' * 9000} HTTP/1.1\r\n\r\n",
            f"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n{MARK}\r\n\r\n",
        ):
            assert status(exchange(address, malformed.encode())) in {400, 414}
        for path, *lines in [
            (f"/{MARK}/",),
            (f"/admin/{MARK}/",),
            ("/", f"Origin: https://{MARK}.example"),
            (f"/{MARK}.php",),
        ]:
            exchange(address, head("POST", path, "Content-Length: 0", *lines))
            exchange(address, head("GET", path, *lines))
        exchange(address, head(MARK.upper(), "/"))
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(120)
    assert Enquiry.objects.count() == 1
    said = written.read_text()
    assert said.count("POST /consultation/") == 2, said
    for kind in ("InvalidHTTPVersion", "InvalidRequestMethod", "LimitRequestLine", "InvalidHeader", "Not Found"):
        assert kind in said, f"{kind} is not even counted."
    expect_no_canary(said.replace("127.0.0.1", ""), "the server's log")


# --- addresses, cookies, mail ---


@pytest.mark.parametrize("kind", FORMS)
def test_what_was_typed_is_in_no_address_title_or_cookie(kind):
    client = visitor()
    response = client.post(ADDRESSES[kind], marked(kind))
    expect_no_canary(str(response.headers), "the answer's headers")
    refused = client.post(ADDRESSES[kind], marked(kind, email=f"{MARK} not an address"))
    expect_no_canary(str(refused.headers), "the answer's headers")
    document = parse(refused)
    expect_no_canary(title(document), "the title")
    looked_at = 0
    for element in document.iter():
        # What was typed is in the form's own controls, and in no other attribute of the page.
        attributes = {name: part for name, part in element.attrib.items() if (element.tag, name) != ("input", "value")}
        looked_at += len(attributes)
        expect_no_canary(str(attributes), f"an attribute of {element.tag}")
        if element.tag not in CONTROLS:
            expect_no_canary(element.text or "", f"the text of {element.tag}")
    assert looked_at > 50
    # What was typed, and the receipt of a report, are encrypted.
    assert set(client.cookies) == {"draft"} | ({"sent"} if kind == "report" else set())
    expect_no_canary(str(client.cookies), "a cookie")
    assert not Session.objects.exists()


@pytest.mark.parametrize("kind", FORMS)
def test_no_mail_holds_a_word_that_was_typed(mail_through, kind):
    assert visitor().post(ADDRESSES[kind], marked(kind)).status_code == 303
    worker = Worker()
    while worker.run_once():
        pass
    worker.disconnect()
    assert len(mail_through.received) == (1 if kind == "report" else 2)
    for recipients, message in mail_through.received:
        assert message["To"] == recipients[0]
        del message["To"]
        parts = [part.get_payload(decode=True) or b"" for part in message.walk() if not part.is_multipart()]
        expect_no_canary(str(message.items()), "the mail's headers")
        for part in parts:
            expect_no_canary(part.decode("utf-8", "replace"), "the mail")


# --- reading changes nothing ---


LOOKS = {"enquiries.EnquiryEvent": {"kind": "viewed"}}


def everything() -> dict[str, list]:
    return {
        # That staff looked at a record is itself on the record.
        model._meta.label: sorted(map(str, model.objects.exclude(**LOOKS.get(model._meta.label, {})).values_list()))
        for model in apps.get_models()
        if model._meta.managed
    }


@pytest.mark.once
@pytest.mark.long
def test_no_address_changes_anything_when_it_is_only_opened(staff_client, staff):
    assert Client().post("/consultation/", form("consultation")).status_code == 303
    enquiry, message = Enquiry.objects.get(), OutgoingMessage.objects.first()
    again = f"/admin/enquiries/outgoingmessage/{message.pk}/send-again/"
    change = enquiry.get_admin_url()
    act = {"action": "close", "_selected_action": str(enquiry.pk)}
    addresses = [*public_addresses(), again, change, f"{change}delete/", "/admin/enquiries/enquiry/", "/admin/logout/"]
    encryption.verify_keys_at_start()  # as every server does
    before = everything()
    assert len(before["enquiries.Enquiry"]) == 1
    assert len(before.pop("sessions.Session")) == 1
    asked = 0
    for client in (Client(), staff_client):
        for address in addresses:
            for data in ({}, form("question"), act, {"status": "closed", "version": "1"}):
                client.get(address, data)
                asked += 1
            client.head(address)
            client.options(address)
    assert asked >= 150
    after = everything()
    # When somebody was last at the desk is noted in the session. It is still there.
    assert len(after.pop("sessions.Session")) == 1
    assert after == before
