from django.db import migrations, models

import backcare.core.encryption

AGREEMENTS = [
    ("yes", "They know and agree."),
    ("cannot", "They cannot decide for themselves. Ask who decides for them before you talk about their health."),
    ("not_yet", "They do not know, or have not agreed yet: general advice only, until they do."),
]


class Migration(migrations.Migration):
    dependencies = [("enquiries", "0010_abuse")]

    operations = [
        migrations.AddField(
            model_name="enquiry",
            name="for_name",
            field=backcare.core.encryption.EncryptedTextField(null=True, verbose_name="for somebody else"),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="for_relation",
            field=backcare.core.encryption.EncryptedTextField(null=True, verbose_name="who that is to them"),
        ),
        migrations.AddField(
            model_name="enquiry",
            name="for_agreed",
            field=models.CharField(blank=True, choices=AGREEMENTS, default="", editable=False, max_length=8),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name="enquiry",
            constraint=models.CheckConstraint(
                condition=models.Q(for_agreed="", for_name__isnull=True, for_relation__isnull=True)
                | models.Q(
                    kind="consultation",
                    for_agreed__in=["yes", "cannot", "not_yet"],
                    for_name__isnull=False,
                    for_relation__isnull=False,
                ),
                name="enquiry_for_someone_else_whole",
            ),
        ),
    ]
