"""Editors hear in time that a sheet must be read again: at each step once, only what still holds, and nobody else."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse
from django.utils import timezone

from enquiries.actions.outbox import NobodyToRemind
from enquiries.models import Enquiry, MessageState, OutgoingMessage
from factsheets import review_notifications
from factsheets.models import ReviewReminder
from tests.conftest import consultation
from tests.support.html import parse, text
from tests.support.outbox import deliver, html_of, make_due, states, text_of, words_of
from tests.support.reminders import LOG, let_pass, member_of_staff, remind, reminders, set_due


@pytest.fixture
def editor(db):
    return member_of_staff("ed", "view_factsheet", "change_factsheet", first_name="Ed", last_name="Example")


@pytest.fixture
def reception(db):
    return member_of_staff("rec", "view_enquiry", "change_enquiry", "view_outgoingmessage")


# --- when ---


@pytest.mark.parametrize(
    ("days", "step"),
    [(400, None), (61, None), (60, 60), (59, 60), (31, 60), (30, 30), (29, 30), (1, 30), (0, 0), (-1, 0), (-400, 0)],
)
def test_the_most_urgent_step_that_is_reached_counts(days, step):
    today = date(2027, 3, 3)
    assert review_notifications.step_reached(today + timedelta(days=days), today) == step


def test_a_sheet_without_a_date_has_reached_no_step():
    assert review_notifications.step_reached(None, date(2027, 3, 3)) is None


@pytest.mark.long
def test_an_editor_hears_at_60_and_30_and_0_days_and_never_in_between(sheet, editor, mail_through):
    set_due(sheet, 61)
    heard = []
    for day in range(61, -4, -1):
        # Workers start and look again and again.
        remind()
        remind()
        heard += [day] * deliver()
        let_pass(1)
    assert heard == [60, 30, 0]
    assert mail_through.recipients == [["ed@example.com"]] * 3
    assert len(set(mail_through.ids)) == 3


@pytest.mark.parametrize(("days", "said"), [(20, "in 20 days"), (45, "in 45 days"), (-100, "100 days ago")])
def test_a_date_entered_late_or_a_worker_that_was_away_brings_only_the_most_urgent_mail(
    sheet, editor, mail_through, days, said
):
    set_due(sheet, days)
    remind()
    assert deliver() == 1
    assert said in text_of(mail_through.messages[0])
    assert remind() == 0


def test_a_reminder_that_waited_until_a_more_urgent_one_came_is_not_sent_beside_it(sheet, editor, mail_through):
    set_due(sheet, 31)
    remind()
    let_pass(1)
    remind()
    assert deliver() == 2
    [mail] = mail_through.messages
    assert "in 30 days" in text_of(mail)
    assert states() == {(MessageState.LAPSED, ""), (MessageState.SENT, "")}


@pytest.mark.parametrize("state", ["draft", "in_review", "retired"])
def test_a_sheet_that_is_not_public_brings_no_reminder(sheet, editor, state):
    set_due(sheet, 0, state=state)
    assert remind() == 0
    assert not ReviewReminder.objects.exists()


def test_a_look_when_nothing_is_due_asks_the_database_once_and_when_all_are_told_twice(
    sheet, editor, django_assert_num_queries
):
    with django_assert_num_queries(1):
        remind()
    set_due(sheet, 0)
    remind()
    with django_assert_num_queries(2):
        remind()


# --- to whom ---


def test_it_goes_to_everybody_who_may_change_sheets_and_to_nobody_else(sheet, staff, editor, mail_through):
    group = Group.objects.create(name="editors")
    group.permissions.add(Permission.objects.get(codename="change_factsheet"))
    member_of_staff("by-group").groups.add(group)
    member_of_staff("reception", "change_enquiry", "view_factsheet")
    member_of_staff("left", "change_factsheet", is_active=False)
    member_of_staff("no-address", "change_factsheet", email="")
    member_of_staff("no-staff", "change_factsheet", is_staff=False)
    consultation()
    Enquiry.objects.all().delete()
    set_due(sheet, 30)
    remind()
    deliver()
    assert sorted(mail_through.recipients) == [["by-group@example.com"], ["ed@example.com"], ["sam@example.com"]]


def test_with_no_editor_it_stays_due_until_there_is_one(sheet, mail_through):
    set_due(sheet, 30)
    with pytest.raises(NobodyToRemind):
        remind()
    assert not ReviewReminder.objects.exists()
    member_of_staff("ed", "change_factsheet")
    assert remind() == 1
    assert deliver() == 1
    assert mail_through.recipients == [["ed@example.com"]]


def test_an_account_that_is_closed_while_its_mail_waits_gets_none_and_the_next_editor_does(sheet, editor, mail_through):
    set_due(sheet, 30)
    remind()
    User.objects.filter(pk=editor.pk).update(is_active=False)
    deliver()
    assert mail_through.messages == []
    assert states() == {(MessageState.LAPSED, "")}
    member_of_staff("kim", "change_factsheet")
    remind()
    deliver()
    assert mail_through.recipients == [["kim@example.com"]]


def test_an_editor_without_a_usable_address_fails_in_sight_and_the_other_gets_it(
    sheet, editor, mail_through, staff_client
):
    User.objects.filter(pk=editor.pk).update(email="ed@example.com, all@example.com")
    set_due(sheet, 30)
    remind()
    deliver()
    assert mail_through.recipients == [["sam@example.com"]]
    failed = reminders().get(state=MessageState.FAILED)
    assert (failed.staff, failed.error) == (editor, "ValidationError")


# --- what no longer holds ---


def test_a_date_that_moved_stops_the_mail_that_waited_and_brings_new_ones(
    sheet, editor, mail_through, client, reception
):
    set_due(sheet, 30)
    remind()
    set_due(sheet, 365)  # signed off in between
    deliver()
    assert mail_through.messages == []
    assert states() == {(MessageState.LAPSED, "")}
    client.force_login(reception)
    listed = text(parse(client.get(reverse(LOG))))
    assert "no longer needed" in listed
    assert not reminders().failed().exists()
    OutgoingMessage.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert client.get(reverse("healthz")).json()["mail_queue"] == "ok"
    let_pass(305)
    remind()
    deliver()
    assert len(mail_through.messages) == 1
    assert "in 60 days" in text_of(mail_through.messages[0])


def test_a_date_that_moved_by_a_few_days_brings_one_mail_with_the_new_one(sheet, editor, mail_through):
    set_due(sheet, 45)
    remind()
    set_due(sheet, 50)
    remind()
    deliver()
    [mail] = mail_through.messages
    assert "in 50 days" in text_of(mail)


def test_a_date_that_moved_and_moved_back_brings_the_reminder_after_all(sheet, editor, mail_through):
    set_due(sheet, 30)
    remind()
    set_due(sheet, 395)
    deliver()
    set_due(sheet, 30)
    remind()
    assert deliver() == 1
    assert remind() == 0
    assert states() == {(MessageState.SENT, "")}
    assert mail_through.ids == [f"<{reminders().get().pk}@example.com>"]


def test_a_sheet_taken_off_the_site_while_its_mail_waits_brings_none_until_it_is_back(sheet, editor, mail_through):
    set_due(sheet, 0)
    remind()
    set_due(sheet, 0, state="draft")
    deliver()
    assert remind() == 0
    assert mail_through.messages == []
    set_due(sheet, 0)
    remind()
    assert deliver() == 1
    assert len(mail_through.messages) == 1


def test_a_mail_server_that_is_away_loses_no_reminder(sheet, editor, mail_through):
    mail_through.answers["rcpt"] = "451 later"
    set_due(sheet, 30)
    remind()
    deliver()
    assert states() == {(MessageState.WAITING, "SMTPRecipientsRefused 451")}
    mail_through.answers.clear()
    make_due()
    deliver()
    assert states() == {(MessageState.SENT, "")}
    assert mail_through.ids == [f"<{reminders().get().pk}@example.com>"]


# --- what it says ---


def reminder_mail(smtp):
    remind()
    deliver()
    [mail] = smtp.messages
    return mail, [" ".join(text_of(mail).split()), words_of(mail)]


def test_it_says_which_sheet_when_and_who_read_it_last_and_its_links_open(
    sheet, editor, staff, mail_through, settings, client
):
    User.objects.exclude(pk=editor.pk).update(email="")
    due_on = set_due(sheet, 30, reviewed_on=date(2026, 3, 3), reviewed_by=staff)
    mail, both = reminder_mail(mail_through)
    assert mail["Subject"] == f"Review due on {due_on:%-d %B %Y}: {sheet.title}"
    assert mail["Message-ID"] == f"<{reminders().get().pk}@example.com>"
    assert mail.get_all("Auto-Submitted") == ["auto-generated"]
    desk = f"{settings.BASE_URL}/admin/factsheets/factsheet/{sheet.pk}/change/"
    public = f"{settings.BASE_URL}{sheet.get_absolute_url()}"
    for words in both:
        assert sheet.title in words
        assert f"is due on {due_on:%-d %B %Y}, in 30 days." in words
        assert "Sam reviewed it last, on 3 March 2026." in words
        assert "If it is not signed off by then, from the next day its public page tells readers" in words
    assert desk in text_of(mail)
    assert public in text_of(mail)
    assert {link.get("href") for link in html_of(mail).iter("a")} == {desk, public}
    client.force_login(editor)
    for address in (desk, public):
        page = client.get(address.removeprefix(settings.BASE_URL))
        assert page.status_code == 200
        assert sheet.title in page.content.decode()


@pytest.mark.parametrize(
    ("days", "subject", "said"),
    [
        (1, "Review due on", ", tomorrow."),
        (0, "Review due on", "is due today, "),
        (-1, "Review overdue since", ", 1 day ago."),
        (-12, "Review overdue since", ", 12 days ago."),
    ],
)
def test_it_says_how_late_it_is_and_that_readers_are_told(
    sheet, editor, staff, mail_through, client, days, subject, said
):
    User.objects.exclude(pk=editor.pk).update(email="")
    set_due(sheet, days, reviewed_on=date(2026, 3, 3), reviewed_by=staff)
    mail, both = reminder_mail(mail_through)
    assert mail["Subject"].startswith(subject)
    told = "has not happened yet" in client.get(sheet.get_absolute_url()).content.decode()
    assert told == (days < 0)
    for words in both:
        assert said in words
        assert ("now tells readers that the review has not happened" in words) == told


def test_it_says_that_nobody_has_signed_the_sheet_off_when_nobody_has(sheet, editor, mail_through):
    set_due(sheet, 30, reviewed_on=None, reviewed_by=None)
    for words in reminder_mail(mail_through)[1]:
        assert "No clinician has signed it off yet, and its public page says so." in words
        assert "reviewed it last" not in words


def test_a_title_with_signs_in_it_arrives_as_it_is_and_makes_no_second_header(sheet, editor, mail_through):
    title = "Heat & cold: <b>what</b> helps\r\nBcc: all@example.com"
    set_due(sheet, 30, title=title)
    mail, both = reminder_mail(mail_through)
    assert "Bcc" not in mail
    assert mail_through.recipients == [["ed@example.com"]]
    for words in both:
        assert "Heat & cold: <b>what</b> helps" in words
    assert "Heat & cold: <b>what</b> helps" in mail["Subject"]
