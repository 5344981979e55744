"""The shared statements of evidence: one verdict for the whole site, edited once and shown by every sheet that uses it."""

from dataclasses import replace

from django import forms
from django.contrib import admin
from django.db.models import Count

from factsheets.admin.editing import SHARED_FIELDS, EditingForm, EditsSheet, Stopped
from factsheets.admin.fields import ClaimRefsField
from factsheets.admin.section import free_slug
from factsheets.admin.shared_history import KeepsHistory, SeenFirst
from factsheets.models import Source, Statement


class StatementForm(SeenFirst, EditingForm):
    texts = ("detail",)
    claim_refs = ClaimRefsField()

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
            "detail",
            "sources",
            "claim_refs",
            "key",
        ]
        labels = {"detail": "Text"}
        help_texts = {"key": "Leave empty to make it from the claim."}
        widgets = {"detail": forms.Textarea(attrs={"rows": 5})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].required = False
            self.fields["sources"].queryset = Source.objects.order_by("key")

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
    filter_horizontal = ["sources"]
    save_on_top = True

    def sheets_of(self, obj):
        return obj.sheets

    def get_queryset(self, request):
        return super().get_queryset(request).annotate(uses_count=Count("uses"))

    def get_fieldsets(self, request, obj=None):
        self.fieldsets = [
            (None, {"fields": ["claim", "treatment", "condition", "comparison"]}),
            ("Verdict", {"fields": ["direction", "grade", "nice_position", "detail"]}),
            ("Where the words come from", {"fields": ["sources", "claim_refs"]}),
            ("Key", {"fields": ["key"], "classes": ["collapse"]}),
            ("History", {"fields": [*SHARED_FIELDS, "seen"]}),
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
