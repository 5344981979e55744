"""A patient's own request behind the link in the mail: opened, changed, added to, withdrawn, erased, and guessed at."""

import logging
import re
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from gunicorn.config import Config

from backcare.gunicorn import access_log_format
from backcare.gunicorn_log import PrivateLogger
from backcare.logs import WithoutRequestValues
from enquiries import actions
from enquiries.clock import in_words
from enquiries.manage import link
from enquiries.models import Enquiry, EnquiryEvent, EventKind, Outcome, OutgoingMessage, Purpose, Status, slot_bit
from tests.conftest import consultation, report
from tests.html import by_id, form_at, parse, sent, text, title, value
from tests.outbox import deliver, html_of, question, text_of

VERBS = ["times", "add", "withdraw", "erase"]
SURE = {"times": "Save the new times", "add": "Send it", "withdraw": "Yes, withdraw", "erase": "Yes, delete"}
SECRETS = ("Ada", "ada@example.com", "79460018", "7946 0018", "An ache low in my back", "mornings")
SIGN = "Since this morning I can't pee."

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def asked():
    return consultation()


def path(enquiry: Enquiry, verb: str = "") -> str:
    return reverse(f"enquiries:manage_{verb}" if verb else "enquiries:manage", args=[link.LINK.token(enquiry)])


def enter(enquiry: Enquiry, email: str = "ada@example.com"):
    return Client().post(path(enquiry), {"email": email})


def press(response, button: str, **changes):
    """Presses a button of a page, in a browser that holds nothing but the page."""
    for form in parse(response).iter("form"):
        for each in form.iter():
            submits = each.tag == "button" or each.get("type") == "submit"
            if submits and button in (text(each) or each.get("value")):
                data = sent(form) | ({each.get("name"): each.get("value", "")} if each.get("name") else {})
                return Client().post(form.get("action"), data | changes)
    pytest.fail(f"No button says “{button}”: {said(response)}")


def said(response) -> str:
    return text(next(parse(response).iter("main")))


def check(enquiry: Enquiry, verb: str, **changes):
    """The page that asks whether they are sure."""
    home = enter(enquiry)
    if verb == "times":
        return press(press(home, "Change the times"), "Continue", **{"times-times": ["1-0"]} | changes)
    if verb == "add":
        return press(press(home, "Add something"), "Continue", **{"add-text": "I am away on Monday."} | changes)
    return press(home, {"withdraw": "Withdraw my", "erase": "Delete my details"}[verb])


def snapshot() -> list:
    """Everything that a press of a button could have changed."""
    rows = list(Enquiry.objects.order_by("pk").values("pk", "version", "status", "call_slots", "erased_at", "outcome"))
    return [*rows, EnquiryEvent.objects.count(), OutgoingMessage.objects.count()]


def alerts(enquiry: Enquiry) -> list[str]:
    return list(enquiry.messages.filter(purpose=Purpose.CHANGE_ALERT).values_list("state", flat=True))


