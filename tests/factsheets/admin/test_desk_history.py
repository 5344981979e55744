"""A sheet's editions: the public list of changes, the difference between two, the way back, and who made them."""

import pytest
from django.urls import reverse

from factsheets import actions
from factsheets.models import FactSheet, Section
from tests.support.desk import change_address, desk_of, draft, save, tree
from tests.support.html import text
from tests.support.reading import page

pytestmark = pytest.mark.django_db


def edition(client, sheet, number: int, query: str = ""):
    return client.get(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, number]) + query)


def test_without_a_note_the_public_list_says_which_parts_changed(desk, public_sheet, client):
    section = public_sheet.sections.get()
    save(desk, change_address(section), body="Keep moving, gently. [@NG59]")
    save(desk, change_address(public_sheet), title="A better title", summary="Other words for lists.")
    listed = client.get(f"{public_sheet.get_absolute_url()}json/").json()["changes"]
    assert [each["lines"] for each in listed] == [
        ["Changed: Title", "Changed: Summary"],
        ["Changed: The first part"],
        ["A clinician read the page and signed it off."],
    ]


def test_what_was_written_before_a_sheet_was_public_is_not_in_the_public_list(public_sheet, client):
    assert len(public_sheet.editions.all()) == 3
    shown = text(page(client, public_sheet.get_absolute_url()))
    assert shown.count("A clinician read the page and signed it off.") == 1
    assert "Changed:" not in shown


def test_the_difference_between_editions_is_readable_word_by_word(desk, public_sheet):
    section = public_sheet.sections.get()
    save(desk, change_address(section), body="Keep moving every day. [@NG59]\r\n")
    shown = tree(edition(desk, public_sheet, public_sheet.editions.first().number))
    gone = [text(each) for each in shown.iter("del")]
    new = [text(each) for each in shown.iter("ins")]
    assert gone == ["moving."]
    assert new == ["moving every day."]
    assert "The first part" in text(shown)
    first = text(tree(edition(desk, public_sheet, 1, "?against=now")))
    assert "Changes since this edition" in first
    assert "every day." in first
    assert "There is no earlier edition" in text(tree(edition(desk, public_sheet, 1)))
    assert edition(desk, public_sheet, 99).status_code == 404


def test_hostile_words_are_text_in_the_history(desk, author):
    sheet = draft(author)
    hostile = "</del><script>alert(1)</script>"
    save(desk, change_address(sheet.sections.get()), body=f"{hostile} [@NG59]", heading=hostile)
    for response in (
        edition(desk, sheet, 2),
        desk.get(desk_of(sheet)),
        desk.get(reverse("admin:factsheets_factsheet_history", args=[sheet.pk])),
    ):
        assert b"<script>alert" not in response.content
        assert hostile in text(tree(response))


def test_a_deleted_section_is_gone_for_readers_and_comes_back_with_its_edition(desk, public_sheet, client):
    second = Section.objects.create(
        sheet=public_sheet, slug="second", position=20, heading="Second part", body="More words."
    )
    actions.refresh(sheet=public_sheet)
    actions.keep_edition(sheet=public_sheet, by=None, step="installed")
    with_it = public_sheet.editions.first().number
    response = desk.post(reverse("admin:factsheets_section_delete", args=[second.pk]), {"post": "yes"}, follow=True)
    assert response.redirect_chain[-1][0].startswith(desk_of(public_sheet))
    assert "Second part" not in str(FactSheet.objects.get(pk=public_sheet.pk).document["sections"])
    desk.post(reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, with_it]))
    assert public_sheet.sections.get(slug="second").body == "More words."
    assert "More words." in text(page(client, public_sheet.get_absolute_url()))
    assert public_sheet.editions.first().note == f"Back to edition {with_it}"


def test_a_roll_back_says_what_is_no_longer_there(desk, author):
    sheet = draft(author)
    first = sheet.editions.get()
    first.content["related"] = [{"to": "a-sheet-that-is-gone", "reason": "It says more."}]
    first.save()
    save(desk, change_address(sheet.sections.get()), body="Other words. [@NG59]")
    response = desk.post(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, 1]), follow=True)
    assert "The related sheet a-sheet-that-is-gone is no longer there." in text(tree(response))
    assert sheet.sections.get().body.strip() == "Other words. [@NG59]", "Half a roll back was kept."


def test_the_history_keeps_the_name_of_somebody_whose_account_is_gone(desk, author, staff, client):
    sheet = draft(author)
    author.delete()
    client.force_login(staff)
    shown = text(tree(client.get(reverse("admin:factsheets_factsheet_history", args=[sheet.pk]))))
    assert "edited by Edith" in " ".join(shown.split())


@pytest.mark.parametrize("number", ["abc", "-1", "99999999999999999999", ""])
def test_a_wrong_edition_number_in_the_form_is_no_error(desk, author, number):
    sheet = draft(author)
    response = desk.post(
        reverse("admin:factsheets_factsheet_move", args=[sheet.pk]),
        {"step": "submitted", "edition": number},
        follow=True,
    )
    assert response.status_code == 200
