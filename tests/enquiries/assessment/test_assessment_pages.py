"""The pages of the self-assessment over HTTP: one question each, errors that say what to do, and every way out."""

import pytest
from django.test import Client
from django.utils.text import capfirst

from enquiries.assessment.questions import ASKED, QUESTIONS
from factsheets.models import SafetyAdvice
from tests.support.assessment import answer_all, page_data
from tests.support.html import by_id, described, form_at, label, parse, summary, text, title
from tests.support.reading import expect_ordered_headings, links, with_class

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
EVERY = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"Q{question.number}")
# The ledger's questions, word for word.
LEDGER = [
    ["Do any of these apply to you now?"],
    ["Do you have any of these other signs?"],
    ["How old are you?", "Is this your first ever back pain?"],
    ["How long has this spell lasted?", "Has a GP, physio or other registered clinician checked it?"],
    ["How far does the pain go?"],
    ["Do your legs ache, feel heavy or go numb when you walk or stand, and ease when you sit or lean forward?"],
    [
        "Are you stiff for over 30 minutes in the morning and better once you move, or woken late in the night by it?",
        "Did it start before you were 45?",
        "Are both shoulders or both hips stiff in the morning too?",
    ],
    ["What sets it off or makes it worse?"],
    ["How much does it stop you doing?"],
    ["Over the last two weeks, how much have you felt low, very worried, or afraid that moving will cause damage?"],
    ["What have you tried?"],
    ["Is there anything a therapist should know?"],
]
OPTIONS = [12 + 1, 17 + 1, 6 + 2, 5 + 3, 3, 2, 6, 6, 3, 3, 9, 7]  # with "None of these", and "I'm not sure" on 1 and 2


def opened(client, question) -> tuple:
    if question.number > 1:
        answer_all(client, last=question.number - 1)
    address = f"/check/{question.number}/"
    return address, parse(client.get(address))


def inputs(tree) -> list:
    return [node for node in tree.iter("input") if node.get("type") in {"radio", "checkbox"}]


# --- the start, and each page ---


def test_the_start_shows_the_emergency_first_then_says_what_it_is_and_is_not(client):
    tree = parse(client.get("/check/"))
    said = text(tree)
    [card] = with_class(tree, "care", "emergency")
    order = list(tree.iter())
    start = next(node for node in tree.iter("a") if node.get("href") == "/check/1/")
    assert order.index(card) < order.index(start)
    for words in ("about three minutes", "18 or over", "does not tell you what is wrong", "gives no score", "Awaiting"):
        assert words in said
    assert "We do not keep your answers, and nobody at the clinic sees them." in said
    assert "/check/" in links(parse(client.get("/")))


@EVERY
def test_a_page_asks_one_question_of_the_ledger_in_a_labelled_group(client, question):
    address, tree = opened(client, question)
    form = form_at(tree, address)
    legends = [text(legend) for legend in form.iter("legend")]
    assert legends == LEDGER[question.number - 1]
    assert f"Question {question.number} of 12" in text(tree)
    assert title(tree).startswith(f"Question {question.number} of 12: {question.heading or legends[0]}")
    expect_ordered_headings(tree)
    [h1] = tree.iter("h1")
    assert text(h1) == (question.heading or legends[0])
    assert len(inputs(form)) == OPTIONS[question.number - 1]
    for control in inputs(form):
        assert label(tree, control)
        assert control.get("checked") is None
    form_at(tree, "/check/clear/")


@pytest.mark.parametrize("tier", ASKED)
def test_the_signs_to_tick_are_the_safety_records_word_for_word(client, tier):
    question = QUESTIONS[["emergency", "urgent"].index(tier)]
    _, tree = opened(client, question)
    records = SafetyAdvice.objects.filter(tier=tier, in_assessment=True)
    assert [record.code for record in records] == list(ASKED[tier])
    shown = {control.get("value"): label(tree, control) for control in inputs(tree)}
    assert shown == {record.code: capfirst(record.text) for record in records} | {
        "none": "None of these",
        "unsure": "I’m not sure",
    }


def test_a_sign_that_staff_add_is_asked_and_leads_to_999(client):
    SafetyAdvice.objects.create(
        code="RF-E99", tier="emergency", text="a new sign", short_text="new", in_assessment=True, position=95
    )
    assert "A new sign" in text(parse(client.get("/check/1/")))
    assert client.post("/check/1/", {"emergency": "RF-E99"})["Location"] == "/check/stop/"


