"""What a colleague has typed on an enquiry's page, or to correct its details, and not sent: kept with every button, and every few
seconds where script runs.

The page says in its field `shown` with which values it began. What differs from that was typed here; the rest is left as it is
kept, so that an older tab takes nothing from a newer one.
"""

import json
from contextlib import suppress

from django import forms
from django.db import transaction
from django.utils import timezone

from backcare.core.encryption import CannotDecrypt
from enquiries.admin.corrections import CorrectForm
from enquiries.admin.step_forms import ALL_FORMS, HANDOVER, HandoverForm, begin
from enquiries.models import Enquiry, StaffDraft

SHOWN = "shown"
MAX_TEXT = (
    20_000  # characters of one field: more than any of them takes, so that what is too long is given back to be cut
)

OF_PAGE = {
    f"{name}-{field}" if name != HANDOVER else field
    for name, those in ALL_FORMS.items()
    for form in those
    for field, it_is in form.base_fields.items()
    if not it_is.widget.is_hidden
}
CORRECT = CorrectForm.prefix
OF_CORRECTION = {f"{CORRECT}-{name}" for name, field in CorrectForm.base_fields.items() if not field.widget.is_hidden}
NAMES = OF_PAGE | OF_CORRECTION
# The fields that hold words, and what joins two texts: in a box, or on one line.
WORDS = {
    f"{name}-{field}" if name != HANDOVER else field: "\n\n" if isinstance(it_is.widget, forms.Textarea) else " / "
    for name, those in {**ALL_FORMS, CORRECT: [CorrectForm]}.items()
    for form in those
    for field, it_is in form.base_fields.items()
    if isinstance(it_is, forms.CharField)
}


def values(shown) -> dict[str, str]:
    """The values that these forms show, by field name, as a browser would send them."""
    found = {}
    for form in shown:
        for field in form.visible_fields():
            if field.html_name in NAMES:
                found[field.html_name] = _as_sent(field)
    return found


def _as_sent(field) -> str:
    value, widget = field.value(), field.field.widget
    if isinstance(widget, forms.CheckboxInput):
        return "on" if value and value != "False" else ""
    sent = widget.format_value(value)
    if isinstance(sent, list):
        sent = sent[0] if sent else ""
    return _plain("" if sent is None else str(sent))


def _plain(text: str) -> str:
    """Browsers send each line ending as two characters."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def stored(enquiry: Enquiry, by) -> dict[str, str]:
    draft = StaffDraft.objects.filter(enquiry=enquiry, by=by).first()
    return _typed(draft) if draft else {}


def _typed(draft: StaffDraft) -> dict[str, str]:
    """Empty for one that cannot be decrypted, because the page must not fail."""
    with suppress(CannotDecrypt, ValueError):
        return {name: text for name, text in json.loads(draft.typed or "{}").items() if name in NAMES}
    return {}


def keep(request, enquiry: Enquiry, step: str = "") -> dict[str, str]:
    """Keeps what this page adds to the draft, and returns all of it. Of the `step` that was pressed also what no page showed."""
    began, given = _began(request), request.POST
    names = (set(began) | {name for name in given if step and name.startswith(f"{step}-")}) & NAMES
    typed = {name: _plain(given.get(name, ""))[:MAX_TEXT] for name in names}
    changed = {name: text for name, text in typed.items() if text != began.get(name, "")}
    if not changed:
        return stored(enquiry, request.user)
    # A value that is there without a draft was not typed.
    begins = values(begin(enquiry).values() if changed.keys() & OF_PAGE else [CorrectForm.begin(enquiry)])
    changes = {name: None if begins.get(name, "") == text else text for name, text in changed.items()}
    return _write(enquiry, request.user, changes)


def add(enquiry: Enquiry, by, name: str, text: str) -> None:
    """Adds a text below what is already in the field. It never replaces anything."""
    before = stored(enquiry, by).get(name, "").rstrip()
    _write(enquiry, by, {name: f"{before}\n\n{text}" if before else text})


def forget(enquiry: Enquiry, by, step: str = "") -> None:
    """What was typed into a step that is done. Without one: everything of the enquiry's own page."""
    own = set(HandoverForm.base_fields)
    gone = OF_PAGE if not step else own if step == HANDOVER else {each for each in NAMES if each.startswith(f"{step}-")}
    _write(enquiry, by, dict.fromkeys(gone))


def pass_on(*, of, to) -> None:
    """Gives a colleague the drafts of somebody who leaves, in the caller's transaction.

    What the colleague has typed into the same field of the same enquiry stays; words are put behind theirs. A draft that cannot be
    opened, or whose enquiry was erased meanwhile, stays where it is.
    """
    for draft in StaffDraft.objects.filter(by=of).select_related("enquiry").order_by("enquiry"):
        typed, theirs = _typed(draft), stored(draft.enquiry, to)
        changes: dict[str, str | None] = {}
        for name, text in typed.items():
            already = theirs.get(name, "")
            if not already:
                changes[name] = text
            elif already != text and name in WORDS:
                changes[name] = f"{already.rstrip()}{WORDS[name]}{text}"
        if typed and typed.keys() <= _write(draft.enquiry, to, changes).keys():
            draft.delete()


def _began(request) -> dict[str, str]:
    try:
        given = json.loads(request.POST.get(SHOWN, "") or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(given, dict):
        return {}
    return {name: _plain(text) for name, text in given.items() if isinstance(text, str)}


def _write(enquiry: Enquiry, by, changes: dict[str, str | None]) -> dict[str, str]:
    """None takes a field out."""
    with transaction.atomic():
        # Locked, so that what is being erased gets no new text.
        if not Enquiry.objects.select_for_update(no_key=True).filter(pk=enquiry.pk, erased_at=None).exists():
            return {}
        draft = StaffDraft.objects.filter(enquiry=enquiry, by=by).first() or StaffDraft(enquiry=enquiry, by=by)
        before = {} if draft._state.adding else _typed(draft)
        typed = {name: text for name, text in (before | changes).items() if text is not None}
        if typed == before:
            return typed
        if typed:
            draft.typed, draft.updated_at = json.dumps(typed, ensure_ascii=False, sort_keys=True), timezone.now()
            draft.save()
        elif not draft._state.adding:
            draft.delete()
        return typed
