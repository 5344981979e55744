"""The forms patients fill in. Every message is an instruction for its field; labels and hints stand beside them."""

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout, Submit
from django import forms

from enquiries.form_fields import EMAIL_LENGTH, EmailField, PhoneField, TextField, UnseenField
from enquiries.report import consent
from factsheets.models import FactSheet

__all__ = ["EMAIL_LENGTH", "FORMS", "ConsultationForm", "EnquiryForm", "QuestionForm", "ReportForm"]

NAME_LENGTH = 120
SHORT_LENGTH = 120
DESCRIPTION_LENGTH = 1000


class EnquiryForm(forms.Form):
    """What every enquiry asks for, how it looks, and the trap for robots."""

    kind: str
    submit_label: str
    use_required_attribute = False  # our own messages say more than the browser's bubbles, in one place

    name = TextField(
        longest=NAME_LENGTH,
        label="Your name",
        too_long=f"Enter your name in {NAME_LENGTH} characters or fewer.",
        error_messages={"required": "Enter your name"},
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
    )
    email = EmailField(label="Email address", error_messages={"required": "Enter your email address"})
    sheet = UnseenField(widget=forms.HiddenInput)
    # People never see this field; robots fill in every field they find.
    website = UnseenField(
        label="Leave this field empty",
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, *args, action: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = FormHelper(self)
        self.helper.form_action = action
        self.helper.form_method = "post"
        self.helper.disable_csrf = True  # same-origin is checked from the request's headers: no cookie, no token
        self.helper.attrs = {"novalidate": ""}
        self.lay_out([*self.visible_order(), "sheet"])

    def lay_out(self, names: list[str]) -> None:
        self.helper.layout = Layout(
            *(Field(name) for name in names),
            Field("website", template="care/trap.html"),
            Submit("send", self.submit_label, css_id=f"{self.prefix or self.kind}-send"),
        )

    def visible_order(self) -> list[str]:
        return [name for name in self.fields if name not in {"sheet", "website"}]

    def clean_sheet(self) -> FactSheet | None:
        slug = self.cleaned_data["sheet"]
        return FactSheet.objects.published().filter(slug=slug).first() if slug else None

    @property
    def quarantine_reason(self) -> str:
        return "Filled in a field that people cannot see" if self.cleaned_data.get("website") else ""

    def details(self) -> dict[str, str]:
        """The texts that the enquiry keeps."""
        details = {name: self.cleaned_data.get(name) or "" for name in ("name", "email", "best_time", "description")}
        phone = self.cleaned_data.get("phone")
        details["phone"] = phone.as_e164 if phone else ""
        if phone and phone.extension:
            details["phone"] += f" ext. {phone.extension}"  # E.164 itself has no place for it
        return details


class ReportForm(EnquiryForm):
    kind = "report"
    submit_label = "Send me the report"

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
            self.order_fields(["sheet"])  # the error summary follows the page
            sheets = FactSheet.objects.published()
            self.fields["sheet"].label = "Which fact sheet would you like?"
            self.fields["sheet"].widget = forms.Select(
                choices=[("", "Choose a fact sheet"), *((sheet.slug, sheet.title) for sheet in sheets)]
            )
        self.lay_out([name for name in ("sheet", "name", "email", "include_answers") if name in self.fields])

    def clean_sheet(self):
        sheet = super().clean_sheet()
        if sheet is None:
            raise forms.ValidationError("We do not have that fact sheet. Choose one from the list.")
        return sheet

    @property
    def with_answers(self) -> bool:
        return self.cleaned_data.get("include_answers") == "yes"


class ConsultationForm(EnquiryForm):
    kind = "consultation"
    submit_label = "Request a consultation"

    contact_by = forms.MultipleChoiceField(
        label="How should we contact you?",
        help_text="Choose one or more.",
        choices=[("phone", "Phone"), ("video", "Video call"), ("email", "Email")],
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": "Choose how we should contact you",
            "invalid_choice": "Choose phone, video call or email",
        },
    )
    phone = PhoneField(
        label="Phone number",
        required=False,
        region="GB",
        help_text="The best number to reach you. We need it for a phone call.",
        widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}),
        error_messages={"invalid": "Enter a phone number, like 020 7946 0958 or +44 20 7946 0958"},
    )
    best_time = TextField(
        longest=SHORT_LENGTH,
        label="Best time to call (optional)",
        help_text="For example, mornings or weekday afternoons.",
        required=False,
    )
    description = TextField(
        longest=DESCRIPTION_LENGTH,
        lines=6,
        label="Briefly describe your back pain",
        help_text=f"Your main concern and how long you have had it, in up to {DESCRIPTION_LENGTH:,} characters. "
        "Do not use this for emergencies.",
        too_long=f"Shorten your description to {DESCRIPTION_LENGTH:,} characters or fewer",
        error_messages={"required": "Tell us briefly about your back pain"},
    )

    def visible_order(self):
        return ["name", "email", "contact_by", "phone", "best_time", "description"]

    def clean(self):
        cleaned = super().clean()
        if "phone" in cleaned.get("contact_by", []) and not cleaned.get("phone") and "phone" not in self.errors:
            self.add_error("phone", "Enter your phone number, so that we can call you")
        return cleaned


class QuestionForm(EnquiryForm):
    kind = "question"
    submit_label = "Send your question"

    description = TextField(
        longest=DESCRIPTION_LENGTH,
        lines=6,
        label="Your question",
        help_text=f"Up to {DESCRIPTION_LENGTH:,} characters. Do not use this for emergencies.",
        too_long=f"Shorten your question to {DESCRIPTION_LENGTH:,} characters or fewer",
        error_messages={"required": "Write your question"},
    )

    def visible_order(self):
        return ["name", "email", "description"]


FORMS = {form.kind: form for form in (ReportForm, ConsultationForm, QuestionForm)}
