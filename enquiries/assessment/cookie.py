"""A person's answers, in an encrypted cookie in their own browser. Nothing is kept on the server.

The cookie is set only by an answer that is sent to /check/, lives 30 minutes from the last one, and goes with "Clear my answers".
Its path is "/", because /report/ and /consultation/ will ask whether a finished assessment is there, and because only then may
it be called "__Host-…", which no other site of the same domain can set. SameSite=Strict: no other site can have it sent.

AES-256-GCM under the keys of FIELD_ENCRYPTION_KEYS. The associated data names the cookie, the version of the questions and the
list of red flags, so a value made for other questions, or for another list, does not open here.
"""

import base64
import binascii
import json
import time
from dataclasses import asdict, dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from enquiries.assessment import questions
from enquiries.assessment.evaluate import evaluate
from enquiries.assessment.flags import Flags, flags
from enquiries.assessment.kinds import NONE, Answers
from enquiries.privacy.encryption import CannotDecrypt, seal, unseal

LIFETIME = 30 * 60  # seconds since the last answer
LARGEST = 4096  # bytes with the name: what every browser keeps (RFC 6265, 6.1)


@dataclass(frozen=True)
class Kept:
    answers: Answers
    done: bool = False  # the person looked the answers through and asked for the result


def name() -> str:
    """Browsers take "__Host-" from https only, and without it a local run could keep nothing."""
    return "check" if settings.LOCAL else "__Host-check"


def read(request: HttpRequest, known: Flags) -> Kept | None:
    """What the browser keeps. None: nothing, too old, from other questions, or not made by us."""
    value = request.COOKIES.get(name(), "")
    return opened(value, known=known, now=time.time()) if 0 < len(value) < LARGEST else None


def keep(response: HttpResponse, kept: Kept, known: Flags) -> HttpResponse:
    response.set_cookie(
        name(),
        sealed(kept, known=known, now=time.time()),
        max_age=LIFETIME,
        path="/",
        secure=not settings.LOCAL,
        httponly=True,
        samesite="Strict",
    )
    return response


def forget(response: HttpResponse, request: HttpRequest) -> HttpResponse:
    if name() in request.COOKIES:  # who has none is sent none, not even an empty one
        response.delete_cookie(name(), path="/", samesite="Strict")
    return response


def finished(request: HttpRequest) -> Answers | None:
    """The answers of an assessment that this browser has finished and seen the result of. None without one."""
    if name() not in request.COOKIES:
        return None
    kept = read(request, flags())
    return kept.answers if kept and kept.done else None


def may_be_included(request: HttpRequest) -> Answers | None:
    """A finished assessment, where the decision table lets us offer our help (content ledger, "Outcomes")."""
    answers = finished(request)
    return answers if answers and evaluate(answers).may_ask_us else None


def sealed(kept: Kept, *, known: Flags, now: float) -> str:
    given = {part: _plain(value) for part, value in asdict(kept.answers).items() if value is not None}
    plain = json.dumps({"at": int(now), "done": kept.done, "answers": given}, separators=(",", ":"))
    return base64.urlsafe_b64encode(seal(plain, context=_context(known))).decode().rstrip("=")


def opened(value: str, *, known: Flags, now: float) -> Kept | None:
    try:
        box = base64.urlsafe_b64decode(value.encode("ascii") + b"=" * (-len(value) % 4))
        held = json.loads(unseal(box, context=_context(known)))
    except (CannotDecrypt, binascii.Error, UnicodeEncodeError):
        return None
    # Max-Age is a request to the browser; a copy of the cookie would not obey it. A clock may be a minute fast.
    if not -60 < now - held["at"] < LIFETIME:
        return None
    answers = _known_answers(held["answers"], known)
    return Kept(answers, held["done"]) if answers else None


def _context(known: Flags) -> str:
    return f"cookie:{name()}:{questions.VERSION}:{known.fingerprint}"


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
