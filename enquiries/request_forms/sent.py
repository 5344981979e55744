"""The page after a form was accepted, and its address. A report's page is drawn by `enquiries.report.sent`.

The address holds a sealed mark of the enquiry, so that a reload and the back button show the same page again without a cookie: the
reply time that this enquiry was promised, as its email says it and however late the page is opened, the advice of the tier that
their signs belong to, that no email comes, or that no reply is promised. Without a mark, or with one that is too old, the page is
the same for everybody, and names no day.

Nothing on it is about the person: whoever finds the address learns no name, no word, no sign. The private link to the request is
there for half an hour, for whoever has just sent it; it asks for the email address like any other.
"""

import time
import uuid

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from enquiries import clock
from enquiries.actions import mail
from enquiries.models import Enquiry, EnquiryKind, Status
from enquiries.patient_portal import link
from enquiries.request_forms.advice import advice
from factsheets import safety

LINK_SECONDS = 30 * 60  # for the private link
PAGE_SECONDS = 24 * 60 * 60  # after that the address shows what one without a mark does

SIGNER = signing.TimestampSigner(salt="enquiries.request_forms.sent", sep=".")


def address(enquiry: Enquiry) -> str:
    """Where the browser goes once the enquiry is kept."""
    name = f"enquiries:{enquiry.kind}_sent"
    aside = enquiry.status in {Status.SPAM, Status.HELD}
    usual = not enquiry.signs and not aside and mail.is_mailed(enquiry)
    if enquiry.kind == EnquiryKind.REPORT and usual:  # no time is promised, and the browser holds a receipt
        return reverse(name)
    return reverse(f"{name}_as", args=[SIGNER.sign(enquiry.pk.hex)])


def page(request, kind: EnquiryKind, token: str = "") -> HttpResponse:
    tiers = safety.tiers()
    context = {"kind": kind, "safety_tiers": tiers, "emailed": True, "owed": True}
    enquiry, age = opened(kind, token)
    if enquiry:
        context |= {"known": True} | _reply(enquiry)
        context["owed"] = enquiry.status not in {Status.SPAM, Status.HELD}
        context["held"] = enquiry.status == Status.HELD
        context["emailed"] = mail.is_mailed(enquiry)
        context["advice"] = advice(enquiry.signs, tiers)
        if context["owed"] and not context["emailed"] and age < LINK_SECONDS:
            context["manage"] = link.address(enquiry)
    return render(request, "enquiries/request_forms/sent.html", context)


def _reply(enquiry: Enquiry) -> dict:
    """When they hear from us, in the words of their email, or the clinic's notice while it promises nothing."""
    if enquiry.reply_by:
        return {"reply": clock.in_words(enquiry.reply_by, enquiry.created_at, dated=True)}
    replies = clock.load()
    return {"notice": replies.notice if replies.paused else ""}


def opened(kind: EnquiryKind, token: str) -> tuple[Enquiry | None, float]:
    """The enquiry that an address names, and how many seconds ago it was made. None: too old, erased, or none of ours."""
    try:
        key = uuid.UUID(SIGNER.unsign(token, max_age=PAGE_SECONDS))
    except (signing.BadSignature, ValueError):
        return None, 0
    made_at = signing.b62_decode(token.split(".")[1])
    return Enquiry.objects.filter(pk=key, kind=kind, erased_at=None).first(), time.time() - made_at
