"""“Not you? Stop these emails”: the link in each mail that a stranger can cause to be sent, and the page behind it.

The link holds a keyed hash of the mailbox it was sent to, so it works when the request is long erased, and after its address was
corrected it still means the mailbox that got the mail. It is made when the mail is: the outbox never holds it.

GET changes nothing, because mail scanners fetch every link. The one POST is that of the page's button, and that of a mail program
whose own “unsubscribe” was pressed (RFC 8058: no cookie, no redirect, nothing more to press).
"""

from http import HTTPStatus

from django.conf import settings
from django.core import signing
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from backcare.core.private_pages import personal
from enquiries import abuse
from enquiries.actions import stopping

LINK_DAYS = 365  # as long as the address stays on the list: an old mail may be the one that somebody finds

SIGNER = signing.TimestampSigner(salt="enquiries.report.stop", sep=".")


def address(email: str) -> str:
    token = SIGNER.sign(abuse.stop_key(email))
    return f"{settings.BASE_URL}{reverse('enquiries:stop_mails', args=[token])}"


def headers(link: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058. Whoever signs our mail with DKIM has to sign these two as well."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request, token: str):
    context = {"address": request.path, "months": stopping.STOPPED_MONTHS}
    try:
        key = SIGNER.unsign(token, max_age=LINK_DAYS * 24 * 60 * 60)
    except signing.SignatureExpired:
        return render(request, "enquiries/stop_mails.html", {"over": True}, status=HTTPStatus.GONE)
    except signing.BadSignature:
        raise Http404("Not a link of ours") from None
    if request.method == "POST":
        stopping.stop_mails(key=key)
        context["done"] = True
    return render(request, "enquiries/stop_mails.html", context)
