"""What robots and browsers ask for: the sitemap, the feed of changes, robots.txt, security.txt, icons and the social card."""

import io
import xml.etree.ElementTree as ElementTree
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import brotli
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from PIL import Image

from backcare.core import clinic
from factsheets import actions
from factsheets.models import ContentVersion, Edition, FactSheet, Step
from tests.config.test_site import PAGES
from tests.support import linked_data
from tests.support.clinic_settings import set_clinic
from tests.support.html import parse
from tests.support.linked_data import edit, path_of, sign_off
from tests.support.reading import SHEET_PAGES, SLUGS, links, page

pytestmark = pytest.mark.usefixtures("db")
ATOM = "{http://www.w3.org/2005/Atom}"
SITEMAP = "{http://www.sitemaps.org/schemas/sitemap/0.9}"
ABOUT = "/fact-sheets/about-back-pain/"
FILES = ["/sitemap.xml", "/feed.xml", "/robots.txt", "/.well-known/security.txt"]


# --- the sitemap ---------------------------------------------------------------------------------------------------


def sitemap(client, settings) -> dict[str, str]:
    """Path to the day of its last change ("" where we keep none)."""
    response = client.get("/sitemap.xml")
    assert response["Content-Type"] == "application/xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 - our own answer
    assert root.tag == f"{SITEMAP}urlset"
    found = {}
    for url in root:
        assert url.tag == f"{SITEMAP}url"
        found[path_of(settings, url.findtext(f"{SITEMAP}loc"))] = url.findtext(f"{SITEMAP}lastmod", "")
    assert len(found) == len(root), "An address is there twice."
    return found


def test_the_sitemap_lists_every_page_for_readers_and_no_other(client, settings):
    listed = sitemap(client, settings)
    for path in listed:
        tree = page(client, path)
        assert linked_data.metas(tree).get("robots") != "noindex"
        assert linked_data.head_links(tree, "canonical")[0]["href"] == f"{settings.BASE_URL}{path}"
    left_out = {path for path in PAGES if path not in listed}
    steps = ("/check/", "/search/", "/report/s", "/request/")
    assert all(path.startswith(steps) or path.endswith("/sent/") for path in left_out), left_out
    assert set(SHEET_PAGES) <= set(listed)
    assert len(listed) >= len(SLUGS) + 9


