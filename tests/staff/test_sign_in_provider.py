"""Signing in with the clinic's own provider, against a real one that signs real tokens: whom it lets in, and every lie refused."""

import time
from itertools import count
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from django.test import Client

from backcare.ops import checks
from backcare.staff import accounts, provider
from backcare.staff.models import Authenticator, StaffEvent
from tests.conftest import serving
from tests.support import oidc
from tests.support.desk import person, with_password, with_second_factor
from tests.support.html import parse, text
from tests.support.sign_in import DESK, INBOX, LOGIN, is_in
from tests.support.visitor import visitor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor_required")]

BEGIN, BACK = "/admin/login/provider/", "/admin/login/provider/back/"


next_place = count(1).__next__


@pytest.fixture
def there(settings):
    """The provider, and the settings that name it."""
    with oidc.running() as running:
        settings.OIDC_ISSUER = running.issuer
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = oidc.CLIENT, oidc.SECRET
        settings.OIDC_NAME, settings.OIDC_AMR = "Larkfield login", []
        yield running


@pytest.fixture
def here() -> Client:
    return Client()


def verified(address="RITA@example.com", **claims):
    return {"email": address, "email_verified": True, **claims}


def try_to_sign_in(client, there, next="", **claims):
    client.defaults["REMOTE_ADDR"] = f"192.0.2.{next_place()}"  # so that a test may try often
    begun = client.get(BEGIN, {"next": next} if next else {})
    assert begun.status_code == 302 and begun["Location"].startswith(f"{there.issuer}/authorize?")
    return client.get(there.sign_in(begun["Location"], **claims))


def said(response) -> str:
    return text(parse(response))


def test_it_is_off_unless_it_is_set(here, rita):
    assert "provider" not in here.get(LOGIN).content.decode()
    for address in (BEGIN, f"{BACK}?code=1&state=1"):
        assert here.get(address).status_code == 302 and not here.get(address)["Location"].startswith("http")
    assert not is_in(here)


@pytest.mark.both
@pytest.mark.long
def test_who_has_an_account_comes_in_by_the_provider_and_our_rules_hold(here, there, rita, staff, clock, monkeypatch):
    page = here.get(f"{LOGIN}?next={INBOX}")
    assert "Sign in with Larkfield login" in said(page) and f"{BEGIN}?next={INBOX}" in page.content.decode()
    answer = try_to_sign_in(here, there, INBOX, **verified(auth_time=int(time.time())))
    assert answer["Location"] == INBOX
    assert is_in(here) and here.get(INBOX).status_code == 200
    assert here.get("/admin/accounts/").status_code == 403, "Her role is still reception."
    assert StaffEvent.objects.get(by=rita).what == "Signed in with Larkfield login"
    # Nobody at an unlocked screen puts a phone of theirs into the account.
    assert "which asks you for the second factor" in said(here.get("/admin/your-sign-in/"))
    assert here.post("/admin/your-sign-in/", {"do": "phone"}).status_code == 403
    assert not Authenticator.objects.exists()
    # What only we can do: end the session when the account is deactivated, or after fifteen idle minutes.
    accounts.deactivate(user=rita, by=staff_owner(staff))
    assert not is_in(here)
    assert "No active staff account" in said(try_to_sign_in(here, there, **verified()))
    accounts.reactivate(user=rita, by=staff)
    assert try_to_sign_in(here, there, "https://evil.example/", **verified(auth_time=0))["Location"] == DESK
    clock(16 * 60)
    assert not is_in(here)
    assert "not active for a while" in said(here.get(LOGIN + "?why=idle"))


def staff_owner(staff) -> User:
    with_second_factor(with_password(staff))
    return staff


def test_a_session_ends_with_the_setting(here, there, rita, settings):
    try_to_sign_in(here, there, **verified())
    assert is_in(here)
    settings.OIDC_ISSUER = ""
    assert not is_in(here)


