"""What a patient wrote is health data. Who needs it only now and then opens it knowingly, and the timeline says so."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from enquiries.actions.timeline import record
from enquiries.models import Enquiry, EventKind

STAYS_OPEN = timedelta(hours=1)


def show_words(*, enquiry: Enquiry, by: User) -> None:
    """Opens the patient's words to this person for an hour. Recorded once in that hour."""
    with transaction.atomic():
        enquiry = Enquiry.objects.select_for_update(no_key=True).get(pk=enquiry.pk)
        if not words_are_open(enquiry, by):
            record(enquiry, EventKind.READ, by=by)


def words_are_open(enquiry: Enquiry, to: User) -> bool:
    """Whether this person sees the words now: by their role, or because they opened them less than an hour ago."""
    if to.has_perm("enquiries.read_words_enquiry"):
        return True
    lately = timezone.now() - STAYS_OPEN
    return enquiry.events.filter(kind=EventKind.READ, by=to, created_at__gt=lately).exists()
