from django.db import migrations, models

KIND = "acupunctur"


def sort(text):
    """The lines that are not about acupuncture, and those that are."""
    lines = [line for line in text.splitlines() if line.strip()]
    return ["\n".join(line for line in lines if (KIND in line.lower()) == about) for about in (False, True)]


def part(apps, schema_editor):
    """In earlier settings too, so that putting them back does not say a price twice."""
    for row in apps.get_model("backcare", "ClinicSettings").objects.all():
        row.prices, row.acupuncture_prices = sort(row.prices)
        row.save()
    for edition in apps.get_model("backcare", "ClinicSettingsEdition").objects.all():
        edition.values["prices"], edition.values["acupuncture_prices"] = sort(edition.values.get("prices", ""))
        edition.values["has_no_rooms"] = False
        edition.save()


def put_together(apps, schema_editor):
    for row in apps.get_model("backcare", "ClinicSettings").objects.all():
        row.prices = "\n".join(filter(None, [row.prices, row.acupuncture_prices]))
        row.save()


class Migration(migrations.Migration):

    dependencies = [
        ('backcare', '0007_no_interest_unconfirmed'),
    ]

    operations = [
        migrations.AddField(
            model_name='clinicsettings',
            name='acupuncture_prices',
            field=models.TextField(blank=True, max_length=2000),
        ),
        migrations.AddField(
            model_name='clinicsettings',
            name='has_no_rooms',
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(part, put_together),
        migrations.AddConstraint(
            model_name='clinicsettings',
            constraint=models.CheckConstraint(condition=models.Q(('has_no_rooms', False), ('address', ''), _connector='OR'), name='clinic_settings_rooms_or_none'),
        ),
    ]
