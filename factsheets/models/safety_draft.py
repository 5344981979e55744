from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from factsheets.models.draft import ContentDraft, DraftEvent, by_somebody, open_until_it_ends


class SafetyDraft(ContentDraft):
    """All red flags as they would read after the next approval. At most one draft is open; closed ones are kept."""

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=Q(is_open=True), name="safety_draft_one_open"),
            *open_until_it_ends("safety_draft"),
        ]

    def __str__(self):
        return f"Draft of the red flags, {self.get_state_display()}"


class SafetyDraftEvent(DraftEvent):
    draft = models.ForeignKey(SafetyDraft, on_delete=models.CASCADE, related_name="events", editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = by_somebody("safety_draft_event")


class SafetyStep(models.TextChoices):
    INSTALLED = "installed", "installed with the site’s content"
    PUBLISHED = "published", "approved and published"


class SafetyEdition(models.Model):
    """All red flags as patients saw them from this moment on: who published them, and what changed since the edition before.

    The unit is the whole set: that is what a clinician approves and what the self-assessment asks.
    """

    number = models.PositiveIntegerField(unique=True, editable=False)
    step = models.CharField(max_length=10, choices=SafetyStep, editable=False)
    content = models.JSONField(editable=False, help_text="The set as factsheets.safety_revisions.snapshot makes it.")
    changes = models.JSONField(default=list, editable=False, help_text="What changed, a line each, made by us.")
    note = models.CharField(max_length=500, blank=True, editable=False, help_text="Why, in the authors’ words.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, blank=True, editable=False, help_text="The name, for when accounts go.")
    authors = models.CharField(max_length=500, blank=True, editable=False, help_text="Who wrote what was approved.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(condition=Q(step__in=SafetyStep.values), name="safety_edition_known_step"),
            # Only what came with the site has no author.
            models.CheckConstraint(condition=Q(step="installed") | ~Q(actor=""), name="safety_edition_has_actor"),
        ]

    def __str__(self):
        return f"Red flags, edition {self.number}"
