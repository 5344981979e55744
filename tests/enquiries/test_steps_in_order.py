"""No status can be reached without what it says: by the menu, a step, a bulk change, a duplicate or an upgrade."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from enquiries.actions import appointments, by_patient, erasure, triage
from enquiries.models import Enquiry, EventKind, Outcome, Status
from tests.conftest import consultation, report
from tests.support.desk import errors_of, person, save
from tests.support.html import parse, text, tree
from tests.support.inbox import LIST, book_past, flagged, let_appointment_begin, let_wait, listed, step
from tests.support.outbox import deliver, question


def menu(client, enquiry) -> list[str]:
    """What the plain status menu of an enquiry's page offers."""
    page = client.get(enquiry.get_admin_url())
    [found] = [each for each in tree(page).iter("select") if each.get("name") == "status"]
    return [each.get("value") for each in found.iter("option")]


def fresh(enquiry) -> Enquiry:
    return Enquiry.objects.get(pk=enquiry.pk)


@pytest.mark.long
def test_the_status_menu_offers_only_moves_that_need_nothing_more(reception, staff):
    enquiry = consultation()
    assert menu(reception, enquiry) == ["new", "in_progress", "spam"]
    for skipped in ("waiting", "booked", "closed"):
        refused = save(reception, enquiry.get_admin_url(), status=skipped, note="Typed already.")
        assert "Select a valid choice" in errors_of(refused)
        assert "Typed already." in refused.content.decode()
    assert fresh(enquiry).status == Status.NEW
    appointments.book(enquiry=enquiry, by=staff, at=timezone.now() + timedelta(days=1), channel="phone")
    assert menu(reception, enquiry) == ["in_progress", "booked"]
    save(reception, enquiry.get_admin_url(), status="in_progress")
    assert "booked" in menu(reception, enquiry), "The appointment is still to come."
    let_appointment_begin(enquiry)
    assert "booked" not in menu(reception, enquiry)
    assert "spam" not in menu(reception, flagged(email="f@example.com"))
    gone = erasure.erase(enquiry=consultation(email="g@example.com"), by=staff)
    assert (menu(reception, gone), fresh(gone).outcome) == (["closed"], Outcome.ERASED)


@pytest.mark.parametrize(
    ("to", "given", "why"),
    [
        (Status.BOOKED, {}, "Book one first"),
        (Status.WAITING, {"return_on": timezone.localdate() + timedelta(days=3)}, "have not heard from us"),
        (Status.CLOSED, {}, "Choose how it ended"),
        (Status.CLOSED, {"outcome": "because"}, "Choose how it ended"),
    ],
)
def test_nothing_moves_without_what_the_status_says(db, staff, to, given, why):
    enquiry = consultation()
    with pytest.raises(triage.MoveRefused, match=why):
        triage.triage(enquiry=enquiry, by=staff, to=to, **given)
    assert fresh(enquiry).status == Status.NEW
    assert not enquiry.events.filter(kind=EventKind.MOVED).exists()


@pytest.mark.long
def test_waiting_comes_after_a_call_or_a_message_until_a_day_and_then_it_is_work_again(reception, monkeypatch):
    untouched, enquiry = consultation(email="u@example.com"), consultation()
    assert "Wait for the patient" not in text(parse(reception.get(enquiry.get_admin_url())))
    step(reception, enquiry, "reply", text="When may we call you?", send="yes")
    assert "Wait for the patient" in text(parse(reception.get(enquiry.get_admin_url())))
    today = timezone.localdate()
    for day in ("", today.isoformat(), (today + timedelta(days=400)).isoformat()):
        assert step(reception, enquiry, "wait", day=day).status_code == 422, day
    step(reception, enquiry, "wait", day=(today + timedelta(days=3)).isoformat())
    waiting = fresh(enquiry)
    assert (waiting.status, waiting.return_on) == (Status.WAITING, today + timedelta(days=3))
    step(reception, enquiry, "wait", day=(today + timedelta(days=5)).isoformat())
    assert fresh(enquiry).return_on == today + timedelta(days=5)
    assert enquiry.events.filter(kind=EventKind.MOVED, to_status="waiting").count() == 1
    younger = let_wait(question(email="y@example.com"), by=User.objects.get(first_name="Rita"), days=30)
    Enquiry.objects.filter(pk=younger.pk).update(reply_by=fresh(enquiry).reply_by - timedelta(hours=5))
    assert listed(reception, queue="waiting") == [younger.pk, enquiry.pk]
    back = timezone.now() + timedelta(days=5)
    monkeypatch.setattr(timezone, "now", lambda: back)
    reception.force_login(User.objects.get(first_name="Rita"))  # a session lasts a working day
    assert listed(reception, queue="waiting") == [enquiry.pk, younger.pk]
    assert listed(reception) == [untouched.pk, enquiry.pk, younger.pk]
    assert "No answer by" in text(parse(reception.get(enquiry.get_admin_url())))


