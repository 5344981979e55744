"""Answers live in one sealed cookie for 30 minutes. A faulty cookie leads to a kind page, never to a wrong result."""

import base64
import time

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from backcare.core.cookies import MAX_COOKIE_BYTES
from backcare.core.encryption import new_key
from enquiries.assessment import cookie, questions
from enquiries.assessment.cookie import Progress, finished, may_be_included, may_go_along, opened, sealed
from enquiries.assessment.flags import Flags, flags
from enquiries.assessment.kinds import Outcome
from enquiries.assessment.questions import ASKED, QUESTIONS
from factsheets.models import SafetyAdvice
from tests.support.assessment import answer_all, answers, finish, page_data
from tests.support.html import parse, text

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]
NOW = 1_800_000_000.0  # seconds since 1970


def client_with(value: str) -> Client:
    client = Client()
    client.cookies["check"] = value
    return client


def ask_with(value: str, address: str = "/check/result/"):
    return client_with(value).get(address)


def expect_start_again(response) -> None:
    assert (response.status_code, response["Location"]) == (303, "/check/start-again/")
    assert response.cookies["check"]["max-age"] == 0, "What cannot be used is taken away."


def done(**given_answers) -> str:
    return sealed(Progress(answers(**given_answers), done=True), known=flags(), now=time.time())


# --- what the browser is given ---


def test_the_cookie_is_for_30_minutes_and_no_script_and_no_other_site_can_have_it(client, settings):
    [(name, given_cookie)] = client.post("/check/1/", {"emergency": "none"}).cookies.items()
    assert name == "check"
    assert given_cookie["max-age"] == 30 * 60
    assert given_cookie["httponly"]
    assert given_cookie["samesite"] == "Strict"
    assert given_cookie["path"] == "/"
    settings.LOCAL = False
    response = client.post("/check/1/", {"emergency": "none"}, secure=True)
    [(name, given_cookie)] = [pair for pair in response.cookies.items() if pair[1].value]
    assert (name, given_cookie["secure"], given_cookie["domain"]) == ("__Host-check", True, "")


def test_only_an_answer_sets_it(client):
    for address in (
        "/check/",
        "/check/1/",
        "/check/stop/",
        "/check/not-sure/",
        "/check/cleared/",
        "/check/start-again/",
    ):
        assert not client.get(address).cookies
    for number in (1, 2, 7):
        assert not client.post(f"/check/{number}/", {"wrong": "1"}).cookies
    answer_all(client)
    for address in ("/check/", "/check/5/", "/check/answers/", "/fact-sheets/", "/", "/report/"):
        assert not client.get(address).cookies


def test_nobody_can_read_the_answers_in_it():
    made = {sealed(Progress(answers(urgent="RF-U2", mood="a_lot")), known=flags(), now=NOW) for _ in range(20)}
    assert len(made) == 20, "Equal answers must not look equal."
    for value in made:
        inside = base64.urlsafe_b64decode(value + "==")
        for word in (b"RF-U2", b"a_lot", b"mood", b"answers"):
            assert word not in inside


def test_with_everything_ticked_it_is_far_smaller_than_a_browser_may_refuse():
    many = {part.name: [option.value for option in part.options] for q in QUESTIONS for part in q.parts if part.many}
    many |= {"emergency": "none", "urgent": ASKED["urgent"]}
    assert len(done(**many)) < MAX_COOKIE_BYTES / 3


# --- what opens again, and what does not ---


def test_every_answer_comes_back_as_it_went_in():
    known = flags()
    for question in QUESTIONS:
        for part in question.parts:
            for value in cookie.allowed(part, known):
                for kept in (
                    Progress(answers(**{part.name: value}), unsure=2),
                    Progress(answers(**{part.name: None}), done=True),
                ):
                    assert opened(sealed(kept, known=known, now=NOW), known=known, now=NOW) == kept


@pytest.mark.parametrize(
    ("age", "opens"), [(0, True), (1799, True), (1800, False), (86_400, False), (-59, True), (-3600, False)]
)
def test_it_ends_30_minutes_after_it_was_made_whatever_the_browser_does(age, opens):
    known = flags()
    value = sealed(Progress(answers()), known=known, now=NOW)
    assert (opened(value, known=known, now=NOW + age) is not None) == opens
    if not opens:
        expect_start_again(ask_with(sealed(Progress(answers(), done=True), known=known, now=time.time() - age)))


def test_each_answer_gives_30_minutes_more(client):
    known = flags()
    client.cookies["check"] = sealed(Progress(answers()), known=known, now=time.time() - 1700)
    client.post("/check/9/", page_data(9))
    assert opened(client.cookies["check"].value, known=known, now=time.time() + 1700)


def test_a_cookie_with_any_one_character_changed_does_not_open():
    known, value = flags(), done()
    for place in range(len(value) - 1):  # the last one may hold bits that mean nothing
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert opened(changed, known=known, now=time.time()) is None, place
    for shorter in range(0, len(value), 7):
        assert opened(value[:shorter], known=known, now=time.time()) is None
    expect_start_again(ask_with(f"{value[:-5]}AAAAA"))


EMPTY_LIST = Flags({})


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_in_its_place_is_nothing_and_no_error(value):
    assert opened(value, known=EMPTY_LIST, now=NOW) is None


@pytest.mark.parametrize("value", ["x", "é", "A" * 4095, "A" * 9000, "null", "{}", "%00"])
def test_rubbish_in_its_place_leads_to_a_kind_page(value):
    expect_start_again(ask_with(value))
    assert "You did nothing wrong." in text(parse(ask_with(value, "/check/start-again/")))
    assert ask_with(value, "/check/").status_code == 200
    assert ask_with(value, "/check/1/").status_code == 200


