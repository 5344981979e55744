"""From a question to an enquiry: the same care as a consultation, with less to fill in."""

import pytest

from enquiries.models import Enquiry, OutgoingMessage
from tests.support.consultation_form import follow
from tests.support.forms import ADDRESSES, form
from tests.support.html import by_id, form_at, parse, sent, summary, text, title, value, visible

pytestmark = pytest.mark.usefixtures("db")

PATH = ADDRESSES["question"]


def first_step(**changes) -> dict:
    return form("question", **({"step": None} | changes))


def press(client, response, step: str):
    page_form = form_at(parse(response), PATH)
    pressed = next(each for each in page_form.iter("button") if each.get("value") == step)
    return follow(client, client.post(PATH, sent(page_form) | {pressed.get("name"): step}))


def heading(response) -> str:
    return text(next(parse(response).iter("h1")))


def test_the_page_says_who_answers_and_by_when(client):
    said = text(next(parse(client.get(PATH)).iter("main")))
    assert "One of our clinicians replies by email" in said
    assert "If you send this now, we will reply by" in said
    assert "Not for emergencies" in said


def test_a_question_is_looked_through_before_it_is_kept(client):
    check = client.post(PATH, first_step(description="May I swim?\nAnd run?"))
    assert (check.status_code, heading(check)) == (200, "Check your answers")
    assert not visible(form_at(parse(check), PATH))
    said = text(next(parse(check).iter("main")))
    for words in ("Ada Example", "ada@example.com", "May I swim? And run?", "Nothing is sent yet"):
        assert words in said
    assert not Enquiry.objects.exists()
    for _ in range(2):
        answer = press(client, check, "send")
        assert (answer.status_code, answer["Location"].startswith("/question/sent/")) == (303, True)
    kept = Enquiry.objects.get()
    assert (kept.kind, kept.description, kept.safety_signs) == ("question", "May I swim?\nAnd run?", "")
    assert (kept.by_phone, kept.may_leave_voicemail, kept.needs) == (False, None, "")
    assert OutgoingMessage.objects.count() == 2


@pytest.mark.parametrize("begin_at", ["name", "description"])
def test_change_opens_the_form_at_the_answer_with_everything_kept(client, begin_at):
    check = client.post(PATH, first_step())
    response = press(client, check, f"change-{begin_at}")
    page_form = form_at(parse(response), PATH)
    assert summary(page_form) is None
    assert sent(page_form)["question-description"] == ["May I swim?"]
    opened = [each.get("name") for each in visible(page_form) if each.get("autofocus") is not None]
    assert opened == [f"question-{begin_at}"]


def test_red_flag_words_bring_the_card_and_the_question_can_still_be_sent(client):
    words = "Is it normal that I can't pee since my back went?"
    stop = client.post(PATH, first_step(description=words))
    assert stop.status_code == 200
    said = text(next(parse(stop).iter("main")))
    assert said.index("Call 999 or go to A&E now") < said.index(words)
    assert not Enquiry.objects.exists()
    back = press(client, stop, "change-description")
    assert value(by_id(parse(back), "id_question-description")) == words
    check = press(client, stop, "check")
    assert heading(check) == "Check your answers"
    assert press(client, check, "send").status_code == 303
    assert Enquiry.objects.get().safety_signs == "RF-E2"


def test_an_urgent_sign_brings_the_urgent_card(client):
    stop = client.post(PATH, first_step(description="I had cancer in 2019. Is massage safe?"))
    said = text(next(parse(stop).iter("main")))
    assert "call 111 today" in said
    assert "What you wrote" in said


def test_a_mistake_is_named_first_and_nothing_typed_is_lost(client):
    refused = client.post(PATH, first_step(email="ada", description="May I swim? 🙈"))
    assert refused.status_code == 422
    assert title(parse(refused)).startswith("Error: ")
    assert sent(form_at(parse(refused), PATH))["question-description"] == ["May I swim? 🙈"]


def test_a_hidden_answer_that_somebody_changed_is_refused(client):
    check = client.post(PATH, first_step())
    data = sent(form_at(parse(check), PATH)) | {
        "question-step": "send",
        "question-email": "ada@example.com\r\nBcc: eve",
    }
    refused = follow(client, client.post(PATH, data))
    assert title(parse(refused)).startswith("Error: ")
    assert not Enquiry.objects.exists()


def test_the_confirmation_says_by_when_and_who_answers(client):
    check = client.post(PATH, first_step(description="May I swim?"))
    said = text(next(parse(client.get(press(client, check, "send")["Location"])).iter("main")))
    assert "We will reply by" in said
    assert "One of our clinicians will reply by email." in said
