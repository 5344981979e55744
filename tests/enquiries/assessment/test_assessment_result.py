"""The result over HTTP: what to do and when, why, what to read, and nothing that the ledger hides for an outcome."""

import pytest
from django.test import Client
from django.utils import timezone

from enquiries.assessment import result_texts
from enquiries.assessment.questions import DATED, RULES, VERSION
from factsheets.models import FactSheet, SafetyAdvice
from factsheets.safety import CRISIS, HEADINGS
from tests.support.assessment import finish
from tests.support.html import parse, text, title
from tests.support.reading import (
    expect_links_on_the_page_to_lead_somewhere,
    expect_ordered_headings,
    headings,
    links,
    squeezed,
    with_class,
)

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
FORMS = {"/report/", "/consultation/"}
OUTCOMES = {
    "urgent": {"urgent": ["RF-U3", "RF-U4"]},
    "urgent and low": {"urgent": "RF-U2", "age": "60_plus", "mood": "a_lot"},
    "see a GP": {"age": "60_plus", "first": "yes"},
    "see a GP, and low": {"mood": "a_lot"},
    "under 18": {"age": "under_18"},
    "self-care": {},
    "self-care, checked": {"duration": "over_12", "checked": "same"},
    "pregnant": {"tell": ["pregnant"]},
}
# One set of answers for every rule that leads to this page. D1 never does.
FOR_RULE = {
    "D2": {"urgent": "RF-U1"},
    "D3": {"age": "under_18"},
    "D4": {"age": "18_19", "first": "yes"},
    "D5": {"age": "60_plus", "duration": "6_to_12"},
    "D6": {"stiff": "yes", "before_45": "yes", "duration": "over_12"},
    "D7": {"both_sides": "yes", "age": "45_54"},
    "D8": {"walking": "yes"},
    "D9": {"limits": "stops"},
    "D10": {"checked": "worse"},
    "D11": {"duration": "6_to_12"},
    "D12": {"reach": "past_knee", "duration": "3_to_6"},
    "D13": {"mood": "a_lot"},
    "D14": {},
    "D15": {"tell": "bones"},
}


def result(**given):
    return parse(finish(Client(), **given))


def section(tree, heading: str) -> str:
    """The words of the part under this heading."""
    for part in tree.iter("section"):
        if any(text(node) == heading for node in part.iter("h2")):
            return text(part)
    return ""


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_result_is_sound_and_ends_with_the_short_emergency_list(outcome):
    tree = result(**OUTCOMES[outcome])
    assert title(tree).startswith("Your result –"), "A title is kept in the browser's history and must not tell."
    expect_ordered_headings(tree)
    expect_links_on_the_page_to_lead_somewhere(tree)
    [main] = tree.iter("main")
    [short] = with_class(main, "care", "emergency", "short")
    said = text(main)
    for advice in SafetyAdvice.objects.filter(tier="emergency", on_compact_card=True):
        assert advice.short_text in text(short)
    after = said[said.index(HEADINGS["emergency"]) :]
    assert said.count(HEADINGS["emergency"]) == 1
    assert not [heading for heading in headings(main) if heading in after and heading != HEADINGS["emergency"]]
    assert "If you are worried, or new symptoms start, get help." in said
    today = timezone.localdate()
    assert (
        f"Checked on {today.day} {today:%B %Y}. Questions: Version {VERSION}, {DATED.day} {DATED:%B %Y}. "
        f"Warning signs: edition 1, {today.day} {today:%B %Y}. Awaiting clinical review."
    ) in said


def test_urgent_says_today_shows_each_sign_with_what_to_do_and_offers_no_form():
    tree = result(**OUTCOMES["urgent"])
    [h1] = tree.iter("h1")
    assert text(h1) == "Ask for an urgent GP appointment or call 111 today"
    [card] = with_class(tree, "care", "urgent")
    ticked = SafetyAdvice.objects.filter(code__in=["RF-U3", "RF-U4"])
    assert [text(item) for item in card.iter("li")] == [f"{sign.text.rstrip('.')}. {sign.action}." for sign in ticked]
    [main] = tree.iter("main")
    assert not FORMS & set(links(main))
    assert "Please be seen first." in text(main)
    assert not section(tree, "Until you are seen")
    assert not section(tree, "What may help")
    assert section(tree, "Fact sheets for you").startswith("Fact sheets for you About back pain")
    assert [link for link in links(main) if link.startswith("/fact-sheets/")] == ["/fact-sheets/about-back-pain/"]


