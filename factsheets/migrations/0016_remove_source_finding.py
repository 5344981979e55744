from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("factsheets", "0015_findings_by_sheet"),
    ]

    operations = [
        migrations.RemoveField(
            model_name="source",
            name="finding",
        ),
    ]
