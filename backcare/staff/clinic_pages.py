"""The owners' page of the clinic's settings: what is saved there is on every page, PDF and email at once, and in a history."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst

from backcare.core import palette, phones
from backcare.core.form_fields import EmailField, PhoneField, TextField
from backcare.core.models import MAX_ENQUIRY_MONTHS, MAX_REPORT_DAYS, ClinicSettings, ClinicSettingsEdition
from backcare.staff.account_pages import owners_only
from enquiries.inbox import people
from enquiries.models import ClinicHours
from enquiries.models.hours import Nation
from enquiries.templatetags.moments import lately
from factsheets import guard

HISTORY = 20  # saves
MAX_PRICES, MAX_PRICE_LENGTH = 12, 120
SHORTER = "shorter"
SECTIONS = [
    ("The clinic", ["name", "phone", "email", "address", "map_link", "nation", "colour"]),
    ("Emergency department (A&E) near the clinic", ["hospital_name", "hospital_address", "hospital_phone"]),
    ("Prices and interests", ["prices", "interest_statement"]),
    ("Email", ["inbox_email", "reply_to_email"]),
    ("Privacy and copying", ["report_retention_days", "enquiry_retention_months", SHORTER, "content_licence"]),
]


def line(label: str, longest: int, *, needed: str = "", help_text: str = "", lines: int = 1) -> TextField:
    """A text field whose message says what to enter when it is `needed`."""
    return TextField(
        label=label,
        longest=longest,
        lines=lines,
        required=bool(needed),
        help_text=help_text,
        error_messages={"required": needed},
    )


def email_address(label: str, *, needed: str = "", help_text: str = "") -> EmailField:
    return EmailField(label=label, required=bool(needed), help_text=help_text, error_messages={"required": needed})


class ClinicPhoneField(PhoneField):
    """As people at home write it, which is how pages show it."""

    def to_python(self, value: Any) -> str:
        kept = super().to_python(value)
        found = phones.parts(kept)
        if found and (found.relay or found.extension):
            raise forms.ValidationError(
                "Enter the number only, without text relay or an extension. Pages show the relay number beside it."
            )
        return phones.in_words(kept)


def period(label: str, unit: str, most: int, help_text: str) -> forms.IntegerField:
    wrong = f"Enter a whole number of {unit}, from 1 to {most}."
    return forms.IntegerField(
        label=label,
        min_value=1,
        max_value=most,
        help_text=help_text,
        error_messages={"required": wrong, "invalid": wrong, "min_value": wrong, "max_value": wrong},
    )


class ClinicForm(forms.Form):
    use_required_attribute = False
    version = forms.IntegerField(widget=forms.HiddenInput)
    name = line(
        "Name", 80, needed="Enter the clinic’s name.", help_text="At the top of every page, and who emails are from."
    )
    phone = ClinicPhoneField(
        label="Phone",
        error_messages={"required": "Enter the phone number that patients call."},
        help_text="On every page.",
    )
    email = email_address("Public email address", needed="Enter the email address that patients may write to.")
    address = line("Address", 200, help_text="On one line. Empty if you see nobody in person.")
    map_link = forms.URLField(
        label="Link to a map",
        required=False,
        max_length=500,
        assume_scheme="https",
        help_text="From any map website, starting with https://",
        error_messages={"invalid": "Enter a whole link, such as https://www.openstreetmap.org/…"},
    )
    # Also changed with the opening hours, which no version counts: so the form itself says what it was shown with.
    nation = forms.ChoiceField(
        label="Nation",
        choices=Nation.choices,
        show_hidden_initial=True,
        help_text="Its bank holidays count as closed.",
    )
    colour = forms.ChoiceField(
        label="Colour",
        choices=[(name, each.label) for name, each in palette.PALETTE.items()],
        help_text="Of public pages, emails and PDFs. Each keeps words readable in the light and the dark scheme.",
        error_messages={
            "invalid_choice": "Choose one of these colours. With another one, words might not stand out enough "
            "from what is behind them (4.5 to 1, WCAG AA), in the light or the dark scheme."
        },
    )
    hospital_name = line(
        "Hospital", 120, help_text="Shown under “Get help now”. Check it once a year: departments move."
    )
    hospital_address = line("Its address", 200)
    hospital_phone = ClinicPhoneField(label="Its phone number", required=False)
    prices = line("Prices", 2000, lines=5, help_text="One a line, such as “First consultation, 45 minutes: £60”.")
    interest_statement = line(
        "What you sell, and how pages stay fair",
        1000,
        lines=4,
        needed="Say what the clinic sells that these pages describe.",
        help_text="On the about page, and with each page about a treatment that you offer.",
    )
    inbox_email = email_address(
        "Inbox for alerts",
        needed="Enter an address that someone reads on every working day.",
        help_text="New requests, warning signs and the morning summary. Never what a patient wrote.",
    )
    reply_to_email = email_address(
        "Replies from patients go to", help_text="A mailbox that someone reads. Empty: the public email address."
    )
    report_retention_days = period(
        "Days to keep details of a fact sheet sent by email", "days", MAX_REPORT_DAYS, "Counted from the email."
    )
    enquiry_retention_months = period(
        "Months to keep details of a consultation or question", "months", MAX_ENQUIRY_MONTHS, "Counted from closing."
    )
    shorter = forms.BooleanField(
        label="Delete details that are older than the new periods, within the hour", required=False
    )
    content_licence = line(
        "What others may do with your pages", 600, lines=4, needed="Say whether others may copy your pages."
    )

    def __init__(self, *args: Any, row: ClinicSettings, nation: str, **kwargs: Any) -> None:
        super().__init__(*args, label_suffix="", **kwargs)
        self.row = row
        self.before = row.as_saved() | {"nation": nation}
        for field in self.fields.values():
            field.widget.attrs["autocomplete"] = "off"

    def clean_map_link(self) -> str:
        link = self.cleaned_data["map_link"]
        if link and not link.startswith("https://"):
            raise forms.ValidationError("Enter a link that starts with https://")
        return link

    def clean_prices(self) -> str:
        lines = [" ".join(each.split()) for each in self.cleaned_data["prices"].splitlines() if each.strip()]
        if len(lines) > MAX_PRICES:
            raise forms.ValidationError(f"Enter {MAX_PRICES} prices or fewer, one a line.")
        if long := next((each for each in lines if len(each) > MAX_PRICE_LENGTH), ""):
            raise forms.ValidationError(f"Shorten the line “{long[:40]}…” to {MAX_PRICE_LENGTH} characters.")
        return _honest("\n".join(lines))

    def clean_interest_statement(self) -> str:
        return _honest(self.cleaned_data["interest_statement"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        parts = ("hospital_name", "hospital_address")
        if any(cleaned.get(name) for name in (*parts, "hospital_phone")):
            for name in parts:
                if name in cleaned and not cleaned[name]:
                    self.add_error(name, "Enter the hospital’s name and address, or leave all three empty.")
        periods = ("report_retention_days", "enquiry_retention_months")
        shortened = [name for name in periods if cleaned.get(name) and cleaned[name] < self.before[name]]
        if shortened and not cleaned.get(SHORTER):
            self.add_error(SHORTER, "Tick this too, because shorter periods delete what is older. It cannot be undone.")
        return cleaned

    @property
    def sections(self) -> list[tuple[str, list[forms.BoundField]]]:
        return [(title, [self[name] for name in names]) for title, names in SECTIONS]


def _honest(text: str) -> str:
    """The text, as the claims guard lets it pass."""
    if found := guard.free_text("", text):
        raise forms.ValidationError([f"“{each.sentence}”: {each.rule}" for each in found])
    return text


class Outdated(Exception):  # noqa: N818 - reads as what happened
    """Another owner saved while the page was open. Nothing was changed."""


def save(*, values: dict[str, Any], version: int, by: User) -> list[str]:
    """Saves what differs, with an edition and a line in the log, as one transaction. Returns the names of what changed."""
    values = dict(values)
    with transaction.atomic():
        ClinicSettings.objects.get_or_create(pk=1)
        row = ClinicSettings.objects.select_for_update().get(pk=1)
        if row.version != version:
            raise Outdated
        hours = ClinicHours.objects.select_for_update().filter(pk=1).first() or ClinicHours(pk=1)
        before = row.as_saved() | {"nation": hours.nation}
        changed = [name for name, value in before.items() if value != values.get(name, value)]
        if not changed:
            return []
        if "nation" in changed:
            hours.nation = values["nation"]
            hours.save()
        for name in row.shown_names():
            setattr(row, name, values.get(name, getattr(row, name)))
        row.version += 1
        row.save()
        kept = row.as_saved() | {"nation": hours.nation}
        ClinicSettingsEdition.objects.create(version=row.version, values=kept, by=by)
        LogEntry.objects.log_actions(
            by.pk, [row], CHANGE, f"Changed {', '.join(map(_label, changed))}.", single_object=True
        )
    return changed


@owners_only
def clinic_settings(request):
    row, nation = ClinicSettings.stored(), _nation()
    if request.method == "POST":
        form = ClinicForm(request.POST, row=row, nation=nation)
        if form.is_valid():
            values = dict(form.cleaned_data)
            if "nation" not in form.changed_data:
                del values["nation"]
            try:
                changed = save(values=values, version=values.pop("version"), by=request.user)
            except Outdated:
                form = _beside_the_other(form)
            else:
                said = f"Saved: {', '.join(map(_label, changed))}." if changed else "Nothing was changed."
                messages.success(request, said)
                return redirect("admin:clinic")
    else:
        form = ClinicForm(initial=row.as_saved() | {"nation": nation, "version": row.version}, row=row, nation=nation)
    context = {
        **admin.site.each_context(request),
        "title": "Clinic settings",
        "form": form,
        "history": _history(),
    }
    return TemplateResponse(request, "admin/clinic/settings.html", context)


def _beside_the_other(form: ClinicForm) -> ClinicForm:
    """The form again, with what the other owner saved in the fields that this one left alone."""
    row, nation = ClinicSettings.stored(), _nation()
    now = row.as_saved() | {"nation": nation}
    shown = ClinicSettingsEdition.objects.filter(version=form.cleaned_data["version"]).first()
    data, both = form.data.copy(), []
    nation_shown = form["nation"].html_initial_name
    then = (_whole(shown) if shown else now) | {"nation": data.get(nation_shown, nation)}
    for name, value in now.items():
        typed = form.cleaned_data[name]
        if typed == then[name]:
            data[name] = value
        elif value not in {typed, then[name]}:
            both.append(f"{_label(name)} is now “{value}”")
    data["version"], data[nation_shown] = row.version, nation
    again = ClinicForm(data, row=row, nation=nation)
    again.full_clean()
    newest = ClinicSettingsEdition.objects.select_related("by").first()
    who = people.full_name(newest.by) if newest and newest.by else "Someone"
    said = f"{who} saved these settings while you had the page open, so nothing was saved yet."
    said += f" {capfirst('; '.join(both))}." if both else " Their changes are in the form now, beside yours."
    again.add_error(None, f"{said} Check the form and save again.")
    return again


def _whole(edition: ClinicSettingsEdition) -> dict[str, Any]:
    """What it says, and the default of a column that is younger: the first edition comes from a migration that knew few."""
    return ClinicSettings().as_saved() | edition.values


def _nation() -> str:
    return ClinicHours.objects.filter(pk=1).values_list("nation", flat=True).first() or Nation.ENGLAND.value


def _label(name: str) -> str:
    label = str(ClinicForm.base_fields[name].label)
    return label[0].lower() + label[1:]


def _history() -> list[dict[str, Any]]:
    editions = list(ClinicSettingsEdition.objects.select_related("by")[: HISTORY + 1])
    rows = []
    for edition, former in zip(editions, [*editions[1:], None], strict=True):
        before = _whole(former) if former else {}
        lines = [
            {"what": capfirst(_label(name)), "was": before[name], "now": value}
            for name, value in edition.values.items()
            if name in ClinicForm.base_fields and name in before and before[name] != value
        ]
        who = people.full_name(edition.by) if edition.by else "From the first start"
        rows.append({"when": lately(edition.at), "who": who, "lines": lines})
    return rows[:HISTORY]


PAGES = [("clinic/", clinic_settings, "clinic")]
