from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from factsheets.models.draft import ContentDraft, DraftEvent, by_somebody, open_until_it_ends


class SharedStep(models.TextChoices):
    INSTALLED = "installed", "installed with the site’s content"
    EDITED = "edited", "edited"
    PUT_BACK = "put_back", "put back"
    PUBLISHED = "published", "published from a draft"
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


class SharedDraft(ContentDraft):
    """One shared record as it would read once the draft is published. At most one draft of it is open; closed ones are kept."""

    label = models.CharField(max_length=80, editable=False, help_text="The model, such as factsheets.source.")
    record = models.BigIntegerField(null=True, editable=False, help_text="Its number; none while it is not made yet.")
    name = models.CharField(max_length=300, editable=False, help_text="What it was called when last saved.")
    reason = models.TextField(
        blank=True, editable=False, help_text="Why wording may stay that the claims guard found in the sheets."
    )

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["label", "record"], condition=Q(is_open=True), name="shared_draft_one_open_of_a_record"
            ),
            *open_until_it_ends("shared_draft"),
        ]

    def __str__(self):
        return f"Draft of {self.name}, {self.get_state_display()}"


class SharedDraftEvent(DraftEvent):
    draft = models.ForeignKey(SharedDraft, on_delete=models.CASCADE, related_name="events", editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = by_somebody("shared_draft_event")
