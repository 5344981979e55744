"""The shared statements of evidence: one verdict for the whole site, edited once and shown by every sheet that uses it."""

from dataclasses import replace

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db.models import Count

from factsheets.admin.editing import SHARED_FIELDS, EditingForm, EditsSheet, Stopped
from factsheets.admin.fields import ClaimRefsField
from factsheets.admin.picking import SlugOfWordsField, SourcesField
from factsheets.admin.section import free_slug
from factsheets.admin.shared_history import KeepsHistory, SeenFirst
from factsheets.models import Statement


class StatementForm(SeenFirst, EditingForm):
    texts = ("detail",)
    claim_refs = ClaimRefsField()
    sources = SourcesField()
    treatment = SlugOfWordsField("treatment", help_text="What was tried, such as acupuncture or heat.")
    condition = SlugOfWordsField("condition", help_text="For what, such as recent low back pain or sciatica.")
    comparison = SlugOfWordsField(
        "comparison", required=False, help_text="Against what, such as bed rest. Leave empty when nothing is named."
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
            "key": "Short name",
        }
        help_texts = {
            "claim": "One sentence. Readers see it as the heading of the statement.",
            "grade": "Leave empty for advice that is not graded.",
            "nice_position": "One sentence. Every benefit of acupuncture needs it.",
            "detail": "One or two short paragraphs, with an empty line between them. For a source, type its short name after the "
            "full stop: [@NG59]. For strong words: **strong words**.",
            "key": "Files and web addresses use it. Leave it empty to make it from the claim.",
        }
        widgets = {
            "claim": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
            "nice_position": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
            "burden": AdminTextInputWidget(attrs={"class": "vLargeTextField"}),
            "detail": forms.Textarea(attrs={"rows": 8, "class": "vLargeTextField"}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].required = False

    def clean_key(self):
        if self.cleaned_data["key"]:
            return self.cleaned_data["key"]
        taken = set(Statement.objects.exclude(pk=self.instance.pk).values_list("key", flat=True))
        return free_slug(self.data.get(self.add_prefix("claim"), ""), taken, fallback="statement")


@admin.register(Statement)
class StatementAdmin(KeepsHistory, EditsSheet, admin.ModelAdmin):
    """Saving one changes every sheet that shows it: each keeps an edition, and none that is public becomes unsound."""

    form = StatementForm
    changes_published = True
    list_display = ["claim", "direction", "grade", "treatment", "condition", "comparison", "in_sections"]
    list_filter = ["direction", "grade", "treatment"]
    search_fields = ["claim", "key", "detail", "treatment", "condition", "comparison"]

    def sheets_of(self, obj):
        return obj.sheets

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(uses_count=Count("uses"))

    def get_fieldsets(self, request, obj=None):
        self.fieldsets = [
            ("The question", {"fields": ["claim", "treatment", "condition", "comparison"]}),
            ("The verdict", {"fields": ["direction", "grade", "nice_position", "burden", "detail"]}),
            ("Where it comes from", {"fields": ["sources", "claim_refs", "key"]}),
            ("This change", {"fields": [*SHARED_FIELDS, "seen"]}),
        ]
        return super().get_fieldsets(request, obj)

    def written(self, request, sheet, **words) -> None:
        try:
            super().written(request, sheet, **words)
        except Stopped as stopped:
            # The editor has several sheets to think of: each reason says which.
            named = [replace(each, place=f"{sheet.title}, {each.place or 'as a whole'}") for each in stopped.obstacles]
            raise Stopped(named) from stopped

    @admin.display(description="shown in sections", ordering="uses_count")
    def in_sections(self, statement):
        return statement.uses_count
