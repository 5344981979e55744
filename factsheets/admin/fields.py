"""Form fields that let editors write words instead of JSON."""

import re
from collections.abc import Iterable

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst, slugify

from backcare.core.forms import as_number
from factsheets.markup_checks import SIGNS
from factsheets.models import Claim, SafetyAdvice
from factsheets.models.section import GAP, TAKEN_SLUGS


def free_slug(words: str, taken: set[str], fallback: str) -> str:
    """An address made from the words, unique on the page."""
    base = slugify(words)[:70].strip("-") or fallback
    slug, number = base, 2
    while slug in taken or TAKEN_SLUGS.match(slug):
        slug, number = f"{base}-{number}", number + 1
    return slug


class MakesShortName:
    """For the form of a record whose short name may be left empty: it is made of the words in `made_of`."""

    short, made_of = "slug", "title"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.short in self.fields:
            field = self.fields[self.short]
            field.required, field.label = False, "Short name"
            words = str(self.fields[self.made_of].label).lower() if self.made_of in self.fields else self.made_of
            field.help_text = f"Files and web addresses use it. Leave it empty to make it from the {words}."

    def clean(self):
        cleaned = super().clean()
        if cleaned.get(self.short) == "" and cleaned.get(self.made_of):
            records = type(self.instance)._base_manager.exclude(pk=self.instance.pk)
            taken = set(records.values_list(self.short, flat=True))
            name = type(self.instance)._meta.verbose_name.split()[-1]
            cleaned[self.short] = free_slug(cleaned[self.made_of], taken, fallback=name)
        return cleaned


class PointsField(forms.CharField):
    """A list, with one item on each line. The signs that make it a list are added to what is stored."""

    SIGN = re.compile(r"\s*[-*+•]\s+")

    def __init__(self, **kwargs):
        super().__init__(widget=forms.Textarea(attrs={"rows": 9}), **kwargs)

    @classmethod
    def without_signs(cls, text: str) -> str:
        """Unchanged if a line is not an item of a simple list, such as the second line of a long item."""
        lines = [line for line in text.splitlines() if line.strip()]
        return "\n".join(cls.SIGN.sub("", line, count=1) for line in lines) if all(map(cls.SIGN.match, lines)) else text

    @classmethod
    def with_signs(cls, text: str) -> str:
        lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
        return "".join(f"- {cls.SIGN.sub('', line, count=1)}\n" for line in lines)

    def prepare_value(self, value):
        return self.without_signs(value) if isinstance(value, str) else value

    def to_python(self, value):
        return self.with_signs(super().to_python(value))

    def has_changed(self, initial, data):
        return (initial or "").strip() != self.to_python(data).strip()


class TextKeptForm(forms.ModelForm):
    """A form that leaves alone every text that the editor did not change.

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
    """Rows with names that are unique within their parent. Two may swap names in one save.

    Django saves one row after the other, so the first would take a name that the second still has. Rows that get another
    name are therefore taken out and put back, under the same key.
    """

    def add_fields(self, form, index):
        super().add_fields(form, index)
        # In the table, the column headings are the labels, which a screen reader does not tie to a field.
        for field in form.fields.values():
            inner = getattr(field.widget, "widget", field.widget)
            inner.attrs = {"aria-label": str(capfirst(field.label or "")), **inner.attrs}

    def save_existing_objects(self, commit=True):
        own = self.model.natural_key_fields[-1]  # the parent comes before it
        renamed = [form.instance.pk for form in self.initial_forms if own in form.changed_data]
        if commit and len(renamed) > 1:
            self.model.objects.filter(pk__in=renamed).delete()
        return super().save_existing_objects(commit)


class PlaceField(forms.IntegerField):
    """The place of a row among others. A missing place is not a change, so an empty row stays empty."""

    def __init__(self):
        super().__init__(required=False, min_value=0, max_value=MAX_PLACE, widget=forms.HiddenInput)

    def has_changed(self, initial, data):
        return data not in {None, ""} and super().has_changed(initial, data)


class OrderedFormSet(TradingFormSet):
    """Rows in an order that buttons change. Their places travel in hidden fields; a new row comes last."""

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.fields["position"] = PlaceField()

    @cached_property
    def in_order(self) -> list[forms.ModelForm]:
        """In the order in which they will be saved, followed by empty rows."""
        return sorted(self.forms, key=lambda form: (not self._is_written(form), self._place(form)))

    @cached_property
    def written(self) -> list[forms.ModelForm]:
        return [form for form in self.in_order if self._is_written(form)]

    @property
    def last_written(self) -> forms.ModelForm | None:
        """The row that cannot be moved down."""
        return next(reversed(self.written), None)

    def _is_written(self, form) -> bool:
        return bool(form.instance.pk or form[self.model.natural_key_fields[-1]].value())

    @staticmethod
    def _place(form) -> int:
        """A row without a place comes after those that have one."""
        return as_number(str(form["position"].value() or "")) or MAX_PLACE

    def save_new(self, form, commit=True):
        return super().save_new(self._placed(form), commit)

    def save_existing(self, form, obj, commit=True):
        return super().save_existing(self._placed(form), obj, commit)

    def _placed(self, form):
        if not form.instance.position:
            form.instance.position = max([0, *(each.instance.position or 0 for each in self.forms)]) + GAP
        return form


MAX_PLACE = 32_767


class SignedText(forms.Textarea):
    """A text with Markdown in it, and the buttons that write it, so that nobody needs to know it."""

    def __init__(self, signs: Iterable[str] = SIGNS, attrs=None):
        super().__init__(attrs)
        self.signs = list(signs)

    def render(self, name, value, attrs=None, renderer=None):
        # A table is a section of its own.
        is_table = not (value or "").strip() or value.strip().startswith("|")
        buttons = format_html_join(
            "",
            '<button type="submit" class="button small" name="_sign" value="{}:{}">{}</button>',
            ([name, each, each] for each in self.signs if each != "Table" or is_table),
        )
        text = super().render(name, value, attrs, renderer)
        return format_html('<div class="toolbar" role="group" aria-label="Write">{}</div>{}', buttons, text)


class WordsField(forms.CharField):
    """A list of words, edited as one line with commas between them."""

    def __init__(self, **kwargs):
        super().__init__(required=False, widget=forms.TextInput(attrs={"class": "vTextField"}), **kwargs)

    def prepare_value(self, value):
        return ", ".join(map(str, value)) if isinstance(value, list) else value

    def to_python(self, value):
        # Django checks only after it has asked the database, and PostgreSQL refuses them.
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
    """Names of records, each of which must exist. `missing` is the sentence before the names of those that do not."""

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
            missing="There is no claim with the number",
            label="Claims it rests on",
            help_text="The numbers of the claims that support this wording, with commas between them, such as B-01, B-02. "
            "They are listed under “Claims”.",
        )

    def to_python(self, value):
        return super().to_python((value or "").upper())
