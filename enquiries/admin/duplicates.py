"""Enquiries handled as one: a duplicate of another, and a flood folded into one row."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from backcare.core import blind_index, phones
from backcare.core.encryption import readable
from enquiries.actions import triage
from enquiries.admin.step_base import one_of, press, to_change, version_shown
from enquiries.models import Enquiry
from enquiries.models.enquiry import as_reference
from factsheets import team


class SameAsForm(forms.Form):
    reference = forms.CharField(
        label="Reference of the other enquiry",
        help_text="For example, BCDF-2346. That one stays open and this one is closed.",
        max_length=40,
        error_messages={"required": "Enter the reference of the other enquiry"},
    )

    def clean_reference(self):
        """The enquiry that is meant."""
        reference = as_reference(self.cleaned_data["reference"])
        found = Enquiry.objects.select_related("same_as").filter(reference=reference).first()
        if found is None:
            raise forms.ValidationError("No enquiry has this reference. Check the letters and numbers.")
        return found


def same_as(model_admin, request, pk):
    """Asks which enquiry it duplicates, shows the two side by side, and links them on confirmation."""
    enquiry = to_change(model_admin, request, pk)
    posted = request.method == "POST"
    form = SameAsForm(request.POST if posted else request.GET if "reference" in request.GET else None)
    main, refusal = None, ""
    if form.is_bound and form.is_valid():
        main = triage.main_of(form.cleaned_data["reference"])
        if posted:
            try:
                triage.link(enquiry=enquiry, main=main, by=request.user, version=version_shown(request))
            except (triage.MoveRefused, triage.StaleEnquiry) as error:
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
    """Undoes the link, because it was not a duplicate after all."""
    enquiry = to_change(model_admin, request, pk)
    done = "No longer marked as a duplicate. Moved to in progress."
    return press(request, enquiry, triage.unlink, done)


def _share(enquiry: Enquiry, other: Enquiry) -> bool:
    return any(getattr(other, column) in keys for column, keys in blind_index.keys_of(enquiry).items())


def _told(enquiry: Enquiry) -> dict:
    return {
        "enquiry": enquiry,
        "name": readable(enquiry, "name"),
        "email": readable(enquiry, "email"),
        "phone": phones.in_words(readable(enquiry, "phone")),
        "owner": team.account_name(enquiry.owner) if enquiry.owner else "Unassigned",
    }


WHAT_FOLLOWS = {
    triage.FoldOutcome.NOT_PATIENTS: "moves them to spam",
    triage.FoldOutcome.REPEATS: "closes them",
    triage.FoldOutcome.NO_SIGN: "keeps them open for an answer",
}


class FoldForm(forms.Form):
    outcome = one_of(
        "What did you do?",
        [(each.value, f"{each.label} ({follows})") for each, follows in WHAT_FOLLOWS.items()],
        missing="Choose what you did",
    )
    reason = forms.CharField(
        label="How you know",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say how you know"},
    )
    # The newest of those that the page showed, and how many there were.
    last = forms.UUIDField(widget=forms.HiddenInput)
    number = forms.IntegerField(widget=forms.HiddenInput)


def settle(model_admin, request, flood):
    """Nothing typed is lost: after an error, or if the list has changed, the form is shown again, filled in."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    if not Enquiry.objects.filter(flood=flood, folded=True).exists():
        raise Http404
    form, refusal = FoldForm(request.POST or None), ""
    if form.is_valid():
        try:
            settled = triage.settle_fold(flood=flood, by=request.user, **form.cleaned_data)
        except (triage.MoveRefused, triage.StaleEnquiry) as error:
            refusal = str(error)
        else:
            _say(request, len(settled), triage.unsettled(flood).count())
            return HttpResponseRedirect(f"{reverse('admin:enquiries_enquiry_changelist')}?queue=safety")
    rows = list(triage.unsettled(flood))
    shown = {"last": rows[-1].pk if rows else "", "number": len(rows)}
    if form.is_bound:
        typed = request.POST.copy()
        typed.update(shown)  # the next press applies to what is shown now
        form = FoldForm(typed)
    else:
        form = FoldForm(initial=shown)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Settle {len(rows)} together",
        "opts": model_admin.opts,
        "form": form,
        "rows": rows,
        "taken": triage.taken(flood),
        "flood": flood,
        "refusal": refusal,
    }
    status = 422 if form.errors or refusal else 200
    return TemplateResponse(request, "admin/enquiries/enquiry/fold.html", context, status=status)


def _say(request, settled: int, came: int) -> None:
    messages.success(request, f"Recorded for {settled}.")
    if came:
        messages.warning(request, f"{came} more arrived while you were reading. They are still in the safety queue.")
