"""A fixture with a fault is refused with one sentence that names the file and the entry, and nothing changes."""

import datetime
import re
from copy import deepcopy

import pytest
from django.core.management import CommandError

from tests.factsheets.test_content import everything
from tests.support.edition import SHEET, Edition, entry, run, section, sheet, source, statement, statement_use

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


def refused(edition: Edition) -> str:
    """What the command said, having changed nothing: also not the sound entries before and after the fault."""
    before = everything()
    with pytest.raises(CommandError) as error:
        edition.load()
    assert everything() == before
    return str(error.value)


@pytest.fixture
def edition(tmp_path):
    return Edition(tmp_path, alone=True)


# Entry 2 of the sheet is the section "first", entry 4 the section "proof", entry 5 the use of its statement.
A_SHEET, STATEMENTS = r"a-sheet\.yaml, ", r"statements\.yaml, "
FAULTS = {
    "an unknown field": ("first", {"colour": "red"}, "entry 2: .*no field named 'colour'"),
    "no sheet": ("first", {"sheet": None}, "entry 2: sheet is missing"),
    "no slug": ("first", {"slug": ""}, "entry 2: slug is missing"),
    "a sheet that is not there": ("first", {"sheet": ["no-sheet"]}, "entry 2: sheet: there is no fact sheet no-sheet"),
    "a topic that is not there": ("a-sheet", {"topic": ["nowhere"]}, "entry 1: topic: there is no topic nowhere"),
    "half a reference": ("proof", {"sheet": [["a-sheet"]]}, "entry 4: sheet: there is no fact sheet"),
    "a reference that is no list": ("a-sheet", {"topic": "a-topic"}, "entry 1: topic: write each topic as a list"),
    "sources that are no lists": ("claim", {"sources": ["EDA"]}, "entry 1: sources: write each source as a list"),
    "a source that is not there": ("claim", {"sources": [["EDZ"]]}, "entry 1: sources: there is no source EDZ"),
    "no sources": ("claim", {"sources": []}, "entry 1: sources: name at least one"),
    "a citation of nothing": ("first", {"body": "Words. [@EDZ]"}, "entry 2: body: no source has the key EDZ"),
    "a citation of nothing in a statement": (
        "claim",
        {"detail": "[@EDZ]"},
        "entry 1: detail: no source has the key EDZ",
    ),
    "a citation in a key point": (
        "a-sheet",
        {"key_points": "- one\n- two\n- three [@EDA]"},
        "entry 1: key_points: Cite no sources",
    ),
    "an unknown kind": ("first", {"kind": "poem"}, "entry 2: kind: .*poem"),
    "an unknown view": ("first", {"view": "eastern"}, "entry 2: view: .*eastern"),
    "an unknown grade": ("claim", {"grade": "G9"}, "entry 1: grade: .*G9"),
    "an unknown state": ("a-sheet", {"state": "live"}, "entry 1: state: .*live"),
    "a word for a number": ("first", {"position": "third"}, "entry 2: .*third"),
    "a title that is too long": ("a-sheet", {"title": "x" * 121}, "entry 1: title: .*120 characters"),
    "a slug that is no address": ("first", {"slug": "not an address"}, "entry 2: slug: "),
    "two key points": ("a-sheet", {"key_points": "- one\n- two"}, "entry 1: key_points: Write three key points"),
    "no body": ("first", {"body": ""}, "entry 2: body: Write the words"),
    "HTML in a body": ("first", {"body": "> a quote"}, "entry 2: body: Use paragraphs, lists"),
    "a hostile link": ("first", {"body": "[x](http://example.com)"}, "entry 2: body: The link .* must start with"),
    "a picture in a body": ("first", {"body": "![x](/x.png)"}, "entry 2: body: Pictures belong"),
    "a misspelt citation": ("first", {"body": "Words. [@eda]"}, "entry 2: body: A source is cited with signs"),
    "a figure without a drawing": ("first", {"kind": "figure"}, "entry 2: figure: Choose the drawing"),
    "a callout without a heading": ("first", {"kind": "callout", "heading": ""}, "entry 2: heading: Write a heading"),
    "a quote in a statement": ("claim", {"detail": "> a quote"}, "entry 1: detail: Use paragraphs, lists"),
    "acupuncture without NICE": ("claim", {"treatment": "acupuncture"}, "entry 1: nice_position: Say what NICE says"),
    "a date among the ledger rows": ("first", {"claim_refs": [datetime.date(2026, 1, 1)]}, "entry 2: "),
}


@pytest.mark.long
def test_a_wrong_entry_is_named(edition, subtests):
    sound = deepcopy(edition.files)
    for name, (slug, changes, said) in FAULTS.items():
        with subtests.test(name):
            edition.files = deepcopy(sound)
            edition.fields(slug).update(changes)
            message = refused(edition)
            where = STATEMENTS if slug == "claim" else A_SHEET
            assert re.search(rf"^{where}{said}", message), message
            assert "\n" not in message.strip()


def test_a_fault_in_an_upgrade_is_named_and_changes_nothing(edition):
    edition.load()
    edition.fields("EDB")["title"] = "A better title"
    edition.fields("first")["body"] = "```\ncode\n```"
    assert "a-sheet.yaml, entry 2: body: Use paragraphs" in refused(edition)


