"""A sheet's page: the answer first, the leaflet open under patients' questions, and the rest folded, found by every old address."""

import io

import pytest
from django.test import Client
from django.urls import get_resolver
from pypdf import PdfReader

from factsheets import actions
from factsheets.models import FactSheet, FormerAddress, Section
from factsheets.models.section import TAKEN_PAGES
from tests.factsheets.rendering.test_outputs_pdf import read
from tests.support.html import by_id, parse, text
from tests.support.layered_sheet import QUESTIONS, in_layers
from tests.support.reading import SLUGS, elements, headings, ids, links, packed, page, squeezed, with_class
from tests.support.search import search
from tests.support.visitor import visitor

pytestmark = [pytest.mark.django_db, pytest.mark.once]
PHONE = {"width": 320, "height": 640}


@pytest.fixture
def layered(sheet):
    return in_layers(sheet)


def details_of(tree, place: str):
    """The folded parts that hold the place, the innermost last."""
    found = by_id(tree, place)
    return [each for each in tree.iter("details") if found in set(each.iter())]


def test_the_answer_comes_first_then_the_leaflet_and_the_rest_is_folded(client, layered):
    tree = page(client, layered.get_absolute_url())
    order = elements(tree)
    places = [by_id(tree, name) for name in ("in-short", "key-points")]
    places += [next(tree.iter("figure")), with_class(tree, "care", "emergency")[0]]
    answer = [order.index(each) for each in places]
    leaflet = order.index(by_id(tree, "should-i-worry"))
    assert all(at < leaflet for at in answer)
    assert text(by_id(tree, "in-short")) == layered.in_short
    assert text(next(places[2].iter("figcaption"))).startswith(layered.lead_figure.title)
    cited = layered.document["references"]
    years = [each["year"] for each in cited if each["year"]]
    assert f"{len(cited)} sources, from {min(years)} to {max(years)}." in text(by_id(tree, "review"))
    second = [text(node) for node in order if node.tag == "h2"]
    at = second.index(QUESTIONS[0])
    assert second[at : at + len(QUESTIONS) + 2] == [*QUESTIONS, "What we sell", "For those who want more"]
    assert {f"#{each.question}" for each in layered.sections.exclude(question="")} <= set(
        links(with_class(tree, "contents")[0])
    )
    for slug in ("calm", "move", "list", "rows", "gp"):
        assert details_of(tree, slug) == [], "The leaflet is open."
    for place, summary in {
        "studies": "Studies and numbers",
        "old-studies": "Studies and numbers",
        "limits": "Studies and numbers",
        "tradition": "The traditional view",
        "source-1": "Sources",
        "sources": "Sources",
        "word-mri": "Words explained",
        "words": "Words explained",
        "report": "Email me this sheet",
        "consultation": "Book a consultation",
    }.items():
        [folded] = details_of(tree, place)
        assert folded.get("open") is None
        assert text(next(folded.iter("summary"))) == summary
        assert by_id(tree, place) not in set(next(folded.iter("summary")).iter()), (
            "A summary's own address opens nothing."
        )
    assert text(by_id(tree, "care-all")).startswith("Call 111 or your GP today for some signs")
    assert "/get-help-now/" in links(by_id(tree, "care-all"))
    assert order.index(by_id(tree, "care-all")) < order.index(by_id(tree, "more"))


def test_a_row_of_the_evidence_says_verdict_and_nice_before_it_is_opened(client, layered):
    tree = page(client, layered.get_absolute_url())
    needles, rest = with_class(by_id(tree, "rows"), "claim")
    assert (needles.tag, needles.get("open")) == ("details", None)
    shown = text(next(needles.iter("summary")))
    for words in ("pretend acupuncture", "May help a little, but we are not sure", "NICE: not recommended"):
        assert words in shown
    assert "The bars say how sure we are." in text(by_id(tree, "rows"))
    [gauge] = with_class(next(needles.iter("summary")), "gauge")
    assert (text(gauge), gauge.get("aria-hidden")) == ("", "true"), (
        "Bars that are letters would be read out and copied."
    )
    assert "NICE: not recommended" not in text(rest)
    assert text(by_id(tree, "rows")).count("NICE does not recommend acupuncture") <= 1, "The chip has said it."


def test_a_citation_is_characters_of_the_text_and_each_source_leads_back_once(client, layered):
    tree = page(client, layered.get_absolute_url())
    assert text(by_id(tree, "calm")) == "Most back pain passes. [1, 2]"
    back = [link for link in links(by_id(tree, "source-1")) if link.startswith("#")]
    assert back == ["#cite-1"]
    assert len([each for each in ids(tree) if each.startswith("cite-1")]) == 1
    assert "Most back pain passes. [1, 2]" in squeezed(
        client.get(f"{layered.get_absolute_url()}text/").content.decode()
    )


def test_a_cell_of_a_table_says_its_column_again(client, layered):
    cells = list(by_id(page(client, layered.get_absolute_url()), "weeks").iter("td"))
    assert [(each.get("data-label"), text(each)) for each in cells] == [
        ("Who", "Most people"),
        ("What", "They feel much better"),
    ]


def test_the_text_the_json_and_the_pdf_have_the_layers_too(client, layered):
    base = layered.get_absolute_url()
    said = client.get(f"{base}text/").content.decode()
    wanted = ["In short", "Key points", *QUESTIONS, "For those who want more", "Studies and numbers"]
    lines = said.splitlines()
    assert [line for line in lines if line in wanted] == wanted
    data = client.get(f"{base}json/").json()
    assert (data["kind"], data["in_short"]["html"]) == ("condition", layered.in_short)
    assert data["lead_figure"]["slug"] == layered.lead_figure.slug
    assert [each["heading"] for each in data["layers"]["leaflet"]] == QUESTIONS
    assert [each["sections"] for each in data["layers"]["more"]] == [["studies", "limits"], ["tradition"]]
    paper = packed("".join(each.extract_text() for each in read(client, layered.slug).pages))
    at = [paper.index(packed(question)) for question in QUESTIONS]
    assert at == sorted(at)


