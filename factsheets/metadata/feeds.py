"""The Atom feed of changes (RFC 4287) and the sitemap (sitemaps.org, version 0.9)."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice
from urllib.parse import urlsplit
from xml.etree import ElementTree

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from backcare.core.clinic import details
from factsheets.models import Edition, FactSheet, State
from factsheets.rendering import sheet as sheets

MAX_ENTRIES = 50
LOOKED_AT = 4 * MAX_ENTRIES  # few editions have nothing to say to readers
ATOM = "http://www.w3.org/2005/Atom"
SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
# Pages besides the sheets. Not the search, the questions of the symptom check and what a form answers: see robots.txt.
PAGES = [
    "factsheets:treatments",
    "factsheets:get_help_now",
    "factsheets:glossary",
    "factsheets:about",
    "enquiries:privacy",
    "enquiries:what_we_hold",
    "factsheets:accessibility",
    "factsheets:complaints",
    "enquiries:consultation",
    "enquiries:question",
    "enquiries:report",
]
# Characters that XML 1.0 cannot hold, whatever way they are written (its production 2).
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def sitemap() -> bytes:
    """Every page for readers, with the day of its last change or review where we keep one."""
    dates = {sheet.get_absolute_url(): _last_day(sheet) for sheet in FactSheet.objects.published().without_text()}
    newest = max(dates.values(), default=None)
    root = ElementTree.Element("urlset", xmlns=SITEMAP)
    for path, day in {
        reverse("factsheets:home"): newest,
        reverse("factsheets:list"): newest,
        **dates,
        **{reverse(name): None for name in PAGES},
    }.items():
        url = _add(root, "url")
        _add(url, "loc", f"{settings.BASE_URL}{path}")
        if day:
            _add(url, "lastmod", day.isoformat())
    return _written(root)


def _last_day(sheet: FactSheet) -> date:
    changed = timezone.localdate(sheet.updated_at)
    return max(changed, sheet.reviewed_on) if sheet.reviewed_on else changed


def atom() -> bytes:
    """What changed in the sheets that readers can open, newest first: each entry one edition, as the sheet's own page lists it."""
    entries, clinic = list(islice(_entries(), MAX_ENTRIES)), details()
    address = f"{settings.BASE_URL}{reverse('factsheets:feed')}"
    root = ElementTree.Element("feed", {"xmlns": ATOM, "xml:lang": "en-GB"})
    _add(root, "id", address)
    _add(root, "title", f"What changed in our fact sheets – {clinic['name']}")
    _add(root, "updated", _moment(entries[0][0].at if entries else NEVER))
    author = _add(root, "author")
    _add(author, "name", clinic["name"])
    _add(author, "uri", f"{settings.BASE_URL}/")
    _add(root, "link", rel="self", type="application/atom+xml", href=address)
    _add(root, "link", rel="alternate", type="text/html", href=f"{settings.BASE_URL}{reverse('factsheets:list')}")
    _add(root, "rights", clinic["content_licence"])
    for edition, lines in entries:
        entry = _add(root, "entry")
        _add(entry, "id", _tag(edition))
        _add(entry, "title", edition.sheet.title)
        _add(entry, "updated", _moment(edition.at))
        _add(entry, "link", rel="alternate", type="text/html", href=sheets.address(edition.sheet))
        _add(entry, "summary", ". ".join(line.rstrip(".") for line in lines) + ".", type="text")
    return _written(root)


def _entries() -> Iterator[tuple[Edition, list[str]]]:
    """Editions that say something to readers, newest first."""
    found = (
        Edition.objects.for_readers()
        .filter(sheet__state=State.PUBLISHED)
        .select_related("sheet")
        .defer("content", "sheet__document", "sheet__key_points")
        .order_by("-at", "-pk")
    )
    for edition in found[:LOOKED_AT]:
        if lines := sheets.lines(edition):
            yield edition, lines


def _tag(edition: Edition) -> str:
    """A name for the entry for ever (RFC 4151), also when the sheet's address changes."""
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    return f"tag:{host},{edition.at.astimezone(UTC):%Y-%m-%d}:edition-{edition.pk}"


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, name, attributes)
    child.text = NOT_XML.sub("", text) or None
    return child


def _written(root: ElementTree.Element) -> bytes:
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"
