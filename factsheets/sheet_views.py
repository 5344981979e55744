"""The addresses of one sheet: its pages, all of it on one page, PDF, large print, text and JSON."""

import re
from functools import wraps
from urllib.parse import quote

from django.conf import settings
from django.contrib import admin
from django.http import Http404, HttpResponse, HttpResponsePermanentRedirect, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers, patch_cache_control
from django.views.decorators.http import require_safe

from factsheets import safety
from factsheets.metadata import linked_data
from factsheets.models import FactSheet, FormerAddress, State
from factsheets.page_cache import COMPRESSORS, cached_page, shared
from factsheets.rendering import pages, printed
from factsheets.rendering import sheet as sheets
from factsheets.rendering.text import text

# How templates are indented is for those who write them: 2 % of what a reader's phone must load. Nothing on a sheet's page keeps
# its white space.
INDENT = re.compile(rb"\n\s+")
# What a server may send on a new line before it must wait for the phone's answer: ten packets (RFC 6928). test_weight.py
MAX_PAGE_BYTES = 14 * 1024  # bytes of a compressed page with the headers before it
HEADERS = 800


def for_sheet(view):
    """Gives a view its sheet, and whether this is a staff preview. Anybody else gets 404 for what is not published."""

    @require_safe
    @wraps(view)
    def found(request, slug: str, **page):
        sheet = FactSheet.objects.select_related("topic", "reviewed_by").filter(slug=slug).first()
        if sheet is None:
            former = get_object_or_404(FormerAddress.objects.select_related("sheet"), slug=slug)
            name = request.resolver_match.view_name
            return shared(HttpResponsePermanentRedirect(reverse(name, kwargs={"slug": former.sheet.slug, **page})))
        if sheet.is_published:
            return shared(view(request, sheet, **page))
        # Only here does a reading address look at who asks, so that the public answer stays the same for everybody.
        if not (admin.site.has_permission(request) and request.user.has_perm("factsheets.view_factsheet")):
            if sheet.state == State.RETIRED:
                return _retired(request, sheet)
            raise Http404
        response = view(request, sheet, **page)
        add_never_cache_headers(response)
        patch_cache_control(response, private=True, no_store=True)
        return response

    return cached_page(found)


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
    return shared(render(request, "factsheets/retired.html", context, status=410))


@for_sheet
def sheet(request, found):
    cut = pages.pages(found)
    return _read(request, found, cut[0], cut)


@for_sheet
def sheet_page(request, found, page):
    """A later page of a sheet in pages. The name of any other section leads to the page that holds it."""
    cut = pages.pages(found)
    there = next((each for each in cut if each.slug == page), None)
    if there:
        return _read(request, found, there, cut)
    if any(section["slug"] == page for section in found.document.get("sections", [])):
        return HttpResponseRedirect(found.place_url(page))
    raise Http404


@for_sheet
@another_form
def sheet_whole(request, found):
    """Everything on one page, for those who search in it, print it, or would rather read it so."""
    if "pages" not in found.document:
        return HttpResponseRedirect(found.get_absolute_url())
    response = _read(request, found, pages.whole(found), pages.pages(found))
    response["X-Robots-Tag"] = "noindex"
    return response


def first_page(request, found: FactSheet, more: dict):
    """The sheet's first page as it is read, with `more` for its template. Never kept: for previews by staff."""
    cut = pages.pages(found)
    return _read(request, found, cut[0], cut, more)


def _read(request, found: FactSheet, page: pages.Page, all_pages: list[pages.Page], more: dict | None = None):
    context = {
        "sheet": found,
        "page": pages.lead_right(page, found),
        "pages": all_pages if len(all_pages) > 1 else [],
        "previous": all_pages[page.number - 2] if page.number > 1 else None,
        "next": all_pages[page.number] if 0 < page.number < len(all_pages) else None,
        "name": sheets.name(found, page),
        "description": sheets.description(found, page),
        "canonical": found.get_absolute_url() if not page.number else "",
        "state_note": sheets.state_note(found),
        "reviewer": sheets.reviewer(found),
        "related": sheets.related(found),
        "neighbours": sheets.neighbours(found),
        "what_changed": sheets.what_changed(found),
        "safety_tiers": safety.tiers(),
        "traditional_label": sheets.TRADITIONAL_LABEL,
        # The whole is another form of pages that say it already.
        "linked_data": linked_data.block(linked_data.for_page(found, page)) if page.number else "",
        **(more or {}),
    }
    response = render(request, "factsheets/sheet.html", context)
    response.content = INDENT.sub(b"\n", response.content)
    return response


def weights(request, sheet: FactSheet) -> list[tuple[pages.Page, int]]:
    """The sheet's pages, each with the bytes that its reader's browser loads. Of the request, only the menu's mark tells.

    Raises SafetyAdviceMissing.
    """
    cut = pages.pages(sheet)
    return [(page, len(COMPRESSORS["br"](_read(request, sheet, page, cut).content)) + HEADERS) for page in cut]


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
        },
        "publisher": settings.CLINIC["name"],
        "interest_statement": settings.CLINIC["interest_statement"] if found.treatment_offered else "",
        "notice": "For patient information only. It does not replace advice from a clinician.",
        "linked_data": linked_data.whole_sheet(found),
    }
    return JsonResponse(data, json_dumps_params={"ensure_ascii": False})
