"""Signing in with the clinic's own provider (OpenID Connect Core 1.0, code flow with PKCE), where OIDC_ISSUER is set.

The provider replaces both factors, so it has to ask for the second one. Everything else stays ours: only an active account
that an owner made, found by an address that the provider has verified; the idle limit, the twelve hours, and the end of all
sessions when an account is deactivated. Nobody gets an account by signing in, and the password with our own second factor works
as before.

Authlib speaks the protocol: state, nonce, PKCE, signature, issuer, audience and times. What it leaves to whoever calls it is here.
"""

import logging
import time
from datetime import timedelta
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from backcare.core import limits
from backcare.staff import audit
from backcare.staff.sign_in import page, signed_in, too_often

if TYPE_CHECKING:
    from authlib.integrations.django_client.apps import DjangoOAuth2App

logger = logging.getLogger(__name__)

PROVED_BY, NEXT = "second factor proved by", "after the provider"  # in the session
PATIENCE = 10 * 60  # seconds to sign in at the provider
FRESH = 5 * 60  # seconds since somebody proved who they are there: we ask for it each time
CLOCKS_DIFFER = 30  # seconds
ANSWER_WITHIN = 5  # seconds, of each request to the provider
ASK_AGAIN = 60  # seconds after which its description is fetched again, so that nobody is sent to one that is down
TRIES, PER = 20, timedelta(minutes=5)  # redirects there, and returns, per client
# Signed with a key that only the provider has. A token that names another algorithm, or none, is refused (RFC 8725, section 3.1).
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]

ASKING = Lock()


class Hangs(RuntimeError):
    """Another thread is still waiting for the provider, so this one gives up: pages must go on being served."""


class Refused(Exception):
    """Sign-in is refused. The text is for the person who tried."""


def is_on() -> bool:
    return bool(settings.OIDC_ISSUER)


def proved(request) -> bool:
    """Whether the present provider replaced the second factor in this session."""
    return is_on() and request.session.get(PROVED_BY) == settings.OIDC_ISSUER


@require_safe
@never_cache
def begin(request):
    """Leads to the provider to sign in again, because one press after an idle sign-out must not be enough."""
    if admin.site.has_permission(request):
        return redirect("admin:index")
    if not is_on():
        return redirect("admin:login")
    verdict = limits.hit("sign-in provider", limits.client(request), most=TRIES, per=PER)
    if not verdict:
        return too_often(request, verdict.wait)
    request.session.flush()
    try:
        answer = _client().authorize_redirect(request, _return_address(), prompt="login")
    except _troubles():
        logger.exception("Staff sign-in: the provider does not answer")
        return _refused(request, f"{settings.OIDC_NAME} cannot be reached at the moment.", status=502)
    request.session[NEXT] = _ours(request, request.GET.get("next", ""))
    request.session.set_expiry(PATIENCE)
    return answer


@require_safe
@never_cache
def back(request):
    """From the provider, with a code that only we can change for a signed token."""
    if admin.site.has_permission(request):
        return redirect("admin:index")
    if not is_on():
        return redirect("admin:login")
    # A visitor who has not been to the provider is refused too, and each refusal is recorded.
    verdict = limits.hit("answer of the provider", limits.client(request), most=TRIES, per=PER)
    if not verdict:
        return too_often(request, verdict.wait)
    after = request.session.get(NEXT) or reverse("admin:index")
    try:
        user = _who(request)
    except Refused as refusal:
        request.session.flush()
        return _refused(request, str(refusal))
    request.session.flush()
    answer = signed_in(request, user, None, HttpResponseRedirect(after), settings.OIDC_NAME)
    request.session[PROVED_BY] = settings.OIDC_ISSUER
    return answer


