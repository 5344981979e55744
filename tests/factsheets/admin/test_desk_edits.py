"""Editing on the desk: sections, evidence and addresses, what readers see of it, and two editors at once."""

import pytest
from django.test import Client
from django.urls import reverse

from factsheets import actions
from factsheets.models import FactSheet, Section
from tests.support.desk import (
    change_address,
    conflict_in,
    desk_of,
    draft,
    errors_of,
    person,
    save,
    values_of,
)
from tests.support.html import text, tree
from tests.support.reading import page

pytestmark = pytest.mark.django_db


@pytest.mark.long
def test_saving_without_a_change_keeps_no_edition(desk, public_sheet):
    response = save(desk, change_address(public_sheet.sections.get()))
    assert not errors_of(response)
    assert [each.step for each in public_sheet.open_draft.editions.all()] == ["drafted"]
    assert public_sheet.editions.count() == 3


@pytest.mark.both
def test_nothing_that_readers_see_is_edited_or_deleted_and_what_was_typed_meanwhile_stays(desk, author, reviewer):
    sheet = draft(author)
    section = sheet.sections.get()
    typed = values_of(desk.get(change_address(section))) | {"body": "My words. [@NG59]"}
    # Somebody publishes it while the form is open.
    FactSheet.objects.filter(pk=sheet.pk).update(state="published")
    response = desk.post(change_address(section), typed)
    assert "This page was published after you opened it" in errors_of(response)
    assert values_of(response)["body"] == "My words. [@NG59]"
    response = desk.post(reverse("admin:factsheets_section_delete", args=[section.pk]), {"post": "yes"}, follow=True)
    assert "Not deleted." in text(tree(response))
    desk.post(reverse("admin:factsheets_section_shift", args=[sheet.pk, section.pk]), {"way": "up"})
    desk.post(change_address(section), typed | {"_shift": f"{section.pk}:up"})
    assert Section.objects.get(pk=section.pk).body == "Keep moving. [@NG59]\n"
    assert sheet.editions.count() == 1
    new = actions.begin_draft(sheet=sheet, by=author)
    assert values_of(desk.get(change_address(new.sections.get())))["body"] == "My words. [@NG59]"
    gone = change_address(new.sections.get())
    comment = reverse("admin:factsheets_factsheet_comment", args=[new.pk])
    actions.discard_draft(draft=new, by=author)
    # What is sent to a draft that a colleague has discarded is shown, to be copied: a section, and a comment on it.
    late = desk.post(gone, typed | {"body": "Words typed at length."})
    assert late.status_code == 410 and "Text Words typed at length." in text(tree(late))
    late = desk.post(comment, {"text": "A comment at length."})
    assert late.status_code == 410 and "A comment at length." in text(tree(late))
    new = actions.begin_draft(sheet=sheet, by=author)
    assert values_of(desk.get(change_address(new.sections.get())))["body"] == "My words. [@NG59]"


def test_somebody_elses_change_is_not_overwritten_unseen(desk, author):
    sheet = draft(author)
    section = sheet.sections.get()
    opened = values_of(desk.get(change_address(section)))
    actions.keep_edition(sheet=sheet, by=author)
    colleague = Client()
    colleague.force_login(person("Una", "editor"))
    theirs = {"body": "Words of a colleague. [@NG59]", "asked": "is it safe"}
    assert not errors_of(save(colleague, change_address(section), **theirs))
    response = desk.post(change_address(section), opened | {"body": "My words. [@NG59]"})
    assert "Una saved this while you had it open." in errors_of(response)
    assert conflict_in(response) == {
        "Text": ("Words of a colleague. [source: NICE 2016]", "My words. [source: NICE 2016]"),
        "Patients’ questions that this answers": ("is it safe", "Empty"),
    }
    copied = [text(each) for each in tree(response).iter("textarea") if each.get("readonly") is not None]
    assert copied == ["Words of a colleague. [@NG59]"], "To copy from, as it is typed."
    marked = {tag: " ".join(text(each) for each in tree(response).iter(tag)) for tag in ("del", "ins")}
    assert "colleague" in marked["del"] and "My" in marked["ins"] and "NG59" not in str(marked)
    assert "Save mine over theirs" in [each.get("value") for each in tree(response).iter("input")]
    section.refresh_from_db()
    assert section.body == "Words of a colleague. [@NG59]\n"
    assert values_of(response)["body"] == "My words. [@NG59]"
    assert not errors_of(desk.post(change_address(section), values_of(response), follow=True))
    section.refresh_from_db()
    assert section.body == "My words. [@NG59]\n"


