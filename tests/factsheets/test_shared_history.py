"""What sheets share: who uses it, what a save changes, who should read it again, its history, and the way back."""

import threading
import time

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from enquiries.models import OutgoingMessage
from factsheets import publishing_rules, shared_drafts, shared_revisions
from factsheets.draft_workflow import DraftRefused
from factsheets.models import FactSheet, Figure, GlossaryTerm, SharedDraft, SharedEdition, SiteNotice, Source, Statement
from factsheets.shared_revisions import uses
from tests.support.desk import (
    change_address,
    conflict_in,
    draft_of,
    errors_of,
    person,
    published_draft,
    save,
    save_once,
    seen,
    take,
    values_of,
)
from tests.support.edition import Edition as Fixtures
from tests.support.html import text, tree
from tests.support.outbox import deliver, text_of
from tests.support.reading import page

pytestmark = pytest.mark.django_db


def history_of(record) -> str:
    return reverse(f"admin:factsheets_{record._meta.model_name}_history", args=[record.pk])


def edition_of(record, number: int) -> str:
    return reverse(f"admin:factsheets_{record._meta.model_name}_edition", args=[record.pk, number])


def typed_in(response, name: str) -> str:
    """What a field of the page holds, by its id."""
    [field] = [each for each in tree(response).iter() if each.get("id") == name]
    return field.get("value") or "".join(field.itertext())


def marked(response, name: str) -> str:
    return " ".join(text(each) for each in tree(response).iter(name))


def savers(response) -> list[tuple[str, str]]:
    """The buttons that save the form, by name and words."""
    found = [each for each in tree(response).iter("input") if each.get("type") == "submit"]
    return [(each.get("name"), each.get("value")) for each in found if each.get("name") in {"_save", "_draft"}]


