"""What the sheet's form and the section's form share: every save keeps an edition, and none may break a public page."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db import transaction
from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from factsheets import actions, publishing_rules
from factsheets.admin.fields import TextKeptForm
from factsheets.admin.unsaved import OpenedForm
from factsheets.markup_checks import refusals
from factsheets.publishing_rules import Obstacle
from factsheets.rendering.markdown import BodyError


class Stopped(Exception):
    """The sheet is public, and this change would make it unsound. Raised inside the save, to undo it."""

    def __init__(self, obstacles: list[Obstacle]):
        super().__init__("; ".join(each.text for each in obstacles))
        self.obstacles = obstacles


class StoppableForm(TextKeptForm):
    """A form whose save may be undone. It then says why, and keeps everything typed."""

    # Set by the admin for each request: what has just stopped the save of these words.
    stopped: list[Obstacle] = []

    def clean(self):
        cleaned = super().clean()
        for obstacle in self.stopped:
            self.add_error(None, in_words(obstacle))
        return cleaned


class NoticesOthers(OpenedForm, StoppableForm):
    """For records with a history, which shows who saved first."""

    locks = False  # the actions lock a sheet, and after it its parts


class EditingForm(NoticesOthers):
    """The form of a sheet, a section or a statement, with the words of its history. Refuses what readers would see broken."""

    texts: tuple[str, ...] = ()  # the fields in Markdown

    note = forms.CharField(
        required=False,
        max_length=300,
        label="What changed (for readers)",
        help_text="Optional, one sentence. It appears in the sheet’s public list of changes, next to an automatic summary.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )
    reason = forms.CharField(
        required=False,
        label="Why the rule does not apply here",
        help_text="Your reason is kept with your name, and the reviewer will see it.",
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    def clean(self):
        cleaned = super().clean()
        for name in self.texts:
            for problem in refusals(cleaned.get(name) or "", **self.shown_in(name, cleaned)):
                self.add_error(name, problem)
        return cleaned

    def shown_in(self, name: str, cleaned: dict) -> dict:
        """Where readers see the text, as `refusals` needs it."""
        return {}


def in_words(obstacle: Obstacle) -> str:
    if obstacle.finding:
        return f"{obstacle.place}: “{obstacle.finding.sentence}” A published sheet cannot say this. {obstacle.text}"
    return str(obstacle)


class StopsUnsound:
    """For the admin of anything that readers see: a save that would make a public sheet unsound is undone."""

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.stopped = getattr(request, "stopped", [])
        return form

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except Stopped as stopped:
            # The save is undone. Run it again, to show the same form with everything typed, and the reasons at the top.
            request.stopped = stopped.obstacles
            return super().changeform_view(request, object_id, form_url, extra_context)


class EditsSheet(StopsUnsound):
    """For the admin of a sheet, of a part of it, or of what several share. `sheets_of` says which were changed."""

    def sheet_of(self, obj):
        """The sheet itself, or the one that a part belongs to."""
        return getattr(obj, "sheet", obj)

    def sheets_of(self, obj) -> list:
        return [self.sheet_of(obj)]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        words = {name: form.cleaned_data.get(name, "") for name in ("note", "reason")}
        obstacles = []
        for sheet in self.sheets_of(form.instance):
            try:
                self.written(request, sheet, **words)
            except Stopped as stopped:
                obstacles += stopped.obstacles
        if obstacles:
            raise Stopped(obstacles)

    # A statement that sheets share has no draft of its own yet: its words change in all of them at once.
    changes_published = False

    def written(self, request, sheet, *, note: str = "", reason: str = "") -> None:
        """Called after words of the sheet were saved: rebuilds its document and keeps an edition. Raises Stopped."""
        if not self.changes_published and (why_not := publishing_rules.why_not_edit(sheet)):
            raise Stopped([Obstacle(why_not)])
        try:
            actions.refresh(sheet=sheet)
        except BodyError as error:
            if sheet.is_published:
                raise Stopped([Obstacle(str(error))]) from error
            messages.warning(request, f"Saved, but it cannot be displayed yet: {error}")
        if sheet.is_published:
            self._must_be_sound(request, sheet, reason)
        kept = actions.keep_edition(sheet=sheet, by=request.user, note=note)
        if kept is None and note.strip() and not self.changes_published:
            messages.warning(request, f"No words have changed, so your note was not kept: “{note.strip()}”")

    def _must_be_sound(self, request, sheet, reason: str) -> None:
        found = publishing_rules.obstacles(sheet, built=sheet.document)
        if reason.strip():
            try:
                for obstacle in found:
                    if obstacle.finding:
                        actions.let_stand(sheet=sheet, finding=obstacle.finding, reason=reason, by=request.user)
            except actions.MoveRefused as refusal:
                raise Stopped([*found, Obstacle(str(refusal))]) from refusal
            found = [obstacle for obstacle in found if not obstacle.finding]
        if found:
            raise Stopped(found)

    def own_fieldsets(self, request, obj) -> list:
        """Made for each request: one admin serves several threads at once."""
        return super().get_fieldsets(request, obj)

    def get_fieldsets(self, request, obj=None):
        fieldsets = self.own_fieldsets(request, obj)
        if any(obstacle.finding for obstacle in getattr(request, "stopped", [])) or request.POST.get("reason"):
            return [("Stopped by the claims guard", {"fields": ["reason"], "classes": ["stopped"]}), *fieldsets]
        return fieldsets

    def delete_view(self, request, object_id, extra_context=None):
        try:
            with transaction.atomic():
                return super().delete_view(request, object_id, extra_context)
        except Stopped as stopped:
            for obstacle in stopped.obstacles:
                messages.error(request, f"Not deleted. {in_words(obstacle)}")
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[object_id]))


class OpensDraft:
    """What is public cannot be edited. Its form leads to the draft, or offers to begin one."""

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return self._draft_first(request, object_id) or super().changeform_view(
            request, object_id, form_url, extra_context
        )

    def delete_view(self, request, object_id, extra_context=None):
        draft_first = self._draft_first(request, object_id) if self.has_delete_permission(request) else None
        return draft_first or super().delete_view(request, object_id, extra_context)

    def _draft_first(self, request, object_id):
        if request.method == "POST" or not self.has_change_permission(request):
            return None
        obj = self.get_object(request, unquote(object_id)) if object_id else None
        sheet = self.sheet_of(obj) if obj else self.sheet_named(request)
        if sheet is None or not sheet.is_published:
            return None
        slug = obj.slug if obj and obj is not sheet else ""
        if draft := sheet.open_draft:
            return HttpResponseRedirect(edit_address(draft, slug))
        context = admin.site.each_context(request) | {
            "title": sheet.title,
            "sheet": sheet,
            "section": slug,
            "opts": self.opts,
        }
        return render(request, "admin/factsheets/begin_draft.html", context)

    def sheet_named(self, request):
        """The sheet that an empty form is for. None if it names none."""
        return None  # noqa: RET501 - the other one finds a sheet


def edit_address(sheet, section: str = "") -> str:
    """Where the sheet, or its section of this address, is edited; its desk when it has no such section."""
    if not section:
        return reverse("admin:factsheets_factsheet_change", args=[sheet.pk])
    if found := sheet.sections.filter(slug=section).first():
        return reverse("admin:factsheets_section_change", args=[found.pk])
    return sheet_address(sheet)


class OpensOverview:
    """Leads back to the sheet's own page after a save, because that shows the next step."""

    def response_post_save_add(self, request, obj):
        return HttpResponseRedirect(sheet_address(self.sheet_of(obj), obj))

    response_post_save_change = response_post_save_add


def sheet_address(sheet, part=None) -> str:
    anchor = f"#section-{part.slug}" if part is not None and part is not sheet else ""
    return reverse("admin:factsheets_factsheet_desk", args=[sheet.pk]) + anchor


SHARED_FIELDS = ["note", "opened"]
