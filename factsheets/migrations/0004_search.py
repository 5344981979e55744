import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('factsheets', '0003_editions_and_pictures'),
    ]

    operations = [
        migrations.CreateModel(
            name='SearchWord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('word', models.CharField(max_length=40, unique=True)),
            ],
        ),
        migrations.CreateModel(
            name='Synonym',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='A name for this group.', max_length=80, unique=True)),
                ('words', models.CharField(help_text='Words or short phrases, separated by commas: slipped disc, slipped disk, disc bulge. Whoever searches for one of them also finds the others.', max_length=600)),
            ],
            options={
                'ordering': ['slug'],
            },
        ),
        migrations.CreateModel(
            name='SearchEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='What it was made from, such as term:sciatica.', max_length=120, unique=True)),
                ('kind', models.CharField(choices=[('sheet', 'fact sheet'), ('term', 'glossary'), ('page', 'page')], max_length=5)),
                ('address', models.CharField(blank=True, help_text='Empty for a sheet, which knows its own.', max_length=200)),
                ('title', models.CharField(max_length=160)),
                ('digest', models.CharField(help_text='Of what was indexed, to leave alone what did not change.', max_length=32)),
                ('sheet', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='search_entry', to='factsheets.factsheet')),
            ],
            options={
                'verbose_name_plural': 'search entries',
            },
        ),
        migrations.CreateModel(
            name='SearchMiss',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(editable=False, max_length=64, unique=True)),
                ('times', models.PositiveIntegerField(default=1, editable=False)),
                ('days', models.PositiveIntegerField(default=1, editable=False, help_text='On how many different days.')),
                ('text', models.CharField(blank=True, editable=False, max_length=60, verbose_name='what was searched for')),
                ('last_on', models.DateField(default=django.utils.timezone.localdate, editable=False, verbose_name='last searched for')),
            ],
            options={
                'verbose_name': 'search without results',
                'verbose_name_plural': 'searches without results',
                'ordering': ['-times', 'text'],
                'constraints': [models.CheckConstraint(condition=models.Q(('text', ''), ('times__gte', 5), _connector='OR'), name='miss_text_only_when_often')],
            },
        ),
        migrations.CreateModel(
            name='SearchPassage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField(help_text='Order in the entry.')),
                ('anchor', models.CharField(blank=True, help_text="The place on the page. Empty: the page's top.", max_length=80)),
                ('heading', models.CharField(blank=True, max_length=240)),
                ('text', models.TextField(blank=True)),
                ('traditional', models.BooleanField(default=False, help_text='Shown with the label of the traditional view.')),
                ('entry', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='passages', to='factsheets.searchentry')),
            ],
            options={
                'ordering': ['entry', 'number'],
            },
        ),
        migrations.CreateModel(
            name='SearchPosting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stem', models.CharField(max_length=40)),
                ('weight', models.PositiveSmallIntegerField(help_text='factsheets/search/index.py says how it is counted.')),
                ('places', models.TextField(help_text='Passages and weights, such as t.100,3.31,7.2.')),
                ('entry', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='postings', to='factsheets.searchentry')),
            ],
        ),
        migrations.AddConstraint(
            model_name='searchentry',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('address', ''), ('kind', 'sheet'), ('sheet__isnull', False)), models.Q(('kind__in', ['term', 'page']), ('sheet__isnull', True), models.Q(('address', ''), _negated=True)), _connector='OR'), name='search_entry_sheet_or_address'),
        ),
        migrations.AddConstraint(
            model_name='searchpassage',
            constraint=models.UniqueConstraint(fields=('entry', 'number'), name='search_passage_once'),
        ),
        migrations.AddIndex(
            model_name='searchposting',
            index=models.Index(fields=['stem', '-weight', 'entry'], name='search_posting_best'),
        ),
        migrations.AddConstraint(
            model_name='searchposting',
            constraint=models.UniqueConstraint(fields=('entry', 'stem'), name='search_posting_once'),
        ),
    ]
