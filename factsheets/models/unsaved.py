from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class UnsavedEdit(models.Model):
    """A part of a sheet that somebody has open on the desk: when they opened it, and their unsaved text.

    Without a sheet, it is a record that sheets share, a red flag or the wording of an email.
    """

    sheet = models.ForeignKey(
        "factsheets.FactSheet",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="unsaved",
        editable=False,
        db_index=False,
    )  # the constraint's index begins with it
    part = models.CharField(
        max_length=40,
        editable=False,
        help_text="“sheet”, “new”, or “section-” and its number; of others their kind and number.",
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False)
    since = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)
    typed = models.TextField(blank=True, editable=False, help_text="The form’s fields, as a browser sends them.")
    typed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sheet", "part", "by"], name="unsaved_edit_once_for_each"),
            models.UniqueConstraint(
                fields=["part", "by"], condition=Q(sheet=None), name="unsaved_edit_once_without_sheet"
            ),
        ]

    def __str__(self):
        return f"{self.part} of {self.sheet_id}"


class ContentUpload(models.Model):
    """An uploaded content file, kept while somebody looks at what it would change, until they import or discard it."""

    by = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", editable=False)
    name = models.CharField(max_length=120, editable=False, help_text="What the file was called.")
    data = models.BinaryField(editable=False, help_text="The ZIP.")
    at = models.DateTimeField(default=timezone.now, db_index=True, editable=False)

    def __str__(self):
        return self.name
