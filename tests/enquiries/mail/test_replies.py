"""Replies that the clinic writes: templates, what is filled in, the preview, and the email that arrives."""

from django.conf import settings

from enquiries.mail import replies
from enquiries.models import Enquiry, ReplyTemplate
from tests.conftest import consultation, give_signs
from tests.support.desk import errors_of, save
from tests.support.html import parse, text

ADD = "/admin/enquiries/replytemplate/add/"


def test_with_an_open_warning_sign_a_reply_carries_all_of_the_emergency_advice(db, staff):
    enquiry = consultation()
    give_signs([enquiry])
    mail = replies.preview(Enquiry.objects.get(pk=enquiry.pk), subject="", text="Please phone us.")
    assert "One of these is enough" in mail.text
    assert mail.subject == f"A message from {settings.CLINIC['name']}"


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
    assert "cures sciatica" in text(parse(reception.get(page))), "Its history stays."
