"""The two forms of a consultation: the short one at the foot of each sheet, and the whole one of its own page."""

from crispy_forms.layout import HTML, Field, Layout
from django import forms
from django.utils.html import format_html

from backcare.core import phones
from backcare.core.form_fields import PhoneField, Radios, TextField, Ticks, one_of
from enquiries.models import WEEKDAYS
from enquiries.report import consent
from enquiries.request_forms import choices
from enquiries.request_forms.base import EnquiryForm
from enquiries.request_forms.proxy import ForSomeoneElse

SHORT_LENGTH = 120
DESCRIPTION_LENGTH = 500  # characters, after the closed questions


class TimesTable(Field):
    template = "enquiries/request_forms/times.html"


class Times(Ticks):
    """Tick boxes for a table: each knows the day of its row."""

    def create_option(self, name, value, *args, **kwargs):
        option = super().create_option(name, value, *args, **kwargs)
        return option | {"day": WEEKDAYS[int(value.partition("-")[0])]}


def _yes_or_no(label: str, hint: str, *, required: str) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        required=False,
        choices=list(choices.YES_NO.items()),
        widget=Radios,
        error_messages={"required": required, "invalid_choice": "Choose yes or no"},
    )


def _said_yes(answer: str) -> bool | None:
    return {"yes": True, "no": False}.get(answer)


class ConsultationForm(EnquiryForm):
    """The short form at the foot of each sheet. What else has to be known is asked on the next page."""

    kind = "consultation"
    submit_label = "Request a consultation"
    asks = ("name", "email", "contact_by", "phone", "best_time", "description")

    contact_by = forms.MultipleChoiceField(
        label="How should we contact you?",
        help_text="Choose one or more.",
        choices=list(choices.CONTACT.items()),
        widget=Ticks,
        error_messages={
            "required": "Choose how we should contact you",
            "invalid_choice": "Choose phone, video call or email",
        },
    )
    phone = PhoneField(
        label="Phone number",
        required=False,
        help_text="The best number to reach you. We need it for a phone call. "
        "If you use text relay, start with 18001 or 18002.",
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
        return list(self.asks)

    def clean(self):
        cleaned = super().clean()
        if "phone" in cleaned.get("contact_by", []) and not cleaned.get("phone") and "phone" not in self.errors:
            self.add_error("phone", "Enter your phone number, so that we can call you")
        return cleaned


class WholeConsultationForm(ForSomeoneElse, ConsultationForm):
    """The form of the consultation page: how to reach them first, then who they are, then their back."""

    submit_label = "Continue"
    # With a phone call only. Nobody has said yes to a voicemail by leaving a question out.
    safe_contact = ("may_leave_voicemail", "may_say_who_calls")
    parts = (
        ("How to reach you", ("contact_by", "phone", *safe_contact, "times", "best_time")),
        ("About you", ("for_whom", *ForSomeoneElse.about_them, "name", "email", "needs", "language", "needs_note")),
        ("Your back", ("how_long", "where", "seen", "description", "include_answers")),
    )

    may_leave_voicemail = _yes_or_no(
        "May we leave a voicemail?",
        "If we phone you. Someone else may hear it.",
        required="Choose whether we may leave a voicemail",
    )
    may_say_who_calls = _yes_or_no(
        "May we say who is calling?",
        "If someone else answers the phone.",
        required="Choose whether we may say who is calling",
    )
    times = forms.MultipleChoiceField(
        label="When is a good time? (optional)",
        help_text="Tick any that suit you. If you tick none, we may call at any time.",
        required=False,
        choices=list(choices.TIMES.items()),
        widget=Times,
        error_messages={"invalid_choice": "Choose times from the table"},
    )
    needs = forms.MultipleChoiceField(
        label="What would help us talk with you? (optional)",
        help_text="Tick any that you need.",
        required=False,
        choices=list(choices.NEEDS.items()),
        widget=Ticks,
        error_messages={"invalid_choice": "Choose from the list, or tell us in your own words below"},
    )
    language = TextField(
        longest=SHORT_LENGTH,
        label="Which language? (if you need an interpreter)",
        required=False,
    )
    needs_note = TextField(
        longest=SHORT_LENGTH,
        label="Anything else that would help us talk with you (optional)",
        help_text="For example, who helps you, or that you need more time.",
        required=False,
    )
    how_long = one_of("How long have you had it? (optional)", choices.HOW_LONG)
    where = one_of("Where do you feel it? (optional)", choices.WHERE)
    seen = forms.MultipleChoiceField(
        label="Have you seen anyone about it? (optional)",
        required=False,
        choices=list(choices.SEEN.items()),
        widget=Ticks,
        error_messages={"invalid_choice": "Choose from the list"},
    )
    # Only where the browser holds a finished self-assessment.
    include_answers = forms.ChoiceField(
        label="Send my answers from “Check your symptoms” too?",
        choices=[("no", "No"), ("yes", "Yes, send my answers and my result with this request")],
        initial="no",
        required=False,
        widget=Radios,
        error_messages={"invalid_choice": "Choose yes or no"},
    )

    def __init__(self, *args, ask_about_answers: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["best_time"].label = "Anything else about times (optional)"
        self.fields["best_time"].help_text = "For example, not before 10am."
        if ask_about_answers:
            said = consent.wording(consent.CONSULTATION)
            self.fields["include_answers"].help_text = f"If you choose yes, you say: “{said}”"
        else:
            del self.fields["include_answers"]
        self.order_fields(self.visible_order())  # the error summary follows the page
        self.lay_out(self.visible_order())

    def visible_order(self):
        return [name for _, names in self.parts for name in names if name in self.fields]

    def lay_out(self, names):
        layout = []
        for heading, part in self.parts:
            layout.append(HTML(format_html("<h2>{}</h2>", heading)))
            layout += [self.laid_out(name) for name in part if name in names]
        self.helper.layout = Layout(*layout, Field("sheet"), *self.ending())

    def laid_out(self, name):
        return TimesTable(name) if name == "times" else super().laid_out(name)

    def clean(self):
        cleaned = super().clean()
        for name in self.safe_contact:
            if "phone" in cleaned.get("contact_by", []) and not cleaned.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        lacks_language = choices.INTERPRETER in cleaned.get("needs", []) and not cleaned.get("language")
        if lacks_language and "language" not in self.errors:
            self.add_error("language", "Enter the language that you need an interpreter for")
        if phones.is_relay(cleaned.get("phone", "")) and choices.RELAY not in cleaned.get("needs", []):
            cleaned["needs"] = [*cleaned.get("needs", []), choices.RELAY]
        return cleaned

    @property
    def was_asked_everything(self) -> bool:
        """Sent by this form, and not by the short one: a browser sends a line of text also when it is empty."""
        return self.add_prefix("needs_note") in self.data

    @property
    def lacks_only_safe_contact(self) -> bool:
        return bool(self.errors) and all(
            name in self.safe_contact and not self.data.get(self.add_prefix(name)) for name in self.errors
        )

    def details(self):
        told = self.cleaned_data
        about = choices.back_in_words(told["how_long"], told["where"], told["seen"])
        details = super().details()
        details["description"] = "\n\n".join(part for part in (about, details["description"]) if part)
        return details

    def also(self):
        told = self.cleaned_data
        return super().also() | {
            "call_slots": choices.call_slots(told["times"]),
            "may_leave_voicemail": _said_yes(told["may_leave_voicemail"]),
            "may_say_who_calls": _said_yes(told["may_say_who_calls"]),
            "needs": choices.needs_in_words(told["needs"], told["language"], told["needs_note"]),
        }
