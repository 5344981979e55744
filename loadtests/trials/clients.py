"""Clients of a sustained load: what they ask for, what they saw, and how long it took. Nothing of Django, so they take little."""

import http.client
import queue
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import quantiles
from urllib.parse import urlencode

CLIENTS = 8  # as many as the site has threads
PATIENCE = 20  # seconds for one answer
IDLE = 1  # seconds: the server closes a connection after two, maybe just when the next request is on its way
VISIT = 10  # requests on one connection. Kept for ever, all would gather at one process when the others are renewed
FORMS = 0.05  # of all requests
SHEETS = [
    "about-back-pain",
    "tests-and-treatments",
    "posture-and-lifting",
    "stress-and-back-pain",
    "acupuncture-for-back-pain",
    "long-term-pain",
]
READS = [
    "/",
    "/fact-sheets/",
    *(f"/fact-sheets/{slug}/" for slug in SHEETS),
    "/search/?q=sciatica",
    "/search/?q=pain+down+one+leg",
    "/get-help-now/",
    "/glossary/",
    "/check/",
    "/consultation/",
    "/report/",
]
SEAL = re.compile(r'<input[^>]*name="([a-z]+-[a-z_]+)"[^>]*value="([^"]*)"[^>]*>')


@dataclass
class Tally:
    """What the clients saw. Seconds from when a request was due to its last byte."""

    reads: list[float] = field(default_factory=list)
    forms: list[float] = field(default_factory=list)
    errors: Counter = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return len(self.reads) + len(self.forms)


class Client:
    """One visitor after the other, each with a connection, and a new person at each form."""

    def __init__(self, port: int, tally: Tally, number: int = 0):
        self.tally, self.chance = tally, random.Random(number)  # noqa: S311 - no secret
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.last, self.asked = 0.0, 0

    def ask(self, method: str, path: str, data: dict | None = None) -> tuple[int, str]:
        headers = {"Accept-Encoding": "br, gzip", "X-Forwarded-For": self.sender()}
        body = None
        if data is not None:
            body = urlencode(data)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
            headers["Accept-Encoding"] = "identity"  # the next step is read from it
        if self.asked >= VISIT or time.monotonic() - self.last > IDLE:
            self.connection.close()
            self.asked = 0
        self.asked += 1
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            page = response.read()
            self.last = time.monotonic()
            return response.status, page.decode("utf-8", "replace") if body else ""
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            return 0, type(error).__name__

    def sender(self) -> str:
        """Each from a place of their own, as a proxy would tell it: the limits per sender are for people."""
        return ".".join(["10", *(str(self.chance.randrange(256)) for _ in range(3))])

    def read(self, path: str = "") -> bool:
        path = path or self.chance.choice(READS)
        status, _ = self.ask("GET", path)
        if status != 200:
            self.tally.errors[f"{status} GET {path}"] += 1
        return status == 200

    def send(self, kind: str = "", **changes: str) -> bool:
        kind = kind or self.chance.choice(["report", "report", "consultation", "question"])
        email = f"load-{random.getrandbits(64):x}@example.com"
        fields = {"name": "Ada Example", "email": email}
        if kind == "report":
            fields |= {"sheet": self.chance.choice(SHEETS)}
        else:
            fields |= {"description": "An ache low in my back for two months."}
        if kind == "consultation":
            fields |= {"for_whom": "me", "contact_by": "email", "needs_note": ""}
        data = {f"{kind}-{name}": value for name, value in (fields | changes).items()}
        status, page = self.ask("POST", f"/{kind}/", data)
        if status == 200 and kind != "report":
            carried = dict(SEAL.findall(page))
            status, page = self.ask("POST", f"/{kind}/", data | carried | {f"{kind}-step": "send"})
        if status in {302, 303}:
            self.tally.accepted.append(email)
        else:
            self.tally.errors[f"{status or page} POST /{kind}/"] += 1
        return status in {302, 303}

    def at(self, due: float, forms: float = FORMS) -> None:
        """A read or a form, timed from when it was due (on time.monotonic())."""
        if self.chance.random() < forms:
            self.send() and self.tally.forms.append(time.monotonic() - due)
        else:
            self.read() and self.tally.reads.append(time.monotonic() - due)


def together(
    port: int, tally: Tally, work: Callable[[Client], None], people: int = CLIENTS, client: type[Client] = Client
) -> None:
    """Runs `work` for so many clients at once, each in a thread, until all are done."""
    clients = [client(port, tally, random.getrandbits(32)) for _ in range(people)]
    threads = [threading.Thread(target=work, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def closed_loop(
    port: int, seconds: float, *, forms: float = FORMS, people: int = CLIENTS, client: type[Client] = Client
) -> tuple[Tally, float]:
    """Every client asks again at once. The tally, and how long it took: the last answers come a little later."""
    tally, start = Tally(), time.monotonic()

    def work(each):
        while time.monotonic() < start + seconds:
            each.at(time.monotonic(), forms)

    together(port, tally, work, people, client)
    return tally, time.monotonic() - start


def open_loop(
    port: int,
    rate: float,
    seconds: float,
    *,
    forms: float = FORMS,
    people: int = CLIENTS,
    client: type[Client] = Client,
    overrun: float = 20,
    watch: Callable[[], None] = lambda: None,
) -> Tally:
    """`rate` requests a second, due at even distances, whether the site keeps up or not. `watch` is called every ten seconds.

    What was not begun `overrun` seconds after the end counts as an error, one for each request, and is not sent.
    """
    tally, due, start = Tally(), queue.Queue(), time.monotonic()
    end = start + seconds + overrun

    def work(each):
        while (moment := due.get()) is not None:
            if time.monotonic() > end:
                tally.errors["not begun in time"] += 1
            else:
                each.at(moment, forms)

    def plan():
        for number in range(int(rate * seconds)):
            moment = start + number / rate
            time.sleep(max(0, moment - time.monotonic()))
            due.put(moment)
            if number % max(1, int(rate * 10)) == 0:
                watch()
        for _ in range(people):
            due.put(None)

    planner = threading.Thread(target=plan)
    planner.start()
    together(port, tally, work, people, client)
    planner.join()
    return tally


def at(times: list[float], percent: int) -> float:
    """Milliseconds that so many percent of the times do not exceed."""
    return quantiles(times, n=100)[percent - 1] * 1000 if len(times) > 1 else float("nan")


def told(times: list[float]) -> str:
    return f"p50 {at(times, 50):.0f}, p99 {at(times, 99):.0f}, longest {max(times, default=0) * 1000:.0f} ms"
