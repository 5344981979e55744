"""Staff accounts, and who has a second factor or is invited to set one up. For owners only, and no secret is ever shown."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.formats import date_format

from backcare.core.readonly_admin import ReadOnlyMixin
from backcare.staff import sessions, totp
from backcare.staff.models import Authenticator
from enquiries.clock.formatting import at_words

admin.site.unregister(User)


@admin.register(User)
class StaffAdmin(UserAdmin):
    list_display = [*UserAdmin.list_display, "second_factor"]
    # From the day an account was made counts how long it may set up its first second factor.
    readonly_fields = ["signed_in", "made"]
    fieldsets = [*UserAdmin.fieldsets[:-1], ("Dates", {"fields": readonly_fields})]

    @admin.display(description="last signed in")
    def signed_in(self, user):
        return at_words(user.last_login, timezone.now()) if user.last_login else "Never"

    @admin.display(description="account made")
    def made(self, user):
        return at_words(user.date_joined, timezone.now())

    @admin.display(description="second factor")
    def second_factor(self, user):
        if app := totp.of(user):
            return f"since {date_format(app.created_at, 'j F Y')}"
        until = totp.invited_until(user)
        return f"invited until {at_words(until, timezone.now())}" if until else "none, and not invited"

    def get_urls(self):
        reset = self.admin_site.admin_view(self.reset_second_factor)
        return [path("<int:id>/reset-second-factor/", reset, name="auth_user_reset_second_factor"), *super().get_urls()]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and not (obj.is_active and obj.is_staff):
            sessions.end_all(user=obj)
        if not change:
            messages.info(request, _invited(obj))

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        context["has_second_factor"] = bool(obj and totp.of(obj))
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def user_change_password(self, request, id, form_url=""):
        response = super().user_change_password(request, id, form_url)
        if response.status_code == 302:
            user = self.get_object(request, unquote(id))
            sessions.end_all(user=user, but=request.session.session_key)
        return response

    def reset_second_factor(self, request, id):
        if not request.user.is_superuser:
            raise PermissionDenied
        user = get_object_or_404(User, pk=id)
        app, own = totp.of(user), user == request.user
        if request.method == "POST" and not own:
            had_one = totp.reset(user=user, by=request.user)
            done = "Reset the second factor, and ended the account's sessions." if had_one else "Invited them again."
            self.log_change(request, user, f"{done} They can set up a new one for 24 hours.")
            messages.success(request, (f"{user} no longer has a second factor. " if had_one else "") + _invited(user))
            return redirect(reverse("admin:auth_user_change", args=[user.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Reset the second factor of {user}" if app or own else f"Invite {user} again",
            "opts": self.opts,
            "account": user,
            "app": app,
            "own": own,
        }
        status = 403 if request.method == "POST" else 200
        return TemplateResponse(request, "admin/auth/user/reset_second_factor.html", context, status=status)


def _invited(user: User) -> str:
    until = at_words(totp.invited_until(user), timezone.now())
    return f"{user} can sign in and set up a second factor until {until}. After that, invite them again."


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """Who has one, and since when."""

    list_display = ["user", "confirmed", "made", "used"]
    list_filter = ["confirmed"]
    fields = ["user", "confirmed", "made", "used"]

    @admin.display(description="set up", ordering="created_at")
    def made(self, app):
        return at_words(app.created_at, timezone.now())

    @admin.display(description="last used", ordering="last_used_at")
    def used(self, app):
        return at_words(app.last_used_at, timezone.now()) if app.last_used_at else "Never"

    def has_view_permission(self, request, obj=None):
        return request.user.is_active and request.user.is_superuser

    has_module_permission = has_view_permission
