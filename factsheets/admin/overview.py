"""The page of one sheet: its state, what stops it from being published, its sections in order, and its whole history."""

from datetime import date
from itertools import groupby

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from backcare.core.forms import as_number
from factsheets import (
    actions,
    content_conflicts,
    coverage,
    feedback,
    publishing_rules,
    readability,
    review_notifications,
    revisions,
    safety,
    section_order,
    sheet_drafts,
    team,
)
from factsheets.admin.editing import edit_address, sheet_address
from factsheets.admin.shared_drafts import address as draft_address
from factsheets.claims_guard import findings
from factsheets.models import (
    Claim,
    Edition,
    FactSheet,
    InstalledRecord,
    Layer,
    Question,
    Section,
    Source,
    State,
    Step,
)
from factsheets.rendering import sheet as sheets
from factsheets.rendering.document import in_reading_order
from factsheets.sheet_views import MAX_LEAFLET_BYTES, MAX_PAGE_BYTES, weight


def may_read(user) -> bool:
    return user.has_perm("factsheets.view_factsheet")


def may_write(user) -> bool:
    return user.has_perm("factsheets.change_factsheet")


def may_move(user) -> bool:
    return may_write(user) or user.has_perm("factsheets.sign_off_factsheet")


def find_sheet(request, pk: int, may) -> FactSheet:
    if not may(request.user):
        raise PermissionDenied
    return get_object_or_404(FactSheet.everything.select_related("topic", "reviewed_by", "draft_of"), pk=pk)


def sheet_page(request, template: str, sheet: FactSheet, title: str, *, status: int = 200, **context):
    base = admin.site.each_context(request) | {"title": title, "sheet": sheet, "opts": FactSheet._meta}
    return render(request, f"admin/factsheets/{template}", base | context, status=status)


@require_http_methods(["GET", "HEAD"])
def overview(request, pk: int):
    note = {"step": Step.SUBMITTED.value, "note": request.GET.get("note", "")[:300]}
    return overview_page(request, find_sheet(request, pk, may_read), typed=note if note["note"] else None)


def overview_page(request, sheet: FactSheet, *, unsent: dict | None = None, typed=None, status: int = 200):
    """`unsent`: a comment that could not be kept, as {"section": address, "text": what was typed}.

    `typed`: the refused form, with everything in it.
    """
    sections = publishing_rules.sections_of(sheet)
    found = publishing_rules.obstacles(sheet, sections=sections)
    compared = sheet_drafts.Comparison(sheet) if sheet.draft_of_id else None
    comments, draft = list(sheet.comments.all()), sheet.open_draft
    newest = sheet.editions.defer("content").first()
    written = publishing_rules.written_since_sign_off(sheet).exclude(step=Step.INSTALLED)
    why_not = publishing_rules.why_not_sign_off(sheet, request.user)
    context = {
        "newest": newest,
        "in_review": sheet.state == State.IN_REVIEW,
        "asked": _asked(sheet),
        "since": _since_signed(sheet, compared),
        "section_places": {each.slug for each in sections},
        "sent_back": review_notifications.sent_back(sheet),
        "obstacles": [each for each in found if not each.finding],
        "findings": [each for each in found if each.finding],
        "broken": publishing_rules.broken_for_readers(sheet, sections),
        "overrides": _overrides_in_force(sheet),
        "steps": _steps(sheet, why_not, request.user, stopped=bool(found), typed=typed or {}),
        "why_not_sign_off": why_not,
        "unsigned": list(dict.fromkeys(written.exclude(actor="").values_list("actor", flat=True))),
        "changed_since_review": publishing_rules.changed_since_review(sheet),
        "state_note": sheets.state_note(sheet),
        "outline": _outline(sheet, sections, comments),
        "comments": _not_below_a_section(sections, comments),
        "unresolved": _unresolved(sections, comments),
        "unsent": unsent,
        "address": _address(sheet, typed or {}),
        "draft": draft,
        "written": (draft if may_write(request.user) else None) or sheet,
        "signed": signed(sheet, request.user),
        "may_edit": may_write(request.user) and not sheet.is_published and sheet.state != State.SCHEDULED,
        "compared": compared,
        "waits": _waits(sheet),
        "weight": _weight(request, sheet),
        "max_leaflet": MAX_LEAFLET_BYTES,
        "max_page": MAX_PAGE_BYTES,
        "offers": list(content_conflicts.open_offers(sheet)),
        "reading": readability.measure(sheet.document, sheet.slug) if sheet.document else None,
        "feedback": feedback.by_week(sheet),
        "to_check": _to_check(sheet, sections),
        "missing": coverage.measure(only=sheet).missing.get(sheet.slug, []),
        "may_write": may_write(request.user),
        "may_move": may_move(request.user),
    }
    return sheet_page(request, "overview.html", sheet, sheet.title, status=status, **context)


