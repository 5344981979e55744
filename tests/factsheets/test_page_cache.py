"""Cached pages: one small query, and never an outdated word."""

import gzip
import time
import urllib.request
from datetime import timedelta

import brotli
import pytest
from django.test import Client
from django.utils import timezone

from enquiries.models import ClinicHours
from factsheets import actions
from factsheets.models import (
    ContentVersion,
    FactSheet,
    GlossaryTerm,
    SafetyAdvice,
    Section,
    Source,
    StatementUse,
    Topic,
)
from factsheets.page_cache import LRUCache, Page

SHEET = "/fact-sheets/about-back-pain/"
FORMS = [SHEET, f"{SHEET}text/", f"{SHEET}json/"]
PAGES = ["/", "/fact-sheets/", *FORMS, "/glossary/", "/get-help-now/", "/about/"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [*PAGES, f"{SHEET}pdf/"])
def test_a_page_that_was_read_once_asks_the_database_one_thing(client, path, django_assert_num_queries):
    first = client.get(path)
    with django_assert_num_queries(1):
        again = client.get(path)
    assert again.content == first.content
    assert again["ETag"] == first["ETag"]


CHANGES = {
    "a save": lambda: SafetyAdvice.objects.first().save(),
    "an update of many": lambda: Section.objects.filter(kind="text").update(aspect="causes"),
    "a row added": lambda: Topic.objects.create(slug="new", title="New", question="New?"),
    "rows added together": lambda: GlossaryTerm.objects.bulk_create([GlossaryTerm(slug="x", term="x", meaning="x")]),
    "rows changed together": lambda: Section.objects.bulk_update(list(Section.objects.all()[:2]), ["position"]),
    "a row deleted": lambda: StatementUse.objects.first().delete(),
    "rows deleted": lambda: SafetyAdvice.objects.filter(tier="routine").delete(),
    "rows of a parent deleted": lambda: FactSheet.objects.first().sections.all().delete(),
    "rows of a parent changed": lambda: FactSheet.objects.first().sections.update(heading="x"),
    "found or made": lambda: Source.objects.update_or_create(key="NEW", defaults={"title": "New", "kind": "book"}),
    "a step in the history": lambda: actions.keep_edition(sheet=_edited(), by=None, step="installed"),
}


def _edited() -> FactSheet:
    sheet = FactSheet.objects.first()
    Section.objects.filter(pk=sheet.sections.first().pk).update(heading="Another heading")
    return sheet


@pytest.mark.django_db
@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_content_ends_what_was_kept(change):
    before = ContentVersion.now()
    assert before
    CHANGES[change]()
    assert ContentVersion.now() != before


@pytest.mark.django_db
def test_new_words_show_on_the_next_request_everywhere(client):
    for path in PAGES:
        client.get(path)
    advice = SafetyAdvice.objects.filter(tier="emergency").first()
    advice.text = advice.short_text = "a sign that was just put into better words"
    advice.save()
    shown = [path for path in PAGES if advice.text in client.get(path).content.decode()]
    assert {*FORMS, "/get-help-now/"} <= set(shown)


