"""The outbox's rows: how they come, how long they wait, and who may hold them."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.urls import reverse
from django.utils import timezone

from enquiries import abuse
from enquiries.actions import intake, outbox, triage
from enquiries.inbox import queues
from enquiries.mail.worker import FIRST_RETRY, GIVE_UP_AFTER, MAX_RETRY, Worker, back_off
from enquiries.models import Enquiry, EventKind, MessageState, OutgoingMessage, Purpose, Status
from enquiries.models.message import LEASE
from tests.conftest import consultation, report
from tests.support.html import by_id, parse, text
from tests.support.inbox import book_past, whole_status
from tests.support.outbox import age, deliver, events, let_leases_run_out, make_due, question, states
from tests.support.smtp import free_port

SOON = timedelta(seconds=5)


@pytest.fixture
def no_server(settings):
    """Nobody listens where mail is to be sent."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()


# --- how rows come ---


def test_an_enquiry_and_its_mail_are_kept_together_or_not_at_all(db, sheet, mail_through):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        consultation()
        report(sheet)
        assert OutgoingMessage.objects.count() == 3
        raise ZeroDivisionError
    assert not Enquiry.objects.exists()
    assert not OutgoingMessage.objects.exists()
    assert deliver() == 0
    assert mail_through.messages == []


def test_mail_cannot_be_queued_outside_the_transaction_of_its_fact(transactional_db):
    enquiry = consultation()
    before = enquiry.messages.count()
    with pytest.raises(RuntimeError, match="inside the transaction"):
        outbox.enqueue(enquiry=enquiry, purpose=Purpose.CLINIC_ALERT)
    assert enquiry.messages.count() == before


def test_the_same_form_sent_twice_sends_its_mail_once(db, mail_through):
    consultation()
    consultation()
    assert deliver() == 2
    assert len(set(mail_through.ids)) == 2


def test_the_database_refuses_a_second_row_for_the_same_mail(db):
    enquiry = consultation()
    with pytest.raises(IntegrityError), transaction.atomic():
        OutgoingMessage.objects.create(enquiry=enquiry, purpose=Purpose.CLINIC_ALERT)
    assert enquiry.messages.count() == 2


def test_a_quarantined_enquiry_sends_nothing_until_staff_release_it(db, staff, mail_through):
    details = {"name": "Ada Example", "email": "ada@example.com", "description": "Why?", "phone": "", "best_time": ""}
    enquiry = intake.accept(intake.Submission(kind="question", details=details, caught="Filled in a hidden field"))
    assert deliver() == 0
    triage.triage(enquiry=enquiry, by=staff, to=Status.NEW)
    assert deliver() == 2
    assert ["ada@example.com"] in mail_through.recipients


def test_a_message_row_has_no_room_for_an_address_or_a_text(db, sheet, mail_through, staff):
    """Ids, states, times, counts, and the class of the last error. A second copy of health text can leak a second time."""
    wordy = {field.name for field in OutgoingMessage._meta.fields if isinstance(field, models.CharField)}
    assert wordy == {"purpose", "state", "claimed_by", "error"}
    assert not [
        field for field in OutgoingMessage._meta.fields if isinstance(field, models.TextField | models.JSONField)
    ]
    mail_through.refuse_recipients.add("kestrel@example.com")
    told = {
        "name": "Quillfeather",
        "email": "kestrel@example.com",
        "phone": "+447700900731",
        "description": "marmalade",
    }
    enquiry = consultation(**told)
    report(sheet, email=told["email"], name=told["name"])
    deliver()
    outbox.send_again(message=enquiry.messages.get(purpose=Purpose.CLINIC_ALERT), by=staff)
    Worker("held").claim()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {OutgoingMessage._meta.db_table}")  # noqa: S608 - the table's own name
        rows = str(cursor.fetchall()).lower()
    assert OutgoingMessage.objects.count() == 4
    assert "failed" in rows
    assert not [word for word in ("quillfeather", "kestrel", "7700900731", "marmalade", "@") if word in rows]


# --- retries ---


def test_the_wait_doubles_from_30_seconds_to_an_hour_and_is_spread():
    for attempts in range(1, 40):
        middle = min(FIRST_RETRY * 2 ** (attempts - 1), MAX_RETRY)
        waits = {back_off(attempts) for _ in range(50)}
        assert middle * 0.75 <= min(waits) < max(waits) <= middle * 1.25


