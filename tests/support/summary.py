"""Shared by the tests of the private summary: a browser with finished answers, its request, and the link in the email."""

import re
import time

from django.test import Client

from enquiries.assessment import cookie
from enquiries.assessment.flags import flags
from tests.support.assessment import answers
from tests.support.forms import form
from tests.support.outbox import html_of, text_of


def patient(**given) -> Client:
    """A browser that has finished the self-assessment."""
    client = Client()
    kept = cookie.Progress(answers(**given), done=True)
    client.cookies[cookie.COOKIE.name] = cookie.sealed(kept, known=flags(), now=time.time())
    return client


def ask(client: Client, **changes):
    return client.post("/report/", form("report", **changes))


def summary_link(mail) -> str:
    found = set(re.findall(r"https?://[^\s\"<>]*(/report/summary/[^\s\"<>]+)", text_of(mail)))
    assert len(found) == 1, "The mail holds one link to the summary."
    link = found.pop()
    assert link in " ".join(a.get("href") for a in html_of(mail).iter("a"))
    return link
