"""A wrong address or number is corrected from the enquiry, and mail that did not arrive says what to do."""

import pytest
from django.urls import reverse

from enquiries import links
from enquiries.actions import contact, triage
from enquiries.mail.worker import reason_in_words
from enquiries.models import Enquiry, EventKind, MessageState, Purpose
from factsheets.models import FactSheet
from tests.conftest import consultation, report
from tests.support.desk import person, values_of
from tests.support.html import parse, text, tree
from tests.support.inbox import listed
from tests.support.outbox import deliver, make_due, text_of

RIGHT = "ada@right.example"


@pytest.fixture
def wrong(mail_through, smtp) -> Enquiry:
    """Its acknowledgement was refused by the mail server, because the address is wrong."""
    enquiry = consultation(email="ada@wrong.example")
    smtp.refuse_recipients = {"ada@wrong.example"}
    deliver()
    enquiry.refresh_from_db()
    assert enquiry.mail_failed
    smtp.received.clear()
    return enquiry


def page_of(enquiry) -> str:
    return reverse("admin:enquiries_enquiry_correct", args=[enquiry.pk])


def correct(client, enquiry, **changes):
    enquiry.refresh_from_db()
    now = {"email": enquiry.email, "phone": enquiry.phone, "why": "told", "version": enquiry.version}
    return client.post(page_of(enquiry), named(**now | changes), follow=True)


def named(asked: str = "", **typed) -> dict:
    return {f"correct-{name}": value for name, value in typed.items()} | ({"asked": asked} if asked else {})


def said(response) -> str:
    return text(parse(response))


@pytest.mark.long
def test_a_failed_mail_says_what_to_do_and_goes_to_the_address_that_is_put_right(reception, wrong, smtp):
    top = said(reception.get(wrong.get_admin_url()))
    assert "An email did not arrive" in top
    assert "There is no such mailbox, or it accepts no email from us." in top
    for offer in ("Phone 020 7946 0018", "Correct the address", "Send again: acknowledgement to the patient"):
        assert offer in top
    after = said(correct(reception, wrong, email=RIGHT, why="typo"))
    assert "1 email is on the way to the new address." in after
    assert "An email did not arrive" not in after
    assert "Rita" in after
    assert "Email address corrected: it had a typing mistake" in after
    assert "Email address before: ada@wrong.example" in after
    assert listed(reception, q="ada@right") == listed(reception, q=RIGHT) == [wrong.pk]
    assert listed(reception, q="ada@wrong.example") == []
    deliver()
    assert [(to, mail["To"]) for to, mail in smtp.received] == [([RIGHT], RIGHT)]


def test_what_went_to_the_old_address_is_sent_once_more_and_its_links_are_shut(reception, mail_through, smtp):
    enquiry = consultation(email="stranger@example.com")
    contact.reply(enquiry=enquiry, by=person("Sam", "reception"), text="Please phone us.")
    deliver()
    old = [mail for to, mail in smtp.received if to == ["stranger@example.com"]]
    assert len(old) == 2
    smtp.received.clear()
    page = parse(reception.get(page_of(enquiry)))
    assert "Acknowledgement to the patient; Reply to the patient" in text(page)
    correct(reception, enquiry, email=RIGHT, send_again="on")
    deliver()
    assert sorted(str(mail["Subject"]) for mail in smtp.messages) == sorted(str(mail["Subject"]) for mail in old)
    assert {to for to, _ in ((*to, mail) for to, mail in smtp.received)} == {RIGHT}
    names = {each.name: each.wrong_tries for each in enquiry.private_links.all()}
    shut = {mail.pk.hex[:8] for mail in enquiry.messages.filter(purpose__in=[Purpose.ACKNOWLEDGEMENT, Purpose.REPLY])}
    assert names.keys() < shut
    assert len(names) == 2
    # The new mail's link opens with the new address.
    token = (
        next(line for line in text_of(smtp.messages[-1]).split() if "/request/" in line).rstrip("/").rsplit("/", 1)[1]
    )
    assert links.REQUEST.name_of(token) not in names


def test_without_the_tick_only_what_waited_goes_there(reception, mail_through, smtp):
    enquiry = consultation(email="stranger@example.com")
    deliver()
    smtp.received.clear()
    correct(reception, enquiry, email=RIGHT)
    assert deliver() == 0
    contact.send_new_link(enquiry=enquiry, by=person("Sam", "reception"))
    make_due()
    deliver()
    assert [to for to, _ in smtp.received] == [[RIGHT]]


def test_a_fact_sheet_goes_to_the_right_address(reception, mail_through, smtp):
    enquiry = report(FactSheet.objects.published().first(), email="wrong@example.com")
    deliver()
    smtp.received.clear()
    assert "Phone number" not in said(reception.get(page_of(enquiry)))
    correct(reception, enquiry, email=RIGHT)
    deliver()
    assert [to for to, _ in smtp.received] == [[RIGHT]]


