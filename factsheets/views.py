from functools import wraps
from urllib.parse import quote

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.views.decorators.http import require_safe

from enquiries.actions import SUMMARY_DAYS
from enquiries.forms import ConsultationForm, ReportForm
from enquiries.privacy import register
from factsheets import safety
from factsheets.kept import kept
from factsheets.machines import linked_data
from factsheets.models import FactSheet, FormerAddress, GlossaryTerm, PictureFile, Section, State, Topic, View
from factsheets.rendering import printed
from factsheets.rendering import sheet as sheets
from factsheets.rendering.text import text


def _shared(response):
    """Any cache may keep it, and asks each time whether it is still the same: an edit shows at once, everywhere."""
    patch_cache_control(response, public=True, no_cache=True)
    return response


def for_sheet(view):
    """Gives a view its sheet, and whether this is a staff preview. Anybody else gets 404 for what is not published."""

    @require_safe
    @wraps(view)
    def found(request, slug: str):
        sheet = FactSheet.objects.select_related("topic", "reviewed_by").filter(slug=slug).first()
        if sheet is None:
            former = get_object_or_404(FormerAddress.objects.select_related("sheet"), slug=slug)
            name = request.resolver_match.view_name
            return _shared(HttpResponsePermanentRedirect(reverse(name, args=[former.sheet.slug])))
        if sheet.is_published:
            return _shared(view(request, sheet))
        # Only here does a reading address look at who asks, so that the public answer stays the same for everybody.
        if not request.user.has_perm("factsheets.view_factsheet"):
            if sheet.state == State.RETIRED:
                return _retired(request, sheet)
            raise Http404
        response = view(request, sheet)
        add_never_cache_headers(response)
        patch_cache_control(response, private=True, no_store=True)
        return response

    return kept(found)


def another_form(view):
    """Tells search engines which page this is another form of, so that they lead people to that page (RFC 6596)."""

    @wraps(view)
    def answer(request, sheet):
        response = view(request, sheet)
        response["Link"] = f'<{sheets.address(sheet)}>; rel="canonical"'
        return response

    return answer


def _retired(request, sheet: FactSheet):
    """For readers who come by a bookmark or a printed page: where to go instead."""
    context = {"sheet": sheet, "related": sheets.related(sheet), "safety_tiers": safety.tiers()}
    return _shared(render(request, "factsheets/retired.html", context, status=410))


def view_tag(views: set[str]) -> str:
    """Which of the two views a sheet gives, for the list."""
    if View.TRADITIONAL not in views:
        return "Western medicine"
    return "Both views" if View.WESTERN in views else "Chinese medicine"


@kept
@require_safe
def home(request):
    topics = _topics()
    context = {
        "topics": topics,
        "safety_tiers": safety.tiers(),
        "sheets": [s for t in topics for s in t.listed][:6],
        "linked_data": linked_data.block(linked_data.site()),
    }
    return _shared(render(request, "factsheets/home.html", context))


@kept
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
    views: dict[int, set[str]] = {}
    for pk, view in Section.objects.filter(sheet__state=State.PUBLISHED).values_list("sheet", "view").distinct():
        views.setdefault(pk, set()).add(view)
    for each in (each for group in listed.values() for each in group):
        each.view_tag = view_tag(views.get(each.pk, set()))
    topics = [topic for topic in Topic.objects.all() if topic.pk in listed]
    for topic in topics:
        topic.listed = listed[topic.pk]
    return topics


@for_sheet
def sheet(request, found):
    context = {
        "sheet": found,
        "document": found.document,
        "chapters": sheets.chapters(found.document),
        "state_note": sheets.state_note(found),
        "reviewer": sheets.reviewer(found),
        "related": sheets.related(found),
        "neighbours": sheets.neighbours(found),
        "what_changed": sheets.what_changed(found),
        "safety_tiers": safety.tiers(),
        "traditional_label": sheets.TRADITIONAL_LABEL,
        "linked_data": linked_data.block(linked_data.for_sheet(found)),
        "report_form": ReportForm(prefix="report", action="/report/", initial={"sheet": found.slug}),
        "consultation_form": ConsultationForm(
            prefix="consultation", action="/consultation/", initial={"sheet": found.slug}
        ),
    }
    return render(request, "factsheets/sheet.html", context)


def _as_pdf(content: bytes, name: str):
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{quote(name)}.pdf"'
    return response


@for_sheet
@another_form
def sheet_pdf(request, found):
    return _as_pdf(printed.pdf(found), found.slug)


@for_sheet
@another_form
def sheet_large_print(request, found):
    """In 18 point, the size that sight-loss charities ask for."""
    return _as_pdf(printed.pdf(found, large_print=True), f"{found.slug}-large-print")


@for_sheet
@another_form
def sheet_text(request, found):
    return HttpResponse(text(found), content_type="text/plain; charset=utf-8")


@for_sheet
@another_form
def sheet_json(request, found):
    address = sheets.address(found)
    data = {
        **sheets.full(found),
        "licence": settings.CONTENT_LICENCE,
        "links": {
            "self": f"{address}json/",
            "canonical": address,
            "text": f"{address}text/",
            "pdf": f"{address}pdf/",
            "large_print": f"{address}pdf/large/",
            "card": f"{address}card.png",
        },
        "publisher": settings.CLINIC["name"],
        "interest_statement": settings.CLINIC["interest_statement"] if found.treatment_offered else "",
        "notice": "For patient information only. It does not replace advice from a clinician.",
        "linked_data": linked_data.whole_sheet(found),
    }
    return JsonResponse(data, json_dumps_params={"ensure_ascii": False})


PICTURE_TYPES = {"avif": "image/avif", "webp": "image/webp", "jpg": "image/jpeg"}


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


@kept
@require_safe
def get_help_now(request):
    return _shared(render(request, "factsheets/get_help_now.html", {"safety_tiers": safety.tiers()}))


@kept
@require_safe
def glossary(request):
    terms = list(GlossaryTerm.objects.all())
    context = {
        "terms": terms,
        "safety_tiers": safety.tiers(),
        "linked_data": linked_data.block(linked_data.glossary(terms)),
    }
    return _shared(render(request, "factsheets/glossary.html", context))


@kept
@require_safe
def privacy(request):
    context = {
        "safety_tiers": safety.tiers(),
        "retention_days": settings.REPORT_RETENTION_DAYS,
        "summary_days": SUMMARY_DAYS,
        "periods": register.periods(),
    }
    return _shared(render(request, "pages/privacy.html", context))


@kept
@require_safe
def what_we_hold(request):
    """Made from the register of personal data and the settings in force, so that it cannot say anything else."""
    parts = [
        (table, register.in_words(table)) for people in ("patients", "readers") for table in register.about(people)
    ]
    context = {"parts": parts, "staff": register.about("staff"), "safety_tiers": safety.tiers()}
    return _shared(render(request, "pages/what_we_hold.html", context))


@kept
@require_safe
def about(request):
    context = {"licence": settings.CONTENT_LICENCE, "safety_tiers": safety.tiers()}
    return _shared(render(request, "pages/about.html", context))


@kept
@require_safe
def accessibility(request):
    return _shared(render(request, "pages/accessibility.html", {"safety_tiers": safety.tiers()}))


@kept
@require_safe
def complaints(request):
    return _shared(render(request, "pages/complaints.html", {"safety_tiers": safety.tiers()}))
