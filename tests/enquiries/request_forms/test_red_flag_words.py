"""A patient's own words that sound like a red flag: what is found in a text, and what is plainly denied in it.

The card is better shown once too often than once too rarely. The harmless sentences are of people who wrote with care that they
have none of it, and of those whose words only look alike.
"""

import pytest

from enquiries.request_forms import own_words
from factsheets import safety
from factsheets.models import SafetyAdvice

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

FLAGGED = {
    # numb down below
    "My lower back has hurt for a week and since yesterday my bottom feels numb.": "RF-E1",
    "I have pins and needles between my legs when I sit on the loo.": "RF-E1",
    "No numbness at first. Now I can't feel when I wipe.": "RF-E1",
    "There is no feeling in my private parts any more": "RF-E1",
    "No weakness, but tingling around my genitals": "RF-E1",
    "I had no numbness until last night, when my saddle area went dead": "RF-E1",
    "Not sure if it matters. My bum is asleep a lot. It is also on the inner thigh.": "RF-E1",
    "My bottom is strange.\nIt feels numb when I sit": "RF-E1",
    "no numbness, tingling in my bum": "RF-E1",
    "I don't have any feeling down there": "RF-E1",
    "no fever but numb genitals and no cancer": "RF-E1",
    "I have no problems peeing but my bum is numb": "RF-E1",
    # pee and poo
    "Bad back for 3 weeks, and I have not been able to pee since this morning": "RF-E2",
    "I can not pee normally since Tuesday": "RF-E2",
    "I am not able to wee normally.": "RF-E2",
    "I have no control over my bladder.": "RF-E2",
    "I have lost control of my bowels twice this week, no fever": "RF-E2",
    "no bladder control since sunday": "RF-E2",
    "Sciatica down one side. I wet myself yesterday. No other problems.": "RF-E2",
    "My bladder is usually fine, but I leaked urine twice without noticing": "RF-E2",
    "I didn't have trouble with my bladder before, now I have to strain to pee": "RF-E2",
    "I dont feel the urge to wee": "RF-E2",
    "Pain in my back. My bladder isn't working properly": "RF-E2",
    "I can still not pee fine": "RF-E2",
    "never had bladder problems before this week": "RF-E2",
    "without any warning I wet myself": "RF-E2",
    # legs
    "Both legs are weak and I keep stumbling": "RF-E3",
    "My legs gave way on the stairs": "RF-E3",
    "I have sciatica in both legs and it is getting worse": "RF-E3",
    "my feet have gone numb": "RF-E3",
    # sex
    "This is awkward: I cannot get an erection since my back went.": "RF-E4",
    # accident, chest, faint, infection, known cancer
    "I fell off a ladder on Saturday and my back is agony": "RF-E5",
    "I was in a car accident last week": "RF-E5",
    "The pain goes through to my chest and it feels tight": "RF-E6",
    "Sudden tearing pain in my back": "RF-E7",
    "I have a fever and I am confused at night": "RF-E8",
    "I have breast cancer and now my legs are weak": "RF-E9",
    # urgent
    "Back pain with shivering and a high temperature for two days": "RF-U1",
    "I have lost a stone in weight without trying": "RF-U2",
    "I had prostate cancer five years ago": "RF-U3",
    "My left foot drags when I walk": "RF-U4",
    "one leg is numb from the knee down": "RF-U4",
    "The pain is worse at night and wakes me": "RF-U5",
    "I take steroids and felt a crack after a small fall": "RF-U9",
    "I have back pain and blood in my urine": "RF-U11",
    "I am 30 weeks pregnant and I am bleeding": "RF-P1",
    # crisis
    "I have been in pain for years and I don't want to live like this. I want to die": own_words.CRISIS,
    "I have thought about suicide because of the pain": own_words.CRISIS,
}
HARMLESS = [
    "An ache low in my back for two months, worse after sitting.",
    "I hurt my back lifting a box on Monday. It eases when I walk.",
    "No numbness.",
    "No numbness or tingling, no weakness.",
    "I have no numbness in my legs and I can pee fine.",
    "I have not had any loss of bladder control.",
    "No problems with my bladder or bowels.",
    "Bladder and bowels are fine. No fever, no weight loss, no history of cancer.",
    "There's no weakness, numbness or bladder problems.",
    "Pain down my left leg to the knee, without numbness or weakness.",
    "I haven't noticed any changes to my bladder or bowel function.",
    "I don't have a fever or night sweats.",
    "I have never had cancer.",
    "No loss of control of my bladder or bowels, no saddle numbness.",
    "My legs are not weak or numb.",
    "It isn't numb anywhere.",
    "My bladder isn't affected.",
    "No accidents or falls. I am not incontinent and not suicidal.",
    "No loss of bladder function and no leg weakness, pain is 5/10",
    "I can feel my legs and walk normally",
    "GP said there were no red flags.",
    "Stiff in the mornings, better after a shower. I can't sit for long. I go to the toilet normally.",
    "I can't sit for longer than an hour at my desk and I would like to know whether physio helps. I drink a lot of "
    "water, so I pee often, as I always did.",
    "I work in an office and my chair is hard. My back aches by the afternoon.",
    "May I swim?",
    "Does acupuncture help with sciatica?",
    "Dull ache across my lower back after gardening, comes and goes.",
    "I have been told I have a slipped disc at L5. Is a corset any use?",
    "How much does a first visit cost?",
    "Can I take ibuprofen with paracetamol?",
    "I had a scan in May. It said wear and tear.",
    "Six weeks of pain on the right side above the hip. Seen a physio, exercises helped a little.",
    "I play golf and the swing hurts my lower back.",
    "My back went again 🙈 third time this year. Please call!",
    "",
]


def test_words_that_sound_like_a_red_flag_are_found_in_a_text():
    assert not {text: code for text, code in FLAGGED.items() if code not in own_words.codes_in(text)}


def test_what_is_plainly_denied_and_what_only_looks_alike_brings_no_card():
    assert not {text: found for text in HARMLESS if (found := own_words.codes_in(text))}


def test_every_code_that_can_be_kept_is_a_record_and_the_gravest_fit(db):
    emergency = [f"RF-E{number}" for number in range(1, 10)]
    every = [own_words.CRISIS, *emergency, *(f"RF-U{number}" for number in range(1, 13))]
    assert set(every) <= set(SafetyAdvice.objects.values_list("code", flat=True))
    kept = own_words.to_store(reversed(every), safety.tiers())
    assert len(kept) <= own_words.CODES_LENGTH
    assert kept.startswith("RF-R3 RF-E1 RF-E2")
    assert set(emergency) <= set(kept.split())


def test_the_card_is_of_the_gravest_tier_with_what_was_said_first(db):
    found = own_words.codes_in("I had cancer, and since yesterday my bum is numb and I wet myself")
    [card] = own_words.advice(found, safety.tiers()).cards
    assert card["tier"] == "emergency"
    assert [item["code"] for item in card["items"]][:2] == ["RF-E1", "RF-E2"]
    assert {"RF-E1", "RF-E2", "RF-U3"} <= set(found)