@pytest.mark.long
def test_every_lie_is_refused_and_nobody_gets_an_account(here, there, rita, settings):
    now = int(time.time())
    could_not, nobody = "We could not check who you are.", "No active staff account has your email address."
    not_verified = "does not say that your email address is verified"
    User.objects.create_user("two", "Twice@example.com", is_staff=True)
    User.objects.create_user("three", "twice@example.com", is_staff=True)
    User.objects.create_user("reader", "reader@example.com")
    for lie, refusal in (
        (verified(nonce="another"), could_not),
        (verified(nonce=None), could_not),
        (verified(aud="another client"), could_not),
        (verified(aud="another client", azp=oidc.CLIENT), could_not),
        (verified(aud=None), could_not),
        (verified(iss="https://another.example"), could_not),
        (verified(exp=now - 60), could_not),
        (verified(exp=None), could_not),
        (verified(iat=now + 3600), could_not),
        (verified(email_verified=False), not_verified),
        (verified(email_verified=None), not_verified),
        (verified(email_verified="true"), not_verified),
        (verified(None), not_verified),
        (verified("nobody@example.com"), nobody),
        (verified("r\u0131ta@example.com"), nobody),  # PostgreSQL compares capitals, and finds Rita
        (verified("reader@example.com"), nobody),
        (verified("twice@example.com"), nobody),
        (verified(auth_time=now - 3600), "did not ask you to sign in again"),
    ):
        answer = try_to_sign_in(here, there, **lie)
        assert answer.status_code == 403 and refusal in said(answer), lie
        assert not is_in(here), lie
    settings.OIDC_AMR = ["mfa"]
    assert "did not ask you for a second factor" in said(try_to_sign_in(here, there, **verified(amr=["pwd"])))
    assert "did not ask you for a second factor" in said(try_to_sign_in(here, there, **verified()))
    honest = there.sign
    for sign in (
        there.unsigned,
        there.with_shared_secret,
        lambda claims: honest(claims)[:-4] + "AAAA",
        lambda claims: "x",
    ):
        there.sign = sign
        assert could_not in said(try_to_sign_in(here, there, **verified(amr=["mfa"])))
        assert not is_in(here)
    there.sign = honest
    assert User.objects.count() == 4
    assert StaffEvent.objects.filter(kind="refused", by=None, times__gt=1).exists()
    assert not StaffEvent.objects.filter(kind="signed_in").exists()
    assert "nobody@example.com" not in repr(StaffEvent.objects.values_list())
    assert try_to_sign_in(here, there, **verified(amr=["mfa"]))["Location"] == DESK


@pytest.mark.long
def test_an_answer_belongs_to_the_browser_that_asked_and_is_taken_once(here, there, rita):
    brought = there.sign_in(here.get(BEGIN)["Location"], **verified())
    other = Client()
    assert "could not check" in said(other.get(brought)) and not is_in(other), "Signed in with another's answer."
    assert here.get(brought).status_code == 302 and is_in(here)
    assert here.get(f"{BACK}?code=1&state=1")["Location"] == DESK and is_in(here), "A stranger's link signed her out."
    again = Client()
    again.cookies = here.cookies
    here.post("/admin/logout/")
    assert "could not check" in said(again.get(brought)) and not is_in(again)
    cancelled = Client()
    state = cancelled.get(BEGIN)["Location"].partition("state=")[2].partition("&")[0]
    assert "could not check" in said(cancelled.get(f"{BACK}?error=access_denied&state={state}"))
    assert cancelled.post(BACK).status_code == 405


