"""Public pages kept ready to send, compressed. A page is a pure function of the content, in which the clinic's
settings and hours count, and the day.

Every request asks the database for one thing: the content's token (`ContentVersion`). While it is the same, the page is. So an
edit shows on the very next request in every process, and a page that is read a thousand times is rendered once.

When the database cannot be asked, a page is given out as it was last: nobody can have edited it since, and advice must not be
gone with the database.
"""

import gzip
import hashlib
import logging
from collections import OrderedDict
from collections.abc import Callable
from functools import partial, wraps
from threading import Lock

import brotli
from django.conf import settings
from django.db import Error
from django.http import HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers

from factsheets.models import ContentVersion

MAX_BYTES = 64 * 1024 * 1024  # in each process
COMPRESSIBLE = ("text/", "application/json", "application/xml", "application/atom+xml")
SENT_ALONG = ("Content-Type", "Cache-Control", "Content-Disposition", "X-Robots-Tag", "Link")

logger = logging.getLogger(__name__)

COMPRESSORS = {
    "br": partial(brotli.compress, mode=brotli.MODE_TEXT, quality=11),
    "gzip": partial(gzip.compress, compresslevel=9, mtime=0),
}


class Page:
    """An answer, with the compressed forms that somebody asked for so far."""

    def __init__(self, headers: dict[str, str], body: bytes):
        self.headers = headers
        self.compressible = headers["Content-Type"].startswith(COMPRESSIBLE)
        self.bodies = {"": body}
        self.lock = Lock()

    def body(self, encoding: str) -> bytes:
        with self.lock:  # a hundred readers who come at once wait for one compression
            if encoding not in self.bodies:
                self.bodies[encoding] = COMPRESSORS[encoding](self.bodies[""])
            return self.bodies[encoding]

    @property
    def size(self) -> int:
        # Compressed text is a fifth of it; counted from the start, because it comes later.
        return len(self.bodies[""]) * (2 if self.compressible else 1)


class LRUCache:
    """The pages of one process, the least asked for given up first."""

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self.pages: OrderedDict[tuple, Page] = OrderedDict()
        self.bytes = 0
        self.lock = Lock()

    def get(self, key: tuple) -> Page | None:
        with self.lock:
            page = self.pages.get(key)
            if page is not None:
                self.pages.move_to_end(key)
            return page

    def last(self, path: str) -> Page | None:
        """The newest page of this address, of whatever content and day."""
        with self.lock:
            return next((page for key, page in reversed(self.pages.items()) if key[0] == path), None)

    def put(self, key: tuple, page: Page) -> None:
        with self.lock:
            if old := self.pages.pop(key, None):
                self.bytes -= old.size
            self.pages[key] = page
            self.bytes += page.size
            while self.bytes > self.most_bytes:
                _, given_up = self.pages.popitem(last=False)
                self.bytes -= given_up.size


cache = LRUCache(MAX_BYTES)


def shared(response: HttpResponse) -> HttpResponse:
    """Any cache may keep it, and asks each time whether it is still the same: an edit shows at once, everywhere."""
    patch_cache_control(response, public=True, no_cache=True)
    return response


def cached_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Keeps the public answers of a view that looks at nothing of the request but its path."""

    @wraps(view)
    def ready(request, *args, **options):
        if settings.DEBUG or request.method not in {"GET", "HEAD"}:
            return view(request, *args, **options)
        try:
            token = ContentVersion.now()
        except Error as error:
            page = cache.last(request.path)
            if page is None:
                raise
            logger.error("Served as it was last, the database cannot be asked: %s", type(error).__name__)
            return _answer(request, page)
        if not token:
            return view(request, *args, **options)
        key = (request.path, token, timezone.localdate(), settings.BASE_URL)
        page = cache.get(key)
        if page is None:
            response = view(request, *args, **options)
            if response.status_code != 200 or "public" not in response.get("Cache-Control", ""):
                return response
            page = _page(response)
            cache.put(key, page)
        return _answer(request, page)

    return ready


def made(name: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, kept under a name that is no path. For a PDF that goes out with mails as well as from its address.

    `make` reads everything itself: what was read before the token could be older than the token says.
    """
    token = ContentVersion.now()
    if settings.DEBUG or not token:
        return make()
    key = (name, token, timezone.localdate(), settings.BASE_URL)
    page = cache.get(key)
    if page is None:
        page = Page({"Content-Type": "application/pdf"}, make())
        cache.put(key, page)
    return page.body("")


def _page(response: HttpResponse) -> Page:
    body = response.content
    headers = {name: response[name] for name in SENT_ALONG if name in response}
    # Weak, because the same page goes out in several encodings.
    headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()[:32]}"'
    return Page(headers, body)


def _answer(request, page: Page) -> HttpResponse:
    encoding = next((each for each in COMPRESSORS if page.compressible and _accepts(request, each)), "")
    response = HttpResponse(page.body(encoding))
    for name, value in page.headers.items():
        response[name] = value
    if encoding:
        response["Content-Encoding"] = encoding
    if page.compressible:
        patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _accepts(request, encoding: str) -> bool:
    """Whether the browser named the encoding and did not refuse it with q=0 (RFC 9110, 12.5.3)."""
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        if name.strip() == encoding:
            return weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}
    return False
