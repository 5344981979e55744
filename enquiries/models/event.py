"""The timeline, written in the same transaction as what it reports; unsent drafts; and the log of exports."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.db.models import Q
from django.utils import timezone

from backcare.core.encryption import EncryptedTextField
from enquiries.models.enquiry import Enquiry, Status
from factsheets import team


class EventKind(models.TextChoices):
    """The kinds of entry in an enquiry's timeline."""

    RECEIVED = "received", "received"
    MOVED = "moved", "status changed"
    ASSIGNED = "assigned", "assigned"
    NOTE = "note", "note"
    MESSAGE_SENT = "message_sent", "email sent"
    MESSAGE_FAILED = "message_failed", "email failed"
    MESSAGE_AGAIN = "message_again", "email to be sent again"
    CORRECTED = "corrected", "email address corrected"
    ERASED = "erased", "details erased"
    VIEWED = "viewed", "viewed"
    CALLED = "called", "called"
    REPLIED = "replied", "replied"
    BOOKED = "booked", "appointment booked"
    APPOINTMENT = "appointment", "appointment changed"
    SAFETY = "safety", "action on the warning sign"
    TOLD = "told", "clinician told"
    LINKED = "linked", "marked as a duplicate"
    ADDED = "added", "patient added details"
    TIMES = "times", "patient changed the times to call"
    WITHDRAWN = "withdrawn", "withdrawn by the patient"
    RELEASED = "released", "released"
    EXPORTED = "exported", "exported"
    READ = "read", "read what they wrote"


class EnquiryEvent(models.Model):
    """One entry in an enquiry's timeline. Never changed, and deleted only with its enquiry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enquiry = models.ForeignKey("enquiries.Enquiry", on_delete=models.CASCADE, related_name="events", editable=False)
    kind = models.CharField(max_length=16, choices=EventKind, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    actor = models.CharField(
        max_length=150, editable=False, help_text="The actor's name as it was, for when accounts go."
    )
    from_status = models.CharField(max_length=12, choices=Status, blank=True, editable=False)
    to_status = models.CharField(max_length=12, choices=Status, blank=True, editable=False)
    summary = models.CharField(
        max_length=200, blank=True, editable=False, help_text="Never holds what a patient wrote."
    )
    note = EncryptedTextField()
    subject = EncryptedTextField(null=True, help_text="Of a reply's email. Empty: the clinic's own.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = "timeline entry"
        verbose_name_plural = "timeline"
        # For the newest entries of all enquiries, in "Who did what" (backcare/staff/audit.py).
        indexes = [models.Index(fields=["created_at"], name="event_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="event_known_kind"),
            models.CheckConstraint(
                condition=(Q(kind="moved") & ~Q(from_status="") & ~Q(to_status=""))
                | (~Q(kind="moved") & Q(from_status="", to_status="")),
                name="event_statuses_when_moved",
            ),
        ]

    def __str__(self):
        return f"{self.get_kind_display()}, {timezone.localtime(self.created_at):%-d %B %Y}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("A timeline entry is written once and never changed.")
        super().save(*args, **kwargs)

    def erase_note(self) -> None:
        """The only change a timeline allows: removes a note's words, but not the fact that there was one."""
        self.note = self.subject = ""
        super().save(update_fields=["note", "subject"])


def record(enquiry: Enquiry, kind: str, **fields: Any) -> EnquiryEvent:
    """Makes an `entry` and saves it."""
    made = entry(enquiry, kind, **fields)
    made.save(force_insert=True)
    return made


def entry(enquiry: Enquiry, kind: str, *, by: User | None = None, actor: str = "", **fields: Any) -> EnquiryEvent:
    """A timeline entry that is not saved yet."""
    fields.setdefault("created_at", timezone.now())
    if not actor:
        if by is None:
            raise TypeError("Name the actor: by=user, or actor for the patient or the mail worker.")
        actor = team.account_name(by)
    return EnquiryEvent(enquiry=enquiry, kind=kind, by=by, actor=actor, **fields)


class StaffDraft(models.Model):
    """What a colleague has typed on an enquiry's page and not sent: every field, as JSON. Only they see it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enquiry = models.ForeignKey(
        "enquiries.Enquiry", on_delete=models.CASCADE, related_name="drafts", editable=False, db_index=False
    )  # the constraint's index begins with it
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False)
    typed = EncryptedTextField()
    updated_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "by"], name="draft_once_for_each")]

    def __str__(self) -> str:
        return f"draft of {self.by_id}"


class Export(models.Model):
    """Who exported a list of enquiries, which ones and why. Written before the first row is sent."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    actor = models.CharField(
        "who", max_length=150, editable=False, help_text="The name as it was, for when accounts go."
    )
    what = models.CharField(max_length=200, editable=False, help_text="The queue, the dates, or the selection.")
    how_many = models.PositiveIntegerField("how many enquiries", editable=False)
    columns = models.CharField(max_length=300, editable=False)
    with_contact_details = models.BooleanField("with contact details", editable=False)
    reason = models.CharField("why", max_length=500, editable=False)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(condition=~Q(actor="") & ~Q(reason=""), name="export_has_actor_and_reason"),
        ]

    def __str__(self):
        return f"{self.what}, by {self.actor}"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise TypeError("The log of exports is written once and never changed.")
        super().save(*args, **kwargs)
