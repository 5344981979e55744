"""Owners invite, change and deactivate staff on the desk. Nobody is shown a password, and an owner always stays."""

import re
from datetime import timedelta
from threading import Event, Thread

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection, connections, transaction
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from backcare.staff import accounts
from enquiries.actions import appointments, contact, triage
from enquiries.admin import autosave
from enquiries.models import Enquiry, MessageState, OutgoingMessage
from factsheets.models import FactSheet, TeamMember, UnsavedEdit
from tests.conftest import consultation
from tests.support.clinic_settings import set_clinic
from tests.support.desk import code_of, person, with_password, with_second_factor
from tests.support.html import parse, text, tree
from tests.support.outbox import deliver, html_of, text_of
from tests.support.sign_in import CODE, DESK, INBOX, LOGIN, SET_UP, is_in, password, recovery_codes, shown_code, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]

ACCOUNTS, INVITE = "/admin/accounts/", "/admin/accounts/invite/"
NEW = "seven green kettles"


def nora(**changes):
    return {"first_name": "Nora", "last_name": "Bell", "email": "Nora@example.com", "role": "reception"} | changes


def link_in(mail) -> str:
    [link] = set(re.findall(r"https?://\S+(/admin/login/(?:invitation|new-password)/\S+)", text_of(mail)))
    assert any(each.get("href", "").endswith(link) for each in html_of(mail).iter("a"))
    return link


def open_link(client, link):
    """Follows the link to the page without its secret. Returns that page's address."""
    answer = client.get(link)
    return answer["Location"] if answer.status_code == 302 else None


def choose(client, address, word=NEW):
    return client.post(address, {"new_password1": word, "new_password2": word})


def in_hand(user):
    """Two enquiries of theirs: one with a planned call and a draft, one with an appointment. And a change of a sheet."""
    first, second = consultation(), consultation(name="Cy", email="cy@example.com", phone="07700 900222")
    for each in (first, second):
        triage.triage(enquiry=each, by=user, owner=user, change_owner=True)
    contact.log_call(enquiry=first, by=user, result=contact.CallResult.NO_ANSWER)
    at = timezone.localtime() + timedelta(days=9)
    person = TeamMember.objects.create(name="Rita Shaw", account=user)
    appointments.book(enquiry=second, by=user, at=at, channel="clinic", with_whom=person, sure=None)
    autosave.add(first, user, "note", "Half a thought")
    UnsavedEdit.objects.create(sheet=FactSheet.objects.first(), part="sheet", by=user, typed="title=Half")
    deliver()
    return Enquiry.objects.get(pk=first.pk), Enquiry.objects.get(pk=second.pk)


def said(response) -> str:
    return text(tree(response))


