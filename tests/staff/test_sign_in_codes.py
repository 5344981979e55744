"""Nobody gets in with the password alone: a code that works once, set up before anything else opens."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from backcare.staff import totp
from backcare.staff.models import Authenticator
from tests.support.desk import code_of, draft, person, with_password, with_second_factor
from tests.support.html import parse, text
from tests.support.sign_in import (
    CODE,
    DESK,
    INBOX,
    LOGIN,
    SET_UP,
    code_for,
    is_in,
    password,
    recovery_codes,
    shown_code,
    shown_secret,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]


def test_password_and_code_let_in_and_lead_to_where_one_was_going(client, rita, codes):
    answer = client.get(INBOX)
    assert answer["Location"] == f"{LOGIN}?next=%2Fadmin%2Fenquiries%2Fenquiry%2F"
    assert parse(client.get(answer["Location"])) is not None
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
    wrong = [used, code_for(totp.of(rita).secret, step=-2), code_of(other), "123", "", "١٢٣٤٥٦", "abcdef"]
    for code in wrong[:4]:
        again = Client()
        password(again)
        answer = again.post(CODE, {"code": code})
        assert answer.status_code == 200
        assert "That code is not right" in text(parse(answer))
        assert not is_in(again)
    for code in wrong[4:]:
        assert not totp.use_code(app=totp.of(rita), code=code)


def test_an_older_code_is_refused_after_a_newer_one(rita, codes):
    newer, older = (code_for(totp.of(rita).secret, step=step) for step in (1, 0))
    first, second = Client(), Client()
    password(first)
    password(second)
    assert first.post(CODE, {"code": newer})["Location"] == DESK
    assert "That code is not right" in text(parse(second.post(CODE, {"code": older})))
    assert not is_in(second)


def test_who_has_an_app_whose_secret_no_key_opens_uses_a_recovery_code(client, rita, codes):
    shown = code_of(rita)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE staff_authenticator SET id = id + 1")  # as good as a lost key: it is sealed for its row
    password(client)
    asked, refused = client.get(CODE), client.post(CODE, {"code": shown})
    for page in (asked, refused):
        assert page.status_code == 200
        assert "Use a recovery code, or ask an owner to reset your second factor." in text(parse(page))
    assert not is_in(client)
    assert client.post(CODE, {"code": codes[0]})["Location"] == reverse("admin:second_factor")
    # And another phone takes its place.
    assert client.post(reverse("admin:second_factor"), {"code": codes[1], "do": "phone"})["Location"] == SET_UP
    assert recovery_codes(client.post(SET_UP, {"code": shown_code(client.get(SET_UP))}))


def test_the_same_code_in_two_sessions_at_once_lets_one_in(rita, codes):
    first, second = Authenticator.objects.get(user=rita), Authenticator.objects.get(user=rita)
    code = code_of(rita)
    assert [totp.use_code(app=first, code=code), totp.use_code(app=second, code=code)] == [True, False]


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
    code = shown_code(page)
    done = client.post(SET_UP, {"code": code})
    shown = recovery_codes(done)
    assert len(set(shown)) == 10
    assert INBOX in {each.get("href") for each in parse(done).iter("a")}
    assert is_in(client)
    again = Client()
    password(again)
    assert "That code is not right" in text(parse(again.post(CODE, {"code": code}))), "Used for the set-up."
    assert not is_in(again)
    # Shown once: neither the codes nor the secret are on any page again, nor in the database as they were shown.
    assert client.get(SET_UP)["Location"].startswith(LOGIN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM staff_recoverycode")
        stored = repr(cursor.fetchall())
        cursor.execute("SELECT secret FROM staff_authenticator")
        sealed = bytes(cursor.fetchone()[0])
    assert not any(code in stored or code.replace("-", "") in stored for code in shown)
    assert totp.of(rita).secret.encode() not in sealed


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


OPEN = {
    LOGIN,
    CODE,
    SET_UP,
    "/admin/login/forgotten/",
    "/admin/login/new-password/1.1/",
    "/admin/login/invitation/1.1/",
    "/admin/login/provider/",  # test_sign_in_provider.py
    "/admin/login/provider/back/",
}


@pytest.mark.long
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


def test_a_draft_is_not_previewed_by_a_session_without_the_second_factor(client, settings, author):
    sheet = draft(author)
    client.force_login(author)
    address = reverse("factsheets:sheet", args=[sheet.slug])
    assert client.get(address).status_code == 404
    settings.STAFF_SECOND_FACTOR = False
    assert client.get(address).status_code == 200


def test_a_local_run_may_do_without_and_asks_who_has_one_all_the_same(client, settings, rita):
    settings.STAFF_SECOND_FACTOR = False
    assert password(client)["Location"] == DESK
    assert is_in(client)
    with_second_factor(rita)
    again = Client()
    assert password(again)["Location"] == CODE
    assert not is_in(again)
