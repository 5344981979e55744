from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("factsheets", "0010_share_statements"),
    ]

    operations = [
        migrations.DeleteModel(
            name="EvidenceStatement",
        ),
    ]
