"""Appointments have a table of their own, with their history. What enquiries held becomes the first of it."""

from datetime import timedelta

import backcare.core.encryption
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone

MINUTE = timedelta(minutes=1)


def move(apps, schema_editor):
    """The time that an enquiry held becomes its appointment: booked while the enquiry is open, else what its outcome says.

    The UID is the one of the calendar entry that the patient already has, and the sequence its last: the next change moves that.
    """
    enquiries = apps.get_model("enquiries", "Enquiry").objects
    appointments = apps.get_model("enquiries", "Appointment").objects
    events = apps.get_model("enquiries", "EnquiryEvent").objects
    messages = apps.get_model("enquiries", "OutgoingMessage").objects
    now, host = timezone.now(), settings.BASE_URL.partition("://")[2] or "localhost"
    columns = ["pk", "reference", "status", "outcome", "version", "closed_at", "appointment_at", "appointment_by"]
    for one in enquiries.filter(appointment_at__isnull=False).only(*columns).iterator():
        at = one.appointment_at
        made_at = events.filter(enquiry=one.pk, kind="booked").aggregate(last=models.Max("created_at"))["last"]
        state, ended_at = "booked", None
        if one.status in {"closed", "spam"} or (one.status != "booked" and at <= now):
            state = "came" if one.outcome == "seen" else "not_recorded"
            ended_at = max(one.closed_at or now, at)
        made = appointments.create(
            enquiry=one,
            starts_at=at,
            channel=one.appointment_by if one.appointment_by in {"phone", "video", "clinic"} else "phone",
            state=state,
            ended_at=ended_at,
            booked_at=min(made_at or now, at - MINUTE),
            uid=f"{one.reference}@{host}",
            sequence=one.version,
        )
        messages.filter(enquiry=one.pk, purpose="booking").update(appointment=made)
        if state == "booked":
            enquiries.filter(pk=one.pk).update(appointment=made)
    if schema_editor.connection.vendor == "postgresql":
        # Or a constraint, in the same transaction, would find "pending trigger events" of these rows' foreign keys.
        schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):

    dependencies = [
        ('enquiries', '0022_desk_words'),
        ('factsheets', '0019_word_lists'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('first_day', models.DateField(verbose_name='away from')),
                ('last_day', models.DateField(db_index=True, help_text='The last day away.', verbose_name='away until')),
            ],
            options={
                'ordering': ['-first_day', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='Appointment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('starts_at', models.DateTimeField(db_index=True, editable=False)),
                ('minutes', models.PositiveSmallIntegerField(default=30, editable=False, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(480)])),
                ('channel', models.CharField(choices=[('phone', 'by phone'), ('video', 'by video call'), ('clinic', 'at the clinic')], editable=False, max_length=10)),
                ('place', backcare.core.encryption.EncryptedTextField(null=True, verbose_name='place or video link')),
                ('remind', models.BooleanField(default=False, editable=False, help_text='Whether the patient gets an email the working day before.')),
                ('reminded_at', models.DateTimeField(editable=False, null=True)),
                ('state', models.CharField(choices=[('booked', 'booked'), ('moved', 'moved'), ('came', 'came'), ('missed', 'did not come'), ('by_patient', 'cancelled by the patient'), ('by_clinic', 'cancelled by the clinic'), ('not_recorded', 'not recorded')], default='booked', editable=False, max_length=12)),
                ('uid', models.CharField(editable=False, max_length=200)),
                ('sequence', models.PositiveIntegerField(default=0, editable=False)),
                ('booked_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('ended_at', models.DateTimeField(editable=False, help_text='When it was moved or cancelled, or its outcome recorded.', null=True)),
            ],
            options={
                'ordering': ['starts_at', 'pk'],
            },
        ),
        migrations.AlterField(
            model_name='enquiryevent',
            name='kind',
            field=models.CharField(choices=[('received', 'received'), ('moved', 'status changed'), ('assigned', 'assigned'), ('note', 'note'), ('message_sent', 'email sent'), ('message_failed', 'email failed'), ('message_again', 'email to be sent again'), ('corrected', 'email address corrected'), ('erased', 'details erased'), ('viewed', 'viewed'), ('called', 'called'), ('replied', 'replied'), ('booked', 'appointment booked'), ('appointment', 'appointment changed'), ('safety', 'action on the warning sign'), ('told', 'clinician told'), ('linked', 'marked as a duplicate'), ('added', 'patient added details'), ('times', 'patient changed the times to call'), ('withdrawn', 'withdrawn by the patient'), ('released', 'released'), ('exported', 'exported'), ('read', 'read what they wrote')], editable=False, max_length=16),
        ),
        migrations.AlterField(
            model_name='outgoingmessage',
            name='purpose',
            field=models.CharField(choices=[('report', 'fact sheet to the patient'), ('acknowledgement', 'acknowledgement to the patient'), ('clinic_alert', 'alert to the clinic'), ('clinician_alert', 'urgent alert to a clinician'), ('change_alert', 'alert to the clinic: changed by the patient'), ('reply', 'reply to the patient'), ('booking', 'appointment confirmation to the patient'), ('cancellation', 'appointment cancellation to the patient'), ('booking_reminder', 'appointment reminder to the patient'), ('new_link', 'new private link to the patient'), ('review_reminder', 'review reminder to an editor'), ('digest', 'daily summary to the clinic'), ('abuse_alarm', 'alert to the clinic: too many forms')], editable=False, max_length=16),
        ),
        migrations.AddField(
            model_name='absence',
            name='staff',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='absences', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='appointment',
            name='enquiry',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='appointments', to='enquiries.enquiry'),
        ),
        migrations.AddField(
            model_name='appointment',
            name='replaces',
            field=models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaced_by', to='enquiries.appointment'),
        ),
        migrations.AddField(
            model_name='appointment',
            name='with_whom',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appointments', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='enquiry',
            name='appointment',
            field=models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='enquiries.appointment'),
        ),
        migrations.AddField(
            model_name='outgoingmessage',
            name='appointment',
            field=models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='messages', to='enquiries.appointment'),
        ),
        migrations.RemoveConstraint(
            model_name='enquiry',
            name='enquiry_appointment_has_time_and_channel',
        ),
        migrations.RemoveConstraint(
            model_name='enquiry',
            name='enquiry_booked_has_appointment',
        ),
        migrations.RemoveConstraint(
            model_name='enquiryevent',
            name='event_known_kind',
        ),
        migrations.RemoveConstraint(
            model_name='outgoingmessage',
            name='message_known_purpose',
        ),
        migrations.RunPython(move, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='enquiry',
            name='appointment_at',
        ),
        migrations.RemoveField(
            model_name='enquiry',
            name='appointment_by',
        ),
        migrations.AddConstraint(
            model_name='enquiryevent',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['received', 'moved', 'assigned', 'note', 'message_sent', 'message_failed', 'message_again', 'corrected', 'erased', 'viewed', 'called', 'replied', 'booked', 'appointment', 'safety', 'told', 'linked', 'added', 'times', 'withdrawn', 'released', 'exported', 'read'])), name='event_known_kind'),
        ),
        migrations.AddConstraint(
            model_name='enquiry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'booked'), _negated=True), ('appointment__isnull', False), _connector='OR'), name='enquiry_booked_has_appointment'),
        ),
        migrations.AddConstraint(
            model_name='enquiry',
            constraint=models.CheckConstraint(condition=models.Q(('appointment__isnull', True), models.Q(('status__in', ['closed', 'spam']), _negated=True), _connector='OR'), name='enquiry_no_appointment_when_done'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['report', 'acknowledgement', 'clinic_alert', 'clinician_alert', 'change_alert', 'reply', 'booking', 'cancellation', 'booking_reminder', 'new_link', 'review_reminder', 'digest', 'abuse_alarm'])), name='message_known_purpose'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('appointment__isnull', True), ('purpose__in', ['booking', 'cancellation', 'booking_reminder']), _connector='OR'), name='message_appointment_only_for_its_emails'),
        ),
        migrations.AddConstraint(
            model_name='absence',
            constraint=models.CheckConstraint(condition=models.Q(('last_day__gte', models.F('first_day'))), name='absence_ends_after_it_starts'),
        ),
        migrations.AddIndex(
            model_name='appointment',
            index=models.Index(condition=models.Q(('state', 'booked')), fields=['starts_at'], name='appointment_booked'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'booked')), fields=('enquiry',), name='appointment_one_booked_of_an_enquiry'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('uid', 'sequence'), name='appointment_sequence_once'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['booked', 'moved', 'came', 'missed', 'by_patient', 'by_clinic', 'not_recorded'])), name='appointment_known_state'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['phone', 'video', 'clinic'])), name='appointment_known_channel'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('minutes__gte', 5), ('minutes__lte', 480)), name='appointment_length'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('starts_at__gt', models.F('booked_at'))), name='appointment_is_to_come_when_booked'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('ended_at__isnull', True), ('state', 'booked')), models.Q(models.Q(('state', 'booked'), _negated=True), ('ended_at__isnull', False)), _connector='OR'), name='appointment_ended_at_when_over'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['came', 'missed']), _negated=True), ('ended_at__gte', models.F('starts_at')), _connector='OR'), name='appointment_came_or_not_after_it_began'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.CheckConstraint(condition=models.Q(('replaces__isnull', True), models.Q(('replaces', models.F('pk')), _negated=True), _connector='OR'), name='appointment_replaces_another'),
        ),
    ]
