from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from factsheets.models.natural import ByNaturalKey, NaturalKeyModel
from factsheets.models.section import Question
from factsheets.models.version import ContentQuerySet


class Topic(NaturalKeyModel):
    """A question that patients have, with the sheets that answer it."""

    plain_texts = ("title", "question", "summary")

    slug = models.SlugField(max_length=80, unique=True)
    position = models.PositiveSmallIntegerField(default=0)
    title = models.CharField(max_length=120)
    question = models.CharField(
        max_length=160, help_text="The question a patient has, such as “What is going on in my back?”"
    )
    summary = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["position", "slug"]

    def __str__(self):
        return self.title


class State(models.TextChoices):
    """A sheet's state on the way to readers. `factsheets.actions.transition` moves it."""

    DRAFT = "draft", "draft"
    IN_REVIEW = "in_review", "in clinical review"
    SCHEDULED = "scheduled", "signed off, waiting for its day"
    PUBLISHED = "published", "published"
    RETIRED = "retired", "retired"


class SheetKind(models.TextChoices):
    """What a sheet is about, and so which questions its leaflet answers."""

    TREATMENT = "treatment", "a treatment"
    CONDITION = "condition", "a condition"
    SELF_CARE = "self_care", "looking after yourself"
    CHOICES = "choices", "choosing among tests and treatments"


# The questions of each kind, in the order in which its leaflets ask them.
QUESTIONS = {
    SheetKind.TREATMENT: [
        Question.WHAT_IS_IT,
        Question.WILL_IT_HELP,
        Question.WHAT_WILL_HAPPEN,
        Question.WHAT_CAN_GO_WRONG,
        Question.WHAT_ELSE,
        Question.WHO_GIVES_IT,
        Question.WHAT_NEXT,
    ],
    SheetKind.CONDITION: [
        Question.SHOULD_I_WORRY,
        Question.WHAT_CAN_I_DO,
        Question.HOW_LONG,
        Question.WHAT_MAY_HELP,
        Question.WHEN_TO_SEE,
    ],
    SheetKind.SELF_CARE: [Question.WHAT_HELPS, Question.HOW_TO, Question.WHAT_TO_AVOID, Question.WHAT_IF_WORSE],
    SheetKind.CHOICES: [
        Question.DO_I_NEED_A_TEST,
        Question.WHAT_MAY_HELP,
        Question.WHAT_IS_NOT_ADVISED,
        Question.WHAT_CAN_GO_WRONG,
        Question.WHAT_NEXT,
    ],
}


class FactSheetQuerySet(ContentQuerySet):
    def published(self):
        return self.filter(state=State.PUBLISHED).order_by("topic__position", "position", "slug")

    def without_text(self):
        """Leaves out the long columns, which lists do not need: decoding a `document` takes 1 ms."""
        return self.defer("document", "key_points")

    def with_changed_since_review(self):
        """Adds `was_changed`: somebody wrote in the sheet, and not in a discarded draft, since a clinician last signed it off."""
        from factsheets.models.edition import SIGNED, WRITING, Edition

        here = Edition.objects.filter(sheet=OuterRef("pk"))
        signed = here.filter(step__in=SIGNED, public=True).order_by("-number").values("number")[:1]
        written = here.filter(Q(public=True) | ~Q(sheet__state=State.PUBLISHED), step__in=WRITING)
        return self.annotate(signed=Subquery(signed)).annotate(
            was_changed=Exists(written.filter(number__gt=OuterRef("signed")))
        )

    def review_due_by(self, day):
        return self.published().filter(review_due_on__lte=day).order_by("review_due_on")


class WithoutDrafts(ByNaturalKey.from_queryset(FactSheetQuerySet)):
    """The sheets of the site, without drafts over published ones, which neither readers nor lists may find."""

    def get_queryset(self):
        return super().get_queryset().filter(draft_of__isnull=True)


