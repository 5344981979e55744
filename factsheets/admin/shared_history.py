"""What several pages share, on the desk: who uses it, what a save would change, its history, and restoring it."""

import hashlib
import json
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods

from backcare.core.forms import as_number
from factsheets import shared_drafts, shared_revisions
from factsheets.admin.editing import NoticesOthers, sheet_address
from factsheets.admin.shared_drafts import Drafted, HasDrafts, address
from factsheets.draft_workflow import DraftRefused
from factsheets.models import DraftStep, FactSheet, GlossaryTerm, SharedDraft, SharedEdition, SharedStep
from factsheets.revisions import CannotPutBack, Change

NEWEST = 200  # editions on one page


@dataclass(frozen=True)
class Effect:
    """What a save does to pages that patients read."""

    sheets: list[FactSheet]
    to_review: list[FactSheet]
    because: list[str]
    changes: list[Change]
    # Why a second person must publish it from a draft. Empty if the editor may save it.
    second: list[str]

    @property
    def seal(self) -> str:
        """A hash of this effect, to check that the editor saw the same one before saving."""
        words = [[sheet.pk for sheet in self.sheets], [[each.field, each.after] for each in self.changes]]
        return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


class Unseen(Exception):
    """The editor has not yet seen what this save changes. Raised inside the save, to undo it."""

    def __init__(self, effect: Effect):
        super().__init__()
        self.effect = effect


class SeenFirst(NoticesOthers):
    """A form that is saved once its writer has seen which public sheets that changes."""

    locks = True
    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    # Set by the admin for each request: what would change, and was not shown yet; and the draft that the form is of.
    unseen: Effect | None = None
    editing: SharedDraft | None = None

    def saved_by(self):
        if self.editing is None:
            return super().saved_by()
        event = self.editing.events.first()
        return event.actor, event.at

    def clean(self):
        cleaned = super().clean()
        if self.unseen:
            self.data = self.data.copy()
            self.data[self.add_prefix("seen")] = self.unseen.seal
            if self.unseen.second:
                words = ", ".join(self.unseen.second)
                self.add_error(
                    None, f"Not saved yet. A clinician must publish this: it changes {words}. Save it as a draft."
                )
                return cleaned
            many = len(self.unseen.sheets)
            sheets = "1 public fact sheet" if many == 1 else f"{many} public fact sheets"
            self.add_error(None, f"Not saved yet. This changes {sheets}, as shown above. Save again to do it.")
        return cleaned


class SharedForm(SeenFirst):
    note = forms.CharField(
        required=False,
        max_length=300,
        label="Why",
        help_text="Optional. It is kept in the history, for your colleagues.",
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )


KEPT_FIELDS = ["note", "opened", "seen"]


def changed_since(before: dict) -> list[FactSheet]:
    """The sheets whose pages are not those of `before` any more, which is of `stamps`."""
    sheets = FactSheet.objects.defer("document")
    return [sheet for sheet in sheets if before.get(sheet.pk, sheet.updated_at) != sheet.updated_at]


def stamps() -> dict:
    return dict(FactSheet.objects.values_list("pk", "updated_at"))


