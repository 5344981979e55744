import re
from datetime import timedelta

from django import template
from django.utils import timezone
from django.utils.safestring import mark_safe

from factsheets import approvals, safety_drafts, safety_revisions
from factsheets.admin.links import to_look_at
from factsheets.models import FactSheet, InstalledRecord, State, Subject

register = template.Library()

SOON = timedelta(days=60)
LISTED = 20


@register.filter
def kind(value) -> str:
    """How a plain value is laid out: a table of names, a list, or a word."""
    return "table" if isinstance(value, dict) else "list" if isinstance(value, list) else "word"


@register.filter
def inline_words(rows: str) -> str:
    """Django's rows below a form, with its "Add another Opening time" and "Delete?" as the desk says them."""
    rows = re.sub(r"Add another (\w)", lambda found: f"Add {found[1].lower()}", rows)
    return mark_safe(rows.replace("Delete?", "Remove"))  # noqa: S308 - rendered, and so escaped, before


@register.inclusion_tag("admin/factsheets/_attention.html", takes_context=True)
def sheets_that_need_somebody(context):
    """For the first page of the desk: which sheets wait for a clinician or an editor. Nothing for other staff."""
    if not context["request"].user.has_perm("factsheets.view_factsheet"):
        return {}
    today = timezone.localdate()
    user = context["request"].user
    sheets = FactSheet.objects.defer("document", "key_points").with_changed_since_review()
    published = sheets.filter(state=State.PUBLISHED)
    return {
        "today": today,
        "unapproved": [each for subject in Subject.values if not (each := approvals.standing(subject)).approval]
        if user.has_perm("factsheets.view_approval")
        else [],
        "draft": safety_drafts.current(),
        "silent": [flag["code"] for flag in safety_drafts.gaps(safety_revisions.snapshot())],
        "check_is_off": not approvals.check_is_open(),
        "links": to_look_at().count(),
        "offers": InstalledRecord.objects.exclude(offered={}).count(),
        "in_review": sheets.filter(state=State.IN_REVIEW)[:LISTED],
        "changed": published.filter(was_changed=True, reviewed_on__isnull=False)[:LISTED],
        "due": sheets.review_due_by(today + SOON)[:LISTED],
        "never": published.filter(reviewed_on__isnull=True)[:LISTED],
        "drafts": sheets.filter(state=State.DRAFT)[:LISTED],
    }
