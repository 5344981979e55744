"""Every way out of the questions and back: the emergency, "I'm not sure", a second tab, back, change and clear."""

import time

import pytest
from django.test import Client
from django.utils.text import capfirst

from enquiries.assessment import cookie
from enquiries.assessment.flags import flags
from enquiries.assessment.questions import ASKED, QUESTIONS
from factsheets.models import SafetyAdvice
from tests.enquiries.assessment.test_assessment_pages import EVERY, LEDGER, inputs, opened
from tests.support.assessment import answer_all, finish, page_data
from tests.support.html import form_at, parse, text
from tests.support.reading import links

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


@pytest.mark.parametrize(
    ("code", "with_it"), [*((code, []) for code in ASKED["emergency"]), ("RF-E1", ["unsure"]), ("RF-E1", ["RF-E9"])]
)
def test_an_emergency_stops_at_once_and_asks_nothing_more(code, with_it):
    client = Client()
    response = client.post("/check/1/", {"emergency": [code, *with_it]})
    assert (response.status_code, response["Location"]) == (303, "/check/stop/")
    for visitor in (client, Client()):  # the second browser has refused the cookie
        tree = parse(visitor.get("/check/stop/"))
        said = text(tree)
        for advice in SafetyAdvice.objects.filter(tier="emergency"):
            assert said.count(advice.text) == 1
        assert "Do not drive yourself" in said
        assert "Nobody at the clinic has seen your answers" in said
        assert "Questions: Version 2, 29 November 2026. Warning signs: edition 1" in said
        assert "Awaiting clinical review." in said
        assert "Checked on " in said
        [main] = tree.iter("main")
        assert [link for link in links(main) if not link.startswith("tel:")][:1] == ["/get-help-now/#say"]
        expect_no_way_to_a_form(tree)
    assert client.get("/check/2/")["Location"] == "/check/stop/"
    assert client.get("/check/answers/")["Location"] == "/check/stop/"


def expect_no_way_to_a_form(tree) -> None:
    """Nothing on the whole page, the header and the footer included, asks for an enquiry."""
    assert not [link for link in links(tree) if link.startswith(("/consultation", "/question", "/report"))]
    assert [form.get("action") for form in tree.iter("form")] in ([], ["/check/clear/"])


def test_the_pregnancy_sign_leads_to_the_maternity_unit_and_999_comes_after_it(client):
    assert client.post("/check/1/", {"emergency": "RF-P1"})["Location"] == "/check/stop/"
    tree = parse(client.get("/check/stop/"))
    [main] = tree.iter("main")
    said = text(main)
    assert [text(heading) for heading in tree.iter("h1")] == ["Call your maternity unit now"]
    assert said.index("maternity unit") < said.index("999")
    assert SafetyAdvice.objects.get(code="RF-P1").action in said
    assert "If someone has hurt you" not in said
    # With another sign 999 comes first, and the unit is still there.
    client.post("/check/1/", {"emergency": ["RF-P1", "RF-E1"]})
    tree = parse(client.get("/check/stop/"))
    assert [text(heading) for heading in tree.iter("h1")] == ["Call 999 or go to A&E now"]
    assert "maternity unit" in text(tree)


def test_who_was_attacked_finds_the_helplines_and_so_does_who_keeps_no_cookie(client):
    client.post("/check/1/", {"emergency": "RF-E5"})
    for visitor in (client, Client()):
        tree = parse(visitor.get("/check/stop/"))
        assert "If someone has hurt you" in text(tree)
        assert {"tel:08082000247", "tel:08000271234", "tel:08088010800", "tel:08088021414"} <= set(links(tree))
    client.post("/check/1/", {"emergency": "RF-E6", "seen": "RF-E5"})
    client.cookies.clear()
    client.post("/check/1/", {"emergency": "RF-E6"})
    assert "If someone has hurt you" not in text(parse(client.get("/check/stop/")))


def test_an_emergency_page_needs_no_complete_list_of_signs(client):
    client.post("/check/1/", {"emergency": "RF-E6"})
    SafetyAdvice.objects.filter(code="RF-E2").delete()
    response = client.get("/check/stop/")
    assert response.status_code == 200
    assert "Call 999 or go to A&E now" in text(parse(response))


def test_an_emergency_that_is_ticked_later_takes_the_result_away_until_it_is_taken_back(client):
    finish(client, mood="a_lot")
    response = client.post("/check/1/", {"emergency": "RF-E1"})
    assert response["Location"] == "/check/stop/"
    assert client.get("/check/result/")["Location"] == "/check/stop/"
    # A slip: the page shows the tick, and the person takes it back.
    assert client.post("/check/1/", {"emergency": "none", "seen": "RF-E1"})["Location"] == "/check/answers/"


