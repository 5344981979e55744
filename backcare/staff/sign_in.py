"""Signing in: the password first, then the code. No session exists until both factors are verified.

Between the two, the session holds who is meant and nothing that any other page asks for. Whoever has no second factor yet sets
one up there, within a day of their invitation, and comes to no other page before.
"""

import logging
import math
import time

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.core.exceptions import NON_FIELD_ERRORS
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from backcare.staff import audit, sessions, throttle, totp
from backcare.staff.forms import CodeForm, PasswordForm, RecoveryForm
from backcare.staff.models import Authenticator
from enquiries.clock import at_words

logger = logging.getLogger(__name__)

HALF, SET_UP = "half signed in", "second factor to set up"  # in the session
PATIENCE = 10 * 60  # seconds between the password and the code

# In place of the desk's own context, whose menus are made for who is signed in.
BARE = {"has_permission": False, "is_popup": False, "is_nav_sidebar_enabled": False, "subtitle": None}

WRONG_CODE = "That code is not right. Each code works once, so wait for your app to show the next one and enter that."
WRONG_RECOVERY = "That is not one of your recovery codes. Each works once."


class PasswordView(LoginView):
    """The first step. A `next` that leads to another host is left out (Django's RedirectURLMixin)."""

    authentication_form = PasswordForm
    template_name = "admin/login.html"

    def get_default_redirect_url(self):
        return reverse("admin:index")

    def post(self, request, *args, **kwargs):
        try:
            return super().post(request, *args, **kwargs)
        except throttle.TooOften as refused:
            return too_often(request, refused.wait)

    def form_invalid(self, form):
        if form.has_error(NON_FIELD_ERRORS, "busy"):
            response = self.render_to_response(self.get_context_data(form=form), status=429)
            response["Retry-After"] = str(throttle.BUSY_FOR)
            return response
        if form.non_field_errors():
            logger.warning("Staff sign-in: a wrong username or password")
            tried = User.objects.filter(username=form.cleaned_data.get("username", ""), is_staff=True).first()
            wrong = audit.DEACTIVATED if form.is_deactivated else "wrong password"
            audit.refused(tried, wrong if tried else "a username that no account has")
        return super().form_invalid(form)

    def form_valid(self, form):
        user, after = form.get_user(), self.get_success_url()
        app = totp.of(user)
        if app is None and not totp.is_required():
            return signed_in(self.request, user, None, HttpResponseRedirect(after), "the password alone")
        return half_sign_in(self.request, user, after)

    def get_context_data(self, **kwargs):
        return super().get_context_data(**kwargs) | {
            **BARE,
            "title": "Sign in",
            "app_path": reverse("admin:login"),
            "username": self.request.user.get_username(),
            "next": self.get_redirect_url() or reverse("admin:index"),
            "why": sessions.REASONS.get(self.request.GET.get("why"), ""),
            "provider": settings.OIDC_ISSUER and settings.OIDC_NAME,
        }


def half_sign_in(request, user: User, after: str):
    """The first factor is proved. Leads to the second, or to setting one up.

    In an empty session with a new id: nothing that was planted in this browser before counts.
    """
    request.session.flush()
    request.session[HALF] = {
        "user": user.pk,
        "password": user.get_session_auth_hash(),
        "at": int(time.time()),
        "next": after,
    }
    return redirect("admin:code" if totp.of(user) else "admin:set_up")


