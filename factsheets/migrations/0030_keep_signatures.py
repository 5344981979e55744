from django.db import migrations
from django.utils import timezone


def keep_signatures(apps, schema_editor):
    """Editions that were signed off before: the day and the person are known, the date of the next review is not."""
    Edition = apps.get_model("factsheets", "Edition")
    for edition in Edition.objects.filter(step="signed_off", by__isnull=False).defer("content"):
        edition.reviewed_on, edition.reviewed_by_id = timezone.localdate(edition.at), edition.by_id
        edition.save(update_fields=["reviewed_on", "reviewed_by"])


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0029_drafts_over_sheets")]

    operations = [migrations.RunPython(keep_signatures, migrations.RunPython.noop, elidable=True)]
