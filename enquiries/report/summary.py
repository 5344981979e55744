"""A person's private summary, opened with the link from the email, a press of a button and the email address.

GET changes nothing, and shows nothing personal to a browser that was not let in (enquiries/link_visits.py), because mail scanners
fetch every link. All that is given or deleted is asked for by POST.
"""

from http import HTTPStatus

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from backcare.core.forms import EMAIL_LENGTH
from backcare.core.private_pages import personal
from enquiries.actions import erasure, outbox
from enquiries.assessment import printed
from enquiries.link_visits import Held, VisitCookie
from enquiries.links import SUMMARY, LinkPage, NotOurs, Pass, Shut
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
    assessment, home = _find(token), _home(token)
    if assessment is None:
        return _over(request)
    cookie = VisitCookie(home)
    if again := cookie.probe(request):
        return again
    held, answered = cookie.read(request), request.method == "POST"
    try:
        form = PAGE.ask(request, token, assessment.enquiry, action=home, refused=(held.given, held.wrong))
    except Shut:
        return _shut(request)
    if not answered and pass_is_good(held.passed, assessment):
        return _summary(request, assessment, token)
    wrong = form.errors.get("email", [""])[0] if form else ""
    if answered and cookie.is_held_by(request):
        given = request.POST.get("email", "")[:EMAIL_LENGTH]
        to = Held(given=given, wrong=wrong) if form else Held(passed=new_pass(assessment))
        if there := cookie.go(home, to):
            return there
    if form is None:
        return _summary(request, assessment, token)
    context = {"form": form, "ends": assessment.expires_at, "safety_tiers": safety.tiers()}
    return render(request, "enquiries/summary_open.html", context, status=422 if wrong and answered else 200)


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
    # One may have been retired or renamed since.
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
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request, token: str):
    """Asks for confirmation, then erases the details of the whole request: the answers, the name and the address."""
    assessment = _find(token)
    if assessment is None:
        return _over(request)
    cookie = VisitCookie(_home(token))
    held = cookie.read(request)
    if not any(pass_is_good(given, assessment) for given in (request.POST.get("pass", ""), held.passed)):
        return _ask_again(token)
    if "sure" not in request.POST:
        there = None
        if request.method == "POST" and cookie.is_held_by(request):
            there = cookie.go(request.path, Held(passed=new_pass(assessment)))
        page = {"token": token, "pass": new_pass(assessment)}
        return there or render(request, "enquiries/summary_delete.html", page)
    erasure.erase(enquiry=assessment.enquiry, actor="patient", summary="With “Delete my data now”")
    return cookie.end(HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303), request)


@personal
@require_safe
def deleted(request):
    context = {"words": wordings.filled("report_erased", {}), "safety_tiers": safety.tiers()}
    return render(request, "enquiries/summary_deleted.html", context)


def _find(token: str) -> Assessment | None:
    """What the link names. None if it has expired or was deleted. Raises NotOurs."""
    key = SUMMARY.key_of(token)
    if key is None:
        raise NotOurs
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
    return render(request, "enquiries/private_report.html", context)


def _over(request) -> HttpResponse:
    context = {"safety_tiers": safety.tiers(), "days": outbox.SUMMARY_DAYS}
    return render(request, "enquiries/summary_over.html", context, status=HTTPStatus.GONE)


def _shut(request) -> HttpResponse:
    return render(request, "enquiries/summary_shut.html", {"safety_tiers": safety.tiers()}, status=HTTPStatus.FORBIDDEN)


def _ask_again(token: str) -> HttpResponse:
    """The page was open for longer than its pass is valid."""
    return HttpResponseRedirect(_home(token), status=303)


def _home(token: str) -> str:
    return reverse("enquiries:summary", args=[token])
