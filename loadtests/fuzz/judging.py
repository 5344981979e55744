"""Sends what was generated, each request in a transaction that is taken back, and says what was wrong with the answer."""

import io
import logging
import sys
import time
import traceback
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser

from django.core.signals import got_request_exception
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, seed, settings

from enquiries.mail import emails
from enquiries.models import Enquiry, OutgoingMessage, Purpose
from loadtests.fuzz.requests import MARK, Sent
from tests.support.wsgi import ask

MAX_SECONDS = 10.0  # seconds for one answer, on a machine that does other things as well
UNESCAPED = (b"<zq", b'onzq="x', b"zq49")
READS = ("text/html",)


@dataclass
class Tally:
    sent: int = 0
    statuses: Counter = field(default_factory=Counter)
    looked_at: int = 0  # what was accepted, seen as staff and as mail
    wrong: list[tuple[str, str, dict]] = field(default_factory=list)

    def line(self) -> str:
        groups = Counter(status // 100 for status in self.statuses.elements())
        shown = ", ".join(f"{many} × {group}xx" for group, many in sorted(groups.items()))
        return (
            f"{self.sent} requests ({shown}); {self.looked_at} looked at as staff and as mail; {len(self.wrong)} wrong"
        )


class Judge:
    def __init__(self, staff_cookies: str, look_at_every: int = 1):
        self.tally, self.staff, self.every = Tally(), staff_cookies, look_at_every
        self.accepted = 0
        self.crash = ""
        self.log = io.StringIO()

    def judge(self, sent: Sent) -> str:
        """What is wrong with the answer; empty when nothing is."""
        self.crash, before = "", Enquiry.objects.count() if sent.request["method"] == "POST" else 0
        began = time.monotonic()
        with transaction.atomic():
            answer = ask(**sent.request)
            took = time.monotonic() - began
            said = self._answer(answer, took)
            new = sent.request["method"] == "POST" and Enquiry.objects.count() > before
            if not said and new:
                self.accepted += 1
                if self.accepted % self.every == 0:
                    said = self._behind()
            transaction.set_rollback(True)
        self.tally.sent += 1
        self.tally.statuses[answer.status_code] += 1
        if said:
            self.tally.wrong.append((said, sent.target, sent.request))
            sys.__stderr__.write(
                f"wrong: {said}\n    {sent.target}\n    {str(sent.request)[:1500]}\n"
            )  # also for a run that is cut off
        return said

    def _answer(self, answer, took: float = 0) -> str:
        if answer.status_code >= 500 and not (
            answer.status_code == 503 and answer.headers.get("Content-Type") == "application/json"
        ):
            return f"{answer.status_code} {self.crash}"
        if took > MAX_SECONDS:
            return f"took {took:.1f} s"
        if any(sign in answer.headers.get("Location", "") for sign in "\r\n"):
            return "a broken Location"
        if answer.headers.get("Content-Type", "").startswith(READS):
            found = [sign.decode() for sign in UNESCAPED if sign in answer.content]
            if found:
                at = answer.content.index(found[0].encode())
                return f"unescaped {found}: {answer.content[max(0, at - 120) : at + 80]!r}"
        return ""

    def _behind(self) -> str:
        """The newest enquiry as staff see it, and its mails."""
        self.tally.looked_at += 1
        newest = Enquiry.objects.order_by("-created_at").first()
        for path in ("/admin/enquiries/enquiry/", "/admin/enquiries/enquiry/?queue=spam", newest.get_admin_url()):
            path, _, query = path.partition("?")
            answer = ask("GET", path, HTTP_COOKIE=self.staff, QUERY_STRING=query)
            if answer.status_code != 200:
                return f"{path} as staff: {answer.status_code} {self.crash}"
            if said := self._answer(answer):
                return f"{path} as staff: {said}"
        for row in OutgoingMessage.objects.filter(enquiry=newest).exclude(purpose=Purpose.REPORT):
            mail = BytesParser(policy=policy.default).parsebytes(emails.render(row, None).message().as_bytes())
            if len(mail.get_all("To")) != 1 or mail["Bcc"] or mail["Cc"] or len(mail["To"].addresses) != 1:
                return "a mail with other recipients"
            for part in mail.walk():
                if part.get_content_type() in {"text/html", "text/plain"} and MARK in part.get_content():
                    return "a mail with what somebody typed"
        return ""

    @contextmanager
    def listening(self):
        """Keeps what the real log handlers write, and where a crash was."""

        def note(sender, **kwargs):
            self.crash = " / ".join(traceback.format_exc().strip().splitlines()[-7:])[-900:]

        from backcare.config import wsgi  # noqa: F401 - it sets logging up anew, so it comes before

        handlers = {each for name in ("", "django") for each in logging.getLogger(name).handlers}
        console = [each for each in handlers if each.get_name() == "console"]
        before = [(each, each.setStream(self.log)) for each in console]
        got_request_exception.connect(note)
        try:
            yield self
        finally:
            got_request_exception.disconnect(note)
            for handler, stream in before:
                handler.setStream(stream)


def run(judge: Judge, strategy, count: int, number: int) -> None:
    """`count` requests from the strategy, the same ones for the same number. What is wrong is in the tally: nothing stops."""

    @seed(number)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def send(sent: Sent) -> None:
        judge.judge(sent)

    send()
