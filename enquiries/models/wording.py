"""Words that the clinic writes itself, as they were saved, and those of emails and pages that an owner has changed."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class SavedWords(models.Model):
    """Words as somebody saved them, read by the claims guard: who, when, and why what it found was kept."""

    kept_because = models.CharField(max_length=200, blank=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, editable=False, help_text="The name as it was, for when accounts go.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True


class WordingEdition(SavedWords):
    """One text as somebody saved it. Written once; the newest of its `key` is in force.

    `parts` holds the edited parts by name (`enquiries/mail/wordings.py`). Empty: the default was put back.
    """

    key = models.CharField(max_length=40, editable=False)
    number = models.PositiveIntegerField(editable=False, help_text="Of two people who save at once, one is refused.")
    parts = models.JSONField(default=dict, editable=False)

    class Meta:
        ordering = ["-number"]
        verbose_name = "wording"
        verbose_name_plural = "wording of emails and pages"
        constraints = [models.UniqueConstraint(fields=["key", "number"], name="wording_number_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.number}"
