"""A new sheet from nothing to published, in a real browser: an editor writes it, a clinician signs it."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from factsheets import actions
from factsheets.models import FactSheet, Section, UnsavedEdit
from tests.support.desk import change_address, draft, person, sign_in, with_password
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]


def test_an_editor_takes_a_sheet_from_empty_to_published_and_a_clinician_signs_it(browser, site):
    with_password(person("Edith", "editor"))
    with_password(person("Clive", "clinician"))
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as editor:
        page = editor.page
        sign_in(editor, "edith")
        page.locator(".model-factsheet").get_by_role("link", name="Add").click()
        page.get_by_label("Topic:", exact=True).select_option(label="Look after yourself")
        page.get_by_label("Title:", exact=True).fill("Walking with back pain")
        page.get_by_label("Summary:", exact=True).fill("How walking a little each day can help you keep going.")
        page.get_by_label("Who it is for:", exact=True).fill("For adults with back pain who want to keep moving.")
        page.get_by_label("Key points:", exact=True).fill(
            "- Walking is safe for most people.\n- Start small.\n- Build up slowly."
        )
        page.get_by_role("button", name="Save", exact=True).first.click()

        # The sheet's desk: nothing in it yet, and it says what is missing.
        assert page.get_by_role("heading", level=1).inner_text() == "Walking with back pain"
        expect(page.get_by_text("It has no text yet.")).to_be_visible()
        assert page.get_by_role("button", name="Send for clinical review").is_disabled()
        editor.expect_accessible()

        page.get_by_role("link", name="Add a section").click()
        page.get_by_label("Kind:", exact=True).select_option(label="text")
        page.get_by_label("Heading:", exact=True).fill("Why walk?")
        page.get_by_label("Text:", exact=True).fill("Walking is proven to cure back pain. [@NG59]")
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.get_by_text("The claims guard has stopped")).to_be_visible()
        expect(page.get_by_text("Do not promise a cure.")).to_be_visible()

        page.locator(".outline").get_by_role("link", name="Why walk?", exact=True).click()
        page.get_by_label("Text:", exact=True).fill("NICE suggests that you stay active.\n\nStart small. [@NG59]")
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.get_by_text("No wording has been stopped.")).to_be_visible()

        page.get_by_role("link", name="Add after “Why walk?”").click()
        page.get_by_label("Kind:", exact=True).select_option(label="figure")
        page.get_by_label("Drawing:", exact=True).select_option(index=1)
        page.get_by_role("button", name="Save", exact=True).first.click()
        editor.expect_accessible()

        # A preview at the address it will have, for staff only.
        page.get_by_role("link", name="Preview").click()
        expect(page.get_by_text("This page is draft. Only staff can see it.")).to_be_visible()
        # The emergency advice is not the author's to leave off.
        expect(page.get_by_text("Call 999").first).to_be_visible()
        with visitor(browser, site) as public:
            assert public.open("/fact-sheets/walking-with-back-pain/").status == 404
        editor.back()
        page.get_by_role("button", name="Send for clinical review").click()
        expect(page.get_by_text("is now in clinical review")).to_be_visible()
        assert page.get_by_role("button", name="Sign off and publish").count() == 0
        editor.expect_clean(cookies=True)

    with visitor(browser, site, viewport={"width": 360, "height": 740}) as clinician:
        page = clinician.page
        sign_in(clinician, "clive")
        page.get_by_role("link", name="Walking with back pain").click()
        clinician.expect_accessible()
        clinician.expect_no_sideways_scrolling()
        page.get_by_label("Next review due on").fill((timezone.localdate() + timedelta(days=180)).isoformat())
        page.get_by_role("button", name="Sign off and publish").click()
        expect(page.get_by_text("is now published")).to_be_visible()
        clinician.expect_clean(cookies=True)

    with visitor(browser, site, viewport={"width": 360, "height": 740}) as reader:
        reader.open("/fact-sheets/")
        reader.page.get_by_role("link", name="Walking with back pain").first.click()
        expect(reader.page.get_by_text("by Clive")).to_be_visible()
        assert reader.page.locator("figure img").count() == 1
        reader.expect_accessible()
        reader.expect_clean()
    sheet = FactSheet.objects.get(slug="walking-with-back-pain")
    assert [each.step for each in sheet.editions.order_by("number")] == [
        "edited",
        "edited",
        "edited",
        "edited",
        "submitted",
        "signed_off",
    ]
    assert sheet.sections.first().body == "NICE suggests that you stay active.\n\nStart small. [@NG59]"


def test_what_is_typed_is_previewed_and_kept_and_sections_are_dragged(browser, site):
    author = with_password(person("Edith", "editor"))
    sheet = draft(author)
    first = sheet.sections.get()
    second = Section.objects.create(
        sheet=sheet, slug="second", position=20, heading="The second part", body="Words. [@NG59]"
    )
    actions.refresh(sheet=sheet)
    with visitor(browser, site, viewport={"width": 1280, "height": 900}) as editor:
        page = editor.page
        sign_in(editor, "edith")
        editor.open(change_address(first))
        editor.expect_accessible()
        body = page.get_by_label("Text:", exact=True)
        body.fill("Walking cures back pain.")
        body.press("Control+a")
        page.get_by_role("button", name="Strong").click()
        assert body.input_value() == "**Walking cures back pain.**"
        page.get_by_label("Cite a source").fill("MU20")
        page.get_by_role("button", name="Cite", exact=True).click()
        assert body.input_value() == "**Walking cures back pain.** [@MU20]"
        expect(page.locator("#proof strong", has_text="Walking cures back pain.")).to_be_visible()
        expect(page.locator("#proof").get_by_text("Do not promise a cure.")).to_be_visible()
        expect(page.locator("#kept")).to_contain_text("Not saved yet.")
        parts = page.locator(".parts [data-section]")
        parts.nth(1).drag_to(parts.nth(0), target_position={"x": 6, "y": 2})
        expect(parts.nth(0)).to_have_attribute("data-section", str(second.pk))
        assert body.input_value() == "**Walking cures back pain.** [@MU20]"
        body.press("Control+End")
        body.press_sequentially(" Typed last.")
        page.goto("about:blank")  # at once, as a closed tab: the page sends it as it goes
        for _ in range(100):
            if "last" in UnsavedEdit.objects.get(part=f"section-{first.pk}").typed:
                break
            page.wait_for_timeout(100)
        editor.open(change_address(first))
        assert body.input_value().endswith("[@MU20] Typed last.")
        expect(page.get_by_text("have not saved it yet.")).to_be_visible()
        editor.expect_accessible()
        page.set_viewport_size({"width": 360, "height": 740})
        editor.expect_no_sideways_scrolling()
        editor.expect_accessible()
        page.get_by_role("button", name="Save", exact=True).first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("A new sheet")
        editor.expect_clean(cookies=True)
    first.refresh_from_db()
    assert first.body.strip() == "**Walking cures back pain.** [@MU20] Typed last."
    assert [each.slug for each in sheet.sections.all()] == ["second", "first"]
