"""The replies that the desk has always offered, now for the clinic to change."""

from django.db import migrations

FIRST = [
    {
        "name": "We tried to reach you",
        "text": "Hello,\n\nWe tried to phone you and could not reach you. Please phone us, or tell us by email when we may try again.\n",
        "after_missed_calls": True,
    },
    {
        "name": "Please phone us",
        "text": "Hello,\n\nThank you for writing to us. Please phone us, so that we can answer you in person.\n",
    },
    {"name": "An answer", "text": "Hello {name},\n\nThank you for your question.\n"},
]


def write(apps, schema_editor):
    templates, editions = (apps.get_model("enquiries", name) for name in ("ReplyTemplate", "ReplyTemplateEdition"))
    for fields in FIRST:
        template = templates.objects.create(**fields)
        editions.objects.create(template=template, name=template.name, text=template.text, actor="Installed with the site")


class Migration(migrations.Migration):
    dependencies = [("enquiries", "0026_reply_templates")]
    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
