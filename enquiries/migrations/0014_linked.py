import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("enquiries", "0013_one_day")]

    operations = [
        migrations.AlterField(
            model_name="enquiry",
            name="same_as",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="linked",
                to="enquiries.enquiry",
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=models.Q(("same_as__isnull", False)), fields=["same_as"], name="enquiry_linked"
            ),
        ),
    ]
