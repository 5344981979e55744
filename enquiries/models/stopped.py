from django.db import models
from django.utils import timezone


class StoppedAddress(models.Model):
    """An e-mail address whose owner asked us to stop: no mail that a stranger can cause goes there. A keyed hash, no address."""

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
