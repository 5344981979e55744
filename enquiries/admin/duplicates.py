"""The pages on which an enquiry is marked as a duplicate of another, and made one of its own again."""

from django import forms
from django.contrib import messages
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse

from backcare.core import phones
from backcare.core.crypto import blind_index
from backcare.core.readonly_admin import opened
from enquiries.actions import duplicates, transitions
from enquiries.admin.shown import to_change, version_shown
from enquiries.models import Enquiry


class SameAsForm(forms.Form):
    reference = forms.CharField(
        label="Reference of the other enquiry",
        help_text="For example, BCDF-2346. That one stays open and this one is closed.",
        max_length=12,
        error_messages={"required": "Enter the reference of the other enquiry"},
    )

    def clean_reference(self):
        """The enquiry that is meant."""
        bare = self.cleaned_data["reference"].replace("-", "").replace(" ", "").upper()
        found = Enquiry.objects.select_related("same_as").filter(reference=f"{bare[:4]}-{bare[4:]}").first()
        if found is None:
            raise forms.ValidationError("No enquiry has this reference. Check the letters and numbers.")
        return found


def same_as(model_admin, request, pk):
    """Which one is it the same as? Shows the two side by side, and links them once that is confirmed."""
    enquiry = to_change(model_admin, request, pk)
    posted = request.method == "POST"
    form = SameAsForm(request.POST if posted else request.GET if "reference" in request.GET else None)
    main, refusal = None, ""
    if form.is_bound and form.is_valid():
        main = duplicates.main_of(form.cleaned_data["reference"])
        if posted:
            try:
                duplicates.link(enquiry=enquiry, main=main, by=request.user, version=version_shown(request))
            except (transitions.MoveRefused, transitions.StaleEnquiry) as error:
                refusal = str(error)
                enquiry.refresh_from_db()
            else:
                messages.success(request, f"{enquiry.reference} closed as a duplicate of {main.reference}.")
                return HttpResponseRedirect(main.get_admin_url())
        elif main == enquiry:
            main, refusal = None, "That is this enquiry, or one already linked to it."
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Mark as a duplicate: {enquiry.reference}",
        "opts": model_admin.opts,
        "enquiry": enquiry,
        "form": form,
        "pair": [_told(enquiry), _told(main)] if main else [],
        "main": main,
        "differ": main and not _share(enquiry, main),
        "refusal": refusal,
    }
    status = 422 if refusal or form.errors else 200
    return TemplateResponse(request, "admin/enquiries/enquiry/same_as.html", context, status=status)


def another(model_admin, request, pk):
    """It was no duplicate after all."""
    enquiry = to_change(model_admin, request, pk)
    try:
        duplicates.unlink(enquiry=enquiry, by=request.user, version=version_shown(request))
        messages.success(request, "No longer marked as a duplicate. Moved to in progress.")
    except (transitions.MoveRefused, transitions.StaleEnquiry) as refusal:
        messages.error(request, str(refusal))
    return HttpResponseRedirect(enquiry.get_admin_url())


def _share(enquiry: Enquiry, other: Enquiry) -> bool:
    return any(getattr(other, column) in keys for column, keys in blind_index.keys_of(enquiry).items())


def _told(enquiry: Enquiry) -> dict:
    return {
        "enquiry": enquiry,
        "name": opened(enquiry, "name"),
        "email": opened(enquiry, "email"),
        "phone": phones.in_words(opened(enquiry, "phone")),
    }
