"""The glossary's terms on the editors' desk: changed, switched off, deleted, and never two for one word."""

import pytest
from django.urls import reverse

from factsheets import shared_drafts, shared_revisions
from factsheets.models import FactSheet, GlossaryTerm
from factsheets.rendering.glossary_marks import Glossary
from tests.support.desk import change_address, draft_of, errors_of, published_draft, save, save_once, seen, take
from tests.support.html import by_id, text, tree
from tests.support.reading import page, squeezed

pytestmark = pytest.mark.usefixtures("db")


def form_of(client, address: str) -> dict:
    form = client.get(address).context["adminform"].form
    return {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}


@pytest.mark.long
def test_an_editor_writes_other_names_with_commas_and_every_sheet_follows(staff_client, reviewer):
    found = GlossaryTerm.objects.get(slug="myeloma")
    address = reverse("admin:factsheets_glossaryterm_change", args=[found.pk])
    values = form_of(staff_client, address)
    assert values["also"] == "multiple myeloma"
    slug = "stress-and-back-pain"
    assert "word-myeloma" not in staff_client.get(f"/fact-sheets/{slug}/").content.decode()
    values |= {"also": " multiple   myeloma, low  mood,, Low mood ", "meaning": "A new meaning."}
    refused = staff_client.post(address, values)
    assert "it changes also called, meaning." in errors_of(refused)
    staff_client.post(address, values | {"_draft": "1"})
    published_draft(found, reviewer)
    found.refresh_from_db()
    assert found.also == ["multiple myeloma", "Low mood"]
    entry = by_id(page(staff_client, f"/fact-sheets/{slug}/"), "word-myeloma")
    assert squeezed(text(entry)).startswith("Low mood (Myeloma) A new meaning.")


def test_a_word_that_another_term_has_is_refused_with_its_name(staff_client):
    found = GlossaryTerm.objects.get(slug="myeloma")
    address = reverse("admin:factsheets_glossaryterm_change", args=[found.pk])
    values = form_of(staff_client, address)
    response = staff_client.post(address, values | {"also": "Slipped  disc"})
    assert "“Slipped disc” already belongs to the term “Disc bulge”." in response.content.decode()
    response = staff_client.post(reverse("admin:factsheets_glossaryterm_add"), values | {"slug": "x", "term": "flare"})
    assert "“flare” already belongs to the term “Flare-up”." in response.content.decode()


@pytest.mark.long
def test_a_term_that_is_deleted_or_switched_off_is_no_longer_explained(staff_client, reviewer):
    path = "/fact-sheets/tests-and-treatments/"
    FactSheet.objects.exclude(slug="tests-and-treatments").delete()  # each change rebuilds every sheet
    opioid = GlossaryTerm.objects.get(slug="opioid")
    ticked = {"action": "delete_selected", "_selected_action": [opioid.pk], "post": "yes"}
    staff_client.post(reverse("admin:factsheets_glossaryterm_changelist"), ticked)
    assert GlossaryTerm.objects.filter(pk=opioid.pk).exists(), "No list deletes what a clinician must agree to."
    for slug, change in (("tens", "delete"), ("mri", "change")):
        found = GlossaryTerm.objects.get(slug=slug)
        assert f"word-{slug}" in staff_client.get(path).content.decode()
        address = reverse(f"admin:factsheets_glossaryterm_{change}", args=[found.pk])
        if change == "delete":
            shown = squeezed(text(tree(staff_client.get(address))))
            assert FactSheet.objects.get().title in shown and "A clinician must agree" in shown
            staff_client.post(address)
            assert f"word-{slug}" in staff_client.get(path).content.decode(), "One person alone deletes none."
            published_draft(found, reviewer)
        else:
            values = form_of(staff_client, address)
            values.pop("explain_in_text", None)
            first = staff_client.post(address, values)
            assert seen(staff_client, address, first, follow=False).status_code == 302
        assert f"word-{slug}" not in staff_client.get(path).content.decode()


