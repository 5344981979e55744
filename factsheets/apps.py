from django.apps import AppConfig


class FactsheetsConfig(AppConfig):
    name = "factsheets"
    verbose_name = "what patients read"
    default_auto_field = "django.db.models.BigAutoField"
