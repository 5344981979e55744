"""`make bench-peers`: the same page from nginx's own disk and from Wagtail, beside ours.

nginx must be there (Debian: nginx-light). Wagtail is installed from PyPI into a folder that is thrown away. What cannot be had is
said and left out. Costs are processor time of each side's processes, measured in alternation: the client does not count.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import tests.support.environment  # noqa: F401 - a folder and secrets of its own, before Django reads its settings
from loadtests.bench.measure import Figure, alternately
from loadtests.bench.reading import SHEET, Measured
from loadtests.bench.servers import Client, Server, free_port, ours, request, server

ROUNDS = 7
DEPLOYED = Path("deploy/nginx.conf")
# TLS costs both sides the same, and would hide what they differ in.
TLS = re.compile(r"^\s*(ssl_.*;|listen \[::\].*;)$", re.MULTILINE)
WAGTAIL = "wagtail>=8,<9"
GTHREAD = ["--workers", "1", "--threads", "4", "--worker-class", "gthread", "--log-level", "critical"]


def peers() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as name, ours(free_port()) as site:
        folder = Path(name)
        folder.chmod(0o755)  # nginx's workers are somebody else
        status, head, body = Client(site.port, 1).ask(request(SHEET))
        assert (status, b"\r\ncontent-encoding: br" in head.lower()) == (200, True), head
        (folder / "sheet").write_bytes(body)
        if nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin"):
            with _nginx(nginx, folder, site.port) as (front, static):
                name = "peers: a sheet from nginx’s cache ÷ nginx’s own file"
                yield _beside(name, front, static, "/sheet", goal=0.8)
        else:
            print("nginx is not here: left out.")  # noqa: T201
        with _wagtail(folder) as wagtail:
            if wagtail:
                yield _beside("peers: a sheet ÷ the same words in Wagtail", site, wagtail, "/", goal=25)


def _beside(name: str, site: Server, peer: Server, path: str, *, goal: float) -> Figure:
    one, other = Measured(site, request(SHEET)), Measured(peer, request(path))
    one.client.load(one.asked, 0.3)
    other.client.load(other.asked, 0.3)
    found = alternately(partial(one.round), partial(other.round), rounds=ROUNDS)
    one.client.close()
    other.client.close()
    costs = sorted(one.costs)[ROUNDS // 2], sorted(other.costs)[ROUNDS // 2]
    said = f"({costs[0]:,.0f} against {costs[1]:,.0f} µs of a processor)"
    return Figure(name, [theirs / own for own, theirs in found], said, goal)


@contextmanager
def _nginx(program: str, folder: Path, port: int) -> Iterator[tuple[Server, Server]]:
    """Our own configuration, without TLS, in front of the site; and a plain one that serves the same bytes. Each on its own."""
    front, static = free_port(), free_port()
    deployed = TLS.sub("", DEPLOYED.read_text())
    for here, there in {
        "listen 443 ssl http2": f"listen 127.0.0.1:{front}",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
        "127.0.0.1:8000": f"127.0.0.1:{port}",
        "/var/lib/nginx": str(folder),
        "/var/log/nginx": str(folder),
    }.items():
        assert here in deployed, here
        deployed = deployed.replace(here, there)
    copy = f"""server {{
        listen 127.0.0.1:{static};
        access_log {folder}/copy.log;
        location = /sheet {{ root {folder}; default_type text/html; add_header Content-Encoding br; }}
    }}"""
    with (
        server(_configured(program, folder / "front", deployed), front) as cached,
        server(_configured(program, folder / "static", copy), static) as plain,
    ):
        yield cached, plain


def _configured(program: str, folder: Path, http: str) -> list[str]:
    folder.mkdir()
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{part}_temp_path {folder}/{part};" for part in parts)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log crit; worker_processes 1;\n"
        f"events {{ worker_connections 512; }}\nhttp {{ keepalive_requests 1000000; {temporary} {http} }}\n"
    )
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "log")]


@contextmanager
def _wagtail(folder: Path) -> Iterator[Server | None]:
    """A new Wagtail site as `wagtail start` makes it, whose home page has the sheet's words."""
    python, project = folder / "venv/bin/python", folder / "project"
    try:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", WAGTAIL, "gunicorn"], check=True, timeout=900)
    except (subprocess.SubprocessError, OSError) as error:
        print(f"Wagtail cannot be installed here: left out ({type(error).__name__}).")  # noqa: T201
        yield None
        return
    project.mkdir()
    subprocess.run([folder / "venv/bin/wagtail", "start", "peer", project], check=True, stdout=subprocess.DEVNULL)
    with (project / "home/models.py").open("a") as models:
        models.write("\n    from wagtail.fields import RichTextField\n    body = RichTextField(blank=True)\n")
    template = (
        '{% extends "base.html" %}{% load wagtailcore_tags %}{% block content %}{{ page.body|richtext }}{% endblock %}'
    )
    (project / "home/templates/home/home_page.html").write_text(template)
    settings = project / "peer/settings/production.py"
    with settings.open("a") as more:
        more.write('\nSECRET_KEY = "x" * 50\nALLOWED_HOSTS = ["127.0.0.1"]\nSECURE_SSL_REDIRECT = False\n')
        more.write('STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"\n')
    (project / "words.html").write_text(_words())
    own = {"DJANGO_SETTINGS_MODULE": "peer.settings.production"}
    fill = 'from home.models import HomePage; page = HomePage.objects.get(); page.body = open("words.html").read(); page.save()'
    for arguments in (["makemigrations", "home"], ["migrate"], ["shell", "-c", fill]):
        _run([python, "manage.py", *arguments], project, own)
    port = free_port()
    command = [str(python), "-m", "gunicorn", "--chdir", str(project), "--bind", f"127.0.0.1:{port}", *GTHREAD]
    with server([*command, "peer.wsgi"], port, **own) as found:
        yield found


def _run(command: list, folder: Path, own: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command[1:3]} of Wagtail: {done.stderr[-800:]}")


def _words() -> str:
    from factsheets.models import FactSheet
    from factsheets.rendering.text import text

    sheet = FactSheet.objects.select_related("topic", "reviewed_by").get(slug=SHEET.split("/")[2])
    return "".join(f"<p>{line}</p>" for line in text(sheet).split("\n\n"))


def main() -> int:
    import django

    django.setup()
    from django.core.management import call_command

    for command in ("migrate", "load_content"):
        call_command(command, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    missed = 0
    for figure in peers():
        print(figure, flush=True)  # noqa: T201
        missed += not figure.is_held
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