def test_each_failed_attempt_waits_longer_than_the_one_before(db, no_server):
    enquiry = question()
    waits = []
    for attempt in (1, 2, 3):
        deliver()
        message = enquiry.messages.get(purpose=Purpose.ACKNOWLEDGEMENT)
        assert (message.state, message.attempts) == (MessageState.WAITING, attempt)
        waits.append(message.next_attempt_at - timezone.now())
        assert deliver() == 0, "It was tried again before its time."
        make_due()
    assert timedelta(seconds=15) < waits[0] < timedelta(seconds=40)
    assert timedelta(seconds=40) < waits[1] < waits[2] < timedelta(seconds=155)


def test_a_mail_is_still_tried_after_71_hours_and_given_up_after_72(db, no_server):
    enquiry = question()
    age(enquiry, GIVE_UP_AFTER - timedelta(hours=1))
    deliver()
    assert set(enquiry.messages.values_list("state", flat=True)) == {MessageState.WAITING}
    age(enquiry, GIVE_UP_AFTER + timedelta(minutes=1))
    deliver()
    assert set(enquiry.messages.values_list("state", "error")) == {(MessageState.FAILED, "ConnectionRefusedError")}


def test_a_mail_that_waited_through_a_long_outage_is_tried_once_more_before_it_is_given_up(db, mail_through):
    enquiry = question()
    age(enquiry, timedelta(days=5))
    assert deliver() == 2
    assert len(mail_through.messages) == 2
    assert set(enquiry.messages.values_list("state", flat=True)) == {MessageState.SENT}


@pytest.mark.parametrize(
    ("status", "becomes"),
    [(Status.CLOSED, Status.IN_PROGRESS), (Status.BOOKED, Status.BOOKED), (Status.NEW, Status.NEW)],
)
def test_mail_given_up_brings_its_enquiry_back_to_the_top_of_the_inbox(
    db, staff, staff_client, no_server, status, becomes
):
    older = question(email="older@example.com")
    older.messages.all().delete()
    enquiry = consultation()
    if status == Status.BOOKED:
        book_past(enquiry, timezone.now() + timedelta(days=7))
    else:
        Enquiry.objects.filter(pk=enquiry.pk).update(**whole_status(status))
    age(enquiry, GIVE_UP_AFTER + SOON)
    deliver()
    enquiry.refresh_from_db()
    assert (enquiry.status, enquiry.mail_failed) == (becomes, True)
    assert queues.in_working_order().first() == enquiry
    assert events(enquiry, EventKind.MESSAGE_FAILED) == 2
    inbox = parse(staff_client.get(reverse("admin:enquiries_enquiry_changelist")))
    rows = [text(row) for row in by_id(inbox, "result_list").find("tbody").iter("tr")]
    assert enquiry.reference in rows[0]
    assert older.reference in rows[1]
    assert "mail failed" in rows[0].lower()
    assert "failed: ConnectionRefusedError" in text(parse(staff_client.get(enquiry.get_admin_url())))


# --- claims ---


def test_a_claimed_mail_is_left_alone_until_its_lease_runs_out(db, mail_through):
    enquiry = question()
    enquiry.messages.filter(purpose=Purpose.CLINIC_ALERT).delete()
    claimed = Worker("first").claim()
    claimed.refresh_from_db()
    assert LEASE - SOON < claimed.lease_until - timezone.now() < LEASE + SOON
    assert deliver("second") == 0
    let_leases_run_out()
    assert deliver("second") == 1
    assert mail_through.ids == [f"<{claimed.pk}@example.com>"]
    assert OutgoingMessage.objects.get().attempts == 2


@pytest.fixture
def quick(monkeypatch):
    """A worker that has sent one mail, quickly, and goes on with eleven that are due."""
    monkeypatch.setattr("enquiries.mail.worker.CLAIM_SECONDS", 60)
    for number in range(6):
        question(email=f"ada{number}@example.com")
    worker = Worker("quick")
    assert worker.run_once()
    yield worker
    worker.disconnect()


def held() -> int:
    return OutgoingMessage.objects.filter(state=MessageState.SENDING).count()


def test_mails_that_are_claimed_together_are_taken_over_one_by_one_and_arrive_once(db, mail_through, quick):
    assert quick.run_once()
    assert held() == 10
    let_leases_run_out()  # it was killed
    second, lost = Worker("second"), []
    while second.run_once():
        lost.append(held())
    second.disconnect()
    assert lost == list(range(9, -1, -1)), "A mail that crashes its worker would take others with it, again and again."
    assert len(mail_through.ids) == len(set(mail_through.ids)) == 12
    assert set(OutgoingMessage.objects.values_list("state", "attempts", "lost_claims")) == {
        (MessageState.SENT, 1, 0),
        (MessageState.SENT, 2, 1),
    }


