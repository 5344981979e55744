from django.db import migrations, models

import factsheets.models.safety

# The short texts of the claim ledger, part 2, for the red flags that had none.
SHORT = {
    "RF-E4": "new loss of genital feeling, or new trouble with erections or ejaculation",
    "RF-E9": "known cancer, and new leg weakness, numbness, unsteadiness or toilet changes",
    "RF-P1": "pregnant, with bleeding, fluid, early tightenings or baby moving less",
    "RF-U1": "high temperature, shivering, drenching night sweats, or feeling ill all round",
    "RF-U2": "you are losing weight without trying",
    "RF-U3": "cancer now or in the past, and new or different pain",
    "RF-U4": "one leg or foot newly weak or numb, or getting worse",
    "RF-U5": "pain that rest does not ease, or that is worse at night",
    "RF-U6": "a lump or swelling in your back, or a changed shape",
    "RF-U7": "pain at the top of your back, between your shoulders",
    "RF-U8": "pain that is worse when you sneeze, cough or poo",
    "RF-U9": "new sharp pain with weak bones, steroids, or a knock at 70+",
    "RF-U10": "weak immune system, injecting drugs, or recent serious infection or spinal procedure",
    "RF-U11": "burning or blood when you pee, or bad side or groin pain",
    "RF-U12": "stiff shoulders or hips, and new headache, jaw pain or sight change",
    "RF-R1": "it is no better after a few weeks of looking after it",
    "RF-R2": "it stops you from doing daily things, from work or from sleep",
    "RF-R3": "the pain is severe or getting worse, or you struggle to cope",
    "RF-R4": "pain past one knee is severe, getting worse or not easing",
    "RF-R5": "pain for over 3 months, from before 45, with morning stiffness",
    "RF-R6": "your legs hurt when you walk, and it eases when you sit",
    "RF-R7": "this is your first back pain, under 20 or from 55",
    "RF-R8": "you are 60 or over, with pain for 6 weeks or more",
    "RF-R9": "at 50 or over, both shoulders or hips are stiff each morning",
    "RF-R10": "you are under 18 and your back hurts",
}


def fill(apps, schema_editor):
    """What stood on the compact card stays on it; every other red flag gets a short text, its own first words if need be."""
    advice = apps.get_model("factsheets", "SafetyAdvice")
    advice.objects.exclude(short_text="").update(on_compact_card=True)
    for record in advice.objects.filter(short_text=""):
        words = record.text.replace(".", ",").split()[:12]
        record.short_text = SHORT.get(record.code) or " ".join(words)[:120].rstrip(" ,") or record.code
        record.save(update_fields=["short_text"])


class Migration(migrations.Migration):
    dependencies = [("factsheets", "0006_pages")]

    operations = [
        migrations.AddField(
            model_name="safetyadvice",
            name="on_compact_card",
            field=models.BooleanField(
                default=False, help_text="Stands on the short emergency card at the top of every fact sheet."
            ),
        ),
        migrations.AddField(
            model_name="safetyadvice",
            name="patterns",
            field=models.JSONField(
                blank=True,
                default=list,
                help_text="What people type, one a line.",
                validators=[factsheets.models.safety.check_patterns],
                verbose_name="word patterns",
            ),
        ),
        migrations.AlterField(
            model_name="safetyadvice",
            name="text",
            field=models.CharField(
                help_text="In full, in plain words. Say “pee” and “poo”. Join what belongs together with “and” or “or”.",
                max_length=400,
                validators=[factsheets.models.safety.check_joined],
            ),
        ),
        migrations.AlterField(
            model_name="safetyadvice",
            name="action",
            field=models.CharField(
                blank=True,
                help_text="What to do beyond the tier's advice.",
                max_length=240,
                validators=[factsheets.models.safety.check_joined],
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="safetyadvice",
            name="short_text",
            field=models.CharField(
                help_text="12 words or fewer that complete “… if you have back pain and:”. No full stop.",
                max_length=120,
                validators=[factsheets.models.safety.check_short, factsheets.models.safety.check_joined],
            ),
        ),
        migrations.AddConstraint(
            model_name="safetyadvice",
            constraint=models.CheckConstraint(
                condition=models.Q(("short_text", ""), _negated=True), name="safety_has_short_text"
            ),
        ),
    ]
