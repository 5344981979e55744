"""The enquiry that a posted page is about, and what that page showed of it."""

from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from enquiries.models import Enquiry


def to_change(model_admin, request, pk) -> Enquiry:
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if not model_admin.has_change_permission(request, enquiry):
        raise PermissionDenied
    return enquiry


def version_shown(request) -> int:
    """The version that the page showed. A page without one showed none that holds."""
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
