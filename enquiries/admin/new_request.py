"""The page on which staff enter what somebody asks by telephone or at the clinic.

What they write is read for warning signs as a form from the website is, and takes the same way into the safety lane.
"""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse

from backcare.core import phones
from backcare.core.encryption import readable
from backcare.core.forms import EmailField, PhoneField, TextField
from enquiries.actions import intake
from enquiries.assessment import handover
from enquiries.inbox import find
from enquiries.models import Enquiry, EnquiryKind, IntakeChannel
from enquiries.request_forms import consultation, own_words
from enquiries.request_forms.forms import DETAILS, NAME_LENGTH
from enquiries.request_forms.own_words import to_store
from factsheets import safety
from factsheets.models import FactSheet

WORDS_LENGTH = 1000
SHORT_LENGTH = 120
YES_NO = [("yes", "Yes"), ("no", "No")]
SAID = {"yes": True, "no": False}
FOR_SOMEONE_ELSE = ("their_name", "they_are", "they_agree")


class SheetField(forms.ModelChoiceField):
    def label_from_instance(self, sheet):
        return sheet.title


def _one_of(label: str, known, **more) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(known), widget=forms.RadioSelect, required=False, **more)


class NewRequestForm(forms.Form):
    use_required_attribute = False  # our own messages say more, in one place

    channel = _one_of(
        "How are they asking?",
        [(each.value, each.label.capitalize()) for each in list(IntakeChannel)[1:]],
        initial="phone",
    )
    kind = _one_of(
        "What do they want?",
        [
            (EnquiryKind.CONSULTATION, "A consultation"),
            (EnquiryKind.QUESTION, "An answer to a question"),
            (EnquiryKind.REPORT, "A fact sheet by email"),
        ],
        initial=EnquiryKind.CONSULTATION,
    )
    name = TextField(
        longest=NAME_LENGTH,
        label="Their name",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter their name"},
    )
    phone = PhoneField(label="Phone number", required=False)
    email = EmailField(label="Email address", required=False, help_text="Read it back to them, letter by letter.")
    description = TextField(
        longest=WORDS_LENGTH,
        lines=6,
        label="What they said, in their words",
        help_text="We check it for warning signs.",
        required=False,
        too_long=f"Shorten it to {WORDS_LENGTH:,} characters or fewer",
    )
    contact_by = forms.MultipleChoiceField(
        label="How should we contact them?",
        choices=list(consultation.CONTACT_BY.items()),
        widget=forms.CheckboxSelectMultiple,
        required=False,
        initial=["phone"],
    )
    may_leave_voicemail = _one_of("May we leave a voicemail?", YES_NO)
    may_say_who_calls = _one_of("May we say who is calling?", YES_NO)
    best_time = TextField(longest=SHORT_LENGTH, label="When is a good time? (optional)", required=False)
    sheet = SheetField(label="Which fact sheet?", queryset=None, required=False, empty_label="Choose a fact sheet")
    needs = forms.MultipleChoiceField(
        label="What would help them talk with us? (optional)",
        choices=list(
            {**consultation.for_patients(consultation.NEEDS), "helper": "Someone who helps them will join us"}.items()
        ),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    language = TextField(longest=SHORT_LENGTH, label="Which language? (for an interpreter)", required=False)
    needs_note = TextField(longest=SHORT_LENGTH, label="Anything else that would help (optional)", required=False)
    their_name = TextField(longest=NAME_LENGTH, label="Name of the person it is for", required=False)
    they_are = _one_of("Who are they to the caller?", consultation.for_staff(consultation.RELATIONS).items())
    they_agree = _one_of("Do they know, and agree?", consultation.AGREED.items())
    agreed = forms.BooleanField(
        label="I read this to them, and they agreed",
        error_messages={
            "required": "Read it to them and tick this when they agree. If they do not, do not save this form"
        },
    )

    # Behind a fold on the page, because few people need them.
    FOLDED = ("needs", "language", "needs_note", *FOR_SOMEONE_ELSE)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sheet"].queryset = FactSheet.objects.published().without_text().order_by("title")

    def open_fields(self):
        return [self[name] for name in self.fields if name not in (*self.FOLDED, "agreed")]

    def folded_fields(self):
        return [self[name] for name in self.FOLDED]

    @property
    def is_folded(self) -> bool:
        """Whether the fold may stay closed, because nothing in it needs to be seen."""
        return not self.is_bound or not any(
            self.data.getlist(name) != [""] for name in self.FOLDED if name in self.data
        )

    def clean(self):
        told = super().clean()
        told["kind"] = told.get("kind") or EnquiryKind.CONSULTATION
        told["channel"] = told.get("channel") or IntakeChannel.PHONE
        {
            EnquiryKind.CONSULTATION: self._check_consultation,
            EnquiryKind.QUESTION: self._check_question,
            EnquiryKind.REPORT: self._check_report,
        }[told["kind"]](told)
        if consultation.INTERPRETER in told.get("needs", []):
            self._require("language", "Enter the language that they need an interpreter for")
        if any(told.get(name) for name in FOR_SOMEONE_ELSE):
            self._require("their_name", "Enter the name of the person it is for")
            self._require("they_are", "Choose who they are to the caller")
            self._require("they_agree", "Choose whether they know and agree")
            if told["kind"] != EnquiryKind.CONSULTATION:
                self.add_error(
                    "their_name", "Only a consultation can be for someone else. Choose it above, or clear this"
                )
        return told

    def _require(self, name: str, message: str) -> None:
        if name not in self.errors and not self.cleaned_data.get(name):
            self.add_error(name, message)

    def _check_question(self, told: dict) -> None:
        self._require("description", "Write what they said")
        if not told.get("phone") and not told.get("email") and not {"phone", "email"} & set(self.errors):
            self.add_error("phone", "Enter a phone number or an email address, so that we can answer")

    def _check_consultation(self, told: dict) -> None:
        self._require("contact_by", "Choose how we should contact them")
        by = told.get("contact_by", [])
        if "email" in by:
            self._require("email", "Enter their email address, because they want to hear from us by email")
        if "phone" in by:
            self._require("phone", "Enter their phone number, because they want to be called")
            for name in ("may_leave_voicemail", "may_say_who_calls"):
                self._require(name, "Ask them, and choose yes or no")
        self._check_question(told)

    def _check_report(self, told: dict) -> None:
        self._require("email", "Enter the email address that the fact sheet goes to")
        self._require("sheet", "Choose which fact sheet they want")
        if told.get("description") and not own_words.read(self):
            # Nobody reads the words of a request for a fact sheet.
            self.add_error(
                "description", "Choose “An answer to a question” above, so that somebody reads this, or clear it"
            )

    def submission(self, *, by) -> intake.Submission:
        told = self.cleaned_data
        also = {
            "safety_signs": to_store(own_words.read(self).codes, safety.tiers()),
            "may_leave_voicemail": SAID.get(told["may_leave_voicemail"]),
            "may_say_who_calls": SAID.get(told["may_say_who_calls"]),
            "needs": consultation.needs_in_words(told["needs"], told["language"], told["needs_note"]),
        }
        if told["their_name"]:
            also |= {
                "for_name": told["their_name"],
                "for_relation": consultation.RELATIONS[told["they_are"]].kept,
                "for_agreed": told["they_agree"],
            }
        return intake.Submission(
            kind=told["kind"],
            details={name: told[name] for name in DETAILS},
            contact_by=tuple(told["contact_by"]) if told["kind"] == EnquiryKind.CONSULTATION else (),
            sheet=told["sheet"] if told["kind"] == EnquiryKind.REPORT else None,
            also=also,
            channel=told["channel"],
            taken=intake.Taken(by=by, wording=handover.SPOKEN_CONSENT),
        )


def new_request(model_admin, request):
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    form = NewRequestForm(request.POST if request.method == "POST" else None)
    same = _same_person(form.data) if form.is_bound else []
    unseen = {each["reference"] for each in same} - set(form.data.get("seen", "").split())
    ready = form.is_bound and form.is_valid()
    if ready:
        submission = form.submission(by=request.user)
        # A request with a warning sign must not wait for a second press.
        if submission.is_flagged or not unseen:
            return _saved(request, intake.accept(submission))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "New request",
        "opts": model_admin.opts,
        "form": form,
        "wording": handover.consent_wording(handover.SPOKEN_CONSENT),
        "same": same,
        "unseen": ready and bool(unseen),
    }
    status = 422 if form.errors or unseen else 200
    return TemplateResponse(request, "admin/enquiries/enquiry/new_request.html", context, status=status)


