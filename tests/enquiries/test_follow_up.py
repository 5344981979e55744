"""No enquiry waits for ever: each one waiting or in progress has a day to chase it, and a colleague's absence hides none."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from enquiries.actions import contact, outbox
from enquiries.models import Absence, Enquiry
from tests.conftest import consultation
from tests.support.clock import london
from tests.support.desk import at_the_desk, person
from tests.support.html import parse, text, tree
from tests.support.inbox import book_past, let_wait, listed, step

FRIDAY = london(2027, 2, 5, 10)
ABSENCES = "/admin/enquiries/absence/"


def told(now) -> dict[str, int]:
    return {queue.name: number for queue, number in outbox.what_waits(now)}


@pytest.mark.long
def test_what_is_in_progress_or_waits_is_chased_when_its_day_comes(reception, monkeypatch, staff):
    at_the_desk(monkeypatch, reception, FRIDAY)
    spoken, waits, promised, legacy = (consultation(email=f"{number}@example.com") for number in range(4))
    step(reception, spoken, "call", result="spoke")
    step(reception, promised, "call", result="no_answer")
    let_wait(waits, by=staff, days=3)
    spoken.refresh_from_db()
    assert spoken.return_on == london(2027, 2, 9, 0).date(), "Two working days, over a weekend."
    step(reception, legacy, "call", result="spoke")
    Enquiry.objects.filter(pk=legacy.pk).update(return_on=None)  # as rows from before are
    assert listed(reception, queue="chase") == [legacy.pk]
    assert "No follow-up day" in text(parse(reception.get(legacy.get_admin_url())))

    assert "Follow up on Tuesday 9 February" in text(parse(reception.get(spoken.get_admin_url())))
    for wrong in ("", "2027-02-05", "2029-01-01"):
        assert step(reception, spoken, "later", day=wrong).status_code == 422, wrong
    assert "Follow up on Monday 15 February" in text(parse(step(reception, spoken, "later", day="2027-02-15")))
    spoken.refresh_from_db()
    assert (spoken.status, spoken.return_on) == ("in_progress", london(2027, 2, 15, 0).date())

    at_the_desk(monkeypatch, reception, london(2027, 2, 8, 10))
    assert set(listed(reception, queue="chase")) == {legacy.pk, waits.pk}
    assert told(timezone.now())["chase"] == 2
    at_the_desk(monkeypatch, reception, london(2027, 2, 16, 10))
    assert set(listed(reception, queue="chase")) == {legacy.pk, waits.pk, spoken.pk}, (
        "The promise is chased as overdue."
    )
    assert promised.pk in listed(reception, queue="overdue")
    assert "Follow-up was due on Monday 15 February" in text(parse(reception.get(spoken.get_admin_url())))
    step(reception, spoken, "close", outcome="answered")
    assert spoken.pk not in listed(reception, queue="chase")
    spoken.refresh_from_db()
    assert spoken.return_on is None


def test_an_appointment_without_an_outcome_is_a_queue_and_in_the_digest(reception):
    over, ahead = consultation(email="1@example.com"), consultation(email="2@example.com")
    book_past(over, timezone.now() - timedelta(hours=2))
    book_past(ahead, timezone.now() + timedelta(hours=2))
    assert listed(reception, queue="outcome") == [over.pk]
    assert told(timezone.now())["outcome"] == 1


@pytest.fixture
def owner(db) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("olga", "olga@example.com", "x", first_name="Olga"))
    return client


@pytest.mark.long
def test_while_a_colleague_is_away_others_see_what_is_theirs(owner, reception):
    kim, rita = person("Kim", "clinician"), User.objects.get(first_name="Rita")
    theirs, hers, nobodys = (consultation(email=f"{number}@example.com") for number in range(3))
    contact.log_call(enquiry=theirs, by=kim, result="spoke")
    contact.log_call(enquiry=hers, by=rita, result="spoke")
    assert listed(reception, queue="cover") == []
    today = timezone.localdate()

    def away(first: int, last: int):
        days = [(today + timedelta(days=ahead)).isoformat() for ahead in (first, last)]
        return owner.post(f"{ABSENCES}add/", {"staff": kim.pk, "first_day": days[0], "last_day": days[1]}, follow=True)

    assert "the same day as" in text(tree(away(0, -1)))
    assert "Kim has 1 open enquiry" in text(tree(away(0, 5)))
    assert listed(reception, queue="cover") == [theirs.pk]
    assert told(timezone.now())["cover"] == 1
    assert theirs.pk not in listed(reception, queue="mine")
    for client in (reception, Client()):
        assert client.get(ABSENCES).status_code in {302, 403}, "The owner alone says who is away."
    Absence.objects.all().delete()
    assert listed(reception, queue="cover") == []
    away(1, 5)
    assert listed(reception, queue="cover") == [], "Not before it begins."
    User.objects.filter(pk=kim.pk).update(is_active=False)
    assert listed(reception, queue="cover") == [theirs.pk], "Whoever has left is away for good."
    assert nobodys.pk in listed(reception, queue="nobody")
