from django.conf import settings
from django.db import migrations, models

SUGGESTED = (
    "This clinic sells some of the treatments these pages describe, acupuncture among them. "
    "That is why each page says what the research found, and what NICE says, for and against."
)


def clear(apps, schema_editor):
    """The statement that came with a site which nobody has set up. What a clinic runs with, or named at the start, stays."""
    user = apps.get_model(settings.AUTH_USER_MODEL)
    row = apps.get_model("backcare", "ClinicSettings").objects.filter(version=1, interest_statement=SUGGESTED).first()
    saved = apps.get_model("backcare", "SetUpStep").objects.filter(name="clinic").exists()
    if row is None or saved or settings.CLINIC_AT_FIRST["interest_statement"] or (row.phone and user.objects.exists()):
        return
    row.interest_statement = ""
    row.save()
    for edition in apps.get_model("backcare", "ClinicSettingsEdition").objects.filter(version=1):
        edition.values["interest_statement"] = ""
        edition.save()


class Migration(migrations.Migration):

    dependencies = [
        ('backcare', '0006_first_nation'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            model_name='clinicsettings',
            name='interest_statement',
            field=models.TextField(blank=True, max_length=1000),
        ),
        migrations.RunPython(clear, migrations.RunPython.noop),
    ]