class KeepsHistory(HasDrafts):
    """For the admin of a shared record. Before Django's own class, and after nothing that saves."""

    change_form_template = "admin/factsheets/shared/change_form.html"
    change_list_template = "admin/factsheets/shared/change_list.html"
    # Whether sheets use it, or every page.
    use_is_known = True

    # --- the form ---

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.unseen = getattr(request, "unseen", None)
        form.editing = getattr(request, "editing", None)
        return form

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        context = dict(extra_context or {})
        record = self.get_object(request, object_id) if object_id else None
        if record is not None and self.has_view_permission(request, record):
            context |= {
                # For a page alone: a term's uses are looked for in every sheet, and typing asks every second.
                "uses": SimpleLazyObject(lambda: [(use, place_of(use)) for use in uses_of(record)]),
                "use_is_known": self.use_is_known,
            }
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except Unseen as unseen:
            # The save is undone. Run it again, to show the form with everything typed, and what it would change.
            request.unseen = unseen.effect
            context |= {"effect": unseen.effect, "draft_first": bool(unseen.effect.second)}
            return super().changeform_view(request, object_id, form_url, context)

    def changelist_view(self, request, extra_context=None):
        name = f"admin:factsheets_{self.opts.model_name}_deleted"
        return super().changelist_view(request, {"deleted_name": name, **(extra_context or {})})

    def save_model(self, request, obj, form, change):
        stored = self.model.objects.get(pk=obj.pk) if change else None
        request.before = shared_revisions.snapshot(stored) if stored else {}
        request.stamps = stamps()
        super().save_model(request, obj, form, change)

    def save_related(self, request, form, formsets, change):
        if self.for_draft(request):
            admin.ModelAdmin.save_related(self, request, form, formsets, change)
            raise Drafted(form)
        super().save_related(request, form, formsets, change)
        record, note = form.instance, form.cleaned_data.get("note", "")
        effect = self.effect(record, request.before, request.stamps)
        if effect.second:
            raise Unseen(effect)
        # A picture that was just chosen would be lost on the way; the page has said who uses the figure.
        if effect.sheets and not request.FILES and form.cleaned_data.get("seen") != effect.seal:
            raise Unseen(effect)
        kept = shared_revisions.keep(record=record, before=request.before, by=request.user, note=note)
        if kept is None and note.strip():
            messages.warning(request, f"Nothing else has changed, so your reason was not kept: “{note.strip()}”")
        shared_drafts.ask_for_review(record, request.before, by=request.user, note=note)
        self.tell(request, effect.sheets, effect.to_review)

    def effect(self, record, before: dict, times: dict) -> Effect:
        after = shared_revisions.snapshot(record)
        because = shared_revisions.asks_for_review(record, before, after)
        return Effect(
            sheets=[sheet for sheet in changed_since(times) if sheet.is_published],
            to_review=shared_revisions.resting_on(record) if because else [],
            because=because,
            changes=shared_revisions.changes(self.model, before, after),
            second=shared_drafts.why_second(record, before, after),
        )

    def tell(self, request, sheets: list[FactSheet], to_review: list[FactSheet]) -> None:
        if sheets:
            messages.info(request, f"These public fact sheets changed: {', '.join(sheet.title for sheet in sheets)}.")
        if to_review:
            names = ", ".join(sheet.title for sheet in to_review)
            messages.warning(request, f"A clinician should read these again: {names}.")

    # --- deleting ---

    def delete_model(self, request, obj):
        self._delete(request, [obj])

    def delete_queryset(self, request, queryset):
        self._delete(request, list(queryset))

    def _delete(self, request, records: list) -> None:
        with transaction.atomic():
            for record in records:
                pk, before = record.pk, shared_revisions.snapshot(record)
                super().delete_model(request, record)
                record.pk = pk
                shared_revisions.keep(record=record, before=before, by=request.user, step=SharedStep.DELETED)

    # --- the history ---

    def get_urls(self):
        view, name = self.admin_site.admin_view, f"factsheets_{self.opts.model_name}"
        return [
            path("deleted/", view(self.deleted_view), name=f"{name}_deleted"),
            path("<int:pk>/editions/<int:number>/", view(self.edition_view), name=f"{name}_edition"),
            *super().get_urls(),
        ]

    def history_view(self, request, object_id, extra_context=None):
        if not self.has_view_permission(request):
            raise PermissionDenied
        pk = as_number(object_id) or 0
        record = self.model.objects.filter(pk=pk).first()
        editions = list(shared_revisions.editions(self.model, pk)[:NEWEST])
        if record is None and not editions:
            raise Http404
        name = record or editions[0].name
        before = [*(each.content for each in editions[1:]), {}][: len(editions)]
        listed = [
            (each, ", ".join(change.field for change in shared_revisions.changes(self.model, was, each.content)))
            for each, was in zip(editions, before, strict=True)
        ]
        drafts = SharedDraft.objects.filter(label=self.model._meta.label_lower, record=pk)[:NEWEST]
        context = {"title": f"History of {name}", "record": record, "name": name, "pk": pk, "editions": listed}
        context["drafts"] = [(draft, address(draft)) for draft in drafts]
        return self._page(request, "history.html", context)

    def deleted_view(self, request):
        if not self.has_view_permission(request):
            raise PermissionDenied
        label = self.model._meta.label_lower
        there = self.model.objects.values("pk")
        gone = SharedEdition.objects.filter(label=label, step=SharedStep.DELETED)
        gone = gone.exclude(record__in=there).order_by("-at")[:NEWEST]
        title = f"Deleted {self.opts.verbose_name_plural}"
        return self._page(request, "deleted.html", {"title": title, "editions": gone})

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def edition_view(self, request, pk: int, number: int):
        """One edition beside the one before it. POST puts it back."""
        record = self.model.objects.filter(pk=pk).first()
        may_write = self.has_change_permission(request) if record else self.has_add_permission(request)
        if not (may_write if request.method == "POST" else self.has_view_permission(request)):
            raise PermissionDenied
        editions = shared_revisions.editions(self.model, pk)
        found = get_object_or_404(editions, number=number)
        if request.method == "POST":
            return self._put_back(request, found)
        before = editions.filter(number__lt=number).first()
        now = shared_revisions.snapshot(record) if record else {}
        uses = shared_revisions.uses(record) if record else []
        context = {
            "title": f"Edition {number} of {found.name}",
            "record": record,
            "name": record or found.name,
            "pk": pk,
            "edition": found,
            "first": before is None,
            "changes": shared_revisions.changes(self.model, before.content if before else {}, found.content),
            "since": shared_revisions.changes(self.model, now, found.content) if found.content else [],
            "may_put_back": may_write and found.content and found.content != now,
            "to_draft": self._to_draft(record, now, found.content),
            "sheets": list({use.sheet.pk: use.sheet for use in uses if use.sheet and use.sheet.is_published}.values()),
        }
        return self._page(request, "edition.html", context)

    def _to_draft(self, stored, now: dict, content: dict) -> bool:
        """Whether restoring this content begins a draft instead of changing the record at once."""
        # A term that was deleted would be explained again wherever its word is.
        if not content or self.only_by_draft or (stored is None and self.model is GlossaryTerm):
            return bool(content)
        return bool(stored and shared_drafts.why_second(stored, now, shared_drafts.whole(self.model, content, now)))

    def _put_back(self, request, edition):
        """At once, or as a draft where a second person must publish it."""
        stored = self.model.objects.filter(pk=edition.record).first()
        now = shared_revisions.snapshot(stored) if stored else {}
        content = shared_drafts.whole(self.model, edition.content, now) if edition.content else {}
        given = {"model": self.model, "pk": edition.record, "content": content, "by": request.user}
        words = f"Back to edition {edition.number}"
        try:
            if not content:
                raise CannotPutBack("This edition is the deletion. Put back the one before it.")
            if self._to_draft(stored, now, edition.content):
                draft = shared_drafts.begin(**given, name=edition.name, step=DraftStep.PUT_BACK, what=words)
                if draft is None:
                    messages.info(request, "No changes to save.")
                    return HttpResponseRedirect(request.path)
                messages.success(request, f"Edition {edition.number} copied to a draft. Readers cannot see it yet.")
                return HttpResponseRedirect(address(draft))
            said = f"{words}: {edition.name}"[:300]
            made = shared_drafts.make_live(
                **given, author=request.user, step=SharedStep.PUT_BACK, note=words, said=said
            )
        except (CannotPutBack, DraftRefused) as refusal:
            messages.error(request, f"Not restored. {refusal}")
            return HttpResponseRedirect(request.path)
        self.log_change(request, made.record, f"Put back edition {edition.number}.")
        messages.success(request, f"Edition {edition.number} put back.")
        self.tell(request, made.sheets, made.to_review)
        return HttpResponseRedirect(reverse(f"admin:factsheets_{self.opts.model_name}_history", args=[edition.record]))

    def _page(self, request, template: str, context: dict, status: int = 200):
        base = admin.site.each_context(request) | {
            "opts": self.opts,
            "list_name": capfirst(self.opts.verbose_name_plural),
            "list_address": reverse(f"admin:factsheets_{self.opts.model_name}_changelist"),
            "history_name": f"admin:factsheets_{self.opts.model_name}_history",
            "edition_name": f"admin:factsheets_{self.opts.model_name}_edition",
            "deleted_address": reverse(f"admin:factsheets_{self.opts.model_name}_deleted"),
            "change_name": f"admin:factsheets_{self.opts.model_name}_change",
        }
        return render(request, f"admin/factsheets/shared/{template}", base | context, status=status)


def uses_of(record) -> list:
    """What shows it and, for a term, what uses the word."""
    return shared_revisions.uses(record) + (
        shared_revisions.mentions(record) if isinstance(record, GlossaryTerm) else []
    )


def place_of(use) -> str:
    """The address on the desk of a use: the section's form, or the sheet's page."""
    if use.section:
        return reverse("admin:factsheets_section_change", args=[use.section.pk])
    if use.sheet:
        return sheet_address(use.sheet)
    return reverse(f"admin:factsheets_{use.record._meta.model_name}_changelist")
