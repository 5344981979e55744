"""The confirmation of a report: it plays back the address, takes a change or "Send it again", and tells nobody anything else."""

import re
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from playwright.sync_api import expect

from enquiries import actions
from enquiries.models import Assessment, Enquiry, EventKind, MessageState, OutgoingMessage, Status
from enquiries.outbox import Worker
from enquiries.privacy.encryption import new_key
from enquiries.report import receipt
from tests.assessment import finish
from tests.conftest import consultation
from tests.honest import form
from tests.html import described, form_at, parse, sent, text, title
from tests.outbox import deliver, events, make_due, text_of
from tests.pages import expect_problem
from tests.test_accept import at_once
from tests.test_access_keyboard import Keys
from tests.test_access_keyboard import patient as without_motion
from tests.test_bad_input import ELSEWHERE

pytestmark = pytest.mark.usefixtures("db")
SENT, CHANGE, AGAIN = "/report/sent/", "/report/sent/change/", "/report/sent/again/"
ADA, BEA, EVE = "ada@example.com", "bea@example.com", "eve@example.com"
PLAYED_BACK = "We are sending it"
PHONE = "020 7946 0958"


def asked(client: Client | None = None, *, with_answers: bool = False, **changes) -> Client:
    """A browser that has just asked for a report."""
    client = client or Client()
    data = form("report", **changes) | ({"report-include_answers": "yes"} if with_answers else {})
    answer = client.post("/report/", data)
    assert (answer.status_code, answer["Location"]) == (303, SENT), answer.content.decode()[:500]
    return client


def holding(value: str) -> Client:
    client = Client()
    client.cookies["sent"] = value
    return client


def read(client: Client) -> str:
    answer = client.get(SENT)
    assert answer.status_code == 200
    return text(parse(answer))


def change(client: Client, email: str):
    return client.post(CHANGE, {"email": email})


def expect_done(answer) -> None:
    assert (answer.status_code, answer["Location"]) == (303, SENT)


def expect_nothing_changed(answer) -> None:
    assert answer.status_code == 410
    assert "nothing was changed or sent" in text(parse(answer))
    assert not answer.cookies


def general() -> bytes:
    return Client().get(SENT).content


def without_seconds(page: bytes) -> str:
    return re.sub(r"\b\d+ seconds?", "some seconds", page.decode())


def time_passes(client: Client, seconds: int = 61) -> None:
    """Everything that the site remembers of the browser's request, and the receipt in the browser, is older by this."""
    held = receipt.opened(client.cookies["sent"].value, now=time.time())
    earlier = timedelta(seconds=seconds)
    for row in [Enquiry.objects.get(pk=held.enquiry), *OutgoingMessage.objects.filter(enquiry=held.enquiry)]:
        type(row).objects.filter(pk=row.pk).update(created_at=row.created_at - earlier)
    for event in Enquiry.objects.get(pk=held.enquiry).events.all():
        type(event).objects.filter(pk=event.pk).update(created_at=event.created_at - earlier)
    client.cookies["sent"] = receipt.sealed(receipt.Receipt(held.enquiry, held.email, held.at - seconds))


# --- the receipt ---


def test_the_receipt_is_for_30_minutes_and_no_script_other_site_or_other_page_can_have_it(client, settings):
    [(name, given)] = asked(client).cookies.items()
    assert (name, given["max-age"], given["path"], given["domain"]) == ("sent", 30 * 60, "/report/", "")
    assert given["httponly"]
    assert given["samesite"] == "Strict"
    assert ADA not in str(given)
    settings.LOCAL = False
    [(name, given)] = Client().post("/report/", form("report"), secure=True).cookies.items()
    assert (name, given["secure"]) == ("__Secure-sent", True)


def test_only_a_report_that_was_accepted_gives_one_and_reading_never_does(client):
    assert not client.post("/report/", form("report", email="ada@")).cookies
    for kind in ("consultation", "question"):
        assert not client.post(f"/{kind}/", form(kind)).cookies
    for address in ("/", "/report/", SENT, CHANGE, AGAIN, "/fact-sheets/"):
        assert not client.get(address).cookies
    asked(client)
    for address in (SENT, CHANGE, AGAIN, "/report/"):
        assert not client.get(address).cookies, f"Reading {address} made the receipt last longer."
    time_passes(client, 600)
    left = change(client, BEA).cookies["sent"]["max-age"]
    assert 1190 <= left <= 1200, "Nor does a change."


