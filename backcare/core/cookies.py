"""A small encrypted value held by a person's own browser. The server stores none of it.

AES-256-GCM under the keys of FIELD_ENCRYPTION_KEYS (backcare/core/encryption.py). The associated data names the cookie, and
what else the value is bound to, so that none opens as another. No script can read it, and no other site can have it sent.
"""

import base64
import binascii
import json
import time
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from backcare.core.encryption import CannotDecrypt, decrypt, encrypt

MAX_COOKIE_BYTES = 4096  # bytes with the name: what every browser keeps (RFC 6265, 6.1)
FAST = 60  # seconds by which the clock of another of our machines may be ahead


class EncryptedCookie:
    """`prefix` is "__Host-" (then `path` is "/") or "__Secure-"; `lifetime` is in seconds from the time it was sealed."""

    def __init__(self, name: str, *, prefix: str, path: str, lifetime: int, until_browser_closes: bool = False):
        self.plain, self.prefix, self.path, self.lifetime = name, prefix, path, lifetime
        self.until_browser_closes = until_browser_closes

    @property
    def name(self) -> str:
        """Browsers accept the prefix only over https, so a local run does without it."""
        return self.plain if settings.LOCAL else self.prefix + self.plain

    def of(self, request: HttpRequest) -> str:
        """The text that the browser sent, not yet checked. Empty if none."""
        return request.COOKIES.get(self.name, "")

    def sealed(self, value: dict[str, Any], *bound_to: str, at: float) -> str:
        plain = json.dumps({"at": int(at), **value}, separators=(",", ":"), ensure_ascii=False)
        box = encrypt(plain, context=self._context(*bound_to), padded=False)
        return base64.urlsafe_b64encode(box).decode().rstrip("=")

    def fits(self, sealed: str) -> bool:
        return len(self.name) + len(sealed) + 1 <= MAX_COOKIE_BYTES

    def opened(self, text: str, *bound_to: str, now: float) -> dict[str, Any] | None:
        """The value, with its `at`. None if it is missing, too old, bound to something else or not made by us."""
        if not 0 < len(text) < MAX_COOKIE_BYTES:
            return None
        try:
            box = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
            value: dict[str, Any] = json.loads(decrypt(box, context=self._context(*bound_to)))
        except (CannotDecrypt, binascii.Error, UnicodeEncodeError):
            return None
        # Max-Age is a request to the browser; a copy of the cookie would not obey it.
        return value if -FAST < now - value["at"] < self.lifetime else None

    def give(self, response: HttpResponse, sealed: str, *, at: float) -> HttpResponse:
        response.set_cookie(
            self.name,
            sealed,
            max_age=None if self.until_browser_closes else int(at) + self.lifetime - int(time.time()),
            path=str(self.path),
            secure=not settings.LOCAL,
            httponly=True,
            samesite="Strict",
        )
        return response

    def take_back(self, response: HttpResponse, request: HttpRequest) -> HttpResponse:
        if self.name in request.COOKIES:  # a browser without one gets none, not even an empty one
            response.delete_cookie(self.name, path=str(self.path), samesite="Strict")
        return response

    def _context(self, *bound_to: str) -> str:
        return ":".join(["cookie", self.name, *bound_to])
