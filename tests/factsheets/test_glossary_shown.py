"""Hard words are explained in every output of a sheet, and the explanation leads back to where the reader was."""

import io

import pytest
from pypdf import PdfReader

from factsheets import actions, claims_guard
from factsheets.models import FactSheet, GlossaryTerm
from factsheets.rendering.document import VERSION
from factsheets.rendering.markdown import plain
from tests.support.edition import Edition
from tests.support.glossary_marks import nodes_of
from tests.support.html import by_id, text
from tests.support.reading import SLUGS, elements, links, packed, page, squeezed, with_class
from tests.support.visitor import visitor

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
every_sheet = pytest.mark.parametrize("slug", SLUGS)


@every_sheet
def test_every_marked_word_leads_to_its_meaning_and_back(client, slug):
    tree = page(client, f"/fact-sheets/{slug}/")
    document = FactSheet.objects.get(slug=slug).document
    used = with_class(tree, "term")
    assert [link.get("href") for link in used] == [f"#word-{node['slug']}" for node in nodes_of(document)]
    assert {node["slug"] for node in nodes_of(document)} == {word["slug"] for word in document["words"]}
    for word in document["words"]:
        link, *_ = [each for each in used if each.get("href") == f"#word-{word['slug']}"]
        assert text(by_id(tree, link.get("aria-describedby"))) == "Words explained"
        entry = by_id(tree, f"word-{word['slug']}")
        assert text(entry).startswith(word["word"])
        assert word["term"] in text(entry)
        assert word["meaning"] in text(entry)
        assert links(entry) == [f"#{link.get('id')}"]


@every_sheet
def test_the_words_stand_before_the_sources_and_in_the_contents_and_only_when_there_are_any(client, slug):
    tree = page(client, f"/fact-sheets/{slug}/")
    there = [node.get("id") for node in elements(tree) if node.get("id") in {"words", "sources"}]
    if FactSheet.objects.get(slug=slug).document["words"]:
        assert there == ["words", "sources"]
        [contents] = [
            node for node in elements(tree) if node.tag == "nav" and node.get("aria-labelledby") == "contents"
        ]
        assert links(contents)[-3:] == ["#more", "#sources", "#keep"]
    else:
        assert there == ["sources"]
        assert "#words" not in links(tree)


def test_some_sheets_have_hard_words_and_some_explain_all_of_theirs():
    counts = [len(document["words"]) for document in FactSheet.objects.values_list("document", flat=True)]
    assert sum(count > 0 for count in counts) >= 5
    assert sum(counts) >= 30


@every_sheet
def test_text_and_json_explain_the_same_words(client, slug):
    words = FactSheet.objects.get(slug=slug).document["words"]
    assert client.get(f"/fact-sheets/{slug}/json/").json()["words"] == words
    said = client.get(f"/fact-sheets/{slug}/text/").content.decode()
    assert ("\nWords explained\n" in said) == bool(words)
    for word in words:
        assert f": {word['meaning']}" in squeezed(said)
        at = said.index("\nWords explained\n")
        assert said.index(f"\n- {word['word']}", at) < said.index("\nSources\n-")


@pytest.mark.parametrize("slug", ["tests-and-treatments", "posture-and-lifting"])
@pytest.mark.long
def test_the_pdf_explains_the_same_words_and_links_to_them(client, slug):
    reader = PdfReader(io.BytesIO(client.get(f"/fact-sheets/{slug}/pdf/full/").content))
    assert b"pdfuaid:part" in reader.trailer["/Root"]["/Metadata"].get_data()
    said = packed("".join(sheet.extract_text() for sheet in reader.pages))
    document = FactSheet.objects.get(slug=slug).document
    words = document["words"]
    assert (said.count("Wordsexplained") == 1) == bool(words)
    notes = [note.get_object() for sheet in reader.pages for note in sheet.get("/Annots", [])]
    places = {str(note["/Dest"]) for note in notes if "/Dest" in note}
    assert len(places) == len(words) + len(document["references"]), "Each word and each source is led to from the text."
    for word in words:
        at = said.index("Wordsexplained")
        assert at < said.index(packed(word["meaning"]), at) < said.index("Sources1.", at)


@every_sheet
def test_the_marks_change_nothing_that_a_sheet_says_and_nothing_that_the_guard_finds(slug):
    sheet = FactSheet.objects.get(slug=slug)
    was = sheet.document
    GlossaryTerm.objects.all().delete()
    actions.refresh(sheet=sheet)
    assert not nodes_of(sheet.document)
    assert sheet.document["words"] == []
    for with_marks, without in zip(was["sections"], sheet.document["sections"], strict=True):
        assert plain(with_marks["blocks"]) == plain(without["blocks"])
    assert [plain(point["content"]) for point in was["key_points"]] == [
        plain(point["content"]) for point in sheet.document["key_points"]
    ]
    assert claims_guard.findings(was) == claims_guard.findings(sheet.document)


@pytest.mark.long
def test_a_document_of_an_older_version_is_shown_and_made_anew_by_the_next_upgrade(client, tmp_path):
    sheet = FactSheet.objects.get(slug="tests-and-treatments")
    now = sheet.document
    sheet.document = {name: value for name, value in now.items() if name != "words"} | {"version": VERSION - 1}
    sheet.save()
    for path in ("", "text/", "json/", "pdf/"):
        assert client.get(f"/fact-sheets/{sheet.slug}/{path}").status_code == 200, path
    Edition(tmp_path).load()  # any content at all
    sheet.refresh_from_db()
    assert sheet.document == now
    assert now["version"] == VERSION


@pytest.mark.browser
def test_a_tap_on_a_word_shows_its_meaning_where_the_reader_is_and_leads_back(browser, site):
    with visitor(browser, site, viewport={"width": 360, "height": 640}, reduced_motion="reduce") as reader:
        reader.open("/fact-sheets/acupuncture-for-back-pain/")
        word = reader.page.locator("#term-nsaid")
        word.scroll_into_view_if_needed()
        before = reader.page.evaluate("scrollY")
        word.click()
        entry = reader.page.locator("#word-nsaid")
        assert reader.page.evaluate("scrollY") == before, "The page moved away from the word."
        box = entry.bounding_box()
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 640
        reader.expect_no_sideways_scrolling()
        reader.expect_accessible()
        reader.page.keyboard.press("Tab")
        assert reader.page.locator(":focus").inner_text() == "Back to the text"
        assert reader.page.locator(":focus").bounding_box()["height"] >= 24
        reader.page.keyboard.press("Enter")
        assert reader.page.evaluate("document.activeElement.id") == "term-nsaid"
        assert 0 < word.bounding_box()["y"] < 640
        assert entry.bounding_box()["y"] > 640, "The meaning is back in its list."
        reader.page.emulate_media(media="print")
        reader.open("/fact-sheets/acupuncture-for-back-pain/#word-nsaid")
        assert entry.evaluate("element => getComputedStyle(element).position") == "static"
        reader.expect_clean()
