"""The button that opens what a patient wrote."""

from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404

from enquiries.actions import reading
from enquiries.models import Enquiry


def show_words(model_admin, request, pk):
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if not model_admin.has_view_permission(request, enquiry):
        raise PermissionDenied
    reading.show_words(enquiry=enquiry, by=request.user)
    return HttpResponseRedirect(enquiry.get_admin_url())