def test_an_urgent_mail_is_claimed_alone_and_before_what_a_lost_worker_had(db, mail_through, quick):
    assert quick.run_once()
    let_leases_run_out()  # it was killed
    alarm = question().messages.filter(purpose=Purpose.CLINIC_ALERT)
    alarm.update(urgent=True)
    second = Worker("second")
    second.pace = quick.pace
    assert second.claim() == alarm.get()
    assert OutgoingMessage.objects.filter(claimed_by="second").count() == 1


@pytest.mark.parametrize("why", ["a refusal", "a stop", "a pause"])
def test_what_a_worker_has_in_hand_waits_for_nobody_when_it_does_not_go_on(db, mail_through, monkeypatch, quick, why):
    if why == "a refusal":
        mail_through.answers["rcpt"] = "451 later"
        assert quick.run_once()
        del mail_through.answers["rcpt"]
        make_due()
    else:
        assert quick.run_once()
        assert held() == 10
        if why == "a stop":
            quick.stop()
        else:
            monkeypatch.setattr("enquiries.mail.worker.HAND_SECONDS", -1)
            for enquiry in Enquiry.objects.filter(messages__state=MessageState.SENDING):
                enquiry.email = "new@example.com"
                enquiry.save()
            assert quick.run_once()
            assert quick.run_once()
            assert ["new@example.com"] in mail_through.recipients, "It was sent as it was before the pause."
            quick.stop()
    assert held() == 0
    left = 12 - len(mail_through.ids)
    assert deliver("second") == left
    assert len(mail_through.ids) == len(set(mail_through.ids)) == 12


def test_mails_that_are_claimed_together_keep_to_the_limit_of_their_address(
    db, sheet, mail_through, settings, monkeypatch
):
    monkeypatch.setattr("enquiries.mail.worker.CLAIM_SECONDS", 60)
    settings.MAX_MAILS_PER_ADDRESS_PER_DAY = 3
    for number in range(5):
        report(sheet, email=f"Ada+{number}@example.com")  # one mailbox
        report(sheet, email=f"ada{number}@example.com")
    assert deliver() == 3 + 5
    assert states() == {(MessageState.SENT, ""), (MessageState.WAITING, abuse.HELD_BACK)}
    assert deliver() == 0


@pytest.mark.parametrize("others_luck", ["sent", "refused"])
@pytest.mark.parametrize("own_luck", ["sent", "refused"])
def test_a_worker_that_thaws_after_its_lease_cannot_settle(db, sheet, mail_through, own_luck, others_luck):
    enquiry = report(sheet)
    frozen = Worker("frozen")
    message = frozen.claim()
    let_leases_run_out()
    if others_luck == "refused":
        mail_through.answers["rcpt"] = "451 later"
    assert deliver("second") == 1
    settled = OutgoingMessage.objects.values().get()
    enquiry.refresh_from_db()
    assert enquiry.status == (Status.CLOSED if others_luck == "sent" else Status.NEW)
    seen = enquiry.events.count()
    if own_luck == "sent":
        frozen.settle_success(message)
    else:
        frozen.settle_failure(message, ConnectionResetError())
    assert OutgoingMessage.objects.values().get() == settled
    assert enquiry.events.count() == seen


def test_a_worker_that_thaws_while_another_sends_cannot_settle(db, mail_through):
    question()
    frozen, second = Worker("frozen"), Worker("second")
    message = frozen.claim()
    let_leases_run_out()
    OutgoingMessage.objects.exclude(pk=message.pk).delete()
    second.claim()
    frozen.settle_success(message)
    row = OutgoingMessage.objects.get()
    assert (row.state, row.claimed_by) == (MessageState.SENDING, "second")


def test_an_enquiry_erased_while_its_mail_is_on_the_way_stops_nobody(db, mail_through):
    worker = Worker("test")
    enquiry = question()
    message = worker.claim()
    enquiry.delete()
    worker.settle_success(message)
    worker.settle_failure(message, ConnectionResetError())
    consultation()
    assert deliver() == 2


def test_what_staff_do_while_a_mail_is_on_the_way_stands(db, sheet, staff, mail_through):
    taken, closed = report(sheet), question()
    worker = Worker("test")
    messages = {message.enquiry_id: message for message in [worker.claim(), worker.claim()]}
    triage.triage(enquiry=taken, by=staff, to=Status.IN_PROGRESS)
    triage.triage(enquiry=closed, by=staff, to=Status.CLOSED, outcome="answered")
    worker.settle_success(messages[taken.pk])
    failed = messages[closed.pk]
    failed.created_at -= GIVE_UP_AFTER + SOON
    worker.settle_failure(failed, ConnectionResetError())
    taken.refresh_from_db()
    closed.refresh_from_db()
    assert taken.status == Status.IN_PROGRESS
    assert (closed.status, closed.mail_failed) == (Status.IN_PROGRESS, True)
