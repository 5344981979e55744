from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "backcare.core"
    label = "backcare"  # of its table and its migrations, which are older than the package
    default_auto_field = "django.db.models.BigAutoField"
