"""People pass however fast they are; scripts meet the trap, the page that checks, and a limit; and nobody loses a word."""

import pytest
from django.test import Client

from enquiries.models import Enquiry, Status
from tests.support.forms import form
from tests.support.html import form_at, parse, sent
from tests.support.senders import ask, ask_in_full, from_place


@pytest.mark.once
@pytest.mark.long
def test_fifty_people_pass_however_fast_they_are_and_hardly_a_script_does(db):
    for number in range(50):
        typed = {"email": f"person{number}@example.com", "description": f"May I swim {number} times?"}
        assert ask_in_full(from_place(number), "question", **typed).status_code == 303
    assert Enquiry.objects.filter(status=Status.NEW).count() == 50, "A person was stopped."

    for number in range(100):
        script = from_place(60 + number % 4)  # four machines
        typed = {"email": f"script{number}@example.com", "description": f"Pills {number}"}
        if number % 5 < 2:  # fills in all it finds, on both pages, at once
            ask_in_full(script, "question", **typed, website="https://pills.example")
        elif number % 5 < 4:  # knows the last step, and not the page before it
            ask("question", script, **typed, seal="" if number % 2 else "x")
        else:  # goes through both pages, at once
            ask_in_full(script, "question", **typed)
    through = Enquiry.objects.filter(status=Status.NEW).count() - 50
    assert through <= 5, f"{through} of 100 posts of scripts got through."


def test_who_sends_without_the_page_that_checks_gets_that_page_and_loses_nothing(db):
    for seal in ("", "x", "a.b.c", form("question", email="eve@example.com")["question-seal"]):
        answer = ask("question", seal=seal)
        assert answer.status_code == 200
        assert not Enquiry.objects.exists()
    again = sent(form_at(parse(answer), "/question/")) | {"question-step": "send"}
    assert again["question-description"] == ["May I swim?"]
    assert Client().post("/question/", again).status_code == 303
    assert Enquiry.objects.get().status == Status.NEW