@pytest.mark.long
def test_the_invited_choose_a_password_and_a_second_factor_and_nobody_else_sees_either(owner, staff, mail_through):
    asked = owner.post(INVITE, nora(role=""))
    assert "Choose a role." in said(asked) and "Bell" in asked.content.decode(), "What was typed is gone."
    answer = owner.post(INVITE, nora(), follow=True)
    assert "Invited Nora Bell. We are emailing a link to nora@example.com." in said(answer)
    set_clinic(sender_email="", email="")
    unsent = said(owner.post(INVITE, nora(email="nils@example.com"), follow=True))
    assert "no email can be sent yet: set the sender under “Clinic settings”" in unsent and "emailing" not in unsent
    User.objects.get(username="nils@example.com").delete()
    set_clinic(sender_email="hello@example.com")
    again = owner.post(INVITE, nora())
    assert "There is already an account for Nora@example.com." in said(again)
    user = User.objects.get(username="nora@example.com")
    assert accounts.role_of(user) == "reception" and not user.has_usable_password()
    deliver()
    [(to, mail)] = mail_through.received
    assert to == ["nora@example.com"]
    assert "Your role: reception." in text_of(mail)
    link = link_in(mail)
    token = link.rstrip("/").rpartition(".")[2]
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM enquiries_outgoingmessage")
        assert token not in repr(cursor.fetchall()), "What opens an account is stored."

    nora_s = Client()
    assert open_link(Client(), link[:-3] + "xy/") is None, "Not her secret."
    page = open_link(nora_s, link)
    assert token not in page
    refused = choose(nora_s, page, "short")
    assert "at least 12 characters" in text(parse(refused))
    assert choose(nora_s, page)["Location"] == SET_UP
    assert not is_in(nora_s)
    done = nora_s.post(SET_UP, {"code": shown_code(nora_s.get(SET_UP))})
    assert recovery_codes(done) and is_in(nora_s)
    assert nora_s.get(INBOX).status_code == 200 and nora_s.get(ACCOUNTS).status_code == 403
    assert open_link(Client(), link) is None, "The link worked twice."
    listed = said(owner.get(ACCOUNTS))
    assert "Nora Bell" in listed and "Active" in listed
    # A new address is one to sign in with as well.
    form = f"{ACCOUNTS}{user.pk}/"
    assert "They sign in with this address." in said(owner.get(form))
    assert "They sign in with the username sam." in said(owner.get(f"{ACCOUNTS}{staff.pk}/"))
    User.objects.create_user("Cy@example.com", is_staff=True)
    refused = said(owner.post(form, nora(email="cy@example.com")))
    assert "There is already an account for cy@example.com." in refused
    User.objects.filter(pk=user.pk).update(username="Nora@Example.com")
    moved = said(owner.post(form, nora(email="Bell@example.com"), follow=True))
    assert "They now sign in with bell@example.com." in moved and "emailing" not in moved
    assert password(Client(), "bell@example.com", NEW)["Location"] == CODE
    assert "not right" in text(parse(password(Client(), "nora@example.com", NEW)))
    assert is_in(nora_s)
    assert [(each.user, each.get_change_message()) for each in LogEntry.objects.filter(object_id=str(user.pk))] == [
        (staff, "Changed the email address, and the username with it."),
        (user, "Set up a second factor. Every other session ended."),
        (user, "Accepted the invitation, and chose a password."),
        (staff, "Invited as reception."),
    ]
    assert "Email address or username" in text(parse(Client().get(LOGIN)))
    User.objects.exclude(pk=user.pk).update(username=F("email"))
    labels = [text(each) for each in parse(Client().get(LOGIN)).iter("label")]
    assert labels == ["Email address", "Password"], "Here everybody signs in with their address."


@pytest.mark.both
@pytest.mark.long
def test_an_invitation_ends_after_a_day_and_is_renewed_with_one_press(owner, staff, mail_through, clock):
    owner.post(INVITE, nora())
    deliver()
    user = User.objects.get(username="nora@example.com")
    first = link_in(mail_through.received[-1][1])
    clock(24 * 3600 + 60)
    assert "This invitation no longer works" in text(parse(Client().get(first)))
    sign_in(owner, staff)
    assert "Invitation expired" in said(owner.get(ACCOUNTS))
    assert "Invited them again." in said(owner.post(f"{ACCOUNTS}{user.pk}/second-factor/", follow=True))
    deliver()
    second = link_in(mail_through.received[-1][1])
    assert open_link(Client(), first) is None
    client = Client()
    assert choose(client, open_link(client, second))["Location"] == SET_UP

    # Sent to somebody else, who has chosen a password by now.
    other = {"email": "Nora.Bell@example.com"}
    corrected = said(owner.post(f"{ACCOUNTS}{user.pk}/", nora(**other), follow=True))
    assert (
        "We are emailing a link to Nora.Bell@example.com." in corrected and "sent before no longer works" in corrected
    )
    deliver()
    to, mail = mail_through.received[-1]
    assert to == ["Nora.Bell@example.com"] and "Your username: nora.bell@example.com" in text_of(mail)
    assert not User.objects.get(pk=user.pk).has_usable_password()
    assert open_link(Client(), second) is None and open_link(Client(), link_in(mail))
    count = len(mail_through.received)
    owner.post(f"{ACCOUNTS}{user.pk}/", nora(**other, last_name="Ball"))
    deliver()
    assert len(mail_through.received) == count, "Invited again for a new name."

    # One that bounced says so, and one that nobody used can be taken back.
    OutgoingMessage.objects.filter(staff=user).update(
        state=MessageState.FAILED, error="SMTPRecipientsRefused 550", sent_at=None
    )
    assert "The invitation was not delivered: There is no such mailbox" in said(owner.get(ACCOUNTS))
    owner.post(f"{ACCOUNTS}{user.pk}/delete/")
    assert not User.objects.filter(pk=user.pk).exists()
    refused = owner.post(f"{ACCOUNTS}{staff.pk}/delete/", follow=True)
    assert "This account has been used" in said(refused) and User.objects.filter(pk=staff.pk).exists()


