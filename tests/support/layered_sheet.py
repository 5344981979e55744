"""A sheet in three layers, small enough to read in a test."""

from factsheets import actions
from factsheets.models import FactSheet, Figure, Section, Statement, StatementUse

QUESTIONS = [
    "Should I worry?",
    "What can I do today?",
    "How long will it last?",
    "What may help?",
    "When should I see someone?",
]
ACUPUNCTURE = "acupuncture-against-pretend-acupuncture"


def in_layers(sheet: FactSheet) -> FactSheet:
    """Gives a sheet about a condition an “In short”, three key points, the five questions and two chapters below them."""
    sheet.sections.all().delete()
    sheet.related.all().delete()
    FactSheet.objects.filter(pk=sheet.pk).update(
        kind="condition",
        in_short="Most back pain is not dangerous. Keep moving, and it usually eases within weeks.",
        lead_figure=Figure.objects.order_by("slug").first(),
        key_points="- Keep moving.\n- Most pain eases.\n- Know the warning signs.\n",
    )
    made = {
        "calm": {"question": "should-i-worry", "body": "Most back pain passes. [@NG59; @MU20]\n"},
        "move": {"question": "what-can-i-do", "body": "Walk a little each day.\n"},
        "list": {"question": "what-can-i-do", "kind": "try", "body": "- a short walk\n- a warm bath\n"},
        "weeks": {
            "question": "how-long",
            "kind": "table",
            "heading": "How pain eases",
            "body": "| When | Who | What |\n|---|---|---|\n| Six weeks | Most people | They feel much better |\n",
        },
        "rows": {"question": "what-may-help", "kind": "evidence", "heading": "What studies found"},
        "gp": {"question": "when-to-see", "body": "See a GP if it is not better in six weeks. [@NG59]\n"},
        "studies": {
            "layer": "more",
            "heading": "Studies and numbers",
            "body": "An MRI shows little. [@MU20]\n",
            "former_slugs": ["old-studies"],
        },
        "limits": {
            "layer": "more",
            "kind": "callout",
            "heading": "What they cannot say",
            "body": "Not why it hurts.\n",
        },
        "tradition": {
            "layer": "more",
            "view": "traditional",
            "heading": "The traditional view",
            "body": "The qi is said to be stuck.\n",
        },
    }
    for number, (slug, fields) in enumerate(made.items(), start=1):
        Section.objects.create(sheet=sheet, slug=slug, position=number * 10, aspect="overview", **fields)
    rows = sheet.sections.get(slug="rows")
    for number, key in enumerate((ACUPUNCTURE, "bed-rest"), start=1):
        StatementUse.objects.create(section=rows, statement=Statement.objects.get(key=key), position=number * 10)
    sheet.refresh_from_db()
    actions.refresh(sheet=sheet)
    return sheet
