"""Tables that belong to the site as a whole."""

from django.db import models


class Limit(models.Model):
    """How often something was done by somebody in a short stretch of time. Written and read by backcare/core/limits.py alone.

    `key` is a keyed hash that changes every day, never an address or a name.
    """

    name = models.CharField("what is limited", max_length=40)
    key = models.CharField(max_length=64)
    window_start = models.DateTimeField()
    # After this moment the row counts for nothing, and is removed.
    until = models.DateTimeField(db_index=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "key", "window_start"], name="one_count_a_window"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.count}"
