from django.db import models


class WorkerHeartbeat(models.Model):
    """When a mail worker last went round. /healthz reads it."""

    name = models.CharField(max_length=32, unique=True)
    seen_at = models.DateTimeField()

    def __str__(self):
        return self.name
