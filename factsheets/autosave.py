"""What editors have typed but not saved, and who has which sheet open, or which record that sheets share.

What was typed is kept whole, as the browser sent it: with every button of the page, and every few seconds where script runs. So a
closed tab, an ended session or a step aside loses nothing. Nobody but its author sees it.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_hex

from django.http import QueryDict
from django.utils import timezone

from factsheets import team
from factsheets.models import FactSheet, UnsavedEdit

SHEET, NEW = "sheet", "new"
ASIDE = "/aside"  # behind the name of a part: what they typed there in another tab
TAB = "_tab"  # the field that names the tab, and after a dot what was kept when its page was opened
STILL_HERE = timedelta(minutes=15)  # without script a page does not say that it is still open
MAX_TYPED = 400_000  # characters, as a browser encodes them


def part_of(obj) -> str:
    """The name of a part of a sheet (its own facts, a section, a new section), or of a record that sheets share."""
    if isinstance(obj, FactSheet):
        return SHEET
    return f"{obj._meta.model_name}-{obj.pk}" if obj is not None and obj.pk else NEW


def clock(moment: datetime) -> str:
    """10:02am, with the day in front if it is not today."""
    local = timezone.localtime(moment)
    at = f"{local:%-I:%M}{'am' if local.hour < 12 else 'pm'}"
    return at if local.date() == timezone.localdate() else f"{at} on {local:%-d %B}"


def look(*, sheet: FactSheet | None, part: str, by) -> UnsavedEdit:
    """Notes that they have this part open; without a sheet, a record that sheets share, a red flag or a wording.

    What they typed into it and did not save is in `typed`.
    """
    now = timezone.now()
    row, made = UnsavedEdit.objects.get_or_create(
        sheet=sheet, part=part, by=by, defaults={"since": now, "seen_at": now}
    )
    if not made:
        if row.seen_at < now - STILL_HERE:
            row.since = now
        row.seen_at = now
        row.save(update_fields=["since", "seen_at"])
    return row


def keep(*, sheet: FactSheet, part: str, by, posted: QueryDict) -> UnsavedEdit:
    """Keeps what a form holds. The lines end as in a database, not as a browser sends them.

    What the same person typed here in another tab, which this one never showed, is put aside.
    """
    typed = QueryDict(mutable=True)
    for name, values in posted.lists():
        if name == TAB or (name != "csrfmiddlewaretoken" and not name.startswith("_")):
            typed.setlist(name, [value.replace("\r\n", "\n").replace("\x00", "") for value in values])
    row = look(sheet=sheet, part=part, by=by)
    words = typed.urlencode()
    # Without a field it was a button alone, and says nothing of the form.
    if set(typed) - {TAB} and words != row.typed and len(words) <= MAX_TYPED:
        if _of_another_tab(row, posted):
            _put_aside(row)
        row.typed, row.typed_at = words, timezone.now()
        row.save(update_fields=["typed", "typed_at"])
    return row


def new_tab(row: UnsavedEdit | None) -> str:
    """The name of a tab that is being opened and shows what the row holds."""
    shown = _digest(row.typed) if row and row.typed else ""
    return f"{token_hex(4)}.{shown}"


def _digest(typed: str) -> str:
    return sha256(typed.encode()).hexdigest()[:16]


def _of_another_tab(row: UnsavedEdit, posted: QueryDict) -> bool:
    """Whether the row holds words from another tab that this one never showed."""
    mine, _, shown = posted.get(TAB, "").partition(".")
    theirs = QueryDict(row.typed).get(TAB, "").partition(".")[0]
    return bool(mine and theirs and mine != theirs and shown != _digest(row.typed))


def _put_aside(row: UnsavedEdit) -> None:
    UnsavedEdit.objects.update_or_create(
        sheet=row.sheet,
        part=row.part + ASIDE,
        by=row.by,
        defaults={"typed": row.typed, "typed_at": row.typed_at, "seen_at": row.seen_at, "since": row.since},
    )


def aside(*, sheet: FactSheet, part: str, by) -> UnsavedEdit | None:
    """What the person typed into this part in another tab."""
    return UnsavedEdit.objects.filter(sheet=sheet, part=part + ASIDE, by=by).exclude(typed="").first()


def swap(*, sheet: FactSheet, part: str, by) -> None:
    """Swaps the text that was set aside with the one on the page."""
    row, other = look(sheet=sheet, part=part, by=by), aside(sheet=sheet, part=part, by=by)
    if other is not None:
        row.typed, other.typed = other.typed, row.typed
        row.typed_at, other.typed_at = other.typed_at, row.typed_at
        for each in (row, other):
            each.save(update_fields=["typed", "typed_at"])


def set_fields(row: UnsavedEdit, **fields: str) -> None:
    """Changes some fields of what is kept."""
    typed = QueryDict(row.typed, mutable=True)
    for name, value in fields.items():
        typed[name] = value
    row.typed, row.typed_at = typed.urlencode(), timezone.now()
    row.save(update_fields=["typed", "typed_at"])


def add_words(row: UnsavedEdit, name: str, words: str) -> None:
    """Puts words at the end of one field of what is kept."""
    set_fields(row, **{name: at_end(QueryDict(row.typed).get(name, ""), words)})


def at_end(text: str, words: str) -> str:
    return f"{text.rstrip()}{words}".lstrip()


def forget(*, sheet: FactSheet, part: str, by, posted: QueryDict | None = None) -> None:
    """For after a save, or when they discard it. They still have the part open. `posted` is what was saved."""
    rows = UnsavedEdit.objects.filter(sheet=sheet, part=part, by=by)
    if posted is None:
        rows.update(typed="", typed_at=None)
    elif row := rows.exclude(typed="").first():
        if _of_another_tab(row, posted):
            _put_aside(row)
        forget_read(row)


def forget_read(row: UnsavedEdit) -> None:
    """For after a save of what the row held when it was read. What they have typed since then stays."""
    UnsavedEdit.objects.filter(pk=row.pk, typed=row.typed).update(typed="", typed_at=None)


def leave(*, sheet: FactSheet | None, part: str, by) -> None:
    """Notes that the person closed the page. What they typed is kept for their return."""
    UnsavedEdit.objects.filter(sheet=sheet, part=part, by=by).update(seen_at=timezone.now() - STILL_HERE)


def pass_on(*, of, to) -> None:
    """Gives a colleague what a leaver typed and did not save. Their own words in the same part are shown first."""
    for row in UnsavedEdit.objects.filter(by=of).exclude(typed="").order_by("pk"):
        part = row.part.removesuffix(ASIDE)
        rows = UnsavedEdit.objects.filter(sheet=row.sheet_id, by=to)
        for place in (part, part + ASIDE):
            if not rows.filter(part=place).exclude(typed="").exists():
                rows.filter(part=place).delete()
                UnsavedEdit.objects.filter(pk=row.pk).update(by=to, part=place)
                break


def parts_with_text(*, sheet: FactSheet, by) -> set[str]:
    """Where they have typed something that is not saved."""
    rows = UnsavedEdit.objects.filter(sheet=sheet, by=by).exclude(typed="")
    return {part.removesuffix(ASIDE) for part in rows.values_list("part", flat=True)}


def of_gone_sections(*, sheet: FactSheet, by) -> list[UnsavedEdit]:
    """What they typed into a section that a colleague deleted before they saved."""
    there = {f"section-{pk}" for pk in sheet.sections.values_list("pk", flat=True)}
    rows = UnsavedEdit.objects.filter(sheet=sheet, by=by, part__startswith="section-").exclude(typed="")
    return [row for row in rows if row.part.removesuffix(ASIDE) not in there]


def others(*, sheet: FactSheet | None, part: str, by) -> list[str]:
    """Who else has the sheet open (or, without one, the record that `part` names), in one sentence each."""
    rows = UnsavedEdit.objects.filter(sheet=sheet, seen_at__gt=timezone.now() - STILL_HERE).exclude(by=by)
    rows = rows if sheet else rows.filter(part=part)
    since: dict = {}
    for row in rows.select_related("by").defer("typed").order_by("since"):
        since.setdefault(row.by, row.since)
    return [
        f"{team.account_name(person)} has had this {'sheet ' if sheet else ''}open since {clock(moment)}."
        for person, moment in since.items()
    ]
