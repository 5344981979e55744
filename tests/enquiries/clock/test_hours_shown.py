"""The desk's opening hours and promise, wherever patients read them: pages kept ready, PDFs, plain text, mail and error pages."""

import io
import urllib.request
from datetime import date, time, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone
from pypdf import PdfReader

from backcare.config import errors
from enquiries import clock
from enquiries.assessment import printed as result_pdf
from enquiries.assessment.flags import flags
from enquiries.assessment.result import shown as result_shown
from enquiries.clock import ReplyClock
from enquiries.models import ClinicHours, Closure, OpeningHours
from enquiries.opening_hours import Closed, Hours, Opening
from factsheets.models import ContentVersion
from tests.conftest import consultation
from tests.support.assessment import answers
from tests.support.clinic_hours import ADD_CLOSURE, HOURS, words
from tests.support.clock import NINE_TO_FIVE, SPLIT, week
from tests.support.desk import save
from tests.support.html import parse, text
from tests.support.outbox import deliver, text_of

pytestmark = pytest.mark.once

SHEET = "/fact-sheets/about-back-pain/"
PLAIN = "/fact-sheets/"
DEFAULT = "Monday to Friday, 9am to 5pm, except bank holidays"
SHORTER = "Tuesday, 10am to 2pm, except bank holidays"
WITH_HOURS = [
    "/",
    SHEET,
    "/get-help-now/",
    "/about/",
    "/accessibility/",
    "/complaints/",
    "/search/?q=xqxqxq",
    "/nowhere/",
]


def read(client, path: str) -> str:
    """The words of an answer of any kind, on one line."""
    response = client.get(path)
    if response["Content-Type"] == "application/pdf":
        return pdf_words(response.content)
    if response["Content-Type"].startswith("text/plain"):
        return " ".join(response.content.decode().split())
    return " ".join(text(parse(response)).split())


def pdf_words(made: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages).split())


def only_tuesdays() -> None:
    OpeningHours.objects.all().delete()
    OpeningHours.objects.create(weekday=1, opens=time(10), closes=time(14))


@pytest.mark.django_db
@pytest.mark.long
def test_every_page_paper_and_mail_follows_the_desk(client, mail_through):
    papers = [f"{SHEET}pdf/", f"{SHEET}text/"]
    for path in [*WITH_HOURS, *papers]:
        assert DEFAULT in read(client, path), path
    only_tuesdays()
    ClinicHours.objects.update(within_hours=8)
    for path in [*WITH_HOURS, *papers]:
        said = read(client, path)
        assert SHORTER in said, path
        assert "9am" not in said, path
    assert f"{SHORTER}. Text relay" in pdf_words(result_pdf.pdf(result_shown(answers(), flags())))
    consultation()
    deliver()
    acknowledgement = next(mail for mail in mail_through.messages if mail["To"] == "ada@example.com")
    assert f"({SHORTER})" in text_of(acknowledgement)


@pytest.mark.long
@pytest.mark.django_db
def test_pages_say_how_soon_we_reply_as_the_desk_has_it(client, reception):
    pages = ["/", SHEET, "/accessibility/"]
    for path in pages:
        assert "We aim to reply within one working day." in read(client, path), path
    save(reception, HOURS, within_hours="16")
    for path in pages:
        assert "We aim to reply within 2 working days." in read(client, path), path
    save(reception, HOURS, paused="on", notice="A pipe burst.\nCall us")
    for path in pages:
        said = read(client, path)
        assert "A pipe burst. Call us. We do not know yet when we will reply." in said, path
        assert "We aim to reply" not in said, path
    assert "A pipe burst." in words(reception.get(HOURS))


