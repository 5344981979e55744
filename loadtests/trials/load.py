"""A sustained load: 95 % reads and 5 % sent forms, at 80 % of what this machine can do, for ten minutes by default.

First every page and PDF is made. Then the site is asked as fast as it answers for a minute, with its mail worker at work beside
it: what it sustains is what it answers, or, when its mail falls behind, so much that the mail keeps up. Then requests come at 80 %
of that rate, whether the site keeps up or not, and each is timed from the moment it was due: a site that stalls cannot hide it by
being asked less. It ends within three minutes more than the time asked for, whatever happens.

    python -m loadtests.trials.load [SECONDS]
"""

import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from loadtests.trials.clients import FORMS, READS, SHEETS, Client, Tally, at, closed_loop, open_loop
from loadtests.trials.sink import ROOT, MailServer
from tests.support.processes import start_process
from tests.support.smtp import free_port, wait_for

SHARE = 0.8  # of the most it can sustain
MEASURED = 60  # seconds
PROCESSES = 2  # of the web server; each keeps its own pages
DRAINED = 30  # seconds that the mail may take after the last request, or after warming up
# The limits per person and in total are for people. Here each form comes from an address of its own, and many come in an hour.
UNLIMITED = {"TRUSTED_PROXIES": "1", "MAX_FORMS_PER_SENDER_PER_HOUR": "1000000", "MAX_FORMS_PER_HOUR": "1000000"}
RECKONING = """
import json, sys
from collections import Counter
from datetime import UTC, datetime
from django.db.models import F, Max
from enquiries.models import Enquiry, OutgoingMessage
there = Counter(each.email for each in Enquiry.objects.only("email").iterator())
began, *asked = sys.stdin.read().split()
asked = set(asked)
bare = {each.email for each in Enquiry.objects.filter(messages=None)} & asked
mails = OutgoingMessage.objects.all()
since = datetime.fromtimestamp(float(began), tz=UTC)
waited = mails.filter(state="sent", next_attempt_at__gte=since).aggregate(longest=Max(F("sent_at") - F("next_attempt_at")))
longest = waited["longest"]
print(json.dumps({
    "missing": sum(not there[each] for each in asked), "twice": sum(there[each] > 1 for each in asked),
    "bare": len(bare), "waits": longest.total_seconds() if longest else 0,
    "left": mails.exclude(state="sent").count(), "failed": mails.filter(state="failed").count(),
}))
"""


