"""Hard words: each is marked once, where it is first used and not explained on the spot, and nothing else changes by it."""

import re

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from factsheets import actions, claims_guard
from factsheets.models import FactSheet, GlossaryTerm, Section, Topic
from factsheets.rendering.glossary_marks import Words
from factsheets.rendering.markdown import parse, plain
from tests.support.glossary_marks import nodes, nodes_of
from tests.support.html import text
from tests.support.reading import page, with_class
from tests.support.statements import stated

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


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


def test_the_first_use_of_a_hard_word_is_marked_whole_and_once(glossary, subtests):
    for markdown, found in [
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
    ]:
        with subtests.test(markdown=markdown, found=found):
            assert marked(markdown) == found


def test_a_word_that_the_author_explains_on_the_spot_is_left_alone(glossary, subtests):
    for markdown in [
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
    ]:
        with subtests.test(markdown=markdown):
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
    assert [{name: said for name, said in each.items() if name != "place"} for each in words.listed()] == [
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
@pytest.mark.long
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


def test_key_points_sections_and_statements_are_read_in_their_order(glossary):
    sheet = FactSheet.objects.create(
        slug="made", topic=Topic.objects.first(), title="A disc", key_points="- One.\n- An MRI.\n- Three."
    )
    first = Section.objects.create(sheet=sheet, slug="a", position=1, heading="Lumbar", body="Another MRI, of a facet.")
    second = Section.objects.create(sheet=sheet, slug="b", position=2, kind="evidence", heading="Proof")
    stated(second, "c", claim="A disc", detail="A facet and a disc.")
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
    assert "works" in [finding.code for finding in claims_guard.findings(sheet.document)]


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
