from django.apps import AppConfig
from django.contrib import admin


class OpsConfig(AppConfig):
    """Running the site: its commands, system checks, backups and health."""

    name = "backcare.ops"

    def ready(self):
        from backcare.ops import checks, health  # noqa: F401 - registers the system checks

        admin.site.add_page("health/", health.page, name="health")
