"""The cookie of somebody who opened a private link, so that each page after a form has an address of its own.

A form is answered with a redirect to the page that it leads to, so that back, forward and reload find pages and never a browser's
error. The server keeps nothing: a pass, and what was typed on the way, are in an encrypted cookie. It goes only to that link's own
addresses, is set when somebody sends a form and never by reading a page, lasts PASS_SECONDS from then, and ends when the browser is
closed.

Whether a browser gives cookies back shows only with its second request, so its first form is asked for once more (`probe`). One
without cookies is answered with the pages themselves, which carry everything in hidden fields as well.
"""

import time
from dataclasses import asdict, dataclass, field

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from backcare.core.cookies import EncryptedCookie
from enquiries.links import PASS_SECONDS

KEPT = "kept"


@dataclass
class Held:
    """`given` is the last address typed, as long as it was wrong, and `wrong` is what the page says about it."""

    passed: str = ""
    given: str = ""
    wrong: str = ""
    verb: str = ""  # what `typed` and `done` belong to
    typed: list[list[str]] = field(default_factory=list)  # names and values, as received
    step: str = ""  # what the button sent, if the verb's own page shows a mistake
    begin: bool = False  # whether the page opens at what was typed
    done: bool = False
    signs: list[str] = field(default_factory=list)  # codes of the advice for the last change

    def data(self, verb: str) -> QueryDict:
        data = QueryDict(mutable=True)
        for name, value in self.typed if verb == self.verb else []:
            data.appendlist(name, value)
        return data


class VisitCookie:
    """`home` is the link's own address. The pages of other links do not receive the cookie and could not read it."""

    def __init__(self, home: str):
        self.home = home
        self.cookie = EncryptedCookie(
            "visit", prefix="__Secure-", path=home, lifetime=PASS_SECONDS, until_browser_closes=True
        )

    def probe(self, request: HttpRequest) -> HttpResponse | None:
        """Makes the browser send the form again, with a cookie if it accepts any. None if it has done so or need not."""
        if request.method != "POST" or self.is_held_by(request) or KEPT in request.GET:
            return None
        again = HttpResponse(status=307, headers={"Location": f"{request.path}?{KEPT}"})
        return self._give(again, self._sealed(Held()))

    def is_held_by(self, request: HttpRequest) -> bool:
        return bool(self.cookie.of(request))

    def read(self, request: HttpRequest) -> Held:
        """Empty if the browser holds nothing, or something too old."""
        kept = self.cookie.opened(self.cookie.of(request), self.home, now=time.time()) or {}
        kept.pop("at", None)
        return Held(**kept)

    def go(self, to: str, held: Held) -> HttpResponse | None:
        """Redirects to a page that shows what is held. None if that is too long for a cookie."""
        sealed = self._sealed(held)
        return self._give(HttpResponseRedirect(to, status=303), sealed) if self.cookie.fits(sealed) else None

    def end(self, response: HttpResponse, request: HttpRequest) -> HttpResponse:
        """Removes it from the browser."""
        return self.cookie.take_back(response, request)

    def _sealed(self, held: Held) -> str:
        return self.cookie.sealed(asdict(held), self.home, at=time.time())

    def _give(self, response: HttpResponse, sealed: str) -> HttpResponse:
        return self.cookie.give(response, sealed, at=time.time())
