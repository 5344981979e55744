from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path
from django.views.decorators.http import require_POST

from enquiries import actions
from enquiries.admin.readonly import ReadOnlyInline, ReadOnlyMixin
from enquiries.models import MessageState, OutgoingMessage


class MessageInline(ReadOnlyInline):
    model = OutgoingMessage
    verbose_name_plural = "mail"
    fields = readonly_fields = ["purpose", "state_in_words", "attempts", "sent_at", "again"]

    @admin.display(description="state")
    def state_in_words(self, message):
        if message.state == MessageState.WAITING and message.error:
            return f"{message.get_state_display()}; last try: {message.error}"
        return f"{message.get_state_display()}{f': {message.error}' if message.error else ''}"

    @admin.display(description="send again")
    def again(self, message):
        from django.template.loader import render_to_string

        return render_to_string("admin/enquiries/_send_again.html", {"message": message})


@admin.register(OutgoingMessage)
class OutgoingMessageAdmin(ReadOnlyMixin, admin.ModelAdmin):
    """The message log of the whole clinic. Its rows hold no address and no words."""

    list_display = [
        "enquiry",
        "purpose",
        "state",
        "attempts",
        "next_attempt",
        "error",
        "created_at",
        "sent_at",
    ]
    list_filter = ["state", "purpose"]
    list_select_related = ["enquiry"]
    ordering = ["-created_at"]
    search_fields = ["enquiry__reference"]
    search_help_text = "Search by reference"
    fields = [
        "enquiry",
        "purpose",
        "sequence",
        "state",
        "attempts",
        "next_attempt_at",
        "error",
        "created_at",
        "sent_at",
    ]

    @admin.display(description="next try", ordering="next_attempt_at")
    def next_attempt(self, message):
        return message.next_attempt_at if message.state == MessageState.WAITING else "–"

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
        actions.send_again(message=message, by=request.user)
        messages.success(request, f"The mail is in the queue again: {message.get_purpose_display()}.")
        return HttpResponseRedirect(message.enquiry.get_admin_url())
