"""Each status has what it needs. Rows from before there was a rule are mended, and their timeline says so."""

import uuid
from datetime import timedelta

from django.db import migrations, models
from django.utils import timezone

WAIT = timedelta(days=7)  # from the day an enquiry began to wait: as long as staff are used to
MENDED = "An upgrade"


def mend(apps, schema_editor):
    enquiries = apps.get_model("enquiries", "Enquiry").objects
    sent = apps.get_model("enquiries", "EnquiryEvent").objects.filter(
        enquiry=models.OuterRef("pk"), kind="message_sent", actor="mail worker"
    )
    closed = enquiries.filter(status="closed", outcome="")
    closed.filter(models.Exists(sent), kind="report").update(outcome="sent")
    closed.update(outcome="not_recorded")
    never_reached = models.Q(contact_attempts=0, first_contact_at=None)
    to_work_on(
        apps,
        enquiries.filter(models.Q(status="booked", appointment_at=None) | (models.Q(status="waiting") & never_reached)),
    )
    enquiries.exclude(status="waiting").filter(waiting_since__isnull=False).update(waiting_since=None)
    for one in enquiries.filter(status="waiting").only("pk", "waiting_since").iterator():
        since = one.waiting_since or timezone.now()
        enquiries.filter(pk=one.pk).update(waiting_since=since, return_on=timezone.localdate(since + WAIT))
    if schema_editor.connection.vendor == "postgresql":
        # Or a constraint, in the same transaction, would find "pending trigger events" of these rows' foreign keys.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def to_work_on(apps, found):
    """Nobody has booked or reached them as far as the row says: somebody must look at it again."""
    now = timezone.now()
    event = apps.get_model("enquiries", "EnquiryEvent")
    rows = list(found.only("pk", "status"))
    for one in rows:
        event.objects.create(
            id=uuid.uuid4(),
            enquiry=one,
            kind="moved",
            actor=MENDED,
            from_status=one.status,
            to_status="in_progress",
            created_at=now,
        )
    found.model.objects.filter(pk__in=[one.pk for one in rows]).update(status="in_progress", waiting_since=None)


DONE = models.Q(status="closed")
OUTCOMES = [
    ("answered", "answered"),
    ("seen", "came to the clinic"),
    ("elsewhere", "went elsewhere: 999, 111, a GP"),
    ("not_reached", "could not be reached"),
    ("withdrawn", "the patient withdrew it"),
    ("duplicate", "the same as another"),
    ("sent", "the fact sheet was sent"),
    ("erased", "its details were erased first"),
    ("not_recorded", "not recorded"),
]


def check(name: str, condition) -> migrations.AddConstraint:
    return migrations.AddConstraint("enquiry", models.CheckConstraint(condition=condition, name=name))


class Migration(migrations.Migration):
    dependencies = [("enquiries", "0014_linked")]

    operations = [
        migrations.RemoveConstraint("enquiry", "enquiry_known_outcome"),
        migrations.RemoveConstraint("enquiry", "enquiry_outcome_when_closed"),
        migrations.AddField(
            "enquiry",
            "return_on",
            models.DateField(
                editable=False,
                help_text="The day on which a waiting enquiry becomes work again, answered or not.",
                null=True,
            ),
        ),
        migrations.AlterField(
            "enquiry", "outcome", models.CharField(blank=True, choices=OUTCOMES, editable=False, max_length=12)
        ),
        migrations.AlterField(
            "enquiry",
            "waiting_since",
            models.DateTimeField(editable=False, help_text="The reply clock is paused from then.", null=True),
        ),
        migrations.RunPython(mend, migrations.RunPython.noop),
        check("enquiry_known_outcome", models.Q(outcome__in=["", *(value for value, _ in OUTCOMES)])),
        check("enquiry_outcome_when_closed", (DONE & ~models.Q(outcome="")) | (~DONE & models.Q(outcome=""))),
        check("enquiry_booked_has_appointment", ~models.Q(status="booked") | models.Q(appointment_at__isnull=False)),
        check(
            "enquiry_waiting_after_contact_until_a_day",
            (~models.Q(status="waiting") & models.Q(waiting_since__isnull=True, return_on__isnull=True))
            | (
                models.Q(status="waiting", waiting_since__isnull=False, return_on__isnull=False)
                & (models.Q(contact_attempts__gt=0) | models.Q(first_contact_at__isnull=False))
            ),
        ),
    ]
