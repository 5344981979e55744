"""Picks statements of evidence and figures by typed words, instead of by a key or from a long list.

Sources are named in the same way; what somebody may mean by a pasted citation is in factsheets/pasted_citation.py.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_

from django import forms
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.text import slugify

from backcare.core.forms import as_number
from factsheets import pasted_citation
from factsheets.models import FactSheet, Figure, Source, Statement
from factsheets.rendering.document import verdict_of
from factsheets.search.pages import PAGES

# The name comes first, because someone who types all of it means that record.
SEARCHED = {
    Statement: ("claim", "detail", "nice_position", "treatment", "condition", "comparison"),
    Figure: ("title", "alt", "long_description"),
}
MOST = 12


def found(model: type[Model], text: str) -> list:
    """The records that have every word, or the one of that name. Twelve at most; the first ones if nothing was typed."""
    name, *_ = fields = SEARCHED[model]
    words = text.split()
    rows = model._default_manager.all()
    if same := list(rows.filter(**{f"{name}__iexact": " ".join(words)})[:2]):
        return same
    for word in words[:8]:
        rows = rows.filter(reduce(or_, (Q(**{f"{each}__icontains": word}) for each in fields)))
    return list(rows[:MOST])


def pages() -> list[tuple[str, str]]:
    """The title and address of every page that a text may link to: the public fact sheets, and the other pages of the site."""
    sheets = FactSheet.objects.published().values_list("title", "slug")
    own = [(title, reverse("factsheets:sheet", args=[slug])) for title, slug in sheets]
    return own + [(title, address) for address, title, *_ in PAGES]


def found_pages(text: str) -> list[tuple[str, str]]:
    """The pages whose title has every word, or the one of that title; or the address itself, where it is one."""
    if text.startswith(("https://", "/")) and " " not in text:
        return [next((each for each in pages() if each[1] == text), ("words", text))]
    words = text.casefold().split()
    listed = [(title, to) for title, to in pages() if all(word in title.casefold() for word in words)]
    return [each for each in listed if each[0].casefold() == " ".join(words)] or listed


class PickedInput(forms.Widget):
    """What was picked, in words. Its number is in a hidden field, and a button beside it picks another."""

    template_name = ""
    model: type[Model]
    # What all the fields of a page hold, by number, if it was read at once.
    among: Callable[[], dict] | None = None

    @classmethod
    def by_number(cls, values: Iterable) -> dict[str, Model]:
        numbers = {as_number(str(value or "")) for value in values} - {None}
        return {str(pk): record for pk, record in cls.model._default_manager.in_bulk(numbers).items()}

    def value_from_datadict(self, data, files, name):
        return data.get(name)

    def render(self, name, value, attrs=None, renderer=None):
        number = str(value or "")
        picked = (self.among() if self.among else self.by_number([number])).get(number)
        context = {"name": name, "value": number if picked else "", "picked": picked, "id": (attrs or {}).get("id", "")}
        return render_to_string(self.template_name, context | self.around(picked))

    def around(self, picked) -> dict:
        return {}


class PickedStatement(PickedInput):
    template_name = "admin/factsheets/writing/_picked_statement.html"
    model = Statement

    @classmethod
    def by_number(cls, values):
        found = super().by_number(values)
        for statement in found.values():
            statement.titles = []
        of = "sections__statement_uses__statement"
        shown = FactSheet.objects.filter(**{f"{of}__in": list(found.values())}).distinct()
        for pk, title, *_ in shown.values_list(of, "title", "topic__position", "position") if found else ():
            found[str(pk)].titles.append(title)
        return found

    def around(self, picked):
        return {"verdict": verdict_of(picked), "sheets": picked.titles} if picked else {}


class PickedFigure(PickedInput):
    template_name = "admin/factsheets/writing/_picked_figure.html"
    model = Figure
    asked: str | None = None  # what somebody is looking for

    def around(self, picked):
        return {
            "asked": self.asked,
            "offered": found(Figure, self.asked) if self.asked is not None else [],
            "titles": Figure.objects.order_by("title").values_list("title", flat=True),
        }

    def id_for_label(self, id_):
        return f"{id_}-asked"


def picked_figure(db_field, **options) -> forms.ModelChoiceField:
    """The field of a form in which one figure of the library is picked."""
    return db_field.formfield(**options | {"widget": PickedFigure})


class SourcesInput(forms.Widget):
    """A box for each source, and some more. Each suggests the sources that there are, and takes words of one."""

    SPARE, MOST = 3, 60

    def _names(self, name: str) -> list[str]:
        return [f"{name}-{number}" for number in range(self.MOST)]

    def value_from_datadict(self, data, files, name):
        return [data[each] for each in self._names(name) if each in data]

    def value_omitted_from_datadict(self, data, files, name):
        return f"{name}-0" not in data

    def id_for_label(self, id_):
        return f"{id_}-0"

    def render(self, name, value, attrs=None, renderer=None):
        attrs = attrs or {}
        known = {each.key: str(each) for each in Source.objects.only("key", "title")}
        texts = [str(each) for each in value or [] if str(each).strip()]
        texts = [known.get(text, text) for text in texts] + [""] * self.SPARE
        own = attrs.get("id", "")
        rows = [
            {"name": each, "id": f"{own}-{number}", "text": text}
            for number, (each, text) in enumerate(zip(self._names(name), texts, strict=False))
        ]
        context = {"id": own, "rows": rows, "sources": known.values(), "describedby": attrs.get("aria-describedby")}
        return render_to_string("admin/factsheets/writing/_picked_sources.html", context)


class SourcesField(forms.Field):
    """Sources of the library, each named by its key, a DOI or words of its title or author. Cleans to a list of them."""

    widget = SourcesInput
    default_error_messages = {"required": "Name at least one source."}

    def __init__(self, **kwargs):
        given = {
            "label": "Sources",
            "help_text": "Type words of the title or the author, its DOI or its short name: one source in each box.",
        }
        super().__init__(**given | kwargs)

    def to_python(self, value) -> list[Source]:
        chosen, problems = [], []
        for text in filter(None, (" ".join(each.split()) for each in value or [])):
            found = [] if "\x00" in text else pasted_citation.known(text)
            if len(found) == 1:
                chosen += [each for each in found if each not in chosen]
            elif found:
                names = "; ".join(map(str, found))
                problems.append(f"“{text}” can be any of these. Name one: {names}")
            else:
                problems.append(f"There is no source “{text}”. Check the words, or add it under “Sources” first.")
        if problems:
            raise ValidationError(problems)
        return chosen

    def has_changed(self, initial, data):
        named = [getattr(each, "key", each) for each in initial or []]
        return set(named) != {pasted_citation.key_in(text) for text in data or [] if text.strip()}


class CitedSourceField(forms.CharField):
    """One of the sources that a sheet cites, named by its short name or words of its title or author. Cleans to the source."""

    among: list[Source] = []  # of the sheet; set for each row

    def __init__(self, **kwargs):
        super().__init__(widget=forms.TextInput(attrs={"list": "cited-sources", "autocomplete": "off"}), **kwargs)

    def prepare_value(self, value):
        """A stored value is a number; a typed one stays as it is."""
        return next((str(each) for each in self.among if each.pk == value), value)

    def to_python(self, value) -> Source | None:
        text = " ".join(super().to_python(value).split())
        if not text:
            return None
        key, words = pasted_citation.key_in(text), text.casefold().split()
        found = [each for each in self.among if each.key == key] or [
            each
            for each in self.among
            if all(word in f"{each.key} {each.title} {each.authors}".casefold() for word in words)
        ]
        if not found:
            raise ValidationError(f"The sheet cites no source “{text}”. Cite it in a text first.")
        if len(found) > 1:
            raise ValidationError(f"“{text}” can be any of these. Name one: {'; '.join(map(str, found))}")
        return found[0]

    def has_changed(self, initial, data):
        return (self.prepare_value(initial) or "") != (data or "").strip()


class SuggestedInput(AdminTextInputWidget):
    """A box that suggests what `known` gives, and takes anything."""

    def __init__(self, known, attrs=None):
        super().__init__(attrs)
        self.known = known

    def render(self, name, value, attrs=None, renderer=None):
        known = f"{(attrs or {}).get('id', name)}-known"
        box = super().render(name, value, {**(attrs or {}), "list": known}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((each,) for each in self.known()))
        return format_html('{}<datalist id="{}">{}</datalist>', box, known, options)


class SlugOfWordsField(forms.SlugField):
    """Words of which a slug is made, such as “Recent low back pain”. Suggests those that other statements have."""

    def __init__(self, name: str, **kwargs):
        def known():
            return Statement.objects.exclude(**{name: ""}).order_by(name).values_list(name, flat=True).distinct()

        super().__init__(widget=SuggestedInput(known), max_length=Statement._meta.get_field(name).max_length, **kwargs)

    def to_python(self, value):
        return slugify(super().to_python(value))
