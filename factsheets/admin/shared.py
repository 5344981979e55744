from django.contrib import admin
from django.db import models

from factsheets import actions
from factsheets.models import Claim, Figure, GlossaryTerm, SafetyAdvice, Source, Topic


class SharedRecordAdmin(admin.ModelAdmin):
    """A record that several sheets show: saving it makes their documents anew."""

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        actions.refresh_all()


@admin.register(Source)
class SourceAdmin(SharedRecordAdmin):
    list_display = ["key", "title", "year", "kind", "verification"]
    list_filter = ["verification", "kind"]
    search_fields = ["key", "title", "authors"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


@admin.register(Figure)
class FigureAdmin(SharedRecordAdmin):
    list_display = ["title", "slug"]
    search_fields = ["title", "slug"]


@admin.register(GlossaryTerm)
class GlossaryTermAdmin(admin.ModelAdmin):
    list_display = ["term", "meaning"]
    search_fields = ["term", "meaning"]
    prepopulated_fields = {"slug": ["term"]}


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ["title", "question", "position"]


@admin.register(SafetyAdvice)
class SafetyAdviceAdmin(admin.ModelAdmin):
    """Wording may be improved here; a red flag cannot be taken away."""

    list_display = ["code", "tier", "text", "in_assessment"]
    list_filter = ["tier"]
    search_fields = ["code", "text"]
    readonly_fields = ["code", "tier", "in_assessment"]
    filter_horizontal = ["sources"]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False


@admin.register(Claim)
class ClaimAdmin(admin.ModelAdmin):
    """The claim ledger: what the sheets may say, and where each fact stands."""

    list_display = ["ref", "status", "statement", "to_check"]
    list_filter = ["status", "to_check"]
    search_fields = ["ref", "statement"]
