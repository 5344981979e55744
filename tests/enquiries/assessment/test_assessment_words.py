"""The reviewable file: whole, plain, within the wording rules, and under one version."""

import hashlib
import json
import re
from dataclasses import asdict, is_dataclass
from enum import Enum

import pytest

from enquiries.assessment import questions, result_texts
from enquiries.assessment.flags import flags
from enquiries.assessment.kinds import ANY, Answers, Outcome
from enquiries.assessment.questions import NOTES, QUESTIONS, RULES, SHEETS
from factsheets.claims_guard import findings
from factsheets.models import FactSheet, SafetyAdvice
from factsheets.readability import grade
from tests.conftest import ROOT

pytestmark = pytest.mark.once

PARTS = [part for question in QUESTIONS for part in question.parts]
TEMPLATES = sorted((ROOT / "templates" / "assessment").glob("*.html"))
# Each version with the mark of everything in it. A change needs a new VERSION and DATED, the clinician's review, and a line here.
# The names are in it, too. The first mark of version 2, 7f652ca0aff77f72, was the same content with MAX_SHEETS named MOST_SHEETS.
EDITIONS = {"1": "2bb8f3600ab5d042", "2": "4241b192644a5fbb"}
DISEASES = re.compile(
    r"\b(diagnos\w*|disease|disorder|arthritis|stenosis|sciatica|cancer|fracture|tumour|cauda|sepsis|aneurysm"
    r"|(high|low) risk|(un)?likely|serious|chance)\b",
    re.IGNORECASE,
)


def plain(value):
    """The value without anything whose order may change."""
    if is_dataclass(value):
        return [type(value).__name__, plain(asdict(value))]
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, frozenset):
        return "ANY" if value is ANY else sorted(value)
    if isinstance(value, dict):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def content(module) -> dict:
    kept = {name: value for name, value in vars(module).items() if name.isupper()}
    return plain({name: value for name, value in kept.items() if name not in {"VERSION", "DATED"}})


def test_nothing_changes_without_a_new_version():
    everything = json.dumps([content(questions), content(result_texts)], sort_keys=True)
    mark = hashlib.sha256(everything.encode()).hexdigest()[:16]
    assert len(everything) > 10_000
    assert EDITIONS[questions.VERSION] == mark, "Raise VERSION and DATED, have it reviewed, and add the mark here."
    for name in ("intended-purpose.md", "hazard-log.md"):
        said = (ROOT / "docs" / name).read_text()
        day = f"{questions.DATED.day} {questions.DATED:%B %Y}"
        assert re.search(rf"version {questions.VERSION}\b[^.]*{day}", said, re.IGNORECASE), (
            f"{name} is of another version."
        )


# --- whole ---


def test_every_answer_has_a_place_and_every_place_a_question():
    assert [part.name for part in PARTS] == list(Answers.__dataclass_fields__)
    assert [question.number for question in QUESTIONS] == list(range(1, 13))
    for part in PARTS:
        values = [option.value for option in part.options]
        assert len(set(values)) == len(values)
        assert bool(values) != bool(part.flags)
        assert bool(part.missing) == part.required
        assert part.many or not any(option.alone for option in part.options)


def conditions():
    for table in (RULES, NOTES):
        for row in table:
            yield row.when
    for row in [*SHEETS, *result_texts.ASK]:
        yield from row.when
    yield questions.CRISIS


def test_every_rule_speaks_of_answers_that_can_be_given():
    options = {part.name: {option.value for option in part.options} for part in PARTS}
    seen = 0
    for condition in conditions():
        for name, values in condition.items():
            assert values is ANY or values <= options[name], (name, values)
            seen += 1
    assert seen > 50


def test_every_answer_a_rule_rests_on_can_be_played_back():
    told = {(part.name, option.value): option.told for part in PARTS for option in part.options}
    for rule in RULES:
        if rule.outcome == Outcome.SEE_GP:
            for name, values in rule.when.items():
                for value in values:
                    assert told[name, value].endswith("."), (rule.code, name, value)


@pytest.mark.django_db
def test_every_sheet_and_every_sign_it_names_is_there():
    slugs = set(FactSheet.objects.published().values_list("slug", flat=True))
    assert {row.sheet for row in SHEETS} == slugs
    assert {note.sheet for note in NOTES} - {""} <= slugs
    codes = set(SafetyAdvice.objects.values_list("code", flat=True))
    assert {rule.shows for rule in RULES if rule.outcome == Outcome.SEE_GP} | {
        *questions.SHOWN,
        *result_texts.GP_IF,
    } <= codes
    asked = SafetyAdvice.objects.filter(in_assessment=True).values_list("code", flat=True)
    assert set(asked) == {code for tier in questions.ASKED.values() for code in tier}


# --- wording ---


def texts(value) -> list[str]:
    """Every sentence that a person reads in the two files."""
    if isinstance(value, str):
        return [value] if " " in value else []
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    return [text for each in value for text in texts(each)] if isinstance(value, list) else []


def all_words() -> list[str]:
    found = texts(content(questions)) + texts(content(result_texts))
    for template in TEMPLATES:
        # What is between the tags, without the template language.
        body = re.sub(r"{%.*?%}|{{.*?}}", " ", template.read_text())
        found += [" ".join(text.split()) for text in re.split(r"<[^>]*>", body) if " " in text.strip()]
    assert len(found) > 200
    return found


def test_no_word_promises_frightens_blames_or_names_a_disease():
    blocks = [{"type": "paragraph", "content": [{"type": "text", "text": text}]} for text in all_words()]
    section = {"heading": "The self-assessment", "slug": "x", "kind": "text", "view": "neither", "blocks": blocks}
    assert findings({"sections": [section | {"evidence": []}]}) == []
    known = (
        "breastfeeding, or have liver or kidney disease",
        "began after a serious accident",
        "marked the more serious answer",
    )
    for text in all_words():
        assert not DISEASES.search(text) or any(words in text for words in known), text


def test_it_is_easy_to_read():
    read = [text for text in all_words() if text.rstrip()[-1] in ".?!”"]
    assert len(read) > 100
    assert grade("\n".join(read)) <= 5.5
    # The two that the ledger fixes word for word are its longest.
    fixed = {part.text for part in PARTS}
    for text in read:
        for sentence in re.split(r"(?<=[.?!])\s+", text):
            assert len(sentence.split()) <= 20 or sentence in fixed, sentence


@pytest.mark.long
@pytest.mark.django_db
def test_the_signs_are_as_easy_to_read():
    known = flags()
    said = [label for tier in questions.ASKED for _, label in known.options(tier)]
    assert grade("\n".join(said)) <= 6
