"""Rows that an editor lists within one form: each once, and two of them may swap names."""

import pytest
from django.urls import reverse

from factsheets.models import Claim, FactSheet, Topic
from tests.support.desk import change_address, draft, errors_of, person, save, values_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def author():
    return person("Una", "editor")


@pytest.fixture
def sheet(author):
    sheet = draft(author)
    for number, slug in enumerate(["one", "two", "three"], start=1):
        other = FactSheet.objects.create(
            slug=slug, title=slug, topic=Topic.objects.first(), summary="A.", audience="A."
        )
        if number < 3:
            sheet.related.create(to=other, reason=f"Reason {number}.", position=number)
    return sheet


def related(sheet) -> list[tuple[str, str]]:
    return [(link.to.slug, link.reason) for link in sheet.related.all()]


def pk(slug: str) -> int:
    return FactSheet.objects.get(slug=slug).pk


@pytest.mark.both
def test_two_related_pages_trade_places_in_one_save(desk, sheet):
    keys = set(sheet.related.values_list("pk", flat=True))
    response = save(desk, change_address(sheet), **{"related-0-to": pk("two"), "related-1-to": pk("one")})
    assert not errors_of(response)
    assert related(sheet) == [("two", "Reason 1."), ("one", "Reason 2.")]
    assert set(sheet.related.values_list("pk", flat=True)) == keys


def test_a_related_page_may_move_up_while_another_takes_its_line(desk, sheet):
    assert not errors_of(save(desk, change_address(sheet), **{"related-0-to": pk("two"), "related-1-to": pk("three")}))
    assert related(sheet) == [("two", "Reason 1."), ("three", "Reason 2.")]


@pytest.mark.long
def test_the_same_page_twice_is_said_and_nothing_is_saved(desk, sheet):
    before = related(sheet)
    assert errors_of(save(desk, change_address(sheet), **{"related-0-to": pk("two")}))
    assert errors_of(save(desk, change_address(sheet), **{"related-2-to": pk("two"), "related-2-reason": "Again."}))
    assert related(sheet) == before


def test_a_page_that_is_taken_out_can_be_put_in_again_on_a_new_line(desk, sheet):
    changes = {
        "related-1-DELETE": "on",
        "related-2-to": pk("two"),
        "related-2-reason": "Anew.",
        "related-2-position": "9",
    }
    assert not errors_of(save(desk, change_address(sheet), **changes))
    assert related(sheet) == [("one", "Reason 1."), ("two", "Anew.")]


def test_related_pages_change_places_by_buttons_that_keep_what_is_typed(desk, sheet):
    address = change_address(sheet)
    typed = values_of(desk.get(address)) | {
        "summary": "Typed.",
        "related-2-to": pk("three"),
        "related-2-reason": "New.",
    }
    shown = desk.post(address, typed | {"_row": "related-2:up"}, follow=True)
    assert values_of(shown)["summary"] == "Typed."
    shown = desk.post(address, values_of(shown) | {"_row": "related:more"}, follow=True)
    assert values_of(shown)["related-TOTAL_FORMS"] == "4"
    assert not errors_of(desk.post(address, values_of(shown), follow=True))
    assert related(sheet) == [("one", "Reason 1."), ("three", "New."), ("two", "Reason 2.")]
    # A row that nobody has moved comes last.
    sheet.related.filter(to__slug="one").delete()
    assert not errors_of(save(desk, address, **{"related-2-to": pk("one"), "related-2-reason": "Last."}))
    assert [slug for slug, _ in related(sheet)] == ["three", "two", "one"]
    shown = desk.post(address, values_of(desk.get(address)) | {"_row": "related-0:down"}, follow=True)
    assert not errors_of(desk.post(address, values_of(shown), follow=True))
    assert [slug for slug, _ in related(sheet)] == ["two", "three", "one"]
    for nonsense in ("related-9:up", "related-0:up", "x", "related", "-:down"):
        assert desk.post(address, values_of(desk.get(address)) | {"_row": nonsense}, follow=True).status_code == 200


@pytest.mark.long
def test_the_ledger_s_sheets_and_sources_are_words_with_commas_and_an_unknown_one_is_named(client, staff):
    client.force_login(staff)
    claim = Claim.objects.get(ref="B-01")
    address = reverse("admin:factsheets_claim_change", args=[claim.pk])
    for nonsense in ("1e999", "nowhere", "[1]", "{}"):
        assert f"no fact sheet {nonsense}" in errors_of(save(client, address, sheets=nonsense))
        assert f"no source {nonsense}" in errors_of(save(client, address, sources=nonsense))
    assert values_of(client.get(address))["sources"] == ", ".join(claim.sources)
    assert not errors_of(save(client, address, sources=" NG59, MU20 ,NG59", sheets="about-back-pain"))
    claim.refresh_from_db()
    assert (claim.sources, claim.sheets) == (["NG59", "MU20"], ["about-back-pain"])


@pytest.mark.both
def test_a_null_character_in_a_list_of_words_is_said(client, staff, desk, author):
    assert "Null characters" in errors_of(
        save(desk, change_address(draft(author).sections.get()), claim_refs="B-01\x00")
    )
    client.force_login(staff)
    address = reverse("admin:factsheets_claim_change", args=[Claim.objects.get(ref="B-01").pk])
    assert "Null characters" in errors_of(save(client, address, sources="NG59\x00"))
