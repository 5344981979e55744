"""An enquiry in progress has a day on which it is chased, as one that waits for the patient has."""

from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('enquiries', '0024_calendar_feed'),
        ('factsheets', '0021_sheets_on_one_page'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='enquiry',
            name='enquiry_waiting_after_contact_until_a_day',
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='return_on',
            field=models.DateField(editable=False, help_text='The day on which one that waits, or is in progress, is chased.', null=True),
        ),
        migrations.AddConstraint(
            model_name='enquiry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('status__in', ['waiting', 'in_progress']), _negated=True), ('return_on__isnull', True), ('waiting_since__isnull', True)), models.Q(('status', 'in_progress'), ('waiting_since__isnull', True)), models.Q(('return_on__isnull', False), ('status', 'waiting'), ('waiting_since__isnull', False), models.Q(('contact_attempts__gt', 0), ('first_contact_at__isnull', False), _connector='OR')), _connector='OR'), name='enquiry_waiting_after_contact_until_a_day'),
        ),
    ]
