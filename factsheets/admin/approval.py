"""Approvals on the desk: what stands approved, what is waiting, and the form by which a clinician approves it."""

import re

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
from factsheets.models import Approval, Register, Subject


class ClinicianForm(forms.Form):
    """Who answers for the words: shared by the approval of what is live and of a draft of the red flags."""

    name = forms.CharField(
        label="Your name, as patients will read it",
        max_length=150,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "name"}),
        error_messages={"required": "Enter your name"},
    )
    register = forms.ChoiceField(
        label="Your register",
        choices=[("", "Choose"), *Register.choices],
        error_messages={"required": "Choose your register"},
    )
    number = forms.CharField(
        label="Your registration number",
        max_length=20,
        widget=forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"}),
        help_text="Patients see your name, register and number.",
        error_messages={"required": "Enter your registration number"},
    )
    confirm = forms.BooleanField(
        label="I have read it all and I approve it for patients",
        error_messages={"required": "Tick the box once you have read it all"},
    )
    digest = forms.CharField(max_length=64, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if len(name.split()) < 2:
            raise forms.ValidationError("Enter your first name and surname")
        return name

    def clean_number(self) -> str:
        return re.sub(r"[\s-]", "", self.cleaned_data["number"]).upper()

    def clean(self):
        cleaned = super().clean()
        register, number = cleaned.get("register"), cleaned.get("number")
        if register and number:
            pattern, words = approvals.NUMBERS[register]
            if not re.fullmatch(pattern, number, re.ASCII):
                self.add_error("number", f"Check the number: a {register} number has {words}")
        return cleaned

    def clinician(self) -> dict[str, str]:
        return {name: self.cleaned_data[name] for name in ("name", "register", "number")}


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
    form = ClinicianForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = approvals.approve(
                subject=subject, digest=form.cleaned_data["digest"], by=request.user, **form.clinician()
            )
        except approvals.ApprovalRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"Approved: {made.get_subject_display()}, {made.version}.")
            return HttpResponseRedirect(reverse("admin:factsheets_approval_changelist"))
    standing = approvals.standing(subject)
    approvable = approvals.of(subject)
    if form.is_bound:
        # What was typed stays; what is approved next is what this page shows.
        form.data = form.data.copy()
    (form.data if form.is_bound else form.initial)["digest"] = standing.digest
    if not form.is_bound:
        form.initial |= {"name": request.user.get_full_name(), **as_last_time(request.user)}
    context = {
        "title": f"Approval: {standing.subject.label}",
        "standing": standing,
        "shown": approvable.template,
        "form": form,
        "may_approve": may_approve(request.user),
        **approvable.context(),
    }
    return _page(request, "subject.html", context, status=422 if form.errors else 200)


def as_last_time(user) -> dict[str, str]:
    """Or, the first time, as the owner entered them among the people who work here."""
    last = Approval.objects.filter(by=user).exclude(name="").first() or team.of(user)
    return {"name": last.name, "register": last.register, "number": last.number} if last else {}


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
    """The log of decisions. They are made on the pages above, and none is ever changed."""

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