def _who(request) -> User:
    """The account of the person who signed in at the provider. Raises Refused."""
    again = "We could not check who you are. Try again."
    try:
        token = _client().authorize_access_token(request, claims_options=_expected(), leeway=CLOCKS_DIFFER)
    except (*_troubles(), KeyError, TypeError) as error:
        logger.warning("Staff sign-in: the provider's answer was refused (%s)", type(error).__name__)
        audit.refused(None, f"an answer from {settings.OIDC_NAME} that we could not check")
        raise Refused(again) from error
    claims = token.get("userinfo")
    if claims is None:
        audit.refused(None, f"an answer from {settings.OIDC_NAME} without a token")
        raise Refused(again)
    return _account(claims)


def _expected() -> dict:
    """What a token must say. Made afresh each time, because Authlib changes it."""
    return {
        "iss": {"essential": True, "value": settings.OIDC_ISSUER},
        "aud": {"essential": True, "value": settings.OIDC_CLIENT_ID},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }


def _account(claims: dict) -> User:
    name = settings.OIDC_NAME
    address = claims.get("email")
    # A provider that accepts unverified addresses would let anybody in.
    if claims.get("email_verified") is not True or not isinstance(address, str) or "@" not in address:
        audit.refused(None, f"{name} has not verified the email address")
        raise Refused(f"{name} does not say that your email address is verified. Tell the person who looks after it.")
    staff = User.objects.filter(email__iexact=address, is_active=True, is_staff=True)
    # PostgreSQL takes some letters of other scripts for ours (CVE-2019-19844). No account has an address with them.
    found = list(staff[:2]) if address.isascii() else []
    if len(found) != 1:
        audit.refused(None, f"no active account has the address that {name} verified")
        raise Refused("No active staff account has your email address. Ask an owner of this site to invite you.")
    [user] = found
    methods = claims.get("amr") or []
    if settings.OIDC_AMR and not set(settings.OIDC_AMR) & set(methods):
        audit.refused(user, f"{name} did not ask for a second factor")
        raise Refused(f"{name} did not ask you for a second factor. Tell the person who looks after it.")
    at = claims.get("auth_time")
    # Glewlwyd 2.7 writes 0 where it does not know, which others leave out.
    if at and time.time() - at > FRESH + CLOCKS_DIFFER:
        audit.refused(user, f"{name} did not ask them to sign in again")
        raise Refused(f"{name} did not ask you to sign in again. Sign out there, then try again.")
    return user


def _troubles() -> tuple[type[Exception], ...]:
    """The errors of asking the provider. Loaded only if one is set, because its packages take an eighth of a process's start."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    return AuthlibBaseError, JoseError, RequestException, RuntimeError, ValueError


@cache
def _client_of(issuer: str, client_id: str, client_secret: str) -> "DjangoOAuth2App":
    """Asks the provider what it is, and for its keys again when a token names a new one."""
    from authlib.integrations.django_client import OAuth

    return OAuth().register(
        "provider",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email",
            "code_challenge_method": "S256",
            "default_timeout": ANSWER_WITHIN,
        },
    )


def _client() -> "DjangoOAuth2App":
    """Knows what the provider says about itself.

    Raises ValueError where that names another issuer (Discovery 1.0, 4.3), Hangs, and what the network raises.
    """
    client = _client_of(settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET)
    if not ASKING.acquire(timeout=ANSWER_WITHIN):
        raise Hangs(f"The provider did not answer within {ANSWER_WITHIN} seconds, and another request is asking it.")
    try:
        if time.time() - client.server_metadata.get("_loaded_at", 0) > ASK_AGAIN:
            client.server_metadata.pop("_loaded_at", None)
        said = client.load_server_metadata()
        said["id_token_signing_alg_values_supported"] = ALGORITHMS
    finally:
        ASKING.release()
    if said.get("issuer") != settings.OIDC_ISSUER:
        raise ValueError(f"The provider calls itself {said.get('issuer')}, and OIDC_ISSUER is {settings.OIDC_ISSUER}.")
    return client


def _return_address() -> str:
    return settings.BASE_URL + reverse("admin:provider_back")


def _ours(request, address: str) -> str:
    """An address of this site to go on to, or none."""
    is_ours = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return address if is_ours else ""


def _refused(request, why: str, *, status: int = 403):
    return page(request, "admin/provider_refused.html", "You are not signed in", status=status, why=why)
