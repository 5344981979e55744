from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

from backcare.core import clinic
from factsheets import safety, situations
from factsheets import treatments as treatment_list
from factsheets.metadata import linked_data
from factsheets.models import FactSheet, GlossaryTerm, PictureFile, Topic
from factsheets.page_cache import cached_page, shared


@cached_page
@require_safe
def home(request):
    return shared(_home(request))


def home_preview(request, notice: dict, preview_note: str):
    """The home page with a notice that is not live yet, for staff."""
    return _home(request, {"clinic": clinic.details() | {"notice": notice}, "preview_note": preview_note})


def _home(request, more: dict | None = None):
    sheets = list(FactSheet.objects.published())
    context = {
        "cards": situations.cards(sheets),
        "questions": situations.questions(sheets),
        "safety_tiers": safety.tiers(),
        "linked_data": linked_data.block(linked_data.site()),
        **(more or {}),
    }
    return render(request, "factsheets/home.html", context)


@cached_page
@require_safe
def sheet_list(request):
    listed: dict[int, list[FactSheet]] = {}
    for sheet in FactSheet.objects.published().without_text():
        listed.setdefault(sheet.topic_id, []).append(sheet)
    topics = [topic for topic in Topic.objects.all() if topic.pk in listed]
    for topic in topics:
        topic.listed = listed[topic.pk]
    return shared(render(request, "factsheets/list.html", {"topics": topics, "safety_tiers": safety.tiers()}))


@cached_page
@require_safe
def treatments(request, first: str = "", second: str = ""):
    """All treatments, or those with one verdict, for one kind of pain, or both."""
    found = treatment_list.chosen([first, second])
    if found is None:
        raise Http404
    verdict, pain = found
    choosing = [
        ("Show", "All", verdict, [(each, pain) for each in (None, *treatment_list.VERDICTS)], 0),
        ("For", "Any back pain", pain, [(verdict, each) for each in (None, *treatment_list.PAINS)], 1),
    ]
    context = {
        "verdict": verdict,
        "pain": pain,
        "groups": treatment_list.listed(verdict, pain),
        "choosing": [
            {
                "title": title,
                "links": [
                    {
                        "label": pair[place].label if pair[place] else everything,
                        "url": _treatments_url(*pair),
                        "is_chosen": pair[place] == now,
                    }
                    for pair in pairs
                ],
            }
            for title, everything, now, pairs, place in choosing
        ],
        "canonical": reverse("factsheets:treatments"),
        "safety_tiers": safety.tiers(),
    }
    return shared(render(request, "factsheets/treatments.html", context))


def _treatments_url(verdict: treatment_list.Choice | None, pain: treatment_list.Choice | None) -> str:
    return reverse("factsheets:treatments") + "".join(f"{each.slug}/" for each in (verdict, pain) if each)


PICTURE_TYPES = {"webp": "image/webp", "jpg": "image/jpeg"}


@require_safe
def picture(request, digest, width, format):
    """One file of an uploaded picture. Its address names its pixels, so a cache may keep it for ever."""
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
    tiers = safety.tiers()
    context = {
        "safety_tiers": tiers,
        "pregnant": [sign for tier in tiers for sign in tier["items"] if sign["code"] in safety.PREGNANT],
        "crisis": safety.CRISIS,
        "hurt": safety.HURT,
    }
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
    context = {"licence": clinic.details()["content_licence"], "safety_tiers": safety.tiers()}
    return shared(render(request, "pages/about.html", context))


@cached_page
@require_safe
def accessibility(request):
    return shared(render(request, "pages/accessibility.html", {"safety_tiers": safety.tiers()}))


@cached_page
@require_safe
def complaints(request):
    return shared(render(request, "pages/complaints.html", {"safety_tiers": safety.tiers()}))
