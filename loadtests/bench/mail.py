"""How many mails a worker delivers in a second to a server on the same machine, and whether any comes twice.

    python -m loadtests.bench.mail [REQUESTS]

Each request for a report is one mail with a leaflet, each question two. The worker claims, renders, sends and records them as
`manage.py deliver_mail` does; the server is a process of its own.
"""

import sys
import tempfile
import time
from pathlib import Path

GOAL = 100  # mails a second
REQUESTS = 300


def delivering(requests: int = REQUESTS) -> bool:
    """Prints the rate. Whether it reaches GOAL, with no mail twice and none left."""
    from django.conf import settings
    from django.utils import timezone

    from enquiries.mail.worker import Worker
    from enquiries.models import OutgoingMessage
    from factsheets.models import FactSheet
    from loadtests.trials.sink import MailServer
    from tests.conftest import report
    from tests.support.outbox import question

    sheets = list(FactSheet.objects.published()[:3])
    for number in range(requests):
        if number % 2:
            report(sheets[number % 3], email=f"mail{number}@example.com")
        else:
            question(email=f"mail{number}@example.com")
    OutgoingMessage.objects.filter(state="waiting").update(next_attempt_at=timezone.now())
    with tempfile.TemporaryDirectory() as folder, MailServer(Path(folder)) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        worker = Worker("bench")
        for _ in range(12):  # the leaflets are made
            worker.run_once()
        began, busy, sent = time.perf_counter(), time.process_time(), 0
        while worker.run_once():
            sent += 1
        seconds, busy = time.perf_counter() - began, time.process_time() - busy
        worker.disconnect()
        arrived, twice = len(server.mails), server.twice
    whole = arrived == sent + 12 and not twice
    found = f"{sent / seconds:,.0f} mails/s, {busy / sent * 1000:.1f} ms of one processor each, {twice} twice"
    print(f"{'delivering: mails of one worker, a third with a leaflet':<58} {sent / seconds / GOAL:>7.3f}   ({found})")  # noqa: T201
    return whole and sent / seconds >= GOAL


def main(requests: int = REQUESTS) -> int:
    import logging

    import django

    import tests.support.environment  # noqa: F401 - a folder and secrets of its own, before Django reads its settings

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("load_content", verbosity=0)
    logging.disable(logging.INFO)
    return int(not delivering(requests))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
