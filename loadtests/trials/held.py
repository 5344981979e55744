"""L2 to L7 and F20: load that is held. Each row fails on an error or a missing form.

How fast it was stands beside the goal, and fails nothing: the goals were found on another machine.
"""

import secrets
import threading
import time
from pathlib import Path
from statistics import median

from enquiries.models import Enquiry
from loadtests.trials.clients import Client, Tally, at, closed_loop, open_loop, together, told
from loadtests.trials.ground import Ground
from loadtests.trials.kills import LONG
from loadtests.trials.sink import MailServer
from tests.support.faults import integrity
from tests.support.forms import form
from tests.support.outbox import question
from tests.support.smtp import wait_for


def seconds(kills: int) -> float:
    """60 s with the 200 kills of the long dose, and less with fewer."""
    return max(3.0, min(60.0, kills * 0.3))


class Asking(Client):
    """Sends questions in one step: the page that checks the answers was read before."""

    def send(self, kind: str = "question", **changes: str) -> bool:
        who = f"{secrets.token_hex(6)}@example.com"
        status, _ = self.ask("POST", f"/{kind}/", form(kind, email=who, **changes))
        if status == 303:
            self.tally.accepted.append(who)
        else:
            self.tally.errors[f"{status} POST /{kind}/"] += 1
        return status == 303


def expect_all_there(tally: Tally, mails: int = 2) -> None:
    """Every form that was accepted is there once, with its mails, and nobody was turned away."""
    there = [enquiry.email for enquiry in Enquiry.objects.only("email")]
    missing = set(tally.accepted) - set(there)
    assert not missing, f"{len(missing)} of {len(tally.accepted)} accepted forms are gone."
    assert len(there) == len(set(there)), "A form is there twice."
    half = sum(enquiry.messages.count() != mails for enquiry in Enquiry.objects.all())
    assert not half, f"{half} have not their mails."
    late = tally.errors.pop("not begun in time", 0)
    assert not tally.errors, tally.errors
    assert late + len(tally.accepted), "Nobody asked."
    assert integrity() == "ok"


def a_hundred_a_second(folder: Path, kills: int) -> str:
    """L2."""
    lasting, rate = seconds(kills), 100
    with Ground(folder) as ground:
        web = ground.web()
        tally = open_loop(web.port, rate, lasting, forms=1.0, people=16, client=Asking)
    late = tally.errors["not begun in time"]
    expect_all_there(tally)
    return (
        f"{rate} forms a second for {lasting:.0f} s: {len(tally.accepted):,} accepted, 0 refused, 0 missing, {late} not begun in "
        f"time; {told(tally.forms)} from when each was due (goal: p99 50 ms)"
    )


def many_connections(folder: Path, kills: int) -> str:
    """L3."""
    lasting = seconds(kills)
    with Ground(folder) as ground:
        web = ground.web()
        tally, took = closed_loop(web.port, lasting, forms=1.0, people=64, client=Asking)
    expect_all_there(tally)
    return (
        f"64 connections, {lasting:.0f} s: {len(tally.accepted):,} accepted ({len(tally.accepted) / took:.0f} a second), 0 "
        f"refused, 0 missing; {told(tally.forms)} (goal: p99 1,000 ms, longest 3,000 ms)"
    )


