"""Form fields for editors, who think in words and not in JSON."""

from django import forms
from django.core.exceptions import ValidationError

from factsheets.models import Claim, SafetyAdvice


class TextKeptForm(forms.ModelForm):
    """A form that changes no text which the editor did not change.

    Browsers end lines with CR LF, and Django strips the ends. An upgrade of the content would take either for a staff edit.
    """

    def clean(self):
        cleaned = super().clean()
        stored = type(self.instance).objects.filter(pk=self.instance.pk).first()
        for name, value in cleaned.items():
            if isinstance(value, str):
                value = value.replace("\r\n", "\n")
                was = getattr(stored, name, None)
                if isinstance(was, str) and was.strip() == value.strip():
                    value = was
                elif isinstance(was, str) and was.endswith("\n"):
                    value = value.rstrip() + "\n"
                cleaned[name] = value
        return cleaned


class TradingFormSet(forms.BaseInlineFormSet):
    """Rows of which each has a name of its own within its parent. Two of them may trade names in one save.

    Django saves one row after the other, so the first would take a name that the second still has. Rows that get another
    name are therefore taken out and put back, under the same key.
    """

    own = ""  # the field that is unique within the parent

    def save_existing_objects(self, commit=True):
        renamed = [form.instance.pk for form in self.initial_forms if self.own in form.changed_data]
        if commit and len(renamed) > 1:
            self.model.objects.filter(pk__in=renamed).delete()
        return super().save_existing_objects(commit)


class WordsField(forms.CharField):
    """A list of words, edited as one line with commas between them."""

    def __init__(self, **kwargs):
        super().__init__(required=False, widget=forms.TextInput(attrs={"class": "vTextField"}), **kwargs)

    def prepare_value(self, value):
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value):
        if "\x00" in (
            value or ""
        ):  # Django's own check comes after the databases were asked, and PostgreSQL takes none
            raise ValidationError("Null characters are not allowed.")
        words = [" ".join(word.split()) for word in (value or "").split(",")]
        return list(dict.fromkeys(word for word in words if word))

    def has_changed(self, initial, data):
        return (initial or []) != self.to_python(data)


class KnownWordsField(WordsField):
    """Names of records, each of which must be there."""

    def __init__(self, model, name: str, **kwargs):
        super().__init__(**kwargs)
        self.model, self.name = model, name

    def validate(self, value):
        super().validate(value)
        known = set(self.model.objects.filter(**{f"{self.name}__in": value}).values_list(self.name, flat=True))
        if unknown := [word for word in value if word not in known]:
            raise ValidationError(f"There is no {self.model._meta.verbose_name} {', '.join(unknown)}.")


class ClaimRefsField(WordsField):
    """Rows of the claim ledger. A row that does not exist, or that must not be published, is named."""

    def __init__(self):
        super().__init__(
            label="Ledger rows",
            help_text="The rows of the claim ledger that these words rest on, with commas between: B-01, B-02.",
        )

    def to_python(self, value):
        return super().to_python((value or "").upper())

    def validate(self, value):
        super().validate(value)
        known = set(Claim.objects.filter(ref__in=value).values_list("ref", flat=True))
        known |= set(SafetyAdvice.objects.filter(code__in=value).values_list("code", flat=True))
        if unknown := [ref for ref in value if ref not in known]:
            raise ValidationError(f"The claim ledger has no row {', '.join(unknown)}.")
