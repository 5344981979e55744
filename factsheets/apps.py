from django.apps import AppConfig


class FactsheetsConfig(AppConfig):
    name = "factsheets"
    verbose_name = "Website content"
    default_auto_field = "django.db.models.BigAutoField"
