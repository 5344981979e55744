"""A sheet's editions: the public list of changes, the difference between two, the way back, and who made them."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from factsheets import actions, publishing_rules, revisions
from factsheets.models import Section
from tests.support.desk import change_address, desk_of, draft, person, save, signed
from tests.support.html import text, tree
from tests.support.reading import page

pytestmark = pytest.mark.django_db


def edition(client, sheet, number: int, query: str = ""):
    return client.get(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, number]) + query)


@pytest.mark.long
def test_without_a_note_the_public_list_says_which_parts_changed(desk, public_sheet, client, author, reviewer):
    section = public_sheet.sections.get()
    save(desk, change_address(section), body="Keep moving, gently. [@NG59]")
    save(desk, change_address(public_sheet), title="A better title", summary="Other words for lists.")
    signed(public_sheet, author, reviewer)
    save(desk, change_address(public_sheet), title="A better title still", note="A kinder title.")
    signed(public_sheet, author, reviewer)
    listed = client.get(f"{public_sheet.get_absolute_url()}json/").json()["changes"]
    assert [each["lines"] for each in listed] == [
        ["A kinder title.", "A clinician read the page and signed it off."],
        [
            "Changed: Title",
            "Changed: Summary",
            "Changed: The first part",
            "A clinician read the page and signed it off.",
        ],
        ["A clinician read the page and signed it off."],
    ]


def test_what_was_written_before_a_sheet_was_public_is_not_in_the_public_list(public_sheet, client):
    assert len(public_sheet.editions.all()) == 3
    shown = text(page(client, public_sheet.get_absolute_url()))
    assert shown.count("A clinician read the page and signed it off.") == 1
    assert "Changed:" not in shown


def test_the_difference_between_editions_is_readable_word_by_word(desk, public_sheet, django_assert_num_queries):
    section = public_sheet.sections.get()
    save(desk, change_address(section), body="Keep moving ***every*** *day*. [@NG59]\r\n")
    new = public_sheet.open_draft
    said = edition(desk, new, new.editions.first().number)
    assert "<em><strong>every</strong></em> <em>day.</em>" in said.content.decode()
    shown = tree(said)
    gone = [text(each) for each in shown.iter("del")]
    new = [text(each) for each in shown.iter("ins")]
    assert gone == ["moving."]
    assert new == ["moving every day."]
    assert "The first part" in text(shown)
    first = text(tree(edition(desk, public_sheet.open_draft, 1, "?against=now")))
    assert "Changes since this version" in first
    assert "every day." in first
    assert "There is nothing earlier" in text(tree(edition(desk, public_sheet, 1)))
    assert edition(desk, public_sheet, 99).status_code == 404
    drawn = revisions.snapshot(Section.objects.exclude(figure=None).first().sheet)
    with django_assert_num_queries(0):
        assert not revisions.changes(drawn, drawn)


@pytest.mark.both
def test_hostile_words_are_text_in_the_history(desk, author):
    sheet = draft(author)
    hostile = "</del><script>alert(1)</script>"
    # The form refuses it in the text; it may have been there before.
    sheet.sections.update(body=f"{hostile} [@NG59]", heading=hostile)
    actions.refresh(sheet=sheet)
    actions.keep_edition(sheet=sheet, by=author)
    for response in (
        edition(desk, sheet, 2),
        desk.get(desk_of(sheet)),
        desk.get(reverse("admin:factsheets_factsheet_history", args=[sheet.pk])),
    ):
        assert b"<script>alert" not in response.content
        assert hostile in text(tree(response))


@pytest.mark.long
def test_a_deleted_section_is_gone_for_readers_and_comes_back_with_its_edition_and_signature(
    desk, public_sheet, client, author, reviewer
):
    second = Section.objects.create(
        sheet=public_sheet, slug="second", position=20, heading="Second part", body="More words."
    )
    actions.refresh(sheet=public_sheet)
    actions.keep_edition(sheet=public_sheet, by=None, step="installed")
    unsigned = public_sheet.editions.first().number
    desk.get(reverse("admin:factsheets_section_delete", args=[second.pk]))
    new = actions.begin_draft(sheet=public_sheet, by=author)
    gone = reverse("admin:factsheets_section_delete", args=[new.sections.get(slug="second").pk])
    response = desk.post(gone, {"post": "yes"}, follow=True)
    assert response.redirect_chain[-1][0].startswith(desk_of(new))
    second_reviewer = person("Cora", "clinician")
    made = signed(public_sheet, author, second_reviewer)
    assert "Second part" not in str(public_sheet.document["sections"])
    back = reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, unsigned])
    assert "copied to the draft" in text(tree(desk.post(back, follow=True))), "Nobody had signed it with that section."
    assert public_sheet.open_draft.sections.get(slug="second").body == "More words."
    assert "More words." not in text(page(client, public_sheet.get_absolute_url()))
    down = timezone.localdate() + timedelta(days=20)
    again = signed(public_sheet, author, reviewer, retire_on=down)
    assert "More words." in text(page(client, public_sheet.get_absolute_url()))
    to_go = f"To be taken down on {down:%-d %B %Y}"
    assert to_go in text(tree(desk.get(desk_of(public_sheet))))
    back = reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, made.number])
    assert "with the signature of" in text(tree(desk.post(back, follow=True)))
    public_sheet.refresh_from_db()
    assert (public_sheet.reviewed_by, public_sheet.review_due_on) == (second_reviewer, made.review_due_on)
    assert not publishing_rules.changed_since_review(public_sheet)
    shown = text(page(client, public_sheet.get_absolute_url()))
    assert "More words." not in shown
    assert "by Cora" in shown
    assert public_sheet.editions.first().note == f"Back to edition {made.number}"
    assert public_sheet.editions.first().number == again.number + 1
    # The day for taking it down was signed with the other words, and comes back with them; not once it has passed.
    assert "To be taken down" not in text(tree(desk.get(desk_of(public_sheet))))
    back = reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, again.number])
    assert "with the signature of" in text(tree(desk.post(back, follow=True)))
    assert to_go in text(tree(desk.get(desk_of(public_sheet))))
    assert "with the signature of" in text(
        tree(desk.post(back.replace(f"/{again.number}/", f"/{made.number}/"), follow=True))
    )
    public_sheet.editions.filter(number=again.number).update(retire_on=timezone.localdate())
    assert "copied to the draft" in text(tree(desk.post(back, follow=True)))


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
