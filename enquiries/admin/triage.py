"""An enquiry's own form and its timeline."""

from django import forms
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone
from django.utils.text import capfirst

from backcare.core.readonly_admin import ReadOnlyInline, opened
from enquiries import clock
from enquiries.actions import reading, transitions
from enquiries.inbox import people
from enquiries.models import Enquiry, EnquiryEvent, EventKind, Status

# Who is no member of staff, as staff read it.
ACTORS = {"patient": "Patient", "mail worker": "System", "retention": "System"}


class OwnerField(forms.ModelChoiceField):
    def label_from_instance(self, user):
        name = people.full_name(user)
        return name if people.may_open(user) else f"{name} (no longer has access)"


class TriageForm(forms.ModelForm):
    """What staff may change about an enquiry. What the patient wrote is not among it."""

    note = forms.CharField(
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Add a note",
        help_text="For staff only. The patient never sees it.",
    )
    opened_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Enquiry
        fields = ["status", "owner"]
        field_classes = {"owner": OwnerField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            current = Enquiry.objects.get(pk=self.instance.pk)
            self.fields["opened_version"].initial = current.version
            self.initial["opened_version"] = current.version
            allowed = {current.status, *current.plain_moves}
            self.fields["status"].choices = [choice for choice in Status.choices if choice[0] in allowed]
            if not current.is_closed:
                self.fields["status"].help_text = "To book, pause or close, use “Next step” above."
            # Whoever has it stays in the list, or saving the page would take it from them unasked.
            able = people.who_may_open().values("pk")
            self.fields["owner"].queryset = get_user_model().objects.filter(Q(pk__in=able) | Q(pk=current.owner_id))
            self.fields["owner"].label = "Assigned to"
            self.fields["owner"].empty_label = "Unassigned"
            for verb in ("add", "change", "delete", "view"):
                setattr(self.fields["owner"].widget, f"can_{verb}_related", False)

    def clean(self):
        cleaned = super().clean()
        current = Enquiry.objects.get(pk=self.instance.pk)
        if cleaned.get("opened_version") not in {None, current.version}:
            raise forms.ValidationError(transitions.what_changed(current))
        return cleaned


class TimelineInline(ReadOnlyInline):
    model = EnquiryEvent
    verbose_name_plural = "timeline"
    fields = readonly_fields = ["when", "who", "what", "words"]

    @admin.display(description="when")
    def when(self, event):
        return clock.at_words(event.created_at, timezone.now())

    @admin.display(description="who")
    def who(self, event):
        return ACTORS.get(event.actor, event.actor)

    @admin.display(description="what")
    def what(self, event):
        if event.to_status:
            return f"Status: {event.get_from_status_display()} → {event.get_to_status_display()}"
        return capfirst(event.summary or event.get_kind_display())

    def get_formset(self, request, obj=None, **kwargs):
        self.open_to_them = obj is None or reading.words_are_open(obj, request.user)
        return super().get_formset(request, obj, **kwargs)

    @admin.display(description="note")
    def words(self, event):
        if event.kind == EventKind.ADDED and not self.open_to_them:
            return "Press “Show what they wrote” above"
        return opened(event, "note")
