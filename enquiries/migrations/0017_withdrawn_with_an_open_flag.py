from django.db import migrations, models
from django.db.models import Case, Q, Value, When


class Migration(migrations.Migration):
    """What was closed while its safety flag was open is live again: it comes back to the safety queue, also from before the upgrade.

    A generated column cannot be altered, so it is made anew, and with it the two indexes that are made of it.
    """

    dependencies = [
        ("enquiries", "0016_clinician_alert"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="enquiry", name="enquiry_open_by_due"),
        migrations.RemoveIndex(model_name="enquiry", name="enquiry_open_by_owner"),
        migrations.RemoveField(model_name="enquiry", name="live"),
        migrations.AddField(
            model_name="enquiry",
            name="live",
            field=models.GeneratedField(
                expression=Case(
                    When(status__in=["new", "in_progress", "waiting", "booked"], then=Value(True)),
                    When(Q(status="closed", safety_acted_at__isnull=True) & ~Q(safety_signs=""), then=Value(True)),
                    default=Value(False),
                ),
                output_field=models.BooleanField(),
                db_persist=True,
            ),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(condition=Q(live=True), fields=["reply_by", "created_at"], name="enquiry_open_by_due"),
        ),
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(condition=Q(live=True), fields=["owner", "reply_by"], name="enquiry_open_by_owner"),
        ),
    ]
