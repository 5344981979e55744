"""“Was this useful?” below a sheet: buttons that need no script and set no cookie, and the page that thanks for an answer."""

import logging

from django.db import Error
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core import limits
from factsheets import feedback, safety
from factsheets.models import Answer, FactSheet, Reason
from factsheets.page_cache import cached_page, shared

logger = logging.getLogger(__name__)


@require_http_methods(["GET", "HEAD", "POST"])
def useful(request, slug: str):
    """Counts, and leads to a page of its own, so that a reload sends nothing twice.

    Whoever is still worried gets help whether or not the answer could be counted.
    """
    place = f"{reverse('factsheets:sheet', args=[slug])}#useful"
    answer, reason = request.POST.get("answer"), request.POST.get("reason", "")
    if answer not in Answer.values or reason not in {"", *Reason.values} or (reason and answer == Answer.YES):
        return HttpResponseRedirect(place)
    try:
        sheet = get_object_or_404(FactSheet.objects.published(), slug=slug)
        feedback.count(sheet, Answer(answer), Reason(reason) if reason else None, limits.client(request))
    except Error as error:
        logger.warning("An answer to “Was this useful?” was not counted: %s", type(error).__name__)
    return HttpResponseRedirect(reverse("factsheets:useful_said", args=[slug, reason or answer]), status=303)


@cached_page
@require_safe
def said(request, slug: str, said: str):
    if said not in {*Answer.values, *Reason.values}:
        raise Http404
    sheet = get_object_or_404(FactSheet.objects.published(), slug=slug)
    context = {
        "sheet": sheet,
        "said": said,
        "reasons": Reason if said in {Answer.PARTLY, Answer.NO} else [],
        "safety_tiers": safety.tiers(),
        "crisis": safety.CRISIS,
    }
    return shared(render(request, "factsheets/useful.html", context))
