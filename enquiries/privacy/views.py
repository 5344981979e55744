"""What we do with readers' and patients' data: the privacy page, and the list of what we hold."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from enquiries.actions.mail import SUMMARY_DAYS
from enquiries.privacy import register
from factsheets import safety
from factsheets.page_cache import cached_page, shared


@cached_page
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    context = {
        "safety_tiers": safety.tiers(),
        "retention_days": settings.REPORT_RETENTION_DAYS,
        "summary_days": SUMMARY_DAYS,
        "periods": register.periods(),
    }
    return shared(render(request, "pages/privacy.html", context))


@cached_page
@require_safe
def what_we_hold(request: HttpRequest) -> HttpResponse:
    """Made from the register of personal data and the settings in force, so that it cannot say anything else."""
    parts = [
        (table, register.in_words(table)) for people in ("patients", "readers") for table in register.about(people)
    ]
    context = {"parts": parts, "staff": register.about("staff"), "safety_tiers": safety.tiers()}
    return shared(render(request, "pages/what_we_hold.html", context))
