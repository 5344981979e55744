from django.db import models


class LastPurge(models.Model):
    """The one row that says when `erasure.purge` last went through everything, and how much went. Counts only."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(editable=False)
    counts = models.JSONField(default=dict, editable=False)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="last_purge_one_row")]

    def __str__(self):
        return f"purged {self.at:%d %b %Y %H:%M}"
