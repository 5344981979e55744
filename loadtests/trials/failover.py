"""Two machines for the web, each with a cache and a mail worker, and PostgreSQL with a replica: each part is killed under load.

The machines are processes on loopback: nginx with our configuration over TLS, gunicorn, `deliver_mail`. Readers and patients
choose a machine by chance, and go to the other when it does not answer, as browsers do with two addresses. Nothing that was
accepted may be lost, no mail may arrive twice, and no reader may be left without a page. It takes some three minutes.

    python -m loadtests.trials.failover
"""

import http.client
import os
import random
import secrets
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from loadtests.trials.clients import SHEETS
from loadtests.trials.cluster import Cluster
from loadtests.trials.place import prepare
from loadtests.trials.sink import MailServer

PAGES = ["/", "/fact-sheets/", *(f"/fact-sheets/{slug}/" for slug in SHEETS), "/get-help-now/", "/glossary/"]
AWAY = {0, 502, 504}  # nobody was there: the other machine is asked
AFTER = 12  # forms accepted after each kill, before the next
LONG = 400  # seconds for the queue to drain: a killed worker's mail waits for the end of its lease


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and everything that was started is stopped
    with Cluster() as cluster:
        os.environ["DATABASE_URL"] = cluster.address
        folder = prepare()
        try:
            drill(cluster, folder)
        finally:
            from django.db import connection

            connection.close()
    shutil.rmtree(folder, ignore_errors=True)
    return 0


