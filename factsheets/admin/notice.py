"""The notice that every page of the website shows between two moments."""

from django import forms
from django.contrib import admin
from django.utils import timezone

from factsheets import guard
from factsheets.models import SiteNotice

WHEN = "%Y-%m-%dT%H:%M"


def when_field(label: str, **options) -> forms.DateTimeField:
    widget = forms.DateTimeInput(format=WHEN, attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, widget=widget, **options)


class SiteNoticeForm(forms.ModelForm):
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
            elif other := self._other(starts, ends):
                until = timezone.localtime(other.ends_at)
                self.add_error("starts_at", f"Another notice is shown then, until {until:%-d %B %Y, %H:%M}: “{other}”")
        if "text" in given and not given.get("kept_because", "").strip():
            for each in guard.free_text("text", given["text"]):
                self.add_error("text", f"The claims guard found “{each.sentence}” {each.rule}")
            if "text" in self.errors:
                self.add_error("kept_because", "Change the wording, or say here why it may stay.")
        return given

    def _other(self, starts, ends) -> SiteNotice | None:
        others = SiteNotice.objects.exclude(pk=self.instance.pk)
        return others.filter(starts_at__lt=ends, ends_at__gt=starts).first()


@admin.register(SiteNotice)
class SiteNoticeAdmin(admin.ModelAdmin):
    form = SiteNoticeForm
    list_display = ["__str__", "level", "starts", "ends", "now"]
    fields = ["text", "level", "starts_at", "ends_at", "kept_because"]

    @admin.display(description="shown from", ordering="starts_at")
    def starts(self, notice):
        return _words(notice.starts_at)

    @admin.display(description="shown until", ordering="ends_at")
    def ends(self, notice):
        return _words(notice.ends_at)

    @admin.display(description="now", boolean=True)
    def now(self, notice):
        return notice.starts_at <= timezone.now() < notice.ends_at

    def construct_change_message(self, request, form, formsets, add=False):
        """The history says what patients read, and not only that it changed."""
        notice = form.instance
        span = f"{_words(notice.starts_at)} until {_words(notice.ends_at)}"
        return f"{notice.get_level_display()}, {span}: {notice.text}"


def _words(moment) -> str:
    return f"{timezone.localtime(moment):%-d %B %Y, %-I:%M%p}".replace("AM", "am").replace("PM", "pm")
