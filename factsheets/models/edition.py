from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from factsheets.models.draft import ContentDraft, DraftEvent, by_somebody, open_until_it_ends


class Step(models.TextChoices):
    """What happened to a sheet: the kinds of entry in its history."""

    INSTALLED = "installed", "installed with the site’s content"
    EDITED = "edited", "edited"
    ROLLED_BACK = "rolled_back", "earlier words restored"
    SUBMITTED = "submitted", "sent for clinical review"
    SENT_BACK = "sent_back", "sent back to the authors"
    SIGNED_OFF = "signed_off", "signed off"
    REOPENED = "reopened", "moved back to draft"
    RETIRED = "retired", "retired"
    DRAFTED = "drafted", "draft begun"
    DISCARDED = "discarded", "draft discarded"
    CORRECTED = "corrected", "small correction"
    RESTORED = "restored", "signed edition restored"
    PUBLISHED = "published", "published as planned"
    REPLANNED = "replanned", "another day planned"
    UNPLANNED = "unplanned", "planned day cancelled, in clinical review again"


# Steps that change words, and so have an author.
WRITING = [Step.INSTALLED, Step.EDITED, Step.ROLLED_BACK, Step.CORRECTED]
# Steps after which the words are those that a clinician signed.
SIGNED = [Step.SIGNED_OFF, Step.RESTORED, Step.PUBLISHED]


class EditionQuerySet(models.QuerySet):
    def for_readers(self):
        """The sheet's history for readers: changes while it was published, and sign-offs."""
        return self.filter(public=True, step__in=[*WRITING, *SIGNED])


class Edition(models.Model):
    """The whole sheet after one step: its words, who took the step, and what changed since the one before.

    The unit is the whole sheet, because that is what a clinician signs, a reader reads and an editor wants to restore.
    """

    sheet = models.ForeignKey("factsheets.FactSheet", on_delete=models.CASCADE, related_name="editions", editable=False)
    number = models.PositiveIntegerField(editable=False)
    step = models.CharField(max_length=12, choices=Step, editable=False)
    state = models.CharField(max_length=12, editable=False, help_text="The sheet's state after the step.")
    public = models.BooleanField(default=False, editable=False, help_text="Readers could see the sheet after the step.")
    content = models.JSONField(
        editable=False, help_text="The sheet's words as factsheets.revisions.snapshot makes them."
    )
    changes = models.JSONField(default=list, editable=False, help_text="What changed, a line each, made by us.")
    note = models.CharField(
        max_length=300, blank=True, editable=False, help_text="What changed, in the editor's words."
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="editions",
        editable=False,
    )
    actor = models.CharField(max_length=150, blank=True, editable=False, help_text="The name, for when accounts go.")
    at = models.DateTimeField(default=timezone.now, editable=False)
    # The signature below the words, for the steps in SIGNED: to be restored with them.
    reviewed_on = models.DateField(null=True, blank=True, editable=False)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", editable=False
    )
    review_due_on = models.DateField(null=True, blank=True, editable=False)
    retire_on = models.DateField(
        null=True, blank=True, editable=False, help_text="The day signed with the words for taking the page down."
    )
    unasked = models.JSONField(
        default=dict,
        editable=False,
        help_text="Patients’ questions that the step took out of search with their sections, by the section’s address.",
    )

    objects = EditionQuerySet.as_manager()

    class Meta:
        ordering = ["sheet", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "number"], name="edition_number_once_in_a_sheet"),
            models.CheckConstraint(condition=Q(step__in=Step.values), name="edition_known_step"),
            # Only what came with the site has no author; everything else was done by somebody.
            models.CheckConstraint(condition=Q(step="installed") | ~Q(actor=""), name="edition_has_actor"),
            # Editions signed before the next review was kept with them have none.
            models.CheckConstraint(
                condition=Q(reviewed_on__isnull=True, reviewed_by__isnull=True, review_due_on__isnull=True)
                | Q(reviewed_on__isnull=False, reviewed_by__isnull=False),
                name="edition_reviewed_on_and_by",
            ),
        ]

    def __str__(self):
        return f"{self.sheet}, {self.name}"

    @property
    def name(self) -> str:
        """As the desk calls it: an edition is what was published, and anything else that was kept is a version."""
        return f"{self.noun} {self.number}"

    @property
    def noun(self) -> str:
        return "edition" if self.public else "version"


