"""A cache in front of us can be made neither to serve readers a stranger's page (poisoning) nor to keep a person's (deception)."""

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from enquiries import links
from enquiries.models import Assessment
from factsheets import page_cache
from tests.conftest import consultation
from tests.support.addresses import public_addresses
from tests.support.assessment import finish
from tests.support.forms import form
from tests.support.wsgi import ask

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

SHEET = "/fact-sheets/about-back-pain/"
MARK = "zqpoison"
HOST = f"{MARK}.example"
# What people have poisoned caches with: headers that an application believes and a cache does not look at.
STRANGE = {
    "host behind a proxy": {"HTTP_X_FORWARDED_HOST": HOST, "HTTP_X_HOST": HOST, "HTTP_X_FORWARDED_SERVER": HOST},
    "forwarded": {"HTTP_FORWARDED": f"for=1.2.3.4;host={HOST};proto=http", "HTTP_X_FORWARDED_FOR": MARK},
    "port and scheme": {"HTTP_X_FORWARDED_PORT": "1337", "HTTP_X_FORWARDED_SCHEME": "nothttps", "HTTP_X_SCHEME": MARK},
    "another path": {
        "HTTP_X_ORIGINAL_URL": "/admin/",
        "HTTP_X_REWRITE_URL": "/admin/",
        "HTTP_X_FORWARDED_PREFIX": f"/{MARK}",
    },
    "another method": {"HTTP_X_HTTP_METHOD_OVERRIDE": "POST", "HTTP_X_METHOD_OVERRIDE": "DELETE"},
    "odd accept": {"HTTP_ACCEPT": f"application/{MARK}", "HTTP_ACCEPT_LANGUAGE": "ar", "HTTP_ACCEPT_CHARSET": "utf-7"},
    "no accept": {"HTTP_ACCEPT": "", "HTTP_ACCEPT_LANGUAGE": ""},
    "a cookie": {"HTTP_COOKIE": f"sessionid={MARK}; check={MARK}; sent={MARK}; csrftoken={MARK}; django_language=de"},
    "who asks": {
        "HTTP_USER_AGENT": f"<{MARK}>",
        "HTTP_REFERER": f"http://{HOST}/",
        "HTTP_FROM": MARK,
        "HTTP_VIA": MARK,
    },
    "from elsewhere": {
        "HTTP_ORIGIN": f"https://{HOST}",
        "HTTP_SEC_FETCH_SITE": "cross-site",
        "HTTP_SEC_FETCH_DEST": "script",
    },
    "signed in": {"HTTP_AUTHORIZATION": f"Basic {MARK}", "REMOTE_USER": MARK, "HTTP_REMOTE_USER": MARK},
    "a part": {"HTTP_RANGE": "bytes=0-10", "HTTP_IF_RANGE": MARK},
    "a script's": {"HTTP_X_REQUESTED_WITH": "XMLHttpRequest", "HTTP_PURPOSE": "prefetch", "HTTP_SAVE_DATA": "on"},
    "a query": {"QUERY_STRING": f"utm_source=<{MARK}>&utm_content={MARK}&lang=de&_format=json&callback={MARK}"},
    "a query that is no query": {"QUERY_STRING": f"%zz&&=&{MARK}%00%ff;a=b"},
    "an encoding nobody has": {"HTTP_ACCEPT_ENCODING": f"{MARK}, *;q=0"},
    "a body": {"CONTENT_TYPE": "application/x-www-form-urlencoded", "body": f"a={MARK}".encode()},
    "a sort of body": {"CONTENT_TYPE": "text/plain", "HTTP_TRANSFER_ENCODING": ""},
}


def same(first, second) -> bool:
    return (first.status_code, first.content, sorted(first.headers.items())) == (
        second.status_code,
        second.content,
        sorted(second.headers.items()),
    )


def shared() -> list[str]:
    """Every address whose answer any cache may keep."""
    return [path for path in public_addresses() if "public" in ask("GET", path).headers.get("Cache-Control", "")]


