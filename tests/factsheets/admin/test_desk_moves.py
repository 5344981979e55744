"""draft → in clinical review → published → retired: who may move a sheet on, and what prevents it."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from factsheets import actions
from factsheets.models import Claim, FactSheet, SafetyAdvice, Section, State, Step
from factsheets.templatetags import desk as desk_tags
from tests.support.desk import change_address, desk_of, draft, errors_of, move, person, published, save
from tests.support.html import text, tree
from tests.support.reading import page
from tests.support.statements import stated

pytestmark = pytest.mark.django_db
NEXT_YEAR = timezone.localdate() + timedelta(days=360)


def said(response) -> str:
    return " ".join(str(each) for each in response.context["messages"])


def buttons(client, sheet) -> list[str]:
    return [text(each) for each in tree(client.get(desk_of(sheet))).iter("button")]


def test_a_sheet_goes_from_draft_to_published_with_a_second_person_signing(desk, author, reviewer, client):
    sheet = draft(author)
    assert "in clinical review" in said(move(desk, sheet, "submitted"))
    desk.force_login(reviewer)
    response = move(desk, sheet, "signed_off", review_due_on=NEXT_YEAR.isoformat())
    assert "is now published" in said(response)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.reviewed_by, sheet.reviewed_on) == (State.PUBLISHED, reviewer, timezone.localdate())
    assert sheet.review_due_on == NEXT_YEAR
    client.logout()
    public = text(page(client, sheet.get_absolute_url()))
    assert "by Clive" in public
    assert "Awaiting clinical review" not in public


def test_nobody_signs_off_their_own_words_not_even_the_owner(staff_client, staff):
    sheet = draft(staff)
    actions.transition(sheet=sheet, step=Step.SUBMITTED, by=staff)
    response = move(staff_client, sheet, "signed_off", review_due_on=NEXT_YEAR.isoformat())
    assert "another clinician must review it" in said(response)
    sheet.refresh_from_db()
    assert (sheet.state, sheet.reviewed_on) == (State.IN_REVIEW, None)


def test_an_editor_who_did_not_write_it_still_may_not_sign(desk, author, reviewer):
    other = person("Emma", "editor")
    sheet = draft(other)
    actions.transition(sheet=sheet, step=Step.SUBMITTED, by=other)
    assert "Only a clinician can sign off" in said(move(desk, sheet, "signed_off", review_due_on=NEXT_YEAR.isoformat()))
    assert "Sign off" not in text(tree(desk.get(desk_of(sheet))))


@pytest.mark.long
def test_a_clinician_who_changed_a_word_since_the_last_signature_may_not_sign_it_again(client, author, reviewer):
    sheet = published(author, reviewer)
    reviewer.groups.add(*person("Emma", "editor").groups.all())
    client.force_login(reviewer)
    save(client, change_address(sheet.sections.get()), body="Keep moving, gently. [@NG59]")
    new = sheet.open_draft
    move(client, new, "submitted")
    assert "another clinician must review it" in said(
        move(client, new, "signed_off", review_due_on=NEXT_YEAR.isoformat())
    )
    second = person("Cora", "clinician")
    client.force_login(second)
    assert "is now published" in said(move(client, new, "signed_off", review_due_on=NEXT_YEAR.isoformat()))
    sheet.refresh_from_db()
    assert (sheet.reviewed_by, sheet.open_draft) == (second, None)


def test_words_that_changed_behind_the_reviewers_back_are_not_signed(client, author, reviewer):
    sheet = draft(author)
    actions.transition(sheet=sheet, step=Step.SUBMITTED, by=author)
    seen = sheet.editions.first().number
    section = sheet.sections.get()
    section.body = "Something else. [@NG59]"
    section.save()
    actions.refresh(sheet=sheet)
    actions.keep_edition(sheet=sheet, by=author)
    client.force_login(reviewer)
    response = move(client, sheet, "signed_off", review_due_on=NEXT_YEAR.isoformat(), edition=seen)
    assert "changed the sheet while you were reading it" in said(response)
    sheet.refresh_from_db()
    assert sheet.state == State.IN_REVIEW


@pytest.mark.parametrize(
    ("day", "words"),
    [
        ("", "Enter the date of the next review"),
        ("next year", "Enter the date of the next review"),
        (timezone.localdate().isoformat(), "in the future"),
        ((timezone.localdate() + timedelta(days=800)).isoformat(), "within two years"),
    ],
)
@pytest.mark.once
def test_a_signature_needs_a_sensible_date_for_the_next_review(client, author, reviewer, day, words):
    sheet = draft(author)
    actions.transition(sheet=sheet, step=Step.SUBMITTED, by=author)
    client.force_login(reviewer)
    refused = move(client, sheet, "signed_off", review_due_on=day)
    assert words in said(refused)
    assert fields_of(refused)["review_due_on"] == day
    assert not FactSheet.objects.get(pk=sheet.pk).is_published


@pytest.mark.parametrize(
    ("name", "day", "words"),
    [
        ("publish_on", (timezone.localdate() - timedelta(days=1)).isoformat(), "has passed"),
        ("publish_on", "1/2/2027", "Enter the date of publication as year, month and day"),
        ("retire_on", "one day", "Enter the date of taking the page down"),
    ],
)
def test_a_day_that_cannot_be_planned_publishes_nothing_and_is_given_back(client, author, reviewer, name, day, words):
    sheet = draft(author)
    actions.transition(sheet=sheet, step=Step.SUBMITTED, by=author)
    client.force_login(reviewer)
    given = {"review_due_on": NEXT_YEAR.isoformat(), name: day}
    refused = move(client, sheet, "signed_off", **given)
    assert words in said(refused)
    assert fields_of(refused).items() >= given.items()
    assert FactSheet.objects.get(pk=sheet.pk).state == State.IN_REVIEW


def fields_of(response) -> dict:
    return {each.get("name"): each.get("value") for each in tree(response).iter("input")}


def no_sources(sheet):
    sheet.sections.update(body="Keep moving.")


def no_text(sheet):
    sheet.sections.all().delete()


def three_notes(sheet):
    for number in range(3):
        Section.objects.create(
            sheet=sheet, slug=f"n{number}", position=20 + number, kind="callout", heading="Important: x", body="Words."
        )


def a_dropped_claim(sheet):
    sheet.sections.update(claim_refs=[Claim.objects.filter(status="drop").first().ref])


def empty_evidence(sheet):
    Section.objects.create(sheet=sheet, slug="proof", position=90, kind="evidence", heading="What the evidence says")


def a_promise(sheet):
    sheet.sections.update(body="Acupuncture cures back pain. [@NG59]")


def an_unknown_source(sheet):
    sheet.sections.update(body="Keep moving. [@NOWHERE]")


UNSOUND = {
    no_sources: "It has no sources.",
    no_text: "It has no text yet.",
    three_notes: "It has 3 important notes.",
    a_dropped_claim: "must not be published",
    empty_evidence: "Add a statement of evidence",
    a_promise: "Do not promise a cure.",
    an_unknown_source: "No source has the short name NOWHERE",
}


@pytest.mark.once
@pytest.mark.long
def test_what_is_not_sound_is_neither_sent_for_review_nor_published(desk, author, reviewer):
    signs = Client()
    signs.force_login(reviewer)
    sheet = draft(author)
    for spoil, words in UNSOUND.items():
        with transaction.atomic():
            spoil(sheet)
            # The page that answers shows it twice: as the reason of the refusal, and among what is to be fixed.
            refused = move(desk, sheet, "submitted")
            assert words in said(refused), words
            assert text(tree(refused)).count(words) > 1, words
            FactSheet.objects.filter(pk=sheet.pk).update(state=State.IN_REVIEW)
            due = {"review_due_on": NEXT_YEAR.isoformat()}
            address = reverse("admin:factsheets_factsheet_move", args=[sheet.pk])
            newest = sheet.editions.first().number
            answer = signs.post(address, {"step": "signed_off", "edition": newest, **due})
            assert words in " ".join(map(str, get_messages(answer.wsgi_request))), words
            assert not FactSheet.objects.get(pk=sheet.pk).is_published
            transaction.set_rollback(True)


def test_without_emergency_advice_nothing_can_be_published(desk, author):
    sheet = draft(author)
    SafetyAdvice.objects.filter(tier="emergency").delete()
    assert "emergency advice is missing" in said(move(desk, sheet, "submitted"))


def test_sending_back_reopening_and_retiring_need_a_reason_that_is_kept(client, author, reviewer):
    sheet = published(author, reviewer)
    client.force_login(author)
    assert "is now published" in said(move(client, sheet, "reopened", note="To change it.")), (
        "That is what drafts are for."
    )
    move(client, sheet, "retired", note="Replaced by another sheet.")
    assert Client().get(sheet.get_absolute_url()).status_code == 410
    assert "Give a reason" in said(move(client, sheet, "reopened", note="  "))
    move(client, sheet, "reopened", note="The guideline changed.")
    sheet.refresh_from_db()
    assert sheet.state == State.DRAFT
    assert client.get(sheet.get_absolute_url()).status_code == 200, "Staff can preview it."
    listed = sheet.editions.all()
    assert [(each.step, each.note) for each in listed[:2]] == [
        ("reopened", "The guideline changed."),
        ("retired", "Replaced by another sheet."),
    ]


def test_a_step_that_the_state_does_not_allow_is_refused(desk, author):
    sheet = draft(author)
    for step in ("sent_back", "reopened", "signed_off"):
        assert "is now a draft" in said(move(desk, sheet, step, note="Because."))
    assert "Choose what to do" in said(move(desk, sheet, "edited"))
    assert "Choose what to do" in said(move(desk, sheet, "nonsense"))


def test_reception_and_the_public_reach_no_desk(client, sheet):
    newest = {"step": "retired", "note": "x"}
    addresses = [desk_of(sheet), f"/admin/factsheets/factsheet/{sheet.pk}/history/"]
    posts = [f"/admin/factsheets/factsheet/{sheet.pk}/{name}/" for name in ("move", "let-stand", "editions/1")]
    for address in addresses:
        assert client.get(address).status_code == 302
    client.force_login(person("Rita", "reception"))
    for address in addresses:
        assert client.get(address).status_code == 403
    for address in posts:
        assert client.post(address, newest).status_code == 403
    assert FactSheet.objects.get(pk=sheet.pk).is_published


@pytest.mark.long
def test_a_clinician_reads_and_signs_but_does_not_write(client, sheet, reviewer):
    client.force_login(reviewer)
    assert "Sign off" in buttons(client, sheet), "Nobody has signed it yet, so it is not “again”."
    section = sheet.sections.first()
    assert client.post(change_address(section), {"body": "x"}).status_code == 403
    assert client.post(f"/admin/factsheets/factsheet/{sheet.pk}/editions/1/").status_code == 403
    shift = f"/admin/factsheets/factsheet/{sheet.pk}/sections/{section.pk}/shift/"
    assert client.post(shift, {"way": "down"}).status_code == 403


@pytest.mark.long
def test_a_fixture_sheet_awaits_review_until_somebody_signs(client, sheet, reviewer):
    assert "Awaiting clinical review" in text(page(client, sheet.get_absolute_url()))
    client.force_login(reviewer)
    assert "is now published" in said(move(client, sheet, "signed_off", review_due_on=NEXT_YEAR.isoformat()))
    assert "Sign off again" in buttons(client, sheet)
    client.logout()
    public = text(page(client, sheet.get_absolute_url()))
    assert "Awaiting clinical review" not in public
    assert f"Reviewed {timezone.localdate():%-d %B %Y} by Clive" in public


@pytest.mark.long
def test_the_first_page_of_the_desk_lists_what_needs_somebody(desk, author, reviewer, monkeypatch):
    waiting = draft(author, slug="one", title="Waits for Clive")
    actions.transition(sheet=waiting, step=Step.SUBMITTED, by=author)
    changed = published(author, reviewer, slug="two", title="Changed by Edith")
    save(desk, change_address(changed.sections.get()), body="Keep moving, gently. [@NG59]")
    actions.correct(draft=changed.open_draft, by=author, reason="A missing word.")
    read = published(author, reviewer, slug="five", title="Read again")
    save(desk, change_address(read.sections.get()), body="Keep moving, gently. [@NG59]")
    actions.correct(draft=read.open_draft, by=author, reason="Read since.")
    read.refresh_from_db()
    due = timezone.localdate() + timedelta(days=300)
    actions.transition(sheet=read, step=Step.SIGNED_OFF, by=reviewer, review_due_on=due)
    installed = FactSheet.objects.get(slug="about-back-pain")  # nobody has ever signed it off
    for own, body in (read, "Keep moving gently. [@NG59]"), (installed, None):
        section = own.sections.filter(kind="text").exclude(body="").first()
        save(desk, change_address(section), body=body or section.body.replace(" the ", " that ", 1))
        actions.correct(draft=own.open_draft, by=author, reason=f"A slip in {own.slug}.")
    back = draft(author, slug="four", title="Back with Edith")
    actions.transition(sheet=back, step=Step.SUBMITTED, by=author)
    actions.transition(sheet=back, step=Step.SENT_BACK, by=reviewer, note="Too long.")
    actions.roll_back(edition=back.editions.get(number=1), by=author)  # none of the steps that end it
    actions.keep_edition(sheet=back, by=author)
    overdue = published(author, reviewer, slug="three", title="Overdue")
    FactSheet.objects.filter(pk=overdue.pk).update(review_due_on=timezone.localdate() - timedelta(days=1))
    shown = text(tree(desk.get("/admin/")))
    for heading, title in [
        ("Waiting for sign-off", "Waits for Clive"),
        ("Sent back to you", "Back with Edith"),
        ("Small corrections that no clinician has seen", "A missing word."),
        ("Small corrections that no clinician has seen", "A slip in five."),
        ("Small corrections that no clinician has seen", "A slip in about-back-pain."),
        ("Changed since sign-off", "Changed by Edith"),
        ("Review due", "Overdue"),
        ("Published but never signed off", "About back pain"),
    ]:
        assert title in shown[shown.index(heading) :]
    assert "Read since." not in shown
    assert "Waiting for your review" not in shown, "An editor signs nothing."
    desk.force_login(reviewer)
    shown = text(tree(desk.get("/admin/")))
    assert shown.count("Waits for Clive") == 1
    assert shown.index("Waiting for your review") < shown.index("Waits for Clive") < shown.index("Needs attention")
    monkeypatch.setattr(desk_tags, "LISTED", 1)
    first = draft(reviewer, slug="a-first", title="Written by Clive")
    actions.transition(sheet=first, step=Step.SUBMITTED, by=author)
    with CaptureQueriesContext(connection) as asked:
        shown = text(tree(desk.get("/admin/")))
    for once in ('FROM "factsheets_safetydraft"', 'FROM "factsheets_shareddraft"', "\"state\" = 'in_review'"):
        assert sum(once in each["sql"] for each in asked) == 1, once
    assert "Waits for Clive" in shown and "Written by Clive" in shown, "What others are to sign takes no place of it."
    desk.force_login(person("Rita", "reception"))
    assert "Needs attention" not in text(tree(desk.get("/admin/")))


def test_a_statement_of_evidence_counts_as_a_source(desk, author):
    sheet = draft(author)
    no_sources(sheet)
    section = Section.objects.create(sheet=sheet, slug="proof", position=90, kind="evidence", heading="Evidence")
    stated(section, "s", sources=["NG59"])
    assert "in clinical review" in said(move(desk, sheet, "submitted"))


@pytest.mark.once
def test_the_state_cannot_be_changed_in_the_form(desk, author):
    sheet = draft(author)
    response = save(desk, change_address(sheet), title="Another title", state="published", reviewed_on="2026-01-01")
    assert not errors_of(response)
    sheet.refresh_from_db()
    assert (sheet.title, sheet.state, sheet.reviewed_on) == ("Another title", State.DRAFT, None)