def test_the_page_plays_back_what_was_asked_for_and_only_to_this_browser(client):
    before = general()
    answer = asked(client).get(SENT)
    said = text(parse(answer))
    for words in (f"{PLAYED_BACK} to {ADA}.", "Not right? Change the address", "About back pain", "Not included"):
        assert words in said
    assert "no-store" in answer["Cache-Control"]
    assert answer["X-Robots-Tag"] == "noindex"
    assert ADA not in title(parse(answer))
    assert general() == before
    assert ADA not in before.decode()


def test_a_private_summary_is_named_where_there_is_one(client):
    finish(client)
    assert "A link to it is in the email. It works for 7 days." in read(asked(client, with_answers=True))
    Assessment.objects.update(expires_at=timezone.now())
    assert "Not included" in read(client)


def test_any_other_receipt_shows_the_general_page(client, settings):
    value = asked(client).cookies["sent"].value
    held, now = receipt.opened(value, now=time.time()), int(time.time())
    other = receipt.opened(asked(email=BEA).cookies["sent"].value, now=time.time())
    finish(client)
    wrong = {
        "of another cookie of ours": client.cookies["check"].value,
        "half of one and half of another": value[:60] + receipt.sealed(other)[60:],
        "30 minutes old": receipt.sealed(receipt.Receipt(held.enquiry, ADA, now - 1800)),
        "from tomorrow": receipt.sealed(receipt.Receipt(held.enquiry, ADA, now + 86_400)),
        "for another address": receipt.sealed(receipt.Receipt(held.enquiry, EVE, now)),
        "for somebody else's request": receipt.sealed(receipt.Receipt(other.enquiry, ADA, now)),
        "for no report": receipt.sealed(receipt.Receipt(consultation().pk, ADA, now)),
        "for nothing": receipt.sealed(receipt.Receipt(Assessment().pk, ADA, now)),
        "made up": "A" * 200,
        "empty": "",
        "too long": "A" * 9000,
        "not even letters": "é%00",
    }
    for place in range(0, len(value) - 1, 9):
        wrong[f"changed at {place}"] = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
    plain, before = general(), Enquiry.objects.get(pk=held.enquiry).version
    for what, cookie in wrong.items():
        assert holding(cookie).get(SENT).content == plain, what
        expect_nothing_changed(change(holding(cookie), EVE))
        expect_nothing_changed(holding(cookie).post(AGAIN))
    assert holding(value).get(SENT).content != plain
    settings.FIELD_ENCRYPTION_KEYS = [
        next(key for key in iter(new_key, None) if key not in settings.FIELD_ENCRYPTION_KEYS)
    ]
    assert holding(value).get(SENT).content == plain
    assert Enquiry.objects.get(pk=held.enquiry).version == before


def test_without_a_receipt_the_two_other_addresses_lead_back_and_take_nothing():
    for address in (CHANGE, AGAIN):
        expect_done(Client().get(address))
        expect_nothing_changed(Client().post(address, {"email": EVE}))
    asked()
    assert EventKind.CORRECTED not in Enquiry.objects.get().events.values_list("kind", flat=True)


def test_erased_details_are_played_back_to_nobody(client):
    asked(client)
    actions.erase(enquiry=Enquiry.objects.get(), actor="retention")
    assert client.get(SENT).content == general()
    expect_nothing_changed(change(client, BEA))
    expect_nothing_changed(client.post(AGAIN))
    for verb in (
        lambda kept: actions.correct_address(enquiry=kept, email=BEA),
        lambda kept: actions.send_report_again(enquiry=kept),
    ):
        with pytest.raises(actions.Erased):
            verb(Enquiry.objects.get())
    assert Enquiry.objects.get().email == ""


def test_a_receipt_acts_on_its_own_request_in_whatever_browser_it_is(client, mail_through):
    asked(client)
    other = asked(email=BEA)
    other.cookies["sent"] = client.cookies["sent"].value
    expect_done(change(other, EVE))
    assert {kept.email for kept in Enquiry.objects.all()} == {BEA, EVE}
    assert client.get(SENT).content == general(), "What was changed elsewhere is not this browser's any more."
    expect_nothing_changed(client.post(AGAIN))
    expect_nothing_changed(change(client, ADA))


