"""The decision table, against a second reading of the ledger: every combination that can change an outcome."""

from itertools import chain, combinations, product

import pytest

from enquiries.assessment.evaluate import REQUIRED, Incomplete, evaluate
from enquiries.assessment.kinds import Answers, Duration, Outcome
from enquiries.assessment.questions import ASKED, QUESTIONS
from enquiries.assessment.result import wording
from tests.support.assessment import NOTHING, UNLISTED, answers

ABOUT, SELF, WEST, CHRONIC, POSTURE, STRESS, MANUAL, TCM, ACU = (
    "about-back-pain",
    "looking-after-your-back",
    "tests-and-treatments",
    "long-term-pain",
    "posture-and-lifting",
    "stress-and-back-pain",
    "manual-therapy-for-back-pain",
    "traditional-chinese-medicine-view",
    "acupuncture-for-back-pain",
)
AGES = ["under_18", "18_19", "20_44", "45_54", "55_59", "60_plus"]
WEEKS = ["under_1", "1_to_3", "3_to_6", "6_to_12", "over_12"]
CHECKED = ["same", "worse", "no"]
REACH = ["back", "thigh", "past_knee"]
LIMITS = ["little", "some", "stops"]
MOODS = ["not_at_all", "some", "a_lot"]
YES_NO = ["no", "yes"]
NOT_TODAY = "You do not need to be seen today"
NEXT_DAYS = "Contact your GP practice in the next few days, sooner if it gets worse."


def subsets(*values: str) -> list[frozenset[str]]:
    return [frozenset(each) for size in range(len(values) + 1) for each in combinations(values, size)]


def gp_reasons(age, first, weeks, checked, reach, walking, stiff, before_45, both, limits, mood, bones) -> list[str]:
    """The ledger's reasons to see a GP, in its order (second part, §2), written without the tables of the program."""
    young, old = AGES.index(age), WEEKS.index(weeks)
    unreviewed = checked != "same"
    found = []
    if young == 0:
        found.append("D3")
    if first == "yes" and (young == 1 or young >= 4):
        found.append("D4")
    if young == 5 and old >= 3:
        found.append("D5")
    if stiff == "yes" and before_45 == "yes" and old == 4:
        found.append("D6")
    if both == "yes" and young >= 3 and unreviewed:
        found.append("D7")
    if walking == "yes" and unreviewed:
        found.append("D8")
    if bones and unreviewed:
        found.append("D15")
    if limits == "stops":
        found.append("D9")
    if checked == "worse":
        found.append("D10")
    if checked == "no" and old >= 3:
        found.append("D11")
    if checked == "no" and reach == "past_knee" and old == 2:
        found.append("D12")
    if mood == "a_lot":
        found.append("D13")
    return found


