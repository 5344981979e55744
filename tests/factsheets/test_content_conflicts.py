"""An upgrade of the content after a staff edit: the edit stays, the desk shows both texts, and somebody decides."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from factsheets import actions
from factsheets.models import Edition, FactSheet, InstalledRecord, Section, Source
from tests.support.desk import (
    change_address,
    desk_of,
    draft_of,
    errors_of,
    person,
    published_draft,
    save,
    signed,
    take,
)
from tests.support.edition import PART
from tests.support.edition import Edition as Fixtures
from tests.support.html import text, tree

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def desk(client):
    client.force_login(person("Edith", "editor"))
    return client


@pytest.fixture
def fixtures(tmp_path):
    made = Fixtures(tmp_path, alone=True)
    made.load()
    return made


@pytest.fixture
def differing(fixtures, desk):
    """Staff changed a section; a newer edition of the content changed it too."""
    section = Section.objects.get(sheet__slug=PART, slug="first")
    assert not errors_of(save(desk, change_address(section), body="Our own words. [@EDA]"))
    actions.correct(draft=section.sheet.open_draft, by=User.objects.get(username="edith"), reason="Our own words.")
    fixtures.fields("first")["body"] = "Newer words. [@EDB]\n"
    said = fixtures.load()
    assert "kept your edit: factsheets.section a-sheet first, body" in said
    return section


def settle(client, take: str):
    installed = InstalledRecord.objects.exclude(offered={}).get()
    values = {"record": installed.pk, "field": "body", "take": take}
    return client.post(reverse("admin:factsheets_offers"), values, follow=True)


@pytest.mark.long
def test_the_desk_shows_both_texts(desk, differing):
    assert "differs from your changes in 1 place" in text(tree(desk.get(desk_of(differing.sheet))))
    assert "New site content differs from your changes" in text(tree(desk.get("/admin/")))
    shown = tree(desk.get(reverse("admin:factsheets_offers")))
    assert "Our own" in " ".join(text(each) for each in shown.iter("del"))
    assert "Newer" in " ".join(text(each) for each in shown.iter("ins"))


def test_the_newer_words_wait_in_a_draft_and_ours_stay_in_the_history(desk, differing, client, fixtures, reviewer):
    said = text(tree(settle(desk, "newer")))
    assert "The new wording is in the draft. Readers see it once that is published." in said
    assert "Use the new wording" not in said.partition("Newer")[2]
    assert "Our own words." in client.get(f"/fact-sheets/{PART}/").content.decode()
    assert "differs from your changes" in text(tree(desk.get(desk_of(differing.sheet)))), "Until it is published."
    signed(differing.sheet, User.objects.get(username="edith"), reviewer)
    assert "Newer words." in client.get(f"/fact-sheets/{PART}/").content.decode()
    newest, before = Edition.objects.filter(sheet=differing.sheet, public=True)[:2]
    assert newest.actor == "Clive"
    assert before.content["sections"][0]["body"] == "Our own words. [@EDA]\n"
    assert "No differences to settle." in text(tree(desk.get(reverse("admin:factsheets_offers"))))
    assert "kept your edit" not in fixtures.load()
    fixtures.fields("first")["body"] = "Newest words. [@EDB]\n"
    fixtures.load()
    differing.refresh_from_db()
    assert differing.body == "Newest words. [@EDB]\n", "A settled text no longer counts as a staff edit."


@pytest.mark.long
def test_keeping_ours_stays_silent_until_the_content_changes_again(desk, differing, fixtures):
    assert "Your wording was kept." in text(tree(settle(desk, "ours")))
    assert "kept your edit" not in fixtures.load()
    differing.refresh_from_db()
    assert differing.body == "Our own words. [@EDA]\n"
    fixtures.fields("first")["body"] = "Newest words. [@EDB]\n"
    assert "kept your edit" in fixtures.load()


def test_newer_words_replace_none_that_an_editor_has_in_the_draft(desk, differing, fixtures):
    save(desk, change_address(differing), body="Half a thought. [@EDA]")
    assert "The open draft has words of its own there." in text(tree(settle(desk, "newer")))
    assert differing.sheet.open_draft.sections.get(slug="first").body == "Half a thought. [@EDA]\n"
    assert InstalledRecord.objects.exclude(offered={}).count() == 1


@pytest.mark.long
def test_a_second_click_and_a_deleted_record_are_answered_in_words(desk, differing):
    installed = InstalledRecord.objects.exclude(offered={}).get()
    values = {"record": installed.pk, "field": "body", "take": "ours"}
    desk.post(reverse("admin:factsheets_offers"), values)
    again = desk.post(reverse("admin:factsheets_offers"), values, follow=True)
    assert "That has already been settled." in text(tree(again))
    assert desk.post(reverse("admin:factsheets_offers"), {"record": "0"}).status_code == 410
    assert desk.post(reverse("admin:factsheets_offers"), {}).status_code == 410


def test_a_source_shared_by_sheets_can_be_settled_too(desk, fixtures):
    Source.objects.filter(key="EDA").update(title="Ours")
    fixtures.fields("EDA")["title"] = "Theirs"
    fixtures.load()
    installed = InstalledRecord.objects.exclude(offered={}).get()
    desk.post(reverse("admin:factsheets_offers"), {"record": installed.pk, "field": "title", "take": "newer"})
    assert Source.objects.get(key="EDA").title == "Ours"
    # Another title may be another source: a clinician publishes it.
    shared = draft_of(Source.objects.get(key="EDA"))
    assert take(desk, shared, "publish").status_code == 422 and Source.objects.get(key="EDA").title == "Ours"
    published_draft(shared, person("Clive", "clinician"))
    assert Source.objects.get(key="EDA").title == "Theirs"
    assert "Theirs." in str(FactSheet.objects.get(slug=PART).document["references"])


@pytest.mark.long
def test_opening_and_saving_a_form_unchanged_is_no_staff_edit(desk, fixtures):
    """Browsers end lines with CR LF and forms strip the ends: neither may look like an edit to the next upgrade."""
    section = Section.objects.get(sheet__slug=PART, slug="first")
    section.body = "First line.\n\n- one\n- two [@EDA]\n"
    fixtures.fields("first")["body"] = section.body
    fixtures.load()
    assert not errors_of(save(desk, change_address(section), body=section.body.replace("\n", "\r\n")))
    sheet = FactSheet.objects.get(slug=PART)
    save(desk, change_address(sheet), key_points=sheet.key_points.replace("\n", "\r\n"))
    fixtures.fields("first")["body"] = "Newer words. [@EDB]\n"
    fixtures.fields(PART)["key_points"] = "- New.\n- Newer.\n- Newest.\n"
    assert "kept your edit" not in fixtures.load()
    section.refresh_from_db()
    assert section.body == "Newer words. [@EDB]\n"


@pytest.mark.long
def test_reception_settles_nothing(client, differing):
    client.force_login(person("Rita", "reception"))
    assert client.get(reverse("admin:factsheets_offers")).status_code == 403
    assert settle(client, "newer").status_code == 403
    client.force_login(person("Clive", "clinician"))
    assert client.get(reverse("admin:factsheets_offers")).status_code == 200
    assert settle(client, "newer").status_code == 403
