"""Guards on every request: they refuse bad requests unread and posts from other sites, and correct mistyped addresses."""

import logging
import re
from html import unescape
from http import HTTPStatus
from urllib.parse import quote

from csp.utils import build_policy
from django.conf import settings
from django.db import Error
from django.http import HttpResponsePermanentRedirect, UnreadablePostError
from django.urls import Resolver404, resolve
from django.utils.encoding import escape_uri_path
from modern_csrf.middleware import ModernCsrfViewMiddleware

from backcare.config import errors, static
from backcare.core.private_pages import referrer_policy
from backcare.ops import health, request_bodies, soundness
from backcare.ops.logs import SECRET_IN_ADDRESS, about_one_request
from backcare.staff import sign_in, signed_out
from factsheets import page_cache, treatments
from factsheets.models import FactSheet, FormerAddress, State

logger = logging.getLogger(__name__)

# The middleware for some of these never sees answers made before it: a refusal below, a bad host.
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}
MAX_LENGTH_DIGITS = 12  # digits
HEALTH = "/healthz"
READS = {"GET", "HEAD"}  # the methods whose responses may be cached
SAFE_METHODS = {*READS, "OPTIONS", "TRACE"}
SAYS_WHERE_FROM = {"HTTP_ORIGIN", "HTTP_SEC_FETCH_SITE"}
SLASHES = re.compile(r"[/\\]+")
MARKUP = re.compile(r"[<>]")  # of the page or email from which the address was copied
AFTER_A_WORD = re.compile(r"[\W_]+$")  # a full stop, brackets, quotation marks of any language, spaces of no width
BETWEEN_WORDS = re.compile(r"[\s_\u2010-\u2015]+")  # a space or a dash where the address has a hyphen
MAX_CHARACTERS = 200  # none of our pages has a longer address


class RequestGuardMiddleware:
    """Refuses what cannot be an honest request before anything reads it, and sets headers on every response."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        refused = self.refusal(request) or self.health(request)
        if refused:
            response = self.with_headers(request, refused)
        elif request.method in READS:
            response = page_cache.answer(request, self.through)
        else:
            response = self.through(request)
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            # Django sets it on every response except those made before its own middleware: refusals and cached pages.
            response.headers.setdefault("Strict-Transport-Security", transport_security())
        if request.method == "HEAD" and not response.streaming:
            # The length stays that of the page. Otherwise gunicorn would drop the body with a warning in the log.
            response.content = b""
        return response

    def through(self, request):
        """All other middleware, and the view."""
        with about_one_request():
            return self.with_headers(request, self.get_response(request))

    def with_headers(self, request, response):
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (response.streaming or not response.content):
            # For a wrong method, a static file gives an empty stream.
            response = errors.wrong_method(response.get("Allow", ""))
        if is_private(request.path_info):
            response.setdefault("Cache-Control", "no-store")
            response["Referrer-Policy"] = referrer_policy(request)
        elif request.method in READS and getattr(response, "made_from", None) is None:
            # Cached pages are compressed on request.
            response = page_cache.compressed(request, response)
        if response.status_code == HTTPStatus.NOT_MODIFIED and request.path_info.startswith(settings.STATIC_URL):
            # A browser applies these headers to the file it already has, so they must not be a page's.
            response["Content-Security-Policy"] = static.POLICY
        for name, value in HEADERS.items():
            response.setdefault(name, value)
        if "Content-Security-Policy" not in response and not settings.DEBUG:
            response["Content-Security-Policy"] = build_policy()
        return response

    def health(self, request):
        """A probe uses the machine's own name or number, over plain http, so its host is not checked."""
        return health.healthz(request) if request.path_info == HEALTH else None

    def refusal(self, request):
        if request.method in {"TRACE", "TRACK", "CONNECT"}:
            return errors.wrong_method("GET, HEAD, POST")
        trouble = request.META.get(request_bodies.TROUBLE)
        if trouble == request_bodies.NO_LENGTH:
            return errors.length_required(request)
        if trouble == request_bodies.LATE:
            return errors.too_slow(request)
        if trouble == request_bodies.LONG_HEAD:
            return errors.long_address(request)
        if trouble == request_bodies.UNREADABLE:
            return errors.bad_request(request)
        limit = request_bodies.limit(request.path_info)
        picture = limit == settings.FIGURE_UPLOAD_MAX_MEMORY_SIZE
        advice = errors.SMALLER_PICTURE if picture else errors.SHORTEN
        if trouble == request_bodies.TOO_LARGE:
            request_bodies.drain(request.META)
            return errors.too_large(request, advice)
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isascii() or not length.isdigit():
            return errors.bad_request(request)
        # Its digits are counted before it is read, because Python fails on a number of 5,000 digits.
        if len(length) > MAX_LENGTH_DIGITS:
            return errors.too_large(request, advice)
        if int(length) > limit:
            request_bodies.drain(request.META)
            return errors.too_large(request, advice)
        # Our pages are UTF-8, so honest forms are too. Django would try any of Python's codecs, even base64 and idna.
        if request.content_params.get("charset", "utf-8").lower() != "utf-8":
            return errors.bad_request(request)
        if "\x00" in request.path_info:
            return errors.bad_request(request)
        return None