@pytest.mark.long
def test_every_combination_that_can_change_the_outcome_gives_what_the_table_says():
    names = ["age", "first", "duration", "checked", "reach", "walking", "stiff", "before_45", "both_sides"]
    names += ["limits", "mood"]
    bones = (False, True)
    asked = product(AGES, YES_NO, WEEKS, CHECKED, REACH, YES_NO, YES_NO, YES_NO, YES_NO, LIMITS, MOODS, bones)
    rest = {name: UNLISTED[name] for name in ("triggers", "tried")}
    both = product((NOTHING, frozenset(["RF-E2"])), (NOTHING, frozenset(["RF-U8"])))
    signs = [{"emergency": emergency, "urgent": urgent} | rest for emergency, urgent in both]
    seen = 0
    for number, given in enumerate(asked):
        said = dict(zip(names, given[:-1], strict=True)) | {"tell": frozenset(["bones"] if given[-1] else [])}
        reasons = gp_reasons(*given)
        without_signs = (Outcome.SEE_GP, reasons) if reasons else (Outcome.SELF_CARE, ["D14"])
        urgent, emergency = (Outcome.URGENT, ["D2"]), (Outcome.EMERGENCY, ["D1"])
        outcomes = without_signs, urgent, emergency, emergency
        # Signs outweigh every other answer: that is tried at each seventh combination, for the time it takes. No question has seven
        # answers or a multiple, so that every two answers meet there.
        plain, *_ = results = [evaluate(Answers(**ticked, **said)) for ticked in signs[: 1 if number % 7 else 4]]
        for ticked, expected, result in zip(signs, outcomes, results, strict=False):
            assert (result.outcome, [rule.code for rule in result.rules]) == expected, (ticked, said)
            assert result.may_ask_us == (expected is without_signs and "D3" not in reasons), said
            assert result.crisis == (said["mood"] == "a_lot"), said
            assert result.self_care == (expected is without_signs and "D3" not in reasons), said
            assert bool(result.sheets) == (expected is not emergency), said
            seen += 1
        lead = wording(plain).lead
        soon = {"D9", "D10"} & set(reasons)
        assert (NEXT_DAYS in lead) == bool(soon), said
        if soon or "D13" in reasons:
            assert NOT_TODAY not in lead, said
        elif reasons and not {"D3", "D15"} & set(reasons):
            assert NOT_TODAY in lead, said
    combinations_of_answers = 6 * 2 * 5 * 3 * 3 * 2**4 * 3 * 3 * 2
    assert combinations_of_answers * 10 // 7 <= seen <= combinations_of_answers * 10 // 7 + 3


def offered(outcome, reach, weeks, walking, stiff, mood, triggers, tried) -> list[str]:
    """The ledger's table of sheets, read once more."""
    if outcome == Outcome.EMERGENCY:
        return []
    if outcome == Outcome.URGENT:
        return [ABOUT]
    long = weeks == "over_12"
    table = [
        (ABOUT, True),
        (SELF, True),
        (WEST, outcome == Outcome.SEE_GP or reach == "past_knee" or walking == "yes" or stiff == "yes"),
        (CHRONIC, long),
        (POSTURE, bool({"sitting", "lifting", "standing"} & triggers)),
        (STRESS, "stress" in triggers or mood in ("some", "a_lot")),
        (MANUAL, "massage" in tried),
        (TCM, "herbs" in tried or "cold" in triggers),
        (ACU, "acupuncture" in tried or long),
    ]
    return [sheet for sheet, fits in table if fits][:5]


@pytest.mark.long
@pytest.mark.parametrize(
    "outcome",
    [{"emergency": "RF-E1"}, {"urgent": "RF-U1"}, {"limits": "stops"}, {"checked": "same"}],
    ids=["EMERGENCY", "URGENT", "SEE_GP", "without a rule of its own"],
)
def test_every_combination_that_can_change_the_sheets_gives_what_the_table_says(outcome):
    triggers = subsets("sitting", "lifting", "standing", "stress", "cold")
    tried = subsets("massage", "herbs", "acupuncture")
    seen = set()
    for reach, weeks, walking, stiff, mood in product(REACH, ["3_to_6", "over_12"], YES_NO, YES_NO, MOODS):
        for made, had in product(triggers, tried):
            given = answers(
                reach=reach,
                duration=weeks,
                walking=walking,
                stiff=stiff,
                mood=mood,
                triggers=made,
                tried=had,
                **outcome,
            )
            result = evaluate(given)
            expected = offered(result.outcome, reach, weeks, walking, stiff, mood, made, had)
            assert list(result.sheets) == expected, given
            seen.add(result.sheets)
    assert len(seen) >= (1 if outcome.keys() & {"emergency", "urgent"} else 20)


# --- the ledger's cases, with those that its second part changed or added ---

