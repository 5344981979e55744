"""Exporting and importing content: all of it as one file, and what another site's file would change here."""

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from backcare.core.forms import as_number
from factsheets import content_export, content_import, content_upload
from factsheets.fixtures import ContentError
from factsheets.models import FactSheet

NOTHING_CHANGED = "Nothing has been changed."


@require_safe
def download(request):
    if not request.user.has_perm("factsheets.change_factsheet"):
        raise PermissionDenied
    name = f"{content_export.FOLDER}-{timezone.localdate().isoformat()}.zip"
    response = HttpResponse(content_export.as_zip(), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


class UploadForm(forms.Form):
    file = forms.FileField(
        label="File with content",
        widget=forms.FileInput(attrs={"accept": ".zip,application/zip"}),
        help_text="A ZIP file, as “Download all content” of another site made it.",
        error_messages={
            "required": "Choose a file first.",
            "empty": "The file is empty. Choose another.",
        },
    )

    def __init__(self, *args, by=None, **kwargs):
        super().__init__(*args, **kwargs)
        self.by = by

    def clean_file(self):
        file = self.cleaned_data["file"]
        try:
            content_upload.keep(name=file.name, data=file.read(content_upload.MAX_BYTES + 1), by=self.by)
        except ContentError as error:
            raise forms.ValidationError(f"{error} {NOTHING_CHANGED}") from error
        return file


@require_http_methods(["GET", "HEAD", "POST"])
def import_page(request):
    """Choose a file, read the difference, import it with one press."""
    if not content_import.may_import(request.user):
        raise PermissionDenied
    form = UploadForm(by=request.user)
    if request.method == "POST":
        done = request.POST.get("do")
        if done == "take":
            return _take(request)
        if done == "leave":
            content_upload.drop(request.user)
            messages.info(request, f"Put away. {NOTHING_CHANGED}")
            return HttpResponseRedirect(reverse("admin:factsheets_import_content"))
        form = UploadForm(request.POST, request.FILES, by=request.user)
        if form.is_valid():
            return HttpResponseRedirect(reverse("admin:factsheets_import_content"))
    return _page(request, form)


def _page(request, form: UploadForm, chosen: dict[str, int] | None = None, status: int = 200):
    """The form, or what the chosen file would change. `chosen`: the choices of an import that was refused."""
    upload = None if form.errors else content_upload.of(request.user)
    theirs = "theirs" in request.GET
    context = admin.site.each_context(request) | {
        "title": "Import content",
        "opts": FactSheet._meta,
        "form": form,
        "upload": upload,
        "refusal": "",
    }
    if upload:
        try:
            with content_upload.unpacked(upload) as folder:
                found = content_import.import_content(folder, by=request.user)
            choices = [(each, _level(each, chosen or {}, theirs)) for each in found.choices.values()]
            context |= {
                "found": found,
                "choices": choices,
                "is_all_ours": any(each.ours for each, _ in choices) and not theirs,
                "may_take": not found.is_empty or any(not each.blocked for each, _ in choices),
                "seen": content_import.digest_of(found),
            }
        except ContentError as error:
            context["refusal"] = str(error)
    return render(request, "admin/factsheets/import_content.html", context, status=status)


def _level(choice: content_import.Choice, chosen: dict[str, int], theirs: bool) -> int:
    """Which of its levels is ticked on the page."""
    offered = [level for level, _ in choice.levels]
    asked = chosen.get(choice.key, offered[-1] if theirs else choice.usual)
    return asked if asked in offered else choice.usual


def _take(request):
    upload = content_upload.of(request.user)
    prefix = "level-"
    chosen = {
        name.removeprefix(prefix): as_number(value) or 0
        for name, value in request.POST.items()
        if name.startswith(prefix)
    }
    here = reverse("admin:factsheets_import_content")
    if upload is None:  # pressed twice, or in another tab
        messages.warning(request, "There is no file to import. If you have just pressed the button, it is done.")
        return HttpResponseRedirect(here)
    seen = request.POST.get("seen", "")
    try:
        with content_upload.unpacked(upload) as folder:
            found = content_import.import_content(folder, by=request.user, apply=True, chosen=chosen, seen=seen)
    except ContentError as error:
        messages.error(request, f"{error} {NOTHING_CHANGED}")
        return _page(request, UploadForm(by=request.user), chosen, status=422)
    if found.is_empty and any(each.blocked for each in found.choices.values()):
        for each in found.left:
            messages.warning(request, f"Left out: {each}")
        return _page(request, UploadForm(by=request.user), chosen, status=422)
    content_upload.drop(request.user)
    if found.is_empty and found.waiting:
        said = "; ".join(found.waiting)
        messages.info(request, f"Nothing of {upload.name} was taken. Already in an open draft, word for word: {said}.")
    elif found.is_empty:
        messages.info(request, f"Nothing of {upload.name} was taken: you kept everything as it is here.")
    else:
        in_drafts = found.sheets or found.shared or found.red_flags
        drafts = " Publish the drafts when they have been read." if in_drafts else ""
        messages.success(request, f"The content of {upload.name} has been imported.{drafts}")
    for each in found.left:
        messages.warning(request, f"Left out: {each}")
    return HttpResponseRedirect(reverse("admin:factsheets_factsheet_changelist"))
