from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property

from backcare.core.forms import as_number
from factsheets import live_preview, section_order, sheet_drafts
from factsheets.admin.editing import SHARED_FIELDS, EditingForm, EditsSheet, OpensDraft, OpensOverview, sheet_address
from factsheets.admin.fields import SIGNS, ClaimRefsField, LinesField, OrderedFormSet, SignedText, WordsField, free_slug
from factsheets.admin.picking import PickedStatement, picked_figure
from factsheets.admin.unsaved import fingerprint
from factsheets.admin.writing import MAX_ROWS, OnOnePage
from factsheets.models import (
    FactSheet,
    Figure,
    Layer,
    Question,
    SearchQuestions,
    Section,
    SectionKind,
    Statement,
    StatementUse,
    Tradition,
)


class SectionForm(EditingForm):
    texts = ("body",)
    claim_refs = ClaimRefsField()
    former_slugs = WordsField(
        label="Former addresses",
        help_text="Addresses of sections that are now part of this one, with commas between them. Links to them go on working.",
    )
    asked = LinesField(
        label="Patients’ questions that this answers",
        help_text="One on each line, in their words. Search uses them once the page is published.",
        rows=3,
    )
    after = forms.ModelChoiceField(
        Section.objects.none(),
        required=False,
        empty_label="At the start of the sheet",
        label="Comes after",
        show_hidden_initial=True,  # it may be moved while this form is open, with another button or by a colleague
    )

    class Meta:
        model = Section
        fields = ["sheet", "layer", "question", "kind", "view", "heading", "body", "figure", "aspect", "slug"]
        fields += ["former_slugs", "claim_refs"]
        widgets = {"body": SignedText(attrs={"rows": 18, "cols": 80})}
        labels = {"body": "Text", "figure": "Drawing", "slug": "Address on the page", "aspect": "What it is about"}
        help_texts = {
            "body": "Leave an empty line between paragraphs. For anything else use the buttons above: they add the signs for "
            "you, and the preview shows the result.",
            "slug": "Leave empty to make it from the heading. Changing it breaks existing links to this section.",
            "question": "Only in the leaflet. Sections with the same question follow one another below it, and often need "
            "no heading.",
            "kind": "In the folded part, readers open a text or evidence section by its heading, together with the sections "
            "after it that have no heading.",
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        sheet = self._sheet()
        self.fields["after"].queryset = sheet.sections.exclude(pk=self.instance.pk) if sheet else Section.objects.none()
        self.asked_before = live_preview.asked_at(sheet, self.instance) if sheet and self.instance.pk else []
        self.initial.setdefault("asked", self.asked_before)
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
        layer = self.data.get(self.add_prefix("layer")) or self.initial.get("layer") or self.instance.layer
        if "body" in self.fields and layer != Layer.MORE:
            # A heading inside a text breaks the leaflet's outline.
            self.fields["body"].widget.signs = [each for each in SIGNS if each != "Small heading"]

    def _sheet(self):
        if self.instance.sheet_id:
            return self.instance.sheet
        named = self.data.get(self.add_prefix("sheet")) or self.initial.get("sheet")
        return FactSheet.everything.filter(pk=named).first() if str(named or "").isdigit() else None

    def state(self, stored):
        """With the patients' questions, which are a record of their own."""
        # The same section of a later draft is another row, in which what was typed waits (`sheet_drafts.begun_over`).
        return " ".join([fingerprint(stored, frozenset({"sheet"})), *live_preview.asked_at(stored.sheet, stored)])

    def shown_in(self, name, cleaned):
        own = [cleaned.get("slug"), *(cleaned.get("former_slugs") or []), cleaned.get("question")]
        return {"sheet": self._sheet(), "kind": cleaned.get("kind"), "layer": cleaned.get("layer"), "own": own}

    def clean(self):
        cleaned = super().clean()
        if sheet := self._sheet():
            self._expect_free(sheet, cleaned)
        if cleaned.get("asked"):
            asked = SearchQuestions(questions=cleaned["asked"])
            try:
                asked.clean()
            except ValidationError as error:
                self.add_error("asked", error.message_dict["questions"])
            cleaned["asked"] = asked.questions
        return cleaned

    def _expect_free(self, sheet: FactSheet, cleaned: dict) -> None:
        """Refuses an address that would lead to two places on the page."""
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


class StatementRows(OrderedFormSet):
    """Reads the statements of all rows at once."""

    @cached_property
    def picked(self) -> dict[str, Statement]:
        return PickedStatement.by_number(form["statement"].value() for form in self.forms)

    def add_fields(self, form, index):
        super().add_fields(form, index)
        widget = form.fields["statement"].widget
        getattr(widget, "widget", widget).among = lambda: self.picked


class StatementUseInline(admin.StackedInline):
    """Which statements the section shows. Their words are edited on their own page, for all sheets at once."""

    model = StatementUse
    formset = StatementRows
    template = "admin/factsheets/section/_statements.html"
    extra = 0  # one more is found by typing some of its words
    fields = ["position", "statement"]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("statement")

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "statement":
            return db_field.formfield(widget=PickedStatement)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class SheetFilter(admin.RelatedFieldListFilter):
    """Its choices by title, without the text of the sheets."""

    def field_choices(self, field, request, model_admin):
        return list(FactSheet.objects.values_list("pk", "title"))


@admin.register(Section)
class SectionAdmin(OpensDraft, OnOnePage, OpensOverview, EditsSheet, admin.ModelAdmin):
    """One section of a sheet. Reached from the sheet's own page; there is no list of all sections in the menu."""

    form = SectionForm
    list_display = ["__str__", "sheet", "layer", "kind", "view"]
    list_filter = [("sheet", SheetFilter), "layer", "kind", "view"]
    list_select_related = ["sheet"]
    search_fields = ["heading", "body"]
    actions = None  # a section is removed on its own page, which says what goes with it
    save_on_top = True

    def get_queryset(self, request):
        return super().get_queryset(request).defer("sheet__document")

    def has_module_permission(self, request):
        return False

    def sheet_named(self, request):
        named = request.POST.get("sheet") or request.GET.get("sheet") or ""
        return FactSheet.everything.filter(pk=as_number(named)).first()

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "sheet":
            kwargs["queryset"] = FactSheet.everything.defer("document")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_inlines(self, request, obj):
        kind = request.POST.get("kind") or (obj.kind if obj else "")
        return [StatementUseInline] if kind == SectionKind.EVIDENCE else []

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "figure":
            return picked_figure(db_field, **kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def own_fieldsets(self, request, obj) -> list:
        folded = ["collapse"] if obj else []
        boxes = [
            (None, {"fields": ["kind", "heading", "body", "figure"], "classes": ["written"]}),
            ("Its place on the page", {"fields": ["sheet", "layer", "question", "after"], "classes": folded}),
            ("Where the words come from", {"fields": ["view", "claim_refs"]}),
            ("Address and search engines", {"fields": ["slug", "former_slugs", "aspect"], "classes": ["collapse"]}),
            ("History", {"fields": SHARED_FIELDS}),
        ]
        # A reviewer reads the words, and not what serves the editors.
        if obj and not self.has_change_permission(request, obj):
            boxes[2:] = [("Where the words come from", {"fields": ["view", "claims"]})]
        return boxes

    def get_readonly_fields(self, request, obj=None):
        return ["sheet", "claims"] if obj else ["claims"]

    @admin.display(description="claims it rests on")
    def claims(self, section):
        return ", ".join(section.claim_refs)

    def save_model(self, request, obj, form, change):
        obj.claim_refs = form.cleaned_data["claim_refs"]
        obj.former_slugs = form.cleaned_data["former_slugs"]
        if not change:
            obj.position = 0
        super().save_model(request, obj, form, change)
        if change and (was := form.initial["slug"]) != obj.slug:
            obj.sheet.comments.filter(section=was).update(section=obj.slug)
        if not change or "after" in form.changed_data:
            section_order.place(section=obj, after=form.cleaned_data["after"])
        elif {"layer", "question"} & set(form.changed_data):
            section_order.place(section=obj, after=obj.sheet.sections.filter(position__lt=obj.position).last())
        self._keep_questions(obj, form)

    def _keep_questions(self, section, form):
        """They follow the section to another address, and wait with a draft. A row without questions is deleted."""
        was, asked = form.initial.get("slug"), form.cleaned_data["asked"]
        moved = bool(was) and was != section.slug
        if asked == form.asked_before and not moved:
            return
        if section.sheet.draft_of_id:
            sheet_drafts.keep_questions(section, asked, was=was or section.slug)
            return
        if moved or not asked:
            SearchQuestions.objects.filter(place=live_preview.place_of(section.sheet, was or section.slug)).delete()
        if asked:
            place = live_preview.place_of(section.sheet, section.slug)
            SearchQuestions.objects.update_or_create(place=place, defaults={"questions": asked})

    # --- the page around the form ---

    def proof_of(self, request, sheet, obj, typed):
        return live_preview.of_section(sheet, _typed_section(sheet, obj, typed, request.GET))

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
            request.desk = sheet_address(section.sheet)
        return super().delete_view(request, object_id, extra_context)


def _typed_section(sheet, obj, typed, asked) -> Section:
    """The section with what was typed, valid or not. It is not to be saved."""
    stored = Section.objects.select_related("figure").prefetch_related("statement_uses__statement__sources")
    section = stored.get(pk=obj.pk) if obj else Section(pk=-1, sheet=sheet)
    given = typed if typed is not None else {} if obj else asked
    for name in ("heading", "body"):
        setattr(section, name, given.get(name, getattr(section, name)).replace("\r\n", "\n"))
    for name, known in (("kind", SectionKind), ("layer", Layer), ("question", Question), ("view", Tradition)):
        if (value := given.get(name)) in {*known.values, *([""] if name == "question" else [])}:
            setattr(section, name, value)
    if section.layer == Layer.MORE:
        section.question = ""
    if "figure" in given:
        section.figure = Figure.objects.filter(pk=as_number(given["figure"])).first()
    if section.kind != SectionKind.FIGURE:
        section.figure = None
    if typed is not None and as_number(typed.get("statement_uses-TOTAL_FORMS", "")) is not None:
        section._prefetched_objects_cache = {"statement_uses": _typed_uses(typed)}
    elif obj is None:
        section._prefetched_objects_cache = {"statement_uses": []}
    return section


def _typed_uses(typed) -> list[StatementUse]:
    rows = []
    for number in range(min(as_number(typed["statement_uses-TOTAL_FORMS"]) or 0, MAX_ROWS)):
        row = {name: typed.get(f"statement_uses-{number}-{name}", "") for name in ("statement", "position", "DELETE")}
        statement = as_number(row["statement"])
        if statement is not None and not row["DELETE"]:
            rows.append((as_number(row["position"]) or 0, statement))
    known = Statement.objects.prefetch_related("sources").in_bulk([number for _, number in rows])
    return [StatementUse(statement=known[number]) for _, number in sorted(rows) if number in known]
