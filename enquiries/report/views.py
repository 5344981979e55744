"""The report's form.

Where the browser holds a finished self-assessment, the form asks whether to include it; anywhere else it cannot.
"""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from backcare.core import limits
from enquiries import abuse
from enquiries.actions import intake
from enquiries.actions.intake import Consented, Submission
from enquiries.assessment import cookie
from enquiries.assessment.handover import safety_codes
from enquiries.forms import ReportForm
from enquiries.models import Enquiry
from enquiries.report import consent, receipt, sent
from enquiries.request_forms import own_words
from enquiries.request_forms.advice import advice, kept
from enquiries.request_forms.own_words import OwnWords
from factsheets import safety
from factsheets.models import FactSheet

PREFIX = ReportForm.kind
ASKED = f"{PREFIX}-include_answers"
CHANGE = "change"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def report(request):
    answers = cookie.may_be_included(request)
    if request.method != "POST":
        slug = request.GET.get("sheet", "")
        sheet = FactSheet.objects.published().filter(slug=slug[:80].replace("\x00", "")).first()
        return _page(request, _form(initial={"sheet": sheet.slug if sheet else ""}, asking=bool(answers)))
    data, was_asked = request.POST.copy(), ASKED in request.POST
    data.setdefault(ASKED, "no")
    form = _form(data, asking=bool(answers) or was_asked)
    form.seen_signs = " ".join(own_words.seen(request.POST.get(f"{PREFIX}-seen_signs", "")))
    step, _, begin_at = request.POST.get(f"{PREFIX}-step", "").partition("-")
    if step == CHANGE:
        return _page(request, _same_words(form, asking=bool(answers), begin_at=begin_at))
    if not form.is_valid():
        return _page(request, form, status=422)
    if answers and not was_asked:
        # From the foot of a sheet, which is the same page for every reader and cannot ask.
        return _page(request, _same_words(form, asking=True), one_more=True)
    if form.with_answers and not answers:
        return _page(request, _same_words(form, asking=False), answers_gone=True)
    consented = consent.given(answers, consent.VERSION) if form.with_answers else None
    words = own_words.read(form)
    if consented:
        words = words.and_answers(safety_codes(consented.result))
    if not set(words.codes) <= set(form.seen_signs.split()):
        return _interruption(request, form, words)
    try:
        enquiry = _accept(request, form, words, consented)
    except abuse.TooMany as refusal:
        return _too_many(request, form, refusal, asking=bool(answers))
    return receipt.give(sent.to(enquiry), request, enquiry, form.cleaned_data["email"])


def _accept(request, form: ReportForm, words: OwnWords, consented: Consented | None) -> Enquiry:
    details = form.details()
    submission = Submission(
        kind=form.kind,
        details=details,
        sheet=form.cleaned_data["sheet"],
        also={"safety_signs": kept(words.codes, safety.tiers())},
        consented=consented,
        caught=abuse.TRAP if form.trap_is_filled else "",
        hold=sent.hold(details["email"]),
    )
    return intake.accept(submission, sender=limits.client(request))


def _form(data=None, *, asking: bool, **options) -> ReportForm:
    address = reverse("enquiries:report")
    return ReportForm(data, prefix=PREFIX, action=address, choose_sheet=True, ask_about_answers=asking, **options)


def _same_words(form: ReportForm, *, asking: bool, begin_at: str = "") -> ReportForm:
    """The form as it was filled in, to be sent once more: nothing is wrong with it."""
    again = _form(initial={name: value for name, value in form.typed() if name != "include_answers"}, asking=asking)
    again.seen_signs = form.seen_signs
    again.begin_at(begin_at)
    return again


def _interruption(request, form: ReportForm, words: OwnWords) -> HttpResponse:
    tiers = safety.tiers()
    context = {
        "kind": form.kind,
        "address": reverse("enquiries:report"),
        "advice": advice(words.codes, tiers),
        "boxes": words.boxes,
        "answers": words.answers,
        "hidden": form.carried(),
        "seen_signs": own_words.together(form.seen_signs.split(), words.codes),
        "safety_tiers": tiers,
    }
    return render(request, "enquiries/request_forms/interruption.html", context)


def _too_many(request, form: ReportForm, refusal: abuse.TooMany, *, asking: bool) -> HttpResponse:
    """Nothing is lost but the mail: the sheet is there to be read and kept, and the form with what was typed."""
    wanted = form.cleaned_data["sheet"]
    response = _page(
        request, _same_words(form, asking=asking), status=HTTPStatus.TOO_MANY_REQUESTS, refusal=refusal, wanted=wanted
    )
    response["Retry-After"] = str(refusal.wait)
    return response


def _page(request, form: ReportForm, *, status: int = 200, **notes):
    context = {"form": form, "retention_days": settings.REPORT_RETENTION_DAYS, "safety_tiers": safety.tiers(), **notes}
    return render(request, "enquiries/report.html", context, status=status)
