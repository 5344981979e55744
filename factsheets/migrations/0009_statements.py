import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("factsheets", "0008_approvals"),
    ]

    operations = [
        # The shared statements take its name: sources are asked for both while the rows are moved.
        migrations.AlterField(
            model_name="evidencestatement",
            name="sources",
            field=models.ManyToManyField(related_name="owned_statements", to="factsheets.source"),
        ),
        migrations.CreateModel(
            name="Statement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.SlugField(max_length=80, unique=True)),
                ("treatment", models.SlugField(help_text="What is judged, such as acupuncture or heat.", max_length=60)),
                (
                    "condition",
                    models.SlugField(help_text="For what, such as recent-low-back-pain or sciatica.", max_length=60),
                ),
                (
                    "comparison",
                    models.SlugField(
                        blank=True,
                        help_text="Against what, such as bed-rest. Leave empty when nothing is named.",
                        max_length=80,
                    ),
                ),
                ("claim", models.CharField(max_length=240)),
                ("detail", models.TextField(blank=True, help_text="Markdown, one or two short paragraphs.")),
                (
                    "grade",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("G1", "We are fairly sure"),
                            ("G2", "Probably"),
                            ("G3", "Not sure"),
                            ("G4", "We do not know"),
                        ],
                        help_text="Leave empty for guidance that is not graded.",
                        max_length=2,
                    ),
                ),
                (
                    "direction",
                    models.CharField(
                        choices=[
                            ("helps", "Helps"),
                            ("helps_a_little", "Helps a little"),
                            ("may_help", "May help a little"),
                            ("little_or_no", "Little or no help"),
                            ("not_advised", "Not advised"),
                            ("unclear", "Unclear"),
                            ("serious_harm_rare", "Serious harm is rare"),
                        ],
                        max_length=20,
                    ),
                ),
                ("nice_position", models.CharField(blank=True, max_length=300, verbose_name="NICE's position")),
                ("claim_refs", models.JSONField(blank=True, default=list, verbose_name="claim ledger rows")),
                ("sources", models.ManyToManyField(related_name="statements", to="factsheets.source")),
            ],
            options={
                "ordering": ["treatment", "condition", "comparison"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["treatment", "condition", "comparison"],
                        name="statement_one_verdict",
                        violation_error_message="There is a statement on this treatment, condition and comparison "
                        "already. Use that one, or edit it.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(grade__in=["", "G1", "G2", "G3", "G4"]), name="statement_known_grade"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            direction__in=[
                                "helps",
                                "helps_a_little",
                                "may_help",
                                "little_or_no",
                                "not_advised",
                                "unclear",
                                "serious_harm_rare",
                            ]
                        ),
                        name="statement_known_direction",
                    ),
                    models.CheckConstraint(
                        condition=~models.Q(
                            treatment="acupuncture",
                            direction__in=["helps", "helps_a_little", "may_help"],
                            nice_position="",
                        ),
                        name="statement_acupuncture_benefit_with_nice",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="StatementUse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField(default=0)),
                (
                    "section",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="statement_uses",
                        to="factsheets.section",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="uses", to="factsheets.statement"
                    ),
                ),
            ],
            options={
                "ordering": ["position", "pk"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=["section", "statement"],
                        name="statement_once_in_a_section",
                        violation_error_message="This statement is in the section already.",
                    ),
                ],
            },
        ),
    ]
