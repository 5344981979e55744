"""The shared statements of evidence: one verdict for the whole site, edited once and shown by every sheet that uses it."""

from dataclasses import replace

from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import Count
from django.utils.html import format_html

from factsheets import autosave, pasted_citation
from factsheets.admin.editing import SHARED_FIELDS, EditingForm, EditsSheet, Stopped
from factsheets.admin.fields import SIGNS, ClaimRefsField, MakesShortName, SignedText
from factsheets.admin.picking import SlugOfWordsField, SourcesField
from factsheets.admin.shared_history import KeepsHistory, SeenFirst
from factsheets.models import Statement
from factsheets.publishing_rules import Obstacle
from factsheets.rendering.document import verdict_of


class CitedText(SignedText):
    """With a box that finds a source by typed words. It suggests those of the form's own field of sources."""

    def render(self, name, value, attrs=None, renderer=None):
        box = format_html(
            '<p class="asking"><label for="source-asked">Cite a source</label> '
            '<input type="text" id="source-asked" name="_source" list="id_sources-known" autocomplete="off"> '
            '<button type="submit" class="button small" name="_cite" value="{}">Cite</button></p>',
            name,
        )
        return super().render(name, value, attrs, renderer) + box


class StatementForm(MakesShortName, SeenFirst, EditingForm):
    short, made_of = "key", "claim"
    texts = ("detail",)
    claim_refs = ClaimRefsField()
    sources = SourcesField()
    treatment = SlugOfWordsField("treatment", help_text="What was tried, such as acupuncture or heat.")
    condition = SlugOfWordsField(
        "condition", help_text="What it was tried for, such as recent low back pain or sciatica."
    )
    comparison = SlugOfWordsField(
        "comparison",
        required=False,
        help_text="What it was compared with, such as bed rest. Leave empty if nothing is named.",
    )

    class Meta:
        model = Statement
        fields = [
            "claim",
            "treatment",
            "condition",
            "comparison",
            "direction",
            "grade",
            "nice_position",
            "burden",
            "detail",
            "sources",
            "claim_refs",
            "key",
        ]
        labels = {
            "direction": "What the evidence says",
            "grade": "How sure we are",
            "nice_position": "What NICE says",
            "burden": "What it costs the reader",
            "detail": "Text",
        }
        help_texts = {
            "claim": "One sentence. Readers see it as the heading of the statement.",
            "grade": "Leave empty for advice that is not graded.",
            "nice_position": "One sentence. Every benefit of acupuncture needs it.",
            "detail": "One or two short paragraphs, with an empty line between them. What you cite is added at the end.",
        }
        widgets = {
            "claim": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
            "nice_position": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
            "burden": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
            "detail": CitedText(["Strong"], attrs={"rows": 8, "class": "vLargeTextField"}),
        }


@admin.register(Statement)
class StatementAdmin(KeepsHistory, EditsSheet, admin.ModelAdmin):
    """Saving one changes every sheet that shows it: each keeps an edition, and none that is public becomes unsound."""

    form = StatementForm
    changes_published = True
    list_display = ["claim", "verdict", "about", "in_sections"]
    list_filter = ["direction", "grade", "treatment"]
    search_fields = ["claim", "key", "detail", "treatment", "condition", "comparison"]

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if request.method == "POST" and {"_sign", "_cite"} & set(request.POST):
            request.POST = request.POST.copy()
            request.stopped = [Obstacle(_write(request.POST) or "The text below has changed. Nothing has been saved.")]
        return super().changeform_view(request, object_id, form_url, extra_context)

    def sheets_of(self, obj):
        return obj.sheets

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(uses_count=Count("uses"))

    def own_fieldsets(self, request, obj) -> list:
        return [
            # In the order in which readers meet it.
            ("As readers see it", {"fields": ["claim", ("direction", "grade"), "detail", "nice_position", "sources"]}),
            ("In comparisons of treatments", {"fields": [("treatment", "condition", "comparison"), "burden"]}),
            ("This change", {"fields": [*SHARED_FIELDS, "seen"]}),
            ("For the record", {"fields": ["claim_refs", "key"], "classes": ["collapse"]}),
        ]

    def written(self, request, sheet, **words) -> None:
        try:
            super().written(request, sheet, **words)
        except Stopped as stopped:
            # There are several sheets to think of, so each reason says which.
            named = [replace(each, place=f"{sheet.title}, {each.place or 'as a whole'}") for each in stopped.obstacles]
            raise Stopped(named) from stopped

    @admin.display(description="verdict", ordering="direction")
    def verdict(self, statement):
        return verdict_of(statement)

    @admin.display(description="what for", ordering="condition")
    def about(self, statement):
        said = [statement.treatment, f"for {statement.condition}", *filter(None, [statement.comparison])]
        return ", ".join(said).replace("-", " ")

    @admin.display(description="shown in sections", ordering="uses_count")
    def in_sections(self, statement):
        return statement.uses_count


def _write(typed) -> str:
    """Adds what a button inserts at the end of the text. Says why if it cannot."""
    asked = typed.get("_source", "").strip()
    words = SIGNS.get(typed.get("_sign", "").rpartition(":")[2], "")
    if "_cite" in typed:
        known = pasted_citation.known(asked) if asked else []
        if len(known) != 1:
            several = "; ".join(str(each) for each in known[:5])
            return (
                f"Which source do you mean? {several}. Type its short name, or more of its title."
                if known
                else "No source has all these words. Type others, or add the source to the list of sources first."
            )
        words = f" [@{known[0].key}]"
    typed["detail"] = autosave.at_end(typed.get("detail", ""), words)
    return ""
