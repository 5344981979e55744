import json
from dataclasses import asdict
from datetime import time
from itertools import pairwise

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.http import HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import capfirst

from backcare.core import clinic
from backcare.core.models import ClinicSettings, SetUpStep
from enquiries import clock, staff_members
from enquiries.admin.preview import PreviewAdmin, PreviewForm
from enquiries.admin.step_base import StaffField
from enquiries.clock import clock_time, day_words, hours_in_words, span_in_words
from enquiries.models import Absence, ClinicHours, Closure, Enquiry, OpeningHours, Weekday
from enquiries.opening_hours import Hours, Opening
from factsheets import claims_guard, team
from factsheets.admin.unsaved import OpenedAdmin, OpenedForm, fingerprint
from factsheets.revisions import became

# Browsers draw these themselves, so they are easy on a phone.
TIME = forms.TimeInput(format="%H:%M", attrs={"type": "time"})
DAY = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})


# What the form suggests to a new clinic.
SUGGESTED = tuple(Opening(day, time(9), time(17)) for day in list(Weekday)[:5])
PAUSE_NOTICE = "We cannot reply as quickly as usual at the moment. We are sorry about that."


class ClinicHoursForm(PreviewForm, OpenedForm):
    paused = forms.BooleanField(
        required=False,
        label="Pause replies",
        help_text="The forms stay open. Patients see the notice below instead of a reply time. "
        "Reply times already promised do not change.",
    )

    class Meta:
        model = ClinicHours
        fields = ["nation", "within_hours", "notice"]
        widgets = {"notice": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}
        help_texts = {
            "notice": f"Patients see this on the forms instead of a reply time. It is kept for next time. Empty: “{PAUSE_NOTICE}”"
        }
        error_messages = {
            "within_hours": {"min_value": "Enter at least 1 hour.", "max_value": "Enter 80 hours or fewer."}
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial["paused"] = self.instance.is_paused

    def state(self, stored):
        """Includes the lines of the opening hours, which the page saves too."""
        return " ".join(map(fingerprint, [stored, *stored.openings.order_by("pk")]))

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("paused") and "notice" in cleaned:
            cleaned["notice"] = cleaned["notice"].strip() or PAUSE_NOTICE
        for each in claims_guard.free_text("notice", cleaned.get("notice", "")):
            self.add_error("notice", f"The claims guard found “{each.sentence}” {each.rule}")
        return cleaned


class NoOverlap(forms.BaseInlineFormSet):
    def add_fields(self, form, index):
        """In Django's table a field has only its column's heading, which a screen reader does not read as its name."""
        super().add_fields(form, index)
        line = str(form.instance) if form.instance.pk else "new line"
        columns = (
            ("weekday", "Day", "Choose the day."),
            ("opens", "Opens", "Enter when you open."),
            ("closes", "Closes", "Enter when you close."),
            ("DELETE", "Remove", ""),
        )
        for name, column, missing in columns:
            if name in form.fields:
                form.fields[name].widget.attrs["aria-label"] = f"{column}, {line}"
                form.fields[name].error_messages["required"] = missing

    def clean(self):
        super().clean()
        spells = sorted(
            (form.cleaned_data["weekday"], form.cleaned_data["opens"], form.cleaned_data["closes"])
            for form in self.forms
            if form.is_valid() and form.cleaned_data.get("opens") and not form.cleaned_data.get("DELETE")
        )
        for (day, opens, closes), (next_day, reopens, recloses) in pairwise(spells):
            if day == next_day and reopens < closes:
                first, second = (
                    f"{clock_time(a)} to {clock_time(b)}" for a, b in ((opens, closes), (reopens, recloses))
                )
                raise forms.ValidationError(f"{Weekday(day).label}: {first} and {second} overlap. Change one of them.")


class OpeningInline(admin.TabularInline):
    model = OpeningHours
    formset = NoOverlap
    template = "admin/inline_rows.html"
    fields = ["weekday", "opens", "closes"]
    verbose_name = "opening time"
    verbose_name_plural = "Opening hours (one line for each day, or two if you close for lunch)"
    extra = 2
    max_num = 28

    def get_extra(self, request, obj=None, **kwargs):
        """With a line for each working day until hours are first saved."""
        is_new = not OpeningHours.objects.exists() and not SetUpStep.objects.filter(name=SetUpStep.HOURS).exists()
        return self.extra + (len(SUGGESTED) if is_new and self.has_change_permission(request, obj) else 0)

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name in {"opens", "closes"}:
            kwargs |= {"widget": TIME}
            return db_field.formfield(**kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)


def tell_promise(request) -> None:
    """Says what a patient who writes now is promised."""
    now, replies = timezone.now(), clock.load()
    if reason := replies.why_none(now):
        messages.warning(request, f"Patients are not being given a reply time. {reason}")
    else:
        messages.info(
            request, f"Patients who write now are told: “we will reply {replies.reply_notice(now)['reply']}”."
        )


@admin.register(ClinicHours)
class ClinicHoursAdmin(PreviewAdmin, OpenedAdmin, admin.ModelAdmin):
    """When the clinic is open and how soon it answers: one row, so its list is its page."""

    form = ClinicHoursForm
    change_form_template = "admin/enquiries/hours.html"
    inlines = [OpeningInline]
    readonly_fields = ["pause_now", "pause_preview", "bank_holidays", "shown_on_website"]
    fieldsets = [
        ("How soon we reply", {"fields": ["within_hours", "nation", "bank_holidays", "shown_on_website"]}),
        ("Pause", {"fields": ["pause_now", "paused", "notice", "pause_preview"]}),
    ]

    def default_words(self, pk):
        return {"notice": PAUSE_NOTICE}

    def get_formset_kwargs(self, request, obj, inline, prefix):
        """The form's suggestion on a new site, for the owner to correct and save: until then it has no hours."""
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "GET" and inline.get_extra(request, obj) > inline.extra:
            kwargs["initial"] = [asdict(each) for each in SUGGESTED]
        return kwargs

    def changelist_view(self, request, extra_context=None):
        return self.changeform_view(request, "1", request.path, extra_context)

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        title = {"title": "Opening hours and replies", "subtitle": None, "default_of": "notice"}
        return super().changeform_view(request, object_id, form_url, title | (extra_context or {}))

    def response_change(self, request, obj):
        messages.success(request, "Opening hours and replies saved.")
        tell_promise(request)
        return HttpResponseRedirect(request.path)

    def get_fieldsets(self, request, obj=None):
        if self.has_change_permission(request, obj):
            return super().get_fieldsets(request, obj)
        return [
            (None, {"fields": ["within_hours", "nation", "bank_holidays", "shown_on_website", "pause_now", "notice"]})
        ]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    @admin.display(description="now")
    def pause_now(self, hours):
        if not hours.is_paused:
            return "Replies are not paused."
        return f"Replies were paused at {clock.at_words(hours.paused_at, timezone.now())} by {hours.paused_by}."

    @admin.display(description="preview")
    def pause_preview(self, hours):
        """On the forms of a paused clinic: its own notice, and below it what is always there."""
        is_typed = getattr(hours, "previewed", False)
        kept = hours if is_typed else ClinicHours.objects.filter(pk=hours.pk).first() or hours
        return format_html(
            '<p id="preview">{}</p><p class="letter">{}</p>'
            '<p class="fixed-words">Always added, and not changed here: {} On every page stay the line '
            "that says when to call 999, and the emergency advice of the form.</p>",
            "Not saved yet:" if is_typed else "As last saved:",
            kept.notice or PAUSE_NOTICE,
            clock.without_a_time() + (f" You can phone us: {phone}." if (phone := clinic.details()["phone"]) else ""),
        )

    @admin.display(description="next bank holidays")
    def bank_holidays(self, hours):
        """Before any hours are saved, those on the days that the form suggests."""
        today, saved = timezone.localdate(), clock.load().hours
        known = saved if saved.openings else Hours(SUGGESTED, nation=hours.nation)
        return "; ".join(day_words(day, today) for day in known.next_bank_holidays(today)) or "–"

    @admin.display(description="the website says")
    def shown_on_website(self, hours):
        replies = clock.load()
        open_when = clock.opening_in_words(replies.hours) or "No opening hours"
        return f"{open_when}. {clock.promise_in_words(replies)}"

    def construct_change_message(self, request, form, formsets, add=False):
        """The history keeps what patients read while replies were paused, beside what else was changed."""
        said = super().construct_change_message(request, form, formsets, add)
        changed = said if isinstance(said, str) else LogEntry(change_message=json.dumps(said)).get_change_message()
        before, after = hours_in_words(_hours_before(formsets[0])), hours_in_words(clock.load().hours)
        if before != after:
            changed += f" {became('Opening hours', before, after)}."
        if "notice" in form.changed_data or "paused" in form.changed_data:
            paused = "Replies paused" if form.cleaned_data["paused"] else "Replies not paused"
            changed += f" {paused}. Notice: {form.cleaned_data['notice'] or 'none'}"
        return changed

    def save_model(self, request, obj, form, change):
        if form.cleaned_data["paused"]:
            obj.pause(by=request.user)
        else:
            obj.go_on()
        super().save_model(request, obj, form, change)
        if "nation" in form.changed_data:
            _keep_with_settings(obj, request.user)
        SetUpStep.done(SetUpStep.HOURS, by=request.user)


def _keep_with_settings(hours: ClinicHours, by) -> None:
    """The clinic's settings show the nation too: their history names who changed it here, and not the owner who saves next."""
    ClinicSettings.objects.get_or_create(pk=1)
    ClinicSettings.objects.select_for_update().get(pk=1).save_version(nation=hours.nation, by=by)


def _hours_before(lines: forms.BaseInlineFormSet) -> Hours:
    return Hours(tuple(Opening(*map(line.initial.get, ("weekday", "opens", "closes"))) for line in lines.initial_forms))


class ClosureForm(OpenedForm):
    class Meta:
        model = Closure
        fields = ["first_day", "last_day", "from_time", "until_time", "reason"]
        widgets = {"first_day": DAY, "last_day": DAY, "from_time": TIME, "until_time": TIME}


@admin.register(Closure)
class ClosureAdmin(OpenedAdmin, admin.ModelAdmin):
    """Days on which the clinic is closed. Bank holidays need no entry."""

    form = ClosureForm
    list_display = ["days", "reason"]
    fieldsets = [
        (None, {"fields": ["reason", "first_day", "last_day"]}),
        ("Only if you are open for part of the first or last day", {"fields": ["from_time", "until_time"]}),
    ]

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        if db_field.name in ClosureForm.Meta.widgets:
            return db_field.formfield(**kwargs)
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def changelist_view(self, request, extra_context=None):
        title = {"title": "Closures", "subtitle": "Bank holidays are already included: see the opening hours"}
        return super().changelist_view(request, title | (extra_context or {}))

    # After each change, say what it means for a patient who writes now, so that a mistake is seen at once.
    def response_change(self, request, obj):
        tell_promise(request)
        return super().response_change(request, obj)

    def response_add(self, request, obj, post_url_continue=None):
        tell_promise(request)
        return super().response_add(request, obj, post_url_continue)

    def response_delete(self, request, obj_display, obj_id):
        tell_promise(request)
        return super().response_delete(request, obj_display, obj_id)

    @admin.display(description="closed", ordering="first_day")
    def days(self, closure):
        return capfirst(span_in_words(closure, timezone.localdate()))


@admin.register(Absence)
class AbsenceAdmin(admin.ModelAdmin):
    """The owner records who is away and until when. Meanwhile their open enquiries are in a queue of their own."""

    list_display = ["name", "first_day", "last_day"]
    fields = ["staff", "first_day", "last_day"]

    @admin.display(description="who", ordering="staff")
    def name(self, absence):
        return team.account_name(absence.staff)

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("staff")

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name == "staff":
            return StaffField(queryset=staff_members.who_may_open(), label="Who", empty_label="Choose")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        number = Enquiry.objects.filter(live=True, owner=obj.staff).count()
        said = f"{team.account_name(obj.staff)} has {number} open enquir{'y' if number == 1 else 'ies'}. While they are away, see"
        queue = f"{reverse('admin:enquiries_enquiry_changelist')}?queue=cover"
        messages.info(request, format_html('{} <a href="{}">Colleague away</a>.', said, queue))