@pytest.mark.parametrize(
    "given", [{"urgent": "RF-U15"}, {"urgent": "RF-U2", "mood": "a_lot"}, {"age": "under_18"}], ids=str
)
def test_who_must_be_seen_first_finds_no_way_to_a_form(client, given):
    expect_no_way_to_a_form(parse(finish(client, **given)))
    assert b"/consultation/" in client.get("/check/12/").content, "While they answer, the header is as ever."


# --- two tabs: no sign is lost silently, and going back may still change an answer ---


@pytest.mark.parametrize(
    ("number", "sign", "then"),
    [(2, {"urgent": ["RF-U4"]}, {"urgent": "none"}), (2, {"urgent": ["RF-U4"]}, {"urgent": "unsure"}),
     (2, {"urgent": ["RF-U4"]}, {"urgent": ["RF-U2"]}), (1, {"emergency": ["RF-E1"]}, {"emergency": "none"}),
     (10, {"mood": "a_lot"}, {"mood": "not_at_all"})],
    ids=["none", "not sure", "another sign", "an emergency", "low mood"],
)  # fmt: skip
def test_a_page_that_never_showed_a_sign_cannot_take_it_away(client, number, sign, then):
    answer_all(client, last=number - 1)
    [name] = then
    opened_before = form_at(parse(client.get(f"/check/{number}/")), f"/check/{number}/")
    seen = next(node.get("value") or "" for node in opened_before.iter("input") if node.get("name") == "seen")
    client.post(f"/check/{number}/", sign)  # in the first tab
    response = client.post(f"/check/{number}/", {**then, "seen": seen})
    assert (response.status_code, response["Location"]) == (303, f"/check/{number}/")
    tree = parse(client.get(f"/check/{number}/"))
    assert "You gave two different answers" in text(tree)
    ticked = {control.get("value") for control in inputs(tree) if control.get("checked") is not None}
    both = set(sign[name] if isinstance(sign[name], list) else [sign[name]])
    assert ticked == both | (set(then[name]) if isinstance(then[name], list) else set())
    assert finish_would_know(client, name) == sign[name], "Nothing has changed until they answer."
    # Now they have seen both, and may decide.
    [now] = [node.get("value") for node in tree.iter("input") if node.get("name") == "seen"]
    assert client.post(f"/check/{number}/", {**then, "seen": now}).status_code == 303
    assert finish_would_know(client, name) != sign[name]
    assert "You gave two" not in text(parse(client.get(f"/check/{number}/")))


def finish_would_know(client: Client, name: str):
    """What the browser's cookie holds of this answer."""
    kept = cookie.opened(client.cookies["check"].value, known=flags(), now=time.time())
    value = getattr(kept.answers, name)
    return sorted(value) if isinstance(value, frozenset) else value


def test_an_emergency_in_either_tab_is_not_asked_about_first(client):
    client.post("/check/1/", {"emergency": "RF-E1"})
    assert client.post("/check/1/", {"emergency": "RF-E2", "seen": ""})["Location"] == "/check/stop/"
    said = text(parse(client.get("/check/stop/")))
    for code in ("RF-E1", "RF-E2"):
        assert said.count(SafetyAdvice.objects.get(code=code).text) == 1


def test_a_mistake_on_the_second_page_does_not_make_it_forget_what_it_had_seen(client):
    answer_all(client, last=1)
    client.post("/check/2/", {"urgent": "RF-U4"})
    response = client.post("/check/2/", {"seen": ""})
    page = parse(client.get(response["Location"]))
    [seen] = [node.get("value") or "" for node in page.iter("input") if node.get("name") == "seen"]
    assert client.post("/check/2/", {"urgent": "none", "seen": seen})["Location"] == "/check/2/"


def test_nothing_in_the_hidden_field_is_an_error(client):
    answer_all(client, last=1)
    client.post("/check/2/", {"urgent": "RF-U4"})
    for nasty in ("\x00", "RF-U4" * 1000, "<script>", "’"):
        assert client.post("/check/2/", {"urgent": "none", "seen": nasty})["Location"] == "/check/2/"


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
    expect_no_way_to_a_form(tree)
    # It is not an answer: nothing continues from it, and the question is open again, with the ticked sign beside it.
    assert client.get(f"/check/{number + 1}/").status_code == 303
    again = [
        control for control in inputs(parse(client.get(f"/check/{number}/"))) if control.get("checked") is not None
    ]
    assert [control.get("value") for control in again] == (["RF-U4"] if number == 2 else [])
    answer_all(client, since=number, urgent="RF-U4" if number == 2 else "none")
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


def test_starting_again_shows_both_lists_of_signs_in_full_and_says_to_act_on_them(client):
    tree = parse(client.get("/check/start-again/"))
    [main] = tree.iter("main")
    said = text(main)
    for advice in SafetyAdvice.objects.filter(tier__in=["emergency", "urgent"]):
        assert advice.text in said
        assert advice.action in said
    assert said.index("If you had ticked a sign, act on it now.") < said.index("Start again")


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
