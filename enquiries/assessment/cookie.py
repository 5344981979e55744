"""A person's answers, in an encrypted cookie in their own browser. Nothing is stored on the server.

The cookie is set only by an answer sent to /check/, and ends 30 minutes after the last one or with "Clear my answers".
Its path is "/", because /report/ and /consultation/ also look for a finished assessment, and because only then may its name
begin with "__Host-", which no other site on the same domain can set. With SameSite=Strict, no other site can cause it to be sent.

It is bound to the version of the questions and to the list of red flags, so answers to other questions or another list do not
open.

An emergency sign ends the questions but is kept like any other answer, so nobody can go on in another tab as if it had not been
ticked.
"""

import time
from dataclasses import asdict, dataclass

from django.http import HttpRequest, HttpResponse

from backcare.core.cookies import EncryptedCookie
from enquiries.assessment import questions
from enquiries.assessment.evaluate import evaluate
from enquiries.assessment.flags import Flags, flags
from enquiries.assessment.kinds import NONE, Answers
from factsheets.approvals import check_is_open

# Half an hour since the last answer.
COOKIE = EncryptedCookie("check", prefix="__Host-", path="/", lifetime=30 * 60)


@dataclass(frozen=True)
class Progress:
    """How far a person has got with the questions, as their browser holds it."""

    answers: Answers
    done: bool = False  # they have checked the answers and asked for the result
    unsure: int = 0  # number of the question last answered with "I'm not sure", until it has another answer
    clash: Answers | None = None  # a second tab's answers, if they would remove a sign it never showed


def read(request: HttpRequest, known: Flags) -> Progress | None:
    """What the browser holds. None if there is nothing, or it is too old, for other questions, or not made by us."""
    return opened(COOKIE.of(request), known=known, now=time.time())


def keep(response: HttpResponse, progress: Progress, known: Flags) -> HttpResponse:
    now = time.time()
    return COOKIE.give(response, sealed(progress, known=known, now=now), at=now)


def forget(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    return COOKIE.take_back(response, request)


def finished(request: HttpRequest) -> Answers | None:
    """The answers of an assessment whose result this browser has shown. None if there is none."""
    progress = read(request, flags()) if COOKIE.of(request) else None
    return progress.answers if progress and progress.done else None


def may_be_included(request: HttpRequest) -> Answers | None:
    """A finished assessment with which the decision table lets us offer our help (content ledger, "Outcomes").

    None while the self-assessment is not approved, because its result must not reach anyone through a form either.
    """
    answers = _finished_and_approved(request)
    return answers if answers and evaluate(answers).may_ask_us else None


def may_go_along(request: HttpRequest) -> Answers | None:
    """The same for a request for a consultation, but with urgent signs too. Their page leads to no form, but if such a person asks
    anyway, staff must know, and the signs flag the request. Never a child's answers, and never after an emergency."""
    answers = _finished_and_approved(request)
    return answers if answers and evaluate(answers).may_go_along else None


def _finished_and_approved(request: HttpRequest) -> Answers | None:
    return finished(request) if COOKIE.of(request) and check_is_open() else None


def sealed(progress: Progress, *, known: Flags, now: float) -> str:
    held = {"done": progress.done, "unsure": progress.unsure, "answers": _plain(progress.answers)}
    if progress.clash:
        held["clash"] = _plain(progress.clash)
    return COOKIE.sealed(held, *_bound_to(known), at=now)


def opened(value: str, *, known: Flags, now: float) -> Progress | None:
    held = COOKIE.opened(value, *_bound_to(known), now=now)
    answers = _known_answers(held["answers"], known) if held else None
    if answers is None:
        return None
    return Progress(
        answers, held["done"], held["unsure"], _known_answers(held["clash"], known) if "clash" in held else None
    )


def _bound_to(known: Flags) -> tuple[str, str]:
    return questions.VERSION, known.fingerprint


def _plain(answers: Answers) -> dict[str, str | list[str]]:
    given = {name: value for name, value in asdict(answers).items() if value is not None}
    return {name: sorted(value) if isinstance(value, frozenset) else value for name, value in given.items()}


def _known_answers(given: dict, known: Flags) -> Answers | None:
    """None if an answer is not on our list, because no rule could judge it."""
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
