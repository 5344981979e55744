"""Staff write down what somebody asks by telephone or at the clinic. Everything before came by the website."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('enquiries', '0028_search_tokens'),
    ]

    operations = [
        migrations.AddField(
            model_name='enquiry',
            name='channel',
            field=models.CharField(choices=[('website', 'on the website'), ('phone', 'by telephone'), ('walk_in', 'at the clinic')], default='website', editable=False, max_length=8),
        ),
        migrations.AddConstraint(
            model_name='enquiry',
            constraint=models.CheckConstraint(condition=models.Q(('channel__in', ['website', 'phone', 'walk_in'])), name='enquiry_known_channel'),
        ),
    ]
