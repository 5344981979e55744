"""Every sort of answer under the production settings: its exact headers, and the most points of MDN's HTTP Observatory."""

import runpy
from http.cookies import SimpleCookie
from pathlib import Path

import html5lib
import pytest
from django.conf import settings as project
from django.test import Client

from backcare.core.encryption import new_key
from tests.support.forms import form
from tests.support.observatory import redirection, score
from tests.support.responses import CLASSES, DOORS, OF_EVERY_PAGE, POLICY, Asked, read

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
SETTINGS = Path(project.BASE_DIR, "backcare", "config", "settings.py")
PRODUCTION = {
    "SECRET_KEY": "some-long-and-varied-Text-0123456789-abcdefgh",
    "FIELD_ENCRYPTION_KEYS": new_key(),
    "BASE_URL": "https://testserver",
    "ALLOWED_HOSTS": "testserver",
    "BEHIND_TLS_PROXY": "1",
}
# What is taken over from them. The rest is the tests' own: the database, the keys, the mail.
TAKEN = ("SECURE_", "SESSION_", "CSRF_COOKIE_", "CONTENT_SECURITY", "X_FRAME", "BASE_URL", "ALLOWED_HOSTS", "LOCAL")
# The most points that each sort of answer can get. The rules give 165: 150 for headers and 5 for a safe cookie, which only the desk
# and an answer to a form set. The rest we leave: 5 for hashes of scripts, which are all our own files here, and 5 for the browsers'
# preload list, which only the owner of a domain can ask for.
COOKIES = [
    "accepted",
    "signed in",
    "spreadsheet",
    "no such page of the desk",
    "without the role",
    "form with errors",
    "answers to check",
    "too many forms",
]
COOKIES += ["sign-in", "desk", "inbox", "enquiry"]
POINTS = dict.fromkeys(CLASSES, 150) | dict.fromkeys(COOKIES, 155)