@pytest.mark.parametrize("headers", ELSEWHERE[:2])
def test_another_website_can_change_and_send_nothing(headers):
    value = asked().cookies["sent"].value
    visitor = Client(enforce_csrf_checks=True)
    visitor.cookies["sent"] = value
    for address in (CHANGE, AGAIN):
        assert visitor.post(address, {"email": EVE}, **headers).status_code == 403
    assert Enquiry.objects.get().email == ADA


# --- nobody learns whether we know an address ---


def test_the_page_is_the_same_for_an_address_we_know_and_one_we_do_not(mail_through):
    first = asked()
    deliver()
    time_passes(first, 600)
    stranger, elsewhere = asked(), asked(email=BEA)
    assert Enquiry.objects.count() == 2, "The same form was one request."
    pages = [each.get(SENT).content.replace(BEA.encode(), ADA.encode()) for each in (stranger, elsewhere)]
    assert without_seconds(pages[0]) == without_seconds(pages[1])
    refused = [each.post(AGAIN) for each in (stranger, elsewhere)]
    assert [answer.status_code for answer in refused] == [429, 429], "Only a known one could be sent again already."
    assert OutgoingMessage.objects.count() == 2


@pytest.mark.parametrize("verb", ["change", "again"])
def test_who_sends_the_old_form_after_a_change_gets_no_hand_on_that_request(client, verb):
    asked(client)
    time_passes(client)
    expect_done(change(client, BEA) if verb == "change" else client.post(AGAIN))
    stranger = asked()
    assert Enquiry.objects.count() == 2
    page = stranger.get(SENT).content
    assert BEA not in page.decode()
    assert without_seconds(page) == without_seconds(asked(Client(), name="Somebody Else").get(SENT).content)
    change(stranger, EVE)
    assert f"to {BEA if verb == 'change' else ADA}." in read(client)


def test_a_request_that_was_set_aside_looks_like_any_other_and_sends_nothing(mail_through, staff):
    robot, person = asked(website="x"), asked()
    kept = Enquiry.objects.get(status=Status.SPAM)

    def expect_same(answers):
        assert answers[0].status_code == answers[1].status_code
        assert without_seconds(answers[0].content) == without_seconds(answers[1].content)

    both = (robot, person)
    expect_same([each.get(SENT) for each in both])
    expect_same([each.post(AGAIN) for each in both])
    expect_same([change(each, BEA) for each in both])
    expect_same([each.get(SENT) for each in both])
    for _ in range(3):
        for each in both:
            time_passes(each)
        expect_same([each.post(AGAIN) for each in both])
        expect_same([each.get(SENT) for each in both])
    assert PHONE in read(robot)
    assert not kept.messages.exists()
    # Somebody whose browser filled in the trap: staff release it, and it goes to the address as it was put right.
    deliver()
    before = len(mail_through.received)
    actions.triage(enquiry=kept, by=staff, to=Status.NEW)
    deliver()
    assert mail_through.recipients[before:] == [[BEA]]


# --- send it again ---


def test_it_can_be_sent_again_after_a_minute_three_times_and_then_the_page_gives_the_phone_number(
    client, many_forms, mail_through
):
    asked(client)
    deliver()
    for number in (1, 2, 3):
        time_passes(client, 15)  # too late for a second click
        answer = client.post(AGAIN)
        said = text(parse(answer))
        assert answer.status_code == 429
        assert 35 <= int(answer["Retry-After"]) <= 45
        assert re.search(r"You can send it again in [34]\d seconds\. Then press “Send it again” once more\.", said)
        assert title(parse(answer)).startswith("Error: ")
        time_passes(client)
        assert "Wait" not in read(client)
        expect_done(client.post(AGAIN))
        assert len(mail_through.received) == number
        deliver()
        assert mail_through.recipients == [[ADA]] * (number + 1)
    said = read(client)
    assert f"{PLAYED_BACK} again to {ADA}." in said
    assert f"We are glad to help you on the phone: {PHONE}" in said
    assert not [each for each in parse(client.get(SENT)).iter("form") if each.get("action") in {AGAIN, CHANGE}]
    expect_done(client.get(CHANGE))
    time_passes(client, 600)
    for _ in range(5):
        answer = client.post(AGAIN)
        assert answer.status_code == 429
        assert PHONE in text(parse(answer))
        assert change(client, EVE).status_code == 303
    deliver()
    assert len(mail_through.received) == 4
    assert len(set(mail_through.ids)) == 4
    assert Enquiry.objects.get().status == Status.CLOSED, "Nothing is opened again for staff."


