"""The configurations in `deploy/`, each tried with the program it is for."""

import http.client
import os
import re
import shutil
import socket
import subprocess
import time
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import get_commands
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from backcare.core.models import ClinicSettings
from enquiries.models import Enquiry, Status
from factsheets import actions
from factsheets.models import FactSheet
from tests.conftest import database_environment
from tests.support.addresses import public_addresses
from tests.support.faults import Web
from tests.support.forms import form
from tests.support.processes import program
from tests.support.reverse_proxies import DEPLOY, DOMAIN, Proxy, answers, asked_directly, read
from tests.support.smtp import wait_for

pytestmark = [pytest.mark.process, pytest.mark.once]

SHEET = "/fact-sheets/about-back-pain/"
FIGURE = "/admin/factsheets/figure/add/"
SECRET = "SecretOfOnePerson"
PRIVATE = [
    f"/report/stop/{SECRET}/",
    f"/report/delete/{SECRET}/",
    f"/report/summary/{SECRET}/",
    f"/request/{SECRET}/",
    f"/request/{SECRET}/times/changed/",
    f"/question/sent/{SECRET}/",
    f"/admin/login/new-password/{SECRET}/",
    f"/admin/login/invitation/{SECRET}/",
    f"/staff/calendar/{SECRET}.ics",
    f"/Report/SUMMARY/{SECRET}/",  # it is not a patient's page, and whoever reads it may be able to fix it
    f"/search/?q={SECRET}",
]


