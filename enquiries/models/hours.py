"""When the clinic is open, and how soon it answers. `enquiries.clock` makes the promises from it."""

import uuid
from datetime import date, datetime, time
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from factsheets import team
from factsheets.models.version import Shown

MAX_REPLY_HOURS = 80  # working hours: two weeks for a clinic that opens 40 hours a week


class Nation(models.TextChoices):
    """The four lists of bank holidays: https://www.gov.uk/bank-holidays."""

    ENGLAND = "england", "England"
    WALES = "wales", "Wales"
    SCOTLAND = "scotland", "Scotland"
    NORTHERN_IRELAND = "northern_ireland", "Northern Ireland"


class Weekday(models.IntegerChoices):
    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class ClinicHours(Shown):
    """The one row that says how soon the clinic answers, and whether it makes promises at the moment."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    nation = models.CharField(
        "bank holidays for",
        max_length=16,
        choices=Nation,
        default=Nation.ENGLAND,
        help_text="The clinic is closed on bank holidays.",
    )
    # Eight hours are one working day if a clinic opens from nine to five.
    within_hours = models.PositiveSmallIntegerField(
        "reply within",
        default=8,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_REPLY_HOURS)],
        help_text="Working hours, from 1 to 80. If you open 9am to 5pm, 8 is one working day.",
    )
    notice = models.TextField(
        "public notice",
        max_length=500,
        blank=True,
        help_text="Patients see this on the forms instead of a reply time while replies are paused. "
        "It is kept here for next time.",
    )
    paused_at = models.DateTimeField(null=True, editable=False)
    paused_by = models.CharField(max_length=150, blank=True, editable=False, help_text="A name, for when accounts go.")

    class Meta:
        verbose_name = verbose_name_plural = "opening hours and replies"
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="clinic_hours_one_row"),
            models.CheckConstraint(condition=Q(nation__in=Nation.values), name="clinic_hours_known_nation"),
            models.CheckConstraint(
                condition=Q(within_hours__gte=1, within_hours__lte=MAX_REPLY_HOURS), name="clinic_hours_reply_within"
            ),
            models.CheckConstraint(
                condition=Q(paused_at__isnull=True, paused_by="")
                | (Q(paused_at__isnull=False) & ~Q(paused_by="") & ~Q(notice="")),
                name="clinic_hours_pause_has_name_and_notice",
            ),
        ]

    def __str__(self):
        return "Opening hours and replies"

    @property
    def is_paused(self) -> bool:
        return self.paused_at is not None

    def pause(self, *, by) -> None:
        """Stops promising replies from now on; patients see the notice. Earlier promises stand. Does not save."""
        if not self.is_paused:
            self.paused_at = timezone.now()
            self.paused_by = (team.account_name(by))[:150]

    def go_on(self) -> None:
        """Promises replies again. Does not save."""
        self.paused_at, self.paused_by = None, ""


class OpeningHours(Shown):
    """One spell of opening time on a weekday, in local time. A day may have several, which the form does not let overlap."""

    clinic = models.ForeignKey(
        ClinicHours, on_delete=models.CASCADE, related_name="openings", default=1, editable=False
    )
    weekday = models.PositiveSmallIntegerField("day", choices=Weekday)
    opens = models.TimeField()
    closes = models.TimeField()

    class Meta:
        ordering = ["weekday", "opens"]
        verbose_name = verbose_name_plural = "opening hours"
        constraints = [
            models.CheckConstraint(condition=Q(weekday__in=Weekday.values), name="opening_known_weekday"),
            models.CheckConstraint(condition=Q(closes__gt=F("opens")), name="opening_closes_after_it_opens"),
        ]

    def __str__(self):
        from enquiries.clock import clock_time  # which reads these tables

        return f"{self.get_weekday_display()}, {clock_time(self.opens)} to {clock_time(self.closes)}"

    def clean(self):
        if self.opens and self.closes and self.closes <= self.opens:
            raise ValidationError({"closes": "The closing time must be after the opening time."})


class Closure(Shown):
    """A closure on days when the clinic would otherwise be open."""

    first_day = models.DateField()
    last_day = models.DateField(help_text="For a single day, enter the same date.")
    from_time = models.TimeField(
        "closed from", null=True, blank=True, help_text="On the first day. Leave empty for all day."
    )
    until_time = models.TimeField(
        "closed until", null=True, blank=True, help_text="On the last day. Leave empty for all day."
    )
    reason = models.CharField(
        max_length=120, help_text="Patients will see this. For example: “staff training” or “Christmas break”."
    )

    class Meta:
        ordering = ["-first_day", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="closure_ends_after_it_starts"),
            models.CheckConstraint(
                condition=Q(from_time__isnull=True)
                | Q(until_time__isnull=True)
                | Q(last_day__gt=F("first_day"))
                | Q(until_time__gt=F("from_time")),
                name="closure_times_in_order",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="closure_has_reason"),
        ]

    def __str__(self):
        days = f"{self.first_day:%-d %B %Y}"
        if self.last_day != self.first_day:
            days += f" to {self.last_day:%-d %B %Y}"
        return f"{days}: {self.reason}"

    @property
    def span(self) -> tuple[datetime, datetime]:
        """From when to when, in local time."""
        return (
            datetime.combine(self.first_day, self.from_time or time.min),
            datetime.combine(self.last_day, self.until_time or time.max),
        )

    def clean(self):
        if not self.first_day or not self.last_day:
            return
        if self.last_day < self.first_day:
            raise ValidationError({"last_day": "The last day must be the same as the first day or later."})
        one_day = self.first_day == self.last_day
        if one_day and self.from_time and self.until_time and self.until_time <= self.from_time:
            raise ValidationError({"until_time": "On one day, “closed until” must be later than “closed from”."})
        starts, ends = self.span
        near = Closure.objects.filter(first_day__lte=self.last_day, last_day__gte=self.first_day).exclude(pk=self.pk)
        for other in near:
            if starts < other.span[1] and other.span[0] < ends:
                # Patients would see two reasons for the same days.
                raise ValidationError(f"This overlaps another closure: {other}. Change that one or choose other days.")


class AbsenceQuerySet(models.QuerySet["Absence"]):
    def on(self, day: date) -> Self:
        return self.filter(first_day__lte=day, last_day__gte=day)


class Absence(models.Model):
    """Days on which a colleague is away. Meanwhile the others have a queue with their open enquiries."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="absences")
    first_day = models.DateField("away from")
    last_day = models.DateField("away until", db_index=True, help_text="The last day away.")

    objects = AbsenceQuerySet.as_manager()

    class Meta:
        ordering = ["-first_day", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="absence_ends_after_it_starts"),
        ]

    def __str__(self) -> str:
        name = team.account_name(self.staff)
        return f"{name}, {self.first_day:%-d %B} to {self.last_day:%-d %B %Y}"

    def clean(self) -> None:
        if self.first_day and self.last_day and self.last_day < self.first_day:
            raise ValidationError({"last_day": "“Away until” must be the same day as “away from” or later."})
