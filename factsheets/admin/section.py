from django import forms
from django.contrib import admin
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.text import slugify

from factsheets import actions
from factsheets.admin.editing import SHARED_FIELDS, EditingForm, EditsSheet, OpensDesk, desk_address
from factsheets.admin.fields import ClaimRefsField, TradingFormSet, WordsField
from factsheets.models import FactSheet, Question, Section, SectionKind, StatementUse
from factsheets.models.section import TAKEN_SLUGS

# What each kind's text must look like. Shown beside the text field.
HOW_TO_WRITE = (
    "Leave a blank line between paragraphs. “- ” starts a line of a list, “1. ” a step, “### ” a small heading, **strong**. "
    "Cite a source after the full stop: [@NG59], or [@NG59; @MU20]. Link to another page with [words](/fact-sheets/its-address/). "
    "Things to try, things to avoid and steps: one sentence, then one list; each thing to avoid starts with “do not”. "
    "Numbers: lines such as “- 6 in 10: feel better within six weeks”. A table’s first column names the row."
)


def free_slug(words: str, taken: set[str], fallback: str) -> str:
    """An address made of the words, that nothing else on the page has."""
    base = slugify(words)[:70].strip("-") or fallback
    slug, number = base, 2
    while slug in taken or TAKEN_SLUGS.match(slug):
        slug, number = f"{base}-{number}", number + 1
    return slug


