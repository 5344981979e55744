"""The forms patients fill in. Every message is an instruction for its field; labels and hints stand beside them."""

import re
import unicodedata

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field, Layout, Submit
from django import forms
from django.core.validators import MaxLengthValidator
from django.utils.encoding import punycode
from phonenumber_field.formfields import PhoneNumberField

from factsheets.models import FactSheet

NAME_LENGTH = 120
EMAIL_LENGTH = 254  # RFC 5321: the longest address that mail can carry
SHORT_LENGTH = 120
DESCRIPTION_LENGTH = 1000
KEPT_CONTROLS = {"\n", "\t"}
# Joiners have no width but belong to words and emoji in several scripts.
KEPT_FORMATS = {"\u200c", "\u200d"}
# Where the mail standards of 2003 and 2008 disagree: the one Python knows would write to somebody else's domain.
TWO_MEANINGS_IN_A_DOMAIN = {"ß", "ς"}
EXTENSION = re.compile(r"(?:ext\.?|extension|x|#)\s*\d{1,7}\s*$", re.IGNORECASE)


def plain_text(value: str) -> str:
    """Text without what cannot be seen: control characters, direction overrides, zero-width marks, lone surrogates.

    Letters of every script, emoji and right-to-left words stay as they were typed.
    """
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        character
        for character in value
        if character in KEPT_CONTROLS
        or character in KEPT_FORMATS
        or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    ).strip()


def one_line(value: str) -> str:
    return " ".join(plain_text(value).split())


class TextField(forms.CharField):
    """A text of at most `longest` characters, cleaned of what cannot be seen. A longer one is a message, never a cut."""

    def __init__(self, *, longest: int, lines: int = 1, too_long: str = "", **kwargs):
        widget = forms.Textarea(attrs={"rows": lines}) if lines > 1 else forms.TextInput()
        super().__init__(widget=kwargs.pop("widget", widget), strip=False, **kwargs)
        self.clean_text = plain_text if lines > 1 else one_line
        self.validators = [MaxLengthValidator(longest, too_long or f"Use {longest:,} characters or fewer.")]

    def to_python(self, value):
        return self.clean_text(super().to_python(value))


class EmailField(TextField):
    """An address that mail can be delivered to. A domain in another script is kept in its ASCII form."""

    default_error_messages = {
        "invalid": "Enter an email address in the correct format, like name@example.com",
        "local_part": "Use only the letters a to z, numbers and . _ - + before the @ sign. "
        "Our mail system cannot reach other addresses yet.",
    }

    def __init__(self, **kwargs):
        attrs = {
            "autocomplete": "email",
            "spellcheck": "false",
            "autocapitalize": "none",
            "inputmode": "email",
        }
        super().__init__(
            longest=EMAIL_LENGTH,
            too_long=f"Enter an email address of {EMAIL_LENGTH} characters or fewer.",
            widget=forms.EmailInput(attrs=attrs),
            **kwargs,
        )

    def to_python(self, value):
        # Full-width letters, as some keyboards type them, become the ordinary ones.
        value = unicodedata.normalize("NFKC", super().to_python(value)).strip()
        value = "".join(character for character in value if character not in KEPT_FORMATS)
        if value in self.empty_values or len(value) > EMAIL_LENGTH:
            return value  # a validator says that it is too long
        local, at, domain = value.rpartition("@")
        if at and local and not local.isascii():
            raise forms.ValidationError(self.error_messages["local_part"], code="local_part")
        # Django also takes "localhost" and "[10.0.0.1]", which are machines near our own and nobody's address.
        if "." not in domain or domain.startswith("[") or not TWO_MEANINGS_IN_A_DOMAIN.isdisjoint(domain):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            value = f"{local}@{punycode(domain)}"
            forms.EmailField(max_length=None).clean(value)
        except (forms.ValidationError, UnicodeError) as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        return value


class PhoneField(PhoneNumberField):
    """One number, in digits. The library would read letters as a keypad does or leave them out, and reach somebody else."""

    def to_python(self, value):
        value = one_line(value or "")
        if any(character.isalpha() for character in EXTENSION.sub("", value)):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class UnseenField(forms.CharField):
    """A field that nobody types in: whatever arrives in it must not become a message about a field nobody can see."""

    def __init__(self, **kwargs):
        super().__init__(required=False, **kwargs)
        self.validators = []

    def to_python(self, value):
        return one_line(super().to_python(value))


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
        self.helper.layout = Layout(
            *(Field(name) for name in self.visible_order()),
            "sheet",
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

    # The own page offers the choice; the form at the foot of a sheet carries its sheet hidden.
    def __init__(self, *args, choose_sheet: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["sheet"].required = True
        self.fields["sheet"].error_messages["required"] = "Choose the fact sheet you want"
        if choose_sheet:
            self.order_fields(["sheet"])  # the error summary follows the page
            sheets = FactSheet.objects.published()
            self.fields["sheet"].label = "Which fact sheet would you like?"
            self.fields["sheet"].widget = forms.Select(
                choices=[("", "Choose a fact sheet"), *((sheet.slug, sheet.title) for sheet in sheets)]
            )
            self.helper.layout = Layout(
                "sheet",
                "name",
                "email",
                Field("website", template="care/trap.html"),
                Submit("send", self.submit_label, css_id="report-send"),
            )

    def clean_sheet(self):
        sheet = super().clean_sheet()
        if sheet is None:
            raise forms.ValidationError("We do not have that fact sheet. Choose one from the list.")
        return sheet


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
