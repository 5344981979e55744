"""The forms patients fill in. Every message is an instruction for its field; labels and hints stand beside them."""

from django import forms

from backcare.core.form_fields import EMAIL_LENGTH, TextField
from enquiries.report import consent
from enquiries.request_forms.base import NAME_LENGTH, EnquiryForm, Step
from enquiries.request_forms.consultation import (
    DESCRIPTION_LENGTH,
    SHORT_LENGTH,
    ConsultationForm,
)
from factsheets.models import FactSheet

__all__ = [
    "DESCRIPTION_LENGTH",
    "EMAIL_LENGTH",
    "FORMS",
    "NAME_LENGTH",
    "QUESTION_LENGTH",
    "SHORT_LENGTH",
    "ConsultationForm",
    "EnquiryForm",
    "QuestionForm",
    "ReportForm",
]

QUESTION_LENGTH = 1000


class ReportForm(EnquiryForm):
    kind = "report"
    submit_label = "Send me the report"
    steps = (Step("report", "Email me my report", ("sheet", "name", "email", "include_answers")),)

    # Only where the browser holds a finished self-assessment.
    include_answers = forms.ChoiceField(
        label="Include my answers?",
        choices=[
            ("no", "No, send the fact sheet only"),
            ("yes", "Yes, also send me a link to a private summary of my answers and my result"),
        ],
        initial="no",
        required=False,
        widget=forms.RadioSelect,
        error_messages={"invalid_choice": "Choose yes or no"},
    )

    # The own page offers the choice; the form at the foot of a sheet carries its sheet hidden.
    def __init__(self, *args, choose_sheet: bool = False, ask_about_answers: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sheet"].required = True
        self.fields["sheet"].error_messages["required"] = "Choose the fact sheet you want"
        if ask_about_answers:
            self.fields["include_answers"].help_text = f"If you choose yes, you say: “{consent.wording()}”"
        else:
            del self.fields["include_answers"]
        if choose_sheet:
            sheets = FactSheet.objects.published()
            self.fields["sheet"].label = "Which fact sheet would you like?"
            self.fields["sheet"].widget = forms.Select(
                choices=[("", "Choose a fact sheet"), *((sheet.slug, sheet.title) for sheet in sheets)]
            )

    def clean_sheet(self):
        sheet = super().clean_sheet()
        if sheet is None:
            raise forms.ValidationError("We do not have that fact sheet. Choose one from the list.")
        return sheet


class QuestionForm(EnquiryForm):
    kind = "question"
    steps = (Step("question", "Ask a question", ("name", "email", "description")),)

    description = TextField(
        longest=QUESTION_LENGTH,
        lines=6,
        label="Your question",
        help_text=f"Up to {QUESTION_LENGTH:,} characters. Do not use this for emergencies.",
        too_long=f"Shorten your question to {QUESTION_LENGTH:,} characters or fewer",
        error_messages={"required": "Write your question"},
    )


FORMS = {form.kind: form for form in (ReportForm, ConsultationForm, QuestionForm)}