def test_an_entry_that_is_there_twice_is_named(edition):
    edition.files["sheets/b-sheet.yaml"].append(section("first", heading="First again", body="Words."))
    assert "b-sheet.yaml, entry 3: factsheets.section a-sheet first is there twice." in refused(edition)


def test_what_is_no_entry_is_named(edition, subtests):
    entries = edition.files["sheets/b-sheet.yaml"]
    for wrong, said in (
        ({"fields": {"slug": "x"}}, "model is missing or unknown."),
        ({"model": "factsheets.poem", "fields": {}}, "model is missing or unknown."),
        ({"model": ["factsheets.topic"], "fields": {}}, "model is missing or unknown."),
        ({"model": "auth.user", "fields": {"username": "x"}}, "model is missing or unknown."),
        ({"model": "factsheets.topic"}, "fields are missing."),
        ({"model": "factsheets.topic", "fields": "x"}, "fields are missing."),
        ("words", "model is missing or unknown."),
        (None, "model is missing or unknown."),
    ):
        with subtests.test(repr(wrong)):
            edition.files["sheets/b-sheet.yaml"] = [*entries, wrong]
            assert refused(edition) == f"b-sheet.yaml, entry 3: {said}"


BROKEN = [
    (b"- model: [unclosed", "zzz.yaml is not valid YAML: "),
    (
        b"- model: factsheets.topic\n  fields: {slug: a, slug: b}\n",
        "zzz.yaml is not valid YAML: .*slug appears twice",
    ),
    (b"- !!python/object/apply:os.getcwd []\n", "zzz.yaml is not valid YAML: "),
    (b"- \x00\n", "zzz.yaml is not valid YAML: "),
    ("- naïve".encode("latin-1"), "zzz.yaml is not valid YAML: "),
    (b"just words", "zzz.yaml is not a list of entries"),
    (b"model: factsheets.topic", "zzz.yaml is not a list of entries"),
    (b"5", "zzz.yaml is not a list of entries"),
]


def test_a_broken_file_is_named(edition, subtests):
    for content, said in BROKEN:
        with subtests.test(repr(content)):
            (edition.folder / "zzz.yaml").write_bytes(content)
            message = refused(edition)
            assert re.match(said, message, re.DOTALL), message


def test_an_empty_file_is_no_fault(edition):
    (edition.folder / "zzz.yaml").write_text("# nothing yet\n")
    assert "added" in edition.load()


def test_a_folder_without_fixtures_is_named(tmp_path):
    with pytest.raises(CommandError, match="There are no fixtures in"):
        run("--folder", str(tmp_path))


SHAPES = [
    ("try", "Only words.", "Write one list, with the button “List”"),
    ("try", "1. one\n2. two", "Write one list, with the button “List”"),
    ("try", "- one\n\nwords after", "Write one list, with the button “List”"),
    ("avoid", "- smoke", "Start each line with “do not”"),
    ("avoid", "- ", "Start each line with “do not”"),
    ("steps", "- one", "Write one list of steps, with the button"),
    ("table", "Only words.", "Write one table, with the button"),
    ("table", "| a |\n|---|\n| 1 |\n\n| b |\n|---|\n| 2 |", "Write one table, with the button"),
    (
        "numbers",
        "Words first.\n\n- 6 in 10: x",
        "Write one list, with the button “List” above the text, and lines such as",
    ),
    ("numbers", "- six in ten: x", "Start each line with a count out of 10 or 100"),
    ("numbers", "- 11 in 10: x", "Start each line with a count out of 10 or 100"),
    ("numbers", "- 6 in 12: x", "Start each line with a count out of 10 or 100"),
    ("numbers", "- **6 in 10:** x", "Start each line with a count out of 10 or 100"),
    ("numbers", "- ", "Start each line with a count out of 10 or 100"),
]


@pytest.mark.long
def test_a_body_of_the_wrong_shape_is_said_in_a_sentence(edition, subtests):
    for kind, body, said in SHAPES:
        with subtests.test(f"{kind}: {body}"):
            edition.fields("first").update(kind=kind, body=body)
            message = refused(edition)
            assert message.startswith(f"a-sheet.yaml, entry 2: body: {said}"), message
            assert message.endswith((".", "”."))


def test_a_caption_that_is_more_than_sentences_is_refused(edition):
    drawing = {"slug": "a-drawing", "title": "T", "alt": "A", "long_description": "L", "drawing": "figures/x.svg"}
    edition.files["figures.yaml"] = [entry("figure", **drawing)]
    edition.fields("first").update(kind="figure", figure=["a-drawing"], body="- a list")
    assert "entry 2: body: A figure's caption is plain sentences." in refused(edition)
    edition.fields("first")["body"] = "A caption."
    edition.load()


def test_the_helpers_of_these_tests_make_a_sound_edition(edition):
    """Otherwise the refusals above would prove nothing."""
    edition.files[SHEET] += [section("further", heading="Further", body="More words."), statement_use("more")]
    edition.files["statements.yaml"].append(statement("more"))
    edition.files["sources.yaml"].append(source("EDC"))
    edition.files["topics.yaml"].append(sheet("c-sheet", "A third sheet"))
    assert " 17 added" in edition.load()


def test_a_rule_that_only_the_database_knows_is_said_as_well(edition):
    edition.files["statements.yaml"].append(statement("other", treatment="heat-claim"))
    assert re.search(r"statements\.yaml, entry 2: .*Use that one, or edit it", refused(edition))
