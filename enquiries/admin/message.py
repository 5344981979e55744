from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from backcare.core.readonly_admin import ReadOnlyMixin
from enquiries.actions import outbox
from enquiries.admin import autosave, inbox
from enquiries.models import MessageState, OutgoingMessage, Purpose
from enquiries.templatetags.moments import lately
from factsheets import team


def send_again_button(message: OutgoingMessage) -> str:
    """For what has failed, and for what was sent to a patient: nobody gets a reminder, or what is about a day, twice.

    Empty for the others.
    """
    if not message.enquiry_id and message.state != MessageState.FAILED:
        return ""
    if message.state not in {MessageState.SENT, MessageState.FAILED}:
        return ""
    if message.enquiry_id and message.enquiry.erased_at:
        return ""
    return render_to_string("admin/enquiries/_send_again.html", {"message": message})


def state_in_words(message: OutgoingMessage) -> str:
    if message.state == MessageState.WAITING and message.error:
        before = "; last attempt" if message.attempts else ""  # without an error it was held back
        return f"{message.get_state_display()}{before}: {message.error}"
    return f"{message.get_state_display()}{f': {message.error}' if message.error else ''}"


@admin.register(OutgoingMessage)
class OutgoingMessageAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """The message log of the whole clinic. Its rows hold no address and no words."""

    list_display = [
        "what_about",
        "purpose",
        "state",
        "attempts",
        "next_attempt",
        "error",
        "created",
        "sent",
    ]
    list_filter = ["state", "purpose"]
    list_select_related = [
        "enquiry",
        "reminder__sheet",
        "edition__sheet",
        "draft_event__draft",
        "safety_event",
        "staff",
    ]
    ordering = ["-created_at"]
    search_fields = [
        "enquiry__reference",
        "reminder__sheet__title",
        "edition__sheet__title",
        "draft_event__draft__name",
    ]
    search_help_text = "Search by reference, fact sheet or draft"
    fields = [
        "purpose",
        "sequence",
        "state",
        "attempts",
        "lost_claims",
        "next_attempt",
        "error",
        "created",
        "sent",
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).defer("reminder__sheet__document")

    def get_fields(self, request, obj=None):
        if obj and obj.reminder_id:
            return ["what_about", "review", *self.fields, "again"]
        if obj and not obj.enquiry_id:
            return ["what_about", *self.fields, "again"]
        return ["enquiry", *self.fields]

    @admin.display(description="about")
    def what_about(self, message):
        if message.enquiry_id:
            return str(message.enquiry)
        if message.day:
            return message.about
        reader = team.account_name(message.staff)
        if message.purpose == Purpose.SHEET_REVIEW:
            draft = message.draft_event.draft.name if message.draft_event_id else "Red flags"
            about = message.edition.sheet if message.edition_id else draft
            return f"“{about}”, to {reader}"
        return f"“{message.reminder.sheet}”, to {reader}" if message.reminder_id else f"the account of {reader}"

    @admin.display(description="review")
    def review(self, message):
        return f"due on {message.reminder.review_due_on:%-d %B %Y}; reminder {message.reminder.days_before} days before"

    @admin.display(description="next attempt", ordering="next_attempt_at")
    def next_attempt(self, message):
        return lately(message.next_attempt_at) if message.state == MessageState.WAITING else "–"

    @admin.display(description="created", ordering="created_at")
    def created(self, message):
        return lately(message.created_at)

    @admin.display(description="sent", ordering="sent_at")
    def sent(self, message):
        return lately(message.sent_at) or "–"

    @admin.display(description="send again")
    def again(self, message):
        return send_again_button(message) or "–"

    def get_urls(self):
        again = path(
            "<uuid:pk>/send-again/",
            self.admin_site.admin_view(require_POST(self.send_again)),
            name="enquiries_outgoingmessage_send_again",
        )
        return [again, *super().get_urls()]

    def send_again(self, request, pk):
        if not request.user.has_perm("enquiries.change_enquiry"):
            raise PermissionDenied
        message = get_object_or_404(OutgoingMessage.objects.select_related("enquiry"), pk=pk)
        if message.enquiry:
            autosave.keep(request, message.enquiry)
        try:
            message = outbox.send_again(message=message, by=request.user)
        except outbox.Erased as refusal:
            messages.error(request, str(refusal))
            return HttpResponseRedirect(inbox.back_to(request, message.enquiry))
        if message.state == MessageState.SENT:
            messages.info(request, "This reminder has already been sent, so it was not sent again.")
        else:
            messages.success(request, f"Email queued again: {message.get_purpose_display()}.")
        if message.enquiry:
            return HttpResponseRedirect(inbox.back_to(request, message.enquiry))
        return HttpResponseRedirect(reverse("admin:enquiries_outgoingmessage_change", args=[message.pk]))
