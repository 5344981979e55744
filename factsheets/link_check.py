"""Checks the links of our sources and texts: which have moved, gone or cannot be reached, and which sources have changed since
somebody read them.

Made for a few hundred addresses that editors chose: one request at a time, a pause before the same host is asked again, HEAD before
GET, at most 2 MB and 20 seconds for each. Addresses inside a private network are refused at every hop, because an editor's link
must not reach what only this machine can (OWASP, Server Side Request Forgery). The standard library is enough: the connection is
made to the very address that was checked, which `requests` leaves to its pool (decision 46).
"""

import hashlib
import http.client
import ipaddress
import re
import socket
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit, urlunsplit

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from factsheets.models import LinkOutcome, Section, Source, SourceLink, State
from factsheets.rendering.markdown import links

MAX_BYTES = 2 * 1024 * 1024
MAX_SECONDS = 20  # for the whole of one request
MAX_HOPS = 8
MAX_ADDRESS = 500  # characters, as in the column
SAMPLE = 10  # hosts to look up, to see whether we are on the internet at all
PERMANENT, TEMPORARY = {301, 308}, {302, 303, 307}
GONE = {404, 410}
# Replies to HEAD that a server may not mean, so the address is requested again with GET.
ASK_AGAIN = {400, 403, 404, 405, 406, 410, 500, 501, 503}
SLOW_DOWN = {429, 503}
# An address counts as unreachable after this many days.
DAYS_BEFORE_IT_COUNTS = 3
# For so many days after somebody opened a link, it is not listed again, unless the check comes to another outcome.
DAYS_AFTER_OPENING = 180


class Unreachable(Exception):
    """There was no usable response. The message says why."""


@dataclass(frozen=True)
class TextLink:
    """An address outside our site that texts of sheets link to."""

    address: str

    @property
    def key(self) -> str:
        return "A text"


Linked = Source | TextLink


@dataclass(frozen=True)
class Answer:
    """The result for one address. `moved_to` is its new permanent address; empty if it has none."""

    status: int
    moved_to: str = ""
    etag: str = ""
    last_modified: str = ""
    digest: str = ""


# --- requesting ---


def public_address(host: str, port: int) -> tuple:
    """The first address of the host. Raises Unreachable if any of its addresses is not on the public internet."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable("Its host name is unknown.") from error
    if not settings.LINK_CHECK_PRIVATE_ADDRESSES:
        for *_, place in found:
            address = ipaddress.ip_address(place[0].partition("%")[0])
            address = getattr(address, "ipv4_mapped", None) or address
            if not address.is_global or address.is_multicast:
                raise Unreachable("It leads into a private network, which we do not contact.")
    return found[0]


def _connect(place: tuple[str, int], timeout, source_address=None) -> socket.socket:
    family, kind, protocol, _, address = public_address(*place)
    connection = socket.socket(family, kind, protocol)
    try:
        connection.settimeout(timeout)
        connection.connect(address)
    except OSError:
        connection.close()
        raise
    return connection


def _request(method: str, address: str) -> tuple[int, dict[str, str], bytes]:
    """Makes one request without following redirects. Raises Unreachable."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise Unreachable("It is not a web address.")
    try:
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(parts.hostname, parts.port or 443, timeout=10, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=10)
        connection._create_connection = _connect  # how http.client allows it
        too_long = threading.Event()
        timer = threading.Timer(MAX_SECONDS, _cut, (connection, too_long))
        timer.daemon = True
        timer.start()
        try:
            connection.request(
                method,
                urlunsplit(("", "", parts.path or "/", parts.query, "")),
                headers={
                    "User-Agent": f"backcare link check (+{settings.BASE_URL})",
                    "Accept": "text/html,application/pdf;q=0.9,*/*;q=0.5",
                    "Accept-Language": "en-GB,en",
                    "Connection": "close",
                },
            )
            response = connection.getresponse()
            body = response.read(MAX_BYTES) if method == "GET" and response.status < 300 else b""
            if too_long.is_set():
                raise Unreachable("It took too long.")
            return response.status, {name.lower(): value for name, value in response.getheaders()}, body
        finally:
            timer.cancel()
            connection.close()
    except ssl.SSLError as error:
        raise Unreachable("Its certificate is not valid.") from error
    except TimeoutError as error:
        raise Unreachable("It took too long.") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"There was no answer ({type(error).__name__}).") from error


def _cut(connection: http.client.HTTPConnection, too_long: threading.Event) -> None:
    """Ends a connection whose server sends one byte at a time, each in time but without end."""
    too_long.set()
    with suppress(OSError, AttributeError):
        connection.sock.shutdown(socket.SHUT_RDWR)


