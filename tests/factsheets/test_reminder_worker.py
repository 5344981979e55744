"""Who runs the review reminders, what happens when a worker is killed, and what staff see of them."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import OperationalError, connection
from django.urls import reverse

from backcare.ops.management.commands import deliver_mail
from enquiries.models import MessageState, OutgoingMessage, Purpose, WorkerHeartbeat
from factsheets.models import FactSheet, ReviewReminder
from tests.conftest import ROOT
from tests.support.html import parse, text
from tests.support.outbox import deliver, question, states
from tests.support.processes import start_process
from tests.support.reminders import LOG, member_of_staff, remind, reminders, set_due
from tests.support.smtp import wait_for


@pytest.fixture
def editor(db):
    return member_of_staff("ed", "view_factsheet", "change_factsheet", first_name="Ed", last_name="Example")


@pytest.fixture
def reception(db):
    return member_of_staff("rec", "view_enquiry", "change_enquiry", "view_outgoingmessage")


# --- who runs it ---


def test_a_running_worker_reminds_by_itself(child_environment, sheet, smtp, editor):
    set_due(sheet, 30)
    with start_process([sys.executable, "manage.py", "deliver_mail"], env=child_environment) as worker:
        try:
            wait_for(lambda: smtp.messages, what="the reminder")
        finally:
            worker.send_signal(signal.SIGTERM)
    assert smtp.recipients == [["ed@example.com"]]


def test_a_worker_that_has_run_for_long_looks_again(
    transactional_db, sheet, editor, mail_through, keep_signals, monkeypatch
):
    monkeypatch.setattr(deliver_mail, "CHORES", 0.1)  # seconds, in place of an hour

    def a_day_comes():
        try:
            wait_for(WorkerHeartbeat.objects.exists, what="the worker's heartbeat")
            set_due(sheet, 30)
            wait_for(lambda: mail_through.messages, what="the reminder")
            set_due(sheet, 29)
            wait_for(lambda: len(mail_through.messages) == 2, what="the reminder of the other date")
        finally:
            connection.close()
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=a_day_comes)
    thread.start()
    call_command("deliver_mail")
    thread.join()
    assert len(mail_through.messages) == 2


def test_a_worker_with_nobody_to_remind_says_so_once_a_day_and_reminds_the_editor_who_comes(
    transactional_db, sheet, mail_through, keep_signals, monkeypatch, caplog
):
    monkeypatch.setattr(deliver_mail, "CHORES", 0.1)  # seconds, in place of an hour
    set_due(sheet, 30)

    def an_editor_comes():
        try:
            wait_for(WorkerHeartbeat.objects.exists, what="the worker's heartbeat")
            time.sleep(1.2)  # long enough to look several times
            member_of_staff("ed", "change_factsheet")
            wait_for(lambda: mail_through.messages, what="the reminder")
        finally:
            connection.close()
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=an_editor_comes)
    thread.start()
    call_command("deliver_mail")
    thread.join()
    assert caplog.text.count("no staff account that may change fact sheets") == 1


def test_two_workers_that_start_together_send_each_reminder_once(child_environment, smtp):
    sheets = list(FactSheet.objects.all())
    for name in ("ed", "kim", "lou"):
        member_of_staff(name, "change_factsheet")
    for sheet in sheets:
        set_due(sheet, 30)
    command = [sys.executable, "manage.py", "deliver_mail", "--once"]
    workers = [start_process(command, env=child_environment) for _ in range(2)]
    assert [worker.wait(60) for worker in workers] == [0, 0]
    # What one of them wrote when the other had already looked its last.
    subprocess.run(command, cwd=ROOT, env=child_environment, timeout=60, check=True)
    assert states() == {(MessageState.SENT, "")}
    assert ReviewReminder.objects.count() == len(sheets)
    assert len(smtp.ids) == len(set(smtp.ids)) == reminders().count() == 3 * len(sheets)


def test_many_looks_at_the_same_moment_write_each_reminder_once(transactional_db, sheet):
    for name in ("ed", "kim", "lou"):
        member_of_staff(name, "change_factsheet")
    set_due(sheet, 30)
    start, failed = threading.Barrier(6), []

    def look():
        try:
            start.wait(5)
            remind()
        except Exception as error:  # noqa: BLE001 - shown below
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=look) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert ReviewReminder.objects.count() == 1
    assert reminders().count() == 3


KILLED = """
import os, signal, django
django.setup()
from django.db import connection
from django.utils import timezone
from enquiries.actions import outbox

def kill(execute, sql, *rest):
    done = execute(sql, *rest)
    if sql.startswith('INSERT INTO "{table}"'):
        os.kill(os.getpid(), signal.SIGKILL)
    return done

with connection.execute_wrapper(kill):
    outbox.remind_of_reviews(today=timezone.localdate())
