"""Every published sheet: all of it is there and honest, and each of its pages is safe. Its layers: test_layers.py"""

from datetime import timedelta
from functools import cache

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from backcare.core import clinic
from factsheets.models import BENEFITS, FactSheet, SafetyAdvice, Section, Statement
from factsheets.rendering.document import verdict_of
from factsheets.safety import AFTERWORDS
from tests.support.html import by_id, text
from tests.support.pictures import figures_of
from tests.support.reading import (
    SHEET_PAGES,
    SLUGS,
    elements,
    expect_links_on_the_page_to_lead_somewhere,
    expect_ordered_headings,
    headings,
    ids,
    links,
    page,
    squeezed,
    with_class,
)
from tests.support.statements import of_sheet

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
every_sheet = pytest.mark.parametrize("slug", SLUGS)
every_page = pytest.mark.parametrize("path", SHEET_PAGES)


def sheet_page(client, slug: str):
    return page(client, f"/fact-sheets/{slug}/")


@cache
def at(path: str):
    """A page as the fixtures have it, asked for and parsed once for the tests of this file. For reading only."""
    return page(Client(), path)


def published(slug: str):
    """All of a sheet on one page."""
    return at(f"/fact-sheets/{slug}/")


def sheet_at(path: str) -> FactSheet:
    return FactSheet.objects.get(slug=path.split("/")[2])


def test_all_nine_sheets_are_there_and_open_to_the_public():
    assert len(SLUGS) == 9
    assert {"about-back-pain", "acupuncture-for-back-pain"} <= set(SLUGS)
    assert sorted(FactSheet.objects.published().values_list("slug", flat=True)) == SLUGS


@every_sheet
def test_a_page_has_one_title_ordered_headings_and_a_heading_for_every_section(slug):
    tree = published(slug)
    sheet = FactSheet.objects.get(slug=slug)
    expect_ordered_headings(tree)
    [title] = tree.iter("h1")
    assert text(title) == sheet.title
    assert sheet.audience in text(tree)
    shown = [*headings(tree), *map(text, tree.iter("summary")), *map(text, tree.iter("caption"))]
    for section in sheet.sections.exclude(heading=""):
        assert shown.count(section.heading) == 1, section.heading


@every_page
def test_every_link_on_a_page_has_its_target_and_every_id_is_there_once(path):
    expect_links_on_the_page_to_lead_somewhere(at(path))
    expect_ordered_headings(at(path))


@every_sheet
def test_every_section_has_its_place(slug):
    tree = published(slug)
    assert set(FactSheet.objects.get(slug=slug).sections.values_list("slug", flat=True)) <= set(ids(tree))


@pytest.mark.long
def test_no_section_can_take_the_address_of_a_part_of_the_page(client, sheet):
    places = {slug for each in sheet.sections.all() for slug in (each.slug, *each.former_slugs)}
    own = set(ids(sheet_page(client, sheet.slug))) - places
    assert {"main", "sources", "source-1", "cite-1", "report", "consultation", "review"} <= own
    for slug in own:
        with pytest.raises(ValidationError) as error:
            Section(sheet=sheet, slug=slug, heading="Words", body="Words.").full_clean()
        assert "slug" in error.value.message_dict, slug


@every_sheet
def test_citations_are_numbered_as_a_reader_meets_them_and_lead_there_and_back(slug):
    tree = published(slug)
    document = FactSheet.objects.get(slug=slug).document
    cites = [node for node in elements(tree) if node.tag == "a" and (node.get("id") or "").startswith("cite-")]
    assert len(cites) >= 5
    met = []
    for link in [node for node in elements(tree) if (node.get("href") or "").startswith("#source-")]:
        number = int(link.get("href").removeprefix("#source-"))
        assert number in met or number == len(met) + 1, f"Source {number} is met before source {len(met) + 1}"
        met += [] if number in met else [number]
    assert met == [reference["number"] for reference in document["references"]]
    for link in cites:
        assert text(link) == link.get("href").removeprefix("#source-")
    for reference in document["references"]:
        [back] = [link for link in links(by_id(tree, f"source-{reference['number']}")) if link.startswith("#")]
        assert back == f"#{reference['place']}", "A source leads back once, to where it is met first."


@every_sheet
def test_every_source_is_printed_with_its_address(slug):
    tree = published(slug)
    for reference in FactSheet.objects.get(slug=slug).document["references"]:
        there = by_id(tree, f"source-{reference['number']}")
        assert reference["text"] in text(there)
        if reference["url"]:
            assert reference["url"] in links(there)
            assert reference["url"] in text(there)


@every_page
def test_emergency_advice_stands_before_the_body_and_all_of_it_is_a_link_away(path):
    tree = at(path)
    order = elements(tree)
    [emergency] = with_class(tree, "care", "emergency")
    assert order.index(emergency) < order.index(with_class(tree, "chapter")[0])
    assert {"tel:999", "/get-help-now/"} <= set(links(emergency))
    signs = [text(item) for item in emergency.iter("li")]
    assert signs == list(
        SafetyAdvice.objects.filter(tier="emergency", on_compact_card=True).values_list("short_text", flat=True)
    )
    assert not [node for node in tree.iter("details") if emergency in set(node.iter())], "It is never folded away."
    assert AFTERWORDS["emergency"] in text(emergency), "One sign is enough, and nobody drives with it."
    assert len(text(emergency).split()) <= 120, "Seen at a glance: all the signs in full have a page of their own."
    other = by_id(tree, "care-all")
    assert "/get-help-now/" in links(other)
    assert not [node for node in tree.iter("details") if other in set(node.iter())]


