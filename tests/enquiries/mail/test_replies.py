"""Replies that the clinic writes: templates, what is filled in, the preview, and the email that arrives."""

import re
from datetime import timedelta

import pytest
from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from backcare.core import clinic
from enquiries import clock
from enquiries.actions.appointments import book
from enquiries.mail import replies
from enquiries.mail.replies import find_sheet
from enquiries.models import Enquiry, EnquiryEvent, ReplyTemplate
from factsheets.rendering import sheet as sheets
from tests.conftest import consultation, give_signs
from tests.support.desk import errors_of, save, values_of
from tests.support.html import parse, text, tree
from tests.support.inbox import step
from tests.support.outbox import deliver, html_of, text_of, words_of

ADD = "/admin/enquiries/replytemplate/add/"


def insert(client, enquiry, template, **typed) -> dict:
    """What the reply's fields hold after the template's button was pressed."""
    data = values_of(client.get(enquiry.get_admin_url()))
    data |= {f"reply-{name}": value for name, value in typed.items()} | {"insert": str(template.pk)}
    client.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, "reply"]), data)
    return values_of(client.get(enquiry.get_admin_url()))


@pytest.mark.long
def test_a_template_is_written_added_to_what_is_typed_previewed_and_sent_as_previewed(reception, staff, mail_through):
    written = "Dear {name},\n\nYour appointment is at {appointment}. Please read {sheet: about-back-pain}.\n\n{clinic}"
    saved = save(reception, ADD, name="Before you come", subject="Your visit, {reference}", text=written)
    assert not errors_of(saved)
    template = ReplyTemplate.objects.get(name="Before you come")
    assert [each.actor for each in template.editions.all()] == ["Rita"]
    enquiry = consultation(name="Ada & <Bert>")
    deliver()
    # Nothing is booked: the gap is said, and nothing goes.
    fields = insert(reception, enquiry, template, text="One more thing.")
    begun = fields["reply-text"]
    assert begun.startswith("One more thing.\n\nDear Ada & <Bert>,")
    assert "{appointment}" in begun
    assert fields["reply-subject"] == f"Your visit, {enquiry.reference}"
    own = insert(reception, enquiry, template, text="", subject="My own")
    assert own["reply-subject"] == "My own"
    refused = step(reception, enquiry, "reply", text=begun, send="yes")
    assert refused.status_code == 422
    assert "no appointment is booked" in errors_of(refused)
    assert begun in refused.content.decode().replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    in_nine_days = timezone.localtime() + timedelta(days=9)
    opening = clock.load().hours.next_opening(in_nine_days.replace(hour=0))
    book(enquiry=enquiry, by=staff, at=opening, channel="phone", sure="", doubts=[])
    # Filled in, previewed as text and as HTML, with all that belongs to it.
    seen = step(reception, enquiry, "reply", text=begun, subject=f"Your visit, {enquiry.reference}")
    shown = seen.context["preview"]
    assert not enquiry.messages.filter(purpose="reply").exists()
    data = {each.get("name"): each.get("value", "") for each in tree(seen).iter("input") if each.get("name")}
    [frame] = tree(seen).iter("iframe")
    assert (frame.get("srcdoc"), frame.get("sandbox")) == (shown.framed, "allow-same-origin")
    data["send"] = "yes"
    reception.post(reverse("admin:enquiries_enquiry_step", args=[enquiry.pk, "reply"]), data)
    deliver()
    mail = mail_through.messages[-1]
    hidden = re.compile(r"/request/[^/\s\"<]+/")
    sent_text = hidden.sub("/request/…/", text_of(mail).replace("\r\n", "\n")).strip()
    assert sent_text == shown.text.strip()
    sent_html = hidden.sub("/request/…/", mail.get_body(("html",)).get_content().replace("\r\n", "\n")).strip()
    assert sent_html == shown.html.strip()
    # What arrives.
    assert mail["Subject"] == f"Your visit, {enquiry.reference}" == shown.subject
    assert "Auto-Submitted" not in mail, "A person wrote it."
    assert mail["Reply-To"] == clinic.details()["reply_to_email"] == shown.reply_to
    assert "by phone" in text_of(mail)
    address = sheets.address(find_sheet("about-back-pain"))
    links = [(each.get("href"), text(each)) for each in html_of(mail).iter("a")]
    assert (address, address) in links
    assert (f"{settings.BASE_URL}/get-help-now/", "All the signs: 999, 111 and GP") in links
    assert "Ada & <Bert>" in words_of(mail)
    assert "999" in text_of(mail)
    assert "trouble peeing" in text_of(mail), "The short card."
    assert "coughing up blood" not in text_of(mail), "Not the whole one."
    booking = mail_through.messages[-2]
    assert booking["Reply-To"] == clinic.details()["reply_to_email"]
    assert "trouble peeing" in text_of(booking)
    assert "coughing up blood" not in words_of(booking)
    # Neither the subject nor the words are in the database as they are.
    event = EnquiryEvent.objects.get(enquiry=enquiry, kind="replied")
    assert event.subject == mail["Subject"]
    event.erase_note()
    event = EnquiryEvent.objects.get(pk=event.pk)
    assert (event.note, event.subject) == ("", "")