def test_the_units_start_our_commands_and_leave_them_few_rights(tmp_path):
    analyze = program("systemd-analyze")
    shutil.copytree(DEPLOY / "systemd", tmp_path, dirs_exist_ok=True)
    services = sorted(tmp_path.glob("*.service"))
    for unit in services:
        text = unit.read_text()
        if command := re.search(r"^ExecStart=\S+ manage\.py (\w+)", text, re.MULTILINE):
            assert command[1] in get_commands()
        else:
            assert "-m gunicorn --config python:backcare.ops.gunicorn backcare.config.wsgi" in text
        unit.write_text(text.replace("/opt/backcare/.venv/bin/python", "/bin/true"))
        timer = unit.with_suffix(".timer")
        assert "[Install]" in (timer.read_text() if "Type=oneshot" in text else text), f"Nothing starts {unit.name}"
    environment = {**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"}
    units = [str(each) for each in (*services, *tmp_path.glob("*.timer"))]
    verified = subprocess.run([analyze, "verify", "--man=no", *units], env=environment, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stderr
    assert not [line for line in verified.stderr.splitlines() if "backcare" in line], verified.stderr
    for unit in services:
        command = [analyze, "security", "--offline=true", "--threshold=25", "--no-pager", unit.name]
        weighed = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert weighed.returncode == 0, weighed.stdout[-200:]


@pytest.fixture(scope="module")
def server(django_db_setup, django_db_blocker, tmp_path_factory):
    with django_db_blocker.unblock():
        environment = database_environment()
    environment |= {
        "ALLOWED_HOSTS": DOMAIN,
        "BASE_URL": f"https://{DOMAIN}",
        "BEHIND_TLS_PROXY": "1",
        "MAX_FORMS_PER_SENDER_PER_HOUR": "2",
    }
    site = Web(environment, tmp_path_factory.mktemp("server") / "web.log")
    site.answers = lambda: answers(site)
    yield site
    site.clear()


@pytest.fixture
def web(server, transactional_db):
    """Makes sure that it runs, even if the test before ended without it."""
    if server.process is None or server.process.poll() is not None:
        server.start()
    return server


def upload(picture: bytes, editor: Client) -> tuple[bytes, dict[str, str]]:
    """The body and the headers of a form that holds a picture and nothing else."""
    assert editor.get(FIGURE).status_code == 200
    cookies = {name: cookie.value for name, cookie in editor.cookies.items()}
    body = encode_multipart(
        BOUNDARY,
        {
            "csrfmiddlewaretoken": cookies[settings.CSRF_COOKIE_NAME],
            "picture": SimpleUploadedFile("large.jpg", picture, "image/jpeg"),
        },
    )
    return body, {
        "Content-Type": MULTIPART_CONTENT,
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Origin": f"https://{DOMAIN}",
    }


# A proxy may say these in its own way.
OF_THE_PROXY = {
    "server",
    "x-cache",
    "date",
    "expires",
    "connection",
    "keep-alive",
    "content-length",
    "transfer-encoding",
    "alt-svc",
    "via",
}


@pytest.mark.parametrize("name", ["nginx", "caddy"])
def test_behind_each_proxy_the_site_is_the_same_and_what_is_private_stays_private(name, web, tmp_path):
    editor = Client()
    editor.force_login(User.objects.create_superuser("olive@example.com", "olive@example.com"))
    with Proxy(name, tmp_path, web) as proxy:
        # The same pages, headers and refusals, and TLS.
        may_be_kept = {"/robots.txt"}
        for path in [*public_addresses(), "/search/?q=sciatica", "/static/nothing.css", "/nothing/"]:
            there, here = proxy.ask("GET", path), asked_directly(web, path)
            assert there.status == here.status, path
            through, direct = ({(key.lower(), value) for key, value in each.getheaders()} for each in (there, here))
            assert {key for key, _ in through ^ direct} <= OF_THE_PROXY, f"{path}: {through ^ direct}"
            if re.search("s-maxage|immutable", there.headers.get("Cache-Control", "")):
                assert there.text == here.text, path
                may_be_kept.add(path)
        plain = http.client.HTTPConnection("127.0.0.1", proxy.http, timeout=20)
        moved = read(plain, "GET", "/check/", None, {})
        with socket.create_connection(("::1", proxy.https), 20):
            pass  # on IPv6 too
        assert moved.status in {301, 308}
        assert moved.headers["Location"] == f"https://{DOMAIN}/check/"

        # Forms arrive, and whoever writes X-Forwarded-For themselves is still one sender.
        for number in range(3):
            asked = urlencode(form("question", description=f"Question {number}")).encode()
            sent = proxy.ask(
                "POST",
                "/question/",
                asked,
                Content_Type="application/x-www-form-urlencoded",
                X_Forwarded_For=f"198.51.100.{number}",
                Origin=f"https://{DOMAIN}",
            )
            assert sent.status == 303, sent.text
        assert sorted(Enquiry.objects.values_list("status", flat=True)) == [Status.NEW, Status.NEW, Status.SPAM]

        # An edit shows within a second.
        ClinicSettings.objects.update(name="The Clinic That Was Renamed")
        ClinicSettings.objects.get().save()
        wait_for(lambda: "Was Renamed" in proxy.ask("GET", "/").text, seconds=3, what="an edit behind the proxy")

        # An editor's picture of forty megabytes comes to the site, which misses its description; too large a form gets help.
        picture = proxy.ask("POST", FIGURE, *upload(b"x" * 40_000_000, editor))
        assert picture.status == 200
        assert "This field is required" in picture.text
        for size in (300_000, *([2_000_000] if name == "nginx" else [])):
            large = proxy.ask("POST", "/question/", b"x" * size, Content_Type="application/x-www-form-urlencoded")
            assert large.status == 413, size
            assert "999" in large.text

        # Fifty who never finish their requests keep nobody waiting.
        slow = [proxy.connect() for _ in range(50)]
        for each in slow:
            each.sendall(f"POST /question/ HTTP/1.1\r\nHost: {DOMAIN}\r\nContent-Length: 90\r\n\r\nx".encode())
        assert [proxy.ask("GET", path).status for path in ("/", "/check/", "/question/")] == [200, 200, 200]
        for each in slow:
            each.close()

        # What is private is in no log, while the site answers and while it is away. Then there is a page with help.
        answers = [proxy.ask("GET", path).status for path in PRIVATE]
        assert set(answers) <= {200, 302, 404}, answers
        web.kill()
        for path in (*PRIVATE, "/check/"):
            away = proxy.ask("GET", path)
            assert away.status == 502, path
            assert '<a href="tel:999">999</a>' in away.text
    if name == "nginx":
        copies = [each.read_bytes() for each in (tmp_path / "backcare").rglob("*") if each.is_file()]
        kept = {re.search(rb"\nKEY: https" + DOMAIN.encode() + rb"(\S+)", copy)[1].decode() for copy in copies}
        assert SHEET in kept
        assert kept <= may_be_kept
    logs = [each for each in tmp_path.rglob("*") if each.is_file() and each.name.endswith("log")]
    assert logs
    logs.append(web.log)
    for each in logs:
        assert SECRET.encode() not in each.read_bytes(), each.name
        assert b"127.0.0.1 " not in each.read_bytes(), f"{each.name} tells a sender's address"


def test_nginx_holds_pages_for_a_second_and_nothing_else_ever(web, tmp_path):
    def ask(path: str, method: str = "GET", body: bytes | None = None, **headers: str):
        """The answer, and where nginx had it from."""
        answer = proxy.ask(method, path, body, **headers)
        return answer, answer.headers.get("X-Cache", "")

    with Proxy("nginx", tmp_path, web) as proxy:
        # Readers: nearly all get what nginx holds.
        came, until = [], time.monotonic() + 4
        while time.monotonic() < until or len(came) < 200:
            answer, source = ask(SHEET, Accept_Encoding="gzip, deflate, br")
            assert answer.status == 200
            assert answer.headers["Content-Encoding"] == "br"
            came.append(source == "HIT")
        assert sum(came) / len(came) >= 0.95, f"{sum(came)} of {len(came)}"
        assert ask(SHEET, Accept_Encoding="br;q=0, gzip")[0].headers["Content-Encoding"] == "gzip"
        assert ask(SHEET, If_None_Match=answer.headers["ETag"])[0].status == 304

        # An edit shows within a second.
        sheet = FactSheet.objects.get(slug="about-back-pain")
        assert "A title of this second" not in ask(SHEET)[0].text
        sheet.title = "A title of this second"
        sheet.save()
        actions.refresh(sheet=sheet)
        saved = time.monotonic()
        while "A title of this second" not in ask(SHEET)[0].text:
            assert time.monotonic() < saved + 2.5, "An edit takes longer than a second."

        # Nothing is held that is sent, searched for or personal, or that the site does not allow to be held.
        for path in [*public_addresses(), "/search/?q=sciatica", "/admin/", "/admin/login/", "/nothing/"]:
            for _ in range(2):
                answer, source = ask(path, Cookie="check=x")
                said = answer.headers.get("Cache-Control", "")
                assert "s-maxage" in said or "immutable" in said or source in {"", "MISS"}, (
                    f"{path}: {source} of {said}"
                )
        for _ in range(2):
            kind = {"Content_Type": "application/x-www-form-urlencoded", "Sec_Fetch_Site": "same-origin"}
            answer, source = ask("/report/", "POST", urlencode(form("report")).encode(), **kind)
            assert (answer.status, source) == (303, "")
