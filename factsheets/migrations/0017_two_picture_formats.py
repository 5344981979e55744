from django.db import migrations, models


def drop_avif(apps, schema_editor):
    """Every picture has the same sizes as WebP and JPEG."""
    apps.get_model("factsheets", "PictureFile").objects.filter(format="avif").delete()


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0016_remove_source_finding")]

    operations = [
        migrations.RunPython(drop_avif, migrations.RunPython.noop, elidable=True),
        migrations.RemoveConstraint(model_name="picturefile", name="picture_file_known_format"),
        migrations.AlterField(
            model_name="picturefile",
            name="format",
            field=models.CharField(choices=[("webp", "WebP"), ("jpg", "JPEG")], editable=False, max_length=4),
        ),
        migrations.AddConstraint(
            model_name="picturefile",
            constraint=models.CheckConstraint(condition=models.Q(("format__in", ["webp", "jpg"])), name="picture_file_known_format"),
        ),
    ]
