"""From the consultation form to an enquiry: the form, the check of the answers, what is kept, and what patients read afterwards."""

import re
from datetime import datetime, timedelta

import pytest
from django.core import mail as mailbox
from django.test import Client

from enquiries import clock
from enquiries.mail import emails
from enquiries.models import ClinicHours, Enquiry, OutgoingMessage, Purpose, slot_bit
from enquiries.opening_hours import LONDON
from tests.support.consultation_form import (
    EVERYTHING,
    FLAG,
    PATH,
    first_step,
    heading,
    is_refused,
    nothing_kept,
    press,
    walk,
)
from tests.support.forms import form
from tests.support.html import form_at, parse, sent, summary, text, visible
from tests.support.senders import from_place

pytestmark = pytest.mark.usefixtures("db")


# --- the start ---


def test_the_first_question_comes_before_what_happens_what_it_costs_and_how_else_to_reach_us(client):
    document = parse(client.get(PATH))
    main = next(document.iter("main"))
    said = text(main)
    assert said.index("Not for emergencies") < said.index("Who is this for?")
    for words in ("We tell you what a consultation costs before you decide", "Text relay", "If you send this now"):
        assert said.index("Who is this for?") < said.index(words)
    assert clock.reply_notice()["reply"] in said


# --- step by step ---

ME = {"for_whom": "me"}
REACHED = {"name": "Ada Example", "email": "ada@example.com"}
BY_PHONE = {"phone": "020 7946 0018", "may_leave_voicemail": "no", "may_say_who_calls": "yes"}
ACHE = {"description": "An ache low in my back."}


def asked(page) -> list[str]:
    names = (each.get("name").removeprefix("consultation-") for each in visible(form_at(parse(page), PATH)))
    return list(dict.fromkeys(names))


@pytest.mark.long
def test_each_step_asks_one_thing_and_only_what_the_answers_before_it_make_needed(client):
    """By email for herself, and by phone for her father: the pages of each, in order, with at most twelve controls."""
    bert = {name: EVERYTHING[name] for name in ("their_name", "they_are", "they_agree")}
    ways = {
        "email": (ME, REACHED | {"contact_by": ["email"]}, ACHE, {}),
        "video": (ME, REACHED | {"contact_by": ["video"]}, {}, ACHE, {}),
        "phone": ({"for_whom": "other"}, bert, REACHED | {"contact_by": ["phone"]}, BY_PHONE, {}, ACHE, {}),
    }
    seen = {}
    for way, steps in ways.items():
        client.cookies.clear()
        page, seen[way] = client.get(PATH), []
        for given in steps:
            controls_of_page = visible(form_at(parse(page), PATH))
            assert len(controls_of_page) + 1 <= 12  # and the button
            assert not is_refused(page)
            assert not [each for each in controls_of_page if each.get("checked") is not None]
            seen[way].append(asked(page)[0])
            page = press(client, page, "", **given)
        assert heading(page) == "Check your answers"
        assert press(client, page, "send").status_code == 303
    assert seen == {
        "email": ["for_whom", "name", "how_long", "needs"],
        "video": ["for_whom", "name", "days", "how_long", "needs"],
        "phone": ["for_whom", "their_name", "name", "phone", "days", "how_long", "needs"],
    }
    assert [each.phone for each in Enquiry.objects.order_by("created_at")] == ["", "", "+442079460018"]


def test_every_answer_is_a_redirect_to_a_page_that_can_be_opened_again(client):
    walk(client, ME)
    page = client.get("/consultation/contact/")
    data = sent(form_at(parse(page), PATH))
    for given, leads_to in (
        ({"consultation-name": "Ada"}, "/consultation/contact/"),
        (
            {f"consultation-{name}": value for name, value in (REACHED | {"contact_by": "email"}).items()},
            "/consultation/back/",
        ),
    ):
        answer = client.post(PATH, data | given)
        assert (answer.status_code, answer["Location"]) == (303, leads_to)
        assert "no-store" in answer["Cache-Control"]
        for _ in range(2):
            assert client.get(leads_to).status_code == 200
    for back in ("/consultation/contact/", PATH):
        assert client.get(back).status_code == 200
    assert sent(form_at(parse(client.get("/consultation/contact/")), PATH))["consultation-name"] == ["Ada Example"]
    # A page that is not theirs leads to the one that is.
    assert client.get("/consultation/check/")["Location"] == client.get("/consultation/phone/")["Location"]
    assert client.get("/consultation/nonsense/").status_code == 404