@pytest.mark.long
def test_a_shared_page_is_the_same_byte_for_byte_whatever_the_request_carries():
    found = shared()
    assert {"/", SHEET, "/glossary/", "/privacy/", "/feed.xml", "/robots.txt", f"{SHEET}json/"} <= set(found)
    for path in found:
        # A cache that took an address with and without its query for one would give out the empty page for what was found.
        held = "public, no-cache" if path.startswith("/search/") else "public, max-age=0, s-maxage=1"
        assert ask("GET", path).headers["Cache-Control"] == held, path
    small = [path for path in found if not path.endswith((".png", "/pdf/", "/full/", "/large/", ".ico"))]
    assert len(small) >= 12
    for path in small:
        honest = ask("GET", path)
        for what, strange in STRANGE.items():
            answer = ask("GET", path, **strange)
            assert same(answer, honest), f"{path} differs by {what}."
        assert MARK not in str(honest.headers)
        assert MARK.encode() not in honest.content


@pytest.mark.long
def test_whatever_is_sent_asked_or_one_persons_is_held_by_no_cache():
    """With and without a cookie: forms, searches, the check, private links, the desk."""
    mine = ("/consultation/", "/question/", "/report/", "/check/", "/request/", "/staff/", "/admin/", "/search/tell/")
    paths = [path for path in [*public_addresses(), "/admin/", "/admin/login/"] if path.startswith(mine)]
    assert len(paths) >= 30
    for path in [*paths, "/search/?q=sciatica", "/search/?q=%20x"]:
        path, _, query = path.partition("?")
        for cookie in ("", f"sessionid={MARK}; check={MARK}"):
            for method in ("GET", "HEAD", "POST"):
                answer = ask(method, path, QUERY_STRING=query, HTTP_COOKIE=cookie)
                caching = answer.headers.get("Cache-Control", "no-store" if method == "POST" else "")
                assert "no-store" in caching, f"{method} {path}: {answer.status_code} {caching!r}"
                assert "s-maxage" not in caching


@pytest.mark.parametrize("what", STRANGE)
def test_who_comes_first_after_an_edit_decides_nothing_for_the_others(what):
    """The page is made and cached for a strange request. The next reader gets what every reader got before."""
    for path in ("/", SHEET):
        honest = ask("GET", path)
        page_cache.cache.pages.clear()
        first = ask("GET", path, **STRANGE[what])
        assert same(ask("GET", path), honest)
        assert same(first, honest)


def test_a_request_for_the_head_alone_leaves_the_page_whole_for_the_next_reader():
    for path in ("/", SHEET, "/feed.xml"):
        honest = ask("GET", path)
        page_cache.cache.pages.clear()
        head = ask("HEAD", path)
        assert head.content == b""
        assert head.headers.items() == honest.headers.items()
        for method in ("POST", "PUT", "OPTIONS", "HEAD"):
            ask(method, path)
        assert same(ask("GET", path), honest)


def test_the_one_thing_a_page_differs_by_is_named_in_vary():
    plain, brotli = ask("GET", SHEET), ask("GET", SHEET, HTTP_ACCEPT_ENCODING="br")
    assert plain.content != brotli.content
    assert plain.headers["Vary"] == brotli.headers["Vary"] == "Accept-Encoding"
    without = [
        (name, value) for name, value in brotli.headers.items() if name not in {"Content-Encoding", "Content-Length"}
    ]
    assert without == [(name, value) for name, value in plain.headers.items() if name != "Content-Length"]


def test_an_answer_that_no_cache_may_keep_stays_so_whatever_is_asked_for(staff_client):
    """An error for a strange request must not take the place of the page."""
    for strange in (
        {"HTTP_HOST": HOST},
        {"CONTENT_LENGTH": "x"},
        {"CONTENT_TYPE": "text/html; charset=x"},
        {"method": "TRACE"},
    ):
        answer = ask(**{"method": "GET", "path": SHEET, **strange})
        assert 400 <= answer.status_code < 500
        assert answer.headers["Cache-Control"] == "no-store", strange
    for value in ("x" * 20_000, "\x00", "\r\nX: y", "é"):
        answer = ask("GET", SHEET, HTTP_X_STRANGE=value, HTTP_COOKIE=value)
        assert answer.status_code == 200


# --- deception: a person's page under an address that looks like a file's ---

