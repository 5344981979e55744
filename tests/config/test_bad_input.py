"""Each kind of bad input that we know by name: a clear message and the right status, never a 500, nothing typed lost."""

import http.client
import unicodedata
from contextlib import suppress
from urllib.parse import quote_from_bytes, urlsplit

import pytest
from django.http import QueryDict
from django.test import Client

from backcare.core import addresses
from enquiries.mail.worker import Worker
from enquiries.models import Enquiry
from enquiries.request_forms.form_state import FORMS
from factsheets.models import FactSheet
from tests.support.consultation_form import follow
from tests.support.forms import ADDRESSES, FIELDS, form, seal
from tests.support.html import by_id, form_at, parse, sent, summary, text, title, value
from tests.support.wsgi import ask

pytestmark = pytest.mark.usefixtures("db")
KINDS = pytest.mark.parametrize("kind", FORMS)
WORDS = {"report": ["name"], "consultation": ["name", "best_time", "description"], "question": ["name", "description"]}

# Invisible characters around and inside a word: what is typed, and what is stored.
UNSEEN = {
    "NUL bytes": ("A\x00d\x00a", "Ada"),
    "control characters": ("\x07A\x1bd\x08a\x7f\x85", "Ada"),
    "right-to-left override": ("\u202eAd\u2066a\u2069\u200f", "Ada"),
    "zero-width marks": ("\ufeffA\u200bd\u2060a\u00ad", "Ada"),
    "private use and unassigned": ("A\ue000d\U000e0041a\ufdd0", "Ada"),
    "a right-to-left name": ("\u05e2\u05d3\u05d4", "\u05e2\u05d3\u05d4"),
    "an Arabic name": ("\u0622\u062f\u0627", "\u0622\u062f\u0627"),
    "joiners inside words": ("\u0645\u06cc\u200c\u062e\u0648", "\u0645\u06cc\u200c\u062e\u0648"),
    "an emoji made of several": ("👩\u200d⚕️", "👩\u200d⚕️"),
    "letters with loose accents": ("Zoe\u0308", "Zoë"),
    "template code": ("{{ 7*7 }} {% debug %} ${x} %s {0.__class__}", "{{ 7*7 }} {% debug %} ${x} %s {0.__class__}"),
    "markup": ("<script>alert(1)</script>'\"&amp;", "<script>alert(1)</script>'\"&amp;"),
}


@KINDS
@pytest.mark.parametrize("what", UNSEEN)
def test_what_cannot_be_seen_is_left_out_and_every_letter_is_kept(client, kind, what):
    typed, kept = UNSEEN[what]
    response = client.post(ADDRESSES[kind], form(kind, **dict.fromkeys(WORDS[kind], typed)))
    assert response.status_code == 303
    enquiry = Enquiry.objects.get()
    for name in WORDS[kind]:
        assert getattr(enquiry, name) == kept
        assert not any(unicodedata.category(character) == "Cc" for character in getattr(enquiry, name))


@KINDS
def test_ten_thousand_characters_in_every_field_are_named_and_kept(client, kind):
    long = {name: name[0] * 10_000 for name in [*WORDS[kind], "email"]} | (
        {"phone": "1" * 10_000} if kind == "consultation" else {}
    )
    response = client.post(ADDRESSES[kind], form(kind, **long))
    assert response.status_code == 422
    document = parse(response)
    page_form = form_at(document, ADDRESSES[kind])
    linked = {by_id(document, link.get("href")[1:]).get("name") for link in summary(page_form).iter("a")}
    # All mistakes of the first page that has any; the answers of later pages are carried along.
    here = {"name", "email"} if kind == "consultation" else set(long)
    assert linked == {f"{kind}-{name}" for name in here}
    for name, typed in long.items():
        assert sent(page_form)[f"{kind}-{name}"] == [typed]


