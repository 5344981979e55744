"""Who it is for: the questions for somebody who asks for another person, as a daughter does for her father."""

from crispy_forms.layout import HTML, Field, Layout
from django import forms

from backcare.core.form_fields import TextField, one_of
from enquiries.request_forms import choices
from enquiries.request_forms.base import NAME_LENGTH


class ForSomeoneElse(forms.Form):
    """Part of a form of patients. It is for them unless they say otherwise; nobody has to answer, and most do not."""

    about_them = ("their_name", "they_are", "they_agree")

    for_whom = one_of(
        "Who is this for? (optional)",
        choices.FOR_WHOM,
        "If you leave this empty, we assume it is for you. If it is for someone else, tell us about their back below, not yours.",
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
    they_are = one_of("Who are they to you?", choices.RELATIONS, required="Choose who they are to you")
    they_agree = one_of(
        "Do they know, and agree, that you are asking us?",
        choices.AGREED,
        f"If not yet, you can still ask. {choices.UNTIL_THEY_AGREE}",
        required="Choose whether they know, and agree, that you are asking us",
    )

    def laid_out(self, name: str) -> Layout:
        """The three stand in a group, so that also who hears the page knows when to leave them out."""
        parts = [Field(name)]
        if name == self.about_them[0]:
            parts.insert(0, HTML('<fieldset class="field theirs"><legend>If it is for someone else</legend>'))
        if name == self.about_them[-1]:
            parts.append(HTML("</fieldset>"))
        return Layout(*parts)

    def clean(self):
        cleaned = super().clean()
        if self.for_someone_else:
            for name in self.about_them:
                if not cleaned.get(name):
                    self._ask_for(name)
            # The consent that goes with them is that of the person who answered.
            if cleaned.get("include_answers") == "yes":
                self.add_error("include_answers", "Choose no. You can only send answers with a request for yourself")
        elif cleaned.get("for_whom") == choices.ME:
            # They may have answered below before they chose: a radio button cannot be emptied, and nothing there is kept.
            for name in self.about_them:
                self.errors.pop(name, None)
        elif any(cleaned.get(name) or name in self.errors for name in self.about_them):
            self._ask_for("for_whom")
        return cleaned

    def _ask_for(self, name: str) -> None:
        if name not in self.errors:
            self.add_error(name, self.fields[name].error_messages["required"])

    @property
    def for_someone_else(self) -> bool:
        return self.cleaned_data.get("for_whom") == choices.SOMEONE_ELSE

    def also(self) -> dict:
        if not self.for_someone_else:
            return super().also()
        told = self.cleaned_data
        return super().also() | {
            "for_name": told["their_name"],
            "for_relation": choices.RELATIONS_KEPT[told["they_are"]],
            "for_agreed": told["they_agree"],
        }
