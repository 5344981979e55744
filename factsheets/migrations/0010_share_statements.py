"""Moves the statements of evidence, which each section owned, to the shared ones. What staff edited or added is kept.

Where several sheets had a statement on the same question, one stays: the one that staff edited, else the first. An upgrade of the
content then brings the agreed words and verdicts, and offers them where staff wrote their own. The others remain in the editions.
"""

from django.db import migrations

OLD, NEW, USE = "factsheets.evidencestatement", "factsheets.statement", "factsheets.statementuse"
WORDS = ["claim", "detail", "grade", "direction", "nice_position", "claim_refs", "sources"]
# The statements of the fixtures: sheet and slug, and the shared statement that they have become.
SHARED = {
    ("about-back-pain", "staying-active-against-bed-rest"): "staying-active-for-recent-pain",
    ("tests-and-treatments", "staying-active"): "staying-active-for-recent-pain",
    ("looking-after-your-back", "staying-active"): "staying-active-for-recent-pain",
    ("tests-and-treatments", "bed-rest"): "bed-rest",
    ("looking-after-your-back", "bed-rest"): "bed-rest",
    ("about-back-pain", "exercise-for-long-term-pain"): "exercise-for-long-term-pain",
    ("tests-and-treatments", "exercise-long-term"): "exercise-for-long-term-pain",
    ("looking-after-your-back", "exercise-for-long-term-pain"): "exercise-for-long-term-pain",
    ("long-term-pain", "exercise"): "exercise-for-long-term-pain",
    ("about-back-pain", "exercise-and-education-to-prevent"): "exercise-with-education-to-prevent-pain",
    ("tests-and-treatments", "exercise-prevention"): "exercise-with-education-to-prevent-pain",
    ("looking-after-your-back", "exercise-to-prevent-pain"): "exercise-with-education-to-prevent-pain",
    ("posture-and-lifting", "exercise-with-education"): "exercise-with-education-to-prevent-pain",
    ("about-back-pain", "routine-scans"): "routine-scans",
    ("posture-and-lifting", "posture-correction-and-furniture"): "posture-correction",
    ("about-back-pain", "posture-correction"): "posture-correction",
    ("tests-and-treatments", "posture-training"): "posture-correction",
    ("posture-and-lifting", "lifting-training"): "lifting-training",
    ("posture-and-lifting", "insoles-and-belts"): "belts-and-insoles",
    ("tests-and-treatments", "belts-and-insoles"): "belts-and-insoles",
    ("posture-and-lifting", "medium-firm-mattress"): "medium-firm-mattress",
    ("tests-and-treatments", "heat"): "heat-for-recent-pain",
    ("looking-after-your-back", "heat"): "heat-for-recent-pain",
    ("looking-after-your-back", "cold"): "cold-for-back-pain",
    ("tests-and-treatments", "weight-loss"): "weight-loss",
    ("about-back-pain", "weight-loss"): "weight-loss",
    ("looking-after-your-back", "weight-loss"): "weight-loss",
    ("manual-therapy-for-back-pain", "manipulation-or-mobilisation"): "manipulation-or-mobilisation",
    ("long-term-pain", "manipulation"): "manipulation-or-mobilisation",
    ("tests-and-treatments", "manual-therapy"): "manipulation-or-mobilisation",
    ("manual-therapy-for-back-pain", "massage"): "massage",
    ("long-term-pain", "massage"): "massage",
    ("manual-therapy-for-back-pain", "tuina"): "tuina",
    ("traditional-chinese-medicine-view", "tuina"): "tuina",
    ("stress-and-back-pain", "cbt-based-care"): "cbt-for-long-term-pain",
    ("long-term-pain", "cbt"): "cbt-for-long-term-pain",
    ("tests-and-treatments", "cbt-based-care"): "cbt-for-long-term-pain",
    ("stress-and-back-pain", "stress-relief-tips"): "stress-relief-tips",
    ("tests-and-treatments", "nsaids-recent"): "nsaids-for-recent-pain",
    ("looking-after-your-back", "anti-inflammatory-tablets-recent-pain"): "nsaids-for-recent-pain",
    ("tests-and-treatments", "nsaids-long-term"): "nsaids-for-long-term-pain",
    ("long-term-pain", "anti-inflammatory-tablets"): "nsaids-for-long-term-pain",
    ("tests-and-treatments", "paracetamol-alone"): "paracetamol-alone-for-recent-pain",
    ("looking-after-your-back", "paracetamol-alone"): "paracetamol-alone-for-recent-pain",
    ("tests-and-treatments", "muscle-relaxants"): "muscle-relaxants",
    ("long-term-pain", "muscle-relaxants"): "muscle-relaxants",
    ("tests-and-treatments", "opioids"): "opioids",
    ("long-term-pain", "opioids"): "opioids",
    ("tests-and-treatments", "sciatica-medicines"): "steroid-tablets-and-benzodiazepines",
    ("tests-and-treatments", "tens"): "tens",
    ("tests-and-treatments", "spinal-injections"): "spinal-injections",
    ("tests-and-treatments", "surgery-non-specific"): "surgery-for-common-back-pain",
    ("tests-and-treatments", "surgery-sciatica"): "surgery-for-sciatica",
    ("acupuncture-for-back-pain", "uk-guidance"): "acupuncture-in-uk-guidance",
    ("traditional-chinese-medicine-view", "acupuncture-guidance"): "acupuncture-in-uk-guidance",
    ("acupuncture-for-back-pain", "long-term-pain-against-no-acupuncture"): "acupuncture-against-no-acupuncture",
    ("traditional-chinese-medicine-view", "acupuncture-against-none"): "acupuncture-against-no-acupuncture",
    ("acupuncture-for-back-pain", "long-term-pain-against-sham"): "acupuncture-against-pretend-acupuncture",
    ("traditional-chinese-medicine-view", "acupuncture-against-pretend"): "acupuncture-against-pretend-acupuncture",
    ("long-term-pain", "acupuncture-against-pretend"): "acupuncture-against-pretend-acupuncture",
    ("acupuncture-for-back-pain", "long-term-primary-pain-elsewhere"): "acupuncture-for-primary-pain",
    ("acupuncture-for-back-pain", "recent-pain"): "acupuncture-for-recent-pain",
    ("acupuncture-for-back-pain", "sciatica"): "acupuncture-for-sciatica",
    ("acupuncture-for-back-pain", "safety"): "acupuncture-serious-harm",
    ("traditional-chinese-medicine-view", "moxibustion"): "moxibustion",
    ("traditional-chinese-medicine-view", "chinese-herbs"): "chinese-herbs",
}
# Treatment, condition and comparison of each.
QUESTIONS = {
    "staying-active-for-recent-pain": ("staying-active", "recent-low-back-pain", "bed-rest"),
    "bed-rest": ("bed-rest", "low-back-pain", ""),
    "exercise-for-long-term-pain": ("exercise", "long-term-low-back-pain", ""),
    "exercise-with-education-to-prevent-pain": ("exercise-with-education", "prevention-of-low-back-pain", ""),
    "routine-scans": ("scans", "low-back-pain", ""),
    "posture-correction": ("posture-correction", "low-back-pain", ""),
    "lifting-training": ("lifting-training", "prevention-of-low-back-pain", ""),
    "belts-and-insoles": ("belts-and-insoles", "low-back-pain", ""),
    "medium-firm-mattress": ("medium-firm-mattress", "long-term-low-back-pain", "firm-mattress"),
    "heat-for-recent-pain": ("heat", "recent-low-back-pain", ""),
    "cold-for-back-pain": ("cold", "low-back-pain", ""),
    "weight-loss": ("weight-loss", "low-back-pain", ""),
    "manipulation-or-mobilisation": ("manipulation", "low-back-pain", ""),
    "massage": ("massage", "low-back-pain", ""),
    "tuina": ("tuina", "low-back-pain", ""),
    "cbt-for-long-term-pain": ("cbt", "long-term-pain", ""),
    "stress-relief-tips": ("stress-relief", "low-back-pain", ""),
    "nsaids-for-recent-pain": ("nsaids", "recent-low-back-pain", ""),
    "nsaids-for-long-term-pain": ("nsaids", "long-term-low-back-pain", ""),
    "paracetamol-alone-for-recent-pain": ("paracetamol", "recent-low-back-pain", ""),
    "muscle-relaxants": ("muscle-relaxants", "low-back-pain", ""),
    "opioids": ("opioids", "low-back-pain", ""),
    "steroid-tablets-and-benzodiazepines": ("steroid-tablets-and-benzodiazepines", "sciatica", ""),
    "tens": ("tens", "low-back-pain-or-sciatica", ""),
    "spinal-injections": ("spinal-injections", "low-back-pain", ""),
    "surgery-for-common-back-pain": ("surgery", "non-specific-low-back-pain", ""),
    "surgery-for-sciatica": ("surgery", "sciatica", ""),
    "acupuncture-in-uk-guidance": ("acupuncture", "low-back-pain-or-sciatica", ""),
    "acupuncture-against-no-acupuncture": ("acupuncture", "long-term-low-back-pain", "no-acupuncture"),
    "acupuncture-against-pretend-acupuncture": ("acupuncture", "long-term-low-back-pain", "pretend-acupuncture"),
    "acupuncture-for-primary-pain": ("acupuncture", "chronic-primary-pain", ""),
    "acupuncture-for-recent-pain": ("acupuncture", "recent-low-back-pain", ""),
    "acupuncture-for-sciatica": ("acupuncture", "sciatica", ""),
    "acupuncture-serious-harm": ("acupuncture", "serious-harm", ""),
    "moxibustion": ("moxibustion", "low-back-pain", ""),
    "chinese-herbs": ("chinese-herbs", "low-back-pain", ""),
}


