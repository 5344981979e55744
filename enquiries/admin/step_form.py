"""What the steps of an enquiry share: their form, and the enquiry that a posted page is about."""

from django import forms
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404

from enquiries.inbox import people
from enquiries.models import Enquiry


class StaffField(forms.ModelChoiceField):
    def label_from_instance(self, user):
        return people.full_name(user)


class StepForm(forms.Form):
    """What every step carries: the version of the enquiry that the page showed.

    All steps of a page are parts of one form, so that a button sends what was typed into the others as well.
    """

    use_required_attribute = False  # or the browser would hold back one step for the empty fields of another
    version = forms.IntegerField(widget=forms.HiddenInput)
    button: str
    heading: str

    def act(self, enquiry: Enquiry, by) -> str:
        """Does it, and returns what to tell the member of staff."""
        raise NotImplementedError

    @classmethod
    def start(cls, enquiry: Enquiry) -> dict:
        """The values with which its fields begin."""
        return {"version": enquiry.version}


def to_change(model_admin, request, pk) -> Enquiry:
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if not model_admin.has_change_permission(request, enquiry):
        raise PermissionDenied
    return enquiry


def version_shown(request) -> int:
    """The version that the page showed. A page without one showed none that holds."""
    given = request.POST.get("version", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else 0
