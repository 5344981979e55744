"""A sustained load: 95 % reads and 5 % sent forms, at 80 % of what this machine can do, for ten minutes by default.

First the most the site answers is measured with as many clients as it has threads. Then requests come at a fixed rate, whether
the site keeps up or not, and each is timed from the moment it was due: a site that stalls cannot hide it by being asked less.
Afterwards every form that was answered with "thank you" is looked for in the database, by its address.

    python -m tests.trials.load [SECONDS]
"""

import http.client
import os
import queue
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlencode

from tests.smtp import free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent.parent
CLIENTS = 8  # as many as the site has threads
SHARE = 0.8  # of the most it can do
FORMS = 0.05
WARM_UP = 10  # seconds
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
# The limits per person and in total are for people. Here each form comes from an address of its own, and many come in an hour.
UNLIMITED = {
    "TRUSTED_PROXIES": "1",
    "MOST_FORMS_OF_ONE_SENDER_AN_HOUR": "1000000",
    "MOST_FORMS_AN_HOUR": "1000000",
}


@dataclass
class Tally:
    """What the clients saw. Seconds from when a request was due to its last byte."""

    reads: list[float] = field(default_factory=list)
    forms: list[float] = field(default_factory=list)
    errors: Counter = field(default_factory=Counter)
    accepted: list[str] = field(default_factory=list)


class Client:
    def __init__(self, port: int, tally: Tally, chance: random.Random):
        self.tally, self.chance = tally, chance
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, data: dict | None = None) -> tuple[int, str]:
        headers = {"Accept-Encoding": "br, gzip", "X-Forwarded-For": f"198.51.100.{self.chance.randrange(256)}"}
        body = None
        if data is not None:
            body = urlencode(data)
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
            headers["Accept-Encoding"] = "identity"  # the next step is read from it
        try:
            self.connection.request(method, path, body, headers)
            response = self.connection.getresponse()
            return response.status, response.read().decode("utf-8", "replace") if body else str(response.read()[:0])
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            return 0, type(error).__name__

    def read(self) -> bool:
        path = self.chance.choice(READS)
        status, _ = self.ask("GET", path)
        if status != 200:
            self.tally.errors[f"{status} GET {path}"] += 1
        return status == 200

    def send(self) -> bool:
        kind = self.chance.choice(["report", "report", "consultation", "question"])
        email = f"load-{self.chance.getrandbits(64):x}@example.com"
        fields = {"name": "Ada Example", "email": email}
        if kind == "report":
            fields |= {"sheet": self.chance.choice(SHEETS)}
        else:
            fields |= {"description": "An ache low in my back for two months."}
        if kind == "consultation":
            fields |= {"contact_by": "email"}
        data = {f"{kind}-{name}": value for name, value in fields.items()}
        status, page = self.ask("POST", f"/{kind}/", data)
        if status == 200 and kind != "report":
            carried = dict(SEAL.findall(page))
            status, page = self.ask("POST", f"/{kind}/", data | carried | {f"{kind}-step": "send"})
        if status in {302, 303}:
            self.tally.accepted.append(email)
        else:
            self.tally.errors[f"{status} POST /{kind}/"] += 1
        return status in {302, 303}

    def anything(self) -> None:
        due = time.monotonic()
        self.at(due)

    def at(self, due: float) -> None:
        if self.chance.random() < FORMS:
            self.send() and self.tally.forms.append(time.monotonic() - due)
        else:
            self.read() and self.tally.reads.append(time.monotonic() - due)


