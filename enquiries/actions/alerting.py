"""A clinician is told of an enquiry with a warning sign, by a mail to them alone."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from enquiries.actions.mail import enqueue, lock_enquiry
from enquiries.actions.timeline import record
from enquiries.actions.transitions import MoveRefused
from enquiries.inbox import people
from enquiries.models import Enquiry, EventKind, MessageState, OutgoingMessage, Purpose


def tell_clinician(*, enquiry: Enquiry, whom: User, by: User) -> bool:
    """Mails one clinician that an enquiry needs them now. False when they have been told of this flag already.

    Nobody gets it twice for one flag, however often it is pressed, unless the first mail failed. It changes nothing that another
    page shows, so it needs no version. Raises MoveRefused where no flag is open, or for somebody who is no clinician.
    """
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        if not (enquiry.live and enquiry.is_flagged):
            raise MoveRefused("This enquiry has no open warning sign.")
        if not people.clinicians().filter(pk=whom.pk).exists():
            raise MoveRefused(
                f"{people.full_name(whom)} is not a clinician with an email address and access to this enquiry."
            )
        if told_of_this_flag(enquiry).filter(staff=whom).exists():
            return False
        enqueue(enquiry=enquiry, purpose=Purpose.CLINICIAN_ALERT, staff=whom)
        record(enquiry, EventKind.TOLD, by=by, summary=f"Told {people.full_name(whom)} by email")
    return True


def told_of_this_flag(enquiry: Enquiry) -> QuerySet[OutgoingMessage]:
    """The mails to clinicians since the flag was last settled, if it ever was; those that failed told nobody."""
    settled = enquiry.events.filter(kind=EventKind.SAFETY).order_by("-created_at").first()
    mails = enquiry.messages.filter(purpose=Purpose.CLINICIAN_ALERT)
    mails = mails.exclude(state__in=[MessageState.FAILED, MessageState.LAPSED]).select_related("staff")
    return mails.filter(created_at__gt=settled.created_at) if settled else mails
