"""A search that sounds like a red flag puts the emergency card first, also when misspelt. A harmless one does not."""

import re
import time

import pytest
from django.core.exceptions import ValidationError

from factsheets.models import SafetyAdvice, WordList
from factsheets.search import index, redflags
from factsheets.search.indexing import TERM
from factsheets.search.text import words
from tests.support.html import text, tree
from tests.support.red_flag_figures import PHRASES, figures, phrases, reader

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

EMERGENCIES = {
    # numb down below
    "numb down below": "RF-E1",
    "numb bum": "RF-E1",
    "my bottom is numb": "RF-E1",
    "numb between legs": "RF-E1",
    "numbness between my legs": "RF-E1",
    "nubm betwen my legs": "RF-E1",
    "tinglng in genitals": "RF-E1",
    "pins and needles in my bum": "RF-E1",
    "can't feel when I wipe": "RF-E1",
    "no feeling when wiping": "RF-E1",
    "vagina feels numb": "RF-E1",
    "lost sensation in my penis": "RF-E1",
    "saddle numbness": "RF-E1",
    "saddle anaesthesia": "RF-E1",
    "saddle anesthesia": "RF-E1",
    "numb inner thighs": "RF-E1",
    "numb buttoks": "RF-E1",
    "cauda equina": "RF-E1",
    "feels funny down there": "RF-E1",
    # pee and poo
    "can't pee": "RF-E2",
    "cant pee": "RF-E2",
    "can´t pee": "RF-E2",
    "CAN’T PEE!!!": "RF-E2",
    "can t pee": "RF-E2",
    "can not wee": "RF-E2",
    "unable to urinate": "RF-E2",
    "trouble peeing": "RF-E2",
    "dificulty passing urine": "RF-E2",
    "can't pass water since this morning": "RF-E2",
    "cannot go to the toilet": "RF-E2",
    "bladder not working can't empty it": "RF-E2",
    "blader problems and back pain": "RF-E2",
    "can't feel myself peeing": "RF-E2",
    "lost control of bowels": "RF-E2",
    "lost control of my bowels": "RF-E2",
    "losing control of bladder": "RF-E2",
    "lost controll of bowls": "RF-E2",
    "no control over my wee": "RF-E2",
    "pooed myself": "RF-E2",
    "I have wet myself": "RF-E2",
    "wetting the bed": "RF-E2",
    "soiled my pants": "RF-E2",
    "leaking urine": "RF-E2",
    "leaking wee when I cough": "RF-E2",
    "incontinence": "RF-E2",
    "back pain and incontinance": "RF-E2",
    "can't poo": "RF-E2",
    "don't feel the need to poo": "RF-E2",
    "can't make it to the toilet in time": "RF-E2",
    # legs
    "both legs weak": "RF-E3",
    "pain in both legs": "RF-E3",
    "sciatica both legs": "RF-E3",
    "legs giving way": "RF-E3",
    "my legs have gone numb": "RF-E3",
    "can't feel my legs": "RF-E3",
    "can't move my legs": "RF-E3",
    "legs feel like jelly": "RF-E3",
    "paralysed": "RF-E3",
    "unsteady on my feet": "RF-E3",
    "tingling in both feet": "RF-E3",
    # sex
    "back pain and erection problems": "RF-E4",
    "erectile dysfunction": "RF-E4",
    "no feeling during sex": "RF-E4",
    # accidents
    "car accident back pain": "RF-E5",
    "fell off a ladder": "RF-E5",
    "fell down the stairs": "RF-E5",
    "hit by a car": "RF-E5",
    "broke my back": "RF-E5",
    # chest and belly
    "chest pain": "RF-E6",
    "crushing chest pain": "RF-E6",
    "tight chest": "RF-E6",
    "heart attack": "RF-E6",
    "sudden back pain and feel faint": "RF-E7",
    "tummy pain clammy": "RF-E7",
    "aortic aneurism": "RF-E7",
    "tearing pain in back": "RF-E7",
    # infection
    "fever and confused": "RF-E8",
    "sepsis": "RF-E8",
    "can't breathe": "RF-E10",
    "short of breath": "RF-E10",
    # cancer
    "prostate cancer and weak legs": "RF-E9",
    "cancer and can't walk": "RF-E9",
    "pregnant and bleeding": "RF-P1",
}
URGENT = {
    "back pain and fever": "RF-U1",
    "shivering": "RF-U1",
    "high temperture": "RF-U1",
    "losing weight without trying": "RF-U2",
    "unexplained weight loss": "RF-U2",
    "I had breast cancer": "RF-U3",
    "could it be cancer": "RF-U3",
    "numb foot": "RF-U4",
    "weak leg": "RF-U4",
    "foot drop": "RF-U4",
    "my foot drags": "RF-U4",
    "leg gave way": "RF-U4",
    "can't walk": "RF-U4",
    "back pain worse at night": "RF-U5",
    "pain wakes me up": "RF-U5",
    "lump on my spine": "RF-U6",
    "my back has changed shape": "RF-U6",
    "pain between shoulder blades": "RF-U7",
    "hurts when I sneeze": "RF-U8",
    "pain when pooing": "RF-U8",
    "osteoporosis and sudden pain": "RF-U9",
    "weak immune system": "RF-U10",
    "spinal infection": "RF-U10",
    "blood in my urine": "RF-U11",
    "burns when I pee": "RF-U11",
    "kidney infection": "RF-U11",
    "jaw pain when chewing": "RF-U12",
    "loss of vision": "RF-U12",
}
CRISES = [
    "suicide",
    "suicidle thoughts",
    "I want to kill myself",
    "want to die",
    "end it all",
    "i dont want to live",
    "don't want to be here anymore",
    "better off dead",
    "no point in living",
    "there is no point any more",
    "had enough of living",
    "top myself",
    "end it",
    "better off without me",
    "self harm",
    "can't live with this pain",
    "can't cope",
    "took too many paracetamol",
]
HARMLESS = [
    "",
    "numb toe",
    "numb toes",
    "numb fingers",
    "pain",
    "back pain",
    "low back pain",
    "sciatica",
    "slipped disc",
    "sleeping positions",
    "pillow between legs",
    "pillow between my knees when sleeping",
    "how to sit at a desk",
    "hard chair",
    "mattress too hard",
    "can't sleep",
    "can't sit",
    "can't bend down",
    "trouble sleeping",
    "difficult to stand up from a chair",
    "my back is killing me",
    "killing me",
    "dead bug exercise",
    "deadlift",
    "hurt myself lifting",
    "hurt my back lifting a box",
    "lose weight",
    "weight loss for back pain",
    "does losing weight help",
    "restless legs",
    "leg stretches",
    "leg pain",
    "pain down one leg",
    "strong legs exercises",
    "flat feet",
    "pelvic floor exercises",
    "breathing exercises",
    "relaxation breathing",
    "chest stretch",
    "wee bit sore can't bend",
    "a wee pain in my back problem",
    "bottom of my foot tingling",
    "massage ball",
    "exercise ball numb",
    "lawn bowls can't play",
    "falling asleep",
    "falling asleep with back pain",
    "blood stagnation",
    "blood thinner",
    "kidney deficiency",
    "cancel appointment",
    "cancel my consultation problem",
    "book appointment",
    "email",
    "privacy",
    "acupuncture side effects",
    "codeine constipation",
    "osteoporosis",
    "steroid injection",
    "MRI",
    "is sitting bad for you",
    "number of sessions",
    "hip pain",
    "pregnancy back pain",
    "swollen disc",
    "hunched shoulders at a desk",
    "hot water bottle temperature of the room temperature",
    "stretching between shoulder blades pain exercises",
    "how do I pee less at night",
    "болит спина",
    "🤕",
]


