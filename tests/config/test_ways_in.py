"""Ways in that are closed: redirects to elsewhere, paths out of the static files, stray files on a server, and fixed sessions."""

import re
from urllib.parse import unquote_to_bytes

import html5lib
import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.conftest import consultation
from tests.support.desk import PASSWORD, with_password
from tests.support.wsgi import ask

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "https:evil.example",
    "https:/evil.example",
    "https:///evil.example",
    "https://evil.example",
    "HTTPS://EVIL.EXAMPLE",
    "http://testserver@evil.example",
    "http://testserver.evil.example",
    "http://evil.example#testserver",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,x",
    "ftp://evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "\x01//evil.example",
    "\x00//evil.example",
    "http://[::1",
    "//[evil",
    "%2f%2fevil.example",
    "/%09/evil.example",
    "/%5cevil.example",
    "?next=//evil.example",
    "x" * 5_000,
]


def is_ours(address: str) -> bool:
    """As a browser reads it, which leaves out tabs and line breaks and takes a backslash for a slash."""
    read = re.sub(r"[\t\r\n]", "", address).strip("".join(map(chr, range(33)))).replace("\\", "/")
    if re.match(r"[a-z][a-z0-9+.-]*:", read, re.IGNORECASE):
        return read.startswith(("http://testserver/", "https://testserver/"))
    return not read.startswith("//")


def test_the_reader_of_addresses_knows_the_tricks():
    assert not any(is_ours(each) for each in ELSEWHERE[:21])
    assert is_ours("/admin/") and is_ours("?a=b") and is_ours("http://testserver/x") and is_ours("%2f%2fx")


@pytest.mark.long
def test_no_address_to_come_back_to_leads_elsewhere():
    with_password(User.objects.create_superuser("sam", "sam@example.com", "x"))
    given = {"username": "sam", "password": PASSWORD}
    asked = 0
    for place in ELSEWHERE:
        opened = Client().get("/admin/login/", {"next": place})
        [field] = [each for each in parse_loosely(opened).iter("input") if each.get("name") == "next"]
        assert is_ours(field.get("value")), place
        answer = Client().post("/admin/login/", given | {"next": place}, query_params={"next": place})
        assert answer.status_code == 302, (place, answer.content[:500])
        assert is_ours(answer["Location"]), f"{place} leads to {answer['Location']}"
        asked += 1
    assert asked >= 30


def parse_loosely(response):
    return html5lib.parse(response.content.decode(), namespaceHTMLElements=False)


@pytest.mark.parametrize("path", ["/admin/logout/", "/admin/password_change/", "/report/"])
def test_no_other_page_reads_where_to_go(staff_client, path):
    for name in ("next", "url", "redirect", "return_to", "_changelist_filters"):
        for place in ("//evil.example", "https://evil.example"):
            for answer in (staff_client.get(path, {name: place}), Client().post(path, {name: place})):
                assert is_ours(answer.headers.get("Location", "/")), (path, name, place)


@pytest.mark.parametrize(
    "behind", ["//evil.example", "/\\evil.example", "/%5C%5Cevil.example", "//evil.example/%2e%2e"]
)
def test_who_is_asked_to_sign_in_comes_back_to_the_desk_only(behind):
    for path in (f"/admin/{behind}", f"/admin{behind}", behind, f"/admin/enquiries/enquiry/{behind}"):
        answer = ask("GET", path.replace("%5C", "\\"))
        assert answer.status_code in {301, 302, 400, 404}
        assert is_ours(answer.headers.get("Location", "/")), (path, answer.headers["Location"])


def test_a_change_of_an_enquiry_comes_back_to_the_inbox_only(staff_client):
    enquiry = consultation()
    for place in ELSEWHERE[:5]:
        answer = staff_client.post(f"{enquiry.get_admin_url()}?_changelist_filters={place}&next={place}", {"note": "x"})
        assert is_ours(answer.headers.get("Location", "/")), place


# --- files ---

SECRETS = (b"SECRET_KEY", b"root:", b"[core]", b"sqlite", b"import ", b"FIELD_ENCRYPTION")
UP = [
    "..",
    "%2e%2e",
    "%252e%252e",
    "..;",
    "%c0%ae%c0%ae",
    "..%00",
    "....//",
    "..\\",
    "%5c..",
    ".%2e",
    "\u2025",
    "%uff0e%uff0e",
]
WANTED = ["secret_key", "backcare/config/settings.py", "etc/passwd"]
LYING_ABOUT = [
    "/.env",
    "/.git/config",
    "/.git/HEAD",
    "/.gitignore",
    "/.htaccess",
    "/.ci/run",
    "/.ssh/id_rsa",
    "/backcare.sqlite3",
    "/db.sqlite3",
    "/var/backcare.sqlite3",
    "/var/secret_key",
    "/data/encryption_key",
    "/manage.py",
    "/backcare/config/settings.py",
    "/requirements.txt",
    "/pyproject.toml",
    "/Makefile",
    "/media/",
    "/static/",
    "/static/admin/",
    "/static/css/",
    "/backup.zip",
    "/server-status",
    "/phpinfo.php",
    "/wp-login.php",
    "/actuator/env",
    "/debug/",
    "/__debug__/",
    "/console/",
    "/graphql",
    "/.well-known/",
    "/crossdomain.xml",
]


@pytest.mark.long
def test_no_path_leads_out_of_the_static_files():
    asked = 0
    for up in UP:
        for depth in (1, 5):
            for wanted in WANTED:
                for before in ("/static/", "/static/%2f", "/pictures/"):
                    path = before + f"{up}/" * depth + wanted
                    for info in (as_bytes(path), decoded(path)):
                        answer = ask("GET", info)
                        asked += 1
                        assert answer.status_code in {400, 404}, f"{info}: {answer.status_code}"
                        assert not [word for word in SECRETS if word in answer.content], info
    assert asked > 400


def as_bytes(path: str) -> str:
    """As WSGI holds a path: each byte a letter."""
    return path.encode().decode("latin-1")


def decoded(path: str) -> str:
    """As a web server hands it on: percent encoding read once."""
    return unquote_to_bytes(path).decode("latin-1")


@pytest.mark.long
def test_what_lies_about_on_a_server_is_not_given_out(subtests):
    for path in LYING_ABOUT:
        with subtests.test(path=path):
            for info in (path, path.replace("/", "//", 1), f"{path}.bak", path.upper()):
                answer = ask("GET", info)
                assert answer.status_code in {400, 404}, f"{info}: {answer.status_code}"
                assert not [word for word in SECRETS if word in answer.content], info


# --- sessions and frames ---


def test_a_session_that_somebody_put_into_the_browser_is_never_taken_over():
    with_password(User.objects.create_superuser("sam", "sam@example.com", "x"))
    client = Client()
    planted = "a" * 32
    client.cookies["sessionid"] = planted
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": "sam", "password": PASSWORD})
    own = client.cookies["sessionid"].value
    assert own != planted
    assert client.get("/admin/").status_code == 200
    stranger = Client()
    stranger.cookies["sessionid"] = planted
    assert stranger.get("/admin/").status_code == 302
    by_address = Client().get(f"/admin/?sessionid={own}", headers={"authorization": own})
    assert by_address.status_code == 302, "A session is a cookie's only."


def test_no_page_of_ours_makes_a_frame_or_lets_itself_be_framed(staff_client):
    for path in ("/", "/report/", "/admin/", "/admin/enquiries/enquiry/", "/check/1/"):
        answer = staff_client.get(path)
        assert answer["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert not [each for each in parse_loosely(answer).iter() if each.tag in {"iframe", "frame", "object", "embed"}]
