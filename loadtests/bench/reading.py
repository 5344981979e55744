"""What readers get, over HTTP from the server that is deployed: beside the plainest Django view with the same bytes."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from loadtests.bench.measure import Figure, alternately
from loadtests.bench.servers import Client, Server, Together, bare, ours, request
from tests.support.smtp import free_port

SHEET = "/fact-sheets/long-term-pain/"
ROUNDS = 7
SECONDS = 0.6


class Measured:
    """One kind of request to one server: answers a second, and what each costs the server's processes."""

    def __init__(self, server: Server | Together, asked: bytes, status: int = 200):
        self.server, self.asked, self.status = server, asked, status
        self.client = Client(server.port)
        self.rates: list[float] = []
        self.costs: list[float] = []  # µs of a processor for an answer

    def round(self) -> float:
        before, answered = self.server.cpu(), self.client.answered
        self.rates.append(self.client.load(self.asked, SECONDS, self.status))
        self.costs.append((self.server.cpu() - before) / 1000 / (self.client.answered - answered))
        return self.costs[-1]


def reading() -> Iterator[Figure]:
    """Judged by processor time, which others on the machine change least; the rates stand behind it."""
    with tempfile.TemporaryDirectory() as folder, ours(free_port()) as site:
        client = Client(site.port, 1)
        status, head, body = client.ask(request(SHEET))
        assert (status, b"\r\ncontent-encoding: br" in head.lower()) == (200, True), head
        etag = next(line for line in head.decode().split("\r\n") if line.lower().startswith("etag:"))[5:].strip()
        (saved := Path(folder, "body")).write_bytes(body)
        with bare(free_port(), Path(folder, "bare.sqlite3"), saved) as plain:
            view = request("/page/")
            yield from _beside(plain, view, site, "a sheet ÷ a bare Django view", request(SHEET), goal=0.9)
            again = request(SHEET, f"If-None-Match: {etag}")
            yield from _beside(plain, view, site, "“not changed” ÷ a bare Django view", again, status=304, goal=0.9)
            for name, path in (("search", "/search/?q=sciatica"), ("an empty form", "/consultation/")):
                yield from _beside(plain, view, site, f"{name} ÷ a bare Django view", request(path), rounds=3)


def _beside(
    plain: Server,
    view: bytes,
    site: Server,
    name: str,
    asked: bytes,
    *,
    status: int = 200,
    goal: float | None = None,
    rounds: int = ROUNDS,
) -> Iterator[Figure]:
    one, other = Measured(site, asked, status), Measured(plain, view)
    one.client.load(asked, 0.2, status)
    other.client.load(view, 0.2)
    found = alternately(partial(one.round), partial(other.round), rounds=rounds)
    one.client.close()
    other.client.close()
    ratios = sorted(a / b for a, b in zip(one.rates, other.rates, strict=True))
    said = (
        f"({sorted(one.costs)[rounds // 2]:,.0f} against {sorted(other.costs)[rounds // 2]:,.0f} µs of a processor; "
        f"rates {ratios[rounds // 2]:.2f}, {sorted(one.rates)[rounds // 2]:,.0f}/s)"
    )
    yield Figure(f"reading: {name}", [theirs / own for own, theirs in found], said, goal)