def test_what_sounds_like_an_emergency_is_read_as_one():
    assert not {typed: code for typed, code in EMERGENCIES.items() if code not in redflags.read(typed).emergency}


def test_what_sounds_urgent_is_read_as_urgent_and_not_as_an_emergency():
    found = {typed: redflags.read(typed) for typed in URGENT}
    assert not {typed: found[typed] for typed, code in URGENT.items() if code not in found[typed].urgent}
    assert not {typed: found[typed] for typed in URGENT if found[typed].emergency}


def test_words_of_ones_own_death_are_read_as_a_crisis():
    assert not [typed for typed in CRISES if not redflags.read(typed).crisis]


def test_a_harmless_search_alarms_nobody():
    assert not {typed: reading for typed in HARMLESS if (reading := redflags.read(typed))}


def test_the_written_cases_are_all_read_as_guidance_asks():
    *_, wrong = figures(redflags.read, phrases(PHRASES / "cases.json"))
    assert not wrong


@pytest.mark.parametrize(
    ("name", "floors"),
    [
        ("development.json", {"E": 0.95, "U": 0.93, "C": 1, "": 0.96}),
        # Higher than what was found before anything was tuned on it: docs/red-flag-words.md.
        ("held-out.json", {"E": 0.95, "U": 0.93, "C": 1, "": 0.96}),
        # Nobody tunes on this one: it stays a measure of words that nobody has seen.
        ("third.json", {"E": 0.9, "U": 0.85, "C": 0.8, "": 0.95}),
    ],
)
@pytest.mark.long
def test_phrasings_of_others_are_read_well_enough(name, floors):
    tiers, _, wrong = figures(redflags.read, phrases(PHRASES / name))
    assert {want: right / every for want, (right, every) in tiers.items() if right / every < floors[want]} == {}, wrong