@pytest.mark.both
@pytest.mark.long
def test_who_is_deactivated_is_out_at_once_and_their_enquiries_are_in_the_queue(
    owner, staff, rita, codes, mail_through
):
    enquiry, seen = in_hand(rita)
    client = Client()
    sign_in(client, rita)
    deactivate = f"{ACCOUNTS}{rita.pk}/deactivate/"
    shown = rita.team_member
    assert "Rita Shaw" in said(Client().get("/about/"))
    asked = said(owner.get(deactivate))
    assert "“About” show Rita Shaw to patients" in asked and "Take Rita Shaw off the public pages" in asked
    [offered] = [each for each in tree(owner.get(deactivate)).iter("input") if each.get("name") == "hide"]
    assert offered.get("checked") is not None
    work = [
        "2 open enquiries",
        "1 planned call",
        "1 appointment to come",
        "1 unsent draft",
        "1 unsaved change of a fact sheet",
    ]
    for line in (*work, "Nobody yet: back in the queue, unassigned"):
        assert line in asked
    assert is_in(client), "Looking must change nothing."
    answer = owner.post(deactivate, {"to": "", "hide": "on"}, follow=True)
    assert "Rita Shaw" not in said(Client().get("/about/")) + said(Client().get("/"))
    people = "/admin/factsheets/teammember/"
    assert "rita (deactivated)" in said(owner.get(people))
    assert "(rita, deactivated)" in said(owner.get(f"{people}{shown.pk}/change/"))
    [hidden] = LogEntry.objects.filter(content_type__model="teammember", object_id=str(shown.pk))
    assert (hidden.user, hidden.get_change_message()) == (staff, "Taken off the public pages.")
    assert "Rita can no longer sign in." in said(answer) and "Deactivated" in said(answer)
    assert f"Back in the queue: {', '.join(work)}. See Unassigned." in said(answer)
    assert "Patients with an appointment have not been told." in said(answer)
    assert not is_in(client) and "not right" in text(parse(password(Client())))
    assert enquiry.reference not in said(owner.get(f"{INBOX}?queue=cover"))
    assert enquiry.reference in said(owner.get(f"{INBOX}?queue=nobody"))
    booked = Enquiry.objects.get(pk=seen.pk)
    assert (booked.owner, booked.appointment.with_whom, booked.status) == (None, None, "booked")
    assert autosave.stored(enquiry, staff) == {"note": "Half a thought"}, "What was typed is lost."
    assert UnsavedEdit.objects.get().by == staff
    assert Client().post("/admin/login/forgotten/", {"email": rita.email}).status_code == 302
    deliver()
    assert rita.email not in {each for to, _ in mail_through.received for each in to}
    assert "can sign in again" in said(owner.post(f"{ACCOUNTS}{rita.pk}/reactivate/", follow=True))
    assert not is_in(client), "A session from before went on."
    assert password(client)["Location"] == CODE
    # An editor opens no enquiries, so what she has again is in a queue of its own.
    triage.triage(enquiry=enquiry, by=staff, owner=User.objects.get(pk=rita.pk), change_owner=True)
    answer = owner.post(f"{ACCOUNTS}{rita.pk}/", nora(email=rita.email, role="editor"), follow=True)
    assert "Their 1 open enquiry is now in Colleague away." in said(answer)
    cover = owner.get(f"{INBOX}?queue=cover")
    assert enquiry.reference in said(cover) and "can no longer open enquiries, and has 1. Hand over their work" in said(
        cover
    )
    # So has one who was deactivated before there was a handover. The form is the same, and it is one press.
    User.objects.filter(pk=rita.pk).update(is_active=False)
    hand_over = f"{ACCOUNTS}{rita.pk}/hand-over/"
    assert hand_over in cover.content.decode() + owner.get(f"{ACCOUNTS}{rita.pk}/").content.decode()
    assert "1 open enquiry" in said(owner.get(hand_over))
    done = said(owner.post(hand_over, {"to": staff.pk}, follow=True))
    assert "Handed over to Sam: 1 open enquiry" in done and Enquiry.objects.get(pk=enquiry.pk).owner == staff
    assert "Hand over" not in said(owner.get(f"{INBOX}?queue=cover"))
    of_staff = owner.post(f"{ACCOUNTS}{staff.pk}/hand-over/", {"to": ""}, follow=True)
    assert "They still work in the inbox." in said(of_staff) and Enquiry.objects.get(pk=enquiry.pk).owner == staff
    about = LogEntry.objects.filter(object_id=str(rita.pk), content_type__model="user")
    history = [each.get_change_message() for each in about]
    assert history == [
        "Handed over to Sam: 1 open enquiry, 1 planned call.",
        "Changed the role from reception to editor. Changed the name.",
        "Activated the account again.",
        f"Deactivated the account and ended its sessions. Back in the queue: {', '.join(work)}. "
        "Taken off the public pages.",
    ]


