"""The clinic's mail of the day: when it is written, that it is one, and that it says nothing about anybody."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone

from backcare.ops.management.commands import deliver_mail
from enquiries.actions.outbox import send_again, write_digest
from enquiries.mail.worker import Worker
from enquiries.models import Closure, Enquiry, MessageState, OpeningHours, OutgoingMessage, Purpose
from enquiries.opening_hours import Hours
from tests.conftest import consultation, give_signs
from tests.support.clinic_settings import set_clinic
from tests.support.html import text, tree
from tests.support.inbox import whole_status
from tests.support.outbox import deliver, question, text_of, words_of

MONDAY = date(2026, 11, 23)


def at(hour: int, day: date = MONDAY) -> datetime:
    """In winter UTC is what the clinic's clock shows."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def digests():
    return OutgoingMessage.objects.filter(purpose=Purpose.DIGEST)


@pytest.fixture
def open_now(db, monkeypatch):
    """The clinic is open at every hour of every day, so that the digest leaves whenever the tests run."""
    monkeypatch.setattr(Hours, "is_bank_holiday", lambda hours, day: False)
    OpeningHours.objects.all().delete()
    for weekday in range(7):
        OpeningHours.objects.create(weekday=weekday, opens="00:00", closes="23:59:59.999999")


def only_the_digest():
    OutgoingMessage.objects.exclude(purpose=Purpose.DIGEST).delete()


def test_it_is_written_ahead_and_leaves_when_the_clinic_opens(db):
    assert write_digest(now=at(1))
    message = digests().get()
    assert (message.day, message.next_attempt_at, message.created_at) == (MONDAY, at(9), at(9))
    assert message.about == "2026-11-23"


def test_a_worker_that_starts_in_the_afternoon_still_writes_it_and_one_that_starts_at_night_does_not(db):
    assert not write_digest(now=at(18))
    assert write_digest(now=at(14))
    assert digests().get().next_attempt_at == at(9)


def test_it_is_one_a_day_however_often_and_by_however_many_it_is_written(db):
    assert [write_digest(now=at(hour)) for hour in (1, 2, 9, 16)] == [True, False, False, False]
    assert write_digest(now=at(1, MONDAY + timedelta(days=1)))
    assert digests().count() == 2
    with pytest.raises(IntegrityError, match=r"outgoingmessage.day|message_one_of_a_day"):
        OutgoingMessage.objects.create(purpose=Purpose.DIGEST, day=MONDAY)


@pytest.mark.parametrize("day", [date(2026, 11, 21), date(2026, 11, 22), date(2026, 12, 25), date(2026, 11, 24)])
def test_on_a_closed_day_there_is_none(db, day):
    Closure.objects.create(first_day=date(2026, 11, 24), last_day=date(2026, 11, 24), reason="training")
    assert not write_digest(now=at(10, day))
    assert not digests().exists()


def test_it_tells_how_many_wait_where_and_nothing_about_anybody(open_now, mail_through, settings):
    set_clinic(inbox_email="desk@example.com")
    late, flagged = consultation(name="Ada Example"), question(description="Numb between the legs")
    Enquiry.objects.filter(pk=late.pk).update(reply_by=timezone.now() - timedelta(hours=2))
    give_signs(Enquiry.objects.filter(pk=flagged.pk))
    only_the_digest()
    assert write_digest(now=timezone.now())
    assert deliver() == 1
    [mail] = mail_through.messages
    assert mail_through.recipients == [["desk@example.com"]]
    said = text_of(mail).replace("\r\n", "\n")
    assert re.search(r"Warning signs: 1\nhttp\S+\n+Overdue: 1\n", said)
    assert "Unassigned: 2" in said
    assert f"{settings.BASE_URL}/admin/enquiries/enquiry/" in said
    assert "Overdue 1" in words_of(mail)
    whole = f"{mail['Subject']} {said} {words_of(mail)}"
    for told in ("Ada", "ada@example.com", "Numb", late.reference, flagged.reference, "RF-E1"):
        assert told not in whole
    assert digests().get().state == MessageState.SENT
    assert deliver() == 0
    assert not write_digest(now=timezone.now())


def test_with_nothing_to_say_none_is_sent(open_now, mail_through):
    Enquiry.objects.filter(pk=question().pk).update(**whole_status("closed"))
    only_the_digest()
    write_digest(now=timezone.now())
    deliver()
    assert digests().get().state == MessageState.LAPSED
    assert not mail_through.messages


def test_yesterdays_is_not_sent_today(open_now, mail_through):
    question()
    only_the_digest()
    yesterday = timezone.localdate() - timedelta(days=1)
    OutgoingMessage.objects.create(purpose=Purpose.DIGEST, day=yesterday)
    deliver()
    assert digests().get().state == MessageState.LAPSED
    assert not mail_through.messages


def test_a_worker_killed_before_it_could_say_so_sends_no_second_one_with_another_id(open_now, mail_through):
    question()
    only_the_digest()
    write_digest(now=timezone.now())
    worker = Worker("killed")
    message = worker.claim()
    worker.send(message)  # and here it is killed
    worker.disconnect()
    digests().update(lease_until=timezone.now() - timedelta(seconds=1))
    deliver()
    assert digests().count() == 1
    assert len(mail_through.messages) == 2 and len(set(mail_through.ids)) == 1


def test_without_an_address_it_waits_and_says_why(open_now, mail_through, settings):
    set_clinic(inbox_email="")
    question()
    only_the_digest()
    write_digest(now=timezone.now())
    deliver()
    assert (digests().get().state, digests().get().error) == (MessageState.WAITING, "ImproperlyConfigured")


def test_the_worker_writes_it_and_trouble_with_it_holds_up_no_patients_mail(
    open_now, mail_through, settings, keep_signals, monkeypatch, caplog
):
    set_clinic(daily_digest=True)
    question()
    call_command("deliver_mail", once=True)
    assert digests().get().state == MessageState.SENT
    digests().delete()
    question(email="other@example.com")

    def broken(**given):
        raise ValueError

    monkeypatch.setattr(deliver_mail.outbox, "write_digest", broken)
    call_command("deliver_mail", once=True)
    assert "The daily digest was not written: ValueError" in caplog.text
    assert not OutgoingMessage.objects.exclude(state=MessageState.SENT).exists()


def test_in_the_log_it_is_called_by_its_day_and_is_not_sent_twice(staff_client, open_now, mail_through):
    question()
    only_the_digest()
    write_digest(now=timezone.now())
    deliver()
    message = digests().get()
    shown = staff_client.get(f"/admin/enquiries/outgoingmessage/{message.pk}/change/")
    assert message.about in text(tree(shown))
    send_again(message=message, by=shown.wsgi_request.user)
    assert digests().count() == 1 and digests().get().state == MessageState.SENT


def test_a_clinic_may_do_without_it(open_now, mail_through, settings, keep_signals):
    set_clinic(daily_digest=False)
    question()
    only_the_digest()
    call_command("deliver_mail", once=True)
    assert not digests().exists()
