"""When editors are reminded that a sheet must be read again by a clinician, and who of them.

At 60, 30 and 0 days before the review is due: the clinic's own rule. Nothing here writes or sends; enquiries/actions does.
"""

from datetime import date, timedelta

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from factsheets.models import FactSheet, ReviewReminder

STEPS = (60, 30, 0)  # days before the review is due


def step_reached(due_on: date | None, today: date) -> int | None:
    """The most urgent step that a review due on this day has reached; None while it is further away than all of them.

    Only the most urgent counts: whoever missed the first need not hear of it after the second.
    """
    if due_on is None:
        return None
    left = (due_on - today).days
    return min((step for step in STEPS if left <= step), default=None)


def coming_up(today: date) -> QuerySet[FactSheet]:
    """The published sheets that have reached a step."""
    return FactSheet.objects.published().filter(review_due_on__lte=today + timedelta(days=max(STEPS))).defer("document")


def still_holds(reminder: ReviewReminder, today: date) -> bool:
    """The sheet is public, its date has not moved, and no more urgent step has been reached since."""
    sheet = reminder.sheet
    return (
        sheet.is_published
        and sheet.review_due_on == reminder.review_due_on
        and step_reached(sheet.review_due_on, today) == reminder.days_before
    )


def editors() -> QuerySet:
    """Whom a reminder reaches: working staff accounts with an email address that may change fact sheets."""
    # The backend is named, as the permission is one of Django's own whatever else may sign people in.
    may_change = get_user_model().objects.with_perm(
        "factsheets.change_factsheet", backend="django.contrib.auth.backends.ModelBackend"
    )
    return may_change.filter(is_staff=True).exclude(email="").order_by("pk")
