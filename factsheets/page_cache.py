"""Public answers kept ready to send: whole, with their headers, compressed. Each is a pure function of its path, of the content,
in which the clinic's settings and hours count, and of the day.

The WSGI application asks here before Django does anything (backcare/config/wsgi.py), 304 included, and RequestGuardMiddleware
before any other middleware runs; that is where answers come in. Every request asks the database for one thing:
the content's token (`ContentVersion`). While it is the same, the page is. So an edit shows on the very next request in every
process, and a page that is read a thousand times is rendered once.

When the database cannot be asked, a page is given out as it was last: nobody can have edited it since, and advice must not be
gone with the database.
"""

import gzip
import hashlib
import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import date
from functools import lru_cache, partial, wraps
from typing import Any, NamedTuple

import brotli
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control, patch_vary_headers
from django.utils.http import parse_etags

from factsheets.models import ContentVersion

MAX_BYTES = 64 * 1024 * 1024  # in each process
COMPRESSIBLE = ("text/", "application/json", "application/xml", "application/atom+xml", "application/pdf")
PER_REQUEST = {"content-length", "content-encoding", "strict-transport-security"}
OF_THE_BODY = {"content-type", "content-disposition", "link", "x-robots-tag"}  # not repeated by a 304

logger = logging.getLogger(__name__)

# The first reader gets what is made in a few milliseconds; the smallest form follows in the background.
QUICK = {
    "br": partial(brotli.compress, quality=5),
    "gzip": partial(gzip.compress, compresslevel=6, mtime=0),
}
COMPRESSORS = {
    "br": partial(brotli.compress, mode=brotli.MODE_TEXT, quality=11),
    "gzip": partial(gzip.compress, compresslevel=9, mtime=0),
}

Header = tuple[str, str]


class Ready(NamedTuple):
    """An answer as it goes out. What depends on the connection is not in it: Strict-Transport-Security."""

    status: int
    headers: list[Header]
    body: bytes


class Page:
    """An answer, with the compressed forms that somebody asked for so far.

    `version` is what it was made from. `read` is told the day each time when it is given to a reader.
    """

    def __init__(
        self, headers: list[Header], body: bytes, version: tuple = (), *, read: Callable[[date], None] | None = None
    ):
        self.version, self.read, self.headers, self.body = version, read, headers, body
        named = {name.lower(): value for name, value in headers}
        self.etag, content_type = named.get("etag", ""), named.get("content-type", "")
        self.compressible = content_type.startswith(COMPRESSIBLE)
        self.is_text = content_type != "application/pdf"
        self.size = len(body) * (2 if self.compressible else 1)  # compressed text is a fifth of it, and comes later
        self.forms = {"": self._form(body, "")}
        self.unchanged = Ready(304, [each for each in headers if each[0].lower() not in OF_THE_BODY], b"")
        self.lock = threading.Lock()

    def form(self, accepted: str) -> Ready:
        """For a browser that sends this Accept-Encoding."""
        encoding = _encoding(accepted) if self.compressible else ""
        found = self.forms.get(encoding)
        if found is None:
            with self.lock:  # a hundred readers who come at once wait for one compression
                found = self.forms.get(encoding)
                if found is None:
                    found = self.forms[encoding] = self._form(QUICK[encoding](self.body), encoding)
                    if self.is_text:  # a PDF would lose a twentieth more, for half a second of a processor
                        later.put(partial(self.compress, encoding))
        return found

    def compress(self, encoding: str) -> None:
        self.forms[encoding] = self._form(COMPRESSORS[encoding](self.body), encoding)

    def _form(self, body: bytes, encoding: str) -> Ready:
        headers = [*self.headers, ("Content-Length", str(len(body)))]
        if encoding:
            headers.append(("Content-Encoding", encoding))
        return Ready(200, headers, body)


