from django.db import migrations

NAMES = {
    "people/ines.svg": "people/woman-curly-hair.svg",
    "people/mei.svg": "people/woman-bob.svg",
    "people/tom.svg": "people/man-beard-and-glasses.svg",
}


def rename(apps, names):
    people = apps.get_model("factsheets", "TeamMember")
    for before, after in names.items():
        people.objects.filter(drawing=before).update(drawing=after)


def forwards(apps, schema_editor):
    rename(apps, NAMES)


def backwards(apps, schema_editor):
    rename(apps, {after: before for before, after in NAMES.items()})


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0037_source_identifiers")]

    operations = [migrations.RunPython(forwards, backwards)]
