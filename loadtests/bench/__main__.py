"""`make bench`: what our own work costs, as ratios to a bare piece of the same kind, measured in one run.

Absolute numbers belong to a machine; ratios travel. Each line takes the best of several rounds of both sides, in turns.
`make bench ARGS="reading triaging"` measures some of it.
"""

import sys
import time
from functools import partial
from io import BytesIO
from urllib.parse import urlencode

import tests.support.environment  # noqa: F401 - a folder and secrets of its own, before Django reads its settings

ROUNDS = 5
SECONDS = 0.4


def rate(work) -> float:
    """How often `work` runs in a second."""
    count, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS:
        work()
        count += 1
    return count / spent


def compare(name: str, ours, bare, *, unit: str) -> None:
    ours(), bare()
    rounds = [(rate(ours), rate(bare)) for _ in range(ROUNDS)]
    best_ours, best_bare = (max(column) for column in zip(*rounds, strict=True))
    print(f"{name:<58} {best_ours / best_bare:>7.3f}   ({best_ours:,.0f} against {best_bare:,.0f} {unit})")  # noqa: T201


def main(wanted: list[str]) -> None:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("load_content", verbosity=0)
    import logging

    from django.core.handlers.wsgi import WSGIHandler

    from loadtests.bench.inbox import triaging
    from loadtests.bench.search import searching

    logging.disable(logging.INFO)
    parts = {
        "reading": reading,
        "asking": asking,
        "printing": printing,
        "triaging": triaging,
        "searching": partial(searching, partial(get, WSGIHandler())),
    }
    if unknown := set(wanted) - set(parts):
        sys.exit(f"No part is called {', '.join(sorted(unknown))}. There are {', '.join(parts)}.")
    for name in wanted or parts:
        parts[name]()


def get(handler, path: str, query: dict | None = None):
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": urlencode(query or {}),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
    }
    answered = []

    def start_response(status, headers):
        answered.append(status)

    body = b"".join(handler(environ, start_response))
    assert answered == ["200 OK"], answered
    return body


def reading() -> None:
    """A sheet against the plainest page of the same application, both through all middleware."""
    from django.core.handlers.wsgi import WSGIHandler

    handler = WSGIHandler()
    compare(
        "reading: a sheet page ÷ a page without database",
        lambda: get(handler, "/fact-sheets/acupuncture-for-back-pain/"),
        lambda: get(handler, "/robots.txt"),
        unit="pages/s",
    )


def asking() -> None:
    """Accepting (encryption, timeline, outbox, durable commit) against one durable insert of a bare row."""
    from itertools import count

    from django.db import transaction
    from django.utils import timezone

    from enquiries.models import WorkerHeartbeat
    from tests.conftest import consultation

    number = count()

    def bare():
        with transaction.atomic():
            WorkerHeartbeat.objects.create(name=f"bench {next(number)}", seen_at=timezone.now())

    compare(
        "asking: an accepted enquiry ÷ one bare durable insert",
        lambda: consultation(email=f"{next(number)}@example.com"),
        bare,
        unit="per s",
    )


def printing() -> None:
    """The designed, tagged PDF of a sheet against a bare compile of its words."""
    import typst

    from factsheets.models import FactSheet
    from factsheets.rendering import printed
    from factsheets.rendering.text import text

    sheet = FactSheet.objects.select_related("topic", "reviewed_by").get(slug="acupuncture-for-back-pain")
    words = {"words": text(sheet)}
    source = b"#sys.inputs.words"
    compare(
        "printing: a sheet's tagged PDF ÷ a bare PDF of its words",
        lambda: printed.compiled_leaflet(sheet),
        lambda: typst.compile(source, sys_inputs=words),
        unit="PDF/s",
    )


if __name__ == "__main__":
    main(sys.argv[1:])
