"""The three forms that patients fill in: a report by email, a consultation, a question.

Every message is an instruction for its field; labels and hints stand beside them. A consultation asks one thing a step, and only
what the answers before it make needed: nobody who chose email is asked for a phone number.
"""

from dataclasses import dataclass
from functools import cached_property

from crispy_forms.layout import HTML, Field, Submit
from django import forms
from django.utils.html import format_html

from backcare.core import phones
from backcare.core.forms import (
    Begun,
    Carried,
    EmailField,
    PhoneField,
    Radios,
    TextField,
    Ticks,
    UnseenField,
    one_of,
    posted,
)
from enquiries.assessment import handover
from enquiries.models import DAY_PARTS, WEEKDAYS
from enquiries.request_forms import choices
from factsheets.models import FactSheet

# --- what they have in common ---

NAME_LENGTH = 120
# The texts of a form that have a column of their own.
DETAILS = ("name", "email", "phone", "best_time", "description")


def long_text(label: str, *, longest: int, shorten: str, required: str, hint: str = "") -> TextField:
    """A box for what somebody wants to tell us, of so many characters. `shorten` names it in the sentence for too many."""
    return TextField(
        longest=longest,
        lines=6,
        label=label,
        help_text=f"{hint or f'Up to {longest:,} characters.'} Do not use this for emergencies.",
        too_long=f"Shorten {shorten} to {longest:,} characters or fewer",
        error_messages={"required": required},
    )


@dataclass(frozen=True)
class Step:
    """One page of a form: some of its fields under one heading. `name` is part of the page's address."""

    name: str
    heading: str
    fields: tuple[str, ...]


class SeenSigns:
    """The marks of the words for which this person has seen the card, so that the same words bring it once. Not a field: no
    other site's form may fill it in (enquiries.request_forms.form_state gives fields back)."""

    def __init__(self, form):
        self.form = form

    def render(self, form, context, **kwargs):
        return (
            format_html('<input type="hidden" name="{}" value="{}">', form.add_prefix("seen_signs"), form.seen_signs)
            if form.seen_signs
            else ""
        )