@pytest.mark.django_db
def test_an_overdue_review_shows_on_its_day_although_nothing_was_saved(client, staff, monkeypatch):
    due = timezone.localdate() + timedelta(days=3)
    FactSheet.objects.filter(slug="about-back-pain").update(
        review_due_on=due, reviewed_on=timezone.localdate(), reviewed_by=staff
    )
    assert b"has not happened yet" not in client.get(SHEET).content
    monkeypatch.setattr(timezone, "localdate", lambda *args: due + timedelta(days=1))
    assert b"has not happened yet" in client.get(SHEET).content


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accepts", "encoding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("GZIP;q=0.5", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("br; q=0", ""),
        ("identity", ""),
        ("", ""),
        ("brotli, xgzip", ""),
    ],
)
@pytest.mark.once
def test_a_page_goes_out_in_the_best_form_the_browser_names(client, accepts, encoding):
    plain = client.get(SHEET)
    response = client.get(SHEET, headers={"Accept-Encoding": accepts})
    assert response.get("Content-Encoding", "") == encoding
    opened = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[encoding](response.content)
    assert opened == plain.content
    assert response["ETag"] == plain["ETag"]
    assert response["Vary"] == "Accept-Encoding"
    assert response["Cache-Control"] == plain["Cache-Control"] == "public, max-age=0, s-maxage=1"
    again = client.get(SHEET, headers={"Accept-Encoding": accepts, "If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
@pytest.mark.once
def test_a_pdf_is_a_third_lighter_on_its_way(client):
    """Much of a tagged PDF are the objects of its structure, which stand in it in plain letters."""
    response = client.get(f"{SHEET}pdf/", headers={"Accept-Encoding": "br"})
    plain = client.get(f"{SHEET}pdf/").content
    assert response["Content-Encoding"] == "br"
    assert brotli.decompress(response.content) == plain
    assert len(response.content) < 0.7 * len(plain)
    assert response["Content-Disposition"] == 'inline; filename="about-back-pain.pdf"'


@pytest.mark.django_db
def test_a_preview_is_never_kept_for_the_public(staff_client, sheet):
    FactSheet.objects.filter(pk=sheet.pk).update(state="draft")
    for _ in range(2):
        response = staff_client.get(SHEET)
        assert "no-store" in response["Cache-Control"]
        assert Client().get(SHEET).status_code == 404
    FactSheet.objects.filter(pk=sheet.pk).update(state="published")
    assert b"Only staff can see it" not in Client().get(SHEET).content


@pytest.mark.django_db
@pytest.mark.once
def test_a_kept_page_goes_out_under_our_own_name_and_scheme_alone(client, settings):
    plain = client.get(SHEET)
    assert "Strict-Transport-Security" not in plain
    assert client.get(SHEET, headers={"host": "evil.example"}).status_code == 400
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 60, True
    ours = Client()  # with middleware that has read these settings
    assert ours.get(SHEET).status_code == 301
    for _ in range(2):
        kept = ours.get(SHEET, secure=True)
        assert (kept.status_code, kept.content) == (200, plain.content)
        assert kept["Strict-Transport-Security"].startswith("max-age=60")
    settings.SECURE_HSTS_SECONDS, settings.SECURE_SSL_REDIRECT = 0, False
    assert client.get(SHEET).headers == plain.headers


@pytest.mark.django_db
def test_readers_who_have_the_page_do_not_have_it_made_anew_each_time(client, django_assert_num_queries):
    """After an edit of something else the page is the same, and whoever asks "has it changed?" is the first to ask."""
    etag = client.get(SHEET)["ETag"]
    ContentVersion.changed()
    for headers in (
        {"If-None-Match": etag},
        {"If-None-Match": f'"x", {etag.removeprefix("W/")}'},
        {"If-None-Match": "*"},
    ):
        answer = client.get(SHEET, headers=headers)
        assert (answer.status_code, answer.content, answer["ETag"]) == (304, b"", etag)
        assert answer["Cache-Control"] == "public, max-age=0, s-maxage=1"
        assert "Content-Length" not in answer
    with django_assert_num_queries(1):
        assert client.get(SHEET).status_code == 200
    assert client.get(SHEET, headers={"If-None-Match": 'W/"x"'}).status_code == 200


@pytest.mark.django_db
@pytest.mark.once
def test_the_smallest_form_of_a_page_follows_the_first_reader(client):
    ContentVersion.changed()
    quick, until = client.get(SHEET, headers={"Accept-Encoding": "br"}), time.monotonic() + 20
    small = quick
    while len(small.content) >= len(quick.content) and time.monotonic() < until:
        small = client.get(SHEET, headers={"Accept-Encoding": "br"})
    assert len(small.content) < 0.95 * len(quick.content)
    assert int(small["Content-Length"]) == len(small.content)
    assert brotli.decompress(small.content) == brotli.decompress(quick.content)


@pytest.mark.django_db
@pytest.mark.once
def test_only_reading_is_answered_from_the_shelf(client):
    client.get(SHEET)
    assert client.post(SHEET).status_code in {403, 405}
    head = client.head(SHEET)
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == client.get(SHEET)["ETag"]


def test_the_shelf_gives_up_the_page_that_nobody_asked_for_longest():
    cache = LRUCache(most_bytes=1000)
    for name in ("one", "two", "three"):
        cache.put(name, Page([], b"x" * 300))
    cache.get("one")
    cache.put("four", Page([], b"x" * 300))
    assert cache.get("two") is None
    assert cache.get("one") is not None
    cache.put("one", Page([], b"y" * 200))
    assert cache.bytes == 800
    cache.put("huge", Page([], b"x" * 2000))
    assert cache.bytes <= 1000


def test_every_process_of_the_real_server_shows_an_edit_at_once(site, transactional_db):
    def words() -> str:
        request = urllib.request.Request(f"{site}{SHEET}", headers={"Accept-Encoding": "br"})
        with urllib.request.urlopen(request, timeout=10) as response:
            return brotli.decompress(response.read()).decode()

    for _ in range(8):
        words()
    sheet = FactSheet.objects.get(slug="about-back-pain")
    sheet.title = "A title that was just changed"
    sheet.save()
    actions.refresh(sheet=sheet)
    assert all("A title that was just changed" in words() for _ in range(8))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    [
        "/consultation/",
        "/question/",
        "/report/",
        "/report/?sheet=about-back-pain",
        "/check/",
        "/check/1/",
        "/search/?q=sciatica",
    ],
)
@pytest.mark.once
def test_what_holds_no_secret_goes_out_small_and_still_is_kept_by_no_cache(client, path):
    plain = client.get(path)
    client.cookies.clear()
    for _ in range(2):
        small = client.get(path, headers={"Accept-Encoding": "gzip, br"})
        assert small["Content-Encoding"] == "br"
        assert int(small["Content-Length"]) == len(small.content) < 0.4 * len(plain.content)
        assert brotli.decompress(small.content) == plain.content
        assert "no-store" in small["Cache-Control"]
        assert not small.cookies
    client.cookies["check"] = "x"
    assert "Content-Encoding" not in client.get(path, headers={"Accept-Encoding": "br"})


@pytest.mark.django_db
def test_an_empty_form_is_made_once_until_its_promise_or_the_content_changes(client, django_assert_max_num_queries):
    first = client.get("/consultation/").content
    with django_assert_max_num_queries(4):  # the version, and the clinic's hours
        assert client.get("/consultation/").content == first
    ClinicHours.objects.update(within_hours=40)
    assert client.get("/consultation/").content != first
    assert client.get("/report/?sheet=about-back-pain").content != client.get("/report/").content
    assert client.get("/report/?sheet=no-such-sheet").content == client.get("/report/").content
