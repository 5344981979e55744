"""Two enquiries that are one request: one of them is worked on, the other is closed and points to it."""

from django.contrib.auth.models import User
from django.db import transaction

from enquiries.actions.mail import lock_enquiry
from enquiries.actions.status import transition
from enquiries.actions.timeline import record
from enquiries.actions.transitions import FLAGGED, MoveRefused, expect_shown
from enquiries.models import Enquiry, EventKind, Outcome, Status


def link(*, enquiry: Enquiry, main: Enquiry, by: User, version: int | None = None) -> Enquiry:
    """Closes the enquiry as the same request as `main`, or as the one that `main` itself is the same as. Returns the main one.

    What was linked to the enquiry goes along, so that there are no chains. The main one keeps the earlier of the two promises.
    Raises StaleEnquiry, and MoveRefused where it cannot be: an open safety flag, spam, erased details, the same enquiry.
    """
    with transaction.atomic():
        enquiry, main = _both(enquiry, main)
        expect_shown(enquiry, version)
        _may_be_linked(enquiry, main)
        for linked in enquiry.linked.select_for_update(no_key=True).order_by("pk"):
            _point(linked, main, by)
            linked.save_new_version()
        if enquiry.status == Status.CLOSED:
            enquiry.outcome = Outcome.DUPLICATE
        else:
            transition(enquiry, Status.CLOSED, outcome=Outcome.DUPLICATE, by=by)
        _point(enquiry, main, by)
        enquiry.save_new_version()
        _keep_the_promise(enquiry, main)
        main.save_new_version()
    return main


def unlink(*, enquiry: Enquiry, by: User, version: int | None = None) -> Enquiry:
    """They are two requests after all: the enquiry is worked on again. Both timelines say so: see status.move."""
    with transaction.atomic():
        enquiry = lock_enquiry(enquiry)
        expect_shown(enquiry, version)
        if enquiry.same_as_id is None:
            raise MoveRefused("It is not marked as a duplicate.")
        transition(enquiry, Status.IN_PROGRESS, by=by)
        enquiry.save_new_version()
    return enquiry


def main_of(enquiry: Enquiry) -> Enquiry:
    """The one that is worked on: itself, or the one it is the same as."""
    return enquiry.same_as or enquiry


def _both(enquiry: Enquiry, main: Enquiry) -> tuple[Enquiry, Enquiry]:
    """Both as they are. They are locked with what is linked to the first, always in the same order, as others lock several."""
    main = main_of(Enquiry.objects.select_related("same_as").get(pk=main.pk))
    if enquiry.pk == main.pk:
        raise MoveRefused("That is this enquiry, or one already linked to it.")
    held = {
        each.pk: lock_enquiry(each) for each in sorted({enquiry, main, *enquiry.linked.all()}, key=lambda each: each.pk)
    }
    return held[enquiry.pk], held[main.pk]


def _may_be_linked(enquiry: Enquiry, main: Enquiry) -> None:
    if main.same_as_id:
        raise MoveRefused("Someone has just marked that one as a duplicate of another. Look at it again.")
    if enquiry.same_as_id == main.pk:
        raise MoveRefused("It is already marked as a duplicate of that one.")
    if enquiry.is_flagged:
        raise MoveRefused(FLAGGED)
    if enquiry.appointment:
        raise MoveRefused(f"{enquiry.reference} has the appointment. Close the other one as its duplicate instead.")
    for each in (enquiry, main):
        if each.status in {Status.SPAM, Status.HELD}:
            raise MoveRefused(f"{each.reference} is “{each.get_status_display()}”. Release it first.")
        if each.erased_at:
            raise MoveRefused(f"The details of {each.reference} were erased.")


def _point(enquiry: Enquiry, main: Enquiry, by: User) -> None:
    enquiry.same_as = main
    record(enquiry, EventKind.LINKED, by=by, summary=f"Duplicate of {main.reference}")
    record(main, EventKind.LINKED, by=by, summary=f"{enquiry.reference} is a duplicate of this")


def _keep_the_promise(enquiry: Enquiry, main: Enquiry) -> None:
    """The person was told the earlier time, and it is the same person."""
    promised = enquiry.reply_by if enquiry.first_contact_at is None else None
    waits = (
        main.first_contact_at is None and main.waiting_since is None and main.status in {Status.NEW, Status.IN_PROGRESS}
    )
    if promised and waits and (main.reply_by is None or promised < main.reply_by):
        main.reply_by = promised
