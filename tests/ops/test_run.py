"""`make run` as a new user meets it: the two processes that it starts, with real mail files."""

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.support.filled_database import FilledDatabase
from tests.support.processes import start_process
from tests.support.smtp import free_port, wait_for

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.once, pytest.mark.process]


def local(folder, port):
    keep = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**keep, "BACKCARE_LOCAL": "1", "DATA_DIR": str(folder), "PORT": str(port)}


def prepare(folder, port):
    return subprocess.run(
        [sys.executable, "manage.py", "prepare"],
        cwd=ROOT,
        env=local(folder, port),
        capture_output=True,
        text=True,
    )


def answer(address, data=None):
    try:
        body = urllib.parse.urlencode(data).encode() if data else None
        with urllib.request.urlopen(address, body, timeout=60) as response:
            return response.status, response.read().decode(), response.url
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), address
    except OSError:
        return None, "", address


def serve(data, port):
    return start_process(
        [sys.executable, "manage.py", "serve"],
        env=local(data, port),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def children(pid) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def runs(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def test_a_first_run_serves_reads_and_mails_and_a_second_one_keeps_everything(tmp_path):
    """The database and static files are those of a first run, as far as the demo. test_new_clinic.py begins with nothing."""
    port = free_port()
    FilledDatabase().start(tmp_path)
    first = prepare(tmp_path, port)
    assert first.returncode == 0, first.stderr
    passwords = dict(re.findall(r"^  (owner|reception|editor) +(\S{12,})$", first.stdout, re.MULTILINE))
    assert set(passwords) == {"owner", "reception", "editor"}
    assert "clinician" in first.stdout.splitlines()[-1], "The passwords come last."
    assert "Accepted" not in first.stdout + first.stderr, "A line for each invented enquiry buries them."

    earlier = tmp_path / "mail" / "earlier.log"
    earlier.write_text("a mail")
    earlier.chmod(0o644)
    second = prepare(tmp_path, port)
    assert second.returncode == 0, second.stderr
    assert not any(password in second.stdout for password in passwords.values())
    content = r"^Content: (\d+) added, 0 changed, 0 removed, (\d+) as they were, 0 of yours kept"
    [(new, known)] = re.findall(content, first.stdout, re.M)
    assert re.findall(content, second.stdout, re.M) == [("0", str(int(new) + int(known)))]
    assert int(new) + int(known) > 1000

    site = f"http://127.0.0.1:{port}"
    # kill -9 of the one that started them takes the others along, and a supervisor can start it again.
    killed = serve(tmp_path, port)
    wait_for(lambda: answer(f"{site}/robots.txt")[0] == 200, what="the first answer")
    started = children(killed.pid)
    assert len(started) == 2
    killed.kill()
    killed.communicate(timeout=120)  # ends when nobody holds the other end
    wait_for(lambda: not any(map(runs, started)), what="the end of the others")

    server = serve(tmp_path, port)
    try:
        wait_for(lambda: answer(f"{site}/")[0] == 200, what="the home page")
        status, page, _ = answer(f"{site}/fact-sheets/about-back-pain/")
        assert status == 200
        # Hashed and compressed static files, as in production.
        sheet = re.search(r'href="(/static/css/site\.[0-9a-f]{12}\.css)"', page)[1]
        request = urllib.request.Request(f"{site}{sheet}", headers={"Accept-Encoding": "br"})
        with urllib.request.urlopen(request) as response:
            assert response.headers["Content-Encoding"] == "br"
            assert "immutable" in response.headers["Cache-Control"]
            assert len(response.read()) <= 6.5 * 1024, "The stylesheet is over its budget of 6.5 KB."

        form = {"report-name": "Ada Example", "report-email": "ada@example.com", "report-sheet": "about-back-pain"}
        status, page, address = answer(f"{site}/report/", form)
        assert (status, address) == (200, f"{site}/report/sent/")
        mails = tmp_path / "mail"
        wait_for(
            lambda: any(b"To: ada@example.com" in path.read_bytes() for path in mails.glob("*.log")),
            seconds=30,
            what="the mail file",
        )
        wait_for(lambda: answer(f"{site}/healthz")[0] == 200, what="a healthy answer")
        assert server.poll() is None

        busy = prepare(tmp_path, port)
        assert busy.returncode != 0
        assert f"Port {port} is in use" in busy.stderr
        assert "Traceback" not in busy.stderr
    finally:
        server.send_signal(signal.SIGINT)
        output, _ = server.communicate(timeout=40)
    assert server.returncode == 0, output
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0, "The web server outlived Ctrl-C."
    assert "ada@example.com" not in output
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and path.relative_to(tmp_path).parts[0] != "static"]
    assert earlier in kept and tmp_path / "last-check.json" in kept
    assert not [path.name for path in kept if path.stat().st_mode & 0o077], "Others on the machine can read these."