@pytest.mark.django_db
def test_a_closure_stands_in_the_help_block_until_it_is_over(client, reception, monkeypatch):
    today = timezone.localdate()
    first, last = today + timedelta(days=10), today + timedelta(days=12)
    assert "We are closed" not in read(client, PLAIN)
    save(reception, ADD_CLOSURE, first_day=first.isoformat(), last_day=last.isoformat(), reason="training")
    assert read(client, PLAIN).count(": training.") == 1
    monkeypatch.setattr(timezone, "localdate", lambda *args: last)
    assert ": training." in read(client, PLAIN) and ": training." in read(client, "/about/")
    monkeypatch.setattr(timezone, "localdate", lambda *args: last + timedelta(days=1))
    assert ": training." not in read(client, PLAIN) + read(client, "/about/")


@pytest.mark.django_db
@pytest.mark.long
def test_a_clinic_without_opening_hours_is_given_none(client):
    OpeningHours.objects.all().delete()
    for path in [*WITH_HOURS, f"{SHEET}text/", f"{SHEET}pdf/"]:
        said = read(client, path)
        for broken in ("9am", "We are open", ", .", "()", " , ", "None"):
            assert broken not in said, (path, broken)
    assert "We will reply as soon as we can." in read(client, "/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda: Closure.objects.create(first_day=date(2030, 1, 1), last_day=date(2030, 1, 1), reason="training"),
        lambda: OpeningHours.objects.first().delete(),
        lambda: OpeningHours.objects.update(closes=time(16)),
        lambda: ClinicHours.objects.get().save(),
        lambda: ClinicHours.objects.first().delete(),
    ],
)
def test_any_change_of_the_hours_ends_what_was_kept(client, change):
    before = ContentVersion.now()
    change()
    assert ContentVersion.now() != before


def test_a_running_site_shows_new_hours_on_the_next_request_in_every_process(site):
    def said() -> set[bool]:
        return {SHORTER in urllib.request.urlopen(f"{site}/about/").read().decode() for _ in range(12)}

    assert said() == {False}
    only_tuesdays()
    assert said() == {True}


@pytest.mark.django_db
def test_an_error_page_gives_the_hours_it_last_knew_and_does_not_ask_a_database_in_trouble(client, monkeypatch):
    only_tuesdays()
    assert SHORTER in read(client, "/about/")

    def away():
        raise OperationalError("away")

    monkeypatch.setattr(clock, "load", away)
    assert SHORTER in " ".join(text(parse(client.get("/nowhere/"))).split())
    monkeypatch.setattr(clock, "load", lambda: pytest.fail("An error page asked the database."))
    page = errors.unavailable(client.get("/about/").wsgi_request)
    assert SHORTER in page.content.decode()


@pytest.mark.parametrize(
    ("hours", "within", "promise"),
    [
        (NINE_TO_FIVE, 8, "within one working day."),
        (NINE_TO_FIVE, 40, "within 5 working days."),
        (NINE_TO_FIVE, 6, "within 6 working hours."),
        (NINE_TO_FIVE, 1, "within 1 working hour."),
        (Hours(week(time(9), time(16, 30))), 15, "within 2 working days."),
        (SPLIT, 8, "within 8 working hours."),  # Saturdays are shorter, so a day is no measure
    ],
)
def test_how_soon_we_reply_is_said_in_days_only_where_a_day_has_one_length(hours, within, promise):
    assert clock.promise_in_words(ReplyClock(hours, timedelta(hours=within))) == f"We aim to reply {promise}"


def test_hours_and_closures_in_words():
    closed = Closed(date(2026, 12, 24), date(2027, 1, 4), "Christmas break.", from_time=time(13))
    hours = Hours((*week(), Opening(5, time(9), time(12))), (closed,))
    assert (
        clock.opening_in_words(hours)
        == "Monday to Friday, 9am to 5pm; Saturday, 9am to midday; closed on bank holidays"
    )
    assert clock.opening_in_words(Hours(())) == ""
    said = "We are closed from 1pm on Thursday 24 December to Monday 4 January 2027: Christmas break."
    assert clock.closures_in_words(hours, date(2026, 12, 10)) == [said]
    assert clock.closures_in_words(hours, date(2026, 12, 9)) == []
    assert clock.closures_in_words(hours, date(2027, 1, 5)) == []
