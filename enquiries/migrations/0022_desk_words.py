import django.core.validators
import backcare.core.encryption
from django.db import migrations, models


# Why an enquiry was held back is kept in words, and two of them decide whether it is answered by email when it is released.
REASONS = {
    "The address has had its mails for a day": "This address has reached its daily limit of emails",
    "The address asked us to send no more": "This address asked us to stop sending emails",
    "Filled in a field that people cannot see": "A hidden field was filled in",
    "Many requests from one place within an hour": "Many forms from one sender within an hour",
    "Very many requests in all within an hour": "Too many forms in total within an hour",
    "One of several from one place, sent in no time": "One of several from one sender, sent too fast for a person",
}


def reword(apps, schema_editor):
    enquiries = apps.get_model("enquiries", "Enquiry").objects.using(schema_editor.connection.alias)
    for before, now in REASONS.items():
        enquiries.filter(quarantine_reason=before).update(quarantine_reason=now)


class Migration(migrations.Migration):

    dependencies = [
        ('enquiries', '0021_open_by_sealed_signs'),
    ]

    operations = [
        migrations.RunPython(reword, migrations.RunPython.noop),
        migrations.AlterField(
            model_name='clinichours',
            name='nation',
            field=models.CharField(choices=[('england', 'England'), ('wales', 'Wales'), ('scotland', 'Scotland'), ('northern_ireland', 'Northern Ireland')], default='england', help_text='The clinic is closed on bank holidays.', max_length=16, verbose_name='bank holidays for'),
        ),
        migrations.AlterField(
            model_name='clinichours',
            name='notice',
            field=models.TextField(blank=True, help_text='Patients see this on the forms instead of a reply time while replies are paused. It is kept here for next time.', max_length=500, verbose_name='public notice'),
        ),
        migrations.AlterField(
            model_name='clinichours',
            name='within_hours',
            field=models.PositiveSmallIntegerField(default=8, help_text='Working hours, from 1 to 80. If you open 9am to 5pm, 8 is one working day.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(80)], verbose_name='reply within'),
        ),
        migrations.AlterField(
            model_name='closure',
            name='from_time',
            field=models.TimeField(blank=True, help_text='On the first day. Leave empty for all day.', null=True, verbose_name='closed from'),
        ),
        migrations.AlterField(
            model_name='closure',
            name='last_day',
            field=models.DateField(help_text='For a single day, enter the same date.'),
        ),
        migrations.AlterField(
            model_name='closure',
            name='reason',
            field=models.CharField(help_text='Patients will see this. For example: “staff training” or “Christmas break”.', max_length=120),
        ),
        migrations.AlterField(
            model_name='closure',
            name='until_time',
            field=models.TimeField(blank=True, help_text='On the last day. Leave empty for all day.', null=True, verbose_name='closed until'),
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='by_email',
            field=models.BooleanField(default=False, editable=False, verbose_name='by email'),
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='email',
            field=backcare.core.encryption.EncryptedTextField(verbose_name='email address'),
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='for_agreed',
            field=models.CharField(blank=True, choices=[('yes', 'They know and agree.'), ('cannot', 'They cannot decide for themselves. Ask who decides for them before you talk about their health.'), ('not_yet', 'They do not know about this, or have not agreed. Give general advice only until they do.')], editable=False, max_length=8),
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='kind',
            field=models.CharField(choices=[('report', 'fact sheet by email'), ('consultation', 'consultation'), ('question', 'question')], editable=False, max_length=14),
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='outcome',
            field=models.CharField(blank=True, choices=[('answered', 'answered'), ('seen', 'came to the clinic'), ('elsewhere', 'went elsewhere (999, 111 or a GP)'), ('not_reached', 'could not be reached'), ('withdrawn', 'withdrawn by the patient'), ('duplicate', 'duplicate'), ('sent', 'fact sheet sent'), ('erased', 'details erased first'), ('not_recorded', 'not recorded')], editable=False, max_length=12),
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='status',
            field=models.CharField(choices=[('new', 'new'), ('in_progress', 'in progress'), ('waiting', 'waiting for patient'), ('booked', 'booked'), ('closed', 'closed'), ('spam', 'spam'), ('held', 'held back')], default='new', max_length=12),
        ),
        migrations.AlterField(
            model_name='enquiryevent',
            name='from_status',
            field=models.CharField(blank=True, choices=[('new', 'new'), ('in_progress', 'in progress'), ('waiting', 'waiting for patient'), ('booked', 'booked'), ('closed', 'closed'), ('spam', 'spam'), ('held', 'held back')], editable=False, max_length=12),
        ),
        migrations.AlterField(
            model_name='enquiryevent',
            name='kind',
            field=models.CharField(choices=[('received', 'received'), ('moved', 'status changed'), ('assigned', 'assigned'), ('note', 'note'), ('message_sent', 'email sent'), ('message_failed', 'email failed'), ('message_again', 'email to be sent again'), ('corrected', 'email address corrected'), ('erased', 'details erased'), ('viewed', 'viewed'), ('called', 'called'), ('replied', 'replied'), ('booked', 'appointment booked'), ('safety', 'action on the warning sign'), ('told', 'clinician told'), ('linked', 'marked as a duplicate'), ('added', 'patient added details'), ('times', 'patient changed the times to call'), ('withdrawn', 'withdrawn by the patient'), ('released', 'released'), ('exported', 'exported'), ('read', 'read what they wrote')], editable=False, max_length=16),
        ),
        migrations.AlterField(
            model_name='enquiryevent',
            name='to_status',
            field=models.CharField(blank=True, choices=[('new', 'new'), ('in_progress', 'in progress'), ('waiting', 'waiting for patient'), ('booked', 'booked'), ('closed', 'closed'), ('spam', 'spam'), ('held', 'held back')], editable=False, max_length=12),
        ),
        migrations.AlterField(
            model_name='outgoingmessage',
            name='purpose',
            field=models.CharField(choices=[('report', 'fact sheet to the patient'), ('acknowledgement', 'acknowledgement to the patient'), ('clinic_alert', 'alert to the clinic'), ('clinician_alert', 'urgent alert to a clinician'), ('change_alert', 'alert to the clinic: changed by the patient'), ('reply', 'reply to the patient'), ('booking', 'appointment confirmation to the patient'), ('new_link', 'new private link to the patient'), ('review_reminder', 'review reminder to an editor'), ('digest', 'daily summary to the clinic'), ('abuse_alarm', 'alert to the clinic: too many forms')], editable=False, max_length=16),
        ),
        migrations.AlterModelOptions(
            name='outgoingmessage',
            options={'ordering': ['created_at', 'pk'], 'verbose_name': 'outgoing email'},
        ),
    ]
