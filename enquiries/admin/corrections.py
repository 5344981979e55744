"""The page on which staff put a patient's email address or phone number right, and the banner about mail that did not arrive."""

from dataclasses import dataclass

from django import forms
from django.contrib import messages
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse

from backcare.core import addresses, phones
from backcare.core.crypto.encryption import CannotDecrypt
from backcare.core.form_fields import EmailField, PhoneField
from enquiries.actions import corrections, transitions
from enquiries.actions.mail import TO_STAFF, Erased
from enquiries.admin import inbox
from enquiries.admin.step_form import to_change
from enquiries.mail.outbox import reason_in_words
from enquiries.models import Enquiry, EnquiryKind, OutgoingMessage


class CorrectForm(forms.Form):
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
        """A domain that looks mistyped is asked about once: a second press with the same address is meant."""
        email = self.cleaned_data["email"]
        meant = addresses.suggestion(email) if email else ""
        if meant and meant != email and self.data.get("asked") != email:
            self.asked = email
            raise forms.ValidationError(f"Did you mean {meant}? If not, press the button again.")
        return email


def correct(model_admin, request, pk):
    enquiry = to_change(model_admin, request, pk)
    posted = request.method == "POST"
    form = CorrectForm(request.POST if posted else None, initial=_now(enquiry), enquiry=enquiry)
    refusal = ""
    if posted and form.is_valid():
        given = form.cleaned_data
        try:
            done = corrections.correct_contact(
                enquiry=enquiry,
                by=request.user,
                email=given["email"],
                phone=given.get("phone", _kept(enquiry, "phone")),
                why=given["why"],
                send_again=given.get("send_again", False),
                version=given["version"],
            )
        except (transitions.MoveRefused, transitions.StaleEnquiry, Erased) as error:
            refusal = str(error)
            enquiry = get_object_or_404(Enquiry, pk=pk)
            # The same words over what the enquiry is now: sending them again is then a choice made knowingly.
            data = form.data.copy()
            data["version"] = str(enquiry.version)
            form = CorrectForm(data, enquiry=enquiry)
        else:
            messages.success(request, _said(done))
            return HttpResponseRedirect(inbox.back_to(request, enquiry))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Correct the address or number: {enquiry.reference}",
        "opts": model_admin.opts,
        "enquiry": enquiry,
        "form": form,
        "asked": getattr(form, "asked", ""),
        "refusal": refusal,
        "place": inbox.given_place(request),
        "back": inbox.back_to(request, enquiry),
    }
    status = 422 if refusal or form.errors else 200
    return TemplateResponse(request, "admin/enquiries/enquiry/correct.html", context, status=status)


def _now(enquiry: Enquiry) -> dict:
    phone = phones.in_words(_kept(enquiry, "phone"))
    return {"email": _kept(enquiry, "email"), "phone": phone, "version": enquiry.version}


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
    """A mail that did not arrive, for the banner on the enquiry's page."""

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
