"""The page after a request for a report: what happens next and, for the sender, where the email goes and how to correct that.

If the browser holds the receipt of a report, the page shows the address and accepts a change of it or "Send it again". If no email
will come, it gives the sheet and the private link instead.
"""

import time
import uuid
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from math import ceil

from crispy_forms.layout import Field, Submit
from django import forms
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core import addresses, limits
from backcare.core.cookies import EncryptedCookie
from backcare.core.forms import EmailField, posted
from backcare.core.private_pages import personal
from enquiries import abuse
from enquiries.actions import corrections, outbox
from enquiries.links import summary_address
from enquiries.mail import wordings
from enquiries.models import Assessment, Enquiry, EnquiryKind, EventKind
from enquiries.request_forms import journey
from enquiries.request_forms.own_words import advice
from factsheets import safety

# The receipt that a browser holds for half an hour after it asked for a report: which request it was, and the address as typed.
#
# Only with it does the confirmation show the address and accept a change or "Send it again". It is set when a form is accepted,
# never by reading a page, and reading does not make it last longer. Only pages under /report/ receive it.

# Half an hour from the request for the report.
COOKIE = EncryptedCookie("sent", prefix="__Secure-", path="/report/", lifetime=30 * 60)


@dataclass(frozen=True)
class Receipt:
    enquiry: uuid.UUID
    email: str
    at: int  # when the report was requested, in seconds since 1970
    wrong: str = ""  # what was typed last, if it is not an address

    @property
    def asked_at(self) -> datetime:
        return datetime.fromtimestamp(self.at, tz=UTC)

    def is_for(self, enquiry: Enquiry) -> bool:
        """Whether the report still goes to this address. After a correction, an older receipt no longer says anything about it."""
        return constant_time_compare(self.email, enquiry.email)


def read_receipt(request: HttpRequest) -> Receipt | None:
    """What the browser holds. None if there is nothing, or it is too old or not made by us."""
    return opened_receipt(COOKIE.of(request), now=time.time())


def enquiry_of(held: Receipt | None) -> Enquiry | None:
    """The request that a receipt names, whatever its address is now. None if there is none or its details were erased."""
    if held is None:
        return None
    reports = Enquiry.objects.filter(kind=EnquiryKind.REPORT, erased_at=None)
    return reports.select_related("sheet", "assessment").filter(pk=held.enquiry).first()


def give_receipt(response: HttpResponse, request: HttpRequest, enquiry: Enquiry, email: str) -> HttpResponse:
    """For a request that was accepted or whose address was changed. A receipt for the same request keeps its time.

    Anybody else who sends the same form gets a new one, and sees the same as if nobody had made that request before.
    """
    now, earlier = int(time.time()), read_receipt(request)
    at = earlier.at if earlier and earlier.enquiry == enquiry.pk else now
    return COOKIE.give(response, sealed_receipt(Receipt(enquiry.pk, email, at)), at=at)


def sealed_receipt(held: Receipt) -> str:
    return COOKIE.sealed({"enquiry": held.enquiry.hex, "email": held.email, "wrong": held.wrong}, at=held.at)


def opened_receipt(value: str, *, now: float) -> Receipt | None:
    kept = COOKIE.opened(value, now=now)
    return Receipt(uuid.UUID(kept["enquiry"]), kept["email"], kept["at"], kept.get("wrong", "")) if kept else None


# An email to an address that looks wrong waits, because it may be a stranger's.
TIME_TO_PUT_IT_RIGHT = timedelta(minutes=2)
SECOND_CLICK = timedelta(seconds=10)
WRONG = "wrong"  # in the address of the page that says what is wrong with a new email address


class AddressForm(forms.Form):
    use_required_attribute = False

    email = EmailField(label="Your email address")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        send = Submit("change", "Send it to this address", css_id="change")
        self.helper = posted(self, reverse("enquiries:report_change"), Field("email"), send)


@personal
@require_safe
def sent(request, token: str = ""):
    """What happens next. Only the person who has just asked also sees where the email goes, and can correct that."""
    marked, _ = journey.sent_enquiry(EnquiryKind.REPORT, token)
    if token and marked is None:
        # A personal page has only one address, and none that a cache could mistake for a file's.
        return HttpResponseRedirect(reverse("enquiries:report_sent"))
    held, enquiry = _theirs(request)
    if enquiry and (marked is None or marked == enquiry):
        return _sent(request, held, enquiry)
    tiers = safety.tiers()
    context = {"safety_tiers": tiers, "emailed": True, "words": wordings.filled("report_sent", {})}
    if marked:
        context["emailed"] = outbox.is_mailed(marked)
        context["advice"] = advice(marked.signs, tiers)
    return render(request, "enquiries/report_sent.html", context)


def to(enquiry: Enquiry) -> HttpResponseRedirect:
    """Redirects to this request's page: the same for everyone, unless no email comes or its signs need help."""
    return HttpResponseRedirect(journey.sent_address(enquiry), status=303)


