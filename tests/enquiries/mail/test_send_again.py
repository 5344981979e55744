"""What follows from a delivery: for the enquiry, and for staff who have a mail sent again."""

from datetime import timedelta

from django.urls import reverse
from django.utils import timezone

from enquiries.actions import outbox
from enquiries.models import EventKind, MessageState, Purpose, Status
from factsheets.models import State
from tests.conftest import consultation, report
from tests.support.outbox import age, deliver, events, make_due, question


def test_a_report_that_was_sent_closes_its_enquiry_and_an_acknowledgement_does_not(db, sheet, mail_through):
    asked, booked = report(sheet), consultation()
    deliver()
    asked.refresh_from_db()
    booked.refresh_from_db()
    assert (asked.status, booked.status) == (Status.CLOSED, Status.NEW)
    [moved] = asked.events.filter(kind=EventKind.MOVED)
    assert (moved.from_status, moved.to_status, moved.actor) == (Status.NEW, Status.CLOSED, "mail worker")
    assert events(booked, EventKind.MESSAGE_SENT) == 2


def test_a_failed_mail_is_sent_again_with_its_own_id_and_all_its_tries(db, staff, staff_client, mail_through):
    mail_through.refuse_recipients.add("ada@example.com")
    enquiry = consultation()
    deliver()
    message = enquiry.messages.get(state=MessageState.FAILED)
    age(enquiry, timedelta(days=4))
    mail_through.refuse_recipients.clear()
    mail_through.answers["rcpt"] = "451 later"
    answer = staff_client.post(reverse("admin:enquiries_outgoingmessage_send_again", args=[message.pk]))
    assert answer.status_code == 302
    message.refresh_from_db()
    assert (message.state, message.attempts, message.error) == (MessageState.WAITING, 0, "")
    enquiry.refresh_from_db()
    assert not enquiry.mail_failed
    assert enquiry.events.get(kind=EventKind.MESSAGE_AGAIN).by == staff
    deliver()
    message.refresh_from_db()
    assert message.state == MessageState.WAITING, "It has 72 hours anew, although the first request is four days old."
    mail_through.answers.clear()
    make_due()
    deliver()
    assert mail_through.ids.count(f"<{message.pk}@example.com>") == 1
    assert enquiry.messages.filter(purpose=Purpose.ACKNOWLEDGEMENT).count() == 1


def test_a_sent_mail_is_sent_again_as_a_new_message(db, sheet, staff, staff_client, mail_through):
    enquiry = report(sheet)
    deliver()
    first = enquiry.messages.get()
    staff_client.post(reverse("admin:enquiries_outgoingmessage_send_again", args=[first.pk]))
    assert [message.sequence for message in enquiry.messages.all()] == [1, 2]
    assert deliver() == 1
    assert len(set(mail_through.ids)) == 2
    assert mail_through.recipients == [["ada@example.com"]] * 2
    first.refresh_from_db()
    assert first.state == MessageState.SENT


def test_two_clicks_on_a_sent_mail_are_one_more(db, sheet, staff_client, mail_through):
    enquiry = report(sheet)
    deliver()
    again = reverse("admin:enquiries_outgoingmessage_send_again", args=[enquiry.messages.get().pk])
    for _ in range(2):
        assert staff_client.post(again)["Location"] == enquiry.get_admin_url()
    assert deliver() == 1
    assert events(enquiry, EventKind.MESSAGE_AGAIN) == 1
    staff_client.post(again)
    assert deliver() == 1, "Once that one has gone, it may be sent once more."


def test_one_of_two_failed_mails_sent_again_leaves_the_other_in_sight(db, staff, mail_through):
    mail_through.answers["rcpt"] = "550 no"
    enquiry = consultation()
    deliver()
    one, other = enquiry.messages.all()
    outbox.send_again(message=one, by=staff)
    enquiry.refresh_from_db()
    assert enquiry.mail_failed
    outbox.send_again(message=other, by=staff)
    enquiry.refresh_from_db()
    assert not enquiry.mail_failed


def test_sending_again_what_is_already_waiting_only_ends_the_wait(db, staff, mail_through):
    mail_through.answers["mail"] = "451 later"
    enquiry = question()
    deliver()
    message = enquiry.messages.first()
    outbox.send_again(message=message, by=staff)
    assert enquiry.messages.count() == 2
    message.refresh_from_db()
    assert message.next_attempt_at <= timezone.now()
    assert events(enquiry, EventKind.MESSAGE_AGAIN) == 0


def test_a_sheet_withdrawn_after_the_request_fails_that_mail_only(db, sheet, mail_through):
    asked, booked = report(sheet), consultation()
    sheet.state = State.RETIRED
    sheet.save()
    deliver()
    message = asked.messages.get()
    assert (message.state, message.error) == (MessageState.FAILED, "SheetNotPublished")
    asked.refresh_from_db()
    assert asked.mail_failed
    assert set(booked.messages.values_list("state", flat=True)) == {MessageState.SENT}
