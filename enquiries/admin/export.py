"""The page that asks what to export and why, and the log of what was exported."""

from datetime import timedelta
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from backcare.core.forms import DayField
from backcare.core.private_pages import personal
from backcare.core.readonly_admin import ReadOnlyMixin
from enquiries import clock
from enquiries.actions import exports
from enquiries.inbox import dashboard, queues
from enquiries.models import Enquiry, Export

MAX_SELECTED = 1_000
SELECTED, DATES = "selected", "dates"


class ExportForm(forms.Form):
    which = forms.ChoiceField(
        label="Which enquiries?", widget=forms.RadioSelect, error_messages={"required": "Choose which enquiries"}
    )
    from_day = DayField(label="Received from")
    to_day = DayField(label="Received up to and including")
    personal = forms.BooleanField(
        label="Include contact details: name, email address and phone number",
        help_text="This will be logged on each enquiry’s timeline.",
        required=False,
    )
    reason = forms.CharField(
        label="Why do you need it?",
        help_text="Kept with your name in the export log. Do not name a patient here.",
        min_length=exports.MIN_REASON_LENGTH,
        max_length=500,
        widget=forms.TextInput(attrs={"size": 50}),
        error_messages={
            "required": "Say why you need it",
            "min_length": "Say why in at least 10 characters",
        },
    )
    selection = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args, user, selected: int = 0, **kwargs):
        super().__init__(*args, **kwargs)
        which = [(queue.name, f"Queue: {queue.label}") for queue in queues.QUEUES]
        if selected:
            which.insert(0, (SELECTED, f"The {selected} you ticked" if selected > 1 else "The one you ticked"))
        self.fields["which"].choices = [*which, (DATES, "Everything received between two dates, except spam")]
        if not user.has_perm("enquiries.export_personal"):
            del self.fields["personal"]

    def clean_reason(self):
        return " ".join(self.cleaned_data["reason"].split())

    def clean(self):
        given = super().clean()
        if given.get("which") == DATES:
            for name in ("from_day", "to_day"):
                if not given.get(name) and name not in self.errors:
                    self.add_error(name, "Enter a date")
            if given.get("from_day") and given.get("to_day") and given["from_day"] > given["to_day"]:
                self.add_error("to_day", "This date must be on or after the first one")
        return given


def page(model_admin, request, *, selection: str = ""):
    """Asks, and streams the file once everything is answered."""
    if not model_admin.has_view_permission(request):
        raise PermissionDenied
    asked = request.method == "POST" and "export" in request.POST
    keys = _keys(request.POST.get("selection", "") if asked else selection)
    if asked:
        form = ExportForm(request.POST, user=request.user, selected=len(keys))
        if form.is_valid():
            return _file(request, form.cleaned_data, keys)
    else:
        start = {"which": SELECTED if keys else queues.DEFAULT, "selection": selection}
        form = ExportForm(initial=start, user=request.user, selected=len(keys))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Export enquiries",
        "opts": model_admin.opts,
        "form": form,
        "may_take_personal": "personal" in form.fields,
    }
    status = 422 if form.errors else 200
    return TemplateResponse(request, "admin/enquiries/enquiry/export.html", context, status=status)


def _keys(selection: str) -> list[UUID]:
    try:
        return [UUID(key) for key in selection.split(",") if key][:MAX_SELECTED]
    except ValueError:
        return []


@personal
def _file(request, given, keys) -> StreamingHttpResponse:
    now = timezone.now()
    queryset = Enquiry.objects.order_by("-created_at", "pk")
    if given["which"] == SELECTED:
        queryset, what = queryset.filter(pk__in=keys), "Ticked by hand"
    elif given["which"] == DATES:
        first, last = given["from_day"], given["to_day"]
        until = dashboard.midnight(last + timedelta(days=1))
        queryset = queryset.filter(dashboard.ASKED, created_at__gte=dashboard.midnight(first), created_at__lt=until)
        what = f"Received from {first:%-d %B %Y} to {last:%-d %B %Y}"
    else:
        queryset = queues.rows(queryset, given["which"], now=now, user=request.user, hours=clock.load().hours)
        what = f"Queue: {queues.BY_NAME[given['which']].label}"
    personal = given.get("personal", False)
    found = exports.export(queryset=queryset, what=what, by=request.user, reason=given["reason"], personal=personal)
    name = f"enquiries-{timezone.localtime(now):%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(found, content_type="text/csv; charset=utf-8", headers=headers)


@admin.register(Export)
class ExportAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """Every past export. For the owner."""

    list_display = ["taken", "actor", "what", "how_many", "with_contact_details", "reason"]
    list_filter = ["with_contact_details"]
    fields = ["taken", "actor", "what", "how_many", "columns", "with_contact_details", "reason"]

    @admin.display(description="when", ordering="at")
    def taken(self, export):
        return clock.at_words(export.at, timezone.now())
