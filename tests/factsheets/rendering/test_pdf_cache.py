"""A sheet's PDF is made once for all its mails, and never goes out when a word, a day or the advice in it is no longer so."""

import io
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pypdf import PdfReader

from factsheets import page_cache, pdf
from factsheets.models import ContentVersion, FactSheet, SafetyAdvice
from factsheets.page_cache import MAX_BYTES, LRUCache
from factsheets.rendering import printed
from tests.conftest import report
from tests.support.clinic_settings import set_clinic
from tests.support.outbox import deliver

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once, pytest.mark.long]


@pytest.fixture(autouse=True)
def lru(monkeypatch):
    """An empty cache, as in a new process."""
    monkeypatch.setattr(page_cache, "cache", LRUCache(MAX_BYTES))
    return page_cache.cache


@pytest.fixture
def compiled(monkeypatch):
    """Counts how often a leaflet was made."""
    calls, make = [], printed.leaflet_pdf

    def counting(*args, **options):
        calls.append(1)
        return make(*args, **options)

    monkeypatch.setattr(printed, "leaflet_pdf", counting)
    return calls


@pytest.fixture
def mailed(mail_through, sheet):
    """Asks for the sheet, delivers it, and gives the words of the PDF that arrived."""

    def words() -> str:
        report(sheet, email=f"ada{len(mail_through.messages)}@example.com")
        assert deliver() == 1
        [attached] = mail_through.messages[-1].iter_attachments()
        return words_of(attached.get_content())

    return words


def words_of(pdf: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).split())


def test_a_second_mail_of_a_sheet_brings_the_same_pdf_and_none_is_made_for_it(mailed, mail_through, compiled):
    assert mailed() == mailed()
    first, second = (next(mail.iter_attachments()).get_content() for mail in mail_through.messages)
    assert first == second
    assert len(compiled) == 1


def test_the_next_mail_after_an_edit_brings_the_new_words(mailed, sheet):
    assert "A title of this minute" not in mailed()
    sheet.title = "A title of this minute"
    sheet.save()
    assert "A title of this minute" in mailed()


def test_the_next_mail_after_an_edit_of_the_emergency_advice_brings_it(mailed):
    assert "in better words of this minute" not in mailed()
    advice = SafetyAdvice.objects.filter(tier="emergency").first()
    advice.text = advice.short_text = "a sign in better words of this minute"
    advice.save()
    assert "in better words of this minute" in mailed()


def test_a_review_that_became_overdue_at_midnight_stands_in_the_next_mail(sheet, staff, compiled, monkeypatch):
    due = timezone.localdate() + timedelta(days=3)
    FactSheet.objects.filter(pk=sheet.pk).update(review_due_on=due, reviewed_on=timezone.localdate(), reviewed_by=staff)
    assert "has not happened yet" not in words_of(printed.leaflet(sheet))
    monkeypatch.setattr(timezone, "localdate", lambda *args: due + timedelta(days=1))
    assert "has not happened yet" in words_of(printed.leaflet(sheet))
    assert len(compiled) == 2


def test_what_was_read_before_an_edit_is_not_kept_as_what_came_after(sheet):
    """An editor saves the sheet while the mail worker is rendering it."""
    in_hand = FactSheet.objects.select_related("topic", "reviewed_by").get(pk=sheet.pk)
    sheet.title = "Another title of this minute"
    sheet.save()
    for given in (in_hand, sheet):
        assert "Another title of this minute" in words_of(printed.leaflet(given))


def test_a_clinic_with_another_number_gets_another_pdf(sheet, settings):
    printed.leaflet(sheet)
    set_clinic(phone="020 7946 0123")
    assert "020 7946 0123" in words_of(printed.leaflet(sheet))


def test_large_print_and_each_sheet_have_a_pdf_of_their_own(sheet, compiled):
    other = FactSheet.objects.published().exclude(pk=sheet.pk).first()
    made = {printed.leaflet(sheet), printed.leaflet(sheet, large_print=True), printed.leaflet(other)}
    assert len(made) == len(compiled) == 3


@pytest.mark.parametrize("large_print", [False, True])
def test_after_an_edit_elsewhere_a_leaflet_is_printed_once_and_after_its_own_as_often_as_it_takes_to_fit(
    sheet, monkeypatch, large_print
):
    printings, real = [], pdf.compiled
    monkeypatch.setattr(pdf, "compiled", lambda *args, **named: printings.append(1) or real(*args, **named))
    monkeypatch.setattr(pdf, "_fitting", {})

    def printed_now() -> bytes:
        printings.clear()
        return printed.leaflet(sheet, large_print=large_print)

    first = printed_now()
    assert 2 < len(printings) < 25
    ContentVersion.changed()
    assert (printed_now(), len(printings)) == (first, 1)
    FactSheet.objects.filter(pk=sheet.pk).update(title="Another title")
    ContentVersion.changed()
    assert printed_now() != first and len(printings) > 2


def test_the_address_of_a_pdf_and_the_mail_share_one_that_was_made(sheet, compiled):
    read = Client().get(f"{sheet.get_absolute_url()}pdf/")
    assert read.content == printed.leaflet(sheet)
    assert len(compiled) == 1


def test_without_a_version_of_the_content_nothing_is_kept(sheet, lru, compiled):
    ContentVersion.objects.all().delete()
    assert printed.leaflet(sheet) == printed.leaflet(sheet)
    assert len(compiled) == 2
    assert not lru.pages


def test_many_versions_of_a_sheet_do_not_fill_the_memory(sheet, lru):
    lru.most_bytes = 3 * len(printed.compiled_leaflet(sheet))
    for _ in range(6):
        ContentVersion.changed()
        printed.leaflet(sheet)
    assert 0 < sum(page.size for page in lru.pages.values()) == lru.bytes <= lru.most_bytes
