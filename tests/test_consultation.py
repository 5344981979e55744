"""From the consultation form to an enquiry: the whole form, the short one of a sheet, the check, and what is kept."""

import re
from datetime import timedelta

import pytest
from django.core import mail as mailbox
from django.test import Client
from django.utils import timezone

from enquiries import actions, clock, emails
from enquiries.forms import DESCRIPTION_LENGTH
from enquiries.models import Assessment, Enquiry, OutgoingMessage, Purpose, slot_bit
from enquiries.report import consent
from tests.assessment import finish
from tests.honest import ADDRESSES, OPTIONAL, form
from tests.html import by_id, controls, form_at, parse, sent, summary, text, title, value, visible

pytestmark = pytest.mark.usefixtures("db")

PATH = ADDRESSES["consultation"]
EVERYTHING = OPTIONAL["consultation"]
FLAG = "My bottom has felt numb since Tuesday."


def button(document, step: str):
    found = [each for each in document.iter("button") if each.get("value", "").startswith(step)]
    assert found, f"No button says “{step}”."
    return found[-1]


def press(client, response, step: str, **changes):
    """Sends the page's form as it stands, with the button that says this step."""
    document = parse(response)
    page_form = form_at(document, PATH)
    pressed = button(document, step)
    data = sent(page_form) | ({pressed.get("name"): pressed.get("value")} if step else {})
    return client.post(PATH, data | {f"consultation-{name}": given for name, given in changes.items()})


def heading(response) -> str:
    return text(next(parse(response).iter("h1")))


def first_step(**changes) -> dict:
    """As the whole form sends it: no step is said, and the lines of text come also when they are empty."""
    return form("consultation", **({"step": None, "language": "", "needs_note": ""} | changes))


def nothing_kept() -> bool:
    return not Enquiry.objects.exists() and not OutgoingMessage.objects.exists()


# --- the start ---


def test_the_page_says_first_what_happens_what_it_costs_and_how_else_to_reach_us(client):
    document = parse(client.get(PATH))
    main = next(document.iter("main"))
    said = text(main)
    start = said.index("Not for emergencies")
    form_begins = said.index("How should we contact you?")
    for words in ("We tell you what a consultation costs before you decide", "Text relay", "If you send this now"):
        assert start < said.index(words) < form_begins
    assert clock.promise(timezone.now())["reply"] in said


def test_the_way_to_reach_them_is_asked_before_anything_else(client):
    names = [control.get("name") for control in visible(form_at(parse(client.get(PATH)), PATH))]
    order = list(dict.fromkeys(name.removeprefix("consultation-") for name in names))
    assert order[:3] == ["contact_by", "phone", "may_leave_voicemail"]
    assert order[-1] == "description"


def test_no_answer_about_safe_contact_is_ticked_beforehand(client):
    page_form = form_at(parse(client.get(PATH)), PATH)
    assert [each for each in visible(page_form) if each.get("checked") is not None] == []


def test_each_time_of_the_table_has_a_name_of_its_own(client):
    document = parse(client.get(PATH))
    boxes = [each for each in controls(form_at(document, PATH)) if each.get("name") == "consultation-times"]
    names = [text(label) for box in boxes for label in document.iter("label") if label.get("for") == box.get("id")]
    assert len(names) == len(set(names)) == 15
    assert {"Monday morning", "Wednesday afternoon", "Friday early evening"} <= set(names)


# --- the whole way ---


