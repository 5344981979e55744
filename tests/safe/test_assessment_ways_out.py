"""Every way out of the questions and back: the emergency, "I'm not sure", back, change and clear."""

import pytest
from django.test import Client
from django.utils.text import capfirst

from enquiries.assessment.questions import ASKED, QUESTIONS
from factsheets.models import SafetyAdvice
from tests.assessment import answer_all, finish, page_data
from tests.html import form_at, parse, text
from tests.reading import links
from tests.safe.test_assessment_pages import EVERY, LEDGER, inputs, opened

pytestmark = pytest.mark.usefixtures("db")


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
    asked = [text(node) for node in tree.iter("dt")]
    assert asked == [words for page in LEDGER for words in page]
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
