"""The pages of a published sheet's draft: begin it, compare it with what readers see, comment, correct, discard."""

from csp.constants import SELF
from csp.decorators import csp_replace
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.utils.http import urlencode
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from backcare.core.forms import as_number
from factsheets import actions, sheet_drafts
from factsheets.admin.editing import edit_address, sheet_address
from factsheets.admin.overview import (
    back_to_sheet,
    find_sheet,
    may_move,
    may_read,
    may_write,
    overview_page,
    sheet_page,
    you_wrote,
)
from factsheets.models import FactSheet, FormerAddress


def _draft(request, pk: int, may) -> FactSheet:
    sheet = find_sheet(request, pk, may)
    if sheet.draft_of is None:
        raise Http404
    return sheet


@require_POST
def begin(request, pk: int):
    sheet = find_sheet(request, pk, may_write)
    section = request.POST.get("section", "")
    try:
        draft = actions.begin_draft(sheet=sheet, by=request.user)
    except actions.MoveRefused as refusal:
        messages.error(request, str(refusal))
        return back_to_sheet(sheet)
    if "section" in request.POST:
        return HttpResponseRedirect(edit_address(draft, section))
    return back_to_sheet(draft)


@require_POST
def discard(request, pk: int):
    draft = _draft(request, pk, may_write)
    sheet = draft.draft_of
    try:
        actions.discard_draft(draft=draft, by=request.user, edition=as_number(request.POST.get("edition", "")))
    except actions.MoveRefused as refusal:
        messages.error(request, str(refusal))
        return back_to_sheet(draft)
    messages.success(request, "Draft discarded. Its words are still in the history.")
    return back_to_sheet(sheet)


@require_POST
def correct(request, pk: int):
    """Sent from the draft's own page."""
    draft = _draft(request, pk, may_write)
    edition = as_number(request.POST.get("edition", ""))
    return _corrected(request, draft, reason=request.POST.get("reason", ""), edition=edition)


def correct_written(request, pk: int, *, all_saved: bool):
    """From the page on which the draft is written, after its save. `_edition` is the newest that its writer saw there."""
    draft = _draft(request, pk, may_write)
    newest = draft.editions.defer("content").first()
    seen = as_number(request.POST.get("_edition", "")) or 0
    unseen = draft.editions.filter(number__gt=seen).exclude(by=request.user).defer("content").first()
    why_not = "" if all_saved else "Something that you typed in this draft is not saved yet."
    if unseen:
        why_not = (
            f"{unseen.actor or 'An update'} changed the draft after you opened the page. Your words are saved in it. "
            "Read it again before you publish it."
        )
    reason = request.POST.get("_reason", "")
    return _corrected(request, draft, reason=reason, edition=newest.number if newest else None, why_not=why_not)


def _corrected(request, draft: FactSheet, *, reason: str, edition: int | None, why_not: str = ""):
    sheet, reason = draft.draft_of, reason[:300]
    try:
        if why_not:
            raise actions.MoveRefused(why_not)
        actions.correct(draft=draft, by=request.user, reason=reason, edition=edition)
    except actions.MoveRefused as refusal:
        saved = "" if why_not else " Your words are saved in this draft."
        messages.error(request, f"Not published. {refusal}{saved}{you_wrote(reason)}")
        # If it is sent for review instead, this is the note to the reviewer.
        note = f"?{urlencode({'note': reason})}" if reason.strip() else ""
        return HttpResponseRedirect(f"{sheet_address(draft)}{note}#next-step")
    messages.success(request, "Published. The reviewer will see this correction on the first page of the desk.")
    return back_to_sheet(sheet)


@require_POST
def address(request, pk: int):
    """The address of a sheet and its place in the topic: not words, so without a draft. The old address goes on working."""
    sheet = find_sheet(request, pk, may_write)
    if sheet.draft_of_id:
        raise Http404
    slug, position = request.POST.get("slug", "").strip().lower(), as_number(request.POST.get("position", ""))
    try:
        validate_slug(slug)
        if len(slug) > FactSheet._meta.get_field("slug").max_length:
            raise ValidationError("Keep the address below 80 characters.")
        if FactSheet.everything.filter(slug=slug).exclude(pk=sheet.pk).exists():
            raise ValidationError("Another sheet has this address.")
        if FormerAddress.objects.filter(slug=slug).exclude(sheet=sheet).exists():
            raise ValidationError("Another sheet had this address, and links to it still lead there.")
        if position is None or position > 32767:
            raise ValidationError("Enter the order as a number.")
    except ValidationError as error:
        messages.error(request, f"Nothing changed. {' '.join(error.messages)}")
        return overview_page(request, sheet, typed=request.POST, status=422)
    was, sheet.slug, sheet.position = sheet.slug, slug, position
    sheet.save(update_fields=["slug", "position"])
    if was != slug:
        actions.change_address(sheet=sheet, was=was)
    messages.success(request, "Saved. Readers see it at once.")
    return back_to_sheet(sheet)


# --- comments ---


@require_POST
def comment(request, pk: int):
    sheet = find_sheet(request, pk, may_move)
    section, text = request.POST.get("section", "")[:80], request.POST.get("text", "")
    try:
        made = actions.comment(sheet=sheet, section=section, text=text, by=request.user)
    except actions.MoveRefused as refusal:
        messages.error(request, str(refusal))
        return overview_page(request, sheet, unsent={"section": section, "text": text}, status=422)
    return back_to_sheet(sheet, anchor=f"comments-{made.section}")


@require_POST
def resolve(request, pk: int, number: int):
    sheet = find_sheet(request, pk, may_move)
    found = get_object_or_404(sheet.comments, pk=number)
    actions.resolve(comment=found, by=request.user)
    # Back to where the reviewer was reading: above the answer, or below a section.
    is_above = "to" in request.POST
    return back_to_sheet(sheet, anchor="decide" if is_above else f"comments-{found.section}")


# --- the draft beside the published page ---

WIDTHS = {"phone": "Phone", "wide": "Wide screen"}


@csp_replace({"frame-src": [SELF]})
@require_safe
def compare(request, pk: int):
    """Both pages as readers see them, at one width and at one place of them, and what differs, word by word.

    The place is `?at=`, or else that of the first difference.
    """
    sheet = find_sheet(request, pk, may_read)
    width, at = request.GET.get("width", "phone"), request.GET.get("at", "")
    changes = sheet_drafts.Comparison(sheet).differences if sheet.draft_of_id else []
    places = [each.at for each in changes if each.at]
    context = {
        "width": width if width in WIDTHS else "phone",
        "widths": WIDTHS,
        "changes": changes,
        "at": at if at in places else next(iter(places), ""),
    }
    return _private(sheet_page(request, "compare.html", sheet, f"Preview of {sheet.title}", **context))


@csp_replace({"frame-ancestors": [SELF]})
@xframe_options_sameorigin
@require_safe
def page(request, pk: int):
    """The page of a draft, or of any sheet, for a frame of the preview. For staff only, and never cached."""
    from factsheets import sheet_views  # it needs the forms of another app, which is loaded after this one

    sheet = find_sheet(request, pk, may_read)
    note = "" if sheet.is_published else "Staff preview. Readers cannot see this yet."
    return _private(sheet_views.preview(request, sheet, {"preview_note": note} if note else {}))


def _private(response):
    add_never_cache_headers(response)
    patch_cache_control(response, private=True, no_store=True)
    response["X-Robots-Tag"] = "noindex"
    return response