def test_a_number_alone_is_corrected_and_found(reception, db):
    enquiry = consultation()
    after = said(correct(reception, enquiry, phone="020 7946 4321", why="new"))
    assert "Phone number corrected: they have a new one" in after
    assert listed(reception, q="4321") == [enquiry.pk]
    assert listed(reception, q="0018") == []
    assert (
        not enquiry.messages.filter(state=MessageState.WAITING)
        .exclude(purpose=Purpose.CLINIC_ALERT)
        .exclude(purpose=Purpose.ACKNOWLEDGEMENT)
    )


def test_nothing_typed_is_lost_and_nothing_wrong_is_kept(reception, db, subtests):
    enquiry = consultation()
    version = enquiry.version
    refusals = [
        ({"email": "ada@", "phone": "020 7946 4321"}, "Enter an email address in the correct format"),
        ({"email": RIGHT, "phone": "12"}, "too short"),
        ({"email": RIGHT, "why": ""}, "Choose why you are changing it"),
        ({"email": "", "phone": ""}, "Keep an email address or a phone number"),
        ({}, "Nothing is different"),
        ({"email": "ada@gmial.com"}, "Did you mean ada@gmail.com? If not, press the button again."),
    ]
    for typed, message in refusals:
        with subtests.test(message=message):
            response = correct(reception, enquiry, **typed)
            assert response.status_code == 422
            assert message in said(response)
            values = {each.get("name"): each.get("value") for each in parse(response).iter("input")}
            for name in typed.keys() & {"email", "phone"}:
                assert (values[f"correct-{name}"] or "") == typed[name]
    enquiry.refresh_from_db()
    assert (enquiry.version, enquiry.email) == (version, "ada@example.com")
    meant = correct(reception, enquiry, email="ada@gmial.com", asked="ada@gmial.com")
    assert meant.status_code == 200, "A second press is meant."
    triage.triage(enquiry=enquiry, by=person("Sam", "reception"), note="He phoned.")
    stale = reception.post(page_of(enquiry), named(email=RIGHT, phone="", why="told", version=version))
    assert "added a note while you were writing" in said(stale)
    assert RIGHT in stale.content.decode()


@pytest.mark.long
def test_a_correction_that_was_begun_or_refused_is_there_when_somebody_comes_back_to_it(reception, db):
    enquiry = consultation()
    on_page = values_of(reception.get(page_of(enquiry)))
    # By script every few seconds, and by the button that leads back.
    for address, button in (("draft", {}), ("go", {"to": "enquiry"})):
        data = on_page | {"correct-email": f"{address}@right.example", "correct-why": "typo"} | button
        reception.post(reverse(f"admin:enquiries_enquiry_{address}", args=[enquiry.pk]), data)
        there = values_of(reception.get(page_of(enquiry)))
        assert (there["correct-email"], there["correct-why"]) == (f"{address}@right.example", "typo")
        assert there["correct-phone"] == on_page["correct-phone"]
    main = reception.get(enquiry.get_admin_url())
    assert "You began a correction" in text(tree(main))
    assert "What you typed before" not in text(tree(main)), "That is said where it is filled in."
    refused = reception.post(page_of(enquiry), on_page | {"correct-email": "ada@right", "correct-phone": "12"})
    assert refused.status_code == 422
    again = reception.get(page_of(enquiry))
    assert (values_of(again)["correct-email"], values_of(again)["correct-phone"]) == ("ada@right", "12")
    assert "What you typed before and did not save" in text(tree(again))
    discard = {"discard": "correct"}
    after = reception.post(reverse("admin:enquiries_enquiry_draft", args=[enquiry.pk]), discard, follow=True)
    now = values_of(after)
    assert {name: now[name] for name in now if name.startswith("correct-")} == {
        name: on_page[name] for name in on_page if name.startswith("correct-")
    }
    reception.post(page_of(enquiry), on_page | {"correct-email": RIGHT}, follow=True)
    assert not enquiry.drafts.exists()


def test_only_those_who_may_change_an_enquiry_correct_it(client, db):
    enquiry = consultation()
    client.force_login(person("Edith", "editor"))
    assert client.get(page_of(enquiry)).status_code == 403
    assert correct(client, enquiry, email=RIGHT).status_code == 403
    assert not enquiry.events.filter(kind=EventKind.CORRECTED).exists()


def test_each_kind_of_failure_has_a_sentence():
    assert reason_in_words("SMTPRecipientsRefused 552") == "Their mailbox is full."
    assert reason_in_words("SMTPRecipientsRefused 550").startswith("There is no such mailbox")
    assert reason_in_words("SMTPDataError 554").endswith("perhaps as spam.")
    assert "Tell the person who looks after this website." in reason_in_words("SMTPAuthenticationError 535")
    for error in ("ConnectionRefusedError", "SMTPDataError 451", "TimeoutError", ""):
        assert reason_in_words(error).startswith("No mail server took it within 3 days."), error
