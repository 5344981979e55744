import re

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.text import Truncator

from factsheets.models.natural import NaturalKeyModel


class SectionKind(models.TextChoices):
    TEXT = "text", "text"
    TRY = "try", "things to try"
    AVOID = "avoid", "things to avoid"
    STEPS = "steps", "steps"
    TABLE = "table", "table"
    CALLOUT = "callout", "important note"
    DETAILS = "details", "details to open"
    FIGURE = "figure", "figure"
    NUMBERS = "numbers", "numbers as people"
    EVIDENCE = "evidence", "what the evidence says"


class Tradition(models.TextChoices):
    NEITHER = "neither", "neither"
    WESTERN = "western", "Western medicine"
    TRADITIONAL = "traditional", "traditional Chinese medicine"


class Aspect(models.TextChoices):
    """What a section is about, in the terms of schema.org's HealthAspectEnumeration."""

    OVERVIEW = "overview", "overview"
    CAUSES = "causes", "causes"
    SYMPTOMS = "symptoms", "symptoms"
    SELF_CARE = "self_care", "self-care"
    TREATMENTS = "treatments", "treatments"
    EFFECTIVENESS = "effectiveness", "how well it works"
    SAFETY = "safety", "risks"
    SEE_DOCTOR = "see_doctor", "when to see a doctor"


# These start a chapter: a heading of the second level and a line in the contents list.
CHAPTER_KINDS = {SectionKind.TEXT, SectionKind.EVIDENCE}
# Addresses of the page's own parts: a section of the same address would catch the links meant for them.
TAKEN_SLUGS = re.compile(
    r"(main|find|key-points|contents|our-interest|related|keep|words|sources|review|report|consultation)\Z"
    r"|(source|cite|term|word|care|report|consultation|id_report|id_consultation)-"
)
# The sheet's other outputs stand at these addresses below its own (factsheets/urls.py), so no page of it can.
TAKEN_PAGES = {"pdf", "text", "json", "whole"}
# Without a heading a reader could not tell what these are about.
HEADED_KINDS = ["evidence", "callout", "details", "table", "steps", "numbers"]
MAX_CALLOUTS = 2  # NHS service manual: warning callouts lose their force when there are more


class Section(NaturalKeyModel):
    natural_key_fields = ("sheet", "slug")

    sheet = models.ForeignKey("factsheets.FactSheet", on_delete=models.CASCADE, related_name="sections")
    slug = models.SlugField(max_length=80, help_text="The section's address on the page: #slug")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order. Leave gaps of ten.")
    kind = models.CharField(max_length=10, choices=SectionKind, default=SectionKind.TEXT)
    view = models.CharField(
        max_length=12,
        choices=Tradition,
        default=Tradition.NEITHER,
        help_text="A traditional section always carries its label: “Traditional explanation. Not a medical diagnosis.”",
    )
    aspect = models.CharField(max_length=14, choices=Aspect, blank=True)
    heading = models.CharField(max_length=160, blank=True)
    page_title = models.CharField(
        "starts a new page",
        max_length=60,
        blank=True,
        help_text="The new page’s name. From this section on, the sheet is read on a page of its own.",
    )
    body = models.TextField(blank=True, help_text="Markdown. Cite a source with [@KEY] after the full stop.")
    figure = models.ForeignKey(
        "factsheets.Figure", on_delete=models.PROTECT, null=True, blank=True, related_name="sections"
    )
    claim_refs = models.JSONField("claim ledger rows", default=list, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["sheet", "slug"], name="section_slug_once_in_a_sheet"),
            models.CheckConstraint(condition=Q(kind__in=SectionKind.values), name="section_known_kind"),
            models.CheckConstraint(condition=Q(view__in=Tradition.values), name="section_known_view"),
            models.CheckConstraint(
                condition=Q(kind="figure", figure__isnull=False) | (~Q(kind="figure") & Q(figure__isnull=True)),
                name="section_figure_when_kind_is_figure",
            ),
            models.CheckConstraint(condition=Q(kind__in=["figure", "evidence"]) | ~Q(body=""), name="section_has_body"),
            models.CheckConstraint(
                condition=~Q(kind__in=HEADED_KINDS) | ~Q(heading=""),
                name="section_has_heading_where_needed",
            ),
            models.CheckConstraint(
                condition=Q(page_title="") | (Q(kind__in=["text", "evidence"]) & ~Q(heading="")),
                name="section_page_starts_with_a_chapter",
            ),
        ]

    @property
    def evidence(self) -> list:
        """The statements it shows, in their order. Prefetch `statement_uses__statement__sources` for many sections."""
        return [use.statement for use in self.statement_uses.all()]

    def __str__(self):
        if self.heading:
            return self.heading
        first = self.figure.title if self.figure_id else " ".join(re.sub(r"\[@[^]]*\]|[*#]|^- ", "", self.body).split())
        return f"{self.get_kind_display()}: {Truncator(first).chars(50) or self.slug}"

    def clean(self):
        """Says in words what the outputs could not render."""
        from factsheets.rendering.markdown import BodyError, parse_body

        if self.kind == SectionKind.FIGURE and self.figure_id is None:
            raise ValidationError({"figure": "Choose the drawing for this figure section."})
        if self.kind != SectionKind.FIGURE and self.figure_id is not None:
            raise ValidationError(
                {"figure": "Only a figure section has a drawing. Change the kind, or clear the drawing."}
            )
        if TAKEN_SLUGS.match(self.slug):
            raise ValidationError({"slug": f"The page itself uses #{self.slug}. Choose another address."})
        if self.kind in HEADED_KINDS and not self.heading:
            raise ValidationError({"heading": f"Write a heading: a section of kind {self.kind} needs one."})
        if self.kind not in {SectionKind.FIGURE, SectionKind.EVIDENCE} and not self.body.strip():
            raise ValidationError({"body": "Write the words of this section."})
        if self.page_title:
            self._check_new_page()
        try:
            parse_body(self.kind, self.body)
        except BodyError as error:
            raise ValidationError({"body": str(error)}) from error

    def _check_new_page(self):
        problem = ""
        if self.kind not in CHAPTER_KINDS or not self.heading:
            problem = "A page can only start with a chapter: a section of kind text or evidence that has a heading."
        elif self.slug in TAKEN_PAGES:
            problem = (
                f"The address …/{self.slug}/ has another use. Give this section another address on the page first."
            )
        elif self.sheet_id and not self.sheet.sections.filter(position__lt=self.position).exclude(pk=self.pk).exists():
            problem = (
                "This is the first section: the first page starts here already. Name that page on the sheet itself."
            )
        if problem:
            raise ValidationError({"page_title": problem})
