from django.db import models
from django.utils import timezone


class KeyCheck(models.Model):
    """A key that something here may be sealed with, told from others without giving it away (`backcare.core.crypto.keys`)."""

    id = models.PositiveSmallIntegerField(primary_key=True, editable=False)
    check_value = models.CharField(max_length=64, editable=False)
    first_used_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self):
        return f"key {self.pk}"
