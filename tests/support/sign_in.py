"""Shared by the tests of staff sign-in: Rita with a second factor, the steps of signing in, and a clock to move."""

import base64
import time
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_otp.oath import hotp

from tests.support.desk import PASSWORD, code_of, person, with_password, with_second_factor
from tests.support.html import parse, text

LOGIN, CODE, SET_UP, DESK = "/admin/login/", "/admin/login/code/", "/admin/login/set-up/", "/admin/"
INBOX = "/admin/enquiries/enquiry/"


@pytest.fixture
def second_factor_required(settings):
    settings.STAFF_SECOND_FACTOR = True


@pytest.fixture
def rita(db):
    return with_password(person("Rita", "reception"))


@pytest.fixture
def codes(rita):
    """Rita has an app and recovery codes."""
    return with_second_factor(rita)


@pytest.fixture
def owner(staff):
    """The browser of Sam, who owns the clinic."""
    with_second_factor(staff)
    client = Client()
    sign_in(client, staff)
    return client


@pytest.fixture
def clock(monkeypatch):
    """A clock, in seconds, that the test moves for everything that asks the time."""
    moved = {"by": 0.0}
    real, real_now = time.time, timezone.now
    monkeypatch.setattr(time, "time", lambda: real() + moved["by"])
    monkeypatch.setattr(timezone, "now", lambda: real_now() + timedelta(seconds=moved["by"]))

    def forward(seconds):
        moved["by"] += seconds

    return forward


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
    """What an app with this secret shows now, or this many half-minutes later."""
    return f"{hotp(base64.b32decode(secret), int(time.time()) // 30 + step):06}"


def shown_code(page, *, step=0) -> str:
    return code_for(shown_secret(page), step=step)


def recovery_codes(page) -> list[str]:
    return [text(each) for each in parse(page).iter("code")]