def share(apps, schema_editor):
    model = {name: apps.get_model("factsheets", name) for name in
             ("EvidenceStatement", "Statement", "StatementUse", "InstalledRecord", "Edition")}
    installed = {each.natural_key: each for each in model["InstalledRecord"].objects.filter(label=OLD)}
    rows = list(model["EvidenceStatement"].objects.select_related("section__sheet").order_by("section__sheet", "position", "pk"))
    keys = _keys(rows, installed)
    groups = {}
    for row in rows:
        groups.setdefault(keys[_name(row)], []).append(row)
    made = {}
    for key, alike in groups.items():
        first = next((row for row in alike if _edited(row, installed.get(_name(row)))), alike[0])
        made[key] = _statement(model, key, first, installed.get(_name(first)))
    for row in rows:
        model["StatementUse"].objects.get_or_create(
            section=row.section, statement=made[keys[_name(row)]], defaults={"position": row.position}
        )
    for name, record in installed.items():
        # Also of those that staff deleted: so an upgrade leaves them away.
        sheet, section, slug = name.split()
        key = keys.get(name) or SHARED.get((sheet, slug), slug)
        model["InstalledRecord"].objects.get_or_create(
            label=USE,
            natural_key=f"{sheet} {section} {key}",
            defaults={
                "fields": {
                    "section": [sheet, section],
                    "statement": [key],
                    "position": record.fields.get("position", 0),
                }
            },
        )
    model["InstalledRecord"].objects.filter(label=OLD).delete()
    _name_in_editions(model["Edition"], keys)