def test_a_mistake_is_shown_on_its_own_page_with_everything_typed_until_it_is_put_right(client):
    page = walk(client, ME, REACHED | {"email": "nobody", "contact_by": ["email"]})
    assert is_refused(page)
    assert [text(link) for link in summary(form_at(parse(page), PATH)).iter("a")] == [
        "Enter an email address in the correct format, like name@example.com"
    ]
    assert sent(form_at(parse(page), PATH))["consultation-email"] == ["nobody"]
    assert asked(press(client, page, "", email="ada@example.com"))[0] == "how_long"


def test_a_second_choice_drops_what_only_the_first_one_asked(client):
    page = walk(client, ME, REACHED | {"contact_by": ["phone"]}, BY_PHONE, {"days": ["0"]}, ACHE, {})
    page = press(client, press(client, page, "change-name"), "", contact_by=["email"])
    assert heading(page) == "Check your answers"
    assert "7946" not in text(next(parse(page).iter("main")))
    assert press(client, page, "send").status_code == 303
    kept = Enquiry.objects.get()
    assert (kept.phone, kept.call_slots, kept.may_leave_voicemail) == ("", 0, None)


def test_change_leads_back_to_the_check_past_what_it_makes_needed(client):
    page = walk(client, ME, REACHED | {"contact_by": ["email"]}, ACHE, {})
    page = press(client, press(client, page, "change-name"), "", contact_by=["phone"])
    assert asked(page)[0] == "phone"
    page = walk(client, BY_PHONE, {}, begin=page)
    assert heading(page) == "Check your answers"


def test_a_page_whose_cookie_ended_loses_nothing_and_one_that_was_only_opened_says_so(client):
    page = walk(client, ME, REACHED | {"contact_by": ["email"]})
    client.cookies.clear()
    help_page = press(client, page, "", **ACHE)
    assert (help_page.status_code, heading(help_page)) == (200, "What helps us talk with you")
    client.cookies.clear()
    check = press(client, help_page, "")
    for words in ("Ada Example", "An ache low in my back."):
        assert words in text(next(parse(check).iter("main")))
    assert press(client, check, "send").status_code == 303
    client.cookies.clear()
    for address in ("/consultation/contact/", "/consultation/check/"):
        lost = client.get(address)
        assert "We do not have what you typed." in text(parse(lost))
        assert asked(lost) == ["for_whom"]


def test_a_browser_without_cookies_is_taken_through_by_its_pages_alone():

    class WithoutCookies(Client):
        def request(self, **request):
            self.cookies.clear()
            return super().request(**request)

    client = WithoutCookies()
    at_first = walk(client, ME)
    assert "We do not have what you typed." in text(parse(at_first))
    page = at_first
    for given in (ME, REACHED | {"contact_by": ["email"]}, ACHE, {}):
        page = press(client, page, "", **given)
        assert (page.status_code, page.get("Refresh")) == (200, None)
    assert heading(page) == "Check your answers"
    assert press(client, page, "send").status_code == 303
    assert Enquiry.objects.get().name == "Ada Example"


def test_words_that_came_before_any_cookie_are_answered_with_their_page_which_asks_for_its_address(client):
    answer = client.post(PATH, first_step())
    assert (answer.status_code, heading(answer)) == (200, "Check your answers")
    address = answer["Refresh"].partition("url=")[2]
    assert address == "/consultation/check/?kept"
    assert heading(client.get(address)) == "Check your answers"
    browser = {"sec-fetch-mode": "navigate"}
    again = Client().post(PATH, first_step(), headers=browser)
    assert (again.status_code, again["Location"]) == (307, f"{PATH}?kept")
    assert Client().post(again["Location"], first_step(), headers=browser).status_code == 200, "It gave no cookie back."
    # Without a cookie nothing takes the place of the page that holds their words.
    assert Client().get(address).status_code == 204


