"""What a patient may type about their request after they sent it."""

from crispy_forms.layout import Field, Submit
from django import forms

from backcare.core.form_fields import TextField
from backcare.core.form_layout import Carried, posted
from enquiries.request_forms import choices
from enquiries.request_forms.base import SeenSigns
from enquiries.request_forms.consultation import ConsultationForm

DETAIL_LENGTH = 500  # characters


class VisitForm(forms.Form):
    """A form of somebody who was let in: it carries their pass."""

    use_required_attribute = False
    seen_signs = ""

    def __init__(self, *args, action: str, passed: str, **kwargs):
        super().__init__(*args, **kwargs)
        self.helper = posted(
            self,
            action,
            *self.parts(),
            Carried([("pass", passed)]),
            SeenSigns(self),
            Submit("continue", "Continue", css_id=f"{self.prefix}-continue"),
        )


class TimesForm(VisitForm):
    days = ConsultationForm.base_fields["days"]
    day_parts = ConsultationForm.base_fields["day_parts"]
    best_time = ConsultationForm.base_fields["best_time"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["best_time"].help_text += " This replaces what you wrote about times before."

    def parts(self):
        return [Field("days"), Field("day_parts"), Field("best_time")]

    def details(self) -> dict:
        return {
            "call_slots": choices.call_slots(self.cleaned_data["days"], self.cleaned_data["day_parts"]),
            "best_time": self.cleaned_data["best_time"],
        }


class AddForm(VisitForm):
    text = TextField(
        longest=DETAIL_LENGTH,
        lines=6,
        label="What would you like to add?",
        help_text=f"Up to {DETAIL_LENGTH} characters. Do not use this for emergencies.",
        too_long=f"Shorten it to {DETAIL_LENGTH} characters or fewer",
        error_messages={"required": "Write what you would like to add"},
    )

    def parts(self):
        return [Field("text")]