def how_soon_mail_goes(folder: Path, kills: int) -> str:
    """L5."""
    number = kills * 2
    for each in range(number // 2):
        question(email=f"ada{each}@example.com")
    soon, tally = [], Tally()
    with Ground(folder, MailServer(folder)) as ground:
        web = ground.web()
        client = Asking(web.port, tally)
        ground.worker()
        wait_for(lambda: len(ground.smtp.ids) >= number, seconds=LONG, what="all mail")
        mails = [mail.at for mail in ground.smtp.mails]
        for each in range(max(5, kills // 5)):
            time.sleep(0.3 + each % 5 / 10)  # at any moment of the worker's pause
            accepted = client.send() and time.time()
            soon.append(ground.smtp.wait_for_mail_to(tally.accepted[-1], seconds=60).at - accepted)
        wait_for(lambda: len(ground.smtp.ids) >= number + 2 * len(soon), seconds=60, what="all mail")
        assert not ground.smtp.twice
    expect_all_there(tally)
    return (
        f"{(number - 1) / (mails[-1] - mails[0]):.0f} mails a second (goal: 100); from “thank you” to the mail server's yes "
        f"p50 {median(soon):.2f} s, longest {max(soon):.2f} s (goal: 0.5 and 2 s)"
    )


def slow_mail_server(folder: Path, kills: int) -> str:
    """L6."""
    lasting = seconds(kills)
    with Ground(folder, MailServer(folder, slow=2)) as ground:
        web = ground.web()
        ground.worker()
        question(email="first@example.com")
        wait_for(lambda: ground.smtp.ids, seconds=60, what="the first mail")
        tally = open_loop(web.port, 10, lasting, forms=1.0, people=8, client=Asking)
        sent = len(ground.smtp.ids)
    expect_all_there(tally)
    return (
        f"forms while the mail server takes 2 s for a mail, 10 a second for {lasting:.0f} s: {len(tally.accepted):,} accepted, "
        f"0 refused, 0 missing; {told(tally.forms)} (goal: longest 250 ms); {sent} mails went meanwhile"
    )


def hammered_login(folder: Path, kills: int) -> str:
    """L7, twice: from one place, which the limit stops, and each guess from another place at another account, which it does not."""
    lasting = seconds(kills)
    with Ground(folder) as ground:
        web = ground.web()
        closed_loop(web.port, lasting / 3, forms=0.0)  # every page is made
        calm = open_loop(web.port, 20, lasting / 2, forms=0.0)
        figures = []
        for guesser in (FromOnePlace, FromEverywhere):
            tried = Tally()
            read = while_guessed(web.port, lasting, tried, guesser)
            late = read.errors.pop("not begun in time", 0)
            assert not read.errors, read.errors
            assert not set(tried.errors) - {200, 429, 0}, tried.errors  # 0: no answer within the client's patience
            compared = tried.errors[200]
            assert compared, f"No password was compared: {tried.errors}"
            figures.append(
                f"p99 {at(read.reads, 99):.0f} ms ({compared} compared, {tried.errors[429]} refused, {late} reads late)"
            )
    assert not calm.errors, calm.errors
    return (
        f"16 clients guess passwords while pages are read, 20 a second for {lasting:.0f} s, 0 errors: from one place {figures[0]}, "
        f"from everywhere at once {figures[1]} (goal: 100 ms), without them {at(calm.reads, 99):.0f} ms"
    )


class FromEverywhere(Client):
    def guess(self) -> None:
        data = {"username": f"nobody-{secrets.token_hex(6)}", "password": "wrong"}
        status, _ = self.ask("POST", "/admin/login/", data)
        self.tally.errors[status] += 1


class FromOnePlace(FromEverywhere):
    def sender(self) -> str:
        return "192.0.2.1"


def while_guessed(port: int, lasting: float, tried: Tally, guesser: type[Client]) -> Tally:
    """Pages are read, and 16 clients guess as fast as they are answered."""
    over = threading.Event()

    def work(client):
        while not over.is_set():
            client.guess()

    guessing = threading.Thread(target=together, args=(port, tried, work, 16, guesser))
    guessing.start()
    try:
        return open_loop(port, 20, lasting, forms=0.0)
    finally:
        over.set()
        guessing.join()


def large_backlog(folder: Path, kills: int) -> str:
    """F20. Ten thousand mails in the long dose, a report among fifty of them."""
    from factsheets.models import FactSheet
    from tests.conftest import report

    sheets = list(FactSheet.objects.published())
    mails = kills * 50
    for each in range(mails // 2):
        question(email=f"ada{each}@example.com")
        if each % 25 == 0:
            report(sheets[each // 25 % len(sheets)], email=f"eve{each}@example.com")
            mails += 1
    with Ground(folder, MailServer(folder)) as ground:
        ground.worker()
        wait_for(lambda: len(ground.smtp.ids) >= mails // 2, seconds=LONG + mails / 5, what="half of the mails")
        waits = [newcomer(ground, f"new{each}@example.com", mails) for each in range(3)]
        wait_for(lambda: len(ground.smtp.ids) >= mails + 6, seconds=LONG + mails / 5, what="all mail")
        times = [mail.at for mail in ground.smtp.mails]
        twice = ground.smtp.twice
    assert not twice, f"{twice} mails came twice."
    took = times[-1] - times[0]
    return (
        f"{mails + 6:,} mails in {took:.0f} s, {mails / took:.0f} a second (goal: 100), 0 missing, 0 twice; what came "
        f"half-way, and waited its turn, went after {max(waits):.0f} s (goal: 120 s)"
    )


def newcomer(ground: Ground, address: str, mails: int) -> float:
    """Seconds until a mail that comes now has gone."""
    question(email=address)
    came = time.time()
    return ground.smtp.wait_for_mail_to(address, seconds=LONG + mails / 5).at - came


HELD = {
    "F20": large_backlog,
    "L2": a_hundred_a_second,
    "L3": many_connections,
    "L5": how_soon_mail_goes,
    "L6": slow_mail_server,
    "L7": hammered_login,
}
