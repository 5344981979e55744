"""How an enquiry that carries a self-assessment is flagged, and what a clinician reads of it at the top."""

from datetime import date

import pytest

from enquiries.assessment.flags import flags
from enquiries.assessment.handover import safety_codes, summary
from enquiries.assessment.result import shown
from enquiries.request_forms.own_words import CRISIS
from tests.support.assessment import answers

pytestmark = pytest.mark.usefixtures("db")
DAY = date(2026, 11, 30)
# As version 1 kept it: no day of the check.
VERSION_1 = {
    "version": "Version 1, 21 November 2026",
    "review": "Awaiting clinical review",
    "outcome": "see_gp",
    "heading": "See a GP about your back",
    "lead": "Book an appointment with a GP.",
    "signs": [],
    "reasons": [{"rule": "D9", "told": "It stops daily activity, work or sleep.", "listed": "it stops you"}],
    "suggest": "see a GP.",
    "crisis": [],
    "notes": [{"name": "tell", "heading": "Tell the clinician", "lines": [], "things": ["Pregnant"], "sheet": None}],
}


def kept(**given) -> dict:
    return shown(answers(**given), flags(), on=DAY)


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ({}, []),
        ({"limits": "stops", "age": "60_plus", "first": "yes"}, []),
        ({"mood": "some"}, []),
        ({"urgent": ["RF-U12", "RF-U4"]}, ["RF-U4", "RF-U12"]),
        ({"mood": "a_lot"}, [CRISIS]),
        ({"mood": "a_lot", "urgent": "RF-U2"}, [CRISIS, "RF-U2"]),
    ],
)
def test_an_enquiry_is_flagged_by_urgent_signs_and_by_low_mood_and_by_nothing_else(given, codes):
    assert safety_codes(kept(**given)) == codes


def test_the_summary_says_outcome_version_day_signs_reasons_and_what_to_know_in_four_lines():
    lines = summary(kept(urgent=["RF-U4"], mood="a_lot", tell=["blood", "pregnant"]))
    assert [line.label for line in lines] == ["Outcome", "Signs ticked", "Take care"]
    outcome, signs, care = (line.text for line in lines)
    assert outcome.startswith("Urgent: GP or 111 today. Checked on 30 November 2026. Questions: version ")
    assert "leg or foot" in signs
    assert care == "very low or worried in the last two weeks (“a lot”); Blood thinner or bleeding problem; Pregnant"
    lines = summary(kept(age="60_plus", first="yes", limits="stops"))
    assert [line.label for line in lines] == ["Outcome", "Reasons"]
    assert lines[1].text == (
        "This is your first ever back pain. You are 60 or over. (D4) It stops daily activity, work or sleep. (D9)"
    )


def test_a_result_that_version_1_kept_is_read_too():
    lines = summary(VERSION_1, given_on="22 November 2026")
    assert [line.text for line in lines] == [
        "See a GP. Checked on 22 November 2026. Questions: version 1, 21 November 2026",
        "It stops daily activity, work or sleep. (D9)",
        "Pregnant",
    ]
    assert safety_codes(VERSION_1) == []
    assert safety_codes(VERSION_1 | {"crisis": [{"when": "x"}], "signs": [{"code": "RF-U1"}]}) == [CRISIS, "RF-U1"]


def test_a_result_with_little_in_it_is_no_error():
    assert [line.text for line in summary({})] == ["Not known"]
    assert safety_codes({}) == []
