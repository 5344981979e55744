import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta

from django import template
from django.db.models import F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from factsheets import (
    approvals,
    draft_workflow,
    publishing_rules,
    review_notifications,
    safety_drafts,
    safety_revisions,
    team,
)
from factsheets.admin.links import to_look_at
from factsheets.admin.shared_drafts import open_to
from factsheets.models import (
    SIGNED,
    DraftState,
    Edition,
    FactSheet,
    InstalledRecord,
    SharedDraft,
    State,
    Step,
    Subject,
)

register = template.Library()

SOON = timedelta(days=60)
LISTED = 20


@register.filter
def kind(value) -> str:
    """How to lay out a plain value: a table of names, a list, or a word."""
    return "table" if isinstance(value, dict) else "list" if isinstance(value, list) else "word"


@register.filter
def inline_words(rows: str) -> str:
    """Django's rows below a form, with its "Add another Opening time" and "Delete?" as the desk says them."""
    rows = re.sub(r"Add another (\w)", lambda found: f"Add {found[1].lower()}", rows)
    rows = rows.replace('<th class="original"></th>', '<td class="original"></td>')  # it heads nothing
    # Each row has the word, as the label of its box.
    rows = re.sub(r'(<td class="delete">)(<input [^>]*>)', r"\1<label>\2 Remove</label>", rows)
    rows = rows.replace("<th>Delete?</th>", "<td></td>")
    return mark_safe(rows)  # noqa: S308 - rendered, and so escaped, before


@register.simple_tag(takes_context=True)
def why_not_signed(context, text: str) -> str:
    """Why somebody cannot sign or approve. “Enter yours” leads an owner to where it is entered (`team.why_no_reviewer`)."""
    before, words, after = text.partition(team.ENTER_YOURS)
    if not words:
        return text
    person = team.of(context["request"].user)
    address = reverse("admin:factsheets_teammember_changelist")
    if person:
        address = reverse("admin:factsheets_teammember_change", args=[person.pk])
    return format_html('{}<a href="{}">{}</a>{}', before, address, words, after)


@register.inclusion_tag("admin/factsheets/_to_review.html", takes_context=True)
def waiting_for_my_review(context):
    """For the first page of a clinician: what they may sign off or publish, before anything else. Nothing for other staff."""
    user = context["request"].user
    if not user.has_perm("factsheets.sign_off_factsheet"):
        return {}
    found = _in_review(context["request"])
    return {
        "sheets": [
            (each, each.editions.filter(step=Step.SUBMITTED).defer("content").first()) for each in found.sheets_to_sign
        ],
        "shared": found.shared_to_sign,
        "flags": found.flags["flags_to_approve"],
    }


@dataclass(frozen=True)
class _InReview:
    """What waits for a clinician, in two lists: what this person is asked to read, and the rest. No list has more than `LISTED`."""

    sheets_to_sign: list[FactSheet]
    sheets: list[FactSheet]
    shared_to_sign: list[SharedDraft]
    shared: list[SharedDraft]
    flags: dict


def _in_review(request) -> _InReview:
    """Read once per page, because two of its parts show it."""
    if not hasattr(request, "in_review"):
        user = request.user
        sent = FactSheet.everything.defer("document", "key_points").filter(state=State.IN_REVIEW)
        request.in_review = _InReview(
            *_apart(sent, lambda sheet: not publishing_rules.why_not_sign_off(sheet, user)),
            *_apart(open_to(user), lambda draft: _is_to_read(draft, user)),
            flags=_red_flags(user),
        )
    return request.in_review


def _apart(records: Iterable, is_theirs: Callable[[object], bool]) -> tuple[list, list]:
    found: dict[bool, list] = {True: [], False: []}
    for each in records:
        found[is_theirs(each)].append(each)
    return found[True][:LISTED], found[False][:LISTED]