def test_an_appointment_that_is_over_is_work_again(reception, staff):
    ahead, over = consultation(email="1@example.com"), consultation(email="2@example.com")
    for enquiry, at in ((ahead, timedelta(days=1)), (over, -timedelta(hours=1))):
        book_past(enquiry, timezone.now() + at)
    assert listed(reception) == [over.pk, ahead.pk]
    assert "Appointment over" in text(parse(reception.get(over.get_admin_url())))


@pytest.mark.long
def test_bulk_closing_asks_how_it_ended(reception, staff):
    open_ones = [consultation(email=f"{number}@example.com") for number in range(2)]
    closed = consultation(email="c@example.com")
    triage.triage(enquiry=closed, by=staff, to=Status.CLOSED, outcome=Outcome.SEEN)
    chosen = {"action": "close", "_selected_action": [str(each.pk) for each in (*open_ones, closed)]}
    address = f"{LIST}?queue=all"
    assert "Close 2 enquiries" in text(parse(reception.post(address, chosen)))
    nothing = reception.post(address, chosen | {"sure": "yes"})
    assert nothing.status_code == 422
    assert "Choose how it ended" in text(parse(nothing))
    assert {fresh(each).status for each in open_ones} == {Status.NEW}
    # What a patient adds while the page is open is not closed unread, however often the page was given back.
    hidden = {
        each.get("name"): each.get("value") for each in parse(nothing).iter("input") if each.get("type") == "hidden"
    }
    hidden |= chosen | {"sure": "yes", "outcome": "answered"}
    by_patient.add_detail(enquiry=open_ones[0], text="It is worse.", safety_signs="", version=open_ones[0].version)
    again = reception.post(address, hidden | {"outcome": ""})
    assert {"name": f"version-{open_ones[0].pk}", "value": hidden[f"version-{open_ones[0].pk}"], "type": "hidden"} in [
        dict(each.attrib) for each in parse(again).iter("input")
    ]
    said = text(parse(reception.post(address, hidden, follow=True)))
    assert "1 changed." in said
    assert f"Not changed: {open_ones[0].reference}. The patient added details while you were writing." in said
    assert [fresh(each).status for each in open_ones] == [Status.NEW, Status.CLOSED]
    said = text(parse(reception.post(address, chosen | {"sure": "yes", "outcome": "answered"}, follow=True)))
    assert "1 changed." in said
    assert {(fresh(each).status, fresh(each).outcome) for each in open_ones} == {("closed", "answered")}
    assert fresh(closed).outcome == Outcome.SEEN


def test_a_delivered_report_says_so_and_a_duplicate_with_an_appointment_is_not_closed(db, staff, sheet, mail_through):
    sent = report(sheet)
    deliver()
    assert (fresh(sent).status, fresh(sent).outcome) == (Status.CLOSED, Outcome.SENT)
    booked, main = consultation(), question()
    appointments.book(enquiry=booked, by=staff, at=timezone.now() + timedelta(days=1), channel="phone")
    with pytest.raises(triage.MoveRefused, match="has the appointment"):
        triage.link(enquiry=booked, main=main, by=staff)
    triage.link(enquiry=main, main=booked, by=staff)


# --- who may have it ---


@pytest.mark.long
def test_an_enquiry_can_be_assigned_only_to_active_people_who_may_open_it(reception, staff):
    enquiry = consultation()
    able = person("Carl", "clinician")
    gone, editor = person("Greg", "clinician"), person("Edith", "editor")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    User.objects.create_user("plain", is_staff=True)
    page = reception.get(enquiry.get_admin_url())
    [select] = [each for each in tree(page).iter("select") if each.get("name") == "owner"]
    assert {text(each) for each in select.iter("option")} == {"Unassigned", "Carl", "Rita", "Sam"}
    for somebody in (gone, editor):
        assert "Select a valid choice" in errors_of(save(reception, enquiry.get_admin_url(), owner=somebody.pk))
        with pytest.raises(triage.MoveRefused, match="cannot open enquiries"):
            triage.triage(enquiry=enquiry, by=staff, owner=User.objects.get(pk=somebody.pk), change_owner=True)
    save(reception, enquiry.get_admin_url(), owner=able.pk)
    assert fresh(enquiry).owner == able
    assert enquiry.events.filter(summary="Assigned to Carl").exists()
    # Somebody who leaves keeps their work until it is deliberately taken from them.
    User.objects.filter(pk=able.pk).update(is_active=False)
    assert "Carl (no longer has access)" in text(tree(reception.get(enquiry.get_admin_url())))
    save(reception, enquiry.get_admin_url(), note="Carl has left.")
    assert fresh(enquiry).owner == able