def test_the_questions_stand_in_their_order_whatever_the_sections_numbers(client, layered):
    layered.sections.filter(slug="gp").update(position=1)
    actions.refresh(sheet=layered)
    second = [each for each in headings(page(client, layered.get_absolute_url())) if each in QUESTIONS]
    assert second == QUESTIONS


# --- addresses -----------------------------------------------------------------------------------------------------


def test_no_former_page_has_the_address_of_another_form_of_the_sheet():
    [routes] = [
        each.url_patterns for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "factsheets"
    ]
    below = {
        str(each.pattern).removeprefix("fact-sheets/<slug:slug>/")
        for each in routes
        if "<slug:slug>/" in str(each.pattern)
    }
    assert {each.split("/")[0] for each in below} - {"", "<slug:page>"} | {"whole"} == TAKEN_PAGES


def test_a_former_page_leads_to_its_place_for_good(client, layered):
    base = layered.get_absolute_url()
    for old, there in {"whole": base, "studies": f"{base}#studies", "old-studies": f"{base}#old-studies"}.items():
        response = client.get(f"{base}{old}/")
        assert (response.status_code, response["Location"]) == (301, there)
    assert client.get(f"{base}nothing/").status_code == 404
    FormerAddress.objects.create(slug="an-older-name", sheet=layered)
    response = client.get("/fact-sheets/an-older-name/studies/")
    assert (response.status_code, response["Location"]) == (301, f"{base}studies/")
    FactSheet.objects.filter(pk=layered.pk).update(state="draft")
    assert Client().get(f"{base}studies/").status_code == 404, "A draft's sections are nobody's business."


def test_an_address_stands_once_whoever_names_it(client, layered):
    Section.objects.filter(sheet=layered, slug__in=["calm", "gp"]).update(former_slugs=["old", "studies", "what-next"])
    actions.refresh(sheet=layered)
    there = ids(page(client, layered.get_absolute_url()))
    assert [there.count(each) for each in ("old", "studies", "what-next")] == [1, 1, 1]


@pytest.mark.parametrize("slug", SLUGS)
def test_every_link_of_an_author_to_a_place_finds_it(client, slug):
    for link in links(page(client, f"/fact-sheets/{slug}/")):
        path, _, place = link.partition("#")
        if path.startswith("/fact-sheets/") and place:
            assert place in ids(page(client, path)), link


def test_a_search_leads_to_the_place_that_opens(client, layered):
    assert f"{layered.get_absolute_url()}#studies" in links(search(client, "MRI shows little"))


# --- in a browser --------------------------------------------------------------------------------------------------


@pytest.mark.browser
def test_a_fragment_opens_what_is_folded_and_paper_has_only_what_is_open(browser, site):
    in_layers(FactSheet.objects.get(slug="about-back-pain"))
    with visitor(browser, site, java_script_enabled=False, viewport=PHONE, reduced_motion="reduce") as reader:
        for place in ("old-studies", "limits", "source-1", "report"):
            reader.open(f"/fact-sheets/about-back-pain/#{place}")
            box = reader.page.locator(f"#{place}")
            assert box.evaluate("each => each.checkVisibility()"), place
            assert box.evaluate("each => Math.abs(each.getBoundingClientRect().top) < innerHeight"), place
            assert reader.page.locator(f"details[open] #{place}").count() == 1, place
        wide = reader.page.evaluate(
            "[...document.querySelectorAll('body *')].filter(each => each.getBoundingClientRect().right > innerWidth + 1)"
            ".map(each => each.outerHTML.slice(0, 80))"
        )
        assert wide == []
        cell = reader.page.locator("#weeks td").first
        assert cell.evaluate("each => getComputedStyle(each, '::before').content") == '"Who: "'
        reader.open("/fact-sheets/about-back-pain/")
        copied = reader.page.locator("#calm").evaluate(
            "each => { getSelection().selectAllChildren(each); return getSelection().toString() }"
        )
        assert copied.replace("\u00a0", " ").strip() == "Most back pain passes. [1, 2]"
        row = reader.page.locator("#rows summary").first
        copied = row.evaluate("each => { getSelection().selectAllChildren(each); return getSelection().toString() }")
        assert [line.strip() for line in copied.splitlines()][1:] == [
            "May help a little, but we are not sure",
            "NICE: not recommended",
        ]
        asked = row.locator(".sure").evaluate("each => getComputedStyle(each, '::before').content")
        assert asked == '"How sure? "', "Four full bars beside little help are no praise."
        paper = PdfReader(io.BytesIO(reader.page.pdf(prefer_css_page_size=True)))
        said = packed("".join(each.extract_text() for each in paper.pages))
    for shown in ("Key points", *QUESTIONS, "How pain eases", "NICE: not recommended", "Call 999 or go to A&E now"):
        assert packed(shown) in said
    for folded in ("Studies and numbers", "An MRI shows little", "The traditional view", "Your name", "Sources"):
        assert packed(folded) not in said


def test_the_page_is_parsed_without_a_script(client, layered):
    tree = parse(client.get(layered.get_absolute_url()))
    assert not [each for each in tree.iter("script") if each.get("type") != "application/ld+json"]
