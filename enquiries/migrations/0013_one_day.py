from django.db import migrations, models
from django.db.models import F, Q


def one_day(apps, schema_editor):
    messages = apps.get_model("enquiries", "OutgoingMessage").objects
    messages.filter(alarm_day__isnull=False).update(day=F("alarm_day"))
    _let_the_table_be_altered(schema_editor)


def two_days(apps, schema_editor):
    messages = apps.get_model("enquiries", "OutgoingMessage").objects
    messages.filter(purpose="abuse_alarm").update(alarm_day=F("day"), day=None)
    _let_the_table_be_altered(schema_editor)


def _let_the_table_be_altered(schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        # Or the next step, in the same transaction, would find "pending trigger events" of these rows' foreign keys.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [("enquiries", "0012_closed_at")]

    operations = [
        migrations.RemoveConstraint("outgoingmessage", "message_one_digest_a_day"),
        migrations.RemoveConstraint("outgoingmessage", "message_one_alarm_a_day"),
        migrations.RemoveConstraint("outgoingmessage", "message_is_about_one_thing"),
        migrations.RenameField("outgoingmessage", "digest_day", "day"),
        migrations.AlterField(
            model_name="outgoingmessage",
            name="day",
            field=models.DateField(
                editable=False,
                help_text="The day that a digest or an alarm is about. The clinic gets one of each a day.",
                null=True,
            ),
        ),
        migrations.RunPython(one_day, two_days),
        migrations.RemoveField("outgoingmessage", "alarm_day"),
        migrations.AddConstraint(
            model_name="outgoingmessage",
            constraint=models.UniqueConstraint(fields=["day", "purpose"], name="message_one_of_a_day"),
        ),
        migrations.AddConstraint(
            model_name="outgoingmessage",
            constraint=models.CheckConstraint(
                condition=(
                    Q(purpose="review_reminder", reminder__isnull=False, staff__isnull=False)
                    & Q(enquiry__isnull=True, day__isnull=True)
                )
                | (
                    Q(purpose__in=["digest", "abuse_alarm"], day__isnull=False)
                    & Q(enquiry__isnull=True, reminder__isnull=True, staff__isnull=True)
                )
                | (
                    ~Q(purpose__in=["review_reminder", "digest", "abuse_alarm"])
                    & Q(enquiry__isnull=False, reminder__isnull=True, staff__isnull=True, day__isnull=True)
                ),
                name="message_is_about_one_thing",
            ),
        ),
    ]