@pytest.mark.long
def test_new_keys_are_asked_for_and_a_provider_that_is_away_or_another_is_told(
    here, there, rita, settings, monkeypatch
):
    assert try_to_sign_in(here, there, **verified()).status_code == 302
    there.key = type(there.key).generate_key(2048, {"kid": "2", "use": "sig", "alg": "RS256"})
    assert try_to_sign_in(Client(), there, **verified()).status_code == 302
    there.about = {"issuer": "https://another.example"}
    settings.OIDC_CLIENT_ID = "asked again"
    assert "cannot be reached" in said(Client().get(BEGIN))
    settings.OIDC_CLIENT_ID, there.about = oidc.CLIENT, {}
    assert Client().get(BEGIN).status_code == 302
    there.server.shutdown()
    there.server.server_close()
    monkeypatch.setattr(provider, "ASK_AGAIN", 0)
    assert Client().get(BEGIN).status_code == 502, "It sends people to a provider that has gone away since."
    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    away = Client().get(BEGIN)
    assert away.status_code == 502 and "Sign in with your password" in said(away)
    # One that neither answers nor refuses: whoever asks first waits, and the others do not wait for them.
    monkeypatch.setattr(provider, "ANSWER_WITHIN", 0.2)
    with provider.ASKING:
        hung = Client().get(BEGIN)
    assert hung.status_code == 502 and "cannot be reached" in said(hung)
    place = Client(REMOTE_ADDR="192.0.2.77")
    assert {place.get(BEGIN).status_code for _ in range(provider.TRIES)} == {502}
    assert {place.get(BACK).status_code for _ in range(provider.TRIES)} == {403}
    assert place.get(BEGIN).status_code == place.get(BACK).status_code == 429
    assert StaffEvent.objects.get(kind="refused").times == provider.TRIES


@pytest.mark.browser
@pytest.mark.once
def test_a_real_browser_is_led_there_and_back(browser, child_environment, transactional_db):
    """Over the network from end to end: a web server, a provider and a browser that know of each other by their addresses alone."""
    clive = person("Clive", "clinician")
    with oidc.running() as there:
        set_up = {"OIDC_ISSUER": there.issuer, "OIDC_CLIENT_ID": oidc.CLIENT, "OIDC_CLIENT_SECRET": oidc.SECRET}
        set_up |= {"OIDC_NAME": "Larkfield login", "OIDC_AMR": "mfa", "STAFF_SECOND_FACTOR": "1"}
        with serving(child_environment | set_up) as site, visitor(browser, site, java_script_enabled=False) as desk:
            page = desk.page

            def sign_in(**claims) -> str:
                there.person = claims
                desk.open(f"/admin/login/?next={INBOX}")
                page.get_by_role("link", name="Sign in with Larkfield login").click()
                assert page.url.startswith(f"{there.issuer}/authorize?")
                page.get_by_role("button", name="I am").click()
                page.wait_for_url(f"{site}/**")
                return page.locator("main, #content").first.inner_text()

            mfa = {"amr": ["mfa"], "auth_time": int(time.time())}
            assert "No active staff account has your email" in sign_in(**verified("nobody@example.com", **mfa))
            assert "is verified" in sign_in(**verified("clive@example.com", **mfa) | {"email_verified": False})
            assert "did not ask you for a second factor" in sign_in(**verified("clive@example.com", amr=["pwd"]))
            assert User.objects.count() == 1 and not StaffEvent.objects.filter(kind="signed_in").exists()
            sign_in(**verified("Clive@example.com", **mfa))
            assert urlsplit(page.url).path == INBOX and page.get_by_role("heading", name="Inbox").is_visible()
            desk.open("/admin/your-sign-in/")
            assert "which asks you for the second factor" in page.locator("body").inner_text()
            assert StaffEvent.objects.get(kind="signed_in").by == clive
            page.get_by_role("button", name="Sign out", exact=True).click()
            desk.open(INBOX)
            assert urlsplit(page.url).path == LOGIN


def test_half_a_setting_and_a_plain_address_are_found_by_check(settings):
    settings.LOCAL = False
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = "http://login.example", "x", ""
    assert [each.id for each in checks.provider(None)] == ["backcare.E025", "backcare.E026"]
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_SECRET = "https://login.example", "y"
    assert checks.provider(None) == []
