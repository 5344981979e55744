"""What an email says, read back from the SMTP server that accepted it."""

import io
import re
from email.utils import getaddresses

import pytest
from django.urls import reverse
from pypdf import PdfReader

from backcare.core import clinic
from enquiries.clock import in_words
from enquiries.models import Enquiry, MessageState, OutgoingMessage, Purpose
from factsheets import safety
from factsheets.models import SafetyAdvice, Tier
from tests.conftest import consultation, give_signs, report
from tests.support.clinic_settings import set_clinic
from tests.support.forms import seal
from tests.support.outbox import deliver, html_of, question, text_of, words_of

pytestmark = pytest.mark.once

PERSONAL = {
    "name": "Quillfeather Zyxopoulos",
    "email": "kestrel.canary@example.com",
    "phone": "+447700900731",
    "best_time": "plumtree afternoons",
    "description": "A gooseberry ache since the marmalade accident.",
}
# Any of these in a mail would tell who asked, or what about.
TELLING = ["quillfeather", "zyxopoulos", "kestrel", "7700900731", "plumtree", "gooseberry", "marmalade"]


def flat(words: str) -> str:
    return " ".join(words.split())


def pdf_of(mail) -> PdfReader:
    [attachment] = mail.iter_attachments()
    assert attachment.get_content_type() == "application/pdf"
    return PdfReader(io.BytesIO(attachment.get_content()))


def pdf_words(reader: PdfReader) -> str:
    return flat(" ".join(page.extract_text() for page in reader.pages))


def mail_for(smtp, enquiry, purpose) -> object:
    message = enquiry.messages.get(purpose=purpose)
    [mail] = [mail for mail in smtp.messages if str(message.pk) in mail["Message-ID"]]
    return mail


@pytest.fixture
def patient_mails(db, sheet, mail_through):
    """Every kind of mail that goes to a patient, as it arrived."""
    sent = [
        (report(sheet), Purpose.REPORT),
        (consultation(), Purpose.ACKNOWLEDGEMENT),
        (question(), Purpose.ACKNOWLEDGEMENT),
    ]
    deliver()
    return [mail_for(mail_through, enquiry, purpose) for enquiry, purpose in sent]


def test_both_parts_of_every_patient_mail_hold_the_emergency_advice(patient_mails, mail_through):
    emergency = safety.tiers()[0]
    actions = list(SafetyAdvice.objects.filter(tier=Tier.EMERGENCY).exclude(action="").values_list("action", flat=True))
    assert len(emergency["items"]) > 5
    assert actions
    said = [emergency["heading"], emergency["after"]]
    short = [*said, *safety.compact([emergency]), "All the signs: 999, 111 and GP"]
    whole = [*said, *(item["text"] for item in emergency["items"]), *actions]
    worried = consultation(name="Bea Example")
    give_signs([worried])
    deliver()
    after_a_sign = mail_for(mail_through, worried, Purpose.ACKNOWLEDGEMENT)
    for mail, needed in [*((mail, short) for mail in patient_mails), (after_a_sign, whole)]:
        for words in (flat(text_of(mail)), words_of(mail)):
            missing = [sentence for sentence in needed if sentence not in words]
            assert not missing, f"“{mail['Subject']}” leaves off: {missing}"
            assert (actions[0] in words) == (needed is whole), (
                "The whole list frightens those who only asked for a call."
            )


def test_both_parts_of_every_patient_mail_hold_the_clinic_its_phone_and_the_way_to_help(patient_mails, settings):
    help_now = f"{settings.BASE_URL}{reverse('factsheets:get_help_now')}"
    assert clinic.details()["phone"]
    for mail in patient_mails:
        links = [link.get("href") for link in html_of(mail).iter("a")]
        assert help_now in text_of(mail)
        assert help_now in links
        for words in (flat(text_of(mail)), words_of(mail)):
            for fact in (clinic.details()["name"], clinic.details()["phone"], "Monday to Friday, 9am to 5pm"):
                assert fact in words
            assert "Not an NHS service" in words


def test_a_report_names_its_sheet_and_links_to_it_in_both_parts(patient_mails, sheet, settings):
    mail = patient_mails[0]
    address = f"{settings.BASE_URL}{sheet.get_absolute_url()}"
    assert sheet.title in flat(text_of(mail))
    assert sheet.title in words_of(mail)
    assert address in text_of(mail)
    assert address in [link.get("href") for link in html_of(mail).iter("a")]


