"""A patient ends their own request: withdrawn and kept, or erased."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from enquiries.actions import appointments
from enquiries.models import Enquiry, EventKind, Outcome, Status
from tests.conftest import give_signs
from tests.support.outbox import deliver
from tests.support.patient_portal import SURE, alerts, check, enter, press, said

pytestmark = pytest.mark.usefixtures("db")


def test_withdrawn_is_closed_by_the_patient_and_the_details_stay(asked):
    page = check(asked, "withdraw")
    # Said to everybody, so that it tells nobody whose words sounded like a warning sign.
    for words in ("Nothing is withdrawn yet", "we may still contact you once to check that you are safe"):
        assert words in said(page)
    done = press(page, SURE["withdraw"])
    assert "unless we are worried about your health" in said(done)
    asked.refresh_from_db()
    assert (asked.status, asked.outcome, asked.name) == (Status.CLOSED, Outcome.WITHDRAWN, "Ada Example")
    assert asked.events.get(kind=EventKind.WITHDRAWN).actor == "patient"
    assert alerts(asked) == []


@pytest.mark.parametrize("verb", ["withdraw", "erase"])
def test_an_appointment_goes_with_it_and_the_clinic_is_told(asked, staff, mail_through, verb):
    appointments.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    page = check(asked, verb)
    assert "Your appointment will be cancelled" in said(page)
    press(page, SURE[verb])
    asked.refresh_from_db()
    assert (asked.status, asked.outcome, asked.appointment_at) == (Status.CLOSED, Outcome.WITHDRAWN, None)
    assert "was cancelled" in asked.events.get(kind=EventKind.WITHDRAWN).summary
    deliver()
    subjects = [mail["Subject"] for mail in mail_through.messages]
    assert f"Please look at enquiry {asked.reference}" in subjects
    assert not [each for each in subjects if "Your appointment" in each], "The appointment it would name is off."


@pytest.mark.parametrize("verb", ["withdraw", "erase"])
@pytest.mark.parametrize("acted", [False, True], ids=["open flag", "dealt with"])
def test_staff_see_that_a_flagged_one_ended_this_way(asked, staff_client, verb, acted):
    give_signs(Enquiry.objects.all(), "RF-E2", safety_acted_at=timezone.now() if acted else None)
    press(check(asked, verb), SURE[verb])
    asked.refresh_from_db()
    summary = asked.events.get(kind=EventKind.WITHDRAWN).summary
    assert ("The warning sign had been dealt with" if acted else "The warning sign was still open") in summary
    assert "RF-E2" not in summary
    assert alerts(asked) == ([] if acted else ["waiting"])
    page = staff_client.get(asked.get_admin_url()).content.decode()
    assert summary in page
    assert asked.reference in page


def test_erased_leaves_no_word_of_theirs_and_no_link(asked, staff):
    press(check(asked, "times"), SURE["times"])
    press(check(asked, "add", **{"add-text": "I told you something."}), "Send it")
    page = check(asked, "erase")
    for words in ("cannot be undone", "your name", "everything you wrote", "will stop working", "will be withdrawn"):
        assert words in said(page), words
    done = press(page, SURE["erase"])
    assert (done.status_code, done["Location"]) == (303, "/request/erased/")
    assert "Your details are deleted" in said(Client().get(done["Location"]))
    asked.refresh_from_db()
    assert asked.erased_at
    assert (asked.name, asked.email, asked.phone, asked.description, asked.best_time) == ("", "", "", "", "")
    assert {event.note for event in asked.events.all()} == {""}
    assert asked.events.get(kind=EventKind.ERASED).actor == "patient"
    assert enter(asked).status_code == 404


def test_an_alert_that_had_not_gone_survives_the_erasure(asked, staff):
    appointments.book(enquiry=asked, by=staff, at=timezone.now() + timedelta(days=3), channel="phone")
    give_signs(Enquiry.objects.all(), "RF-E2")
    press(check(asked, "withdraw"), SURE["withdraw"])
    gone = check(asked, "erase")
    assert "is withdrawn" not in said(gone), "It is withdrawn already, though its safety flag is open."
    press(gone, SURE["erase"])
    assert sorted(alerts(asked)) == ["lapsed", "waiting"]
    assert asked.events.filter(kind=EventKind.WITHDRAWN).count() == 1
