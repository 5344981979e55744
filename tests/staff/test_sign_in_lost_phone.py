"""A lost phone: recovery codes, another phone, and an owner's or a command's reset, which is an invitation for a day."""

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from backcare.staff import totp
from backcare.staff.models import Authenticator, Invitation, RecoveryCode
from tests.support.desk import values_of, with_second_factor
from tests.support.html import parse, text, tree
from tests.support.sign_in import CODE, LOGIN, SET_UP, is_in, password, recovery_codes, shown_code, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required"), pytest.mark.once]


def test_a_recovery_code_lets_in_once(client, rita, codes):
    typed = codes[3].upper().replace("-", " ")
    password(client)
    page = client.get(f"{CODE}?recovery")
    assert "recovery codes" in text(parse(page))
    assert client.post(f"{CODE}?recovery", {"code": typed})["Location"] == reverse("admin:second_factor")
    page = client.get(reverse("admin:second_factor"))
    assert "You have 9 recovery codes left." in text(parse(page))
    for code in (codes[3], "not-one-of-them"):
        again = Client()
        password(again)
        assert "not one of your recovery codes" in text(parse(again.post(f"{CODE}?recovery", {"code": code})))
        assert not is_in(again)


def test_another_phone_and_new_codes_need_a_code_and_end_what_was_before(client, rita, codes):
    page = reverse("admin:second_factor")
    sign_in(client, rita)
    other = Client()
    sign_in(other, rita)
    assert client.get(SET_UP)["Location"].startswith(LOGIN), "Nothing was proved."
    assert "not a code from your app" in text(parse(client.post(page, {"code": "000000", "do": "phone"})))
    assert client.get(SET_UP)["Location"].startswith(LOGIN)

    new = recovery_codes(client.post(page, {"code": codes[0], "do": "codes"}))
    assert len(new) == 10
    assert not totp.use_recovery_code(user=rita, code=codes[1])

    old = totp.of(rita)
    assert client.post(page, {"code": new[0], "do": "phone"})["Location"] == SET_UP
    shown = client.get(SET_UP)
    assert is_in(client)
    newest = recovery_codes(client.post(SET_UP, {"code": shown_code(shown)}))
    assert len(newest) == 10
    assert is_in(client)
    assert not is_in(other), "A session of the old phone went on."
    assert not Authenticator.objects.filter(pk=old.pk).exists()
    assert not totp.use_recovery_code(user=rita, code=new[1])
    assert totp.use_recovery_code(user=rita, code=newest[1])


def test_the_owner_resets_a_second_factor_and_the_log_says_so(client, rita, codes, staff):
    with_second_factor(staff)
    there = Client()
    sign_in(there, rita)
    sign_in(client, staff)
    account = reverse("admin:account", args=[rita.pk])
    reset = reverse("admin:account_second_factor", args=[rita.pk])
    assert f'href="{reset}"'.encode() in client.get(account).content
    assert client.get(reset).status_code == 200
    assert totp.of(rita), "Looking must change nothing."
    assert client.post(reset, follow=True).status_code == 200
    assert not is_in(there)
    assert not totp.of(rita)
    assert not RecoveryCode.objects.filter(user=rita).exists()
    entry = LogEntry.objects.first()
    assert (entry.user, entry.object_id) == (staff, str(rita.pk))
    assert "Reset the second factor" in entry.get_change_message()
    again = Client()
    assert password(again)["Location"] == SET_UP
    assert not is_in(again)
    # An invitation is used up: whoever knows the password has no use of what is left of its day.
    again.post(SET_UP, {"code": shown_code(again.get(SET_UP))})
    assert is_in(again)
    assert not Invitation.objects.exists()


def test_nobody_resets_their_own_second_factor_on_the_desk(client, staff):
    with_second_factor(staff)
    sign_in(client, staff)
    reset = reverse("admin:account_second_factor", args=[staff.pk])
    asked, refused = client.get(reset), client.post(reset)
    assert (asked.status_code, refused.status_code) == (200, 403)
    for page in (asked, refused):
        assert "ask another owner" in text(parse(page)) and "Nothing was changed" in text(parse(page))
        assert not [each for each in parse(page).iter("form") if not each.get("id")]
    assert totp.of(staff) and is_in(client)
    with pytest.raises(totp.OwnAccount):
        totp.reset(user=staff, by=staff)


@pytest.mark.long
def test_without_a_second_factor_an_account_opens_nothing_after_its_first_day_until_an_owner_invites_again(
    client, clock, rita, staff
):
    with_second_factor(staff)
    clock(24 * 3600 - 60)
    password(client)
    page = client.get(SET_UP)
    assert "You can do it until" in text(parse(page))
    code = shown_code(page)
    clock(120)
    late = client.post(SET_UP, {"code": code})
    assert late.status_code == 403 and "Ask an owner of this site to invite you again." in text(parse(late))
    assert not totp.of(rita) and not is_in(client)
    assert b"otpauth" not in late.content + client.get(SET_UP).content

    owner = Client()
    sign_in(owner, staff)
    assert "Invitation expired" in text(tree(owner.get(reverse("admin:accounts"))))
    account = reverse("admin:account", args=[rita.pk])
    assert "Invite again" in text(tree(owner.get(account)))
    # The first day cannot be had again by moving the date: it is no field of the form.
    assert "date_joined" not in values_of(owner.get(account))
    invited = owner.post(reverse("admin:account_second_factor", args=[rita.pk]), follow=True)
    assert "They can set up a second factor until" in text(tree(invited))
    assert "Invited them again" in LogEntry.objects.first().get_change_message()
    # The page that was refused works now, without signing in again.
    assert client.post(SET_UP, {"code": shown_code(client.get(SET_UP))}).status_code == 200
    assert is_in(client)
    clock(25 * 3600)
    again = Client()
    assert password(again)["Location"] == CODE, "Who has a second factor needs no invitation."


def test_only_the_owner_sees_who_has_a_second_factor_and_nobody_sees_a_secret(client, rita, codes, staff):
    with_second_factor(staff)
    app = totp.of(rita)
    addresses = [
        reverse("admin:accounts"),
        reverse("admin:account", args=[rita.pk]),
        reverse("admin:account_second_factor", args=[staff.pk]),
    ]
    sign_in(client, rita)
    for address in addresses:
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403
    assert totp.of(staff)
    owner = Client()
    sign_in(owner, staff)
    for address in [*addresses, reverse("admin:second_factor")]:
        answer = owner.get(address)
        assert answer.status_code == 200
        assert app.secret.encode() not in answer.content
        assert b"otpauth" not in answer.content


def test_a_command_resets_it_too(client, rita, codes):
    sign_in(client, rita)
    said = io.StringIO()
    call_command("reset_second_factor", "rita", stdout=said)
    assert "no longer has a second factor" in said.getvalue()
    assert "anyone who knows the password of rita can set up a new second factor" in said.getvalue()
    assert password(Client())["Location"] == SET_UP and totp.invited_until(rita)
    assert not totp.of(rita)
    assert not is_in(client)
    assert "command line" in LogEntry.objects.first().get_change_message()
    with pytest.raises(CommandError, match="no account “ritta”"):
        call_command("reset_second_factor", "ritta")
