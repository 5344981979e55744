from django.db import migrations, models

SIGNED = ["signed_off", "restored", "published"]


def keep_the_days_that_stand(apps, schema_editor):
    """The day on which a page is to be taken down was kept on the sheet only. It belongs to the signature that stands."""
    for sheet in apps.get_model("factsheets", "FactSheet").objects.filter(retire_on__isnull=False, draft_of=None):
        signed = sheet.editions.filter(step__in=SIGNED).order_by("number").last()
        if signed:
            signed.retire_on = sheet.retire_on
            signed.save(update_fields=["retire_on"])


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0001_squashed_0035_draft_questions")]

    operations = [
        migrations.AddField(
            model_name="edition",
            name="retire_on",
            field=models.DateField(
                blank=True,
                editable=False,
                help_text="The day signed with the words for taking the page down.",
                null=True,
            ),
        ),
        migrations.RunPython(keep_the_days_that_stand, migrations.RunPython.noop, elidable=True),
    ]
