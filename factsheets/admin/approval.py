"""Approvals on the desk: what is approved, what is waiting, and the form with which a clinician approves it."""

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_http_methods, require_POST

from backcare.core.readonly_admin import ReadOnlyMixin
from factsheets import approvals, team
from factsheets.models import Approval, Subject


class ApproveForm(forms.Form):
    """For what is live, and for a draft of the red flags. Who signs is in their own record (`approvals.signed_by`)."""

    confirm = forms.BooleanField(
        label="I have read it all and I approve it for patients",
        error_messages={"required": "Tick the box once you have read it all"},
    )
    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)


def may_read(user) -> bool:
    return user.has_perm("factsheets.view_approval")


def may_approve(user) -> bool:
    return user.has_perm("factsheets.add_approval")


@require_http_methods(["GET", "HEAD", "POST"])
def subject_page(request, subject: str):
    """Everything that one approval covers, and the form that approves it. POST approves what the page showed."""
    may = may_approve if request.method == "POST" else may_read
    if not may(request.user):
        raise PermissionDenied
    if subject not in Subject.values:
        raise Http404
    form = ApproveForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = approvals.approve(subject=subject, digest=form.cleaned_data["digest"], by=request.user)
        except approvals.ApprovalRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Approved: {made.get_subject_display()}, {made.version}.")
            return HttpResponseRedirect(reverse("admin:factsheets_approval_changelist"))
    standing = approvals.standing(subject)
    approvable = approvals.of(subject)
    if form.is_bound:
        # What was typed stays. The next press approves what this page shows.
        form.data = form.data.copy()
    (form.data if form.is_bound else form.initial)["digest"] = standing.digest
    context = {
        "title": f"Approval: {standing.subject.label}",
        "standing": standing,
        "shown": approvable.template,
        "form": form,
        "may_approve": may_approve(request.user),
        "why_not_sign": team.why_no_reviewer(request.user),
        "signs_as": team.line_of(request.user),
        **approvable.context(),
    }
    return _page(request, "subject.html", context, status=422 if form.errors else 200)


@require_POST
def withdraw(request, subject: str):
    if not may_approve(request.user):
        raise PermissionDenied
    if subject not in Subject.values:
        raise Http404
    try:
        approvals.withdraw(subject=subject, reason=request.POST.get("reason", "")[:500], by=request.user)
    except approvals.ApprovalRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "Approval withdrawn.")
    return HttpResponseRedirect(reverse("admin:factsheets_approval_changelist"))


def _page(request, template: str, context: dict, status: int = 200):
    base = admin.site.each_context(request) | {"opts": Approval._meta}
    return render(request, f"admin/factsheets/approval/{template}", base | context, status=status)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """The log of decisions. They are made on the pages above, and never changed."""

    list_display = ["subject", "decision", "version", "name", "at"]

    def get_urls(self):
        wrap = self.admin_site.admin_view
        return [
            path("subject/<slug:subject>/", wrap(subject_page), name="factsheets_approval_subject"),
            path("subject/<slug:subject>/withdraw/", wrap(withdraw), name="factsheets_approval_withdraw"),
            *super().get_urls(),
        ]

    def changelist_view(self, request, extra_context=None):
        if not may_read(request.user):
            raise PermissionDenied
        context = {
            "title": "Approvals",
            "standings": [approvals.standing(subject) for subject in Subject.values],
            "check_is_open": approvals.check_is_open(),
            "needs_approval": settings.CHECK_NEEDS_APPROVAL,
            "decisions": Approval.objects.all()[:100],
            "may_approve": may_approve(request.user),
        }
        return _page(request, "overview.html", context)
