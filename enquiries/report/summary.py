"""A person's private summary: opened with the link from the mail, a press of a button, and the email address again.

GET changes nothing and shows nothing personal, because mail scanners fetch every link. All that is shown, given or deleted is
asked for by POST.
"""

from http import HTTPStatus

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backcare.core.private_pages import personal
from enquiries.actions import erasure, outbox
from enquiries.assessment import printed
from enquiries.links import SUMMARY, LinkPage, Pass, Shut
from enquiries.mail import wordings
from enquiries.models import Assessment
from factsheets import safety
from factsheets.models import FactSheet
from factsheets.rendering.sheet import address

# A person holds it after opening the link (`enquiries/links.py`).
PASS = Pass("enquiries.report.pass")
PAGE = LinkPage(SUMMARY, why="We ask so that nobody else can open your summary.", button="Confirm and open my report")


def new_pass(assessment: Assessment) -> str:
    return PASS.new(assessment.pk.hex)


def pass_is_good(given: str, assessment: Assessment) -> bool:
    return PASS.is_good(given, assessment.pk.hex)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def opened(request, token: str):
    assessment = _find(token)
    if assessment is None:
        return _over(request)
    try:
        form = PAGE.ask(request, token, assessment.enquiry, action=reverse("enquiries:summary", args=[token]))
    except Shut:
        return _shut(request)
    if form is None:
        return _summary(request, assessment, token)
    context = {"form": form, "ends": assessment.expires_at, "safety_tiers": safety.tiers()}
    return render(request, "enquiries/summary_open.html", context, status=422 if form.errors else 200)


@personal
@require_POST
def pdf(request, token: str):
    assessment = _find(token)
    if assessment is None:
        return _over(request)
    if not pass_is_good(request.POST.get("pass", ""), assessment):
        return _ask_again(token)
    large = request.POST.get("size") == "large"
    result = assessment.result
    slugs = [each["slug"] for each in result["sheets"]]
    # One may have been retired since, or have another title.
    sheets = {sheet.slug: sheet for sheet in FactSheet.objects.published().filter(slug__in=slugs).only("slug", "title")}
    made = printed.personal_pdf(
        result,
        name=assessment.enquiry.name,
        answers=assessment.answers,
        sheets=[{"title": sheets[slug].title, "address": address(sheets[slug])} for slug in slugs if slug in sheets],
        large_print=large,
    )
    response = HttpResponse(made, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="your-report{"-large-print" if large else ""}.pdf"'
    return response


@personal
@require_POST
def delete(request, token: str):
    """Asks once more, then erases the details of the whole request: the answers, the name, the address."""
    assessment = _find(token)
    if assessment is None:
        return _over(request)
    if not pass_is_good(request.POST.get("pass", ""), assessment):
        return _ask_again(token)
    if "sure" not in request.POST:
        return render(request, "enquiries/summary_delete.html", {"token": token, "pass": new_pass(assessment)})
    erasure.erase(enquiry=assessment.enquiry, actor="patient", summary="With “Delete my data now”")
    return HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303)


@personal
@require_safe
def deleted(request):
    context = {"words": wordings.filled("report_erased", {}), "safety_tiers": safety.tiers()}
    return render(request, "enquiries/summary_deleted.html", context)


def _find(token: str) -> Assessment | None:
    """What the link names. None when its time is over or it was deleted. Raises Http404 for a link we never made."""
    key = SUMMARY.key_of(token)
    if key is None:
        raise Http404("Not a link of ours")
    return Assessment.objects.select_related("enquiry").filter(pk=key, expires_at__gt=timezone.now()).first()


def _summary(request, assessment: Assessment, token: str) -> HttpResponse:
    context = {
        "token": token,
        "pass": new_pass(assessment),
        "name": assessment.enquiry.name,
        "result": assessment.result,
        "answers": assessment.answers,
        "ends": assessment.expires_at,
        "safety_tiers": safety.tiers(),
    }
    return render(request, "enquiries/summary.html", context)


def _over(request) -> HttpResponse:
    context = {"safety_tiers": safety.tiers(), "days": outbox.SUMMARY_DAYS}
    return render(request, "enquiries/summary_over.html", context, status=HTTPStatus.GONE)


def _shut(request) -> HttpResponse:
    return render(request, "enquiries/summary_shut.html", {"safety_tiers": safety.tiers()}, status=HTTPStatus.FORBIDDEN)


def _ask_again(token: str) -> HttpResponse:
    """The page was open for longer than its pass lasts."""
    return HttpResponseRedirect(reverse("enquiries:summary", args=[token]), status=303)