@every_sheet
def test_nice_stands_within_every_statement_of_a_benefit_of_acupuncture(slug):
    tree = published(slug)
    for statement in of_sheet(slug):
        [shown] = [node for node in with_class(tree, "claim") if text(node).startswith(statement.claim)]
        for words in (verdict_of(statement), statement.get_grade_display()):
            assert (words or "") in text(shown)
        says_no = statement.nice_position.startswith(("NICE does not recommend", "Do not offer"))
        # Guidance that is not graded names NICE as its verdict.
        summary = text(next(shown.iter("summary")))
        assert ("NICE: not recommended" in summary) == (says_no and bool(statement.grade))
        assert not says_no or "NICE" in summary
        if "acupuncture" in statement.treatment and statement.direction in BENEFITS:
            assert says_no or "NICE does not recommend acupuncture" in text(shown)
        else:
            assert says_no or statement.nice_position in text(shown)
        assert [link for link in links(shown) if link.startswith("#source-")], "A statement names its sources."


def test_there_are_benefits_of_acupuncture_for_nice_to_stand_beside():
    assert Statement.objects.filter(treatment="acupuncture", direction__in=BENEFITS).count() >= 2


@every_sheet
def test_every_traditional_section_carries_its_label(slug):
    tree = published(slug)
    traditional = Section.objects.filter(sheet__slug=slug, view="traditional")
    labelled = with_class(tree, "trad")
    assert len(labelled) == traditional.count()
    for section in labelled:
        assert text(section).startswith("Traditional explanation. Not a medical diagnosis.")
    if slug == "traditional-chinese-medicine-view":
        assert len(labelled) >= 3


@every_page
def test_a_page_that_no_clinician_signed_says_so(path):
    assert "Awaiting clinical review" in text(at(path))


@every_sheet
def test_a_sheet_that_no_clinician_signed_says_so_in_every_form(client, slug):
    assert "Awaiting clinical review" in client.get(f"/fact-sheets/{slug}/text/").content.decode()
    assert "Awaiting clinical review" in client.get(f"/fact-sheets/{slug}/json/").json()["state_note"]


def test_a_signed_review_shows_and_an_overdue_one_shows_more(client, staff, sheet):
    today = timezone.localdate()
    sheet.reviewed_on, sheet.reviewed_by = today - timedelta(days=400), staff
    sheet.review_due_on = today
    sheet.save()
    assert "Awaiting" not in text(sheet_page(client, sheet.slug)), "On the day it is due, a review is not overdue yet."
    assert "by Sam" in text(sheet_page(client, sheet.slug))
    sheet.review_due_on = today - timedelta(days=1)
    sheet.save()
    overdue = f"The review of this page was due on {sheet.review_due_on:%-d %B %Y} and has not happened yet."
    tree = sheet_page(client, sheet.slug)
    assert overdue in text(tree)
    assert text(tree).index(overdue) < text(tree).index("Key points")
    assert overdue in " ".join(client.get(f"/fact-sheets/{sheet.slug}/text/").content.decode().split())
    assert client.get(f"/fact-sheets/{sheet.slug}/json/").json()["state_note"] == overdue


@every_page
def test_what_the_clinic_sells_is_said_where_it_is_described(settings, path):
    sheet = sheet_at(path)
    assert (clinic.details()["interest_statement"] in text(at(path))) == sheet.treatment_offered
    assert sheet.treatment_offered or not sheet.slug.startswith(("acupuncture", "manual"))
    priced = sheet.treatment_offered and sheet.sections.filter(question="who-gives-it").exists()
    assert ("We sell this treatment" in text(at(path))) == priced


@every_sheet
def test_related_sheets_come_with_a_reason_and_only_when_the_public_can_open_them(client, slug):
    related = list(FactSheet.objects.get(slug=slug).related.select_related("to"))
    assert related
    hidden, *shown = related
    FactSheet.objects.filter(pk=hidden.to_id).update(state="draft")
    tree = page(client, f"/fact-sheets/{slug}/")
    for link in shown:
        assert link.reason in text(tree)
        assert f"/fact-sheets/{link.to.slug}/" in links(tree)
    assert hidden.reason not in text(tree)


@every_sheet
def test_every_picture_has_words_and_a_size(slug):
    tree = published(slug)
    shown = list(tree.iter("figure"))
    figures = figures_of(slug)
    assert len(shown) == len(figures) >= 1
    for figure, node in zip(figures, shown, strict=True):
        [image] = node.iter("img")
        assert image.get("alt") == figure.alt
        width, height = int(image.get("width")), int(image.get("height"))
        if "lead-figure" in node.get("class", ""):  # drawn lower, in the same shape
            assert height == min(figure.height, 220) and abs(width - height * figure.width / figure.height) <= 0.5
        else:
            assert (width, height) == (figure.width, figure.height)
        assert squeezed(figure.long_description) in text(node)


@every_sheet
def test_a_wide_table_scrolls_in_a_named_box_and_its_headers_say_what_they_head(slug):
    tree = published(slug)
    for box in with_class(tree, "table"):
        if box.tag == "div" and box.get("role"):
            assert box.get("role") == "region"
            assert box.get("tabindex") == "0"
            assert box.get("aria-label")
    for header in tree.iter("th"):
        assert header.get("scope") in {"row", "col"}