@pytest.mark.parametrize("outcome", ["urgent and low", "see a GP, and low"])
def test_who_feels_very_low_is_shown_where_to_turn_with_any_outcome(outcome):
    tree = result(**OUTCOMES[outcome])
    [main] = tree.iter("main")
    assert {f"tel:{line['number']}" for line in CRISIS} <= set(links(main))
    for line in CRISIS:
        assert line["what"] in text(main)
    # The reason of a low mood comes first of all; an urgent sign comes before it.
    where = text(main).index("If you cannot cope or may not be safe")
    assert (where < text(main).index("Your result")) == (outcome != "urgent and low")
    assert bool(section(tree, "Worry and low mood")) == (outcome != "urgent and low")
    assert "Samaritans" not in text(result())


@pytest.mark.parametrize("code", FOR_RULE)
def test_each_rule_says_what_the_person_told_us_what_we_suggest_and_its_name(code):
    tree = result(**FOR_RULE[code])
    rule = next(rule for rule in RULES if rule.code == code)
    why = section(tree, "Why we say this")
    assert f"(Rule {code})" in why
    told = why[why.index("You told us:") : why.index("So we suggest:")]
    assert len(told.split()) > 6
    if rule.shows:
        shown = SafetyAdvice.objects.get(code=rule.shows)
        stem = "Our list says to get help today if:" if code == "D15" else "Our list says to see a GP if:"
        assert f"{stem} {shown.text} (Rule {code})" in why
        soon = code in {"D9", "D10"}
        assert f"So we suggest: {'contact your GP practice in the next few days' if soon else 'see a GP.'}" in why
    for staff_only in SafetyAdvice.objects.exclude(why="").values_list("why", flat=True):
        assert staff_only not in text(tree), "What a sign may mean is a diagnosis to the reader."


def test_all_reasons_are_listed_in_the_order_of_the_table():
    given = {
        "age": "60_plus",
        "first": "yes",
        "duration": "over_12",
        "limits": "stops",
        "mood": "a_lot",
        "walking": "yes",
    }
    why = section(result(**given), "Why we say this")
    codes = ["D4", "D5", "D8", "D9", "D11", "D13"]
    assert [why.index(f"(Rule {code})") for code in codes] == sorted(why.index(f"(Rule {code})") for code in codes)
    assert why.count("(Rule ") == len(codes)
    assert "You are 60 or over. It has lasted more than 12 weeks. No clinician has checked it." in why


def test_see_a_gp_gives_self_care_until_then_and_says_gp_first_or_as_well():
    tree = result(**OUTCOMES["see a GP"])
    [main] = tree.iter("main")
    assert "You do not need to be seen today" in text(main)
    assert result_texts.TRY[0] in section(tree, "Until you are seen")
    assert set(links(main)) >= FORMS
    assert "Please see your GP first or as well." in section(tree, "How we can help")


@pytest.mark.parametrize(
    ("given", "soon"), [({"checked": "worse"}, True), ({"limits": "stops"}, True), ({"mood": "a_lot"}, False)]
)
def test_nobody_who_got_worse_is_stopped_or_is_low_is_told_that_today_is_not_needed(given, soon):
    [main] = result(**given).iter("main")
    assert "You do not need to be seen today" not in text(main)
    lead = "Contact your GP practice in the next few days, sooner if it gets worse."
    assert (lead in text(main)) == soon


@pytest.mark.parametrize(
    ("given", "ask"),
    [
        ({"age": "60_plus", "duration": "over_12"}, "ask whether blood tests have been done."),
        (
            {"stiff": "yes", "before_45": "yes", "duration": "over_12"},
            "ask whether it could be inflammatory back pain.",
        ),
    ],
    ids=["D5", "D6"],
)
def test_who_was_checked_once_and_is_the_same_is_told_what_to_ask_next_time(given, ask):
    why = section(result(**given, checked="same"), "Why we say this")
    assert f"A clinician has checked it. It is about the same. At your next appointment, {ask}" in why
    assert ask not in section(result(**given, checked="no"), "Why we say this")


