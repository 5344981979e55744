from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.text import slugify

from factsheets.admin.fields import LinesField
from factsheets.models import SearchMiss, SearchQuestions, Synonym
from factsheets.search import index
from factsheets.search.indexing import TERM


@admin.register(Synonym)
class SynonymAdmin(admin.ModelAdmin):
    """Words that mean the same to a reader. A change takes effect at the next search."""

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
    """The first phrase as a name, with a number if another group has that name."""
    name = slugify(synonym.phrases[0])[:70] or "group"
    taken = set(Synonym.objects.filter(slug__startswith=name).values_list("slug", flat=True))
    return next(each for each in (name, *(f"{name}-{number}" for number in range(2, 1_000))) if each not in taken)


def places() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every place that can answer a question, by page: first the questions of the leaflet, then the sections."""
    found = []
    for entry in sorted(index.current().entries.values(), key=lambda entry: (entry.kind, entry.title)):
        if entry.kind != TERM:
            page = entry.key.partition(":")[2]
            known = [(page, f"Top of “{entry.title}”")]
            for anchor, number in entry.addresses.items():
                if anchor and anchor != "key-points":
                    heading = entry.labels.get(anchor) or entry.passages[number].heading or anchor
                    known.append((f"{page}#{anchor}", f"{heading} (#{anchor})"))
            found.append((entry.title, known))
    return found


class SearchQuestionsForm(forms.ModelForm):
    questions = LinesField(
        label="Questions in patients' words",
        help_text="One per line, as people type them: whole sentences, single words, worries, regional words and "
        "misspellings. For example “will a slipped disk heal on its own” or “dodgy back cant sleep”. Write the first one "
        "without mistakes, because readers see it as a link. Six or more help most. Changes apply from the next search.",
    )

    class Meta:
        model = SearchQuestions
        fields = ["place", "questions"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "place" in self.fields:
            known = places()
            own = self.instance.place
            if own and not any(own == place for _, listed in known for place, _ in listed):
                known = [("No longer on our pages", [(own, f"{own} (leads to the top of the page)")]), *known]
            self.fields["place"] = forms.ChoiceField(
                label="Where the answer is",
                choices=[("", "Choose"), *known],
                initial=own,
                help_text=SearchQuestions._meta.get_field("place").help_text,
            )


@admin.register(SearchQuestions)
class SearchQuestionsAdmin(admin.ModelAdmin):
    """What patients ask, in their words, by the place that answers it."""

    form = SearchQuestionsForm
    list_display = ["place", "how_many", "leads_to"]
    search_fields = ["place", "questions"]
    list_per_page = 200

    @admin.display(description="questions")
    def how_many(self, asked):
        return len(asked.questions)

    @admin.display(description="leads to")
    def leads_to(self, asked):
        return "the top of the page: this place has gone" if asked.place in index.current().dead else "its place"


class MakeQuestionForm(ActionForm):
    """Next to the action: which place answers the searches."""

    place = forms.ChoiceField(label="Answered at", required=False)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["place"].choices = [("", "Choose the place"), *places()]


@admin.register(SearchMiss)
class SearchMissAdmin(admin.ModelAdmin):
    """What several people searched for without results. Rarer searches are only counted."""

    list_display = ["text", "times", "wanted", "days", "last_on", "add_synonyms"]
    list_display_links = None
    search_fields = ["text"]
    actions = ["make_question"]
    action_form = MakeQuestionForm

    def get_queryset(self, request):
        return super().get_queryset(request).exclude(text="")

    def changelist_view(self, request, extra_context=None):
        rare = SearchMiss.objects.filter(text="").count()
        return super().changelist_view(
            request, {"subtitle": f"Plus {rare} rarer searches, counted but not listed"} | (extra_context or {})
        )

    @admin.action(description="Make this a question of the place chosen beside", permissions=["question"])
    def make_question(self, request, chosen):
        known = {place for _, listed in places() for place, _ in listed}
        place = request.POST.get("place", "")
        if place not in known:
            self.message_user(request, "Choose the place that answers it.", messages.ERROR)
            return
        with transaction.atomic():
            asked = SearchQuestions.objects.filter(place=place).first() or SearchQuestions(place=place)
            asked.questions = [*asked.questions, *(miss.text for miss in chosen)]
            try:
                asked.full_clean()
            except ValidationError as error:
                self.message_user(request, " ".join(error.messages), messages.ERROR)
                return
            is_new = asked.pk is None
            asked.save()
            log = self.log_addition if is_new else self.log_change
            log(request, asked, f"Added from failed searches: {', '.join(miss.text for miss in chosen)}")
            count = chosen.count()
            SearchMiss.objects.filter(pk__in=[miss.pk for miss in chosen]).delete()
        said = "1 search is now a question" if count == 1 else f"{count} searches are now questions"
        self.message_user(request, f"{said} of {place}.", messages.SUCCESS)

    def has_question_permission(self, request):
        return request.user.has_perm("factsheets.change_searchquestions")

    @admin.display(description="what to do")
    def add_synonyms(self, miss):
        address = f"{reverse('admin:factsheets_synonym_add')}?{urlencode({'words': f'{miss.text}, '})}"
        return format_html('<a href="{}">Add synonyms</a>', address)

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False
