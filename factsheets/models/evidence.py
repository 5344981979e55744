from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from factsheets.models.natural import NaturalKeyModel


class Grade(models.TextChoices):
    """How sure we are, in the words of the ledger's evidence grades."""

    FAIRLY_SURE = "G1", "We are fairly sure"
    PROBABLY = "G2", "Probably"
    NOT_SURE = "G3", "Not sure"
    DO_NOT_KNOW = "G4", "We do not know"


GRADE_MEANINGS = {
    Grade.FAIRLY_SURE: "Several good studies agree.",
    Grade.PROBABLY: "Reasonable studies. The effect is small, or there is some doubt.",
    Grade.NOT_SURE: "Few, weak or mixed studies.",
    Grade.DO_NOT_KNOW: "No good studies, or tradition only.",
}


class Direction(models.TextChoices):
    HELPS = "helps", "Helps"
    MAY_HELP = "may_help", "May help a little"
    LITTLE_OR_NO = "little_or_no", "Little or no help"
    NOT_ADVISED = "not_advised", "Not advised"
    UNCLEAR = "unclear", "Unclear"
    SERIOUS_HARM_RARE = "serious_harm_rare", "Serious harm is rare"


BENEFITS = ["helps", "may_help"]


class EvidenceStatement(NaturalKeyModel):
    """One claim with how sure we are, in which direction, NICE's position and the sources."""

    natural_key_fields = ("section", "slug")

    section = models.ForeignKey("factsheets.Section", on_delete=models.CASCADE, related_name="evidence")
    slug = models.SlugField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    treatment = models.SlugField(max_length=60, help_text="What is judged, such as acupuncture or heat.")
    claim = models.CharField(max_length=240)
    detail = models.TextField(blank=True, help_text="Markdown, one or two short paragraphs.")
    grade = models.CharField(
        max_length=2, choices=Grade, blank=True, help_text="Leave empty for guidance that is not graded."
    )
    direction = models.CharField(max_length=20, choices=Direction)
    nice_position = models.CharField("NICE's position", max_length=300, blank=True)
    sources = models.ManyToManyField("factsheets.Source", related_name="statements")
    claim_refs = models.JSONField("claim ledger rows", default=list, blank=True)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["section", "slug"], name="evidence_slug_once_in_a_section"),
            models.CheckConstraint(condition=Q(grade__in=["", *Grade.values]), name="evidence_known_grade"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="evidence_known_direction"),
            # The clinic sells acupuncture and NICE advises against it for low back pain: neither may stand alone.
            models.CheckConstraint(
                condition=~Q(treatment="acupuncture", direction__in=BENEFITS, nice_position=""),
                name="evidence_acupuncture_benefit_with_nice",
            ),
        ]

    def __str__(self):
        return self.claim

    def clean(self):
        """Says in words what the outputs could not render and what the database would refuse."""
        from factsheets.rendering.markdown import BodyError, parse

        if self.treatment == "acupuncture" and self.direction in BENEFITS and not self.nice_position:
            raise ValidationError(
                {"nice_position": "Say what NICE says: it stands beside every benefit of acupuncture."}
            )
        try:
            parse(self.detail)
        except BodyError as error:
            raise ValidationError({"detail": str(error)}) from error
