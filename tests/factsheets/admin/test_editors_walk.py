"""The editors' desk in a real browser: a public page changed without being taken down, and a new one written from nothing."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from factsheets.models import FactSheet, Figure, SafetyAdvice, SearchQuestions, Statement, UnsavedEdit
from tests.support.desk import desk_of, person, published, sign_in, with_password
from tests.support.outbox import deliver, text_of
from tests.support.visitor import visitor

pytestmark = [pytest.mark.browser, pytest.mark.once]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
FLAG = "you cannot hold your pee, and it is new"


@pytest.fixture
def edith(transactional_db):
    return with_password(person("Edith", "editor"))


@pytest.fixture
def clive(transactional_db):
    return with_password(person("Clive", "clinician"))


def test_a_public_page_is_changed_by_two_people_and_answers_throughout(browser, site, edith, clive, mail_through):
    sheet = published(edith, clive)
    address = sheet.get_absolute_url()

    def readers_see() -> str:
        response = Client().get(address)
        assert response.status_code == 200
        return " ".join(response.content.decode().split())

    with visitor(browser, site, viewport=WIDE) as editor, visitor(browser, site, viewport=PHONE) as clinician:
        page, reader = editor.page, clinician.page

        def open_first_section():
            page.locator(".outline").get_by_role("link", name="The first part", exact=True).click()

        def press(name: str, of=page):
            of.get_by_role("button", name=name, exact=True).first.click()

        sign_in(editor, "edith")
        sign_in(clinician, "clive")

        # A slip, corrected by one person: the words, a reason, one press.
        editor.open(desk_of(sheet))
        press("Begin a draft")
        open_first_section()
        page.get_by_label("Text:", exact=True).fill("Keep moving about. [@NG59]")
        editor.expect_accessible()
        assert "moving about" not in readers_see()
        page.get_by_label("What you corrected").fill("A missing word.")
        press("Publish this correction now")
        expect(page.get_by_text("The reviewer will see this correction")).to_be_visible()
        assert "moving about" in readers_see()
        assert "Small corrections were made since a clinician signed this page off" in readers_see()

        # A change that a clinician must read: a number, and a source found by words of it.
        press("Begin a draft")
        editor.expect_accessible()
        open_first_section()
        page.get_by_label("Text:", exact=True).fill("Keep moving for 10 minutes a day.")
        page.get_by_label("Cite a source").fill("sciatica over 16s assessment")
        page.get_by_label("Cite a source").press("Enter")
        expect(page.get_by_label("Text:", exact=True)).to_have_value("Keep moving for 10 minutes a day. [@NG59]")
        page.get_by_label("What you corrected").fill("Ten minutes.")
        press("Publish this correction now")
        expect(page.get_by_text("Send it for clinical review. Your words are saved in this draft.")).to_be_visible()
        expect(page.get_by_label("What should the reviewer know?")).to_have_value("Ten minutes.")
        draft = page.url.partition("#")[0]
        page.get_by_role("link", name="Compare with the published page").click()
        new, old = page.frame_locator("iframe").nth(0), page.frame_locator("iframe").nth(1)
        expect(new.get_by_text("for 10 minutes a day")).to_be_attached()
        expect(old.get_by_text("Keep moving about")).to_be_attached()
        expect(page.locator(".difference ins")).to_contain_text("for 10 minutes a day")
        editor.expect_accessible()
        assert page.locator(".difference ins").bounding_box()["y"] < WIDE["height"], (
            "Beside the pages, and not below them."
        )
        page.locator("#content-main").get_by_role("link", name="Wide screen").click()
        expect(new.get_by_text("for 10 minutes a day")).to_be_attached()
        frames = [page.locator("iframe").nth(each).bounding_box() for each in (0, 1)]
        assert 100 < frames[0]["y"] == frames[1]["y"] < WIDE["height"] / 2, "Side by side, below the heading."
        page.locator(".breadcrumbs").get_by_role("link", name=sheet.title).click()
        leaflet = page.get_by_role("link", name="Leaflet (PDF)").get_attribute("href")
        assert page.request.get(leaflet).body().startswith(b"%PDF")
        page.get_by_label("What should the reviewer know?").fill("NICE names a number.")
        press("Send for clinical review")
        expect(page.get_by_text("is now in clinical review")).to_be_visible()
        assert "10 minutes" not in readers_see()

        # The reviewer is emailed, sees it first, comments, and sends it back with a note.
        deliver()
        assert mail_through.recipients[-1] == ["clive@example.com"]
        clinician.open("/admin/")
        expect(reader.get_by_text("A missing word.")).to_be_visible()
        assert reader.locator(".to-review").bounding_box()["y"] < PHONE["height"] / 2, "First on a phone."
        assert reader.locator(f'a[href="{desk_of(sheet.open_draft)}"]').count() == 1, "It is not said twice."
        clinician.expect_accessible()
        reader.locator(".to-review").get_by_role("link", name=sheet.title).click()
        # Who asks and why, what changes, the page itself, and then the answer.
        expect(reader.get_by_text("Edith asked for a review")).to_contain_text("NICE names a number.")
        order = [
            reader.get_by_text("Edith asked for a review"),
            reader.locator(".difference ins").first,
            reader.get_by_role("link", name="Compare with the published page"),
            reader.get_by_role("button", name="Sign off and publish"),
            reader.get_by_text("Send back to the authors …"),
            reader.get_by_role("heading", name="Sections"),
        ]
        places = [each.bounding_box()["y"] for each in order]
        assert places == sorted(places)
        assert places[1] < PHONE["height"], "The difference is on the first screen."
        reader.get_by_text("Comment on The first part").click()
        reader.locator("#comments-first").get_by_label("Comment", exact=True).fill("Ten minutes for whom?")
        press("Add this comment", reader.locator("#comments-first"))
        expect(reader.locator("#comments-first").get_by_text("Ten minutes for whom?")).to_be_visible()
        expect(reader.locator("[aria-labelledby=open-comments]")).to_contain_text("Ten minutes for whom?")
        clinician.expect_accessible()
        clinician.expect_no_sideways_scrolling()
        press("Sign off and publish", reader)
        expect(reader.get_by_text("Resolve the comments first (1).")).to_be_visible()
        reader.get_by_text("Send back to the authors …").click()
        reader.get_by_label("Why", exact=True).fill("Please see my comment.")
        press("Send back to the authors", reader)
        expect(reader.get_by_text("is now a draft")).to_be_visible()
        assert "10 minutes" not in readers_see()

        # The author is emailed, resolves the comment, and sends it again.
        deliver()
        assert mail_through.recipients[-1] == ["edith@example.com"]
        assert desk_of(sheet.open_draft) in text_of(mail_through.messages[-1])
        editor.open("/admin/")
        expect(page.get_by_role("heading", name="Sent back to you")).to_be_visible()
        editor.expect_accessible()
        page.goto(draft)
        expect(page.get_by_text("Please see my comment.").first).to_be_visible()
        press("Resolve the comment by Clive on The first part")
        expect(page.get_by_text("Resolved by Edith")).to_be_visible()
        open_first_section()
        page.get_by_label("Text:", exact=True).fill("Most people can keep moving for 10 minutes a day. [@NG59]")
        press("Save")
        press("Send for clinical review")
        expect(page.get_by_text("is now in clinical review")).to_be_visible()
        reader.goto(draft)
        reader.get_by_label("Next review due on").fill((timezone.localdate() + timedelta(days=180)).isoformat())
        assert "10 minutes" not in readers_see()
        press("Sign off and publish", reader)
        expect(reader.get_by_text("is now published")).to_be_visible()
        assert "Most people can keep moving for 10 minutes a day." in readers_see()

        # Back to what Clive had signed before, with that signature.
        signed_first = sheet.editions.filter(step="signed_off").order_by("number").first()
        editor.open(f"/admin/factsheets/factsheet/{sheet.pk}/editions/{signed_first.number}/")
        editor.expect_accessible()
        press("Restore this edition")
        expect(page.get_by_text("restored, with the signature of")).to_be_visible()
        assert "10 minutes" not in readers_see().split("What changed")[0]
        assert FactSheet.objects.get(pk=sheet.pk).review_due_on == signed_first.review_due_on

        # A red flag, which takes two people.
        editor.open("/admin/factsheets/safetyadvice/")
        page.get_by_role("link", name="Edit new trouble peeing").click()
        page.locator("#id_text").fill(FLAG)
        page.get_by_text("Kept for you at").wait_for()
        editor.open("/admin/factsheets/safetyadvice/")
        page.get_by_role("link", name="Edit new trouble peeing").click()
        expect(page.locator("#id_text")).to_have_value(FLAG)
        expect(page.get_by_text("You typed this at")).to_be_visible()
        editor.expect_accessible()
        press("Save to draft")
        press("Send for approval")
        expect(page.get_by_text("Sent. A clinician")).to_be_visible()
        editor.expect_accessible()
        assert SafetyAdvice.objects.get(code="RF-E2").text != FLAG
        clinician.open("/admin/factsheets/safetyadvice/")
        reader.get_by_role("link", name="Read and approve").click()
        clinician.expect_accessible()
        reader.locator("#id_confirm").check()
        press("Approve and publish", reader)
        expect(reader.get_by_text("Published: red flags")).to_be_visible()
        assert FLAG in " ".join(Client().get("/get-help-now/").content.decode().split()).lower()
        readers_see()
        editor.expect_clean(cookies=True)
        clinician.expect_clean(cookies=True)
    assert [each.step for each in FactSheet.objects.get(pk=sheet.pk).editions.order_by("number")][3:] == [
        *("drafted", "edited", "corrected"),
        *("drafted", "edited", "submitted", "sent_back", "edited", "submitted", "signed_off"),
        "restored",
    ]


def test_a_new_sheet_is_written_on_one_page_with_nothing_known_by_heart_and_nothing_lost(browser, site, edith):
    bones, heat = Figure.objects.get(slug="spine-24-bones"), Statement.objects.get(key="heat-for-recent-pain")
    with visitor(browser, site, viewport=WIDE) as editor:
        page = editor.page

        def press(name: str):
            page.get_by_role("button", name=name, exact=True).first.click()

        sign_in(editor, "edith")
        page.locator(".model-factsheet").get_by_role("link", name="Add").click()
        page.get_by_label("Topic:", exact=True).select_option(label="Look after yourself")
        page.get_by_label("Title:", exact=True).fill("Walking with back pain")
        press("Save")
        page.get_by_label("Summary:", exact=True).fill("How walking a little each day can help you keep going.")
        page.get_by_label("Who it is for:", exact=True).fill("For adults with back pain who want to keep moving.")
        expect(page.locator("#kept")).to_contain_text("Not saved yet.")
        page.get_by_label("First drawing:", exact=True).fill(bones.title)
        page.get_by_label("First drawing:", exact=True).press("Enter")
        expect(page.locator(".picked")).to_contain_text(bones.title)
        expect(page.get_by_label("Summary:", exact=True)).to_have_value(
            "How walking a little each day can help you keep going."
        )
        page.get_by_label("Key points:", exact=True).fill(
            "Walking is safe for most people.\nStart small.\nBuild up slowly."
        )
        editor.expect_accessible()
        # A section, without saving the first page: it is kept, and Save saves both.
        page.get_by_role("button", name="Add a section below “For those who want more, folded”").click()
        page.get_by_label("Heading:", exact=True).fill("Why walk?")
        body = page.get_by_label("Text:", exact=True)
        body.fill("Walking cures back pain.")
        body.press("Control+a")
        press("Strong")
        assert body.input_value() == "**Walking cures back pain.**"
        body.fill("Rest a little.\nWalk a little.")
        body.press("Control+a")
        press("Numbered list")
        assert body.input_value() == "1. Rest a little.\n2. Walk a little."
        body.fill("")
        press("Table")
        press("Table")
        head, row = "| Sign | What to do |\n| --- | --- |", "| words | words |"
        assert body.input_value() == f"{head}\n{row}\n{row}"
        expect(page.get_by_label("Kind:", exact=True)).to_have_value("table")
        expect(page.locator("#proof").get_by_text("What to do").first).to_be_visible()
        page.get_by_label("Kind:", exact=True).select_option("text")
        body.fill("**Walking cures back pain.**")
        asked = page.get_by_label("Patients’ questions that this answers")
        assert asked.bounding_box()["y"] < WIDE["height"] / 2, "Beside the text, and not below it."
        asked.fill("should i go for walks")
        # As the browser fills it in from the list, with the cursor inside a word.
        named = page.locator("#known-sources option[data-key=NG59]").get_attribute("value")
        assert named.startswith("Low back pain and sciatica in over 16s") and named.endswith(" (NG59)")
        body.evaluate("body => body.setSelectionRange(6, 6)")
        page.get_by_label("Cite a source").fill(named)
        page.get_by_label("Cite a source").press("Enter")
        expect(body).to_have_value("**Walking [@NG59] cures back pain.**")
        body.fill("**Walking cures back pain.** [@NG59]")
        expect(page.locator("#proof strong", has_text="Walking cures back pain.")).to_be_visible()
        expect(page.locator("#proof").get_by_text("Do not promise a cure.")).to_be_visible()
        editor.expect_accessible()
        press("Save")
        # The sheet's desk says what is missing.
        assert page.get_by_role("heading", level=1).inner_text() == "Walking with back pain"
        sheet = FactSheet.objects.get(slug="walking-with-back-pain")
        assert (sheet.lead_figure, sheet.sections.count()) == (bones, 1)
        assert SearchQuestions.objects.get(place=f"{sheet.slug}#why-walk").questions == ["should i go for walks"]
        expect(page.get_by_text("The claims guard has stopped")).to_be_visible()
        assert page.get_by_role("button", name="Send for clinical review").is_disabled()
        editor.expect_accessible()

        # What the evidence says, picked by words of it.
        page.get_by_role("link", name="Add after “Why walk?”").click()
        page.get_by_label("Heading:", exact=True).fill("What the evidence says")
        page.get_by_label("Layer:", exact=True).select_option("more")
        page.get_by_label("Show what the evidence says").fill(heat.claim)
        page.get_by_label("Show what the evidence says").press("Enter")
        expect(page.locator(".statements")).to_contain_text(heat.claim)
        expect(page.locator("#proof")).to_contain_text(heat.claim)
        editor.expect_accessible()
        press("Save")
        assert sheet.sections.last().evidence == [heat]
        for form in ("statement/add/", "source/add/", f"statement/{heat.pk}/change/"):
            editor.open(f"/admin/factsheets/{form}")
            editor.expect_accessible()
        # Its users are a long list, folded above the form.
        assert page.get_by_label("Claim:", exact=True).bounding_box()["y"] < WIDE["height"] / 2
        page.get_by_text(re.compile(r"^Who uses this \(\d+\)$")).click()
        expect(page.locator(".uses").get_by_role("link", name="Walking with back pain").first).to_be_visible()
        # What is typed here is kept too, also by a click elsewhere at once.
        page.get_by_label("Claim:", exact=True).fill("Words that nobody saved")
        editor.open(desk_of(sheet))
        editor.open(f"/admin/factsheets/statement/{heat.pk}/change/")
        expect(page.get_by_label("Claim:", exact=True)).to_have_value("Words that nobody saved")
        press("Discard it")
        expect(page.get_by_label("Claim:", exact=True)).to_have_value(heat.claim)
        # A file is not: the browser asks before a click elsewhere loses it.
        asked = []
        page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
        editor.open(f"/admin/factsheets/figure/{bones.pk}/change/")
        page.locator("#id_upload").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"x"})
        editor.open(desk_of(sheet))
        assert asked == ["beforeunload"]

        # A colleague saves in between: that is said at the top, the whole width, with the text right below it.
        page.locator(".outline").get_by_role("link", name="Why walk?", exact=True).click()
        mine = body.input_value()
        body.fill(f"{mine} Mine.")
        sheet.sections.filter(slug="why-walk").update(body="Theirs.")
        press("Save")
        said = page.locator(".errorlist", has_text="saved this while you had it open.").bounding_box()
        assert said["y"] < WIDE["height"] / 2 and said["width"] > page.locator(".proofing").bounding_box()["width"] * 2
        assert page.locator(".conflict dd").last.bounding_box()["y"] < WIDE["height"], "Both texts, without scrolling."
        expect(page.locator(".conflict del")).to_have_text("Theirs.")
        expect(page.locator(".conflict ins").last).to_contain_text("Mine.")
        editor.expect_accessible()
        body.fill(mine)
        press("Save mine over theirs")

        # Sections are dragged, a tab is closed on words that nobody saved, and they are there again on a phone.
        page.locator(".outline").get_by_role("link", name="Why walk?", exact=True).click()
        first = page.url
        parts = page.locator(".parts [data-section]")
        last = parts.nth(1).get_attribute("data-section")
        body.fill("NICE suggests that you stay active. [@NG59]")
        parts.nth(1).drag_to(parts.nth(0), target_position={"x": 6, "y": 2})
        expect(parts.nth(0)).to_have_attribute("data-section", last)
        expect(body).to_have_value("NICE suggests that you stay active. [@NG59]")
        body.press("Control+End")
        body.press_sequentially(" Typed last.")
        page.goto("about:blank")  # at once, as a closed tab: the page sends it as it goes
        for _ in range(100):
            if UnsavedEdit.objects.filter(typed__contains="last").exists():
                break
            page.wait_for_timeout(100)
        page.set_viewport_size(PHONE)
        page.goto(first)
        expect(body).to_have_value("NICE suggests that you stay active. [@NG59] Typed last.")
        expect(page.get_by_text("have not saved it yet.")).to_be_visible()
        editor.expect_no_sideways_scrolling()
        editor.expect_accessible()
        press("Save")
        expect(page.get_by_text("No wording has been stopped.")).to_be_visible()

        # A preview at the address it will have, for staff only.
        page.get_by_role("link", name="Preview").click()
        expect(page.get_by_text("This page is a draft. Only staff can see it.")).to_be_visible()
        expect(page.get_by_text("Call 999").first).to_be_visible()  # not the author's to leave off
        assert Client().get("/fact-sheets/walking-with-back-pain/").status_code == 404
        editor.back()
        press("Send for clinical review")
        expect(page.get_by_text("is now in clinical review")).to_be_visible()
        assert page.get_by_role("button", name="Sign off and publish").count() == 0
        editor.expect_clean(cookies=True)
