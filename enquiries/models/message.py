import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils import timezone


class Purpose(models.TextChoices):
    """What an email is for, which decides its text (RENDERERS in `enquiries/mail/emails.py`), who gets it and what it is about."""

    REPORT = "report", "fact sheet to the patient"
    ACKNOWLEDGEMENT = "acknowledgement", "acknowledgement to the patient"
    CLINIC_ALERT = "clinic_alert", "alert to the clinic"
    CLINICIAN_ALERT = "clinician_alert", "urgent alert to a clinician"
    CHANGE_ALERT = "change_alert", "alert to the clinic: changed by the patient"
    REPLY = "reply", "reply to the patient"
    BOOKING = "booking", "appointment confirmation to the patient"
    CANCELLATION = "cancellation", "appointment cancellation to the patient"
    BOOKING_REMINDER = "booking_reminder", "appointment reminder to the patient"
    NEW_LINK = "new_link", "new private link to the patient"
    REVIEW_REMINDER = "review_reminder", "review reminder to an editor"
    SHEET_REVIEW = "sheet_review", "step in a review, to a reviewer or an author"
    DIGEST = "digest", "daily summary to the clinic"
    ABUSE_ALARM = "abuse_alarm", "alert to the clinic: too many forms"
    INVITATION = "invitation", "invitation to the staff desk"
    PASSWORD_RESET = "password_reset", "link to choose a new password"


ABOUT_A_DAY = ["digest", "abuse_alarm"]
ABOUT_AN_APPOINTMENT = ["booking", "cancellation", "booking_reminder"]
ABOUT_AN_ACCOUNT = ["invitation", "password_reset"]
TO_ONE_OF_STAFF = ["review_reminder", "sheet_review", "clinician_alert", *ABOUT_AN_ACCOUNT]


class MessageState(models.TextChoices):
    """How far an email has got. The last three are final unless staff send it again."""

    WAITING = "waiting", "waiting to be sent"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"
    # Not a failure: what it would have said was no longer true when its turn came.
    LAPSED = "lapsed", "no longer needed"


# How long a worker may hold an email. If it is not being sent by then, another worker takes it (mail/worker.py, BEGIN_WITHIN).
LEASE = timedelta(seconds=90)


class OutgoingMessageQuerySet(models.QuerySet["OutgoingMessage"]):
    def due(self) -> Self:
        """What a worker may claim: emails that are due, or whose worker has gone. By the database's clock."""
        return self.filter(
            Q(state=MessageState.WAITING, next_attempt_at__lte=Now())
            | Q(state=MessageState.SENDING, lease_until__lt=Now())
        )

    def with_enquiry(self) -> Self:
        """Fetches what most emails are about, but not the sheet's text, because its leaflet is kept ready."""
        return self.select_related("enquiry__sheet").defer("enquiry__sheet__document", "enquiry__sheet__key_points")

    def failed(self) -> Self:
        return self.filter(state=MessageState.FAILED)

    def unsent(self) -> Self:
        return self.filter(state__in=[MessageState.WAITING, MessageState.SENDING])

    def queue_again(self, now: datetime) -> int:
        """Sends them as if they were new, with all their tries. Returns how many."""
        fresh = {"attempts": 0, "lost_claims": 0, "error": "", "created_at": now, "next_attempt_at": now}
        return self.update(state=MessageState.WAITING, **fresh)


