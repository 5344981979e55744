"""The draft of a shared record on the desk: begun and edited in the record's own form, previewed, sent, published, discarded."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backcare.core.forms import as_number
from factsheets import actions, autosave, draft_workflow, pictures, shared_drafts, shared_revisions
from factsheets.admin.editing import StopsUnsound
from factsheets.admin.unsaved import NOT_SAVED, GivesBack, Typed, as_posted, sign_of_life
from factsheets.draft_workflow import DraftRefused
from factsheets.models import DraftState, FactSheet, GlossaryTerm, SharedDraft, SiteNotice
from factsheets.publishing_rules import Obstacle
from factsheets.rendering.markdown import BodyError
from factsheets.revisions import CannotPutBack

NOTE = "Staff preview of this page with the draft. Readers cannot see it yet."


class Drafted(Exception):
    """The form's values go into a draft. Raised inside the save, so that nothing live changes."""

    def __init__(self, form):
        super().__init__()
        self.form = form
        words = {name: form.cleaned_data.get(name, "").strip() for name in ("note", "reason")}
        self.given = {"content": shared_revisions.snapshot(form.instance), "name": str(form.instance), **words}


def address(draft: SharedDraft, page: str = "draft", *more) -> str:
    """A page about the draft, on the desk."""
    model = shared_revisions.MODELS[draft.label]
    return reverse(f"admin:factsheets_{model._meta.model_name}_{page}", args=[draft.pk, *more])


def open_to(user) -> list[SharedDraft]:
    """The open drafts of what this person may read, for the first page of the desk."""
    models = shared_revisions.MODELS
    may_read = [name for name, each in models.items() if user.has_perm(f"factsheets.view_{each._meta.model_name}")]
    found = list(SharedDraft.objects.filter(is_open=True, label__in=may_read).defer("content", "base"))
    for draft in found:
        draft.address, draft.kind = address(draft), models[draft.label]._meta.verbose_name
    return found


