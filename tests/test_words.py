"""Hard words: each is explained once a sheet, where it is first used, in every output, and nothing else changes by it."""

import io
import re

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from factsheets import actions, guard
from factsheets.models import EvidenceStatement, FactSheet, GlossaryTerm, Section, Topic
from factsheets.rendering.document import VERSION
from factsheets.rendering.markdown import parse, plain
from factsheets.rendering.words import Glossary, Words
from tests.edition import Edition
from tests.html import by_id, text
from tests.pages import visitor
from tests.reading import SLUGS, elements, links, packed, page, squeezed, with_class

pytestmark = pytest.mark.usefixtures("db")
every_sheet = pytest.mark.parametrize("slug", SLUGS)


def term(name: str, meaning: str = "Something hard, said in an easy way.", *, also=(), explain: bool = True):
    slug = re.sub(r"[^a-z]+", "-", name.lower()).strip("-")
    return GlossaryTerm.objects.create(slug=slug, term=name, also=list(also), meaning=meaning, explain_in_text=explain)


@pytest.fixture
def glossary():
    """A glossary of our own in place of the fixtures'."""
    GlossaryTerm.objects.all().delete()
    term("Disc", "A pad between two bones.")
    term("Disc bulge", "A pad that sticks out.", also=["slipped disc"])
    term("Facet joint", "A small joint at the back.", also=["facet"])
    term("Lumbar", "To do with the low back.", also=["low back"])
    term("MRI", "A scan that makes pictures without rays.")
    term("WHO", "The health body of all nations.", also=["World Health Organization"])
    term("Pain", "What hurts.", explain=False)


def marked(markdown: str) -> list[str]:
    """The words that are marked in a text, as they are written there."""
    blocks = parse(markdown)
    Words().mark(blocks)
    return [plain(node) for node in nodes(blocks) if node["type"] == "term"]


def nodes(value):
    for each in value if isinstance(value, list) else []:
        if isinstance(each, dict):
            yield each
            for part in each.values():
                yield from nodes(part)
        else:
            yield from nodes(each)


@pytest.mark.parametrize(
    ("markdown", "found"),
    [
        ("The disc is soft. Another disc is not.", ["disc"]),
        ("Discs wear. A DISC too.", ["Discs"]),
        ("A disc bulge can shrink. So can the disc.", ["disc bulge", "disc"]),
        ("Many call it so, but a slipped disc slips nowhere. A disc bulge is the same.", ["slipped disc"]),
        ("Discovery and disc-like things are other words.", []),
        ("Two facet\njoints", ["facet joints"]),
        ("The lumbar spine and the low back.", ["lumbar"]),
        ("The low back hurts.", []),
        ("All this pain.", []),
        ("People who know. WHO knows.", ["WHO"]),
        ("The world health organization.", ["world health organization"]),
        ("Two MRIs, and one mri.", ["MRIs"]),
        ("**Every disc** and *each MRI*", ["disc", "MRI"]),
        ("- one disc\n- a disc\n  - an MRI", ["disc", "MRI"]),
        ("[A DISC](/glossary/) is linked. A disc is not.", ["disc"]),
        ("### The disc\n\nAn MRI.", ["MRI"]),
        ("| Disc | MRI |\n|---|---|\n| Facet joint | a disc, a facet |", ["disc", "facet"]),
    ],
)
def test_the_first_use_of_a_hard_word_is_marked_whole_and_once(glossary, markdown, found):
    assert marked(markdown) == found


@pytest.mark.parametrize(
    "markdown",
    [
        "This is called a slipped disc.",
        'Many people call this a "slipped disc".',
        "The pad sticks out (a disc bulge).",
        "A disc bulge means that the pad sticks out.",
        "It may be a disc bulge: a soft pad that comes out.",
        "A disc bulge (when the pad comes out) can shrink.",
        "A disc bulge, which is a soft pad, can shrink.",
        "People fear a disc bulge. The pad sticks out, and no more.",
        "After a disc bulge you need rest. A disc bulge means that the pad comes out.",
        "| Problem | What it is |\n|---|---|\n| The pad sticks out | A disc bulge |",
    ],
)
def test_a_word_that_the_author_explains_on_the_spot_is_left_alone(glossary, markdown):
    assert marked(f"{markdown}\n\nAnother disc bulge.") == []