def _waits(sheet: FactSheet) -> str:
    """Why a planned publication has not happened on its day."""
    if sheet.state != State.SCHEDULED or sheet.publish_on > timezone.localdate():
        return ""
    return actions.why_plan_waits(sheet) or "It will be published within the hour."


def _not_below_a_section(sections: list[Section], comments: list) -> list:
    slugs = {section.slug for section in sections}
    return [each for each in comments if each.section not in slugs]


def signed(sheet: FactSheet, user) -> dict | None:
    """For words that are signed off for a later day: who signed them, and what editing them would undo."""
    if sheet.state != State.SCHEDULED:
        return None
    return {
        "by": team.account_name(sheet.reviewed_by),
        "on": sheet.reviewed_on,
        "day": sheet.publish_on,
        "newest": sheet.editions.values_list("number", flat=True).first(),
        "why_not": publishing_rules.why_not_unsign(sheet, user),
    }


def _unresolved(sections: list[Section], comments: list) -> list:
    """The comments to resolve, each with what it is `about`."""
    names = {section.slug: str(section) for section in sections}
    unresolved = [each for each in comments if each.resolved_at is None]
    for each in unresolved:
        each.about = names.get(each.section, "the whole sheet")
    return unresolved


def _asked(sheet: FactSheet) -> Edition | None:
    """The step by which the sheet was sent for review, with `why`: what was said then, or with the changes before it."""
    if sheet.state != State.IN_REVIEW:
        return None
    asked = sheet.editions.filter(step=Step.SUBMITTED).defer("content").first()
    if asked:
        notes = publishing_rules.written_since_sign_off(sheet).filter(sheet=sheet).exclude(note="").order_by("number")
        asked.why = asked.note or " ".join(dict.fromkeys(notes.values_list("note", flat=True)))
    return asked


def _since_signed(sheet: FactSheet, compared: sheet_drafts.Comparison | None) -> dict | None:
    """What a reviewer has to read: the words that differ from the published page, or from what was last signed."""
    if sheet.state != State.IN_REVIEW:
        return None
    if compared:
        return {"changes": compared.differences, "same": "The words are the same as on the published page."}
    if (signed := publishing_rules.last_sign_off(sheet)) is None:
        return None
    changes = revisions.changes(signed.content, revisions.snapshot(sheet))
    return {"changes": changes, "same": "The words are the same as when they were last signed off."}


def _address(sheet: FactSheet, typed) -> dict:
    """What the form of the address and the order holds."""
    if "slug" in typed:
        return {"slug": typed["slug"], "position": typed.get("position", ""), "refused": True}
    return {"slug": sheet.slug, "position": sheet.position, "refused": False}


def _steps(sheet: FactSheet, why_not_sign: str, user, *, stopped: bool, typed) -> list[dict]:
    """The steps that may be taken now, with what the button says and what its fields hold."""
    due = timezone.localdate() + publishing_rules.REVIEW_USUALLY
    planned = {name: day.isoformat() if (day := getattr(sheet, name)) else "" for name in ("publish_on", "retire_on")}
    offered = {"review_due_on": due.isoformat(), **planned}
    words = {
        Step.SUBMITTED: "Send for clinical review",
        Step.SENT_BACK: "Send back to the authors",
        Step.SIGNED_OFF: _sign_off_words(sheet),
        Step.REPLANNED: "Change the day",
        Step.UNPLANNED: "Cancel the planned day",
        Step.REOPENED: "Move back to draft",
        Step.RETIRED: "Retire",
    }
    return [
        {
            "step": step.value,
            "words": words[step],
            "needs_note": step in actions.NEEDS_NOTE,
            "asks": step == Step.SUBMITTED,
            "signs": step == Step.SIGNED_OFF,
            "plans": step == Step.REPLANNED,
            "cancels": step == Step.UNPLANNED,
            "stopped": stopped and step in actions.MUST_BE_SOUND,
            "typed": typed if typed.get("step") == step else offered,
            "refused": typed.get("step") == step,
        }
        for step, (states, _) in actions.MOVES.items()
        if sheet.state in states
        and not (step == Step.SIGNED_OFF and why_not_sign)
        and not (step in actions.PLANNING and publishing_rules.why_not_plan(user))
        and not (sheet.draft_of_id and step in actions.NOT_FOR_DRAFTS)
        and not (step == Step.SENT_BACK and sheet.state == State.SCHEDULED)  # its button is beside the signature
    ]