class HasDrafts(GivesBack, StopsUnsound):
    """For the admin of a shared record: “Save as a draft”, and the pages of a draft."""

    # Nothing goes live from the form itself: it is published on the page of its draft, which shows it first.
    only_by_draft = False

    def for_draft(self, request) -> bool:
        """Whether to save a draft."""
        return request.method == "POST" and (self.only_by_draft or "_draft" in request.POST)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        editing = getattr(request, "editing", None)
        record = self.get_object(request, object_id) if object_id else None
        open_draft = shared_drafts.of(record) if record and not editing else None
        typed = request.typed if editing else self._typed(request, record, object_id)
        if typed and not editing and (answer := self._heard(request, typed.here, typed)) is not None:
            return answer
        context = {
            "others": autosave.others(**typed.here) if typed and record else [],
            **(typed.context if typed else {}),
            "editing": editing,
            "open_draft": open_draft,
            "draft_address": address(open_draft) if open_draft else "",
            "may_draft": not open_draft,
            "only_by_draft": self.only_by_draft or bool(editing),
            **(extra_context or {}),
        }
        if typed and typed.is_shown:
            return self._as_typed(request, typed, (object_id, form_url, context))
        try:
            response = super().changeform_view(request, object_id, form_url, context)
        except Drafted as drafted:
            if editing:
                raise
            return self._begun(request, drafted, record, typed, (object_id, form_url, context))
        if typed and not editing and request.method == "POST":
            if response.status_code == 302:
                typed.saved()
                autosave.leave(**typed.here)
            else:
                typed.kept()
        return response

    def _typed(self, request, record, object_id) -> Typed | None:
        """What they typed into this form. None if they may not write, or the record is gone."""
        if record is None and object_id:
            return None
        may = self.has_change_permission(request, record) if record else self.has_add_permission(request)
        part = autosave.part_of(record) if record else f"{self.opts.model_name}-{autosave.NEW}"
        return Typed(request, {"sheet": None, "part": part, "by": request.user}) if may else None

    def _heard(self, request, here: dict, typed: Typed):
        """The answer to what the script asks by itself, or to a button about what was typed."""
        return sign_of_life(request, here) or typed.answer()

    def _as_typed(self, request, typed: Typed, form_again: tuple):
        """Saves and undoes it, so that the form has everything typed, and every field says what is wrong with it."""
        request.stopped = [Obstacle(NOT_SAVED)]
        posted = typed.posted
        posted.pop("seen", None)  # what the save would change is shown once more
        # Past the check of where a post comes from, because nobody sent one.
        response = as_posted(request, posted, lambda: self._changeform_view(request, *form_again))
        form = response.context_data["adminform"].form
        problems = [each for each in form.non_field_errors() if each != NOT_SAVED]
        response.context_data |= {"errors": None, "problems": problems}
        return response

    def _begun(self, request, drafted: Drafted, record, typed: Typed | None, form_again: tuple):
        pk, why_not = record.pk if record else None, ""
        try:
            with transaction.atomic():
                _keep_picture(request, drafted)
                draft = shared_drafts.begin(model=self.model, pk=pk, by=request.user, **drafted.given)
        except DraftRefused as refusal:
            why_not = f"{refusal} What you typed is still here."
        else:
            if draft is None and drafted.given["note"]:
                # A reason was typed, but nothing was changed: it stays in its box.
                why_not = "Only the reason has changed, so there is no draft to keep it in."
        if why_not:
            request.stopped = [Obstacle(why_not)]
            request.POST = request.POST.copy()
            request.POST.pop("_draft", None)
            if typed:
                typed.kept()
            return super().changeform_view(request, *form_again)
        if typed:
            typed.saved()
        if draft is None:
            messages.info(request, "No changes to save.")
            return HttpResponseRedirect(request.get_full_path())
        messages.success(request, "Saved as a draft. Readers cannot see it yet.")
        if typed:
            autosave.leave(**typed.here)
        return HttpResponseRedirect(address(draft))

    # --- its pages ---

    def get_urls(self):
        view, name = self.admin_site.admin_view, f"factsheets_{self.opts.model_name}"
        return [
            path("drafts/<int:pk>/", view(self.draft_view), name=f"{name}_draft"),
            path("drafts/<int:pk>/edit/", view(self.edit_draft_view), name=f"{name}_draft_edit"),
            path("drafts/<int:pk>/step/<slug:step>/", view(self.draft_step_view), name=f"{name}_draft_step"),
            path("drafts/<int:pk>/page/<int:sheet>/", view(self.draft_page_view), name=f"{name}_draft_page"),
            *super().get_urls(),
        ]

    def _draft(self, pk: int) -> SharedDraft:
        return get_object_or_404(SharedDraft, label=self.model._meta.label_lower, pk=pk)

    @method_decorator(require_safe)
    def draft_view(self, request, pk: int):
        return self._draft_page(request, self._draft(pk))

    def _draft_page(self, request, draft: SharedDraft, *, refused: dict | None = None):
        """`refused`: the step that could not be taken, with the `note` and `reason` of its form, to be shown again."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        beside = shared_drafts.beside_live(draft)
        record = beside.record
        found = shared_drafts.outcome(draft) if draft.is_open else shared_drafts.Outcome()
        in_review = draft.state == DraftState.IN_REVIEW
        may_write = draft.is_open and shared_drafts.may_write(draft, request.user)
        may_send = may_write and beside.because and not in_review
        may_review = in_review and request.user.has_perm("factsheets.sign_off_factsheet")
        typed = refused or {}
        # A colleague may have taken the step meanwhile, so its form may no longer be on the page.
        has_form = {"send": may_send, "send-back": may_review}.get(typed.get("step"), False)
        context = {
            "title": f"Draft: {draft.name}",
            "draft": draft,
            "record": record,
            "name": draft.name,
            "pk": draft.record if record else None,
            "typed": typed,
            "typed_back": typed["note"] if typed.get("step") == "send-back" else "",
            "unsent": [] if has_form else [words for name in ("note", "reason") if (words := typed.get(name))],
            "beside": beside,
            "words": shared_revisions.changes(self.model, draft.base, draft.content),
            "was_deleted": draft.record and record is None,
            "sheets": [(sheet, address(draft, "draft_page", sheet.pk)) for sheet in found.sheets],
            "every_page": address(draft, "draft_page", 0) if self.model is SiteNotice else "",
            "mentions": [each.sheet for each in _mentions(draft, record)],
            "deletes": not draft.content,
            "problems": found.problems,
            "has_findings": any(each.finding for each in found.problems),
            "in_review": in_review,
            "sent_back": draft_workflow.sent_back(draft),
            "may_write": may_write,
            "may_send": may_send,
            "may_review": may_review,
            "why_not_publish": beside.why_not_publish(request.user) if draft.is_open else "",
            "authors": draft_workflow.authors(draft),
            "events": draft_workflow.steps(draft),
            "step_name": f"admin:factsheets_{self.opts.model_name}_draft_step",
            "edit_address": address(draft, "draft_edit"),
        }
        return self._page(request, "draft.html", context, status=422 if refused else 200)

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def edit_draft_view(self, request, pk: int):
        """The record's own form, with the draft in it. Every save goes to the draft."""
        draft = self._draft(pk)
        if not shared_drafts.may_write(draft, request.user):
            raise PermissionDenied
        if not draft.is_open and request.method != "POST":
            messages.error(request, "The draft is no longer open. Its words are kept here.")
            return HttpResponseRedirect(address(draft))
        if not draft.content:
            messages.error(request, "This draft only deletes it. Discard the draft to keep it.")
            return HttpResponseRedirect(address(draft))
        here = {"sheet": None, "part": _part_of(draft), "by": request.user}
        # What is typed into the draft is not what was typed into the live record.
        typed = Typed(request, here | {"part": f"{here['part']}/draft"})
        if (answer := self._heard(request, here, typed)) is not None:
            return answer
        request.editing, request.others, request.typed = draft, _others(here), typed
        if request.method == "POST":
            request.POST = request.POST.copy()
            request.POST["_draft"] = "1"
        try:
            response = self._form_of(request, draft)
        except CannotPutBack as why_not:
            messages.error(request, f"The draft cannot be edited. {why_not}")
            response = HttpResponseRedirect(address(draft))
        except Drafted as drafted:
            response = self._rewritten(request, draft, drafted)
            if response.status_code == 302:
                typed.saved()
                return response
        if request.method == "POST":
            typed.kept()
        return response

    def _form_of(self, request, draft: SharedDraft):
        with shared_drafts.applied(draft) as record:
            context = {"title": f"Draft: {draft.name}", "back_address": address(draft), "show_delete": False}
            context["others"] = request.others  # read before: whatever is written in here is undone
            # `add` says nothing here: the row is there until the page is made, and gone after it.
            response = self.changeform_view(request, str(record.pk), "", context)
            return response.render() if hasattr(response, "render") else response

    def _rewritten(self, request, draft: SharedDraft, drafted: Drafted):
        try:
            with transaction.atomic():
                _keep_picture(request, drafted)
                changed = shared_drafts.rewrite(draft=draft, by=request.user, **drafted.given)
        except DraftRefused as refusal:
            request.stopped = [Obstacle(f"{refusal} What you typed is still here.")]
            return self._form_of(request, draft)
        autosave.leave(sheet=None, part=_part_of(draft), by=request.user)
        messages.success(request, "Saved in the draft." if changed else "No changes to save.")
        return HttpResponseRedirect(address(draft))

    @method_decorator(require_POST)
    def draft_step_view(self, request, pk: int, step: str):
        """Sends, publishes, updates or discards the draft, or sends it back."""
        draft = self._draft(pk)
        words = {name: request.POST.get(name, "")[:limit] for name, limit in (("note", 500), ("reason", 2000))}
        version = as_number(request.POST.get("version", ""))
        given = {"draft": draft, "by": request.user, "version": version}
        writes = shared_drafts.may_write(draft, request.user)
        reviews = request.user.has_perm("factsheets.sign_off_factsheet") and self.has_view_permission(request)
        steps = {
            "send": (writes, lambda: shared_drafts.send(**given, **words), "Sent. A clinician can now publish it."),
            "publish": (writes or reviews, lambda: self._publish(request, given), ""),
            "update": (writes, lambda: shared_drafts.bring_up_to_date(**given), "Draft updated."),
            "discard": (
                writes,
                lambda: shared_drafts.discard(**given),
                "Draft discarded. What is live has not changed.",
            ),
            "send-back": (
                reviews,
                lambda: shared_drafts.send_back(**given, note=words["note"]),
                "Sent back to the authors.",
            ),
        }
        if step not in steps:
            raise Http404
        may, verb, done = steps[step]
        if not may:
            raise PermissionDenied
        try:
            verb()
        except DraftRefused as refusal:
            messages.error(request, str(refusal))
            return self._draft_page(request, self._draft(pk), refused={"step": step, **words})
        if done:
            messages.success(request, done)
        return HttpResponseRedirect(address(draft))

    def _publish(self, request, given: dict) -> None:
        made = shared_drafts.publish(**given)
        messages.success(request, "Published.")
        self.tell(request, made.sheets, made.to_review)

    @method_decorator(require_safe)
    def draft_page_view(self, request, pk: int, sheet: int):
        """A page as readers would see it with the draft; 0 is the home page."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        draft = self._draft(pk)
        if (sheet == 0) != (self.model is SiteNotice):
            raise Http404
        try:
            response = self._notice_page(request, draft) if sheet == 0 else self._sheet_page(request, draft, sheet)
        except (CannotPutBack, BodyError) as why_not:
            messages.error(request, f"This page cannot be previewed. {why_not}")
            return HttpResponseRedirect(address(draft))
        add_never_cache_headers(response)
        patch_cache_control(response, private=True, no_store=True)
        response["X-Robots-Tag"] = "noindex"
        return response

    def _sheet_page(self, request, draft: SharedDraft, pk: int):
        from factsheets import sheet_views  # it needs the forms of another app, which is loaded after this one

        with shared_drafts.applied(draft):
            sheet = get_object_or_404(FactSheet.objects.published(), pk=pk)
            actions.refresh(sheet=sheet)
            return sheet_views.preview(request, sheet, {"preview_note": NOTE})

    def _notice_page(self, request, draft: SharedDraft):
        from factsheets import views  # as above

        important = draft.content["level"] == SiteNotice.Level.IMPORTANT
        return views.home_preview(request, {"text": draft.content["text"], "is_important": important}, NOTE)


def _others(here: dict) -> list[str]:
    """Who else has it open. Notes that this person has it open too."""
    autosave.look(**here)
    return autosave.others(**here)


def _mentions(draft: SharedDraft, record) -> list:
    """Of a term, where its word is said and readers will not see this meaning of it."""
    if not draft.is_open or draft.label != GlossaryTerm._meta.label_lower:
        return []
    drafted = draft.content and GlossaryTerm(**{name: draft.content[name] for name in ("slug", "term", "also")})
    return shared_revisions.mentions(*(each for each in (record, drafted) if each))


def _part_of(draft: SharedDraft) -> str:
    """The live record and its draft are one thing to have open. A draft of what is not made yet has no record."""
    model = shared_revisions.MODELS[draft.label]._meta.model_name
    return f"{model}-{draft.record}" if draft.record else f"draft-{draft.pk}"


def _keep_picture(request, drafted: Drafted) -> None:
    """What was uploaded with the form, which the undone save has taken away again.

    In the transaction that writes the draft: what nothing names is thrown away by anybody's next save.
    """
    if prepared := getattr(drafted.form, "prepared", None):
        pictures.keep(prepared, by=request.user)