class Later:
    """Work that nobody waits for, done by one thread of this process, which starts with the first task after a fork."""

    def __init__(self) -> None:
        self.tasks: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.thread: threading.Thread | None = None
        self.lock = threading.Lock()

    def put(self, task: Callable[[], None]) -> None:
        self.tasks.put(task)
        with self.lock:
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._work, name="smaller pages", daemon=True)
                self.thread.start()

    def _work(self) -> None:
        while True:
            self.tasks.get()()


class LRUCache:
    """The pages of one process. The least recently used go first."""

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self.pages: OrderedDict[Hashable, Page] = OrderedDict()
        self.bytes = 0
        self.lock = threading.Lock()

    def get(self, key: Hashable) -> Page | None:
        """The newest page of this name, of whatever version."""
        with self.lock:
            page = self.pages.get(key)
            if page is not None:
                self.pages.move_to_end(key)
            return page

    def put(self, key: Hashable, page: Page) -> None:
        with self.lock:
            if old := self.pages.pop(key, None):
                self.bytes -= old.size
            self.pages[key] = page
            self.bytes += page.size
            while self.bytes > self.most_bytes:
                _, given_up = self.pages.popitem(last=False)
                self.bytes -= given_up.size


cache = LRUCache(MAX_BYTES)
later = Later()


def shared(response: HttpResponse) -> HttpResponse:
    """Any cache in front may serve it to everybody for a second; a browser asks each time whether its copy is current.

    Not `stale-while-revalidate`: an edit shows within a second, everywhere.
    """
    patch_cache_control(response, public=True, max_age=0, s_maxage=1)
    return response


def cached_page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Marks the public answers of a view that looks at nothing of the request but its path: `answer` keeps them."""

    @wraps(view)
    def marked(request, *args, **options):
        if settings.DEBUG or request.method not in {"GET", "HEAD"}:
            return view(request, *args, **options)
        # First: what was read before it could be older than it says.
        version = _version()
        response = view(request, *args, **options)
        if version and response.status_code == 200 and "public" in response.get("Cache-Control", ""):
            # Weak, because the same page goes out in several encodings.
            response["ETag"] = f'W/"{hashlib.sha256(response.content).hexdigest()[:32]}"'
            if response["Content-Type"].startswith(COMPRESSIBLE):
                patch_vary_headers(response, ["Accept-Encoding"])
            response.made_from = version
            # ConditionalGetMiddleware would answer 304, and there would be no page to keep. `answer` does it instead.
            request.META.pop("HTTP_IF_NONE_MATCH", None)
        return response

    return marked


def answer(request: HttpRequest, make: Callable[[HttpRequest], HttpResponse]) -> HttpResponse:
    """What is kept for the path of a GET or HEAD, or else what `make` gives, kept if its view is a `cached_page`.

    `make` is all of the application with its middleware.
    """
    if settings.DEBUG or not is_ours(request):
        return make(request)
    environ = dict(request.META)  # before `cached_page` takes something away
    try:
        found = ready(environ)
    except Error as error:
        found = as_it_was(environ)
        if found is None:
            return make(request)  # which says that it is in trouble
        logger.error("Served as it was last, the database cannot be asked: %s", type(error).__name__)
    if found is None:
        response = make(request)
        page = _page(response)
        if page is None:
            return response
        cache.put(_name(environ), page)
        found = _of(page, environ)
    response = HttpResponse(found.body, status=found.status, headers=dict(found.headers))
    if found.status == 304:
        del response["Content-Type"]  # which Django gives to every answer
    return response


def ready(environ: dict[str, Any]) -> Ready | None:
    """What is kept for this request by GET or HEAD, if it is as new as the content. Raises Error. One query, or none.

    Whoever calls it has seen that the host and the scheme are ours (`is_ours`).
    """
    page = cache.get(_name(environ))
    return _of(page, environ) if page and page.version == _version() else None


def as_it_was(environ: dict[str, Any]) -> Ready | None:
    """What was kept last, of whatever version."""
    page = cache.get(_name(environ))
    return _of(page, environ) if page else None


def made(name: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, kept under a name that is no path. For a PDF that goes out with mails as well as from its address.

    `make` reads everything itself: what was read before the token could be older than the token says.
    """
    version = _version()
    if settings.DEBUG or not version:
        return make()
    page = cache.get(name)
    if page is None or page.version != version:
        page = Page([], make(), version)
        cache.put(name, page)
    return page.body