def _sign_off_words(sheet: FactSheet) -> str:
    if sheet.state == State.IN_REVIEW:
        return "Sign off and publish"
    return "Sign off" if sheet.awaits_review else "Sign off again"


def _outline(sheet: FactSheet, sections: list[Section], comments: list) -> list[dict]:
    """The sections in readers' order, under their question or layer, each with its comments."""
    ordered = in_reading_order(sheet, sections)
    for section in ordered:
        section.comments = [each for each in comments if each.section == section.slug]
    return [
        {
            "name": Question(question).label if question else Layer(layer).label.capitalize(),
            "sections": list(below),
        }
        for (layer, question), below in groupby(ordered, key=section_order.stands_below)
    ]


def _weight(request, sheet: FactSheet):
    """What a reader's phone loads. None if the page cannot be shown, because the emergency advice is missing."""
    try:
        return weight(request, sheet)
    except safety.SafetyAdviceMissing:
        return None


def _overrides_in_force(sheet: FactSheet):
    kept = list(sheet.overrides.all())
    keys = {each.key for each in findings(sheet.document)} if kept and sheet.document else set()
    return [each for each in kept if each.key in keys]


def _to_check(sheet: FactSheet, sections: list[Section]) -> dict:
    """The sources that the sheet rests on and that still have to be checked."""
    keys = [reference["key"] for reference in sheet.document.get("references", [])]
    refs = {ref for section in sections for ref in section.claim_refs}
    sources = Source.objects.filter(key__in=keys)
    return {
        "sources": [each for each in sources if each.to_check or each.verification != Source.Verification.VERIFIED],
        "claims": Claim.objects.filter(ref__in=refs, to_check=True),
    }


def back_to_sheet(sheet: FactSheet, part=None, anchor: str = ""):
    return HttpResponseRedirect(sheet_address(sheet, part) + (f"#{anchor}" if anchor else ""))


@require_POST
def move(request, pk: int):
    sheet = find_sheet(request, pk, may_move)
    step = request.POST.get("step", "")
    if step not in actions.MOVES:
        messages.error(request, "Choose what to do with the fact sheet.")
        return back_to_sheet(sheet)
    try:
        made = actions.transition(
            sheet=sheet,
            step=Step(step),
            by=request.user,
            note=request.POST.get("note", "")[:300],
            edition=as_number(request.POST.get("edition", "")),
            **{name: _day(request.POST.get(name, ""), words) for name, words in DAYS.items()},
        )
    except actions.MoveRefused as refusal:
        sheet = find_sheet(request, pk, may_move)
        why_not = publishing_rules.why_not_sign_off(sheet, request.user)
        has_form = any(each["step"] == step for each in _steps(sheet, why_not, request.user, stopped=False, typed={}))
        # A colleague may have taken the step meanwhile, so its form may not be on the page.
        messages.error(request, f"{refusal}{'' if has_form else you_wrote(request.POST.get('note', ''))}")
        return overview_page(request, sheet, typed=request.POST, status=422)
    sheet = made.sheet
    if "section" in request.POST and may_write(request.user):  # from the page on which it is written, or towards it
        messages.success(request, "The signature has ended. You can edit it now, and send it for review again.")
        return HttpResponseRedirect(edit_address(sheet, request.POST["section"]))
    messages.success(request, f"“{sheet.title}” is now {sheet.state_in_a_sentence}.")
    return back_to_sheet(sheet)


def you_wrote(words: str) -> str:
    """For a refusal: what was typed and not saved, to be copied."""
    return f" You wrote: “{words.strip()}”" if words.strip() else ""


# The days of a step, as their fields call them.
DAYS = {"review_due_on": "the next review", "publish_on": "publication", "retire_on": "taking the page down"}


def _day(text: str, words: str) -> date | None:
    """Raises MoveRefused if it is not a day. Without one, it would publish at once what was meant to wait."""
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise actions.MoveRefused(
            f"Enter the date of {words} as year, month and day, such as {timezone.localdate()}."
        ) from None


@require_POST
def let_stand(request, pk: int):
    sheet = find_sheet(request, pk, may_write)
    key = request.POST.get("key", "")
    finding = next(
        (each.finding for each in publishing_rules.obstacles(sheet) if each.finding and each.finding.key == key), None
    )
    if finding is None:
        messages.warning(request, "That wording has already been changed.")
        return back_to_sheet(sheet)
    try:
        actions.let_stand(sheet=sheet, finding=finding, reason=request.POST.get("reason", "")[:2000], by=request.user)
    except actions.MoveRefused as refusal:
        messages.error(request, f"{refusal}{you_wrote(request.POST.get('reason', ''))}")
    else:
        messages.success(request, "Wording allowed. Your reason is kept with your name.")
    return back_to_sheet(sheet)


