from django.apps import AppConfig


class EnquiriesConfig(AppConfig):
    name = "enquiries"
    verbose_name = "what patients ask"
    default_auto_field = "django.db.models.BigAutoField"
