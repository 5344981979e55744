"""A public page is changed without being taken down, in a real browser: corrected, drafted, talked about, published, put back."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from factsheets.models import FactSheet
from tests.support.desk import desk_of, person, published, sign_in, with_password
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
FIRST, FIXED, NEW = "Keep moving. [@NG59]", "Keep moving about. [@NG59]", "Keep moving for 10 minutes a day. [@NG59]"


def edit(page, words: str):
    """From the desk of the draft: the first section, with these words."""
    page.locator(".outline").get_by_role("link", name="The first part", exact=True).click()
    page.get_by_label("Text:", exact=True).fill(words)
    page.get_by_role("button", name="Save", exact=True).first.click()


def test_a_public_page_is_changed_without_being_taken_down(browser, site):
    edith, clive = with_password(person("Edith", "editor")), with_password(person("Clive", "clinician"))
    sheet = published(edith, clive)
    address = sheet.get_absolute_url()

    def readers_see() -> str:
        response = Client().get(address)
        assert response.status_code == 200
        return response.content.decode()

    with (
        visitor(browser, site, viewport={"width": 1280, "height": 900}) as editor,
        visitor(browser, site, viewport={"width": 360, "height": 740}) as clinician,
    ):
        page = editor.page
        sign_in(editor, "edith")
        # A slip, corrected by one person.
        editor.open(desk_of(sheet))
        page.get_by_role("button", name="Begin a draft").click()
        editor.expect_accessible()
        edit(page, FIXED)
        assert "moving about" not in readers_see()
        page.get_by_text("Publish as a small correction …").click()
        page.get_by_label("What you corrected").fill("A missing word.")
        page.get_by_role("button", name="Publish this correction now").click()
        expect(page.get_by_text("The reviewer will see this correction")).to_be_visible()
        assert "moving about" in readers_see()
        assert "Small corrections were made since a clinician signed this page off" in readers_see()

        # A change that a clinician must read.
        page.get_by_role("button", name="Begin a draft").click()
        edit(page, NEW)
        page.get_by_text("Publish as a small correction …").click()
        expect(page.get_by_text("A number, a source, or a word that can change the meaning")).to_be_visible()
        page.get_by_role("link", name="Compare with the published page").click()
        new, old = page.frame_locator("iframe").nth(0), page.frame_locator("iframe").nth(1)
        expect(new.get_by_text("for 10 minutes a day")).to_be_attached()
        expect(old.get_by_text("Keep moving about")).to_be_attached()
        expect(page.locator(".difference ins")).to_contain_text("for 10 minutes a day")
        editor.expect_accessible()
        page.locator("#content-main").get_by_role("link", name="Wide screen").click()
        page.locator(".breadcrumbs").get_by_role("link", name=sheet.title).click()
        page.get_by_role("button", name="Send for clinical review").click()
        expect(page.get_by_text("is now in clinical review")).to_be_visible()
        draft = page.url

        reader = clinician.page
        sign_in(clinician, "clive")
        expect(reader.get_by_text("A missing word.")).to_be_visible()
        reader.locator(".attention").get_by_role("link", name=sheet.title).first.click()
        reader.get_by_text("Comment on The first part").click()
        reader.locator("#comments-first").get_by_label("Comment", exact=True).fill("Ten minutes for whom?")
        reader.locator("#comments-first").get_by_role("button", name="Add this comment").click()
        expect(reader.get_by_text("Ten minutes for whom?")).to_be_visible()
        clinician.expect_accessible()
        clinician.expect_no_sideways_scrolling()
        reader.get_by_role("button", name="Sign off and publish").click()
        expect(reader.get_by_text("Resolve the comments first (1).")).to_be_visible()
        reader.get_by_text("Send back to the authors …").click()
        reader.get_by_label("Why", exact=True).fill("Please see my comment.")
        reader.get_by_role("button", name="Send back to the authors").click()
        expect(reader.get_by_text("is now draft")).to_be_visible()
        assert "10 minutes" not in readers_see()

        editor.open("/admin/")
        expect(page.get_by_role("heading", name="Sent back to you")).to_be_visible()
        editor.expect_accessible()
        page.goto(draft)
        page.get_by_role("button", name="Resolve the comment by Clive on The first part").click()
        edit(page, NEW.replace("Keep", "Most people can keep"))
        page.get_by_role("button", name="Send for clinical review").click()
        expect(page.get_by_text("is now in clinical review")).to_be_visible()

        reader.goto(draft)
        reader.get_by_label("Next review due on").fill((timezone.localdate() + timedelta(days=180)).isoformat())
        reader.get_by_role("button", name="Sign off and publish").click()
        expect(reader.get_by_text("is now published")).to_be_visible()
        assert "Most people can keep moving for 10 minutes a day." in readers_see()

        # And back to what Clive had signed before.
        signed_first = sheet.editions.filter(step="signed_off").order_by("number").first()
        editor.open(f"/admin/factsheets/factsheet/{sheet.pk}/editions/{signed_first.number}/")
        page.get_by_role("button", name="Restore this edition").click()
        expect(page.get_by_text("restored, with the signature of")).to_be_visible()
        assert "10 minutes" not in readers_see().split("What changed")[0]
        editor.expect_clean(cookies=True)
        clinician.expect_clean(cookies=True)
    assert [each.step for each in FactSheet.objects.get(pk=sheet.pk).editions.order_by("number")][3:] == [
        *("drafted", "edited", "corrected"),
        *("drafted", "edited", "submitted", "sent_back", "edited", "submitted", "signed_off"),
        "restored",
    ]
