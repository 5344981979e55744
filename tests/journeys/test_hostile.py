"""Requests that nobody thought of: generated forms, and bodies and headers that no browser would send. Never a 500."""

import random
from urllib.parse import quote

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from enquiries.mail import emails
from enquiries.models import Enquiry, OutgoingMessage, Purpose
from enquiries.request_forms.form_state import FORMS
from tests.support.forms import ADDRESSES, FIELDS, OPTIONAL, SEND, form, seal
from tests.support.html import parse, text, title
from tests.support.wsgi import ask

pytestmark = pytest.mark.usefixtures("db")
SEED = 20_260_520

# --- generated forms ---

NASTY = st.sampled_from(
    [
        "",
        " ",
        "\x00",
        "\r\n",
        "\u202e",
        "\ufeff",
        "@",
        "a@b",
        "Ada",
        "ada@example.com",
        "ada@例え.example",
        "020 7946 0018",
        "+442079460018 x9",
        "about-back-pain",
        "phone",
        "1" * 300,
        "\ufdfa" * 60,
        "{{ form }}{% include 'x' %}",
        "</textarea><script>",
        "Z\u0351\u036f" * 500,
    ]
)
TEXT = NASTY | st.text(max_size=40) | st.text(alphabet="@.-+ äß0\x00\r\n\u200d\uff20", max_size=30)
EXAMPLES = 60  # for each form; the long dose is loadtests/trials/fuzz.py


@pytest.mark.both
@pytest.mark.parametrize("kind", FORMS)
@pytest.mark.long
def test_no_generated_form_is_a_500_and_none_breaks_the_mail_or_the_inbox(staff_client, many_forms, kind):
    fields = [*FIELDS[kind], "website", "sheet"]
    more = [*fields, *OPTIONAL[kind], "seen_signs"] if kind in OPTIONAL else fields
    outcomes = []

    any_value = TEXT | st.lists(TEXT, max_size=3) | st.just(["phone", "video"])
    changes = st.dictionaries(st.sampled_from(fields), any_value, max_size=2)
    forms = st.dictionaries(st.sampled_from(more), any_value) | changes.map(lambda changed: FIELDS[kind] | changed)
    if kind in SEND:  # by the last button
        forms = forms.map(lambda form: SEND[kind] | form)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(forms)
    def send(form):
        # A browser cannot send a lone surrogate in a form: it becomes "?", as here.
        data = {
            f"{kind}-{name}": [
                part.encode("utf-8", "replace").decode() for part in ([typed] if isinstance(typed, str) else typed)
            ]
            for name, typed in form.items()
        }
        if kind in SEND:
            data[f"{kind}-seal"] = [seal(kind, data)]
        patient = Client() if len(outcomes) % 2 else staff_client  # who still holds what was typed before
        response = patient.post(ADDRESSES[kind], data)
        outcomes.append("sent" if "/sent/" in response.get("Location", "") else response.status_code)
        if outcomes[-1] != "sent":
            if response.status_code == 303:  # the mistakes are shown on the page that it leads to
                response = patient.get(response["Location"])
                assert response.status_code == 200
            parse(response)

    send()
    assert len(outcomes) >= 50
    assert set(outcomes) <= {"sent", 303, 422, 200}
    assert {"sent", 303, 422} <= set(outcomes), "Only one side of the form was tried."
    kept = Enquiry.objects.count()
    assert kept >= 5, kept
    for message in OutgoingMessage.objects.exclude(purpose=Purpose.REPORT):
        mail = emails.render(message, None).message()
        assert len(mail.get_all("To")) == 1
        assert mail["Bcc"] is None
    for address in ["/admin/enquiries/enquiry/", *(one.get_admin_url() for one in Enquiry.objects.all()[:20])]:
        assert staff_client.get(address).status_code == 200


# --- hostile bytes ---

