"""Shared by the mail tests: a worker's round, and ways to move the outbox's clock."""

from datetime import timedelta

import html5lib
from django.utils import timezone

from enquiries.actions import intake
from enquiries.mail.worker import Worker
from enquiries.models import Enquiry, EnquiryKind, MessageState, OutgoingMessage

PAST = timedelta(seconds=1)


def deliver(name: str = "test") -> int:
    """One worker delivers everything that is due. Returns how many emails it took."""
    worker = Worker(name)
    taken = 0
    try:
        while worker.run_once():
            taken += 1
            assert taken < 1000, "The worker tries the same mail again without a wait."
    finally:
        worker.disconnect()
    return taken


def make_due() -> None:
    """The wait before the next attempt is over."""
    OutgoingMessage.objects.update(next_attempt_at=timezone.now() - PAST)


def age(enquiry: Enquiry, by: timedelta) -> None:
    """The enquiry's email has been waiting this long and is due."""
    enquiry.messages.update(created_at=timezone.now() - by, next_attempt_at=timezone.now() - PAST)


def events(enquiry: Enquiry, kind: str) -> int:
    return enquiry.events.filter(kind=kind).count()


def let_leases_run_out() -> None:
    """Ends the lease of every claim, as after a worker was killed."""
    OutgoingMessage.objects.filter(lease_until__isnull=False).update(lease_until=timezone.now() - PAST)


def text_of(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def html_of(mail):
    """The HTML part as a tree. Fails on broken HTML."""
    parser = html5lib.HTMLParser(namespaceHTMLElements=False, strict=True)
    return parser.parse(mail.get_body(("html",)).get_content())


def words_of(mail) -> str:
    """What the HTML part says, on one line."""
    return " ".join(" ".join(html_of(mail).find("body").itertext()).split())


def question(**changes) -> Enquiry:
    """A question as a patient would send it."""
    details = {"name": "Ada Example", "email": "ada@example.com", "phone": "", "best_time": "", "description": "Why?"}
    return intake.accept(intake.Submission(kind=EnquiryKind.QUESTION, details=details | changes))


def states() -> set[tuple[str, str]]:
    return set(OutgoingMessage.objects.values_list("state", "error"))


def expect_waiting(error: str) -> None:
    """Checks that every email waits for another try, and that nothing in the outbox or inbox looks final."""
    assert states() == {(MessageState.WAITING, error)}
    assert not OutgoingMessage.objects.filter(enquiry__mail_failed=True).exists()
    assert not OutgoingMessage.objects.due().exists()


def expect_delivered_once(sink, mails: int) -> None:
    """Checks that the next try delivers everything, and that the server has each email once."""
    make_due()
    deliver()
    assert states() == {(MessageState.SENT, "")}
    assert len(sink.ids) == len(set(sink.ids)) == mails