def drill(cluster: Cluster, folder: Path) -> None:
    from django.db import connection

    from loadtests.trials.kills import everything_arrived
    from tests.support.faults import MailWorker, Patients, Reckoning, Web, all_mail_is_sent, mail_states
    from tests.support.forms import form
    from tests.support.reverse_proxies import DOMAIN, Proxy, asked_directly
    from tests.support.smtp import wait_for

    class Site(Web):
        def answers(self) -> bool:
            try:
                return asked_directly(self, "/robots.txt").status == 200
            except (OSError, http.client.HTTPException):
                return False

    class Visitors(Patients):
        """Two patients who post, and two readers."""

        def __init__(self, proxies: list[Proxy]):
            super().__init__("", people=2, pause=0.1)
            self.proxies, self.reads, self.elsewhere, self.unread, self.longest = proxies, 0, 0, [], 0.0
            self.threads += [threading.Thread(target=self.read) for _ in range(2)]

        def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> int:
            """The status of the answer: of the other machine's, when the first is away."""
            status = 0
            for proxy in random.sample(self.proxies, 2):
                try:
                    status = proxy.ask(method, path, body, **headers).status
                except (OSError, http.client.HTTPException):
                    status = 0
                if status not in AWAY:
                    break
                self.elsewhere += 1
            return status

        def read(self) -> None:
            while not self.enough.is_set():
                path, began = random.choice(PAGES), time.monotonic()  # noqa: S311 - chance, no secret
                if (status := self.ask("GET", path, Accept_Encoding="br")) != 200:
                    self.unread.append((path, status))
                self.reads += 1
                self.longest = max(self.longest, time.monotonic() - began)
                time.sleep(0.02)

        def post(self) -> None:
            while not self.enough.is_set():
                who = secrets.token_hex(6)
                asked = form("question", email=f"{who}@example.com", description=f"I am {who}.")
                sender = ".".join(["10", *(str(byte) for byte in secrets.token_bytes(3))])
                self.answers[who] = self.ask(
                    "POST",
                    "/question/",
                    urlencode(asked).encode(),
                    Content_Type="application/x-www-form-urlencoded",
                    X_Forwarded_For=sender,
                    Origin=f"https://{DOMAIN}",
                )
                time.sleep(self.pause)

    smtp = MailServer(folder)
    environment = {
        **os.environ,
        "ALLOWED_HOSTS": DOMAIN,
        "BASE_URL": f"https://{DOMAIN}",
        "BEHIND_TLS_PROXY": "1",
        "TRUSTED_PROXIES": "2",  # nginx, and whoever shares visitors out between the machines
        "EMAIL_URL": f"smtp://{smtp.host}:{smtp.port}",
    }
    log, parts = folder / "processes.log", []
    primary, replica = cluster.servers
    with smtp:
        try:
            webs = [Site(environment, log) for _ in range(2)]
            workers = [MailWorker(environment, log) for _ in range(2)]
            parts += [*webs, *workers]
            for each in parts:
                each.start()
            proxies = []
            for number, web in enumerate(webs):
                (folder / f"nginx-{number}").mkdir()
                proxies.append(Proxy("nginx", folder / f"nginx-{number}", web, spare=webs[1 - number]))
                proxies[-1].__enter__()
            with Visitors(proxies) as visitors:
                visitors.wait_for_more(AFTER)

                def kill(what: str, now: Callable[[], None], then: Callable[[], None]) -> None:
                    """Kills one part, waits until forms are accepted without it, and brings it back."""
                    reads, refused, visitors.longest = visitors.reads, len(visitors.told(503)), 0.0
                    sent, began = len(smtp.ids), time.monotonic()
                    now()
                    visitors.wait_for_more(1, seconds=120)
                    again = time.monotonic() - began
                    visitors.wait_for_more(AFTER, seconds=120)
                    wait_for(lambda: len(smtp.ids) >= sent + 4, seconds=120, what="mail after the kill")
                    say(
                        f"{what}: a form was accepted after {again:.1f} s, {len(visitors.told(503)) - refused} were told "
                        f"“not saved”; {visitors.reads - reads} reads, the longest {visitors.longest:.1f} s, "
                        f"{len(visitors.unread)} without a page"
                    )
                    then()

                kill("a web server", webs[0].kill, webs[0].start)
                kill("a mail worker", workers[0].kill, workers[0].start)
                kill("a cache", proxies[0].process.kill, proxies[0].__enter__)
                kill("the replica", lambda: (replica.kill(), alone(primary)), lambda: again_behind(primary, replica))

                def lost() -> None:
                    primary.kill()
                    time.sleep(5)  # until somebody noticed
                    replica.promote()

                new = cluster.server()
                kill("the primary, and five seconds later the replica was promoted", lost, lambda: None)
                cluster.servers.append(new)
                new.follow(replica)
                visitors.wait_for_more(AFTER)
                say("A new replica follows the promoted one, and forms are accepted.")
            connection.close()  # to the primary that was killed
            began = time.monotonic()
            try:
                wait_for(all_mail_is_sent, seconds=LONG, what="all mail")
            except AssertionError as error:
                error.add_note(f"{mail_states()}")
                raise
            say(f"All mail went within {time.monotonic() - began:.0f} s of the last form.")
            reckoning = Reckoning(visitors)
            reckoning.expect_nothing_lost()
            doubled = everything_arrived(smtp.ids)
            assert not visitors.unread, visitors.unread[:5]
            say(
                f"{reckoning.accepted} forms accepted, {len(reckoning.missing)} missing, {reckoning.twice} twice; "
                f"{len(smtp.ids)} mails, {doubled} arrived twice with the same Message-ID; {visitors.reads} reads, 0 without a "
                f"page, {visitors.elsewhere} requests went to the other machine"
            )
            assert doubled <= 1, "More than the mail that the killed worker had in hand."
        finally:
            for each in parts:
                each.clear()
            for proxy in proxies:
                proxy.process.kill()


def alone(primary) -> None:
    """What docs/operations.md says to do when the replica is gone for long."""
    time.sleep(2)
    primary.sql("ALTER SYSTEM RESET synchronous_standby_names")
    primary.sql("SELECT pg_reload_conf()")


def again_behind(primary, replica) -> None:
    shutil.rmtree(replica.data)
    replica.follow(primary)


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
