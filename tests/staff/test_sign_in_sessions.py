"""Where a sign-in leads, how long it lasts, and that nobody stays signed in by mistake."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from backcare.staff import throttle
from tests.conftest import consultation
from tests.support.desk import PASSWORD, code_of, person, with_password, with_second_factor
from tests.support.html import parse, text
from tests.support.sign_in import CODE, DESK, INBOX, LOGIN, SET_UP, is_in, password, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required"), pytest.mark.once]


# --- where it leads ---


@pytest.mark.parametrize(
    "to", ["//evil.example", "/\\evil.example", "https:evil.example", "https://evil.example/", "javascript:alert(1)"]
)
def test_nobody_is_led_to_another_host(client, rita, codes, to):
    assert b"evil" not in client.get(LOGIN, {"next": to}).content.replace(b"canonical", b"")
    password(client, next=to)
    assert client.post(CODE, {"code": code_of(rita)})["Location"] == DESK


def test_every_step_has_a_new_session_and_the_ones_before_are_worth_nothing(client, rita, codes, settings):
    cookie = settings.SESSION_COOKIE_NAME
    client.cookies[cookie] = "a" * 32  # what an attacker put into the browser
    password(client)
    half = client.cookies[cookie].value
    client.post(CODE, {"code": code_of(rita)})
    whole = client.cookies[cookie].value
    assert len({"a" * 32, half, whole}) == 3
    for old in ("a" * 32, half):
        other = Client()
        other.cookies[cookie] = old
        assert not is_in(other)
    client.post("/admin/logout/")
    other = Client()
    other.cookies[cookie] = whole
    assert not is_in(other)


def test_a_session_that_somebody_else_put_into_the_browser_is_left_behind(client, rita, codes, settings):
    cookie = settings.SESSION_COOKIE_NAME
    stranger = Client()
    password(stranger, with_password(person("Sly", "reception")).username)
    client.cookies[cookie] = stranger.cookies[cookie].value
    password(client)
    assert client.get(CODE).status_code == 200
    assert stranger.get(CODE)["Location"] == LOGIN
    assert stranger.get(SET_UP)["Location"] == LOGIN


def test_cookies_are_for_the_desk_alone_and_out_of_reach(client, rita, codes):
    answer = sign_in(client, rita)
    session, known = answer.cookies["sessionid"], answer.cookies[throttle.COOKIE.name]
    assert session["httponly"]
    assert session["samesite"] == "Lax"
    assert known["httponly"]
    assert known["samesite"] == "Strict"
    assert known["path"] == DESK
    assert "rita" not in known.value


# --- how long ---


def test_fifteen_idle_minutes_sign_out_and_say_so(client, rita, codes, clock):
    sign_in(client, rita)
    for _ in range(4):
        clock(14 * 60)
        assert is_in(client)
    clock(15 * 60 + 1)
    answer = client.get(INBOX)
    assert answer["Location"] == f"{LOGIN}?next=%2Fadmin%2Fenquiries%2Fenquiry%2F&why=idle"
    page = client.get(answer["Location"])
    assert "not active for a while" in text(parse(page))
    password(client, next=INBOX)
    clock(31)
    assert client.post(CODE, {"code": code_of(rita)})["Location"] == INBOX


@pytest.mark.long
def test_twelve_hours_are_the_longest_however_busy(client, rita, codes, clock):
    sign_in(client, rita)
    for _ in range(12 * 6 - 1):
        clock(10 * 60)
        assert is_in(client)
    clock(10 * 60)
    assert "why=long" in client.get(DESK)["Location"]


def test_the_password_waits_ten_minutes_for_its_code(client, rita, codes, clock):
    password(client)
    clock(601)
    assert client.post(CODE, {"code": code_of(rita)})["Location"] == LOGIN
    assert not is_in(client)


def test_a_password_that_is_changed_or_an_account_that_is_shut_ends_a_half_sign_in(rita, codes):
    for change in ({"password": "x"}, {"is_active": False}, {"is_staff": False}):
        with_password(rita)
        User.objects.filter(pk=rita.pk).update(is_active=True, is_staff=True)
        client = Client()
        password(client)
        User.objects.filter(pk=rita.pk).update(**change)
        assert client.post(CODE, {"code": code_of(rita)})["Location"] == LOGIN


@pytest.mark.parametrize("how", ["idle", "without a cookie"])
def test_what_was_written_is_given_back_after_a_sign_out_and_can_be_sent_again(client, rita, codes, clock, how):
    enquiry = consultation()
    sign_in(client, rita)
    address = reverse("admin:enquiries_enquiry_change", args=[enquiry.pk])
    note = "\nI rang her at ten.\nShe said <b>Monday</b> & “maybe”."
    if how == "idle":
        clock(16 * 60)
    else:
        client.cookies.clear()
    answer = client.post(address, {"note": note, "owner": "", "password": ""})
    assert note.encode() not in answer.content, "A password goes along, so nothing is repeated."
    answer = client.post(address, {"note": note, "owner": "", "go": "yes"})
    assert answer.status_code == 403
    assert "no-store" in answer["Cache-Control"]
    page = parse(answer)
    [form] = [each for each in page.iter("form") if each.get("action") == address]
    [kept] = list(form.iter("textarea"))
    hidden = {each.get("name"): each.get("value") for each in form.iter("input") if each.get("type") == "hidden"}
    assert kept.get("name") == "note"
    assert kept.text == note
    assert {name: hidden[name] for name in ("owner", "go")} == {"owner": "", "go": "yes"}
    assert "What you typed is safe" in text(page)
    # Nothing of it is kept on our side.
    assert not any("Monday" in repr(row.get_decoded()) for row in Session.objects.all())


# --- every session at once ---


def test_a_changed_password_ends_every_other_session(rita, codes):
    here, there = Client(), Client()
    sign_in(here, rita)
    sign_in(there, rita)
    new = "a quite different password " + "x" * 64
    answer = here.post(
        "/admin/password_change/", {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    )
    assert answer.status_code == 302, text(parse(answer))
    assert is_in(here)
    assert not is_in(there)
    assert password(Client(REMOTE_ADDR="192.0.2.1"), word=new)["Location"] == CODE
    short = here.post(
        "/admin/password_change/", {"old_password": new, "new_password1": "elevenchars", "new_password2": "elevenchars"}
    )
    assert "at least 12 characters" in short.content.decode()


def test_signing_out_everywhere_does(rita, codes, staff):
    with_second_factor(staff)
    here, there, other = Client(), Client(), Client()
    sign_in(here, rita)
    sign_in(there, rita)
    sign_in(other, staff)
    everywhere = reverse("admin:sign_out_everywhere")
    assert here.get(everywhere).status_code == 405
    assert is_in(there)
    answer = here.post(everywhere)
    assert answer["Location"].startswith(LOGIN)
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not is_in(here)
    assert not is_in(there)
    assert is_in(other)


def test_signing_out_clears_what_the_browser_kept(client, rita, codes):
    sign_in(client, rita)
    answer = client.post("/admin/logout/")
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert "You are signed out" in text(parse(answer))
    assert not is_in(client)
    assert not Session.objects.exists()
