from django.db import migrations, models
from django.db.models import Case, Q, Value, When


class Migration(migrations.Migration):
    """“Open” asks whether there are signs, and not which.

    The generated column comes back last: to add it, either database writes the whole table anew, so that no byte of the readable
    codes is left in the table.
    """

    dependencies = [
        ("enquiries", "0020_seal_safety_signs"),
    ]

    operations = [
        migrations.RemoveField(model_name="enquiry", name="plain_signs"),
        migrations.AddField(
            model_name="enquiry",
            name="live",
            field=models.GeneratedField(
                expression=Case(
                    When(status__in=["new", "in_progress", "waiting", "booked"], then=Value(True)),
                    When(
                        status="closed", safety_acted_at__isnull=True, safety_signs__isnull=False, then=Value(True)
                    ),
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
        migrations.AddIndex(
            model_name="enquiry",
            index=models.Index(
                condition=Q(flood__isnull=False, live=True), fields=["flood", "created_at"], name="enquiry_of_flood"
            ),
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=Q(safety_acted_at__isnull=True) | Q(safety_signs__isnull=False),
                name="enquiry_safety_act_has_a_sign",
            ),
        ),
    ]