class EnquiryForm(forms.Form):
    """What every enquiry asks for, how it looks, and the trap for robots.

    A form is checked as a whole, and shown step by step: `show` leaves only one step's fields in it.
    """

    kind: str
    submit_label = "Continue"
    steps: tuple[Step, ...]
    seen_signs = ""
    use_required_attribute = False  # our own messages say more than the browser's bubbles, in one place

    name = TextField(
        longest=NAME_LENGTH,
        label="Your name",
        too_long=f"Enter your name in {NAME_LENGTH} characters or fewer.",
        error_messages={"required": "Enter your name"},
        widget=forms.TextInput(attrs={"autocomplete": "name", "spellcheck": "false"}),
    )
    email = EmailField(label="Email address")
    sheet = UnseenField(widget=forms.HiddenInput)
    # People never see this field; robots fill in every field they find.
    website = UnseenField(
        label="Leave this field empty",
        widget=forms.TextInput(attrs={"autocomplete": "off", "tabindex": "-1"}),
    )

    def __init__(self, *args, action: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.action = action
        self.hidden: list[tuple[str, str]] = []
        self.order_fields([name for step in self.steps for name in step.fields])  # the error summary follows the pages

    @cached_property
    def helper(self):
        """The layout, made once, when the form is shown."""
        return posted(
            self,
            self.action,
            *self.parts([name for name in self.fields if name != "website"]),
            Carried(self.hidden),
            SeenSigns(self),
            Field("website", template="form_pack/trap.html"),
            Submit("send", self.submit_label, css_id=f"{self.prefix or self.kind}-send"),
        )

    def parts(self, names: list[str]) -> list:
        return [Field(name) for name in names]

    def show(self, step: Step, hidden: list[tuple[str, str]] = ()) -> None:
        """Leaves the fields and the errors of one step, with what carries the others along."""
        errors = {name: self.errors[name] for name in step.fields if name in self.errors} if self.is_bound else {}
        self.fields = {name: field for name, field in self.fields.items() if name in (*step.fields, "website")}
        if self.is_bound:
            self._errors.clear()
            self._errors.update(errors)
        self.hidden = list(hidden)

    def begin_at(self, name: str) -> None:
        """The page opens at this field, for somebody who came back to change it."""
        if name not in self.fields:
            return
        widget = self.fields[name].widget
        if isinstance(widget, Begun):
            widget.begin_here = True
        else:
            widget.attrs["autofocus"] = True

    # --- of a form that was checked ---

    def applies(self, step: Step) -> bool:
        """Whether the answers so far make this step needed."""
        return True

    @property
    def pages(self) -> list[Step]:
        """The steps that this person is asked, in order."""
        return [step for step in self.steps if self.applies(step)]

    def heading(self, step: Step) -> str:
        return step.heading

    def is_wrong(self, step: Step) -> bool:
        return any(name in self.errors for name in step.fields)

    def step_named(self, name: str) -> Step | None:
        return next((step for step in self.steps if step.name == name), None)

    def step_of(self, field: str) -> Step | None:
        return next((step for step in self.steps if field in step.fields), None)

    def clean_sheet(self) -> FactSheet | None:
        slug = self.cleaned_data["sheet"]
        return (
            FactSheet.objects.published().order_by().only("slug", "title").filter(slug=slug).first() if slug else None
        )

    @property
    def with_answers(self) -> bool:
        """Only some forms ask, and only where there are answers: no question is a no."""
        return self.cleaned_data.get("include_answers") == "yes"

    for_someone_else = False  # only some forms ask

    def also(self) -> dict:
        """What the enquiry keeps beside the texts."""
        return {}

    @property
    def trap_is_filled(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    def details(self) -> dict[str, str]:
        """The texts that the enquiry keeps."""
        return {name: self.cleaned_data.get(name) or "" for name in DETAILS}


# --- a consultation ---

SHORT_LENGTH = 120
DESCRIPTION_LENGTH = 500  # characters, after the closed questions

WHO = Step("who", "Book a consultation", ("for_whom",))
THEM = Step("about-them", "The person it is for", ("their_name", "they_are", "they_agree"))
CONTACT = Step("contact", "How to reach you", ("name", "contact_by", "email"))
PHONE = Step("phone", "When we phone you", ("phone", "may_leave_voicemail", "may_say_who_calls"))
TIMES = Step("times", "A good time for you", ("days", "day_parts", "best_time"))
BACK = Step("back", "Your back pain", ("how_long", "where", "seen", "description"))
THEIR_BACK = "Their back pain"
ANSWERS = Step("answers", "Your answers from “Check your symptoms”", ("include_answers",))
HELP = Step("help", "What helps us talk with you", ("needs", "language", "needs_note"))

# What is asked in other words of somebody else's back.
OF_THEIRS = {
    "how_long": "How long have they had it? (optional)",
    "where": "Where do they feel it? (optional)",
    "seen": "Have they seen anyone about it? (optional)",
    "description": "Briefly describe their back pain",
}


def _ticks(label: str, hint: str, known: dict[str, str], *, invalid: str = "Choose from the list"):
    return forms.MultipleChoiceField(
        label=label,
        help_text=hint,
        required=False,
        choices=list(known.items()),
        widget=Ticks,
        error_messages={"invalid_choice": invalid},
    )


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
    kind = "consultation"
    steps = (WHO, THEM, CONTACT, PHONE, TIMES, BACK, ANSWERS, HELP)

    for_whom = one_of(
        "Who is this for?",
        choices.FOR_WHOM,
        required="Choose who this is for",
    )
    their_name = TextField(
        longest=NAME_LENGTH,
        label="Their name",
        required=False,
        too_long=f"Enter their name in {NAME_LENGTH} characters or fewer.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        error_messages={"required": "Enter the name of the person this is for"},
    )
    they_are = one_of(
        "Who are they to you?", choices.for_patients(choices.RELATIONS), required="Choose who they are to you"
    )
    they_agree = one_of(
        "Do they know, and agree, that you are asking us?",
        choices.AGREED,
        f"If not yet, you can still ask. {choices.UNTIL_THEY_AGREE}",
        required="Choose whether they know, and agree, that you are asking us",
    )
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
    email = EmailField(
        label="Email address",
        required=False,
        help_text="If you choose only phone, you can leave this empty. Then we do not email you to confirm your request.",
    )
    phone = PhoneField(
        label="Phone number",
        required=False,
        help_text="The best number to reach you. If you use text relay, start with 18001 or 18002.",
    )
    # Nobody has said yes to a voicemail by leaving a question out.
    may_leave_voicemail = _yes_or_no(
        "May we leave a voicemail?",
        "Someone else may hear it.",
        required="Choose whether we may leave a voicemail",
    )
    may_say_who_calls = _yes_or_no(
        "May we say who is calling?",
        "If someone else answers the phone.",
        required="Choose whether we may say who is calling",
    )
    days = _ticks(
        "Which days suit you? (optional)",
        "Tick any that suit you. If you tick none, we may call on any day.",
        dict(enumerate(WEEKDAYS)),
        invalid="Choose days from the list",
    )
    day_parts = _ticks(
        "Which times of day? (optional)",
        "If you tick none, we may call at any time of day.",
        dict(enumerate(part.capitalize() for part in DAY_PARTS)),
        invalid="Choose times of day from the list",
    )
    best_time = TextField(
        longest=SHORT_LENGTH,
        label="Anything else about times (optional)",
        help_text=f"For example, not before 10am. Up to {SHORT_LENGTH} characters.",
        required=False,
    )
    how_long = one_of("How long have you had it? (optional)", choices.HOW_LONG)
    where = one_of("Where do you feel it? (optional)", choices.for_patients(choices.WHERE))
    seen = _ticks("Have you seen anyone about it? (optional)", "", choices.for_patients(choices.SEEN))
    description = long_text(
        "Briefly describe your back pain",
        longest=DESCRIPTION_LENGTH,
        shorten="your description",
        required="Tell us briefly about your back pain",
        hint=f"What worries you most about it, in up to {DESCRIPTION_LENGTH:,} characters.",
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
    needs = _ticks(
        "What would help us talk with you? (optional)",
        "Tick any that you need.",
        choices.for_patients(choices.NEEDS),
        invalid="Choose from the list, or tell us in your own words below",
    )
    language = TextField(
        longest=SHORT_LENGTH,
        label="Which language? (if you need an interpreter)",
        required=False,
    )
    needs_note = TextField(
        longest=SHORT_LENGTH,
        label="Anything else that would help us talk with you (optional)",
        help_text=f"For example, who helps you, or that you need more time. Up to {SHORT_LENGTH} characters.",
        required=False,
    )

    def __init__(self, *args, ask_about_answers: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if ask_about_answers:
            said = handover.consent_wording(handover.CONSULTATION_CONSENT)
            self.fields["include_answers"].help_text = f"If you choose yes, you say: “{said}”"
        else:
            del self.fields["include_answers"]
        whom = self.data.get(self.add_prefix("for_whom")) if self.is_bound else self.initial.get("for_whom")
        if whom == choices.SOMEONE_ELSE:
            for name, label in OF_THEIRS.items():
                self.fields[name].label = label
            self.fields["where"].choices = list(choices.WHERE_THEIRS.items())

    def parts(self, names):
        """What few people need is folded, unless there is something in it."""
        if "needs" not in names or len(names) > len(HELP.fields):
            return super().parts(names)
        in_use = any(self.errors) or any(self.initial.get(name) for name in names)
        opens = format_html("<details{}><summary>Choose what would help</summary>", " open" if in_use else "")
        return [
            HTML("<p>You can leave this out. Most people do.</p>"),
            HTML(opens),
            *super().parts(names),
            HTML("</details>"),
        ]

    def clean(self):
        told = super().clean()
        self._require(self.for_someone_else, *THEM.fields)
        self._require(self.applies(PHONE), "may_leave_voicemail", "may_say_who_calls")
        if not told.get("for_whom"):
            self._require(True, "for_whom")
        self._require(set(told.get("contact_by", [])) != {"phone"}, "email")
        if self.applies(PHONE) and not told.get("phone") and "phone" not in self.errors:
            self.add_error("phone", "Enter your phone number, so that we can call you")
        for step in self.steps:
            if not self.applies(step):
                self._leave_out(step)
        lacks_language = choices.INTERPRETER in told.get("needs", []) and not told.get("language")
        if lacks_language and "language" not in self.errors:
            self.add_error("language", "Enter the language that you need an interpreter for")
        if phones.is_relay(told.get("phone", "")) and choices.RELAY not in told.get("needs", []):
            told["needs"] = [*told.get("needs", []), choices.RELAY]
        return told

    def _require(self, needed: bool, *names: str) -> None:
        for name in names:
            if needed and not self.cleaned_data.get(name) and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])

    def _leave_out(self, step: Step) -> None:
        """What they answered before they chose otherwise: a radio button cannot be emptied, and nothing of it is kept."""
        for name in step.fields:
            if name in self.fields:
                self.errors.pop(name, None)
                self.cleaned_data[name] = [] if isinstance(self.fields[name], forms.MultipleChoiceField) else ""

    def applies(self, step):
        by = set(self.cleaned_data.get("contact_by", []))
        if step is THEM:
            return self.for_someone_else
        if step is PHONE:
            return "phone" in by
        if step is TIMES:
            return bool(by & {"phone", "video"})
        if step is ANSWERS:
            # The consent that goes with them is that of the person who answered.
            return "include_answers" in self.fields and not self.for_someone_else
        return True

    def heading(self, step):
        return THEIR_BACK if step is BACK and self.for_someone_else else super().heading(step)

    @property
    def for_someone_else(self) -> bool:
        return self.cleaned_data.get("for_whom") == choices.SOMEONE_ELSE

    @property
    def call_slots(self) -> int:
        return choices.call_slots(self.cleaned_data["days"], self.cleaned_data["day_parts"])

    def details(self):
        told = self.cleaned_data
        about = choices.back_in_words(told["how_long"], told["where"], told["seen"])
        details = super().details()
        details["description"] = "\n\n".join(part for part in (about, details["description"]) if part)
        return details

    def also(self):
        told = self.cleaned_data
        kept = {
            "call_slots": self.call_slots,
            "may_leave_voicemail": _said_yes(told["may_leave_voicemail"]),
            "may_say_who_calls": _said_yes(told["may_say_who_calls"]),
            "needs": choices.needs_in_words(told["needs"], told["language"], told["needs_note"]),
        }
        if self.for_someone_else:
            kept |= {
                "for_name": told["their_name"],
                "for_relation": choices.RELATIONS[told["they_are"]].kept,
                "for_agreed": told["they_agree"],
            }
        return kept


# --- a report, a question ---


def _sheets() -> list[tuple[str, str]]:
    return [("", "Choose a fact sheet"), *FactSheet.objects.published().values_list("slug", "title")]


class ReportForm(EnquiryForm):
    kind = "report"
    submit_label = "Send me the fact sheet"
    steps = (Step("report", "Email me a fact sheet", ("sheet", "name", "email", "include_answers")),)

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
            self.fields["include_answers"].help_text = f"If you choose yes, you say: “{handover.consent_wording()}”"
        else:
            del self.fields["include_answers"]
        if choose_sheet:
            self.fields["sheet"].label = "Which fact sheet would you like?"
            self.fields["sheet"].widget = forms.Select(choices=_sheets)  # read when the form is shown

    def clean_sheet(self):
        sheet = super().clean_sheet()
        if sheet is None:
            raise forms.ValidationError("We do not have that fact sheet. Choose one from the list.")
        return sheet


QUESTION_LENGTH = 1000  # characters


class QuestionForm(EnquiryForm):
    kind = "question"
    steps = (Step("question", "Ask a question", ("name", "email", "description")),)

    description = long_text(
        "Your question", longest=QUESTION_LENGTH, shorten="your question", required="Write your question"
    )


FORMS = {form.kind: form for form in (ReportForm, ConsultationForm, QuestionForm)}