def test_changes_and_repeats_count_together_whichever_browser_they_come_from(client, mail_through):
    asked(client)
    deliver()
    addresses = [f"{name}@example.com" for name in ("bea", "eve", "finn", "gil")]
    for email in addresses:
        copy = holding(client.cookies["sent"].value)
        change(copy, email)
        if "sent" in copy.cookies:
            client.cookies["sent"] = copy.cookies["sent"].value
        deliver()
    time_passes(client)
    assert client.post(AGAIN).status_code == 429
    assert [to for [to] in mail_through.recipients] == [ADA, *addresses[:3]]
    assert Enquiry.objects.get().email == addresses[2]


def test_a_second_click_sends_nothing_more_and_is_no_error(client, mail_through):
    asked(client)
    deliver()
    time_passes(client)
    expect_done(client.post(AGAIN))
    expect_done(client.post(AGAIN))
    for _ in (1, 2):
        expect_done(change(holding(client.cookies["sent"].value), BEA))
    assert change(client, BEA).cookies["sent"].value
    kept = Enquiry.objects.get()
    assert (events(kept, EventKind.MESSAGE_AGAIN), events(kept, EventKind.CORRECTED)) == (1, 1)
    deliver()
    assert mail_through.recipients == [[ADA], [BEA]]


def test_what_is_still_on_its_way_is_not_made_twice(client, mail_through):
    asked(client)
    time_passes(client)
    expect_done(client.post(AGAIN))
    assert deliver() == 1
    other = asked(email=BEA)
    worker = Worker("has it in hand")
    message = worker.claim()
    time_passes(other)
    expect_done(other.post(AGAIN))
    assert message.enquiry.messages.count() == 1


def test_a_failed_mail_gets_its_tries_anew_with_its_own_id_and_leaves_the_top_of_the_inbox(client, mail_through):
    mail_through.refuse_recipients.add(ADA)
    asked(client)
    deliver()
    kept = Enquiry.objects.get()
    assert kept.mail_failed
    mail_through.refuse_recipients.clear()
    time_passes(client)
    expect_done(client.post(AGAIN))
    kept.refresh_from_db()
    assert not kept.mail_failed
    deliver()
    assert mail_through.ids == [f"<{kept.messages.get().pk}@example.com>"]


# --- change the address ---


def test_a_mail_that_has_not_left_goes_to_the_new_address_only(client, mail_through):
    asked(client)
    expect_done(change(client, BEA))
    assert f"{PLAYED_BACK} to {BEA}." in read(client)
    deliver()
    assert mail_through.recipients == [[BEA]]
    assert OutgoingMessage.objects.count() == 1


def test_a_mail_that_has_left_is_followed_by_one_to_the_new_address(client, mail_through):
    asked(client)
    deliver()
    expect_done(change(client, BEA))
    deliver()
    assert mail_through.recipients == [[ADA], [BEA]]
    assert Enquiry.objects.get().status == Status.CLOSED


@pytest.mark.parametrize(
    ("answer", "state"), [("451 later", MessageState.WAITING), ("550 nobody", MessageState.FAILED)]
)
def test_a_mail_that_cannot_be_delivered_is_replaced_by_one_to_the_new_address(client, mail_through, answer, state):
    mail_through.answers["rcpt"] = answer
    asked(client)
    deliver()
    kept = Enquiry.objects.get()
    assert kept.messages.get().state == state
    mail_through.answers.clear()
    expect_done(change(client, BEA))
    make_due()
    deliver()
    assert mail_through.recipients == [[BEA]]
    kept.refresh_from_db()
    assert (kept.mail_failed, kept.status) == (False, Status.CLOSED)
    assert sorted(kept.messages.values_list("state", flat=True)) == [MessageState.LAPSED, MessageState.SENT]


def test_a_mail_in_the_hands_of_a_worker_is_followed_by_one_to_the_new_address(client, mail_through):
    asked(client)
    worker = Worker("slow")
    message = worker.claim()
    expect_done(change(client, BEA))
    worker.send(message)
    worker.settle_success(message)
    worker.disconnect()
    deliver()
    assert mail_through.recipients == [[ADA], [BEA]]


