"""“Delete my data now”: the link in the mail that brings a report, and the page behind it.

The link names the request and the mailbox that the mail went to, so that the mail of a wrong address, which was corrected since,
deletes nothing of whoever has the right one. It shows nothing, so it asks for nothing: one press of the page's button deletes.

GET changes nothing, because mail scanners fetch every link.
"""

import uuid

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from backcare.core.private_pages import personal
from enquiries import abuse
from enquiries.actions import erasure
from enquiries.models import Enquiry

SIGNER = signing.Signer(salt="enquiries.report.deletion", sep=".")


def address(enquiry: Enquiry, email: str) -> str:
    """With the site's own address, for the mail to `email`."""
    token = SIGNER.sign(f"{enquiry.pk.hex}-{abuse.stop_key(email)}")
    return f"{settings.BASE_URL}{reverse('enquiries:report_delete', args=[token])}"


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request, token: str):
    """Asks once, then erases the request: name, address, answers and summary. What is gone already is said to be gone."""
    enquiry = _find(token)
    if enquiry is None:
        return HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303)
    if request.method != "POST":
        return render(request, "enquiries/report_delete.html", {"address": request.path})
    erasure.erase(enquiry=enquiry, actor="patient", summary="With “Delete my data now” in the email")
    return HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303)


def _find(token: str) -> Enquiry | None:
    """None when nothing is left, or when it is for another address by now. Raises Http404 for a link we never made."""
    try:
        row, _, key = SIGNER.unsign(token).partition("-")
        found = Enquiry.objects.filter(pk=uuid.UUID(row), erased_at=None).first()
    except (signing.BadSignature, ValueError):
        raise Http404("Not a link of ours") from None
    return found if found and key in abuse.stop_keys(found.email) else None
