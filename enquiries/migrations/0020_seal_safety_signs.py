from django.db import migrations, models

import backcare.core.encryption
from backcare.core.encryption import CannotDecrypt


def seal(apps, schema_editor):
    """Through the model, which seals each value for its row."""
    rows = apps.get_model("enquiries", "Enquiry")._base_manager.using(schema_editor.connection.alias)
    for row in list(rows.exclude(plain_signs="").only("pk", "plain_signs")):
        row.safety_signs = row.plain_signs
        row.save(update_fields=["safety_signs"])


def open_again(apps, schema_editor):
    """What no key opens becomes a code that is in no record: those count as emergencies."""
    rows = apps.get_model("enquiries", "Enquiry")._base_manager.using(schema_editor.connection.alias)
    for row in list(rows.filter(safety_signs__isnull=False).only("pk", "safety_signs")):
        try:
            row.plain_signs = row.safety_signs[:120]
        except CannotDecrypt:
            row.plain_signs = "?"
        row.save(update_fields=["plain_signs"])


class Migration(migrations.Migration):
    """The codes of warning signs are encrypted, as the words are that they come from. The next migration removes the readable ones."""

    dependencies = [
        ("enquiries", "0019_private_links"),
    ]

    operations = [
        # A generated column cannot be altered, and neither can what it is made of: it goes now and comes back in the next one.
        migrations.RemoveConstraint(model_name="enquiry", name="enquiry_safety_act_has_a_sign"),
        migrations.RemoveIndex(model_name="enquiry", name="enquiry_open_by_due"),
        migrations.RemoveIndex(model_name="enquiry", name="enquiry_open_by_owner"),
        migrations.RemoveIndex(model_name="enquiry", name="enquiry_of_flood"),
        migrations.RemoveField(model_name="enquiry", name="live"),
        migrations.RenameField(model_name="enquiry", old_name="safety_signs", new_name="plain_signs"),
        migrations.AddField(
            model_name="enquiry",
            name="safety_signs",
            field=backcare.core.encryption.EncryptedTextField(null=True),
        ),
        migrations.RunPython(seal, open_again, elidable=True),
    ]
