"""The glossary's terms on the editors' desk: changed, switched off, deleted, and never two for one word."""

import pytest
from django.urls import reverse

from factsheets import shared_drafts
from factsheets.models import FactSheet, GlossaryTerm
from factsheets.rendering.glossary_marks import Glossary
from tests.support.desk import change_address, draft_of, errors_of, published_draft, save, save_once, seen, take, tree
from tests.support.html import by_id, text
from tests.support.reading import page, squeezed

pytestmark = pytest.mark.usefixtures("db")


def form_of(client, address: str) -> dict:
    form = client.get(address).context["adminform"].form
    return {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}


@pytest.mark.long
def test_an_editor_writes_other_names_with_commas_and_every_sheet_follows(staff_client):
    found = GlossaryTerm.objects.get(slug="myeloma")
    address = reverse("admin:factsheets_glossaryterm_change", args=[found.pk])
    values = form_of(staff_client, address)
    assert values["also"] == "multiple myeloma"
    slug = "stress-and-back-pain"
    assert "word-myeloma" not in staff_client.get(f"/fact-sheets/{slug}/").content.decode()
    values |= {"also": " multiple   myeloma, low  mood,, Low mood ", "meaning": "A new meaning."}
    first = staff_client.post(address, values)
    assert seen(staff_client, address, first, follow=False).status_code == 302
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
def test_a_term_that_is_deleted_or_switched_off_is_no_longer_explained(staff_client):
    path = "/fact-sheets/tests-and-treatments/"
    FactSheet.objects.exclude(slug="tests-and-treatments").delete()  # each change makes every sheet anew
    for slug, change in (("tens", "delete"), ("mri", "change"), ("opioid", "delete_selected")):
        found = GlossaryTerm.objects.get(slug=slug)
        assert f"word-{slug}" in staff_client.get(path).content.decode()
        if change == "delete_selected":
            values = {"action": change, "_selected_action": [found.pk], "post": "yes"}
            staff_client.post(reverse("admin:factsheets_glossaryterm_changelist"), values)
        else:
            address = reverse(f"admin:factsheets_glossaryterm_{change}", args=[found.pk])
            values = {"post": "yes"} if change == "delete" else form_of(staff_client, address)
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
    FactSheet.objects.all().delete()  # each change makes every sheet anew
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
    shared_drafts.discard(draft=draft_of(found), version=draft_of(found).version, by=reviewer)
    save_once(desk, address, meaning="Call 999 at once.", _draft="1")
    published_draft(found, reviewer)
    assert "Call 999 at once." in text(by_id(page(desk, "/glossary/"), found.slug))