@pytest.mark.parametrize(
    "markdown",
    [
        "A disc bulge often shrinks.",
        "With a disc bulge (or without), keep moving.",
        "An MRI can show a disc bulge, and many show nothing.",
        "A slipped disc (disc bulge) often shrinks.",
        "A disc bulge often shrinks. It is rare that a surgeon must act. The pad sticks out.",
    ],
)
def test_a_word_that_is_only_used_is_not_taken_for_explained(glossary, markdown):
    GlossaryTerm.objects.filter(term="MRI").delete()
    words = Words()
    words.mark(parse(markdown))
    assert "disc-bulge" in words.marked or "(or without)" in markdown


def test_the_list_names_the_word_as_the_reader_met_it_and_as_the_glossary_does(glossary):
    words = Words()
    words.mark(parse("An MRI of a slipped disc. And the facets."))
    assert words.listed() == [
        {"slug": "facet-joint", "word": "Facet", "term": "Facet joint", "meaning": "A small joint at the back."},
        {"slug": "mri", "word": "MRI", "term": "MRI", "meaning": "A scan that makes pictures without rays."},
        {"slug": "disc-bulge", "word": "Slipped disc", "term": "Disc bulge", "meaning": "A pad that sticks out."},
    ]


PIECES = [
    "disc",
    "bulge",
    "Disc",
    "facet",
    "joint",
    "joints",
    "MRI",
    "s",
    "WHO",
    " ",
    "\n",
    "**",
    "*",
    "_",
    "- ",
    "(",
    ")",
    "\n\n",
]
PIECES += [
    "ſ",
    "K",
    "İ",
    "\u00a0",
    "’",
    "-",
    "[a](/b/)",
    "[@NG59]",
    ": ",
    ". ",
    "called a ",
    "means ",
    "|",
    "\n|---|---|\n",
]


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(pieces=st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=16))
@example(["disc ", "**", "bulge", "**"])
@example(["**", "disc", "**", "s and di", "**", "sc", "**"])
@example(["di", "ſ", "c facet\u00a0joint"])
@example(["D", "İ", "SC"])
def test_marking_never_fails_and_never_changes_a_word(glossary, pieces):
    try:
        blocks = parse("".join(pieces))
    except ValueError:
        return
    before = plain(blocks)
    Words().mark(blocks)
    assert plain(blocks) == before


def test_a_glossary_without_terms_finds_nothing(glossary):
    GlossaryTerm.objects.all().delete()
    assert marked("A disc, and nothing at all.") == []


@every_sheet
def test_every_marked_word_leads_to_its_meaning_and_back(client, slug):
    tree = page(client, f"/fact-sheets/{slug}/")
    document = FactSheet.objects.get(slug=slug).document
    used = with_class(tree, "term")
    assert [link.get("href") for link in used] == [f"#word-{node['slug']}" for node in nodes_of(document)]
    assert sorted(node["slug"] for node in nodes_of(document)) == sorted(word["slug"] for word in document["words"])
    for word in document["words"]:
        [link] = [each for each in used if each.get("href") == f"#word-{word['slug']}"]
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
        [contents] = [node for node in elements(tree) if node.tag == "nav" and node.get("class") == "contents"]
        assert links(contents)[-2:] == ["#words", "#sources"]
    else:
        assert there == ["sources"]
        assert "#words" not in links(tree)


def test_some_sheets_have_hard_words_and_some_explain_all_of_theirs():
    counts = [len(document["words"]) for document in FactSheet.objects.values_list("document", flat=True)]
    assert sum(count > 0 for count in counts) >= 5
    assert sum(counts) >= 30


def nodes_of(document: dict) -> list[dict]:
    """The marked words of a document in the order of reading."""
    parts = [document["key_points"]]
    for section in document["sections"]:
        parts += [section["blocks"], *(statement["blocks"] for statement in section.get("evidence", []))]
    return [node for part in parts for node in nodes(part) if node.get("type") == "term"]


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
def test_the_pdf_explains_the_same_words_and_links_to_them(client, slug):
    reader = PdfReader(io.BytesIO(client.get(f"/fact-sheets/{slug}/pdf/").content))
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
    assert guard.findings(was) == guard.findings(sheet.document)


def test_key_points_sections_and_statements_are_read_in_their_order(glossary):
    sheet = FactSheet.objects.create(
        slug="made", topic=Topic.objects.first(), title="A disc", key_points="- One.\n- An MRI.\n- Three."
    )
    first = Section.objects.create(sheet=sheet, slug="a", position=1, heading="Lumbar", body="Another MRI, of a facet.")
    second = Section.objects.create(sheet=sheet, slug="b", position=2, kind="evidence", heading="Proof")
    EvidenceStatement.objects.create(
        section=second, slug="c", treatment="heat", claim="A disc", detail="A facet and a disc.", direction="helps"
    )
    actions.refresh(sheet=sheet)
    assert [(node["slug"], plain(node)) for node in nodes_of(sheet.document)] == [
        ("mri", "MRI"),
        ("facet-joint", "facet"),
        ("disc", "disc"),
    ]
    assert 'href="#word-disc"' in sheet.document["sections"][1]["evidence"][0]["html"]
    first.delete()
    actions.refresh(sheet=sheet)
    assert [plain(node) for node in nodes_of(sheet.document)] == ["MRI", "facet", "disc"]


