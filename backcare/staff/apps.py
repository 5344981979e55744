from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class StaffConfig(AppConfig):
    name = "backcare.staff"
    verbose_name = "Staff sign-in"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from django.contrib import admin

        from backcare.staff import account_emails, account_pages, audit, audit_page, clinic_pages, mail_test

        account_emails.install()
        audit.install()
        for route, view, name in [*account_pages.PAGES, *audit_page.PAGES, *clinic_pages.PAGES, *mail_test.PAGES]:
            admin.site.add_page(route, view, name=name)


class StaffDeskConfig(AdminConfig):
    """Django's admin with our own sign-in."""

    default_site = "backcare.staff.site.StaffSite"
