"""Staff accounts, and who has a second factor. For the owner only, and no secret is ever shown."""

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from backcare.staff import factor, sessions
from backcare.staff.models import Authenticator
from enquiries.admin.readonly import ReadOnlyMixin

admin.site.unregister(User)


@admin.register(User)
class StaffAdmin(UserAdmin):
    def get_urls(self):
        reset = self.admin_site.admin_view(self.reset_second_factor)
        return [path("<int:id>/reset-second-factor/", reset, name="auth_user_reset_second_factor"), *super().get_urls()]

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if change and not (obj.is_active and obj.is_staff):
            sessions.end_all(user=obj)

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
        if request.method == "POST":
            factor.reset(user=user)
            self.log_change(request, user, "Reset the second factor, and ended the account's sessions.")
            messages.success(
                request, f"{user} has no second factor any more. The next sign-in leads to setting one up."
            )
            return redirect(reverse("admin:auth_user_change", args=[user.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Reset the second factor of {user}",
            "opts": self.opts,
            "account": user,
            "app": factor.of(user),
        }
        return TemplateResponse(request, "admin/auth/user/reset_second_factor.html", context)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """Who has one, and since when."""

    list_display = ["user", "confirmed", "created_at", "last_used_at"]
    list_filter = ["confirmed"]
    fields = ["user", "confirmed", "created_at", "last_used_at"]

    def has_view_permission(self, request, obj=None):
        return request.user.is_active and request.user.is_superuser

    has_module_permission = has_view_permission