def test_what_is_too_long_for_a_cookie_goes_from_page_to_page_all_the_same(client):
    walk(client, ME)
    long = "x" * 20_000
    refused = press(client, client.get("/consultation/contact/"), "", name=long, email="ada@example.com")
    assert (refused.status_code, is_refused(refused)) == (422, True)
    assert sent(form_at(parse(refused), PATH))["consultation-name"] == [long]
    assert not client.cookies["draft"].value
    assert asked(press(client, refused, "", name="Ada", contact_by=["email"]))[0] == "how_long"


def test_the_cookie_holds_no_readable_word_goes_only_to_the_form_and_ends_with_the_press_of_clear_or_send(client):
    page = walk(client, ME, REACHED | {"contact_by": ["email"]}, ACHE, {})
    held = client.cookies["draft"]
    assert (held["path"], held["httponly"], held["samesite"], held["max-age"]) == (PATH, True, "Strict", 1800)
    assert not {"Ada", "ache"} & set(re.findall(r"[A-Za-z]+", held.value))
    assert press(client, page, "send").status_code == 303
    for address in ("/consultation/check/", "/consultation/back/"):
        said = text(next(parse(client.get(address)).iter("main")))
        assert "You have sent this" in said
        assert "Ada" not in said
    assert asked(walk(client)) == ["for_whom"]
    page = parse(walk(client, ME))
    [asks] = [each for each in page.iter("details") if "This cannot be undone" in text(each)]
    assert form_at(asks, "/consultation/clear/") is not None
    assert client.post("/consultation/clear/")["Location"] == PATH
    assert not client.cookies["draft"].value


def test_whoever_chose_only_phone_needs_no_email_address_and_is_told_that_no_email_comes():
    """Four people with a warning sign, which is more than one mailbox may name: no address is nobody's mailbox."""
    for number, words in enumerate((FLAG, "I wet myself on a bus.", "I can't pee.", "My feet feel like cotton wool.")):
        browser = from_place(number)
        given = first_step(name="Ada Example", email="", contact_by=["phone"], description=words)
        check = press(browser, browser.post(PATH, given), "check")
        assert "Your email address Not given" in text(parse(check))
        page = text(parse(browser.get(press(browser, check, "send")["Location"])))
        assert "You gave no email address, so we will phone you" in page
        assert "private link" not in page
    assert not any(each.folded for each in Enquiry.objects.all())
    assert {each.purpose for each in OutgoingMessage.objects.all()} == {Purpose.CLINIC_ALERT}
    refused = Client().post(PATH, form("consultation", email="", contact_by=["phone", "video"]))
    assert refused.status_code == 422 and "Enter your email address" in text(parse(refused))


def test_another_tab_sends_what_its_own_page_shows(client):
    first = walk(client, ME, REACHED | {"contact_by": ["email"]}, ACHE, {})
    press(client, press(client, first, "change-how_long"), "", description="Another ache.")
    assert press(client, first, "send").status_code == 303
    assert Enquiry.objects.get().description == "An ache low in my back."


# --- the whole way ---