class ReviewComment(models.Model):
    """What a colleague says about a section, or about the whole sheet, before publication. Once resolved, it stays on record."""

    sheet = models.ForeignKey("factsheets.FactSheet", on_delete=models.CASCADE, related_name="comments", editable=False)
    section = models.SlugField(max_length=80, blank=True, editable=False, help_text="Empty: the sheet as a whole.")
    text = models.TextField(max_length=2000, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True, editable=False)
    resolved_actor = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        ordering = ["at", "pk"]
        constraints = [
            models.CheckConstraint(condition=~Q(text="") & ~Q(actor=""), name="comment_has_text_and_actor"),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_actor="")
                | (Q(resolved_at__isnull=False) & ~Q(resolved_actor="")),
                name="comment_resolved_by_somebody",
            ),
        ]

    def __str__(self):
        return f"{self.actor}: {self.text[:60]}"


class GuardOverride(models.Model):
    """Wording that the claims guard stopped and somebody allowed, with the reason. Ends when the sentence changes."""

    sheet = models.ForeignKey(
        "factsheets.FactSheet", on_delete=models.CASCADE, related_name="overrides", editable=False
    )
    key = models.CharField(max_length=16, editable=False, help_text="Finding.key: rule, place and sentence.")
    rule = models.TextField(editable=False)
    place = models.CharField(max_length=300, editable=False)
    sentence = models.TextField(editable=False)
    reason = models.TextField(editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "key"], name="override_once"),
            models.CheckConstraint(condition=~Q(reason="") & ~Q(actor=""), name="override_has_reason_and_actor"),
        ]

    def __str__(self):
        return f"{self.sheet}: {self.sentence[:60]}"


class KeptClaim(models.Model):
    """A sentence of a notice, an email or a reply that the claims guard stopped and somebody wants to keep, for the whole site.

    A clinician who did not write it agrees (`factsheets.second_reading`).
    """

    key = models.CharField(max_length=16, unique=True, editable=False)
    rule = models.TextField(editable=False)
    sentence = models.TextField(editable=False)
    reason = models.TextField(editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    actor = models.CharField(max_length=150, editable=False)
    at = models.DateTimeField(default=timezone.now, editable=False)
    alone = models.BooleanField(
        default=False, editable=False, help_text="Whether it was kept at once, because nobody else could agree."
    )
    agreed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", editable=False
    )
    agreed_actor = models.CharField(max_length=150, blank=True, editable=False)
    agreed_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.CheckConstraint(condition=~Q(reason="") & ~Q(actor=""), name="kept_claim_has_reason_and_actor"),
            models.CheckConstraint(
                condition=Q(agreed_at__isnull=True, agreed_by__isnull=True, agreed_actor="")
                | (Q(agreed_at__isnull=False) & ~Q(agreed_actor="")),
                name="kept_claim_agreed_by_somebody",
            ),
        ]

    def __str__(self):
        return self.sentence[:60]


class ReviewReminder(models.Model):
    """A reminder that a sheet's review is due: one for each due date and each number of days before it."""

    sheet = models.ForeignKey(
        "factsheets.FactSheet", on_delete=models.CASCADE, related_name="reminders", editable=False
    )
    review_due_on = models.DateField(editable=False)
    days_before = models.PositiveSmallIntegerField(editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "review_due_on", "days_before"], name="reminder_once"),
        ]

    def __str__(self):
        return f"{self.sheet}: {self.days_before} days before {self.review_due_on}"


class SharedStep(models.TextChoices):
    INSTALLED = "installed", "installed with the site’s content"
    EDITED = "edited", "edited"
    PUT_BACK = "put_back", "put back"
    PUBLISHED = "published", "published from a draft"
    DELETED = "deleted", "deleted"


class SharedEdition(models.Model):
    """What several pages share, after one step: a source, a statement, a term, a figure or a notice.

    The history of a record begins when somebody first changes it, and its first edition is how it was before that.
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
    """One shared record as it will read once the draft is published. At most one draft of it is open; closed ones are kept."""

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

    def desk_address(self) -> str:
        return reverse(f"admin:factsheets_{self.label.partition('.')[2]}_draft", args=[self.pk])


class SharedDraftEvent(DraftEvent):
    draft = models.ForeignKey(SharedDraft, on_delete=models.CASCADE, related_name="events", editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = by_somebody("shared_draft_event")