def test_a_source_shows_its_uses_and_another_year_is_drafted_by_one_and_published_by_another(
    client, author, reviewer, public_sheet, mail_through
):
    OutgoingMessage.objects.all().delete()  # those of the published sheet
    FactSheet.objects.exclude(pk=public_sheet.pk).delete()  # each save rebuilds every sheet
    source, path = Source.objects.get(key="NG59"), f"/fact-sheets/{public_sheet.slug}/"
    address = change_address(source)
    client.force_login(author)
    shown = text(tree(client.get(address)))
    assert f"{public_sheet.title}: The first part cited in the text" in shown
    assert "(RF-E1) red flag" in text(tree(client.get(change_address(Source.objects.get(key="NHS-BP")))))

    first = save_once(client, address, year="2031", note="A new edition of the guideline.")
    said = text(tree(first))
    assert "Not saved yet. A clinician must publish this: it changes year." in errors_of(first)
    assert public_sheet.title in said
    assert ("2031" in marked(first, "ins"), Source.objects.get(key="NG59").year) == (True, source.year)
    assert values_of(first)["note"] == "A new edition of the guideline.", "What was typed is lost."
    assert savers(first) == [("_draft", "Save as a draft")] * 2, "Above the form and below it."
    # Another press of the same button does not publish it either.
    assert "A clinician must publish" in errors_of(client.post(address, values_of(first), follow=True))
    page_of_draft = client.post(address, values_of(first) | {"_draft": "Save as a draft"}, follow=True)
    draft = draft_of(source)
    said = text(tree(page_of_draft))
    assert "Saved as a draft." in said
    assert "being written Written by Edith. A new edition of the guideline." in said
    assert ("2031" in marked(page_of_draft, "ins"), public_sheet.title in said) == (True, True)
    preview = client.get(reverse("admin:factsheets_source_draft_page", args=[draft.pk, public_sheet.pk]))
    assert "2031" in text(tree(preview))
    assert preview["Cache-Control"].count("no-store") == 1
    assert "2031" not in text(page(client, path))
    assert "There is an open draft of this" in text(tree(client.get(address)))
    assert f"{source.title} (NG59)" in text(tree(client.get("/admin/"))).partition("Drafts of what sheets share")[2]
    # Another title or other authors may be another study, under the same link; a slip of a letter may not.
    was = shared_revisions.snapshot(source) | {"authors": "Vickers AJ, Linde K"}
    for name, words, asks in [
        ("title", source.title.replace("over 16s", "under 16s"), True),
        ("title", source.title.replace("16s", "18s"), True),
        ("title", source.title.replace("sciatica", "scatica").upper(), False),
        ("authors", "Vickers AK, Linde K", True),
        ("authors", "Linde K, Vickers AJ", True),
        ("authors", "Vickers AJ, Linde K et al.", False),
    ]:
        assert shared_drafts.why_second(source, was, was | {name: words}) == [name] * asks, words
    # It is edited in the same form, and refuses what that refuses.
    edit = reverse("admin:factsheets_source_draft_edit", args=[draft.pk])
    opened = values_of(client.get(edit))
    assert opened["year"] == "2031"
    refused = client.post(edit, opened | {"doi": "", "url": "", "pmid": "", "pmcid": "", "isbn": ""}, follow=True)
    assert "Give a DOI" in errors_of(refused)
    assert "Saved in the draft." in text(tree(client.post(edit, opened | {"year": "2032"}, follow=True)))
    assert (Source.objects.get(key="NG59").year, draft_of(source).content["year"]) == (source.year, 2032)
    assert "A clinician must publish this" in text(tree(take(client, draft, "publish")))
    refused = take(client, draft, "send", version=1, note="My note.", reason="My reason.")
    assert (typed_in(refused, "note"), typed_in(refused, "reason")) == ("My note.", "My reason.")
    assert "Sent." in text(tree(take(client, draft, "send", note="The new edition.")))
    deliver()

    client.force_login(reviewer)
    waiting = text(tree(client.get("/admin/")))
    assert source.title in waiting.partition("Waiting for your review")[2].partition("Enquiries")[0]
    assert client.post(edit, opened).status_code == 403
    refused = take(client, draft, "send-back", note="No.")
    assert ("Say in one sentence" in text(tree(refused)), typed_in(refused, "back-note")) == (True, "No.")
    late = take(client, draft, "send", note="Sent twice.")
    assert late.status_code == 403
    take(client, draft, "send-back", note="Please look at the page again.")
    deliver()
    client.force_login(author)
    assert "source sent back to you by Clive, Please look at the page again." in text(tree(client.get("/admin/")))
    assert "Clive sent it back: Please look at the page again." in text(tree(client.get(draft.desk_address())))
    take(client, draft, "send")
    assert "sent back" not in text(tree(client.get("/admin/")))
    client.force_login(reviewer)
    stale = {"version": 1}
    assert "A colleague changed the draft" in text(tree(take(client, draft, "publish", **stale)))
    done = text(tree(take(client, draft, "publish")))
    assert f"These public fact sheets changed: {public_sheet.title}" in done
    deliver()
    told = [(each["To"], each["Subject"].partition(":")[0]) for each in mail_through.messages]
    # When it was to be sent a second time, there was nobody left to ask, because it was published.
    said_back, published = ("edith@example.com", "Sent back to you"), ("edith@example.com", "Published")
    assert told == [("clive@example.com", "Please review"), said_back, published]
    assert reverse("admin:factsheets_source_draft", args=[draft.pk]) in text_of(mail_through.messages[0])
    assert "Clive wrote: “Please look at the page again.”" in text_of(mail_through.messages[1])
    assert "2032" not in "".join(map(text_of, mail_through.messages))
    assert "2032" in text(page(client, path))
    assert publishing_rules.changed_since_review(public_sheet)
    newest = public_sheet.editions.first()
    assert (newest.actor, newest.changes) == ("Edith", [f"Changed: source “{source.title}”, year"])
    assert not publishing_rules.why_not_sign_off(public_sheet, reviewer), "Who published it may sign the sheet."
    assert public_sheet.title in text(tree(client.get("/admin/"))).partition("Changed since sign-off")[2]
    late = text(tree(take(client, draft, "send-back", note="Back to the old one, please.")))
    assert "no longer open" in late and "Not sent. You wrote: Back to the old one, please." in late

    client.force_login(author)
    listed = text(tree(client.get(history_of(source))))
    assert "published from a draft by Clive Written by Edith." in listed
    difference = client.get(edition_of(source, 2))
    assert "2032" in marked(difference, "ins")
    back = client.post(edition_of(source, 1), follow=True)
    assert "Edition 1 copied to a draft." in text(tree(back))
    again = draft_of(source)
    assert "Discarded" in text(tree(take(client, again, "discard"))) or not SharedDraft.objects.get(pk=again.pk).is_open
    # What no reader sees is saved at once, and needs nobody else.
    many = public_sheet.editions.count()
    assert not errors_of(save_once(client, address, to_check="Look up the page."))
    assert public_sheet.editions.count() == many