def link_in(mail) -> str:
    return re.search(r"http://\S+(/report/summary/\S+/)", text_of(mail))[1]


def test_the_link_that_a_stranger_got_opens_nothing_after_the_change_even_with_the_right_address(client, mail_through):
    finish(client)
    asked(client, with_answers=True, email=EVE)
    deliver()
    told = Assessment.objects.get().told
    expect_done(change(client, ADA))
    deliver()
    strangers, theirs = (link_in(mail) for mail in mail_through.messages)
    for email in (EVE, ADA):
        assert Client().post(strangers, {"email": email}).status_code == 410
    assert Client().post(theirs, {"email": EVE}).status_code == 422
    opened = Client().post(theirs, {"email": ADA})
    assert opened.status_code == 200
    assert "look after your back at home" in text(parse(opened))
    kept = Assessment.objects.get()
    assert (kept.told, kept.wrong_tries) == (told, 1)
    assert "A link to it is in the email." in read(client)


def test_a_wrong_address_is_an_instruction_with_the_text_kept_and_nothing_is_sent(client):
    asked(client)
    for typed, message in {
        "": "Enter your email address",
        "ada@": "Enter an email address in the correct format, like name@example.com",
        "ada@example.com\r\nBcc: eve@example.com": "Enter an email address in the correct format",
        f"{'a' * 250}@example.com": "Enter an email address of 254 characters or fewer.",
    }.items():
        answer = change(client, typed)
        document = parse(answer)
        assert answer.status_code == 422
        assert title(document).startswith("Error: ")
        [field] = [each for each in form_at(document, CHANGE).iter("input") if each.get("name") == "email"]
        assert field.get("value", "") == typed.replace("\r\n", "\n")
        assert message in described(document, field)
    assert sent(form_at(parse(client.get(CHANGE)), CHANGE))["email"] == [ADA]
    assert Enquiry.objects.get().version == 1


def test_the_same_address_again_changes_nothing(client):
    asked(client)
    expect_done(change(client, ADA))
    kept = Enquiry.objects.get()
    assert (kept.version, events(kept, EventKind.CORRECTED)) == (1, 0)


def test_the_timeline_says_who_and_what_and_no_log_or_timeline_says_where(client, mail_through, caplog):
    caplog.set_level("INFO")
    asked(client)
    deliver()
    change(client, BEA)
    time_passes(client)
    client.post(AGAIN)
    deliver()
    kept = Enquiry.objects.get()
    ours = kept.events.filter(kind__in=[EventKind.CORRECTED, EventKind.MESSAGE_AGAIN])
    assert [(event.kind, event.actor) for event in ours] == [("corrected", "patient"), ("message_again", "patient")]
    assert kept.version == 4, "Received; closed when it was sent; corrected; sent again."
    # The tests' mail server logs what it hears; that is not ours.
    logged = [record.getMessage() for record in caplog.records if record.name.startswith(("enquiries", "django"))]
    assert [line for line in logged if kept.reference in line]
    for words in ("\n".join(logged), str(list(kept.events.values()))):
        assert "ada@" not in words
        assert "bea@" not in words


# --- did you mean ---


def test_a_mail_to_an_address_that_looks_wrong_waits_two_minutes_for_the_person_to_put_it_right(client, mail_through):
    asked(client, email="ada@gmial.com")
    assert "Did you mean ada@gmail.com?" in read(client)
    message = OutgoingMessage.objects.get()
    assert timedelta(seconds=110) < message.next_attempt_at - timezone.now() <= timedelta(minutes=2)
    assert deliver() == 0
    document = parse(client.get(SENT))
    button = form_at(document, CHANGE)
    assert [text(each) for each in button.iter("button")] == ["Yes, send it to ada@gmail.com instead"]
    expect_done(client.post(CHANGE, sent(button)))
    assert "Did you mean" not in read(client)
    assert deliver() == 1
    assert mail_through.recipients == [["ada@gmail.com"]]


def test_who_does_not_answer_the_question_gets_the_mail_where_they_said(client, mail_through):
    asked(client, email="ada@gmial.com")
    make_due()
    deliver()
    assert mail_through.recipients == [["ada@gmial.com"]]


def test_a_changed_address_is_asked_about_as_well(client):
    asked(client)
    change(client, "ada@hotmial.co.uk")
    assert "Did you mean ada@hotmail.co.uk?" in read(client)
    assert deliver() == 0


