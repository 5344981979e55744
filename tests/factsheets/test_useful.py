"""“Was this useful?”: one tap, counted by week, and nothing kept about who tapped."""

from datetime import timedelta

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from backcare.core import limits
from factsheets import feedback
from factsheets.models import Answer, ContentVersion, FactSheet, SheetFeedback, State
from tests.support.html import text
from tests.support.reading import links, page
from tests.support.visitor import Visitor

pytestmark = pytest.mark.usefixtures("db")
SHEET = "/fact-sheets/about-back-pain/"
USEFUL = f"{SHEET}useful/"


def counts() -> dict[tuple[str, str], int]:
    return {(row.answer, row.reason): row.count for row in SheetFeedback.objects.all()}


def tap(client=None, **sent):
    return (client or Client()).post(USEFUL, sent)


def test_a_worried_reader_gets_help(client):
    assert 'action="/fact-sheets/about-back-pain/useful/"' in client.get(SHEET).content.decode()
    token = ContentVersion.now()
    answer = tap(client, answer="no")
    assert (answer.status_code, answer["Location"]) == (303, f"{USEFUL}no/")
    assert "What was not right?" in text(page(client, answer["Location"]))
    answer = tap(client, answer="no", reason="still-worried")
    shown = client.get(answer["Location"])
    said = text(page(client, answer["Location"]))
    assert 'href="tel:999"' in shown.content.decode().partition("<main")[2]
    assert 'href="tel:111"' in shown.content.decode()
    assert "Samaritans" in said
    assert "noindex" in shown.content.decode()
    assert counts() == {("no", ""): 1, ("no", "still-worried"): 1}
    too_long = tap(client, answer="partly", reason="too-long")["Location"]
    assert f"{SHEET}pdf/" in links(page(client, too_long)), "The leaflet that it speaks of."
    assert not client.cookies
    assert ContentVersion.now() == token, "An answer must not make the page anew."
    assert SheetFeedback.objects.first().week == feedback.monday(timezone.localdate())


def test_a_second_click_counts_once_and_another_reader_counts():
    for _ in range(3):
        assert tap(answer="yes").status_code == 303
    assert counts() == {("yes", ""): 1}
    tap(Client(REMOTE_ADDR="192.0.2.7"), answer="yes")
    assert counts() == {("yes", ""): 2}


def test_nobody_answers_without_end(monkeypatch):
    monkeypatch.setattr(feedback, "DAILY_MOST", 2)
    for answer in Answer:
        assert tap(answer=answer.value).status_code == 303
    assert sum(counts().values()) == 2


@pytest.mark.parametrize(
    "sent", [{}, {"answer": "maybe"}, {"answer": "yes", "reason": "too-long"}, {"answer": "no", "reason": "x" * 500}]
)
@pytest.mark.once
def test_what_is_no_answer_leads_back_to_the_sheet(sent):
    answer = tap(**sent)
    assert (answer.status_code, answer["Location"]) == (302, f"{SHEET}#useful")
    assert not counts()


def test_only_from_our_own_pages_and_only_about_what_is_published(client):
    checked = Client(enforce_csrf_checks=True)
    assert checked.post(USEFUL, {"answer": "yes"}, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client.get(USEFUL)["Location"] == f"{SHEET}#useful"
    assert client.get(f"{USEFUL}maybe/").status_code == 404
    FactSheet.objects.filter(slug="about-back-pain").update(state=State.DRAFT)
    assert tap(answer="yes").status_code == 404
    assert not counts()


def test_help_does_not_wait_for_the_count(client, monkeypatch):
    def locked(*args, **options):
        raise OperationalError("database is locked")

    monkeypatch.setattr(limits, "hit", locked)
    answer = tap(client, answer="partly", reason="still-worried")
    assert answer.status_code == 303
    assert "If you are still worried" in text(page(client, answer["Location"]))


def test_the_desk_shows_the_weeks(staff_client):
    sheet = FactSheet.objects.get(slug="about-back-pain")
    this = feedback.monday(timezone.localdate())
    for week, answer, reason, count in [
        (this, "yes", "", 31),
        (this, "no", "", 4),
        (this, "no", "too-long", 3),
        (this - timedelta(weeks=1), "partly", "", 17),
        (this - timedelta(weeks=8), "partly", "", 99),
    ]:
        SheetFeedback.objects.create(sheet=sheet, week=week, answer=answer, reason=reason, count=count)
    tree = page(staff_client, reverse("admin:factsheets_factsheet_desk", args=[sheet.pk]))
    rows = [[text(cell) for cell in row] for row in tree.iter("tr")]
    assert [f"{this:%-d %B %Y}", "31", "0", "4", "It is too long: 3"] in rows
    assert [f"{this - timedelta(weeks=1):%-d %B %Y}", "0", "17", "0", ""] in rows
    assert not [row for row in rows if "99" in row]


def test_by_keyboard_in_a_browser(browser, site):
    reader = Visitor(browser, site, viewport={"width": 360, "height": 780})
    reader.open(SHEET)
    reader.page.get_by_role("button", name="Partly").press("Enter")
    reader.page.get_by_role("button", name="I am still worried").press("Enter")
    reader.page.get_by_role("heading", name="If you are still worried").wait_for()
    reader.page.reload()
    assert reader.page.get_by_role("main").get_by_role("link", name="Call 999").first.is_visible()
    assert not reader.context.cookies()
    assert not reader.complaints
    assert counts() == {("partly", ""): 1, ("partly", "still-worried"): 1}