@pytest.mark.once
def test_no_two_terms_claim_the_same_word():
    claimed = {}
    for found in GlossaryTerm.objects.all():
        for spelling in [found.term, *found.also]:
            one = Glossary([GlossaryTerm(term=spelling, meaning="")])
            others = {
                name: slug for name, slug in claimed.items() if slug != found.slug and one.pattern.fullmatch(name)
            }
            assert not others, f"{found.slug} claims “{spelling}”, and so does {others}"
            claimed[spelling] = found.slug
    assert len(claimed) > 150


def test_the_glossary_shows_every_meaning_so_a_clinician_publishes_also_one_that_no_sheet_explains(desk, reviewer):
    FactSheet.objects.all().delete()  # each change rebuilds every sheet
    found = GlossaryTerm.objects.get(slug="cauda-equina-syndrome")
    address, was = change_address(found), found.meaning
    assert "Patients read it in the glossary." in text(tree(desk.get(address)))
    refused = save_once(desk, address, meaning="Wait a week.")
    assert "A clinician must publish this: it changes meaning." in errors_of(refused)
    assert "Patients would see it in Glossary" in squeezed(text(tree(refused)))
    save_once(desk, address, meaning="Wait a week.", _draft="1")
    assert "it changes: meaning" in text(tree(take(desk, draft_of(found), "publish")))
    entry = by_id(page(desk, "/glossary/"), found.slug)
    assert was in text(entry) and "Wait a week." not in text(entry)
    assert not errors_of(save(desk, address, meaning=f"{was.rstrip('.')}!")), "A slip is mended at once."
    assert "it changes term, also called." in errors_of(save_once(desk, address, term="Sore back", also="Lumbago"))
    shared_drafts.discard(draft=draft_of(found), version=draft_of(found).version, by=reviewer)
    save_once(desk, address, meaning="Call 999 at once.", _draft="1")
    published_draft(found, reviewer)
    assert "Call 999 at once." in text(by_id(page(desk, "/glossary/"), found.slug))


@pytest.mark.parametrize(
    ("before", "after", "alone"),
    [
        ("The nreve that runs down the leg.", "The nerve that runs down the leg.", True),
        ("The nerv, that runs down the leg", "The nerve that runs down the leg.", True),
        ("A muscle.", "A nerve.", False),
        ("Pain in the leg.", "Pain in the legs.", False),
        ("Wasting of a muscle.", "Tasting of a muscle.", False),
        ("Nreve pain in the lge.", "Nerve pain in the leg.", False),
        ("The nreve that runs down 2 legs.", "The nerve that runs down 3 legs.", False),
    ],
)
def test_one_misspelt_word_is_mended_in_one_press_and_nothing_that_could_mean_something_else(before, after, alone):
    found = GlossaryTerm.objects.get(slug="sciatica")
    live = shared_revisions.snapshot(found) | {"meaning": before}
    assert shared_drafts.why_second(found, live, live | {"meaning": after}) == ([] if alone else ["meaning"])


@pytest.mark.both
def test_a_draft_of_a_term_names_the_sheets_that_say_its_word_and_never_explain_it(desk):
    found = GlossaryTerm.objects.get(slug="myeloma")
    FactSheet.objects.exclude(slug="about-back-pain").delete()
    GlossaryTerm.objects.filter(pk=found.pk).update(term="back pain", also=[], explain_in_text=False)
    assert "About back pain" in squeezed(text(tree(desk.get(change_address(found)))))
    save_once(desk, change_address(found), meaning="Pain in the back.", _draft="1")
    shown = squeezed(text(tree(desk.get(draft_of(found).desk_address()))))
    assert "Public fact sheets that it changes None. Public fact sheets that only say the word" in shown
    assert FactSheet.objects.get().title in shown.partition("only say the word")[2]
