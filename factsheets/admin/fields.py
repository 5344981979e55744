"""Form fields that let editors write words in place of JSON."""

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.text import capfirst

from factsheets.models import Claim, SafetyAdvice


class TextKeptForm(forms.ModelForm):
    """A form that changes no text which the editor did not change.

    Browsers end lines with CR LF, and Django strips the ends. An upgrade of the content would take either for a staff edit.
    """

    def clean(self):
        cleaned = super().clean()
        stored = type(self.instance)._base_manager.filter(pk=self.instance.pk).first()
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

    def add_fields(self, form, index):
        super().add_fields(form, index)
        # In the table the heads of the columns are the labels, which a screen reader does not tie to a field.
        for field in form.fields.values():
            inner = getattr(field.widget, "widget", field.widget)
            inner.attrs = {"aria-label": str(capfirst(field.label or "")), **inner.attrs}

    def save_existing_objects(self, commit=True):
        own = self.model.natural_key_fields[-1]  # before it stands the parent
        renamed = [form.instance.pk for form in self.initial_forms if own in form.changed_data]
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
        # Django's own check comes after the database was asked, and PostgreSQL takes none.
        if "\x00" in (value or ""):
            raise ValidationError("Null characters are not allowed.")
        words = [" ".join(word.split()) for word in (value or "").split(",")]
        return list(dict.fromkeys(word for word in words if word))

    def has_changed(self, initial, data):
        return (initial or []) != self.to_python(data)


class LinesField(forms.CharField):
    """A list of lines of text."""

    def __init__(self, *, rows: int = 8, **kwargs):
        box = forms.Textarea(attrs={"rows": rows, "class": "vLargeTextField"})
        super().__init__(required=False, widget=box, **kwargs)

    def prepare_value(self, value):
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value):
        if "\x00" in (value or ""):
            raise ValidationError("Null characters are not allowed.")
        return [" ".join(line.split()) for line in (value or "").splitlines() if line.strip()]


class KnownWordsField(WordsField):
    """Names of records, each of which must be there. `missing` is the sentence before the names that are not."""

    def __init__(self, *known: tuple[type[models.Model], str], missing: str, **kwargs):
        super().__init__(**kwargs)
        self.known, self.missing = known, missing

    def validate(self, value):
        super().validate(value)
        there = set()
        for model, name in self.known:
            there |= set(model.objects.filter(**{f"{name}__in": value}).values_list(name, flat=True))
        if unknown := [word for word in value if word not in there]:
            raise ValidationError(f"{self.missing} {', '.join(unknown)}.")


class ClaimRefsField(KnownWordsField):
    """Rows of the claim ledger, and of the safety advice, which is ledger too."""

    def __init__(self):
        super().__init__(
            (Claim, "ref"),
            (SafetyAdvice, "code"),
            missing="The claim ledger has no row",
            label="Ledger rows",
            help_text="The claim ledger rows that support this wording, separated by commas. For example: B-01, B-02.",
        )

    def to_python(self, value):
        return super().to_python((value or "").upper())