class OutgoingMessage(models.Model):
    """One mail to be sent. It holds ids, not words: the worker renders it when it sends it.

    It belongs to an enquiry, to the patient, the clinic or one clinician; or it tells one member of staff that a sheet's review is
    due, or of a step in it (`edition`), in that of a shared record's draft (`draft_event`) or of the red flags (`safety_event`).
    Or it is about a day: its digest, or the alarm that very many forms came; or about a staff account. The link that opens an
    account is made when it is sent (backcare/staff/account_emails.py), and stored nowhere.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enquiry = models.ForeignKey(
        "enquiries.Enquiry", on_delete=models.CASCADE, null=True, related_name="messages", editable=False
    )
    reminder = models.ForeignKey(
        "factsheets.ReviewReminder", on_delete=models.CASCADE, null=True, related_name="messages", editable=False
    )
    edition = models.ForeignKey(
        "factsheets.Edition", on_delete=models.CASCADE, null=True, related_name="messages", editable=False
    )
    draft_event = models.ForeignKey(
        "factsheets.SharedDraftEvent", on_delete=models.CASCADE, null=True, related_name="messages", editable=False
    )
    safety_event = models.ForeignKey(
        "factsheets.SafetyDraftEvent", on_delete=models.CASCADE, null=True, related_name="messages", editable=False
    )
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, related_name="reminders", editable=False
    )
    day = models.DateField(
        null=True,
        editable=False,
        help_text="The day that a digest or an alarm is about. The clinic gets one of each a day.",
    )
    # The words of a reply are the note of its timeline entry, which is encrypted.
    event = models.ForeignKey(
        "enquiries.EnquiryEvent", on_delete=models.CASCADE, null=True, related_name="messages", editable=False
    )
    # Empty once the enquiry's details have been erased, including its appointments.
    appointment = models.ForeignKey(
        "enquiries.Appointment", on_delete=models.SET_NULL, null=True, related_name="messages", editable=False
    )
    purpose = models.CharField(max_length=16, choices=Purpose, editable=False)
    sequence = models.PositiveSmallIntegerField(default=1, editable=False, help_text="2 and up: sent again by staff.")
    state = models.CharField(max_length=8, choices=MessageState, default=MessageState.WAITING, editable=False)
    attempts = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="How often a worker took it in hand."
    )
    lost_claims = models.PositiveSmallIntegerField(
        default=0,
        editable=False,
        help_text="Of the latest attempts, how many ended with the worker gone and nothing recorded.",
    )
    urgent = models.BooleanField(
        default=False, editable=False, help_text="Tells of a warning sign, so it goes before the others."
    )
    next_attempt_at = models.DateTimeField(default=timezone.now, editable=False)
    claimed_by = models.CharField(max_length=32, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    # The exception's class and the SMTP code, but not the server's text, because it quotes addresses.
    error = models.CharField("last error", max_length=80, blank=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    sent_at = models.DateTimeField(null=True, editable=False)

    objects = OutgoingMessageQuerySet.as_manager()

    class Meta:
        ordering = ["created_at", "pk"]
        verbose_name = "outgoing email"
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="message_state_next"),
            # In the order in which a worker takes them: enquiries/mail/worker.py.
            models.Index("state", F("urgent").desc(), "next_attempt_at", "id", name="message_in_turn"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["enquiry", "purpose", "sequence"], name="message_once"),
            models.UniqueConstraint(fields=["reminder", "staff"], name="message_reminds_each_once"),
            models.UniqueConstraint(fields=["edition", "staff"], name="message_tells_each_once"),
            models.UniqueConstraint(fields=["draft_event", "staff"], name="message_tells_each_of_a_draft_once"),
            models.UniqueConstraint(fields=["safety_event", "staff"], name="message_tells_each_of_red_flags_once"),
            models.UniqueConstraint(fields=["day", "purpose"], name="message_one_of_a_day"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="message_known_purpose"),
            models.CheckConstraint(
                condition=(
                    Q(purpose="review_reminder", reminder__isnull=False, staff__isnull=False)
                    & Q(enquiry__isnull=True, day__isnull=True)
                )
                | (
                    Q(purpose__in=ABOUT_A_DAY, day__isnull=False)
                    & Q(enquiry__isnull=True, reminder__isnull=True, staff__isnull=True)
                )
                | (
                    Q(purpose="clinician_alert", enquiry__isnull=False, staff__isnull=False)
                    & Q(reminder__isnull=True, day__isnull=True)
                )
                | (
                    Q(purpose__in=[*ABOUT_AN_ACCOUNT, "sheet_review"], staff__isnull=False)
                    & Q(enquiry__isnull=True, reminder__isnull=True, day__isnull=True)
                )
                | (
                    ~Q(purpose__in=[*TO_ONE_OF_STAFF, *ABOUT_A_DAY])
                    & Q(enquiry__isnull=False, reminder__isnull=True, staff__isnull=True, day__isnull=True)
                ),
                name="message_is_about_one_thing",
            ),
            models.CheckConstraint(
                condition=Q(purpose="sheet_review", edition__isnull=False, draft_event=None, safety_event=None)
                | Q(purpose="sheet_review", edition=None, draft_event__isnull=False, safety_event=None)
                | Q(purpose="sheet_review", edition=None, draft_event=None, safety_event__isnull=False)
                | (~Q(purpose="sheet_review") & Q(edition=None, draft_event=None, safety_event=None)),
                name="message_of_a_review_has_its_step",
            ),
            models.CheckConstraint(
                condition=Q(purpose="reply", event__isnull=False) | (~Q(purpose="reply") & Q(event__isnull=True)),
                name="message_reply_has_words",
            ),
            models.CheckConstraint(
                condition=Q(appointment__isnull=True) | Q(purpose__in=ABOUT_AN_APPOINTMENT),
                name="message_appointment_only_for_its_emails",
            ),
            models.CheckConstraint(condition=Q(state__in=MessageState.values), name="message_known_state"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="message_sent_has_time",
            ),
            models.CheckConstraint(
                condition=(Q(state="sending", lease_until__isnull=False) & ~Q(claimed_by=""))
                | (~Q(state="sending") & Q(lease_until__isnull=True, claimed_by="")),
                name="message_sending_has_holder_and_lease",
            ),
        ]

    def __str__(self):
        return f"{self.get_purpose_display()}: {self.get_state_display()}"

    @property
    def about(self) -> str:
        """What it is about, in a word that may be logged: a reference, a sheet's slug, a day or an account's number."""
        if self.day:
            return self.day.isoformat()
        if self.purpose in ABOUT_AN_ACCOUNT:
            return f"account {self.staff_id}"
        if self.edition_id:
            return self.edition.sheet.slug
        if self.draft_event_id:
            return f"draft {self.draft_event.draft_id}"
        if self.safety_event_id:
            return f"red flags, draft {self.safety_event.draft_id}"
        return self.enquiry.reference if self.enquiry_id else self.reminder.sheet.slug

    @property
    def is_replaced(self) -> bool:
        """Whether another email has replaced it, because a report's address was corrected or an appointment moved."""
        if self.purpose not in {Purpose.REPORT, Purpose.BOOKING}:
            return False
        later = OutgoingMessage.objects.filter(
            enquiry=self.enquiry_id, purpose=self.purpose, created_at__gt=self.created_at
        )
        return later.exclude(state__in=[MessageState.LAPSED, MessageState.FAILED]).exists()