@sensitive_post_parameters()
@never_cache
def code(request):
    """The second step: a code from the app, or a recovery code."""
    user, after = half_signed_in(request)
    app = user and totp.of(user)
    if app is None:
        return redirect("admin:login")
    readable = totp.is_readable(app)
    if not readable:
        logger.error("Staff sign-in: no key opens the second factor of account %s", user.pk)
    recovery = "recovery" in request.GET or not readable
    form = (RecoveryForm if recovery else CodeForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            throttle.count(request, user.get_username(), code=True)
        except throttle.TooOften as refused:
            return too_often(request, refused.wait)
        if right(user, app, form.cleaned_data["code"], recovery=recovery):
            throttle.give_back(request, user.get_username(), code=True)
            # People who have lost their phone are led straight to setting up another.
            to = reverse("admin:second_factor") if recovery else after
            how = "a recovery code" if recovery else "a code from the app"
            return signed_in(request, user, app, HttpResponseRedirect(to), how)
        logger.warning("Staff sign-in: a wrong code for account %s", user.pk)
        audit.refused(user, "wrong recovery code" if recovery else "wrong code")
        form.add_error("code", WRONG_RECOVERY if recovery else WRONG_CODE)
    return page(request, "admin/code.html", "Enter your code", form=form, recovery=recovery, readable=readable)


@sensitive_post_parameters()
@never_cache
def set_up(request):
    """A QR code to scan, and the first code from the app as proof. Then the recovery codes, in this answer and never again."""
    user, after = half_signed_in(request)
    if user and totp.of(user):
        return redirect("admin:code")  # only someone with the present one may replace it
    until = user and totp.invited_until(user)
    if user and until is None:
        logger.warning("Staff sign-in: account %s has no second factor, and its invitation has ended", user.pk)
        audit.refused(user, "no second factor, and the invitation had ended")
        return page(request, "admin/not_invited.html", "Your invitation has expired", status=403, account=user)
    if (
        user is None
        and admin.site.has_permission(request)
        and request.session.get(SET_UP, {}).get("allowed_at", 0) > (time.time() - PATIENCE)
    ):
        user, after = request.user, reverse("admin:index")
    if user is None:
        return redirect("admin:login")
    app = _app_of_this_session(request, user)
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            throttle.count(request, user.get_username(), code=True)
        except throttle.TooOften as refused:
            return too_often(request, refused.wait)
        codes = totp.confirm(app=app, code=form.cleaned_data["code"])
        if codes:
            throttle.give_back(request, user.get_username(), code=True)
            logger.info("Staff sign-in: account %s set up a second factor", user.pk)
            record(user, "Set up a second factor. Every other session ended.")
            request.session.flush()  # with all the others of this account, which `confirm` ended
            response = recovery_codes(request, codes, after)
            return signed_in(request, User.objects.get(pk=user.pk), app, response, "a new app")
        form.add_error(
            "code", "That code is not right. Check that your phone shows the right time, then enter the newest code."
        )
    return page(
        request,
        "admin/set_up.html",
        "Set up your second factor",
        form=form,
        until=until and at_words(until, timezone.now()),
        qr=mark_safe(totp.qr_code(app)),  # noqa: S308 - paths that segno drew
        link=totp.address(app),
        secret=" ".join(app.secret[start : start + 4] for start in range(0, len(app.secret), 4)),
    )


def right(user: User, app: Authenticator, code: str, *, recovery: bool) -> bool:
    if recovery:
        return totp.use_recovery_code(user=user, code=code)
    return totp.is_readable(app) and totp.use_code(app=app, code=code)


def half_signed_in(request) -> tuple[User | None, str]:
    """Who gave the right password in this session, up to ten minutes ago, and where they want to go. (None, "") for nobody."""
    half = request.session.get(HALF)
    if not half or time.time() - half["at"] > PATIENCE:
        return None, ""
    user = User.objects.filter(pk=half["user"], is_active=True, is_staff=True).first()
    if user is None or not constant_time_compare(user.get_session_auth_hash(), half["password"]):
        return None, ""
    return user, half["next"]


def _app_of_this_session(request, user: User) -> Authenticator:
    """A secret shown in another session is never used, because somebody else may have seen it."""
    kept = request.session.get(SET_UP, {})
    app = Authenticator.objects.filter(pk=kept.get("app"), user=user, confirmed=False).first()
    if app is None:
        app = totp.begin(user=user)
        request.session[SET_UP] = kept | {"app": app.pk}
    return app


def record(user: User, words: str) -> None:
    """In the account's history: what its owner did about their own sign-in."""
    LogEntry.objects.log_actions(user.pk, [user], CHANGE, words, single_object=True)


def signed_in(request, user: User, app: Authenticator | None, response, how: str):
    """Both factors were right. The session gets a new id (Django's login), and this browser is known from now on."""
    user.otp_device = app
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    request.session.pop(HALF, None)
    request.session.pop(SET_UP, None)
    sessions.started(request)
    throttle.remember(request, response, user.get_username())
    audit.signed_in(user, how)
    logger.info("Staff sign-in: account %s", user.pk)
    return response


def page(request, template: str, title: str, *, status: int = 200, **context):
    """A sign-in page, which looks like the desk but has no menus."""
    return TemplateResponse(request, template, {**BARE, "title": title, **context}, status=status)


def recovery_codes(request, codes: list[str], after: str):
    return page(request, "admin/recovery_codes.html", "Your recovery codes", codes=codes, after=after)


def too_often(request, wait: int):
    logger.warning("Staff sign-in: too many tries")
    response = page(request, "admin/too_often.html", "Too many attempts", status=429, minutes=math.ceil(wait / 60))
    response["Retry-After"] = str(wait)
    response["Cache-Control"] = "no-store"
    return response
