"""The owners' page "Who did what", and its export as a file, for which they give a reason."""

import csv
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlencode

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from backcare.core.forms import DayField, TextField
from backcare.core.private_pages import personal
from backcare.staff import audit
from backcare.staff.account_pages import owners_only
from enquiries.actions import exports
from enquiries.inbox.dashboard import midnight
from enquiries.models import Enquiry
from factsheets import team

LINES = 50  # on a page
FIELDS = ["who", "kind", "words", "from_day", "to_day", "reference"]


class Person(forms.ModelChoiceField):
    def label_from_instance(self, user: User) -> str:
        return team.account_name(user)


class FilterForm(forms.Form):
    who = Person(
        label="Who",
        queryset=User.objects.filter(is_staff=True).order_by("first_name", "username"),
        required=False,
        empty_label="Everyone",
        error_messages={"invalid_choice": "Choose somebody from the list."},
    )
    kind = forms.ChoiceField(
        label="What",
        choices=[("", "Everything"), *audit.Kind.choices],
        required=False,
        error_messages={"invalid_choice": "Choose one from the list."},
    )
    words = TextField(label="Words in the line", longest=80, required=False)
    from_day = DayField(label="From")
    to_day = DayField(label="Up to and including")
    reference = forms.CharField(
        label="Reference of an enquiry",
        required=False,
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "size": 12}),
    )

    def clean_reference(self) -> str:
        """A reference as people type it: in small letters, with a space instead of the hyphen, or without either."""
        letters = "".join(sign for sign in self.cleaned_data["reference"].upper() if sign.isalnum())
        if not letters:
            return ""
        reference = f"{letters[:4]}-{letters[4:]}"
        if not Enquiry.objects.filter(reference=reference).exists():
            raise forms.ValidationError("No enquiry has this reference. We delete the records of old enquiries.")
        return reference

    def clean(self):
        given = super().clean()
        first, last = given.get("from_day"), given.get("to_day")
        if first and last and first > last:
            self.add_error("to_day", "This date must be on or after the first one.")
        return given

    def asked(self) -> audit.Asked:
        """For a form that is valid."""
        given = self.cleaned_data
        return audit.Asked(
            who=given["who"],
            kind=given["kind"],
            since=given["from_day"] and midnight(given["from_day"]),
            until=given["to_day"] and midnight(given["to_day"] + timedelta(days=1)),
            reference=given["reference"],
            words=given["words"],
        )

    def in_words(self) -> str:
        """Which lines the file holds, in words."""
        given = self.cleaned_data
        words = [
            f"by {team.account_name(given['who'])}" if given["who"] else "",
            f"about {audit.Kind(given['kind']).label[0].lower()}{audit.Kind(given['kind']).label[1:]}"
            if given["kind"]
            else "",
            f"with “{given['words']}”" if given["words"] else "",
            f"from {given['from_day']:%-d %B %Y}" if given["from_day"] else "",
            f"up to {given['to_day']:%-d %B %Y}" if given["to_day"] else "",
            f"of {given['reference']}" if given["reference"] else "",
        ]
        return " ".join(["Exported “Who did what”", *(each for each in words if each)])


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label="Why do you need it?",
        help_text="Kept with your name, as a line of this list. Do not name a patient here.",
        min_length=exports.MIN_REASON_LENGTH,
        max_length=500,
        widget=forms.TextInput(attrs={"size": 50, "autocomplete": "off"}),
        error_messages={"required": "Say why you need it.", "min_length": "Say why in at least 10 characters."},
    )

    def clean_reason(self) -> str:
        reason = " ".join(self.cleaned_data["reason"].split())
        if len(reason) < exports.MIN_REASON_LENGTH:
            raise forms.ValidationError("Say why in at least 10 characters.")
        return reason


@owners_only
@personal
def who_did_what(request):
    """Shows the matching lines, or streams them as a file if a reason is given."""
    taking = request.method == "POST"
    form = FilterForm(request.POST if taking else request.GET, label_suffix="")
    why = ReasonForm(request.POST if taking else None, label_suffix="")
    lines, more = [], None
    after = None
    if form.is_valid():
        asked = form.asked()
        if taking and why.is_valid():
            return _file(request.user, form, asked, why.cleaned_data["reason"])
        after = None if taking else audit.Place.read(request.GET.get("after", ""))
        lines, more = audit.page(asked, after=after, size=LINES)
    held = {name: value for name in FIELDS if (value := form.data.get(name, ""))}
    context = {
        **admin.site.each_context(request),
        "title": "Who did what",
        "form": form,
        "why": why,
        "lines": lines,
        "held": held.items(),
        "query": urlencode(held),
        "older": urlencode({"after": str(more)}) if more else "",
        "is_later_page": after is not None,
        "looked_through": audit.LOOK_THROUGH if more and len(lines) < LINES else 0,
    }
    return TemplateResponse(request, "admin/audit.html", context, status=422 if taking or form.errors else 200)


def _file(user: User, form: FilterForm, asked: audit.Asked, reason: str) -> StreamingHttpResponse:
    """Records the export first, so that it is the file's own newest line if the filter includes it."""
    audit.took_file(user, form.in_words(), reason)
    name = f"who-did-what-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(_rows(asked), content_type="text/csv; charset=utf-8", headers=headers)


def _rows(asked: audit.Asked) -> Iterator[str]:
    writer = csv.writer(exports.Echo(), quoting=csv.QUOTE_ALL)
    yield exports.BOM + writer.writerow(["when", "who", "kind", "what", "enquiry", "page"])
    for line in audit.every(asked):
        when = f"{timezone.localtime(line.at):%Y-%m-%d %H:%M:%S}"
        cells = [when, line.who, line.kind.label, line.what, line.reference, line.page]
        yield writer.writerow([exports.safe(cell) for cell in cells])


PAGES = [("who-did-what/", who_did_what, "audit")]
