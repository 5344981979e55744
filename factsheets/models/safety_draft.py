from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class DraftState(models.TextChoices):
    WRITING = "writing", "being written"
    IN_REVIEW = "in_review", "waiting for a clinician’s approval"
    PUBLISHED = "published", "published"
    DISCARDED = "discarded", "discarded"


OPEN = [DraftState.WRITING, DraftState.IN_REVIEW]


class SafetyDraft(models.Model):
    """All red flags as they would read after the next approval. At most one draft is open; closed ones are kept.

    `base` is the live set from which it was begun, or to which it was last brought up to date.
    """

    state = models.CharField(max_length=10, choices=DraftState, default=DraftState.WRITING, editable=False)
    is_open = models.BooleanField(default=True, editable=False)
    content = models.JSONField(editable=False, help_text="The set as factsheets.safety_revisions.snapshot makes it.")
    base = models.JSONField(editable=False, help_text="The live set that it differs from.")
    version = models.PositiveIntegerField(default=0, editable=False, help_text="Goes up with every change of it.")
    note = models.CharField(max_length=500, blank=True, editable=False, help_text="Why, in the authors’ words.")

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=Q(is_open=True), name="safety_draft_one_open"),
            models.CheckConstraint(condition=Q(state__in=DraftState.values), name="safety_draft_known_state"),
            models.CheckConstraint(
                condition=Q(is_open=True, state__in=OPEN) | (Q(is_open=False) & ~Q(state__in=OPEN)),
                name="safety_draft_open_until_it_ends",
            ),
        ]

    def __str__(self):
        return f"Draft of the red flags, {self.get_state_display()}"


class DraftStep(models.TextChoices):
    EDITED = "edited", "changed"
    PUT_BACK = "put_back", "begun from an earlier edition"
    UPDATED = "updated", "brought up to date"
    SENT = "sent", "sent for approval"
    SENT_BACK = "sent_back", "sent back"
    PUBLISHED = "published", "approved and published"
    DISCARDED = "discarded", "discarded"


# Whoever took one of these steps wrote a part of the draft, and cannot approve it.
DRAFT_WRITING = [DraftStep.EDITED, DraftStep.PUT_BACK, DraftStep.UPDATED]


class SafetyDraftEvent(models.Model):
    """One step of a draft: who took it, when, and what it changed."""

    draft = models.ForeignKey(SafetyDraft, on_delete=models.CASCADE, related_name="events", editable=False)
    step = models.CharField(max_length=10, choices=DraftStep, editable=False)
    what = models.CharField(max_length=300, blank=True, editable=False, help_text="What changed, made by us.")
    note = models.CharField(max_length=500, blank=True, editable=False, help_text="Why, in the person’s own words.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, editable=False, help_text="The name, for when accounts go.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(step__in=DraftStep.values), name="safety_draft_event_known_step"),
            models.CheckConstraint(condition=~Q(actor=""), name="safety_draft_event_has_actor"),
        ]

    def __str__(self):
        return f"{self.get_step_display()} by {self.actor}"


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
