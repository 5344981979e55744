"""An editor cuts a sheet into pages: with a name and a sentence that helps, kept in its history, and held to the same rules."""

import pytest
from django.urls import reverse

from factsheets import actions, revisions
from factsheets.models import Edition, Section
from tests.support.desk import change_address, desk_of, draft, errors_of, save, tree
from tests.support.edition import PART
from tests.support.edition import Edition as Fixtures
from tests.support.html import text
from tests.support.reading import page

pytestmark = pytest.mark.django_db


@pytest.fixture
def paged(author):
    """A draft with a second chapter."""
    sheet = draft(author)
    Section.objects.create(
        sheet=sheet, slug="second", position=20, heading="The second", body="Rest a little. [@NG59]\n"
    )
    actions.refresh(sheet=sheet)
    actions.keep_edition(sheet=sheet, by=author)
    return sheet


def test_a_name_on_a_chapter_makes_a_page_and_the_desk_shows_it_with_its_weight(desk, paged):
    response = save(desk, change_address(paged.sections.get(slug="second")), page_title="More to do")
    assert not errors_of(response)
    said = text(tree(desk.get(desk_of(paged))))
    assert "This sheet has 2 pages: 1. Overview (" in said
    assert "starts the page “More to do”" in said
    assert "slow on an old phone" not in said
    save(desk, change_address(paged), first_page_title="The start")
    assert "1. The start (" in text(tree(desk.get(desk_of(paged))))
    assert "Rest a little." in text(page(desk, f"{paged.get_absolute_url()}second/")), "Staff preview each page."


def test_the_desk_advises_to_cut_a_page_that_is_too_heavy(desk, paged):
    words = " ".join(f"{number * 7919 % 100_003}" for number in range(6_000))
    Section.objects.filter(sheet=paged, slug="second").update(body=f"{words}. [@NG59]\n")
    actions.refresh(sheet=paged)
    said = text(tree(desk.get(desk_of(paged))))
    assert f"“{paged.title}” is larger than 14.0 KB" in said
    assert "enter a name under “Starts a new page”" in said


def test_the_form_says_why_a_page_cannot_start_there_and_looks_at_where_the_section_goes(desk, paged):
    second = paged.sections.get(slug="second")
    first = save(desk, change_address(second), page_title="More", after="")
    assert "This is the first section" in errors_of(first)
    assert paged.sections.get(slug="second").page_title == ""
    add = f"{reverse('admin:factsheets_section_add')}?sheet={paged.pk}&after={second.pk}"
    kind = save(desk, add, kind="try", heading="Try this", body="- Walk.", page_title="More")
    assert "can only start with a chapter" in errors_of(kind)
    assert not errors_of(save(desk, add, kind="text", heading="A third", body="Walk. [@NG59]", page_title="More"))
    assert paged.sections.get(slug="a-third").page_title == "More"
    # The former first section goes behind the others, and may start a page there.
    assert not errors_of(
        save(desk, change_address(paged.sections.get(slug="first")), after=str(second.pk), page_title="Late")
    )
    assert [each.slug for each in paged.sections.all()] == ["second", "first", "a-third"]


def test_the_history_says_how_a_sheet_was_cut_and_puts_it_back(desk, author, paged):
    before = paged.editions.first()
    assert "page_title" not in str(before.content), "An edition without pages is what it was before there were pages."
    save(desk, change_address(paged.sections.get(slug="second")), page_title="More to do")
    after = paged.editions.first()
    assert after.changes == ["Changed: Pages"]
    [change] = revisions.changes(before.content, after.content)
    assert (change.field, change.before, change.after) == ("Pages", "", "Overview\nMore to do, from “The second”")
    actions.roll_back(edition=Edition.objects.get(pk=before.pk), by=author)
    paged.refresh_from_db()
    assert "pages" not in paged.document
    actions.roll_back(edition=Edition.objects.get(pk=after.pk), by=author)
    paged.refresh_from_db()
    assert [each["title"] for each in paged.document["pages"]] == ["Overview", "More to do"]


def test_the_name_of_a_page_passes_the_claims_guard_too(desk, public_sheet):
    Section.objects.create(sheet=public_sheet, slug="second", position=20, heading="Two", body="Rest. [@NG59]\n")
    actions.refresh(sheet=public_sheet)
    response = save(desk, change_address(public_sheet.sections.get(slug="second")), page_title="Acupuncture cures pain")
    assert "names of the pages" in errors_of(response)
    assert public_sheet.sections.get(slug="second").page_title == ""


def test_newer_content_cuts_a_sheet_and_leaves_alone_what_staff_cut_otherwise(tmp_path):
    fixtures = Fixtures(tmp_path)
    fixtures.load()
    fixtures.fields("second")["page_title"] = "The second part"
    fixtures.load()
    section = Section.objects.get(sheet__slug=PART, slug="second")
    assert section.page_title == "The second part"
    assert [each["slug"] for each in section.sheet.document["pages"]] == ["", "second"]
    Section.objects.filter(pk=section.pk).update(page_title="What staff call it")
    fixtures.fields("second")["page_title"] = "Another name"
    said = fixtures.load()
    section.refresh_from_db()
    assert section.page_title == "What staff call it"
    assert "Another name" in said