@pytest.mark.both
def test_a_draft_of_what_a_colleague_changed_deleted_or_drafted_loses_nothing(desk, author, reviewer):
    FactSheet.objects.all().delete()  # as above
    term = GlossaryTerm.objects.filter(explain_in_text=False).first()
    address, label = change_address(term), {"label": "factsheets.glossaryterm"}
    opened = values_of(desk.get(address))
    alone = save(desk, address, note="It reads better.", _draft="1")
    assert "Only the reason has changed" in errors_of(alone)
    assert values_of(alone)["note"] == "It reads better.", "What was typed stays in its box."
    assert "It reads better." in text(tree(save(desk, address, note="It reads better.")))
    opened = values_of(desk.get(address))
    save(desk, address, also="The draft’s name", explain_in_text="on", _draft="1")
    draft = draft_of(term)
    # Two drafts of one thing: the second is refused, with what was typed.
    late = desk.post(address, opened | {"also": "Late words", "_draft": "1"}, follow=True)
    assert "There is an open draft of this already." in errors_of(late)
    assert values_of(late)["also"] == "Late words"
    # Two editors of the draft.
    edit = reverse("admin:factsheets_glossaryterm_draft_edit", args=[draft.pk])
    theirs = values_of(desk.get(edit))
    desk.post(edit, theirs | {"term": "Their term"})
    clash = desk.post(edit, theirs | {"also": "Our words"}, follow=True)
    assert "Edith saved this while you had it open." in errors_of(clash)
    assert values_of(clash)["also"] == "Our words"
    # A reason alone is a change too.
    assert "No changes to save." in text(tree(save(desk, edit)))
    assert "Saved in the draft." in text(tree(save(desk, edit, note="It reads better.")))
    assert draft_of(term).note == "It reads better."
    # The live one changes meanwhile: both are shown, the draft’s words stay, and the others are taken over.
    GlossaryTerm.objects.filter(pk=term.pk).update(also=["The live name"])
    assert not errors_of(save(desk, address, slug="live-slug"))
    shown = desk.get(reverse("admin:factsheets_glossaryterm_draft", args=[draft.pk]))
    assert "Both changed: Also called. There the draft’s wording is kept." in text(tree(shown))
    assert "Update the draft first." in text(tree(take(desk, draft, "send")))
    take(desk, draft, "update")
    take(desk, draft, "send")
    desk.force_login(reviewer)
    assert "Published." in text(tree(take(desk, draft, "publish")))
    term.refresh_from_db()
    assert (term.term, term.slug, term.also) == ("Their term", "live-slug", ["The draft’s name"])
    assert term.explain_in_text
    assert "published from a draft by Clive" in text(tree(desk.get(history_of(term))))
    steps = text(tree(desk.get(reverse("admin:factsheets_glossaryterm_draft", args=[draft.pk]))))
    assert "published by Clive" in steps and "approved" not in steps
    desk.force_login(author)
    # Deleted meanwhile: it returns only if somebody wants it.
    save(desk, address, meaning="Another.", _draft="1")
    delete = reverse("admin:factsheets_glossaryterm_delete", args=[term.pk])
    assert "There is an open draft of this." in text(tree(desk.get(delete)))
    assert "Not deleted. There is an open draft of this already." in text(tree(desk.post(delete, follow=True)))
    GlossaryTerm.objects.filter(pk=term.pk).delete()
    draft = SharedDraft.objects.get(is_open=True)
    shown = text(tree(desk.get(reverse("admin:factsheets_glossaryterm_draft", args=[draft.pk]))))
    assert "It was deleted after this draft was started." in shown
    take(desk, draft, "update")
    published_draft(term, reviewer)
    assert GlossaryTerm.objects.get(pk=term.pk).meaning == "Another."
    # A new one, discarded: it exists nowhere but in the draft.
    add = reverse("admin:factsheets_glossaryterm_add")
    save(desk, add, term="Zygapophysis", slug="zyga", meaning="A joint.", _draft="1")
    draft = SharedDraft.objects.get(is_open=True, **label)
    assert not GlossaryTerm.objects.filter(slug="zyga").exists()
    edit = reverse("admin:factsheets_glossaryterm_draft_edit", args=[draft.pk])
    assert not errors_of(save_once(desk, edit, meaning="A joint of the spine."))
    GlossaryTerm.objects.create(slug="theirs", term="zygapophysis", meaning="Theirs.")
    assert "already belongs to the term “zygapophysis”" in text(tree(take(desk, draft, "send")))
    take(desk, draft, "discard")
    kept = text(tree(desk.get(reverse("admin:factsheets_glossaryterm_draft", args=[draft.pk]))))
    assert "Draft, discarded" in kept
    assert "A joint of the spine." in kept
    assert not GlossaryTerm.objects.filter(slug="zyga").exists()


