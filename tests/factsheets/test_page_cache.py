"""Pages kept ready: one small question to the database, and never a word that is out of date."""

import gzip
import urllib.request
from datetime import timedelta

import brotli
import pytest
from django.test import Client
from django.utils import timezone

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
def test_a_page_goes_out_in_the_best_form_the_browser_names(client, accepts, encoding):
    plain = client.get(SHEET)
    response = client.get(SHEET, headers={"Accept-Encoding": accepts})
    assert response.get("Content-Encoding", "") == encoding
    opened = {"br": brotli.decompress, "gzip": gzip.decompress, "": bytes}[encoding](response.content)
    assert opened == plain.content
    assert response["ETag"] == plain["ETag"]
    assert response["Vary"] == "Accept-Encoding"
    assert response["Cache-Control"] == plain["Cache-Control"] == "public, no-cache"
    again = client.get(SHEET, headers={"Accept-Encoding": accepts, "If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.django_db
def test_a_pdf_is_not_compressed_twice(client):
    response = client.get(f"{SHEET}pdf/", headers={"Accept-Encoding": "br"})
    assert "Content-Encoding" not in response
    assert "Vary" not in response
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
def test_only_reading_is_answered_from_the_shelf(client):
    client.get(SHEET)
    assert client.post(SHEET).status_code in {403, 405}
    head = client.head(SHEET)
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"] == client.get(SHEET)["ETag"]


def test_the_shelf_gives_up_the_page_that_nobody_asked_for_longest():
    cache = LRUCache(most_bytes=1000)
    for name in ("one", "two", "three"):
        cache.put((name,), Page({"Content-Type": "application/pdf"}, b"x" * 300))
    cache.get(("one",))
    cache.put(("four",), Page({"Content-Type": "application/pdf"}, b"x" * 300))
    assert cache.get(("two",)) is None
    assert cache.get(("one",)) is not None
    cache.put(("one",), Page({"Content-Type": "application/pdf"}, b"y" * 200))
    assert cache.bytes == 800
    cache.put(("huge",), Page({"Content-Type": "application/pdf"}, b"x" * 2000))
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
