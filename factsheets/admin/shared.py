from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpResponseRedirect
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html, format_html_join
from django.utils.text import capfirst
from django.views.decorators.http import require_http_methods

from backcare.core.readonly_admin import ReadOnlyMixin
from factsheets import actions, pasted_citation, publishing_rules, shared_drafts, shared_revisions
from factsheets.admin import links
from factsheets.admin.editing import Stopped
from factsheets.admin.fields import ClaimRefsField, KnownWordsField, LinesField, MakesShortName
from factsheets.admin.shared_drafts import address
from factsheets.admin.shared_history import KEPT_FIELDS, KeepsHistory, SharedForm, place_of, uses_of
from factsheets.admin.writing import cite_new
from factsheets.draft_workflow import DraftRefused
from factsheets.models import Claim, FactSheet, GlossaryTerm, Source, Topic, WordList
from factsheets.rendering.glossary_marks import key, taken
from factsheets.search.redflags import EVERYDAY

NO_LINK = models.Q(doi="", pmid="", pmcid="", url="", isbn="")


class SharedRecordAdmin(KeepsHistory, admin.ModelAdmin):
    """A record that several sheets show: saving it rebuilds their documents, and may break no public one."""

    form = SharedForm

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name == "claim_refs":
            return ClaimRefsField()
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        if self.for_draft(request):
            return
        changed = actions.refresh_changed()
        if found := [each for sheet in changed if sheet.is_published for each in publishing_rules.obstacles(sheet)]:
            raise Stopped(found)


