from django.core.validators import RegexValidator
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0036_edition_retire_on")]

    operations = [
        migrations.AlterField(
            model_name="source",
            name="doi",
            field=models.CharField(
                "DOI",
                blank=True,
                help_text="Without https://doi.org/",
                max_length=120,
                validators=[
                    RegexValidator(
                        r"^10\.[0-9.]+/\S+\Z", "A DOI begins with 10. and has a slash, such as 10.1136/bmj.l689."
                    )
                ],
            ),
        ),
        migrations.AlterField(
            model_name="source",
            name="pmid",
            field=models.CharField(
                "PubMed number",
                blank=True,
                max_length=20,
                validators=[RegexValidator(r"^[0-9]+\Z", "A PubMed number has digits only, such as 30867144.")],
            ),
        ),
    ]
