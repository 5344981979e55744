"""What the migrations to 0035 make, at once, for a new database: one by one they take ten times as long. One that has some of
them goes on with the others."""

from importlib import import_module

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import factsheets.models.safety
import factsheets.models.words
from django.conf import settings
from django.db import migrations, models

people = import_module('factsheets.migrations.0025_people')


class Migration(migrations.Migration):

    replaces = [('factsheets', '0001_initial'), ('factsheets', '0002_claim'), ('factsheets', '0003_editions_and_pictures'), ('factsheets', '0004_search'), ('factsheets', '0005_offers_and_content_version'), ('factsheets', '0006_pages'), ('factsheets', '0007_red_flags'), ('factsheets', '0008_approvals'), ('factsheets', '0009_statements'), ('factsheets', '0010_share_statements'), ('factsheets', '0011_delete_evidencestatement'), ('factsheets', '0012_sources_traced'), ('factsheets', '0013_safety_drafts'), ('factsheets', '0014_source_use'), ('factsheets', '0015_findings_by_sheet'), ('factsheets', '0016_remove_source_finding'), ('factsheets', '0017_two_picture_formats'), ('factsheets', '0018_sheet_dates'), ('factsheets', '0019_word_lists'), ('factsheets', '0020_three_layers'), ('factsheets', '0021_sheets_on_one_page'), ('factsheets', '0022_sheet_feedback'), ('factsheets', '0023_search_in_memory'), ('factsheets', '0024_sheet_reads'), ('factsheets', '0025_people'), ('factsheets', '0026_site_notice'), ('factsheets', '0027_shared_history_and_links'), ('factsheets', '0028_unsaved_edits'), ('factsheets', '0029_drafts_over_sheets'), ('factsheets', '0030_keep_signatures'), ('factsheets', '0031_edition_signatures'), ('factsheets', '0032_shared_drafts'), ('factsheets', '0033_check_links_of_texts'), ('factsheets', '0034_statement_burden'), ('factsheets', '0035_draft_questions')]

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='ContentVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token', models.CharField(max_length=16)),
            ],
        ),
        migrations.CreateModel(
            name='Figure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('title', models.CharField(max_length=200)),
                ('alt', models.CharField(help_text='One sentence, read out instead of the drawing.', max_length=300, verbose_name='text alternative')),
                ('long_description', models.TextField(help_text='Every fact and label in the drawing, in two to five plain sentences.')),
                ('drawing', models.CharField(blank=True, help_text='The file in static/, such as figures/spine-24-bones.svg.', max_length=200, validators=[django.core.validators.RegexValidator('^figures/[a-z0-9-]+\\.svg\\Z', 'Name a drawing such as figures/spine.svg.')])),
                ('credit', models.CharField(blank=True, help_text='Who made the picture, and by what right we show it. Shown under it.', max_length=200)),
                ('width', models.PositiveSmallIntegerField(default=400, validators=[django.core.validators.MinValueValidator(1)])),
                ('height', models.PositiveSmallIntegerField(default=300, validators=[django.core.validators.MinValueValidator(1)])),
                ('claim_refs', models.JSONField(blank=True, default=list, verbose_name='claim ledger rows')),
            ],
            options={
                'ordering': ['slug'],
            },
        ),
        migrations.CreateModel(
            name='GlossaryTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('term', models.CharField(max_length=120)),
                ('also', models.JSONField(blank=True, default=list, verbose_name='also called')),
                ('meaning', models.TextField(help_text='One or two plain sentences.')),
                ('explain_in_text', models.BooleanField(default=True, help_text='Explain it where a sheet first uses it. Switch off for words that most people know.')),
            ],
            options={
                'ordering': ['term'],
            },
        ),
        migrations.CreateModel(
            name='SearchQuestions',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(help_text='The sheet and the section that answers these questions, or a page of the site.', max_length=160, unique=True, verbose_name='where the answer is')),
                ('questions', models.JSONField(default=list, help_text='One a line, as people type them: whole sentences, single words, worries, regional words and misspellings. For example “will a slipped disk heal on its own” or “dodgy back cant sleep”.', verbose_name="questions in patients' words")),
            ],
            options={
                'verbose_name': 'questions of patients',
                'verbose_name_plural': 'questions of patients',
                'ordering': ['place'],
            },
        ),
        migrations.CreateModel(
            name='Source',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='The short name that authors cite: [@NG59].', max_length=40, unique=True, validators=[django.core.validators.RegexValidator('^[A-Z0-9-]+\\Z', 'Use capital letters, numbers and hyphens only.')])),
                ('kind', models.CharField(choices=[('guideline', 'guideline'), ('health_service', 'health service page'), ('review', 'review of studies'), ('trial', 'trial'), ('study', 'study'), ('regulator', 'regulator'), ('law', 'law'), ('report', 'report'), ('book', 'book')], max_length=20)),
                ('authors', models.CharField(blank=True, help_text='As printed, such as Vickers AJ et al.', max_length=300)),
                ('title', models.CharField(max_length=400)),
                ('container', models.CharField(blank=True, max_length=200, verbose_name='journal or series')),
                ('publisher', models.CharField(blank=True, max_length=200)),
                ('year', models.PositiveSmallIntegerField(blank=True, help_text='Leave empty when it is not known.', null=True)),
                ('detail', models.CharField(blank=True, max_length=200, verbose_name='volume, issue and pages')),
                ('identifier', models.CharField(blank=True, help_text='Such as NG59 or CD013814.', max_length=120)),
                ('isbn', models.CharField(blank=True, help_text='Of a book, without hyphens or spaces.', max_length=13, validators=[django.core.validators.RegexValidator('^(?:97[89]\\d{10}|\\d{9}[\\dX])\\Z', 'Enter the 10 or 13 characters of the ISBN only.')], verbose_name='ISBN')),
                ('doi', models.CharField(blank=True, help_text='Without https://doi.org/', max_length=120, verbose_name='DOI')),
                ('pmid', models.CharField(blank=True, max_length=20, verbose_name='PubMed number')),
                ('pmcid', models.CharField(blank=True, max_length=20, verbose_name='PubMed Central number')),
                ('url', models.URLField(blank=True, max_length=400, verbose_name='web address')),
                ('accessed', models.DateField(blank=True, help_text='When somebody last read the page or a copy of it. Needed where the source itself gives no year.', null=True)),
                ('verification', models.CharField(choices=[('verified', 'checked'), ('part_verified', 'checked in part'), ('to_verify', 'still to be checked')], default='to_verify', max_length=20)),
                ('to_check', models.TextField(blank=True, help_text='What somebody still has to look up before this can be relied on.')),
            ],
            options={
                'ordering': ['key'],
            },
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
            name='Topic',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('title', models.CharField(max_length=120)),
                ('question', models.CharField(help_text='The question a patient has, such as “What is going on in my back?”', max_length=160)),
                ('summary', models.CharField(blank=True, max_length=300)),
            ],
            options={
                'ordering': ['position', 'slug'],
            },
        ),
        migrations.CreateModel(
            name='WordList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='As the patterns name it, in small letters: {pee}, {wet myself}.', max_length=40, unique=True)),
                ('note', models.CharField(blank=True, help_text='What its words have in common.', max_length=200)),
                ('lines', models.JSONField(default=list, help_text='Words and phrases, with “|” between them.', validators=[factsheets.models.words.check_words], verbose_name='words')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Claim',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ref', models.CharField(max_length=12, unique=True, verbose_name='row')),
                ('status', models.CharField(choices=[('keep', 'keep'), ('correct', 'publish corrected'), ('contextualise', 'publish with its qualifier'), ('drop', 'do not publish'), ('added', 'added')], max_length=14)),
                ('sheets', models.JSONField(blank=True, default=list, help_text='Addresses of the sheets that should cover it.')),
                ('statement', models.TextField(verbose_name='what to say today')),
                ('sources', models.JSONField(blank=True, default=list, verbose_name='source keys')),
                ('to_check', models.BooleanField(default=False, help_text='Some detail still has to be looked up.', verbose_name='rests on general knowledge')),
            ],
            options={
                'ordering': ['ref'],
                'constraints': [models.CheckConstraint(condition=models.Q(('status__in', ['keep', 'correct', 'contextualise', 'drop', 'added'])), name='claim_known_status')],
            },
        ),
        migrations.CreateModel(
            name='FactSheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text='The address: /fact-sheets/<slug>/', max_length=80, unique=True)),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Order within the topic.')),
                ('title', models.CharField(max_length=120)),
                ('summary', models.CharField(help_text='One plain sentence, shown in lists and in search results.', max_length=300)),
                ('audience', models.CharField(max_length=300, verbose_name='who it is for')),
                ('kind', models.CharField(choices=[('treatment', 'a treatment'), ('condition', 'a condition'), ('self_care', 'looking after yourself'), ('choices', 'choosing among tests and treatments')], default='condition', help_text='It decides which questions the leaflet answers.', max_length=10, verbose_name='what it is about')),
                ('in_short', models.TextField(blank=True, help_text='Two or three sentences, 50 words at most, that answer the question the title raises. No citations: the same facts come with their sources in the leaflet.', verbose_name='in short')),
                ('key_points', models.TextField(help_text='Exactly three points, the most important first, each on a line that begins with “- ”. No sources here.')),
                ('treatment_offered', models.BooleanField(default=False, help_text='It describes something the clinic sells. Shows the interest statement.')),
                ('state', models.CharField(choices=[('draft', 'draft'), ('in_review', 'in clinical review'), ('scheduled', 'signed off, waiting for its day'), ('published', 'published'), ('retired', 'retired')], default='draft', max_length=12)),
                ('reviewed_on', models.DateField(blank=True, null=True)),
                ('review_due_on', models.DateField(blank=True, help_text='When it must be read again by a clinician.', null=True)),
                ('evidence_checked_on', models.DateField(blank=True, help_text='When somebody last compared all its facts with the studies and guidelines. Readers see the month.', null=True)),
                ('written_on', models.DateField(blank=True, editable=False, help_text='The day on which its authors last changed the words that are installed with the site.', null=True)),
                ('document', models.JSONField(default=dict, editable=False, help_text='The sheet as all four outputs need it, made when it or a part of it is saved.')),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('publish_on', models.DateField(blank=True, editable=False, help_text='Signed off, to be published then.', null=True)),
                ('retire_on', models.DateField(blank=True, editable=False, help_text='To be taken off the site then.', null=True)),
                ('draft_of', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='draft', to='factsheets.factsheet')),
                ('reviewed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sheets_reviewed', to=settings.AUTH_USER_MODEL)),
                ('lead_figure', models.ForeignKey(blank=True, help_text='The one drawing that stands beside the key points.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='leading', to='factsheets.figure', verbose_name='first drawing')),
                ('topic', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='sheets', to='factsheets.topic')),
            ],
            options={
                'ordering': ['topic__position', 'position', 'slug'],
                'permissions': [('sign_off_factsheet', 'Can sign off a fact sheet as its clinical reviewer')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'in_review', 'scheduled', 'published', 'retired'])), name='sheet_known_state'), models.CheckConstraint(condition=models.Q(('kind__in', ['treatment', 'condition', 'self_care', 'choices'])), name='sheet_known_kind'), models.CheckConstraint(condition=models.Q(models.Q(('reviewed_by__isnull', True), ('reviewed_on__isnull', True)), models.Q(('reviewed_by__isnull', False), ('reviewed_on__isnull', False)), _connector='OR'), name='sheet_reviewed_on_and_by'), models.CheckConstraint(condition=models.Q(('draft_of__isnull', True), ('state__in', ['draft', 'in_review', 'scheduled']), _connector='OR'), name='sheet_draft_is_not_public'), models.CheckConstraint(condition=models.Q(models.Q(('publish_on__isnull', False), ('reviewed_on__isnull', False), ('state', 'scheduled')), models.Q(models.Q(('state', 'scheduled'), _negated=True), ('publish_on__isnull', True)), _connector='OR'), name='sheet_scheduled_has_day_and_signature')],
            },
        ),
        migrations.CreateModel(
            name='FormerAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=80, unique=True)),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='former_addresses', to='factsheets.factsheet')),
            ],
            options={
                'verbose_name_plural': 'former addresses',
            },
        ),
        migrations.CreateModel(
            name='InstalledRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(help_text='The model, such as factsheets.section.', max_length=80)),
                ('natural_key', models.CharField(max_length=300)),
                ('fields', models.JSONField(help_text='The field values as they were installed.')),
                ('offered', models.JSONField(default=dict, help_text='What the newest fixtures say in fields that staff changed, until it is settled.')),
                ('installed_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('label', 'natural_key'), name='installed_once')],
            },
        ),
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(editable=False, help_text='The start of the SHA-256 of the pixels; names the address.', max_length=32, unique=True)),
                ('width', models.PositiveIntegerField(editable=False, help_text='Pixels, of the largest file.')),
                ('height', models.PositiveIntegerField(editable=False)),
                ('uploaded_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('uploaded_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-uploaded_at'],
            },
        ),
        migrations.AddField(
            model_name='figure',
            name='picture',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='figures', to='factsheets.picture'),
        ),
        migrations.CreateModel(
            name='PictureFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('width', models.PositiveIntegerField(editable=False)),
                ('format', models.CharField(choices=[('webp', 'WebP'), ('jpg', 'JPEG')], editable=False, max_length=4)),
                ('data', models.BinaryField()),
                ('picture', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='files', to='factsheets.picture')),
            ],
            options={
                'ordering': ['picture', 'format', 'width'],
                'constraints': [models.UniqueConstraint(fields=('picture', 'width', 'format'), name='picture_file_once'), models.CheckConstraint(condition=models.Q(('format__in', ['webp', 'jpg'])), name='picture_file_known_format')],
            },
        ),
        migrations.CreateModel(
            name='RelatedSheet',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('reason', models.CharField(help_text='One sentence, written for the reader.', max_length=240)),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='related', to='factsheets.factsheet')),
                ('to', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='related_from', to='factsheets.factsheet')),
            ],
            options={
                'ordering': ['position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('sheet', 'to'), name='related_once'), models.CheckConstraint(condition=models.Q(('sheet', models.F('to')), _negated=True), name='related_to_another_sheet'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='related_has_reason')],
            },
        ),
        migrations.CreateModel(
            name='ReviewComment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('section', models.SlugField(blank=True, editable=False, help_text='Empty: the sheet as a whole.', max_length=80)),
                ('text', models.TextField(editable=False, max_length=2000)),
                ('actor', models.CharField(editable=False, max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('resolved_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('resolved_actor', models.CharField(blank=True, editable=False, max_length=150)),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sheet', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='factsheets.factsheet')),
            ],
            options={
                'ordering': ['at', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('text', ''), _negated=True), models.Q(('actor', ''), _negated=True)), name='comment_has_text_and_actor'), models.CheckConstraint(condition=models.Q(models.Q(('resolved_actor', ''), ('resolved_at__isnull', True)), models.Q(('resolved_at__isnull', False), models.Q(('resolved_actor', ''), _negated=True)), _connector='OR'), name='comment_resolved_by_somebody')],
            },
        ),
        migrations.CreateModel(
            name='ReviewReminder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('review_due_on', models.DateField(editable=False)),
                ('days_before', models.PositiveSmallIntegerField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('sheet', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='reminders', to='factsheets.factsheet')),
            ],
            options={
                'ordering': ['-created_at'],
                'constraints': [models.UniqueConstraint(fields=('sheet', 'review_due_on', 'days_before'), name='reminder_once')],
            },
        ),
        migrations.CreateModel(
            name='SafetyDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('writing', 'being written'), ('in_review', 'waiting for a clinician’s approval'), ('published', 'published'), ('discarded', 'discarded')], default='writing', editable=False, max_length=10)),
                ('is_open', models.BooleanField(default=True, editable=False)),
                ('content', models.JSONField(editable=False, help_text='As the snapshot of what it changes.')),
                ('base', models.JSONField(editable=False, help_text='The live content that it differs from.')),
                ('version', models.PositiveIntegerField(default=0, editable=False, help_text='Goes up with every change of it.')),
                ('note', models.CharField(blank=True, editable=False, help_text='Why, in the authors’ words.', max_length=500)),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('is_open',), name='safety_draft_one_open'), models.CheckConstraint(condition=models.Q(('state__in', ['writing', 'in_review', 'published', 'discarded'])), name='safety_draft_known_state'), models.CheckConstraint(condition=models.Q(models.Q(('is_open', True), ('state__in', ['writing', 'in_review'])), models.Q(('is_open', False), models.Q(('state__in', ['writing', 'in_review']), _negated=True)), _connector='OR'), name='safety_draft_open_until_it_ends')],
            },
        ),
        migrations.CreateModel(
            name='SafetyDraftEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('edited', 'changed'), ('put_back', 'begun from an earlier edition'), ('updated', 'brought up to date'), ('sent', 'sent for approval'), ('sent_back', 'sent back'), ('published', 'approved and published'), ('discarded', 'discarded')], editable=False, max_length=10)),
                ('what', models.CharField(blank=True, editable=False, help_text='What changed, made by us.', max_length=300)),
                ('note', models.CharField(blank=True, editable=False, help_text='Why, in the person’s own words.', max_length=500)),
                ('actor', models.CharField(editable=False, help_text='The name, for when accounts go.', max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('draft', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='factsheets.safetydraft')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('step__in', ['edited', 'put_back', 'updated', 'sent', 'sent_back', 'published', 'discarded'])), name='safety_draft_event_known_step'), models.CheckConstraint(condition=models.Q(('actor', ''), _negated=True), name='safety_draft_event_has_actor')],
            },
        ),
        migrations.CreateModel(
            name='SafetyEdition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(editable=False, unique=True)),
                ('step', models.CharField(choices=[('installed', 'installed with the site’s content'), ('published', 'approved and published')], editable=False, max_length=10)),
                ('content', models.JSONField(editable=False, help_text='The set as factsheets.safety_revisions.snapshot makes it.')),
                ('changes', models.JSONField(default=list, editable=False, help_text='What changed, a line each, made by us.')),
                ('note', models.CharField(blank=True, editable=False, help_text='Why, in the authors’ words.', max_length=500)),
                ('actor', models.CharField(blank=True, editable=False, help_text='The name, for when accounts go.', max_length=150)),
                ('authors', models.CharField(blank=True, editable=False, help_text='Who wrote what was approved.', max_length=500)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-number'],
                'constraints': [models.CheckConstraint(condition=models.Q(('step__in', ['installed', 'published'])), name='safety_edition_known_step'), models.CheckConstraint(condition=models.Q(('step', 'installed'), models.Q(('actor', ''), _negated=True), _connector='OR'), name='safety_edition_has_actor')],
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
                ('wanted', models.PositiveIntegerField(default=0, editable=False, help_text='How many pressed “Tell us what you looked for”.', verbose_name='told us')),
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
            name='Section',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text="The section's address on the page: #slug", max_length=80)),
                ('position', models.PositiveSmallIntegerField(default=0, help_text='Order. Leave gaps of ten.')),
                ('kind', models.CharField(choices=[('text', 'text'), ('try', 'things to try'), ('avoid', 'things to avoid'), ('steps', 'steps'), ('table', 'table'), ('callout', 'important note'), ('details', 'details to open'), ('figure', 'figure'), ('numbers', 'numbers as people'), ('evidence', 'what the evidence says')], default='text', max_length=10)),
                ('view', models.CharField(choices=[('neither', 'neither'), ('western', 'Western medicine'), ('traditional', 'traditional Chinese medicine')], default='neither', help_text='A traditional section always carries its label: “Traditional explanation. Not a medical diagnosis.”', max_length=12)),
                ('aspect', models.CharField(blank=True, choices=[('overview', 'overview'), ('causes', 'causes'), ('symptoms', 'symptoms'), ('self_care', 'self-care'), ('treatments', 'treatments'), ('effectiveness', 'how well it works'), ('safety', 'risks'), ('see_doctor', 'when to see a doctor')], max_length=14)),
                ('heading', models.CharField(blank=True, max_length=160)),
                ('layer', models.CharField(choices=[('leaflet', 'leaflet, open on the page'), ('more', 'for those who want more, folded')], default='leaflet', help_text='The leaflet is what every reader sees, and what is printed. The rest is folded below it.', max_length=8)),
                ('question', models.CharField(blank=True, choices=[('what-is-it', 'What is it?'), ('will-it-help', 'Will it help me?'), ('what-will-happen', 'What will happen?'), ('what-can-go-wrong', 'What can go wrong?'), ('what-else', 'What else can I do?'), ('who-gives-it', 'Who gives it, and what does it cost?'), ('what-next', 'What should I do next?'), ('should-i-worry', 'Should I worry?'), ('what-can-i-do', 'What can I do today?'), ('how-long', 'How long will it last?'), ('what-may-help', 'What may help?'), ('when-to-see', 'When should I see someone?'), ('what-helps', 'What helps?'), ('how-to', 'How do I do it?'), ('what-to-avoid', 'What should I avoid?'), ('what-if-worse', 'What if it gets worse?'), ('do-i-need-a-test', 'Do I need a test?'), ('what-is-not-advised', 'What is not advised?')], help_text='In the leaflet: the question that this section answers. It is printed as the heading.', max_length=24)),
                ('former_slugs', models.JSONField(blank=True, default=list, help_text='Addresses of sections that are now part of this one. Links to them go on working.', verbose_name='former addresses on the page')),
                ('body', models.TextField(blank=True, help_text='Cite a source with [@KEY] after the full stop.')),
                ('claim_refs', models.JSONField(blank=True, default=list, verbose_name='claim ledger rows')),
                ('figure', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='sections', to='factsheets.figure')),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sections', to='factsheets.factsheet')),
            ],
            options={
                'ordering': ['position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('sheet', 'slug'), name='section_slug_once_in_a_sheet'), models.CheckConstraint(condition=models.Q(('kind__in', ['text', 'try', 'avoid', 'steps', 'table', 'callout', 'details', 'figure', 'numbers', 'evidence'])), name='section_known_kind'), models.CheckConstraint(condition=models.Q(('view__in', ['neither', 'western', 'traditional'])), name='section_known_view'), models.CheckConstraint(condition=models.Q(models.Q(('figure__isnull', False), ('kind', 'figure')), models.Q(models.Q(('kind', 'figure'), _negated=True), ('figure__isnull', True)), _connector='OR'), name='section_figure_when_kind_is_figure'), models.CheckConstraint(condition=models.Q(('kind__in', ['figure', 'evidence']), models.Q(('body', ''), _negated=True), _connector='OR'), name='section_has_body'), models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ['evidence', 'callout', 'details', 'table', 'steps', 'numbers']), _negated=True), models.Q(('heading', ''), _negated=True), _connector='OR'), name='section_has_heading_where_needed'), models.CheckConstraint(condition=models.Q(('layer__in', ['leaflet', 'more'])), name='section_known_layer'), models.CheckConstraint(condition=models.Q(('question__in', ['', 'what-is-it', 'will-it-help', 'what-will-happen', 'what-can-go-wrong', 'what-else', 'who-gives-it', 'what-next', 'should-i-worry', 'what-can-i-do', 'how-long', 'what-may-help', 'when-to-see', 'what-helps', 'how-to', 'what-to-avoid', 'what-if-worse', 'do-i-need-a-test', 'what-is-not-advised'])), name='section_known_question'), models.CheckConstraint(condition=models.Q(('question', ''), ('layer', 'leaflet'), _connector='OR'), name='section_question_only_in_the_leaflet')],
            },
        ),
        migrations.CreateModel(
            name='DraftQuestions',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('place', models.CharField(editable=False, max_length=160)),
                ('before', models.JSONField(default=list, editable=False)),
                ('questions', models.JSONField(default=list, editable=False)),
                ('section', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='draft_questions', to='factsheets.section')),
            ],
        ),
        migrations.CreateModel(
            name='SharedDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('writing', 'being written'), ('in_review', 'waiting for a clinician’s approval'), ('published', 'published'), ('discarded', 'discarded')], default='writing', editable=False, max_length=10)),
                ('is_open', models.BooleanField(default=True, editable=False)),
                ('content', models.JSONField(editable=False, help_text='As the snapshot of what it changes.')),
                ('base', models.JSONField(editable=False, help_text='The live content that it differs from.')),
                ('version', models.PositiveIntegerField(default=0, editable=False, help_text='Goes up with every change of it.')),
                ('note', models.CharField(blank=True, editable=False, help_text='Why, in the authors’ words.', max_length=500)),
                ('label', models.CharField(editable=False, help_text='The model, such as factsheets.source.', max_length=80)),
                ('record', models.BigIntegerField(editable=False, help_text='Its number; none while it is not made yet.', null=True)),
                ('name', models.CharField(editable=False, help_text='What it was called when last saved.', max_length=300)),
                ('reason', models.TextField(blank=True, editable=False, help_text='Why wording may stay that the claims guard found in the sheets.')),
            ],
            options={
                'ordering': ['-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('is_open', True)), fields=('label', 'record'), name='shared_draft_one_open_of_a_record'), models.CheckConstraint(condition=models.Q(('state__in', ['writing', 'in_review', 'published', 'discarded'])), name='shared_draft_known_state'), models.CheckConstraint(condition=models.Q(models.Q(('is_open', True), ('state__in', ['writing', 'in_review'])), models.Q(('is_open', False), models.Q(('state__in', ['writing', 'in_review']), _negated=True)), _connector='OR'), name='shared_draft_open_until_it_ends')],
            },
        ),
        migrations.CreateModel(
            name='SharedDraftEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('step', models.CharField(choices=[('edited', 'changed'), ('put_back', 'begun from an earlier edition'), ('updated', 'brought up to date'), ('sent', 'sent for approval'), ('sent_back', 'sent back'), ('published', 'approved and published'), ('discarded', 'discarded')], editable=False, max_length=10)),
                ('what', models.CharField(blank=True, editable=False, help_text='What changed, made by us.', max_length=300)),
                ('note', models.CharField(blank=True, editable=False, help_text='Why, in the person’s own words.', max_length=500)),
                ('actor', models.CharField(editable=False, help_text='The name, for when accounts go.', max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('draft', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='factsheets.shareddraft')),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('step__in', ['edited', 'put_back', 'updated', 'sent', 'sent_back', 'published', 'discarded'])), name='shared_draft_event_known_step'), models.CheckConstraint(condition=models.Q(('actor', ''), _negated=True), name='shared_draft_event_has_actor')],
            },
        ),
        migrations.CreateModel(
            name='SharedEdition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(editable=False, help_text='The model, such as factsheets.source.', max_length=80)),
                ('record', models.BigIntegerField(editable=False, help_text='Its number, which no other record ever gets.')),
                ('number', models.PositiveIntegerField(editable=False)),
                ('name', models.CharField(editable=False, help_text='What it was called, for when it is deleted.', max_length=300)),
                ('step', models.CharField(choices=[('installed', 'installed with the site’s content'), ('edited', 'edited'), ('put_back', 'put back'), ('published', 'published from a draft'), ('deleted', 'deleted')], editable=False, max_length=10)),
                ('content', models.JSONField(editable=False, help_text='As factsheets.shared_revisions.snapshot makes it.')),
                ('note', models.CharField(blank=True, editable=False, help_text='Why, in the editor’s words.', max_length=300)),
                ('actor', models.CharField(blank=True, editable=False, help_text='The name, for when accounts go.', max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['label', 'record', '-number'],
                'constraints': [models.UniqueConstraint(fields=('label', 'record', 'number'), name='shared_edition_number_once'), models.CheckConstraint(condition=models.Q(('step__in', ['installed', 'edited', 'put_back', 'published', 'deleted'])), name='shared_edition_known_step'), models.CheckConstraint(condition=models.Q(('step', 'installed'), models.Q(('actor', ''), _negated=True), _connector='OR'), name='shared_edition_has_actor')],
            },
        ),
        migrations.CreateModel(
            name='SheetFeedback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('week', models.DateField(help_text='Its Monday.')),
                ('answer', models.CharField(choices=[('yes', 'Yes'), ('partly', 'Partly'), ('no', 'No')], max_length=6)),
                ('reason', models.CharField(blank=True, choices=[('too-long', 'It is too long'), ('not-what-i-looked-for', 'It is not what I looked for'), ('hard-to-understand', 'It is hard to understand'), ('still-worried', 'I am still worried')], max_length=24)),
                ('count', models.PositiveIntegerField(default=0)),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='feedback', to='factsheets.factsheet')),
            ],
            options={
                'verbose_name_plural': 'sheet feedback',
                'constraints': [models.UniqueConstraint(fields=('sheet', 'week', 'answer', 'reason'), name='feedback_one_count_a_week'), models.CheckConstraint(condition=models.Q(('answer__in', ['yes', 'partly', 'no'])), name='feedback_known_answer'), models.CheckConstraint(condition=models.Q(('reason', ''), models.Q(('answer__in', ['partly', 'no']), ('reason__in', ['too-long', 'not-what-i-looked-for', 'hard-to-understand', 'still-worried'])), _connector='OR'), name='feedback_known_reason')],
            },
        ),
        migrations.CreateModel(
            name='SheetReads',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField(db_index=True)),
                ('count', models.PositiveIntegerField(default=0)),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reads', to='factsheets.factsheet')),
            ],
            options={
                'verbose_name_plural': 'sheet reads',
                'constraints': [models.UniqueConstraint(fields=('sheet', 'day'), name='reads_one_count_a_day')],
            },
        ),
        migrations.CreateModel(
            name='SiteNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField(max_length=300)),
                ('level', models.CharField(choices=[('information', 'Information'), ('important', 'Important')], default='information', help_text='Important ones begin with that word, in red.', max_length=11)),
                ('starts_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='shown from')),
                ('ends_at', models.DateTimeField(verbose_name='shown until')),
                ('kept_because', models.CharField(blank=True, help_text='Only if the guard found something and you are sure that it may be said.', max_length=200, verbose_name='why you keep the wording that the claims guard found')),
            ],
            options={
                'verbose_name': 'notice',
                'verbose_name_plural': 'notices on every page',
                'ordering': ['-starts_at'],
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='site_notice_ends_after_start'), models.CheckConstraint(condition=models.Q(('level__in', ['information', 'important'])), name='site_notice_known_level'), models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='site_notice_has_text')],
            },
        ),
        migrations.CreateModel(
            name='SafetyAdvice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(help_text="The ledger's number, such as RF-E1.", max_length=10, unique=True)),
                ('tier', models.CharField(choices=[('emergency', 'emergency: 999 or A&E'), ('urgent', 'urgent: 111 or GP today'), ('routine', 'see a GP')], max_length=10)),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('text', models.CharField(help_text='In full, in plain words. Say “pee” and “poo”. Join what belongs together with “and” or “or”.', max_length=400, validators=[factsheets.models.safety.check_joined])),
                ('short_text', models.CharField(help_text='12 words or fewer that complete “… if you have back pain and:”. No full stop.', max_length=120, validators=[factsheets.models.safety.check_short, factsheets.models.safety.check_joined])),
                ('on_compact_card', models.BooleanField(default=False, help_text='Stands on the short emergency card at the top of every fact sheet.')),
                ('action', models.CharField(blank=True, help_text="What to do beyond the tier's advice.", max_length=240, validators=[factsheets.models.safety.check_joined])),
                ('why', models.CharField(blank=True, help_text='Which serious problem it can mean. For staff.', max_length=300)),
                ('in_assessment', models.BooleanField(default=False, help_text='Asked as a question in the self-assessment.')),
                ('claim_refs', models.JSONField(blank=True, default=list, verbose_name='claim ledger rows')),
                ('patterns', models.JSONField(blank=True, default=list, help_text='What people type, one a line.', validators=[factsheets.models.safety.check_patterns], verbose_name='word patterns')),
                ('sources', models.ManyToManyField(blank=True, to='factsheets.source')),
            ],
            options={
                'verbose_name': 'red flag',
                'verbose_name_plural': 'red flags',
                'ordering': ['position', 'code'],
                'constraints': [models.CheckConstraint(condition=models.Q(('tier__in', ['emergency', 'urgent', 'routine'])), name='safety_known_tier'), models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='safety_has_text'), models.CheckConstraint(condition=models.Q(('short_text', ''), _negated=True), name='safety_has_short_text')],
            },
        ),
        migrations.CreateModel(
            name='SourceLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address', models.CharField(editable=False, help_text='What was asked for.', max_length=500)),
                ('checked_at', models.DateTimeField(editable=False)),
                ('outcome', models.CharField(choices=[('fine', 'leads where it should'), ('moved', 'moved for good'), ('gone', 'gone'), ('changed', 'changed since somebody read it'), ('unreachable', 'could not be reached')], default='fine', editable=False, max_length=12)),
                ('status', models.PositiveSmallIntegerField(default=0, editable=False, help_text='Of HTTP; 0 for no answer.')),
                ('fault', models.CharField(blank=True, editable=False, help_text='Why it could not be reached.', max_length=200)),
                ('failed_days', models.PositiveSmallIntegerField(default=0, editable=False, help_text='On how many days, one after the other, it could not be reached.')),
                ('moved_to', models.CharField(blank=True, editable=False, help_text='Its new address.', max_length=1000)),
                ('etag', models.CharField(blank=True, editable=False, max_length=200)),
                ('last_modified', models.CharField(blank=True, editable=False, max_length=60)),
                ('digest', models.CharField(blank=True, editable=False, max_length=32)),
                ('new_etag', models.CharField(blank=True, editable=False, max_length=200)),
                ('new_last_modified', models.CharField(blank=True, editable=False, max_length=60)),
                ('new_digest', models.CharField(blank=True, editable=False, max_length=32)),
                ('source', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='link', to='factsheets.source')),
            ],
            options={
                'ordering': ['source__key', 'address'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('source', None)), fields=('address',), name='source_link_of_texts_once_an_address'), models.CheckConstraint(condition=models.Q(('outcome__in', ['fine', 'moved', 'gone', 'changed', 'unreachable'])), name='source_link_known_outcome')],
            },
        ),
        migrations.CreateModel(
            name='SourceUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('finding', models.TextField(help_text='One plain sentence on what this sheet cites it for. Shown in the list of sources of the sheet’s PDF, plain text and JSON.', verbose_name='what it found')),
                ('sheet', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='source_uses', to='factsheets.factsheet')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uses', to='factsheets.source')),
            ],
            options={
                'ordering': ['source__key'],
                'constraints': [models.UniqueConstraint(fields=('sheet', 'source'), name='source_use_once_in_a_sheet', violation_error_message='What this source found is said in the sheet already.'), models.CheckConstraint(condition=models.Q(('finding', ''), _negated=True), name='source_use_has_finding')],
            },
        ),
        migrations.CreateModel(
            name='Statement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.SlugField(max_length=80, unique=True)),
                ('treatment', models.SlugField(help_text='What is judged, such as acupuncture or heat.', max_length=60)),
                ('condition', models.SlugField(help_text='For what, such as recent-low-back-pain or sciatica.', max_length=60)),
                ('comparison', models.SlugField(blank=True, help_text='Against what, such as bed-rest. Leave empty when nothing is named.', max_length=80)),
                ('claim', models.CharField(max_length=240)),
                ('detail', models.TextField(blank=True, help_text='One or two short paragraphs, with an empty line between them.')),
                ('grade', models.CharField(blank=True, choices=[('G1', 'We are fairly sure'), ('G2', 'Probably'), ('G3', 'Not sure'), ('G4', 'We do not know')], help_text='Leave empty for guidance that is not graded.', max_length=2)),
                ('direction', models.CharField(choices=[('helps', 'Helps'), ('helps_a_little', 'Helps a little'), ('may_help', 'May help a little'), ('little_or_no', 'Little or no help'), ('not_advised', 'Not advised'), ('unclear', 'Unclear'), ('serious_harm_rare', 'Serious harm is rare')], max_length=20)),
                ('nice_position', models.CharField(blank=True, max_length=300, verbose_name="NICE's position")),
                ('burden', models.CharField(blank=True, help_text='Time, effort, discomfort or side effects, as the sources say. No prices: ours are in Clinic settings.', max_length=160, verbose_name='what it costs the reader')),
                ('claim_refs', models.JSONField(blank=True, default=list, verbose_name='claim ledger rows')),
                ('sources', models.ManyToManyField(related_name='statements', to='factsheets.source')),
            ],
            options={
                'ordering': ['treatment', 'condition', 'comparison'],
                'constraints': [models.UniqueConstraint(fields=('treatment', 'condition', 'comparison'), name='statement_one_verdict', violation_error_message='There is a statement on this treatment, condition and comparison already. Use that one, or edit it.'), models.CheckConstraint(condition=models.Q(('grade__in', ['', 'G1', 'G2', 'G3', 'G4'])), name='statement_known_grade'), models.CheckConstraint(condition=models.Q(('direction__in', ['helps', 'helps_a_little', 'may_help', 'little_or_no', 'not_advised', 'unclear', 'serious_harm_rare'])), name='statement_known_direction'), models.CheckConstraint(condition=models.Q(('direction__in', ['helps', 'helps_a_little', 'may_help']), ('nice_position', ''), ('treatment', 'acupuncture'), _negated=True), name='statement_acupuncture_benefit_with_nice')],
            },
        ),
        migrations.CreateModel(
            name='StatementUse',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField(default=0)),
                ('section', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='statement_uses', to='factsheets.section')),
                ('statement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='uses', to='factsheets.statement')),
            ],
            options={
                'ordering': ['position', 'pk'],
                'constraints': [models.UniqueConstraint(fields=('section', 'statement'), name='statement_once_in_a_section', violation_error_message='This statement is in the section already.')],
            },
        ),
        migrations.CreateModel(
            name='TeamMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='As patients read it, such as Ann Lee.', max_length=150)),
                ('role', models.CharField(blank=True, help_text='In a word or two, such as physiotherapist.', max_length=80)),
                ('register', models.CharField(blank=True, choices=[('GMC', 'General Medical Council (GMC)'), ('HCPC', 'Health and Care Professions Council (HCPC)'), ('NMC', 'Nursing and Midwifery Council (NMC)'), ('GOsC', 'General Osteopathic Council (GOsC)'), ('GCC', 'General Chiropractic Council (GCC)'), ('GPhC', 'General Pharmaceutical Council (GPhC)')], help_text='The statutory register. Reviewers of fact sheets need one.', max_length=5)),
                ('other_register', models.CharField(blank=True, help_text='Only if they are on none of these.', max_length=80, verbose_name='another register or professional body')),
                ('number', models.CharField(blank=True, max_length=20, verbose_name='registration number')),
                ('register_link', models.URLField(blank=True, help_text='Their own entry, or the page on which patients can search for it.', max_length=300, verbose_name='link to the register')),
                ('drawing', models.CharField(blank=True, max_length=200, validators=[django.core.validators.RegexValidator('^people/[a-z0-9-]+\\.svg\\Z', 'Name a drawing in people/.')], verbose_name='drawn portrait')),
                ('shown', models.BooleanField(default=True, help_text='On the home page and under “About”.', verbose_name='show on the website')),
                ('position', models.PositiveSmallIntegerField(default=10, help_text='The lowest number comes first.', verbose_name='order')),
                ('account', models.OneToOneField(blank=True, help_text='With it, patients read this name beside the reviews and appointments of the account.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='team_member', to=settings.AUTH_USER_MODEL, verbose_name='staff account')),
                ('picture', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='people', to='factsheets.picture')),
            ],
            options={
                'verbose_name': 'person',
                'verbose_name_plural': 'people who work here',
                'ordering': ['position', 'name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='team_member_has_name'), models.CheckConstraint(condition=models.Q(('drawing', ''), ('picture__isnull', True), _connector='OR'), name='team_member_one_portrait'), models.CheckConstraint(condition=models.Q(('register', ''), ('other_register', ''), _connector='OR'), name='team_member_one_register')],
            },
        ),
        migrations.CreateModel(
            name='UnsavedEdit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.CharField(editable=False, help_text='“sheet”, “new”, or “section-” and its number.', max_length=40)),
                ('since', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('seen_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ('typed', models.TextField(blank=True, editable=False, help_text='The form’s fields, as a browser sends them.')),
                ('typed_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sheet', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='unsaved', to='factsheets.factsheet')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('sheet', 'part', 'by'), name='unsaved_edit_once_for_each')],
            },
        ),
        migrations.CreateModel(
            name='Approval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('subject', models.CharField(choices=[('questions', 'questions of “Check your symptoms”'), ('red_flags', 'red flags')], editable=False, max_length=12)),
                ('decision', models.CharField(choices=[('approved', 'approved'), ('withdrawn', 'approval withdrawn')], default='approved', editable=False, max_length=10)),
                ('version', models.CharField(editable=False, help_text='What the approved words were called.', max_length=120)),
                ('digest', models.CharField(editable=False, help_text='SHA-256 of what was approved.', max_length=64, verbose_name='hash')),
                ('name', models.CharField(blank=True, editable=False, max_length=150, verbose_name='clinician')),
                ('register', models.CharField(blank=True, choices=[('GMC', 'General Medical Council (GMC)'), ('HCPC', 'Health and Care Professions Council (HCPC)'), ('NMC', 'Nursing and Midwifery Council (NMC)'), ('GOsC', 'General Osteopathic Council (GOsC)'), ('GCC', 'General Chiropractic Council (GCC)'), ('GPhC', 'General Pharmaceutical Council (GPhC)')], editable=False, max_length=5)),
                ('number', models.CharField(blank=True, editable=False, max_length=20, verbose_name='registration number')),
                ('reason', models.CharField(blank=True, editable=False, help_text='Why it was withdrawn.', max_length=500)),
                ('actor', models.CharField(editable=False, max_length=150, verbose_name='signed in as')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='when')),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at', '-pk'],
                'indexes': [models.Index(fields=['subject', '-at'], name='approval_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('subject__in', ['questions', 'red_flags'])), name='approval_known_subject'), models.CheckConstraint(condition=models.Q(models.Q(('actor', ''), _negated=True), models.Q(('digest', ''), _negated=True)), name='approval_has_actor_and_hash'), models.CheckConstraint(condition=models.Q(models.Q(('decision', 'approved'), ('reason', ''), ('register__in', ['GMC', 'HCPC', 'NMC', 'GOsC', 'GCC', 'GPhC']), models.Q(('name', ''), _negated=True), models.Q(('number', ''), _negated=True)), models.Q(('decision', 'withdrawn'), ('name', ''), ('number', ''), ('register', ''), models.Q(('reason', ''), _negated=True)), _connector='OR'), name='approval_is_whole')],
            },
        ),
        migrations.CreateModel(
            name='Edition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(editable=False)),
                ('step', models.CharField(choices=[('installed', "installed with the site's content"), ('edited', 'edited'), ('rolled_back', 'rolled back'), ('submitted', 'sent for clinical review'), ('sent_back', 'sent back to the authors'), ('signed_off', 'signed off'), ('reopened', 'back to draft, to be reworked'), ('retired', 'retired'), ('drafted', 'draft begun'), ('discarded', 'draft discarded'), ('corrected', 'small correction'), ('restored', 'signed edition restored'), ('published', 'published as planned')], editable=False, max_length=12)),
                ('state', models.CharField(editable=False, help_text="The sheet's state after the step.", max_length=12)),
                ('public', models.BooleanField(default=False, editable=False, help_text='Readers could see the sheet after the step.')),
                ('content', models.JSONField(editable=False, help_text="The sheet's words as factsheets.revisions.snapshot makes them.")),
                ('changes', models.JSONField(default=list, editable=False, help_text='What changed, a line each, made by us.')),
                ('note', models.CharField(blank=True, editable=False, help_text="What changed, in the editor's words.", max_length=300)),
                ('actor', models.CharField(blank=True, editable=False, help_text='The name, for when accounts go.', max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('reviewed_on', models.DateField(blank=True, editable=False, null=True)),
                ('review_due_on', models.DateField(blank=True, editable=False, null=True)),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='editions', to=settings.AUTH_USER_MODEL)),
                ('reviewed_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sheet', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='editions', to='factsheets.factsheet')),
            ],
            options={
                'ordering': ['sheet', '-number'],
                'constraints': [models.UniqueConstraint(fields=('sheet', 'number'), name='edition_number_once_in_a_sheet'), models.CheckConstraint(condition=models.Q(('step__in', ['installed', 'edited', 'rolled_back', 'submitted', 'sent_back', 'signed_off', 'reopened', 'retired', 'drafted', 'discarded', 'corrected', 'restored', 'published'])), name='edition_known_step'), models.CheckConstraint(condition=models.Q(('step', 'installed'), models.Q(('actor', ''), _negated=True), _connector='OR'), name='edition_has_actor'), models.CheckConstraint(condition=models.Q(models.Q(('review_due_on__isnull', True), ('reviewed_by__isnull', True), ('reviewed_on__isnull', True)), models.Q(('reviewed_by__isnull', False), ('reviewed_on__isnull', False)), _connector='OR'), name='edition_reviewed_on_and_by')],
            },
        ),
        migrations.CreateModel(
            name='GuardOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(editable=False, help_text='Finding.key: rule, place and sentence.', max_length=16)),
                ('rule', models.TextField(editable=False)),
                ('place', models.CharField(editable=False, max_length=300)),
                ('sentence', models.TextField(editable=False)),
                ('reason', models.TextField(editable=False)),
                ('actor', models.CharField(editable=False, max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('sheet', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='overrides', to='factsheets.factsheet')),
            ],
            options={
                'ordering': ['-at'],
                'constraints': [models.UniqueConstraint(fields=('sheet', 'key'), name='override_once'), models.CheckConstraint(condition=models.Q(models.Q(('reason', ''), _negated=True), models.Q(('actor', ''), _negated=True)), name='override_has_reason_and_actor')],
            },
        ),
        migrations.AddConstraint(
            model_name='figure',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(models.Q(('drawing', ''), _negated=True), ('picture__isnull', True)), models.Q(('drawing', ''), ('picture__isnull', False)), _connector='OR'), name='figure_drawing_or_picture'),
        ),
        migrations.RunPython(people.fill, migrations.RunPython.noop),
    ]
