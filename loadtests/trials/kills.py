"""F1 to F5: web server and mail worker are killed at any moment, and at any step of the accept path, while patients post."""

import secrets
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path

from django.utils import timezone

from enquiries.models import MessageState, OutgoingMessage
from enquiries.models.message import LEASE
from loadtests.trials.ground import Ground
from tests.support.faults import NoRedirect, Patients, Reckoning, all_mail_is_sent, mail_states, post
from tests.support.forms import form
from tests.support.smtp import wait_for

LONG = 400  # seconds for a queue to drain: a killed worker's mail waits for the end of its lease


def chance(most: int) -> int:
    return secrets.randbelow(most) + 1


def everything_arrived(sink_ids: list[str]) -> int:
    """Every mail was sent and says so. Gives how many arrived more than once."""
    known = {f"<{pk}@example.com>" for pk in OutgoingMessage.objects.values_list("pk", flat=True)}
    assert set(sink_ids) == known, (
        f"{len(known - set(sink_ids))} mails are missing, {len(set(sink_ids) - known)} unknown."
    )
    assert all_mail_is_sent(), mail_states()
    return len(sink_ids) - len(known)


class WebKiller:
    """Every tenth kill takes the whole server, four in ten a process at a step of the accept path, the others any moment."""

    def __init__(self, web, patients, kills: int):
        self.web, self.patients, self.kills = web, patients, kills
        self.done: Counter = Counter()

    def calls(self) -> int:
        """How many function calls accepting a form takes."""
        data = urllib.parse.urlencode(form("question", email="count@example.com")).encode()
        asked = urllib.request.Request(f"{self.web.address}/question/", data, {"X-Trial-Step": "1000000000"})
        try:
            urllib.request.build_opener(NoRedirect).open(asked, timeout=60)
        except urllib.error.HTTPError as answer:
            with answer:
                self.patients.answers["count"] = answer.code
                return int(answer.headers["X-Trial-Calls"])
        raise AssertionError("The form was not accepted.")

    def run(self):
        most = self.calls()
        for number in range(self.kills):
            self.patients.wait_for_more(3)
            if number % 10 == 9:
                self.web.kill()
                self.web.start()
                self.done["whole server"] += 1
            elif number % 5 in (1, 3):
                self.at_a_step(chance(most))
            else:
                time.sleep(chance(60) / 1000)
                self.web.kill_child()
                self.done["process"] += 1
        self.patients.wait_for_more(3)

    def at_a_step(self, step: int):
        """The patient whose request died sends the same form again, as people do."""
        who = secrets.token_hex(6)
        self.patients.answers[who] = post(self.web.address, who, **{"X-Trial-Step": str(step)})
        self.done["at a step"] += 1
        while self.patients.answers[who] != 303:
            self.patients.answers[who] = post(self.web.address, who)
            time.sleep(0.05)


def kill_workers(ground: Ground, kills: int, done: Counter):
    for _ in range(kills):
        seen = len(ground.smtp.ids)
        worker = ground.worker()
        wait_for(lambda seen=seen: len(ground.smtp.ids) > seen, seconds=120, what="a mail")
        time.sleep(chance(150) / 1000)
        worker.kill()
        done["mail worker"] += 1


def random_kills(folder: Path, kills: int) -> str:
    """F1–F5."""
    done: Counter = Counter()
    with Ground(folder) as ground:
        ground.smtp.delay = 0.02  # so that some workers die between the server's acceptance and its answer
        web = ground.web("loadtests.trials.dying")
        with Patients(web.address, people=4, pause=0.1) as patients:
            killer = WebKiller(web, patients, kills - kills // 2)
            workers = [threading.Thread(target=kill_workers, args=(ground, kills // 4, done)) for _ in range(2)]
            for thread in workers:
                thread.start()
            killer.run()
            for thread in workers:
                thread.join()
        stuck = OutgoingMessage.objects.filter(state=MessageState.SENDING)
        assert all(row.lease_until <= timezone.now() + LEASE for row in stuck)
        held = stuck.count()
        ground.smtp.delay = 0
        ground.worker()
        wait_for(all_mail_is_sent, seconds=LONG, what="all mail")
        found = Reckoning(patients)
        found.expect_nothing_lost()
        doubles = everything_arrived(ground.smtp.ids)
        known_to_us = sum(number - 1 for number in Counter(ground.smtp.answered).values())
    done.update(killer.done)
    assert doubles <= done["mail worker"], "More doubles than killed workers."
    how = ", ".join(f"{name} {number}" for name, number in sorted(done.items()))
    return (
        f"{sum(done.values())} kills ({how}): {found.accepted} forms accepted, {len(found.missing)} missing, {found.twice} twice, "
        f"{len(patients.told(0))} got no answer; {OutgoingMessage.objects.count()} mails all sent, {held} in a dead worker's hand, "
        f"{doubles} arrived twice with the same Message-ID, {doubles - known_to_us} of them because the worker died before the "
        f"mail server had answered; integrity {found.integrity}"
    )
