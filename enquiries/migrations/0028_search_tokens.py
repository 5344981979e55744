"""Staff find an enquiry by part of a name, address or number. `prepare` makes the hashes of what is there: it needs the keys."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('enquiries', '0027_first_reply_templates'),
        ('factsheets', '0023_search_in_memory'),
    ]

    operations = [
        migrations.DeleteModel(name='NameWord'),
        migrations.CreateModel(
            name='SearchToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BigIntegerField(editable=False)),
                ('enquiry', models.ForeignKey(db_index=False, editable=False, on_delete=models.deletion.CASCADE, related_name='search_tokens', to='enquiries.enquiry')),
            ],
        ),
        migrations.AddIndex(
            model_name='searchtoken',
            index=models.Index(fields=['key', 'id'], name='search_token_newest'),
        ),
        migrations.AddConstraint(
            model_name='searchtoken',
            constraint=models.UniqueConstraint(fields=('enquiry', 'key'), name='search_token_once'),
        ),
        migrations.AlterField(
            model_name='enquiry',
            name='sheet',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=models.deletion.PROTECT, related_name='enquiries', to='factsheets.factsheet'),
        ),
        migrations.AddIndex(
            model_name='enquiry',
            index=models.Index(fields=['sheet', 'created_at'], name='enquiry_of_sheet', condition=models.Q(('sheet__isnull', False))),
        ),
    ]
