"""The owners' pages for the clinic's settings, which apply at once to every page, PDF and email, and have a history."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.views.decorators.http import require_POST

from backcare.core import clinic
from backcare.core.models import (
    CONTENT_LICENCE,
    INTEREST_STATEMENT,
    ClinicSettings,
    ClinicSettingsEdition,
    SetUpStep,
)
from backcare.staff import first_steps
from backcare.staff.account_pages import owners_only
from backcare.staff.clinic_form import CHOOSE_AGAIN, SHORTER, ClinicForm, in_words, label
from enquiries.models import ClinicHours
from enquiries.models.hours import Nation
from enquiries.templatetags.moments import lately
from factsheets import pictures, team
from factsheets.revisions import became, word_difference

HISTORY = 20  # saves
DEFAULTS = {"interest_statement": INTEREST_STATEMENT, "content_licence": CONTENT_LICENCE}


class Outdated(Exception):
    """Another owner saved while the page was open. Nothing was changed."""


def save(
    *, values: dict[str, Any], version: int, by: User, logo: pictures.Prepared | None = None, why: str = "Changed"
) -> list[str]:
    """Saves what differs, with an edition and a line in the log, in one transaction. Returns the names of what changed.

    `logo` is the picture that `values["logo"]` names, if it is new. Raises Outdated.
    """
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
        if logo:
            pictures.keep(logo, by=by)
        if "nation" in changed:
            hours.nation = values["nation"]
            hours.save()
        for name in row.shown_names():
            setattr(row, name, values.get(name, getattr(row, name)))
        kept = row.save_version(nation=hours.nation, by=by)
        values = "; ".join(
            became(label(name), in_words(name, before[name]), in_words(name, kept[name])) for name in changed
        )
        LogEntry.objects.log_actions(by.pk, [row], CHANGE, f"{why} {values}.", single_object=True)
    return changed


@owners_only
def clinic_settings(request):
    row, nation = ClinicSettings.stored(), _nation()
    if request.method == "POST":
        form = ClinicForm(_with_default(request.POST), request.FILES, row=row, nation=nation)
        if form.is_valid():
            values = dict(form.cleaned_data)
            if "nation" not in form.changed_data:
                del values["nation"]
            try:
                with transaction.atomic():
                    # First, so that no page is cached that still has no name for the clinic.
                    SetUpStep.done(SetUpStep.CLINIC, by=request.user)
                    changed = save(values=values, version=values.pop("version"), by=request.user, logo=form.prepared)
            except Outdated:
                form = _beside_the_other(form)
            else:
                messages.success(request, f"Saved: {_listed(changed)}." if changed else "Nothing was changed.")
                return redirect("admin:clinic")
    else:
        initial = row.as_saved() | {"nation": nation, "version": row.version}
        if row.is_nameless:
            initial["name"] = ""
        form = ClinicForm(initial=initial, row=row, nation=nation)
    context = {
        **admin.site.each_context(request),
        "title": "Clinic settings",
        "form": form,
        "defaults": DEFAULTS,
        "logo": clinic.details()["logo"],
        "history": _history(),
    }
    return TemplateResponse(request, "admin/clinic/settings.html", context)


def _with_default(typed):
    """What was typed, with the default in one field if its button was pressed."""
    name = typed.get("default", "")
    if name not in DEFAULTS:
        return typed
    data = typed.copy()
    data[name] = DEFAULTS[name]
    return data


@owners_only
def earlier_settings(request, version: int):
    """Compares the settings after one save with the present ones, word by word. POST puts them back."""
    edition = ClinicSettingsEdition.objects.select_related("by").filter(version=version).first()
    if edition is None:
        raise Http404("No such settings")
    row, nation = ClinicSettings.stored(), _nation()
    now = row.as_saved() | {"nation": nation}
    # A column added after the edition stays as it is.
    then = {name: value for name, value in edition.values.items() if name in now}
    wrong = []
    if request.method == "POST":
        seen = request.POST.get("opened", "")
        typed = now | then | {"version": seen, SHORTER: request.POST.get(SHORTER, "")}
        form = ClinicForm({**typed, "logo": ""}, row=row, nation=nation)
        if form.is_valid():
            values = form.cleaned_data | {"logo": then.get("logo", now["logo"])}
            try:
                why = f"Put back settings {edition.version}:"
                changed = save(values=values, version=values["version"], by=request.user, why=why)
            except Outdated:
                wrong = [
                    "Someone saved the settings while you had this page open. Compare again before you put these back."
                ]
            else:
                messages.success(request, f"Put back: {_listed(changed)}." if changed else "Nothing was changed.")
                return redirect("admin:clinic")
        else:
            wrong = [
                f"{capfirst(label(name))}: {each}" if name in form.fields else each
                for name, found in form.errors.items()
                for each in found
            ]
    periods = ("report_retention_days", "enquiry_retention_months")
    context = {
        **admin.site.each_context(request),
        "title": f"Clinic settings, saved {lately(edition.at)}",
        "who": f"Saved by {team.account_name(edition.by)}" if edition.by else "From the first start",
        "changes": [
            {"field": capfirst(label(name)), "words": word_difference(in_words(name, now[name]), in_words(name, value))}
            for name, value in then.items()
            if name in ClinicForm.base_fields and now[name] != value
        ],
        "shorter": ClinicForm.base_fields[SHORTER].label if any(then.get(x, now[x]) < now[x] for x in periods) else "",
        "opened": row.version,
        "wrong": wrong,
    }
    return TemplateResponse(request, "admin/clinic/earlier.html", context, status=409 if wrong else 200)


def _beside_the_other(form: ClinicForm) -> ClinicForm:
    """The form again, with the other owner's values in the fields that this one did not change."""
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
            both.append(f"{label(name)} is now “{in_words(name, value)}”")
    data["version"], data[nation_shown] = row.version, nation
    again = ClinicForm(data, row=row, nation=nation)
    again.full_clean()
    if form.prepared:
        again.add_error("logo", CHOOSE_AGAIN)
    newest = ClinicSettingsEdition.objects.select_related("by").first()
    who = team.account_name(newest.by) if newest and newest.by else "Someone"
    said = f"{who} saved these settings while you had the page open, so nothing was saved yet."
    said += f" {capfirst('; '.join(both))}." if both else " Their changes are in the form now, beside yours."
    again.add_error(None, f"{said} Check the form and save again.")
    return again


