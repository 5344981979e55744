"""A warning sign is found in every box, and its advice is shown before and after sending, and in the email."""

from datetime import timedelta

import pytest
from django import forms as django_forms
from django.test import Client
from django.utils import timezone

from backcare.core.forms import EmailField, TextField
from enquiries.actions import erasure
from enquiries.models import Enquiry, MessageState, OutgoingMessage, Purpose, Status
from enquiries.patient_portal.views import AddForm, TimesForm
from enquiries.privacy import retention
from enquiries.request_forms import own_words
from enquiries.request_forms.consultation import ConsultationForm
from enquiries.request_forms.form_state import FORMS
from tests.support.consultation_form import PATH, first_step, follow, heading, press
from tests.support.forms import form
from tests.support.html import form_at, parse, sent, text
from tests.support.outbox import deliver, text_of, words_of
from tests.support.patient_portal import check as before_sending
from tests.support.patient_portal import press as press_there
from tests.support.patient_portal import said as said_there
from tests.support.patient_portal import without_cookies
from tests.support.senders import VICTIM, ask, from_place
from tests.support.summary import patient

pytestmark = [pytest.mark.usefixtures("db"), pytest.mark.once]

NUMB = "My bottom is numb and I cannot pee"
EMERGENCY = "Call 999 or go to A&E now"
EVERY_FORM = [*FORMS.values(), ConsultationForm, TimesForm, AddForm]


def said(response) -> str:
    return text(next(parse(response).iter("main")))


def typed_by_people(form_class) -> set[str]:
    """Every one-line and many-line text of a form, found by its widget and not by how we read it."""
    widgets = (django_forms.TextInput, django_forms.Textarea)
    left_out = (django_forms.EmailInput, django_forms.HiddenInput)
    return {
        name
        for name, field in form_class.base_fields.items()
        if isinstance(field.widget, widgets) and not isinstance(field.widget, left_out)
    } - {"website", "phone"}


@pytest.mark.parametrize("form_class", EVERY_FORM)
def test_every_text_of_every_form_is_read(form_class):
    empty = form_class.__new__(form_class)
    empty.fields = form_class.base_fields
    empty.cleaned_data = dict.fromkeys(form_class.base_fields, NUMB)
    read = own_words.read(empty)
    assert {box.name for box in read.boxes} == typed_by_people(form_class)
    assert not [each for each in form_class.base_fields.values() if isinstance(each, EmailField) and each.is_own_words]
    assert all(isinstance(form_class.base_fields[box.name], TextField) for box in read.boxes)


@pytest.mark.parametrize(
    ("box", "label", "more"),
    [
        ("needs_note", "Anything else that would help us talk with you", {}),
        ("language", "Which language? (if you need an interpreter)", {}),
        ("best_time", "Anything else about times", {}),
        ("name", "Your name", {}),
        ("their_name", "Their name", {"for_whom": "other", "they_are": "parent", "they_agree": "yes"}),
    ],
)
def test_each_box_of_a_consultation_brings_the_card_which_names_it(client, box, label, more):
    stop = client.post(PATH, first_step(**{box: NUMB, **more}))
    assert heading(stop) == "Please read this before you send it"
    assert f"What you wrote under “{label}”" in said(stop)
    assert said(stop).index(EMERGENCY) < said(stop).index(NUMB)
    assert not Enquiry.objects.exists()
    back = parse(press(client, stop, "change-"))
    [opened] = [each for each in back.iter() if each.get("autofocus") is not None]
    assert opened.get("name") == f"consultation-{box}"
    press(client, press(client, stop, "check"), "send")
    assert Enquiry.objects.get().is_flagged