def test_newer_content_waits_for_a_colleague_who_discards_the_draft(transactional_db):
    by, term = person("Edith", "editor"), GlossaryTerm.objects.first()
    given = {"record": term, "field": "meaning", "by": by, "what": "Newer content"}
    first = shared_drafts.take_field(**given, value="Newer.")
    held = threading.Event()

    def discard():
        with transaction.atomic():
            shared_drafts.discard(draft=first, version=first.version, by=by)
            held.set()
            time.sleep(0.5)
        connection.close()

    other = threading.Thread(target=discard)
    other.start()
    held.wait(10)
    again = shared_drafts.take_field(**given, value="Newest.")
    other.join(20)
    assert again.pk != first.pk
    assert (draft_of(term), draft_of(term).content["meaning"]) == (again, "Newest.")


def test_a_draft_is_not_published_over_what_a_colleague_is_saving(transactional_db):
    by, reviewer = person("Edith", "editor"), person("Clive", "clinician")
    term = GlossaryTerm.objects.filter(explain_in_text=False).first()
    shared = shared_drafts.take_field(record=term, field="meaning", value="The draft’s.", by=by, what="Newer content")
    shared_drafts.send(draft=shared, version=shared.version, note="", by=by)
    shared.refresh_from_db()
    saved = threading.Event()

    def save_live():
        with transaction.atomic():
            GlossaryTerm.objects.filter(pk=term.pk).update(meaning="Theirs.")
            saved.set()
            time.sleep(0.5)
        connection.close()

    colleague = threading.Thread(target=save_live)
    colleague.start()
    saved.wait(10)
    with pytest.raises(DraftRefused, match="It has changed since the draft was started"):
        shared_drafts.publish(draft=shared, version=shared.version, by=reviewer)
    colleague.join(20)
    term.refresh_from_db()
    assert term.meaning == "Theirs."


