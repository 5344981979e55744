from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.http import HttpResponseRedirect
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.timesince import timesince

from enquiries import actions
from enquiries.admin.message import MessageInline
from enquiries.admin.readonly import ReadOnlyInline, opened
from enquiries.models import MOVES, Assessment, Enquiry, EnquiryEvent, Kind, Status
from enquiries.report import consent


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

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "status" in self.fields:
            current = Enquiry.objects.get(pk=self.instance.pk)
            self.fields["opened_version"].initial = current.version
            self.initial["opened_version"] = current.version
            allowed = {current.status} | MOVES[current.status]
            self.fields["status"].choices = [choice for choice in Status.choices if choice[0] in allowed]
            self.fields["owner"].queryset = get_user_model().objects.filter(is_staff=True, is_active=True)
            self.fields["owner"].empty_label = "nobody"
            for verb in ("add", "change", "delete", "view"):
                setattr(self.fields["owner"].widget, f"can_{verb}_related", False)

    def clean(self):
        cleaned = super().clean()
        current = Enquiry.objects.get(pk=self.instance.pk)
        if cleaned.get("opened_version") not in {None, current.version}:
            raise forms.ValidationError(actions.what_changed(current))
        return cleaned


class TimelineInline(ReadOnlyInline):
    model = EnquiryEvent
    verbose_name_plural = "timeline"
    fields = readonly_fields = ["created_at", "actor", "what", "words"]

    @admin.display(description="what happened")
    def what(self, event):
        if event.to_status:
            return f"{event.get_from_status_display()} → {event.get_to_status_display()}"
        return event.summary or event.get_kind_display()

    @admin.display(description="note")
    def words(self, event):
        return opened(event, "note")


