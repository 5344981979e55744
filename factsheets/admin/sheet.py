from django import forms
from django.contrib import admin, messages

from factsheets import actions
from factsheets.models import EvidenceStatement, FactSheet, RelatedSheet, Section
from factsheets.rendering.markdown import BodyError, key_points, parse


class SheetForm(forms.ModelForm):
    def clean_key_points(self):
        try:
            key_points(self.cleaned_data["key_points"])
        except BodyError as error:
            raise forms.ValidationError(str(error)) from error
        return self.cleaned_data["key_points"]


class StatementForm(forms.ModelForm):
    def clean_detail(self):
        try:
            parse(self.cleaned_data["detail"])
        except BodyError as error:
            raise forms.ValidationError(str(error)) from error
        return self.cleaned_data["detail"]


class RefreshesSheet:
    """Makes the sheet's document anew once everything of the form is saved."""

    def refresh(self, request, sheet):
        try:
            actions.refresh(sheet=sheet)
        except BodyError as error:
            messages.error(request, f"Saved, but readers still see the text from before: {error}")


class SectionInline(admin.TabularInline):
    """The order and kinds of the sections at a glance; a section's words have a page of their own."""

    model = Section
    extra = 0
    fields = ["position", "kind", "view", "heading", "slug"]
    readonly_fields = ["slug"]
    show_change_link = True
    can_delete = True

    def has_add_permission(self, request, obj=None):
        return False


class RelatedInline(admin.TabularInline):
    model = RelatedSheet
    fk_name = "sheet"
    extra = 0


@admin.register(FactSheet)
class FactSheetAdmin(RefreshesSheet, admin.ModelAdmin):
    form = SheetForm
    inlines = [SectionInline, RelatedInline]
    list_display = ["title", "topic", "state", "reviewed_on", "review_due_on", "updated_at"]
    list_filter = ["state", "topic"]
    search_fields = ["title", "slug", "summary"]
    readonly_fields = ["reviewed_on", "reviewed_by"]
    prepopulated_fields = {"slug": ["title"]}

    def get_prepopulated_fields(self, request, obj=None):
        # A published address must not move because the title was reworded.
        return {} if obj else self.prepopulated_fields

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        self.refresh(request, form.instance)

    def has_delete_permission(self, request, obj=None):
        return False  # a sheet is retired: enquiries and readers' bookmarks point to it


class EvidenceInline(admin.StackedInline):
    model = EvidenceStatement
    form = StatementForm
    extra = 0
    filter_horizontal = ["sources"]


@admin.register(Section)
class SectionAdmin(RefreshesSheet, admin.ModelAdmin):
    inlines = [EvidenceInline]
    list_display = ["__str__", "sheet", "position", "kind", "view"]
    list_filter = ["sheet", "kind", "view"]
    list_select_related = ["sheet"]
    search_fields = ["heading", "body"]

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        self.refresh(request, form.instance.sheet)

    def delete_model(self, request, obj):
        sheet = obj.sheet
        super().delete_model(request, obj)
        self.refresh(request, sheet)

    def delete_queryset(self, request, queryset):
        sheets = list(FactSheet.objects.filter(sections__in=queryset).distinct())
        super().delete_queryset(request, queryset)
        for sheet in sheets:
            self.refresh(request, sheet)
