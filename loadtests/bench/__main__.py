"""`make bench`: what readers, patients and staff get, as ratios to a bare piece of the same kind, measured in one run.

Absolute numbers belong to a machine; ratios travel. Each line is the median of several rounds of both sides in alternation, with
the spread of the rounds. It ends with 1 when a goal is missed. `make bench ARGS="reading triaging"` measures some of it, and
`ARGS=postgresql` the forms on PostgreSQL. After Ctrl-C it names what is left to measure.
"""

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from urllib.parse import urlencode

import tests.support.environment  # noqa: F401 - a folder and secrets of its own, before Django reads its settings
from loadtests.bench.measure import Figure, compare


def main(wanted: list[str]) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    started = time.monotonic()
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("load_content", verbosity=0)
    import logging

    from django.core.handlers.wsgi import WSGIHandler
    from django.core.management.base import OutputWrapper

    from backcare.core.progress import INTERRUPTED, Progress
    from loadtests.bench.inbox import triaging
    from loadtests.bench.mail import mailing
    from loadtests.bench.reading import reading
    from loadtests.bench.search import searching
    from loadtests.bench.sending import sending, sending_to_postgresql

    logging.disable(logging.ERROR)
    parts: dict[str, Callable[[], Iterator[Figure]]] = {
        "reading": reading,
        "sending": sending,
        "mailing": mailing,
        "printing": printing,
        "triaging": triaging,
        "searching": partial(searching, partial(get, WSGIHandler())),
    }
    names = wanted or list(parts)
    parts["postgresql"] = sending_to_postgresql  # only where it is asked for: it takes PostgreSQL's programs
    if unknown := set(wanted) - set(parts):
        sys.exit(f"No part is called {', '.join(sorted(unknown))}. There are {', '.join(parts)}.")
    missed = []
    progress = Progress(OutputWrapper(sys.stdout), len(names))
    for number, name in enumerate(names):
        try:
            progress.at(number, name)
            for figure in parts[name]():
                progress.clear()
                print(figure, flush=True)  # noqa: T201
                progress.at(number, name)
                if not figure.is_held:
                    missed.append(figure.name)
            progress.clear()
        except KeyboardInterrupt:
            progress.clear()
            print(f'Stopped. For the rest: make bench ARGS="{" ".join(names[number:])}"')  # noqa: T201
            return INTERRUPTED
    print(f"{time.monotonic() - started:.0f} s. Missed: {'; '.join(missed) or 'nothing'}.")  # noqa: T201
    return 1 if missed else 0


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


def printing() -> Iterator[Figure]:
    """The designed, tagged PDF of a sheet against a bare compile of its words."""
    import typst

    from factsheets.models import FactSheet
    from factsheets.rendering import printed
    from factsheets.rendering.text import text

    sheet = FactSheet.objects.select_related("topic", "reviewed_by").get(slug="acupuncture-for-back-pain")
    words = {"words": text(sheet)}
    source = b"#sys.inputs.words"
    yield compare(
        "printing: a sheet's tagged PDF ÷ a bare PDF of its words",
        lambda: printed.compiled_leaflet(sheet),
        lambda: typst.compile(source, sys_inputs=words),
        unit="PDF/s",
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
