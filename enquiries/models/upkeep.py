"""What the site records about itself: its keys, mail workers and purges, and counters against abuse."""

from django.db import models
from django.utils import timezone


class KeyCheck(models.Model):
    """A key that may have encrypted data here, recognised without revealing it (`backcare.core.encryption`)."""

    id = models.PositiveSmallIntegerField(primary_key=True, editable=False)
    check_value = models.CharField(max_length=64, editable=False)
    first_used_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self):
        return f"key {self.pk}"


class WorkerHeartbeat(models.Model):
    """When a mail worker last finished a round. /healthz reads it."""

    name = models.CharField(max_length=32, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self):
        return self.name


class LastPurge(models.Model):
    """The one row that says when `erasure.purge` last ran and how much it erased. Counts only."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(editable=False)
    counts = models.JSONField(default=dict, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="last_purge_one_row")]

    def __str__(self):
        return f"purged {self.at:%d %b %Y %H:%M}"


# Against abuse: keyed hashes, which reveal nothing and expire by themselves.


class FloodMark(models.Model):
    """What makes an enquiry with a warning sign like others, kept for an hour. A keyed hash, which only enquiries/flood.py uses."""

    enquiry = models.ForeignKey("enquiries.Enquiry", on_delete=models.CASCADE, related_name="+", editable=False)
    key = models.CharField(max_length=64, db_index=True, editable=False)
    # After this moment the row no longer counts, and is deleted.
    until = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["enquiry", "key"], name="flood_mark_once")]

    def __str__(self):
        return f"a mark of {self.enquiry_id}"


class StoppedAddress(models.Model):
    """The keyed hash of an address whose owner asked us to stop: it gets no more of the emails that a stranger could cause."""

    key = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    until = models.DateTimeField(db_index=True, editable=False, help_text="Then the row is removed.")

    class Meta:
        verbose_name_plural = "stopped addresses"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(until__gt=models.F("created_at")), name="stopped_ends_after_it_starts"
            )
        ]

    def __str__(self):
        return f"stopped on {self.created_at:%d %b %Y}"
