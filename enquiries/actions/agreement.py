"""What staff learn about somebody for whom another person asks."""

from django.contrib.auth.models import User
from django.db import transaction

from enquiries.actions.mail import lock_enquiry
from enquiries.actions.timeline import record
from enquiries.actions.transitions import MoveRefused, expect_shown
from enquiries.models import Agreement, Enquiry, EventKind


def they_agree_now(*, enquiry: Enquiry, by: User, version: int | None = None) -> Enquiry:
    """The person for whom somebody asks knows of it by now, and agrees.

    Raises MoveRefused where nobody's agreement is missing, and StaleEnquiry.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        expect_shown(enquiry, version)
        if enquiry.for_agreed != Agreement.NOT_YET:
            raise MoveRefused("No agreement was needed here.")
        enquiry.for_agreed = Agreement.YES
        record(enquiry, EventKind.NOTE, by=by, summary="The person it is for now knows and agrees")
        enquiry.save_new_version()
    return enquiry
