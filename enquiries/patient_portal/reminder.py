"""“Do not remind me”: the link in the emails about an appointment, and the page behind it.

It asks for no email address, because all that a stranger could do with it is keep one email away. GET changes nothing, because mail
scanners fetch every link. The page says nothing about the appointment, or whether there is one.
"""

from django.conf import settings
from django.http import Http404
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from backcare.core.private_pages import personal
from enquiries.actions.appointment_reminders import refuse_reminder
from enquiries.models import Enquiry
from enquiries.private_links import SecretLink

LINK = SecretLink("enquiries.patient_portal.reminder")


def address(enquiry: Enquiry) -> str:
    return f"{settings.BASE_URL}{reverse('enquiries:no_reminder', args=[LINK.token(enquiry)])}"


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def no_reminder(request, token: str):
    key = LINK.key_of(token)
    if key is None:
        raise Http404("Not a link of ours")
    done = request.method == "POST"
    if done and (enquiry := Enquiry.objects.filter(pk=key, erased_at=None).first()):
        refuse_reminder(enquiry=enquiry)
    return render(request, "enquiries/no_reminder.html", {"address": request.path, "done": done})
