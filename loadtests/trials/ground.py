"""The processes of a trial, and its mail server."""

import os
import sqlite3
from contextlib import contextmanager
from pathlib import Path

from enquiries.models import Enquiry
from loadtests.trials.sink import MailServer
from tests.support.faults import MailWorker, Web
from tests.support.smtp import SmtpSink


class Ground:
    """The processes of one row, and a mail server. All are gone when the row ends."""

    def __init__(self, folder: Path, smtp: SmtpSink | MailServer | None = None, **environment: str):
        self.log = folder / "processes.log"
        self.smtp = smtp or SmtpSink()
        self.environment = {
            **os.environ,
            **environment,
            "EMAIL_URL": f"smtp://{self.smtp.host}:{self.smtp.port}",
            "PGAPPNAME": "a process of the trials",
        }
        self.started = []

    def __enter__(self):
        self.smtp.__enter__()
        return self

    def __exit__(self, *error):
        for each in self.started:
            each.clear()
        self.smtp.stop()

    def web(self, application: str = "backcare.config.wsgi") -> Web:
        self.started.append(Web(self.environment, self.log, application))
        return self.started[-1].start()

    def worker(self) -> MailWorker:
        self.started.append(MailWorker(self.environment, self.log))
        return self.started[-1].start()


@contextmanager
def write_lock(name: str):
    """Somebody writes past the gate, and takes long."""
    other = sqlite3.connect(name, isolation_level=None, timeout=20)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


def empty() -> None:
    """No enquiries, as before the row."""
    Enquiry.objects.all().delete()
