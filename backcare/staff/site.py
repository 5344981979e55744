"""The staff desk: Django's admin behind two factors."""

from functools import wraps

from django.contrib import admin, messages
from django.contrib.admin.options import TO_FIELD_VAR
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import BadRequest
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from backcare.staff import first_owner, first_steps, password_pages, provider, sessions, sign_in, sign_in_settings, totp
from backcare.staff.forms import ChangedPasswordForm

# Each word of a search is a condition on every searched column, and SQLite takes a thousand levels of them (loadtests/fuzz).
MAX_WORDS = 30


def _search_for_fewer_words(request) -> None:
    words = request.GET.get(SEARCH_VAR, "").split()
    if len(words) > MAX_WORDS:
        request.GET = request.GET.copy()
        request.GET[SEARCH_VAR] = " ".join(words[:MAX_WORDS])
        messages.warning(request, f"We searched for the first {MAX_WORDS} words only.")


class StaffSite(admin.AdminSite):
    index_title = "Today"
    logout_template = "admin/logged_out.html"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.pages = []

    def add_page(self, route: str, view, *, name: str) -> None:
        """A page that belongs to no model. The apps above this one call it when they are ready."""
        self.pages.append((route, view, name))

    def has_permission(self, request):
        """The one check: every page of the desk goes through here (`admin_view`)."""
        if not super().has_permission(request):
            return False
        has_second_factor = getattr(request.user, "otp_device", None) is not None
        return not totp.is_required() or has_second_factor or provider.proved(request)

    def admin_view(self, view, cacheable=False):
        @wraps(view)
        def checked(request, *args, **kwargs):
            # Django looks up a field of that name, and fails if there is none (found by loadtests/fuzz).
            if "" in {request.GET.get(TO_FIELD_VAR), request.POST.get(TO_FIELD_VAR)}:
                raise BadRequest("an empty field name")
            _search_for_fewer_words(request)
            return view(request, *args, **kwargs)

        return super().admin_view(checked, cacheable)

    def get_urls(self):
        return [
            path("login/code/", sign_in.code, name="code"),
            path("login/set-up/", sign_in.set_up, name="set_up"),
            path("login/first-owner/", first_owner.first_owner, name="first_owner"),
            path("login/provider/", provider.begin, name="provider"),
            path("login/provider/back/", provider.back, name="provider_back"),
            path("login/forgotten/", password_pages.forgotten, name="forgotten"),
            # The secret is one part of the address, which logs leave out (backcare/ops/logs.py).
            path("login/new-password/<uidb64>.<token>/", password_pages.NewPasswordView.as_view(), name="new_password"),
            path("login/invitation/<uidb64>.<token>/", password_pages.InvitationView.as_view(), name="invitation"),
            path("your-sign-in/", self.admin_view(sign_in_settings.second_factor), name="second_factor"),
            path(
                "sign-out-everywhere/",
                self.admin_view(sign_in_settings.sign_out_everywhere),
                name="sign_out_everywhere",
            ),
            *(path(route, self.admin_view(view), name=name) for route, view, name in self.pages),
            *super().get_urls(),
        ]

    def app_index(self, request, app_label, extra_context=None):
        """Django's list of one app's records. The desk has one page of everything, in its own words."""
        return HttpResponseRedirect(reverse("admin:index"))

    @method_decorator(never_cache)
    @login_not_required
    def login(self, request, extra_context=None):
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        if request.method == "GET" and first_steps.waits_for_owner():
            return HttpResponseRedirect(reverse("admin:first_owner"))
        return sign_in.PasswordView.as_view()(request)

    def logout(self, request, extra_context=None):
        response = super().logout(request, extra_context)
        return sign_in_settings.end_session(request, response) if request.method == "POST" else response

    def password_change(self, request, extra_context=None):
        """The new password ends the user's other sessions (Django's session hash); their rows go at once."""
        titled = {**self.each_context(request), "title": "Change your password", **(extra_context or {})}
        response = PasswordChangeView.as_view(
            form_class=ChangedPasswordForm,
            template_name="admin/password_change.html",
            success_url=reverse("admin:second_factor"),
            extra_context=titled,
        )(request)
        if response.status_code == 302:
            sessions.end_all(user=request.user, but=request.session.session_key)
            sign_in.record(request.user, "Changed the password. All other sessions ended.")
            messages.success(request, "Your password is changed, and you are signed out on every other device.")
        return response
