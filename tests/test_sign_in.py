"""Nobody gets in without a password and a code, nobody guesses either, and nobody stays signed in by mistake."""

import base64
import io
import re
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from django_otp.oath import hotp

from backcare.models import Limit
from backcare.staff import factor, throttle
from backcare.staff.models import Authenticator, RecoveryCode
from tests.conftest import ROOT, consultation, database_environment
from tests.desk import PASSWORD, code_of, person, with_password, with_second_factor
from tests.html import parse, text

pytestmark = pytest.mark.django_db

LOGIN, CODE, SET_UP, DESK = "/admin/login/", "/admin/login/code/", "/admin/login/set-up/", "/admin/"
INBOX = "/admin/enquiries/enquiry/"


@pytest.fixture(autouse=True)
def required(settings):
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def rita(db):
    return with_password(person("Rita", "reception"))


@pytest.fixture
def codes(rita):
    """Rita has an app and recovery codes."""
    return with_second_factor(rita)


def password(client, name="rita", word=PASSWORD, **more):
    return client.post(LOGIN, {"username": name, "password": word, **more})


def sign_in(client, user, **more):
    password(client, user.username, **more)
    answer = client.post(CODE, {"code": code_of(user)})
    assert answer.status_code == 302, text(parse(answer))
    return answer


def is_in(client) -> bool:
    return client.get(DESK).status_code == 200


def shown_secret(page) -> str:
    [key] = [each for each in parse(page).iter("code") if each.get("class") == "key"]
    return text(key).replace(" ", "")


def code_for(secret: str, *, step=0) -> str:
    """What an app with this secret shows now, or so many times thirty seconds later."""
    return f"{hotp(base64.b32decode(secret), int(time.time()) // 30 + step):06}"


def shown_code(page, *, step=0) -> str:
    return code_for(shown_secret(page), step=step)


