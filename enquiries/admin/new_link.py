"""The button that emails the patient a new private link."""

from django.contrib import messages
from django.http import HttpResponseRedirect

from enquiries.actions import contact, transitions
from enquiries.admin.shown import to_change


def send_new_link(model_admin, request, pk):
    enquiry = to_change(model_admin, request, pk)
    try:
        if contact.send_new_link(enquiry=enquiry, by=request.user):
            messages.success(request, "A new link is being emailed to the patient.")
        else:
            messages.info(request, "A new link is already being emailed.")
    except transitions.MoveRefused as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(enquiry.get_admin_url())