"""


@pytest.mark.parametrize("model", [ReviewReminder, OutgoingMessage])
def test_a_worker_killed_between_the_reminder_and_its_mails_leaves_it_due(child_environment, sheet, smtp, model):
    for name in ("ed", "kim"):
        member_of_staff(name, "change_factsheet")
    set_due(sheet, 30)
    script = KILLED.format(table=model._meta.db_table)
    killed = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=child_environment, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not ReviewReminder.objects.exists()
    assert not OutgoingMessage.objects.exists()
    worker = [sys.executable, "manage.py", "deliver_mail", "--once"]
    subprocess.run(worker, cwd=ROOT, env=child_environment, timeout=60, check=True)
    assert sorted(smtp.recipients) == [["ed@example.com"], ["kim@example.com"]]


@pytest.mark.parametrize(
    ("trouble", "noted"),
    [
        (LookupError("harsh words"), "Review reminders were not written: LookupError"),
        (OperationalError("harsh words"), "waits for the database: OperationalError"),
    ],
    ids=["a fault of ours", "the database"],
)
def test_trouble_with_reminders_holds_up_no_patients_mail(
    transactional_db, sheet, editor, mail_through, keep_signals, caplog, trouble, noted
):
    set_due(sheet, 30)
    question()

    def stumble(execute, sql, *rest):
        if sql.startswith("SELECT") and '"review_due_on" <=' in sql:
            raise trouble
        return execute(sql, *rest)

    with connection.execute_wrapper(stumble):
        call_command("deliver_mail", once=True)
    assert len(mail_through.messages) == 2
    assert noted in caplog.text
    assert "harsh words" not in caplog.text
    call_command("deliver_mail", once=True)
    assert len(mail_through.messages) == 3


# --- the staff desk ---


@pytest.fixture
def failed(sheet, editor, mail_through):
    mail_through.refuse_recipients.add("ed@example.com")
    set_due(sheet, 30)
    remind()
    deliver()
    mail_through.refuse_recipients.clear()
    return reminders().get(staff=editor)


def test_reception_sees_a_failed_reminder_in_the_log_and_has_it_sent_again(
    client, reception, sheet, failed, mail_through
):
    client.force_login(reception)
    question()
    page = text(parse(client.get(reverse(LOG))))
    assert f"“{sheet.title}”, to Ed Example" in page
    assert "SMTPRecipientsRefused 550" in page
    found = client.get(reverse(LOG), {"q": sheet.title, "state__exact": "failed"})
    assert [row.pk for row in found.context["cl"].result_list] == [failed.pk]
    address = reverse("admin:enquiries_outgoingmessage_change", args=[failed.pk])
    again = reverse("admin:enquiries_outgoingmessage_send_again", args=[failed.pk])
    opened = parse(client.get(address))
    due_on = failed.reminder.review_due_on
    assert f"due on {due_on:%-d %B %Y}; reminder 30 days before" in text(opened)
    assert [each.get("formaction") for each in opened.iter("button") if text(each) == "Send again"] == [again]
    answer = client.post(again, follow=True)
    assert answer.redirect_chain == [(address, 302)]
    assert "Email queued again" in text(parse(answer))
    assert deliver() == 3
    assert mail_through.recipients.count(["ed@example.com"]) == 1
    assert mail_through.ids.count(f"<{failed.pk}@example.com>") == 1


def test_a_reminder_that_was_sent_is_not_sent_twice(client, reception, sheet, editor, mail_through):
    set_due(sheet, 30)
    remind()
    deliver()
    client.force_login(reception)
    message = reminders().get()
    again = reverse("admin:enquiries_outgoingmessage_send_again", args=[message.pk])
    page = client.get(reverse("admin:enquiries_outgoingmessage_change", args=[message.pk]))
    assert page.status_code == 200
    assert again not in page.content.decode()
    assert "has already been sent" in text(parse(client.post(again, follow=True)))
    assert deliver() == 0
    assert reminders().get().state == MessageState.SENT


def test_an_editor_sees_no_message_log(client, editor, failed):
    client.force_login(editor)
    for address in (reverse(LOG), reverse("admin:enquiries_outgoingmessage_change", args=[failed.pk])):
        assert client.get(address).status_code == 403
    again = reverse("admin:enquiries_outgoingmessage_send_again", args=[failed.pk])
    assert client.post(again).status_code == 403
    failed.refresh_from_db()
    assert failed.state == MessageState.FAILED


def test_an_account_can_be_deleted_with_its_reminders_and_the_log_by_nobody(staff_client, sheet, editor, failed):
    question()
    for message in OutgoingMessage.objects.all():
        delete = reverse("admin:enquiries_outgoingmessage_delete", args=[message.pk])
        assert staff_client.post(delete, {"post": "yes"}).status_code == 403
        change = reverse("admin:enquiries_outgoingmessage_change", args=[message.pk])
        assert delete not in staff_client.get(change).content.decode()
    chosen = {"action": "delete_selected", "_selected_action": [str(failed.pk)], "post": "yes"}
    staff_client.post(reverse(LOG), chosen)
    assert OutgoingMessage.objects.count() == 4
    staff_client.post(reverse("admin:account_delete", args=[editor.pk]))
    assert not User.objects.filter(pk=editor.pk).exists()
    assert OutgoingMessage.objects.filter(purpose=Purpose.REVIEW_REMINDER).count() == 1, "The other editor's stays."
    assert OutgoingMessage.objects.count() == 3
