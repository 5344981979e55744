"""The clinic's own mail of the day: what waits in the inbox, in numbers. Written once for each day on which the clinic opens."""

import logging
from datetime import date, datetime

from django.utils import timezone

from enquiries import clock
from enquiries.inbox import queues
from enquiries.models import OutgoingMessage, Purpose

logger = logging.getLogger(__name__)

# What is told of; not who owns it, which differs from reader to reader, nor who can be called, which changes by the hour.
TOLD = ["safety", "overdue", "today", "mail", "nobody", "cover", "outcome", "chase", "waiting", "held", "spam"]


def write_digest(*, now: datetime) -> bool:
    """Puts today's digest into the outbox, to leave when the clinic opens. True when it was not there yet.

    Once a day, however often and by however many workers it is called: the database holds one for each day.
    """
    day = timezone.localdate(now)
    if not is_wanted(day, now):
        return False
    opening = clock.load().hours.sessions(day)[0].starts
    _, made = OutgoingMessage.objects.get_or_create(
        purpose=Purpose.DIGEST, day=day, defaults={"created_at": opening, "next_attempt_at": opening}
    )
    if made:
        logger.info("Digest for %s", day)
    return made


def is_wanted(day: date, now: datetime) -> bool:
    """Whether the clinic opens on that day, and has not closed yet: tomorrow nobody needs to know how it was today."""
    sessions = clock.load().hours.sessions(day)
    return bool(sessions) and timezone.localdate(now) == day and now < sessions[-1].ends


def what_waits(now: datetime) -> list[tuple[queues.Queue, int]]:
    """The queues that hold something, with how much. Never whose."""
    counted = queues.counts(now=now, user=None, hours=clock.load().hours)
    return [(queues.BY_NAME[name], counted[name]) for name in TOLD if counted[name]]