@pytest.mark.usefixtures("owner")
@pytest.mark.long
def test_a_colleague_takes_over_all_of_it_at_once_and_patients_hear_whom_they_see(owner, staff, rita, mail_through):
    enquiry, seen = in_hand(rita)
    nora = person("Nora", "clinician")
    autosave.add(enquiry, nora, "note", "Mine")
    another = consultation(name="Bo", email="bo@example.com", phone="07700 900111")
    at = seen.appointment.starts_at
    appointments.book(enquiry=another, by=nora, at=at, channel="phone", with_whom=nora.team_member, sure=None)
    editor = person("Edith", "editor")
    stays = rita.team_member
    deactivate = f"{ACCOUNTS}{rita.pk}/deactivate/"
    assert "can no longer open enquiries" in said(owner.post(deactivate, {"to": editor.pk}))
    clash = owner.post(deactivate, {"to": nora.pk})
    assert "Nora has another appointment" in said(clash) and "Nothing was changed." in said(clash)
    assert User.objects.get(pk=rita.pk).is_active and Enquiry.objects.get(pk=enquiry.pk).owner == rita
    [sure] = [each.get("value") for each in tree(clash).iter("input") if each.get("name") == "sure"]
    done = said(owner.post(deactivate, {"to": nora.pk, "sure": sure}, follow=True))
    assert "Handed over to Nora: 2 open enquiries, 1 planned call" in done and "have not been told" not in done
    assert TeamMember.objects.get(pk=stays.pk).shown, "Left unticked, it stays."
    for each in (enquiry, seen):
        now = Enquiry.objects.get(pk=each.pk)
        assert now.owner == nora and now.version > each.version
    assert (now.appointment.with_whom, now.appointment.starts_at, now.appointment.sequence) == (
        nora.team_member,
        at,
        1,
    )
    assert Enquiry.objects.get(pk=enquiry.pk).next_call_at is not None
    assert autosave.stored(enquiry, nora) == {"note": "Mine\n\nHalf a thought"}
    assert UnsavedEdit.objects.get().by == staff, "A clinician could not save it."
    deliver()
    told = next(text_of(mail) for to, mail in reversed(mail_through.received) if to == [seen.email])
    assert "The time is the same" in told and "With: Nora" in told
    line = LogEntry.objects.filter(object_id=str(rita.pk)).first().get_change_message()
    assert line.startswith("Deactivated the account and ended its sessions. Handed over to Nora: 2 open enquiries")
    assert "Assigned to Nora" in said(owner.get("/admin/who-did-what/", {"reference": enquiry.reference}))


@pytest.mark.both
@pytest.mark.long
def test_an_owner_who_can_sign_in_always_stays(owner, staff):
    only = "This is the only owner who can sign in."
    sam = {"first_name": "Sam", "email": staff.email}
    owner.post(INVITE, nora(role="owner"))  # does not count before she has signed in
    assert only in said(owner.post(f"{ACCOUNTS}{staff.pk}/", sam | {"role": "editor"}))
    assert only in said(owner.post(f"{ACCOUNTS}{staff.pk}/deactivate/", follow=True))
    staff.refresh_from_db()
    assert staff.is_superuser and staff.is_active and is_in(owner)
    with_second_factor(with_password(User.objects.get(username="nora@example.com")))
    assert owner.post(f"{ACCOUNTS}{staff.pk}/", sam | {"role": "editor"}).status_code == 302
    assert owner.get(ACCOUNTS).status_code == 403


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_two_owners_who_remove_each_other_at_once_leave_one(staff):
    """On two connections: the second waits for the first, and is then an owner no more."""
    other = User.objects.create_superuser("olga", "olga@example.com", first_name="Olga")
    for each in (staff, other):
        with_second_factor(with_password(each))
    removed, may_commit, came_of_it = Event(), Event(), []

    def first():
        try:
            with transaction.atomic():
                accounts.deactivate(user=other, by=staff)
                removed.set()
                assert may_commit.wait(10)
        finally:
            removed.set()
            connections.close_all()

    def second():
        try:
            sam = {"email": staff.email, "first_name": "Sam", "last_name": "", "role": "editor"}
            accounts.change(user=staff, by=other, **sam)
            came_of_it.append("Sam is an owner no more.")
        except accounts.Refused as refusal:
            came_of_it.append(str(refusal))
        finally:
            connections.close_all()

    threads = [Thread(target=first), Thread(target=second)]
    threads[0].start()
    assert removed.wait(10)
    threads[1].start()
    threads[1].join(0.7)
    assert threads[1].is_alive() and not came_of_it, "The second did not wait."
    may_commit.set()
    for each in threads:
        each.join()
    assert came_of_it == [accounts.NO_OWNER]
    assert [each.pk for each in User.objects.filter(is_superuser=True, is_active=True)] == [staff.pk]


