from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from factsheets import safety
from factsheets.metadata import linked_data
from factsheets.models import FactSheet, GlossaryTerm, PictureFile, Section, State, Topic, Tradition
from factsheets.page_cache import cached_page, shared


def view_tag(views: set[str]) -> str:
    """Which of the two views a sheet gives, for the list."""
    if Tradition.TRADITIONAL not in views:
        return "Western medicine"
    return "Both views" if Tradition.WESTERN in views else "Chinese medicine"


@cached_page
@require_safe
def home(request):
    topics = _topics()
    context = {
        "topics": topics,
        "safety_tiers": safety.tiers(),
        "sheets": [s for t in topics for s in t.listed][:6],
        "linked_data": linked_data.block(linked_data.site()),
    }
    return shared(render(request, "factsheets/home.html", context))


@cached_page
@require_safe
def sheet_list(request):
    topics = _topics()
    a_to_z = sorted((each for topic in topics for each in topic.listed), key=lambda each: each.title.lower())
    context = {"topics": topics, "a_to_z": a_to_z, "safety_tiers": safety.tiers()}
    return shared(render(request, "factsheets/list.html", context))


def _topics() -> list[Topic]:
    """Topics that have something to read, each with its published sheets in `listed`."""
    listed: dict[int, list[FactSheet]] = {}
    for sheet in FactSheet.objects.published().defer("document", "key_points"):
        listed.setdefault(sheet.topic_id, []).append(sheet)
    views: dict[int, set[str]] = {}
    for pk, view in Section.objects.filter(sheet__state=State.PUBLISHED).values_list("sheet", "view").distinct():
        views.setdefault(pk, set()).add(view)
    for each in (each for group in listed.values() for each in group):
        each.view_tag = view_tag(views.get(each.pk, set()))
    topics = [topic for topic in Topic.objects.all() if topic.pk in listed]
    for topic in topics:
        topic.listed = listed[topic.pk]
    return topics


PICTURE_TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}


@require_safe
def picture(request, digest, width, format):
    """One file of an uploaded picture. Its address names its pixels, so that no cache ever needs to ask again."""
    data = (
        PictureFile.objects.filter(picture__digest=digest, width=width, format=format)
        .values_list("data", flat=True)
        .first()
    )
    if data is None:
        raise Http404
    response = HttpResponse(bytes(data), content_type=PICTURE_TYPES[format])
    patch_cache_control(response, public=True, max_age=31_536_000, immutable=True)
    return response


@cached_page
@require_safe
def get_help_now(request):
    context = {"safety_tiers": safety.tiers(), "crisis": safety.CRISIS, "hurt": safety.HURT}
    return shared(render(request, "factsheets/get_help_now.html", context))


@cached_page
@require_safe
def glossary(request):
    terms = list(GlossaryTerm.objects.all())
    context = {
        "terms": terms,
        "safety_tiers": safety.tiers(),
        "linked_data": linked_data.block(linked_data.glossary(terms)),
    }
    return shared(render(request, "factsheets/glossary.html", context))


@cached_page
@require_safe
def about(request):
    context = {"licence": settings.CONTENT_LICENCE, "safety_tiers": safety.tiers()}
    return shared(render(request, "pages/about.html", context))


@cached_page
@require_safe
def accessibility(request):
    return shared(render(request, "pages/accessibility.html", {"safety_tiers": safety.tiers()}))


@cached_page
@require_safe
def complaints(request):
    return shared(render(request, "pages/complaints.html", {"safety_tiers": safety.tiers()}))
