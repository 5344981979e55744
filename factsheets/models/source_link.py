from django.db import models
from django.db.models import Q


class LinkOutcome(models.TextChoices):
    FINE = "fine", "leads where it should"
    MOVED = "moved", "moved for good"
    GONE = "gone", "gone"
    CHANGED = "changed", "changed since somebody read it"
    UNREACHABLE = "unreachable", "could not be reached"


class SourceLink(models.Model):
    """What `check_links` last found at a source's address (factsheets/link_check.py). No reader sees it."""

    source = models.OneToOneField("factsheets.Source", on_delete=models.CASCADE, related_name="link", editable=False)
    address = models.CharField(max_length=500, editable=False, help_text="What was asked for.")
    checked_at = models.DateTimeField(editable=False)
    outcome = models.CharField(max_length=12, choices=LinkOutcome, default=LinkOutcome.FINE, editable=False)
    status = models.PositiveSmallIntegerField(default=0, editable=False, help_text="Of HTTP; 0 for no answer.")
    fault = models.CharField(max_length=200, blank=True, editable=False, help_text="Why it could not be reached.")
    failed_days = models.PositiveSmallIntegerField(
        default=0, editable=False, help_text="On how many days, one after the other, it could not be reached."
    )
    moved_to = models.CharField(max_length=1000, blank=True, editable=False, help_text="Its new address.")
    # The page as somebody last read it, and as it is now where that differs.
    etag = models.CharField(max_length=200, blank=True, editable=False)
    last_modified = models.CharField(max_length=60, blank=True, editable=False)
    digest = models.CharField(max_length=32, blank=True, editable=False)
    new_etag = models.CharField(max_length=200, blank=True, editable=False)
    new_last_modified = models.CharField(max_length=60, blank=True, editable=False)
    new_digest = models.CharField(max_length=32, blank=True, editable=False)

    class Meta:
        ordering = ["source__key"]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=LinkOutcome.values), name="source_link_known_outcome"),
        ]

    def __str__(self):
        return f"{self.source.key}: {self.get_outcome_display()}"