def together(port: int, work, tally: Tally) -> None:
    """Runs `work(client)` in each of CLIENTS threads, each with a client of its own, until all are done."""
    clients = [Client(port, tally, random.Random(number)) for number in range(CLIENTS)]  # noqa: S311 - no secret
    threads = [threading.Thread(target=work, args=[client]) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def most(port: int, seconds: float) -> float:
    """Requests a second when every client asks again at once."""
    tally, end = Tally(), time.monotonic() + seconds

    def work(client):
        while time.monotonic() < end:
            client.anything()

    together(port, work, tally)
    assert not tally.errors, tally.errors
    return (len(tally.reads) + len(tally.forms)) / seconds


def sustained(port: int, rate: float, seconds: float, watch) -> Tally:
    """`rate` requests a second, due at even distances; `watch` is called every ten seconds."""
    tally, due = Tally(), queue.Queue()

    def work(client):
        while (moment := due.get()) is not None:
            client.at(moment)

    def plan():
        start = time.monotonic()
        for number in range(int(rate * seconds)):
            moment = start + number / rate
            time.sleep(max(0, moment - time.monotonic()))
            due.put(moment)
            if number % int(rate * 10) == 0:
                watch()
        for _ in range(CLIENTS):
            due.put(None)

    planner = threading.Thread(target=plan)
    planner.start()
    together(port, work, tally)
    planner.join()
    watch()
    return tally


def memory(parent: int) -> int:
    """Resident memory, in MB, of a process and all below it."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True)  # noqa: S607 - on any PATH
    rows = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
    family = {parent}
    for _ in range(4):
        family |= {pid for pid, above, _ in rows if above in family}
    return sum(rss for pid, _, rss in rows if pid in family) // 1024


def lost(folder: Path, accepted: list[str]) -> tuple[int, int]:
    """How many accepted forms are not in the database, and how many rows have no message."""
    code = (
        "import sys; from enquiries.models import Enquiry; from collections import Counter;"
        "there = Counter(e.email for e in Enquiry.objects.all());"
        "asked = sys.stdin.read().split();"
        "bare = [e.email for e in Enquiry.objects.filter(messages=None)];"
        "print(sum(there[a] != 1 for a in asked), sum(a in set(asked) for a in bare))"
    )
    env = {**os.environ, "BACKCARE_LOCAL": "1", "DATA_DIR": str(folder)}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", code]
    ended = subprocess.run(
        command, cwd=ROOT, env=env, input="\n".join(accepted), capture_output=True, text=True, check=True
    )
    missing, bare = map(int, ended.stdout.split()[-2:])
    return missing, bare


def main(seconds: float = 600) -> None:
    port = free_port()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        env = {**os.environ, "BACKCARE_LOCAL": "1", "DATA_DIR": made, "PORT": str(port), **UNLIMITED}
        for name in ("DATABASE_URL", "EMAIL_URL", "DJANGO_SETTINGS_MODULE"):
            env.pop(name, None)
        subprocess.run(
            [sys.executable, "manage.py", "prepare"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL
        )
        server = subprocess.Popen(
            [sys.executable, "manage.py", "serve"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.DEVNULL,
            stderr=(folder / "log").open("wb"),
        )
        try:
            tally = Tally()
            wait_for(lambda: Client(port, tally, random.Random()).ask("GET", "/robots.txt")[0] == 200, seconds=60)  # noqa: S311 - no secret
            most(port, WARM_UP)
            can_do = most(port, WARM_UP)
            seen: list[int] = []
            tally = sustained(port, can_do * SHARE, seconds, lambda: seen.append(memory(server.pid)))
        finally:
            server.terminate()
            server.wait(60)
        missing, bare = lost(folder, tally.accepted)
        troubles = (folder / "log").read_text().count("ERROR")
        integrity = sqlite3.connect(folder / "backcare.sqlite3").execute("PRAGMA integrity_check").fetchone()[0]
    quarter = max(1, len(seen) // 4)
    early, late = max(seen[quarter : 2 * quarter] or seen), max(seen[-quarter:])
    for line in [
        f"the most it can do            {can_do:,.0f} requests a second with {CLIENTS} clients on the same machine",
        f"asked for                     {can_do * SHARE:,.0f} a second for {seconds:.0f} s, {FORMS:.0%} of them sent forms",
        f"errors                        {sum(tally.errors.values())} {dict(tally.errors) or ''}",
        f"reads, forms answered         {len(tally.reads):,}, {len(tally.forms):,}",
        f"accepted and then missing     {missing} of {len(tally.accepted):,}; without a mail: {bare}",
        f"p50, p99 of a read            {tally_at(tally.reads, 50):.0f}, {tally_at(tally.reads, 99):.0f} ms",
        f"p50, p99 of a sent form       {tally_at(tally.forms, 50):.0f}, {tally_at(tally.forms, 99):.0f} ms",
        f"memory                        {early} MB in the second quarter, {late} MB in the last ({late / early:.2f} times)",
        f"errors in the log             {troubles}; the database's own check: {integrity}",
    ]:
        print(line)  # noqa: T201
    if tally.errors or missing or bare or troubles or integrity != "ok":
        sys.exit(1)


def tally_at(times: list[float], percent: int) -> float:
    return quantiles(times, n=100)[percent - 1] * 1000


if __name__ == "__main__":
    main(*map(float, sys.argv[1:2]))
