"""The addresses of one sheet: its page, PDF, large print, text and JSON."""

from dataclasses import dataclass
from functools import lru_cache, wraps
from urllib.parse import quote

from django.contrib import admin
from django.http import Http404, HttpResponse, HttpResponsePermanentRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.views.decorators.http import require_safe

from backcare.core.clinic import details
from factsheets import reads, safety, team
from factsheets.metadata import linked_data
from factsheets.models import FactSheet, FormerAddress, Layer, State
from factsheets.page_cache import COMPRESSORS, cached_page, shared
from factsheets.rendering import printed
from factsheets.rendering import sheet as sheets
from factsheets.rendering.text import text

# What a server may send on a new line before it must wait for the phone's answer: ten packets (RFC 6928). What is open on the page
# comes with them. test_weight.py
MAX_LEAFLET_BYTES = 14 * 1024  # bytes, compressed, with the headers before them
MAX_PAGE_BYTES = 26 * 1024
HEADERS = 800
FOLDED = b'id="more"'  # where the page's folded part begins (templates/factsheets/sheet.html)


def for_sheet(view):
    """Gives a view its sheet, and whether this is a staff preview. Others get 404 for an unpublished sheet."""

    @require_safe
    @wraps(view)
    def found(request, slug: str, **page):
        sheet = FactSheet.everything.select_related("topic", "reviewed_by__team_member").filter(slug=slug).first()
        if sheet is None:
            former = get_object_or_404(FormerAddress.objects.select_related("sheet"), slug=slug)
            name = request.resolver_match.view_name
            return shared(HttpResponsePermanentRedirect(reverse(name, kwargs={"slug": former.sheet.slug, **page})))
        if sheet.is_published:
            return shared(view(request, sheet, **page))
        # A public address checks who is asking only here, so that its public response stays the same for everyone.
        if not (admin.site.has_permission(request) and request.user.has_perm("factsheets.view_factsheet")):
            if sheet.state == State.RETIRED:
                return _retired(request, sheet)
            raise Http404
        response = view(request, sheet, **page)
        add_never_cache_headers(response)
        patch_cache_control(response, private=True, no_store=True)
        response["X-Robots-Tag"] = "noindex"
        return response

    return cached_page(found)


def another_form(view):
    """Tells search engines of which page this is another form, so that they send people there (RFC 6596)."""

    @wraps(view)
    def answer(request, sheet):
        response = view(request, sheet)
        response["Link"] = f'<{sheets.address(sheet)}>; rel="canonical"'
        return response

    return answer


def _retired(request, sheet: FactSheet):
    """Where to go instead, for readers who come from a bookmark or a printed page."""
    context = {"sheet": sheet, "related": sheets.related(sheet), "safety_tiers": safety.tiers()}
    return shared(render(request, "factsheets/retired.html", context, status=410))


@reads.counted
@for_sheet
def sheet(request, found):
    return _read(request, found)


@for_sheet
def former_page(request, found, page):
    """Sheets once had several pages, each named after its first section, which is now a place on the single page."""
    if page == "whole":
        return HttpResponsePermanentRedirect(found.get_absolute_url())
    if any(page in {section["slug"], *section.get("also", [])} for section in found.document.get("sections", [])):
        return HttpResponsePermanentRedirect(found.place_url(page))
    raise Http404


def preview(request, found: FactSheet, more: dict):
    """The sheet's page as readers see it, with `more` for its template. Not cached; for staff previews."""
    return _read(request, found, more)


def _read(request, found: FactSheet, more: dict | None = None):
    context = {
        "sheet": found,
        "document": found.document,
        "leaflet": sheets.chapters(found.document, Layer.LEAFLET),
        "more": sheets.chapters(found.document, Layer.MORE),
        "state_note": sheets.state_note(found),
        "reviewer": sheets.reviewer(found),
        "reviewed_by": team.of(found.reviewed_by),
        "related": sheets.related(found),
        "prices": sheets.prices(found),
        "what_changed": sheets.what_changed(found),
        "sources": sheets.sources(found),
        "safety_tiers": safety.tiers(),
        "traditional_label": sheets.TRADITIONAL_LABEL,
        "linked_data": linked_data.block(linked_data.for_page(found)),
        **(more or {}),
    }
    response = render(request, "factsheets/sheet.html", context)
    # How templates are indented is for those who write them: 2 % of what a reader's phone must load. Nothing on a sheet's page
    # keeps its white space.
    lines = (line.lstrip() for line in response.content.split(b"\n"))
    response.content = b"\n".join(line for line in lines if line)
    return response


@dataclass(frozen=True)
class Weight:
    """The bytes that a reader's browser loads, compressed, with the headers before them: of the page, and of its open layers."""

    page: int
    leaflet: int


def weight(request, sheet: FactSheet) -> Weight:
    """Only the menu's mark depends on the request. Raises SafetyAdviceMissing."""
    written = _read(request, sheet).content
    leaflet, _, _ = written.partition(FOLDED)
    return Weight(*(_compressed(each) + HEADERS for each in (written, leaflet)))


@lru_cache(maxsize=16)
def _compressed(content: bytes) -> int:
    """Cached, because the desk measures the same pages again and again, which would take a quarter of its time."""
    return len(COMPRESSORS["br"](content))


def _as_pdf(content: bytes, name: str):
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{quote(name)}.pdf"'
    return response


@for_sheet
@another_form
def sheet_pdf(request, found):
    """The leaflet: two sides of A4."""
    return _as_pdf(printed.leaflet(found), found.slug)


@for_sheet
@another_form
def sheet_large_print(request, found):
    """The leaflet in 18 point, the size that sight-loss charities ask for."""
    return _as_pdf(printed.leaflet(found, large_print=True), f"{found.slug}-large-print")


@for_sheet
@another_form
def sheet_whole_pdf(request, found):
    return _as_pdf(printed.whole(found), f"{found.slug}-full")


@for_sheet
@another_form
def sheet_whole_large_print(request, found):
    return _as_pdf(printed.whole(found, large_print=True), f"{found.slug}-full-large-print")


@for_sheet
@another_form
def sheet_text(request, found):
    return HttpResponse(text(found), content_type="text/plain; charset=utf-8")


@for_sheet
@another_form
def sheet_json(request, found):
    address, clinic = sheets.address(found), details()
    data = {
        **sheets.full(found),
        "licence": clinic["content_licence"],
        "links": {
            "self": f"{address}json/",
            "canonical": address,
            "text": f"{address}text/",
            "pdf": f"{address}pdf/",
            "large_print": f"{address}pdf/large/",
            "whole_pdf": f"{address}pdf/full/",
            "whole_large_print": f"{address}pdf/full/large/",
        },
        "publisher": clinic["name"],
        "interest_statement": clinic["interest_statement"] if found.treatment_offered else "",
        "notice": "For patient information only. It does not replace advice from a clinician.",
        "linked_data": linked_data.whole_sheet(found),
    }
    return JsonResponse(data, json_dumps_params={"ensure_ascii": False})
