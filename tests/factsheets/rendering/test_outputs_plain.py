"""Every published sheet as plain text and as JSON: nothing that the page says is lost on the way."""

import re

import pytest

from backcare.core import clinic
from factsheets import safety
from factsheets.models import BENEFITS, FactSheet, SafetyAdvice, Section
from factsheets.rendering.document import verdict_of
from tests.support.pictures import figures_of
from tests.support.reading import SLUGS, squeezed
from tests.support.statements import of_sheet

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
every_sheet = pytest.mark.parametrize("slug", SLUGS)
LABEL = "Traditional explanation. Not a medical diagnosis."


def as_text(client, slug: str) -> str:
    response = client.get(f"/fact-sheets/{slug}/text/")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    return response.content.decode()


def as_json(client, slug: str) -> dict:
    response = client.get(f"/fact-sheets/{slug}/json/")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    return response.json()


@every_sheet
def test_the_text_holds_every_heading_in_order_and_every_statement_with_nice(client, slug):
    sheet = FactSheet.objects.get(slug=slug)
    said = squeezed(as_text(client, slug))
    at = 0
    for heading in [sheet.title, sheet.audience, "Key points", *sheet.sections.values_list("heading", flat=True)]:
        at = said.index(heading, at)
    for statement in of_sheet(sheet.slug):
        start = said.index(f"{statement.claim}: {verdict_of(statement)}.")
        end = said.index("Sources: ", start)
        assert statement.nice_position in said[start:end]


@every_sheet
def test_the_text_labels_every_traditional_section(client, slug):
    said = squeezed(as_text(client, slug))
    assert said.count(LABEL) == Section.objects.filter(sheet__slug=slug, view="traditional").count()


@every_sheet
def test_the_text_prints_every_source_related_page_and_figure_in_words(client, settings, slug):
    sheet = FactSheet.objects.get(slug=slug)
    said = squeezed(as_text(client, slug))
    for reference in sheet.document["references"]:
        assert squeezed(f"{reference['number']}. {reference['text']} {reference['url']}") in said
        assert f"[{reference['number']}]" in said or "Sources:" in said
    for link in sheet.related.select_related("to"):
        assert f"{link.to.title}: {link.reason} {settings.BASE_URL}/fact-sheets/{link.to.slug}/" in said
    for figure in figures_of(slug):
        assert squeezed(figure.long_description) in said
    for words in (clinic.details()["name"], clinic.details()["phone"], "Not an NHS service.", "Last changed: "):
        assert words in said


@every_sheet
def test_the_text_has_the_short_card_first_and_all_the_signs_at_an_address(client, settings, slug):
    said = squeezed(as_text(client, slug))
    card, _, rest = said.partition(" Key points ")
    tiers = safety.tiers()
    for words in (tiers[0]["heading"], *safety.compact(tiers), tiers[0]["after"]):
        assert words in card
    address = f"All the signs: 999, 111 and GP: {settings.BASE_URL}/get-help-now/"
    assert address in card
    assert f"Call 111 or your GP today for some signs, and see your GP soon for others. {address}" in rest


@every_sheet
def test_the_text_is_narrow_and_has_no_markup_left_in_it(client, slug):
    said = as_text(client, slug)
    wide = [line for line in said.splitlines() if len(line) > 72 and " " in line.strip()]
    assert not [line for line in wide if not re.search(r"https?://\S{40}", line)]
    for mark in ("**", "](", "[@", "<p>", "</", "&amp;", "&#"):
        assert mark not in said


@every_sheet
def test_the_json_holds_the_same_sections_in_order_and_says_what_it_is(client, settings, slug):
    sheet = FactSheet.objects.get(slug=slug)
    data = as_json(client, slug)
    assert (data["slug"], data["title"], data["language"]) == (slug, sheet.title, "en-GB")
    assert data["publisher"] == clinic.details()["name"]
    assert data["address"] == f"{settings.BASE_URL}/fact-sheets/{slug}/"
    assert "does not replace advice" in data["notice"]
    assert bool(data["interest_statement"]) == sheet.treatment_offered
    stored = sheet.sections.values_list("slug", "kind", "view")
    assert [(each["slug"], each["kind"], each["view"]) for each in data["sections"]] == list(stored)
    for section, heading in zip(data["sections"], sheet.sections.values_list("heading", flat=True), strict=True):
        assert section["heading"] == heading or (not heading and section["heading"] in {"Try", "What not to do"})
        assert section["label"] == (LABEL if section["view"] == "traditional" else "")
    assert len(data["key_points"]) == 3
    assert [each["number"] for each in data["references"]] == list(range(1, len(data["references"]) + 1))


@every_sheet
def test_the_json_holds_every_tier_of_safety_advice_and_nice_beside_every_statement(client, slug):
    data = as_json(client, slug)
    assert [tier["tier"] for tier in data["safety"]] == ["emergency", "urgent", "routine"]
    said = {item["code"]: (item["text"], item["action"]) for tier in data["safety"] for item in tier["items"]}
    assert said == {each.code: (each.text, each.action) for each in SafetyAdvice.objects.all()}
    shown = [each for section in data["sections"] for each in section.get("evidence", [])]
    assert len(shown) == of_sheet(slug).count()
    for statement in shown:
        assert statement["sources"]
        if statement["treatment"] == "acupuncture" and statement["direction"] in BENEFITS:
            assert "NICE does not recommend acupuncture" in statement["nice_position"]


def test_the_json_tells_nobody_about_the_staff(client, staff, sheet):
    said = client.get(f"/fact-sheets/{sheet.slug}/json/").content.decode()
    for word in ("password", staff.email, "claim_refs", "reviewed_by", "updated_at"):
        assert word not in said