@pytest.mark.once
@pytest.mark.long
def test_a_second_editor_is_told_and_loses_nothing(desk):
    FactSheet.objects.all().delete()  # as above
    una = Client()
    una.force_login(person("Una", "editor"))
    for record, name, label, theirs, ours in [
        (Source.objects.get(key="NG59"), "to_check", "To check", "Theirs", "Ours"),
        (Statement.objects.first(), "claim_refs", "Claims it rests on", "B-01", "B-02"),
        (GlossaryTerm.objects.first(), "slug", "Short name", "their-name", "our-name"),
        (Figure.objects.first(), "alt", "Text alternative", "What they see.", "What we see."),
    ]:
        address = change_address(record)
        opened = values_of(desk.get(address))
        assert "Edith has had this open since" in text(tree(una.get(address)))
        assert not errors_of(save(una, address, **{name: theirs}))
        assert "has had this open" not in text(tree(desk.get(address))), "Una has left."
        late = desk.post(address, opened | {name: ours}, follow=True)
        assert "Una saved this while you had it open." in errors_of(late)
        assert conflict_in(late) == {label: (theirs, ours)}
        assert values_of(late)[name] == ours
        again = desk.post(address, values_of(late), follow=True)
        assert not errors_of(seen(desk, address, again))
        assert SharedEdition.objects.filter(label=record._meta.label_lower, record=record.pk).count() == 3

    # In its draft too, whose steps keep the words that were replaced.
    source = Source.objects.get(key="NG59")
    save(desk, change_address(source), to_check="Drafted", _draft="1")
    draft = draft_of(source)
    address = reverse("admin:factsheets_source_draft_edit", args=[draft.pk])
    opened = values_of(desk.get(address))
    assert "Edith has had this open since" in text(tree(una.get(address)))
    assert "Una has had this open since" in text(tree(desk.get(change_address(source))))
    assert una.post(address, values_of(una.get(address)) | {"to_check": "Una’s words"}).status_code == 302
    late = desk.post(address, opened | {"to_check": "Edith’s words"})
    assert "Una saved this while you had it open." in errors_of(late)
    assert conflict_in(late) == {"To check": ("Una’s words", "Edith’s words")}
    assert savers(late) == [("_draft", "Save mine over theirs")] * 2, "Above the form and below it."
    desk.post(address, values_of(late))
    assert draft_of(source).content["to_check"] == "Edith’s words"
    assert "Una’s words" in text(tree(desk.get(draft.desk_address())))