ENDINGS = (
    "a.css",
    "x.js",
    "img.png",
    ".css",
    "..%2fa.css",
    "%2e%2e/static/a.css",
    "a.css/",
    ";a.css",
    "%00.css",
    "%0a.css",
    "%23.css",
)


def personal_pages(client) -> dict[str, str]:
    """Addresses that show this browser's own things, and a word of each."""
    finish(client)
    assert client.post("/report/", form("report", include_answers="yes")).status_code == 303
    enquiry = consultation()
    client.force_login(User.objects.create_superuser("sam", "sam@example.com", "x"))
    return {
        "/report/sent/": "ada@example.com",
        "/check/result/": "",
        "/check/answers/": "",
        f"/request/{links.REQUEST.token(enquiry)}/": "",
        f"/report/summary/{links.SUMMARY.token(Assessment.objects.get())}/": "",
        "/admin/": "Sign-in settings",
        "/admin/enquiries/enquiry/": "Ada Example",
        enquiry.get_admin_url(): "Ada Example",
    }


@pytest.mark.long
def test_no_personal_page_is_kept_by_a_cache_under_any_address(client):
    pages = personal_pages(client)
    cookie = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    for path, word in pages.items():
        whole = ask("GET", path, HTTP_COOKIE=cookie)
        assert whole.status_code == 200, path
        assert word in whole.content.decode(), f"{path} is not this browser's own, so nothing was tested."
        assert "no-store" in whole.headers["Cache-Control"], path
        for ending in ENDINGS:
            for raw in (f"{path}{ending}", f"{path.rstrip('/')}{ending}"):
                info = (
                    raw.encode("latin-1")
                    .decode("latin-1")
                    .replace("%00", "\x00")
                    .replace("%0a", "\n")
                    .replace("%2f", "/")
                )
                answer = ask("GET", info.replace("%2e", ".").replace("%23", "#"), HTTP_COOKIE=cookie)
                assert answer.status_code in {301, 302, 400, 404}, f"{raw}: {answer.status_code}"
                assert "Ada Example" not in answer.content.decode(), raw
                caching = answer.headers.get("Cache-Control", "")
                assert "no-store" in caching, f"{raw}: {caching}"


@pytest.mark.parametrize("path", ["/privacy/x.css", "/x.css", f"{SHEET}a.css", "/search/x.css", "/report/sent.css"])
def test_a_file_that_is_not_there_is_kept_by_nobody(path):
    answer = ask("GET", path, HTTP_COOKIE=f"{settings.SESSION_COOKIE_NAME}={'x' * 32}")
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_personal_page_cannot_be_had_by_a_detour(client):
    """Two readings of one address, a cache's and ours, must not differ: we read no "..", no ";", and no "%2f" as a slash.

    An extra slash is corrected openly: the browser asks again, and the page keeps its one address.
    """
    personal_pages(client)
    for path in (
        "/static/../report/sent/",
        "/static/..%2freport/sent/",
        "/static;/../report/sent/",
        "/report/./sent/",
    ):
        answer = client.get(path)
        assert answer.status_code == 404, path
        assert "ada@example.com" not in answer.content.decode()
    doubled, stranger = client.get("/report//sent/"), Client().get("/report//sent/")
    assert (doubled.status_code, doubled.headers["Location"]) == (301, "/report/sent/")
    assert same(doubled, stranger), "What any cache may keep differs by person."
    assert doubled.content == b""


def test_a_link_of_one_person_says_nothing_to_another():
    enquiry = consultation()
    tokens = [enquiry.pk, enquiry.pk.hex, f"{enquiry.pk.hex}.", f"{enquiry.pk.hex}.x", enquiry.reference]
    bodies = set()
    for token in tokens:
        for answer in (Client().get(path := f"/request/{token}/"), Client().post(path, {"email": "ada@example.com"})):
            assert answer.status_code == 404
            bodies.add(
                answer.content.replace(str(token).encode(), b"")
            )  # the address that was asked for is in the page
    assert len(bodies) == 1, "The answer tells which part of a link was right."
    assert Client().get(f"/report/summary/{links.REQUEST.token(enquiry)}/").status_code in {404, 410}