def test_the_guard_sees_through_a_marked_word(glossary):
    term("Acupuncture", "A treatment with needles.")
    topic = Topic.objects.first()
    sheet = FactSheet.objects.create(
        slug="made", topic=topic, title="Made", key_points="- Acupuncture works.\n- Two.\n- Three."
    )
    actions.refresh(sheet=sheet)
    assert [node["slug"] for node in nodes_of(sheet.document)] == ["acupuncture"]
    assert "works" in [finding.code for finding in guard.findings(sheet.document)]


def test_numbers_keep_their_count_beside_a_marked_word(client, sheet, glossary):
    Section.objects.filter(sheet=sheet).exclude(kind="evidence").delete()
    body = "- 6 in 10: have a disc bulge\n- 1 in 10: have an MRI"
    Section.objects.create(sheet=sheet, slug="counts", position=1, kind="numbers", heading="How many?", body=body)
    actions.refresh(sheet=sheet)
    [numbers] = [section["numbers"] for section in sheet.document["sections"] if section["kind"] == "numbers"]
    assert [(each["count"], plain(each["content"])) for each in numbers] == [
        (6, "have a disc bulge"),
        (1, "have an MRI"),
    ]
    found = [text(link) for link in with_class(page(client, sheet.get_absolute_url()), "term")]
    assert found[:2] == ["disc bulge", "MRI"]


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


def form_of(client, address: str) -> dict:
    form = client.get(address).context["adminform"].form
    return {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}


def test_an_editor_writes_other_names_with_commas_and_every_sheet_follows(staff_client):
    found = GlossaryTerm.objects.get(slug="myeloma")
    address = reverse("admin:factsheets_glossaryterm_change", args=[found.pk])
    values = form_of(staff_client, address)
    assert values["also"] == "multiple myeloma"
    slug = "stress-and-back-pain"
    assert "word-myeloma" not in staff_client.get(f"/fact-sheets/{slug}/").content.decode()
    values |= {"also": " multiple   myeloma, low  mood,, Low mood ", "meaning": "A new meaning."}
    assert staff_client.post(address, values).status_code == 302
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


def test_a_term_that_is_deleted_or_switched_off_is_no_longer_explained(staff_client):
    path = "/fact-sheets/tests-and-treatments/"
    for slug, change in (("nice", "delete"), ("mri", "change"), ("opioid", "delete_selected")):
        found = GlossaryTerm.objects.get(slug=slug)
        assert f"word-{slug}" in staff_client.get(path).content.decode()
        if change == "delete_selected":
            values = {"action": change, "_selected_action": [found.pk], "post": "yes"}
            staff_client.post(reverse("admin:factsheets_glossaryterm_changelist"), values)
        else:
            address = reverse(f"admin:factsheets_glossaryterm_{change}", args=[found.pk])
            values = {"post": "yes"} if change == "delete" else form_of(staff_client, address)
            values.pop("explain_in_text", None)
            assert staff_client.post(address, values).status_code == 302
        assert f"word-{slug}" not in staff_client.get(path).content.decode()


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


@pytest.mark.browser
@pytest.mark.once
def test_a_tap_on_a_word_shows_its_meaning_where_the_reader_is_and_leads_back(browser, site):
    with visitor(browser, site, viewport={"width": 360, "height": 640}, reduced_motion="reduce") as reader:
        reader.open("/fact-sheets/stress-and-back-pain/")
        word = reader.page.locator("#term-nice")
        word.scroll_into_view_if_needed()
        before = reader.page.evaluate("scrollY")
        word.click()
        entry = reader.page.locator("#word-nice")
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
        assert reader.page.evaluate("document.activeElement.id") == "term-nice"
        assert 0 < word.bounding_box()["y"] < 640
        assert entry.bounding_box()["y"] > 640, "The meaning is back in its list."
        reader.page.emulate_media(media="print")
        reader.open("/fact-sheets/stress-and-back-pain/#word-nice")
        assert entry.evaluate("element => getComputedStyle(element).position") == "static"
        reader.expect_clean()
