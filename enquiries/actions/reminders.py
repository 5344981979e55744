"""Reviews that come up become mail to the editors."""

import logging
from datetime import date

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from enquiries.models import MessageState, OutgoingMessage, Purpose
from factsheets import reviews
from factsheets.models import FactSheet, ReviewReminder

logger = logging.getLogger(__name__)


class NobodyToRemind(Exception):  # noqa: N818
    """Reviews come up, and no staff account that may change fact sheets has an e-mail address."""


def remind_of_reviews(*, today: date) -> int:
    """Puts the reminders that are due today into the outbox, one mail to each editor. Returns how many sheets they are about.

    Once for each sheet, due date and step, however often and by however many workers it is called. Raises NobodyToRemind,
    and then nothing is written down as done: the reminder goes out when there is an editor.
    """
    coming_up = reviews.coming_up(today)
    due = [
        (sheet, sheet.review_due_on, step)
        for sheet in coming_up
        if sheet.review_due_on and (step := reviews.step_reached(sheet.review_due_on, today)) is not None
    ]
    if not due:
        return 0
    # A lapsed mail reached nobody: its reminder is due again if the date moves back or the sheet returns.
    told = set(
        OutgoingMessage.objects.filter(reminder__sheet__in=coming_up)
        .exclude(state=MessageState.LAPSED)
        .values_list("reminder__sheet", "reminder__review_due_on", "reminder__days_before")
    )
    due = [(sheet, due_on, step) for sheet, due_on, step in due if (sheet.pk, due_on, step) not in told]
    editors = list(reviews.editors()) if due else []
    if due and not editors:
        raise NobodyToRemind
    for sheet, due_on, step in due:
        _remind(sheet, due_on, step, editors)
    return len(due)


def _remind(sheet: FactSheet, due_on: date, step: int, editors: list[User]) -> None:
    now = timezone.now()
    with transaction.atomic():
        reminder, _ = ReviewReminder.objects.get_or_create(sheet=sheet, review_due_on=due_on, days_before=step)
        for editor in editors:
            OutgoingMessage.objects.get_or_create(
                reminder=reminder, staff=editor, defaults={"purpose": Purpose.REVIEW_REMINDER}
            )
        reminder.messages.filter(state=MessageState.LAPSED).update(
            state=MessageState.WAITING, attempts=0, created_at=now, next_attempt_at=now
        )
    logger.info("Review reminder for %s, %s days before", sheet.slug, step)