def test_the_sitemap_dates_a_sheet_by_its_last_change_or_review(client, settings, sheet):
    FactSheet.objects.update(updated_at=datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    assert sitemap(client, settings)[ABOUT] == sitemap(client, settings)["/"] == "2026-03-01"
    sign_off(sheet)
    dates = sitemap(client, settings)
    today = timezone.localdate().isoformat()
    assert (dates[ABOUT], dates["/fact-sheets/"]) == (today, today)
    assert dates["/fact-sheets/stress-and-back-pain/"] == "2026-03-01"


@pytest.mark.parametrize("state", ["draft", "in_review", "retired"])
def test_what_is_not_published_is_in_no_list_for_programs(client, settings, state):
    FactSheet.objects.filter(slug="about-back-pain").update(state=state)
    assert ABOUT not in sitemap(client, settings)
    for path in FILES:
        assert "about-back-pain" not in client.get(path).content.decode()


def test_an_empty_site_has_a_sitemap_too(client, settings):
    FactSheet.objects.update(state="draft")
    assert sitemap(client, settings)["/"] == ""


# --- the feed ------------------------------------------------------------------------------------------------------


def feed(client) -> tuple[ElementTree.Element, list[dict]]:
    """The feed, checked against what RFC 4287 asks of every feed, and its entries as plain data."""
    response = client.get("/feed.xml")
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 - our own answer
    assert root.tag == f"{ATOM}feed"
    entries = []
    for part in [root, *root.findall(f"{ATOM}entry")]:
        for name in ("id", "title", "updated"):
            assert len(part.findall(f"{ATOM}{name}")) == 1, name
        assert datetime.fromisoformat(part.findtext(f"{ATOM}updated")).tzinfo
        [alternate] = [link for link in part.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        if part is not root:
            entries.append(
                {
                    **{name: part.findtext(f"{ATOM}{name}") for name in ("id", "title", "updated", "summary")},
                    "link": alternate.get("href"),
                }
            )
    assert len({entry["id"] for entry in entries}) == len(entries)
    return root, entries


def test_the_feed_says_who_it_is_from_and_where_it_is(client, settings):
    root, entries = feed(client)
    assert root.findtext(f"{ATOM}author/{ATOM}name") == clinic.details()["name"]
    [me] = [link for link in root.findall(f"{ATOM}link") if link.get("rel") == "self"]
    assert path_of(settings, me.get("href")) == "/feed.xml"
    assert root.findtext(f"{ATOM}rights") == clinic.details()["content_licence"]
    assert {path_of(settings, entry["link"]) for entry in entries} == {f"/fact-sheets/{slug}/" for slug in SLUGS}
    assert {entry["summary"] for entry in entries} == {"First published here."}


def test_a_change_and_a_sign_off_are_in_the_feed_at_once_without_the_editors_name(client, sheet):
    feed(client)
    made = edit(sheet, note="We made the first part shorter", title="What back pain is")
    sign_off(sheet)
    root, (signed, changed, *_) = feed(client)
    assert signed["summary"] == "A clinician read the page and signed it off."
    assert changed["summary"] == "We made the first part shorter."
    assert changed["title"] == "What back pain is"
    assert datetime.fromisoformat(changed["updated"]) == made.at.replace(microsecond=0)
    assert root.findtext(f"{ATOM}updated") == signed["updated"]
    said = client.get("/feed.xml").content.decode()
    assert not [word for word in ("ed.private", "ed@example.com", "Edna", "dr@example.com") if word in said]


def test_an_entry_keeps_its_name_when_the_sheet_moves(client, settings, sheet):
    before = {entry["id"] for entry in feed(client)[1]}
    actions.change_address(sheet=sheet, was=sheet.slug)
    sheet.slug = "another-address"
    sheet.save()
    entries = feed(client)[1]
    assert {entry["id"] for entry in entries} == before
    assert all(each.startswith(f"tag:{urlsplit(settings.BASE_URL).hostname},2") for each in before)
    assert f"{settings.BASE_URL}/fact-sheets/another-address/" in {entry["link"] for entry in entries}


def test_the_feed_leaves_out_what_readers_did_not_see_and_stops_at_fifty(client, sheet):
    edit(sheet, summary="Seen by readers.", note="Public")
    ed = User.objects.get(username="ed.private")
    actions.transition(sheet=sheet, step=Step.RETIRED, by=ed, note="To be reworked")
    actions.transition(sheet=sheet, step=Step.REOPENED, by=ed, note="To be reworked")
    edit(sheet, summary="Not yet.", note="Secret draft")
    FactSheet.objects.filter(pk=sheet.pk).update(state="published")
    said = client.get("/feed.xml").content.decode()
    assert "Public." in said
    assert "Secret" not in said
    assert "reworked" not in said
    last, now = sheet.editions.first(), timezone.now()
    many = [
        Edition(
            sheet=sheet, number=last.number + n, step="edited", state="published", public=True, content={}, actor="Edna"
        )
        for n in range(1, 61)
    ]
    for number, each in enumerate(many):
        each.note, each.at = f"Change {number}", now + timedelta(seconds=number)
    Edition.objects.bulk_create(many)
    ContentVersion.changed()
    _, entries = feed(client)
    assert [entry["summary"] for entry in entries] == [f"Change {number}." for number in range(59, 9, -1)]


@pytest.mark.once
def test_an_empty_feed_is_a_feed(client):
    Edition.objects.all().delete()
    ContentVersion.changed()
    root, entries = feed(client)
    assert not entries
    assert root.findtext(f"{ATOM}updated") == "1970-01-01T00:00:00Z"


def test_characters_that_xml_cannot_hold_are_left_out(client, sheet):
    edit(sheet, title="Back\x0b pain\x1f <&> ]]> \ufffe🙂", note="We said\x07 less")
    changed = feed(client)[1][0]
    assert (changed["title"], changed["summary"]) == ("Back pain <&> ]]> 🙂", "We said less.")


# --- robots.txt, security.txt and the rest -------------------------------------------------------------------------


@pytest.mark.once
def test_robots_read_the_pages_and_stay_out_of_what_is_nobodys_business(client, settings):
    rules = RobotFileParser()
    rules.parse(client.get("/robots.txt").content.decode().splitlines())
    for path in sitemap(client, settings):
        assert rules.can_fetch("*", path), path
    for path in ("/admin/", "/search/?q=sciatica", "/check/2/"):
        assert not rules.can_fetch("*", path)
    assert rules.site_maps() == [f"{settings.BASE_URL}/sitemap.xml"]


def security(client) -> dict[str, str]:
    response = client.get("/.well-known/security.txt")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    lines = [line.split(": ", 1) for line in response.content.decode().splitlines()]
    assert len({name for name, _ in lines}) == len(lines)
    return dict(lines)


@pytest.mark.once
def test_security_txt_says_whom_to_tell(client, settings):
    set_clinic(email="o'hara+clinic@example.com")
    said = security(client)
    assert said["Contact"] == "mailto:o%27hara+clinic@example.com"
    assert said["Canonical"] == f"{settings.BASE_URL}/.well-known/security.txt"
    assert said["Preferred-Languages"] == "en"
    set_clinic(email="")
    assert security(client)["Contact"] == f"{settings.BASE_URL}/question/"


@pytest.mark.parametrize(
    "day", [date(2026, 1, 1), date(2026, 6, 30), date(2026, 7, 31), date(2028, 2, 29), date(2026, 12, 31)]
)
@pytest.mark.once
def test_security_txt_never_expires_soon_and_never_a_year_ahead(client, monkeypatch, day):
    monkeypatch.setattr(timezone, "localdate", lambda *args: day)
    ahead = datetime.fromisoformat(security(client)["Expires"]) - datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert timedelta(days=150) < ahead < timedelta(days=365)


@pytest.mark.once
def test_security_txt_that_was_kept_is_made_anew_when_the_month_ends(client, monkeypatch):
    said = set()
    for day in (date(2026, 4, 30), date(2026, 5, 1)):
        monkeypatch.setattr(timezone, "localdate", lambda *args, day=day: day)
        said.add(security(client)["Expires"])
    assert said == {"2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z"}


@pytest.mark.parametrize("path", FILES)
def test_a_file_for_programs_is_kept_like_a_page(client, path, django_assert_num_queries):
    first = client.get(path)
    assert first["Cache-Control"] == "public, max-age=0, s-maxage=1"
    assert not first.cookies
    with django_assert_num_queries(1):
        again = client.get(path, headers={"Accept-Encoding": "br", "If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = client.get(path, headers={"Accept-Encoding": "br"})
    assert small["Content-Encoding"] == "br"
    assert brotli.decompress(small.content) == first.content
    assert client.post(path).status_code in {403, 405}


@pytest.mark.once
def test_links_of_the_frame_lead_to_the_new_pages(client):
    [footer] = page(client, "/").iter("footer")
    assert {"/accessibility/", "/complaints/", "/privacy/", "/about/"} <= set(links(footer))
    for path in ("/accessibility/", "/complaints/"):
        assert Client().get(path)["Cache-Control"] == "public, max-age=0, s-maxage=1"


@pytest.mark.once
def test_other_sites_browsers_and_phones_find_our_images_by_their_names(client):
    tree = parse(client.get("/"))
    [touch] = [link.get("href") for link in tree.iter("link") if link.get("rel") == "apple-touch-icon"]
    expected = {
        "/favicon.ico": ("image/x-icon", "ICO", (48, 48)),
        touch: ("image/png", "PNG", (180, 180)),
        "/card.png": ("image/png", "PNG", (1200, 630)),
    }
    for path, (content_type, kind, size) in expected.items():
        answer = client.get(path)
        with Image.open(io.BytesIO(answer.content)) as image:
            assert (answer["Content-Type"], image.format, image.size) == (content_type, kind, size)
        assert answer["Cache-Control"] == "public, max-age=0, s-maxage=1"
        assert client.get(path, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    [icon] = [link.get("href") for link in tree.iter("link") if link.get("rel") == "icon"]
    with closing(client.get(icon)) as answer:
        assert answer.status_code == 200