def _saved(request, enquiry: Enquiry) -> HttpResponse:
    said = [f"Saved as {enquiry.reference}."]
    if enquiry.email:
        said.append(
            "We are emailing them a confirmation."
            if enquiry.kind != EnquiryKind.REPORT
            else "The fact sheet is on its way."
        )
    else:
        said.append("They gave no email address, so read them the reference.")
    messages.success(request, " ".join(said))
    if enquiry.is_flagged:
        messages.warning(
            request, "What they said may be a warning sign. Go through this with them now, while they are with you."
        )
    return HttpResponseRedirect(enquiry.get_admin_url())


def same_person(model_admin, request) -> HttpResponse:
    """Who may have asked before: a piece of the page, asked for while somebody types. In the body, so that no log has it."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    return render(request, "admin/enquiries/enquiry/_same_person.html", {"same": _same_person(request.POST)})


def _same_person(typed) -> list[dict]:
    found = find.same_person(typed.get("name", ""), email=typed.get("email", ""), phone=typed.get("phone", ""))
    return [
        {
            "reference": each.reference,
            "address": each.get_admin_url(),
            "name": readable(each, "name"),
            "phone": phones.in_words(readable(each, "phone")),
            "kind": each.get_kind_display(),
            "status": each.get_status_display(),
            "created_at": each.created_at,
        }
        for each in found
    ]
