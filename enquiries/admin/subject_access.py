"""The owner's page for "Everything we hold about a person": find it, export it as one file, erase it in one step.

What is typed travels in the body of a form only, so that no address, log or history holds it.
"""

from functools import partial

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from backcare.core.private_pages import personal
from enquiries.actions import erasure
from enquiries.privacy import register, subject_access


class FindForm(forms.Form):
    typed = forms.CharField(
        label="Email address or phone number",
        max_length=254,
        help_text="In full. Spaces and capital letters do not matter.",
        error_messages={"required": "Enter an email address or a phone number"},
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "size": 40}),
    )

    def clean_typed(self):
        typed = self.cleaned_data["typed"]
        if "@" not in typed and sum(letter.isdigit() for letter in typed) < 6:
            raise forms.ValidationError("Enter a whole email address or a whole phone number")
        return typed


class EraseForm(forms.Form):
    reason = forms.ChoiceField(
        label="Why are you erasing it?",
        choices=[("", "Choose"), *erasure.Reason.choices],
        error_messages={"required": "Choose why you are erasing it"},
    )
    sure = forms.BooleanField(
        label="I have checked that all of this is about the person who asked, and that we do not have to keep it",
        error_messages={"required": "Tick the box when you have checked it"},
    )
    seen = forms.CharField(widget=forms.HiddenInput)


def urls(model_admin) -> list:
    view = model_admin.admin_site.admin_view(partial(page, model_admin))
    return [path("person/", view, name="enquiries_enquiry_person")]


def page(model_admin, request):
    """One address for everything: the posted data says which step."""
    return _page(request, model_admin=model_admin)


@personal
@require_http_methods(["GET", "HEAD", "POST"])
def _page(request, *, model_admin):
    if not request.user.is_superuser:
        raise PermissionDenied
    form = FindForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _answer(request, model_admin, {"form": form}, status=422 if form.is_bound else 200)
    enquiries = subject_access.find(form.cleaned_data["typed"])
    if enquiries and "export" in request.POST:
        return _file(request, enquiries)
    context = {
        "form": form,
        "searched": True,
        "enquiries": enquiries,
        "tables": _counted(enquiries),
        "seen": _seen(enquiries),
    }
    if not enquiries or "erase" not in request.POST:
        return _answer(request, model_admin, context)
    asked = "sure" in request.POST or "reason" in request.POST
    erasing = EraseForm(request.POST if asked else None, initial={"seen": _seen(enquiries)})
    if asked and request.POST.get("seen") != _seen(enquiries):
        # Something was added or removed since the list was shown, so it is shown again as it is now.
        context["changed"] = True
        erasing = EraseForm(initial={"seen": _seen(enquiries)})
    elif asked and erasing.is_valid():
        return _erased(request, enquiries, erasing.cleaned_data["reason"])
    return _answer(request, model_admin, context | {"erasing": erasing}, status=422 if asked else 200)


def _answer(request, model_admin, context: dict, status: int = 200):
    erasing = "erasing" in context
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Erase everything about a person" if erasing else "Everything we hold about a person",
        "opts": model_admin.opts,
        **context,
    }
    return TemplateResponse(request, "admin/enquiries/enquiry/person.html", context, status=status)


def _counted(enquiries) -> list[tuple[str, int]]:
    if not enquiries:
        return []
    return [(table.title, subject_access.rows(table, enquiries).count()) for table in register.about("patients")]


def _seen(enquiries) -> str:
    """What the list showed. A row that changed since has another version."""
    return " ".join(f"{each.reference}.{each.version}" for each in enquiries)


def _file(request, enquiries) -> HttpResponse:
    erasure.note_export(enquiries=enquiries, by=request.user)
    written = subject_access.as_json(subject_access.held(enquiries, now=timezone.now()))
    response = HttpResponse(written, content_type="application/json; charset=utf-8")
    # No name or address, because the file may stay in a downloads folder.
    response["Content-Disposition"] = f'attachment; filename="everything-held-{enquiries[0].reference}.json"'
    return response


def _erased(request, enquiries, reason: str) -> HttpResponseRedirect:
    cleared = erasure.erase_person(enquiries=enquiries, reason=reason, by=request.user)
    count = f"{len(enquiries)} enquir{'y' if len(enquiries) == 1 else 'ies'}"
    messages.success(request, f"Erased: {count}, with timeline notes, emails, answers and search entries.")
    if not cleared:
        messages.warning(request, "The last traces will be cleared from the database files within the hour.")
    return HttpResponseRedirect(reverse("admin:enquiries_enquiry_person"))
