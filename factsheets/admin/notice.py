"""The notice that every page of the website shows between two moments."""

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.utils import timezone

from factsheets import claims_guard, second_reading
from factsheets.admin.shared_history import KEPT_FIELDS, KeepsHistory, SharedForm
from factsheets.models import SiteNotice
from factsheets.shared_revisions import moment_in_words

WHEN = "%Y-%m-%dT%H:%M"


def when_field(label: str, **options) -> forms.DateTimeField:
    widget = forms.DateTimeInput(format=WHEN, attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, widget=widget, **options)


class SiteNoticeForm(SharedForm):
    by: User  # who saves it, set by the admin for each request
    starts_at = when_field("Shown from", initial=timezone.now)
    ends_at = when_field("Shown until", help_text="It disappears by itself.")

    class Meta:
        model = SiteNotice
        fields = ["text", "level", "starts_at", "ends_at", "kept_because"]
        widgets = {"text": forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})}

    def clean(self):
        given = super().clean()
        starts, ends = given.get("starts_at"), given.get("ends_at")
        if starts and ends:
            if ends <= starts:
                self.add_error("ends_at", "Enter an end that is after the start.")
            elif other := SiteNotice(pk=self.instance.pk, starts_at=starts, ends_at=ends).shown_meanwhile():
                until = timezone.localtime(other.ends_at)
                self.add_error("starts_at", f"Another notice is shown then, until {until:%-d %B %Y, %H:%M}: “{other}”")
        if "text" not in given:
            return given
        if because := given.get("kept_because", "").strip():
            if not self.errors and (
                why := second_reading.refusal(claims_guard.free_text("text", given["text"]), because, self.by)
            ):
                self.add_error("kept_because", why)
        else:
            for each in claims_guard.free_text("text", given["text"]):
                self.add_error("text", f"The claims guard found “{each.sentence}” {each.rule}")
            if "text" in self.errors:
                self.add_error("kept_because", "Change the wording, or say here why it may stay.")
        return given


@admin.register(SiteNotice)
class SiteNoticeAdmin(KeepsHistory, admin.ModelAdmin):
    form = SiteNoticeForm
    list_display = ["__str__", "level", "starts", "ends", "now"]
    fields = ["text", "level", "starts_at", "ends_at", "kept_because", *KEPT_FIELDS]
    use_is_known = False  # every page shows it
    only_by_draft = True

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.by = request.user
        return form

    @admin.display(description="shown from", ordering="starts_at")
    def starts(self, notice):
        return moment_in_words(notice.starts_at)

    @admin.display(description="shown until", ordering="ends_at")
    def ends(self, notice):
        return moment_in_words(notice.ends_at)

    @admin.display(description="now", boolean=True)
    def now(self, notice):
        return notice.starts_at <= timezone.now() < notice.ends_at

    def construct_change_message(self, request, form, formsets, add=False):
        """The history keeps what patients read, not only that it changed."""
        notice = form.instance
        span = f"{moment_in_words(notice.starts_at)} until {moment_in_words(notice.ends_at)}"
        return f"{notice.get_level_display()}, {span}: {notice.text}"
