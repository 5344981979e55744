"""Editing on the desk: what is kept, what is stopped, what comes back."""

import pytest
from django.urls import reverse

from factsheets import actions
from factsheets.models import FactSheet, Figure, GlossaryTerm, GuardOverride, Section, Source, State
from tests.desk import change_address, desk_of, draft, errors_of, person, published, save, tree, values_of
from tests.html import text
from tests.reading import page

pytestmark = pytest.mark.django_db
CURE = "Acupuncture cures back pain. [@NG59]"


@pytest.fixture
def author(db):
    return person("Edith", "editor")


@pytest.fixture
def reviewer(db):
    return person("Clive", "clinician")


@pytest.fixture
def desk(client, author):
    client.force_login(author)
    return client


@pytest.fixture
def public_sheet(author, reviewer):
    return published(author, reviewer)


def edition(client, sheet, number: int, query: str = ""):
    return client.get(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, number]) + query)


def test_an_edit_of_a_public_sheet_shows_at_once_and_says_that_no_clinician_saw_it(desk, public_sheet, client):
    save(desk, change_address(public_sheet.sections.get()), body="Keep moving, gently. [@NG59]", note="Kinder words.")
    client.logout()
    shown = text(page(client, public_sheet.get_absolute_url()))
    assert "Keep moving, gently." in shown
    assert "This page has changed since a clinician signed it off" in shown
    assert "Kinder words." in shown, "The public list of changes lacks the editor's note."


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


def test_saving_without_a_change_keeps_no_edition(desk, public_sheet):
    before = public_sheet.editions.count()
    response = save(desk, change_address(public_sheet.sections.get()))
    assert not errors_of(response)
    assert public_sheet.editions.count() == before


def test_a_claim_that_the_guard_stops_does_not_reach_a_public_sheet_and_nothing_typed_is_lost(desk, public_sheet):
    section = public_sheet.sections.get()
    response = save(desk, change_address(section), body=CURE, heading="A heading just typed")
    said = errors_of(response)
    assert "Acupuncture cures back pain." in said, "The sentence is not shown."
    assert "Do not promise a cure." in said, "The rule is not shown."
    values = values_of(response)
    assert (values["body"], values["heading"]) == (CURE, "A heading just typed")
    section.refresh_from_db()
    assert section.body == "Keep moving. [@NG59]\n"
    public_sheet.refresh_from_db()
    assert "cures" not in str(public_sheet.document)


def test_a_reason_lets_the_wording_stand_and_is_kept_and_shown_to_the_reviewer(desk, public_sheet, author):
    section = public_sheet.sections.get()
    stopped = save(desk, change_address(section), body=CURE)
    again = values_of(stopped) | {"reason": "It quotes what an advert said, to warn of it. NICE says no."}
    response = desk.post(change_address(section), again, follow=True)
    assert not errors_of(response)
    section.refresh_from_db()
    assert section.body.strip() == CURE
    for override in GuardOverride.objects.filter(sheet=public_sheet):
        assert (override.by, override.actor) == (author, "Edith")
        assert override.reason == "It quotes what an advert said, to warn of it. NICE says no."
    shown = text(tree(desk.get(desk_of(public_sheet))))
    assert "It quotes what an advert said" in shown
    # The next sentence needs a reason of its own.
    assert "cures everything" in errors_of(save(desk, change_address(section), body="It cures everything. [@NG59]"))


def test_a_reason_must_be_a_sentence(desk, public_sheet):
    section = public_sheet.sections.get()
    stopped = save(desk, change_address(section), body=CURE)
    response = desk.post(change_address(section), values_of(stopped) | {"reason": "ok"})
    assert "Give the reason in a sentence." in errors_of(response)
    assert not GuardOverride.objects.exists()
    section.refresh_from_db()
    assert "cures" not in section.body


def test_a_draft_may_say_anything_and_the_desk_shows_what_is_stopped(desk, author):
    sheet = draft(author)
    assert not errors_of(save(desk, change_address(sheet.sections.get()), body=CURE))
    shown = tree(desk.get(desk_of(sheet)))
    assert "Acupuncture cures back pain." in text(shown)
    assert "Do not promise a cure." in text(shown)
    [key, *_] = [each.get("value") for each in shown.iter("input") if each.get("name") == "key"]
    address = reverse("admin:factsheets_factsheet_let_stand", args=[sheet.pk])
    response = desk.post(address, {"key": key, "reason": "no"}, follow=True)
    assert "Give the reason in a sentence" in text(tree(response))
    desk.post(address, {"key": key, "reason": "A quotation from an advert."})
    assert GuardOverride.objects.get(key=key).reason == "A quotation from an advert."
    assert "no longer there" in text(tree(desk.post(address, {"key": "gone", "reason": "x y z"}, follow=True)))


def test_a_section_that_a_public_sheet_needs_cannot_be_deleted(desk, public_sheet):
    section = public_sheet.sections.get()
    address = reverse("admin:factsheets_section_delete", args=[section.pk])
    response = desk.post(address, {"post": "yes"}, follow=True)
    assert "Not deleted. It has no text yet." in text(tree(response))
    assert Section.objects.filter(pk=section.pk).exists()


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


def test_somebody_elses_change_is_not_overwritten_unseen(desk, author):
    sheet = draft(author)
    section = sheet.sections.get()
    opened = values_of(desk.get(change_address(section)))
    Section.objects.filter(pk=section.pk).update(body="Words of a colleague. [@NG59]")
    response = desk.post(change_address(section), opened | {"body": "My words. [@NG59]"})
    assert "Somebody changed this while you had it open." in errors_of(response)
    section.refresh_from_db()
    assert section.body == "Words of a colleague. [@NG59]"
    assert values_of(response)["body"] == "My words. [@NG59]"
    assert not errors_of(desk.post(change_address(section), values_of(response), follow=True))
    section.refresh_from_db()
    assert section.body == "My words. [@NG59]"


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
    assert "From this edition until now" in first
    assert "every day." in first
    assert "There is no edition before it" in text(tree(edition(desk, public_sheet, 1)))
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