@pytest.mark.parametrize(
    "broken", [b"\xff", b"\xc3\x28", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xe2\x82"]
)
@pytest.mark.parametrize("escaped", [True, False])
def test_broken_utf8_shows_as_such_and_takes_nothing_else_with_it(broken, escaped):
    broken = quote_from_bytes(broken).encode() if escaped else broken
    body = (
        b"question-step=send&question-name=Ada&question-email=ada@example.com&question-description=Before+%s+after"
        % broken
    )
    body += f"&question-seal={seal('question', QueryDict(body))}".encode()
    assert ask(body=body).status_code == 303
    kept = Enquiry.objects.get().description
    assert kept.startswith("Before ")
    assert kept.endswith(" after")
    assert not any(unicodedata.category(character) in {"Cc", "Cs"} for character in kept)
    if escaped:
        assert "\ufffd" in kept

    answer = ask(body=b"question-name=Ada&question-email=ada%s@example.com&question-description=x" % broken)
    assert answer.status_code == 422
    said = text(summary(form_at(parse(answer), "/question/")))
    assert "Use only the letters a to z" in said or addresses.SPACE in said


# --- header injection ---

INJECTIONS = [
    "\r\nBcc: eve@example.com",
    "\nBcc: eve@example.com",
    "\rTo: eve@example.com",
    "%0d%0aBcc: eve@example.com",
    "\r\n\r\n<h1>Free pills</h1>",
    "\u2028Bcc: eve@example.com",
    "\r\n.\r\nMAIL FROM:<eve@example.com>",
    ", eve@example.com",
    ">, <eve@example.com",
    " eve@example.com",
]


@pytest.mark.parametrize("injection", INJECTIONS)
@pytest.mark.once
def test_an_address_with_more_in_it_than_an_address_is_refused_and_kept(client, injection):
    typed = f"ada@example.com{injection}"
    response = client.post("/question/", form("question", email=typed))
    assert response.status_code == 422
    page_form = form_at(parse(response), "/question/")
    assert any(words in text(summary(page_form)) for words in (addresses.ONE, addresses.ONLY))
    shown = sent(page_form)["question-email"][0].replace("\r\n", "\n").replace("\r", "\n")
    assert shown == typed.replace("\r\n", "\n").replace("\r", "\n")
    assert not Enquiry.objects.exists()


def test_no_name_can_steer_the_mail(client, many_forms, mail_through):
    for number, injection in enumerate(INJECTIONS):
        typed = form("question", name=f"Ada{injection}", description=f"Words {number}{injection}")
        assert client.post("/question/", typed).status_code == 303
    assert not any("\n" in kept.name or "\r" in kept.name for kept in Enquiry.objects.all())
    worker = Worker()
    while worker.run_once():
        pass
    worker.disconnect()
    assert len(mail_through.received) == 2 * len(INJECTIONS)
    for recipients, message in mail_through.received:
        assert recipients in (["ada@example.com"], ["inbox@example.com"])
        assert message["To"] == recipients[0]
        assert message["Bcc"] is None
        assert "eve@example.com" not in message.as_string()
        assert "Words" not in message.as_string()


def test_an_internationalised_address_is_reached_by_mail(client, mail_through):
    assert client.post("/question/", form("question", email="ada@bücher.example")).status_code == 303
    worker = Worker()
    while worker.run_once():
        pass
    worker.disconnect()
    assert ["ada@xn--bcher-kva.example"] in [recipients for recipients, _ in mail_through.received]


# --- sheets, missing and repeated fields ---


@pytest.mark.parametrize("state", ["draft", "in_review", "retired"])
def test_a_sheet_that_is_not_published_cannot_be_asked_for(client, sheet, state):
    FactSheet.objects.filter(pk=sheet.pk).update(state=state)
    response = client.post("/report/", form("report"))
    assert response.status_code == 422
    page_form = form_at(parse(response), "/report/")
    assert "We do not have that fact sheet. Choose one from the list." in text(summary(page_form))
    assert sheet.title not in text(page_form)
    opened = form_at(parse(client.get(f"/report/?sheet={sheet.slug}")), "/report/")
    assert sent(opened)["report-sheet"] == [""]
    # A consultation asked for on a page that was withdrawn meanwhile is still a consultation.
    assert client.post("/consultation/", form("consultation", sheet=sheet.slug)).status_code == 303
    assert Enquiry.objects.get().sheet is None


@pytest.mark.parametrize(
    "slug", ["", "nothing-like-it", "%00", "%ff", "x" * 5_000, "../../etc", "%ED%A0%80", "a&sheet=b"]
)
@pytest.mark.once
def test_any_sheet_in_the_address_of_the_form_is_harmless(client, slug):
    response = client.get(f"/report/?sheet={slug}")
    assert response.status_code == 200
    assert sent(form_at(parse(response), "/report/"))["report-sheet"] == [""]


@KINDS
def test_each_field_may_be_missing_or_come_three_times(client, kind):
    for name in FIELDS[kind]:
        assert client.post(ADDRESSES[kind], form(kind, **{name: None})).status_code in {303, 422}
        repeated = form(kind)[f"{kind}-{name}"]
        repeated = repeated if isinstance(repeated, list) else [repeated]
        response = client.post(ADDRESSES[kind], form(kind, **{name: ["x", *repeated, *repeated]}))
        assert response.status_code in {303, 422}
    unknown = client.post(ADDRESSES[kind], {f"{kind}-unknown": "x", "name": "x", "": "x"})
    assert title(parse(follow(client, unknown))).startswith("Error: ")


def test_of_a_field_that_comes_twice_the_last_one_counts(client):
    response = client.post("/question/", form("question", email=["eve@example.com", "ada@example.com"]))
    assert response.status_code == 303
    assert Enquiry.objects.get().email == "ada@example.com"


# --- wrong methods and other websites ---


@pytest.mark.once
def test_a_wrong_method_gets_a_page_that_says_so(client, subtests):
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "TRACK", "CONNECT", "PROPFIND", "X" * 300]:
        for kind in FORMS:
            with subtests.test(method=method, kind=kind):
                response = client.generic(
                    method, ADDRESSES[kind], "x=y", content_type="application/x-www-form-urlencoded"
                )
                assert response.status_code == 405
                assert "POST" in response["Allow"]
                assert "You cannot do that on this page" in title(parse(response))