@require_http_methods(["GET", "HEAD", "POST"])
def settle(request):
    """Every difference between what staff wrote and what newer content says. POST settles one."""
    may = may_write if request.method == "POST" else may_read
    if not may(request.user):
        raise PermissionDenied
    if request.method == "POST":
        installed = get_object_or_404(InstalledRecord, pk=as_number(request.POST.get("record", "")))
        take = request.POST.get("take") == "newer"
        try:
            draft = content_conflicts.settle(
                installed=installed, field=request.POST.get("field", ""), take=take, by=request.user
            )
        except actions.MoveRefused as refusal:
            messages.error(request, str(refusal))
        else:
            done = "The new wording is now in use."
            if draft:
                done = "The new wording is in the draft. Readers see it once that is published."
            messages.success(request, done if take else "Your wording was kept.")
        return HttpResponseRedirect(reverse("admin:factsheets_offers"))
    context = admin.site.each_context(request) | {
        "title": "New site content",
        "opts": FactSheet._meta,
        "offers": [(each, _draft_with(each)) for each in content_conflicts.open_offers()],
        "may_write": may_write(request.user),
    }
    return render(request, "admin/factsheets/offers.html", context)


def _draft_with(offer: content_conflicts.Offer) -> str:
    """The address of the draft that already has the offered words. Empty if none has."""
    match content_conflicts.waits_in(offer):
        case "sheet", draft:
            return sheet_address(draft)
        case "shared", draft:
            return draft_address(draft)
        case "red flags", _:
            return reverse("admin:factsheets_safetyadvice_changelist")
    return ""


@require_POST
def shift(request, pk: int, section: int):
    sheet = find_sheet(request, pk, may_write)
    found = get_object_or_404(sheet.sections, pk=section)
    try:
        section_order.shift(section=found, up=request.POST.get("way") == "up", by=request.user)
    except actions.MoveRefused as refusal:
        messages.error(request, str(refusal))
    return back_to_sheet(sheet, found)


def history(request, pk: int):
    sheet = find_sheet(request, pk, may_read)
    listed = sheet.editions.defer("content")
    return sheet_page(request, "history.html", sheet, f"History of {sheet.title}", editions=listed)


@require_http_methods(["GET", "HEAD", "POST"])
def edition(request, pk: int, number: int):
    """One edition beside the one before it; or, with ?against=now, beside the sheet as it is. POST puts it back."""
    sheet = find_sheet(request, pk, may_write if request.method == "POST" else may_read)
    found = get_object_or_404(Edition.objects.select_related("sheet"), sheet=sheet, number=number)
    in_the_way = None
    if request.method == "POST":
        try:
            kept = actions.roll_back(edition=found, by=request.user, over=as_number(request.POST.get("over", "")))
        except actions.DraftInTheWay as asked:
            in_the_way = asked
        except actions.MoveRefused as refusal:
            messages.error(request, str(refusal))
        else:
            into, name = kept.sheet if kept else sheet, found.name.capitalize()
            done = f"{name} restored." if kept else "The sheet already has this wording."
            if kept and kept.step == Step.RESTORED:
                done = f"{name} restored, with the signature of {kept.reviewed_on:%-d %B %Y}. Readers see it now."
            elif into.draft_of_id:
                done = f"{name} copied to the draft. Readers will see it once a clinician has signed it off."
            messages.success(request, done)
            if claims := revisions.reworded(found.content, revisions.snapshot(into)):
                messages.warning(
                    request,
                    "These statements of evidence appear in other sheets too, so they were not restored: "
                    f"{'; '.join(claims)}. Edit a statement on its own page.",
                )
            sheet = into
        if in_the_way is None:
            return back_to_sheet(sheet)
    against_now = request.GET.get("against") == "now"
    before = found.content if against_now else _content_before(found)
    after = revisions.snapshot(sheet) if against_now else found.content
    context = {
        "edition": found,
        "against_now": against_now,
        "changes": revisions.changes(before, after),
        "first": not against_now and not before["sections"] and not before["sheet"],
        "may_write": may_write(request.user),
        "is_newest": not sheet.editions.filter(number__gt=number).exists(),
        "in_the_way": in_the_way,
    }
    return sheet_page(request, "edition.html", sheet, f"{found.name.capitalize()} of {sheet.title}", **context)


def _content_before(edition: Edition) -> dict:
    """What readers had before, where readers saw it: the edition just before it is then the last one of its draft."""
    earlier = Edition.objects.filter(sheet=edition.sheet_id, number__lt=edition.number)
    before = (earlier.filter(public=True).first() if edition.public else None) or earlier.first()
    return before.content if before else {"sheet": {}, "sections": [], "related": []}
