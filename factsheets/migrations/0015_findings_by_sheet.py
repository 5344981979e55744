"""What a source found was said once for the whole site. What staff wrote there is kept, in every sheet that cites the source.

What came with the site's content is not: the content now says it for each sheet.
"""

from django.db import migrations

LABEL = "factsheets.source"


def keep(apps, schema_editor):
    models = (apps.get_model("factsheets", name) for name in ("Source", "FactSheet", "SourceUse", "InstalledRecord"))
    sources, sheets, uses, records = (model.objects for model in models)
    installed = {each.natural_key: each for each in records.filter(label=LABEL)}
    cited = [
        (sheet.pk, {each["key"] for each in sheet.document.get("references", [])})
        for sheet in sheets.only("pk", "document")
    ]
    for source in sources.exclude(finding=""):
        record = installed.get(source.key)
        if record is not None and record.fields.get("finding", "") == source.finding:
            continue
        for sheet, keys in cited:
            if source.key in keys:
                uses.get_or_create(sheet_id=sheet, source=source, defaults={"finding": source.finding})
    for record in installed.values():
        if "finding" in record.fields or "finding" in record.offered:
            record.fields.pop("finding", None)
            record.offered.pop("finding", None)
            record.save(update_fields=["fields", "offered"])


class Migration(migrations.Migration):
    dependencies = [
        ("factsheets", "0014_source_use"),
    ]

    operations = [
        migrations.RunPython(keep, migrations.RunPython.noop),
    ]