def test_an_acknowledgement_says_when_we_answer_and_what_to_do_if_it_was_not_you(patient_mails):
    asked = Enquiry.objects.exclude(kind="report")
    promised = {in_words(each.reply_by, each.created_at, dated=True) for each in asked}
    for mail in patient_mails[1:]:
        for words in (flat(text_of(mail)), words_of(mail)):
            assert any(f"We will reply {reply}." in words for reply in promised)
            assert "did not ask for this, phone us" in words
        [button] = html_of(mail).findall(".//td[@bgcolor]/a")
        assert "/request/" in button.get("href") and "withdraw" in "".join(button.itertext())
        assert not list(mail.iter_attachments())


def test_the_html_part_fetches_nothing_and_links_only_to_our_site(patient_mails, settings):
    for mail in patient_mails:
        for element in html_of(mail).iter():
            assert element.tag not in {"img", "link", "script", "iframe", "object"}
            if element.tag == "style":  # the dark scheme
                assert not {"url(", "@import", "@font-face"} & set(re.findall(r"url\(|@[a-z-]+", element.text)), (
                    element.text
                )
            assert not {"src", "srcset", "background", "style"} & set(element.keys())
            if element.tag == "a":
                assert element.get("href").startswith(f"{settings.BASE_URL}/")


def test_the_clinic_gets_the_reference_and_the_link_and_nothing_more(db, mail_through, settings):
    enquiry = consultation()
    deliver()
    mail = mail_for(mail_through, enquiry, Purpose.CLINIC_ALERT)
    link = f"{settings.BASE_URL}{enquiry.get_admin_url()}"
    named = f"New enquiry {enquiry.reference}"
    said = f"A new enquiry is in the inbox: {enquiry.reference}. Sign in to open it: Open it in the inbox: {link}"
    assert flat(text_of(mail)) == f"{named} {said}"
    assert [element.get("href") for element in html_of(mail).iter("a")] == [link]
    assert enquiry.reference in words_of(mail)
    assert len(words_of(mail)) < 200
    assert not list(mail.iter_attachments())
    assert getaddresses([mail["To"]]) == [("", clinic.details()["inbox_email"])]


def test_no_mail_repeats_anything_the_patient_told_us(db, sheet, mail_through):
    consultation(**PERSONAL)
    question(**PERSONAL)
    report(sheet, **PERSONAL)
    assert deliver() == 5
    assert len(mail_through.messages) == 5
    for mail in mail_through.messages:
        # The address is in the To header, where delivery needs it, and nowhere else.
        said = [f"{name}: {value}" for name, value in mail.items() if name != "To"]
        for part in mail.walk():
            said += [str(part.items() if part is not mail else ""), str(part.get_filename())]
            if part.get_content_maintype() == "text":
                said.append(part.get_content())
            elif part.get_content_type() == "application/pdf":
                reader = PdfReader(io.BytesIO(part.get_content()))
                said += [
                    pdf_words(reader),
                    str(reader.metadata),
                    str(reader.xmp_metadata and reader.xmp_metadata.stream),
                ]
                said.append(part.get_content().decode("latin-1"))
        told = "\n".join(said).lower()
        compact = re.sub(r"[\s-]", "", told)
        assert not [word for word in TELLING if word in told or word in compact]


def test_every_subject_is_neutral(db, sheet, mail_through, settings):
    """It can be read on a locked phone: no word of the enquiry, and none of the sheet, which can say what somebody has."""
    sheet.title = "A very telling title"
    sheet.save()
    enquiries = [report(sheet, **PERSONAL), consultation(**PERSONAL), question(**PERSONAL)]
    deliver()
    name = clinic.details()["name"]
    assert sorted(mail["Subject"] for mail in mail_through.messages) == sorted(
        [
            f"Your fact sheet from {name}",
            f"{name} has your request",
            f"{name} has your question",
            *(f"New enquiry {enquiry.reference}" for enquiry in enquiries[1:]),
        ]
    )


def test_a_setting_with_a_line_break_makes_no_second_header(db, mail_through, settings):
    set_clinic(name="Larkfield\r\nBcc: everybody@example.com")
    consultation()
    assert deliver() == 2
    assert sorted(mail_through.recipients) == [["ada@example.com"], [clinic.details()["inbox_email"]]]
    for mail in mail_through.messages:
        assert "Bcc" not in mail
        assert "\n" not in mail["Subject"] + mail["From"]


