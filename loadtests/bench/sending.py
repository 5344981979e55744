"""What an accepted form costs, over HTTP with all that belongs to it: the form's checks, the limits, encryption, mail, a durable
commit. Beside a bare view that writes one row as durably, always to SQLite."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from loadtests.bench.measure import Figure, alternately
from loadtests.bench.servers import Client, bare, ours, request
from loadtests.trials.cluster import Cluster
from tests.support.smtp import free_port

CONNECTIONS = 8
CROWD = 64
CROWD_SECONDS = 6
ROUNDS = 5
SECONDS = 1.5
number = count()


def sending() -> Iterator[Figure]:
    yield from _sending("sending", rate=100, wait=250)


def sending_to_postgresql() -> Iterator[Figure]:
    """To a PostgreSQL of its own, with the durability it comes with. 89 a second is three times what was accepted at first."""
    with Cluster(replicated=False) as cluster:
        there = {"DATABASE_URL": cluster.address}
        for command in ("migrate", "load_content"):
            subprocess.run([sys.executable, "manage.py", command, "-v0"], check=True, env=os.environ | there)
        yield from _sending("to PostgreSQL", rate=89, wait=None, **there)


def _sending(part: str, *, rate: float, wait: float | None, **environment: str) -> Iterator[Figure]:
    """Goals: `rate` in forms a second, `wait` in milliseconds for 99 of 100 of a few senders."""
    with tempfile.TemporaryDirectory() as folder:
        (body := Path(folder, "body")).write_bytes(b"")
        with (
            ours(free_port(), workers=2, **environment) as site,
            bare(free_port(), Path(folder, "bare.sqlite3"), body) as plain,
        ):
            waits: list[float] = []
            send = partial(_load, site.port, _report, 303, waits)
            write = partial(_load, plain.port, _row, 302, [])
            send(), write()
            waits.clear()
            busy = site.cpu()
            found = alternately(send, write, rounds=ROUNDS)
            busy = (site.cpu() - busy) / len(waits) / 1e6
            crowd: list[float] = []
            held = _load(site.port, _report, 303, crowd, connections=CROWD, seconds=CROWD_SECONDS)
    rates = median(forms for forms, _ in found), median(rows for _, rows in found)
    said = f"({rates[0]:,.0f} forms a second against {rates[1]:,.0f} rows; {busy:.1f} ms of a processor each)"
    yield Figure(f"{part}: accepted forms ÷ rows of a bare view", [a / b for a, b in found], said)
    yield Figure(f"{part}: accepted forms a second", [forms for forms, _ in found], "", rate)
    for connections, times, each, limit in ((CONNECTIONS, waits, rates[0], wait), (CROWD, crowd, held, 1000)):
        slow = sorted(times)[int(len(times) * 0.99)] * 1000
        name = f"{part}: p99 in ms of {connections} who send all the time"
        yield Figure(name, [slow], f"({len(times)} forms; {each:,.0f} a second)", limit, at_most=True)


def _report() -> bytes:
    fields = {"name": "Ada Example", "email": f"bench{next(number)}@example.com", "sheet": "about-back-pain"}
    body = urlencode({f"report-{name}": value for name, value in fields.items()}).encode()
    return request("/report/", body=body, method="POST")


def _row() -> bytes:
    return request("/write/", body=urlencode({"said": f"row {next(number)}"}).encode(), method="POST")


def _load(
    port: int,
    make: Callable[[], bytes],
    status: int,
    waits: list[float],
    *,
    connections: int = CONNECTIONS,
    seconds: float = SECONDS,
) -> float:
    """Accepted ones in a second."""
    until = time.perf_counter() + seconds
    trouble: list[int] = []
    done: list[int] = []

    def one() -> None:
        client, taken = Client(port, 1), 0
        while time.perf_counter() < until:
            start = time.perf_counter()
            found, *_ = client.ask(make())
            waits.append(time.perf_counter() - start)
            taken += 1
            if found != status:
                trouble.append(found)
                break
        done.append(taken)
        client.close()

    threads = [threading.Thread(target=one) for _ in range(connections)]
    start = time.perf_counter()
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not trouble, f"Refused: {trouble[:3]}"
    return sum(done) / (time.perf_counter() - start)
