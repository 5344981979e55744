from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig


class StaffConfig(AppConfig):
    name = "backcare.staff"
    verbose_name = "Staff sign-in"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        apps.get_app_config("auth").verbose_name = "Staff accounts"


class StaffDeskConfig(AdminConfig):
    """Django's admin, with our way to sign in."""

    default_site = "backcare.staff.site.StaffSite"
