"""Nobody guesses a password or a code, learns who works here, or locks a colleague out."""

import re
import subprocess
import sys
import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client, RequestFactory

from backcare.core.models import Limit
from backcare.staff import throttle
from tests.conftest import database_environment
from tests.support.desk import PASSWORD, code_of, person, with_password, with_second_factor
from tests.support.html import parse, text
from tests.support.processes import start_process
from tests.support.sign_in import CODE, LOGIN, is_in, password, sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]


@pytest.mark.long
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
    for name in ("rita", "Rita", "RITA", "riTa", "rita"):
        assert password(client, name, "wrong").status_code == 200
    refused = password(client)
    assert refused.status_code == 429
    assert 240 < int(refused["Retry-After"]) <= 350
    assert "Wait" in text(parse(refused))
    assert "no-store" in refused["Cache-Control"]
    clock(int(refused["Retry-After"]) + 1)
    assert password(client, "Rita")["Location"] == CODE, "A phone begins a name with a capital."
    assert password(Client(), "Rita@Example.com")["Location"] == CODE, "Not everybody remembers a username."


def test_codes_are_throttled_with_the_passwords(client, rita, codes):
    password(client)
    tries = [client.post(CODE, {"code": "000000"}).status_code for _ in range(8)]
    assert tries == [200] * 5 + [429] * 3
    assert client.post(CODE, {"code": code_of(rita)}).status_code == 429, "The right one waits too."
    assert client.post(f"{CODE}?recovery", {"code": codes[0]}).status_code == 429
    assert password(client).status_code == 429


@pytest.mark.long
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
    client.cookies[throttle.COOKIE.name] = "made:up"
    assert password(client).status_code == 429


@pytest.mark.long
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
from django.test import Client, RequestFactory
client = Client(SERVER_NAME="localhost")
print("ready", flush=True)
sys.stdin.readline()
print([client.post("/admin/login/", {"username": "rita", "password": "wrong"}).status_code for _ in range(8)].count(200))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.long
def test_two_processes_at_once_share_the_throttle(rita):
    environment = database_environment()
    with start_process(
        [sys.executable, "-c", GUESSER],
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


@pytest.mark.long
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


def test_guesses_from_everywhere_at_once_leave_threads_to_readers(client, rita, codes):
    sign_in(client, rita)  # a browser that is known
    client.post("/admin/logout/")
    stranger = Client(REMOTE_ADDR="192.0.2.7")
    with throttle.turn(RequestFactory().get(LOGIN), "somebody"), throttle.IN_LINE:  # one is compared, one waits
        refused = password(stranger)
        assert (refused.status_code, refused["Retry-After"]) == (429, "2")
        assert "we did not check your password" in text(parse(refused))
        assert 'value="rita"' in refused.content.decode(), "What was typed is gone."
        waiting = threading.Timer(0.3, throttle.COMPARING.release)
        waiting.start()
        assert password(client)["Location"] == CODE, "Who works here waits for a moment, and comes in."
        throttle.COMPARING.acquire()
    # Nothing was used up.
    assert [password(stranger, word="wrong").status_code for _ in range(6)] == [200] * 5 + [429]
