from django.apps import AppConfig


class EnquiriesConfig(AppConfig):
    name = "enquiries"
    verbose_name = "Inbox and opening hours"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from enquiries.assessment import sign_off  # noqa: F401 - registers the questions for clinical sign-off
        from enquiries.assessment.flags import missing
        from factsheets import safety_drafts

        safety_drafts.requirements.append(missing)