def cached_response(request: HttpRequest, name: Hashable, make: Callable[[], HttpResponse]) -> HttpResponse:
    """The page of that name for this request, compressed, for a view that knows by what else than its path it differs.

    Its headers are the view's to give, each time. `name` must hold nothing that a stranger could make up.
    """
    version = _version()
    if settings.DEBUG or not version:
        return make()
    page = cache.get(name)
    if page is None or page.version != version:
        response = make()
        if response.status_code != 200 or response.cookies:
            return response
        page = Page([("Content-Type", response["Content-Type"])], response.content, version)
        cache.put(name, page)
    found = page.form(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    return HttpResponse(found.body, headers={**dict(found.headers), "Vary": "Accept-Encoding"})


def compressed(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """The answer to a GET or HEAD made small, where it is a whole page that holds no secret: only for somebody who sent no cookie,
    by an address without one.

    With a secret in it, its length could give that away letter by letter to who can have it opened with words of theirs (BREACH).
    """
    whole = response.status_code == 200 and not response.streaming
    if not whole or request.COOKIES or response.cookies or response.has_header("Content-Encoding"):
        return response
    encoding = _encoding(request.META.get("HTTP_ACCEPT_ENCODING", ""))
    if encoding and response.get("Content-Type", "").startswith("text/html"):
        response.content = QUICK[encoding](response.content)
        response["Content-Encoding"] = encoding
        response["Content-Length"] = str(len(response.content))
        if response.get("ETag", "").startswith('"'):
            response["ETag"] = f"W/{response['ETag']}"
        patch_vary_headers(response, ["Accept-Encoding"])
    return response


def is_ours(request: HttpRequest) -> bool:
    """Whether the host and the scheme are those under which we give out pages. Otherwise the middleware says what is wrong."""
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return False
    try:
        return bool(request.get_host())
    except DisallowedHost:
        return False


def _name(environ: dict[str, Any]) -> Hashable:
    return environ.get("SCRIPT_NAME", ""), environ.get("PATH_INFO", "")


def _version() -> tuple:
    """Empty before any content was loaded."""
    token = ContentVersion.now()
    return (token, _day(time.time() // 60, timezone.localdate), settings.BASE_URL) if token else ()


@lru_cache(maxsize=2)
def _day(minute: float, today: Callable[[], date]) -> date:
    return today()


def _of(page: Page, environ: dict[str, Any]) -> Ready:
    if page.read and environ["REQUEST_METHOD"] == "GET":
        page.read(page.version[1])
    held = environ.get("HTTP_IF_NONE_MATCH")
    if held and (held == page.etag or _names(held, page.etag)):
        return page.unchanged
    return page.form(environ.get("HTTP_ACCEPT_ENCODING", ""))


def _page(response: HttpResponse) -> Page | None:
    """What may be kept of a response that has been through all middleware."""
    version = getattr(response, "made_from", None)
    if not version or response.status_code != 200 or response.cookies:
        return None
    if response.get("Vary", "Accept-Encoding") != "Accept-Encoding":
        return None
    headers = [(name, value) for name, value in response.items() if name.lower() not in PER_REQUEST]
    return Page(headers, response.content, version, read=getattr(response, "read", None))


def _names(held: str, etag: str) -> bool:
    """Whether If-None-Match names it, by the weak comparison (RFC 9110, 13.1.2)."""
    each = parse_etags(held)
    return each == ["*"] or etag.removeprefix("W/") in {tag.removeprefix("W/") for tag in each}


@lru_cache(maxsize=256)
def _encoding(accepted: str) -> str:
    """The best one that the browser names and does not refuse with q=0 (RFC 9110, 12.5.3)."""
    named = set()
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        if weight.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            named.add(name.strip())
    return next((each for each in COMPRESSORS if each in named), "")