@contextmanager
def half_an_hour_ago():
    """What is signed in here was signed 31 minutes ago."""
    past = signing.b62_encode(int(time.time()) - 31 * 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(signing.TimestampSigner, "timestamp", lambda self: past)
        yield


# --- the mail ---


@pytest.mark.parametrize("ask", [consultation, question], ids=["consultation", "question"])
def test_every_mail_to_the_patient_holds_the_link_in_both_parts_and_none_of_their_words(ask, mail_through, staff):
    enquiry = ask()
    actions.reply(enquiry=enquiry, by=staff, text="Thank you.")
    actions.book(enquiry=enquiry, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    deliver()
    mails = [mail for mail in mail_through.messages if mail["To"] == "ada@example.com"]
    assert len(mails) == 3
    for mail in mails:
        found = set(re.findall(r"https?://\S+(/request/\S+)", text_of(mail)))
        assert found == {path(enquiry)}
        assert path(enquiry) in " ".join(each.get("href") for each in html_of(mail).iter("a"))
        assert not [word for word in SECRETS if word in text_of(mail)]
    assert enter(enquiry).status_code == 200


def test_the_mail_of_a_report_holds_no_such_link_and_its_key_opens_nothing(sheet, mail_through):
    enquiry = report(sheet)
    deliver()
    assert "/request/" not in text_of(mail_through.messages[0])
    assert link.address(enquiry) == ""
    assert enter(enquiry).status_code == 404


# --- opening ---


def test_scanners_that_fetch_and_probe_every_address_change_nothing_and_see_nothing(asked):
    before = snapshot()
    for method in ("get", "head", "options", "post"):
        for address in ("", *VERBS):
            response = getattr(Client(), method)(path(asked, address))
            assert response.status_code in {200, 302, 405}, (method, address)
            assert not [word for word in SECRETS if word in response.content.decode()]
            assert not response.cookies
    assert Client().get(path(asked, "erase"))["Location"] == path(asked)
    Client().post(path(asked, "erase"), {"erase-step": "send", "sealed": "x.y.z", "pass": "x.y.z"})
    assert snapshot() == before


def test_the_page_masks_how_to_reach_them_and_says_no_word_about_their_health(asked):
    page = enter(asked, "ADA@Example.com")
    assert page.status_code == 200
    assert not [word for word in SECRETS if word in page.content.decode()]
    words = said(page)
    for shown in ("A consultation", asked.reference, "We have it", "a•••@example.com", "•••• 0018", "Any time"):
        assert shown in words, shown
    assert f"We will reply {in_words(asked.reply_by, timezone.now())}" in words


def test_the_voicemail_answer_and_the_chosen_times_are_shown(asked):
    Enquiry.objects.update(may_leave_voicemail=False, call_slots=slot_bit(1, 0) | slot_bit(4, 2))
    words = said(enter(asked))
    assert "May we leave a voicemail? No" in words
    assert "Tuesday morning Friday early evening" in words


def test_where_it_is_now_is_said_in_the_patients_words(asked, staff):
    at = timezone.now() + timedelta(days=400)
    for act, words in (
        (lambda: actions.triage(enquiry=asked, by=staff, to=Status.IN_PROGRESS), "We are working on it"),
        (lambda: actions.triage(enquiry=asked, by=staff, to=Status.WAITING), "We wait for you"),
        (
            lambda: actions.book(enquiry=asked, by=staff, at=at, channel="video"),
            "Your appointment is by video call, at",
        ),
        (lambda: actions.triage(enquiry=asked, by=staff, to=Status.CLOSED, outcome="seen"), "We have finished with it"),
    ):
        act()
        assert words in said(enter(asked))


def test_a_broken_promise_is_said_to_be_one(asked):
    Enquiry.objects.update(reply_by=timezone.now() - timedelta(hours=1))
    assert "We are sorry that you have not heard from us" in said(enter(asked))


@pytest.mark.parametrize("typed", ["", "eve@example.com", "a@", "ada@example.com.evil.example", "x" * 300])
def test_another_address_opens_nothing_and_is_an_error_in_words(asked, typed):
    response = enter(asked, typed)
    assert response.status_code == 422
    assert title(parse(response)).startswith("Error: ")
    assert "a•••" not in response.content.decode()


def test_guessing_ends_after_ten_tries_and_the_right_address_does_not_help_then(asked):
    for number in range(10):
        assert enter(asked, f"guess{number}@example.com").status_code == 422
    assert enter(asked).status_code == 404
    assert Client().get(path(asked)).status_code == 404


def _closed_long_ago(enquiry):
    actions.withdraw(enquiry=enquiry, version=enquiry.version)
    Enquiry.objects.filter(pk=enquiry.pk).update(closed_at=timezone.now() - timedelta(days=14, minutes=1))


DEAD = {
    "closed 14 days ago": _closed_long_ago,
    "erased by its time": lambda enquiry: actions.erase(enquiry=enquiry, actor="retention"),
    "guessed at": lambda enquiry: Enquiry.objects.filter(pk=enquiry.pk).update(wrong_tries=10),
    "set aside": lambda enquiry: Enquiry.objects.filter(pk=enquiry.pk).update(status=Status.SPAM),
    "gone": lambda enquiry: Enquiry.objects.filter(pk=enquiry.pk).delete(),
}


def answers(token: str) -> list[tuple[int, str]]:
    address = reverse("enquiries:manage", args=[token])
    given = {"email": "ada@example.com"}
    told = [Client().get(address), Client().post(address, given), Client().post(f"{address}erase/", given)]
    return [(each.status_code, each.content.decode().replace(token, "TOKEN")) for each in told]


def test_every_link_that_opens_nothing_says_the_same_in_the_same_words(asked):
    """Unknown, changed, over, erased, guessed at: nobody learns whether there was anything."""
    token = link.LINK.token(asked)
    changed = token[:-3] + ("AAA" if token[-3:] != "AAA" else "BBB")
    expected = answers(changed)
    assert {status for status, _ in expected} == {404}
    another = signing.Signer(salt="enquiries.report.link", sep=".").sign(asked.pk.hex)
    for given in (another, "xyzzy", "a" * 2000):
        assert answers(given) == expected, given
    for why, kill in DEAD.items():
        gone = consultation(description=f"An ache, {why}")
        kill(gone)
        assert answers(link.LINK.token(gone)) == expected, why


def test_what_was_closed_lately_can_be_seen_and_only_erased(asked):
    actions.withdraw(enquiry=asked, version=asked.version)
    Enquiry.objects.update(closed_at=timezone.now() - timedelta(days=13, hours=23))
    page = enter(asked)
    assert "You withdrew it" in said(page)
    buttons = {text(each) for each in parse(page).iter("button")}
    assert buttons & {"Change the times to call", "Add something", "Withdraw my request"} == set()
    assert "Delete my details" in buttons


def test_a_corrected_address_is_the_only_one_that_opens(asked):
    early = enter(asked)
    actions.correct_address(enquiry=asked, email="ada@example.org")
    assert enter(asked).status_code == 422
    assert "a•••@example.org" in said(enter(asked, "ada@example.org"))
    assert "Your email address" in said(press(early, "Delete my details"))
    assert "a•••" not in said(press(early, "Delete my details"))


def test_no_page_of_it_is_kept_found_or_passed_on(asked):
    pages = [Client().get(path(asked)), Client().get(path(asked, "add")), enter(asked), enter(asked, "x@example.com")]
    for response in [*pages, *(check(asked, verb) for verb in VERBS), Client().get("/request/erased/")]:
        assert "no-store" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]
        assert not response.cookies
    modern = Client(headers={"sec-fetch-site": "same-origin"})
    assert modern.get(path(asked))["Referrer-Policy"] == "no-referrer"


def test_a_form_from_another_site_opens_and_changes_nothing(asked):
    browser = Client(enforce_csrf_checks=True)
    pages = {verb: check(asked, verb) for verb in VERBS}
    before = snapshot()
    for verb, page in pages.items():
        data = sent(form_at_button(page, SURE[verb])) | {f"{verb}-step": "send"}
        response = browser.post(path(asked, verb), data, headers={"sec-fetch-site": "cross-site"})
        assert response.status_code == 403
    assert (
        browser.post(path(asked), {"email": "ada@example.com"}, headers={"sec-fetch-site": "cross-site"}).status_code
        == 403
    )
    assert snapshot() == before


def form_at_button(response, words: str):
    [form] = [each for each in parse(response).iter("form") if any(words in text(part) for part in each.iter("button"))]
    return form


# --- one page at a time ---


def test_a_seal_is_good_for_its_own_verb_on_its_own_request_only(asked):
    other = consultation(email="bob@example.com", description="Another ache.")
    pages = {verb: sent(form_at_button(check(asked, verb), SURE[verb])) for verb in VERBS}
    home = Client().post(path(other), {"email": "bob@example.com"})
    theirs = sent(form_at_button(home, "Delete my details"))["pass"]
    before = snapshot()
    for mine in VERBS:
        for verb in VERBS:
            data = {"times-times": ["2-0"], "add-text": "Crossed.", f"{verb}-step": "send"}
            if mine != verb:
                response = Client().post(
                    path(asked, verb), data | {key: pages[mine][key] for key in ("pass", "sealed")}
                )
                assert SURE[verb] in said(response), f"{mine} at {verb}"
        data |= {"sealed": pages[mine]["sealed"], "pass": theirs, f"{mine}-step": "send"}
        assert SURE[mine] in said(Client().post(path(other, mine), data)), f"{mine} of another request"
        # A pass is no seal, and a seal no pass.
        swapped = {"sealed": pages[mine]["pass"], "pass": pages[mine]["pass"], f"{mine}-step": "send"}
        assert SURE[mine] in said(Client().post(path(asked, mine), data | swapped))
        swapped = {"sealed": pages[mine]["sealed"], "pass": pages[mine]["sealed"], f"{mine}-step": "send"}
        assert "Your email address" in said(Client().post(path(asked, mine), data | swapped))
    assert snapshot() == before


def test_a_pass_of_one_request_opens_no_other_one(asked):
    other = consultation(email="bob@example.com", description="Another ache.")
    mine = sent(form_at_button(enter(asked), "Delete my details"))["pass"]
    for verb in ("", *VERBS):
        assert "Confirm and open" in Client().post(path(other, verb), {"pass": mine}).content.decode()


def test_after_half_an_hour_the_address_is_asked_again_and_what_was_typed_comes_along(asked):
    with half_an_hour_ago():
        old = link.new_pass(asked)
    form = press(enter(asked), "Add something")
    again = press(form, "Continue", **{"add-text": "I am away.\nOn Monday.", "pass": old})
    assert "A page stays open for 30 minutes" in said(again)
    wrong = press(again, "Confirm and open", email="eve@example.com")
    assert wrong.status_code == 422
    let_in = press(wrong, "Confirm and open", email="ada@example.com")
    assert "Check what you add" in said(let_in)
    press(let_in, "Send it")
    assert actions.added(asked).get().note == "I am away.\nOn Monday."


@pytest.mark.parametrize("verb", VERBS)
def test_a_seal_of_31_minutes_ago_asks_once_more_and_changes_nothing(asked, verb):
    with half_an_hour_ago():
        old = link.seal(verb, asked)
    page = check(asked, verb)
    before = snapshot()
    assert SURE[verb] in said(press(page, SURE[verb], sealed=old))
    assert snapshot() == before


@pytest.mark.parametrize("verb", VERBS)
def test_staff_who_changed_it_in_the_meantime_bring_a_kind_page_and_nothing_typed_is_lost(asked, staff, verb):
    page = check(asked, verb)
    actions.triage(enquiry=asked, by=staff, to=Status.IN_PROGRESS)
    before = snapshot()
    stale = press(page, SURE[verb])
    assert (stale.status_code, title(parse(stale)).partition(" –")[0]) == (409, "Something changed in the meantime")
    assert "You did nothing wrong" in said(stale)
    assert snapshot() == before
    again = press(stale, "Look at it once more")
    assert SURE[verb] in said(again)
    press(again, SURE[verb])
    asked.refresh_from_db()
    assert asked.events.filter(kind__in=["times", "added", "withdrawn"], actor="patient").count() == 1
    assert bool(asked.erased_at) == (verb == "erase")


@pytest.mark.parametrize("verb", ["times", "add", "withdraw"])
def test_what_staff_closed_in_the_meantime_is_left_as_it_is(asked, staff, verb):
    page = check(asked, verb)
    form = enter(asked)
    actions.triage(enquiry=asked, by=staff, to=Status.CLOSED, outcome="answered")
    before = snapshot()
    stale = press(page, SURE[verb])
    assert stale.status_code == 409
    assert "It cannot be done any more" in said(stale)
    assert "We have finished with it" in said(press(stale, "See it as it is now"))
    if verb == "withdraw":
        assert press(form, "Withdraw my").status_code == 409
    assert snapshot() == before


@pytest.mark.parametrize("verb", VERBS)
def test_sent_twice_is_done_once_and_both_answers_say_so(asked, verb):
    page = check(asked, verb)
    first, count = press(page, SURE[verb]), EnquiryEvent.objects.count()
    second = press(page, SURE[verb])
    assert EnquiryEvent.objects.count() == count
    assert first.status_code == second.status_code
    assert first.get("Location") == second.get("Location")
    if verb != "erase":
        assert title(parse(first)) == title(parse(second))


def test_pressed_in_two_browsers_at_once_it_is_added_once(transactional_db):
    asked = consultation()
    page = check(asked, "add")
    answers = []

    def send():
        try:
            answers.append(press(page, "Send it").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200] * 4
    assert actions.added(asked).count() == 1


# --- times ---


def test_new_times_take_the_place_of_the_old_ones_and_the_timeline_keeps_both(asked):
    Enquiry.objects.update(call_slots=slot_bit(0, 0), next_call_at=timezone.now() + timedelta(days=1))
    page = press(enter(asked), "Change the times")
    ticked = [each.get("value") for each in parse(page).iter("input") if each.get("checked") is not None]
    assert ticked == ["0-0"]
    assert "mornings" not in page.content.decode()
    page = press(page, "Continue", **{"times-times": ["1-1", "3-2"], "times-best_time": "not before 2"})
    assert "Nothing is changed yet" in said(page)
    assert "Tuesday: afternoon Thursday: early evening not before 2" in said(page)
    done = press(page, SURE["times"])
    assert "Your new times are saved" in said(done)
    assert "Tuesday afternoon Thursday early evening" in said(done)
    asked.refresh_from_db()
    assert (asked.call_slots, asked.best_time, asked.version) == (slot_bit(1, 1) | slot_bit(3, 2), "not before 2", 2)
    assert timezone.localtime(asked.next_call_at).weekday() in {1, 3}
    event = asked.events.get(kind=EventKind.TIMES)
    assert (event.actor, event.by, event.summary) == ("patient", None, "")
    assert "Tuesday afternoon" in event.note
    assert "Monday morning (“mornings”)" in event.note


def test_change_on_the_check_page_gives_back_what_was_ticked(asked):
    page = check(asked, "times", **{"times-times": ["4-0"], "times-best_time": "early"})
    form = form_at(parse(press(page, "Change")), path(asked, "times"))
    assert sent(form)["times-times"] == ["4-0"]
    assert sent(form)["times-best_time"] == ["early"]


def test_times_nobody_offers_are_an_error_with_nothing_lost(asked):
    page = check(asked, "times", **{"times-times": ["9-9"], "times-best_time": "early"})
    assert page.status_code == 422
    assert title(parse(page)).startswith("Error: ")
    assert value(by_id(parse(page), "id_times-best_time")) == "early"


def test_a_question_and_an_appointment_have_no_times_to_change(staff):
    asked = question()
    buttons = {text(each) for each in parse(enter(asked)).iter("button")}
    assert "Add something" in buttons
    assert "Change the times to call" not in buttons
    data = sent(form_at_button(enter(asked), "Add something")) | {"times-times": ["0-0"]}
    assert Client().post(path(asked, "times"), data).status_code == 409
    booked = consultation()
    actions.book(enquiry=booked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    assert "Change the times to call" not in said(enter(booked))


# --- one thing more ---


@pytest.mark.parametrize("typed", ["", "  \n", "x" * 501])
def test_a_detail_is_some_words_and_at_most_500_characters(asked, typed):
    page = check(asked, "add", **{"add-text": typed})
    assert page.status_code == 422
    assert value(by_id(parse(page), "id_add-text")).strip() == typed.strip()
    assert "Check what you add" in said(check(asked, "add", **{"add-text": "x" * 500}))


def test_a_detail_stands_on_the_timeline_sealed_and_staff_read_it(asked, staff_client):
    done = press(check(asked, "add"), "Send it")
    assert "We have what you added" in said(done)
    assert "You added something once" in said(done)
    assert "away on Monday" not in done.content.decode()
    event = actions.added(asked).get()
    assert (event.note, event.actor, event.summary) == ("I am away on Monday.", "patient", "")
    with connection.cursor() as cursor:
        cursor.execute("SELECT note FROM enquiries_enquiryevent WHERE kind = 'added'")
        assert b"Monday" not in bytes(cursor.fetchone()[0])
    assert "They added" in staff_client.get(asked.get_admin_url()).content.decode()
    assert alerts(asked) == [], "Who reads a new request reads this with it."


@pytest.mark.parametrize("verb", ["times", "add"])
def test_hearing_from_them_ends_the_wait(asked, staff, verb):
    actions.triage(enquiry=asked, by=staff, to=Status.WAITING)
    asked.refresh_from_db()
    press(check(asked, verb), SURE[verb])
    asked.refresh_from_db()
    assert (asked.status, asked.waiting_since) == (Status.IN_PROGRESS, None)
    moved = asked.events.filter(kind=EventKind.MOVED).last()
    assert (moved.actor, moved.from_status, moved.to_status) == ("patient", Status.WAITING, Status.IN_PROGRESS)


def test_the_clinic_is_told_of_a_detail_that_nobody_would_look_for(asked, staff, mail_through):
    actions.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    press(check(asked, "add"), "Send it")
    deliver()
    [mail] = [each for each in mail_through.messages if "Please look" in each["Subject"]]
    assert asked.reference in mail["Subject"]
    assert not [word for word in (*SECRETS, "Monday") if word in text_of(mail)]
    asked.refresh_from_db()
    assert asked.status == Status.BOOKED


def test_red_flag_words_bring_the_card_and_can_still_be_sent(asked, staff, mail_through):
    Enquiry.objects.update(safety_signs="RF-U1", safety_acted_at=timezone.now())
    stop = check(asked, "add", **{"add-text": SIGN})
    assert said(stop).index("Call 999") < said(stop).index(SIGN)
    assert "Nothing is sent yet" in said(stop)
    assert not actions.added(asked).exists()
    changed = press(stop, "Change what I wrote")
    assert value(by_id(parse(changed), "id_add-text")) == SIGN
    page = press(stop, "Send it anyway")
    assert "Check what you add" in said(page)
    done = press(page, "Send it")
    assert "do not wait for us" in said(done)
    asked.refresh_from_db()
    assert asked.is_flagged
    assert asked.safety_signs == "RF-E2 RF-U1"
    assert alerts(asked) == ["waiting"]
    assert "warning sign" in actions.added(asked).get().summary
    deliver()
    assert not [mail for mail in mail_through.messages if "pee" in text_of(mail).partition("Call 999")[0]]


def test_nobody_sends_red_flag_words_past_the_card(asked):
    page = check(asked, "add")
    stop = press(page, "Send it", **{"add-text": SIGN})
    assert "Please read this before you send it" in said(stop)
    assert not actions.added(asked).exists()


def test_ten_details_are_enough(asked):
    for number in range(actions.MOST_ADDED):
        asked.refresh_from_db()
        actions.add_detail(enquiry=asked, text=f"Detail {number}", safety_signs="", version=asked.version)
    assert "Add something" not in {text(each) for each in parse(enter(asked)).iter("button")}
    data = sent(form_at_button(enter(asked), "Delete my details")) | {"add-text": "One more"}
    assert Client().post(path(asked, "add"), data).status_code == 409


# --- withdrawing and erasing ---


def test_withdrawn_is_closed_by_the_patient_and_the_details_stay(asked):
    assert "Nothing is withdrawn yet" in said(check(asked, "withdraw"))
    done = press(check(asked, "withdraw"), SURE["withdraw"])
    assert "You withdrew it" in said(done)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome, asked.name) == (Status.CLOSED, Outcome.WITHDRAWN, "Ada Example")
    assert asked.events.get(kind=EventKind.WITHDRAWN).actor == "patient"
    assert alerts(asked) == []


@pytest.mark.parametrize("verb", ["withdraw", "erase"])
def test_an_appointment_goes_with_it_and_the_clinic_is_told(asked, staff, mail_through, verb):
    actions.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    page = check(asked, verb)
    assert "Your appointment is called off" in said(page)
    press(page, SURE[verb])
    asked.refresh_from_db()
    assert (asked.status, asked.outcome, asked.appointment_at) == (Status.CLOSED, Outcome.WITHDRAWN, None)
    assert "is called off" in asked.events.get(kind=EventKind.WITHDRAWN).summary
    deliver()
    subjects = [mail["Subject"] for mail in mail_through.messages]
    assert f"Please look at enquiry {asked.reference}" in subjects
    assert not [each for each in subjects if "Your appointment" in each], "The appointment it would name is off."


@pytest.mark.parametrize("verb", ["withdraw", "erase"])
@pytest.mark.parametrize("acted", [False, True], ids=["open flag", "dealt with"])
def test_staff_see_that_a_flagged_one_ended_this_way(asked, staff_client, verb, acted):
    Enquiry.objects.update(safety_signs="RF-E2", safety_acted_at=timezone.now() if acted else None)
    press(check(asked, verb), SURE[verb])
    asked.refresh_from_db()
    summary = asked.events.get(kind=EventKind.WITHDRAWN).summary
    assert ("Its safety flag had been dealt with" if acted else "Its safety flag was open") in summary
    assert "RF-E2" not in summary
    assert alerts(asked) == ([] if acted else ["waiting"])
    page = staff_client.get(asked.get_admin_url()).content.decode()
    assert summary in page
    assert asked.reference in page


def test_erased_leaves_no_word_of_theirs_and_no_link(asked, staff):
    press(check(asked, "times"), SURE["times"])
    press(check(asked, "add", **{"add-text": "I told you something."}), "Send it")
    page = check(asked, "erase")
    for words in ("cannot be undone", "your name", "everything you wrote", "opens nothing then", "is withdrawn"):
        assert words in said(page), words
    done = press(page, SURE["erase"])
    assert (done.status_code, done["Location"]) == (303, "/request/erased/")
    assert "Your request is deleted" in said(Client().get(done["Location"]))
    asked.refresh_from_db()
    assert asked.erased_at
    assert (asked.name, asked.email, asked.phone, asked.description, asked.best_time) == ("", "", "", "", "")
    assert {event.note for event in asked.events.all()} == {""}
    assert asked.events.get(kind=EventKind.ERASED).actor == "patient"
    assert enter(asked).status_code == 404


def test_an_alert_that_had_not_gone_survives_the_erasure(asked, staff):
    actions.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    press(check(asked, "withdraw"), SURE["withdraw"])
    press(check(asked, "erase"), SURE["erase"])
    assert sorted(alerts(asked)) == ["lapsed", "waiting"]


# --- logs ---


def test_no_log_of_ours_and_none_of_the_web_server_holds_the_link(asked, caplog, client):
    token = link.LINK.token(asked)
    actions.erase(enquiry=asked, actor="retention")
    with caplog.at_level(logging.DEBUG):
        Client().get(path(asked))
        Client().post(path(asked, "erase"), {"email": "ada@example.com"})
    told = [record for record in caplog.records if "Not Found" in record.getMessage()]
    assert len(told) == 2
    for record in caplog.records:
        WithoutRequestValues().filter(record)
        assert token not in record.getMessage()
    environ = {
        "REQUEST_METHOD": "POST",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "PATH_INFO": path(asked, "erase"),
        "RAW_URI": path(asked, "erase"),
    }
    answer = SimpleNamespace(status="200 OK", sent=1, headers=[], response_length=1)
    asking = SimpleNamespace(headers=[])
    logger = PrivateLogger(Config())
    line = access_log_format % logger.atoms_wrapper_class(logger.atoms(answer, asking, environ, timedelta(seconds=1)))
    assert "/request/…/erase/" in line
    assert token not in line