def test_nothing_is_kept_before_the_answers_were_looked_through_and_then_everything_is(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    assert (check.status_code, heading(check)) == (200, "Check your answers")
    assert "no-store" in check["Cache-Control"]
    assert not check.cookies
    assert nothing_kept()
    said = text(next(parse(check).iter("main")))
    for words in (
        "Phone Video call",
        "020 7946 0018",
        "May we leave a voicemail? No",
        "May we say who is calling? Yes",
        "Monday: morning Friday: early evening mornings",
        "Ada Example",
        "ada@example.com",
        "Text relay; interpreter (Polish) My daughter helps me.",
        "6 to 12 weeks",
        "down my leg",
        "A GP A physiotherapist",
        "An ache low in my back for two months.",
    ):
        assert words in said, words
    answer = press(client, check, "send")
    assert (answer.status_code, answer["Location"]) == (303, "/consultation/sent/")
    kept = Enquiry.objects.get()
    assert (kept.by_phone, kept.by_video, kept.by_email) == (True, True, False)
    assert (kept.phone, kept.may_leave_voicemail, kept.may_say_who_calls) == ("+442079460018", False, True)
    assert kept.call_slots == slot_bit(0, 0) | slot_bit(4, 2)
    assert kept.best_time == "mornings"
    assert kept.needs == "Text relay; interpreter (Polish)\nMy daughter helps me."
    assert kept.description == (
        "How long: 6 to 12 weeks\nWhere: into the leg\nHas seen: a GP, a physiotherapist\n\n"
        "An ache low in my back\nfor two months."
    )
    assert (kept.safety_signs, kept.is_flagged) == ("", False)
    assert kept.reply_by == clock.reply_by(kept.created_at)


def test_who_leaves_out_what_is_optional_is_asked_for_none_of_it(client):
    check = client.post(PATH, first_step(contact_by=["email"], phone="", best_time="", may_leave_voicemail=None))
    assert heading(check) == "Check your answers"
    assert press(client, check, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.call_slots, kept.needs, kept.best_time, kept.phone) == (0, "", "", "")
    assert (kept.may_leave_voicemail, kept.may_say_who_calls) == (None, True)
    assert kept.description == "An ache low in my back\nfor two months."


def test_change_brings_back_the_form_with_every_answer_and_opens_it_there(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    for begin_at in ("contact_by", "times", "name", "needs", "how_long"):
        response = press(client, check, f"change-{begin_at}")
        assert response.status_code == 200
        document = parse(response)
        page_form = form_at(document, PATH)
        assert summary(page_form) is None
        expected = first_step(**EVERYTHING)
        shown = {name: given for name, given in sent(page_form).items() if given != [""]}
        assert shown == {name: given if isinstance(given, list) else [given] for name, given in expected.items()}
        opened = [each for each in visible(page_form) if each.get("autofocus") is not None]
        assert [each.get("name") for each in opened] == [f"consultation-{begin_at}"]
    assert nothing_kept()
    again = client.post(PATH, first_step(**EVERYTHING, name="Bea Example"))
    assert "Bea Example" in text(parse(again))


@pytest.mark.parametrize(
    "step", ["", "check", "nonsense", "change", "change-nonsense", "change-__class__", "x" * 5_000]
)
def test_only_the_last_button_sends(client, step):
    assert client.post(PATH, form("consultation", step=step)).status_code == 200
    assert nothing_kept()


@pytest.mark.parametrize(
    "changes",
    [
        {"email": "nobody"},
        {"description": ""},
        {"contact_by": ["pigeon"]},
        {"times": ["9-9"]},
        {"may_leave_voicemail": "maybe"},
        {"phone": ""},
    ],
)
def test_hidden_answers_that_somebody_changed_are_checked_again_and_refused(client, changes):
    check = client.post(PATH, first_step())
    answer = press(client, check, "send", **changes)
    assert answer.status_code == 422
    assert title(parse(answer)).startswith("Error: ")
    assert nothing_kept()


def test_sent_twice_clicked_twice_or_sent_again_after_going_back_is_one_enquiry(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    for _ in range(3):
        assert press(client, check, "send").status_code == 303
    again = client.post(PATH, first_step(**EVERYTHING))
    assert press(Client(), again, "send").status_code == 303
    assert Enquiry.objects.count() == 1
    assert OutgoingMessage.objects.count() == 2


def test_the_trap_stays_shut_from_step_to_step(client):
    check = client.post(PATH, first_step(website="https://example.com"))
    assert press(client, check, "send").status_code == 303
    assert Enquiry.objects.get().quarantine_reason


# --- from the foot of a sheet ---


def short(**changes) -> dict:
    names = ("name", "email", "contact_by", "phone", "best_time", "description")
    data = form("consultation", **changes)
    return {f"consultation-{name}": data[f"consultation-{name}"] for name in names} | {
        "consultation-sheet": "about-back-pain"
    }


def test_the_short_form_leads_to_the_same_check_with_only_what_it_could_not_ask(client, sheet):
    check = client.post(PATH, short())
    assert (check.status_code, heading(check)) == (200, "Check your answers")
    document = parse(check)
    page_form = form_at(document, PATH)
    assert summary(page_form) is None
    assert not title(document).startswith("Error")
    asked = {control.get("name") for control in visible(page_form)}
    assert asked == {"consultation-may_leave_voicemail", "consultation-may_say_who_calls"}
    # Enter in a form presses its first button.
    first = next(each for each in page_form.iter("button"))
    assert first.get("value") == "send"

    refused = press(client, check, "send")
    assert refused.status_code == 422
    links = [text(link) for link in summary(form_at(parse(refused), PATH)).iter("a")]
    assert links == ["Choose whether we may leave a voicemail", "Choose whether we may say who is calling"]
    assert heading(refused) == "Check your answers"

    one_left = press(client, refused, "send", may_leave_voicemail="no")
    assert one_left.status_code == 422
    asked = {control.get("name") for control in visible(form_at(parse(one_left), PATH))}
    assert asked == {"consultation-may_say_who_calls"}
    assert press(client, one_left, "send", may_say_who_calls="no").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.may_leave_voicemail, kept.may_say_who_calls) == (False, False)
    assert kept.sheet == sheet


def test_the_short_form_without_a_phone_call_asks_nothing_more(client):
    check = client.post(PATH, short(contact_by=["email"], phone=""))
    assert not visible(form_at(parse(check), PATH))
    assert press(client, check, "send").status_code == 303


def test_change_from_the_short_form_leads_to_the_whole_one_and_keeps_the_sheet(client):
    check = client.post(PATH, short())
    page_form = form_at(parse(press(client, check, "change-name")), PATH)
    assert sent(page_form)["consultation-sheet"] == ["about-back-pain"]
    assert sent(page_form)["consultation-phone"] == ["020 7946 0018"]
    assert "consultation-times" in {control.get("name") for control in visible(page_form)}


# --- words that sound like a red flag ---


@pytest.mark.parametrize("typed", [first_step, short])
def test_red_flag_words_bring_the_card_first_and_the_words_untouched_and_can_still_be_sent(client, typed):
    stop = client.post(PATH, typed(description=f"An ache.\n{FLAG} <b>"))
    assert stop.status_code == 200
    document = parse(stop)
    main = next(document.iter("main"))
    said = text(main)
    assert said.index("Call 999 or go to A&E now") < said.index("What you wrote") < said.index("Send it anyway")
    assert f"{FLAG} <b>" in said
    first_item = text(next(next(each for each in main.iter("section") if "care" in each.get("class", "")).iter("li")))
    assert "numb" in first_item
    assert nothing_kept()

    back = press(client, stop, "change-description")
    box = by_id(parse(back), "id_consultation-description")
    assert value(box) == f"An ache.\n{FLAG} <b>"
    assert box.get("autofocus") is not None

    check = press(client, stop, "check", may_leave_voicemail="no", may_say_who_calls="no")
    assert heading(check) == "Check your answers"
    assert nothing_kept()
    assert press(client, check, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert kept.safety_signs == "RF-E1"
    assert kept.is_flagged


def test_the_last_button_cannot_get_round_the_card(client):
    stop = client.post(PATH, form("consultation", description=FLAG))
    assert "Please read this" in heading(stop)
    assert nothing_kept()


def test_a_card_that_was_seen_comes_again_only_for_other_words(client):
    stop = client.post(PATH, first_step(description=FLAG))
    changed = press(client, press(client, stop, "change-description"), "", description=f"{FLAG} It is worse today.")
    assert heading(changed) == "Check your answers"
    worse = press(client, changed, "send", description=f"{FLAG} I can't pee.")
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


# --- the self-assessment ---


@pytest.fixture
def finished(client):
    """A browser that holds a finished self-assessment whose result may offer our help."""
    finish(client)
    return client


def test_nobody_without_a_finished_assessment_is_asked_about_one(client):
    assert b"include_answers" not in client.get(PATH).content


def test_finished_answers_go_along_only_with_consent_and_the_wording_says_that_staff_see_them(finished):
    page_form = form_at(parse(finished.get(PATH)), PATH)
    assert sent(page_form)["consultation-include_answers"] == ["no"]
    said = consent.WORDINGS["2026-11-consultation"]
    assert "staff who deal with my request see them" in said
    assert said in text(page_form)

    check = finished.post(PATH, first_step(include_answers="no"))
    assert press(finished, check, "send").status_code == 303
    assert not Assessment.objects.exists()

    check = finished.post(PATH, first_step(include_answers="yes"))
    assert said in text(parse(check))
    assert press(finished, check, "send").status_code == 303
    kept = Assessment.objects.get()
    assert kept.consent_version == "2026-11-consultation"
    assert kept.enquiry.kind == "consultation"
    assert kept.expires_at - timezone.now() <= timedelta(days=actions.SUMMARY_DAYS)


def test_answers_that_ended_meanwhile_are_named_and_the_request_can_be_sent_without_them(finished):
    check = finished.post(PATH, first_step(include_answers="yes"))
    stranger = Client()
    told = press(stranger, check, "send")
    assert told.status_code == 200
    assert "no longer in this browser" in text(parse(told))
    assert nothing_kept()
    assert press(stranger, told, "send").status_code == 303
    assert not Assessment.objects.exists()


def test_the_short_form_never_sends_answers_along(finished):
    check = finished.post(PATH, short())
    answer = press(finished, check, "send", may_leave_voicemail="no", may_say_who_calls="no")
    assert answer.status_code == 303
    assert not Assessment.objects.exists()


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
        response = client.post(PATH, first_step(name=nasty, description=nasty, best_time=nasty) | form_changes(changes))
        document = parse(response)
        assert not [each for each in document.iter("script") if "alert" in (each.text or "")]
        assert nasty in text(document) or response.status_code == 422
    check = client.post(PATH, first_step(name=nasty, description=nasty))
    press(client, check, "send")
    assert Enquiry.objects.get().name == nasty


def form_changes(changes: dict) -> dict:
    return {f"consultation-{name}": given for name, given in changes.items()}


# --- afterwards ---


def test_the_confirmation_says_by_when_and_holds_nothing_of_theirs(client):
    press(client, client.post(PATH, first_step(**EVERYTHING)), "send")
    response = client.get("/consultation/sent/")
    said = text(next(parse(response).iter("main")))
    assert f"We will reply {clock.promise(timezone.now())['reply']}." in said
    assert "no-store" in response["Cache-Control"]
    for theirs in ("Ada", "7946 0018", "Polish"):
        assert theirs not in said


def test_the_acknowledgement_says_the_enquirys_own_time_and_nothing_about_health(client):
    press(client, client.post(PATH, first_step(**EVERYTHING)), "send")
    kept = Enquiry.objects.get()
    Enquiry.objects.filter(pk=kept.pk).update(reply_by=kept.reply_by + timedelta(days=7))
    kept.refresh_from_db()
    message = kept.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
    made = emails.render(message, mailbox.get_connection("django.core.mail.backends.locmem.EmailBackend"))
    html = re.sub(r"<[^>]+>", " ", made.alternatives[0][0])
    reply = clock.in_words(kept.reply_by, kept.created_at, dated=True)
    for body in (made.body, " ".join(html.split())):
        assert f"We will reply {reply}." in body
        assert "999" in body
        for theirs in ("ache", "into the leg", "Polish", "Ada", "voicemail", "physio", "6 to 12"):
            assert theirs not in body, theirs


def test_a_mail_that_promises_nothing_says_so(client):
    press(client, client.post(PATH, first_step()), "send")
    Enquiry.objects.update(reply_by=None)
    message = OutgoingMessage.objects.get(purpose=Purpose.ACKNOWLEDGEMENT)
    made = emails.render(message, mailbox.get_connection("django.core.mail.backends.locmem.EmailBackend"))
    assert "We cannot say at the moment when we will reply." in made.body
    assert "None" not in made.body
