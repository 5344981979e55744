"""The form that corrects a patient's email address or phone number, and the banner about mail that did not arrive."""

from dataclasses import dataclass

from django import forms

from backcare.core import addresses, phones
from backcare.core.encryption import CannotDecrypt
from backcare.core.forms import EmailField, PhoneField
from enquiries.actions import corrections
from enquiries.actions.outbox import TO_STAFF
from enquiries.mail.worker import reason_in_words
from enquiries.models import Enquiry, EnquiryKind, OutgoingMessage


class CorrectForm(forms.Form):
    """Its names begin with "correct-", so that a draft holds them beside what was typed on the enquiry's page."""

    prefix = "correct"
    email = EmailField(label="Email address", required=False)
    phone = PhoneField(label="Phone number", required=False)
    why = forms.ChoiceField(
        label="Why",
        choices=[(each.value, each.label[:1].upper() + each.label[1:]) for each in corrections.Why],
        initial=corrections.Why.TOLD,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose why you are changing it"},
    )
    send_again = forms.BooleanField(label="Send again what went to the old email address", required=False, initial=True)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args, enquiry: Enquiry, **kwargs):
        super().__init__(*args, **kwargs)
        self.already_sent = corrections.reached_old_address(enquiry)
        if enquiry.kind == EnquiryKind.REPORT:
            self.fields["email"].required = True
            del self.fields["phone"], self.fields["send_again"]
        elif not self.already_sent:
            del self.fields["send_again"]
        else:
            self.fields["send_again"].help_text = "; ".join(
                dict.fromkeys(mail.get_purpose_display().capitalize() for mail in self.already_sent)
            )

    def clean_email(self):
        """Asks once about a domain that looks mistyped: a second press with the same address confirms it."""
        email = self.cleaned_data["email"]
        meant = addresses.suggestion(email) if email else ""
        if meant and meant != email and self.data.get("asked") != email:
            self.asked = email
            raise forms.ValidationError(f"Did you mean {meant}? If not, press the button again.")
        return email

    @classmethod
    def begin(cls, enquiry: Enquiry, typed: dict[str, str] | None = None) -> "CorrectForm":
        """The patient's saved details, replaced by what was `typed` and not saved, by field name."""
        now = {
            "email": _kept(enquiry, "email"),
            "phone": phones.in_words(_kept(enquiry, "phone")),
            "version": enquiry.version,
        }
        own = f"{cls.prefix}-"
        given = {name.removeprefix(own): text for name, text in (typed or {}).items() if name.startswith(own)}
        return cls(initial=now | given, enquiry=enquiry)

    def act(self, enquiry: Enquiry, by) -> str:
        """Does it, and returns what to tell the member of staff. Raises what `corrections.correct_contact` raises."""
        given = self.cleaned_data
        done = corrections.correct_contact(
            enquiry=enquiry,
            by=by,
            email=given["email"],
            phone=given.get("phone", _kept(enquiry, "phone")),
            why=given["why"],
            send_again=given.get("send_again", False),
            version=given["version"],
        )
        return _said(done)


def _kept(enquiry: Enquiry, column: str) -> str:
    try:
        return getattr(enquiry, column)
    except CannotDecrypt:
        return ""


def _said(done: corrections.Corrected) -> str:
    said = ["Corrected."]
    if done.queued:
        said.append(f"{done.queued} email{' is' if done.queued == 1 else 's are'} on the way to the new address.")
    if done.on_their_way:
        said.append("One email was being sent at that moment, so it may go to the old address.")
    return " ".join(said)


@dataclass(frozen=True)
class Failed:
    """An email that did not arrive, for the banner on the enquiry's page."""

    message: OutgoingMessage
    reason: str
    to_patient: bool


def failed_mails(enquiry: Enquiry) -> list[Failed]:
    if not enquiry.mail_failed or enquiry.erased_at:
        return []
    return [
        Failed(mail, reason_in_words(mail.error), to_patient=mail.purpose not in TO_STAFF)
        for mail in enquiry.messages.failed().order_by("created_at")
    ]
