"""How many mails a worker delivers in a second to a server on the same machine, and whether any comes twice.

Each request for a report is one mail with a leaflet, each question two. The worker claims, renders, sends and records them as
`manage.py deliver_mail` does; the server is a process of its own.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from loadtests.bench.measure import Figure

GOAL = 100  # mails a second
REQUESTS = 160
WARM = 12  # mails before the clock starts
ROUNDS = 3


def mailing() -> Iterator[Figure]:
    from django.conf import settings
    from django.utils import timezone

    from enquiries.mail.worker import Worker
    from enquiries.models import OutgoingMessage
    from factsheets.models import FactSheet
    from factsheets.rendering import printed
    from loadtests.trials.sink import MailServer
    from tests.conftest import report
    from tests.support.outbox import question

    OutgoingMessage.objects.all().delete()  # what other parts of the bench asked for
    sheets = list(FactSheet.objects.published()[:3])
    for sheet in sheets:
        printed.leaflet_for_mail(sheet)
    for number in range(REQUESTS):
        if number % 2:
            report(sheets[number % 3], email=f"mail{number}@example.com")
        else:
            question(email=f"mail{number}@example.com")
    OutgoingMessage.objects.filter(state="waiting").update(next_attempt_at=timezone.now())
    asked = OutgoingMessage.objects.count()
    part = (asked - WARM) // ROUNDS
    with tempfile.TemporaryDirectory() as folder, MailServer(Path(folder)) as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        worker = Worker("bench")
        for _ in range(WARM):
            worker.run_once()
        rates, busy = [], time.process_time()
        for number in range(ROUNDS):
            began, sent = time.perf_counter(), 0
            while (number == ROUNDS - 1 or sent < part) and worker.run_once():
                sent += 1
            rates.append(sent / (time.perf_counter() - began))
        busy = time.process_time() - busy
        worker.disconnect()
        arrived, twice = len(set(server.ids)), server.twice
    said = f"({busy / (asked - WARM) * 1000:.1f} ms of a processor each; a third with a leaflet)"
    yield Figure("mailing: mails a second of one worker", rates, said, GOAL)
    yield Figure("mailing: mails lost or sent twice", [asked - arrived + twice], f"(of {asked:,})", 0, at_most=True)