class Asker:
    """Requests addresses one by one, and never the same host twice within `pause` seconds."""

    def __init__(self, pause: float, sleep: Callable[[float], None] = time.sleep):
        self.pause, self.sleep = pause, sleep
        self.last: dict[str, float] = {}
        self.refusing: set[str] = set()  # hosts that asked us to slow down, and get no more requests today

    def ask(self, source: Linked, known: SourceLink | None = None) -> Answer:
        """Raises Unreachable."""
        answer = self._follow("HEAD", source.address)
        may_have_changed = answer.status < 300 and changes_count(source) and not _same_file(answer, known)
        if answer.status in ASK_AGAIN or may_have_changed:
            answer = self._follow("GET", source.address)
        return answer

    def _follow(self, method: str, address: str) -> Answer:
        moved_to, so_far_permanent = "", True
        for _ in range(MAX_HOPS):
            status, headers, body = self._politely(method, address)
            if status not in PERMANENT | TEMPORARY or not headers.get("location"):
                return Answer(
                    status=status,
                    moved_to=moved_to,
                    etag=headers.get("etag", "")[:200],
                    last_modified=headers.get("last-modified", "")[:60],
                    digest=digest_of(body, headers.get("content-type", "")) if body else "",
                )
            address = urljoin(address, headers["location"])
            so_far_permanent = so_far_permanent and status in PERMANENT
            if so_far_permanent:
                moved_to = address
        raise Unreachable("It redirects in a circle.")

    def _politely(self, method: str, address: str) -> tuple[int, dict[str, str], bytes]:
        try:
            host = urlsplit(address).netloc
        except ValueError as error:
            raise Unreachable("It is not a web address.") from error
        if host in self.refusing:
            raise Unreachable("Its host asked us to slow down.")
        if (wait := self.last.get(host, 0) + self.pause - time.monotonic()) > 0 and host in self.last:
            self.sleep(wait)
        try:
            answer = _request(method, address)
        finally:
            self.last[host] = time.monotonic()
        if answer[0] == 429 or (answer[0] in SLOW_DOWN and "retry-after" in answer[1]):
            self.refusing.add(host)
        return answer


class _Text(HTMLParser):
    """The visible words of a page, without scripts and styles."""

    SILENT = {"script", "style", "noscript", "template", "svg"}

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag, attrs):
        self.silent += tag in self.SILENT

    def handle_endtag(self, tag):
        self.silent -= tag in self.SILENT and self.silent > 0

    def handle_data(self, data):
        if not self.silent:
            self.words.append(data)


def digest_of(body: bytes, content_type: str) -> str:
    """Names what a page says: of HTML its words alone, because each answer may carry other tokens and addresses."""
    if "html" in content_type:
        reader = _Text()
        reader.feed(body.decode("utf-8", "replace"))
        body = re.sub(r"\s+", " ", " ".join(reader.words)).strip().encode()
    return hashlib.sha256(body).hexdigest()[:32]


def is_a_page(source: Linked) -> bool:
    """Whether a move matters. A DOI or PubMed number names a paper, wherever it is kept."""
    return isinstance(source, TextLink) or bool(source.url and source.address == source.url)


def changes_count(source: Linked) -> bool:
    """Whether a change of the page matters. A paper stays as printed, and no claim rests on a link in a text."""
    return isinstance(source, Source) and is_a_page(source)


def _same_file(answer: Answer, known: SourceLink | None) -> bool:
    """Whether the server itself says that nothing has changed."""
    if known is None:
        return False
    return bool(
        (answer.etag and answer.etag == known.etag)
        or (answer.last_modified and answer.last_modified == known.last_modified)
    )


def is_online(sources: Sequence[Linked]) -> bool:
    """Whether any of their hosts resolves. If none of several does, the fault is ours."""
    hosts = list(dict.fromkeys(urlsplit(source.address).hostname for source in sources))[:SAMPLE]
    for host in hosts:
        with suppress(OSError, UnicodeError):
            socket.getaddrinfo(host, None)
            return True
    return False


# --- judging ---


def due(*, before) -> list[Linked]:
    """Sources and texts with a link not requested since `before`: never requested ones first, and alternating hosts."""
    found: list[tuple[Linked, SourceLink | None]] = [
        (source, getattr(source, "link", None))
        for source in Source.objects.select_related("link").order_by("key")
        if source.address
    ]
    of_texts = {link.address: link for link in SourceLink.objects.filter(source=None)}
    found += [(TextLink(address), of_texts.get(address)) for address in in_texts()]
    found = [
        (each, link) for each, link in found if link is None or link.checked_at < before or link.address != each.address
    ]
    waiting = defaultdict(list)
    for each, _ in sorted(found, key=lambda pair: (pair[1] is not None, pair[1] and pair[1].checked_at)):
        waiting[urlsplit(each.address).netloc].append(each)
    return list(_in_turn(waiting.values()))


def _live_sections():
    """The sections of the site's own sheets. Those of a draft are checked once it is published."""
    live = Section.objects.filter(sheet__draft_of=None).exclude(sheet__state=State.RETIRED)
    return live.select_related("sheet", "figure").defer("sheet__document", "sheet__key_points")


