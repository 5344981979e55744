"""A long sheet in pages: together they say all of it, each is complete in itself, and every old link still leads to its place."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from factsheets import actions
from factsheets.models import FactSheet, GlossaryTerm, Section
from factsheets.models.section import TAKEN_PAGES
from factsheets.rendering.pages import pages
from tests.support.html import by_id, form_at, text, title, value
from tests.support.reading import SHEET_PAGES, SLUGS, elements, everything, ids, links, page, with_class
from tests.support.sheet_pages import ACUPUNCTURE, SPLIT, in_two_pages, lines

pytestmark = pytest.mark.django_db
split_sheets = pytest.mark.parametrize("slug", SPLIT)


def paths_of(slug: str) -> list[str]:
    return [path for path in SHEET_PAGES if path.startswith(f"/fact-sheets/{slug}/")]


def contents(tree):
    return with_class(tree, "contents")[0]


@pytest.fixture
def in_two(sheet):
    return in_two_pages(sheet)


# --- what is on them -----------------------------------------------------------------------------------------------


def test_the_pages_are_those_that_the_fixtures_cut():
    assert [each.path for slug in SLUGS for each in pages(FactSheet.objects.get(slug=slug))] == SHEET_PAGES
    assert len(SPLIT) == 4


@split_sheets
def test_the_pages_together_say_all_that_the_sheet_says_each_part_once(client, slug):
    sheet = FactSheet.objects.get(slug=slug)
    whole = page(client, everything(slug))
    trees = [page(client, path) for path in paths_of(slug)]
    for section in sheet.document["sections"]:
        holding = [tree for tree in trees if section["slug"] in set(ids(tree)) - lines(tree)]
        assert len(holding) == 1, section["slug"]
        assert chapter(holding[0], section["slug"]) == chapter(whole, section["slug"])
    points = [[text(each) for each in with_class(tree, "points")] for tree in trees]
    assert points == [[text(with_class(whole, "points")[0])], *([] for _ in trees[1:])], "On the first page alone."
    sources = {number_of(source) for tree in trees for source in with_class(tree, "sources")[0]}
    assert sources == {number_of(source) for source in with_class(whole, "sources")[0]}


def chapter(tree, slug: str) -> str:
    """All the words of the chapter that holds the place."""
    [found] = [each for each in with_class(tree, "chapter") if slug in ids(each)]
    return text(found)


def number_of(source) -> int:
    return int(source.get("id").removeprefix("source-"))


@pytest.mark.parametrize("path", SHEET_PAGES)
def test_a_page_has_just_the_sources_that_it_cites_under_their_numbers_and_the_words_that_it_marks(client, path):
    tree = page(client, path)
    cited = {int(link.removeprefix("#source-")) for link in links(tree) if link.startswith("#source-")}
    [listed] = with_class(tree, "sources")
    numbers = [number_of(source) for source in listed]
    assert set(numbers) == cited
    assert numbers == sorted(numbers)
    # The number that a browser writes before a source is that of its citations.
    shown, at = [], 0
    for source in listed:
        at = int(source.get("value", at + 1))
        shown.append(at)
    assert shown == numbers
    for source in listed:
        reference = FactSheet.objects.get(slug=path.split("/")[2]).document["references"][number_of(source) - 1]
        assert reference["text"] in text(source)
    marked = {link.get("href"): f"#{link.get('id')}" for link in with_class(tree, "term")}
    explained = {f"#{each.get('id')}": links(each)[0] for box in with_class(tree, "words") for each in box.iter("div")}
    assert explained == marked, "Each word leads to its meaning and back."


def test_a_page_meets_each_hard_word_anew_and_spells_it_as_it_does(in_two):
    GlossaryTerm.objects.filter(slug="mri").update(also=["MR picture"])
    Section.objects.filter(sheet=in_two, slug="rest").update(body="An MR picture. [@NG59]\n")
    actions.refresh(sheet=in_two)
    first, last = (page(Client(), each.path) for each in pages(in_two))
    assert [text(each) for each in with_class(first, "term")] == ["MRI"]
    assert [text(each) for each in with_class(last, "term")] == ["MR picture"]
    assert text(by_id(last, "word-mri")).startswith("MR picture (MRI")


@split_sheets
def test_every_page_says_where_it_stands_and_leads_to_the_others(client, slug):
    paths, sheet = paths_of(slug), FactSheet.objects.get(slug=slug)
    for number, path in enumerate(paths, start=1):
        tree = page(client, path)
        box = contents(tree)
        assert text(by_id(tree, "contents")) == f"Page {number} of {len(paths)}"
        [current] = [each for each in box.iter("li") if each.get("aria-current") == "page"]
        own = pages(sheet)[number - 1]
        assert text(current).startswith(own.title)
        assert [link for link in links(current) if not link.startswith("#")] == []
        headings = [f"#{each['slug']}" for each in own.chapters if each["heading"]]
        assert links(current)[: len(headings)] == headings
        assert [link for link in links(box) if link in paths] == [each for each in paths if each != path]
        turn = {each.get("rel"): each.get("href") for each in with_class(tree, "turn")[0].iter("a")}
        assert turn.get("prev") == (paths[number - 2] if number > 1 else None)
        assert turn.get("next") == (paths[number] if number < len(paths) else None)
        [heading] = tree.iter("h1")
        assert text(heading) == (sheet.title if number == 1 else f"{sheet.title}: {own.title}")
        assert title(tree).startswith(text(heading))
        assert f"/fact-sheets/{slug}/whole/" in links(tree)
        assert (
            value(next(each for each in form_at(tree, "/report/").iter("input") if each.get("name") == "report-sheet"))
            == slug
        )
    descriptions = {
        next(each.get("content") for each in page(client, path).iter("meta") if each.get("name") == "description")
        for path in paths
    }
    assert len(descriptions) == len(paths)


def test_the_first_page_about_acupuncture_has_what_somebody_who_considers_it_must_know(client):
    shown = text(page(client, ACUPUNCTURE))
    for heading in (
        "what acupuncture is",
        "NICE says do not offer it",
        "What the evidence says",
        "Risks and side effects",
        "Who may practise",
    ):
        assert heading in shown


# --- cutting a sheet -----------------------------------------------------------------------------------------------


def test_no_page_can_take_the_address_of_another_form_of_the_sheet():
    [routes] = [
        each.url_patterns for each in get_resolver().url_patterns if getattr(each, "app_name", "") == "factsheets"
    ]
    below = {
        str(each.pattern).removeprefix("fact-sheets/<slug:slug>/")
        for each in routes
        if "<slug:slug>/" in str(each.pattern)
    }
    assert {each.split("/")[0] for each in below} - {"", "<slug:page>"} == TAKEN_PAGES


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "try", "heading": "Try", "body": "- Walk."}, "can only start with a chapter"),
        ({"heading": ""}, "can only start with a chapter"),
        ({"position": 5}, "This is the first section"),
        *(({"slug": slug}, f"/{slug}/ has another use") for slug in sorted(TAKEN_PAGES)),
    ],
)
def test_a_page_starts_only_where_a_reader_finds_a_start(in_two, fields, said):
    section = in_two.sections.get(slug="rest")
    for name, words in fields.items():
        setattr(section, name, words)
    with pytest.raises(ValidationError) as error:
        section.full_clean()
    assert said in " ".join(error.value.message_dict["page_title"])


def test_a_section_that_was_moved_to_the_front_starts_no_page(in_two):
    Section.objects.filter(sheet=in_two, slug="rest").update(position=1)
    actions.refresh(sheet=in_two)
    assert len(pages(in_two)) == 1, "The first section starts the first page."
    assert "pages" not in in_two.document


def test_the_json_names_the_pages_and_where_each_part_is(client, settings, in_two):
    data = client.get(f"{in_two.get_absolute_url()}json/").json()
    base = f"{settings.BASE_URL}{in_two.get_absolute_url()}"
    assert data["pages"] == [{"title": "Overview", "url": base}, {"title": "The rest", "url": f"{base}rest/"}]
    Section.objects.filter(sheet=in_two).update(aspect="overview")
    actions.refresh(sheet=in_two)
    data = client.get(f"{in_two.get_absolute_url()}json/").json()
    assert [part["url"] for part in data["linked_data"]["hasPart"]] == [f"{base}#start", f"{base}rest/#rest"]


def test_the_sitemap_dates_every_page_by_the_sheet(client, in_two):
    listed = client.get("/sitemap.xml").content.decode()
    assert f"{in_two.get_absolute_url()}rest/</loc>" in listed
    assert timezone.localdate().isoformat() in listed.partition(f"{in_two.get_absolute_url()}rest/")[2][:80]


def test_every_page_has_what_the_whole_page_gives_the_keyboard_and_the_ear(client):
    for path in SHEET_PAGES:
        tree = page(client, path)
        sources = [node for node in elements(tree) if (node.get("id") or "").startswith("cite-")]
        assert all(node.get("aria-label") == f"Source {text(node)}" for node in sources)
        named = {node.get("aria-label") for node in tree.iter("nav")}
        assert len(named) == len(list(tree.iter("nav"))), "Two navigations have the same name."
