from django.db import migrations, models
from django.db.models.functions import Coalesce

DONE = ["closed", "spam"]


def make_whole(apps, schema_editor):
    """What is done without a time gets that of its last move, as the timeline has it; what is open loses the time it still has."""
    enquiries = apps.get_model("enquiries", "Enquiry").objects
    moves = apps.get_model("enquiries", "EnquiryEvent").objects.filter(
        enquiry=models.OuterRef("pk"), to_status__in=DONE
    )
    last_move = models.Subquery(moves.order_by("-created_at").values("created_at")[:1])
    enquiries.filter(status__in=DONE, closed_at=None).update(closed_at=Coalesce(last_move, models.F("created_at")))
    enquiries.exclude(status__in=DONE).filter(closed_at__isnull=False).update(closed_at=None)
    if schema_editor.connection.vendor == "postgresql":
        # Or the constraint, in the same transaction, would find "pending trigger events" of these rows' foreign keys.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("enquiries", "0011_for_someone_else")]

    operations = [
        migrations.RunPython(make_whole, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=(~models.Q(status__in=DONE) & models.Q(closed_at__isnull=True))
                | models.Q(status__in=DONE, closed_at__isnull=False),
                name="enquiry_closed_at_when_done",
            ),
        ),
    ]