def _whole(edition: ClinicSettingsEdition) -> dict[str, Any]:
    """Its values, with defaults for columns added later, because the first edition comes from a migration that knew few."""
    return ClinicSettings().as_saved() | edition.values


def _nation() -> str:
    return ClinicHours.objects.filter(pk=1).values_list("nation", flat=True).first() or Nation.ENGLAND.value


def _listed(names: list[str]) -> str:
    return ", ".join(map(label, names))


def _history() -> list[dict[str, Any]]:
    editions = list(ClinicSettingsEdition.objects.select_related("by")[: HISTORY + 1])
    rows = []
    for edition, former in zip(editions, [*editions[1:], None], strict=True):
        before = _whole(former) if former else {}
        lines = [
            f"{capfirst(label(name))}: “{in_words(name, before[name])}” became “{in_words(name, value)}”"
            for name, value in edition.values.items()
            if name in ClinicForm.base_fields and name in before and before[name] != value
        ]
        who = team.account_name(edition.by) if edition.by else "From the first start"
        rows.append({"version": edition.version, "when": lately(edition.at), "who": who, "lines": lines})
    return rows[:HISTORY]


@require_POST
@owners_only
def leave_set_up(request):
    """Removes the line about the set-up from every page of the desk, or brings it back."""
    if "remind" in request.POST:
        first_steps.remind_again()
    else:
        first_steps.leave(by=request.user)
        messages.info(request, "Other pages no longer remind you. What is missing stays on this page.")
    return redirect("admin:index")


PAGES = [
    ("set-up/leave/", leave_set_up, "leave_set_up"),
    ("clinic/", clinic_settings, "clinic"),
    ("clinic/earlier/<int:version>/", earlier_settings, "clinic_earlier"),
]
