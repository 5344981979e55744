"""The nginx configuration that we ship, run by nginx: what its cache holds, and for how long. The rest: test_deploy.py."""

import http.client
import os
import shutil
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from factsheets import actions
from factsheets.models import FactSheet
from tests.support.addresses import public_addresses
from tests.support.forms import form
from tests.support.processes import ROOT, start_process
from tests.support.smtp import free_port

pytestmark = pytest.mark.once

SHEET = "/fact-sheets/about-back-pain/"
SHIPPED = ROOT / "deploy" / "nginx.conf"
AROUND = (
    "daemon off;\npid {folder}/pid;\nworker_processes 1;\nevents {{ worker_connections 512; }}\nhttp {{\n{site}\n}}\n"
)


AS_ROOT = "user root;\n" if os.geteuid() == 0 else ""  # the tests' folder is nobody else's


def configured(folder: Path, port: int, site: str) -> str:
    """What we ship, with this machine's ports and paths in place of the clinic's. Each must be there to be replaced."""
    text = SHIPPED.read_text()
    for shipped, ours in {
        "server 127.0.0.1:8000;": f"server {site.removeprefix('http://')};",
        "/var/lib/nginx/backcare": f"{folder}/cache",
        "/var/log/nginx/": f"{folder}/",
        "/etc/letsencrypt/live/backcare.example.org/": f"{folder}/",
        "server_name backcare.example.org;": "server_name 127.0.0.1;",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "    listen [::]:443 ssl http2;\n": "",
        "    listen [::]:80;\n": "",
        "listen 80;": f"listen unix:{folder}/plain;",
        "    proxy_cache_lock on;\n": "    proxy_cache_lock on;\n    add_header X-Cache $upstream_cache_status;\n",
    }.items():
        assert shipped in text, shipped
        text = text.replace(shipped, ours)
    return AS_ROOT + AROUND.format(folder=folder, site=text)


class Proxy:
    def __init__(self, folder: Path, port: int):
        self.folder, self.port = folder, port
        self.connection = self.another()

    def another(self) -> http.client.HTTPSConnection:
        trusting = ssl.create_default_context(cafile=self.folder / "fullchain.pem")
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=trusting, timeout=20)

    def ask(self, path: str, *, method: str = "GET", body: bytes | None = None, **headers: str):
        """Status, where the answer came from, its headers and its body."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, {"Accept-Encoding": "identity"} | kind | headers)
        answer = self.connection.getresponse()
        return answer.status, answer.headers.get("X-Cache", ""), answer.headers, answer.read()


@pytest.fixture
def nginx(site, tmp_path):
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if not program:
        pytest.skip("nginx is not installed.")
    port = free_port()
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
    keys = ["-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", *names, *keys]
    subprocess.run(command, check=True, capture_output=True)
    (config := tmp_path / "nginx.conf").write_text(configured(tmp_path, port, site))
    process = start_process([program, "-c", config, "-p", tmp_path, "-e", tmp_path / "start.log"])
    proxy, until = Proxy(tmp_path, port), time.monotonic() + 15
    while True:
        try:
            proxy.connection.connect()
            break
        except OSError:
            assert process.poll() is None and time.monotonic() < until, (tmp_path / "start.log").read_text()
            time.sleep(0.05)
    yield proxy
    proxy.connection.close()
    process.terminate()
    process.wait(10)


def test_nginx_holds_pages_for_a_second_and_nothing_else_ever(nginx):
    # Readers: nearly all get what nginx holds.
    came, until = [], time.monotonic() + 4
    while time.monotonic() < until or len(came) < 200:
        status, source, headers, _ = nginx.ask(SHEET, Accept_Encoding="gzip, deflate, br")
        assert status == 200
        assert headers["Content-Encoding"] == "br"
        came.append(source == "HIT")
    assert sum(came) / len(came) >= 0.95, f"{sum(came)} of {len(came)}"
    assert nginx.ask(SHEET, Accept_Encoding="br;q=0, gzip")[2]["Content-Encoding"] == "gzip"
    assert nginx.ask(SHEET, If_None_Match=headers["ETag"])[0] == 304

    # An edit shows within a second.
    sheet = FactSheet.objects.get(slug="about-back-pain")
    assert b"A title of this second" not in nginx.ask(SHEET)[3]
    sheet.title = "A title of this second"
    sheet.save()
    actions.refresh(sheet=sheet)
    saved = time.monotonic()
    while b"A title of this second" not in nginx.ask(SHEET)[3]:
        assert time.monotonic() < saved + 2.5, "An edit takes longer than a second."

    # Nothing is held of what is sent, searched for, or one person's; nor of what the site does not say may be held.
    for path in [*public_addresses(), "/search/?q=sciatica", "/admin/", "/admin/login/", "/nothing/"]:
        for _ in range(2):
            status, source, headers, _ = nginx.ask(path, Cookie="check=x")
            allowed = "s-maxage" in headers.get("Cache-Control", "") or "immutable" in headers.get("Cache-Control", "")
            assert allowed or source in {"", "MISS"}, f"{path}: {source} of {headers['Cache-Control']}"
    for _ in range(2):
        sent = "&".join(f"{name}={value}" for name, value in form("report").items()).encode()
        assert nginx.ask("/report/", method="POST", body=sent, Sec_Fetch_Site="same-origin")[:2] == (303, "")
