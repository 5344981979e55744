from django.apps import AppConfig


class BackcareConfig(AppConfig):
    name = "backcare"

    def ready(self):
        from backcare import checks  # noqa: F401 - registers the system checks
