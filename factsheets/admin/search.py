from django.contrib import admin
from django.contrib.admin.widgets import AdminTextareaWidget
from django.db import models
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import slugify

from factsheets.models import SearchMiss, Synonym


@admin.register(Synonym)
class SynonymAdmin(admin.ModelAdmin):
    """Words that mean the same to a reader. A change counts from the next search on."""

    fields = ["words"]
    list_display = ["words"]
    search_fields = ["words"]
    list_per_page = 200
    formfield_overrides = {models.CharField: {"widget": AdminTextareaWidget(attrs={"rows": 3})}}

    def save_model(self, request, obj, form, change):
        if not obj.slug:
            obj.slug = _free_name(obj)
        super().save_model(request, obj, form, change)


def _free_name(synonym: Synonym) -> str:
    """The first phrase as a name, with a number when another group has that name."""
    name = slugify(synonym.phrases[0])[:70] or "group"
    taken = set(Synonym.objects.filter(slug__startswith=name).values_list("slug", flat=True))
    return next(each for each in (name, *(f"{name}-{number}" for number in range(2, 1_000))) if each not in taken)


@admin.register(SearchMiss)
class SearchMissAdmin(admin.ModelAdmin):
    """What several people looked for and did not find. Rarer searches are numbers only, and not listed."""

    list_display = ["text", "times", "days", "last_on", "add_synonyms"]
    list_display_links = None
    search_fields = ["text"]

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(text="")

    def changelist_view(self, request, extra_context=None):
        rare = SearchMiss.objects.filter(text="").count()
        return super().changelist_view(
            request, {"subtitle": f"Plus {rare} rarer searches, counted but not listed"} | (extra_context or {})
        )

    @admin.display(description="what to do")
    def add_synonyms(self, miss):
        address = f"{reverse('admin:factsheets_synonym_add')}?{urlencode({'words': f'{miss.text}, '})}"
        return format_html('<a href="{}">Add synonyms</a>', address)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
