from email.utils import parseaddr

from django.conf import settings
from django.db import migrations, models

from backcare.core import addresses


YOUNGER = ("colour", "sender_name", "sender_email", "daily_digest", "logo")


def fill(apps, schema_editor):
    """What two variables said before: who mail is from, and whether the morning mail comes. Raises RuntimeError for a bad one."""
    values, sender = {}, settings.SENDER_AT_FIRST
    if sender:
        name, address = parseaddr(sender)
        if not addresses.can_send(sender) or len(name) > 80 or len(address) > 254:
            raise RuntimeError(
                f"No mail program can send from DEFAULT_FROM_EMAIL, which is “{sender}”. "
                "Set it to one address, such as clinic@example.com, or remove it."
            )
        values |= {"sender_name": name, "sender_email": address}
    if not settings.DAILY_DIGEST_AT_FIRST:
        values["daily_digest"] = False
    rows = apps.get_model("backcare", "ClinicSettings").objects
    if values:
        rows.update(**values)
    # The newest edition is what holds now, and the columns that are younger than it hold with it.
    row, edition = rows.first(), apps.get_model("backcare", "ClinicSettingsEdition").objects.order_by("-version").first()
    if row and edition:
        edition.values = {name: getattr(row, name) for name in YOUNGER} | edition.values
        edition.save()


class Migration(migrations.Migration):

    dependencies = [
        ('backcare', '0004_clinic_colour'),
    ]

    operations = [
        migrations.AddField(
            model_name='clinicsettings',
            name='daily_digest',
            field=models.BooleanField(default=True),
        ),
        migrations.AddField(
            model_name='clinicsettings',
            name='logo',
            field=models.CharField(blank=True, max_length=32),
        ),
        migrations.AddField(
            model_name='clinicsettings',
            name='sender_email',
            field=models.EmailField(blank=True, max_length=254),
        ),
        migrations.AddField(
            model_name='clinicsettings',
            name='sender_name',
            field=models.CharField(blank=True, max_length=80),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
