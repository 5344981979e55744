"""What a member of staff does about their own sign-in: new recovery codes, another phone, sign out everywhere."""

import time

from django.conf import settings
from django.contrib import admin
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from backcare.staff import audit, provider, sessions, throttle, totp
from backcare.staff.forms import RecoveryForm
from backcare.staff.sign_in import SET_UP, record, recovery_codes, right, too_often


@sensitive_post_parameters()
def second_factor(request):
    """Changes ask for a code again, because an unlocked screen proves nothing (OWASP ASVS 5.0, 7.5.1)."""
    app = totp.of(request.user)
    form = RecoveryForm(request.POST or None, label_suffix="")
    by_provider = provider.proved(request)
    if request.method == "POST" and app is None:
        if by_provider:
            raise PermissionDenied  # someone at an unlocked screen could add their own phone
        return _allow_set_up(request)
    if request.method == "POST" and form.is_valid():
        try:
            throttle.count(request, request.user.get_username(), code=True)
        except throttle.TooOften as refused:
            return too_often(request, refused.wait)
        typed = form.cleaned_data["code"]
        if any(right(request.user, app, typed, recovery=recovery) for recovery in (False, True)):
            throttle.give_back(request, request.user.get_username(), code=True)
            if request.POST.get("do") == "phone":
                return _allow_set_up(request)
            codes = totp.new_recovery_codes(user=request.user)
            record(request.user, "Made new recovery codes.")
            return recovery_codes(request, codes, reverse("admin:index"))
        audit.refused(request.user, "wrong code in the sign-in settings")
        form.add_error("code", "That is not a code from your app or one of your recovery codes.")
    form.fields["code"].label = "A code from your app, or a recovery code"
    form.fields["code"].widget.attrs.pop("autofocus", None)
    return TemplateResponse(
        request,
        "admin/second_factor.html",
        {
            **admin.site.each_context(request),
            "title": "Sign-in settings",
            "form": form,
            "app": app,
            "provider": settings.OIDC_NAME if by_provider else "",
            "codes_left": request.user.recovery_codes.count(),
        },
    )


def _allow_set_up(request):
    request.session[SET_UP] = {"allowed_at": int(time.time())}
    return redirect("admin:set_up")


@require_POST
def sign_out_everywhere(request):
    sessions.end_all(user=request.user)
    record(request.user, "Signed out on every device.")
    return end_session(request, HttpResponseRedirect(f"{reverse('admin:login')}?why=ended"))


def end_session(request, response):
    """Ends this session, and has the browser forget what it kept of the desk (OWASP ASVS 5.0, 14.3.1)."""
    logout(request)
    response["Clear-Site-Data"] = '"cache", "storage"'
    return response
