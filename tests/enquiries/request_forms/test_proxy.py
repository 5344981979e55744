"""Somebody asks for another person, as a daughter does for her father: what the form asks, and what it keeps."""

import pytest

from enquiries.models import Assessment, Enquiry
from tests.core.test_encryption import raw
from tests.support.assessment import finish
from tests.support.consultation_form import EVERYTHING, FLAG, PATH, first_step, heading, is_refused, nothing_kept, press
from tests.support.html import by_id, described, form_at, parse, sent, summary, text
from tests.support.proxy import BERT, asked

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


def check_page(client, **changes) -> str:
    check = client.post(PATH, first_step(**(BERT | changes)))
    assert (check.status_code, heading(check)) == (200, "Check your answers")
    return text(next(parse(check).iter("main")))


def test_who_asks_for_themselves_is_asked_nothing_about_anybody_else(client):
    check = client.post(PATH, first_step())
    assert "Who this is for You Change" in text(parse(check))
    assert press(client, check, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.for_name, kept.for_relation, kept.for_agreed) == ("", "", "")
    assert raw(Enquiry, kept.pk)["for_name"] == b"", "No name is kept as nothing, and not as a sealed empty text."


def test_the_questions_about_their_back_are_worded_for_them(client):
    check = client.post(PATH, first_step(**BERT))
    page = press(client, check, "change-how_long")
    assert heading(page) == "Their back pain"
    for words in ("How long have they had it?", "In their back only", "Briefly describe their back pain"):
        assert words in text(parse(page))


def test_an_enquiry_for_somebody_else_is_looked_through_and_kept_whole(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    said = text(next(parse(check).iter("main")))
    for words in (
        "Who this is for Someone else Change your answer about who it is for",
        "Their name Bert Elsewhere Who they are to you My mother or father",
        "Do they know and agree? Yes Change your answers about the other person",
        "Your name Ada Example",
        "How long they have had it 6 to 12 weeks",
        "Their back pain An ache low in my back",
        "Please tell them what you sent us",
    ):
        assert words in said, words
    assert "in general terms" not in said
    assert "should see a GP" not in said
    assert nothing_kept()
    assert press(client, check, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.name, kept.for_name, kept.for_relation) == ("Ada Example", "Bert Elsewhere", "their mother or father")
    assert (kept.for_agreed, kept.may_leave_voicemail, kept.phone) == ("yes", False, "+442079460018")


def test_change_brings_back_every_answer_about_them(client):
    check = client.post(PATH, first_step(**BERT))
    back = sent(form_at(parse(press(client, check, "change-their_name")), PATH))
    assert {name: back[f"consultation-{name}"] for name in BERT} == {name: [value] for name, value in BERT.items()}


def test_who_has_not_asked_them_yet_is_told_kindly_what_we_can_do_and_may_send_it(client):
    said = check_page(client, they_agree="not_yet")
    assert "Not yet Until they agree, we can only talk with you in general terms." in said
    assert asked(they_agree="not_yet").for_agreed == "not_yet"


def test_for_somebody_under_18_the_line_of_the_ledger_stands_beside_the_answer(client):
    said = check_page(client, they_are="under_18")
    assert "A child or young person under 18 Anyone under 18 with back pain should see a GP." in said
    assert asked(they_are="under_18").for_relation == "a child or young person under 18"


MISTAKES = [
    ({"their_name": ""}, "their_name", "Enter the name of the person this is for"),
    ({"their_name": "\u200b \t"}, "their_name", "Enter the name of the person this is for"),
    ({"their_name": "x" * 121}, "their_name", "Enter their name in 120 characters or fewer: remove 1"),
    ({"they_are": None}, "they_are", "Choose who they are to you"),
    ({"they_are": "pigeon"}, "they_are", "Choose one from the list"),
    ({"they_agree": None}, "they_agree", "Choose whether they know, and agree, that you are asking us"),
    ({"they_agree": "pigeon"}, "they_agree", "Choose one from the list"),
    ({"for_whom": "pigeon"}, "for_whom", "Choose one from the list"),
    ({"for_whom": ""}, "for_whom", "Choose who this is for"),
]


@pytest.mark.parametrize(("changes", "field", "message"), MISTAKES)
@pytest.mark.parametrize("step", [None, "send"])
def test_a_mistake_is_an_instruction_at_its_field_with_everything_typed(client, changes, field, message, step):
    given = first_step(**(BERT | changes), step=step)
    response = client.post(PATH, given)
    assert response.status_code == 422
    document = parse(response)
    page_form = form_at(document, PATH)
    links = {text(link): link.get("href") for link in summary(page_form).iter("a")}
    assert list(links) == [message]
    control = by_id(document, links[message].removeprefix("#"))
    assert control.get("name") == f"consultation-{field}"
    assert message in described(document, control)
    back = sent(page_form)
    for name in ("their_name", "they_are", "they_agree", "name", "description"):
        value = given.get(f"consultation-{name}")
        if value and value != "pigeon" and value.strip("\u200b \t"):
            assert back[f"consultation-{name}"] == [value]
    assert nothing_kept()


def test_all_that_is_missing_on_the_page_is_said_at_once_in_its_order(client):
    response = client.post(PATH, first_step(for_whom="other", their_name="", name=""))
    links = [text(link) for link in summary(form_at(parse(response), PATH)).iter("a")]
    assert links == [
        "Enter the name of the person this is for",
        "Choose who they are to you",
        "Choose whether they know, and agree, that you are asking us",
    ]


@pytest.mark.parametrize("left", [{}, {"their_name": "x" * 500}, {"they_are": "pigeon", "they_agree": None}])
def test_who_chooses_me_after_all_leaves_nobody_else_behind(client, left):
    """A radio button cannot be cleared, so the fields below do not contradict it."""
    check = client.post(PATH, first_step(**(BERT | left | {"for_whom": "me"})))
    said = text(next(parse(check).iter("main")))
    assert "Who this is for You Change" in said
    assert "Elsewhere" not in said
    assert press(client, check, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.for_name, kept.for_relation, kept.for_agreed) == ("", "", "")


def test_the_last_step_checks_them_anew(client):
    check = client.post(PATH, first_step(**BERT))
    assert is_refused(press(client, check, "send", they_are=""))
    assert nothing_kept()


def test_the_card_for_red_flag_words_carries_them_on(client):
    stop = client.post(PATH, first_step(**BERT, description=FLAG))
    assert "Please read this" in heading(stop)
    assert press(client, press(client, stop, "check"), "send").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.for_name, kept.safety_signs) == ("Bert Elsewhere", "RF-E1")


def test_sent_twice_is_one_enquiry_and_the_same_words_for_another_person_are_another():
    asked()
    asked()
    assert Enquiry.objects.count() == 1
    asked(their_name="Cleo Elsewhere")
    asked(they_agree="not_yet")
    assert Enquiry.objects.count() == 3


def test_the_answers_of_a_self_assessment_go_only_with_a_request_for_oneself(client):
    """The consent that is given with them is that of the person whose answers they are."""
    finish(client)
    check = client.post(PATH, first_step(**BERT, include_answers="yes"))
    assert "Check your symptoms" not in text(form_at(parse(check), PATH))
    assert press(client, check, "send").status_code == 303
    assert not Assessment.objects.exists()
