"""Shared by the tests of the self-assessment: the ledger's "unlisted" answers, and a person who answers page by page."""

from urllib.parse import urlencode

from django.test import Client

from enquiries.assessment.kinds import Answers
from enquiries.assessment.questions import QUESTIONS

NOTHING = frozenset(["none"])
# The ledger: none / no / back only / little / not at all; age 20-44; not first; less than a week; not checked.
UNLISTED = {
    "emergency": NOTHING,
    "urgent": NOTHING,
    "age": "20_44",
    "first": "no",
    "duration": "under_1",
    "checked": "no",
    "reach": "back",
    "walking": "no",
    "stiff": "no",
    "before_45": "no",
    "both_sides": "no",
    "triggers": frozenset(),
    "limits": "little",
    "mood": "not_at_all",
    "tried": frozenset(),
    "tell": frozenset(),
}
MANY = {name for name, value in UNLISTED.items() if isinstance(value, frozenset)}


def answers(**given) -> Answers:
    """The unlisted answers with these instead. Several ticks are given as a list or as one word."""
    return Answers(**{**UNLISTED, **{name: _as_kept(name, value) for name, value in given.items()}})


def _as_kept(name, value):
    if name not in MANY or value is None:
        return value
    return frozenset([value] if isinstance(value, str) else value)


def page_data(number: int, **given) -> dict:
    """What a browser sends for this page when a person gives these answers."""
    known = answers(**given)
    data = {part.name: getattr(known, part.name) for part in QUESTIONS[number - 1].parts}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in data.items()}


def answer_all(client: Client, *, since: int = 1, last: int = 12, **given):
    """Answers page by page, as a browser does, and returns the last answer of the server."""
    response = None
    for number in range(since, last + 1):
        response = client.post(f"/check/{number}/", page_data(number, **given))
        assert response.status_code == 303, (number, response.content.decode()[:2000])
    return response


def answer_unseen(visitor, **given) -> None:
    """Answers and checks every question in a real browser, without drawing the pages, and stops at the result."""
    pages = [(f"/check/{number}/", page_data(number, **given)) for number in range(1, 13)]
    headers = {"Origin": visitor.site, "Content-Type": "application/x-www-form-urlencoded"}
    for address, data in [*pages, ("/check/answers/", {})]:
        body = urlencode(data, doseq=True)
        answer = visitor.context.request.post(address, data=body, headers=headers, max_redirects=0)
        assert answer.status == 303, (address, answer.text()[:2000])
    visitor.open("/check/result/")


def finish(client: Client, **given):
    """Answers every question, checks and sends them. Returns the result page."""
    assert answer_all(client, **given)["Location"] == "/check/answers/"
    response = client.post("/check/answers/")
    assert (response.status_code, response["Location"]) == (303, "/check/result/")
    return client.get("/check/result/")
