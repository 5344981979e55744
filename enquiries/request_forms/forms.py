"""The forms for patients: what they have in common, a report by email, and a question. The long one is in `consultation.py`.

Each message is an instruction for its field; labels and hints are next to it.
"""

from dataclasses import dataclass
from functools import cached_property

from crispy_forms.layout import Field, Submit
from django import forms
from django.utils.html import format_html

from backcare.core.forms import (
    Begun,
    Carried,
    EmailField,
    TextField,
    UnseenField,
    posted,
)
from enquiries.assessment import handover
from factsheets.models import FactSheet

NAME_LENGTH = 120
# The texts that have a column of their own.
DETAILS = ("name", "email", "phone", "best_time", "description")


def long_text(label: str, *, longest: int, shorten: str, required: str, hint: str = "") -> TextField:
    """A box for free text of at most this many characters. `shorten` names it in the message for text that is too long."""
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
    """One page of a form, with some of its fields under one heading. `name` is part of its address."""

    name: str
    heading: str
    fields: tuple[str, ...]


class SeenSigns:
    """The marks of the words for which this person has seen the card, so that it comes once for the same words. Not a field: no
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
    """What every form asks, its layout, and a trap for robots.

    A form is validated as a whole and shown in steps: `show` leaves only one step's fields in it.
    """

    kind: str
    submit_label = "Continue"
    steps: tuple[Step, ...]
    seen_signs = ""
    use_required_attribute = False  # our own messages say more than the browser's bubbles, in one place

    name = TextField(
        longest=NAME_LENGTH,
        label="Your name",
        too_long=f"Enter your name in {NAME_LENGTH} characters or fewer",
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
        """Leaves only one step's fields and errors, and adds the hidden fields for the others."""
        errors = {name: self.errors[name] for name in step.fields if name in self.errors} if self.is_bound else {}
        self.fields = {name: field for name, field in self.fields.items() if name in (*step.fields, "website")}
        if self.is_bound:
            self._errors.clear()
            self._errors.update(errors)
        self.hidden = list(hidden)

    def begin_at(self, name: str) -> None:
        """Opens the page at this field, for somebody who came back to change it."""
        if name not in self.fields:
            return
        widget = self.fields[name].widget
        if isinstance(widget, Begun):
            widget.begin_here = True
        else:
            widget.attrs["autofocus"] = True

    # --- for a valid form ---

    def applies(self, step: Step) -> bool:
        """Whether the answers so far make this step necessary."""
        return True

    @property
    def pages(self) -> list[Step]:
        """The steps that this person goes through, in order."""
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
        """Only some forms ask, and only if there are answers. If not asked, they have not agreed."""
        return self.cleaned_data.get("include_answers") == "yes"

    for_someone_else = False  # only some forms ask

    def also(self) -> dict:
        """What the enquiry stores besides the texts."""
        return {}

    @property
    def trap_is_filled(self) -> bool:
        return bool(self.cleaned_data.get("website"))

    def details(self) -> dict[str, str]:
        """The texts that the enquiry keeps."""
        return {name: self.cleaned_data.get(name) or "" for name in DETAILS}


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

    # The form's own page offers a choice of sheets; at the foot of a sheet, the form carries that sheet in a hidden field.
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
