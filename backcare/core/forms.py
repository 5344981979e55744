"""Form fields that make what people type safe to store and possible to answer, and how our forms are sent.

Every message is an instruction for its field.
"""

import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout
from django import forms
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.utils.encoding import punycode
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from backcare.core import addresses, phones

EMAIL_LENGTH = 254  # RFC 5321: the longest address that email can have
KEPT_CONTROLS = {"\n", "\t"}
# Joiners have no width but belong to words and emoji in several scripts.
KEPT_FORMATS = {"\u200c", "\u200d"}
# The standards of 2003 and 2008 disagree here, and the older one, which Python has, would mean somebody else's domain.
TWO_MEANINGS_IN_A_DOMAIN = {"ß", "ς"}


def plain_text(value: str) -> str:
    """Text without invisible characters: control characters, direction overrides, zero-width marks and lone surrogates.

    Letters of every script, emoji and right-to-left words stay as typed.
    """
    value = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(
        character
        for character in value
        if character in KEPT_CONTROLS
        or character in KEPT_FORMATS
        or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn"}
    ).strip()


def as_number(text: str) -> int | None:
    """A number below 1,000,000,000 that one of our pages sent back. None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def one_line(value: str) -> str:
    return " ".join(plain_text(value).split())


def characters(value: str) -> int:
    """How many characters a person sees. A letter with accents counts as one, and so does an emoji made of several."""
    count, joined, flag = 0, False, False
    for character in value:
        part = (
            joined
            or character in KEPT_FORMATS
            or unicodedata.category(character) in {"Mn", "Mc", "Me"}
            or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        )
        half_a_flag = "\U0001f1e6" <= character <= "\U0001f1ff"
        count += not part and not (half_a_flag and flag)
        joined, flag = character == "\u200d", half_a_flag and not flag
    return count


class Longest(MaxLengthValidator):
    """At most this many characters as people count them, and not many times more code points.

    The message ends with how many to remove, if people can count them.
    """

    def __call__(self, value: Any) -> None:
        try:
            super().__call__(value)
        except forms.ValidationError:
            over = characters(value) - self.limit_value
            if over <= 0:
                raise
            raise forms.ValidationError(f"{self.message}: remove {over:,}", code=self.code) from None

    def clean(self, value: Any) -> int:
        return characters(value) if len(value) <= 4 * self.limit_value else len(value)


if TYPE_CHECKING:
    from django.forms.widgets import ChoiceWidget
else:
    ChoiceWidget = object


class Begun(ChoiceWidget):
    """A group of choices at which the page can open."""

    begin_here = False

    def create_option(
        self,
        name: str,
        value: Any,
        label: int | str,
        selected: bool,
        index: int,
        subindex: int | None = None,
        attrs: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(
            name, value, label, selected, index, subindex=subindex, attrs=attrs
        )
        if self.begin_here and index == 0:
            option["attrs"]["autofocus"] = True
        return option


class Radios(Begun, forms.RadioSelect):
    pass


class Ticks(Begun, forms.CheckboxSelectMultiple):
    pass


def one_of(
    label: str,
    known: dict[str, str],
    hint: str = "",
    *,
    required: str = "",
    invalid: str = "Choose one from the list",
) -> forms.ChoiceField:
    """An optional closed question. `required` is the message if another answer makes it necessary."""
    return forms.ChoiceField(
        label=label,
        help_text=hint,
        required=False,
        choices=list(known.items()),
        widget=Radios,
        error_messages={"required": required, "invalid_choice": invalid},
    )


class TextField(forms.CharField):
    """A text of at most `longest` characters, without invisible ones. A longer text gets a message and is never cut."""

    is_own_words = True  # read for red flags: enquiries/request_forms/own_words.py

    def __init__(self, *, longest: int, lines: int = 1, too_long: str = "", **kwargs: Any) -> None:
        widget = forms.Textarea(attrs={"rows": lines}) if lines > 1 else forms.TextInput()
        super().__init__(widget=kwargs.pop("widget", widget), strip=False, **kwargs)
        self.clean_text = plain_text if lines > 1 else one_line
        self.validators = [Longest(longest, too_long or f"Use {longest:,} characters or fewer")]

    def to_python(self, value: Any) -> str:
        return self.clean_text(super().to_python(value) or "")


class EmailField(TextField):
    """An address to which email can be delivered. A domain in another script is stored in its ASCII form."""

    is_own_words = False

    default_error_messages = {
        "required": "Enter your email address",
        "invalid": "Enter an email address in the correct format, like name@example.com",
        "local_part": "Use only the letters a to z, numbers and . _ - + before the @ sign. "
        "Our mail system cannot reach other addresses yet.",
    }

    def __init__(self, **kwargs: Any) -> None:
        attrs = {
            "autocomplete": "email",
            "spellcheck": "false",
            "autocapitalize": "none",
            "inputmode": "email",
        }
        super().__init__(
            longest=EMAIL_LENGTH,
            too_long=f"Enter an email address of {EMAIL_LENGTH} characters or fewer",
            widget=forms.EmailInput(attrs=attrs),
            **kwargs,
        )

    def to_python(self, value: Any) -> str:
        # Full-width letters, as some keyboards type them, become the ordinary ones.
        typed = unicodedata.normalize("NFKC", super().to_python(value)).strip()
        typed = "".join(character for character in typed if character not in KEPT_FORMATS)
        if typed in self.empty_values or len(typed) > EMAIL_LENGTH:
            return typed  # a validator reports that it is too long
        if to_change := addresses.what_to_change(typed):
            raise forms.ValidationError(to_change, code="invalid")
        local, at, domain = typed.rpartition("@")
        if at and local and not local.isascii():
            raise forms.ValidationError(self.error_messages["local_part"], code="local_part")
        # Django also accepts "localhost" and "[10.0.0.1]", which are machines near our own and nobody's address.
        if "." not in domain or domain.startswith("[") or not TWO_MEANINGS_IN_A_DOMAIN.isdisjoint(domain):
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        try:
            address = f"{local}@{punycode(domain)}"
            forms.EmailField(max_length=None).clean(address)
        except (forms.ValidationError, UnicodeError) as error:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid") from error
        return address


class PhoneField(forms.CharField):
    """One number, in the form of backcare.core.phones. The message for a wrong one says what to change."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            widget=forms.TextInput(attrs={"autocomplete": "tel", "inputmode": "tel"}), strip=False, **kwargs
        )
        self.widget.input_type = "tel"

    def to_python(self, value: Any) -> str:
        typed = one_line(unicodedata.normalize("NFKC", super().to_python(value) or ""))
        try:
            return phones.read(typed) if typed else ""
        except phones.NotANumber as refusal:
            raise forms.ValidationError(str(refusal), code="invalid") from refusal


