"""A draft of what patients read outside sheets: the red flags as a set, or one record that several sheets share."""

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


class ContentDraft(models.Model):
    """The proposed content, the live content it started from or was last brought up to date with (`base`), and its state."""

    state = models.CharField(max_length=10, choices=DraftState, default=DraftState.WRITING, editable=False)
    is_open = models.BooleanField(default=True, editable=False)
    content = models.JSONField(editable=False, help_text="As the snapshot of what it changes.")
    base = models.JSONField(editable=False, help_text="The live content that it differs from.")
    version = models.PositiveIntegerField(default=0, editable=False, help_text="Goes up with every change of it.")
    note = models.CharField(max_length=500, blank=True, editable=False, help_text="Why, in the authors’ words.")

    class Meta:
        abstract = True


def open_until_it_ends(name: str) -> list[models.BaseConstraint]:
    """The constraints on a draft's state. Their names begin with `name`."""
    return [
        models.CheckConstraint(condition=Q(state__in=DraftState.values), name=f"{name}_known_state"),
        models.CheckConstraint(
            condition=Q(is_open=True, state__in=OPEN) | (Q(is_open=False) & ~Q(state__in=OPEN)),
            name=f"{name}_open_until_it_ends",
        ),
    ]


class DraftStep(models.TextChoices):
    EDITED = "edited", "changed"
    PUT_BACK = "put_back", "begun from an earlier edition"
    UPDATED = "updated", "brought up to date"
    SENT = "sent", "sent for approval"
    SENT_BACK = "sent_back", "sent back"
    PUBLISHED = "published", "approved and published"
    DISCARDED = "discarded", "discarded"


# Anyone who took one of these steps wrote part of the draft, so cannot approve it.
DRAFT_WRITING = [DraftStep.EDITED, DraftStep.PUT_BACK, DraftStep.UPDATED]


class DraftEvent(models.Model):
    """One step of a draft: who took it, when, and what it changed. The `draft` calls them its `events`."""

    step = models.CharField(max_length=10, choices=DraftStep, editable=False)
    what = models.CharField(max_length=300, blank=True, editable=False, help_text="What changed, made by us.")
    changes = models.JSONField(
        default=list, editable=False, help_text="The words before and after, each a factsheets.revisions.Change."
    )
    note = models.CharField(max_length=500, blank=True, editable=False, help_text="Why, in the person’s own words.")
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, editable=False, help_text="The name, for when accounts go.")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self):
        return f"{self.get_step_display()} by {self.actor}"


def by_somebody(name: str) -> list[models.BaseConstraint]:
    return [
        models.CheckConstraint(condition=Q(step__in=DraftStep.values), name=f"{name}_known_step"),
        models.CheckConstraint(condition=~Q(actor=""), name=f"{name}_has_actor"),
    ]