def is_private(path: str) -> bool:
    """Whether the address alone shows that the response, even an error page or a redirect, is for one person or for staff."""
    return path.startswith("/admin/") or bool(SECRET_IN_ADDRESS.search(quote(path)))


def transport_security() -> str:
    rules = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    rules += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
    return "; ".join(rules)


class DatabaseTroubleMiddleware:
    """If the database is locked, full, read-only or away, shows "not saved, please telephone" instead of a crash page."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_exception(self, request, exception):
        if isinstance(exception, UnreadablePostError):
            return errors.too_slow(request)
        if errors.is_database_trouble(exception):
            # The pattern of the address, because the address itself is the sender's own text.
            logger.error("Database trouble at /%s: %s", request.resolver_match.route, type(exception).__name__)
            if request.method == "POST":
                soundness.form_was_refused()
            return errors.unavailable(request)
        return None


class SameOriginMiddleware(ModernCsrfViewMiddleware):
    """The same-origin check of every post, stricter on the staff desk.

    A public form is taken from a browser that does not say where it was sent from, because it does only what anybody may do. A form
    of the desk acts with somebody's rights, so it must say so: every browser of recent years sends Origin or Sec-Fetch-Site with a
    post (OWASP, Cross-Site Request Forgery Prevention, "Fetch Metadata headers").
    """

    def process_view(self, request, callback, callback_args, callback_kwargs):
        silent = request.method not in SAFE_METHODS and not SAYS_WHERE_FROM & set(request.META)
        of_our_tests = getattr(request, "_dont_enforce_csrf_checks", False)  # Django's test client
        if silent and request.path_info.startswith("/admin/") and not of_our_tests:
            logger.warning("Staff desk: refused a post without Origin and Sec-Fetch-Site")
            return origin_refused(request)
        return super().process_view(request, callback, callback_args, callback_kwargs)


def origin_refused(request):
    """The page has what was typed, to be copied. No button sends it, because another website may have typed it."""
    values = signed_out.typed(request) if signed_out.may_be_read(request) else []
    response = sign_in.page(
        request,
        "admin/no_origin.html",
        "Your browser did not say where this form came from",
        status=403,
        values=[each for each in values if each["written"]],
    )
    response["Cache-Control"] = "no-store"
    return response.render()


class MistypedAddressMiddleware:
    """Addresses as people type them or copy them from a sentence or a mail: with capitals, a doubled slash, spaces, an en dash,
    or a full stop, a bracket or "&gt;" at the end.

    Redirects from an address at which there is nothing to the page that was meant, if there is one.

    The new address is always a path on this site that leads to a page. Private links are left alone, because their capitals
    count, and so is the staff desk.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if response.status_code != HTTPStatus.NOT_FOUND or request.method not in READS:
            return response
        path = meant(request.path_info)
        if not path:
            return response
        query = request.META.get("QUERY_STRING", "")
        return page_cache.shared(HttpResponsePermanentRedirect(escape_uri_path(path) + (f"?{query}" if query else "")))


def meant(typed: str) -> str:
    """The path of the public page meant by the mistyped `typed`, or an empty text."""
    # One without a slash, "*", asks about the server itself.
    if not typed.startswith("/") or len(typed) > MAX_CHARACTERS or is_private(typed):
        return ""
    written = [each.strip() for each in SLASHES.split(MARKUP.split(unescape(typed))[0])]
    # A step between folders, which nobody types, and which a cache might read differently from us.
    if not {".", ".."}.isdisjoint(written[:-1]):
        return ""
    words = [AFTER_A_WORD.sub("", each) for each in written]
    path = "".join(f"/{BETWEEN_WORDS.sub('-', each)}" for each in words if each).lower()
    return next((each for each in (f"{path}/", path) if each not in {typed, ""} and _is_a_page(each)), "")


def _is_a_page(path: str) -> bool:
    try:
        match = resolve(path)
    except Resolver404:
        return False
    if is_private(path) or match.namespace not in {"factsheets", "enquiries"}:
        return False
    try:
        return _shows(**match.captured_kwargs) if match.captured_kwargs else True
    except Error:  # the database is away, so "not found" is the honest answer
        return False


def _shows(slug: str = "", page: str = "", first: str = "", second: str = "", **more) -> bool:
    """Whether readers find something there: a choice of treatments, or a sheet. `page` is a section that once had an address of
    its own below its sheet's."""
    if first and not slug:
        return treatments.chosen([first, second]) is not None
    if more or not slug:
        return False
    if FormerAddress.objects.filter(slug=slug).exists():
        return True
    sheet = FactSheet.objects.filter(slug=slug, state__in=[State.PUBLISHED, State.RETIRED]).first()
    if sheet is None or not page:
        return sheet is not None
    return any(page in {each["slug"], *each.get("also", [])} for each in sheet.document.get("sections", []))
