"""Every link to a place on a sheet in pages leads to the page that holds it, also one from before the sheet was cut."""

import pytest
from django.test import Client

from factsheets import actions
from factsheets.models import FactSheet, FormerAddress, SafetyAdvice, Section
from factsheets.rendering.pages import pages
from tests.support.html import by_id, parse, text
from tests.support.reading import LATER, everything, links, page
from tests.support.search import search
from tests.support.sheet_pages import ACUPUNCTURE, SPLIT, in_two_pages, lines

pytestmark = pytest.mark.django_db
split_sheets = pytest.mark.parametrize("slug", SPLIT)


@pytest.fixture
def in_two(sheet):
    return in_two_pages(sheet)


@split_sheets
def test_a_link_from_before_the_sheet_was_cut_finds_the_line_that_leads_on(client, slug):
    first = page(client, f"/fact-sheets/{slug}/")
    moved = [each for later in pages(FactSheet.objects.get(slug=slug))[1:] for each in later.chapters]
    assert len(moved) >= 3
    for chapter in moved:
        line = by_id(first, chapter["slug"])
        [link] = links(line)
        path, _, place = link.partition("#")
        assert place == chapter["slug"]
        assert text(by_id(page(client, path), place)) == chapter["heading"] == text(line)


def test_a_search_leads_to_the_page_that_holds_the_place(client):
    there = f"{ACUPUNCTURE}{LATER['acupuncture-for-back-pain'][0]}/#traditional-view"
    assert there in links(search(client, "de qi history traditional"))


def test_a_link_in_the_text_leads_to_the_page_that_holds_the_section(client, in_two):
    other = FactSheet.objects.get(slug="posture-and-lifting")
    section = other.sections.first()
    there = f"/fact-sheets/{in_two.slug}/"
    section.body += f"\nSee [rest]({there}#rest), [here](#{section.slug}) and [start]({there}#start).\n"
    section.save()
    actions.refresh(sheet=other)
    found = links(page(client, other.get_absolute_url()))
    assert f"/fact-sheets/{in_two.slug}/rest/#rest" in found
    assert f"#{section.slug}" in found
    assert f"/fact-sheets/{in_two.slug}/#start" in found
    Section.objects.filter(sheet=in_two, slug="start").update(body="Go [on](#rest) or [stay](#start). [@NG59]\n")
    actions.refresh(sheet=in_two)
    assert {"/fact-sheets/about-back-pain/rest/#rest", "#start"} <= set(links(page(client, in_two.get_absolute_url())))
    assert "#rest" in links(page(client, f"{in_two.get_absolute_url()}whole/"))
    actions.refresh(sheet=other)
    Section.objects.filter(sheet=in_two).update(page_title="")
    actions.refresh(sheet=in_two)
    assert f"/fact-sheets/{in_two.slug}/#rest" in links(page(client, other.get_absolute_url())), "It follows at once."


def test_the_name_of_any_section_leads_to_it_and_another_name_to_nothing(client, in_two):
    base = in_two.get_absolute_url()
    assert client.get(f"{base}rest/").status_code == 200
    response = client.get(f"{base}start/")
    assert (response.status_code, response["Location"]) == (302, f"{base}#start")
    assert client.get(f"{base}nothing/").status_code == 404
    Section.objects.filter(sheet=in_two).update(page_title="")
    actions.refresh(sheet=in_two)
    for old, there in {"rest/": f"{base}#rest", "whole/": base}.items():
        response = client.get(f"{base}{old}")
        assert (response.status_code, response["Location"]) == (302, there)


def test_a_renamed_sheet_takes_its_pages_along(client, in_two):
    FormerAddress.objects.create(slug="an-older-name", sheet=in_two)
    for old in ("rest/", "whole/"):
        response = client.get(f"/fact-sheets/an-older-name/{old}")
        assert (response.status_code, response["Location"]) == (301, f"{in_two.get_absolute_url()}{old}")


@pytest.mark.parametrize("state", ["draft", "in_review", "retired"])
def test_a_later_page_is_hidden_and_previewed_as_the_first(client, staff, in_two, state):
    FactSheet.objects.filter(pk=in_two.pk).update(state=state)
    for path in (f"{in_two.get_absolute_url()}rest/", f"{in_two.get_absolute_url()}whole/"):
        hidden = Client().get(path)
        assert hidden.status_code == (410 if state == "retired" else 404)
        assert "An MRI again" not in hidden.content.decode()
        client.force_login(staff)
        preview = client.get(path)
        assert "An MRI again" in text(parse(preview))
        assert "no-store" in preview["Cache-Control"]


def test_all_on_one_page_is_another_form_of_the_sheet_that_no_search_engine_lists(client, settings):
    path = everything("acupuncture-for-back-pain")
    for _ in range(2):  # made, and from the shelf
        response = client.get(path)
        assert response["X-Robots-Tag"] == "noindex"
        assert response["Link"] == f'<{settings.BASE_URL}{ACUPUNCTURE}>; rel="canonical"'
    tree = parse(response)
    assert not list(tree.iter("script"))
    assert lines(tree) == set()


def test_a_later_page_is_kept_checked_and_made_anew_as_the_first(client, in_two):
    path = f"{in_two.get_absolute_url()}rest/"
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    head = client.head(path)
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", first["ETag"])
    advice = SafetyAdvice.objects.filter(tier="emergency").first()
    advice.text = "a sign in other words"
    advice.save()
    assert advice.text in client.get(path).content.decode()
