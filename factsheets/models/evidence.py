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
    HELPS_A_LITTLE = "helps_a_little", "Helps a little"
    MAY_HELP = "may_help", "May help a little"
    LITTLE_OR_NO = "little_or_no", "Little or no help"
    NOT_ADVISED = "not_advised", "Not advised"
    UNCLEAR = "unclear", "Unclear"
    SERIOUS_HARM_RARE = "serious_harm_rare", "Serious harm is rare"


# Verdict and sureness in one phrase. "May help a little" beside "probably" hedged twice, and readers could not tell it from
# "helps a little" beside "probably". The four are in the order of the grades.
VERDICTS = {
    Direction.HELPS: ("Helps. We are fairly sure", "Probably helps", "May help, but we are not sure", ""),
    Direction.HELPS_A_LITTLE: (
        "Helps a little. We are fairly sure",
        "Probably helps a little",
        "May help a little, but we are not sure",
        "",
    ),
    Direction.MAY_HELP: (
        "May help a little, going by good studies",
        "May help a little, though there is some doubt",
        "May help a little, but we are not sure",
        "",
    ),
    Direction.LITTLE_OR_NO: (
        "Little or no help. We are fairly sure",
        "Probably little or no help",
        "Little or no help as far as we know, but we are not sure",
        "",
    ),
    Direction.NOT_ADVISED: (
        "Not advised, going by good studies",
        "Not advised, going by reasonable studies",
        "Not advised, but studies are few or weak",
        "Not advised, though no good study has looked at it",
    ),
    Direction.UNCLEAR: ("Studies do not agree", "Studies do not agree", "We are not sure if it helps", ""),
    Direction.SERIOUS_HARM_RARE: (
        "Serious harm is rare. We are fairly sure",
        "Serious harm is probably rare",
        "Serious harm may be rare, but we are not sure",
        "We do not know how rare serious harm is",
    ),
}
DO_NOT_KNOW = "We do not know if it helps"


def verdict(direction: str, grade: str) -> str:
    """The finding and how sure we are, in one phrase without a full stop. Ungraded advice is that of a health body."""
    if not grade:
        return Direction(direction).label
    return VERDICTS[Direction(direction)][Grade.values.index(grade)] or DO_NOT_KNOW


BENEFITS = [Direction.HELPS.value, Direction.HELPS_A_LITTLE.value, Direction.MAY_HELP.value]


class Statement(NaturalKeyModel):
    """What the evidence says about one treatment, for one condition, against one comparison: once for the whole site.

    Sheets refer to a statement (`StatementUse`) and do not own it, so that no two of them can give another verdict.
    """

    natural_key_fields = ("key",)
    plain_texts = ("claim", "nice_position", "burden")

    key = models.SlugField(max_length=80, unique=True)
    treatment = models.SlugField(max_length=60, help_text="What was tried, such as acupuncture or heat.")
    condition = models.SlugField(
        max_length=60, help_text="What it was tried for, such as recent-low-back-pain or sciatica."
    )
    comparison = models.SlugField(
        max_length=80,
        blank=True,
        help_text="What it was compared with, such as bed-rest. Leave empty if nothing is named.",
    )
    claim = models.CharField(max_length=240)
    detail = models.TextField(
        "text", blank=True, help_text="One or two short paragraphs, with an empty line between them."
    )
    grade = models.CharField(
        "how sure we are",
        max_length=2,
        choices=Grade,
        blank=True,
        help_text="Leave empty for guidance that is not graded.",
    )
    direction = models.CharField("what was found", max_length=20, choices=Direction)
    nice_position = models.CharField("NICE's position", max_length=300, blank=True)
    burden = models.CharField(
        "what it costs the reader",
        max_length=160,
        blank=True,
        help_text="Time, effort, discomfort or side effects, as the sources say. No prices: ours are in Clinic settings.",
    )
    sources = models.ManyToManyField("factsheets.Source", related_name="statements")
    claim_refs = models.JSONField("claims it rests on", default=list, blank=True)

    class Meta:
        ordering = ["treatment", "condition", "comparison"]
        constraints = [
            models.UniqueConstraint(
                fields=["treatment", "condition", "comparison"],
                name="statement_one_verdict",
                violation_error_message="There is a statement on this treatment, condition and comparison already. "
                "Use that one, or edit it.",
            ),
            models.CheckConstraint(condition=Q(grade__in=["", *Grade.values]), name="statement_known_grade"),
            models.CheckConstraint(condition=Q(direction__in=Direction.values), name="statement_known_direction"),
            # The clinic sells acupuncture and NICE advises against it for low back pain, so neither may be shown without the other.
            models.CheckConstraint(
                condition=~Q(treatment="acupuncture", direction__in=BENEFITS, nice_position=""),
                name="statement_acupuncture_benefit_with_nice",
            ),
        ]

    def __str__(self):
        return self.claim

    @property
    def sheets(self) -> list:
        """The sheets that show it, each once, in the order of the topics."""
        from factsheets.models.sheet import FactSheet

        return list(FactSheet.objects.filter(sections__statement_uses__statement=self).distinct())

    def clean(self):
        """Rejects, with a reason, what the outputs cannot render or the database would refuse."""
        from factsheets.rendering.markdown import BodyError, parse

        if self.treatment == "acupuncture" and self.direction in BENEFITS and not self.nice_position:
            raise ValidationError(
                {"nice_position": "Say what NICE says: it stands beside every benefit of acupuncture."}
            )
        try:
            parse(self.detail)
        except BodyError as error:
            raise ValidationError({"detail": str(error)}) from error


class StatementUse(NaturalKeyModel):
    """One statement that a section shows, and its place in the section's list."""

    natural_key_fields = ("section", "statement")

    section = models.ForeignKey("factsheets.Section", on_delete=models.CASCADE, related_name="statement_uses")
    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="uses")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["section", "statement"],
                name="statement_once_in_a_section",
                violation_error_message="This statement is in the section already.",
            ),
        ]

    def __str__(self):
        return f"{self.section.sheet}: {self.statement}"


class ClaimStatus(models.TextChoices):
    KEEP = "keep", "keep"
    CORRECT = "correct", "publish corrected"
    CONTEXTUALISE = "contextualise", "publish with its qualifier"
    DROP = "drop", "do not publish"
    ADDED = "added", "added"


class Claim(NaturalKeyModel):
    """A row of the claim ledger: what the sheets may say about one fact, and the evidence for it.

    Sections and evidence statements name the rows they cover in `claim_refs`, so that any sentence can be traced.
    """

    natural_key_fields = ("ref",)

    ref = models.CharField("row", max_length=12, unique=True)
    status = models.CharField(max_length=14, choices=ClaimStatus)
    sheets = models.JSONField(default=list, blank=True, help_text="Addresses of the sheets that should cover it.")
    statement = models.TextField("what to say today")
    sources = models.JSONField("source keys", default=list, blank=True)
    to_check = models.BooleanField(
        "rests on general knowledge", default=False, help_text="Some detail still has to be looked up."
    )

    class Meta:
        ordering = ["ref"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=ClaimStatus.values), name="claim_known_status"),
        ]

    def __str__(self):
        return f"{self.ref}: {self.statement[:80]}"