def test_a_roll_back_to_words_that_may_not_be_public_is_refused_while_the_sheet_is(desk, author, reviewer):
    sheet = draft(author)
    save(desk, change_address(sheet.sections.get()), body=CURE)
    save(desk, change_address(sheet.sections.get()), body="Keep moving. [@NG59]")
    actions.move(sheet=sheet, step="submitted", by=author)
    FactSheet.objects.filter(pk=sheet.pk).update(state=State.PUBLISHED)
    response = desk.post(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, 2]), follow=True)
    assert "These words cannot be public." in text(tree(response))
    assert sheet.sections.get().body.strip() == "Keep moving. [@NG59]"


def test_a_roll_back_says_what_is_no_longer_there(desk, author):
    sheet = draft(author)
    first = sheet.editions.get()
    first.content["related"] = [{"to": "a-sheet-that-is-gone", "reason": "It says more."}]
    first.save()
    save(desk, change_address(sheet.sections.get()), body="Other words. [@NG59]")
    response = desk.post(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, 1]), follow=True)
    assert "The related sheet a-sheet-that-is-gone is no longer there." in text(tree(response))
    assert sheet.sections.get().body.strip() == "Other words. [@NG59]", "Half a roll back was kept."


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


def test_evidence_is_added_with_its_sources(desk, author):
    sheet = draft(author)
    add = f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}"
    save(desk, add, kind="evidence", heading="What the evidence says", body="")
    section = sheet.sections.get(kind="evidence")
    response = save(
        desk,
        change_address(section),
        **{
            "evidence-0-claim": "Heat for recent pain",
            "evidence-0-treatment": "heat",
            "evidence-0-direction": "may_help",
            "evidence-0-grade": "G2",
            "evidence-0-sources": ["1", "2"],
            "evidence-0-position": "10",
        },
    )
    assert not errors_of(response)
    statement = section.evidence.get()
    assert (statement.slug, statement.sources.count()) == ("heat-for-recent-pain", 2)
    acupuncture = {"evidence-0-treatment": "acupuncture", "evidence-0-nice_position": ""}
    assert "Say what NICE says" in errors_of(save(desk, change_address(section), **acupuncture))


def test_ledger_rows_are_words_with_commas_and_an_unknown_one_is_named(desk, author):
    section = draft(author).sections.get()
    assert "no row B-999" in errors_of(save(desk, change_address(section), claim_refs="B-01, B-999"))
    assert not errors_of(save(desk, change_address(section), claim_refs=" b-01,B-02 , B-01, RF-E1"))
    section.refresh_from_db()
    assert section.claim_refs == ["B-01", "B-02", "RF-E1"]
    assert values_of(desk.get(change_address(section)))["claim_refs"] == "B-01, B-02, RF-E1"


def test_a_new_address_leads_on_from_the_old_one_in_every_output(desk, public_sheet, client):
    save(desk, change_address(public_sheet), slug="a-better-address")
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
    actions.move(sheet=sheet, step="retired", by=staff, note="Out of date.")
    shown = text(page(client, sheet.get_absolute_url(), status=410))
    assert "We no longer publish this page" in shown
    assert "Call 999" in shown
    assert "Out of date." not in shown, "The note is for colleagues."


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


def test_the_desk_says_how_easy_the_words_are_and_stops_nothing_for_it(desk, public_sheet):
    long = " ".join(["Keep", *["gently"] * 22, "moving."])
    save(desk, change_address(public_sheet.sections.get()), body=f"{long} Osteopathically speaking. [@NG59]")
    shown = " ".join(text(tree(desk.get(desk_of(public_sheet)))).split())
    assert "1 sentence of more than 20 words" in shown
    assert "The first part (24 words)" in shown
    assert "osteopathically" in shown
    assert "Reading grade" in shown


def test_the_desk_lists_the_sources_that_somebody_still_has_to_check(desk, sheet):
    shown = " ".join(text(tree(desk.get(desk_of(sheet)))).split())
    assert "still to be checked Edition, editors, publisher and year of the text used." in shown
    assert "rests on general knowledge" in shown


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (lambda: Source.objects.get(key="NG59"), "finding"),
        (lambda: Figure.objects.get(slug="spine-24-bones"), "long_description"),
        (lambda: GlossaryTerm.objects.get(slug="sciatica"), "meaning"),
    ],
    ids=["source", "figure", "glossary"],
)
def test_the_guard_also_reads_what_several_sheets_share(desk, record, field):
    found = record()
    before = getattr(found, field)
    response = save(desk, change_address(found), **{field: "Acupuncture is proven to cure this."})
    assert "Do not promise a cure." in errors_of(response)
    assert values_of(response)[field] == "Acupuncture is proven to cure this."
    found.refresh_from_db()
    assert getattr(found, field) == before
    assert not errors_of(save(desk, change_address(found), **{field: "Plain words instead."}))
    found.refresh_from_db()
    assert getattr(found, field).strip() == "Plain words instead."


def test_a_heading_that_the_page_itself_uses_still_gets_an_address(desk, author):
    sheet = draft(author)
    add = f"{reverse('admin:factsheets_section_add')}?sheet={sheet.pk}"
    assert not errors_of(save(desk, add, kind="text", heading="Sources", body="Where to look."))
    assert sheet.sections.last().slug == "sources-2"
