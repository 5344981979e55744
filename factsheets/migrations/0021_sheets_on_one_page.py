"""Sheets that were read in pages are one page again, and what was installed and kept of them says so."""

from django.db import migrations

KINDS = {
    "acupuncture-for-back-pain": "treatment",
    "manual-therapy-for-back-pain": "treatment",
    "traditional-chinese-medicine-view": "treatment",
    "looking-after-your-back": "self_care",
    "posture-and-lifting": "self_care",
    "stress-and-back-pain": "self_care",
    "tests-and-treatments": "choices",
}
GONE = ["page_title", "first_page_title"]


def forward(apps, schema_editor):
    sheets = apps.get_model("factsheets", "FactSheet").objects
    for slug, kind in KINDS.items():
        sheets.filter(slug=slug).update(kind=kind)
    installed = apps.get_model("factsheets", "InstalledRecord").objects
    for record in installed.filter(label__in=["factsheets.factsheet", "factsheets.section"]):
        for name in GONE:
            record.fields.pop(name, None)
            record.offered.pop(name, None)
        record.save(update_fields=["fields", "offered"])
    # Shown until the sheet is next saved, which it is as soon as the content is loaded.
    for sheet in sheets.exclude(document={}):
        sheet.document = _on_one_page(sheet.document, sheet.kind)
        sheet.save(update_fields=["document"])


def _on_one_page(document: dict, kind: str) -> dict:
    chapters = []
    for section in document.get("sections", []):
        section.pop("page", None)
        section.update(layer="leaflet", question="", also=[])
        if section["starts_chapter"] or not chapters:
            heading = section["heading"] if section["starts_chapter"] else ""
            slug = section["slug"] if heading else ""
            chapters.append({"slug": slug, "heading": heading, "layer": "leaflet", "sections": []})
        chapters[-1]["sections"].append(section["slug"])
        for statement in section.get("evidence", []):
            statement.update(nice_chip="", nice_printed=statement["nice_position"])
    for word in document.get("words", []):
        word["place"] = f"term-{word['slug']}"
    for reference in document.get("references", []):
        reference["place"] = next(iter(reference.pop("places", [])), "")
    document.pop("pages", None)
    return document | {
        "kind": kind,
        "in_short": {"content": [], "html": ""},
        "lead_figure": None,
        "chapters": chapters,
    }


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0020_three_layers")]

    operations = [migrations.RunPython(forward, migrations.RunPython.noop)]
