"""Keeps the last save from winning, in forms of one record: shows what a colleague saved while the page was open.

The first save over it is refused, with both texts and what differs (`Conflict`, templates/admin/_conflict.html); the next is meant.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import CharField, JSONField, Model, QuerySet, SlugField, TextField
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse, QueryDict
from django.shortcuts import render
from django.utils.text import capfirst

from factsheets import autosave, shared_revisions, team
from factsheets.admin.fields import PointsField
from factsheets.admin.picking import SourcesField
from factsheets.models import FactSheet, Section, Source
from factsheets.revisions import Change, became


def fingerprint(record, apart: frozenset[str] = frozenset()) -> str:
    """A hash of what the record says now, which changes with its words. `apart`: fields to leave out."""
    values = {
        field.attname: field.value_to_string(record)
        for field in record._meta.concrete_fields
        # A draft of a new record has a new number each time it is opened.
        if not field.primary_key and field.name not in {"document", "updated_at", "position", *apart}
    }
    values |= {
        field.name: sorted(getattr(record, field.name).values_list("pk", flat=True))
        for field in record._meta.many_to_many
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


# These are about the save or a place, unless the record has a field of that name.
NOT_OF_THE_RECORD = {"opened", "seen", "note", "reason", "after"}


@dataclass(frozen=True)
class Conflict:
    """What a form says, next to what a colleague saved while it was open."""

    who: str
    at: datetime | None
    changes: list[Change]  # `before` is what is saved now, `after` what the form says

    def __str__(self):
        said = f"{self.who} saved this while you had it open. Nothing was saved, and what you typed is still here."
        if self.changes:
            return f"{said} See below how the two differ."
        return f"{said} What they changed is not in these boxes: open this page in another tab to see it."


def conflict_of(form: forms.BaseForm, theirs: forms.BaseForm, who: str, at: datetime | None = None) -> Conflict:
    """`theirs` is the same form, not yet filled in, as it would open now. Call it once the fields of `form` are cleaned."""
    return Conflict(who, at, list(_differing(form, theirs)))


def _differing(form: forms.BaseForm, theirs: forms.BaseForm) -> Iterator[Change]:
    of_the_record = {field.name for field in form._meta.model._meta.fields} if hasattr(form, "_meta") else set()
    for name, field in form.fields.items():
        if name in NOT_OF_THE_RECORD - of_the_record or isinstance(field, forms.FileField):
            continue
        saved = field.prepare_value(theirs.get_initial_for_field(theirs.fields[name], name))
        typed = form[name].data if name not in form.cleaned_data else field.prepare_value(form.cleaned_data[name])
        before, after = (_in_words(field, value).replace("\r\n", "\n").strip() for value in (saved, typed))
        if before != after:
            if isinstance(field, PointsField):
                before, after = (field.with_signs(each) for each in (before, after))
            label, marked = capfirst(str(field.label or name.replace("_", " "))), name in getattr(form, "texts", ())
            yield Change("", label, before, after, marked=marked)


class OpenedForm(forms.ModelForm):
    """Refuses the first save over a colleague's. What was typed stays, and the next save goes through."""

    opened = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)
    locks = True  # the row, until the save is done
    conflict: Conflict | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "opened" not in self.fields or not self.instance.pk:
            return
        rows = type(self.instance)._base_manager
        if self.locks and self.is_bound and connection.in_atomic_block:
            rows = rows.select_for_update(no_key=True)  # what only points to the row need not wait
        self.stored = rows.filter(pk=self.instance.pk).first() or self.instance
        self.initial["opened"] = self.state(self.stored)

    def state(self, stored: Any) -> str:
        """A value that changes with every save."""
        return fingerprint(stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        now = self.initial.get("opened")
        if now and cleaned.get("opened") not in {"", None, now}:
            # The next save is deliberate, because the person has read this.
            self.data = self.data.copy()
            self.data[self.add_prefix("opened")] = now
            self.cleaned_data = cleaned
            self.conflict = conflict_of(self, type(self)(instance=self.stored), *self.saved_by())
            self.add_error(None, str(self.conflict))
        return cleaned

    def saved_by(self) -> tuple[str, datetime | None]:
        """Who saved last and when, from the record's own history or the desk's log."""
        record = self.stored
        newest: Any
        if isinstance(record, FactSheet | Section):
            newest = getattr(record, "sheet", record).editions.defer("content").first()
        elif type(record) in shared_revisions.SHARED:
            newest = shared_revisions.editions(type(record), record.pk).defer("content").first()
        else:
            of = ContentType.objects.get_for_model(record)
            lines = LogEntry.objects.filter(content_type=of, object_id=str(record.pk)).select_related("user")
            newest = lines.order_by("-action_time", "-pk").first()
            return (team.account_name(newest.user), newest.action_time) if newest else ("Someone", None)
        return (newest.actor or "An update of the site", newest.at) if newest else ("Someone", None)


def sign_of_life(request, here: dict) -> JsonResponse | None:
    """What the script of a form asks by itself: that it is still open, and who else has it open; or that it was left.

    `here` is the `sheet`, `part` and `by` of factsheets/autosave.py.
    """
    if "_left" in request.POST:
        autosave.leave(**here)
        return JsonResponse({})
    if "_pulse" in request.POST:
        autosave.look(**here)
        return JsonResponse({"others": autosave.others(**here)})
    return None


NOT_SAVED = "You typed this and have not saved it yet."


class Typed:
    """What somebody typed into a form of one record and did not save: kept while they type, and shown when they return.

    `here` as in `sign_of_life`. `answer` is for what the script and the buttons ask; end each other post with `saved` or `kept`.
    """

    def __init__(self, request, here: dict):
        self.request, self.here = request, here
        self.row = autosave.look(**here)
        # A new record that a link fills in is not the one that was typed before.
        is_filled_in = here["part"].endswith("-new") and set(request.GET) - {"_changelist_filters"}
        self.is_shown = request.method == "GET" and bool(self.row.typed) and not is_filled_in

    def answer(self) -> HttpResponse | None:
        posted = self.request.POST
        if "_keep" in posted:
            row = autosave.keep(**self.here, posted=posted)
            said = f"Kept for you at {autosave.clock(row.typed_at)}. Not saved yet." if row.typed_at else ""
            return JsonResponse({"kept": said})
        if "_swap" in posted:
            autosave.swap(**self.here)
        elif "_discard" in posted:
            is_aside = posted["_discard"] == "aside"
            autosave.forget(**self.here | {"part": self.here["part"] + (autosave.ASIDE if is_aside else "")})
        else:
            return None
        return HttpResponseRedirect(self.request.get_full_path())

    @property
    def posted(self) -> QueryDict:
        """The form as it was typed."""
        return QueryDict(self.row.typed, mutable=True)

    def kept(self) -> None:
        autosave.keep(**self.here, posted=self.request.POST)

    def saved(self) -> None:
        autosave.forget(**self.here, posted=self.request.POST)

    @property
    def context(self) -> dict:
        """For templates/admin/factsheets/_typed.html."""
        aside = autosave.aside(**self.here)
        return {
            "keeps": True,
            "kept_at": autosave.clock(self.row.typed_at) if self.is_shown else "",
            "aside_at": autosave.clock(aside.typed_at) if aside else "",
            "tab": self.request.POST.get(autosave.TAB) or autosave.new_tab(self.row if self.is_shown else None),
        }


def as_posted(request, posted: QueryDict, act: Callable):
    """What `act` returns while the request is a post of these fields."""
    was = request.method, request.POST
    request.method, request.POST = "POST", posted
    try:
        return act()
    finally:
        request.method, request.POST = was


class GivesBack:
    """Put before Django's ModelAdmin: if the record is gone when a form is sent, gives back the words that were typed."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        is_sent = request.method == "POST" and object_id and self.has_change_permission(request)
        if is_sent and self.get_object(request, unquote(object_id)) is None:
            return _gone(request, self)
        return super().changeform_view(request, object_id, form_url, extra_context)


def gives_back(view: Callable) -> Callable:
    """The same for a view that finds no record to post to."""

    @wraps(view)
    def answer(request, *args, **kwargs):
        try:
            return view(request, *args, **kwargs)
        except Http404:
            if request.method != "POST":
                raise
            return _gone(request)

    return answer


def _gone(request, of: admin.ModelAdmin | None = None):
    kept = [each for each in of.model._meta.fields if isinstance(each, CharField | TextField | JSONField)] if of else []
    words = [each for each in kept if not (each.choices or isinstance(each, SlugField))]
    called = of.form.base_fields if of else {}
    names = TYPED | {
        each.name: str(called[each.name].label if each.name in called else each.verbose_name) for each in words
    }
    typed = [(capfirst(names[name]), said) for name, said in request.POST.items() if name in names and said.strip()]
    context = admin.site.each_context(request) | {"title": "This is no longer here", "typed": typed}
    return render(request, "admin/gone.html", context, status=410)


# Texts that belong to a step, or to a record beside the form's own.
TYPED = {
    "text": "Comment",
    "note": "Note",
    "reason": "Reason",
    "_reason": "What you corrected",
    "asked": "Patients’ questions",
    "also": "Also called",
}


def changes_in_words(form: forms.ModelForm) -> str:
    """What a save changed, with the values before and after, for the log that owners read. Empty if nothing changed."""
    lines = []
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None or isinstance(field, forms.FileField) or field.widget.is_hidden:
            continue
        before, after = (_in_words(field, value) for value in (form.initial.get(name), form.cleaned_data.get(name)))
        lines.append(became(capfirst(str(field.label or name.replace("_", " "))), before, after))
    return f"{'; '.join(lines)}." if lines else ""


def _in_words(field: forms.Field, value: Any) -> str:
    if isinstance(field, SourcesField):
        known = Source.objects.in_bulk([getattr(each, "key", each) for each in value or []], field_name="key")
        return "\n".join(sorted(str(known.get(getattr(each, "key", each), each)) for each in value or [] if each))
    if isinstance(value, list | tuple | set | QuerySet):
        return ", ".join(_in_words(field, each) for each in value)
    if value is None or value == "":
        return ""
    if isinstance(field, forms.ModelChoiceField):
        found = value if isinstance(value, Model) else field.queryset.filter(pk=value).first()
        return str(found) if found else ""
    if isinstance(field, forms.ChoiceField):
        return str(dict(field.choices).get(value, value))
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


class OpenedAdmin(GivesBack):
    """Puts the hidden field into the page of a record that may be changed."""

    def construct_change_message(self, request, form, formsets, add=False):
        """With the values before and after."""
        said = super().construct_change_message(request, form, formsets, add)
        if add or not (values := changes_in_words(form)):
            return said
        return f"{LogEntry(change_message=json.dumps(said)).get_change_message()} {values}"

    def get_fieldsets(self, request, obj=None):
        fieldsets = [(title, dict(options)) for title, options in super().get_fieldsets(request, obj)]
        if obj and fieldsets and self.has_change_permission(request, obj):
            fieldsets[0][1]["fields"] = [*fieldsets[0][1]["fields"], "opened"]
        return fieldsets