def test_answers_to_an_older_version_of_the_questions_are_not_judged(monkeypatch):
    value = done()
    assert ask_with(value).status_code == 200
    for other in ("1", "3"):
        monkeypatch.setattr(questions, "VERSION", other)
        expect_start_again(ask_with(value))
        expect_start_again(ask_with(value, "/check/9/"))


@pytest.mark.parametrize("change", ["a new sign", "new words"])
def test_none_of_these_counts_only_for_the_list_that_was_shown(change):
    value = done()
    if change == "a new sign":
        SafetyAdvice.objects.create(
            code="RF-U99", tier="urgent", text="something new", short_text="new", in_assessment=True
        )
    else:
        SafetyAdvice.objects.filter(code="RF-E1").update(text="other words")
    expect_start_again(ask_with(value))


def test_it_opens_with_an_older_key_and_not_without_it(settings):
    value = done()
    mine = settings.FIELD_ENCRYPTION_KEYS
    another = next(key for key in iter(new_key, None) if key.partition(":")[0] != mine[0].partition(":")[0])
    settings.FIELD_ENCRYPTION_KEYS = [another, *mine]
    assert ask_with(value).status_code == 200
    settings.FIELD_ENCRYPTION_KEYS = [another]
    expect_start_again(ask_with(value))


@pytest.mark.parametrize("wrong", [{"age": "61"}, {"urgent": ["RF-U1", "RF-X1"]}, {"age": None, "mood": "a bit"}])
def test_an_answer_that_no_rule_knows_is_not_judged(wrong):
    expect_start_again(ask_with(done(**wrong)))


def test_an_emergency_in_the_cookie_leads_to_999_from_every_page_but_its_own_question():
    for address in ("/check/result/", "/check/result/pdf/", "/check/answers/", "/check/2/", "/check/12/"):
        assert ask_with(done(emergency="RF-E1"), address)["Location"] == "/check/stop/"
    start = text(parse(ask_with(done(emergency="RF-E1"), "/check/")))
    assert "omeone using this browser ticked a sign that must not wait" in start
    assert finished(asked_by(client_with(done(emergency="RF-E1")))) is not None, "Done, and not to be offered:"
    assert may_be_included(asked_by(client_with(done(emergency="RF-E1")))) is None
    assert may_go_along(asked_by(client_with(done(emergency="RF-E1")))) is None
    assert may_go_along(asked_by(client_with(done(urgent=["RF-U4"], age="under_18")))) is None, "A child's."


# --- no result from half the answers ---


@pytest.mark.parametrize("number", [2, 7, 12])
def test_an_old_bookmark_of_a_question_leads_to_a_page_that_explains(number):
    client = Client()
    for response in (client.get(f"/check/{number}/"), client.post(f"/check/{number}/", page_data(number))):
        assert (response.status_code, response["Location"]) == (303, "/check/start-again/")
        assert not response.cookies
    said = text(parse(client.get("/check/start-again/")))
    assert "More than 30 minutes have passed" in said
    assert "Your browser blocks cookies" in said


@pytest.mark.parametrize("last", range(12))
def test_there_is_no_result_before_the_last_question(last):
    client = Client()
    answer_all(client, last=last)
    for address in ("/check/result/", "/check/result/pdf/", "/check/answers/"):
        response = client.get(address, follow=True)
        assert response.redirect_chain[-1][0] == (f"/check/{last + 1}/" if last else "/check/start-again/")
    if last:
        assert client.post("/check/answers/")["Location"] == f"/check/{last + 1}/"
        assert client.post("/check/12/", page_data(12)).status_code == 303
    assert finished(asked_by(client)) is None


def test_two_tabs_cannot_make_a_result_of_two_people(client):
    """One tab clears or finds an emergency while the other goes on."""
    for end, leads_to in (("/check/clear/", "/check/start-again/"), ("/check/1/", "/check/stop/")):
        answer_all(client, last=6)
        client.post(end, {"emergency": "RF-E3"})
        assert client.post("/check/7/", page_data(7))["Location"] == leads_to


def test_two_tabs_share_one_set_of_answers_and_the_result_is_of_the_last(client):
    answer_all(client, limits="stops")
    client.post("/check/9/", page_data(9, limits="little"))
    client.post("/check/answers/")
    assert "home for now" in text(parse(client.get("/check/result/")))


# --- for the forms ---


def asked_by(client, address: str = "/report/"):
    request = RequestFactory().get(address)
    request.COOKIES = {name: morsel.value for name, morsel in client.cookies.items()}
    return request


def test_a_finished_assessment_is_there_for_the_forms_until_it_is_cleared_changed_or_old(client):
    assert finished(asked_by(client)) is None
    answer_all(client, limits="stops")
    assert finished(asked_by(client)) is None, "Not before the person has looked the answers through."
    client.post("/check/answers/")
    assert finished(asked_by(client)) == answers(limits="stops")
    client.post("/check/9/", page_data(9))
    assert finished(asked_by(client)) is None
    finish(client)
    gone = cookie.forget(HttpResponse(), asked_by(client))
    assert gone.cookies["check"]["max-age"] == 0
    client.post("/check/clear/")
    assert finished(asked_by(client)) is None


def test_no_outcome_is_ever_lower_than_the_cookie_says():
    """The page shows what the rules make of the cookie, and nothing else."""
    headings = {Outcome.URGENT: "call 111 today", Outcome.SEE_GP: "See a GP", Outcome.SELF_CARE: "home for now"}
    for outcome, made in {
        Outcome.URGENT: {"urgent": "RF-U5", "limits": "stops"},
        Outcome.SEE_GP: {"limits": "stops"},
        Outcome.SELF_CARE: {},
    }.items():
        assert headings[outcome] in text(next(parse(ask_with(done(**made))).iter("h1")))
