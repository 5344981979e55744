"""What the steps of an enquiry share: their form, and the enquiry that a posted page is about."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404

from backcare.core.forms import as_number
from enquiries.actions.triage import MoveRefused, StaleEnquiry
from enquiries.admin import inbox
from enquiries.models import Enquiry
from factsheets import team


class StaffField(forms.ModelChoiceField):
    def label_from_instance(self, user):
        return team.account_name(user)


def one_of(label: str, choices, *, missing: str) -> forms.ChoiceField:
    """A choice shown as radio buttons; `missing` is the message when none is chosen."""
    return forms.ChoiceField(
        label=label, choices=choices, widget=forms.RadioSelect, error_messages={"required": missing}
    )


class StepForm(forms.Form):
    """What every step carries: the version of the enquiry that the page showed. Each has a heading, a button, and what it does.

    All steps of a page are parts of one form, so that a button sends what was typed into the others as well.
    """

    use_required_attribute = False  # or the browser would refuse one step because another's fields are empty
    version = forms.IntegerField(widget=forms.HiddenInput)
    button: str
    heading: str
    act: Callable[[Enquiry, Any], str]  # takes the enquiry and who does it; returns what to tell them

    @classmethod
    def start(cls, enquiry: Enquiry) -> dict:
        """The values that its fields start with."""
        return {"version": enquiry.version}


def to_change(model_admin, request, pk) -> Enquiry:
    enquiry = get_object_or_404(Enquiry, pk=pk)
    if not model_admin.has_change_permission(request, enquiry):
        raise PermissionDenied
    return enquiry


def version_shown(request) -> int:
    """The version that the page showed. A page without one is out of date."""
    return as_number(request.POST.get("version", "")) or 0


def press(request, enquiry: Enquiry, action: Callable, done: str):
    """A button that is a whole step: takes it, says `done` or why not, and leads back to the page."""
    try:
        action(enquiry=enquiry, by=request.user, version=version_shown(request))
        messages.success(request, done)
    except (MoveRefused, StaleEnquiry) as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(inbox.back_to(request, enquiry))
