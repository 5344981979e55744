"""Tables that belong to the site as a whole."""

from typing import Any, Self

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone

from backcare.core import palette


class Limit(models.Model):
    """How often one sender did one thing within a short time. Only backcare/core/limits.py uses it.

    `key` is a keyed hash that changes every day, never an address or a name.
    """

    name = models.CharField("what is limited", max_length=40)
    key = models.CharField(max_length=64)
    window_start = models.DateTimeField()
    # After this moment the row no longer counts, and is deleted.
    until = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "key", "window_start"], name="one_count_a_window"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.count}"


MAX_REPORT_DAYS, MAX_ENQUIRY_MONTHS = 365, 120
# Only a suggestion, which a clinic must confirm before pages show it.
INTEREST_STATEMENT = (
    "This clinic sells some of the treatments these pages describe, acupuncture among them. "
    "That is why each page says what the research found, and what NICE says, for and against."
)
CONTENT_LICENCE = (
    "Creative Commons Attribution 4.0 (creativecommons.org/licenses/by/4.0): you may copy, print and adapt this page. Say where "
    "it comes from, keep its date, and leave out the reviewer’s name if you change it."
)


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


class ClinicSettings(models.Model):
    """What the clinic is, in one row. An owner edits it on the staff desk; the environment filled it once.

    Each saved state is kept as a ClinicSettingsEdition. Every save gives the content a new version (factsheets), so that cached
    pages and PDFs are made again.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    # Counts saves, so that an owner cannot undo what another has saved meanwhile.
    version = models.PositiveIntegerField(default=1, editable=False)
    name = models.CharField(max_length=80, default="Back clinic")
    phone = models.CharField(max_length=40, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    # Where staff alerts go. They hold a reference and a link, never what a patient wrote.
    inbox_email = models.EmailField(max_length=254, blank=True)
    # The sender of our email: an address that the mail server may send for. If empty, `name` and `email`.
    sender_name = models.CharField(max_length=80, blank=True)
    sender_email = models.EmailField(max_length=254, blank=True)
    # Whether the inbox for alerts gets a summary in numbers each morning.
    daily_digest = models.BooleanField(default=True)
    # Where patients' answers to our emails go: a mailbox that somebody reads. If empty, `email`.
    reply_to_email = models.EmailField(max_length=254, blank=True)
    address = models.CharField(max_length=200, blank=True)
    # Consultations are only online or by telephone, so there is no address.
    has_no_rooms = models.BooleanField(default=False)
    map_link = models.URLField(max_length=500, blank=True)
    # The emergency department near the clinic.
    hospital_name = models.CharField(max_length=120, blank=True)
    hospital_address = models.CharField(max_length=200, blank=True)
    hospital_phone = models.CharField(max_length=40, blank=True)
    prices = models.TextField(max_length=2000, blank=True)  # one per line
    acupuncture_prices = models.TextField(max_length=2000, blank=True)  # the same, for pages about acupuncture
    # Empty until the clinic has stated it; until then pages say nothing about it.
    interest_statement = models.TextField(max_length=1000, blank=True)
    # Days after which the details of a report request are erased, counted from the email with the report.
    report_retention_days = models.PositiveSmallIntegerField(default=30)
    # Months after which the details of a consultation or a question are erased, counted from the day it was closed.
    enquiry_retention_months = models.PositiveSmallIntegerField(default=12)
    colour = models.CharField(
        max_length=10, default=palette.DEFAULT, choices=[(name, each.label) for name, each in palette.PALETTE.items()]
    )
    # The digest of a factsheets.Picture, which is kept as long as an edition names it. If empty, the site's own mark is shown.
    logo = models.CharField(max_length=32, blank=True)
    # What others may do with the fact sheets. It is in the JSON of every sheet and on the about page.
    content_licence = models.TextField(max_length=600, default=CONTENT_LICENCE)

    class Meta:
        verbose_name = verbose_name_plural = "clinic settings"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="clinic_settings_one_row"),
            models.CheckConstraint(condition=~models.Q(name=""), name="clinic_settings_has_name"),
            models.CheckConstraint(
                condition=models.Q(has_no_rooms=False) | models.Q(address=""), name="clinic_settings_rooms_or_none"
            ),
            models.CheckConstraint(
                condition=models.Q(report_retention_days__gte=1, report_retention_days__lte=MAX_REPORT_DAYS),
                name="clinic_settings_report_days",
            ),
            models.CheckConstraint(
                condition=models.Q(enquiry_retention_months__gte=1, enquiry_retention_months__lte=MAX_ENQUIRY_MONTHS),
                name="clinic_settings_enquiry_months",
            ),
        ]

    def __str__(self) -> str:
        return "Clinic settings"

    @classmethod
    def stored(cls) -> Self:
        """The row. A migration makes it; without it, the defaults apply."""
        return cls.objects.filter(pk=1).first() or cls()

    @property
    def is_nameless(self) -> bool:
        """Whether it still has the name of a new site, which no owner chose. At most one query."""
        is_default = self.name == type(self)._meta.get_field("name").default
        return is_default and not SetUpStep.objects.filter(name=SetUpStep.CLINIC).exists()

    @classmethod
    def shown_names(cls) -> list[str]:
        return [field.name for field in cls._meta.concrete_fields if field.name not in {"id", "version"}]

    def as_saved(self) -> dict[str, Any]:
        """The values as an edition keeps them."""
        return {name: getattr(self, name) for name in self.shown_names()}

    def save_version(self, *, nation: str, by: User) -> dict[str, Any]:
        """Saves the locked row with its edition, which holds the nation of the opening hours too. Returns what it holds."""
        self.version += 1
        self.save()
        kept = self.as_saved() | {"nation": nation}
        ClinicSettingsEdition.objects.create(version=self.version, values=kept, by=by)
        return kept

    def values(self) -> dict[str, Any]:
        """The values as pages and mails use them."""
        colours = palette.PALETTE.get(self.colour, palette.PALETTE[palette.DEFAULT])
        return self.as_saved() | {
            "prices": _lines(self.prices),
            "acupuncture_prices": _lines(self.acupuncture_prices),
            "sender_name": self.sender_name or self.name,
            "sender_email": self.sender_email or self.email,
            "reply_to_email": self.reply_to_email or self.email,
            "colours": {
                "strong": colours.strong,
                "tint": colours.tint,
                "dark_strong": colours.dark_strong,
                "dark_tint": colours.dark_tint,
            },
            "colour_sheet": palette.sheet_of(self.colour),
            "desk_sheet": palette.sheet_of(self.colour, kind="desk"),
        }


class ClinicSettingsEdition(models.Model):
    """The clinic's settings as saved once, with who saved them and when. Never changed."""

    version = models.PositiveIntegerField()
    values = models.JSONField()
    at = models.DateTimeField(default=timezone.now)
    # Empty for the first values, which came from the environment.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["version"], name="clinic_settings_edition_once")]

    def __str__(self) -> str:
        return f"Clinic settings, version {self.version}"


class SetUpStep(models.Model):
    """A completed step of the first set-up, which no other table can show, because they start with default values."""

    CLINIC, HOURS, MAIL = "clinic", "hours", "mail"
    LEFT = "left"  # an owner wants no reminder of the others on every page of the desk

    name = models.CharField(max_length=10, primary_key=True)
    # For the email step: the sender and server of the test message. If either changes, the step must be done again.
    detail = models.CharField(max_length=400, blank=True)
    at = models.DateTimeField(default=timezone.now)
    # Empty for the command line.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"{self.name}, done"

    @classmethod
    def done(cls, name: str, *, by: models.Model | None, detail: str = "") -> None:
        cls.objects.update_or_create(name=name, defaults={"detail": detail, "at": timezone.now(), "by": by})