@pytest.fixture
def production(settings, monkeypatch, tmp_path):
    """The settings as a deployment has them, read from the real module in a deployment's environment."""
    for name in ("BACKCARE_LOCAL", "DEBUG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    values = runpy.run_path(str(SETTINGS))
    assert values["LOCAL"] is False
    taken = {name: value for name, value in values.items() if name.startswith(TAKEN)}
    assert {"SECURE_HSTS_SECONDS", "SECURE_PROXY_SSL_HEADER", "SESSION_COOKIE_NAME"} <= set(taken)
    for name, value in taken.items():
        setattr(settings, name, value)


def doors_of(answer) -> dict[str, str | None]:
    """The order of the policy's parts has no meaning, and differs between processes."""
    found = {name: answer.headers.get(name) for name in DOORS}
    parts = (found["Content-Security-Policy"] or "").split(";")
    return found | {"Content-Security-Policy": "; ".join(sorted(part.strip() for part in parts))}


def cookies_of(answer) -> list[str]:
    return [morsel.OutputString() for morsel in SimpleCookie.values(answer.cookies)]


def scripts_of(answer, body: bytes) -> list[dict]:
    if not answer.get("Content-Type", "").startswith("text/html"):
        return []
    return [dict(each.attrib) for each in html5lib.parse(body.decode(), namespaceHTMLElements=False).iter("script")]


@pytest.mark.parametrize("what", CLASSES)
def test_an_answer_has_exactly_these_headers_and_the_most_points(production, monkeypatch, what):
    status, get, caching, differs, others = CLASSES[what]
    answer = get(Asked(monkeypatch))
    body = read(answer)
    assert answer.status_code == status
    assert doors_of(answer) == DOORS | differs
    assert answer.headers.get("Cache-Control", "") == caching
    assert set(answer.headers) - set(DOORS) - OF_EVERY_PAGE == others
    cookies = cookies_of(answer)
    verdict = score(answer.headers, cookies=cookies, scripts=scripts_of(answer, body))
    assert verdict.points == POINTS[what], verdict.parts
    assert bool(cookies) == (verdict.points > 150)


@pytest.mark.parametrize("path", ["/", "/report/?sheet=a", "/admin/login/", "/static/nothing.css"])
def test_plain_http_is_sent_to_https_on_the_same_host_and_only_there(production, path):
    answer = Client().get(path)
    assert (answer.status_code, answer["Location"]) == (301, f"https://testserver{path}")
    assert redirection(answer.status_code, answer["Location"], "testserver") == 0
    expected = DOORS | ({"Referrer-Policy": "same-origin"} if path.startswith("/admin/") else {})
    assert doors_of(answer) == expected | {"Strict-Transport-Security": None}
    assert not answer.cookies


def test_a_probe_inside_the_machine_may_ask_for_health_in_plain_http_and_nobody_else_anything(production):
    inside = Client()
    assert inside.get("/healthz").status_code == 503  # no mail worker runs here
    assert "Strict-Transport-Security" not in inside.get("/healthz").headers
    for path in ("/healthz/", "/healthz/x", "//healthz", "/report/"):
        assert inside.get(path).status_code == 301, path
    assert inside.post("/question/", form("question")).status_code == 301
    forged = inside.get(
        "/", headers={"x-forwarded-ssl": "on", "forwarded": "proto=https", "x-forwarded-scheme": "https"}
    )
    assert forged.status_code == 301


def test_every_cookie_of_ours_is_for_https_and_this_host_and_hidden_from_scripts(production, monkeypatch):
    ask = Asked(monkeypatch)
    lines = [*cookies_of(ask.sign_in()), *cookies_of(ask.get("/admin/"))]
    lines += cookies_of(Asked(monkeypatch).post("/report/", form("report")))
    lines += cookies_of(Asked(monkeypatch).post("/question/", form("question", step=None)))
    lines += cookies_of(Asked(monkeypatch).post("/check/1/", {"emergency": "none"}))
    lines += cookies_of(ask.post(ask.manage(), {"email": "ada@example.com"}))
    names = {line.partition("=")[0] for line in lines}
    assert names == {
        "__Host-sessionid",
        "__Host-csrftoken",
        "__Secure-sent",
        "__Secure-visit",
        "__Secure-draft",
        "__Host-check",
        "__Secure-known",
    }
    for line in lines:
        attributes = {part.strip().partition("=")[0] for part in line.split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite", "Path"} <= attributes, line
        assert "Domain" not in attributes, line
        assert "Path=/;" in f"{line};" or not line.startswith("__Host-"), line


def test_a_browser_that_names_no_site_is_told_so_much_that_its_forms_are_taken(production, monkeypatch):
    """An older one has only Origin to prove where a form comes from (backcare/core/private_pages.py)."""
    old = Client(headers={"host": "testserver", "x-forwarded-proto": "https"}, enforce_csrf_checks=True)
    address = Asked(monkeypatch).manage()
    for path in (address, "/admin/login/"):
        assert old.get(path)["Referrer-Policy"] == "same-origin"
    given = {"origin": "https://testserver"}
    assert old.post(f"{address}?kept", {"email": "ada@example.com"}, headers=given).status_code == 200
    assert old.post(address, {"email": "ada@example.com"}, headers={"origin": "null"}).status_code == 403


@pytest.mark.parametrize(
    ("changed", "points"),
    [
        ({}, 150),
        ({"Content-Security-Policy": POLICY.replace("default-src 'none'", "default-src 'self'")}, 145),
        ({"Content-Security-Policy": POLICY.replace("style-src 'self'", "style-src 'unsafe-inline'")}, 140),
        ({"Content-Security-Policy": POLICY.replace("script-src 'self'", "script-src 'unsafe-inline'")}, 80),
        ({"Content-Security-Policy": ""}, 75),
        ({"Strict-Transport-Security": "max-age=600"}, 140),
        ({"Strict-Transport-Security": ""}, 80),
        ({"X-Content-Type-Options": ""}, 145),
        ({"Referrer-Policy": "unsafe-url"}, 140),
        ({"Cross-Origin-Opener-Policy": "unsafe-none"}, 140),
    ],
)
def test_the_scorer_gives_what_the_observatory_gives(changed, points):
    assert score(DOORS | {"Content-Type": "text/html"} | changed).points == points


def test_the_scorer_knows_a_bad_cookie_and_a_script_without_its_hash():
    page = DOORS | {"Content-Type": "text/html"}
    assert score(page, cookies=["sessionid=a; Secure; HttpOnly; SameSite=Lax"]).points == 155
    assert score(page, cookies=["sessionid=a; Secure; SameSite=Lax"]).points == 70
    assert score(page, cookies=["a=b; HttpOnly; SameSite=Lax"]).points == 145
    assert score(page, scripts=[{"src": "/a.js", "integrity": "sha256-x"}]).points == 155
    assert score(page, scripts=[{"src": "/a.js", "integrity": "sha256-x"}, {"src": "/b.js"}]).points == 150
    assert score(page, scripts=[{"src": "https://cdn.example/a.js"}]).points == 50
