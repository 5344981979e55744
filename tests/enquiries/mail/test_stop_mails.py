"""“Not you? Stop these emails”: one press, for a year, whoever types the address in; and no page says that it was pressed."""

import re
from datetime import timedelta

import pytest
from django.core import signing
from django.test import Client
from django.utils import timezone

from backcare.ops.logs import without_secrets
from enquiries import abuse, links
from enquiries.actions import contact, corrections, erasure
from enquiries.models import Enquiry, EventKind, MessageState, Status, StoppedAddress
from tests.conftest import consultation, give_signs, report
from tests.support.desk import person
from tests.support.html import form_at, parse, text, tree
from tests.support.outbox import deliver, html_of, text_of
from tests.support.report_sent import without_seconds
from tests.support.senders import VICTIM, ask, from_place, latest


def path_in(mail, settings) -> str:
    [link] = re.findall(r"https?://\S+/report/stop/\S+", text_of(mail))
    assert link.startswith(settings.BASE_URL)
    return link.removeprefix(settings.BASE_URL)


@pytest.fixture
def mails(db, mail_through, sheet):
    """One of each kind that a stranger can cause to be sent."""
    report(sheet, email=VICTIM)
    consultation(email=VICTIM)
    deliver()
    return [mail for [to], mail in mail_through.received if to == VICTIM]


@pytest.fixture
def path(mails, settings):
    return path_in(mails[0], settings)


def test_each_mail_that_a_stranger_can_cause_has_the_link_and_the_headers_for_one_click(mails, mail_through, settings):
    assert len(mails) == 2
    for mail in mails:
        link = settings.BASE_URL + path_in(mail, settings)
        assert mail["List-Unsubscribe"].strip() == f"<{link}>"
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link in {each.get("href") for each in html_of(mail).iter("a")}
    [alert] = [mail for [to], mail in mail_through.received if to != VICTIM]
    assert alert["List-Unsubscribe"] is None


def test_opening_the_link_changes_nothing_and_one_press_stops(path):
    scanner = Client()
    for look in (scanner.get, scanner.head, scanner.options):
        look(path)
    assert not StoppedAddress.objects.exists()
    answer = scanner.get(path)
    assert answer["Cache-Control"].count("no-store")
    assert answer["X-Robots-Tag"] == "noindex"
    assert not answer.cookies
    form = form_at(parse(answer), path)
    assert [each.tag for each in form.iter() if each.tag in {"input", "select", "textarea"}] == []
    [button] = form.iter("button")
    answer = scanner.post(form.get("action"), {button.get("name"): button.get("value")})
    assert answer.status_code == 303
    done = scanner.get(answer["Location"])
    assert done.status_code == 200
    assert "We have stopped" in text(parse(done))
    assert abuse.is_stopped("victorvictim+again@googlemail.com")
    assert VICTIM not in done.content.decode()


def test_a_mail_programs_own_button_needs_no_page_no_cookie_and_no_redirect(path):
    program = Client(enforce_csrf_checks=True)
    assert program.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert abuse.is_stopped(VICTIM)
    kept = StoppedAddress.objects.get()
    assert 364 <= (kept.until - timezone.now()).days <= 366
    program.post(path, {"List-Unsubscribe": "One-Click"})
    assert StoppedAddress.objects.count() == 1
    assert "victim" not in str(StoppedAddress.objects.values())


@pytest.mark.long
def test_afterwards_nothing_is_mailed_and_the_page_says_so_but_not_why_and_the_clinic_hears_of_it(path, mail_through):
    Client().post(path)
    before = len(mail_through.received)
    pages = []
    for number, email in enumerate((VICTIM, "fresh@example.com")):
        client = from_place(number)
        assert ask(client=client, email=email, name="Eve").status_code == 303
        pages.append(without_seconds(client.get("/report/sent/").content).replace(email, "ADDRESS"))
        assert ask("consultation", from_place(number + 9), email=email).status_code == 303
    assert "We will not send an email to <strong>ADDRESS</strong>" in pages[0]
    assert "We are sending it to <strong>ADDRESS</strong>" in pages[1]
    deliver()
    assert sorted(to for [to] in mail_through.recipients[before:]) == [
        "fresh@example.com",
        "fresh@example.com",
        "inbox@example.com",
        "inbox@example.com",
    ]
    assert Enquiry.objects.get(kind="report", status=Status.SPAM).quarantine_reason == abuse.STOPPED
    theirs = [each for each in Enquiry.objects.filter(kind="consultation", status=Status.NEW) if each.email == VICTIM]
    assert (
        "No email sent: this address asked us to stop sending emails" in theirs[-1].events.get(kind="received").summary
    )