class UnseenField(forms.CharField):
    """A field that nobody types in, so it must never cause a message about a field that nobody can see."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.validators = []

    def to_python(self, value: Any) -> str:
        return one_line(super().to_python(value) or "")


DATE = "Enter a date, such as 27/3/2026."


class DayField(forms.DateField):
    """A day as staff type it for a list. The days before and after it can be counted, which ends with the year 9999."""

    def __init__(self, *, label: str, required: bool = False):
        super().__init__(
            label=label,
            required=required,
            widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
            validators=[MinValueValidator(date(2000, 1, 1), DATE), MaxValueValidator(date(2999, 12, 31), DATE)],
            error_messages={"invalid": DATE},
        )


class Carried:
    """Hidden fields with what was typed earlier. Part of a crispy layout."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def render(self, form: forms.Form, context: Any, **kwargs: Any) -> SafeString:
        return format_html_join("\n", '<input type="hidden" name="{}" value="{}">', self.pairs)


def posted(form: forms.Form, action: str, *parts: Any, **attributes: str) -> FormHelper:
    """The crispy helper of a form that is posted to `action`, with its parts in order."""
    helper = FormHelper(form)
    helper.form_action = action
    helper.form_method = "post"
    helper.disable_csrf = True  # the same-origin check uses the request's headers, so it needs no cookie or token
    helper.attrs = {"novalidate": "", **attributes}
    helper.layout = Layout(*parts)
    return helper
