"""What every public answer carries and never carries: policies for the browser, no cookie, nothing from another host."""

import re

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from django.test import Client

from enquiries.actions import intake
from enquiries.request_forms.form_state import FORMS
from tests.support.addresses import public_addresses
from tests.support.forms import ADDRESSES, form
from tests.support.html import parse, text, title
from tests.support.wsgi import ask

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "object-src": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
# Attributes by which a page makes a browser load something or send something somewhere.
LOADING = {
    "script": ["src"],
    "img": ["src", "srcset"],
    "source": ["src", "srcset"],
    "iframe": ["src"],
    "embed": ["src"],
    "object": ["data"],
    "video": ["src", "poster"],
    "audio": ["src"],
    "track": ["src"],
    "input": ["src", "formaction"],
    "button": ["formaction"],
    "form": ["action"],
    "use": ["href", "{http://www.w3.org/1999/xlink}href"],
    "image": ["href", "{http://www.w3.org/1999/xlink}href"],
    "base": ["href"],
}


def expect_doors(answer, *, policy: dict[str, str] = POLICY) -> None:
    sent = [part.strip().partition(" ") for part in answer.headers["Content-Security-Policy"].split(";")]
    assert {name: value for name, _, value in sent} == policy
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS
    assert "Server" not in answer.headers
    assert "X-Powered-By" not in answer.headers


def expect_nothing_from_elsewhere(document) -> int:
    """Fails on anything that a browser would load from another host or refuse under our policy. Returns how much is loaded."""
    loaded = []
    for element in document.iter():
        tag = str(element.tag).rpartition("}")[2]
        loaded += [element.get(name) for name in LOADING.get(tag, []) if element.get(name) is not None]
        if tag == "link" and not set(element.get("rel", "").split()) & {"canonical", "alternate", "license", "author"}:
            loaded.append(element.get("href"))
        assert tag != "style", "An inline style sheet."
        assert tag != "script" or element.get("src") or element.get("type") == "application/ld+json", (
            "An inline script."
        )
        assert tag != "meta" or element.get("http-equiv") is None, "A meta element that acts as a header."
        inline = [name for name in element.keys() if name == "style" or str(name).startswith("on")]  # noqa: SIM118 - an Element
        assert not inline, f"Inline {inline} on {tag}."
    for address in loaded:
        assert re.match(r"/(?!/)|#", address or ""), f"{address} is not an address on this site."
    return len(loaded)


def test_the_walk_found_the_public_addresses():
    found = set(public_addresses())
    assert {"/", "/fact-sheets/", "/fact-sheets/about-back-pain/pdf/", "/report/", "/consultation/sent/"} <= found
    assert {"/privacy/", "/robots.txt", "/healthz"} <= found
    assert len(found) >= 18
    assert not any(address.startswith("/admin") for address in found)


# Where a step that comes too early leads, a form at the foot of a sheet that is only opened, and the former page of a section.
LEADS_TO = {"/check/", "/check/start-again/", "/report/sent/"}
LEADS_TO |= {f"/fact-sheets/about-back-pain/#{place}" for place in ("useful", "how-your-back-is-built")}


@pytest.mark.long
def test_every_public_address_has_its_doors_shut_and_sets_no_cookie():
    pages = loaded = 0
    for address in public_addresses():
        for visitor in (Client(), Client(headers={"cookie": f"sessionid={'x' * 32}; csrftoken=y; other=z"})):
            answer = visitor.get(address)
            leads_on = answer.headers.get("Location") in LEADS_TO
            # "x" is not one of our links.
            behind_a_link = address.startswith(
                ("/report/summary/x/", "/report/stop/x/", "/report/delete/x/", "/request/x/", "/staff/calendar/x.ics")
            )
            expected = {404, 405} if behind_a_link else {405} if address == "/search/tell/" else {200}
            expected |= {503} if address == "/healthz" else set()
            assert answer.status_code in expected or leads_on, f"{address}: {answer.status_code}"
            expect_doors(answer)
            assert not answer.cookies, f"{address} sets a cookie."
            assert "cookie" not in answer.headers.get("Vary", "").lower(), f"{address} differs by cookie."
            if answer.headers["Content-Type"].startswith("text/html") and not leads_on:
                pages += 1
                loaded += expect_nothing_from_elsewhere(parse(answer))
        assert visitor.head(address).status_code == answer.status_code
    assert pages >= 20
    assert loaded >= 2 * pages, "A page without even a style sheet: the links were not found."