def in_texts() -> list[str]:
    """The outside addresses to which sections link, in their own words or a statement's, each once."""
    found = (_links(section) for section in _live_sections().prefetch_related("statement_uses__statement"))
    return list(dict.fromkeys(address for each in found for address in sorted(each)))


def _links(section: Section) -> set[str]:
    texts = (section.body, *(statement.detail for statement in section.evidence))
    return {address for text in texts if "](" in text or "<" in text for address in links(text) if _is_outside(address)}


def _is_outside(address: str) -> bool:
    with suppress(ValueError):
        return urlsplit(address).scheme in {"http", "https"} and len(address) <= MAX_ADDRESS
    return False


def places_of(address: str) -> list[Section]:
    """The sections that link to it."""
    holding = Q(body__contains=address) | Q(statement_uses__statement__detail__contains=address)
    return [section for section in _live_sections().filter(holding).distinct() if address in _links(section)]


def _in_turn(lists: Iterable[list]) -> Iterator:
    lists = [list(reversed(each)) for each in lists]
    while lists := [each for each in lists if each]:
        for each in lists:
            yield each.pop()


def check(source: Linked, asker: Asker) -> SourceLink:
    """Requests one link and stores the result."""
    address = source.address
    owner = source if isinstance(source, Source) else None
    kept = SourceLink.objects.filter(source=owner) if owner else SourceLink.objects.filter(source=None, address=address)
    known = kept.filter(address=address).first()
    try:
        answer, fault = asker.ask(source, known), ""
        if answer.status >= 400 and answer.status not in GONE:
            fault = f"Its host answered {answer.status}."
    except Unreachable as unreachable:
        answer, fault = Answer(status=0), str(unreachable)
    with transaction.atomic():
        # Not in the usual order, by source: PostgreSQL locks no row across that join.
        link = kept.select_for_update().order_by("pk").first()
        if link is None or link.address != address:
            link = SourceLink(pk=link.pk if link else None, source=owner, address=address)
        before = link.outcome
        _settle(link, source, answer, fault)
        if link.outcome != before:
            link.opened_on = None  # what somebody opened had another fault
        link.save()
    return link


def _settle(link: SourceLink, source: Linked, answer: Answer, fault: str) -> None:
    now = timezone.now()
    earlier = link.checked_at
    link.checked_at, link.status, link.fault, link.moved_to = now, answer.status, fault, ""
    if fault:
        # One bad day means nothing, and neither do ten tries in an hour.
        if not link.failed_days or earlier is None or timezone.localdate(earlier) < timezone.localdate(now):
            link.failed_days += 1
        if link.outcome != LinkOutcome.CHANGED:
            link.outcome = LinkOutcome.UNREACHABLE
        return
    link.failed_days = 0
    if answer.status in GONE:
        link.outcome = LinkOutcome.GONE
        return
    if answer.moved_to and is_a_page(source) and answer.moved_to != source.address:
        link.outcome, link.moved_to = LinkOutcome.MOVED, answer.moved_to[:1000]
        return
    if not changes_count(source):
        link.outcome = LinkOutcome.FINE
        return
    new = answer.digest
    if link.digest and new and link.digest != new and not _same_file(answer, link):
        # The page that somebody read remains the reference until they say that they have read the new one.
        link.outcome, link.new_digest = LinkOutcome.CHANGED, new
        link.new_etag, link.new_last_modified = answer.etag, answer.last_modified
        return
    if link.outcome == LinkOutcome.CHANGED and not new and not _same_file(answer, link):
        return  # a response without words cannot show that the page is unchanged
    link.outcome, link.new_digest, link.new_etag, link.new_last_modified = LinkOutcome.FINE, "", "", ""
    link.digest = new or link.digest
    link.etag, link.last_modified = answer.etag, answer.last_modified


def opens_for_people(link: SourceLink) -> bool:
    """Somebody has opened the page that its host denies to programs, so it is not listed for DAYS_AFTER_OPENING.

    False, and nothing is noted, if the link is no longer as it was read.
    """
    same = SourceLink.objects.filter(pk=link.pk, address=link.address, status=link.status, outcome=link.outcome)
    return bool(same.update(opened_on=timezone.localdate()))


def read_again(link: SourceLink) -> bool:
    """Somebody has read the page as it is now, so later changes are compared with it.

    False, and nothing is noted, if the link is no longer as it was read.
    """
    same = SourceLink.objects.filter(pk=link.pk, outcome=link.outcome, new_digest=link.new_digest)
    now = {"digest": F("new_digest"), "etag": F("new_etag"), "last_modified": F("new_last_modified")}
    return bool(same.update(outcome=LinkOutcome.FINE, **now, new_digest="", new_etag="", new_last_modified=""))