@pytest.mark.parametrize("path", ["/", "/fact-sheets/", "/fact-sheets/about-back-pain/", "/privacy/", "/report/sent/"])
@pytest.mark.once
def test_a_page_that_is_only_read_takes_no_form(client, path):
    response = client.post(path, form("question"))
    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD"
    assert "You cannot do that on this page" in title(parse(response))


ELSEWHERE = [
    {"HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_ORIGIN": "null"},
    {"HTTP_ORIGIN": "http://testserver.evil.example"},
    {"HTTP_ORIGIN": "https://testserver"},
    {"HTTP_ORIGIN": "http://["},
    {"HTTP_SEC_FETCH_SITE": "cross-site"},
    {"HTTP_SEC_FETCH_SITE": "same-site"},
    {"HTTP_SEC_FETCH_SITE": "cross-site", "HTTP_ORIGIN": "https://evil.example"},
    {"HTTP_SEC_FETCH_SITE": "nonsense"},
]


@pytest.mark.once
@pytest.mark.long
def test_a_form_sent_from_another_website_is_refused_with_a_page(subtests):
    for headers in ELSEWHERE:
        for kind in FORMS:
            with subtests.test(headers=headers, kind=kind):
                response = Client(enforce_csrf_checks=True).post(ADDRESSES[kind], form(kind), **headers)
                assert response.status_code == 403
                assert "sent from another website" in text(parse(response))
                assert not Enquiry.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"HTTP_ORIGIN": "http://testserver"},
        {"HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_SEC_FETCH_SITE": "none"},
        {"HTTP_SEC_FETCH_SITE": "same-origin", "HTTP_ORIGIN": "http://testserver"},
    ],
)
@KINDS
@pytest.mark.once
def test_a_form_sent_from_our_own_page_is_accepted_without_a_cookie_of_theirs(kind, headers):
    response = Client(enforce_csrf_checks=True).post(ADDRESSES[kind], form(kind), **headers)
    assert response.status_code == 303
    assert set(response.cookies) <= {"sent"}  # the receipt of a report


# --- too much ---


class Thrown:
    """A body of x that counts how much of it was taken."""

    def __init__(self, size: int):
        self.left, self.taken = size, 0

    def read(self, size: int) -> bytes:
        piece = b"x" * min(size, self.left)
        self.left -= len(piece)
        self.taken += len(piece)
        return piece

    def readline(self, *size):
        raise AssertionError("The body was read as a form although its length alone refuses it.")


@KINDS
@pytest.mark.parametrize(("length", "taken"), [("50000000", 0), ("262145", 262_145), ("9" * 12, 0), ("9" * 5_000, 0)])
@pytest.mark.once
def test_a_body_that_is_too_large_gets_a_page_that_says_so_and_is_thrown_away_if_that_is_soon_done(kind, length, taken):
    """The body is discarded first, so that a proxy that is still sending gets our answer."""
    body = Thrown(262_145)
    answer = ask(path=ADDRESSES[kind], CONTENT_LENGTH=length, **{"wsgi.input": body})
    assert answer.status_code == 413
    assert "too large for our forms" in text(parse(answer))
    assert body.taken == taken


@pytest.mark.parametrize("sent_first", [0, 50_000_000])
@pytest.mark.once
def test_fifty_megabytes_are_answered_by_the_real_server(site, sent_first):
    connection = http.client.HTTPConnection(urlsplit(site).netloc, timeout=20)
    connection.putrequest("POST", "/question/")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", "50000000")
    connection.endheaders()
    chunk = b"question-description=" + b"x" * 99_979
    with suppress(OSError):  # the server answers and hangs up before it has everything
        for _ in range(sent_first // len(chunk)):
            connection.send(chunk)
    answer = connection.getresponse()
    assert answer.status == 413
    assert b"too large for our forms" in answer.read()
    connection.close()


def test_a_form_just_under_the_limit_is_answered_with_its_messages(client):
    typed = "x" * 200_000
    response = client.post("/question/", form("question", description=typed))
    assert response.status_code == 422
    control = by_id(parse(response), "id_question-description")
    assert value(control) == typed
