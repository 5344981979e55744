"""How often a password or a code may be guessed: at most ten times in five minutes for an account (Cyber Essentials 3.3).

Passwords and codes count together, before anything is compared, so that the right one waits too and an account that does not
exist is throttled like one that does. A right guess is not counted.

A stranger must not be able to lock the owner out. So a browser from which somebody has signed in to this account before has an
allowance of its own, which no other browser can use up (OWASP's "device cookies"): a sealed cookie holds a random number for each
account, and neither the account's nor the client's count is asked for it.
"""

import secrets
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import BoundedSemaphore

from django.urls import reverse_lazy

from backcare.core import limits
from backcare.core.cookies import EncryptedCookie
from backcare.core.encryption import keyed_hash

PER = timedelta(minutes=5)
ACCOUNT = 6  # guesses in PER at one account, from all the browsers that never signed in to it
BROWSER = 4  # from a browser that has: ten together
PAIR = 5  # at one account from one client, so that no client alone uses up the account's
CLIENT = 10  # from one client, at all accounts together
# Someone who knows the password and guesses codes has three chances in a million with each.
CODES, A_DAY = 30, timedelta(days=1)

# Half a year since the last sign-in.
COOKIE = EncryptedCookie("known", prefix="__Secure-", path=reverse_lazy("admin:index"), lifetime=180 * 24 * 60 * 60)
ACCOUNTS = 8  # in one browser, the newest


# Comparing a password takes a third of a second of a core, on purpose, and a process has few threads. In each, one is compared
# at a time while one more waits, so that guesses from everywhere at once leave the other threads to readers.
COMPARING, IN_LINE = BoundedSemaphore(1), BoundedSemaphore(2)
BUSY_FOR = 2  # seconds, for Retry-After


class Busy(Exception):
    """Others are signing in at this moment. Nothing was compared."""


class TooOften(Exception):
    def __init__(self, wait: int):
        super().__init__()
        self.wait = wait  # seconds


def count(request, username: str, *, code: bool = False) -> None:
    """Counts one guess at an account. After TooOften, the guess must not be checked."""
    verdict = limits.hit_each(_counted(request, username, code=code))
    if not verdict:
        raise TooOften(verdict.wait)


def give_back(request, username: str, *, code: bool = False) -> None:
    """Uncounts the guess, because it was right."""
    for name, subject, _, per in _counted(request, username, code=code):
        limits.give_back(name, subject, per=per)


@contextmanager
def turn(request, username: str) -> Iterator[None]:
    """Waits until a password may be compared. Raises Busy at once if too many wait, unless the browser is known here."""
    is_known = _account(username) in _known(request)
    if not is_known and not IN_LINE.acquire(blocking=False):
        raise Busy
    try:
        with COMPARING:
            yield
    finally:
        if not is_known:
            IN_LINE.release()


def remember(request, response, username: str) -> None:
    """From now on this browser is known to have signed in to this account."""
    known = _known(request)
    number = known.pop(_account(username), None) or secrets.token_hex(16)
    known = dict(list(known.items())[1 - ACCOUNTS :]) | {_account(username): number}
    now = time.time()
    COOKIE.give(response, COOKIE.sealed({"accounts": known}, at=now), at=now)


def _counted(request, username: str, *, code: bool) -> list[tuple[str, str, int, timedelta]]:
    account = _account(username)
    number = _known(request).get(account)
    who = number or account
    if number:
        found = [("sign-in browser", number, BROWSER, PER)]
    else:
        client = limits.client(request)
        found = [
            ("sign-in client", client, CLIENT, PER),
            ("sign-in pair", f"{account} {client}", PAIR, PER),
            ("sign-in account", account, ACCOUNT, PER),
        ]
    return [*found, ("sign-in codes", who, CODES, A_DAY)] if code else found


def _account(username: str) -> str:
    """A keyed hash of the name that a person could mean, however it was typed."""
    return keyed_hash(unicodedata.normalize("NFKC", username).strip().casefold()[:150], purpose="staff account")


def _known(request) -> dict[str, str]:
    held = COOKIE.opened(COOKIE.of(request), now=time.time())
    return held["accounts"] if held else {}