CASES = {
    1: ({"emergency": "RF-E1"}, ["D1"], Outcome.EMERGENCY, []),
    2: ({"emergency": "RF-E3", "urgent": "RF-U1"}, ["D1"], Outcome.EMERGENCY, []),
    3: ({"urgent": "RF-U8"}, ["D2"], Outcome.URGENT, [ABOUT]),
    4: ({"urgent": "RF-U2", "age": "60_plus", "mood": "a_lot"}, ["D2"], Outcome.URGENT, [ABOUT]),
    5: ({"age": "60_plus", "first": "yes"}, ["D4"], Outcome.SEE_GP, [ABOUT, SELF, WEST]),
    6: (
        {"age": "60_plus", "duration": "over_12", "checked": "same"},
        ["D5"],
        Outcome.SEE_GP,
        [ABOUT, SELF, WEST, CHRONIC, ACU],
    ),
    7: (
        {"stiff": "yes", "before_45": "yes", "duration": "over_12"},
        ["D6", "D11"],
        Outcome.SEE_GP,
        [ABOUT, SELF, WEST, CHRONIC, ACU],
    ),
    8: ({"reach": "past_knee", "duration": "3_to_6"}, ["D12"], Outcome.SEE_GP, [ABOUT, SELF, WEST]),
    9: ({"reach": "past_knee", "triggers": "lifting"}, ["D14"], Outcome.SELF_CARE, [ABOUT, SELF, WEST, POSTURE]),
    10: ({"triggers": ["sitting", "stress"]}, ["D14"], Outcome.SELF_CARE, [ABOUT, SELF, POSTURE, STRESS]),
    11: ({"duration": "6_to_12"}, ["D11"], Outcome.SEE_GP, [ABOUT, SELF, WEST]),
    12: (
        {"duration": "over_12", "checked": "same", "tried": "herbs", "triggers": "stress"},
        ["D14"],
        Outcome.SELF_CARE,
        [ABOUT, SELF, CHRONIC, STRESS, TCM],
    ),
    13: ({"duration": "6_to_12", "checked": "worse"}, ["D10"], Outcome.SEE_GP, [ABOUT, SELF, WEST]),
    14: ({"age": "under_18"}, ["D3"], Outcome.SEE_GP, [ABOUT, SELF, WEST]),
    15: ({"emergency": "RF-P1"}, ["D1"], Outcome.EMERGENCY, []),
    16: ({"urgent": "RF-U15"}, ["D2"], Outcome.URGENT, [ABOUT]),
    17: ({"tell": "bones", "duration": "1_to_3"}, ["D15"], Outcome.SEE_GP, [ABOUT, SELF, WEST]),
    18: (
        {"stiff": "yes", "before_45": "yes", "duration": "over_12", "checked": "same"},
        ["D6"],
        Outcome.SEE_GP,
        [ABOUT, SELF, WEST, CHRONIC, ACU],
    ),
    19: ({"mood": "a_lot"}, ["D13"], Outcome.SEE_GP, [ABOUT, SELF, WEST, STRESS]),
    20: ({"checked": "worse"}, ["D10"], Outcome.SEE_GP, [ABOUT, SELF, WEST]),
}


@pytest.mark.parametrize("case", CASES)
def test_the_ledgers_case(case):
    given, rules, outcome, sheets = CASES[case]
    result = evaluate(answers(**given))
    assert (result.outcome, [rule.code for rule in result.rules], list(result.sheets)) == (outcome, rules, sheets)
    assert result.crisis == (case in {4, 19})
    assert [note.name for note in result.notes] == {12: ["herbs"], 17: ["tell"]}.get(case, [])
    assert result.may_ask_us == (outcome <= Outcome.SEE_GP and case != 14)
    if case == 13:
        assert result.duration == Duration.LINGERING


# --- what must always hold ---


def test_any_single_emergency_sign_is_an_emergency_even_before_the_other_questions():
    for code in ASKED["emergency"]:
        for given in (Answers(emergency=frozenset([code])), answers(emergency=code)):
            result = evaluate(given)
            assert (result.outcome, result.flags, result.sheets) == (Outcome.EMERGENCY, {code}, ())
            assert not result.notes
            assert not result.may_ask_us