# --- at the same moment ---


def test_many_clicks_at_once_on_send_it_again_are_one_mail(transactional_db, mail_through):
    client = asked()
    deliver()
    time_passes(client)
    value, answers = client.cookies["sent"].value, []
    at_once(8, lambda: answers.append(holding(value).post(AGAIN).status_code))
    assert answers == [303] * 8
    assert OutgoingMessage.objects.count() == 2


def test_many_clicks_at_once_on_a_change_are_one_change(transactional_db, mail_through):
    value, answers = asked().cookies["sent"].value, []
    deliver()
    at_once(8, lambda: answers.append(change(holding(value), BEA).status_code))
    assert answers == [303] * 8
    assert events(Enquiry.objects.get(), EventKind.CORRECTED) == 1
    assert OutgoingMessage.objects.count() == 2


def test_many_changes_at_once_are_never_more_than_three(transactional_db, mail_through):
    asked()
    deliver()
    kept, refused = Enquiry.objects.get(), []
    addresses = iter([f"{letter}@example.com" for letter in "bcdefghijk"])

    def one():
        try:
            actions.correct_address(enquiry=kept, email=next(addresses))
        except actions.TooOften:
            refused.append(1)

    at_once(8, one)
    assert (events(kept, EventKind.CORRECTED), len(refused)) == (3, 5)
    deliver()
    assert len(mail_through.received) <= 4


def test_a_change_while_workers_are_busy_loses_no_mail_and_locks_nobody_out(transactional_db, many_forms, mail_through):
    clients = [asked(email=f"old{number}@example.com") for number in range(6)]
    jobs = iter(
        [
            *(lambda each=each, n=n: change(each, f"new{n}@example.com") for n, each in enumerate(clients)),
            deliver,
            deliver,
        ]
    )
    at_once(8, lambda: next(jobs)())
    deliver()
    reached = {to for [to] in mail_through.recipients}
    assert {f"new{number}@example.com" for number in range(6)} <= reached
    assert set(OutgoingMessage.objects.values_list("state", flat=True)) == {MessageState.SENT}


# --- in a browser ---


@pytest.mark.browser
@pytest.mark.parametrize("scripts", [False, True], ids=["by keyboard without scripts", "with axe"])
@pytest.mark.once
def test_on_a_small_phone_every_state_can_be_reached_and_read(browser, site, scripts):
    with without_motion(browser, site, java_script_enabled=scripts, viewport={"width": 360, "height": 740}) as met:
        keys, page = Keys(met), met.page

        def press(what: str):
            if scripts:
                page.locator(f"main {what}").first.click()
            else:
                keys.reach(f"main {what}")
                page.keyboard.press("Enter")

        def look(said: str):
            expect(page.locator("main")).to_contain_text(said)
            met.expect_no_sideways_scrolling()
            if scripts:  # axe is one
                met.expect_accessible()

        def retype(words: str):
            page.locator("main [name=email]").focus()
            page.keyboard.press("ControlOrMeta+A")
            page.keyboard.type(words)
            press("#change")

        met.open("/report/?sheet=about-back-pain")
        page.locator("main [name=report-name]").focus()
        keys.type("report", name="Ada Example", email="ada@gmial.com")
        press("button >> text=Send me the report")
        look("We are sending it to ada@gmial.com.")
        press("button >> text=Yes, send it to ada@gmail.com instead")
        look("We are sending it to ada@gmail.com.")
        press("a >> text=Change the address")
        look("Where should it go instead?")
        retype("ada@")
        page.wait_for_selector(".problem:focus")
        expect_problem(page, "Enter an email address in the correct format, like name@example.com")
        look("There is a problem")
        retype("a.long.name.for.a.small.phone@department.of.long.names.example.com")
        look("We are sending it to a.long.name.for.a.small.phone@department.of.long.names.example.com.")
        press("button >> text=Send it again")
        page.wait_for_selector(".problem:focus")
        look("Please wait a moment")
        press("a >> text=Change the address")
        look("Where should it go instead?")
        retype("ada@example.com")
        look("We cannot send it again from this page.")
        met.complaints = [words for words in met.complaints if "status of 429" not in words]
        met.expect_clean(cookies=True)
        assert [(each["name"], each["path"]) for each in met.context.cookies()] == [("sent", "/report/")]
    assert Enquiry.objects.get().email == "ada@example.com"
