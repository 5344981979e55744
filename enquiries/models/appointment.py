"""A time agreed with a patient. Moved and cancelled ones are kept, so that an enquiry has the history of its appointments."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from backcare.core.encryption import EncryptedTextField

MIN_MINUTES, MAX_MINUTES = 5, 480
MINUTES = 30  # unless somebody chose another length


class Channel(models.TextChoices):
    PHONE = "phone", "by phone"
    VIDEO = "video", "by video call"
    CLINIC = "clinic", "at the clinic"


class AppointmentState(models.TextChoices):
    BOOKED = "booked", "booked"
    MOVED = "moved", "moved"
    CAME = "came", "came"
    MISSED = "missed", "did not come"
    CANCELLED_BY_PATIENT = "by_patient", "cancelled by the patient"
    CANCELLED_BY_CLINIC = "by_clinic", "cancelled by the clinic"
    # Only for appointments from before an outcome was asked for.
    NOT_RECORDED = "not_recorded", "not recorded"


# What staff may record when one is over. "Moved" is recorded by moving it.
OUTCOMES = [
    AppointmentState.CAME,
    AppointmentState.MISSED,
    AppointmentState.CANCELLED_BY_PATIENT,
    AppointmentState.CANCELLED_BY_CLINIC,
]


class AppointmentQuerySet(models.QuerySet["Appointment"]):
    def to_come(self, now: datetime) -> Self:
        return self.filter(state=AppointmentState.BOOKED, starts_at__gt=now)

    def without_outcome(self, now: datetime) -> Self:
        """Those that have begun and have no outcome yet."""
        return self.filter(state=AppointmentState.BOOKED, starts_at__lte=now)


def name_nobody_afterwards(collector, field, rows, using) -> None:
    """When a person is deleted, their past appointments then name nobody. Raises ProtectedError if they have any still to come."""
    if to_come := [each for each in rows if each.is_to_come]:
        raise models.ProtectedError("They have appointments to come. Move those to somebody else first.", set(to_come))
    models.SET_NULL(collector, field, rows, using)


class Appointment(models.Model):
    """One agreed time. Moving it makes a new row that replaces this one, with the same calendar UID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    enquiry = models.ForeignKey(
        "enquiries.Enquiry", on_delete=models.CASCADE, related_name="appointments", editable=False
    )
    starts_at = models.DateTimeField(db_index=True, editable=False)
    minutes = models.PositiveSmallIntegerField(
        default=MINUTES,
        validators=[MinValueValidator(MIN_MINUTES), MaxValueValidator(MAX_MINUTES)],
        editable=False,
    )
    channel = models.CharField(max_length=10, choices=Channel, editable=False)
    with_whom = models.ForeignKey(
        "factsheets.TeamMember",
        on_delete=name_nobody_afterwards,
        null=True,
        related_name="appointments",
        editable=False,
    )
    # Anyone who has the link of a video call can join it.
    place = EncryptedTextField("place or video link", null=True)
    remind = models.BooleanField(
        default=False, editable=False, help_text="Whether the patient gets an email the working day before."
    )
    reminded_at = models.DateTimeField(null=True, editable=False)
    state = models.CharField(max_length=12, choices=AppointmentState, default=AppointmentState.BOOKED, editable=False)
    # RFC 5545, 3.8.4.7 and 3.8.7.4: these tell a calendar that two files are about the same entry, and which is newer.
    uid = models.CharField(max_length=200, editable=False)
    sequence = models.PositiveIntegerField(default=0, editable=False)
    replaces = models.OneToOneField(
        "self", on_delete=models.SET_NULL, null=True, related_name="replaced_by", editable=False
    )
    booked_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(
        null=True, editable=False, help_text="When it was moved or cancelled, or its outcome recorded."
    )

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        ordering = ["starts_at", "pk"]
        indexes = [
            # Only open ones: for the desk's lists, clashes and reminders.
            models.Index(fields=["starts_at"], name="appointment_booked", condition=Q(state="booked")),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["enquiry"], condition=Q(state="booked"), name="appointment_one_booked_of_an_enquiry"
            ),
            models.UniqueConstraint(fields=["uid", "sequence"], name="appointment_sequence_once"),
            models.CheckConstraint(condition=Q(state__in=AppointmentState.values), name="appointment_known_state"),
            models.CheckConstraint(condition=Q(channel__in=Channel.values), name="appointment_known_channel"),
            models.CheckConstraint(
                condition=Q(minutes__gte=MIN_MINUTES, minutes__lte=MAX_MINUTES), name="appointment_length"
            ),
            models.CheckConstraint(
                condition=Q(starts_at__gt=F("booked_at")), name="appointment_is_to_come_when_booked"
            ),
            models.CheckConstraint(
                condition=Q(state="booked", ended_at__isnull=True) | (~Q(state="booked") & Q(ended_at__isnull=False)),
                name="appointment_ended_at_when_over",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["came", "missed"]) | Q(ended_at__gte=F("starts_at")),
                name="appointment_came_or_not_after_it_began",
            ),
            models.CheckConstraint(
                condition=Q(replaces__isnull=True) | ~Q(replaces=F("pk")), name="appointment_replaces_another"
            ),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.starts_at):%d %b %Y %H:%M}, {self.get_state_display()}"

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(minutes=self.minutes)

    @property
    def is_to_come(self) -> bool:
        return self.state == AppointmentState.BOOKED and self.starts_at > timezone.now()

    @property
    def needs_outcome(self) -> bool:
        return self.state == AppointmentState.BOOKED and not self.is_to_come


def new_secret() -> str:
    return secrets.token_hex(16)


class CalendarFeed(models.Model):
    """The private address at which a colleague's calendar program reads the appointments: references and times, nothing more.

    A new secret makes a new address, and the old one stops working (`enquiries/calendar.py`).
    """

    staff = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="calendar_feed",
        editable=False,
    )
    secret = models.CharField(max_length=32, unique=True, default=new_secret, editable=False)
    only_mine = models.BooleanField(default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"calendar of {self.staff}"
