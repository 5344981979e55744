"""Shared by the tests of one person's data: a person with every kind of data that we can hold."""

from datetime import timedelta

import pytest
from django.utils import timezone

from enquiries import abuse
from enquiries.actions import appointments, contact, triage
from enquiries.models import Enquiry, FloodMark, PrivateLink, StaffDraft, StoppedAddress
from tests.conftest import consultation
from tests.support.forms import form
from tests.support.summary import patient

PAGE = "/admin/enquiries/enquiry/person/"
ADA = "ada@example.com"
WORDS = {
    "name": "Ada Canary",
    "email": ADA,
    "phone": "+442079460018",
    "best_time": "canary o'clock",
    "description": "canarywords about my back",
}


@pytest.fixture
def ada(db, sheet, staff) -> list[Enquiry]:
    """A person with every kind of data: two enquiries, answers, a note, a reply, and another enquiry linked with the first."""
    first = consultation(**WORDS)
    triage.triage(enquiry=first, by=staff, note="canarynote of ours")
    contact.reply(enquiry=first, by=staff, text="canaryreply to her")
    at = timezone.now() + timedelta(days=3)
    appointments.book(enquiry=first, by=staff, at=at, channel="video", place="https://video.example/canaryroom")
    client = patient(limits="stops")
    client.post("/report/", form("report", name="Ada Canary", email="ADA@Example.com", include_answers="yes"))
    second = Enquiry.objects.get(kind="report")
    linked = consultation(name="Ada Canary-Smith", email="other@example.com", phone="+442079460155")
    done = {"status": "closed", "outcome": "duplicate", "closed_at": timezone.now()}
    Enquiry.objects.filter(pk=linked.pk).update(same_as=first, **done)
    consultation(
        name="Grace Example", email="grace@example.com", phone="+442079460166", description="Of somebody else."
    )
    soon = timezone.now() + timedelta(hours=1)
    FloodMark.objects.create(enquiry=first, key="canarymark", until=soon)
    PrivateLink.objects.create(enquiry=first, name="canary", wrong_tries=1, last_wrong_at=timezone.now())
    StaffDraft.objects.create(enquiry=first, by=staff, typed='{"note": "canarydraft, half a"}')
    # Only the rows, because pressing the button would erase her report.
    now = timezone.now()
    for address in (ADA, "grace@example.com"):
        StoppedAddress.objects.create(key=abuse.stop_key(address), created_at=now, until=now + timedelta(days=365))
    return [first, second, linked]