@pytest.mark.long
def test_sections_are_added_moved_and_named_without_numbers_or_slugs(desk, author):
    sheet = draft(author)
    first = sheet.sections.get()
    add = f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}&after={first.pk}"
    response = save(desk, add, kind="try", heading="Try this", body="- Walk a little every day.\n- Rest when you need.")
    assert not errors_of(response)
    assert response.redirect_chain[-1][0] == f"{desk_of(sheet)}#section-try-this"
    save(desk, add, kind="text", heading="Try this", body="Another part with the same heading.")
    assert [each.slug for each in sheet.sections.all()] == ["first", "try-this-2", "try-this"]
    shift = reverse("admin:factsheets_section_shift", args=[sheet.pk, sheet.sections.get(slug="try-this").pk])
    desk.post(shift, {"way": "up"})
    assert [each.slug for each in sheet.sections.all()] == ["first", "try-this", "try-this-2"]
    desk.post(shift, {"way": "up"})
    desk.post(shift, {"way": "up"})
    assert [each.slug for each in sheet.sections.all()] == ["try-this", "first", "try-this-2"]
    save(desk, change_address(sheet.sections.get(slug="try-this")), after=sheet.sections.get(slug="try-this-2").pk)
    assert [each.slug for each in sheet.sections.all()] == ["first", "try-this-2", "try-this"]
    assert [each["slug"] for each in FactSheet.objects.get(pk=sheet.pk).document["sections"]] == [
        "first",
        "try-this-2",
        "try-this",
    ]
    # The link beside a part leads to a form whose new part comes right after it, in its layer and below its question.
    asked = {"layer": "leaflet", "question": sheet.questions[1]}
    for slug, place in (
        ("asked", asked),
        ("asked-last", asked),
        ("folded", {"layer": "more"}),
        ("folded-last", {"layer": "more"}),
    ):
        Section.objects.create(sheet=sheet, slug=slug, position=90, heading=slug, body="Words. [@NG59]", **place)
    for slug in ("asked", "folded", "first"):
        before = sheet.sections.get(slug=slug)
        name = f"Add after “{before}”"
        [link] = [
            each.get("href") for each in tree(desk.get(desk_of(sheet))).iter("a") if each.get("aria-label") == name
        ]
        assert not errors_of(save(desk, link, heading=f"New {slug}", body="More. [@NG59]"))
        slugs = [each["slug"] for each in FactSheet.objects.get(pk=sheet.pk).document["sections"]]
        assert slugs[slugs.index(slug) + 1] == f"new-{slug}"
        added = sheet.sections.get(slug=f"new-{slug}")
        assert (added.layer, added.question) == (before.layer, before.question)


@pytest.mark.long
def test_ledger_rows_are_words_with_commas_and_an_unknown_one_is_named(desk, author):
    section = draft(author).sections.get()
    assert "There is no claim with the number B-999." in errors_of(
        save(desk, change_address(section), claim_refs="B-01, B-999")
    )
    assert not errors_of(save(desk, change_address(section), claim_refs=" b-01,B-02 , B-01, RF-E1"))
    section.refresh_from_db()
    assert section.claim_refs == ["B-01", "B-02", "RF-E1"]
    assert values_of(desk.get(change_address(section)))["claim_refs"] == "B-01, B-02, RF-E1"


@pytest.mark.both
def test_a_new_address_leads_on_from_the_old_one_in_every_output(desk, public_sheet, client):
    address = reverse("admin:factsheets_factsheet_address", args=[public_sheet.pk])
    place = {"slug": "about-back-pain", "position": "3"}
    wrong = desk.post(address, place | {"slug": "new", "position": "x"}, follow=True)
    assert "Enter the order as a number." in text(tree(wrong))
    refused = desk.post(address, place, follow=True)
    assert "Another sheet has this address." in text(tree(refused))
    assert f'value="{place["slug"]}"' in refused.content.decode()
    desk.post(address, place | {"slug": "a-better-address"})
    client.logout()
    for output in ("", "pdf/", "text/", "json/"):
        response = client.get(f"/fact-sheets/a-new-sheet/{output}")
        assert (response.status_code, response["Location"]) == (301, f"/fact-sheets/a-better-address/{output}")
    desk.force_login(public_sheet.reviewed_by)
    # Back again: the address is the sheet's own, and nothing leads in a circle.
    FactSheet.objects.filter(pk=public_sheet.pk).update(slug="a-new-sheet")
    assert client.get("/fact-sheets/a-new-sheet/").status_code == 200


def test_an_address_that_another_sheet_has_is_refused_in_words(desk, author):
    sheet = draft(author)
    assert "already exists" in errors_of(save(desk, change_address(sheet), slug="about-back-pain"))
    assert "already" in errors_of(save(desk, change_address(sheet), title="About back pain", slug=""))


def test_a_reader_of_a_retired_sheet_is_told_where_to_go(client, sheet, staff):
    actions.transition(sheet=sheet, step="retired", by=staff, note="Out of date.")
    shown = text(page(client, sheet.get_absolute_url(), status=410))
    assert "We no longer publish this page" in shown
    assert "Call 999" in shown
    assert "Out of date." not in shown, "The note is for colleagues."


@pytest.mark.both
def test_a_heading_that_the_page_itself_uses_still_gets_an_address(desk, author):
    sheet = draft(author)
    add = f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}"
    assert not errors_of(save(desk, add, kind="text", heading="Sources", body="Where to look."))
    assert sheet.sections.last().slug == "sources-2"
