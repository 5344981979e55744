"""Shared records picked by words of them, so that nobody has to know a key or scroll a list: statements of evidence and figures.

Sources are cited in the same way; what somebody may mean by a pasted citation is in factsheets/pasted_citation.py.
"""

from collections.abc import Callable, Iterable
from functools import reduce
from operator import or_

from django import forms
from django.db.models import Model, Q
from django.template.loader import render_to_string

from backcare.core.forms import as_number
from factsheets.models import FactSheet, Figure, Statement
from factsheets.rendering.document import verdict_of

# The name comes first: whoever types all of it means that one.
SEARCHED = {
    Statement: ("claim", "detail", "nice_position", "treatment", "condition", "comparison"),
    Figure: ("title", "alt", "long_description"),
}
MOST = 12


def found(model: type[Model], text: str) -> list:
    """The records that have every word, or the one of that name. Twelve at most; the first of all when nothing is asked."""
    name, *_ = fields = SEARCHED[model]
    words = text.split()
    rows = model._default_manager.all()
    if same := list(rows.filter(**{f"{name}__iexact": " ".join(words)})[:2]):
        return same
    for word in words[:8]:
        rows = rows.filter(reduce(or_, (Q(**{f"{each}__icontains": word}) for each in fields)))
    return list(rows[:MOST])


class PickedInput(forms.Widget):
    """What was picked, in words. Its number travels in a hidden field; another is picked with a button beside it."""

    template_name = ""
    model: type[Model]
    among: Callable[[], dict] | None = (
        None  # what all the fields of a page hold, by number, where somebody asked for it at once
    )

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