CHARSETS = [
    "utf-7",
    "utf-16",
    "utf-32",
    "utf_8_sig",
    "latin-1",
    "cp1252",
    "idna",
    "punycode",
    "unicode_escape",
    "raw_unicode_escape",
    "undefined",
    "base64",
    "hex",
    "rot13",
    "zip",
    "bz2",
    "uu",
    "quopri",
    "mbcs",
    "bogus",
    "",
    "é",
    "x" * 4_000,
    "utf-8\x00",
]
UNREADABLE = [
    "text/plain; charset*=bogus''x",
    "text/plain; charset*=utf-8''%00",
    "application/x-www-form-urlencoded; x*=bogus''y",
    "multipart/form-data; boundary*=bogus''b",
    "multipart/form-data; boundary*=utf-8''%ff",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=" + "b" * 300,
    "multipart/form-data; boundary=\xe9",
    'multipart/form-data; boundary="',
    "multipart/form-data; boundary=b; boundary*0=x; boundary*1=y",
    "multipart/mixed; boundary=b",
    "application/json",
    "text/html",
    ";;;;",
    "\x00",
    "=",
    "a" * 8_000,
]
DISPOSITIONS = [
    b"form-data; name*=bogus''question-name",
    b"form-data; name*=utf-8''%00",
    b"form-data; name*=utf-8''%ff",
    b'form-data; name="\x00"',
    b"form-data; name=",
    b"form-data",
    b"",
    b'form-data; name="question-name"; filename="../../x"',
    b"form-data; name=\"question-name\"; filename*=bogus''a",
    b"form-data; name=question-name\r\nContent-Transfer-Encoding: base64",
    b"form-data; name=question-name\r\nContent-Type: text/plain; charset=idna",
    b"form-data; name=question-name\r\nContent-Type: text/plain; charset*=bogus''x",
    b"form-data; name=question-name\r\n" + b"X: y\r\n" * 400,
    b"form-data; name=" + b"n" * 20_000,
    b"attachment; name=\xff\xfe",
]


def part(disposition: bytes, body: bytes = b"!!!not base64!!!", end: bytes = b"\r\n--b--\r\n") -> bytes:
    return b"--b\r\nContent-Disposition: " + disposition + b"\r\n\r\n" + body + end


def hostile() -> list[dict]:
    """Requests that no honest browser makes: every one must be refused with a 4xx or led back to the empty form."""
    urlencoded, multipart = b"question-name=%ff&question-email=x", part(b'form-data; name="question-name"')
    made = []
    for charset in CHARSETS:
        for kind, body in [
            ("application/x-www-form-urlencoded", urlencoded),
            ("multipart/form-data; boundary=b", multipart),
        ]:
            made.append({"CONTENT_TYPE": f"{kind}; charset={charset}", "body": body})
            made.append({"CONTENT_TYPE": f'{kind}; charset="{charset}"', "body": body})
    made += [
        {"CONTENT_TYPE": kind, "body": body} for kind in UNREADABLE for body in (b"", urlencoded, multipart, b"{}")
    ]
    for disposition in DISPOSITIONS:
        for end in (b"\r\n--b--\r\n", b"\r\n--b", b"", b"\r\n--b\r\n" * 50):
            made.append({"CONTENT_TYPE": "multipart/form-data; boundary=b", "body": part(disposition, end=end)})
    for number in (201, 1_000, 5_000):
        made.append({"body": b"&".join(b"f%d=1" % n for n in range(number))})
        parts = b"".join(part(b'form-data; name="f%d"' % n, b"1", b"\r\n") for n in range(number))
        made.append({"CONTENT_TYPE": "multipart/form-data; boundary=b", "body": (parts + b"--b--\r\n")[:262_144]})
        files = b"".join(part(b'form-data; name="f"; filename="%d"' % n, b"1", b"\r\n") for n in range(number))
        made.append({"CONTENT_TYPE": "multipart/form-data; boundary=b", "body": (files + b"--b--\r\n")[:262_144]})
    lengths = [
        "-1",
        "+1",
        " 1",
        "1 ",
        "1_0",
        "0x10",
        "1e3",
        "1.0",
        "٣",
        "²",
        "NaN",
        "\x00",
        "1,2",
        "9" * 30,
        "9" * 5_000,
    ]
    made += [{"CONTENT_LENGTH": length, "body": urlencoded} for length in lengths]
    hosts = [
        "evil.example",
        "testserver:x",
        "a b",
        "[",
        "[::1",
        "]",
        "@",
        "\xff",
        "\x00",
        "x" * 5_000,
    ]
    made += [{"HTTP_HOST": host, "body": urlencoded} for host in hosts]
    made += [{"HTTP_HOST": host, "method": "GET"} for host in hosts]
    paths = [
        "/question/\x00",
        "/\x00",
        "/%00/\x00x",
        "/fact-sheets/\x00/",
        "/\xff\xfe/",
        "/../../etc/passwd",
        "/.git/config",
    ]
    paths += [
        "/static/../settings.py",
        "/static/%2e%2e/x",
        "/static/\x00",
        "//evil.example//",
        "/" + "a/" * 3_000,
        "*",
    ]
    made += [
        {"path": path, "method": method, "body": urlencoded} for path in paths for method in ("GET", "POST", "HEAD")
    ]
    methods = ["TRACE", "TRACK", "CONNECT", "PUT", "DELETE", "PATCH", "GETT", "\x00", "", "X" * 9_000, "PO ST"]
    made += [{"method": method, "path": path} for method in methods for path in ADDRESSES.values()]
    origins = ["null", "evil", "http://[", "http://testserver.evil.example", "\x00", "\xff", "http://" + "x" * 5_000]
    made += [{"HTTP_ORIGIN": origin, "body": urlencoded} for origin in origins]
    bytes_ = random.Random(SEED)  # noqa: S311 - repeatable, no secret
    for _ in range(40):
        noise = bytes_.randbytes(bytes_.randrange(2_000))
        made.append({"body": noise, "path": bytes_.choice(list(ADDRESSES.values()))})
        made.append({"body": part(noise[:80], noise), "CONTENT_TYPE": "multipart/form-data; boundary=b"})
    return made