def test_no_reply_greets_anybody_by_a_link(db):
    """Anyone can ask with a stranger's address and whatever name: a mail program would make a link of it."""
    for name in (
        "Win at http://evil.example/x",
        "see evil.example now",
        "WWW.EVIL.EXAMPLE",
        "ada@evil.example",
        "evil.example/x",
    ):
        filled = replies.fill("Hello {name},", Enquiry(name=name))
        assert filled.text == "Hello {name},"
        assert filled.missing == [
            "{name} is not filled in, because the name looks like a link. Type a greeting in its place."
        ]
    for name in ("J.R. O'Neil-Smith", "St.John Smythe", "Dr. Zoë Ng (née Lee)", "محمد"):
        assert replies.fill("Hello {name},", Enquiry(name=name)) == replies.Filled(f"Hello {name},", [])


def test_with_an_open_warning_sign_a_reply_carries_all_of_the_emergency_advice(db, staff):
    enquiry = consultation()
    give_signs([enquiry])
    mail = replies.preview(Enquiry.objects.get(pk=enquiry.pk), subject="", text="Please phone us.")
    assert "coughing up blood" in mail.text
    assert mail.subject == f"A message from {clinic.details()['name']}"


@pytest.mark.both
@pytest.mark.long
def test_whoever_writes_a_template_is_told_of_its_mistakes_and_of_what_the_claims_guard_finds(reception):
    typed = {"name": "Offer", "text": "Hello {patient},\n\nread {sheet: nothing}.\n\nAcupuncture cures sciatica."}
    told = errors_of(save(reception, ADD, **typed))
    assert "{patient} is not one of the words in braces" in told
    assert "{sheet: nothing} is not the title" in told
    claim = {"name": "Offer", "text": "Hello {name},\n\nAcupuncture cures sciatica."}
    refused = save(reception, ADD, **claim)
    assert "Do not promise a cure" in errors_of(refused)
    assert "Acupuncture cures sciatica." in refused.content.decode(), "What was typed is still there."
    assert not ReplyTemplate.objects.filter(name="Offer").exists()
    kept = save(reception, ADD, **claim, kept_because="Quoted from a patient’s letter")
    assert "Saved with wording that the claims guard found" in text(parse(kept))
    template = ReplyTemplate.objects.get(name="Offer")
    page = f"/admin/enquiries/replytemplate/{template.pk}/change/"
    save(reception, page, text="Hello {name},\n\nPlease phone us.", kept_because="", in_use="")
    assert ["cures" in each.text for each in template.editions.all()] == [False, True]
    shown = tree(reception.get(page))
    assert "cures sciatica" in text(shown), "Its history stays."
    [back] = [each.get("href") for each in shown.iter("a") if text(each) == "Compare and put back"]
    compared = tree(reception.get(back))
    assert "cures sciatica." in " ".join(text(each) for each in compared.iter("ins"))
    assert "Compare again" in text(tree(reception.post(back, {"opened": "of before"})))
    [opened] = [each.get("value") for each in compared.iter("input") if each.get("name") == "opened"]
    assert "The earlier wording is back." in text(tree(reception.post(back, {"opened": opened}, follow=True)))
    template.refresh_from_db()
    assert (template.text, template.kept_because) == (claim["text"], "Quoted from a patient’s letter")
    assert template.editions.count() == 3 and not template.in_use
    page = text(tree(reception.get(consultation().get_admin_url())))
    assert "Offer" not in page, "Out of use."
    assert "We tried to reach you" in page