def recovery_codes(page) -> list[str]:
    return [text(each) for each in parse(page).iter("code")]


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test moves, in seconds, for everything that asks what time it is."""
    moved = {"by": 0.0}
    real, real_now = time.time, timezone.now
    monkeypatch.setattr(time, "time", lambda: real() + moved["by"])
    monkeypatch.setattr(timezone, "now", lambda: real_now() + timedelta(seconds=moved["by"]))

    def forward(seconds):
        moved["by"] += seconds

    return forward


# --- two factors ---


def test_password_and_code_let_in_and_lead_to_where_one_was_going(client, rita, codes):
    answer = client.get(INBOX)
    assert answer["Location"] == f"{LOGIN}?next=%2Fadmin%2Fenquiries%2Fenquiry%2F"
    assert parse(client.get(answer["Location"]))
    answer = password(client, next=INBOX)
    assert answer["Location"] == CODE
    assert not is_in(client)
    answer = client.post(CODE, {"code": code_of(rita)})
    assert answer["Location"] == INBOX
    assert client.get(INBOX).status_code == 200


def test_a_code_works_once_and_an_old_one_or_another_ones_not_at_all(client, rita, codes):
    other = with_password(person("Olga", "reception"))
    with_second_factor(other)
    used = code_of(rita)
    password(client)
    client.post(CODE, {"code": used})
    assert is_in(client)
    wrong = [used, code_for(factor.of(rita).secret, step=-2), code_of(other), "123", "", "١٢٣٤٥٦", "abcdef"]
    for code in wrong[:4]:
        again = Client()
        password(again)
        answer = again.post(CODE, {"code": code})
        assert answer.status_code == 200
        assert "That code is not right" in text(parse(answer))
        assert not is_in(again)
    for code in wrong[4:]:
        assert not factor.use_code(app=factor.of(rita), code=code)


def test_the_same_code_in_two_sessions_at_once_lets_one_in(rita, codes):
    first, second = Authenticator.objects.get(user=rita), Authenticator.objects.get(user=rita)
    code = code_of(rita)
    assert [factor.use_code(app=first, code=code), factor.use_code(app=second, code=code)] == [True, False]


def test_a_member_of_staff_without_a_second_factor_sets_one_up_before_anything_else(client, rita):
    answer = password(client, next=INBOX)
    assert answer["Location"] == SET_UP
    page = client.get(SET_UP)
    assert "no-store" in page["Cache-Control"]
    assert b"<svg" in page.content
    assert b"style=" not in page.content
    assert shown_secret(client.get(SET_UP)) == shown_secret(page), "A second look must show the same picture."
    wrong = client.post(SET_UP, {"code": "000000"})
    assert "That code is not right" in text(parse(wrong))
    assert not is_in(client)
    done = client.post(SET_UP, {"code": shown_code(page)})
    shown = recovery_codes(done)
    assert len(set(shown)) == 10
    assert INBOX in {each.get("href") for each in parse(done).iter("a")}
    assert is_in(client)
    # Shown once: neither the codes nor the secret are on any page again, nor in the database as they were shown.
    assert client.get(SET_UP)["Location"].startswith(LOGIN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM staff_recoverycode")
        stored = repr(cursor.fetchall())
        cursor.execute("SELECT secret FROM staff_authenticator")
        sealed = bytes(cursor.fetchone()[0])
    assert not any(code in stored or code.replace("-", "") in stored for code in shown)
    assert factor.of(rita).secret.encode() not in sealed


def test_a_secret_that_somebody_saw_in_another_session_is_not_taken_into_use(rita):
    stranger, mine = Client(), Client()
    password(stranger)
    seen = stranger.get(SET_UP)
    password(mine)
    page = mine.get(SET_UP)
    assert shown_secret(page) != shown_secret(seen)
    mine.post(SET_UP, {"code": shown_code(page)})
    assert is_in(mine)
    stranger.post(SET_UP, {"code": shown_code(seen, step=1)})
    assert not is_in(stranger)
    assert Authenticator.objects.filter(user=rita).count() == 1


def test_who_has_a_second_factor_cannot_set_up_another_with_the_password_alone(client, rita, codes):
    password(client)
    for answer in (client.get(SET_UP), client.post(SET_UP, {"code": "000000"})):
        assert answer["Location"] == CODE
    assert Authenticator.objects.filter(user=rita).count() == 1


def admin_addresses() -> list[str]:
    """Every address of the desk, made from the list of addresses itself. A name in it is filled in with 1."""

    def walk(patterns, prefix=""):
        for each in patterns:
            route = prefix + str(each.pattern)
            if isinstance(each, URLResolver):
                yield from walk(each.url_patterns, route)
            elif isinstance(each, URLPattern):
                yield route

    routes = [route for route in walk(get_resolver().url_patterns) if route.startswith("admin/")]
    plain = {"/" + re.sub(r"<[^>]*>", "1", route).replace("^", "").replace("$", "") for route in routes}
    return sorted(f"/admin/{each}" for each in ("unknown/", "enquiries/")) + sorted(
        each for each in plain if "(?P" not in each and "\\" not in each
    )


OPEN = {LOGIN, CODE, SET_UP}


def test_no_address_of_the_desk_opens_before_both_factors(rita, codes):
    addresses = admin_addresses()
    assert len(addresses) > 60
    assert {"/admin/password_change/", "/admin/jsi18n/", "/admin/your-sign-in/", INBOX} <= set(addresses)
    new = with_password(person("Nora", "reception"))
    half, only_password = Client(), Client()
    password(half, new.username)
    only_password.force_login(rita)  # as a session from before there were second factors
    for address in addresses:
        if address in OPEN:
            continue
        for client, ask in ((half, "get"), (half, "post"), (only_password, "get")):
            answer = getattr(client, ask)(address)
            signed_out = address == "/admin/logout/" and answer.status_code in {200, 302, 405}
            refused = answer.status_code == 403 or answer.get("Location", "").startswith((LOGIN, "/admin/?next"))
            assert signed_out or refused, f"{address}: {answer.status_code} {answer.get('Location')}"
        if address == "/admin/logout/":
            password(half, new.username)
            only_password.force_login(rita)


def test_a_local_run_may_do_without_and_asks_who_has_one_all_the_same(client, settings, rita):
    settings.STAFF_SECOND_FACTOR = False
    assert password(client)["Location"] == DESK
    assert is_in(client)
    with_second_factor(rita)
    again = Client()
    assert password(again)["Location"] == CODE
    assert not is_in(again)


# --- a lost phone ---


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


# --- guessing ---


def test_ten_guesses_in_five_minutes_at_most_wherever_they_come_from(client, rita, codes, clock):
    sign_in(client, rita)  # a browser that is known, and so has an allowance of its own
    client.post("/admin/logout/")
    looked_at = 0
    for number in range(60):
        clock(5)
        stranger = Client(REMOTE_ADDR=f"192.0.2.{number}")
        looked_at += password(stranger, word="wrong").status_code == 200
        looked_at += password(client, word="wrong").status_code == 200
    assert looked_at == 10


def test_a_throttled_try_is_not_looked_at_and_waiting_helps(client, rita, codes, clock):
    for _ in range(5):
        assert password(client, word="wrong").status_code == 200
    refused = password(client)
    assert refused.status_code == 429
    assert 240 < int(refused["Retry-After"]) <= 350
    assert "Wait" in text(parse(refused))
    assert "no-store" in refused["Cache-Control"]
    clock(int(refused["Retry-After"]) + 1)
    assert password(client)["Location"] == CODE


def test_codes_are_throttled_with_the_passwords(client, rita, codes):
    password(client)
    tries = [client.post(CODE, {"code": "000000"}).status_code for _ in range(8)]
    assert tries == [200] * 5 + [429] * 3
    assert client.post(CODE, {"code": code_of(rita)}).status_code == 429, "The right one waits too."
    assert client.post(f"{CODE}?recovery", {"code": codes[0]}).status_code == 429
    assert password(client).status_code == 429


def test_codes_are_throttled_by_the_day_as_well(rita, codes, clock):
    tried = 0
    for number in range(36):
        clock(600)
        client = Client(REMOTE_ADDR=f"192.0.2.{number}")
        if password(client).status_code == 302:
            tried += client.post(CODE, {"code": "000000"}).status_code == 200
    assert tried == 30


def test_one_client_cannot_try_many_accounts(client):
    statuses = [password(client, f"user{number}", "wrong").status_code for number in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    assert password(Client(REMOTE_ADDR="192.0.2.9"), "user11", "wrong").status_code == 200


def test_a_forged_address_does_not_help_to_guess(client, rita):
    statuses = [
        client.post(
            LOGIN, {"username": f"user{number}", "password": "x"}, headers={"x-forwarded-for": f"192.0.2.{number}"}
        ).status_code
        for number in range(11)
    ]
    assert statuses[-1] == 429


def test_a_stranger_cannot_lock_out_who_has_signed_in_from_this_browser_before(client, rita, codes):
    sign_in(client, rita)
    client.post("/admin/logout/")
    for number in range(20):
        password(Client(REMOTE_ADDR=f"192.0.2.{number}"), word="wrong")
    assert password(Client(REMOTE_ADDR="198.51.100.1")).status_code == 429
    sign_in(client, rita)
    assert is_in(client)


def test_a_made_up_cookie_or_one_for_another_account_is_no_known_browser(client, rita, codes):
    for number in range(20):
        password(Client(REMOTE_ADDR=f"192.0.2.{number}"), word="wrong")
    other = with_password(person("Olga", "reception"))
    with_second_factor(other)
    sign_in(client, other)
    assert password(client).status_code == 429
    client.cookies[throttle.COOKIE] = "made:up"
    assert password(client).status_code == 429


def test_signing_in_rightly_all_day_is_never_throttled_and_does_not_help_to_guess(rita, codes, clock):
    for _ in range(8):
        clock(31)
        sign_in(Client(), rita)
    statuses = []
    for number in range(20):
        # Between the guesses, an account of one's own: it gives nothing back but its own try.
        statuses.append(password(Client(), f"user{number}", "wrong").status_code)
        password(Client())
    assert statuses == [200] * 10 + [429] * 10


GUESSER = """
import django, sys
django.setup()
from django.test import Client
client = Client(SERVER_NAME="localhost")
print("ready", flush=True)
sys.stdin.readline()
print([client.post("/admin/login/", {"username": "rita", "password": "wrong"}).status_code for _ in range(8)].count(200))
"""


@pytest.mark.django_db(transaction=True)
def test_two_processes_at_once_share_the_throttle(rita):
    environment = database_environment()
    with subprocess.Popen(
        [sys.executable, "-c", GUESSER],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("go\n")
        other.stdin.flush()
        here = [password(Client(), word="wrong").status_code for _ in range(8)].count(200)
        there = int(other.communicate(timeout=60)[0])
    assert here + there == 5
    assert password(Client()).status_code == 429


def answers_to(name: str) -> list[tuple[int, str]]:
    """What a wrong password and then too many of them are answered with, without the minutes."""
    client = Client(REMOTE_ADDR=f"192.0.2.{len(name)}")
    said = []
    for _ in range(7):
        answer = password(client, name, "wrong")
        changing = rf'\d+ minutes?|"{name}"|name="csrfmiddlewaretoken" value="\w+"'
        said.append((answer.status_code, re.sub(changing, "…", answer.content.decode())))
    return said


def test_an_unknown_name_is_answered_like_a_known_one(rita, codes):
    User.objects.create_user("patient1", password=PASSWORD)
    inactive = with_password(person("Ina", "reception"))
    User.objects.filter(pk=inactive.pk).update(is_active=False)
    known = answers_to("rita")
    assert known[0][0] == 200
    assert known[-1][0] == 429
    for name in ("nobody99", "ina", "patient1"):
        assert answers_to(name) == known, name
    # The right password of an account that may not come in says no more.
    for name in ("ina", "patient1"):
        answer = password(Client(REMOTE_ADDR="198.51.100.9"), name)
        if answer.status_code != 429:
            assert "not right" in text(parse(answer))


def test_an_unknown_name_costs_a_password_hash_like_a_known_one(client, rita, monkeypatch):
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    hashed = []
    encode = PBKDF2PasswordHasher.encode

    def counted(self, *args, **kwargs):
        hashed.append(1)
        return encode(self, *args, **kwargs)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)
    password(client, word="wrong")
    known = len(hashed)
    password(client, "nobody", "wrong")
    assert len(hashed) == 2 * known > 0


def test_neither_names_nor_passwords_are_written_down(client, rita, caplog):
    for name, word in (("rita-canary", "canary-word"), ("rita", "canary-word")):
        for _ in range(6):
            password(client, name, word)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM backcare_limit")
        stored = repr(cursor.fetchall())
    assert Limit.objects.count() >= 3
    assert "canary" not in stored + caplog.text
    assert "127.0.0.1" not in stored + caplog.text
    assert "Staff sign-in: a wrong username or password" in caplog.text


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
    session, known = answer.cookies["sessionid"], answer.cookies[throttle.COOKIE]
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
    assert "nothing happened for a while" in text(parse(page))
    password(client, next=INBOX)
    clock(31)
    assert client.post(CODE, {"code": code_of(rita)})["Location"] == INBOX


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
    assert "Your text is not lost" in text(page)
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


def test_an_account_that_is_shut_and_opened_again_has_no_session_left(client, rita, codes, staff):
    with_second_factor(staff)
    sign_in(client, rita)
    owner = Client()
    sign_in(owner, staff)
    for active in (False, True):
        values = {"username": "rita", "is_staff": "on", "date_joined_0": "2026-01-01", "date_joined_1": "09:00:00"}
        values |= {"is_active": "on"} if active else {}
        answer = owner.post(reverse("admin:auth_user_change", args=[rita.pk]), values)
        assert answer.status_code == 302, answer.context["adminform"].errors
        assert not is_in(client)


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