@register.inclusion_tag("admin/factsheets/_attention.html", takes_context=True)
def sheets_that_need_somebody(context):
    """For the first page of the desk: which sheets wait for a clinician or an editor. Nothing for other staff."""
    if not context["request"].user.has_perm("factsheets.view_factsheet"):
        return {}
    today = timezone.localdate()
    user = context["request"].user
    sheets = FactSheet.everything.defer("document", "key_points").with_changed_since_review()
    published = sheets.filter(state=State.PUBLISHED)
    written = sheets.filter(state=State.DRAFT)
    # What a clinician is asked to read is above (`waiting_for_my_review`), and is not repeated.
    signs = user.has_perm("factsheets.sign_off_factsheet")
    waiting = _in_review(context["request"])
    for draft in waiting.shared:
        draft.back = draft_workflow.sent_back(draft)
        draft.is_mine = bool(draft.back) and draft_workflow.wrote(draft, user)
    found = {
        # An owner reads these under “What is still missing”.
        "unapproved": [each for subject in Subject.values if not (each := approvals.standing(subject)).approval]
        if user.has_perm("factsheets.view_approval") and not user.is_superuser
        else [],
        **(flags := waiting.flags),
        "draft": None if flags["flags_to_approve"] and signs else flags["draft"],
        "silent": [
            (flag["code"], safety_revisions.heading(flag)) for flag in safety_drafts.gaps(safety_revisions.snapshot())
        ],
        "links": len(to_look_at()),
        "offers": InstalledRecord.objects.exclude(offered={}).count(),
        "shared_drafts": waiting.shared,
        "in_review": waiting.sheets,
        "changed": published.filter(was_changed=True, reviewed_on__isnull=False)[:LISTED],
        "due": sheets.review_due_by(today + SOON)[:LISTED],
        "never": published.filter(reviewed_on__isnull=True)[:LISTED],
        "corrections": _corrections_not_seen()[:LISTED],
        "sent_back": [each for each in written if _is_sent_back_to(each, user)][:LISTED],
        "overdue": sheets.filter(Q(publish_on__lt=today) | Q(retire_on__lt=today, state=State.PUBLISHED))[:LISTED],
        "planned": sheets.filter(publish_on__gte=today)[:LISTED],
        "drafts": written[:LISTED],
    }
    return {"today": today, "check_is_off": not approvals.check_is_open(), "nothing": not any(found.values()), **found}


def _is_to_read(draft: SharedDraft, user) -> bool:
    signs = user.has_perm("factsheets.sign_off_factsheet")
    return signs and draft.state == DraftState.IN_REVIEW and not draft_workflow.wrote(draft, user)


def _red_flags(user) -> dict:
    """Their draft, and what this person is asked to do: approve it, or revise it after it was sent back."""
    draft = safety_drafts.current()
    back = draft_workflow.sent_back(draft) if draft and draft_workflow.wrote(draft, user) else None
    is_sent = draft is not None and draft.state == DraftState.IN_REVIEW
    return {
        "draft": draft,
        "flags_to_approve": draft if is_sent and not safety_drafts.why_not_approve(draft, user) else None,
        "flags_sent_back": back,
    }


def _corrections_not_seen():
    """Small corrections since a clinician last signed the sheet off, or all of them if nobody ever has."""
    signed = Edition.objects.filter(sheet=OuterRef("sheet"), step__in=SIGNED, public=True).order_by("-number")
    return (
        Edition.objects.filter(step=Step.CORRECTED, sheet__state=State.PUBLISHED)
        .annotate(signed=Coalesce(Subquery(signed.values("number")[:1]), 0))
        .filter(number__gt=F("signed"))
        .select_related("sheet")
        .defer("content", "sheet__document")
        .order_by("-at")
    )


def _is_sent_back_to(sheet: FactSheet, user) -> bool:
    """Whether it was sent back and this person wrote in it or sent it."""
    last = review_notifications.sent_back(sheet)
    return last is not None and user.pk in review_notifications.authors(sheet, last.number)
