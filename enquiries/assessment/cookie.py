"""A person's answers, in an encrypted cookie in their own browser. Nothing is kept on the server.

The cookie is set only by an answer that is sent to /check/, lives 30 minutes from the last one, and goes with "Clear my answers".
Its path is "/", because /report/ and /consultation/ will ask whether a finished assessment is there, and because only then may
it be called "__Host-…", which no other site of the same domain can set. SameSite=Strict: no other site can have it sent.

It is bound to the version of the questions and to the list of red flags, so a value made for other questions, or for another
list, does not open here.
"""

import time
from dataclasses import asdict, dataclass

from django.http import HttpRequest, HttpResponse

from backcare.cookies import SealedCookie
from enquiries.assessment import questions
from enquiries.assessment.evaluate import evaluate
from enquiries.assessment.flags import Flags, flags
from enquiries.assessment.kinds import NONE, Answers

# Half an hour since the last answer.
COOKIE = SealedCookie("check", prefix="__Host-", path="/", lifetime=30 * 60)


@dataclass(frozen=True)
class Kept:
    answers: Answers
    done: bool = False  # the person looked the answers through and asked for the result


def read(request: HttpRequest, known: Flags) -> Kept | None:
    """What the browser keeps. None: nothing, too old, from other questions, or not made by us."""
    return opened(COOKIE.of(request), known=known, now=time.time())


def keep(response: HttpResponse, kept: Kept, known: Flags) -> HttpResponse:
    now = time.time()
    return COOKIE.give(response, sealed(kept, known=known, now=now), at=now)


def forget(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    return COOKIE.take_back(response, request)


def finished(request: HttpRequest) -> Answers | None:
    """The answers of an assessment that this browser has finished and seen the result of. None without one."""
    kept = read(request, flags()) if COOKIE.of(request) else None
    return kept.answers if kept and kept.done else None


def may_be_included(request: HttpRequest) -> Answers | None:
    """A finished assessment, where the decision table lets us offer our help (content ledger, "Outcomes")."""
    answers = finished(request)
    return answers if answers and evaluate(answers).may_ask_us else None


def sealed(kept: Kept, *, known: Flags, now: float) -> str:
    given = {part: _plain(value) for part, value in asdict(kept.answers).items() if value is not None}
    return COOKIE.sealed({"done": kept.done, "answers": given}, *_bound_to(known), at=now)


def opened(value: str, *, known: Flags, now: float) -> Kept | None:
    held = COOKIE.opened(value, *_bound_to(known), now=now)
    answers = _known_answers(held["answers"], known) if held else None
    return Kept(answers, held["done"]) if answers else None


def _bound_to(known: Flags) -> tuple[str, str]:
    return questions.VERSION, known.fingerprint


def _plain(value: str | frozenset[str]):
    return sorted(value) if isinstance(value, frozenset) else value


def _known_answers(given: dict, known: Flags) -> Answers | None:
    """None for an answer that is not on our list, which no rule could judge."""
    made = {}
    for question in questions.QUESTIONS:
        for part in question.parts:
            if part.name not in given:
                continue
            value = given.pop(part.name)
            chosen = frozenset(value) if part.many else frozenset([value])
            if not chosen <= allowed(part, known):
                return None
            made[part.name] = chosen if part.many else value
    return None if given else Answers(**made)


def allowed(part, known: Flags) -> frozenset[str]:
    if part.flags:
        return frozenset([NONE, *(code for code, _ in known.options(part.flags))])
    return frozenset(option.value for option in part.options)