def test_nothing_is_kept_before_the_answers_were_looked_through_and_then_everything_is(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    assert (check.status_code, heading(check)) == (200, "Check your answers")
    assert "no-store" in check["Cache-Control"]
    assert nothing_kept()
    said = text(next(parse(check).iter("main")))
    for words in (
        "Phone Video call",
        "020 7946 0018",
        "May we leave a voicemail? No",
        "May we say who is calling? Yes",
        "Monday morning, early evening Friday morning, early evening mornings",
        "Ada Example",
        "ada@example.com",
        "Text relay; interpreter (Polish) My daughter helps me.",
        "6 to 12 weeks",
        "down their leg",
        "A GP A physiotherapist",
        "An ache low in my back for two months.",
    ):
        assert words in said, words
    answer = press(client, check, "send")
    assert (answer.status_code, answer["Location"].startswith("/consultation/sent/")) == (303, True)
    kept = Enquiry.objects.get()
    assert (kept.by_phone, kept.by_video, kept.by_email) == (True, True, False)
    assert (kept.phone, kept.may_leave_voicemail, kept.may_say_who_calls) == ("+442079460018", False, True)
    assert kept.call_slots == slot_bit(0, 0) | slot_bit(0, 2) | slot_bit(4, 0) | slot_bit(4, 2)
    assert kept.best_time == "mornings"
    assert kept.needs == "Text relay; interpreter (Polish)\nMy daughter helps me."
    assert kept.description == (
        "How long: 6 to 12 weeks\nWhere: into the leg\nHas seen: a GP, a physiotherapist\n\n"
        "An ache low in my back\nfor two months."
    )
    assert (kept.safety_signs, kept.is_flagged) == ("", False)
    assert kept.reply_by == clock.reply_by(kept.created_at)


def test_change_opens_the_page_of_the_answer_at_it_with_every_answer(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    expected = {name: given if isinstance(given, list) else [given] for name, given in first_step(**EVERYTHING).items()}
    for begin_at in ("for_whom", "their_name", "name", "phone", "days", "how_long", "needs"):
        page_form = form_at(parse(press(client, check, f"change-{begin_at}")), PATH)
        assert summary(page_form) is None
        beside = {f"consultation-{name}" for name in ("at", "done")}
        shown = {name: given for name, given in sent(page_form).items() if given != [""] and name not in beside}
        assert shown == {name: given for name, given in expected.items() if given != [""]}
        opened = [each for each in visible(page_form) if each.get("autofocus") is not None]
        assert [each.get("name") for each in opened] == [f"consultation-{begin_at}"]
    assert nothing_kept()


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
        {"days": ["9"]},
        {"may_leave_voicemail": "maybe"},
        {"phone": ""},
    ],
)
def test_hidden_answers_that_somebody_changed_are_checked_again_and_refused(client, changes):
    check = client.post(PATH, first_step())
    answer = press(client, check, "send", **changes)
    assert is_refused(answer)
    assert nothing_kept()


def test_sent_twice_clicked_twice_or_sent_again_after_going_back_is_one_enquiry(client):
    check = client.post(PATH, first_step(**EVERYTHING))
    for _ in range(3):
        assert press(client, check, "send").status_code == 303
    again = Client().post(PATH, first_step(**EVERYTHING))
    assert press(Client(), again, "send").status_code == 303
    assert Enquiry.objects.count() == 1
    assert OutgoingMessage.objects.count() == 2


def test_a_filled_trap_is_known_from_step_to_step_and_only_written_down(client):
    check = client.post(PATH, first_step(website="https://example.com"))
    assert press(client, check, "send")["Location"].startswith("/consultation/sent/")
    kept = Enquiry.objects.get()
    assert (kept.status, kept.quarantine_reason) == ("new", "")
    assert "A hidden field was filled in" in kept.events.get().summary


# --- afterwards ---


def test_the_confirmation_keeps_to_the_promise_given_however_late_it_is_opened_and_holds_nothing_of_theirs(client):
    address = press(client, client.post(PATH, first_step(**EVERYTHING)), "send")["Location"]
    at = datetime(2025, 5, 27, 9, tzinfo=LONDON)
    Enquiry.objects.update(created_at=at, reply_by=at.replace(hour=17))
    response = client.get(address)
    said = text(next(parse(response).iter("main")))
    assert "We will reply by 5pm on Tuesday 27 May." in said
    assert "no-store" in response["Cache-Control"]
    for theirs in ("Ada", "7946 0018", "Polish"):
        assert theirs not in said
    Enquiry.objects.update(reply_by=None)
    ClinicHours.objects.update(paused_at=at, paused_by="Robin", notice="A pipe burst.")
    said = text(next(parse(client.get(address)).iter("main")))
    for words in ("We do not know yet when we will reply. You can phone us", "A pipe burst."):
        assert said.count(words) == 1, words


def test_without_its_mark_the_confirmation_names_no_day(client):
    for address in ("/consultation/sent/", "/question/sent/"):
        said = text(next(parse(client.get(address)).iter("main")))
        assert "We aim to reply within" in said
        assert "We will reply" not in said


@pytest.mark.parametrize(("day_parts", "says"), [(["2"], True), (["0", "2"], False), ([], False)])
def test_before_sending_it_says_that_we_are_not_open_at_any_of_the_times_chosen(client, day_parts, says):
    said = text(next(parse(client.post(PATH, first_step(day_parts=day_parts))).iter("main")))
    assert ("We are not open at any of these times in the next two weeks." in said) is says
    assert ("Our opening hours: Monday to Friday, 9am to 5pm" in said) is says


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
    assert "We do not know yet when we will reply." in made.body
    assert "None" not in made.body
