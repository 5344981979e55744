"""Shared by the fault tests and the trials: a site of real processes, patients who post without a pause, and the final count."""

import http.client
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from django.db import connection
from django.db.models import Count

from enquiries.models import Enquiry, MessageState, OutgoingMessage, Status
from tests.support.forms import form
from tests.support.processes import start_process
from tests.support.smtp import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
# Many people, each from their own address, as reported by a proxy. A test can name a limit of its own.
MANY_PEOPLE = {"TRUSTED_PROXIES": "1", "MAX_FORMS_PER_HOUR": "1000000"}


class Processes:
    """One of the site's programs, started again as often as it is killed."""

    command: list[str] = []

    def __init__(self, environment: dict[str, str], log: Path):
        self.environment = {**MANY_PEOPLE, **environment}
        self.log = log
        self.process: subprocess.Popen | None = None

    def start(self) -> "Processes":
        with self.log.open("ab") as log:
            self.process = start_process(
                [sys.executable, *self.command],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return self

    def kill(self) -> None:
        """kill -9, the children too."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(120)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def clear(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill()


class MailWorker(Processes):
    command = ["manage.py", "deliver_mail"]


class Web(Processes):
    """The production web server, with two processes."""

    command = ["-m", "gunicorn", "--config", "python:backcare.ops.gunicorn", "backcare.config.wsgi"]

    def __init__(self, environment, log, application: str = "backcare.config.wsgi"):
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        super().__init__({**environment, "PORT": str(self.port), "WEB_WORKERS": "2"}, log)
        self.command = [*self.command[:-1], application]

    def start(self) -> "Web":
        super().start()
        wait_for(self.answers, what="the web server's first answer")
        return self

    def answers(self) -> bool:
        return self.get("/robots.txt") == 200

    def get(self, path: str, timeout: float = 20) -> int:
        """The status of a page, or 0 if there was no answer."""
        try:
            return urllib.request.urlopen(f"{self.address}{path}", timeout=timeout).status
        except urllib.error.HTTPError as error:
            with error:
                return error.code
        except (OSError, http.client.HTTPException):
            return 0

    def children(self) -> list[int]:
        pid = self.process.pid
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def kill_child(self) -> None:
        """kill -9 for one of the processes that answer. Its parent starts another."""
        children = wait_for(self.children, what="a process that answers")
        try:
            os.kill(random.choice(children), signal.SIGKILL)  # noqa: S311 - chance, no secret
        except ProcessLookupError:
            return


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


def post(address: str, who: str, *, timeout: float = 30, **headers: str) -> int:
    """One patient's question. Returns the status of the answer, or 0 if there was none."""
    data = urllib.parse.urlencode(form("question", email=f"{who}@example.com", description=f"I am {who}.")).encode()
    sender = ".".join(["10", *(str(byte) for byte in secrets.token_bytes(3))])
    request = urllib.request.Request(f"{address}/question/", data, {"X-Forwarded-For": sender, **headers})
    try:
        return urllib.request.build_opener(NoRedirect).open(request, timeout=timeout).status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except (OSError, http.client.HTTPException):
        return 0


class Patients:
    """This many people at a time post one question after another, each as somebody new, and remember the answer."""

    def __init__(self, address: str, people: int = 4, pause: float = 0.0):
        self.address, self.pause = address, pause
        self.answers: dict[str, int] = {}
        self.slowest = 0.0
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=self.post) for _ in range(people)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.enough.set()
        for thread in self.threads:
            thread.join(60)

    def post(self):
        while not self.enough.is_set():
            who, started = secrets.token_hex(6), time.monotonic()
            answer = post(self.address, who)
            self.slowest = max(self.slowest, time.monotonic() - started)
            self.answers[who] = answer
            if not answer:
                time.sleep(0.05)  # the server is away; the next person comes a moment later
            elif self.pause:
                time.sleep(self.pause)

    def told(self, status: int) -> set[str]:
        return {who for who, answer in list(self.answers.items()) if answer == status}

    @property
    def accepted(self) -> set[str]:
        return self.told(303)

    def wait_for_more(self, number: int = 5, seconds: float = 120) -> None:
        before = len(self.accepted)
        wait_for(lambda: len(self.accepted) >= before + number, seconds=seconds, what=f"{number} more accepted forms")


class Reckoning:
    """Compares what the database holds with what patients were told."""

    def __init__(self, patients: Patients):
        found = [enquiry.email.partition("@")[0] for enquiry in Enquiry.objects.all()]
        self.accepted = len(patients.accepted)
        self.missing = patients.accepted - set(found)
        self.twice = len(found) - len(set(found))
        self.unasked = set(found) - set(patients.answers)
        # Saved, but the patient was never told. If they send it again, it is still one enquiry.
        self.kept_unheard = len(set(found) - patients.accepted)
        ours = Enquiry.objects.annotate(mails=Count("messages", distinct=True), entries=Count("events", distinct=True))
        self.half = ours.exclude(status=Status.SPAM).exclude(mails=2, entries__gte=1).count()
        self.set_aside = Enquiry.objects.filter(status=Status.SPAM).count()
        self.integrity = integrity()

    def expect_nothing_lost(self) -> None:
        assert self.accepted, "Nobody was served, so this proves nothing."
        assert not self.missing, f"{len(self.missing)} of {self.accepted} accepted enquiries are gone."
        assert (self.twice, self.half, self.set_aside, len(self.unasked)) == (0, 0, 0, 0)
        assert self.integrity == "ok"


def integrity() -> str:
    if connection.vendor != "sqlite":
        return "ok"  # PostgreSQL has no such check, but every row was read
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        return cursor.fetchone()[0]


def mail_states() -> dict[str, int]:
    return dict(OutgoingMessage.objects.order_by().values_list("state").annotate(Count("pk")))


def all_mail_is_sent() -> bool:
    return not OutgoingMessage.objects.exclude(state=MessageState.SENT).exists()
