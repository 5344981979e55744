"""Any text at all gets a helpful page, the box is on every page, and what is quoted stays honest."""

import re
from urllib.parse import quote, quote_plus

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backcare.core import clinic
from factsheets.models import FactSheet
from factsheets.search.text import plain
from tests.support.html import parse, text, title
from tests.support.reading import (
    elements,
    expect_links_on_the_page_to_lead_somewhere,
    expect_ordered_headings,
    links,
    page,
    with_class,
)
from tests.support.search import a_sheet, hits, marked, search
from tests.support.wsgi import ask

pytestmark = pytest.mark.usefixtures("db")

# --- no results, nothing, and any text ---


@pytest.mark.once
def test_a_page_without_results_helps(client, settings):
    tree = search(client, "xyzzyq")
    assert "No results for “xyzzyq”" in text(tree)
    assert title(tree).startswith("No results for “xyzzyq”")
    [cards] = with_class(tree, "cards")
    assert len(links(cards)) == 6
    assert "/glossary/" in links(tree)
    assert "/question/" in links(tree)
    assert clinic.details()["phone"] in text(tree)
    assert "Check your spelling" in text(tree)


@pytest.mark.parametrize("address", ["/search/", "/search/?q=", "/search/?q=+++", "/search/?q=%00", "/search/?other=1"])
@pytest.mark.once
def test_a_search_for_nothing_shows_the_box_and_the_sheets(client, address):
    tree = page(client, address)
    assert title(tree).startswith("Search –")
    assert "Type what you want to know" in text(tree)
    assert any(each.startswith("/fact-sheets/about-back-pain/#") for each in links(tree))


ANY_TEXT = {
    "5,000 letters": "a" * 5_000,
    "5,000 characters of words": "back pain " * 500,
    "5,000 different words": " ".join(f"w{number}" for number in range(1_000)),
    "quotes": "\"sciatica\" 'back' “pain”",
    "operators": "sciatica AND NOT (pain OR back) NEAR/3 -disc +leg *",
    "wildcards": "%_*?[a-z]^$ sci%",
    "sql": "'; DROP TABLE factsheets_searchposting; --",
    "markup": "<script>alert(1)</script><mark>sciatica</mark>&amp;\"'",
    "template code": "{{ 7*7 }}{% debug %}",
    "emoji": "🤕🦴👩‍⚕️",
    "another script": "болит спина",
    "arabic": "ألم الظهر",
    "chinese": "背痛",
    "nul": "sci\x00atica\x00",
    "control characters": "\x01\x1b[31mpain\x7f\x85",
    "direction marks": "\u202epain\u2066back\u200f",
    "accents": "scïàtica Ménière’s",
    "ligatures and wide letters": "ﬁbromyalgia ｓｃｉａｔｉｃａ",
    "a letter that becomes many": "ﷺ",
    "lots of combining marks": "a" + "\u0301" * 2_000,
    "one very long word": "pneumonoultramicroscopicsilicovolcanoconiosis" * 5,
    "only small words": "what is it that you do",
    "one letter": "x",
    "numbers": "999 111 3",
    "spaces of all kinds": "\u00a0\u2003\u3000",
    "line separators": "back\u2028pain\u2029",
    "an address": "https://example.com/?q=1&page=2#x",
}


@pytest.mark.long
@pytest.mark.once
def test_any_text_gets_a_helpful_page_that_keeps_it_in_the_box(client, subtests):
    for what in ANY_TEXT:
        with subtests.test(what=what):
            response = client.get("/search/", {"q": ANY_TEXT[what]})
            assert response.status_code == 200
            assert b"<script>alert" not in response.content
            assert b"{{ 7*7 }}" in response.content or what != "template code"
            tree = parse(response)
            expect_ordered_headings(tree)
            expect_links_on_the_page_to_lead_somewhere(tree)
            assert len(title(tree)) < 160
            assert any(each.startswith("/fact-sheets/about-back-pain/") for each in links(tree)) or hits(tree)
            [box] = [node for node in tree.iter("input") if node.get("name") == "q"]
            assert letters(box.get("value") or "") == letters(ANY_TEXT[what])
            assert not any(ord(letter) < 32 for letter in box.get("value") or "")


def letters(typed: str) -> str:
    return "".join(letter for letter in plain(typed) if letter.isalnum())


@pytest.mark.parametrize(
    "broken", ["%FF", "%ED%A0%80", "%C3%28", "%", "%zz", "sci%00atica", "%F0%9F%98", "a&q=b&q=c", "+&&&="]
)
@pytest.mark.once
def test_a_broken_address_gets_a_page_and_never_an_error(broken):
    answer = ask("GET", "/search/", QUERY_STRING=f"q={broken}")
    assert answer.status_code == 200
    expect_ordered_headings(parse(answer))


@pytest.mark.parametrize("typed", ["болит спина", "ألم الظهر", "背痛"])
@pytest.mark.once
def test_a_search_in_another_script_is_told_that_the_pages_are_english(client, typed):
    assert "Our pages are in English." in text(search(client, typed))
    assert "interpreter" in text(search(client, typed))