@pytest.mark.parametrize("change", [{"in_assessment": False}, {"tier": "urgent"}, None])
def test_nobody_is_asked_when_a_sign_of_the_ledger_is_missing(change):
    client = Client(raise_request_exception=False)
    answer_all(client)
    found = SafetyAdvice.objects.filter(code="RF-E2")
    if change:
        found.update(**change)
    else:
        found.delete()
    for address in ("/check/", "/check/1/", "/check/answers/", "/check/result/"):
        response = client.get(address)
        assert response.status_code == 500
        assert "999" in response.content.decode()
    assert client.post("/check/answers/").status_code == 500


@EVERY
def test_what_was_answered_is_still_there_on_the_way_back(client, question):
    given = {"triggers": ["cold", "stress"], "age": "45_54", "tell": "blood", "urgent": ["RF-U5", "RF-U8"]}
    answer_all(client, **given)
    tree = parse(client.get(f"/check/{question.number}/"))
    ticked = {}
    for control in inputs(tree):
        if control.get("checked") is not None:
            ticked.setdefault(control.get("name"), []).append(control.get("value"))
    sent = page_data(question.number, **given)
    assert {name: sorted(values) for name, values in ticked.items()} == {
        name: [value] if isinstance(value, str) else sorted(value) for name, value in sent.items() if value
    }


# --- errors ---


@pytest.mark.parametrize(
    "question", [q for q in QUESTIONS if any(part.required for part in q.parts)], ids=lambda q: q.number
)
def test_a_page_sent_empty_is_answered_with_instructions_that_lead_to_the_answer(client, question):
    address, _ = opened(client, question)
    response = client.post(address, {})
    assert response.status_code == 303
    tree = parse(client.get(response["Location"]))
    assert title(tree).startswith(f"Error: Question {question.number} of 12")
    form = form_at(tree, address)
    problems = [(text(link), link.get("href")) for link in summary(form).iter("a")]
    assert [words for words, _ in problems] == [part.missing for part in question.parts]
    for words, place in problems:
        control = by_id(tree, place[1:])
        assert control.tag == "input"
        assert words in described(tree, control)
        assert words.split()[0] in {"Choose", "Tick"}
    assert not any(control.get("checked") for control in inputs(form))


def test_half_a_page_is_not_lost_when_the_other_half_is_missing(client):
    answer_all(client, last=3)
    response = client.post("/check/4/", {"duration": "6_to_12"})
    tree = parse(response)
    assert [control.get("value") for control in inputs(tree) if control.get("checked") is not None] == ["6_to_12"]
    assert [text(link) for link in summary(form_at(tree, "/check/4/")).iter("a")] == [QUESTIONS[3].parts[1].missing]
    assert client.get("/check/5/")["Location"] == "/check/4/"


@pytest.mark.parametrize(
    ("number", "name", "chosen", "what"),
    [
        (1, "emergency", ["RF-E6", "none"], "Tick the signs that you have, or choose “None of these”"),
        (1, "emergency", ["none", "unsure"], "Tick the signs that you have, or choose “None of these”"),
        (2, "urgent", ["RF-U1", "RF-U2", "none"], "Tick the signs that you have, or choose “None of these”"),
        (8, "triggers", ["cold", "no_pattern"], "Tick the ones that apply, or choose “No pattern”"),
        (11, "tried", ["herbs", "nothing"], "Tick the ones that apply, or choose “Nothing”"),
        (12, "tell", ["none", "pregnant"], "Tick the ones that apply, or choose “None of these”"),
    ],
)
def test_none_together_with_a_tick_is_asked_about_and_nothing_is_lost(client, number, name, chosen, what):
    if number > 1:
        answer_all(client, last=number - 1)
    response = client.post(f"/check/{number}/", {name: chosen})
    assert response.status_code == 422
    tree = parse(response)
    assert text(summary(form_at(tree, f"/check/{number}/"))) == f"There is a problem {what}. You cannot choose both"
    ticked = {control.get("value") for control in inputs(tree) if control.get("checked") is not None}
    assert ticked == set(chosen)


@pytest.mark.parametrize("value", ["60", "", "RF-E1", "\x00", "x" * 5000])
def test_an_answer_that_is_not_on_the_page_is_refused(client, value):
    answer_all(client, last=2)
    response = client.post("/check/3/", {"age": value, "first": "yes"})
    assert response.status_code == 422
    assert text(summary(form_at(parse(response), "/check/3/"))).startswith("There is a problem Choose ")
