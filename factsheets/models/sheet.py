from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery
from django.urls import reverse
from django.utils import timezone

from factsheets.models.natural import ByNaturalKey, ContentQuerySet, NaturalKeyModel


class Topic(NaturalKeyModel):
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
    DRAFT = "draft", "draft"
    IN_REVIEW = "in_review", "in clinical review"
    PUBLISHED = "published", "published"
    RETIRED = "retired", "retired"


class FactSheetQuerySet(ContentQuerySet):
    def published(self):
        return self.filter(state=State.PUBLISHED).order_by("topic__position", "position", "slug")

    def with_changed_since_review(self):
        """Adds `was_changed`: somebody wrote in the sheet after a clinician last signed it off."""
        from factsheets.models.edition import WRITING, Edition, Step

        here = Edition.objects.filter(sheet=OuterRef("pk"))
        signed = here.filter(step=Step.SIGNED_OFF).order_by("-number").values("number")[:1]
        return self.annotate(signed=Subquery(signed)).annotate(
            was_changed=Exists(here.filter(step__in=WRITING, number__gt=OuterRef("signed")))
        )

    def review_due_by(self, day):
        return self.published().filter(review_due_on__lte=day).order_by("review_due_on")


class FactSheet(NaturalKeyModel):
    slug = models.SlugField(max_length=80, unique=True, help_text="The address: /fact-sheets/<slug>/")
    topic = models.ForeignKey(Topic, on_delete=models.PROTECT, related_name="sheets")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order within the topic.")
    title = models.CharField(max_length=120)
    summary = models.CharField(max_length=300, help_text="One plain sentence, shown in lists and in search results.")
    audience = models.CharField("who it is for", max_length=300)
    key_points = models.TextField(help_text="A Markdown list of three to five points, the most important first.")
    first_page_title = models.CharField(
        "name of the first page",
        max_length=60,
        blank=True,
        help_text="Only for a sheet in pages, which a section starts. Empty, it is called “Overview”.",
    )
    treatment_offered = models.BooleanField(
        default=False, help_text="It describes something the clinic sells. Shows the interest statement."
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

    objects = ByNaturalKey.from_queryset(FactSheetQuerySet)()

    class Meta:
        ordering = ["topic__position", "position", "slug"]
        permissions = [("sign_off_factsheet", "Can sign off a fact sheet as its clinical reviewer")]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=State.values), name="sheet_known_state"),
            models.CheckConstraint(
                condition=Q(reviewed_on__isnull=True, reviewed_by__isnull=True)
                | Q(reviewed_on__isnull=False, reviewed_by__isnull=False),
                name="sheet_reviewed_on_and_by",
            ),
        ]

    def __str__(self):
        return self.title

    def get_absolute_url(self):
        return reverse("factsheets:sheet", args=[self.slug])

    def page_url(self, page: str) -> str:
        """The address of one of its pages; without a name, of the first."""
        return reverse("factsheets:sheet_page", args=[self.slug, page]) if page else self.get_absolute_url()

    def place_url(self, anchor: str) -> str:
        """The address of a section, on whichever page holds it. Anything else is on the first page."""
        sections = self.document.get("sections", [])
        page = next((each.get("page", "") for each in sections if each["slug"] == anchor), "")
        return f"{self.page_url(page)}#{anchor}"

    def clean(self):
        """Says in words what the outputs could not render."""
        from factsheets.rendering.markdown import BodyError, key_points

        try:
            key_points(self.key_points)
        except BodyError as error:
            raise ValidationError({"key_points": str(error)}) from error

    @property
    def is_published(self) -> bool:
        return self.state == State.PUBLISHED

    @property
    def awaits_review(self) -> bool:
        return self.reviewed_on is None

    def review_is_overdue(self, today) -> bool:
        return self.review_due_on is not None and self.review_due_on < today


class FormerAddress(models.Model):
    """An address that a sheet once had. Printed sheets and bookmarks go on working."""

    slug = models.SlugField(max_length=80, unique=True)
    sheet = models.ForeignKey(FactSheet, on_delete=models.CASCADE, related_name="former_addresses")

    class Meta:
        verbose_name_plural = "former addresses"

    def __str__(self):
        return f"{self.slug} → {self.sheet.slug}"


class RelatedSheet(NaturalKeyModel):
    """A link to another sheet, with the reason why a reader of this one may want it."""

    natural_key_fields = ("sheet", "to")

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
        return f"{self.sheet} → {self.to}"
