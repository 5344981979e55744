"""A search that sounds like a red flag puts the emergency card first, also when misspelt. A harmless one does not."""

import pytest

from factsheets.models import SafetyAdvice, SearchWord
from factsheets.search import redflags

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
    "can't breathe": "RF-E8",
    "short of breath": "RF-E8",
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


@pytest.mark.parametrize("typed", EMERGENCIES)
def test_what_sounds_like_an_emergency_is_read_as_one(typed):
    assert EMERGENCIES[typed] in redflags.read(typed).emergency


@pytest.mark.parametrize("typed", URGENT)
def test_what_sounds_urgent_is_read_as_urgent_and_not_as_an_emergency(typed):
    found = redflags.read(typed)
    assert URGENT[typed] in found.urgent
    assert not found.emergency


@pytest.mark.parametrize("typed", CRISES)
def test_words_of_ones_own_death_are_read_as_a_crisis(typed):
    assert redflags.read(typed).crisis


@pytest.mark.parametrize("typed", HARMLESS)
def test_a_harmless_search_alarms_nobody(typed):
    assert not redflags.read(typed), redflags.read(typed)


@pytest.mark.parametrize(
    "ordinary", ["sciatica", "Why does my back hurt when I sit?", "", "x" * 5_000, "pain " * 1_000]
)
def test_reading_takes_little_time_however_long_the_search(ordinary):
    assert not redflags.read(ordinary).crisis


def test_signs_name_advice_that_there_is_in_its_own_tier(db):
    for signs, tier in ((redflags.EMERGENCY, "emergency"), (redflags.URGENT, "urgent")):
        codes = set(SafetyAdvice.objects.filter(tier=tier).values_list("code", flat=True))
        assert {sign.code for sign in signs} <= codes


def test_no_word_of_our_own_pages_is_put_right_into_a_red_flag(db):
    ours = SearchWord.objects.values_list("word", flat=True)
    assert len(ours) > 1_000
    changed = {word: other for word in ours if (other := redflags._mend(word)) != word}
    assert changed.keys() <= {"temperatures"}, changed
