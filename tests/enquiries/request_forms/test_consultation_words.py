"""What patients write on the consultation form: words that sound like a red flag, and words of any length and kind."""

import pytest
from django.test import Client

from enquiries.models import Enquiry
from enquiries.request_forms.consultation import DESCRIPTION_LENGTH
from enquiries.request_forms.own_words import MARKS
from tests.support.consultation_form import FLAG, PATH, first_step, follow, heading, nothing_kept, press, walk
from tests.support.forms import form
from tests.support.html import by_id, parse, text, value

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]


# --- words that sound like a red flag ---


def test_red_flag_words_bring_the_card_first_and_the_words_untouched_and_can_still_be_sent(client):
    stop = client.post(PATH, first_step(description=f"An ache.\n{FLAG} <b>"))
    assert stop.status_code == 200
    document = parse(stop)
    main = next(document.iter("main"))
    said = text(main)
    assert said.index("Call 999 or go to A&E now") < said.rindex("What you wrote") < said.index("Send it anyway")
    assert f"{FLAG} <b>" in said
    first_item = text(next(next(each for each in main.iter("section") if "care" in each.get("class", "")).iter("li")))
    assert "numb" in first_item
    assert nothing_kept()

    back = press(client, stop, "change-description")
    box = by_id(parse(back), "id_consultation-description")
    assert value(box) == f"An ache.\n{FLAG} <b>"
    assert box.get("autofocus") is not None

    check = press(client, stop, "check")
    assert heading(check) == "Check your answers"
    assert nothing_kept()
    assert press(client, check, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert kept.safety_signs == "RF-E1"
    assert kept.is_flagged


def test_words_in_an_early_step_bring_the_card_before_the_next_one_and_once(client):
    at_name = walk(client, {"for_whom": "me"}, {"name": FLAG, "email": "ada@example.com", "contact_by": ["email"]})
    assert "Please read this" in heading(at_name)
    assert "Go on anyway" in text(parse(at_name))
    went_on = press(client, at_name, "check")
    assert heading(went_on) == "Your back pain"
    assert "Please read this" in heading(client.get("/consultation/please-read/")), (
        "The back button finds the card again."
    )
    check = walk(client, {"description": "An ache."}, {}, begin=went_on)
    assert heading(check) == "Check your answers"
    press(client, check, "send")
    assert Enquiry.objects.get().safety_signs == "RF-E1"


def test_the_last_button_cannot_get_round_the_card(client):
    stop = client.post(PATH, form("consultation", description=FLAG))
    assert "Please read this" in heading(stop)
    assert nothing_kept()


@pytest.mark.long
def test_a_card_comes_again_for_changed_words_that_hold_the_same_sign_and_not_for_the_same_words(client):
    stop = client.post(PATH, first_step(description=FLAG))
    same = press(client, press(client, stop, "change-description"), "")
    assert heading(same) == "Check your answers"
    changed = press(client, press(client, same, "change-how_long"), "", description=f"{FLAG} It is worse today.")
    assert "Please read this" in heading(changed)
    again = press(client, press(client, changed, "change-description"), "", description=FLAG)
    assert heading(again) == "Check your answers", "These words had their card."
    for number in range(MARKS + 1):  # however often: anyone who has read the card goes on
        changed = press(client, press(client, again, "change-how_long"), "", description=f"{FLAG} {number}")
        assert "Please read this" in heading(changed)
        again = press(client, changed, "check")
        assert heading(again) == "Check your answers"
    worse = press(client, again, "send", description=f"{FLAG} I can't pee.")
    assert "Please read this" in heading(worse)
    assert press(client, press(client, worse, "check"), "send").status_code == 303
    assert Enquiry.objects.get().safety_signs == "RF-E1 RF-E2"


def test_words_that_sound_like_a_crisis_bring_the_crisis_block_and_flag_the_enquiry(client):
    stop = client.post(PATH, first_step(description="The pain is endless and I want to die."))
    assert "manage alone" in heading(stop)
    assert "Samaritans" in text(next(parse(stop).iter("main")))
    assert press(client, press(client, stop, "check"), "send").status_code == 303
    assert Enquiry.objects.get().safety_signs == "RF-R3"


def test_the_codes_that_are_kept_are_ours_and_not_those_of_a_hidden_field(client):
    assert client.post(PATH, form("consultation", seen_signs="RF-E9 <script>")).status_code == 303
    assert Enquiry.objects.get().safety_signs == ""


# --- bad input ---


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        ("x" * DESCRIPTION_LENGTH, True),
        ("x" * (DESCRIPTION_LENGTH + 1), False),
        ("y\r\n" * (DESCRIPTION_LENGTH // 2), True),
        ("👩\u200d⚕️" * DESCRIPTION_LENGTH, True),
        ("👍🏽" * (DESCRIPTION_LENGTH + 1), False),
        ("🇬🇧" * DESCRIPTION_LENGTH, True),
        ("पीठ " * (DESCRIPTION_LENGTH // 3), True),
        ("e" + "\u0301" * 10_000, False),
        ("🙈" * 10_000, False),
    ],
)
def test_a_description_is_as_long_as_people_count(client, words, taken):
    response = client.post(PATH, form("consultation", description=words))
    assert response.status_code == (303 if taken else 422)


def test_scripts_and_markup_are_words_on_every_page(client):
    nasty = "\"><script>alert(1)</script></textarea>'{{ 7|add:1 }} &amp;"
    for changes in ({}, {"email": "nobody"}, {"description": f"{nasty} {FLAG}"}):
        given = first_step(name=nasty, description=nasty, best_time=nasty) | form_changes(changes)
        response = Client().post(PATH, given)
        document = parse(response)
        assert not [each for each in document.iter("script") if "alert" in (each.text or "")]
        assert nasty in text(document) or response.status_code == 422
    check = follow(client, client.post(PATH, first_step(name=nasty, description=nasty)))
    press(client, check, "send")
    assert Enquiry.objects.get().name == nasty


def form_changes(changes: dict) -> dict:
    return {f"consultation-{name}": given for name, given in changes.items()}
