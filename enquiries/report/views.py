"""The report's form, and its confirmation.

Where the browser holds a finished self-assessment, the form asks whether to include it; anywhere else it cannot. Where it holds
the receipt of a report, the confirmation plays the address back, and takes a change of it or "Send it again".
"""

from datetime import timedelta
from http import HTTPStatus
from math import ceil

from crispy_forms.layout import Field, Submit
from django import forms
from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from backcare import limits
from enquiries import abuse, actions
from enquiries.assessment import cookie
from enquiries.form_fields import EmailField
from enquiries.form_layout import posted
from enquiries.forms import ReportForm
from enquiries.models import Assessment, Enquiry, EventKind
from enquiries.private import personal
from enquiries.report import consent, mistyped, receipt
from factsheets import safety
from factsheets.models import FactSheet

PREFIX = ReportForm.kind
ASKED = f"{PREFIX}-include_answers"
# A mail to an address that looks wrong waits: it may be a stranger's.
TIME_TO_PUT_IT_RIGHT = timedelta(minutes=2)
SECOND_CLICK = timedelta(seconds=10)


class AddressForm(forms.Form):
    use_required_attribute = False

    email = EmailField(label="Your email address")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        send = Submit("change", "Send it to this address", css_id="change")
        self.helper = posted(self, reverse("enquiries:report_change"), Field("email"), send)


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
    if not form.is_valid():
        return _page(request, form, status=422)
    if answers and not was_asked:
        # From the foot of a sheet, which is the same page for every reader and cannot ask.
        return _page(request, _same_words(form, asking=True), one_more=True)
    if form.with_answers and not answers:
        return _page(request, _same_words(form, asking=False), answers_gone=True)
    details = form.details()
    try:
        enquiry = actions.accept(
            kind=form.kind,
            details=details,
            sheet=form.cleaned_data["sheet"],
            quarantine_reason=abuse.TRAP if form.trap_is_filled else "",
            consented=consent.given(answers, consent.VERSION) if form.with_answers else None,
            hold=_hold(details["email"]),
            sender=limits.client(request),
        )
    except abuse.TooMany as refusal:
        return _too_many(request, form, refusal, asking=bool(answers))
    return receipt.give(_to_sent(), request, enquiry, details["email"])


def _form(data=None, *, asking: bool, **options) -> ReportForm:
    address = reverse("enquiries:report")
    return ReportForm(data, prefix=PREFIX, action=address, choose_sheet=True, ask_about_answers=asking, **options)


def _same_words(form: ReportForm, *, asking: bool) -> ReportForm:
    """The form as it was filled in, to be sent once more: nothing is wrong with it."""
    typed = {name: form.data.get(form.add_prefix(name), "") for name in form.fields if name != "include_answers"}
    return _form(initial=typed, asking=asking)


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


@personal
@require_safe
def sent(request):
    """What happens next. Whoever has just asked, and nobody else, also sees where it goes and can put that right."""
    held, enquiry = _theirs(request)
    if enquiry is None:
        return render(request, "enquiries/report_sent.html", {"safety_tiers": safety.tiers()})
    return _sent(request, held, enquiry)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def change(request):
    held, enquiry = _theirs(request)
    form = AddressForm(
        request.POST if request.method == "POST" else None, initial={"email": held.email if held else ""}
    )
    email = form.cleaned_data["email"] if form.is_valid() else ""
    if enquiry is None:
        return _changed_a_moment_ago(request, held, email) or _too_late(request)
    if not actions.corrections_left(enquiry):
        return _to_sent()
    if not email:
        context = {"form": form, "email": held.email, "safety_tiers": safety.tiers()}
        return render(request, "enquiries/report_sent_change.html", context, status=422 if form.errors else 200)
    try:
        actions.correct_address(enquiry=enquiry, email=email, hold=_hold(email), sender=limits.client(request))
    except abuse.TooMany as refusal:
        return _sent(request, held, enquiry, refusal=refusal)
    except actions.TooOften:
        return _to_sent()
    except actions.Erased:
        return _too_late(request)
    return receipt.give(_to_sent(), request, enquiry, email)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def again(request):
    held, enquiry = _theirs(request)
    if request.method != "POST" or enquiry is None:
        return _too_late(request)
    try:
        actions.send_report_again(enquiry=enquiry, asked_at=held.asked_at, sender=limits.client(request))
    except actions.TooSoon as refusal:
        if not _just_now(enquiry, EventKind.MESSAGE_AGAIN):
            return _sent(request, held, enquiry, refusal=refusal)
    except (actions.TooOften, abuse.TooMany) as refusal:
        return _sent(request, held, enquiry, refusal=refusal)
    except actions.Erased:
        return _too_late(request)
    return _to_sent()


def _theirs(request) -> tuple[receipt.Receipt | None, Enquiry | None]:
    """The receipt that the browser holds, and the request that it is for."""
    held = receipt.read(request)
    enquiry = receipt.enquiry_of(held)
    return held, enquiry if enquiry and held.is_for(enquiry) else None


def _sent(request, held: receipt.Receipt, enquiry: Enquiry, *, refusal: Exception | None = None) -> HttpResponse:
    """The same for every address and every request: nothing here says whether we knew it, or whether a mail came back."""
    now = timezone.now()
    wait = max(0, ceil((actions.again_from(enquiry, held.asked_at) - now).total_seconds()))
    left = actions.corrections_left(enquiry)
    last = actions.further_requests(enquiry).last()
    context = {
        "email": held.email,
        "sheet": enquiry.sheet,
        "with_summary": Assessment.objects.filter(enquiry=enquiry, expires_at__gt=now).exists(),
        "summary_days": actions.SUMMARY_DAYS,
        "once_more": bool(last and last.kind == EventKind.MESSAGE_AGAIN),
        "meant": mistyped.suggestion(held.email) if left else "",
        "left": left,
        "wait": wait,
        "refusal": refusal,
        "most_a_day": settings.MOST_MAILS_TO_ONE_ADDRESS_A_DAY,
        "safety_tiers": safety.tiers(),
    }
    response = render(request, "enquiries/report_sent_to.html", context)
    if refusal:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        if left:
            response["Retry-After"] = str(max(wait, getattr(refusal, "wait", 0)))
    return response


def _changed_a_moment_ago(request, held: receipt.Receipt | None, email: str) -> HttpResponse | None:
    """The second of two clicks still comes with the receipt for the address that the first one changed."""
    enquiry = receipt.enquiry_of(held)
    if enquiry and enquiry.email == email and _just_now(enquiry, EventKind.CORRECTED):
        return receipt.give(_to_sent(), request, enquiry, email)
    return None


def _just_now(enquiry: Enquiry, kind: str) -> bool:
    return enquiry.events.filter(kind=kind, created_at__gt=timezone.now() - SECOND_CLICK).exists()


def _hold(email: str) -> timedelta:
    return TIME_TO_PUT_IT_RIGHT if mistyped.suggestion(email) else timedelta(0)


def _to_sent() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("enquiries:report_sent"), status=303)


def _too_late(request) -> HttpResponse:
    """The receipt is gone, and with it the way to the request. A form that was filled in is told so; nothing else is."""
    if request.method != "POST":
        return _to_sent()
    return render(request, "enquiries/report_sent_late.html", {"safety_tiers": safety.tiers()}, status=HTTPStatus.GONE)