def test_every_mail_has_one_recipient_its_own_id_and_says_that_it_is_automatic(db, sheet, mail_through):
    enquiries = [report(sheet), consultation(), question()]
    deliver()
    messages = OutgoingMessage.objects.filter(enquiry__in=enquiries)
    assert len(mail_through.received) == messages.count() == 5
    for recipients, mail in mail_through.received:
        assert len(recipients) == 1
        assert [address for _, address in getaddresses(mail.get_all("To"))] == recipients
        assert not {"Cc", "Bcc", "Reply-To", "X-Mailer"} & set(mail.keys())
        assert mail.get_all("Auto-Submitted") == ["auto-generated"]
        assert mail["Date"].datetime is not None
    domain = clinic.details()["email"].rpartition("@")[2]
    assert sorted(mail_through.ids) == sorted(f"<{message.pk}@{domain}>" for message in messages)


def test_the_attached_report_opens_and_is_a_tagged_pdf_with_its_title_and_the_emergency_advice(patient_mails, sheet):
    mail = patient_mails[0]
    [attachment] = mail.iter_attachments()
    assert attachment.get_filename() == f"{sheet.slug}.pdf"
    reader = pdf_of(mail)
    words = pdf_words(reader)
    emergency = safety.tiers()[0]
    assert sheet.title in words
    assert emergency["heading"] in words
    for item in emergency["items"]:
        assert not item["on_compact_card"] or flat(item["short_text"]) in words
    catalogue = reader.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in catalogue
    assert catalogue["/Lang"].lower().startswith("en")
    assert reader.metadata.title == sheet.title


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com\r\nBcc: victim@example.com",
        "ada@example.com\nSubject: win",
        "ada@example.com, victim@example.com",
        "<ada@example.com> victim@example.com",
        "ada@example.com\r\n.\r\nMAIL FROM:<victim@example.com>",
        "nobody",
        "jörg@example.com",
    ],
)
def test_an_address_that_hides_another_reaches_nobody_and_fails_at_once(db, mail_through, address):
    """The forms refuse such an address. The worker does not rely on them."""
    enquiry = consultation(email=address)
    deliver()
    assert mail_through.recipients == [[clinic.details()["inbox_email"]]]
    message = enquiry.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
    assert (message.state, message.error) == (MessageState.FAILED, "ValidationError")
    enquiry.refresh_from_db()
    assert enquiry.mail_failed


@pytest.mark.parametrize("field", ["name", "best_time", "description"])
def test_what_is_typed_into_a_form_cannot_become_a_header_or_a_recipient(db, client, mail_through, field):
    sent = {
        "consultation-name": "Ada Example",
        "consultation-email": "ada@example.com",
        "consultation-for_whom": "me",
        "consultation-contact_by": ["video"],
        "consultation-description": "An ache.",
        "consultation-step": "send",
    }
    sent[f"consultation-{field}"] = (
        "Ada\r\nBcc: victim@example.com\r\n\r\n.\r\nRCPT TO:<victim@example.com>{{ 7|add:1 }}"
    )
    sent["consultation-seal"] = seal("consultation", sent)
    answer = client.post(reverse("enquiries:consultation"), sent)
    assert answer.status_code == 303
    assert deliver() == 2
    assert sorted(mail_through.recipients) == [["ada@example.com"], [clinic.details()["inbox_email"]]]
    for mail in mail_through.messages:
        assert "victim" not in mail.as_string()
        assert "Bcc" not in mail


def test_a_form_with_a_line_break_in_its_address_is_refused_before_anything_is_kept(db, client, mail_through):
    sent = {
        "question-name": "Ada Example",
        "question-email": "ada@example.com\r\nBcc: victim@example.com",
        "question-description": "Why?",
        "question-step": "send",
    }
    answer = client.post(reverse("enquiries:question"), sent)
    assert answer.status_code == 422
    assert not Enquiry.objects.exists()
    assert deliver() == 0


@pytest.mark.parametrize("by_form", [True, False])
def test_a_domain_in_another_script_is_written_to_in_punycode(db, client, mail_through, by_form):
    address = "ada@bücher.example.com"
    if by_form:
        sent = {"question-name": "Ada Example", "question-email": address, "question-description": "Why?"}
        sent |= {"question-step": "send", "question-seal": seal("question", sent)}
        assert client.post(reverse("enquiries:question"), sent).status_code == 303
    else:
        question(email=address)
    deliver()
    assert ["ada@xn--bcher-kva.example.com"] in mail_through.recipients
