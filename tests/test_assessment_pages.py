"""The pages of the self-assessment over HTTP: one question each, errors that say what to do, and every way out."""

import pytest
from django.test import Client
from django.utils.text import capfirst

from enquiries.assessment.questions import ASKED, QUESTIONS
from factsheets.models import SafetyAdvice
from tests.assessment import answer_all, finish, page_data
from tests.html import by_id, described, form_at, label, parse, summary, text, title
from tests.reading import expect_ordered_headings, links, with_class

pytestmark = pytest.mark.usefixtures("db")
EVERY = pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: f"Q{question.number}")
# The ledger's questions, word for word.
LEDGER = [
    ["Do any of these apply to you now?"],
    ["And any of these?"],
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
OPTIONS = [10 + 1, 13 + 1, 6 + 2, 5 + 3, 3, 2, 6, 6, 3, 3, 9, 7]  # with "None of these", and "I'm not sure" on 1 and 2


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
    SafetyAdvice.objects.create(code="RF-E10", tier="emergency", text="a new sign", in_assessment=True, position=95)
    assert "A new sign" in text(parse(client.get("/check/1/")))
    assert client.post("/check/1/", {"emergency": "RF-E10"})["Location"] == "/check/stop/"


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
    assert response.status_code == 422
    tree = parse(response)
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


# --- the ways out ---


@pytest.mark.parametrize("code", ASKED["emergency"])
@pytest.mark.parametrize("with_it", [[], ["unsure"], ["RF-E9"]])
def test_an_emergency_stops_at_once_and_keeps_nothing(code, with_it):
    client = Client()
    response = client.post("/check/1/", {"emergency": [code, *with_it]})
    assert (response.status_code, response["Location"]) == (303, "/check/stop/")
    assert not response.cookies
    tree = parse(client.get("/check/stop/"))
    said = text(tree)
    for advice in SafetyAdvice.objects.filter(tier="emergency"):
        assert advice.text in said
    assert "We have not kept or sent your answers." in said
    [main] = tree.iter("main")
    assert set(links(main)) == {"tel:999", "/get-help-now/#say"}
    assert not list(main.iter("form"))
    assert client.get("/check/2/")["Location"] == "/check/start-again/"


def test_an_emergency_that_is_ticked_later_takes_all_answers_away(client):
    finish(client, mood="a_lot")
    response = client.post("/check/1/", {"emergency": "RF-E1"})
    assert response["Location"] == "/check/stop/"
    assert not client.cookies["check"].value
    assert client.get("/check/result/")["Location"] == "/check/start-again/"


@pytest.mark.parametrize("number", [1, 2])
def test_not_sure_about_a_sign_leads_to_111_and_back_to_the_question(client, number):
    part = QUESTIONS[number - 1].parts[0]
    if number == 2:
        answer_all(client, last=1)
    response = client.post(f"/check/{number}/", {part.name: ["unsure", "RF-U4"] if number == 2 else "unsure"})
    assert (response.status_code, response["Location"]) == (303, "/check/not-sure/")
    tree = parse(client.get("/check/not-sure/"))
    said = text(tree)
    assert [text(heading) for heading in tree.iter("h1")] == ["Call 111 now"]
    for advice in SafetyAdvice.objects.filter(tier__in=["emergency", "urgent"]):
        assert advice.text in said
        assert advice.action in said
    assert f"/check/{number}/" in links(tree)
    assert "Northern Ireland" in said
    # It is no answer: nothing goes on from it, and the question is open again.
    assert client.get(f"/check/{number + 1}/").status_code == 303
    assert not [control for control in inputs(parse(client.get(f"/check/{number}/"))) if control.get("checked")]
    answer_all(client, since=number)
    assert client.get("/check/answers/").status_code == 200


def test_not_sure_after_all_leaves_no_result_until_it_is_answered(client):
    finish(client)
    client.post("/check/2/", {"urgent": "unsure"})
    assert client.get("/check/result/", follow=True).redirect_chain[-1][0] == "/check/2/"
    assert client.post("/check/answers/")["Location"] == "/check/2/"
    assert client.post("/check/2/", {"urgent": "none"})["Location"] == "/check/answers/"


# --- back, change, clear ---


@EVERY
def test_the_back_link_leads_one_question_back(client, question):
    address, tree = opened(client, question)
    [back] = [node for node in tree.iter("a") if text(node) == "‹ Back"]
    assert back.get("href") == (f"/check/{question.number - 1}/" if question.number > 1 else "/check/")
    answer_all(client)
    [back] = [node for node in parse(client.get(address)).iter("a") if text(node) == "‹ Back"]
    assert back.get("href") == "/check/answers/"


def test_the_answers_are_played_back_and_each_can_be_changed(client):
    given = {"age": "60_plus", "urgent": ["RF-U7"], "triggers": ["sitting", "cold"], "tried": "herbs"}
    assert answer_all(client, **given)["Location"] == "/check/answers/"
    tree = parse(client.get("/check/answers/"))
    questions = [text(node) for node in tree.iter("dt")]
    assert questions == [words for page in LEDGER for words in page]
    said = [text(node) for node in tree.iter("dd")]
    for words in ("None of these", "60 or over", "Sitting or desk", "Cold or damp", "Herbs", "Less than 1 week"):
        assert words in said
    assert capfirst(SafetyAdvice.objects.get(code="RF-U7").text) in said
    assert said.count("Nothing ticked") == 1
    for question in QUESTIONS:
        assert f"Change your answer to question {question.number}" in said
        assert f"/check/{question.number}/" in links(tree)


def test_a_change_comes_back_to_the_answers_and_the_old_result_is_gone(client):
    assert "look after your back at home" in text(parse(finish(client)))
    response = client.post("/check/9/", page_data(9, limits="stops"))
    assert response["Location"] == "/check/answers/"
    assert client.get("/check/result/")["Location"] == "/check/answers/"
    assert client.get("/check/result/pdf/")["Location"] == "/check/answers/"
    client.post("/check/answers/")
    assert "See a GP about your back" in text(parse(client.get("/check/result/")))


def test_going_back_before_the_end_goes_on_from_there(client):
    answer_all(client, last=7)
    assert client.post("/check/5/", page_data(5, reach="thigh"))["Location"] == "/check/6/"


def test_clear_takes_everything_away(client):
    finish(client)
    for address in ("/check/", "/check/3/", "/check/answers/", "/check/result/"):
        form_at(parse(client.get(address)), "/check/clear/")
    response = client.post("/check/clear/")
    assert (response.status_code, response["Location"]) == (303, "/check/cleared/")
    assert not client.cookies["check"].value
    assert "Your answers are cleared" in text(parse(client.get("/check/cleared/")))
    assert client.get("/check/answers/")["Location"] == "/check/start-again/"
    assert not inputs(parse(client.get("/check/")))
    assert client.get("/check/clear/")["Location"] == "/check/"
