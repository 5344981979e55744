from django.http import HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from enquiries import actions
from enquiries.forms import ConsultationForm, EnquiryForm, QuestionForm
from factsheets import safety
from factsheets.models import FactSheet


def _ask(request, form_class: type[EnquiryForm], template: str, **form_options):
    """A form's own page, which the forms at the foot of the sheets are sent to as well."""
    kind = form_class.kind
    address = reverse(f"enquiries:{kind}")
    if request.method != "POST":
        slug = request.GET.get("sheet", "")
        sheet = FactSheet.objects.published().filter(slug=slug[:80].replace("\x00", "")).first()
        form = form_class(prefix=kind, action=address, initial={"sheet": sheet.slug if sheet else ""}, **form_options)
        return render(request, template, _context(form))
    form = form_class(request.POST, prefix=kind, action=address, **form_options)
    if not form.is_valid():
        return render(request, template, _context(form), status=422)
    actions.accept(
        kind=kind,
        details=form.details(),
        contact_by=form.cleaned_data.get("contact_by"),
        sheet=form.cleaned_data.get("sheet"),
        quarantine_reason=form.quarantine_reason,
    )
    return HttpResponseRedirect(reverse(f"enquiries:{kind}_sent"), status=303)


def _context(form) -> dict:
    return {"form": form, "safety_tiers": safety.tiers()}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def consultation(request):
    return _ask(request, ConsultationForm, "enquiries/consultation.html")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def question(request):
    return _ask(request, QuestionForm, "enquiries/question.html")


# The confirmations are the same for everybody: they hold nothing personal, so nothing in them can expire or leak.


@require_safe
def consultation_sent(request):
    return render(request, "enquiries/consultation_sent.html", {"safety_tiers": safety.tiers()})


@require_safe
def question_sent(request):
    return render(request, "enquiries/question_sent.html", {"safety_tiers": safety.tiers()})
