"""One page of the self-assessment as a form. Labels, hints and messages are those of `questions.py`.

A browser shares one set of answers between its tabs. So the page carries which signs it showed as ticked: a sign that another
tab has ticked since then cannot be taken away by somebody who never saw it here (`lost_unseen`).
"""

from crispy_forms.layout import Field, Submit
from django import forms

from backcare.core.forms import posted
from enquiries.assessment.flags import Flags
from enquiries.assessment.kinds import NONE, UNSURE, Answers, Part, Question
from enquiries.assessment.questions import CRISIS

NOT_ON_THE_LIST = "Choose from the answers on this page"
MAX_SEEN = 500  # characters: far more than all codes of a page


class QuestionForm(forms.Form):
    use_required_attribute = False  # our own messages say more than the browser's bubbles, in one place

    # "seen", then the codes of the answers that this page showed as chosen and that must not be lost.
    seen = forms.Field(required=False, widget=forms.HiddenInput)

    def __init__(
        self,
        *args,
        question: Question,
        known: Flags,
        answers: Answers,
        action: str,
        show: Answers | None = None,
        **kwargs,
    ):
        """`answers` are those in the browser's cookie. If `show` is given, those are ticked instead, for the person to decide."""
        initial = {part.name: _initial(getattr(show or answers, part.name)) for part in question.parts}
        initial["seen"] = " ".join(
            ["seen", *sorted(value for part in question.parts for value in _weighty(part, answers))]
        )
        super().__init__(*args, initial=initial, **kwargs)
        self.question, self.answers = question, answers
        for part in question.parts:
            self.fields[part.name] = _field(part, known)
            # On a page with one question, the question is the heading.
            self.fields[part.name].heads_the_page = not question.heading
        parts = [
            Field("seen"),
            *(Field(part.name) for part in question.parts),
            Submit("go-on", "Continue", css_id="go-on"),
        ]
        # "off", so that the back button shows what the cookie holds, not what was ticked before the answers were cleared.
        self.helper = posted(self, action, *parts, autocomplete="off")

    def clean(self):
        cleaned = super().clean()
        for part in self.question.parts:
            if part.many and len(cleaned.get(part.name) or []) > 1:
                self._expect_alone(part, cleaned[part.name])
        return cleaned

    def _expect_alone(self, part: Part, chosen: list[str]) -> None:
        choices = dict(self.fields[part.name].choices)
        lonely = [NONE] if part.flags else [option.value for option in part.options if option.alone]
        for value in lonely:
            if value in chosen:
                what = "the signs that you have" if part.flags else "the ones that apply"
                self.add_error(part.name, f"Tick {what}, or choose “{choices[value]}”. You cannot choose both")

    @property
    def unsure(self) -> bool:
        """Unsure about a red flag. A ticked emergency sign outweighs it, so that is dealt with first."""
        return any(UNSURE in self.cleaned_data[part.name] for part in self.question.parts if part.flags)

    @property
    def lost_unseen(self) -> bool:
        """Sending this page would remove an answer given in another tab since it was opened, so we must ask first."""
        seen = str(self.data.get("seen", ""))[:MAX_SEEN].split()
        given = self.given()
        return any(
            _weighty(part, self.answers) - _weighty(part, self.answers.with_answers(**given)) - set(seen)
            for part in self.question.parts
        )

    def given(self) -> dict[str, str | frozenset[str]]:
        """The answers of this page under the names of `Answers`. "I'm not sure" is not one."""
        return {
            part.name: frozenset(self.cleaned_data[part.name]) - {UNSURE} if part.many else self.cleaned_data[part.name]
            for part in self.question.parts
        }


def graver(question: Question, held: Answers, other: Answers) -> Answers:
    """The graver of two answers to one question: every sign that is ticked in either."""
    chosen = {}
    for part in question.parts:
        one, two = getattr(held, part.name), getattr(other, part.name)
        if part.flags:
            chosen[part.name] = (one | two) - {NONE}
        else:
            chosen[part.name] = one if _weighty(part, held) else two
    return held.with_answers(**chosen)


def _weighty(part: Part, answers: Answers) -> frozenset[str]:
    """The chosen answers that must not be lost: red flags, and those that bring up the crisis lines."""
    return answers.ticked(part.name) if part.flags else answers.ticked(part.name) & CRISIS.get(part.name, frozenset())


def _field(part: Part, known: Flags) -> forms.Field:
    kind, widget = (
        (forms.MultipleChoiceField, forms.CheckboxSelectMultiple)
        if part.many
        else (forms.ChoiceField, forms.RadioSelect)
    )
    choices = [(option.value, option.label) for option in part.options]
    if part.flags:
        choices = [*known.options(part.flags), (NONE, "None of these"), (UNSURE, "I’m not sure")]
    field = kind(
        label=part.text,
        help_text=part.hint,
        choices=choices,
        required=part.required,
        widget=widget,
        error_messages={
            "required": part.missing,
            "invalid_choice": NOT_ON_THE_LIST,
            "invalid_list": NOT_ON_THE_LIST,
        },
    )
    # "or" comes before the first answer that excludes the others.
    field.set_apart = NONE if part.flags else next((option.value for option in part.options if option.alone), "")
    return field


def _initial(given: str | frozenset[str] | None):
    return sorted(given) if isinstance(given, frozenset) else given
