"""For forms of one record whose last save would otherwise win: says what a colleague saved while the page was open."""

from typing import Any

from django import forms
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.utils.text import capfirst

from factsheets import team
from factsheets.admin.editing import fingerprint


class OpenedForm(forms.ModelForm):
    """Refuses the first save over a colleague's. What was typed stays, and the next save is meant."""

    opened = forms.CharField(required=False, max_length=1000, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            return
        rows = type(self.instance)._base_manager
        if self.is_bound and connection.in_atomic_block:
            rows = rows.select_for_update()
        self.stored = rows.filter(pk=self.instance.pk).first() or self.instance
        self.initial["opened"] = self.state(self.stored)

    def state(self, stored: Any) -> str:
        """Changes whenever somebody saves something else."""
        return fingerprint(stored)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        now = self.initial.get("opened")
        if now and cleaned.get("opened") not in {"", None, now}:
            self.data = self.data.copy()
            self.data[self.add_prefix("opened")] = now
            self.add_error(
                None,
                f"{self._who()} saved this while you had it open. Nothing was saved, and what you typed is still here."
                f"{self._other(cleaned)} Save again to put yours in its place.",
            )
        return cleaned

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


class OpenedAdmin:
    """Puts the hidden field into the page of a record that may be changed."""

    def get_fieldsets(self, request, obj=None):
        fieldsets = [(title, dict(options)) for title, options in super().get_fieldsets(request, obj)]
        if obj and fieldsets and self.has_change_permission(request, obj):
            fieldsets[0][1]["fields"] = [*fieldsets[0][1]["fields"], "opened"]
        return fieldsets
