from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.views.decorators.http import require_safe

from enquiries.forms import ConsultationForm, ReportForm
from factsheets import safety
from factsheets.models import FactSheet, GlossaryTerm, Topic
from factsheets.rendering import printed
from factsheets.rendering import sheet as sheets
from factsheets.rendering.text import text


def _shared(response):
    """Any cache may keep it, and asks each time whether it is still the same: an edit shows at once, everywhere."""
    patch_cache_control(response, public=True, no_cache=True)
    return response


def _find(request, slug: str) -> tuple[FactSheet, bool]:
    """The sheet, and whether this is a staff preview. Anybody else gets 404 for what is not published."""
    sheet = get_object_or_404(FactSheet.objects.select_related("topic", "reviewed_by"), slug=slug)
    if sheet.is_published:
        return sheet, False
    # Only here does a reading address look at who asks, so that the public answer stays the same for everybody.
    if request.user.has_perm("factsheets.view_factsheet"):
        return sheet, True
    raise Http404


def _finish(response, preview: bool):
    if preview:
        add_never_cache_headers(response)
        patch_cache_control(response, private=True, no_store=True)
        return response
    return _shared(response)


@require_safe
def home(request):
    topics = _topics()
    context = {
        "topics": topics,
        "safety_tiers": safety.tiers(),
        "sheets": [s for t in topics for s in t.listed][:6],
    }
    return _shared(render(request, "factsheets/home.html", context))


@require_safe
def sheet_list(request):
    topics = _topics()
    a_to_z = sorted((each for topic in topics for each in topic.listed), key=lambda each: each.title.lower())
    context = {"topics": topics, "a_to_z": a_to_z, "safety_tiers": safety.tiers()}
    return _shared(render(request, "factsheets/list.html", context))


def _topics() -> list[Topic]:
    """Topics that have something to read, each with its published sheets in `listed`."""
    listed: dict[int, list[FactSheet]] = {}
    for sheet in FactSheet.objects.published().defer("document", "key_points"):
        listed.setdefault(sheet.topic_id, []).append(sheet)
    topics = [topic for topic in Topic.objects.all() if topic.pk in listed]
    for topic in topics:
        topic.listed = listed[topic.pk]
    return topics


@require_safe
def sheet(request, slug):
    found, preview = _find(request, slug)
    context = {
        "sheet": found,
        "document": found.document,
        "chapters": sheets.chapters(found.document),
        "state_note": sheets.state_note(found),
        "reviewer": sheets.reviewer(found),
        "related": sheets.related(found),
        "safety_tiers": safety.tiers(),
        "traditional_label": sheets.TRADITIONAL_LABEL,
        "canonical": sheets.address(found),
        "report_form": ReportForm(prefix="report", action="/report/", initial={"sheet": found.slug}),
        "consultation_form": ConsultationForm(
            prefix="consultation", action="/consultation/", initial={"sheet": found.slug}
        ),
    }
    return _finish(render(request, "factsheets/sheet.html", context), preview)


@require_safe
def sheet_pdf(request, slug):
    found, preview = _find(request, slug)
    response = HttpResponse(printed.pdf(found), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{quote(found.slug)}.pdf"'
    return _finish(response, preview)


@require_safe
def sheet_text(request, slug):
    found, preview = _find(request, slug)
    return _finish(HttpResponse(text(found), content_type="text/plain; charset=utf-8"), preview)


@require_safe
def sheet_json(request, slug):
    found, preview = _find(request, slug)
    data = {
        **sheets.full(found),
        "publisher": settings.CLINIC["name"],
        "interest_statement": settings.CLINIC["interest_statement"] if found.treatment_offered else "",
        "notice": "For patient information only. It does not replace advice from a clinician.",
    }
    return _finish(JsonResponse(data, json_dumps_params={"ensure_ascii": False}), preview)


@require_safe
def get_help_now(request):
    return _shared(render(request, "factsheets/get_help_now.html", {"safety_tiers": safety.tiers()}))


@require_safe
def glossary(request):
    context = {"terms": GlossaryTerm.objects.all(), "safety_tiers": safety.tiers()}
    return _shared(render(request, "factsheets/glossary.html", context))


@require_safe
def privacy(request):
    return _shared(render(request, "pages/privacy.html", {"safety_tiers": safety.tiers()}))


@require_safe
def about(request):
    return _shared(render(request, "pages/about.html", {"safety_tiers": safety.tiers()}))


@require_safe
def robots(request):
    return _shared(HttpResponse("User-agent: *\nDisallow: /admin/\n", content_type="text/plain; charset=utf-8"))