def test_the_list_asks_the_database_no_more_for_more_accounts(owner):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert owner.get(ACCOUNTS).status_code == 200
        return len(queries)

    asked()  # the first page of a process also reads what every page says of the clinic
    before = asked()
    for number in range(4):
        owner.post(INVITE, nora(email=f"nora{number}@example.com"))
    assert said(owner.get(ACCOUNTS)).count("Invited until") == 4  # with what was said of each, shown once
    assert asked() == before


# --- a password that was forgotten ---

FORGOTTEN = "/admin/login/forgotten/"


def test_a_new_password_by_mail_ends_every_session_and_still_asks_for_the_code(rita, codes, mail_through, clock):
    there, here = Client(), Client()
    sign_in(there, rita)
    assert 'href="/admin/login/forgotten/"' in here.get(LOGIN).content.decode()
    set_clinic(sender_email="", email="")
    told = here.post(FORGOTTEN, {"email": "nobody@example.com"}, follow=True)
    assert "We cannot send any email yet" in text(parse(told)) and "we have emailed" not in text(parse(told))
    set_clinic(sender_email="hello@example.com")
    told = here.post(FORGOTTEN, {"email": "RITA@example.com"}, follow=True)
    assert "If a staff account has this address, we have emailed it" in text(parse(told))
    deliver()
    [(to, mail)] = mail_through.received
    assert to == ["rita@example.com"] and "Your username: rita" in text_of(mail)
    link = link_in(mail)
    page = open_link(here, link)
    other = here.post(page, {"new_password1": NEW, "new_password2": "seven red kettles"})
    assert other.status_code == 200 and is_in(there)
    done = choose(here, page)
    assert done["Location"] == f"{LOGIN}?why=changed"
    assert "Your password is changed" in text(parse(here.get(done["Location"])))
    assert not is_in(there) and not is_in(here)
    assert password(here, word=NEW)["Location"] == CODE
    assert here.post(CODE, {"code": code_of(rita)})["Location"] == DESK
    late = Client().get(link)
    assert "This link no longer works" in text(parse(late))
    # An hour, whichever it is.
    Client().post(FORGOTTEN, {"email": "rita@example.com"})
    deliver()
    newest = link_in(mail_through.received[-1][1])
    clock(3590)
    assert open_link(Client(), newest)
    clock(20)
    assert open_link(Client(), newest) is None


def test_an_address_without_an_account_is_answered_alike_and_nobody_is_flooded(rita, mail_through, monkeypatch):
    def ask(address, place):
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = Client(REMOTE_ADDR=place).post(FORGOTTEN, {"email": address})
        written = [each["sql"].split()[0] for each in queries if each["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
        return answer.status_code, answer.get("Location"), written, len(queries)

    known, unknown = ask(rita.email, "192.0.2.1"), ask("nobody@example.com", "192.0.2.2")
    assert known == unknown and known[0] == 302
    for number in range(4):
        known, unknown = ask(rita.email, f"192.0.2.{number + 3}"), ask("nobody@example.com", f"192.0.2.{number + 20}")
        assert known[:2] == unknown[:2]
    assert known[0] == 429
    assert {ask(f"{number}@example.com", "198.51.100.1")[0] for number in range(10)} == {302}
    refused = Client(REMOTE_ADDR="198.51.100.1").post(FORGOTTEN, {"email": "eleven@example.com"})
    assert refused.status_code == 429 and "eleven@example.com" in refused.content.decode()
    deliver()
    assert len(mail_through.received) == 3
    # Who was never invited to the end has no password to forget.
    new = person("Ned", "editor")
    assert ask(new.email, "192.0.2.99")[0] == 302
    deliver()
    assert len(mail_through.received) == 3


def test_django_s_own_pages_of_users_and_permissions_are_gone(owner, staff):
    for address in ("/admin/auth/user/", "/admin/auth/group/", f"/admin/auth/user/{staff.pk}/change/"):
        assert owner.get(address).status_code == 404
    page = owner.get(DESK)
    assert reverse("admin:accounts") in page.content.decode()