class SourceForm(SharedForm):
    class Meta:
        labels = {
            "key": "Short name",
            "detail": "Volume, issue and pages",
            "accessed": "Last read on",
            "verification": "Has somebody read it?",
        }
        help_texts = {
            "key": "Texts cite it by this name. Leave it empty to make it from the first author and the year.",
            "authors": "As printed, such as Vickers AJ et al.",
            "identifier": "The publisher’s own number, such as NG59 or CD013814.",
            "doi": "Without https://doi.org/",
            "accessed": "Needed where the source itself gives no year.",
            "to_check": "What somebody still has to look up before we rely on it.",
        }
        widgets = {
            name: AdminTextInputWidget(attrs={"class": "vLargeTextField"}) for name in ("authors", "title", "container")
        } | {"to_check": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "key" in self.fields:
            self.fields["key"].required = False

    def clean_key(self):
        named = {name: self.data.get(self.add_prefix(name), "").strip() for name in ("authors", "title", "year", "doi")}
        return self.cleaned_data["key"].upper() or pasted_citation.free_key(named)

    def clean(self):
        """Refuses a new source without a link, and removing the last link of another. A source that never had one may stay so."""
        cleaned = super().clean()
        findable = any(cleaned.get(name) for name in ("doi", "pmid", "pmcid", "url", "isbn"))
        had_none = self.instance.pk and not Source.objects.exclude(NO_LINK).filter(pk=self.instance.pk).exists()
        if not (findable or had_none or {"doi", "pmid", "url", "isbn"} & set(self.errors)):
            self.add_error(
                None, "Give a DOI, a PubMed number, a web address or an ISBN, so that readers can look it up."
            )
        return cleaned


class ToComplete(admin.SimpleListFilter):
    """Sources that readers cannot look up or date yet (`Source.lacks`)."""

    title, parameter_name = "what is missing", "missing"

    def lookups(self, request, model_admin):
        return [("yes", "A link, an ISBN or a date")]

    def queryset(self, request, queryset):
        return queryset.filter(NO_LINK | models.Q(year=None, accessed=None)) if self.value() == "yes" else queryset


@admin.register(Source)
class SourceAdmin(SharedRecordAdmin):
    form = SourceForm
    fieldsets = [
        ("What it is", {"fields": ["title", "authors", "year", "kind", "key"]}),
        ("Where it was published", {"fields": ["container", "detail", "publisher", "identifier"]}),
        (
            "How readers find it",
            {
                "fields": ["doi", "pmid", "pmcid", "url", "isbn"],
                "description": "One is enough: of a study its DOI or PubMed number, of a guideline or a page its web address.",
            },
        ),
        ("What we checked", {"fields": ["verification", "accessed", "to_check"]}),
        ("This change", {"fields": KEPT_FIELDS}),
    ]
    list_display = ["title", "year", "kind", "verification", "still_needs", "link_checked", "key"]
    list_select_related = ["link"]
    list_filter = [ToComplete, "verification", "kind"]
    search_fields = ["key", "title", "authors"]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def response_post_save_add(self, request, obj):
        return cite_new(request, obj) or super().response_post_save_add(request, obj)

    def get_urls(self):
        view = self.admin_site.admin_view(links.links)
        return [path("links/", view, name="factsheets_source_links"), *super().get_urls()]

    def changelist_view(self, request, extra_context=None):
        doors = {"doors": [("admin:factsheets_source_links", "Check of the links")]}
        return super().changelist_view(request, doors | (extra_context or {}))

    @admin.display(description="link checked", ordering="link__checked_at")
    def link_checked(self, source: Source) -> str:
        link = getattr(source, "link", None)
        if link is None or link.address != source.address:
            return "-"
        return f"{timezone.localdate(link.checked_at):%-d %B %Y}: {link.get_outcome_display()}"

    def get_deleted_objects(self, objs, request):
        """A source that something rests on cannot be deleted, because its citations would lead nowhere."""
        deleted, counted, needed, protected = super().get_deleted_objects(objs, request)
        used = [f"{use.sheet or use.record} ({use.what})" for each in objs for use in shared_revisions.uses(each)]
        return deleted, counted, needed, [*protected, *dict.fromkeys(used)]

    def get_fieldsets(self, request, obj=None):
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not obj.lacks:
            return fieldsets
        needs = (
            f"It still needs {' and '.join(obj.lacks)}. No fact sheet can cite it until then. Look for: {obj.citation}"
        )
        return [
            (title, options | {"description": format_html("{}", needs)} if "doi" in options["fields"] else options)
            for title, options in fieldsets
        ]

    @admin.display(description="Still needs")
    def still_needs(self, source: Source) -> str:
        """What stops a published sheet from citing it, and what finds it."""
        if not source.lacks:
            return ""
        return format_html("{}. Look for: {}", capfirst(" and ".join(source.lacks)), source.citation)


class NamesField(LinesField):
    """Names, one on each line or separated by commas. A name given twice is kept once."""

    def to_python(self, value):
        return list({key(name): name for name in super().to_python((value or "").replace(",", "\n"))}.values())


class GlossaryTermForm(MakesShortName, SharedForm):
    made_of = "term"
    also = NamesField(
        rows=3,
        label="Also called",
        help_text="Other names and spellings, one on each line. "
        "Names used in the meaning itself are treated as plain English and are not explained in sheets.",
    )

    def clean(self):
        super().clean()
        for field in ("term", "also"):
            value = self.cleaned_data.get(field) or []
            for problem in taken([value] if isinstance(value, str) else value, but=self.instance.pk):
                self.add_error(field, problem)


@admin.register(GlossaryTerm)
class GlossaryTermAdmin(SharedRecordAdmin):
    form = GlossaryTermForm
    fields = ["term", "also", "meaning", "explain_in_text", "slug", *KEPT_FIELDS]
    list_display = ["term", "meaning", "explain_in_text"]
    list_filter = ["explain_in_text"]
    search_fields = ["term", "meaning"]

    def get_actions(self, request):
        """Without Django's action that deletes several at once."""
        return {name: each for name, each in super().get_actions(request).items() if name != "delete_selected"}

    @method_decorator(require_http_methods(["GET", "HEAD", "POST"]))
    def delete_view(self, request, object_id, extra_context=None):
        """Says who uses the term. A press begins a draft that deletes it, which a clinician publishes."""
        term = self.get_object(request, unquote(object_id))
        if not self.has_delete_permission(request, term):
            raise PermissionDenied
        if term is None:
            return super().delete_view(request, object_id, extra_context)
        if request.method == "POST":
            given = {"model": GlossaryTerm, "pk": term.pk, "content": {}, "name": term.term}
            try:
                draft = shared_drafts.begin(**given, by=request.user, what="To delete it")
            except DraftRefused as refusal:
                messages.error(request, f"Not deleted. {refusal}")
                return HttpResponseRedirect(request.path)
            messages.success(request, "Not deleted yet. Send it for review: a clinician must agree.")
            return HttpResponseRedirect(address(draft))
        context = {
            "title": f"Delete “{term}”",
            "crumb": "Delete",
            "record": term,
            "name": term.term,
            "pk": term.pk,
            "uses": [(use, place_of(use)) for use in uses_of(term)],
            "open_draft": shared_drafts.of(term),
        }
        return self._page(request, "delete.html", context)


class TopicForm(MakesShortName, forms.ModelForm):
    class Meta:
        fields = ["title", "question", "summary", "position", "slug"]
        labels = {"position": "Order in the list"}


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    form = TopicForm
    list_display = ["title", "question", "position"]


@admin.register(WordList)
class WordListAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """Words that the red flags' patterns share, to be read. A new version of backcare changes them, and nobody by hand.

    One list is in the patterns of many flags, and takes effect at once: it must not get round the draft and its second person.
    """

    fields = ["name", "note", "words", "flags"]
    list_display = ["name", "note", "flags"]
    search_fields = ["name", "lines"]

    @admin.display(description="words")
    def words(self, words: WordList) -> str:
        return format_html_join("", "<p>{}</p>", ([line] for line in words.lines))

    @admin.display(description="red flags that use it")
    def flags(self, words: WordList) -> str:
        if words.name == EVERYDAY:
            return "All: it is taken out of every text first"
        return ", ".join(words.used_by()) or "None"


class ClaimForm(forms.ModelForm):
    sheets = KnownWordsField(
        (FactSheet, "slug"),
        missing="There is no fact sheet",
        label="Sheets",
        help_text="Addresses of the sheets that should cover it, separated by commas: about-back-pain, long-term-pain.",
    )
    sources = KnownWordsField(
        (Source, "key"),
        missing="There is no source",
        label="Sources",
        help_text="Short names of sources, with commas between them, such as NG59, MU20.",
    )


@admin.register(Claim)
class ClaimAdmin(admin.ModelAdmin):
    """The claim ledger: what the sheets may say, and the source of each fact."""

    form = ClaimForm
    list_display = ["statement", "status", "to_check", "ref"]
    list_filter = ["status", "to_check"]
    search_fields = ["ref", "statement"]
