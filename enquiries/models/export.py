import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Export(models.Model):
    """Who took a list of enquiries out of the system, which, and why. Written once, before the first row leaves."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    actor = models.CharField(
        "who", max_length=150, editable=False, help_text="The name as it was, for when accounts go."
    )
    what = models.CharField(max_length=200, editable=False, help_text="The queue, the dates, or the selection.")
    how_many = models.PositiveIntegerField("how many enquiries", editable=False)
    columns = models.CharField(max_length=300, editable=False)
    with_contact_details = models.BooleanField("with contact details", editable=False)
    reason = models.CharField("why", max_length=500, editable=False)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(condition=~Q(actor="") & ~Q(reason=""), name="export_has_actor_and_reason"),
        ]

    def __str__(self):
        return f"{self.what}, by {self.actor}"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise TypeError("The log of exports is written once and never changed.")
        super().save(*args, **kwargs)