@admin.register(Enquiry)
class EnquiryAdmin(admin.ModelAdmin):
    """The inbox: everything patients asked for, in the order in which it wants attention."""

    form = TriageForm
    inlines = [TimelineInline, MessageInline]
    list_display = ["reference", "flag", "patient", "asked_for", "received", "who"]
    list_display_links = ["reference", "patient"]
    list_filter = ["status", "kind", "mail_failed", ("owner", admin.RelatedOnlyFieldListFilter)]
    list_select_related = ["sheet", "owner"]
    list_per_page = 50
    search_fields = ["reference"]
    search_help_text = "Search by reference"
    actions = ["take", "start", "close", "mark_as_spam"]
    save_on_top = True
    readonly_fields = [
        "reference",
        "received",
        "asked_for",
        "patient",
        "email_address",
        "phone_number",
        "contact",
        "time_to_call",
        "in_their_words",
        "why_quarantined",
        "private_summary",
        "details_erased",
    ]

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"title": "Inbox", **(extra_context or {})})

    def get_fieldsets(self, request, obj=None):
        told = ["reference", "received", "asked_for", "patient", "email_address"]
        if obj and obj.kind == Kind.CONSULTATION:
            told += ["phone_number", "contact", "time_to_call"]
        if obj and obj.kind != Kind.REPORT:
            told += ["in_their_words"]
        if obj and obj.kind == Kind.REPORT:
            told += ["private_summary"]
        if obj and obj.erased_at:
            told += ["details_erased"]
        if obj and obj.quarantine_reason:
            told += ["why_quarantined"]
        triage = ["status", "owner"]
        if self.has_change_permission(request, obj):
            triage += ["note", "opened_version"]
        return [("Next", {"fields": triage}), ("What they told us", {"fields": told})]

    def get_queryset(self, request):
        # Not through super(), which would order by the lane before it is there.
        return Enquiry.objects.in_working_order()

    def get_ordering(self, request):
        return ["lane", "created_at", "pk"]

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    # --- what is shown ---

    @admin.display(description="status", ordering="status")
    def flag(self, enquiry):
        label = format_html('<span class="status {}">{}</span>', enquiry.status, enquiry.get_status_display())
        return format_html('<span class="status alarm">mail failed</span> {}', label) if enquiry.mail_failed else label

    @admin.display(description="name")
    def patient(self, enquiry):
        return opened(enquiry, "name")

    @admin.display(description="asked for")
    def asked_for(self, enquiry):
        if enquiry.kind == Kind.REPORT:
            return f"Report: {enquiry.sheet.title}"
        return enquiry.get_kind_display().capitalize()

    @admin.display(description="received", ordering="created_at")
    def received(self, enquiry):
        age = timesince(enquiry.created_at, depth=1)
        return "just now" if age.startswith("0") else f"{age} ago"

    @admin.display(description="owner", ordering="owner")
    def who(self, enquiry):
        return (enquiry.owner.get_short_name() or enquiry.owner.get_username()) if enquiry.owner else "nobody"

    @admin.display(description="email address")
    def email_address(self, enquiry):
        return opened(enquiry, "email")

    @admin.display(description="phone number")
    def phone_number(self, enquiry):
        from phonenumber_field.phonenumber import PhoneNumber

        stored = opened(enquiry, "phone")
        if not stored.startswith("+"):
            return stored
        number = PhoneNumber.from_string(stored)
        return number.as_national if number.country_code == 44 else number.as_international

    @admin.display(description="contact by")
    def contact(self, enquiry):
        return ", ".join(enquiry.contact_methods)

    @admin.display(description="best time to call")
    def time_to_call(self, enquiry):
        return opened(enquiry, "best_time")

    @admin.display(description="in their words")
    def in_their_words(self, enquiry):
        return opened(enquiry, "description")

    @admin.display(description="private summary")
    def private_summary(self, enquiry):
        """That there is one, and what they agreed to. Never what it says: they were told that staff are not shown it."""
        assessment = Assessment.objects.filter(enquiry=enquiry).defer("told").first()
        if assessment is None:
            return "None, or it is deleted"
        ends = date_format(timezone.localtime(assessment.expires_at), "j F Y, H:i")
        return format_html(
            "Yes, behind a link in the mail, until {}. Only the patient can open it.<br>They agreed, version {}: “{}”",
            ends,
            assessment.consent_version,
            consent.WORDINGS[assessment.consent_version],
        )

    @admin.display(description="details erased")
    def details_erased(self, enquiry):
        return enquiry.erased_at

    @admin.display(description="why it was set aside")
    def why_quarantined(self, enquiry):
        return enquiry.quarantine_reason

    # --- what is done ---

    def save_model(self, request, obj, form, change):
        actions.triage(
            enquiry=obj,
            by=request.user,
            to=form.cleaned_data["status"],
            owner=form.cleaned_data["owner"],
            change_owner=True,
            note=form.cleaned_data["note"],
            version=form.cleaned_data["opened_version"],
        )

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except (actions.MoveRefused, actions.StaleEnquiry) as refusal:
            # Somebody saved between our check and our save.
            messages.error(request, str(refusal))
            return HttpResponseRedirect(request.get_full_path())

    def _each(self, request, queryset, **change):
        done = refused = 0
        for enquiry in queryset:
            try:
                actions.triage(enquiry=enquiry, by=request.user, **change)
                done += 1
            except actions.MoveRefused:
                refused += 1
        if done:
            messages.success(request, f"{done} changed.")
        if refused:
            messages.warning(request, f"{refused} left as they were: their status does not allow this move.")

    @admin.action(description="Take: I will deal with these", permissions=["change"])
    def take(self, request, queryset):
        self._each(request, queryset, owner=request.user, change_owner=True)

    @admin.action(description="Move to “in progress”", permissions=["change"])
    def start(self, request, queryset):
        self._each(request, queryset, to=Status.IN_PROGRESS)

    @admin.action(description="Close", permissions=["change"])
    def close(self, request, queryset):
        self._each(request, queryset, to=Status.CLOSED)

    @admin.action(description="Mark as spam", permissions=["change"])
    def mark_as_spam(self, request, queryset):
        self._each(request, queryset, to=Status.SPAM)
