"""What sounds like a red flag or a crisis comes first on the page; what does not alarms nobody."""

import pytest

from factsheets.models import SafetyAdvice
from factsheets.safety import CRISIS
from tests.support.html import text
from tests.support.reading import elements, links, page, with_class

pytestmark = pytest.mark.once


def first_card(tree):
    """The card that comes before anything else on the page but its title, or None."""
    [main] = tree.iter("main")
    after_title = list(main)[1]
    return after_title if "care" in (after_title.get("class") or "") else None


@pytest.mark.parametrize("typed", ["can't pee", "numb down below", "lost control of bowels", "xyzzy can't pee qwrtzx"])
def test_an_emergency_card_comes_before_every_result_and_without_results_too(client, db, typed):
    tree = page(client, f"/search/?q={typed}")
    card = first_card(tree)
    assert card is not None
    assert "emergency" in card.get("class")
    assert "tel:999" in links(card)
    for advice in SafetyAdvice.objects.filter(tier="emergency"):
        assert advice.text in text(card), "The card is whole."
    assert "You see this first because the words you searched for" in text(tree)


def test_the_sign_that_was_typed_is_the_first_of_the_card(client, db):
    card = first_card(page(client, "/search/?q=chest pain"))
    assert text(next(card.iter("li"))).startswith(SafetyAdvice.objects.get(code="RF-E6").text)


def test_an_urgent_search_shows_the_urgent_card_and_not_the_emergency_one(client, db):
    tree = page(client, "/search/?q=numb foot")
    assert "urgent" in first_card(tree).get("class")
    assert not with_class(tree, "care", "emergency")


def test_the_graver_card_stands_alone(client, db):
    tree = page(client, "/search/?q=fever and can't pee")
    assert [node.get("class") for node in with_class(tree, "care")] == ["care emergency"]


def test_a_search_in_a_crisis_shows_the_ledgers_crisis_block_first(client, db):
    card = first_card(page(client, "/search/?q=I want to die"))
    for line in CRISIS:
        assert line["what"] in text(card)
        assert f"tel:{line['number']}" in links(card)
    assert {"999", "111", "08088088000", "116123"} == {line["number"] for line in CRISIS}, "In every nation."


def test_somebody_in_a_crisis_is_not_corrected(client, db):
    tree = page(client, "/search/?q=I want to die")
    for words in ("Did you mean", "These results are for", "No results", "typing mistakes", "diet"):
        assert words not in text(tree)
    assert "/fact-sheets/stress-and-back-pain/" in links(tree)
    tree = page(client, "/search/?q=top myself")
    assert not with_class(tree, "hits"), "What our pages say about the top of the back is no answer to that."
    assert "/fact-sheets/stress-and-back-pain/" in links(tree)


def test_a_card_is_not_shown_for_a_harmless_search(client, db):
    tree = page(client, "/search/?q=numb toe")
    assert first_card(tree) is None
    assert not [node for node in elements(tree) if "care" in (node.get("class") or "").split()]


def test_without_emergency_advice_there_is_an_error_and_no_results(client, db):
    """As for every page: results that could be read without it would be worse than none."""
    SafetyAdvice.objects.filter(tier="emergency").delete()
    client.raise_request_exception = False
    response = client.get("/search/?q=sciatica")
    assert response.status_code == 500
    assert "About back pain" not in response.content.decode()
