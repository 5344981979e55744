"""The page on which a fold of warning signs is settled in one step."""

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from enquiries.actions import folds, transitions
from enquiries.models import Enquiry

WHAT_FOLLOWS = {
    folds.FoldOutcome.NOT_PATIENTS: "moves them to spam",
    folds.FoldOutcome.REPEATS: "closes them",
    folds.FoldOutcome.NO_SIGN: "keeps them open for an answer",
}


class FoldForm(forms.Form):
    outcome = forms.ChoiceField(
        label="What did you do?",
        choices=[(each.value, f"{each.label} ({follows})") for each, follows in WHAT_FOLLOWS.items()],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what you did"},
    )
    reason = forms.CharField(
        label="How you know",
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Say how you know"},
    )
    # What the page showed: the newest of them, and how many.
    last = forms.UUIDField(widget=forms.HiddenInput)
    number = forms.IntegerField(widget=forms.HiddenInput)


def settle(model_admin, request, flood):
    """What was typed is never lost: an error, or a list that has changed, gives the form back filled in."""
    if not model_admin.has_change_permission(request):
        raise PermissionDenied
    if not Enquiry.objects.filter(flood=flood, folded=True).exists():
        raise Http404
    form, refusal = FoldForm(request.POST or None), ""
    if form.is_valid():
        try:
            settled = folds.settle_fold(flood=flood, by=request.user, **form.cleaned_data)
        except (transitions.MoveRefused, transitions.StaleEnquiry) as error:
            refusal = str(error)
        else:
            _say(request, len(settled), folds.unsettled(flood).count())
            return HttpResponseRedirect(f"{reverse('admin:enquiries_enquiry_changelist')}?queue=safety")
    rows = list(folds.unsettled(flood))
    shown = {"last": rows[-1].pk if rows else "", "number": len(rows)}
    if form.is_bound:
        typed = request.POST.copy()
        typed.update(shown)  # what is sent next is about what is shown now
        form = FoldForm(typed)
    else:
        form = FoldForm(initial=shown)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Settle {len(rows)} together",
        "opts": model_admin.opts,
        "form": form,
        "rows": rows,
        "taken": folds.taken(flood),
        "flood": flood,
        "refusal": refusal,
    }
    status = 422 if form.errors or refusal else 200
    return TemplateResponse(request, "admin/enquiries/enquiry/fold.html", context, status=status)


def _say(request, settled: int, came: int) -> None:
    messages.success(request, f"Recorded for {settled}.")
    if came:
        messages.warning(request, f"{came} more arrived while you were reading. They are still in the safety queue.")
