"""The list of addresses whose owners asked us to stop."""

import logging

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from backcare.core.crypto.encryption import CannotDecrypt
from enquiries import abuse
from enquiries.actions.erasure import erase
from enquiries.actions.timeline import record
from enquiries.models import Enquiry, EnquiryKind, EventKind, StoppedAddress
from enquiries.privacy import retention

logger = logging.getLogger(__name__)

STOPPED_MONTHS = 12
AT_ONCE = 500  # rows read at a time; reports are kept for a month


def stop_mails(*, key: str) -> None:
    """From now on no mail that a stranger can cause goes to this mailbox. `key` is `abuse.stop_key`. Twice is once, and longer.

    Every request for a report that names the mailbox is erased at once: nothing is left to do with it. One whose warning sign
    nobody has acted on is not, and neither is a consultation or a question: somebody asked for help there.
    """
    now = timezone.now()
    until = retention.months_from(now, STOPPED_MONTHS)
    with transaction.atomic():
        StoppedAddress.objects.update_or_create(
            key=key, defaults={"until": until}, create_defaults={"until": until, "created_at": now}
        )
    for report in Enquiry.objects.filter(kind=EnquiryKind.REPORT, erased_at=None).iterator(chunk_size=AT_ONCE):
        if not report.is_flagged and _is_of(report, key):
            erase(enquiry=report, actor="patient", summary="With “Stop these emails”")
    logger.info("An address asked for no more mail")


def _is_of(report: Enquiry, key: str) -> bool:
    try:
        return key in abuse.stop_keys(report.email)
    except CannotDecrypt:
        return False  # its key is lost: retention will end it


def allow_mails(*, enquiry: Enquiry, by: User) -> bool:
    """Takes the enquiry's address off the list, at its owner's word. False when it was not on it."""
    with transaction.atomic():
        enquiry = Enquiry.objects.select_for_update(no_key=True).get(pk=enquiry.pk)
        if not StoppedAddress.objects.filter(key__in=abuse.stop_keys(enquiry.email)).delete()[0]:
            return False
        record(enquiry, EventKind.NOTE, by=by, summary="Emails to this address allowed again at its owner’s request")
        Enquiry.objects.filter(pk=enquiry.pk).update(version=F("version") + 1)
    return True
