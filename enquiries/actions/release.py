"""What a flood held back is released as one, once it is over."""

import logging

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from enquiries import abuse, clock
from enquiries.models import Enquiry, EnquiryEvent, EventKind, OutgoingMessage, Purpose, Status

logger = logging.getLogger(__name__)

AT_ONCE = 200  # in one transaction, so that no patient's form waits long


def release_held(*, by: User) -> int:
    """Makes new enquiries of all that is held back, the likeliest first. Returns how many. Safe to press twice.

    Each is promised a reply, counted from now, and gets its acknowledgement unless its mailbox has had enough or asked for none.
    The clinic gets no alert for each: whoever releases them sees them in the inbox.
    """
    released = 0
    while some := _release_some(by):
        released += some
    logger.info("Released %s enquiries that were held back", released)
    return released


def _release_some(by: User) -> int:
    with transaction.atomic():
        waiting = Enquiry.objects.filter(status=Status.HELD, erased_at=None).order_by("-likelihood", "created_at", "pk")
        rows = list(waiting.select_for_update(no_key=True)[:AT_ONCE])
        now = timezone.now()
        reply_by = clock.reply_by(now) if rows else None
        mailed = [each for each in rows if each.quarantine_reason not in {abuse.HAD_TODAY, abuse.STOPPED}]
        for each in rows:
            each.status, each.quarantine_reason, each.likelihood, each.reply_by = Status.NEW, "", 0, reply_by
            each.version += 1
        changed = ["status", "quarantine_reason", "likelihood", "reply_by", "version"]
        Enquiry.objects.bulk_update(rows, changed, batch_size=50)
        EnquiryEvent.objects.bulk_create(
            EnquiryEvent(
                enquiry=each,
                kind=EventKind.MOVED,
                by=by,
                actor=by.get_full_name() or by.get_username(),
                from_status=Status.HELD,
                to_status=Status.NEW,
            )
            for each in rows
        )
        OutgoingMessage.objects.bulk_create(
            OutgoingMessage(enquiry=each, purpose=Purpose.ACKNOWLEDGEMENT) for each in mailed
        )
    return len(rows)