class FactSheet(NaturalKeyModel):
    """A fact sheet; or, where `draft_of` is set, the draft that is to replace a published one (factsheets/sheet_drafts.py)."""

    plain_texts = ("title", "summary", "audience")

    slug = models.SlugField(max_length=80, unique=True, help_text="The address: /fact-sheets/<slug>/")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="sheets")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order within the topic.")
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, help_text="One plain sentence, shown in lists and in search results.")
    audience = models.CharField("who it is for", max_length=300)
    kind = models.CharField(
        "what it is about",
        max_length=10,
        choices=SheetKind,
        default=SheetKind.CONDITION,
        help_text="It decides which questions the leaflet answers.",
    )
    in_short = models.TextField(
        "in short",
        blank=True,
        help_text="Two or three sentences, 50 words at most, that answer the question the title raises. "
        "No citations: the same facts come with their sources in the leaflet.",
    )
    lead_figure = models.ForeignKey(
        "factsheets.Figure",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="leading",
        verbose_name="first drawing",
        help_text="The one drawing that stands beside the key points.",
    )
    key_points = models.TextField(
        help_text="Exactly three points, the most important first, each on a line that begins with “- ”. No sources here."
    )
    treatment_offered = models.BooleanField(
        default=False, help_text="It describes something the clinic sells. Adds the statement of interest."
    )
    state = models.CharField(max_length=12, choices=State, default=State.DRAFT)
    reviewed_on = models.DateField(null=True, blank=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sheets_reviewed",
    )
    review_due_on = models.DateField(null=True, blank=True, help_text="When it must be read again by a clinician.")
    evidence_checked_on = models.DateField(
        null=True,
        blank=True,
        help_text="When somebody last compared all its facts with the studies and guidelines. Readers see the month.",
    )
    written_on = models.DateField(
        null=True,
        blank=True,
        editable=False,
        help_text="The day on which its authors last changed the words that are installed with the site.",
    )
    document = models.JSONField(
        default=dict,
        editable=False,
        help_text="The sheet as all four outputs need it, made when it or a part of it is saved.",
    )
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    draft_of = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, blank=True, editable=False, related_name="draft"
    )
    publish_on = models.DateField(null=True, blank=True, editable=False, help_text="Signed off, to be published then.")
    retire_on = models.DateField(null=True, blank=True, editable=False, help_text="To be taken off the site then.")

    objects = WithoutDrafts()
    everything = FactSheetQuerySet.as_manager()

    class Meta:
        ordering = ["topic__position", "position", "slug"]
        permissions = [("sign_off_factsheet", "Can sign off a fact sheet as its clinical reviewer")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="sheet_known_state"),
            models.CheckConstraint(condition=Q(kind__in=SheetKind.values), name="sheet_known_kind"),
            models.CheckConstraint(
                condition=Q(reviewed_on__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_on__isnull=False, reviewed_by__isnull=False),
                name="sheet_reviewed_on_and_by",
            ),
            models.CheckConstraint(
                condition=Q(draft_of__isnull=True) | Q(state__in=[State.DRAFT, State.IN_REVIEW, State.SCHEDULED]),
                name="sheet_draft_is_not_public",
            ),
            models.CheckConstraint(
                condition=Q(state="scheduled", publish_on__isnull=False, reviewed_on__isnull=False)
                | (~Q(state="scheduled") & Q(publish_on__isnull=True)),
                name="sheet_scheduled_has_day_and_signature",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("factsheets:sheet", args=[self.slug])

    def place_url(self, anchor: str) -> str:
        """The address of a place on its page."""
        return f"{self.get_absolute_url()}#{anchor}"

    @property
    def questions(self) -> list[Question]:
        """What its leaflet answers, in order."""
        return QUESTIONS.get(self.kind, [])

    def clean(self):
        """Rejects, with a reason, what the outputs cannot render."""
        from factsheets.rendering.markdown import BodyError, in_short, key_points

        for name, parse in (("in_short", in_short), ("key_points", key_points)):
            if not getattr(self, name):
                continue  # not written yet; the form says so itself
            try:
                parse(getattr(self, name))
            except BodyError as error:
                raise ValidationError({name: str(error)}) from error

    @property
    def is_published(self) -> bool:
        return self.state == State.PUBLISHED

    @property
    def standing(self) -> str:
        """Its state in words, such as “published”, or “draft, in clinical review” for a draft over a page."""
        state = self.get_state_display()
        return state if not self.draft_of_id or self.state == State.DRAFT else f"draft, {state}"

    @property
    def state_in_a_sentence(self) -> str:
        """Its state, worded to follow “is now”."""
        if self.state == State.SCHEDULED and self.publish_on:
            return f"signed off, and will be published on {self.publish_on:%-d %B %Y}"
        return "a draft" if self.state == State.DRAFT else self.get_state_display()

    @property
    def open_draft(self) -> "FactSheet | None":
        """The draft that will replace it, or None if nobody has begun one."""
        return FactSheet.everything.filter(draft_of=self).first()

    @property
    def awaits_review(self) -> bool:
        return self.reviewed_on is None

    def review_is_overdue(self, today) -> bool:
        return self.review_due_on is not None and self.review_due_on < today


class FormerAddress(models.Model):
    """An address that a sheet used to have, so that printed sheets and bookmarks go on working."""

    slug = models.SlugField(max_length=80, unique=True)
    sheet = models.ForeignKey(FactSheet, on_delete=models.CASCADE, related_name="former_addresses")

    class Meta:
        verbose_name_plural = "former addresses"

    def __str__(self):
        return f"{self.slug} → {self.sheet.slug}"


class RelatedSheet(NaturalKeyModel):
    """A link to another sheet, with the reason why a reader of this one may want it."""

    natural_key_fields = ("sheet", "to")
    plain_texts = ("reason",)

    sheet = models.ForeignKey(FactSheet, on_delete=models.CASCADE, related_name="related")
    to = models.ForeignKey(FactSheet, on_delete=models.CASCADE, related_name="related_from")
    position = models.PositiveSmallIntegerField(default=0)
    reason = models.CharField(max_length=240, help_text="One sentence, written for the reader.")

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "to"], name="related_once"),
            models.CheckConstraint(condition=~Q(sheet=models.F("to")), name="related_to_another_sheet"),
            models.CheckConstraint(condition=~Q(reason=""), name="related_has_reason"),
        ]

    def __str__(self):
        return f"{self.sheet}: {self.to}"
