"""Whether searches as people make them get the right answer, and whether what editors keep for that is sound."""

import re

import pytest

from factsheets.models import FactSheet, SearchQuestions
from factsheets.search import index, intents
from factsheets.search.answer import answer
from factsheets.search.indexing import SHEET
from tests.support.search_figures import answers, misses, queries

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

SHARES = {1: 0.85, 3: 0.95}  # of the searches that must be right first, and within the first three
JUDGEMENTS = 3


@pytest.mark.long
def test_searches_as_people_make_them_get_the_right_answer_first():
    """Each judgement by itself: at least 85 of 100 right in the first place, and 95 within the first three."""
    listed = queries()
    assert len(listed) >= 150
    assert {len(judged) for _, judged in listed} == {JUDGEMENTS}
    for (judgement, within), wrong in misses(listed).items():
        assert 1 - len(wrong) / len(listed) >= SHARES[within], (judgement, within, wrong)


def test_every_intent_has_its_first_answer():
    first = {
        "when should I be worried about lower back pain": ("Worry, whatever it is about", "about-back-pain"),
        "pregnant back pain": ("Pregnancy", "about-back-pain"),
        "is it bone cancer": ("Cancer words", "about-back-pain"),
        "my daughter's back hurts": ("Children", "/get-help-now/"),
        "what can I take": ("Medicines", "tests-and-treatments"),
        "can I get pip": ("Benefits", "looking-after-your-back"),
        "my boss says I have to come in": ("Work", "looking-after-your-back"),
        "dodgy back and cant sleep": ("Sleep", "posture-and-lifting"),
        "sex": ("Sex", "/question/"),
        "is it ok to drive": ("Driving", "posture-and-lifting"),
        "exercises": ("Exercise", "looking-after-your-back"),
        "how much is it": ("Cost of a consultation", "/about/"),
        "I want an appointment": ("Booking", "/consultation/"),
    }
    for typed, (name, page) in first.items():
        given = answer(typed)
        assert given.found.intent, typed
        assert given.found.intent.name == name, typed
        assert answers(given.found.entries[0], page), typed
    assert answer("when should I be worried about lower back pain").signs
    assert not answer("what can I take").signs


def test_every_place_that_questions_and_intents_name_is_there():
    """But for those of sheets that have no questions of their own yet."""
    now = index.current()
    asking = {entry.key.removeprefix("sheet:") for entry in now.entries.values() if entry.labels}
    dead = [place for place in now.dead if place.startswith("/") or place.partition("#")[0] in asking]
    assert not dead
    nowhere = [each.name for each in intents.intents() if not any(map(now.locate, each.first))]
    waiting = [name for name in nowhere if asking == set(FactSheet.objects.values_list("slug", flat=True))]
    assert not waiting


def test_every_question_of_a_leaflet_has_six_searches_or_more_that_lead_to_it():
    asked = dict(SearchQuestions.objects.values_list("place", "questions"))
    assert sum(map(len, asked.values())) >= 250
    for entry in index.current().entries.values():
        if entry.kind == SHEET:
            slug = entry.key.removeprefix("sheet:")
            assert not [code for code in entry.labels if len(asked.get(f"{slug}#{code}", ())) < 6], slug


def test_what_readers_see_of_the_questions_is_well_written():
    """The first of each place is shown as a link."""
    shown = [questions[0] for questions in SearchQuestions.objects.values_list("questions", flat=True)]
    misspelt = re.compile(r"acc?upun[^c]|siati|\bcant\b|disk\b|\bbak\b", re.IGNORECASE)
    assert not [question for question in shown if misspelt.search(question) or question.endswith(".")]


def test_an_intent_that_cannot_be_read_says_so():
    with pytest.raises(ValueError, match="a part without a word"):
        intents._line("worry + ", {})
    with pytest.raises(KeyError):
        intents._line("{nowhere}", {})
