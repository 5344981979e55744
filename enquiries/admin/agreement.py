"""The button by which staff keep that the person for whom somebody asked agrees now."""

from django.contrib import messages
from django.http import HttpResponseRedirect

from enquiries.actions import contact, transitions
from enquiries.admin.shown import to_change, version_shown


def they_agree(model_admin, request, pk):
    enquiry = to_change(model_admin, request, pk)
    try:
        contact.they_agree_now(enquiry=enquiry, by=request.user, version=version_shown(request))
        messages.success(request, "Saved: they now know and agree.")
    except (transitions.MoveRefused, transitions.StaleEnquiry) as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(enquiry.get_admin_url())