@pytest.mark.once
def test_an_emoji_is_told_that_there_was_no_word(client):
    tree = search(client, "🤕")
    assert "We found no words in what you typed" in text(tree)
    assert "Our pages are in English." not in text(tree)


@pytest.mark.once
def test_quotations_are_text_whatever_an_author_wrote(client):
    a_sheet(
        "hostile", "Zebrafish & <b>co</b>", heading="<i>A", body='It said "1 < 2" & zebrafish 3 < 4 zebrafish 5 < 6.'
    )
    response = client.get("/search/", {"q": "zebrafish"})
    [hit] = hits(parse(response))  # which fails on a loose “<”
    assert not [node for node in hit.iter() if node.tag in {"b", "i"}]
    assert 'It said "1 < 2" & zebrafish 3 < 4 zebrafish 5 < 6.' in text(hit)
    assert marked(hit) == ["zebrafish", "zebrafish"]


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
@pytest.mark.once
def test_a_search_is_only_read(client, method):
    assert getattr(client, method)("/search/", {"q": "sciatica"}).status_code in {403, 405}


@pytest.mark.once
def test_a_head_request_is_answered_without_a_body(client):
    response = client.head("/search/?q=sciatica")
    assert (response.status_code, response.content) == (200, b"")


# --- honest and complete ---


@pytest.mark.once
def test_nices_position_stands_above_results_that_quote_acupuncture(client):
    position = "NICE does not recommend acupuncture for low back pain or sciatica."
    [note] = [node for node in with_class(search(client, "acupuncture"), "note") if position in text(node)]
    assert note.tag == "p"
    assert not [node for node in with_class(search(client, "insoles"), "note") if position in text(node)]


@pytest.mark.once
def test_a_quotation_from_the_traditional_view_carries_its_label(client):
    tree = search(client, "blood stagnation after injury")
    [hit] = [hit for hit in hits(tree) if "traditional-chinese-medicine-view" in links(hit)[0]]
    assert "Traditional explanation. Not a medical diagnosis." in text(hit)
    assert "Traditional explanation" not in text(search(client, "mattress"))


BOXES = ["/", "/fact-sheets/", "/fact-sheets/about-back-pain/", "/glossary/", "/privacy/", "/consultation/", "/search/"]


@pytest.mark.parametrize("path", [*BOXES, "/search/?q=sciatica", "/search/?q=xyzzyq"])
@pytest.mark.once
def test_every_page_has_one_labelled_search_box_that_works_without_script(client, path):
    tree = page(client, path)
    [form] = [node for node in elements(tree) if node.get("role") == "search"]
    assert (form.tag, form.get("action"), form.get("method")) == ("form", "/search/", "get")
    [box] = form.iter("input")
    assert (box.get("name"), box.get("type"), box.get("autocomplete")) == ("q", "search", "off")
    assert [text(node) for node in form.iter("label") if node.get("for") == box.get("id")] == ["Search this site"]
    assert [text(node) for node in form.iter("button")] == ["Search"]


@pytest.mark.once
def test_a_page_that_is_not_there_offers_the_search(client):
    tree = page(client, "/no-such-page/", 404)
    [main] = tree.iter("main")
    assert [node for node in main.iter("form") if node.get("role") == "search"]
    assert len([node for node in elements(tree) if node.get("role") == "search"]) == 1


@pytest.mark.once
def test_the_longest_text_of_the_box_fits_into_an_address_that_the_server_reads(client):
    from backcare.ops import gunicorn

    [box] = [node for node in page(client, "/").iter("input") if node.get("name") == "q"]
    longest = int(box.get("maxlength"))
    for letter in ("\u80cc", "é", "'", " "):
        assert len(f"GET /search/?q={quote_plus(letter * longest)} HTTP/1.1") <= gunicorn.limit_request_line


@pytest.mark.once
def test_five_thousand_characters_reach_the_page_through_the_real_server(site):
    import urllib.request

    with urllib.request.urlopen(f"{site}/search/?q={'a' * 5_000}", timeout=20) as answer:
        assert answer.status == 200
        assert b"No results for" in answer.read()
    with urllib.request.urlopen(f"{site}/search/?q={quote('slipped disk')}", timeout=20) as answer:
        assert re.search(rb"<mark>disc", answer.read(), re.IGNORECASE)


def test_what_is_published_is_found_by_everybody_alike(staff):
    reader, signed_in = Client(), Client()
    signed_in.force_login(staff)
    assert reader.get("/search/?q=sciatica").content == signed_in.get("/search/?q=sciatica").content


def test_all_of_an_answer_goes_by_one_version_of_the_content_which_is_asked_once(client, sheet):
    client.get("/search/?q=sciatica")
    with CaptureQueriesContext(connection) as asked:
        assert b"sciatica" in client.get("/search/?q=sciatica").content
    assert sum("factsheets_contentversion" in each["sql"] for each in asked) == 1
    FactSheet.objects.filter(pk=sheet.pk).update(title="Wombat and you")
    assert b"Wombat and you" in client.get("/search/?q=wombat").content