@pytest.mark.parametrize("outcome", [{}, {"limits": "stops"}, {"urgent": "RF-U1"}, {"mood": "a_lot"}])
def test_who_is_pregnant_reads_the_midwife_and_both_signs_directly_under_the_outcome(outcome):
    [main] = result(**outcome, tell=["pregnant"]).iter("main")
    said = text(main)
    note = said.index("Ask your midwife about any back pain in pregnancy.")
    for code in ("RF-P1", "RF-U15"):
        record = SafetyAdvice.objects.get(code=code)
        lower = said[note:].lower()
        assert lower.index(record.text.lower()) < lower.index("why we say this")
        assert record.action in said[note:]
    assert said.count("Ask your midwife about any back pain") == 1


UNDER_18 = ("about-back-pain", "looking-after-your-back", "tests-and-treatments")  # claims.md, case 14


def test_under_18_is_sent_to_a_gp_without_a_form_or_advice_for_adults():
    tree = result(**OUTCOMES["under 18"])
    [main] = tree.iter("main")
    assert "If you are under 18, please see a GP." in text(main)
    assert not FORMS & set(links(main))
    assert not section(tree, "Until you are seen")
    more = result(age="under_18", tried=["bed_rest", "painkillers", "herbs"], tell=["pregnant", "blood"])
    urgent = result(age="under_18", urgent="RF-U1", tried="bed_rest")
    for each, slugs in ((tree, UNDER_18), (more, None), (urgent, UNDER_18[:1])):
        [main] = each.iter("main")
        sheets = [link for link in links(main) if link.startswith("/fact-sheets/")]
        assert slugs is None or sheets == [f"/fact-sheets/{slug}/" for slug in slugs]
        for adults in ("Bed rest", "painkiller suits", "Some herbs", "is called short-term"):
            assert adults not in text(main)
    assert "Ask your midwife" in text(more)
    assert section(more, "Good to know").endswith("about: Blood thinner or bleeding problem Pregnant")
    assert "is called short-term" not in text(result(urgent="RF-U1"))
    assert "is called short-term" in text(result())


def test_self_care_says_for_now_and_when_to_see_a_gp():
    tree = result()
    assert "home for now" in text(next(tree.iter("h1")))
    help_, gp = section(tree, "What may help"), section(tree, "See a GP if")
    for line in (*result_texts.TRY, *result_texts.AVOID):
        assert line in help_
    assert result_texts.BY_SIX_WEEKS in gp
    for code in result_texts.GP_IF:
        assert squeezed(SafetyAdvice.objects.get(code=code).text) in gp
    [main] = tree.iter("main")
    assert set(links(main)) >= FORMS
    assert "first or as well" not in text(main)
    longer = result(**OUTCOMES["self-care, checked"])
    assert result_texts.BY_SIX_WEEKS not in section(longer, "See a GP if")
    assert "A clinician has checked it. It is about the same." in section(longer, "Why we say this")


def test_the_sheets_are_those_of_the_table_in_its_order_and_only_published_ones():
    given = {"duration": "over_12", "checked": "same", "tried": "herbs", "triggers": "stress"}
    order = ["about-back-pain", "looking-after-your-back", "long-term-pain", "stress-and-back-pain"]
    order += ["traditional-chinese-medicine-view"]

    def listed():
        part = next(node for node in result(**given).iter("ul") if "sheets" in (node.get("class") or ""))
        return links(part)

    assert listed() == [f"/fact-sheets/{slug}/" for slug in order]
    FactSheet.objects.filter(slug=order.pop(2)).update(state="draft")
    assert listed() == [f"/fact-sheets/{slug}/" for slug in order]


def test_notes_are_shown_for_what_was_ticked_and_with_an_urgent_sign_only_what_to_tell():
    given = {"tried": ["bed_rest", "painkillers", "herbs"], "tell": ["pregnant", "blood"]}
    for outcome in ({}, {"limits": "stops"}, {"urgent": "RF-U1"}):
        part = section(result(**given, **outcome), "Good to know")
        for advice in ("Staying active is better.", "Ask a pharmacist", "Some herbs can kill.", "THR mark"):
            assert (advice in part) == ("urgent" not in outcome)
        assert part.endswith("tell the clinician or therapist about: Blood thinner or bleeding problem Pregnant")
    assert not section(result(), "Good to know")


def test_the_questions_to_ask_follow_from_the_answers():
    plain = section(result(), "Questions to ask your clinician")
    more = section(
        result(
            walking="yes",
            duration="over_12",
            limits="stops",
            triggers="lifting",
            mood="some",
            tried=["painkillers", "herbs"],
            tell="bones",
        ),
        "Questions to ask your clinician",
    )
    for each in result_texts.ASK:
        assert each.text in more
        assert (each.text in plain) == (not each.when)
