"""Emails about a staff account: an invitation, and a link to choose a new password."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('enquiries', '0030_staff_drafts'),
        ('factsheets', '0024_sheet_reads'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='outgoingmessage',
            name='message_is_about_one_thing',
        ),
        migrations.RemoveConstraint(
            model_name='outgoingmessage',
            name='message_known_purpose',
        ),
        migrations.AlterField(
            model_name='outgoingmessage',
            name='purpose',
            field=models.CharField(choices=[('report', 'fact sheet to the patient'), ('acknowledgement', 'acknowledgement to the patient'), ('clinic_alert', 'alert to the clinic'), ('clinician_alert', 'urgent alert to a clinician'), ('change_alert', 'alert to the clinic: changed by the patient'), ('reply', 'reply to the patient'), ('booking', 'appointment confirmation to the patient'), ('cancellation', 'appointment cancellation to the patient'), ('booking_reminder', 'appointment reminder to the patient'), ('new_link', 'new private link to the patient'), ('review_reminder', 'review reminder to an editor'), ('digest', 'daily summary to the clinic'), ('abuse_alarm', 'alert to the clinic: too many forms'), ('invitation', 'invitation to the staff desk'), ('password_reset', 'link to choose a new password')], editable=False, max_length=16),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(('purpose__in', ['report', 'acknowledgement', 'clinic_alert', 'clinician_alert', 'change_alert', 'reply', 'booking', 'cancellation', 'booking_reminder', 'new_link', 'review_reminder', 'digest', 'abuse_alarm', 'invitation', 'password_reset'])), name='message_known_purpose'),
        ),
        migrations.AddConstraint(
            model_name='outgoingmessage',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'review_reminder'), ('reminder__isnull', False), ('staff__isnull', False), ('day__isnull', True), ('enquiry__isnull', True)), models.Q(('day__isnull', False), ('purpose__in', ['digest', 'abuse_alarm']), ('enquiry__isnull', True), ('reminder__isnull', True), ('staff__isnull', True)), models.Q(('enquiry__isnull', False), ('purpose', 'clinician_alert'), ('staff__isnull', False), ('day__isnull', True), ('reminder__isnull', True)), models.Q(('purpose__in', ['invitation', 'password_reset']), ('staff__isnull', False), ('day__isnull', True), ('enquiry__isnull', True), ('reminder__isnull', True)), models.Q(models.Q(('purpose__in', ['review_reminder', 'clinician_alert', 'invitation', 'password_reset', 'digest', 'abuse_alarm']), _negated=True), ('day__isnull', True), ('enquiry__isnull', False), ('reminder__isnull', True), ('staff__isnull', True)), _connector='OR'), name='message_is_about_one_thing'),
        ),
    ]
