from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StaffConfig(AppConfig):
    name = "backcare.staff"
    verbose_name = "staff sign-in"
    default_auto_field = "django.db.models.BigAutoField"


class StaffDeskConfig(AdminConfig):
    """Django's admin, with our way to sign in."""

    default_site = "backcare.staff.site.StaffSite"
