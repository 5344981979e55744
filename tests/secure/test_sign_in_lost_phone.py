"""A lost phone: recovery codes, another phone, and the owner's or a command's reset."""

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from backcare.staff import factor
from backcare.staff.models import Authenticator, RecoveryCode
from tests.desk import with_second_factor
from tests.html import parse, text
from tests.sign_in import CODE, LOGIN, SET_UP, is_in, password, recovery_codes, shown_code, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]


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
        assert "none of your recovery codes" in text(parse(again.post(f"{CODE}?recovery", {"code": code})))
        assert not is_in(again)


def test_another_phone_and_new_codes_need_a_code_and_end_what_was_before(client, rita, codes):
    page = reverse("admin:second_factor")
    sign_in(client, rita)
    other = Client()
    sign_in(other, rita)
    assert client.get(SET_UP)["Location"].startswith(LOGIN), "Nothing was proved."
    assert "neither" in text(parse(client.post(page, {"code": "000000", "do": "phone"})))
    assert client.get(SET_UP)["Location"].startswith(LOGIN)

    new = recovery_codes(client.post(page, {"code": codes[0], "do": "codes"}))
    assert len(new) == 10
    assert not factor.use_recovery_code(user=rita, code=codes[1])

    old = factor.of(rita)
    assert client.post(page, {"code": new[0], "do": "phone"})["Location"] == SET_UP
    shown = client.get(SET_UP)
    assert is_in(client)
    newest = recovery_codes(client.post(SET_UP, {"code": shown_code(shown)}))
    assert len(newest) == 10
    assert is_in(client)
    assert not is_in(other), "A session of the old phone went on."
    assert not Authenticator.objects.filter(pk=old.pk).exists()
    assert not factor.use_recovery_code(user=rita, code=new[1])
    assert factor.use_recovery_code(user=rita, code=newest[1])


def test_the_owner_resets_a_second_factor_and_the_log_says_so(client, rita, codes, staff):
    with_second_factor(staff)
    there = Client()
    sign_in(there, rita)
    sign_in(client, staff)
    account = reverse("admin:auth_user_change", args=[rita.pk])
    reset = reverse("admin:auth_user_reset_second_factor", args=[rita.pk])
    assert f'href="{reset}"'.encode() in client.get(account).content
    assert client.get(reset).status_code == 200
    assert factor.of(rita), "Looking must change nothing."
    assert client.post(reset, follow=True).status_code == 200
    assert not is_in(there)
    assert not factor.of(rita)
    assert not RecoveryCode.objects.filter(user=rita).exists()
    entry = LogEntry.objects.first()
    assert (entry.user, entry.object_id) == (staff, str(rita.pk))
    assert "Reset the second factor" in entry.get_change_message()
    again = Client()
    assert password(again)["Location"] == SET_UP
    assert not is_in(again)


def test_only_the_owner_sees_who_has_a_second_factor_and_nobody_sees_a_secret(client, rita, codes, staff):
    with_second_factor(staff)
    app = factor.of(rita)
    addresses = [
        reverse("admin:staff_authenticator_changelist"),
        reverse("admin:staff_authenticator_change", args=[app.pk]),
        reverse("admin:auth_user_change", args=[rita.pk]),
        reverse("admin:auth_user_reset_second_factor", args=[staff.pk]),
    ]
    sign_in(client, rita)
    for address in addresses:
        assert client.get(address).status_code == 403
        assert client.post(address).status_code == 403
    assert factor.of(staff)
    owner = Client()
    sign_in(owner, staff)
    for address in [*addresses, reverse("admin:second_factor")]:
        answer = owner.get(address)
        assert answer.status_code == 200
        assert app.secret.encode() not in answer.content
        assert b"otpauth" not in answer.content
    assert owner.post(reverse("admin:staff_authenticator_delete", args=[app.pk])).status_code == 403


def test_a_command_resets_it_too(client, rita, codes):
    sign_in(client, rita)
    said = io.StringIO()
    call_command("reset_second_factor", "rita", stdout=said)
    assert "no second factor any more" in said.getvalue()
    assert not factor.of(rita)
    assert not is_in(client)
    assert "command line" in LogEntry.objects.first().get_change_message()
    with pytest.raises(CommandError, match="no account “ritta”"):
        call_command("reset_second_factor", "ritta")
