"""For forms of one record whose last save would otherwise win: says what a colleague saved while the page was open."""

import hashlib
import json
from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import Model, QuerySet
from django.utils.text import capfirst

from factsheets import team
from factsheets.revisions import became


def fingerprint(record) -> str:
    """A hash of what the record says now. It changes with every save of other words."""
    values = {
        field.attname: field.value_to_string(record)
        for field in record._meta.concrete_fields
        # A draft of a new record has another number each time it is opened.
        if not field.primary_key and field.name not in {"document", "updated_at", "position"}
    }
    values |= {
        field.name: sorted(getattr(record, field.name).values_list("pk", flat=True))
        for field in record._meta.many_to_many
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


class OpenedForm(forms.ModelForm):
    """Refuses the first save over a colleague's. What was typed stays, and the next save is meant."""

    opened = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)
    locks = True  # the row, until the save is done

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "opened" not in self.fields or not self.instance.pk:
            return
        rows = type(self.instance)._base_manager
        if self.locks and self.is_bound and connection.in_atomic_block:
            rows = rows.select_for_update(no_key=True)  # what only names the row need not wait
        self.stored = rows.filter(pk=self.instance.pk).first() or self.instance
        self.initial["opened"] = self.state(self.stored)

    def state(self, stored: Any) -> str:
        """A value that changes with every save."""
        return fingerprint(stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        now = self.initial.get("opened")
        if now and cleaned.get("opened") not in {"", None, now}:
            # The next save is meant: the person has read this.
            self.data = self.data.copy()
            self.data[self.add_prefix("opened")] = now
            self.add_error(None, self.refusal(cleaned))
        return cleaned

    def refusal(self, cleaned: dict[str, Any]) -> str:
        return (
            f"{self._who()} saved this while you had it open. Nothing was saved, and what you typed is still here."
            f"{self._other(cleaned)} Save again to put yours in its place."
        )

    def _other(self, cleaned: dict[str, Any]) -> str:
        """What is kept now and differs from the form."""
        theirs = []
        for name in self._meta.fields or ():
            field = self.fields.get(name)
            if field is None or name not in cleaned or not hasattr(self.stored, name):
                continue
            kept = getattr(self.stored, name)
            if kept != cleaned[name] and not (kept in {None, ""} and cleaned[name] in {None, ""}):
                label = field.label or name.replace("_", " ")
                shown = getattr(self.stored, f"get_{name}_display", lambda kept=kept: kept)()
                theirs.append(f"{capfirst(str(label))}: “{'' if shown is None else shown}”")
        return f" Saved now: {'; '.join(theirs)}." if theirs else ""

    def _who(self) -> str:
        of = ContentType.objects.get_for_model(self.instance)
        lines = LogEntry.objects.filter(content_type=of, object_id=str(self.instance.pk)).select_related("user")
        newest = lines.order_by("-action_time", "-pk").first()
        return team.account_name(newest.user) if newest else "Someone"


def changes_in_words(form: forms.ModelForm) -> str:
    """What a save changed, with the values before and after, for the log that owners read. Empty where nothing did."""
    lines = []
    for name in form.changed_data:
        field = form.fields.get(name)
        if field is None or isinstance(field, forms.FileField) or field.widget.is_hidden:
            continue
        before, after = (_in_words(field, value) for value in (form.initial.get(name), form.cleaned_data.get(name)))
        lines.append(became(capfirst(str(field.label or name.replace("_", " "))), before, after))
    return f"{'; '.join(lines)}." if lines else ""


def _in_words(field: forms.Field, value: Any) -> str:
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


class OpenedAdmin:
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
