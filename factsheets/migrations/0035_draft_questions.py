import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0034_statement_burden")]

    operations = [
        migrations.CreateModel(
            name="DraftQuestions",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.CharField(editable=False, max_length=160)),
                ("before", models.JSONField(default=list, editable=False)),
                ("questions", models.JSONField(default=list, editable=False)),
                (
                    "section",
                    models.OneToOneField(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="draft_questions",
                        to="factsheets.section",
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name='factsheet',
            name='key_points',
            field=models.TextField(help_text='Exactly three points, the most important first, each on a line that begins with “- ”. No sources here.'),
        ),
        migrations.AlterField(
            model_name='section',
            name='body',
            field=models.TextField(blank=True, help_text='Cite a source with [@KEY] after the full stop.'),
        ),
        migrations.AlterField(
            model_name='statement',
            name='detail',
            field=models.TextField(blank=True, help_text='One or two short paragraphs, with an empty line between them.'),
        ),
    ]
