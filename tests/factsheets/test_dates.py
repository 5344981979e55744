"""What a sheet says about its age: when its evidence was checked, and when its own words last changed."""

import io
from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from pypdf import PdfReader

from factsheets import actions
from factsheets.models import Edition, FactSheet
from factsheets.rendering import printed
from tests.support.desk import change_address, errors_of, save, signed, values_of
from tests.support.edition import PART
from tests.support.edition import Edition as Fixtures
from tests.support.html import text
from tests.support.reading import packed, page

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def with_colons(words: str) -> str:
    """As the plain text has them: "Evidence checked: March 2026"."""
    return words.replace("checked", "checked:").replace("Lastchanged", "Lastchanged:")


def said(client, sheet: FactSheet) -> dict[str, str]:
    """What the page, the plain text and the PDF say without spaces, and the JSON's date."""
    pdf = PdfReader(io.BytesIO(printed.whole(FactSheet.objects.get(pk=sheet.pk))))
    return {
        "page": with_colons(packed(text(page(client, sheet.get_absolute_url())))),
        "text": packed(client.get(f"/fact-sheets/{sheet.slug}/text/").content.decode()),
        "pdf": with_colons(packed("".join(each.extract_text() for each in pdf.pages))),
        "json": client.get(f"/fact-sheets/{sheet.slug}/json/").json()["evidence_checked_on"],
    }


@pytest.mark.long
def test_an_editor_says_when_the_evidence_was_checked_and_every_output_shows_the_month(
    desk, public_sheet, client, author, reviewer
):
    address = change_address(public_sheet)
    assert "Evidence" not in said(client, public_sheet)["page"]
    tomorrow = (timezone.localdate() + timedelta(days=1)).isoformat()
    refused = save(desk, address, evidence_checked_on=tomorrow)
    assert "Enter today’s date or an earlier one." in errors_of(refused)
    assert values_of(refused)["evidence_checked_on"] == tomorrow
    assert not errors_of(save(desk, address, evidence_checked_on="2026-03-09"))
    signed(public_sheet, author, reviewer)
    shown = said(client, public_sheet)
    assert shown.pop("json") == "2026-03-09"
    assert all("Evidencechecked:March2026" in words for words in shown.values())
    newest, before = Edition.objects.filter(sheet=public_sheet, public=True)[:2]
    assert newest.changes == ["Changed: Evidence checked"]
    for edition, day in [(before, ""), (newest, "2026-03-09")]:
        desk.post(reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, edition.number]))
        assert said(client, public_sheet)["json"] == day


def test_the_last_change_is_of_the_words_and_not_of_the_day_on_which_they_were_installed(tmp_path, client):
    def changed() -> date:
        read = client.get(f"/fact-sheets/{PART}/json/").json()
        assert {each["on"] <= read["updated_on"] for each in read["changes"]} == {True}, (
            "Changed before it was published."
        )
        return date.fromisoformat(read["updated_on"])

    fixtures = Fixtures(tmp_path, alone=True)
    fixtures.fields(PART)["written_on"] = date(2025, 3, 9)
    fixtures.load()
    assert changed() == date(2025, 3, 9)
    fixtures.fields(PART)["written_on"] = date(2025, 6, 1)
    fixtures.fields("first")["body"] = "Better words. [@EDA]\n"
    fixtures.load()
    assert changed() == date(2025, 6, 1)
    assert fixtures.load()
    assert changed() == date(2025, 6, 1)


@pytest.mark.long
def test_an_edit_by_staff_is_a_later_change_than_that_of_the_content_installed_after_it(tmp_path, client, desk, author):
    fixtures = Fixtures(tmp_path, alone=True)
    fixtures.fields(PART)["written_on"] = date(2025, 3, 9)
    fixtures.load()
    sheet = FactSheet.objects.get(slug=PART)
    assert not errors_of(save(desk, change_address(sheet.sections.get(slug="first")), body="Ours. [@EDA]"))
    actions.correct(draft=sheet.open_draft, by=author, reason="Our own words.")
    fixtures.fields(PART)["written_on"] = date(2025, 6, 1)
    fixtures.load()
    today = f"{timezone.localdate():%-d%B%Y}"
    assert f"Lastchanged:{today}" in said(client, sheet)["page"]