@pytest.mark.long
def test_any_single_urgent_sign_is_urgent_and_every_set_of_signs_is_at_least_that():
    for code in ASKED["urgent"]:
        assert evaluate(answers(urgent=code)).outcome == Outcome.URGENT
    for signs in subsets(*ASKED["urgent"])[1:]:
        result = evaluate(answers(urgent=signs))
        assert (result.outcome, result.flags) == (Outcome.URGENT, signs)


def test_a_sign_that_staff_added_to_the_list_counts_like_the_others():
    assert evaluate(answers(emergency="RF-E77")).outcome == Outcome.EMERGENCY
    assert evaluate(answers(urgent="RF-U77")).outcome == Outcome.URGENT


def test_adding_a_red_flag_never_lowers_the_outcome():
    bases = [
        {},
        {"limits": "stops"},
        {"age": "under_18"},
        {"mood": "a_lot"},
        {"duration": "over_12", "checked": "same"},
    ]
    steps = 0
    for base, before_e, before_u in product(bases, subsets("RF-E1", "RF-E9"), subsets("RF-U1", "RF-U4", "RF-U12")):
        before = evaluate(answers(emergency=before_e or NOTHING, urgent=before_u or NOTHING, **base))
        for tier, codes in ASKED.items():
            for code in codes:
                more = {"emergency": before_e, "urgent": before_u}
                more[tier] = more[tier] | {code}
                after = evaluate(answers(**{name: signs or NOTHING for name, signs in more.items()}, **base))
                assert after.outcome >= before.outcome
                assert after.flags >= before.flags
                steps += 1
    assert steps == 5 * 4 * 8 * (11 + 16)


@pytest.mark.parametrize("name", REQUIRED)
def test_there_is_no_outcome_without_an_answer_that_decides(name):
    with pytest.raises(Incomplete):
        evaluate(answers(**{name: None}))


def test_only_three_questions_may_be_left_empty():
    assert {name for name in UNLISTED if name not in REQUIRED} == {"triggers", "tried", "tell"}


@pytest.mark.parametrize(
    ("weeks", "expected"),
    [*zip(WEEKS, [Duration.SHORT] * 3 + [Duration.LINGERING, Duration.LONG], strict=True)],
)
def test_how_long_it_has_lasted_has_a_class_without_a_gap(weeks, expected):
    result = evaluate(answers(duration=weeks, checked="same"))
    assert result.duration == expected
    assert result.gp_by_six_weeks == (expected == Duration.SHORT)


def test_each_note_is_shown_when_it_was_ticked_and_never_with_an_emergency():
    ticked = {
        "tried": subsets("bed_rest", "painkillers", "herbs", "active"),
        "tell": subsets("pregnant", "blood", "bones"),
    }
    outcomes = [{}, {"limits": "stops"}, {"urgent": "RF-U5"}, {"emergency": "RF-E5"}, {"age": "under_18"}]
    outcomes += [each | {"age": "under_18"} for each in outcomes[1:4]]
    for tried, tell, outcome in product(ticked["tried"], ticked["tell"], outcomes):
        expected = [name for name in ("bed_rest", "painkillers", "herbs") if name in tried]
        # Self-care waits until somebody has looked, and ours is for adults.
        expected = [] if outcome.keys() & {"urgent", "age"} else expected
        expected = ["pregnant"] * ("pregnant" in tell) + expected + ["tell"] * bool(tell)
        notes = [note.name for note in evaluate(answers(tried=tried, tell=tell, **outcome)).notes]
        assert notes == ([] if "emergency" in outcome else expected)
    assert not evaluate(answers(tell="none", tried="nothing")).notes


def test_answers_that_no_rule_names_change_nothing():
    free = {"triggers": "no_pattern", "tried": ["active", "heat_cold", "exercise", "nothing"], "tell": "none"}
    plain = evaluate(answers())
    for name, values in free.items():
        assert evaluate(answers(**{name: values})) == plain
    for part in chain.from_iterable(question.parts for question in QUESTIONS):
        if part.name in {"reach", "limits"}:
            assert evaluate(answers(**{part.name: part.options[1].value})) == plain
