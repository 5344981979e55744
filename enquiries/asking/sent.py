"""The page after a form was accepted, and its address. A report's page is drawn by `enquiries.report.sent`.

Most people get the page that is the same for everybody: it is on its way, by when they hear from us. Where that would not be true,
or is not all, the address holds a sealed mark of the enquiry, so that a reload and the back button show it again without a cookie:
the advice of the tier that their signs belong to, that no email comes, that nobody promises a reply.

The page says what is so now, and nothing about the person: whoever finds the address learns no name, no word, no sign. The private
link to the request is there for half an hour, for whoever has just sent it; it asks for the email address like any other.
"""

import time
import uuid

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from enquiries import actions, clock
from enquiries.asking.advice import advice
from enquiries.manage import link
from enquiries.models import Enquiry, Kind, Status
from factsheets import safety

LINK_SECONDS = 30 * 60  # for the private link
PAGE_SECONDS = 24 * 60 * 60  # after that the address shows what everybody's does

SIGNER = signing.TimestampSigner(salt="enquiries.asking.sent", sep=".")


def address(enquiry: Enquiry) -> str:
    """Where the browser goes once the enquiry is kept."""
    name = f"enquiries:{enquiry.kind}_sent"
    if enquiry.safety_signs or enquiry.status == Status.SPAM or not actions.is_mailed(enquiry):
        return reverse(f"{name}_as", args=[SIGNER.sign(enquiry.pk.hex)])
    return reverse(name)


def page(request, kind: Kind, token: str = "") -> HttpResponse:
    tiers, when = safety.tiers(), clock.promise(timezone.now())
    context = {"kind": kind, "safety_tiers": tiers, "when": when, "emailed": True, "owed": True}
    enquiry, age = opened(kind, token)
    if enquiry:
        context["owed"] = enquiry.status != Status.SPAM
        context["emailed"] = actions.is_mailed(enquiry)
        context["advice"] = advice(enquiry.safety_signs.split(), tiers)
        context["when"] = when | {"reply": _reply(enquiry)}
        if context["owed"] and not context["emailed"] and age < LINK_SECONDS:
            context["manage"] = link.address(enquiry)
    return render(request, "enquiries/asking/sent.html", context)


def _reply(enquiry: Enquiry) -> str:
    return clock.in_words(enquiry.reply_by, timezone.now()) if enquiry.reply_by else ""


def opened(kind: Kind, token: str) -> tuple[Enquiry | None, float]:
    """The enquiry that an address names, and how many seconds ago it was made. None: too old, erased, or none of ours."""
    try:
        key = uuid.UUID(SIGNER.unsign(token, max_age=PAGE_SECONDS))
    except (signing.BadSignature, ValueError):
        return None, 0
    made_at = signing.b62_decode(token.split(".")[1])
    return Enquiry.objects.filter(pk=key, kind=kind, erased_at=None).first(), time.time() - made_at
