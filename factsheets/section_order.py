"""The order of a sheet's sections. Each belongs below one question, and moves only within it."""

from django.db import transaction

from factsheets import actions, publishing_rules
from factsheets.models import FactSheet, Section
from factsheets.models.section import GAP
from factsheets.rendering.document import in_reading_order


def place(*, section: Section, after: Section | None) -> None:
    """Puts a section behind another of its sheet, or first, and renumbers them all in steps of `GAP`."""
    with transaction.atomic():
        actions.lock(section.sheet)
        order = list(section.sheet.sections.exclude(pk=section.pk))
        order.insert(order.index(after) + 1 if after else 0, section)
        _number(order)
        # In readers' order: a section moved under another question goes to that end of it.
        _number(in_reading_order(section.sheet, order))
        Section.objects.bulk_update(order, ["position"])


def _number(order: list[Section]) -> None:
    for number, each in enumerate(order, start=1):
        each.position = number * GAP


def shift(*, section: Section, up: bool, by) -> None:
    """Moves a section one place up or down, below its own question. At the end of that it stays."""
    with transaction.atomic():
        sheet = section.sheet
        _expect_editable(sheet)
        order = in_reading_order(sheet, sheet.sections.all())
        at = order.index(section)
        to = at - 1 if up else at + 1
        if not 0 <= to < len(order) or stands_below(order[to]) != stands_below(section):
            return
        _number(order)
        order[at].position, order[to].position = order[to].position, order[at].position
        Section.objects.bulk_update(order, ["position"])
        actions.refresh(sheet=sheet)
        actions.keep_edition(sheet=sheet, by=by)


def put(*, section: Section, after: Section | None, by) -> None:
    """Moves a section behind another under the same question, or to the top of it. Otherwise it stays where it is."""
    if after is not None and (after.pk == section.pk or stands_below(after) != stands_below(section)):
        return
    with transaction.atomic():
        sheet = section.sheet
        _expect_editable(sheet)
        order = [each for each in in_reading_order(sheet, sheet.sections.all()) if each.pk != section.pk]
        own = [at for at, each in enumerate(order) if stands_below(each) == stands_below(section)]
        order.insert(order.index(after) + 1 if after else own[0] if own else 0, section)
        _number(order)
        Section.objects.bulk_update(order, ["position"])
        actions.refresh(sheet=sheet)
        actions.keep_edition(sheet=sheet, by=by)


def _expect_editable(sheet: FactSheet) -> None:
    actions.lock(sheet)
    if why_not := publishing_rules.why_not_edit(sheet):
        raise actions.MoveRefused(why_not)


def stands_below(section: Section) -> tuple[str, str]:
    """Its layer and question: only among those of the same can a section change places."""
    return section.layer, section.question