def test_a_sign_in_the_needs_box_is_followed_by_its_advice_to_the_end(client, mail_through):
    check = press(client, client.post(PATH, first_step(needs_note=NUMB)), "check")
    before = said(check)
    assert before.index("do not wait for our reply") < before.index(EMERGENCY) < before.index("we will reply")
    answer = press(client, check, "send")
    kept = Enquiry.objects.get()
    for _ in range(2):  # a reload shows it again, and so does another browser: it needs no cookie
        page = Client().get(answer["Location"])
        now = said(page)
        assert now.index("do not wait for our reply") < now.index(EMERGENCY) < now.index("We will reply")
        assert not any(theirs in page.content.decode() for theirs in ("Ada", "bottom is numb", kept.reference))
    assert "no-store" in page["Cache-Control"]
    assert page["Referrer-Policy"] in {"no-referrer", "same-origin"}
    deliver()
    to_them, to_clinic = sorted(mail_through.messages, key=lambda mail: mail["To"] != "ada@example.com")
    for words in (text_of(to_them), words_of(to_them)):
        words = " ".join(words.split())
        assert words.index("if any of this is true now") < words.index(EMERGENCY) < words.index("We will reply")
        assert words.count(EMERGENCY) == 1
        assert not any(theirs in words for theirs in ("you wrote", "Ada", NUMB))
    assert to_clinic["Subject"] == "Urgent: please look now"
    assert kept.reference in text_of(to_clinic)
    assert f"{kept.get_admin_url()}" in text_of(to_clinic)
    assert not any(theirs in to_clinic.as_string() for theirs in ("numb", "Ada", "RF-"))


@pytest.mark.parametrize(
    ("words", "first", "never"),
    [
        ("I had cancer in 2019. Is massage safe?", "call 111 today", "Samaritans"),
        ("The pain is endless and I want to die.", "Lifeline on 0808 808 8000", "call 111 today"),
    ],
)
def test_the_advice_is_that_of_the_tier_on_the_page_and_in_the_mail(client, mail_through, words, first, never):
    check = press_question(client, client.post("/question/", form("question", step=None, description=words)), "check")
    page = said(client.get(press_question(client, check, "send")["Location"]))
    deliver()
    [mail] = [mail for mail in mail_through.messages if mail["To"] == "ada@example.com"]
    for told in (page, " ".join(text_of(mail).split()), words_of(mail)):
        assert told.index(first) < told.index("We will reply")
        assert never not in told.partition("We will reply")[0]
        assert EMERGENCY in told  # every page and mail has the emergency card as well


def press_question(client, response, step: str):
    data = sent(form_at(parse(response), "/question/")) | {"question-step": step}
    return follow(client, client.post("/question/", data))


def test_an_ordinary_request_gets_an_ordinary_page_and_mail(client, mail_through):
    address = press(client, client.post(PATH, first_step()), "send")["Location"]
    deliver()
    assert "do not wait for our reply" not in said(client.get(address))
    subjects = {mail["To"]: mail["Subject"] for mail in mail_through.messages}
    assert subjects["inbox@example.com"].startswith("New enquiry ")
    assert "true now" not in mail_through.messages[0].as_string()


@pytest.mark.parametrize("address", ["x", "a.b.c", "0" * 32])
def test_an_address_that_we_never_made_shows_the_page_of_everybody(client, address):
    assert client.get(f"/question/sent/{address}/").content == client.get("/question/sent/").content.replace(
        b"/question/sent/", f"/question/sent/{address}/".encode()
    )


def test_the_page_of_one_kind_does_not_open_for_the_other_and_ends_when_the_details_are_erased(client):
    check = press(client, client.post(PATH, first_step(needs_note=NUMB)), "check")
    address = press(client, check, "send")["Location"]
    assert "do not wait for our reply" not in said(client.get(address.replace("consultation", "question")))
    assert "do not wait for our reply" in said(client.get(address))
    erasure.erase(enquiry=Enquiry.objects.get(), actor="patient", summary="")
    assert "do not wait for our reply" not in said(client.get(address))


# --- nobody is silenced, and nobody is told of a mail that does not go ---


