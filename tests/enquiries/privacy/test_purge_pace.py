"""A purge with a lot to do lets email be sent in between, and continues where it stopped."""

import io
import logging
import re
import time
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from backcare.ops.management.commands import deliver_mail
from enquiries.actions import erasure
from enquiries.models import Enquiry, OutgoingMessage
from tests.conftest import consultation
from tests.support.inbox import whole_status
from tests.support.outbox import question

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def over():
    """A consultation whose retention has ended, with its emails."""
    made = consultation(email="over@example.com")
    then = timezone.now() - timedelta(days=3650)
    Enquiry.objects.filter(pk=made.pk).update(**whole_status("closed", then))
    made.messages.update(state="sent", sent_at=then, next_attempt_at=then)
    return made


def erased(enquiry: Enquiry) -> bool:
    return Enquiry.objects.get(pk=enquiry.pk).erased_at is not None


def test_a_purge_whose_time_is_up_says_so_and_the_next_one_goes_on(over):
    assert not erasure.purge(now=timezone.now(), seconds=0).finished
    assert not erased(over)
    purged = erasure.purge(now=timezone.now())
    assert purged.finished
    assert (purged.counts["enquiries"], purged.counts["messages"]) == (1, 2)
    assert erased(over)


def test_a_purge_that_somebody_stops_says_so_keeps_what_it_did_and_goes_on(over, monkeypatch):
    class Watched(io.StringIO):
        def isatty(self) -> bool:
            return True

    second = consultation(email="second@example.com")
    Enquiry.objects.filter(pk=second.pk).update(**whole_status("closed", timezone.now() - timedelta(days=3650)))
    honest, asked = erasure.erase, []

    def stopped_at_the_second(**about):
        asked.append(about)
        if len(asked) == 2:
            raise KeyboardInterrupt
        honest(**about)

    monkeypatch.setattr(erasure, "erase", stopped_at_the_second)
    with pytest.raises(CommandError, match=r"Stopped\. What was erased is gone") as stopped:
        call_command("purge", stdout=Watched())
    assert stopped.value.returncode == 130
    assert sorted([erased(over), erased(second)]) == [False, True]
    monkeypatch.setattr(erasure, "erase", honest)
    screen = Watched()
    [console] = [each for each in logging.root.handlers if each.name == "console"]
    monkeypatch.setattr(console, "stream", screen)
    call_command("purge", stdout=screen)
    assert erased(over) and erased(second)
    assert re.search(r"\x1b\[K1 of \d+", screen.getvalue())
    logged = re.findall(r"([^\r\n]*) INFO enquiries\.\S+: Erased the details", screen.getvalue())
    assert logged and all(re.fullmatch(r"\x1b\[K[\d:, -]+", before) for before in logged), screen.getvalue()


def test_mail_goes_although_the_purge_is_not_finished(over, mail_through, monkeypatch):
    monkeypatch.setattr(deliver_mail, "MAX_PURGE_SECONDS", 0)
    question(email="new@example.com")
    call_command("deliver_mail", once=True)
    assert ["new@example.com"] in mail_through.recipients
    assert not erased(over)
    monkeypatch.undo()
    call_command("deliver_mail", once=True)
    assert erased(over)


@pytest.mark.parametrize(("seconds", "pause"), [(0, deliver_mail.CHORES_AGAIN), (60, deliver_mail.CHORES)])
def test_a_purge_that_was_not_finished_goes_on_within_a_minute(over, monkeypatch, seconds, pause):
    monkeypatch.setattr(deliver_mail, "MAX_PURGE_SECONDS", seconds)
    command = deliver_mail.Command()
    command.next_look, command.warned_on = 0.0, None
    before = time.monotonic()
    command.do_chores()
    assert before + pause <= command.next_look <= time.monotonic() + pause
    assert erased(over) == bool(seconds)


def test_a_mail_that_is_still_needed_stays_whatever_its_age(over):
    """The purge asks of each mail by itself; a failed one that staff have not dealt with is needed."""
    OutgoingMessage.objects.filter(enquiry=over).update(state="failed", sent_at=None, error="x")
    Enquiry.objects.filter(pk=over.pk).update(mail_failed=True, closed_at=timezone.now())
    assert erasure.purge(now=timezone.now()).counts["messages"] == 0
    Enquiry.objects.filter(pk=over.pk).update(mail_failed=False)
    assert erasure.purge(now=timezone.now()).counts["messages"] == 2