class SectionForm(EditingForm):
    texts = ("body",)
    claim_refs = ClaimRefsField()
    former_slugs = WordsField(
        label="Former addresses",
        help_text="Addresses of sections that are now part of this one, with commas between them. Links to them go on working.",
    )
    after = forms.ModelChoiceField(
        Section.objects.none(), required=False, empty_label="At the start of the sheet", label="Comes after"
    )

    class Meta:
        model = Section
        fields = ["sheet", "layer", "question", "kind", "view", "heading", "body", "figure", "aspect", "slug"]
        fields += ["former_slugs", "claim_refs"]
        widgets = {"body": forms.Textarea(attrs={"rows": 18, "cols": 80})}
        labels = {"body": "Text", "figure": "Drawing", "slug": "Address on the page", "aspect": "What it is about"}
        help_texts = {
            "body": HOW_TO_WRITE,
            "slug": "Leave empty to make it from the heading. Changing it breaks existing links to this section.",
            "question": "Only in the leaflet. Sections with the same question stand below it one after the other, and often need "
            "no heading of their own.",
            "kind": "Below the leaflet, a text or evidence section with a heading opens on a press, together with the sections "
            "after it that have none.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        sheet = self._sheet()
        self.fields["after"].queryset = sheet.sections.exclude(pk=self.instance.pk) if sheet else Section.objects.none()
        if sheet and self.instance.pk:
            before = sheet.sections.filter(position__lt=self.instance.position)
            self.initial["after"] = before.last()
        elif sheet and "after" not in self.initial:
            self.initial["after"] = sheet.sections.last()
        if sheet and "question" in self.fields:
            asked = [*sheet.questions, *filter(None, [self.instance.question])]
            self.fields["question"].choices = [
                ("", "None"),
                *((each, Question(each).label) for each in dict.fromkeys(asked)),
            ]
        if "slug" in self.fields:
            self.fields["slug"].required = False

    def _sheet(self):
        if self.instance.sheet_id:
            return self.instance.sheet
        named = self.data.get(self.add_prefix("sheet")) or self.initial.get("sheet")
        return FactSheet.objects.filter(pk=named).first() if str(named or "").isdigit() else None

    def shown_in(self, name, cleaned):
        own = [cleaned.get("slug"), *(cleaned.get("former_slugs") or []), cleaned.get("question")]
        return {"sheet": self._sheet(), "kind": cleaned.get("kind"), "layer": cleaned.get("layer"), "own": own}

    def clean(self):
        cleaned = super().clean()
        if sheet := self._sheet():
            self._expect_free(sheet, cleaned)
        return cleaned

    def _expect_free(self, sheet: FactSheet, cleaned: dict) -> None:
        """No address leads to two places of the page."""
        others = sheet.sections.exclude(pk=self.instance.pk).values_list("slug", "former_slugs")
        taken = {each for slug, former in others for each in (slug, *former)}
        for name, slugs in (("slug", [cleaned.get("slug")]), ("former_slugs", cleaned.get("former_slugs") or [])):
            if twice := [slug for slug in slugs if slug in taken or (name != "slug" and slug == cleaned.get("slug"))]:
                self.add_error(name, f"#{twice[0]} is already an address on this page.")

    def clean_slug(self):
        if self.cleaned_data["slug"]:
            return self.cleaned_data["slug"]
        sheet = self._sheet()
        taken = set(sheet.sections.exclude(pk=self.instance.pk).values_list("slug", flat=True)) if sheet else set()
        kind = self.data.get(self.add_prefix("kind"), "section")
        return free_slug(self.data.get(self.add_prefix("heading"), ""), taken, fallback=f"{kind}-1")


class StatementUseInline(admin.TabularInline):
    """Which statements the section shows. Their words are edited on their own page, for all sheets at once."""

    model = StatementUse
    formset = TradingFormSet
    template = "admin/inline_rows.html"
    extra = 1
    fields = ["position", "statement", "also_in"]
    readonly_fields = ["also_in"]
    verbose_name = "statement of evidence"
    verbose_name_plural = "statements of evidence"

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("statement", "section__sheet")
        return rows.defer("section__sheet__document")

    @admin.display(description="also shown in")
    def also_in(self, use):
        if use.pk is None:
            return "-"
        others = FactSheet.objects.filter(sections__statement_uses__statement=use.statement)
        titles = others.exclude(pk=use.section.sheet_id).distinct().values_list("title", "topic__position", "position")
        return ", ".join(title for title, *_ in titles) or "no other sheets"


@admin.register(Section)
class SectionAdmin(OpensDesk, EditsSheet, admin.ModelAdmin):
    """One section of a sheet. Reached from the sheet's own page; there is no list of all sections in the menu."""

    form = SectionForm
    list_display = ["__str__", "sheet", "layer", "kind", "view"]
    list_filter = ["sheet", "layer", "kind", "view"]
    list_select_related = ["sheet"]
    search_fields = ["heading", "body"]
    actions = None  # a section is taken away on its own page, which says what goes with it
    save_on_top = True

    def has_module_permission(self, request):
        return False

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "sheet":
            kwargs["queryset"] = FactSheet.objects.defer("document")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_inlines(self, request, obj):
        return [StatementUseInline] if obj and obj.kind == SectionKind.EVIDENCE else []

    def get_fieldsets(self, request, obj=None):
        self.fieldsets = [
            (None, {"fields": ["sheet", "layer", "question", "kind", "after", "heading", "body", "figure"]}),
            ("Where the words come from", {"fields": ["view", "claim_refs"]}),
            ("Address and machines", {"fields": ["slug", "former_slugs", "aspect"], "classes": ["collapse"]}),
            ("History", {"fields": SHARED_FIELDS}),
        ]
        return super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request, obj=None):
        return ["sheet"] if obj else []

    def save_model(self, request, obj, form, change):
        obj.claim_refs = form.cleaned_data["claim_refs"]
        obj.former_slugs = form.cleaned_data["former_slugs"]
        if not change:
            obj.position = 0
        super().save_model(request, obj, form, change)
        actions.place_section(section=obj, after=form.cleaned_data["after"])

    def delete_model(self, request, obj):
        sheet = obj.sheet
        super().delete_model(request, obj)
        self.written(request, sheet)

    def response_delete(self, request, obj_display, obj_id):
        response = super().response_delete(request, obj_display, obj_id)
        return HttpResponseRedirect(request.desk) if hasattr(request, "desk") else response

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        # Another section is added from the sheet's desk, where its place is chosen.
        context = {"show_save_and_add_another": False, **(extra_context or {})}
        return super().changeform_view(request, object_id, form_url, context)

    def history_view(self, request, object_id, extra_context=None):
        section = self.get_object(request, object_id)
        if section is None:
            return super().history_view(request, object_id, extra_context)
        return HttpResponseRedirect(reverse("admin:factsheets_factsheet_history", args=[section.sheet_id]))

    def delete_view(self, request, object_id, extra_context=None):
        section = self.get_object(request, object_id)
        if section is not None:
            request.desk = desk_address(section.sheet)
        return super().delete_view(request, object_id, extra_context)