def test_after_three_forms_with_an_address_its_owner_is_told_the_truth_and_gets_the_private_link_once(mail_through):
    for number in range(3):
        ask("question", from_place(number), email=VICTIM, description=f"Number {number}")
    mine = from_place(9)
    answer = ask("question", mine, email=VICTIM, description="It is really me")
    kept = Enquiry.objects.latest("created_at")
    page = mine.get(answer["Location"])
    assert "will not email you to confirm" in said(page)
    assert "We will email you to confirm" not in said(page)
    assert "We will reply" in said(page)
    [link] = [each.get("href") for each in parse(page).iter("a") if "Your private link" in text(each)]
    opened = without_cookies(link.partition("example.com")[2] or link, {"email": VICTIM})
    assert kept.reference in text(parse(opened))
    assert (kept.status, kept.reply_by is None) == (Status.NEW, False)
    assert [each.purpose for each in kept.messages.all()] == [Purpose.CLINIC_ALERT]
    # Typing that address reveals nothing about hers.
    other = ask("question", from_place(10), email=VICTIM, description="Somebody else")
    assert link not in from_place(10).get(other["Location"]).content.decode()


# --- what patients add on their own request's page ---


@pytest.mark.parametrize(
    ("verb", "changes"),
    [("add", {"add-text": NUMB}), ("times", {"times-days": ["1"], "times-day_parts": ["0"], "times-best_time": NUMB})],
)
def test_what_they_add_later_is_read_in_each_box_and_answered_with_the_advice(asked, mail_through, verb, changes):
    deliver()
    mail_through.received.clear()
    stop = before_sending(asked, verb, **changes)
    assert said_there(stop).index(EMERGENCY) < said_there(stop).index(NUMB)
    sure = press_there(stop, "Send it anyway")
    done = press_there(sure, {"add": "Send it", "times": "Save the new times"}[verb])
    assert said_there(done).index("do not wait for our reply") < said_there(done).index(EMERGENCY)
    asked.refresh_from_db()
    assert asked.is_flagged
    deliver()
    assert [mail["Subject"] for mail in mail_through.messages] == ["Urgent: please look now"]


# --- a report, which nobody is owed an answer to ---


def press_report(client, response, step: str = ""):
    data = sent(form_at(parse(response), "/report/"))
    return follow(client, client.post("/report/", data | ({"report-step": step} if step else {})))


def test_a_sign_beside_a_report_brings_the_card_the_advice_and_the_clinic_and_stays_open(client, mail_through):
    for number in range(3):  # the mailbox has had its mails for today: no reason to overlook anybody
        ask(client=from_place(number), name=f"Ada {number}")
    deliver()
    mail_through.received.clear()
    stop = client.post("/report/", form("report", name=NUMB))
    assert "What you wrote under “Your name”" in said(stop)
    assert said(stop).index(EMERGENCY) < said(stop).index(NUMB)
    assert Enquiry.objects.count() == 3
    back = press_report(client, stop, "change-name")
    assert [each.get("value") for each in parse(back).iter("input") if each.get("name") == "report-name"] == [NUMB]
    page = client.get(press_report(client, stop)["Location"])
    assert (
        said(page).index("get that help first")
        < said(page).index(EMERGENCY)
        < said(page).index("We will not send an email")
    )
    kept = Enquiry.objects.latest("created_at")
    assert (kept.status, kept.is_flagged) == (Status.NEW, True)
    deliver()
    assert [mail["Subject"] for mail in mail_through.messages] == ["Urgent: please look now"]


def test_answers_that_cannot_wait_come_with_a_report_and_its_delivery_does_not_close_it(mail_through):
    browser = patient(mood="a_lot")
    stop = browser.post("/report/", form("report", include_answers="yes"))
    assert "An answer you gave in “Check your symptoms”" in said(stop)
    page = browser.get(press_report(browser, stop)["Location"])
    assert said(page).index("Samaritans") < said(page).index("What happens next")
    deliver()
    kept = Enquiry.objects.get()
    assert (kept.safety_signs, kept.status) == (own_words.CRISIS, Status.NEW)
    assert OutgoingMessage.objects.get(purpose=Purpose.REPORT).state == MessageState.SENT
    to_them, to_clinic = sorted(mail_through.messages, key=lambda mail: mail["To"] != "ada@example.com")
    assert "Samaritans" in text_of(to_them).partition("Here is the fact sheet")[0]
    assert to_clinic["Subject"] == "Urgent: please look now"
    later = timezone.now() + timedelta(days=60)
    assert not retention.due_reports(later).exists(), "Erased before anybody looked."
    Enquiry.objects.update(safety_acted_at=timezone.now())
    assert retention.due_reports(later).exists()