@pytest.mark.both
@pytest.mark.long
def test_four_hundred_hostile_requests_are_refused_and_none_is_a_500():
    requests = hostile()
    assert len(requests) >= 400
    wrong, led_back = [], 0
    for request in requests:
        answer = ask(**request)
        path = request.get("path", "/question/")
        if answer.status_code == 303 and answer.headers["Location"] == path in ADDRESSES.values():
            # Nothing in it was typed in a form: its page says so, whatever the browser was given to keep.
            led_back += 1
            answer = ask("GET", path, HTTP_COOKIE=answer.headers["Set-Cookie"].partition(";")[0])
            if answer.status_code == 200 and title(parse(answer)).startswith("Error: "):
                continue
        if not 400 <= answer.status_code < 500:
            wrong.append((answer.status_code, {name: str(part)[:80] for name, part in request.items()}))
    assert not wrong, f"{len(wrong)} of {len(requests)}: {wrong[:8]}"
    assert 0 < led_back < len(requests)
    assert not Enquiry.objects.exists()


@pytest.mark.parametrize("broken", [f"charset={charset}" for charset in ("utf-16", "base64", "idna")] + ["x*=bogus''y"])
def test_what_cannot_be_read_gets_a_page_that_says_so(broken):
    answer = ask(CONTENT_TYPE=f"application/x-www-form-urlencoded; {broken}", body=b"question-name=Ada")
    assert answer.status_code == 400
    assert "We could not read that" in text(parse(answer))


# --- honest requests, damaged at random ---


@pytest.mark.both
@pytest.mark.long
def test_a_damaged_honest_form_is_answered_whatever_is_damaged():
    chance = random.Random(SEED)  # noqa: S311 - repeatable, no secret
    honest = "&".join(f"{name}={quote(str(typed))}" for name, typed in form("consultation").items())
    seen = set()
    for _ in range(100):
        body = bytearray(honest.encode())
        for _ in range(chance.randrange(1, 12)):
            place = chance.randrange(len(body))
            body[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(4))
        answer = ask(path="/consultation/", body=bytes(body))
        seen.add(answer.status_code)
    assert seen <= {200, 303, 400, 422}, seen
    assert 422 in seen
