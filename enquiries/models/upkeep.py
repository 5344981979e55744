"""What the site notes of its own running: its keys, its mail workers and its purges."""

from django.db import models
from django.utils import timezone


class KeyCheck(models.Model):
    """A key that something here may be sealed with, told from others without giving it away (`backcare.core.crypto.keys`)."""

    id = models.PositiveSmallIntegerField(primary_key=True, editable=False)
    check_value = models.CharField(max_length=64, editable=False)
    first_used_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self):
        return f"key {self.pk}"


class WorkerHeartbeat(models.Model):
    """When a mail worker last went round. /healthz reads it."""

    name = models.CharField(max_length=32, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self):
        return self.name


class LastPurge(models.Model):
    """The one row that says when `erasure.purge` last went through everything, and how much went. Counts only."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(editable=False)
    counts = models.JSONField(default=dict, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="last_purge_one_row")]

    def __str__(self):
        return f"purged {self.at:%d %b %Y %H:%M}"
