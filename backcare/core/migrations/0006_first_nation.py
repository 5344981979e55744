from django.db import migrations


def fill(apps, schema_editor):
    """The nation, which stands with the opening hours, in the editions from before it was kept with them."""
    hours = apps.get_model("enquiries", "ClinicHours").objects.first()
    known = hours.nation if hours else "england"
    for edition in apps.get_model("backcare", "ClinicSettingsEdition").objects.order_by("-version"):
        if "nation" in edition.values:
            known = edition.values["nation"]
            continue
        edition.values["nation"] = known
        edition.save()


class Migration(migrations.Migration):

    dependencies = [
        ('backcare', '0005_sender_and_logo'),
        ('enquiries', '0005_hours'),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