@pytest.mark.parametrize("kind", FORMS)
def test_every_answer_to_a_form_has_its_doors_shut_and_sets_no_other_cookie_than_what_was_typed_and_the_receipt(kind):
    sent = f"{ADDRESSES[kind]}sent/"
    # Whatever was typed in vain (tests/enquiries/privacy/test_privacy.py: encrypted); and the receipt of a report, which its
    # confirmation page reads (tests/enquiries/report/test_report_receipt.py).
    receipt = {"sent"} if kind == "report" else set()
    for data, status, leads_to, cookies in [
        ({}, 303, ADDRESSES[kind], {"draft"}),
        ({f"{kind}-name": "Ada"}, 422, "", {"draft"}),
        (form(kind), 303, sent, receipt),
        (form(kind, website="x"), 303, sent, receipt),
    ]:
        client = Client()
        answer = client.post(ADDRESSES[kind], data)
        assert answer.status_code == status
        assert answer.headers.get("Location", "").startswith(leads_to)
        expect_doors(answer)
        assert set(answer.cookies) == cookies
        assert "no-store" in answer.headers["Cache-Control"]
        if leads_to:
            page = client.get(answer.headers["Location"])
            assert page.status_code == 200
            expect_doors(page)
            assert not page.cookies
            assert "no-store" in page.headers["Cache-Control"]
            expect_nothing_from_elsewhere(parse(page))


def test_static_files_have_their_doors_shut_and_load_nothing(client):
    document = parse(client.get("/"))
    sheets = [link.get("href") for link in document.iter("link") if link.get("rel") in {"stylesheet", "icon"}]
    assert len(sheets) >= 2
    for address in sheets:
        answer = client.get(address)
        content = b"".join(answer.streaming_content)
        assert answer.status_code == 200
        expect_doors(answer, policy={"default-src": "'none'", "frame-ancestors": "'none'"})
        assert not answer.cookies
        assert not re.search(rb"@import|url\(\s*['\"]?(?:https?:)?//", content), f"{address} loads from elsewhere."


# --- error pages ---


def broken(*args, **kwargs):
    raise RuntimeError("injected")


def locked(*args, **kwargs):
    raise OperationalError("database is locked")


def accept_by(monkeypatch, fault):
    monkeypatch.setattr(intake, "accept", fault)
    return Client(raise_request_exception=False).post("/question/", form("question"))


ERRORS = {
    "a bad host": (400, lambda patch: ask("GET", "/", HTTP_HOST="evil.example")),
    "a broken body": (400, lambda patch: ask(CONTENT_TYPE="multipart/form-data", body=b"x")),
    "an unreadable content type": (400, lambda patch: ask(CONTENT_TYPE="text/plain; x*=bogus''y")),
    "a length that is no number": (400, lambda patch: ask(CONTENT_LENGTH="many")),
    "a NUL in the address": (400, lambda patch: ask("GET", "/\x00")),
    "too many fields": (400, lambda patch: ask(body=b"a=1&" * 5_000)),
    "another website": (403, lambda patch: ask(HTTP_SEC_FETCH_SITE="cross-site")),
    "no such page": (404, lambda patch: ask("GET", "/nothing/")),
    "no such sheet": (404, lambda patch: ask("GET", "/fact-sheets/nothing/")),
    "no such static file": (404, lambda patch: ask("GET", "/static/nothing.css")),
    "a wrong method": (405, lambda patch: ask("PUT", "/question/")),
    "a method for tracing": (405, lambda patch: ask("TRACE", "/question/")),
    "too much": (413, lambda patch: ask(CONTENT_LENGTH="50000000")),
    "a crash": (500, lambda patch: accept_by(patch, broken)),
    "a locked database": (503, lambda patch: accept_by(patch, locked)),
}


@pytest.mark.parametrize("what", ERRORS)
def test_an_error_page_says_what_to_do_and_has_its_doors_shut(monkeypatch, what):
    status, cause = ERRORS[what]
    answer = cause(monkeypatch)
    assert answer.status_code == status
    expect_doors(answer)
    assert "Set-Cookie" not in answer.headers
    document = parse(answer)
    expect_nothing_from_elsewhere(document)
    main = next(document.iter("main"))
    assert len(list(main.iter("h1"))) == 1
    assert text(next(main.iter("h1"))) in title(document)
    assert len(list(main.iter("p"))) >= 2
    said = text(document)
    for word in ("Traceback", "RuntimeError", "OperationalError", "injected", "locked", "Exception", "Django"):
        assert word not in said
    if status >= 500:
        assert "020 7946 0958" in text(main), "A person who cannot send the form needs the telephone."
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_staff_page_without_the_role_is_a_page_with_its_doors_shut(client):
    client.force_login(User.objects.create_user("temp", password="a long demo password", is_staff=True))
    answer = client.get("/admin/enquiries/enquiry/")
    assert answer.status_code == 403
    expect_doors(answer)


def test_a_redirect_has_its_doors_shut(client):
    answer = client.get("/fact-sheets")
    assert (answer.status_code, answer["Location"]) == (301, "/fact-sheets/")
    expect_doors(answer)
    assert not answer.cookies


@pytest.mark.parametrize(
    "path", ["//evil.example", "/%5Cevil.example", "//evil.example/fact-sheets", "/https:/evil.example"]
)
def test_no_address_redirects_to_another_host(path):
    answer = ask("GET", path)
    assert answer.status_code in {301, 404}
    assert re.match(r"/(?![/\\])", answer.headers.get("Location", "/"))


def test_the_admin_has_the_same_policy(client):
    answer = client.get("/admin/login/")
    assert answer.status_code == 200
    expect_doors(answer)
    expect_nothing_from_elsewhere(parse(answer))
