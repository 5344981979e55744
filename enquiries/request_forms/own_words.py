"""What a person wrote in their own words, in whichever box, read for red flags.

Every text field is read: people write "my bottom is numb" where a form asks what helps to talk with them. The list is made from the
form's fields, so a box that is added is read as well.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from django import forms

from backcare.core.form_fields import TextField
from enquiries.request_forms import red_flag_text


@dataclass(frozen=True)
class Box:
    """One field in which a sign was found."""

    name: str
    label: str
    text: str


@dataclass(frozen=True)
class OwnWords:
    """`codes` of the safety advice, the gravest first within each box, and the boxes that gave them. `answers`: whether answers
    to the self-assessment did as well."""

    codes: tuple[str, ...]
    boxes: tuple[Box, ...]
    answers: bool = False

    def __bool__(self):
        return bool(self.codes)

    def and_answers(self, codes: Iterable[str]) -> "OwnWords":
        """With the codes of a self-assessment that goes along (enquiries.assessment.handover.safety_codes)."""
        codes = list(codes)
        return replace(self, codes=tuple(dict.fromkeys([*codes, *self.codes])), answers=bool(codes))


def boxes(form: forms.Form) -> list[Box]:
    """The boxes of a checked form that hold a text. A box that was refused holds none yet."""
    return [
        Box(name, str(field.label).replace(" (optional)", ""), form.cleaned_data[name])
        for name, field in form.fields.items()
        if isinstance(field, TextField) and field.is_own_words and form.cleaned_data.get(name)
    ]


def read(form: forms.Form) -> OwnWords:
    """Which red flags the words sound like, box by box: a sign is never put together from two boxes."""
    found = {box: red_flag_text.read(box.text).codes for box in boxes(form)}
    codes = dict.fromkeys(code for each in found.values() for code in each)
    return OwnWords(tuple(codes), tuple(box for box, each in found.items() if each))


def seen(given: str) -> list[str]:
    """The codes in a hidden field that says which cards somebody was shown. Whoever wrote it, it only spares a card."""
    return given[: 2 * red_flag_text.CODES_LENGTH].split()


def together(*codes: Iterable[str]) -> str:
    """As the hidden field carries them."""
    return " ".join(dict.fromkeys(code for each in codes for code in each))
