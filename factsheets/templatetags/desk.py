from datetime import timedelta

from django import template
from django.utils import timezone

from factsheets.models import FactSheet, InstalledRecord, State

register = template.Library()

SOON = timedelta(days=60)
LISTED = 20


@register.inclusion_tag("admin/factsheets/_attention.html", takes_context=True)
def sheets_that_need_somebody(context):
    """For the first page of the desk: which sheets wait for a clinician or an editor. Nothing for other staff."""
    if not context["request"].user.has_perm("factsheets.view_factsheet"):
        return {}
    today = timezone.localdate()
    sheets = FactSheet.objects.defer("document", "key_points").with_changed_since_review()
    published = sheets.filter(state=State.PUBLISHED)
    return {
        "today": today,
        "offers": InstalledRecord.objects.exclude(offered={}).count(),
        "in_review": sheets.filter(state=State.IN_REVIEW)[:LISTED],
        "changed": published.filter(was_changed=True, reviewed_on__isnull=False)[:LISTED],
        "due": sheets.review_due_by(today + SOON)[:LISTED],
        "never": published.filter(reviewed_on__isnull=True)[:LISTED],
        "drafts": sheets.filter(state=State.DRAFT)[:LISTED],
    }
