from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Q
from django.http import Http404, HttpResponseRedirect
from django.urls import path
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.text import slugify

from factsheets import actions, live_preview
from factsheets.admin import content_files, overview, sheet_drafts
from factsheets.admin.editing import (
    SHARED_FIELDS,
    EditingForm,
    EditsSheet,
    OpensDraft,
    OpensOverview,
    edit_address,
    sheet_address,
)
from factsheets.admin.fields import OrderedFormSet, PointsField, SignedText, TradingFormSet, free_slug
from factsheets.admin.picking import CitedSourceField, picked_figure
from factsheets.admin.unsaved import fingerprint, gives_back
from factsheets.admin.writing import OnOnePage
from factsheets.content_import import may_import
from factsheets.models import FactSheet, FormerAddress, RelatedSheet, Source, SourceUse, State

# Where a sheet is on its way to readers, which its form does not say.
STANDING = frozenset(
    {"state", "draft_of", "publish_on", "retire_on", "reviewed_on", "reviewed_by", "review_due_on", "written_on"}
)


class SheetForm(EditingForm):
    texts = ("in_short", "key_points")
    key_points = PointsField(
        label="Key points",
        help_text="Exactly three, each on a line of its own, the most important first. Cite no sources here.",
    )

    class Meta:
        model = FactSheet
        fields = [
            "topic",
            "title",
            "slug",
            "position",
            "summary",
            "audience",
            "kind",
            "in_short",
            "lead_figure",
            "key_points",
            "treatment_offered",
            "evidence_checked_on",
        ]
        labels = {"position": "Order in its topic", "slug": "Address"}
        help_texts = {"lead_figure": "Shown beside the key points."}
        widgets = {
            "in_short": SignedText(["Strong"], attrs={"rows": 4}),
            "evidence_checked_on": forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = (
                "The part after /fact-sheets/. Leave it empty to make it from the title. "
                "If you change it, the old address will redirect to the new one."
            )

    def state(self, stored):
        """The words alone: a step such as sending it for review, or a new draft of the same words, is no save over them."""
        return fingerprint(stored, STANDING | ({"slug"} if stored.draft_of_id else set()))

    def shown_in(self, name, cleaned):
        return {"sheet": self.instance if self.instance.pk else None}

    def clean_evidence_checked_on(self):
        day = self.cleaned_data["evidence_checked_on"]
        if day and day > timezone.localdate():
            raise forms.ValidationError("Enter today’s date or an earlier one.")
        return day

    def clean_slug(self):
        slug = self.cleaned_data["slug"] or slugify(self.data.get(self.add_prefix("title"), ""))[:80].strip("-")
        if not slug:
            raise forms.ValidationError("Write an address in small letters, numbers and hyphens.")
        return slug


class NewSheetForm(SheetForm):
    """Begins a sheet. The page for writing keeps everything that is typed, and needs a sheet to keep it for."""

    texts = ()

    class Meta(SheetForm.Meta):
        fields = ["topic", "title", "kind"]

    note = reason = opened = key_points = None

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("title"):
            taken = set(FactSheet.everything.values_list("slug", flat=True))
            taken |= set(FormerAddress.objects.values_list("slug", flat=True))
            self.instance.slug = free_slug(cleaned["title"], taken, fallback="sheet")
        return cleaned


class RelatedInline(admin.StackedInline):
    model = RelatedSheet
    formset = OrderedFormSet
    template = "admin/factsheets/factsheet/_related.html"
    fk_name = "sheet"
    extra = 1
    fields = ["position", "to", "reason"]

    def get_queryset(self, request):
        rows = super().get_queryset(request).select_related("sheet", "to")
        return rows.defer("sheet__document", "to__document")

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "to":
            return db_field.formfield(queryset=FactSheet.objects.defer("document"), label="Page")
        return super().formfield_for_dbfield(db_field, request, **kwargs)


class SourceUseForm(forms.ModelForm):
    source = CitedSourceField()

    class Meta:
        model = SourceUse
        fields = ["source", "finding"]
        widgets = {"finding": forms.Textarea(attrs={"rows": 3})}


class SourceUseRows(TradingFormSet):
    """Only what the sheet cites can be named, or what a row already names."""

    @cached_property
    def among(self) -> list[Source]:
        return list(Source.objects.filter(Q(key__in=self.cited) | Q(uses__sheet=self.instance)).distinct())

    @cached_property
    def cited(self) -> set[str]:
        return {each["key"] for each in self.instance.document.get("references", [])}

    @cached_property
    def is_open(self) -> bool:
        """Folded, because the list is long, unless somebody is writing in it or it is still empty."""
        return not self.initial_forms or (
            self.is_bound
            and (
                self.total_form_count() > self.initial_form_count() + self.extra
                or any(form.has_changed() or form.errors for form in self.forms)
            )
        )

    def add_fields(self, form, index):
        super().add_fields(form, index)
        form.fields["source"].among = self.among
        form.is_shown = not form.instance.pk or form.instance.source.key in self.cited


class SourceUseInline(admin.StackedInline):
    """What the studies that the sheet cites found. A row says if its study is no longer cited."""

    model = SourceUse
    form = SourceUseForm
    formset = SourceUseRows
    template = "admin/factsheets/factsheet/_findings.html"
    extra = 1

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("source", "sheet").defer("sheet__document")


@admin.register(FactSheet)
class FactSheetAdmin(OpensDraft, OnOnePage, OpensOverview, EditsSheet, admin.ModelAdmin):
    """The sheet's facts. Its sections, its state and its history are on its page (factsheets/admin/overview.py)."""

    form = SheetForm
    list_display = ["sheet", "topic", "state_pill", "review", "last_changed"]
    list_display_links = None  # the title leads to the sheet's page
    list_filter = ["state", "topic"]
    list_select_related = ["topic", "reviewed_by"]
    search_fields = ["title", "slug", "summary"]
    save_on_top = True

    def get_inlines(self, request, obj):
        return [RelatedInline, SourceUseInline] if obj else []

    def get_form(self, request, obj=None, change=False, **kwargs):
        return super().get_form(request, obj, change, **({"form": NewSheetForm} if obj is None else {}), **kwargs)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "lead_figure":
            return picked_figure(db_field, **kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_queryset(self, request):
        sheets = FactSheet.everything.with_changed_since_review().order_by(*FactSheet._meta.ordering)
        if not request.resolver_match.url_name.endswith("_changelist"):
            return sheets
        # A list shows no text: the documents of all sheets are megabytes.
        return (
            sheets.filter(draft_of=None)
            .select_related("draft", "topic", "reviewed_by")
            .defer("document", "draft__document")
        )

    def get_fieldsets(self, request, obj=None):
        return super().get_fieldsets(request, obj) if obj else [(None, {"fields": NewSheetForm.Meta.fields})]

    def own_fieldsets(self, request, obj) -> list:
        facts = ["topic", "title", "slug", "position", "summary", "audience", "kind"]
        answer = ["in_short", "lead_figure", "key_points"]
        if obj.draft_of_id:
            # A draft has no address: that of the published sheet is changed on its page.
            facts = [name for name in facts if name not in {"slug", "position"}]
        boxes = [
            (None, {"fields": [*facts, "treatment_offered", "evidence_checked_on"]}),
            ("The answer, on the first screens", {"fields": answer, "classes": ["written"]}),
            ("History", {"fields": SHARED_FIELDS}),
        ]
        if not self.has_change_permission(request, obj):
            boxes.pop()  # of the editors
        return boxes

    def get_urls(self):
        def wrap(view):
            return self.admin_site.admin_view(gives_back(view))

        return [
            path("offers/", wrap(overview.settle), name="factsheets_offers"),
            path("content.zip", wrap(content_files.download), name="factsheets_content"),
            path("import/", wrap(content_files.import_page), name="factsheets_import_content"),
            path("<int:pk>/desk/", wrap(overview.overview), name="factsheets_factsheet_desk"),
            path("<int:pk>/move/", wrap(overview.move), name="factsheets_factsheet_move"),
            path("<int:pk>/draft/", wrap(sheet_drafts.begin), name="factsheets_factsheet_draft"),
            path("<int:pk>/discard/", wrap(sheet_drafts.discard), name="factsheets_factsheet_discard"),
            path("<int:pk>/correct/", wrap(sheet_drafts.correct), name="factsheets_factsheet_correct"),
            path("<int:pk>/address/", wrap(sheet_drafts.address), name="factsheets_factsheet_address"),
            path("<int:pk>/comment/", wrap(sheet_drafts.comment), name="factsheets_factsheet_comment"),
            path("<int:pk>/compare/", wrap(sheet_drafts.compare), name="factsheets_factsheet_compare"),
            path("<int:pk>/compare/page/", wrap(sheet_drafts.page), name="factsheets_factsheet_compare_page"),
            path(
                "<int:pk>/comments/<int:number>/resolve/",
                wrap(sheet_drafts.resolve),
                name="factsheets_factsheet_resolve",
            ),
            path("<int:pk>/let-stand/", wrap(overview.let_stand), name="factsheets_factsheet_let_stand"),
            path("<int:pk>/sections/<int:section>/shift/", wrap(overview.shift), name="factsheets_section_shift"),
            path("<int:pk>/editions/<int:number>/", wrap(overview.edition), name="factsheets_factsheet_edition"),
            *super().get_urls(),
        ]

    def history_view(self, request, object_id, extra_context=None):
        sheet = self.get_object(request, unquote(object_id))
        if sheet is None:  # also for an address without a number
            raise Http404
        return overview.history(request, sheet.pk)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        shown = {"show_save_and_add_another": False}
        if not object_id:
            shown |= {"show_save_and_continue": False, "title": "Begin a fact sheet"}
        return super().changeform_view(request, object_id, form_url, shown | (extra_context or {}))

    def changelist_view(self, request, extra_context=None):
        shown = {"may_import": may_import(request.user)}
        return super().changelist_view(request, shown | (extra_context or {}))

    def response_add(self, request, obj, post_url_continue=None):
        messages.success(request, f"“{obj.title}” has been started. Only staff can see it.")
        return HttpResponseRedirect(edit_address(obj))

    def save_model(self, request, obj, form, change):
        was = form.initial.get("slug") if change else None
        super().save_model(request, obj, form, change)
        if was and was != obj.slug:
            actions.change_address(sheet=obj, was=was)

    # --- the page around the form ---

    def proof_of(self, request, sheet, obj, typed):
        if typed is not None:
            for name in ("title", "summary", "audience", "in_short", "key_points"):
                setattr(sheet, name, typed.get(name, "").replace("\r\n", "\n"))
            sheet.key_points = PointsField.with_signs(sheet.key_points)
        return live_preview.of_answer(sheet)

    def has_delete_permission(self, request, obj=None):
        return False  # a sheet is retired: enquiries and readers' bookmarks point to it

    # --- the list ---

    @admin.display(description="sheet", ordering="title")
    def sheet(self, sheet):
        return format_html('<a href="{}"><strong>{}</strong></a>', sheet_address(sheet), sheet.title)

    @admin.display(description="state", ordering="state")
    def state_pill(self, sheet):
        pill = format_html('<span class="status {}">{}</span>', sheet.state, sheet.get_state_display())
        if draft := getattr(sheet, "draft", None):
            words = "draft open" if draft.state == State.DRAFT else draft.standing
            return format_html('{} <a href="{}">{}</a>', pill, sheet_address(draft), words)
        return pill

    @admin.display(description="last changed", ordering="updated_at")
    def last_changed(self, sheet):
        return f"{timezone.localdate(sheet.updated_at):%-d %B %Y}"

    @admin.display(description="clinical review", ordering="review_due_on")
    def review(self, sheet):
        if sheet.awaits_review:
            return "not signed off yet"
        if sheet.was_changed:
            return format_html('<span class="status alarm">changed since sign-off</span>')
        if sheet.review_is_overdue(timezone.localdate()):
            return format_html('<span class="status alarm">overdue since {}</span>', f"{sheet.review_due_on:%-d %B %Y}")
        return f"due on {sheet.review_due_on:%-d %B %Y}" if sheet.review_due_on else "signed off"