@pytest.mark.long
def test_a_statement_a_term_a_figure_and_a_notice_go_back_too(staff_client, reviewer):
    desk = staff_client
    statement = Statement.objects.get(key="cbt-for-long-term-pain")
    was = (statement.grade, set(statement.sources.all()))
    other = Source.objects.exclude(statements=statement).first()

    def only(source) -> dict:
        return {f"sources-{number}": source.key if number == 0 else "" for number in range(9)}

    refused = errors_of(save(desk, change_address(statement), grade="G1", **only(other)))
    assert "it changes how sure we are, sources." in refused
    save(desk, change_address(statement), grade="G1", **only(other), _draft="1")
    published_draft(statement, reviewer)
    sheet = statement.sheets[0]
    many = sheet.editions.count()
    desk.post(edition_of(statement, 1))
    assert Statement.objects.get(pk=statement.pk).grade == "G1"
    published_draft(statement, reviewer)
    again = Statement.objects.get(pk=statement.pk)
    assert (again.grade, set(again.sources.all())) == was
    assert sheet.editions.count() == many + 1
    # The verdict names NICE, so that its position alone is another verdict.
    advised = Statement.objects.get(key="gabapentinoids")
    save(desk, change_address(advised), nice_position="", _draft="1")
    shown = desk.get(reverse("admin:factsheets_statement_draft", args=[draft_of(advised).pk]))
    assert "by NICE" in marked(shown, "del")
    take(desk, draft_of(advised), "discard")
    # A slip in the words an editor mends alone, and sees first in which sheets.
    slip = save_once(desk, change_address(statement), detail=statement.detail.replace("pain", "pian", 1))
    assert "Save again to do it." in errors_of(slip)

    # The words that explain a term are a clinician's too, also when it is new or was deleted.
    term = GlossaryTerm.objects.get(slug="blood-thinner")
    explaining = [use.sheet for use in uses(term) if use.sheet.is_published]
    assert explaining and "explained" in text(tree(desk.get(change_address(term))))
    refused = errors_of(save(desk, change_address(term), meaning="It hurts a lot."))
    assert "A clinician must publish this: it changes meaning." in refused
    gone = desk.post(reverse("admin:factsheets_glossaryterm_delete", args=[term.pk]), follow=True)
    assert "Not deleted yet." in text(tree(gone)) and "because it deletes the term" in text(tree(gone))
    assert explaining[0].title in text(tree(gone))
    assert "it deletes the term" in text(tree(take(desk, draft_of(term), "publish")))
    assert GlossaryTerm.objects.filter(pk=term.pk).exists()
    edit = reverse("admin:factsheets_glossaryterm_draft_edit", args=[draft_of(term).pk])
    assert "This draft only deletes it." in text(tree(desk.get(edit, follow=True)))
    published_draft(term, reviewer)
    assert f"Removed: explained word “{term.term}”" in explaining[0].editions.first().changes
    assert f"{term.term} deleted by Clive" in text(tree(desk.get(reverse("admin:factsheets_glossaryterm_deleted"))))
    assert "It has been deleted." in text(tree(desk.get(history_of(term))))
    new = {"term": term.term, "slug": "another", "also": "", "meaning": "It hurts."}
    refused = save(desk, reverse("admin:factsheets_glossaryterm_add"), **new)
    assert "A clinician must publish this: it changes meaning." in errors_of(refused)
    desk.post(edition_of(term, 1))
    assert "it changes: meaning" in text(tree(take(desk, draft_of(term), "publish")))
    assert not GlossaryTerm.objects.filter(slug="blood-thinner").exists()
    published_draft(term, reviewer)
    assert GlossaryTerm.objects.get(slug="blood-thinner").pk == term.pk
    refused = desk.post(edition_of(term, 2), follow=True)
    assert "This edition is the deletion." in text(tree(refused))

    figure = Figure.objects.get(slug="keep-moving")
    leading = figure.leading.first()
    assert "first drawing" in text(tree(desk.get(change_address(figure))))
    assert "it changes text alternative" in errors_of(save(desk, change_address(figure), alt="They sit all day."))
    save(desk, change_address(figure), alt="They sit all day.", _draft="1")
    published_draft(figure, reviewer)
    assert Figure.objects.get(slug="keep-moving").alt == "They sit all day."
    assert leading.editions.first().changes == [f"Changed: drawing “{figure}”, text alternative"]
    desk.post(edition_of(figure, 1))
    published_draft(figure, reviewer)
    assert Figure.objects.get(slug="keep-moving").alt == figure.alt

    add = reverse("admin:factsheets_sitenotice_add")
    times = {"starts_at": "2031-01-01T10:00", "ends_at": "2031-01-02T10:00"}
    assert "Readers do not see it yet." in text(tree(save(desk, add, text="We move.", **times)))
    assert not SiteNotice.objects.exists()
    take(desk, SharedDraft.objects.get(is_open=True), "publish")
    notice = SiteNotice.objects.get()
    save(desk, change_address(notice), text="We move on Monday.")
    take(desk, draft_of(notice), "publish")
    assert "Every page of the website" in text(tree(desk.get(change_address(notice))))
    desk.post(edition_of(notice, 1))
    take(desk, draft_of(notice), "publish")
    assert SiteNotice.objects.get().text == "We move."
    desk.post(reverse("admin:factsheets_sitenotice_delete", args=[notice.pk]), {"post": "yes"})
    save(desk, add, text="Another.", **times)
    take(desk, SharedDraft.objects.get(is_open=True), "publish")
    desk.post(edition_of(notice, 1))
    shown = take(desk, SharedDraft.objects.get(is_open=True), "update")
    assert "Another notice is shown at that time" in text(tree(shown))
    assert "Another notice is shown at that time" in text(tree(take(desk, draft_of(notice), "publish")))


@pytest.mark.once
def test_a_used_source_stays_and_a_source_that_is_gone_is_named(desk, staff_client):
    used = Source.objects.get(key="NG59")
    address = reverse("admin:factsheets_source_delete", args=[used.pk])
    assert "would require deleting the following protected" in text(tree(staff_client.get(address)))
    staff_client.post(address, {"post": "yes"})
    assert Source.objects.filter(pk=used.pk).exists()


@pytest.mark.once
@pytest.mark.long
def test_clinicians_read_histories_and_reception_nothing(client, public_sheet):
    source = Source.objects.get(key="NG59")
    client.force_login(person("Una", "editor"))
    save(client, change_address(source), publisher="Another publisher")
    client.force_login(public_sheet.reviewed_by)
    for address in (history_of(source), edition_of(source, 2), change_address(source)):
        assert client.get(address).status_code == 200
    for record in (Statement.objects.first(), GlossaryTerm.objects.first(), Figure.objects.first()):
        assert client.get(change_address(record)).status_code == 200
    assert client.post(edition_of(source, 1)).status_code == 403
    client.force_login(person("Rita", "reception"))
    for address in (history_of(source), edition_of(source, 2), reverse("admin:factsheets_source_deleted")):
        assert client.get(address).status_code == 403
    assert Source.objects.get(key="NG59").publisher == "Another publisher"


