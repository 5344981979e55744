"""`make bench-peers`: a page of ours beside nginx's own disk, Wagtail and WordPress.

nginx must be there (Debian: nginx-light). Wagtail is installed from PyPI into a folder that is thrown away; WordPress is Debian's,
with root's rights to start its database. What cannot be had is said and left out. Costs are processor time of each side's
processes, measured in alternation: the client does not count. The servers share one processor, and the client has another: threads
of one process of Python use one processor at a time, and on two they cost up to twice as much for handing over to each other.

Wagtail is judged by the page that `wagtail start` makes, in its settings for production: 7 KB, with nothing of a clinic's own.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import tests.support.environment  # noqa: F401 - a folder and secrets of its own, before Django reads its settings
from loadtests.bench.measure import Figure, alternately
from loadtests.bench.reading import SHEET, Measured
from loadtests.bench.servers import Client, Server, Together, ours, request, server
from loadtests.bench.wordpress import PACKAGES, is_here, wordpress
from tests.support.smtp import free_port

Either = Server | Together
ROUNDS = 7
CORES = sorted(os.sched_getaffinity(0))
OF_THE_CLIENT, OF_THE_SERVERS = {CORES[0]}, {CORES[-1]}
DEPLOYED = Path("deploy/nginx.conf")
# TLS costs both sides the same, and would hide what they differ in.
TLS = re.compile(r"^\s*(ssl_.*;|listen \[::\].*;)$", re.MULTILINE)
WAGTAIL = "wagtail>=8,<9"
GTHREAD = ["--workers", "1", "--threads", "4", "--worker-class", "gthread", "--log-level", "critical"]


def peers() -> Iterator[Figure]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # nginx's workers are somebody else
        site = stack.enter_context(ours(free_port()))
        status, head, body = Client(site.port, 1).ask(request(SHEET))
        assert (status, b"\r\ncontent-encoding: br" in head.lower()) == (200, True), head
        (folder / "sheet").write_bytes(body)
        front = None
        if nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin"):
            front = stack.enter_context(_behind(nginx, folder / "front", site))
            static = stack.enter_context(_file(nginx, folder))
            yield _beside("peers: a sheet from nginx’s cache ÷ nginx’s own file", front, static, "/sheet", goal=0.8)
        else:
            _left_out("nginx", "it is not here")
        yield from _wagtail(folder / "wagtail", site, nginx, front)
        if not is_here():
            _left_out("WordPress", f"it takes root and Debian’s {PACKAGES}")
        elif nginx:
            with wordpress(folder / "wordpress", _words(), partial(_configured, nginx)) as peer:
                yield _beside("peers: a sheet ÷ the same words in WordPress", site, peer, "/", goal=80)


def _left_out(name: str, reason: str) -> None:
    print(f"{name} is left out: {reason}.")  # noqa: T201


def _beside(name: str, site: Either, peer: Either, path: str, *, goal: float | None = None) -> Figure:
    one, other = Measured(site, request(SHEET)), Measured(peer, request(path))
    os.sched_setaffinity(0, OF_THE_CLIENT)
    one.client.load(one.asked, 0.3)
    other.client.load(other.asked, 0.3)
    found = alternately(partial(one.round), partial(other.round), rounds=ROUNDS)
    os.sched_setaffinity(0, OF_THE_SERVERS)
    one.client.close()
    other.client.close()
    costs = sorted(one.costs)[ROUNDS // 2], sorted(other.costs)[ROUNDS // 2]
    said = f"({costs[0]:,.0f} against {costs[1]:,.0f} µs of a processor)"
    return Figure(name, [theirs / own for own, theirs in found], said, goal)


@contextmanager
def _behind(program: str, folder: Path, site: Server) -> Iterator[Together]:
    """Our own configuration of nginx, without TLS, in front of a site."""
    front = free_port()
    deployed = TLS.sub("", DEPLOYED.read_text())
    for here, there in {
        "listen 443 ssl http2": f"listen 127.0.0.1:{front}",
        "listen 80": f"listen 127.0.0.1:{free_port()}",
        "127.0.0.1:8000": f"127.0.0.1:{site.port}",
        "/var/lib/nginx": str(folder),
        "/var/log/nginx": str(folder),
    }.items():
        assert here in deployed, here
        deployed = deployed.replace(here, there)
    with server(_configured(program, folder, deployed), front) as proxy:
        yield Together(front, [proxy, site])


@contextmanager
def _file(program: str, folder: Path) -> Iterator[Server]:
    """A plain nginx that serves the same bytes, on its own."""
    static = free_port()
    copy = f"""server {{
        listen 127.0.0.1:{static};
        access_log {folder}/copy.log;
        location = /sheet {{ root {folder}; default_type text/html; add_header Content-Encoding br; }}
    }}"""
    with server(_configured(program, folder / "static", copy), static) as plain:
        yield plain


def _configured(program: str, folder: Path, http: str) -> list[str]:
    folder.mkdir()
    parts = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{part}_temp_path {folder}/{part};" for part in parts)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/log crit; worker_processes 1;\n"
        f"events {{ worker_connections 512; }}\nhttp {{ keepalive_requests 1000000; {temporary} {http} }}\n"
    )
    return [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "log")]


def _wagtail(folder: Path, site: Server, nginx: str | None, front: Together | None) -> Iterator[Figure]:
    """Two new sites as `wagtail start` makes them: with the home page that comes with it, and with the sheet's words."""
    folder.mkdir()
    python = folder / "venv/bin/python"
    try:
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", WAGTAIL, "gunicorn"], check=True, timeout=900)
    except (subprocess.SubprocessError, OSError) as error:
        _left_out("Wagtail", f"it cannot be installed here ({type(error).__name__})")
        return
    with _started(folder / "stock", python, words="") as stock:
        yield _beside("peers: a sheet ÷ the home page of a new Wagtail", site, stock, "/", goal=25)
    with _started(folder / "words", python, words=_words()) as peer:
        yield _beside("peers: a sheet ÷ the same words in Wagtail", site, peer, "/")
        if nginx and front:
            with _behind(nginx, folder / "front", peer) as behind:
                yield _beside("peers: both behind our nginx, as readers get them", front, behind, "/")


@contextmanager
def _started(project: Path, python: Path, *, words: str) -> Iterator[Server]:
    project.mkdir()
    own = {"DJANGO_SETTINGS_MODULE": "peer.settings.production"}
    subprocess.run([python.with_name("wagtail"), "start", "peer", project], check=True, stdout=subprocess.DEVNULL)
    with (project / "peer/settings/production.py").open("a") as more:
        more.write('\nSECRET_KEY = "x" * 50\nALLOWED_HOSTS = ["127.0.0.1"]\nSECURE_SSL_REDIRECT = False\n')
    steps = [["migrate"], ["collectstatic", "--noinput"]]
    if words:
        with (project / "home/models.py").open("a") as models:
            models.write("\n    from wagtail.fields import RichTextField\n    body = RichTextField(blank=True)\n")
        (project / "home/templates/home/home_page.html").write_text(
            '{% extends "base.html" %}{% load wagtailcore_tags %}{% block content %}{{ page.body|richtext }}{% endblock %}'
        )
        (project / "words.html").write_text(words)
        fill = 'from home.models import HomePage; page = HomePage.objects.get(); page.body = open("words.html").read(); page.save()'
        steps = [["makemigrations", "home"], *steps, ["shell", "-c", fill]]
    for arguments in steps:
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
    os.sched_setaffinity(0, OF_THE_SERVERS)  # which inherit it
    missed = 0
    for figure in peers():
        print(figure, flush=True)  # noqa: T201
        missed += not figure.is_held
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
