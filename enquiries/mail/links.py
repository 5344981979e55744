"""Links in our emails that ask for nothing but one press: “Stop these emails”, “Delete my data now” and “Do not remind me”.

Each is signed and made when the mail is, so the outbox never holds it. GET changes nothing, because mail scanners fetch every link.
"""

import uuid
from http import HTTPStatus

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from backcare.core.private_pages import personal
from enquiries import abuse
from enquiries.actions import erasure
from enquiries.actions.appointments import refuse_reminder
from enquiries.models import Enquiry
from enquiries.private_links import SecretLink

# “Not you? Stop these emails”: the link in each mail that a stranger can cause to be sent, and the page behind it.
#
# The link holds a keyed hash of the mailbox it was sent to, so it works when the request is long erased, and after its address was
# corrected it still means the mailbox that got the mail.
#
# One POST serves the page's button and the “unsubscribe” of a mail program (RFC 8058: no cookie, no redirect, nothing more to
# press).

LINK_DAYS = 365  # as long as the address stays on the list: an old mail may be the one that somebody finds

STOP_SIGNER = signing.TimestampSigner(salt="enquiries.report.stop", sep=".")


def stop_address(email: str) -> str:
    token = STOP_SIGNER.sign(abuse.stop_key(email))
    return f"{settings.BASE_URL}{reverse('enquiries:stop_mails', args=[token])}"


def unsubscribe_headers(link: str) -> dict[str, str]:
    """RFC 2369 and RFC 8058. Whoever signs our mail with DKIM has to sign these two as well."""
    return {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def stop(request: HttpRequest, token: str) -> HttpResponse:
    context = {"address": request.path, "months": erasure.STOPPED_MONTHS}
    try:
        key = STOP_SIGNER.unsign(token, max_age=LINK_DAYS * 24 * 60 * 60)
    except signing.SignatureExpired:
        return render(request, "enquiries/stop_mails.html", {"over": True}, status=HTTPStatus.GONE)
    except signing.BadSignature:
        raise Http404("Not a link of ours") from None
    if request.method == "POST":
        erasure.stop_mails(key=key)
        context["done"] = True
    return render(request, "enquiries/stop_mails.html", context)


# “Delete my data now”: the link in the mail that brings a report, and the page behind it.
#
# The link names the request and the mailbox that the mail went to, so that the mail of a wrong address, which was corrected since,
# deletes nothing of whoever has the right one. It shows nothing, so it asks for nothing: one press of the page's button deletes.

DELETION_SIGNER = signing.Signer(salt="enquiries.report.deletion", sep=".")


def deletion_address(enquiry: Enquiry, email: str) -> str:
    """With the site's own address, for the mail to `email`."""
    token = DELETION_SIGNER.sign(f"{enquiry.pk.hex}-{abuse.stop_key(email)}")
    return f"{settings.BASE_URL}{reverse('enquiries:report_delete', args=[token])}"


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def delete_report(request: HttpRequest, token: str) -> HttpResponse:
    """Asks once, then erases the request: name, address, answers and summary. What is gone already is said to be gone."""
    enquiry = _report_of(token)
    if enquiry is None:
        return HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303)
    if request.method != "POST":
        return render(request, "enquiries/report_delete.html", {"address": request.path})
    erasure.erase(enquiry=enquiry, actor="patient", summary="With “Delete my data now” in the email")
    return HttpResponseRedirect(reverse("enquiries:summary_deleted"), status=303)


def _report_of(token: str) -> Enquiry | None:
    """None when nothing is left, or when it is for another address by now. Raises Http404 for a link we never made."""
    try:
        row, _, key = DELETION_SIGNER.unsign(token).partition("-")
        found = Enquiry.objects.filter(pk=uuid.UUID(row), erased_at=None).first()
    except (signing.BadSignature, ValueError):
        raise Http404("Not a link of ours") from None
    return found if found and key in abuse.stop_keys(found.email) else None


# “Do not remind me”: the link in the emails about an appointment, and the page behind it.
#
# It asks for no email address, because all that a stranger could do with it is keep one email away. The page says
# nothing about the appointment, or whether there is one.

REMINDER_LINK = SecretLink("enquiries.patient_portal.reminder")


def reminder_address(enquiry: Enquiry) -> str:
    return f"{settings.BASE_URL}{reverse('enquiries:no_reminder', args=[REMINDER_LINK.token(enquiry)])}"


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def no_reminder(request: HttpRequest, token: str) -> HttpResponse:
    key = REMINDER_LINK.key_of(token)
    if key is None:
        raise Http404("Not a link of ours")
    done = request.method == "POST"
    if done and (enquiry := Enquiry.objects.filter(pk=key, erased_at=None).first()):
        refuse_reminder(enquiry=enquiry)
    return render(request, "enquiries/no_reminder.html", {"address": request.path, "done": done})
