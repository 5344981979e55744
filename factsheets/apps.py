from django.apps import AppConfig


class FactsheetsConfig(AppConfig):
    name = "factsheets"
    verbose_name = "Website content"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self):
        from django.db.models.signals import post_save

        from backcare.core import clinic
        from backcare.core.models import ClinicSettings
        from factsheets import team
        from factsheets.models import ContentVersion

        clinic.read_people_with(team.shown)
        clinic.versioned_by(ContentVersion.now)
        post_save.connect(_clinic_changed, sender=ClinicSettings)


def _clinic_changed(**kwargs):
    """Its name is on every page that is kept, and in every PDF."""
    from factsheets.models import ContentVersion

    ContentVersion.changed()
