"""The draft over a published sheet: who sees it, what may go out as a small correction, planned days, and who hears of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from enquiries.models import OutgoingMessage
from factsheets import actions, publishing_rules, sheet_drafts
from factsheets.models import (
    DraftQuestions,
    FactSheet,
    SearchQuestions,
    Section,
    Source,
    State,
    Statement,
    StatementUse,
    Step,
)
from factsheets.rendering.document import verdict_of
from tests.support.desk import change_address, desk_of, draft, errors_of, person, save, signed, values_of
from tests.support.html import by_id, text, tree
from tests.support.outbox import deliver, text_of, words_of
from tests.support.reading import page

pytestmark = pytest.mark.django_db


@pytest.fixture
def new(desk, public_sheet, author):
    return actions.begin_draft(sheet=public_sheet, by=author)


@pytest.mark.long
def test_a_draft_is_found_by_staff_at_its_private_address_and_by_nobody_and_nothing_else(desk, new, public_sheet):
    Section.objects.create(
        sheet=new, slug="second", position=20, question="what-is-it", body="- **Some** [animals](/glossary/)"
    )
    save(desk, change_address(new.sections.first()), body="A platypus. [@NG59]")
    for output in ("", "pdf/", "text/", "json/"):
        address = f"{new.get_absolute_url()}{output}"
        assert Client().get(address).status_code == 404
        seen = desk.get(address)
        assert seen.status_code == 200
        assert "no-store" in seen["Cache-Control"]
        assert seen["X-Robots-Tag"] == "noindex"
    for address in (
        "/fact-sheets/",
        "/sitemap.xml",
        "/search/?q=platypus",
        "/feed.xml",
        public_sheet.get_absolute_url(),
    ):
        shown = Client().get(address).content.decode()
        assert new.slug not in shown, address
        assert "A platypus" not in shown, address
    assert not FactSheet.objects.filter(pk=new.pk).exists()
    compared = text(tree(desk.get(reverse("admin:factsheets_factsheet_compare", args=[new.pk]))))
    assert "platypus. [source: NICE 2016]" in compared, "A source is called as readers know it."
    # Without the signs of the text; and a section is called as on the desk, by its question.
    for sign in ("[@", "**", "]("):
        assert sign not in compared
    assert "• Some animals (link to /glossary/)" in compared
    assert "What is it? Some animals" in compared
    assert "What is it? Some animals" in text(tree(desk.get(desk_of(new)))), "Among its sections."
    # Both frames open where the first change is, and each change leads to its place in them.
    shown = tree(desk.get(reverse("admin:factsheets_factsheet_compare", args=[new.pk])))
    frames = [each.get("src") for each in shown.iter("iframe")]
    assert [each.partition("#")[2] for each in frames] == ["first", "first"]
    assert frames[0] != frames[1]
    shown_at = [each.get("href") for each in shown.iter("a") if "Show it in the preview" in text(each)]
    assert shown_at[0] == "?width=phone&at=first#this-version"
    framed = desk.get(reverse("admin:factsheets_factsheet_compare_page", args=[new.pk]))
    assert "A platypus." in text(tree(framed))
    assert framed["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in framed["Content-Security-Policy"]
    assert "no-store" in framed["Cache-Control"]
    # Begun twice, it is the same; and its form is where the published words were edited.
    assert desk.get(change_address(public_sheet.sections.get())).url == change_address(new.sections.first())
    listed = text(tree(desk.get(reverse("admin:factsheets_factsheet_changelist"))))
    assert listed.count(public_sheet.title) == 1
    assert "draft open" in listed
    assert "A draft of this page is open. Readers still see" in text(tree(desk.get(desk_of(public_sheet))))


def test_a_discarded_draft_leaves_the_page_as_it_was_and_its_words_in_the_history(desk, new, public_sheet):
    save(desk, change_address(new.sections.get()), body="A platypus. [@NG59]")
    wording = new.editions.first()
    discard = reverse("admin:factsheets_factsheet_discard", args=[new.pk])
    desk.post(discard, {"edition": "1"})
    assert public_sheet.open_draft, "It changed since the page was opened."
    desk.post(discard, {"edition": str(wording.number)})
    assert public_sheet.open_draft is None
    assert "Keep moving." in text(page(Client(), public_sheet.get_absolute_url()))
    wording.refresh_from_db()
    assert (wording.sheet, wording.public) == (public_sheet, False)
    # Readers see what was signed, so nobody has to read it again, and its author could sign it.
    assert "since a clinician signed" not in text(page(Client(), public_sheet.get_absolute_url()))
    for address in (desk_of(public_sheet), reverse("admin:factsheets_factsheet_changelist"), "/admin/"):
        assert "changed since sign-off" not in text(tree(desk.get(address))).lower(), address
    assert not publishing_rules.written_since_sign_off(public_sheet).exists()
    desk.post(reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, wording.number]))
    assert public_sheet.open_draft.sections.get().body.strip() == "A platypus. [@NG59]"
    # Restoring words does not make somebody their author.
    assert wording.pk in publishing_rules.written_since_sign_off(public_sheet.open_draft).values_list("pk", flat=True)


def test_restoring_an_earlier_version_asks_before_it_replaces_an_open_draft(desk, new, public_sheet):
    """What a colleague wrote there is shown first, stays in the history, and can be restored from it."""
    save(desk, change_address(new.sections.get()), body="A platypus. [@NG59]")
    desk.post(reverse("admin:factsheets_factsheet_discard", args=[new.pk]), {"edition": new.editions.first().number})
    [wording] = public_sheet.editions.filter(step="edited", content__sections__0__body__startswith="A platypus")
    draft = actions.begin_draft(sheet=public_sheet, by=person("Dora", "editor"))
    back = reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, wording.number])
    dora = Client()
    dora.force_login(draft.editions.first().by)
    save(dora, change_address(draft.sections.get()), body="A wombat. [@NG59]")
    asked = desk.post(back)
    assert "Dora wrote this in the open draft" in text(tree(asked))
    assert "wombat." in text(tree(asked))
    assert draft.sections.get().body.strip() == "A wombat. [@NG59]", "Nothing happens before it is confirmed."
    given = {each.get("name"): each.get("value") for each in tree(asked).iter("input") if each.get("name") == "over"}
    save(dora, change_address(draft.sections.get()), body="Two wombats. [@NG59]")
    assert "wombats." in text(tree(desk.post(back, given))), "Dora wrote on in the meantime."
    given = {"over": draft.editions.first().number}
    assert f"Version {wording.number} copied to the draft" in text(tree(desk.post(back, given, follow=True)))
    assert draft.sections.get().body.strip() == "A platypus. [@NG59]"
    theirs = reverse("admin:factsheets_factsheet_edition", args=[draft.pk, given["over"]])
    desk.post(theirs)
    assert draft.sections.get().body.strip() == "Two wombats. [@NG59]"


WEIGHTY = [
    ({"body": "Do not keep moving. [@NG59]"}, "can change the meaning"),
    ({"body": "Keep moving. [@MU20]"}, "can change the meaning"),
    ({"body": "Stop moving. [@NG59]"}, "can change the meaning"),
    ({"body": "Keep moving [here](https://example.org). [@NG59]"}, "can change the meaning"),
    ({"body": f"Keep moving {'gently ' * 13}on. [@NG59]"}, "more than 12"),
    ({"kind": "details"}, "More than wording has changed"),
    ({"claim_refs": ["B-01"]}, "More than wording has changed"),
    ({}, "says the same"),
]


def test_a_small_correction_changes_wording_and_nothing_that_has_weight(desk, new, public_sheet, author):
    sections = Section.objects.filter(sheet=new)
    before = sections.values("body", "kind", "claim_refs").get()
    for fields, said in WEIGHTY:
        sections.update(**before | fields)
        assert said in sheet_drafts.Comparison(FactSheet.everything.get(pk=new.pk)).why_not_small, fields
    sections.update(**before | WEIGHTY[0][0])
    correct = reverse("admin:factsheets_factsheet_correct", args=[new.pk])
    assert "can change the meaning" in text(tree(desk.post(correct, {"reason": "A missing word."}, follow=True)))
    sections.update(**before | {"body": "Keep moving, please. [@NG59]"})
    assert "Say what you corrected" in text(tree(desk.post(correct, {"reason": " "}, follow=True)))
    actions.keep_edition(sheet=new, by=author)
    desk.post(correct, {"reason": "A missing word."})
    assert public_sheet.open_draft is None
    shown = text(page(Client(), public_sheet.get_absolute_url()))
    assert "Keep moving, please." in shown
    assert "Small corrections were made since" in shown
    made = public_sheet.editions.first()
    assert made.note == "A missing word."
    linked = reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, made.number])
    assert f'href="{linked}"' in desk.get("/admin/").content.decode()
    assert "Keep moving.moving, please." in text(tree(desk.get(linked))), (
        "What readers see now, beside what they saw before."
    )


def test_a_correction_publishes_no_words_that_its_writer_has_not_seen_or_not_saved(desk, new, public_sheet, author):
    Section.objects.create(sheet=new, slug="second", position=20, heading="More", body="Walk a littel. [@NG59]")
    actions.keep_edition(sheet=new, by=author)
    one, two = map(change_address, new.sections.all())
    opened = values_of(desk.get(one)) | {"body": "Keep moving, please. [@NG59]", "_reason": "A missing word."}
    colleague = Client()
    colleague.force_login(person("Ada", "editor"))
    save(colleague, two, body="Walk a little. [@NG59]")
    refused = text(tree(desk.post(one, opened | {"_correct": "yes"}, follow=True)))
    assert "Not published. Ada changed the draft after you opened the page." in refused
    assert "You wrote: “A missing word.”" in refused
    assert [each.body.strip() for each in new.sections.all()] == [
        "Keep moving, please. [@NG59]",
        "Walk a little. [@NG59]",
    ]
    # What is typed elsewhere and cannot be saved would be missing from the correction.
    desk.post(two, values_of(desk.get(two)) | {"body": "Walk <b>a</b> little.", "_preview": "yes"})
    again = {"_reason": "A missing word.", "_correct": "yes"}
    refused = text(tree(desk.post(one, values_of(desk.get(one)) | again, follow=True)))
    assert "Not published. Something that you typed in this draft is not saved yet." in refused
    assert public_sheet.open_draft
    desk.post(two, {"_discard": "yes"})
    # Now it is only too much for a correction.
    refused = text(tree(desk.post(one, values_of(desk.get(one)) | again, follow=True)))
    assert "More than wording has changed" in refused
    Section.objects.filter(pk=new.sections.last().pk).delete()
    actions.keep_edition(sheet=new, by=author)
    desk.post(one, values_of(desk.get(one)) | again)
    assert public_sheet.open_draft is None


def test_what_is_typed_waits_in_the_next_draft_and_nobody_is_said_to_have_saved_over_it(
    desk, new, public_sheet, author, reviewer
):
    """A step of the sheet changes none of its words."""
    other = FactSheet.objects.exclude(pk=public_sheet.pk).first()
    new.related.create(to=other, reason="It says more.", position=10)
    new.source_uses.create(source=Source.objects.get(key="NG59"), finding="Moving is safe.")
    section, facts = change_address(new.sections.get()), change_address(new)
    desk.post(section, values_of(desk.get(section)) | {"body": "A late idea. [@NG59]", "_preview": "yes"})
    desk.post(
        facts,
        values_of(desk.get(facts))
        | {
            "summary": "A late summary.",
            "related-0-reason": "It says much more.",
            "source_uses-0-finding": "Moving is good.",
            "_preview": "yes",
        },
    )
    signed(public_sheet, author, reviewer)
    again = actions.begin_draft(sheet=public_sheet, by=author)
    for address, words in (
        (change_address(again.sections.get()), "A late idea."),
        (change_address(again), "A late summary."),
    ):
        waits = desk.get(address)
        assert words in text(tree(waits)) + str(values_of(waits))
        assert "saved this while you had it open" not in text(tree(waits)), address
    assert not errors_of(desk.post(address, values_of(waits), follow=True))
    assert again.sections.get().body.strip() == "A late idea. [@NG59]", "Save saves what is typed in other parts too."
    assert FactSheet.everything.get(pk=again.pk).summary == "A late summary."
    assert [(each.to, each.reason) for each in again.related.all()] == [(other, "It says much more.")]
    assert [(each.source.key, each.finding) for each in again.source_uses.all()] == [("NG59", "Moving is good.")]


def test_patients_questions_of_a_draft_go_live_with_it_and_undo_nothing_that_colleagues_did(
    desk, new, public_sheet, author, reviewer
):
    place, first = f"{public_sheet.slug}#first", ["may i walk", "is walking bad"]
    live = SearchQuestions.objects.create(place=place, questions=first)
    section = new.sections.get()
    assert not errors_of(save(desk, change_address(section), asked="may i walk\ncan a wombat help"))
    assert "wombat" in values_of(desk.get(change_address(section)))["asked"]
    compared = text(tree(desk.get(reverse("admin:factsheets_factsheet_compare", args=[new.pk]))))
    assert "patients’ questions" in compared and "wombat" in compared
    live.refresh_from_db()
    assert live.questions == first, "Search goes by what readers see."
    # Meanwhile a colleague adds one, on the page of what patients ask.
    live.questions = [*first, "how far should i walk"]
    live.save()
    correct = reverse("admin:factsheets_factsheet_correct", args=[new.pk])
    desk.post(correct, {"reason": "What people type."})
    assert public_sheet.open_draft is None
    live.refresh_from_db()
    assert live.questions == ["may i walk", "can a wombat help", "how far should i walk"]
    # Nothing is left of a discarded draft.
    again = actions.begin_draft(sheet=public_sheet, by=author)
    save(desk, change_address(again.sections.get()), asked="")
    desk.post(
        reverse("admin:factsheets_factsheet_discard", args=[again.pk]), {"edition": again.editions.first().number}
    )
    live.refresh_from_db()
    assert len(live.questions) == 3
    assert not DraftQuestions.objects.exists()
    # To another address of the page they go once it is there.
    again = actions.begin_draft(sheet=public_sheet, by=author)
    save(desk, change_address(again.sections.get()), slug="walking")
    assert SearchQuestions.objects.get(place=place).questions == live.questions
    signed(public_sheet, author, reviewer)
    assert not SearchQuestions.objects.filter(place=place).exists()
    assert SearchQuestions.objects.get(place=f"{public_sheet.slug}#walking").questions == live.questions


@pytest.mark.both
def test_questions_leave_search_with_their_section_and_come_back_with_it(desk, new, public_sheet, author, reviewer):
    place = f"{public_sheet.slug}#walks"
    Section.objects.create(sheet=new, slug="walks", position=20, heading="Walks", body="Walk. [@NG59]\n")
    actions.keep_edition(sheet=new, by=author)
    with_walks = signed(public_sheet, author, reviewer)
    SearchQuestions.objects.create(place=place, questions=["may i walk"])

    def delete():
        draft = actions.begin_draft(sheet=public_sheet, by=author)
        section = draft.sections.get(slug="walks")
        desk.post(reverse("admin:factsheets_section_delete", args=[section.pk]), {"post": "yes"})
        return draft

    compared = desk.get(reverse("admin:factsheets_factsheet_compare", args=[delete().pk]))
    assert "patients’ questions may i walk" in text(tree(compared))
    assert SearchQuestions.objects.filter(place=place).exists(), "Readers still see the section."
    without = signed(public_sheet, author, reviewer)
    assert not SearchQuestions.objects.filter(place=place).exists(), "Search answers with a page that does not."
    # Back with the page as it was signed, at once.
    desk.post(reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, with_walks.number]))
    assert SearchQuestions.objects.get(place=place).questions == ["may i walk"]
    desk.post(reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, without.number]))
    assert not SearchQuestions.objects.filter(place=place).exists()
    # Back in a draft, where they wait for its publication.
    unsigned = public_sheet.editions.filter(step="edited", content__sections__1__slug="walks").last()
    desk.post(reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, unsigned.number]))
    public_sheet.refresh_from_db()
    section = public_sheet.open_draft.sections.get(slug="walks")
    assert values_of(desk.get(change_address(section)))["asked"] == "may i walk"
    assert not SearchQuestions.objects.filter(place=place).exists()
    signed(public_sheet, author, reviewer)
    assert SearchQuestions.objects.get(place=place).questions == ["may i walk"]


@pytest.mark.both
def test_the_same_words_come_back_with_the_day_on_which_they_were_to_go(desk, public_sheet, reviewer):
    due, day = timezone.localdate() + timedelta(days=300), timezone.localdate() + timedelta(days=30)
    for retire_on in (day, None):
        given = {"by": reviewer, "review_due_on": due, "retire_on": retire_on}
        actions.transition(sheet=public_sheet, step=Step.SIGNED_OFF, **given)
    to_go = public_sheet.editions.get(retire_on=day)
    address = reverse("admin:factsheets_factsheet_edition", args=[public_sheet.pk, to_go.number])
    assert "restored, with the signature" in text(tree(desk.post(address, follow=True)))
    public_sheet.refresh_from_db()
    assert public_sheet.retire_on == day
    assert "The sheet already has this wording." in text(tree(desk.post(address, follow=True)))


def test_an_upgrade_of_the_published_page_shows_on_its_draft(desk, new, public_sheet):
    public_sheet.sections.update(body="Newer words. [@NG59]")
    actions.refresh(sheet=public_sheet)
    assert "Publishing the draft would undo that" in text(tree(desk.get(desk_of(new))))
    assert "Publishing the draft would undo that" not in text(tree(desk.get(desk_of(public_sheet))))


def heard(step: Step) -> set[str]:
    return set(OutgoingMessage.objects.filter(edition__step=step).values_list("staff__first_name", flat=True))


def sign_for(sheet, author, reviewer, **plan):
    actions.transition(sheet=sheet, step=Step.SUBMITTED, by=author)
    due = timezone.localdate() + timedelta(days=300)
    return actions.transition(sheet=sheet, step=Step.SIGNED_OFF, by=reviewer, review_due_on=due, **plan)


@pytest.mark.long
def test_a_planned_publication_waits_for_its_day_and_for_the_words_that_were_signed(
    desk, new, public_sheet, author, reviewer, mail_through
):
    today = timezone.localdate()
    tomorrow, later = today + timedelta(days=1), today + timedelta(days=30)
    section = new.sections.get()
    save(desk, change_address(section), body="New words. [@NG59]")
    with pytest.raises(actions.MoveRefused, match="after its publication"):
        sign_for(new, author, reviewer, publish_on=tomorrow, retire_on=tomorrow)
    due = today + timedelta(days=300)
    new.refresh_from_db()
    plan = {"publish_on": tomorrow, "retire_on": later}
    opened = values_of(desk.get(change_address(section)))
    actions.transition(sheet=new, step=Step.SIGNED_OFF, by=reviewer, review_due_on=due, **plan)
    assert new.state == State.SCHEDULED
    # A correction of the page meanwhile does not affect the signature, which is for exactly these words.
    actions.ask_for_review(sheet=public_sheet, by=author, changes=["Changed: source NG59, year"])
    assert "changed since sign-off" not in text(tree(desk.get(desk_of(new))))
    assert "changed since sign-off" in text(tree(desk.get(desk_of(public_sheet))))
    # It is shown and not edited; what was typed into a form from before is refused with its reason, and kept.
    shown = tree(desk.get(change_address(section)))
    assert f"Signed by Clive on {today:%-d %B %Y}" in text(shown) and "Editing it ends the signature." in text(shown)
    assert not [each for each in shown.iter("textarea") if each.get("name") == "body"]
    assert "New words." in text(shown)
    late = text(tree(desk.post(change_address(section), opened | {"body": "Other words. [@NG59]"})))
    assert "It has been signed off" in late and "What you typed is kept" in late
    assert "You typed something here at" in text(tree(desk.get(change_address(section))))
    assert new.sections.get().body.strip() == "New words. [@NG59]"
    assert not actions.carry_out_plans(today=today)
    assert "Planned" in text(tree(desk.get("/admin/")))
    # A clinician moves the day, or takes it away; an editor is not offered it.
    clive, move = Client(), reverse("admin:factsheets_factsheet_move", args=[new.pk])
    clive.force_login(reviewer)
    shown = text(tree(clive.get(desk_of(new))))
    assert "Change the day" in shown and "Send it for clinical review first" not in shown
    assert "Change the day" not in text(tree(desk.get(desk_of(new))))
    day = (today + timedelta(days=3)).isoformat()
    plan = {"step": "replanned", "publish_on": day, "retire_on": later.isoformat()}
    assert "Only a clinician can change the planned day." in text(tree(desk.post(move, plan)))
    refused = clive.post(move, plan | {"retire_on": day})
    assert "after its publication" in text(tree(refused))
    assert day in [each.get("value") for each in tree(refused).iter("input")]
    assert "will be published on" in text(tree(clive.post(move, plan, follow=True)))
    new.refresh_from_db()
    assert (new.publish_on.isoformat(), new.retire_on, new.reviewed_by) == (day, later, reviewer)
    assert not actions.carry_out_plans(today=tomorrow), "It waits for the new day."
    # A colleague who wrote nothing of it cannot end the signature; its author can, in one press, and goes on typing.
    emma, back = Client(), {"step": "sent_back", "note": "One word more.", "section": "first"}
    emma.force_login(person("Emma", "editor"))
    assert "Edit it, and end the signature" not in text(tree(emma.get(change_address(section))))
    assert "Ask its author or a clinician" in text(tree(emma.post(move, back)))
    answer = desk.post(move, back)
    assert answer.url == change_address(section)
    typed = values_of(desk.get(answer.url))
    assert typed["body"].strip() == "Other words. [@NG59]"
    desk.post(answer.url, {"_discard": "yes"})
    new.refresh_from_db()
    assert (new.state, new.publish_on, new.retire_on, new.reviewed_by) == (State.DRAFT, None, None, None)
    assert heard(Step.SENT_BACK) == {"Clive"}, "Whose signature it was."
    plan = {"publish_on": tomorrow, "retire_on": later}
    sign_for(new, author, reviewer, **plan)
    told = text(tree(clive.post(move, back, follow=True)))
    assert f"“{new.title}” is now a draft" in told and "You can edit it" not in told, "A clinician writes nothing."
    sign_for(new, author, reviewer, **plan)
    clive.post(move, {"step": "unplanned"})
    assert heard(Step.UNPLANNED) == {"Edith"}
    assert deliver() and "cancelled the planned day" in words_of(mail_through.messages[-1])
    assert mail_through.messages[-1]["Subject"] == f"Planned day cancelled: {new.title}"
    took_back = [each for each in mail_through.messages if each["Subject"] == f"Taken back: {new.title}"]
    assert "ended the signature of Clive" in " ".join(words_of(took_back[0]).split())
    new.refresh_from_db()
    assert (new.state, new.publish_on, new.retire_on, new.reviewed_by) == (State.IN_REVIEW, None, None, None)
    assert publishing_rules.last_sign_off(new) is None, "What was signed before counts for nobody who writes in it now."
    actions.transition(
        sheet=new, step=Step.SIGNED_OFF, by=reviewer, review_due_on=due, publish_on=tomorrow, retire_on=later
    )
    # Somebody changes the words after all: they are not what was signed.
    Section.objects.filter(pk=section.pk).update(body="Unsigned words. [@NG59]")
    assert not actions.carry_out_plans(today=tomorrow)
    FactSheet.everything.filter(pk=new.pk).update(publish_on=today - timedelta(days=1))
    assert "was to be published on" in text(tree(desk.get("/admin/")))
    assert "have changed since they were signed off" in text(tree(desk.get(desk_of(new))))
    Section.objects.filter(pk=section.pk).update(body=new.editions.first().content["sections"][0]["body"])
    assert actions.carry_out_plans(today=tomorrow)
    public_sheet.refresh_from_db()
    assert (public_sheet.reviewed_by, public_sheet.review_due_on, public_sheet.retire_on) == (reviewer, due, later)
    assert "New words." in text(page(Client(), public_sheet.get_absolute_url()))
    assert not publishing_rules.changed_since_review(public_sheet)
    assert actions.carry_out_plans(today=later) == [public_sheet]
    assert Client().get(public_sheet.get_absolute_url()).status_code == 410


@pytest.mark.parametrize("how", ["a small correction", "a day that was planned"])
@pytest.mark.long
def test_a_page_that_was_taken_down_comes_back_by_a_sign_off_alone(desk, new, public_sheet, author, reviewer, how):
    save(desk, change_address(new.sections.get()), body="Keep moving, please. [@NG59]")
    new.refresh_from_db()
    tomorrow = timezone.localdate() + timedelta(days=1)
    if how == "a day that was planned":
        sign_for(new, author, reviewer, publish_on=tomorrow)
    actions.transition(sheet=public_sheet, step=Step.RETIRED, by=reviewer, note="It did harm.")
    address = public_sheet.get_absolute_url()
    if how == "a day that was planned":
        assert not actions.carry_out_plans(today=tomorrow)
        actions.transition(sheet=new, step=Step.SENT_BACK, by=reviewer, note="The page is down.")
    else:
        correct = reverse("admin:factsheets_factsheet_correct", args=[new.pk])
        assert "taken down" in text(tree(desk.post(correct, {"reason": "A missing word."}, follow=True)))
    assert "taken down" in text(tree(desk.get(desk_of(new))))
    assert Client().get(address).status_code == 410
    sign_for(FactSheet.everything.get(pk=new.pk), author, reviewer)
    assert "Keep moving, please." in text(page(Client(), address))


@pytest.mark.both
def test_a_new_sheet_is_published_on_its_day_too(author, reviewer):
    sheet = draft(author)
    tomorrow = timezone.localdate() + timedelta(days=1)
    sign_for(sheet, author, reviewer, publish_on=tomorrow)
    assert Client().get(sheet.get_absolute_url()).status_code == 404
    assert actions.carry_out_plans(today=tomorrow) == [sheet]
    assert "by Clive" in text(page(Client(), sheet.get_absolute_url()))


@pytest.mark.long
def test_reviewers_and_authors_hear_of_each_step_by_email_with_what_was_said_and_without_the_sheet(
    desk, new, author, reviewer, mail_through
):
    nobody = person("Emma", "editor")
    OutgoingMessage.objects.all().delete()  # those of the published sheet
    save(desk, change_address(new.sections.get()), body="New words. [@NG59]")
    actions.transition(sheet=new, step=Step.SUBMITTED, by=author)
    actions.transition(sheet=new, step=Step.SENT_BACK, by=reviewer, note="Too short.")
    actions.transition(sheet=new, step=Step.SUBMITTED, by=author)
    sheet = new.draft_of
    assert list(OutgoingMessage.objects.values_list("staff__first_name", "edition__step").order_by("created_at")) == [
        ("Clive", "submitted"),
        ("Edith", "sent_back"),
        ("Clive", "submitted"),
    ]
    deliver()
    assert mail_through.recipients == [["clive@example.com"], ["edith@example.com"], ["clive@example.com"]]
    assert mail_through.messages[1]["Subject"] == f"Sent back to you: {sheet.title}"
    for each in mail_through.messages:
        assert desk_of(new) in text_of(each)
        assert "sent" in words_of(each)
        assert "New words" not in text_of(each)
    assert ["Clive wrote: “Too short.”" in text_of(each) for each in mail_through.messages] == [False, True, False]
    assert "Clive wrote: “Too short.”" in words_of(mail_through.messages[1])
    due = timezone.localdate() + timedelta(days=300)
    actions.transition(sheet=new, step=Step.SIGNED_OFF, by=reviewer, review_due_on=due)
    deliver()
    last = mail_through.messages[3]
    assert (last["To"], last["Subject"]) == ("edith@example.com", f"Signed off: {sheet.title}")
    assert "Readers see it now." in " ".join(text_of(last).split())
    assert desk_of(sheet) in text_of(last)
    assert not OutgoingMessage.objects.filter(staff=nobody).exists()
    # A reviewer who is emailed late is not told about what is already done.
    again = actions.begin_draft(sheet=sheet, by=author)
    save(desk, change_address(again.sections.get()), body="Newest words. [@NG59]")
    signed(sheet, author, reviewer)
    deliver()
    assert [each["Subject"] for each in mail_through.messages[4:]] == [f"Signed off: {sheet.title}"]


@pytest.mark.both
def test_a_comment_must_say_something_and_what_is_too_long_is_not_lost(desk, new, reviewer):
    address = reverse("admin:factsheets_factsheet_comment", args=[new.pk])
    long = "word " * 401
    answer = desk.post(address, {"section": "first", "text": long})
    assert answer.status_code == 422
    [box] = [each for each in tree(answer).iter("textarea") if each.get("id") == "comment-first"]
    assert "".join(box.itertext()).strip() == long.strip()
    # It can be answered and resolved where the section is written, and nothing typed there is lost by it.
    desk.post(address, {"section": "first", "text": "For whom?"})
    section, on_section = change_address(new.sections.get()), new.comments.get()
    assert "For whom?" in text(by_id(tree(desk.get(section)), "said"))
    typed = values_of(desk.get(section)) | {"body": "Keep on. [@NG59]", "comment": "For most people."}
    desk.post(section, typed | {"_preview": "yes"})
    typed = values_of(desk.get(section))
    assert (typed["body"].strip(), typed["comment"]) == ("Keep on. [@NG59]", "For most people.")
    refused = desk.post(section, typed | {"comment": long, "_comment": "yes"}, follow=True)
    assert "Keep the comment below 2,000 characters." in text(tree(refused))
    assert values_of(refused)["comment"].strip() == long.strip()
    answered = desk.post(section, typed | {"_comment": "yes"}, follow=True)
    assert "For most people." in text(by_id(tree(answered), "said"))
    assert (values_of(answered)["body"].strip(), values_of(answered)["comment"]) == ("Keep on. [@NG59]", "")
    desk.post(section, values_of(answered) | {"_resolve": str(on_section.pk)})
    desk.post(section, values_of(answered) | {"_resolve": str(new.comments.last().pk)})
    assert not new.comments.filter(resolved_at=None).exists()
    # Save saves a comment too, and comments go with a section to another address.
    desk.post(section, values_of(desk.get(section)) | {"slug": "walking", "comment": "As agreed."})
    assert list(new.comments.values_list("section", "text")) == [
        ("walking", "For whom?"),
        ("walking", "For most people."),
        ("walking", "As agreed."),
    ]
    # A reviewer, who may not write in the form, can do both there.
    clive = Client()
    clive.force_login(reviewer)
    shown = clive.post(section, {"comment": "Good.", "_comment": "yes"}, follow=True)
    assert "Good." in text(by_id(tree(shown), "said"))
    assert clive.post(section, {"body": "Mine.", "_preview": "yes"}).status_code == 403
    for each in new.comments.filter(resolved_at=None):
        clive.post(section, {"_resolve": str(each.pk)})
    assert {each.resolved_actor for each in new.comments.all()} == {"Edith", "Clive"}
    new.comments.all().delete()
    desk.post(address, {"section": "gone", "text": "<script>alert(1)</script>"})
    comment = new.comments.get()
    assert (comment.section, comment.actor) == ("", "Edith")
    shown = desk.get(desk_of(new))
    assert b"<script>alert" not in shown.content
    page = tree(shown)
    assert "1 comment to resolve before it can be signed off: Edith, " in " ".join(text(page).split())
    [link] = [each for each in page.iter("a") if each.get("href") == f"#said-{comment.pk}"]
    assert "<script>alert(1)" in text(by_id(page, link.get("href").removeprefix("#")))
    resolve = reverse("admin:factsheets_factsheet_resolve", args=[new.pk, comment.pk])
    desk.post(resolve)
    desk.post(resolve)
    comment.refresh_from_db()
    assert comment.resolved_actor == "Edith"


@pytest.mark.both
def test_a_draft_copies_the_evidence_and_gives_it_back(desk, public_sheet, author, reviewer):
    proof = Section.objects.create(
        sheet=public_sheet, slug="proof", position=90, kind="evidence", heading="What the evidence says"
    )
    statement = Statement.objects.order_by("pk").first()
    StatementUse.objects.create(section=proof, statement=statement, position=10)
    actions.refresh(sheet=public_sheet)
    new = actions.begin_draft(sheet=public_sheet, by=author)
    assert new.document["sections"] == FactSheet.objects.get(pk=public_sheet.pk).document["sections"]
    assert public_sheet.title not in [each.title for each in statement.sheets if each.pk == new.pk]
    with CaptureQueriesContext(connection) as queries:
        desk.get(desk_of(new))
    asked = [each["sql"] for each in queries if 'FROM "factsheets_section" WHERE' in each["sql"]]
    assert len(asked) <= 4, "The draft's sections, the page's, and what its checks ask."
    # The comparison says what readers see, and no keys.
    other = Statement.objects.exclude(pk=statement.pk).last()
    theirs = new.sections.get(slug="proof").statement_uses
    theirs.update(statement=other)
    first = new.sections.filter(slug="first")
    was = first.values("kind", "heading", "view").get()
    first.update(kind="details", heading="More", view="western")
    compared = text(tree(desk.get(reverse("admin:factsheets_factsheet_compare", args=[new.pk]))))
    for each in (statement, other):
        assert f"{each.claim} statement of evidence" in compared
        assert verdict_of(each) in compared
        assert each.sources.first().title[:40] in compared
        assert each.key not in compared and f"{each.sources.first().key} " not in compared
    assert "details to open" in compared and "Western medicine" in compared
    theirs.update(statement=statement)
    first.update(**was)
    save(desk, change_address(new), title="Another title")
    signed(public_sheet, author, reviewer)
    assert [use.statement for use in StatementUse.objects.filter(section__sheet=public_sheet)] == [statement]
    assert StatementUse.objects.filter(section__sheet__slug=new.slug).count() == 0