class Site:
    """`manage.py serve` in a folder of its own: web server, mail worker and SQLite."""

    def __init__(self, folder: Path, mail: MailServer):
        self.folder, self.port = folder, free_port()
        self.database = folder / "backcare.sqlite3"
        address = {
            "EMAIL_URL": f"smtp://{mail.host}:{mail.port}",
            "PORT": str(self.port),
            "WEB_WORKERS": str(PROCESSES),
        }
        self.environment = {**os.environ, "BACKCARE_LOCAL": "1", "DATA_DIR": str(folder), **address, **UNLIMITED}
        for name in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE", "DEBUG"):
            self.environment.pop(name, None)

    def __enter__(self) -> "Site":
        self.log = (self.folder / "log").open("wb")
        self.manage("prepare")
        command = [sys.executable, "manage.py", "serve"]
        self.process = start_process(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=self.log)
        wait_for(lambda: Client(self.port, Tally()).ask("GET", "/robots.txt")[0] == 200, seconds=60, what="the site")
        return self

    def __exit__(self, *error) -> None:
        self.process.terminate()
        self.process.wait(60)
        self.log.close()

    def manage(self, *command: str, given: str = "") -> str:
        whole = [sys.executable, "manage.py", *command]
        pipes = {"input": given, "stdout": subprocess.PIPE, "stderr": self.log, "text": True}
        return subprocess.run(whole, cwd=ROOT, env=self.environment, check=True, **pipes).stdout

    def mail_waiting(self) -> int:
        """Mails whose time has come. What is held back for a moment so that a patient can mend the address does not count."""
        due = "SELECT count(*) FROM enquiries_outgoingmessage WHERE state IN ('waiting', 'sending') AND next_attempt_at <= ?"
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=20)) as database:
            now = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
            return database.execute(due, [now]).fetchone()[0]

    def memory(self) -> tuple[int, int]:
        """Resident MB of the web server with its processes, and of the mail worker."""
        command = ["ps", "-eo", "pid=,ppid=,rss=,args="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        rows = [
            (int(pid), int(above), int(rss), args) for pid, above, rss, args in (line.split(None, 3) for line in listed)
        ]
        mine = [row for row in rows if row[1] == self.process.pid]
        worker = sum(rss for _, _, rss, args in mine if "deliver_mail" in args)
        web = {pid for pid, _, _, args in mine if "gunicorn" in args}
        return sum(rss for pid, above, rss, _ in rows if {pid, above} & web) // 1024, worker // 1024


def warm_up(site: Site, mail: MailServer) -> None:
    """Every process has made every page and PDF that will be asked for, and the mail worker has every sheet's PDF."""
    tally = Tally()
    for path in [*READS, *(f"/fact-sheets/{slug}/pdf/" for slug in SHEETS)]:
        for _ in range(4 * PROCESSES):  # a new connection each time, so that another process answers now and then
            Client(site.port, tally).read(path)
    for slug in SHEETS:
        Client(site.port, tally).send("report", sheet=slug)
    assert not tally.errors, tally.errors
    wait_for(lambda: len(mail.mails) >= len(SHEETS), seconds=90, what="the first mails")


def most(site: Site, mail: MailServer) -> tuple[float, str]:
    """Requests a second that the site sustains with its mail, and how that was found."""
    waiting, sent = site.mail_waiting(), len(mail.mails)
    tally, seconds = closed_loop(site.port, MEASURED)
    assert not tally.errors, tally.errors
    answers, delivered = tally.answered / seconds, (len(mail.mails) - sent) / seconds
    grown = (site.mail_waiting() - waiting) / seconds
    found = f"{answers:.0f} requests a second as fast as it answers, {delivered:.1f} mails a second"
    if grown * seconds <= 20:  # what one look at the queue may see of a worker that keeps up
        return answers, f"{found}, the mail keeps up"
    sustained = answers * delivered / (delivered + grown)
    return (
        sustained,
        f"{found}, the mail fell behind by {grown:.1f} a second: {sustained:.0f} requests a second let it keep up",
    )


def main(seconds: float = 600) -> int:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        with MailServer(folder) as mail:
            with Site(folder, mail) as site:
                warm_up(site, mail)
                can_do, how = most(site, mail)
                wait_until_drained(site)
                sent, memory, queue = len(mail.mails), [site.memory()], [site.mail_waiting()]

                def watch():
                    memory.append(site.memory())
                    queue.append(site.mail_waiting())

                began = time.time()
                tally = open_loop(site.port, can_do * SHARE, seconds, watch=watch)
                watch()
                wait_until_drained(site)
                given = "\n".join([str(began), *tally.accepted])
                found = json.loads(site.manage("shell", "--no-imports", "-c", RECKONING, given=given))
            mails = len(mail.mails) - sent
            twice = found["twice"] + mail.twice
        troubles = (folder / "log").read_text().count("ERROR")
        integrity = sqlite3.connect(site.database).execute("PRAGMA integrity_check").fetchone()[0]
    missing, errors = found["missing"] + found["bare"], sum(tally.errors.values())
    (web, worker), (last_web, last_worker) = memory[0], memory[-1]
    print(f"The most: {how}.")  # noqa: T201
    print(  # noqa: T201
        f"{seconds:.0f} s at {can_do * SHARE:.0f} requests a second ({SHARE:.0%} of that, {FORMS:.0%} sent forms): "
        f"{len(tally.reads):,} reads and {len(tally.forms):,} forms, {errors} errors, {missing} missing, {twice} twice; "
        f"reads p50 {at(tally.reads, 50):.0f} ms, p99 {at(tally.reads, 99):.0f} ms; "
        f"forms p50 {at(tally.forms, 50):.0f} ms, p99 {at(tally.forms, 99):.0f} ms; "
        f"memory of the web {web} MB first and {last_web} MB last (most {max(each for each, _ in memory)}), "
        f"of the mail worker {worker} and {last_worker} MB (most {max(each for _, each in memory)}); "
        f"{mails:,} mails sent, {found['left']} left, at most {max(queue)} due at once, longest wait {found['waits']:.1f} s"
    )
    if tally.errors or troubles or integrity != "ok" or found["failed"]:
        print(f"Errors: {dict(tally.errors)}; in the log {troubles}; failed mails {found['failed']}; {integrity}")  # noqa: T201
    return int(bool(errors or missing or twice or troubles or integrity != "ok"))


def wait_until_drained(site: Site) -> None:
    """Or not: what is left then is told at the end."""
    deadline = time.monotonic() + DRAINED
    while site.mail_waiting() and time.monotonic() < deadline:
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main(*map(float, sys.argv[1:2])))