@pytest.mark.once
def test_newer_site_content_is_in_the_history(tmp_path):
    fixtures = Fixtures(tmp_path, alone=True)
    fixtures.load()
    fixtures.fields("EDA")["title"] = "Theirs"
    fixtures.fields("claim")["detail"] = "It may help a little. [@EDA]\n"
    fixtures.load()
    kept = SharedEdition.objects.order_by("label", "number").values_list("name", "step")
    assert list(kept) == [
        ("Theirs (EDA)", "installed"),
        ("Theirs (EDA)", "installed"),
        ("Heat for recent pain", "installed"),
        ("Heat for recent pain", "installed"),
    ]
    titles = [each.content["title"] for each in SharedEdition.objects.filter(label="factsheets.source")]
    assert titles == ["Theirs", "The study EDA"]


def test_what_is_typed_and_not_saved_waits_in_every_form(desk, reviewer):
    FactSheet.objects.all().delete()  # as above
    owner, una = Client(), Client()
    owner.force_login(User.objects.create_superuser("olga"))
    una.force_login(person("Una", "editor"))
    source = Source.objects.get(key="NG59")
    save(desk, change_address(source), to_check="Drafted", _draft="1")
    for client, address, name in [
        (desk, change_address(source), "to_check"),
        (desk, reverse("admin:factsheets_source_draft_edit", args=[draft_of(source).pk]), "title"),
        (desk, reverse("admin:factsheets_source_add"), "title"),
        (desk, change_address(Statement.objects.first()), "claim"),
        (desk, change_address(GlossaryTerm.objects.first()), "meaning"),
        (desk, change_address(Figure.objects.first()), "alt"),
        (owner, reverse("admin:factsheets_sitenotice_add"), "text"),
        (desk, reverse("admin:factsheets_safetyadvice_flag", args=["RF-E1"]), "why"),
        (desk, reverse("admin:factsheets_safetyadvice_new"), "why"),
        (owner, reverse("admin:enquiries_wording", args=["consultation_acknowledgement"]), "text"),
    ]:
        was = values_of(client.get(address))
        kept = client.post(address, was | {name: "Typed words.", "_keep": "yes"})
        assert "Kept for you at" in kept.json()["kept"], address
        again = client.get(address)
        assert (again.status_code, values_of(again)[name]) == (200, "Typed words."), address
        assert "You typed this at" in text(tree(again))
        client.post(address, {"_discard": "yes"})
        assert values_of(client.get(address)).get(name) == was.get(name), address

    # Of the same person alone, refused words too, until they are saved; over a colleague's only when they were shown.
    address, label = change_address(source), "To check"
    opened = values_of(desk.get(address))
    desk.post(address, opened | {"to_check": "Ours", "url": "no address"})
    assert "You typed this at" not in text(tree(una.get(address)))
    assert not errors_of(una.post(address, values_of(una.get(address)) | {"to_check": "Theirs"}, follow=True))
    back = desk.get(address)
    assert "Una saved this while you had it open." in text(tree(back))
    assert conflict_in(back)[label] == ("Theirs", "Ours")
    desk.post(address, values_of(back) | {"url": opened["url"]})
    source.refresh_from_db()
    assert source.to_check == "Ours"
    assert "You typed this at" not in text(tree(desk.get(address)))
    # Two tabs.
    first, second = values_of(desk.get(address)), values_of(desk.get(address))
    desk.post(address, first | {"to_check": "In the first tab", "_keep": "yes"})
    desk.post(address, second | {"to_check": "In the second tab", "_keep": "yes"})
    assert "You typed something else here" in text(tree(desk.get(address)))
    desk.post(address, {"_swap": "yes"})
    assert values_of(desk.get(address))["to_check"] == "In the first tab"
