"""Shared by the tests of review reminders: staff, due dates and the passing of days."""

from datetime import date, timedelta

from django.contrib.auth.models import Permission, User
from django.utils import timezone

from enquiries.actions.outbox import remind_of_reviews
from enquiries.models import OutgoingMessage, Purpose
from factsheets.models import FactSheet, ReviewReminder

LOG = "admin:enquiries_outgoingmessage_changelist"


def member_of_staff(name: str, *permissions: str, **fields) -> User:
    fields = {"email": f"{name}@example.com", "is_staff": True} | fields
    user = User.objects.create_user(name, **fields)
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    return user


def set_due(sheet: FactSheet, days: int, **changes) -> date:
    """Makes the published sheet's review due in this many days, or overdue if negative."""
    due_on = timezone.localdate() + timedelta(days=days)
    FactSheet.objects.filter(pk=sheet.pk).update(**{"state": "published", "review_due_on": due_on} | changes)
    return due_on


def let_pass(days: int) -> None:
    """Lets this many days pass by moving every date there is."""
    for model in (FactSheet, ReviewReminder):
        for row in model.objects.exclude(review_due_on=None):
            model.objects.filter(pk=row.pk).update(review_due_on=row.review_due_on - timedelta(days=days))


def remind() -> int:
    """What a worker does at its start and every hour."""
    return remind_of_reviews(today=timezone.localdate())


def reminders():
    return OutgoingMessage.objects.filter(purpose=Purpose.REVIEW_REMINDER)