def hold(email: str) -> timedelta:
    return TIME_TO_PUT_IT_RIGHT if addresses.suggestion(email) else timedelta(0)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def change(request):
    held, enquiry = _theirs(request)
    data = request.POST if request.method == "POST" else None
    if data is None and held and WRONG in request.GET:
        data = {"email": held.wrong}
    form = AddressForm(data, initial={"email": addresses.in_words(held.email) if held else ""})
    email = form.cleaned_data["email"] if request.method == "POST" and form.is_valid() else ""
    if enquiry is None:
        return _changed_a_moment_ago(request, held, email) or _too_late(request)
    if not corrections.corrections_left(enquiry):
        return to(enquiry)
    if not email and request.method == "POST":
        # The mistake has an address of its own, so that the back and forward buttons find the page.
        sealed = sealed_receipt(replace(held, wrong=request.POST.get("email", "")))
        if COOKIE.fits(sealed):
            return COOKIE.give(HttpResponseRedirect(f"{request.path}?{WRONG}", status=303), sealed, at=held.at)
    if not email:
        context = {"form": form, "email": addresses.in_words(held.email), "safety_tiers": safety.tiers()}
        status = HTTPStatus.UNPROCESSABLE_ENTITY if request.method == "POST" else HTTPStatus.OK
        return render(request, "enquiries/report_sent_change.html", context, status=status)
    try:
        corrections.correct_address(enquiry=enquiry, email=email, hold=hold(email), sender=limits.client(request))
    except abuse.TooMany as refusal:
        return _sent(request, held, enquiry, refusal=refusal)
    except corrections.TooOften:
        return to(enquiry)
    except outbox.Erased:
        return _too_late(request)
    return give_receipt(to(enquiry), request, enquiry, email)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def again(request):
    held, enquiry = _theirs(request)
    if request.method != "POST" or enquiry is None:
        return _too_late(request)
    try:
        goes = corrections.send_report_again(enquiry=enquiry, asked_at=held.asked_at, sender=limits.client(request))
        if not goes and outbox.is_mailed(enquiry):
            return _sent(request, held, enquiry, not_again=True)
    except corrections.TooSoon as refusal:
        if not _just_now(enquiry, EventKind.MESSAGE_AGAIN):
            return _sent(request, held, enquiry, refusal=refusal)
    except (corrections.TooOften, abuse.TooMany) as refusal:
        return _sent(request, held, enquiry, refusal=refusal)
    except outbox.Erased:
        return _too_late(request)
    return to(enquiry)


def _theirs(request) -> tuple[Receipt | None, Enquiry | None]:
    """The browser's receipt and the request it is for."""
    held = read_receipt(request)
    enquiry = enquiry_of(held)
    return held, enquiry if enquiry and held.is_for(enquiry) else None


def _sent(
    request, held: Receipt, enquiry: Enquiry, *, refusal: Exception | None = None, not_again: bool = False
) -> HttpResponse:
    """The same for every address and every request, but for whether an email comes: nothing here says whether we knew it, why
    none comes, or whether one came back."""
    now, tiers = timezone.now(), safety.tiers()
    wait = max(0, ceil((corrections.again_from(enquiry, held.asked_at) - now).total_seconds()))
    left = corrections.corrections_left(enquiry)
    last = corrections.further_requests(enquiry).last()
    once_more = last and last.kind == EventKind.MESSAGE_AGAIN and outbox.is_mailed(enquiry, since=last.created_at)
    emailed = outbox.is_mailed(enquiry)
    summary = Assessment.objects.filter(enquiry=enquiry, expires_at__gt=now).first()
    context = {
        "email": addresses.in_words(held.email),
        "sheet": enquiry.sheet,
        "advice": advice(enquiry.signs, tiers),
        "emailed": emailed,
        "summary": summary_address(summary) if summary and not emailed else "",
        "with_summary": bool(summary),
        "summary_days": outbox.SUMMARY_DAYS,
        "once_more": once_more,
        "meant": addresses.in_words(addresses.suggestion(held.email)) if left else "",
        "left": left,
        "wait": wait,
        "refusal": refusal,
        "not_again": not_again,
        "most_a_day": settings.MAX_MAILS_PER_ADDRESS_PER_DAY,
        "safety_tiers": tiers,
        "words": wordings.filled("report_sent", {}),
    }
    response = render(request, "enquiries/report_sent_to.html", context)
    if refusal:
        response.status_code = HTTPStatus.TOO_MANY_REQUESTS
        if left:
            response["Retry-After"] = str(max(wait, getattr(refusal, "wait", 0)))
    return response


def _changed_a_moment_ago(request, held: Receipt | None, email: str) -> HttpResponse | None:
    """The second of two clicks still comes with the receipt for the address before the first."""
    enquiry = enquiry_of(held)
    if enquiry and enquiry.email == email and _just_now(enquiry, EventKind.CORRECTED):
        return give_receipt(to(enquiry), request, enquiry, email)
    return None


def _just_now(enquiry: Enquiry, kind: str) -> bool:
    return enquiry.events.filter(kind=kind, created_at__gt=timezone.now() - SECOND_CLICK).exists()


def _too_late(request) -> HttpResponse:
    """The receipt has expired, so the request cannot be found. Says so to anyone who sent a form from the page."""
    if request.method != "POST":
        return HttpResponseRedirect(reverse("enquiries:report_sent"), status=303)
    return render(request, "enquiries/report_sent_late.html", {"safety_tiers": safety.tiers()}, status=HTTPStatus.GONE)
