"""What the migrations to 0036 make, at once, for a new database: one by one they take ten times as long. One that has some of
them goes on with the others."""

from importlib import import_module

import backcare.core.encryption
import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import enquiries.models.appointment
import enquiries.models.enquiry
import uuid
from django.conf import settings
from django.db import migrations, models

hours = import_module('enquiries.migrations.0005_hours')
replies = import_module('enquiries.migrations.0027_first_reply_templates')


class Migration(migrations.Migration):

    replaces = [('enquiries', '0001_initial'), ('enquiries', '0002_reminders'), ('enquiries', '0003_report_summaries'), ('enquiries', '0004_inbox'), ('enquiries', '0005_hours'), ('enquiries', '0006_live'), ('enquiries', '0007_manage'), ('enquiries', '0008_desk'), ('enquiries', '0009_retention'), ('enquiries', '0010_abuse'), ('enquiries', '0011_for_someone_else'), ('enquiries', '0012_closed_at'), ('enquiries', '0013_one_day'), ('enquiries', '0014_linked'), ('enquiries', '0015_steps_in_order'), ('enquiries', '0016_clinician_alert'), ('enquiries', '0017_withdrawn_with_an_open_flag'), ('enquiries', '0018_flood'), ('enquiries', '0019_private_links'), ('enquiries', '0020_seal_safety_signs'), ('enquiries', '0021_open_by_sealed_signs'), ('enquiries', '0022_desk_words'), ('enquiries', '0023_appointments'), ('enquiries', '0024_calendar_feed'), ('enquiries', '0025_follow_up'), ('enquiries', '0026_reply_templates'), ('enquiries', '0027_first_reply_templates'), ('enquiries', '0028_search_tokens'), ('enquiries', '0029_intake_channel'), ('enquiries', '0030_staff_drafts'), ('enquiries', '0031_account_emails'), ('enquiries', '0032_event_newest'), ('enquiries', '0033_wordings'), ('enquiries', '0034_tell_of_sheet_reviews'), ('enquiries', '0035_tell_of_shared_drafts'), ('enquiries', '0036_tell_of_red_flags')]

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ('factsheets', '0001_squashed_0035_draft_questions'),
    ]

    operations = [
        migrations.CreateModel(
            name='CalendarFeed',
            fields=[
                ('staff', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='calendar_feed', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('secret', models.CharField(default=enquiries.models.appointment.new_secret, editable=False, max_length=32, unique=True)),
                ('only_mine', models.BooleanField(default=False, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='KeyCheck',
            fields=[
                ('id', models.PositiveSmallIntegerField(editable=False, primary_key=True, serialize=False)),
                ('check_value', models.CharField(editable=False, max_length=64)),
                ('first_used_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name='ReplyTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(help_text='Staff choose it by this name. Patients never see it.', max_length=60, unique=True)),
                ('subject', models.CharField(blank=True, help_text='May be read on a locked screen, so name no condition or treatment. Leave it empty for “A message from” and the clinic’s name.', max_length=120, verbose_name='email subject')),
                ('text', models.TextField(max_length=4000, verbose_name='message')),
                ('after_missed_calls', models.BooleanField(default=False, help_text='Beside the telephone number.', verbose_name='offer it after three calls without an answer')),
                ('in_use', models.BooleanField(default=True, help_text='Untick this to stop offering it. Its history is kept, and you can bring it back.')),
                ('kept_because', models.CharField(blank=True, help_text='Only if the guard found something and you are sure that it may be said.', max_length=200, verbose_name='why you keep the wording that the claims guard found')),
            ],
            options={
                'verbose_name': 'reply template',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='WorkerHeartbeat',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=32, unique=True)),
                ('seen_at', models.DateTimeField()),
            ],
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
                ('replaces', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='replaced_by', to='enquiries.appointment')),
                ('with_whom', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='appointments', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['starts_at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ClinicHours',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('nation', models.CharField(choices=[('england', 'England'), ('wales', 'Wales'), ('scotland', 'Scotland'), ('northern_ireland', 'Northern Ireland')], default='england', help_text='The clinic is closed on bank holidays.', max_length=16, verbose_name='bank holidays for')),
                ('within_hours', models.PositiveSmallIntegerField(default=8, help_text='Working hours, from 1 to 80. If you open 9am to 5pm, 8 is one working day.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(80)], verbose_name='reply within')),
                ('notice', models.TextField(blank=True, help_text='Patients see this on the forms instead of a reply time while replies are paused. It is kept here for next time.', max_length=500, verbose_name='public notice')),
                ('paused_at', models.DateTimeField(editable=False, null=True)),
                ('paused_by', models.CharField(blank=True, editable=False, help_text='A name, for when accounts go.', max_length=150)),
            ],
            options={
                'verbose_name': 'opening hours and replies',
                'verbose_name_plural': 'opening hours and replies',
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='clinic_hours_one_row'), models.CheckConstraint(condition=models.Q(('nation__in', ['england', 'wales', 'scotland', 'northern_ireland'])), name='clinic_hours_known_nation'), models.CheckConstraint(condition=models.Q(('within_hours__gte', 1), ('within_hours__lte', 80)), name='clinic_hours_reply_within'), models.CheckConstraint(condition=models.Q(models.Q(('paused_at__isnull', True), ('paused_by', '')), models.Q(('paused_at__isnull', False), models.Q(('paused_by', ''), _negated=True), models.Q(('notice', ''), _negated=True)), _connector='OR'), name='clinic_hours_pause_has_name_and_notice')],
            },
        ),
        migrations.CreateModel(
            name='Closure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('first_day', models.DateField()),
                ('last_day', models.DateField(help_text='For a single day, enter the same date.')),
                ('from_time', models.TimeField(blank=True, help_text='On the first day. Leave empty for all day.', null=True, verbose_name='closed from')),
                ('until_time', models.TimeField(blank=True, help_text='On the last day. Leave empty for all day.', null=True, verbose_name='closed until')),
                ('reason', models.CharField(help_text='Patients will see this. For example: “staff training” or “Christmas break”.', max_length=120)),
            ],
            options={
                'ordering': ['-first_day', '-pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('last_day__gte', models.F('first_day'))), name='closure_ends_after_it_starts'), models.CheckConstraint(condition=models.Q(('from_time__isnull', True), ('until_time__isnull', True), ('last_day__gt', models.F('first_day')), ('until_time__gt', models.F('from_time')), _connector='OR'), name='closure_times_in_order'), models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='closure_has_reason')],
            },
        ),
        migrations.CreateModel(
            name='Enquiry',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('reference', models.CharField(default=enquiries.models.enquiry.new_reference, editable=False, max_length=9, unique=True)),
                ('kind', models.CharField(choices=[('report', 'fact sheet by email'), ('consultation', 'consultation'), ('question', 'question')], editable=False, max_length=14)),
                ('channel', models.CharField(choices=[('website', 'on the website'), ('phone', 'by telephone'), ('walk_in', 'at the clinic')], default='website', editable=False, max_length=8)),
                ('name', backcare.core.encryption.EncryptedTextField()),
                ('email', backcare.core.encryption.EncryptedTextField(verbose_name='email address')),
                ('phone', backcare.core.encryption.EncryptedTextField(help_text='E.164, or empty.', verbose_name='phone number')),
                ('best_time', backcare.core.encryption.EncryptedTextField(verbose_name='best time to call')),
                ('by_phone', models.BooleanField(default=False, editable=False, verbose_name='by phone')),
                ('by_video', models.BooleanField(default=False, editable=False, verbose_name='by video')),
                ('by_email', models.BooleanField(default=False, editable=False, verbose_name='by email')),
                ('description', backcare.core.encryption.EncryptedTextField(verbose_name='in their words')),
                ('call_slots', models.PositiveIntegerField(default=0, editable=False, help_text='When they can be called: see slot_bit. 0: any time.')),
                ('may_leave_voicemail', models.BooleanField(editable=False, help_text='Empty: not asked.', null=True)),
                ('may_say_who_calls', models.BooleanField(editable=False, help_text='Empty: not asked.', null=True)),
                ('needs', backcare.core.encryption.EncryptedTextField(null=True, verbose_name='communication needs')),
                ('for_name', backcare.core.encryption.EncryptedTextField(null=True, verbose_name='for somebody else')),
                ('for_relation', backcare.core.encryption.EncryptedTextField(null=True, verbose_name='who that is to them')),
                ('for_agreed', models.CharField(blank=True, choices=[('yes', 'They know and agree.'), ('cannot', 'They cannot decide for themselves. Ask who decides for them before you talk about their health.'), ('not_yet', 'They do not know about this, or have not agreed. Give general advice only until they do.')], editable=False, max_length=8)),
                ('safety_signs', backcare.core.encryption.EncryptedTextField(null=True)),
                ('safety_acted_at', models.DateTimeField(editable=False, null=True)),
                ('folded', models.BooleanField(default=False, editable=False)),
                ('email_key', models.CharField(blank=True, db_index=True, editable=False, max_length=64)),
                ('phone_key', models.CharField(blank=True, db_index=True, editable=False, max_length=64)),
                ('status', models.CharField(choices=[('new', 'new'), ('in_progress', 'in progress'), ('waiting', 'waiting for patient'), ('booked', 'booked'), ('closed', 'closed'), ('spam', 'spam'), ('held', 'held back')], default='new', max_length=12)),
                ('live', models.GeneratedField(db_persist=True, expression=models.Case(models.When(status__in=['new', 'in_progress', 'waiting', 'booked'], then=models.Value(True)), models.When(safety_acted_at__isnull=True, safety_signs__isnull=False, status='closed', then=models.Value(True)), default=models.Value(False)), output_field=models.BooleanField())),
                ('mail_failed', models.BooleanField(default=False, editable=False)),
                ('reply_by', models.DateTimeField(editable=False, help_text='What the patient was told. Empty: nothing was promised.', null=True)),
                ('waiting_since', models.DateTimeField(editable=False, help_text='The reply clock is paused from then.', null=True)),
                ('return_on', models.DateField(editable=False, help_text='The day on which one that waits, or is in progress, is chased.', null=True)),
                ('first_contact_at', models.DateTimeField(editable=False, null=True)),
                ('contact_attempts', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('next_call_at', models.DateTimeField(editable=False, null=True)),
                ('outcome', models.CharField(blank=True, choices=[('answered', 'answered'), ('seen', 'came to the clinic'), ('elsewhere', 'went elsewhere (999, 111 or a GP)'), ('not_reached', 'could not be reached'), ('withdrawn', 'withdrawn by the patient'), ('duplicate', 'duplicate'), ('sent', 'fact sheet sent'), ('erased', 'details erased first'), ('not_recorded', 'not recorded')], editable=False, max_length=12)),
                ('quarantine_reason', models.CharField(blank=True, editable=False, max_length=80)),
                ('likelihood', models.PositiveSmallIntegerField(default=0, editable=False, help_text='Of one that was held back: the higher, the likelier a person sent it.')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('submission_key', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('closed_at', models.DateTimeField(editable=False, help_text='When it was last closed or set aside. Empty while it is open.', null=True)),
                ('erased_at', models.DateTimeField(editable=False, null=True)),
                ('appointment', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='enquiries.appointment')),
                ('flood', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='enquiries.enquiry')),
                ('owner', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='enquiries', to=settings.AUTH_USER_MODEL)),
                ('same_as', models.ForeignKey(db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='linked', to='enquiries.enquiry')),
                ('sheet', models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='enquiries', to='factsheets.factsheet')),
            ],
            options={
                'verbose_name_plural': 'enquiries',
                'permissions': [('read_words_enquiry', 'Sees at once what patients wrote'), ('read_answers_enquiry', 'Sees the answers of a self-assessment'), ('export_personal', 'Exports enquiries with contact details')],
                'indexes': [models.Index(fields=['status', 'created_at'], name='enquiry_status_created'), models.Index(condition=models.Q(('live', True)), fields=['reply_by', 'created_at'], name='enquiry_open_by_due'), models.Index(condition=models.Q(('same_as__isnull', False)), fields=['same_as'], name='enquiry_linked'), models.Index(condition=models.Q(('flood__isnull', False), ('live', True)), fields=['flood', 'created_at'], name='enquiry_of_flood'), models.Index(condition=models.Q(('erased_at', None)), fields=['closed_at'], name='enquiry_kept_since'), models.Index(condition=models.Q(('live', True)), fields=['owner', 'reply_by'], name='enquiry_open_by_owner'), models.Index(fields=['created_at'], name='enquiry_created'), models.Index(condition=models.Q(('sheet__isnull', False)), fields=['sheet', 'created_at'], name='enquiry_of_sheet')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['report', 'consultation', 'question'])), name='enquiry_known_kind'), models.CheckConstraint(condition=models.Q(('channel__in', ['website', 'phone', 'walk_in'])), name='enquiry_known_channel'), models.CheckConstraint(condition=models.Q(('status__in', ['new', 'in_progress', 'waiting', 'booked', 'closed', 'spam', 'held'])), name='enquiry_known_status'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'report'), _negated=True), ('sheet__isnull', False), _connector='OR'), name='enquiry_report_names_a_sheet'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'consultation'), _negated=True), ('by_phone', True), ('by_video', True), ('by_email', True), _connector='OR'), name='enquiry_consultation_has_contact_method'), models.CheckConstraint(condition=models.Q(('kind', 'consultation'), models.Q(('by_email', False), ('by_phone', False), ('by_video', False)), _connector='OR'), name='enquiry_contact_method_only_for_consultation'), models.CheckConstraint(condition=models.Q(('call_slots__lt', 32768)), name='enquiry_call_slots_known'), models.CheckConstraint(condition=models.Q(models.Q(('for_agreed', ''), ('for_name__isnull', True), ('for_relation__isnull', True)), models.Q(('for_agreed__in', ['yes', 'cannot', 'not_yet']), ('for_name__isnull', False), ('for_relation__isnull', False), ('kind', 'consultation')), _connector='OR'), name='enquiry_for_someone_else_whole'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('status__in', ['closed', 'spam']), _negated=True), ('closed_at__isnull', True)), models.Q(('closed_at__isnull', False), ('status__in', ['closed', 'spam'])), _connector='OR'), name='enquiry_closed_at_when_done'), models.CheckConstraint(condition=models.Q(('outcome__in', ['', 'answered', 'seen', 'elsewhere', 'not_reached', 'withdrawn', 'duplicate', 'sent', 'erased', 'not_recorded'])), name='enquiry_known_outcome'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'closed'), models.Q(('outcome', ''), _negated=True)), models.Q(models.Q(('status', 'closed'), _negated=True), ('outcome', '')), _connector='OR'), name='enquiry_outcome_when_closed'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'booked'), _negated=True), ('appointment__isnull', False), _connector='OR'), name='enquiry_booked_has_appointment'), models.CheckConstraint(condition=models.Q(models.Q(models.Q(('status__in', ['waiting', 'in_progress']), _negated=True), ('return_on__isnull', True), ('waiting_since__isnull', True)), models.Q(('status', 'in_progress'), ('waiting_since__isnull', True)), models.Q(('return_on__isnull', False), ('status', 'waiting'), ('waiting_since__isnull', False), models.Q(('contact_attempts__gt', 0), ('first_contact_at__isnull', False), _connector='OR')), _connector='OR'), name='enquiry_waiting_after_contact_until_a_day'), models.CheckConstraint(condition=models.Q(('same_as__isnull', True), models.Q(('status', 'closed'), models.Q(('same_as', models.F('pk')), _negated=True)), _connector='OR'), name='enquiry_same_as_another_when_closed'), models.CheckConstraint(condition=models.Q(('safety_acted_at__isnull', True), ('safety_signs__isnull', False), _connector='OR'), name='enquiry_safety_act_has_a_sign'), models.CheckConstraint(condition=models.Q(models.Q(('status', 'held'), _negated=True), models.Q(models.Q(('quarantine_reason', ''), _negated=True), ('reply_by__isnull', True)), _connector='OR'), name='enquiry_held_back_for_a_reason'), models.CheckConstraint(condition=models.Q(('appointment__isnull', True), models.Q(('status__in', ['closed', 'spam']), _negated=True), _connector='OR'), name='enquiry_no_appointment_when_done')],
            },
        ),
        migrations.CreateModel(
            name='Assessment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('told', backcare.core.encryption.EncryptedTextField(verbose_name='result and answers, as JSON')),
                ('questions_version', models.CharField(editable=False, max_length=40)),
                ('consent_version', models.CharField(editable=False, max_length=20)),
                ('expires_at', models.DateTimeField(editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('enquiry', models.OneToOneField(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='assessment', to='enquiries.enquiry')),
            ],
            options={
                'indexes': [models.Index(fields=['expires_at'], name='assessment_expires')],
                'constraints': [models.CheckConstraint(condition=models.Q(('consent_version', ''), _negated=True), name='assessment_has_consent')],
            },
        ),
        migrations.AddField(
            model_name='appointment',
            name='enquiry',
            field=models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='appointments', to='enquiries.enquiry'),
        ),
        migrations.CreateModel(
            name='EnquiryEvent',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('received', 'received'), ('moved', 'status changed'), ('assigned', 'assigned'), ('note', 'note'), ('message_sent', 'email sent'), ('message_failed', 'email failed'), ('message_again', 'email to be sent again'), ('corrected', 'email address corrected'), ('erased', 'details erased'), ('viewed', 'viewed'), ('called', 'called'), ('replied', 'replied'), ('booked', 'appointment booked'), ('appointment', 'appointment changed'), ('safety', 'action on the warning sign'), ('told', 'clinician told'), ('linked', 'marked as a duplicate'), ('added', 'patient added details'), ('times', 'patient changed the times to call'), ('withdrawn', 'withdrawn by the patient'), ('released', 'released'), ('exported', 'exported'), ('read', 'read what they wrote')], editable=False, max_length=16)),
                ('actor', models.CharField(editable=False, help_text="The actor's name as it was, for when accounts go.", max_length=150)),
                ('from_status', models.CharField(blank=True, choices=[('new', 'new'), ('in_progress', 'in progress'), ('waiting', 'waiting for patient'), ('booked', 'booked'), ('closed', 'closed'), ('spam', 'spam'), ('held', 'held back')], editable=False, max_length=12)),
                ('to_status', models.CharField(blank=True, choices=[('new', 'new'), ('in_progress', 'in progress'), ('waiting', 'waiting for patient'), ('booked', 'booked'), ('closed', 'closed'), ('spam', 'spam'), ('held', 'held back')], editable=False, max_length=12)),
                ('summary', models.CharField(blank=True, editable=False, help_text='Never holds what a patient wrote.', max_length=200)),
                ('note', backcare.core.encryption.EncryptedTextField()),
                ('subject', backcare.core.encryption.EncryptedTextField(help_text="Of a reply's email. Empty: the clinic's own.", null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('enquiry', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='events', to='enquiries.enquiry')),
            ],
            options={
                'verbose_name': 'timeline entry',
                'verbose_name_plural': 'timeline',
                'ordering': ['created_at', 'pk'],
                'indexes': [models.Index(fields=['created_at'], name='event_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['received', 'moved', 'assigned', 'note', 'message_sent', 'message_failed', 'message_again', 'corrected', 'erased', 'viewed', 'called', 'replied', 'booked', 'appointment', 'safety', 'told', 'linked', 'added', 'times', 'withdrawn', 'released', 'exported', 'read'])), name='event_known_kind'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'moved'), models.Q(('from_status', ''), _negated=True), models.Q(('to_status', ''), _negated=True)), models.Q(models.Q(('kind', 'moved'), _negated=True), ('from_status', ''), ('to_status', '')), _connector='OR'), name='event_statuses_when_moved')],
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('actor', models.CharField(editable=False, help_text='The name as it was, for when accounts go.', max_length=150, verbose_name='who')),
                ('what', models.CharField(editable=False, help_text='The queue, the dates, or the selection.', max_length=200)),
                ('how_many', models.PositiveIntegerField(editable=False, verbose_name='how many enquiries')),
                ('columns', models.CharField(editable=False, max_length=300)),
                ('with_contact_details', models.BooleanField(editable=False, verbose_name='with contact details')),
                ('reason', models.CharField(editable=False, max_length=500, verbose_name='why')),
                ('by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-at'],
                'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('actor', ''), _negated=True), models.Q(('reason', ''), _negated=True)), name='export_has_actor_and_reason')],
            },
        ),
        migrations.CreateModel(
            name='FloodMark',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(db_index=True, editable=False, max_length=64)),
                ('until', models.DateTimeField(db_index=True, editable=False)),
                ('enquiry', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='enquiries.enquiry')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('enquiry', 'key'), name='flood_mark_once')],
            },
        ),
        migrations.CreateModel(
            name='LastPurge',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(editable=False)),
                ('counts', models.JSONField(default=dict, editable=False)),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='last_purge_one_row')],
            },
        ),
        migrations.CreateModel(
            name='OpeningHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], verbose_name='day')),
                ('opens', models.TimeField()),
                ('closes', models.TimeField()),
                ('clinic', models.ForeignKey(default=1, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='openings', to='enquiries.clinichours')),
            ],
            options={
                'verbose_name': 'opening hours',
                'verbose_name_plural': 'opening hours',
                'ordering': ['weekday', 'opens'],
                'constraints': [models.CheckConstraint(condition=models.Q(('weekday__in', [0, 1, 2, 3, 4, 5, 6])), name='opening_known_weekday'), models.CheckConstraint(condition=models.Q(('closes__gt', models.F('opens'))), name='opening_closes_after_it_opens')],
            },
        ),
        migrations.CreateModel(
            name='OutgoingMessage',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('day', models.DateField(editable=False, help_text='The day that a digest or an alarm is about. The clinic gets one of each a day.', null=True)),
                ('purpose', models.CharField(choices=[('report', 'fact sheet to the patient'), ('acknowledgement', 'acknowledgement to the patient'), ('clinic_alert', 'alert to the clinic'), ('clinician_alert', 'urgent alert to a clinician'), ('change_alert', 'alert to the clinic: changed by the patient'), ('reply', 'reply to the patient'), ('booking', 'appointment confirmation to the patient'), ('cancellation', 'appointment cancellation to the patient'), ('booking_reminder', 'appointment reminder to the patient'), ('new_link', 'new private link to the patient'), ('review_reminder', 'review reminder to an editor'), ('sheet_review', 'step in a review, to a reviewer or an author'), ('digest', 'daily summary to the clinic'), ('abuse_alarm', 'alert to the clinic: too many forms'), ('invitation', 'invitation to the staff desk'), ('password_reset', 'link to choose a new password')], editable=False, max_length=16)),
                ('sequence', models.PositiveSmallIntegerField(default=1, editable=False, help_text='2 and up: sent again by staff.')),
                ('state', models.CharField(choices=[('waiting', 'waiting to be sent'), ('sending', 'being sent'), ('sent', 'sent'), ('failed', 'failed'), ('lapsed', 'no longer needed')], default='waiting', editable=False, max_length=8)),
                ('attempts', models.PositiveSmallIntegerField(default=0, editable=False, help_text='How often a worker took it in hand.')),
                ('lost_claims', models.PositiveSmallIntegerField(default=0, editable=False, help_text='Of the latest attempts, how many ended with the worker gone and nothing recorded.')),
                ('urgent', models.BooleanField(default=False, editable=False, help_text='Tells of a warning sign, so it goes before the others.')),
                ('next_attempt_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('claimed_by', models.CharField(blank=True, editable=False, max_length=32)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('error', models.CharField(blank=True, editable=False, max_length=80, verbose_name='last error')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('sent_at', models.DateTimeField(editable=False, null=True)),
                ('appointment', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='messages', to='enquiries.appointment')),
                ('draft_event', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='factsheets.shareddraftevent')),
                ('edition', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='factsheets.edition')),
                ('enquiry', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='enquiries.enquiry')),
                ('event', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='enquiries.enquiryevent')),
                ('reminder', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='factsheets.reviewreminder')),
                ('safety_event', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='factsheets.safetydraftevent')),
                ('staff', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reminders', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'outgoing email',
                'ordering': ['created_at', 'pk'],
                'indexes': [models.Index(fields=['state', 'next_attempt_at'], name='message_state_next'), models.Index(models.F('state'), models.OrderBy(models.F('urgent'), descending=True), models.F('next_attempt_at'), models.F('id'), name='message_in_turn')],
                'constraints': [models.UniqueConstraint(fields=('enquiry', 'purpose', 'sequence'), name='message_once'), models.UniqueConstraint(fields=('reminder', 'staff'), name='message_reminds_each_once'), models.UniqueConstraint(fields=('edition', 'staff'), name='message_tells_each_once'), models.UniqueConstraint(fields=('draft_event', 'staff'), name='message_tells_each_of_a_draft_once'), models.UniqueConstraint(fields=('safety_event', 'staff'), name='message_tells_each_of_red_flags_once'), models.UniqueConstraint(fields=('day', 'purpose'), name='message_one_of_a_day'), models.CheckConstraint(condition=models.Q(('purpose__in', ['report', 'acknowledgement', 'clinic_alert', 'clinician_alert', 'change_alert', 'reply', 'booking', 'cancellation', 'booking_reminder', 'new_link', 'review_reminder', 'sheet_review', 'digest', 'abuse_alarm', 'invitation', 'password_reset'])), name='message_known_purpose'), models.CheckConstraint(condition=models.Q(models.Q(('purpose', 'review_reminder'), ('reminder__isnull', False), ('staff__isnull', False), ('day__isnull', True), ('enquiry__isnull', True)), models.Q(('day__isnull', False), ('purpose__in', ['digest', 'abuse_alarm']), ('enquiry__isnull', True), ('reminder__isnull', True), ('staff__isnull', True)), models.Q(('enquiry__isnull', False), ('purpose', 'clinician_alert'), ('staff__isnull', False), ('day__isnull', True), ('reminder__isnull', True)), models.Q(('purpose__in', ['invitation', 'password_reset', 'sheet_review']), ('staff__isnull', False), ('day__isnull', True), ('enquiry__isnull', True), ('reminder__isnull', True)), models.Q(models.Q(('purpose__in', ['review_reminder', 'sheet_review', 'clinician_alert', 'invitation', 'password_reset', 'digest', 'abuse_alarm']), _negated=True), ('day__isnull', True), ('enquiry__isnull', False), ('reminder__isnull', True), ('staff__isnull', True)), _connector='OR'), name='message_is_about_one_thing'), models.CheckConstraint(condition=models.Q(models.Q(('draft_event', None), ('edition__isnull', False), ('purpose', 'sheet_review'), ('safety_event', None)), models.Q(('draft_event__isnull', False), ('edition', None), ('purpose', 'sheet_review'), ('safety_event', None)), models.Q(('draft_event', None), ('edition', None), ('purpose', 'sheet_review'), ('safety_event__isnull', False)), models.Q(models.Q(('purpose', 'sheet_review'), _negated=True), ('draft_event', None), ('edition', None), ('safety_event', None)), _connector='OR'), name='message_of_a_review_has_its_step'), models.CheckConstraint(condition=models.Q(models.Q(('event__isnull', False), ('purpose', 'reply')), models.Q(models.Q(('purpose', 'reply'), _negated=True), ('event__isnull', True)), _connector='OR'), name='message_reply_has_words'), models.CheckConstraint(condition=models.Q(('appointment__isnull', True), ('purpose__in', ['booking', 'cancellation', 'booking_reminder']), _connector='OR'), name='message_appointment_only_for_its_emails'), models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'sending', 'sent', 'failed', 'lapsed'])), name='message_known_state'), models.CheckConstraint(condition=models.Q(models.Q(('sent_at__isnull', False), ('state', 'sent')), models.Q(models.Q(('state', 'sent'), _negated=True), ('sent_at__isnull', True)), _connector='OR'), name='message_sent_has_time'), models.CheckConstraint(condition=models.Q(models.Q(('lease_until__isnull', False), ('state', 'sending'), models.Q(('claimed_by', ''), _negated=True)), models.Q(models.Q(('state', 'sending'), _negated=True), ('claimed_by', ''), ('lease_until__isnull', True)), _connector='OR'), name='message_sending_has_holder_and_lease')],
            },
        ),
        migrations.CreateModel(
            name='PrivateLink',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(blank=True, editable=False, max_length=8)),
                ('wrong_tries', models.PositiveSmallIntegerField(default=0, editable=False)),
                ('last_wrong_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('enquiry', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='private_links', to='enquiries.enquiry')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('enquiry', 'name'), name='private_link_once')],
            },
        ),
        migrations.CreateModel(
            name='ReplyTemplateEdition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kept_because', models.CharField(blank=True, editable=False, max_length=200)),
                ('actor', models.CharField(editable=False, help_text='The name as it was, for when accounts go.', max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('name', models.CharField(editable=False, max_length=60)),
                ('subject', models.CharField(blank=True, editable=False, max_length=120)),
                ('text', models.TextField(editable=False)),
                ('in_use', models.BooleanField(default=True, editable=False)),
                ('by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('template', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='editions', to='enquiries.replytemplate')),
            ],
            options={
                'verbose_name': 'earlier version',
                'ordering': ['-at', '-pk'],
            },
        ),
        migrations.CreateModel(
            name='SearchToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BigIntegerField(editable=False)),
                ('enquiry', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='search_tokens', to='enquiries.enquiry')),
            ],
            options={
                'indexes': [models.Index(fields=['key', 'id'], name='search_token_newest')],
                'constraints': [models.UniqueConstraint(fields=('enquiry', 'key'), name='search_token_once')],
            },
        ),
        migrations.CreateModel(
            name='StaffDraft',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('typed', backcare.core.encryption.EncryptedTextField()),
                ('updated_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, editable=False)),
                ('by', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('enquiry', models.ForeignKey(db_index=False, editable=False, on_delete=django.db.models.deletion.CASCADE, related_name='drafts', to='enquiries.enquiry')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('enquiry', 'by'), name='draft_once_for_each')],
            },
        ),
        migrations.CreateModel(
            name='StoppedAddress',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(editable=False, max_length=64, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('until', models.DateTimeField(db_index=True, editable=False, help_text='Then the row is removed.')),
            ],
            options={
                'verbose_name_plural': 'stopped addresses',
                'constraints': [models.CheckConstraint(condition=models.Q(('until__gt', models.F('created_at'))), name='stopped_ends_after_it_starts')],
            },
        ),
        migrations.CreateModel(
            name='WordingEdition',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kept_because', models.CharField(blank=True, editable=False, max_length=200)),
                ('actor', models.CharField(editable=False, help_text='The name as it was, for when accounts go.', max_length=150)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('key', models.CharField(editable=False, max_length=40)),
                ('number', models.PositiveIntegerField(editable=False, help_text='Of two people who save at once, one is refused.')),
                ('parts', models.JSONField(default=dict, editable=False)),
                ('by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'wording',
                'verbose_name_plural': 'wording of emails and pages',
                'ordering': ['-number'],
                'constraints': [models.UniqueConstraint(fields=('key', 'number'), name='wording_number_once')],
            },
        ),
        migrations.CreateModel(
            name='Absence',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('first_day', models.DateField(verbose_name='away from')),
                ('last_day', models.DateField(db_index=True, help_text='The last day away.', verbose_name='away until')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='absences', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['-first_day', 'pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('last_day__gte', models.F('first_day'))), name='absence_ends_after_it_starts')],
            },
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
        migrations.RunPython(hours.default_hours, migrations.RunPython.noop),
        migrations.RunPython(replies.write, migrations.RunPython.noop),
    ]
