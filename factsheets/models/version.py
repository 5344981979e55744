import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import F, Q
from django.utils import timezone

# Plain SQL, because every page read runs it, and Django takes ten times as long to build the query as the database to run it.
# It must agree with `SiteNotice.at` on which notice is live.
NOW = """
SELECT token, (
  SELECT id FROM factsheets_sitenotice WHERE starts_at <= %s AND ends_at > %s ORDER BY starts_at DESC, id DESC LIMIT 1
) FROM factsheets_contentversion WHERE id = 1
"""

_held: ContextVar[str | None] = ContextVar("held", default=None)


class ContentVersion(models.Model):
    """One row that changes with any content, in the same transaction. A cached page is valid for one token only.

    The token is random and not a number, so that a database restored from a backup never looks like a state that was cached
    before. While a notice is shown, its number is part of the token, so every page changes when it begins and when it ends.
    """

    token = models.CharField(max_length=16)

    def __str__(self):
        return self.token

    @classmethod
    def now(cls) -> str:
        """The token of the present content. Empty before any was loaded. Takes one query, or none within `held`."""
        if (held := _held.get()) is not None:
            return held
        database = connections[DEFAULT_DB_ALIAS]
        moment = database.ops.adapt_datetimefield_value(timezone.now())
        with database.cursor() as cursor:
            cursor.execute(NOW, [moment, moment])
            row = cursor.fetchone()
        if row is None:
            return ""
        token, notice = row
        return f"{token}.{notice}" if notice else token

    @classmethod
    @contextmanager
    def held(cls) -> Iterator[None]:
        """Reads the version once for work whose parts each need it. The work must not change content."""
        before = _held.set(cls.now())
        try:
            yield
        finally:
            _held.reset(before)

    @classmethod
    def changed(cls) -> None:
        token = secrets.token_hex(8)
        if not cls.objects.filter(pk=1).update(token=token):
            cls.objects.bulk_create([cls(pk=1, token=token)], ignore_conflicts=True)


class ContentQuerySet(models.QuerySet):
    """Called on every change of content, to one row or many, so that cached pages are made again."""

    def update(self, **values):
        count = super().update(**values)
        ContentVersion.changed()
        return count

    def bulk_create(self, *args, **options):
        made = super().bulk_create(*args, **options)
        ContentVersion.changed()
        return made

    def delete(self):
        deleted = super().delete()
        ContentVersion.changed()
        return deleted


class Shown(models.Model):
    """A record shown on cached pages. Any change, to one row or many, ends the cached pages in every process."""

    # The fields that readers see as typed, with no HTML, markup or links.
    plain_texts: tuple[str, ...] = ()

    objects = ContentQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **options):
        super().save(*args, **options)
        ContentVersion.changed()

    def delete(self, *args, **options):
        deleted = super().delete(*args, **options)
        ContentVersion.changed()
        return deleted

    def clean_fields(self, exclude=None):
        """Refuses markup in plain text, where readers would see its signs, whether from a form, a draft or a file."""
        from factsheets.markup_checks import plain_faults

        errors: dict = {}
        try:
            super().clean_fields(exclude=exclude)
        except ValidationError as error:
            error.update_error_dict(errors)
        for name in set(self.plain_texts) - set(exclude or ()) - set(errors):
            if faults := plain_faults(getattr(self, name) or ""):
                errors[name] = list(map(ValidationError, faults))
        if errors:
            raise ValidationError(errors)


class SiteNotice(Shown):
    """A notice on every page of the website for a set time, such as that the clinic is moving. Only one is shown at a time."""

    plain_texts = ("text",)

    class Level(models.TextChoices):
        INFORMATION = "information", "Information"
        IMPORTANT = "important", "Important"

    text = models.TextField(max_length=300)
    level = models.CharField(
        max_length=11,
        choices=Level,
        default=Level.INFORMATION,
        help_text="An important notice begins with “Important”, in red.",
    )
    starts_at = models.DateTimeField("shown from", default=timezone.now)
    ends_at = models.DateTimeField("shown until")
    kept_because = models.CharField(
        "why you keep the wording that the claims guard found",
        max_length=200,
        blank=True,
        help_text="Only if the guard found something and you are sure that it may be said.",
    )

    class Meta:
        ordering = ["-starts_at"]
        verbose_name = "notice"
        verbose_name_plural = "notices on every page"
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="site_notice_ends_after_start"),
            models.CheckConstraint(condition=Q(level__in=["information", "important"]), name="site_notice_known_level"),
            models.CheckConstraint(condition=~Q(text=""), name="site_notice_has_text"),
        ]

    def __str__(self):
        return self.text if len(self.text) <= 60 else f"{self.text[:59]}…"

    def shown_meanwhile(self) -> "SiteNotice | None":
        """Another notice that is shown at some time when this one is."""
        others = SiteNotice.objects.exclude(pk=self.pk)
        return others.filter(starts_at__lt=self.ends_at, ends_at__gt=self.starts_at).first()

    @classmethod
    def at(cls, moment: datetime) -> models.QuerySet["SiteNotice"]:
        """Those shown at that moment. The desk does not let two overlap; if two do, the one that began later comes first."""
        return cls.objects.filter(starts_at__lte=moment, ends_at__gt=moment).order_by("-starts_at", "-pk")


class InstalledRecord(models.Model):
    """What `load_content` last installed for one fixture entry, which tells a staff edit from an older edition."""

    label = models.CharField(max_length=80, help_text="The model, such as factsheets.section.")
    natural_key = models.CharField(max_length=300)
    fields = models.JSONField(help_text="The field values as they were installed.")
    offered = models.JSONField(
        default=dict, help_text="What the newest fixtures say in fields that staff changed, until it is settled."
    )
    installed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["label", "natural_key"], name="installed_once"),
        ]

    def __str__(self):
        return f"{self.label} {self.natural_key}"