def _name(row):
    return f"{row.section.sheet.slug} {row.section.slug} {row.slug}"


def _keys(rows, installed):
    """The shared key of each row, by the row's name. A statement that staff added gets one of its own."""
    keys, taken = {}, set(SHARED.values())
    for row in rows:
        name = _name(row)
        shared = SHARED.get((row.section.sheet.slug, row.slug)) if name in installed else None
        if shared is None:
            base = row.slug if row.slug not in taken else f"{row.section.sheet.slug}-{row.slug}"[:74]
            shared, number = base[:74], 2
            while shared in taken:
                shared, number = f"{base[:74]}-{number}", number + 1
            taken.add(shared)
        keys[name] = shared
    return keys


def _edited(row, record):
    """Staff wrote in it since it was installed, or wrote it."""
    if record is None:
        return True
    now = {name: getattr(row, name) for name in WORDS if name != "sources"}
    now["sources"] = sorted([source.key] for source in row.sources.all())
    return any(record.fields[name] != now[name] for name in WORDS if name in record.fields)


def _statement(model, key, row, record):
    treatment, condition, comparison = QUESTIONS.get(key, (row.treatment, "back-pain", key))
    made = model["Statement"].objects.create(
        key=key,
        treatment=treatment,
        condition=condition,
        comparison=comparison,
        **{name: getattr(row, name) for name in WORDS if name != "sources"},
    )
    made.sources.set(row.sources.all())
    if record is not None:
        fields = {"key": key, "treatment": treatment, "condition": condition, "comparison": comparison}
        fields |= {name: record.fields[name] for name in WORDS if name in record.fields}
        model["InstalledRecord"].objects.create(label=NEW, natural_key=key, fields=fields)
    return made


def _name_in_editions(editions, keys):
    """Editions name their statements by the shared keys too, so that they can be compared and put back."""
    for edition in editions.objects.select_related("sheet").iterator(chunk_size=50):
        sheet, changed = edition.sheet.slug, False
        for section in edition.content.get("sections", []):
            for each in section.get("evidence", []):
                slug = each.get("slug", "")
                each["key"] = keys.get(f"{sheet} {section['slug']} {slug}") or SHARED.get((sheet, slug), slug)
                changed = True
        if changed:
            editions.objects.filter(pk=edition.pk).update(content=edition.content)


class Migration(migrations.Migration):
    dependencies = [
        ("factsheets", "0009_statements"),
    ]

    operations = [
        migrations.RunPython(share, migrations.RunPython.noop),
    ]
