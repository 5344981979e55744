"""What the desk says about an author's words: what the claims guard stops, which reason allows it, and how readable they are."""

import pytest
from django.urls import reverse

from factsheets import actions
from factsheets.models import FactSheet, Figure, GlossaryTerm, GuardOverride, Source, State
from factsheets.publishing_rules import obstacles
from factsheets.rendering.document import build
from tests.support.desk import change_address, desk_of, draft, errors_of, move, save, signed, values_of
from tests.support.html import text, tree

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CURE = "Acupuncture cures back pain. [@NG59]"


@pytest.mark.long
def test_what_the_guard_stops_stays_in_the_draft_until_a_reason_is_kept_with_it(desk, public_sheet, author, reviewer):
    save(desk, change_address(public_sheet.sections.get()), body=CURE)
    new = public_sheet.open_draft
    assert "Do not promise a cure." in text(tree(move(desk, new, "submitted")))
    with pytest.raises(actions.MoveRefused, match="cure"):
        actions.correct(draft=new, by=author, reason="A missing word.")
    reason = "It quotes what an advert said, to warn of it. NICE says no."
    for obstacle in obstacles(new):
        actions.let_stand(sheet=new, finding=obstacle.finding, reason=reason, by=author)
    with pytest.raises(actions.MoveRefused, match="Send it for clinical review"):
        actions.correct(draft=new, by=author, reason="A missing word.")
    assert reason in text(tree(desk.get(desk_of(new))))
    assert "cures" not in str(FactSheet.objects.get(pk=public_sheet.pk).document)
    signed(public_sheet, author, reviewer)
    assert "cures" in str(public_sheet.document)
    assert {(each.actor, each.reason) for each in GuardOverride.objects.filter(sheet=public_sheet)} == {
        ("Edith", reason)
    }
    # The next sentence needs its own reason.
    save(desk, change_address(public_sheet.sections.get()), body="It cures everything. [@NG59]")
    assert obstacles(public_sheet.open_draft)


@pytest.mark.long
def test_a_draft_may_say_anything_and_the_desk_shows_what_is_stopped(desk, author):
    sheet = draft(author)
    assert not errors_of(save(desk, change_address(sheet.sections.get()), body=CURE))
    shown = tree(desk.get(desk_of(sheet)))
    assert "Acupuncture cures back pain." in text(shown)
    assert "Do not promise a cure." in text(shown)
    [key, *_] = [each.get("value") for each in shown.iter("input") if each.get("name") == "key"]
    address = reverse("admin:factsheets_factsheet_let_stand", args=[sheet.pk])
    response = desk.post(address, {"key": key, "reason": "no"}, follow=True)
    assert "Give a reason in one sentence" in text(tree(response))
    desk.post(address, {"key": key, "reason": "A quotation from an advert."})
    assert GuardOverride.objects.get(key=key).reason == "A quotation from an advert."
    assert "already been changed" in text(tree(desk.post(address, {"key": "gone", "reason": "x y z"}, follow=True)))


@pytest.mark.long
def test_a_roll_back_to_words_that_may_not_be_public_goes_into_the_draft(desk, author, reviewer):
    sheet = draft(author)
    save(desk, change_address(sheet.sections.get()), body=CURE)
    save(desk, change_address(sheet.sections.get()), body="Keep moving. [@NG59]")
    actions.transition(sheet=sheet, step="submitted", by=author)
    FactSheet.objects.filter(pk=sheet.pk).update(state=State.PUBLISHED)
    response = desk.post(reverse("admin:factsheets_factsheet_edition", args=[sheet.pk, 2]), follow=True)
    assert "Version 2 copied to the draft." in text(tree(response))
    assert sheet.sections.get().body.strip() == "Keep moving. [@NG59]"
    assert sheet.open_draft.sections.get().body.strip() == CURE


@pytest.mark.parametrize(
    ("record", "field"),
    [
        (lambda: Figure.objects.get(slug="spine-24-bones"), "long_description"),
        (lambda: GlossaryTerm.objects.get(slug="sciatica"), "meaning"),
    ],
    ids=["figure", "glossary"],
)
@pytest.mark.long
def test_the_guard_also_reads_what_several_sheets_share(desk, record, field):
    found = record()
    before = getattr(found, field)
    response = save(desk, change_address(found), **{field: "Acupuncture is proven to cure this."})
    assert "Do not promise a cure." in errors_of(response)
    assert values_of(response)[field] == "Acupuncture is proven to cure this."
    found.refresh_from_db()
    assert getattr(found, field) == before
    plain = save(desk, change_address(found), **{field: "Plain words instead."})
    assert "Do not promise a cure." not in errors_of(plain)
    assert "A clinician must publish this" in errors_of(plain), "Nobody read it in the sheets that were signed."
    found.refresh_from_db()
    assert getattr(found, field) == before


def test_the_desk_says_how_easy_the_words_are_and_stops_nothing_for_it(desk, public_sheet):
    long = " ".join(["Keep", *["gently"] * 30, "moving."])
    save(desk, change_address(public_sheet.sections.get()), body=f"{long} Osteopathically speaking. [@NG59]")
    shown = " ".join(text(tree(desk.get(desk_of(public_sheet.open_draft)))).split())
    assert "1 sentence of more than 28 words" in shown
    assert "The first part (32 words)" in shown
    assert "osteopathically" in shown
    assert "Reading grade" in shown


def test_the_desk_lists_the_sources_that_somebody_still_has_to_check(desk, sheet):
    shown = " ".join(text(tree(desk.get(desk_of(sheet)))).split())
    assert "still to be checked What we say of anatomy, in this edition" in shown
    assert "based on general knowledge" in shown


@pytest.mark.long
def test_a_sheet_whose_source_a_reader_cannot_find_or_date_is_not_published_until_it_can(desk, sheet):
    assert not [each.text for each in obstacles(sheet) if "may cite it" in each.text]
    source = Source.objects.get(key="NHS-PMR")
    Source.objects.filter(pk=source.pk).update(url="", accessed=None)
    shown = " ".join(text(tree(desk.get(desk_of(sheet)))).split())
    wanted = (
        "The source “Polymyalgia rheumatica (NHS-PMR)” needs a link or an ISBN and a year or the date when it was read "
        "before a published sheet"
    )
    assert wanted in shown
    listed = " ".join(text(tree(desk.get(reverse("admin:factsheets_source_changelist"), {"q": "NHS-PMR"}))).split())
    assert "A link or an ISBN and a year or the date when it was read" in listed
    Source.objects.filter(pk=source.pk).update(isbn="9780702077050", accessed="2026-11-29")
    assert wanted not in " ".join(text(tree(desk.get(desk_of(sheet)))).split())
    built = {each["key"]: each for each in build(sheet)["references"]}
    assert built["NHS-PMR"]["text"].endswith("NHS. Polymyalgia rheumatica. ISBN 9780702077050. Accessed November 2026.")
    assert built["PENGEL03"]["url"] == "https://doi.org/10.1136/bmj.327.7410.323"
