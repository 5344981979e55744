from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class SharedStep(models.TextChoices):
    INSTALLED = "installed", "installed with the site’s content"
    EDITED = "edited", "edited"
    PUT_BACK = "put_back", "put back"
    DELETED = "deleted", "deleted"


class SharedEdition(models.Model):
    """What several pages share, as it stood after one step: a source, a statement, a term, a figure or a notice.

    The history of a record begins when somebody first changes it: its first edition is then how it was before.
    """

    label = models.CharField(max_length=80, editable=False, help_text="The model, such as factsheets.source.")
    record = models.BigIntegerField(editable=False, help_text="Its number, which no other record ever gets.")
    number = models.PositiveIntegerField(editable=False)
    name = models.CharField(max_length=300, editable=False, help_text="What it was called, for when it is deleted.")
    step = models.CharField(max_length=10, choices=SharedStep, editable=False)
    content = models.JSONField(editable=False, help_text="As factsheets.shared_revisions.snapshot makes it.")
    note = models.CharField(max_length=300, blank=True, editable=False, help_text="Why, in the editor’s words.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, blank=True, editable=False, help_text="The name, for when accounts go.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["label", "record", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["label", "record", "number"], name="shared_edition_number_once"),
            models.CheckConstraint(condition=Q(step__in=SharedStep.values), name="shared_edition_known_step"),
            # Only what came with the site has no author.
            models.CheckConstraint(condition=Q(step="installed") | ~Q(actor=""), name="shared_edition_has_actor"),
        ]

    def __str__(self):
        return f"{self.name}, edition {self.number}"