@pytest.mark.long
def test_the_fixtures_are_what_is_read(db):
    """The figures of `python -m tests.support.red_flag_figures` hold for what runs."""
    assert not reader().faults
    assert not redflags.reader().faults
    for typed in [*EMERGENCIES, *URGENT, *CRISES]:
        assert reader_of_fixtures().read(typed) == redflags.read(typed)


_fixtures = []


def reader_of_fixtures():
    if not _fixtures:
        _fixtures.append(reader())
    return _fixtures[0]


def test_a_pattern_that_staff_add_is_read_at_once():
    assert not redflags.read("blorfing knees")
    flag = SafetyAdvice.objects.get(code="RF-E3")
    flag.patterns = [*flag.patterns, "blorf* + {made up}"]
    WordList.objects.create(name="made up", lines=["knee | knees"])
    flag.full_clean()
    flag.save()
    assert redflags.read("my knees are blorfing").emergency == ("RF-E3",)
    assert not redflags.read("no blorfing in my knees")


def test_a_pattern_that_cannot_be_read_is_refused_with_what_is_wrong():
    flag = SafetyAdvice.objects.get(code="RF-E1")
    for line, fault in {
        "{nowhere} + numb": "There is no word list “nowhere”",
        "numb +": "there is nothing on one side",
        "nu* + bottom": "Write 3 letters before “*”",
        "my": "is in nearly every text",
        "numb (bottom": "cannot be read",
        "a1 + b1 + c1 + d1 + e1 + f1 + g1 + h1 + i1": "Make two lines of it",
        "numb unless + bed": "no “+” or “&”",
        "bum .. ": "must be between two words",
    }.items():
        flag.patterns = [line]
        with pytest.raises(ValidationError, match=re.escape(fault)):
            flag.full_clean()


def test_reading_takes_little_time_however_long_the_text():
    redflags.reader()
    hostile = [
        "numb " * 400,
        "no " * 700,
        "pee poo numb bum leg both " * 80,
        "x" * 5_000,
        "a, " * 700,
        "😀 ",
        "{numb} + * .. ",
    ]
    started = time.process_time()
    for typed in hostile:
        redflags.read(typed)
    assert time.process_time() - started < 0.5 * len(hostile)  # seconds; it is about 10 ms each


def test_every_flag_that_can_bring_a_card_has_patterns():
    assert not SafetyAdvice.objects.exclude(tier="routine").filter(patterns=[])


def test_no_word_of_our_own_pages_is_put_right_into_a_red_flag():
    # A glossary term names misspellings on purpose.
    entries = [entry for entry in index.current().entries.values() if entry.kind != TERM]
    texts = [f"{each.heading} {each.text}" for entry in entries for each in entry.passages]
    ours = {word.folded for text in texts for word in words(text) if len(word.folded) > 2}
    assert len(ours) > 1_000
    wording = redflags.reader().wording
    changed = {word: other for word in ours if (other := wording.mend(word)) not in {word, word[:-1]}}
    assert not changed


def test_nobody_changes_a_word_list_by_hand_and_the_desk_shows_who_uses_it(admin_client):
    """Not even the owner: a list works at once, in many flags, and a draft of the flags does not hold it."""
    words = WordList.objects.get(name="weak legs")
    address = f"/admin/factsheets/wordlist/{words.pk}/change/"
    shown = text(tree(admin_client.get(address)))
    assert "weak legs | legs weak" in shown
    assert "RF-E3, RF-E9" in shown  # RF-E9 by way of {cord}
    assert "taken out of every text first" in text(tree(admin_client.get("/admin/factsheets/wordlist/")))
    assert admin_client.post(address, {"note": "", "lines": "legs of string"}).status_code == 403
    words.refresh_from_db()
    assert "legs of string" not in words.lines