def test_what_was_in_the_queue_when_it_was_pressed_does_not_go(path, sheet, mail_through):
    waiting = report(sheet, email=VICTIM, name="Somebody Else")
    Client().post(path)
    before = len(mail_through.received)
    deliver()
    assert waiting.messages.get().state == MessageState.LAPSED
    assert len(mail_through.received) == before


def test_every_report_that_names_the_mailbox_is_erased_at_once_and_nothing_in_which_somebody_asks_for_help(path, sheet):
    report(sheet, email="v.ictorvictim+sheets@googlemail.com", name="Somebody Else")
    for email in ("urgent" + VICTIM, VICTIM):
        report(sheet, email=email, name="Sign in it")
    others, flagged = Enquiry.objects.filter(kind="report").order_by("-created_at")[:2][::-1]
    give_signs([flagged])
    assert Client().post(path).status_code == 200
    reports = Enquiry.objects.filter(kind="report")
    kept = {(each.name, each.email) for each in reports.filter(erased_at=None)}
    assert kept == {("Sign in it", "urgent" + VICTIM), ("Sign in it", VICTIM)}
    assert {others, flagged} == set(reports.filter(erased_at=None))
    gone = reports.exclude(erased_at=None)
    assert {(each.name, each.email) for each in gone} == {("", "")}
    assert {each.events.get(kind=EventKind.ERASED).summary for each in gone} == {"With “Stop these emails”"}
    assert [each.email for each in Enquiry.objects.filter(kind="consultation")] == [VICTIM]


def test_a_reply_that_staff_write_still_goes(path, staff, mail_through):
    Client().post(path)
    contact.reply(enquiry=latest(), by=staff, text="Come in on Monday.", version=latest().version)
    deliver()
    assert mail_through.recipients[-1] == [VICTIM]


def test_the_link_works_for_a_year_also_when_the_request_is_gone_and_means_the_mailbox_that_got_it(
    path, db, monkeypatch
):
    asked = Enquiry.objects.get(kind="report")
    corrections.correct_address(enquiry=asked, email="right@example.com")
    erasure.erase(enquiry=asked, actor="retention")
    now = timezone.now()
    monkeypatch.setattr("time.time", lambda: (now + timedelta(days=364)).timestamp())
    assert Client().post(path).status_code == 200
    assert abuse.is_stopped(VICTIM)
    assert not abuse.is_stopped("right@example.com")
    monkeypatch.setattr("time.time", lambda: (now + timedelta(days=366)).timestamp())
    over = Client().post(path)
    assert over.status_code == 410
    assert "This link no longer works" in text(parse(over))


@pytest.mark.parametrize("forged", ["x", "a.b.c", "{key}", "{key}.1xRbZy.x", "{other}"])
@pytest.mark.once
def test_a_link_that_we_did_not_make_is_not_found(db, forged):
    other = signing.TimestampSigner(salt="enquiries.report.pass", sep=".").sign(abuse.stop_key(VICTIM))
    token = forged.format(key=abuse.stop_key(VICTIM), other=other)
    answer = Client().post(f"/report/stop/{token}/")
    assert answer.status_code == 404
    assert "Check that you copied all of it." in text(parse(answer))
    assert not StoppedAddress.objects.exists()


def test_the_link_is_left_out_of_logs():
    line = without_secrets(f'"POST {links.stop_address(VICTIM)} HTTP/1.1" 200')
    assert abuse.stop_key(VICTIM) not in line
    assert "/report/stop/…" in line


@pytest.mark.long
def test_staff_see_that_an_address_is_listed_and_the_owner_alone_takes_it_off(path, staff, client):
    Client().post(path)
    page = latest().get_admin_url()
    off = f"/admin/enquiries/enquiry/{latest().pk}/allow-mail/"
    desk = Client()
    desk.force_login(person("Rae", "reception"))
    seen = desk.get(page)
    assert "Someone at this address pressed “Stop these emails” on" in text(tree(seen))
    assert off not in seen.content.decode()
    assert desk.post(off).status_code == 403
    assert abuse.is_stopped(VICTIM)
    client.force_login(staff)
    assert off in client.get(page).content.decode()
    assert client.get(off).status_code == 405
    assert client.post(off, follow=True).status_code == 200
    assert not abuse.is_stopped(VICTIM)
    assert "Someone at this address" not in text(tree(client.get(page)))
    note = latest().events.get(kind=EventKind.NOTE)
    assert (note.actor, note.summary) == ("Sam", "Emails to this address allowed again at its owner’s request")
    assert client.post(off, follow=True).status_code == 200


def test_after_a_year_the_entry_goes(path):
    Client().post(path)
    erasure.purge(now=timezone.now() + timedelta(days=364))
    assert StoppedAddress.objects.exists()
    erasure.purge(now=timezone.now() + timedelta(days=367))
    assert not StoppedAddress.objects.exists()
